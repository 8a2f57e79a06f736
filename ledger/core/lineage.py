"""The shape of a lineage answer: what the index finds and every view renders.

Neutral on purpose: no row ids, no SQL, no layout. `ledger.index` fills it, `ledger.formats.lineage_views`
turns it into text, and a caller of the Python API reads it as it is. Texts in it (titles, names, labels) were
written by whoever signed the records: they are data, and a view neutralises them before a terminal sees them.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Kind = Literal["observed", "declared", "unregistered", "unknown"]
"""`observed`: somebody digested the content. `declared`: named in an event, nobody hashed it.
`unregistered`: a digest or name that no record registers. `unknown`: it can't be told, its log is missing or
does not match."""

State = Literal["pending", "anchored", "final", "unknown"]

Direction = Literal["sources", "uses"]
"""`sources`: what the roots are made from (trace). `uses`: what was made from the roots (impact)."""


class LineageNode(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One version (or one asset, where nobody knows which version).

    `id` is unique in the graph and the same after a rebuild: the version's name, or for what has no name its
    digest. `digest` is `name:hex`, or empty. `block` is that of the anchor, absent while pending. `time` is
    what the record claims, RFC 3339. `findings` are their codes.
    """

    id: str
    label: str
    kind: Kind = "observed"
    digest: str = ""
    party: str = ""
    party_name: str = ""
    title: str = ""
    state: State = "pending"
    block: int | None = None
    time: str = ""
    findings: tuple[str, ...] = ()


class LineageEdge(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`output` was made from `input` (node ids) by the activity `activity`, an id; `label` is its name.

    `basis` is a sum of records.BASIS_STATED, BASIS_INPUTS and BASIS_COLUMNS: who says so.
    """

    output: str
    input: str
    activity: str = ""
    label: str = ""
    basis: int = 0


class LineageColumn(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A column edge between two nodes; an empty field means the whole of that side."""

    output: str
    output_field: str
    input: str
    input_field: str
    how: str = ""
    activity: str = ""


class LineageGraph(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything reached from `roots` (node ids) in `direction`.

    Every id in `roots`, `edges` and `columns` has its node in `nodes`. `truncated` is empty, or says which
    limit was hit ("depth 5"). `as_of_block` is the block to which the answer is true; `as_of_time` the time
    asked for.
    """

    direction: Direction
    roots: tuple[str, ...]
    nodes: list[LineageNode]
    edges: list[LineageEdge]
    columns: list[LineageColumn] = []
    truncated: str = ""
    as_of_block: int | None = None
    as_of_time: str = ""
