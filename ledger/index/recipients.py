"""Who was given data: by grants, by agreements that became FINALIZED, by deliveries. Ended or not."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Literal

from msgspec import Struct

from ledger.index.database import Database
from ledger.index.kinds import ACCEPTED, RECORD_TYPES, UNVERSIONED
from ledger.index.lineage import hydrate
from ledger.index.writer import listed

What = Literal["grant", "agreement", "delivery"]

_PORTION = 10_000
_AGREEMENT = RECORD_TYPES.index("agreement")


class Given(Struct, frozen=True):
    """A record that gave `taker` (None: everybody) something of what is affected.

    `names` are the assets and versions meant; `until` is the first moment at which it does not count any
    more, `revoked` says that it was taken back.
    """

    record: bytes
    kind: What
    giver: bytes | None
    taker: bytes | None
    names: list[str]
    block: int
    until: str = ""
    revoked: bool = False


def grants(database: Database, assets: list[str], versions: Collection[str], block: int) -> Iterator[Given]:
    """Yield the grants and final agreements about these assets, or about one of these versions of them."""
    found: dict[int, list[str]] = {}
    kinds: dict[int, int] = {}
    for at in range(0, len(assets), _PORTION):
        for entry, kind, asset, number in database.rows(
            _GRANTED, listed(assets[at : at + _PORTION]), ACCEPTED, block
        ):
            name = asset if number == UNVERSIONED else f"{asset}@{number}"
            if number == UNVERSIONED or name in versions:
                found.setdefault(entry, []).append(name)
                kinds[entry] = kind
    agreed = [entry for entry, kind in kinds.items() if kind == _AGREEMENT]
    final = {entry for (entry,) in hydrate(database, _FINAL, agreed, block)}
    wanted = [entry for entry in sorted(found) if entry in final or kinds[entry] != _AGREEMENT]
    for entry, kind, record, giver, taker, at_block, until, revoked in hydrate(
        database, _GIVEN, wanted, block
    ):
        what: What = "agreement" if kind == _AGREEMENT else "grant"
        yield Given(record, what, giver, taker, found[entry], at_block, until or "", bool(revoked))


def deliveries(
    database: Database, assets: list[str], versions: Collection[str], block: int
) -> Iterator[Given]:
    """Yield the deliveries of these versions, or of these assets as a whole, whatever became of them."""
    found: dict[tuple[int, bytes, bytes], list[str]] = {}
    places: dict[int, tuple[bytes, int, int]] = {}
    for at in range(0, len(assets), _PORTION):
        names = listed(assets[at : at + _PORTION])
        for entry, record, giver, taker, asset, number, at_block, revoked in database.rows(
            _DELIVERED, names, block
        ):
            name = asset if number == UNVERSIONED else f"{asset}@{number}"
            if number == UNVERSIONED or name in versions:
                found.setdefault((entry, giver, taker), []).append(name)
                places[entry] = (record, at_block, revoked)
    for (entry, giver, taker), names_of in sorted(found.items()):
        record, at_block, revoked = places[entry]
        yield Given(record, "delivery", giver, taker, names_of, at_block, "", bool(revoked))


_GRANTED = """
SELECT g.entry, e.kind, a.name, g.number FROM json_each(?1) j CROSS JOIN asset a ON a.name = j.value
CROSS JOIN granted g ON g.asset = a.id JOIN entry e ON e.id = g.entry
WHERE e.verdict = ?2 AND g.block <= ?3 ORDER BY g.id
"""
# those of these steps whose negotiation went on to FINALIZED
_FINAL = """
WITH RECURSIVE steps(first, entry) AS (
  SELECT value, value FROM json_each(?1)
  UNION SELECT t.first, s.entry FROM steps t JOIN entry e ON e.id = t.entry
    JOIN said s ON s.previous = e.record AND s.block <= ?2)
SELECT t.first FROM steps t JOIN said s ON s.entry = t.entry
WHERE CAST(s.payload AS TEXT) ->> '$.predicate.state' = 'FINALIZED'
"""
_GIVEN = """
SELECT e.id, e.kind, e.record, giver.address, taker.address, e.block,
  CAST(s.payload AS TEXT) ->> '$.predicate.terms.until',
  EXISTS (SELECT 1 FROM revoked x WHERE x.target = e.record AND x.block <= ?2)
FROM json_each(?1) j CROSS JOIN entry e ON e.id = j.value JOIN said s ON s.entry = e.id
JOIN granted g ON g.id = (SELECT min(h.id) FROM granted h WHERE h.entry = e.id)
JOIN party giver ON giver.id = g.giver LEFT JOIN party taker ON taker.id = g.taker
"""
_DELIVERED = """
SELECT e.id, e.record, giver.address, taker.address, a.name, d.number, e.block,
  EXISTS (SELECT 1 FROM revoked x WHERE x.target = e.record AND x.block <= ?2)
FROM json_each(?1) j CROSS JOIN asset a ON a.name = j.value
CROSS JOIN delivered d ON d.asset = a.id AND d.sent = 1
JOIN entry e ON e.id = d.entry JOIN party giver ON giver.id = d.giver JOIN party taker ON taker.id = d.taker
WHERE d.block <= ?2
"""
