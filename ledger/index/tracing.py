"""References to starting points, walks to graphs: lineage in the shape of `core.lineage`."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from ledger.core.digests import ASSET, DECLARED
from ledger.core.errors import NotFound, Unavailable
from ledger.core.identity import format_did
from ledger.core.lineage import Kind, LineageColumn, LineageEdge, LineageGraph, LineageNode
from ledger.core.names import Reference, namespace_of
from ledger.index.columns import ColumnWalk, walk_columns
from ledger.index.database import Database
from ledger.index.kinds import ALGORITHMS, CODE, OUTCOMES, UNVERSIONED
from ledger.index.lineage import Direction, Level, Link, Walk, hydrate, links, walk
from ledger.index.parties import misses_log_of, party_name
from ledger.index.queries import final_block, state_of
from ledger.index.schema import PENDING, spread


class Query(Struct, frozen=True, kw_only=True):
    """What to trace: direction, level, how far, as of the end of which block, which column."""

    direction: Direction = "upstream"
    level: Level = "version"
    depth: int | None = None
    block: int = PENDING
    limit: int = 100_000
    column: str | None = None


def block_at(database: Database, time_unix_s: int) -> int:
    """Return the last block that is not later than this time; NotFound if all are."""
    number = database.scalar("SELECT max(number) FROM block WHERE time <= ?", time_unix_s)
    if number is None:
        raise NotFound("the ledger has no block as old as that")
    return int(number)


def check_block(database: Database, block: int) -> None:
    """Raise Unavailable for a block that the index has not come to yet."""
    if block > database.top():
        raise Unavailable(
            f"the index is at block {database.top()}, block {block} was asked for",
            hint="run `dataledger sync`",
        )


def starts(database: Database, reference: Reference, query: Query) -> list[int]:
    """Return the node ids (asset ids at asset level) that a reference means; NotFound if there are none.

    An asset without more is its newest version when going upstream, and all of its versions when going
    downstream: what is affected if this asset is bad.
    """
    asset = database.scalar(
        "SELECT id FROM asset WHERE name = ? AND block <= ?", reference.asset, query.block
    )
    if asset is None:
        raise NotFound(
            f"nothing is known of {reference.asset}", hint="dataledger search finds assets by their texts"
        )
    if query.level == "asset":
        return [asset]
    nodes = "SELECT id FROM node WHERE asset = ? AND block <= ?"
    registered = "SELECT node FROM version WHERE asset = ? AND block <= ?"
    at = (asset, query.block)
    if reference.number is not None:
        known = database.rows(f"{registered} AND number = ?", *at, reference.number)
        if not known or query.direction == "downstream":  # also what used other content under this name
            known += database.rows(f"{nodes} AND number = ?", *at, reference.number)
    elif reference.digest is not None:
        alg, digest = reference.digest
        content = bytes.fromhex(digest)
        condition = f"{nodes} AND short = ? AND digest = ? AND alg = ? ORDER BY number DESC"
        known = database.rows(condition, *at, spread(content), content, CODE[alg])
    elif query.direction == "upstream" or reference.latest:
        known = database.rows(f"{registered} ORDER BY number DESC LIMIT 1", *at)
        if not known and not reference.latest:
            known = database.rows(f"{nodes} ORDER BY id", *at)
    else:
        known = database.rows(f"{nodes} ORDER BY id", *at)
    if not known:
        raise NotFound(
            f"no version {reference} is known", hint=f"dataledger show {reference.asset} lists its versions"
        )
    return list(dict.fromkeys(node for (node,) in known))


def trace(database: Database, chain_id: int, start: Sequence[int], query: Query) -> LineageGraph:
    """Return the graph of what is reached from these nodes or assets."""
    columns: list[LineageColumn] = []
    if query.column is None:
        walked = walk(
            database,
            start,
            direction=query.direction,
            level=query.level,
            depth=query.depth,
            block=query.block,
            limit=query.limit,
        )
        found = links(database, walked)
        ids, truncated = walked.ids, walked.truncated
    else:
        followed = walk_columns(
            database,
            start,
            query.column,
            direction=query.direction,
            depth=query.depth,
            block=query.block,
            limit=query.limit,
        )
        if not followed.links and not followed.truncated:
            raise NotFound(
                f"no column lineage is known of {query.column}",
                hint="dataledger show lists the columns of a version",
            )
        found = _links_of(database, followed, query)
        ids, truncated = followed.ids, followed.truncated
    graph = _Graph(database, chain_id, query, ids, found)
    if query.column is not None:
        columns = graph.columns(followed)
    return LineageGraph(
        direction="sources" if query.direction == "upstream" else "uses",
        roots=tuple(graph.names[node] for node in dict.fromkeys(start)),
        nodes=graph.nodes(),
        edges=graph.edges(),
        columns=columns,
        truncated=truncated,
        as_of_block=None if query.block == PENDING else query.block,
    )


def _links_of(database: Database, followed: ColumnWalk, query: Query) -> list[Link]:
    """Return the edges that the column edges run along; where none is stated, the column edge makes one."""
    pairs = {(each.output, each.input, each.activity) for each in followed.links}
    whole = Walk(query.direction, "version", followed.start, followed.ids, "", query.block)
    found = [link for link in links(database, whole) if (link.output, link.input, link.activity) in pairs]
    stated = {(link.output, link.input, link.activity) for link in found}
    return found + [Link(*pair, 4) for pair in sorted(pairs - stated)]


class _Graph:
    """Names and texts for the ids of a walk, fetched in bulk."""

    def __init__(
        self, database: Database, chain_id: int, query: Query, ids: list[int], found: list[Link]
    ) -> None:
        self._database = database
        self._chain_id = chain_id
        self._query = query
        self._links = found
        self._final = final_block(database)
        self._party_names: dict[bytes, str] = {}
        self._stopped: dict[str, bool] = {}
        table = _NODES if query.level == "version" else _ASSETS
        self._rows = {row[0]: _NodeRow(*row) for row in hydrate(database, table, ids, query.block)}
        self._ids = ids
        self.names = {node: self._name(self._rows[node]) for node in ids}
        used = sorted({link.activity for link in found if link.activity})
        self._activities = {row[0]: row[1:] for row in hydrate(database, _ACTIVITIES, used, query.block)}
        self._findings = self._find_findings(used)

    def nodes(self) -> list[LineageNode]:
        """Return the nodes, nearest first."""
        return [self._node(self._rows[node]) for node in self._ids]

    def edges(self) -> list[LineageEdge]:
        """Return the edges between them."""
        edges = []
        for link in self._links:
            run, label = "", "the same content"
            if link.activity:
                record, component, outcome = self._activities[link.activity]
                run, label = record.hex(), component.rpartition("\n")[2]
                label += "" if OUTCOMES[outcome] == "completed" else f" ({OUTCOMES[outcome]})"
            elif self._query.level == "asset":
                label = ""
            edges.append(
                LineageEdge(
                    output=self.names[link.output],
                    input=self.names[link.input],
                    activity=run,
                    label=label,
                    basis=link.basis,
                )
            )
        return edges

    def columns(self, followed: ColumnWalk) -> list[LineageColumn]:
        """Return the column edges."""
        return [
            LineageColumn(
                output=self.names[each.output],
                output_field=each.output_field,
                input=self.names[each.input],
                input_field=each.input_field,
                how=each.how,
                activity=self._activities[each.activity][0].hex()
                if each.activity in self._activities
                else "",
            )
            for each in followed.links
        ]

    def _name(self, row: _NodeRow) -> str:
        if row.number == UNVERSIONED:
            alg = ALGORITHMS[row.alg]
            return row.asset if alg == ASSET or not row.digest else f"{row.asset}@{alg}:{row.digest.hex()}"
        name = f"{row.asset}@{row.number}"
        if row.record is not None or not row.twin:
            return name
        return (
            f"{name}#{ALGORITHMS[row.alg]}:{row.digest.hex()}"  # a version of this number has other content
        )

    def _node(self, row: _NodeRow) -> LineageNode:
        party = row.party
        name = self.names[row.id]
        return LineageNode(
            id=name,
            label=row.asset if row.number == UNVERSIONED else f"{row.asset}@{row.number}",
            kind=self._kind(row),
            digest=_digest(row),
            party="" if party is None else format_did(self._chain_id, party),
            party_name="" if party is None else self._party_name(party),
            title=row.title or "",
            state="unknown" if row.block is None else state_of(row.block, self._final),
            block=None if row.block == PENDING else row.block,
            time=row.claimed or "",
            findings=tuple(sorted(self._findings.get(row.id, ()))),
        )

    def _kind(self, row: _NodeRow) -> Kind:
        if row.record is not None:
            return "declared" if ALGORITHMS[row.alg] in (DECLARED, ASSET) else "observed"
        return "unknown" if self._log_is_missing(row.asset) else "unregistered"

    def _log_is_missing(self, asset: str) -> bool:
        """Tell whether a log that would say more about the asset stops here."""
        namespace = namespace_of(asset)
        if namespace not in self._stopped:
            self._stopped[namespace] = misses_log_of(self._database, namespace)
        return self._stopped[namespace]

    def _party_name(self, party: bytes) -> str:
        if party not in self._party_names:
            self._party_names[party] = party_name(self._database, party)
        return self._party_names[party]

    def _find_findings(self, activities: list[int]) -> dict[int, set[str]]:
        """Return the findings of each node: of its version record, and of activities about its name."""
        found: dict[int, set[str]] = {}
        by_entry: dict[int, list[int]] = {}
        by_label: dict[str, list[int]] = {}
        for row in self._rows.values():
            if row.entry is not None:
                by_entry.setdefault(row.entry, []).append(row.id)
            label = row.asset if row.number == UNVERSIONED else f"{row.asset}@{row.number}"
            by_label.setdefault(label, []).append(row.id)
            if row.revoked:
                found.setdefault(row.id, set()).add("revoked")
        for kind, entry in hydrate(self._database, _BY_ENTRY, list(by_entry), self._query.block):
            for node in by_entry[entry]:
                found.setdefault(node, set()).add(kind)
        for kind, subject in hydrate(self._database, _BY_ACTIVITY, activities, self._query.block):
            for node in by_label.get(subject, ()):
                found.setdefault(node, set()).add(kind)
        return found


def _digest(row: _NodeRow) -> str:
    alg = ALGORITHMS[row.alg]
    return "" if alg == ASSET or not row.digest else f"{alg}:{row.digest.hex()}"


class _NodeRow(Struct, frozen=True, gc=False):
    id: int
    asset: str
    number: int
    alg: int
    digest: bytes
    title: str | None
    record: bytes | None
    party: bytes | None
    block: int | None
    claimed: str | None
    entry: int | None
    revoked: int
    twin: int


# ?1: ids, ?2: block. A node is registered if a version record speaks of it; one without a number if its asset
# is registered.
_NODES = """
SELECT n.id, a.name, n.number, n.alg, n.digest, r.title, e.record, p.address, e.block, e.claimed, e.id,
  EXISTS (SELECT 1 FROM revoked x WHERE x.target = e.record AND x.block <= ?2),
  n.number > 0 AND EXISTS (
    SELECT 1 FROM node m WHERE m.asset = n.asset AND m.number = n.number AND m.id <> n.id)
