"""Walking the lineage: what a version is made from, and what is made from it.

The walk goes over integer ids and two covering indexes; names, digests and states are fetched in bulk for the
nodes that a caller wants to show. Nodes come in the order of their distance from the start, so a limit cuts
off the far end, and the answer says that it was cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from msgspec import Struct

from ledger.core.errors import Usage
from ledger.index.database import Database, Row
from ledger.index.schema import PENDING

Direction = Literal["upstream", "downstream"]
Level = Literal["version", "asset"]

NO_LIMIT = 2**62

_ENDS = {"upstream": ("output", "input"), "downstream": ("input", "output")}
_TABLES = {"version": "edge", "asset": "asset_edge"}
_FEW = 1000  # nodes up to which one recursive query is the fastest way
_DEEP = 400  # levels after which a query for each of them would cost more than SQLite's recursion
_PORTION = 10_000


class Walk(Struct, frozen=True):
    """The nodes reached, nearest first, the starting ones included.

    `ids` are node ids at version level, asset ids at asset level. `truncated` is empty, or names the bound
    that was hit (`limit 10`, `depth 3`): there is more. `block` is the last block taken into account
    (PENDING: everything).
    """

    direction: Direction
    level: Level
    start: tuple[int, ...]
    ids: list[int]
    truncated: str
    block: int


class Link(Struct, frozen=True):
    """`output` came from `input` (ids as in the walk) by the activity `activity` (0: the same content).

    `basis` is the sum of who says so (docs/formats.md section 4); activity and basis are 0 at asset level.
    """

    output: int
    input: int
    activity: int
    basis: int


def walk(
    database: Database,
    start: Iterable[int],
    *,
    direction: Direction,
    level: Level = "version",
    depth: int | None = None,
    block: int = PENDING,
    limit: int = NO_LIMIT,
) -> Walk:
    """Follow the edges from `start`, at most `depth` of them in a row, as of the end of `block`."""
    if limit < 1 or (depth is not None and depth < 0):
        raise Usage(
            f"lineage: expected a limit of at least 1 and a depth of at least 0, got {limit}, {depth}"
        )
    first = tuple(dict.fromkeys(start))
    step = _Step(database, direction, level, block)
    found = step.few(first, min(limit + 1, _FEW)) if depth is None else []
    if depth is not None or _FEW <= len(found) <= limit:
        levels = step.levels(first, depth, limit + 1)
        found = step.few(first, limit + 1) if levels is None else levels
    truncated = f"limit {limit}" if len(found) > limit else ""
    if not truncated and depth is not None and step.beyond(found):
        truncated = f"depth {depth}"
    return Walk(direction, level, first, found[:limit], truncated, block)


def links(database: Database, walked: Walk) -> list[Link]:
    """Return the edges between the nodes of a walk, one for each activity, ordered by output and input."""
    near = _ENDS[walked.direction][0]
    columns = "0, 0" if walked.level == "asset" else "activity, basis"
    query = (
        f"SELECT e.output, e.input, {columns} FROM json_each(?) r "  # noqa: S608 - names of ours
        f"CROSS JOIN {_TABLES[walked.level]} e ON e.{near} = r.value WHERE e.block <= ?"
    )
    reached = set(walked.ids)
    merged: dict[tuple[int, int, int], int] = {}
    for output, source, activity, basis in hydrate(database, query, walked.ids, walked.block):
        if output in reached and source in reached:
            key = (output, source, activity)
            merged[key] = merged.get(key, 0) | basis
    return [Link(*key, basis) for key, basis in sorted(merged.items())]


def hydrate(database: Database, query: str, ids: Sequence[int], *params: object) -> list[Row]:
    """Run `query`, whose first parameter is a JSON array of ids, for all of `ids` in portions."""
    rows: list[Row] = []
    for at in range(0, len(ids), _PORTION):
        rows += database.rows(query, _json(ids[at : at + _PORTION]), *params)
    return rows


class _Step:
    """One step along the edges, in two ways.

    SQLite's own recursion is the fastest for few nodes and for long chains. It keeps what it has seen in a
    B-tree; for broad walks a query for each level and a set in Python take half the time.
    """

    def __init__(self, database: Database, direction: Direction, level: Level, block: int) -> None:
        near, far = _ENDS[direction]
        self._database = database
        self._block = block
        edges = f"{_TABLES[level]} e ON e.{near} = "
        # UNION keeps every node once, so cycles end; the queue is first in, first out: nearest first
        self._recursive = (
            "WITH RECURSIVE reached(id) AS (SELECT value FROM json_each(?) UNION "  # noqa: S608
            f"SELECT e.{far} FROM reached r CROSS JOIN {edges}r.id WHERE e.block <= ? LIMIT ?) "
            "SELECT id FROM reached"
        )
        self._level = f"SELECT e.{far} FROM json_each(?) r CROSS JOIN {edges}r.value WHERE e.block <= ?"  # noqa: S608

    def few(self, start: Sequence[int], limit: int) -> list[int]:
        """Return at most `limit` nodes by one recursive query."""
        return [row[0] for row in self._database.rows(self._recursive, _json(start), self._block, limit)]

    def levels(self, start: Sequence[int], depth: int | None, limit: int) -> list[int] | None:
        """Return at most `limit` nodes level by level; None if there are too many levels for that."""
        found = dict.fromkeys(start)
        frontier: Iterable[int] = start
        passed = 0
        while frontier and len(found) < limit and passed != depth:
            if depth is None and passed == _DEEP:
                return None
            rows = self._database.rows(self._level, _json(frontier), self._block)
            frontier = dict.fromkeys(row[0] for row in rows if row[0] not in found)
            found.update(frontier)
            passed += 1
        return list(found)[:limit]

    def beyond(self, found: Sequence[int]) -> bool:
        """Tell whether one more step leads anywhere new."""
        known = set(found)
        return any(row[0] not in known for row in hydrate(self._database, self._level, found, self._block))


def _json(ids: Iterable[int]) -> str:
    return f"[{','.join(map(str, ids))}]"
