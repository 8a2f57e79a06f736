"""Names of namespaces, assets and versions, and the references by which people speak of them.

Grammar and bounds: docs/formats.md section 1. Every name is ASCII and lower case, and has one spelling only:
two names are the same thing if and only if they are the same bytes. `Directory.vy` enforces the same grammar
for namespaces on chain. Parties and key ids are in `identity`; aliases (names of other schemes) are the
index's.

    acme                                    a namespace
    gz.weather                              a namespace; needs the owner of `gz` to be claimed
    gz.weather/stations/hourly              an asset
    gz.weather/stations/hourly@3            its third version
    gz.weather/stations/hourly@latest       a reference: its newest version
    acme/orders@sha256:<64 hex>             a reference: the version with this content
    dataledger:<ledger id>/acme/orders@3    the global form of a reference
"""

from __future__ import annotations

import re

from msgspec import Struct

from ledger.core.errors import FormatError
from ledger.core.hashing import keccak256
from ledger.core.text import shown

MAX_NAMESPACE = 127
MAX_ASSET = 255
MAX_NUMBER = 2**53 - 1
REFERENCE_DIGESTS = ("sha256", "dataledger-tree-v1", "dataledger-declared-v1")
GLOBAL_PREFIX = "dataledger:"

_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAMESPACE = rf"{_LABEL}(?:\.{_LABEL})*"
_SEGMENT = "[a-z0-9_][a-z0-9._-]*"
_ASSET = rf"{_NAMESPACE}(?:/{_SEGMENT})+"
_namespace = re.compile(_NAMESPACE).fullmatch
_asset = re.compile(_ASSET).fullmatch
_number = re.compile("[1-9][0-9]{0,15}").fullmatch
_hex64 = re.compile("[0-9a-f]{64}").fullmatch


class Reference(Struct, frozen=True, gc=False):
    """What a person means by a name: an asset, and perhaps which version of it.

    At most one of `number`, `digest` (digest name, 64 hex digits) and `latest` is set. `ledger` is the ledger
    id (64 hex digits) where the global form was used.
    """

    asset: str
    number: int | None = None
    digest: tuple[str, str] | None = None
    latest: bool = False
    ledger: str | None = None

    def __str__(self) -> str:
        """Write the reference as `parse_reference` reads it."""
        tail = ""
        if self.number is not None:
            tail = f"@{self.number}"
        elif self.digest is not None:
            tail = f"@{self.digest[0]}:{self.digest[1]}"
        elif self.latest:
            tail = "@latest"
        head = f"{GLOBAL_PREFIX}{self.ledger}/" if self.ledger is not None else ""
        return f"{head}{self.asset}{tail}"


def check_namespace(text: str) -> None:
    """Refuse `text` (FormatError) unless it is a namespace: labels of 1..63 bytes, 127 bytes in all."""
    if len(text) > MAX_NAMESPACE or _namespace(text) is None:
        raise FormatError(
            f"namespace: expected lower-case labels of letters, digits and inner hyphens joined by '.', "
            f"at most {MAX_NAMESPACE} bytes, got {shown(text)}",
            hint="for example: acme or acme.europe",
        )


def check_asset(text: str) -> None:
    """Refuse `text` (FormatError) unless it is an asset: a namespace, `/`, a path; 255 bytes at most."""
    if not is_asset(text):
        raise FormatError(
            f"asset: expected NAMESPACE/PATH in lower-case letters, digits and . _ -, "
            f"at most {MAX_ASSET} bytes, got {shown(text)}",
            hint="for example: acme/orders or acme.europe/sensors/hourly",
        )


def is_asset(text: str) -> bool:
    """Say whether `text` is the name of an asset."""
    return len(text) <= MAX_ASSET and _asset(text) is not None and text.index("/") <= MAX_NAMESPACE


def namespace_of(asset: str) -> str:
    """Give the namespace of an asset's name."""
    return asset.partition("/")[0]


def parent_of(namespace: str) -> str | None:
    """Give the namespace above `namespace` (of `gz.weather` it is `gz`), None for a top label."""
    head, dot, _ = namespace.rpartition(".")
    return head if dot else None


def node(namespace: str) -> bytes:
    """Give the 32-byte node under which `Directory` keeps a namespace; FormatError for any other text."""
    check_namespace(namespace)
    return keccak256(namespace.encode("ascii"))


def format_version(asset: str, number: int) -> str:
    """Write `asset@number`; raises FormatError if either is out of bounds."""
    check_asset(asset)
    if not 1 <= number <= MAX_NUMBER:
        raise FormatError(f"version number: expected 1..2^53-1, got {number}")
    return f"{asset}@{number}"


def parse_version(text: str) -> tuple[str, int]:
    """Read `asset@number` as (asset, number); the counterpart of `format_version`."""
    asset, at, tail = text.partition("@")
    if not at:
        raise FormatError(f"version: expected NAMESPACE/PATH@NUMBER, got {shown(text)}")
    check_asset(asset)
    return asset, _parse_number(tail)


def _parse_number(text: str) -> int:
    if _number(text) is None or (number := int(text)) > MAX_NUMBER:
        raise FormatError(f"version number: expected 1..2^53-1 without leading zero, got {shown(text)}")
    return number


def parse_reference(text: str) -> Reference:
    """Read any reference, the global form included; raises FormatError."""
    ledger = None
    body = text
    if text.startswith(GLOBAL_PREFIX):
        ledger, _, body = text[len(GLOBAL_PREFIX) :].partition("/")
        if _hex64(ledger) is None:
            raise FormatError(
                f"reference: expected {GLOBAL_PREFIX}, a ledger id of 64 lower-case hex digits and '/', "
                f"got {shown(text)}"
            )
    asset, at, tail = body.partition("@")
    check_asset(asset)
    if not at:
        return Reference(asset, ledger=ledger)
    if tail == "latest":
        return Reference(asset, latest=True, ledger=ledger)
    name, colon, digest = tail.partition(":")
    if not colon:
        return Reference(asset, number=_parse_number(tail), ledger=ledger)
    if name not in REFERENCE_DIGESTS or _hex64(digest) is None:
        raise FormatError(
            f"reference: expected one of {', '.join(REFERENCE_DIGESTS)}, ':' and 64 lower-case hex digits "
            f"behind '@', got {shown(tail)}"
        )
    return Reference(asset, digest=(name, digest), ledger=ledger)
