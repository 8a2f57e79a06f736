"""What names content: digests with a name and a domain of their own, and the bytes behind them.

Source: docs/formats.md sections 3 and 8. Every digest here is SHA-256; all but a file's begin with a tag that
ends in a zero byte, so that none can pass for another. This module makes and reads the bytes; walking folders
and reading files is left to `store`, the grammar of asset names to `names`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from ledger.core.encoding import parse_decimal
from ledger.core.errors import FormatError, Usage
from ledger.core.hashing import HASH_SIZE, sha256

FILE = "sha256"
TREE = "dataledger-tree-v1"
DECLARED = "dataledger-declared-v1"
ASSET = "dataledger-asset-v1"
RUN = "dataledger-run-v1"
SEALED = "dataledger-sealed-v1"

CONTENT_DIGESTS = (FILE, TREE, DECLARED)
"""The names that a version's one digest may have."""

DIGEST_NAMES = frozenset((FILE, TREE, DECLARED, ASSET, RUN, SEALED))

SALT_SIZE = 32
MIN_SEALED = 256
"""The fewest bytes that length, content and padding of a sealed attachment have together."""

MAX_PATH = 4096
"""The most bytes of a path in a manifest, as Linux has it."""

_TREE_TAG = b"dataledger/tree/v1\0"
_DECLARED_TAG = b"dataledger/declared/v1\0"
_ASSET_TAG = b"dataledger/asset/v1\0"
_RUN_TAG = b"dataledger/run/v1\0"
_SEALED_TAG = b"dataledger/sealed/v1\0"
_RECORD_TARGET_TAG = b"dataledger/target/record/v1\0"
_ASSET_TARGET_TAG = b"dataledger/target/asset/v1\0"

_EMPTY = sha256(b"").hex()
_HEX_64 = re.compile(r"[0-9a-f]{64}")
_LINE = re.compile(rb"([fld]) ([0-9a-f]{64}) ([0-9]{1,19}) (.+)", re.DOTALL)

Kind = Literal["f", "l", "d"]


class ManifestEntry(NamedTuple):
    """One line of a manifest: `f` a file, `l` a symbolic link, `d` an empty folder.

    `digest` is SHA-256 in hex of the file's bytes, of the link's target text, or of nothing; `size` is the
    number of those bytes. `path` is relative, separated by `/`.
    """

    kind: Kind
    digest: str
    size: int
    path: str


def is_content(name: str) -> bool:
    """Tell whether a digest of this name identifies a version's content, observed or declared."""
    return name in CONTENT_DIGESTS


def is_declared(name: str) -> bool:
    """Tell whether a digest of this name stands for content that nobody hashed."""
    return name == DECLARED


def asset_digest(ledger_id: bytes, asset: str) -> str:
    """Return the `dataledger-asset-v1` digest, in hex, of an asset in the ledger with that 32-byte id."""
    return sha256(_ASSET_TAG + _ledger(ledger_id) + _utf8(asset, "asset")).hex()


def declared_digest(ledger_id: bytes, asset: str, description: str) -> str:
    """Return the `dataledger-declared-v1` digest, in hex, of a version described and not hashed."""
    name = _utf8(asset, "asset")
    if len(name) > 0xFFFF:
        raise Usage(f"asset: expected at most 65535 bytes, got {len(name)}")
    length = len(name).to_bytes(2, "big")
    return sha256(
        _DECLARED_TAG + _ledger(ledger_id) + length + name + _utf8(description, "description")
    ).hex()


def run_digest(ledger_id: bytes, run_id: str) -> str:
    """Return the `dataledger-run-v1` digest, in hex, of a run that has no outputs."""
    return sha256(_RUN_TAG + _ledger(ledger_id) + _utf8(run_id, "run id")).hex()


def target_of_record(record_id: bytes) -> bytes:
    """Return the 32-byte target under which postings against a record (by its 32-byte id) are kept."""
    return sha256(_RECORD_TARGET_TAG + _hash(record_id, "record id"))


def target_of_asset(asset_digest: str) -> bytes:
    """Return the 32-byte target for an asset, by its `dataledger-asset-v1` digest in hex."""
    if _HEX_64.fullmatch(asset_digest) is None:
        raise Usage(f"asset digest: expected 64 lower-case hex digits, got {asset_digest[:80]!a}")
    return sha256(_ASSET_TARGET_TAG + bytes.fromhex(asset_digest))


def manifest_lines(entries: Iterable[ManifestEntry]) -> Iterator[bytes]:
    """Yield the lines of a folder's manifest, zero bytes included, from its entries in any order.

    What no folder can hold raises FormatError: a path that is not relative or has `.`, `..` or an empty
    segment, one that is there twice, one below a file or link, a digest that its size belies.
    """
    lines = sorted(_encode_line(entry) for entry in entries)
    paths = {path for path, _ in lines}
    if len(paths) != len(lines):
        raise FormatError("manifest: expected each path once, got one twice")
    folders = {b""}
    for path, line in lines:
        folder = path.rpartition(b"/")[0]
        while folder not in folders:
            folders.add(folder)
            if folder in paths:
                raise FormatError(f"manifest: {path.decode()!a} lies below what is not a folder with content")
            folder = folder.rpartition(b"/")[0]
        yield line


