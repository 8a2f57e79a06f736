"""What a record says: in-toto Statements with typed predicates.

A record is an in-toto Statement v1 (https://github.com/in-toto/attestation/tree/main/spec/v1) inside a DSSE
envelope (see `dsse`). This module holds the shapes; docs/formats.md says what each field means. Decoding is
strict: unknown fields, missing fields and wrong types are refused. What a record *may* say is judged in
`authority`; this module only knows what it says.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_BASE = "https://dataledger.dev/predicate/"

Digests = dict[str, str]
"""Digest name -> lower-case hex. Names: `sha256`, `dataledger-tree-v1`, `dataledger-declared-v1`,
`dataledger-asset-v1`, `dataledger-run-v1`, `dataledger-sealed-v1`."""


class Resource(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An asset version or an asset, by name and digest (in-toto ResourceDescriptor, the fields used here)."""

    name: str
    digest: Digests


class Attachment(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Bytes kept outside the log. `digest` is `sha256` (public) or `dataledger-sealed-v1` (private, salted)."""

    role: str
    media_type: str
    digest: Digests
    size: int | None = None


class Alias(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Another scheme's name for an asset: `scheme` (`openlineage`, `doi`, ...), its `namespace` and `name`."""

    scheme: str
    name: str
    namespace: str = ""


class Field(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A column of a version: its name and the type its source gave it."""

    name: str
    type: str = ""


class Component(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What did the work: a program, a job, a certified component. `namespace` + `name` identify a job."""

    name: str
    namespace: str = ""
    version: str = ""
    digest: Digests = field(default_factory=dict)


class Edge(Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    """`output` and `input` are positions in the activity's outputs and inputs; `basis` says who says so."""

    output: int
    input: int
    basis: int


class ColumnEdge(Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    """Column `output_field` of output number `output` comes from `input_field` of input number `input`.

    An empty field name means the whole of that side. `how` is free text such as `DIRECT/IDENTITY`.
    """

    output: int
    output_field: str
    input: int
    input_field: str
    how: str = ""


BASIS_STATED = 1  # the producer named this edge itself (OpenLineage `lineage` facet, explicit edges)
BASIS_INPUTS = 2  # the run listed the input
BASIS_COLUMNS = 4  # column lineage names the input


class Header(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What every predicate starts with: which ledger and logs it is for, who says it, and when they say it was.

    `ledger` and `logs` are 64 lower-case hex digits, `authors` DIDs, `time` RFC 3339 UTC with `Z`: a claim.
    """

    ledger: str
    logs: list[str]
    authors: list[str]
    time: str
    attachments: list[Attachment] = field(default_factory=list)


class Registration(Header, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """An asset exists and this party claims it. Subject: the asset, by `dataledger-asset-v1`."""

    title: str = ""
    description: str = ""
    kind: str = "dataset"
    license: str = ""
    aliases: list[Alias] = field(default_factory=list)


class Version(Header, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Version `number` (from 1) of an asset. Subject: `asset@number` with its one content digest.

    `previous` is the record id (hex) of the version before, absent for number 1. `declared` is the description
    whose digest a declared version carries, and is there exactly for those.
    """

    number: int
    previous: str = ""
    size: int | None = None
    media_type: str = ""
    fields: list[Field] = field(default_factory=list)
    declared: str = ""


class Transfer(Header, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The holder `giver` hands the asset to `receiver` (DIDs). Subject: the asset. Binds from its posting on chain."""

    giver: str
    receiver: str
    anchor_before: int | None = None


class Activity(Header, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Something that was done: inputs became outputs. Subject: the outputs, or the run itself where there are none.

    `edges` names for each output the inputs it came from. `run_id` is unique within its first author: a later
    record with the same one adds to the same activity. `changed` holds the positions of inputs whose content
    was another one after the run than before it.
    """

    run_id: str
    component: Component
    outcome: Literal["completed", "failed", "aborted", "running"]
    inputs: list[Resource] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    columns: list[ColumnEdge] = field(default_factory=list)
    changed: list[int] = field(default_factory=list)
    started: str = ""
    ended: str = ""
    source: str = ""


class Revocation(Header, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The author takes back record `target` (hex id) of its own. Subject: what that record spoke of."""

    target: str
    reason: str = ""
    effective: str = ""


Predicate = Registration | Version | Transfer | Activity | Revocation

PREDICATE_TYPES: dict[str, type[Predicate]] = {
    f"{PREDICATE_BASE}registration/v1": Registration,
    f"{PREDICATE_BASE}version/v1": Version,
    f"{PREDICATE_BASE}transfer/v1": Transfer,
    f"{PREDICATE_BASE}activity/v1": Activity,
    f"{PREDICATE_BASE}revocation/v1": Revocation,
}


class Statement(Struct, frozen=True):
    """A decoded record: its subjects and its typed predicate."""

    subject: list[Resource]
    predicate: Predicate
