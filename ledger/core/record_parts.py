"""The parts of which records are made: bounded texts, resources, attachments, and the header they all share.

Source: docs/formats.md section 4; resources are in-toto's ResourceDescriptors
(https://github.com/in-toto/attestation/blob/main/spec/v1/resource_descriptor.md), the fields used here.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, field

from ledger.core.encoding import MAX_INTEGER
from ledger.core.identity import DID_PATTERN
from ledger.core.text import LINE_PATTERN, LINES_PATTERN

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_BASE = "https://dataledger.dev/predicate/"

HEX_PATTERN = "^[0-9a-f]{64}$"
TIME_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?Z$"
MAX_PARTIES = 16
"""Most authors, signatures and logs of one record."""

# msgspec checks lengths and ranges as it decodes, for nothing. The patterns stand here for the JSON Schemas;
# `shapes` enforces them, several times faster than msgspec would.
_LINE = {"pattern": LINE_PATTERN}

Hex = Annotated[str, Meta(min_length=64, max_length=64, extra_json_schema={"pattern": HEX_PATTERN})]
"""32 bytes as 64 lower-case hex digits."""
Party = Annotated[str, Meta(min_length=55, max_length=118, extra_json_schema={"pattern": DID_PATTERN})]
"""A party's DID."""
Time = Annotated[str, Meta(min_length=20, max_length=30, extra_json_schema={"pattern": TIME_PATTERN})]
"""RFC 3339 in UTC with `Z`, at most nine decimals of a second."""
Label = Annotated[str, Meta(min_length=1, max_length=128, extra_json_schema=_LINE)]
"""A short word from an open vocabulary."""
Line = Annotated[str, Meta(min_length=1, max_length=2048, extra_json_schema=_LINE)]
"""One line of human text, or another system's name."""
RunId = Annotated[str, Meta(min_length=1, max_length=256, extra_json_schema=_LINE)]
"""Whatever the producer numbers its runs by."""
LineOrEmpty = Annotated[str, Meta(max_length=2048, extra_json_schema=_LINE)]
Text = Annotated[str, Meta(min_length=1, max_length=16384, extra_json_schema={"pattern": LINES_PATTERN})]
"""Human text that may hold line feeds and tabs."""
Size = Annotated[int, Meta(ge=0, le=MAX_INTEGER)]
Number = Annotated[int, Meta(ge=1, le=MAX_INTEGER)]
Position = Annotated[int, Meta(ge=0, le=65535)]

Digests = Annotated[dict[str, Hex], Meta(min_length=1, max_length=1)]
"""Digest name -> lower-case hex; one entry. Names: `sha256`, `dataledger-tree-v1`, `dataledger-declared-v1`,
`dataledger-asset-v1`, `dataledger-run-v1`, `dataledger-sealed-v1`; `shapes` says which one goes where."""


class Resource(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """An asset version or an asset, by name and digest (in-toto ResourceDescriptor, the fields used here)."""

    name: Line
    digest: Digests


class Attachment(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """Bytes kept outside the log. `digest` is `sha256` (public) or `dataledger-sealed-v1` (private).

    `size` is that of the content in bytes; a private attachment leaves it out.
    """

    role: Label
    media_type: Label
    digest: Digests
    size: Size | None = None


class Header(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """What every predicate starts with: which ledger and logs it is for, who says it, and the time they give.

    `ledger` and `logs` are 64 lower-case hex digits, `authors` DIDs, `time` RFC 3339 UTC with `Z`: a claim.
    """

    ledger: Hex
    logs: Annotated[
        list[Hex], Meta(min_length=1, max_length=MAX_PARTIES, extra_json_schema={"uniqueItems": True})
    ]
    authors: Annotated[
        list[Party], Meta(min_length=1, max_length=MAX_PARTIES, extra_json_schema={"uniqueItems": True})
    ]
    time: Time
    attachments: list[Attachment] = field(default_factory=list)