def encode_manifest(entries: Iterable[ManifestEntry]) -> bytes:
    """Return the manifest of a folder from its entries, in any order; see `manifest_lines`."""
    return b"".join(manifest_lines(entries))


def tree_digest(entries: Iterable[ManifestEntry]) -> str:
    """Return the `dataledger-tree-v1` digest, in hex, of a folder with these entries, in any order."""
    digest = hashlib.sha256(_TREE_TAG)
    for line in manifest_lines(entries):
        digest.update(line)
    return digest.hexdigest()


def decode_manifest(data: bytes) -> list[ManifestEntry]:
    """Return the entries of a manifest in its order; anything but a canonical manifest raises FormatError."""
    if not data:
        return []
    if not data.endswith(b"\0"):
        raise FormatError("manifest: expected a zero byte at the end")
    entries = [_decode_line(line) for line in data[:-1].split(b"\0")]
    if encode_manifest(entries) != data:
        raise FormatError("manifest: expected its lines in the byte order of their paths")
    return entries


def seal(salt: bytes, content: bytes) -> tuple[str, bytes]:
    """Return the `dataledger-sealed-v1` digest, in hex, of a private attachment, and the preimage behind it.

    `salt` is 32 random bytes, never used twice. The preimage is kept as it is; only its digest is published.
    """
    head, padding = sealed_frame(salt, len(content))
    preimage = b"".join((head, content, padding))
    return sha256(preimage).hex(), preimage


def sealed_frame(salt: bytes, length: int) -> tuple[bytes, bytes]:
    """Return what goes before and after content of `length` bytes in its preimage, for streaming it."""
    if len(salt) != SALT_SIZE:
        raise Usage(f"salt: expected {SALT_SIZE} bytes, got {len(salt)}")
    return _SEALED_TAG + salt + length.to_bytes(8, "big"), bytes(_sealed_size(length) - 8 - length)


def unseal(preimage: bytes) -> bytes:
    """Return the content of a sealed attachment; anything but what `seal` makes raises FormatError."""
    start = len(_SEALED_TAG) + SALT_SIZE + 8
    if not preimage.startswith(_SEALED_TAG) or len(preimage) < start:
        raise FormatError("sealed attachment: expected its tag, salt and length at the start")
    length = int.from_bytes(preimage[start - 8 : start], "big")
    if len(preimage) != start - 8 + _sealed_size(length):
        raise FormatError(
            f"sealed attachment: expected content of {length} bytes and its padding, "
            f"got {len(preimage) - start} bytes"
        )
    if preimage[start + length :].strip(b"\0"):
        raise FormatError("sealed attachment: expected padding of zero bytes")
    return preimage[start : start + length]


def _sealed_size(length: int) -> int:
    return max(MIN_SEALED, 1 << (8 + length - 1).bit_length())


def _encode_line(entry: ManifestEntry) -> tuple[bytes, bytes]:
    kind, digest, size, path = entry
    raw = _check_path(path)
    if kind not in ("f", "l", "d") or _HEX_64.fullmatch(digest) is None or not 0 <= size < 2**63:
        raise FormatError(
            f"manifest: {path!a} has no right kind, digest and size: {kind!a} {digest!a} {size}"
        )
    if (size == 0) != (digest == _EMPTY) or (kind == "d" and size) or (kind == "l" and not size):
        raise FormatError(f"manifest: {path!a} is {kind} of size {size} with digest {digest}, which can't be")
    return raw, b"%b %b %d %b\0" % (kind.encode(), digest.encode(), size, raw)


def _decode_line(line: bytes) -> ManifestEntry:
    match = _LINE.fullmatch(line)
    if match is None:
        raise FormatError(f"manifest: expected kind, digest, size and path, got {line[:80]!r}")
    kind, digest, size, path = match.groups()
    try:
        text = path.decode("utf-8")
    except UnicodeDecodeError:
        raise FormatError(f"manifest: path {path[:80]!r} is not UTF-8") from None
    number = parse_decimal(size.decode(), "manifest: size")
    return ManifestEntry(_KINDS[kind], digest.decode(), number, text)


_KINDS: dict[bytes, Kind] = {b"f": "f", b"l": "l", b"d": "d"}


def _check_path(path: str) -> bytes:
    try:
        raw = path.encode("utf-8")
    except UnicodeEncodeError:
        raise FormatError(f"manifest: path {path[:80]!a} is not UTF-8") from None
    if not 0 < len(raw) <= MAX_PATH or "\0" in path or not {"", ".", ".."}.isdisjoint(path.split("/")):
        raise FormatError(f"manifest: expected a relative path without . or .., got {path[:80]!a}")
    return raw


def _hash(value: bytes, what: str) -> bytes:
    if len(value) != HASH_SIZE:
        raise Usage(f"{what}: expected {HASH_SIZE} bytes, got {len(value)}")
    return value


def _ledger(ledger_id: bytes) -> bytes:
    return _hash(ledger_id, "ledger id")


def _utf8(text: str, what: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise FormatError(f"{what}: {text[:80]!a} is not Unicode text") from None
