"""Which entries evidence of an answer about rights needs, beside those of the lineage.

The index only says where to look; whoever makes the file judges every entry from its bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ledger.core.digests import ASSET, target_of_record
from ledger.core.evidence_basis import leans_on
from ledger.core.names import Reference
from ledger.core.records import Agreement, Attestation, Statement
from ledger.core.terms import terms_of
from ledger.index.database import Database
from ledger.index.evidence_rows import (
    Place,
    activity_entries,
    asset_entries,
    assets_of,
    version_entries,
    with_revocations,
)
from ledger.index.kinds import ACCEPTED, CODE
from ledger.index.lineage import hydrate
from ledger.index.schema import short
from ledger.index.tracing import Query, starts
from ledger.index.verification import decode_checked


def rights_entries(
    database: Database, ledger_id: bytes, root: Reference, records: Iterable[str], block: int
) -> list[Place]:
    """Return the entries of a version's lineage and of what an answer rests on, in the order of judgement.

    `records` (hex) are the grants and attestations; what they lean on, what froze it, and what took any of it
    back is found here.
    """
    nodes, namesakes = _lineage(database, root, block)
    found = version_entries(database, nodes, block) | activity_entries(database, namesakes, block)
    of_assets = asset_entries(database, ledger_id, assets_of(database, nodes, block), block)
    todo = [bytes.fromhex(each) for each in records]
    todo += (row[0] for row in hydrate(database, _RECORDS, sorted(of_assets), block))
    seen: set[bytes] = set()
    while todo:
        record = todo.pop()
        row = None if record in seen else database.one(_SAID, short(record), record, ACCEPTED, block)
        seen.add(record)
        if row is None:
            continue
        entry, statement = row[0], decode_checked(row[1])
        found.add(entry)
        todo += leans_on(statement.predicate)
        todo += _freezes(database, record, block)
        if isinstance(statement.predicate, Agreement):
            todo += (row[0] for row in database.rows(_FOLLOWER, record, block))
        if terms_of(statement.predicate) is not None:
            fresh = asset_entries(database, ledger_id, _assets(statement), block) - of_assets
            of_assets |= fresh
            todo += (row[0] for row in hydrate(database, _RECORDS, sorted(fresh), block))
            found |= _named_versions(database, statement, block)
    return with_revocations(database, found | of_assets, block)


def _lineage(database: Database, root: Reference, block: int) -> tuple[list[int], list[int]]:
    """Return the nodes that a version is made from, itself included, and these with their namesakes.

    What was said to be made under a version's name counts whatever its content, as `may` has it.
    """
    frontier = starts(database, root, Query(block=block))
    found, made = dict.fromkeys(frontier), dict.fromkeys(frontier)
    while frontier:
        twins = dict.fromkeys([*frontier, *_column(database, _NAMESAKES, frontier, block)])
        made.update(twins)
        inputs = _column(database, _INPUTS, list(twins), block)
        frontier = list(dict.fromkeys(each for each in inputs if each not in found))
        found.update(dict.fromkeys(frontier))
    return list(found), list(made)


def _column(database: Database, query: str, ids: Sequence[int], block: int) -> list[int]:
    return [row[0] for row in hydrate(database, query, ids, block)]


def _assets(statement: Statement) -> set[str]:
    return {each.name.partition("@")[0] for each in statement.subject}


def _named_versions(database: Database, statement: Statement, block: int) -> set[int]:
    """Return the entries of the versions that a grant names."""
    found: set[int] = set()
    for each in statement.subject:
        asset, _, number = each.name.partition("@")
        if number:
            found.update(row[0] for row in database.rows(_VERSION, asset, int(number), block))
    return found


def _freezes(database: Database, record: bytes, block: int) -> Iterator[bytes]:
    """Yield what froze a record, and the first lift behind each."""
    answers = [
        (answer, anchored, decode_checked(payload).predicate)
        for answer, anchored, payload in database.rows(_ANSWERS, record, ACCEPTED, block)
    ]
    for answer, anchored, predicate in answers:
        if not isinstance(predicate, Attestation) or predicate.outcome != "frozen":
            continue
        posted = database.scalar(_POSTED, answer, target_of_record(record), block)
        if posted is None:
            continue
        yield answer
        lifts = (
            lift
            for lift, lifted, said in answers
            if isinstance(said, Attestation) and said.outcome == "lifted" and lifted >= max(anchored, posted)
        )
        yield from list(lifts)[:1]


_SAID = """
SELECT e.id, s.payload FROM entry e JOIN said s ON s.entry = e.id
WHERE e.short = ? AND e.record = ? AND e.verdict = ? AND e.block <= ?
"""
_RECORDS = "SELECT e.record FROM json_each(?) j CROSS JOIN entry e ON e.id = j.value WHERE e.block <= ?"
_FOLLOWER = """
SELECT e.record FROM said s JOIN entry e ON e.id = s.entry WHERE s.previous = ? AND s.block <= ?
ORDER BY s.id LIMIT 1
"""
_VERSION = """
SELECT v.entry FROM version v JOIN asset a ON a.id = v.asset
WHERE a.name = ? AND v.number = ? AND v.block <= ?
"""
# in the order of judgement
_ANSWERS = """
SELECT DISTINCT e.record, e.block, s.payload FROM attested t JOIN entry e ON e.id = t.entry
JOIN said s ON s.entry = e.id JOIN log l ON l.id = e.log
WHERE t.target = ? AND t.kind = 'objection' AND e.verdict = ? AND t.block <= ? ORDER BY e.block, l.log, e.idx
"""
_POSTED = """
SELECT min(o.block) FROM posting o JOIN entry e ON e.record = o.record AND e.party = o.party
WHERE o.record = ? AND o.target = ? AND o.block <= ?
"""
_INPUTS = """
SELECT DISTINCT d.input FROM json_each(?) j CROSS JOIN edge d ON d.output = j.value WHERE d.block <= ?
"""
_NAMESAKES = f"""
SELECT DISTINCT n.id FROM json_each(?1) j CROSS JOIN node m ON m.id = j.value
JOIN node n ON n.asset = m.asset AND n.block <= ?2 AND (m.alg = {CODE[ASSET]} OR (n.number = m.number
  AND EXISTS (SELECT 1 FROM version v WHERE v.node = m.id AND v.block <= ?2)))
"""  # noqa: S608 - a number of ours
