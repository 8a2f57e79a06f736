"""Private attachments as the records name them: of which record, in which role, under which digest.

The index knows digests only; what is behind them it never sees.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import groupby

from ledger.core.digests import SEALED
from ledger.index.database import Database
from ledger.index.kinds import OUTPUT
from ledger.index.listing import entry_of
from ledger.index.views import SealedView
from ledger.index.writer import listed


def entries_about(database: Database, asset: str, number: int | None) -> list[int]:
    """Return the rows of the entries that speak of an asset, or of its version `number`, as their subject.

    Those are registration, versions, and every record of the activities that made them.
    """
    return [row for (row,) in database.rows(_ABOUT, asset, number, OUTPUT)]


def sealed_of(database: Database, rows: Collection[int]) -> Iterator[SealedView]:
    """Yield what the records of these entries (by row) name as private, in the order of the log."""
    return _views(database, _OF_ENTRIES, listed(sorted(rows)))


def sealed_named(database: Database, digests: Collection[str]) -> Iterator[SealedView]:
    """Yield where accepted records name these digests (hex). Looks at every attachment: there is no index."""
    return _views(database, _OF_DIGESTS, listed(sorted(digests)))


def sealed_digests(database: Database, prefix: str) -> list[str]:
    """Return the first two digests (hex) that begin with these hex digits, of those that accepted records
    name as private.
    """
    low, high = (bytes.fromhex(prefix.ljust(64, fill)) for fill in "0f")
    return [digest.hex() for (digest,) in database.rows(_BETWEEN, SEALED, low, high)]


def sealed_among(database: Database, digests: Collection[str]) -> frozenset[str]:
    """Return those of these digests (hex) that accepted records name as private."""
    return frozenset(digest for (digest,) in database.rows(_AMONG, SEALED, listed(sorted(digests))))


def _views(database: Database, query: str, wanted: str) -> Iterator[SealedView]:
    for row, group in groupby(database.rows(query, SEALED, wanted), key=lambda each: each[0]):
        entry = entry_of(database, row)
        for _, role, media_type, digest in group:
            yield SealedView(entry=entry, role=role, media_type=media_type, digest=digest.hex())


_ABOUT = """
SELECT r.entry FROM registration r JOIN asset a ON a.id = r.asset WHERE a.name = ?1 AND ?2 IS NULL
UNION SELECT v.entry FROM version v JOIN asset a ON a.id = v.asset
  WHERE a.name = ?1 AND (?2 IS NULL OR v.number = ?2)
UNION SELECT s.entry FROM asset a JOIN node n ON n.asset = a.id JOIN edge d ON d.output = n.id
  JOIN step s ON s.activity = d.activity
  WHERE a.name = ?1 AND (?2 IS NULL OR n.number = ?2) AND d.activity > 0
UNION SELECT s.entry FROM asset a JOIN node n ON n.asset = a.id JOIN loose o ON o.node = n.id
  JOIN step s ON s.activity = o.activity
  WHERE a.name = ?1 AND (?2 IS NULL OR n.number = ?2) AND o.role = ?3
"""
_NAMED = """
SELECT t.entry, r.value, t.media, t.digest FROM attachment t JOIN text r ON r.id = t.role
WHERE t.alg = (SELECT id FROM text WHERE value = ?)
"""
_OF_ENTRIES = f"{_NAMED} AND t.entry IN (SELECT value FROM json_each(?)) ORDER BY t.id"  # noqa: S608 - ours
_OF_DIGESTS = f"{_NAMED} AND lower(hex(t.digest)) IN (SELECT value FROM json_each(?)) ORDER BY t.id"  # noqa: S608
_AMONG = """
SELECT DISTINCT lower(hex(t.digest)) FROM attachment t WHERE t.alg = (SELECT id FROM text WHERE value = ?)
AND lower(hex(t.digest)) IN (SELECT value FROM json_each(?))
"""
_BETWEEN = """
SELECT DISTINCT t.digest FROM attachment t
WHERE t.alg = (SELECT id FROM text WHERE value = ?) AND t.digest >= ? AND t.digest <= ? ORDER BY 1 LIMIT 2
"""
