"""What a record says: in-toto Statements with typed predicates.

A record is an in-toto Statement v1 (https://github.com/in-toto/attestation/tree/main/spec/v1) inside a DSSE
envelope (see `dsse`). This module holds the shapes of what is said about data, `records_rights` those about
rights, `record_parts` what both are made of; docs/formats.md says what each field means. Decoding is
strict: unknown fields, missing fields, wrong types and values out of bounds are refused. A member that has a
default is left out when it has it, so an optional text is absent or not empty, never "". Lengths of text are
in code points. `shapes` checks what goes beyond one field, `statement` reads and writes the bytes. What a
record *may* say is judged in `authority`; this module only knows what it says.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from ledger.core.record_parts import (
    HEX_PATTERN,
    PREDICATE_BASE,
    TIME_PATTERN,
    Attachment,
    Digests,
    Header,
    Hex,
    Label,
    Line,
    LineOrEmpty,
    Number,
    Party,
    Position,
    Resource,
    RunId,
    Size,
    Text,
    Time,
)
from ledger.core.records_rights import Agreement, Attestation, Delivery, Grant, Settlement

__all__ = [
    "BASIS_COLUMNS", "BASIS_INPUTS", "BASIS_STATED", "HEX_PATTERN", "PREDICATE_BASE", "PREDICATE_TYPES",
    "TIME_PATTERN", "TYPE_OF", "Activity", "Agreement", "Alias", "Attachment", "Attestation", "ColumnEdge",
    "Component", "Delivery", "Digests", "Edge", "Field", "Grant", "Header", "Hex", "Label", "Line", "Number",
    "Party", "Position", "Predicate", "Registration", "Resource", "Revocation", "RunId", "Settlement", "Size",
    "Statement", "Text", "Time", "Transfer", "Version",
]  # fmt: skip


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


class Registration(
    Header, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, gc=False
):
    """An asset exists and this party claims it. Subject: the asset, by `dataledger-asset-v1`.

    `arbiter` (DID) alone may freeze the asset in a dispute; without one nobody may.
    """

    title: Line = ""
    description: Text = ""
    kind: Label = "dataset"
    license: Line = ""
    aliases: list[Alias] = field(default_factory=list)
    arbiter: Party = ""


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


Predicate = (
    Registration
    | Version
    | Transfer
    | Activity
    | Revocation
    | Grant
    | Agreement
    | Delivery
    | Settlement
    | Attestation
)

PREDICATE_TYPES: dict[str, type[Predicate]] = {
    f"{PREDICATE_BASE}registration/v1": Registration,
    f"{PREDICATE_BASE}version/v1": Version,
    f"{PREDICATE_BASE}transfer/v1": Transfer,
    f"{PREDICATE_BASE}activity/v1": Activity,
    f"{PREDICATE_BASE}revocation/v1": Revocation,
    f"{PREDICATE_BASE}grant/v1": Grant,
    f"{PREDICATE_BASE}agreement/v1": Agreement,
    f"{PREDICATE_BASE}delivery/v1": Delivery,
    f"{PREDICATE_BASE}settlement/v1": Settlement,
    f"{PREDICATE_BASE}attestation/v1": Attestation,
}

TYPE_OF: dict[type[Predicate], str] = {kind: name for name, kind in PREDICATE_TYPES.items()}


class Statement(Struct, frozen=True, gc=False):
    """A decoded record: its subjects and its typed predicate."""

    subject: list[Resource]
    predicate: Predicate
