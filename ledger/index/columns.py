"""Lineage of single columns, where the records say it.

An edge with an empty field means the whole of that side: a column of the output that it names rests on every
column, and every column on the one that it names (a filter, a join key).
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from ledger.index.database import Database
from ledger.index.lineage import Direction, hydrate

WHOLE = ""


class ColumnLink(Struct, frozen=True, gc=False):
    """`output_field` of node `output` came from `input_field` of node `input` by an activity (row id)."""

    output: int
    output_field: str
    input: int
    input_field: str
    how: str
    activity: int


class ColumnWalk(Struct, frozen=True):
    """The links reached, nearest first, and the nodes, the starting ones included; as `lineage.Walk`."""

    start: tuple[int, ...]
    ids: list[int]
    links: list[ColumnLink]
    truncated: str


def walk_columns(
    database: Database,
    start: Iterable[int],
    column: str,
    *,
    direction: Direction,
    depth: int | None,
    block: int,
    limit: int,
) -> ColumnWalk:
    """Follow the column edges from `column` of the nodes `start`."""
    first = tuple(dict.fromkeys(start))
    ids = dict.fromkeys(first)
    seen = {(node, column) for node in first}
    frontier = {node: {column} for node in first}
    links: dict[ColumnLink, None] = {}
    passed = 0
    while frontier:
        found = [
            link
            for link in _links(database, list(frontier), direction, block)
            if _meets(link, frontier, direction)
        ]
        if passed == depth:
            more = any(link not in links for link in found)
            return ColumnWalk(first, list(ids), list(links), f"depth {depth}" if more else "")
        frontier = {}
        for link in found:
            links[link] = None
            node, name = (
                (link.input, link.input_field)
                if direction == "upstream"
                else (link.output, link.output_field)
            )
            ids[node] = None
            if (node, name) not in seen:
                seen.add((node, name))
                frontier.setdefault(node, set()).add(name)
            if len(ids) > limit:
                return ColumnWalk(
                    first, list(ids)[:limit], _within(links, list(ids)[:limit]), f"limit {limit}"
                )
        passed += 1
    return ColumnWalk(first, list(ids), list(links), "")


def _meets(link: ColumnLink, frontier: dict[int, set[str]], direction: Direction) -> bool:
    node, name = (
        (link.output, link.output_field) if direction == "upstream" else (link.input, link.input_field)
    )
    wanted = frontier[node]
    return name in wanted or WHOLE in (name, *wanted)


def _within(links: Iterable[ColumnLink], ids: list[int]) -> list[ColumnLink]:
    known = set(ids)
    return [link for link in links if link.output in known and link.input in known]


def _links(database: Database, nodes: list[int], direction: Direction, block: int) -> list[ColumnLink]:
    side = "output" if direction == "upstream" else "input"
    inline = (
        "SELECT c.output, o.value, c.input, i.value, h.value, c.activity FROM json_each(?) j "  # noqa: S608 - ours
        f"CROSS JOIN column_edge c ON c.{side} = j.value JOIN text o ON o.id = c.output_field "
        "JOIN text i ON i.id = c.input_field JOIN text h ON h.id = c.how WHERE c.block <= ? ORDER BY c.id"
    )
    attached = (
        "SELECT c.output, c.output_field, c.input, c.input_field, c.how, c.activity FROM json_each(?) j "  # noqa: S608
        f"CROSS JOIN attached_column c ON c.{side} = j.value WHERE c.block <= ? ORDER BY c.attachment, c.id"
    )
    rows = hydrate(database, inline, nodes, block) + hydrate(database, attached, nodes, block)
    return [ColumnLink(*row) for row in rows]
