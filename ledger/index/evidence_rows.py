"""Which entries an evidence file about some versions needs: their lineage, and what was posted against it.

The index only says where to look; whoever makes the file judges every entry from its bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from ledger.core.digests import asset_digest, target_of_asset, target_of_record
from ledger.core.names import Reference
from ledger.index.database import Database
from ledger.index.kinds import ACCEPTED
from ledger.index.lineage import hydrate, walk
from ledger.index.schema import short
from ledger.index.tracing import Query, starts


class Place(Struct, frozen=True, gc=False, order=True):
    """Where an accepted entry stands; ordered as records are judged: block of the anchor, log id, index."""

    block: int
    log: bytes
    index: int
    n: int
    size: int
    record: bytes


def lineage_nodes(database: Database, references: Sequence[Reference], block: int) -> list[int]:
    """Return the nodes that the referenced versions are made from, themselves included, as of `block`."""
    query = Query(block=block)
    roots = [node for reference in references for node in starts(database, reference, query)]
    return walk(database, roots, direction="upstream", block=block).ids


def lineage_entries(database: Database, ledger_id: bytes, nodes: Sequence[int], block: int) -> list[Place]:
    """Return the entries that lead to these nodes, as of the end of `block`, in the order of judgement.

    Versions, activities, registrations, the transfers of the assets, and the revocations of all of these.
    """
    entries = version_entries(database, nodes, block) | activity_entries(database, nodes, block)
    assets = assets_of(database, nodes, block)
    return with_revocations(database, entries | asset_entries(database, ledger_id, assets, block), block)


def version_entries(database: Database, nodes: Sequence[int], block: int) -> set[int]:
    """Return the entries of the versions that these nodes are."""
    return {row[0] for row in hydrate(database, _VERSIONS, nodes, block)}


def activity_entries(database: Database, nodes: Sequence[int], block: int) -> set[int]:
    """Return the entries of the activities that made these nodes."""
    return {row[0] for row in hydrate(database, _ACTIVITIES, nodes, block)}


def asset_entries(database: Database, ledger_id: bytes, assets: Iterable[str], block: int) -> set[int]:
    """Return the entries that register assets, and those that hand them over and were posted."""
    found: set[int] = set()
    for name in assets:
        found.update(row[0] for row in database.rows(_REGISTRATION, name, block))
        target = target_of_asset(asset_digest(ledger_id, name))
        found.update(row[0] for row in database.rows(_TRANSFERS, name, target, block, block))
    return found


def assets_of(database: Database, nodes: Sequence[int], block: int) -> set[str]:
    """Return the names of the assets that these nodes belong to."""
    return {name for _, name in hydrate(database, _ASSETS, nodes, block)}


def with_revocations(database: Database, found: set[int], block: int) -> list[Place]:
    """Return where these entries stand, and what takes them back, in the order of judgement."""
    entries = list(_anchored(database, sorted(found)))
    revocations = {
        entry
        for each in entries
        for (entry,) in database.rows(_REVOCATIONS, target_of_record(each.record), block, each.record, block)
    }
    return sorted([*entries, *_anchored(database, sorted(revocations - found))])


def posted_entry(database: Database, record: bytes) -> tuple[bytes, int] | None:
    """Return log id and index of an entry that holds this record, whatever became of it; None: not known."""
    row = database.one(_HOLDING, short(record), record)
    return None if row is None else (row[0], row[1])


def _anchored(database: Database, entries: Iterable[int]) -> Iterator[Place]:
    for row in hydrate(database, _PLACES, list(entries), ACCEPTED):
        yield Place(*row)


_VERSIONS = """
SELECT v.entry FROM json_each(?) j CROSS JOIN version v ON v.node = j.value WHERE v.block <= ?
"""
_ACTIVITIES = """
SELECT DISTINCT s.entry FROM json_each(?1) j CROSS JOIN edge e ON e.output = j.value
JOIN step s ON s.activity = e.activity AND s.first_edge <= e.id AND e.id < s.next_edge WHERE e.block <= ?2
"""
_REGISTRATION = """
SELECT r.entry FROM asset a JOIN registration r ON r.asset = a.id WHERE a.name = ? AND r.block <= ?
"""
_ASSETS = """
SELECT DISTINCT a.id, a.name FROM json_each(?1) j CROSS JOIN node n ON n.id = j.value
JOIN asset a ON a.id = n.asset WHERE a.block <= ?2
"""
# transfers that the giver posted: the others take nothing from anybody
_TRANSFERS = """
SELECT t.entry FROM asset a JOIN transfer t ON t.asset = a.id JOIN entry e ON e.id = t.entry
WHERE a.name = ?1 AND t.block <= ?3 AND EXISTS (SELECT 1 FROM posting o
  WHERE o.target = ?2 AND o.party = t.giver AND o.record = e.record AND o.block <= ?4)
"""
# revocations that one of their authors posted
_REVOCATIONS = """
SELECT DISTINCT r.entry FROM posting o JOIN revocation r ON r.target = ?3
JOIN entry e ON e.id = r.entry AND e.record = o.record
WHERE o.target = ?1 AND o.block <= ?2 AND r.block <= ?4 AND (o.party = e.party
  OR EXISTS (SELECT 1 FROM coauthor c WHERE c.entry = e.id AND c.party = o.party))
"""
_PLACES = """
SELECT a.block, l.log, e.idx, a.n, a.size, e.record
FROM json_each(?1) j CROSS JOIN entry e ON e.id = j.value AND e.verdict = ?2 JOIN log l ON l.id = e.log
JOIN anchor a ON a.log = e.log
  AND a.n = (SELECT min(b.n) FROM anchor b WHERE b.log = e.log AND b.size > e.idx)
"""
_HOLDING = """
SELECT l.log, e.idx FROM entry e JOIN log l ON l.id = e.log WHERE e.short = ? AND e.record = ? LIMIT 1
"""
