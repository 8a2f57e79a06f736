"""What a record says: in-toto Statements with typed predicates.

A record is an in-toto Statement v1 (https://github.com/in-toto/attestation/tree/main/spec/v1) inside a DSSE
envelope (see `dsse`). This module holds the shapes; docs/formats.md says what each field means. Decoding is
strict: unknown fields, missing fields, wrong types and values out of bounds are refused. A member that has a
default is left out when it has it, so an optional text is absent or not empty, never "". Lengths of text are
in code points. `shapes` checks what goes beyond one field, `statement` reads and writes the bytes. What a
record *may* say is judged in `authority`; this module only knows what it says.
"""

from __future__ import annotations

from typing import Annotated, Literal

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


class Alias(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """An asset's name in another scheme: `scheme` (`openlineage`, `doi`, ...), `namespace` and `name`."""

    scheme: Label
    name: Line
    namespace: Line = ""


class Field(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """A column of a version: its name and the type its source gave it."""

    name: Line
    type: Line = ""


class Component(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """What did the work: a program, a job, a certified component. `namespace` + `name` identify a job.

    `digest` is empty, or one content digest of the program.
    """

    name: Line
    namespace: Line = ""
    version: Line = ""
    digest: Annotated[dict[str, Hex], Meta(max_length=1)] = field(default_factory=dict)


class Edge(Struct, frozen=True, forbid_unknown_fields=True, array_like=True, gc=False):
    """`output` and `input` are positions in the activity's outputs and inputs; `basis` says who says so."""

    output: Position
    input: Position
    basis: Annotated[int, Meta(ge=1, le=7)]


class ColumnEdge(Struct, frozen=True, forbid_unknown_fields=True, array_like=True, gc=False):
    """Column `output_field` of output number `output` comes from `input_field` of input number `input`.

    An empty field name means the whole of that side. `how` is free text such as `DIRECT/IDENTITY`.
    """

    output: Position
    output_field: LineOrEmpty
    input: Position
    input_field: LineOrEmpty
    how: LineOrEmpty = ""


BASIS_STATED = 1  # the producer named this edge itself (OpenLineage `lineage` facet, explicit edges)
BASIS_INPUTS = 2  # the run listed the input
BASIS_COLUMNS = 4  # column lineage names the input


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


class Registration(
    Header, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, gc=False
):
    """An asset exists and this party claims it. Subject: the asset, by `dataledger-asset-v1`."""

    title: Line = ""
    description: Text = ""
    kind: Label = "dataset"
    license: Line = ""
    aliases: list[Alias] = field(default_factory=list)


class Version(Header, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """Version `number` (from 1) of an asset. Subject: `asset@number` with its one content digest.

    `previous` is the record id (hex) of the version before, absent for number 1. `declared` is the
    description whose digest a declared version carries, and is there exactly for those. `size` is in bytes.
    """

    number: Number
    previous: Hex = ""
    size: Size | None = None
    media_type: Label = ""
    fields: list[Field] = field(default_factory=list)
    declared: Text = ""


class Transfer(Header, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """The holder `giver` hands the asset to `receiver` (DIDs). Subject: the asset. Binds from its posting.

    `anchor_before` is a block number: anchored in that block or later, the record is void.
    """

    giver: Party
    receiver: Party
    anchor_before: Number | None = None


class Activity(Header, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """Something that was done: inputs became outputs. Subject: the outputs, or the run where there are none.

    `edges` names for each output the inputs it came from. `run_id` is unique within its first author: a later
    record with the same one adds to the same activity. `changed` holds the positions of inputs whose content
    was another one after the run than before it.
    """

    run_id: RunId
    component: Component
    outcome: Literal["completed", "failed", "aborted", "running"]
    inputs: list[Resource] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    columns: list[ColumnEdge] = field(default_factory=list)
    changed: list[Position] = field(default_factory=list)
    started: Time = ""
    ended: Time = ""
    source: Line = ""


class Revocation(Header, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """The author takes back record `target` (hex id) of its own. Subject: what that record spoke of."""

    target: Hex
    reason: Text = ""
    effective: Time = ""


Predicate = Registration | Version | Transfer | Activity | Revocation

PREDICATE_TYPES: dict[str, type[Predicate]] = {
    f"{PREDICATE_BASE}registration/v1": Registration,
    f"{PREDICATE_BASE}version/v1": Version,
    f"{PREDICATE_BASE}transfer/v1": Transfer,
    f"{PREDICATE_BASE}activity/v1": Activity,
    f"{PREDICATE_BASE}revocation/v1": Revocation,
}

TYPE_OF: dict[type[Predicate], str] = {kind: name for name, kind in PREDICATE_TYPES.items()}


class Statement(Struct, frozen=True, gc=False):
    """A decoded record: its subjects and its typed predicate."""

    subject: list[Resource]
    predicate: Predicate