FROM json_each(?1) j CROSS JOIN node n ON n.id = j.value JOIN asset a ON a.id = n.asset
LEFT JOIN registration r ON r.asset = n.asset AND r.block <= ?2
LEFT JOIN version v ON v.node = n.id AND v.block <= ?2
LEFT JOIN entry e ON e.id = ifnull(v.entry, CASE WHEN n.alg = 3 THEN r.entry END)
LEFT JOIN party p ON p.id = e.party
"""
_ASSETS = """
SELECT a.id, a.name, 0, ifnull((SELECT n.alg FROM version v JOIN node n ON n.id = v.node
    WHERE v.asset = a.id AND v.block <= ?2 ORDER BY v.number DESC LIMIT 1), 3), x'',
  r.title, e.record, p.address, e.block, e.claimed, e.id,
  EXISTS (SELECT 1 FROM revoked x WHERE x.target = e.record AND x.block <= ?2), 0
FROM json_each(?1) j CROSS JOIN asset a ON a.id = j.value
LEFT JOIN registration r ON r.asset = a.id AND r.block <= ?2
LEFT JOIN entry e ON e.id = r.entry LEFT JOIN party p ON p.id = e.party
"""
# the first record of each activity, and the outcome of the last
_ACTIVITIES = """
SELECT s.activity, e.record, c.value,
  (SELECT t.outcome FROM step t WHERE t.activity = s.activity AND t.block <= ?2 ORDER BY t.id DESC LIMIT 1)
FROM json_each(?1) j CROSS JOIN step s ON s.id = (SELECT min(f.id) FROM step f WHERE f.activity = j.value)
JOIN entry e ON e.id = s.entry JOIN text c ON c.id = s.component
"""
_BY_ENTRY = """
SELECT f.kind, f.entry FROM json_each(?1) j CROSS JOIN finding f ON f.entry = j.value WHERE f.block <= ?2
"""
_BY_ACTIVITY = """
SELECT f.kind, f.subject FROM json_each(?1) j CROSS JOIN step s ON s.activity = j.value
JOIN finding f ON f.entry = s.entry WHERE f.block <= ?2
"""
