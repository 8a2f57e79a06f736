"""What is attested about records, read as it was said: by whom, about what, in answer to which record."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from ledger.core.identity import parse_did
from ledger.core.records import Attestation, Statement
from ledger.core.records_rights import Kind
from ledger.index.database import Database, Row
from ledger.index.kinds import ACCEPTED
from ledger.index.listing import entry_of
from ledger.index.schema import short
from ledger.index.verification import decode_checked
from ledger.index.views import EntryView


class SaidView(Struct, frozen=True):
    """An accepted record about rights, where it stands and what it says."""

    entry: EntryView
    statement: Statement


class AttestedView(Struct, frozen=True):
    """An accepted attestation: where it stands, what it names (assets and versions), and what it says.

    `block` is that of its anchor, None while it is pending.
    """

    entry: EntryView
    names: tuple[str, ...]
    said: Attestation


def said(database: Database, record: bytes) -> SaidView | None:
    """Return an accepted record about rights, or a registration that names an arbiter; None for others."""
    row = database.one(_SAID, short(record), record, ACCEPTED)
    return None if row is None else SaidView(entry_of(database, row[0]), decode_checked(row[1]))


def answers(database: Database, record: bytes, *kinds: Kind) -> list[AttestedView]:
    """Return the attestations of these kinds whose target is a record, in the order of judgement."""
    return [each for kind in kinds for each in _views(database, database.rows(_ANSWERS, record, kind))]


def attested(database: Database, kind: Kind) -> list[AttestedView]:
    """Return all attestations of a kind in the order of judgement."""
    return _views(database, database.rows(_OF_KIND, kind))


def attested_of(database: Database, asset: str, kind: Kind) -> list[AttestedView]:
    """Return the attestations of a kind about an asset or its versions, in the order of judgement."""
    return _views(database, database.rows(_OF_ASSET, asset, kind))


def notices_to(database: Database, did: str) -> list[AttestedView]:
    """Return the notices that name this party among those whom they concern."""
    found = _views(database, database.rows(_NOTICES, did.encode()))
    return [each for each in found if did in each.said.to]


def unposted_freeze(database: Database, target: bytes, author: bytes) -> bytes | None:
    """Return the record of this author's freeze of `target` that was accepted, and posted by nobody."""
    for each in answers(database, target, "objection"):
        record = each.entry.record
        ours = each.said.outcome == "frozen" and each.entry.party == author and not each.entry.revoked
        if ours and database.one("SELECT 1 FROM posting WHERE record = ?", record) is None:
            return record
    return None


def posted(database: Database, record: bytes, target: bytes, authors: Sequence[str]) -> int | None:
    """Return the block in which one of these parties (DIDs) first posted a record against a target."""
    addresses = {parse_did(each)[1] for each in authors}
    rows = database.rows(_POSTED, record, target)
    return min((block for party, block in rows if party in addresses), default=None)


def _views(database: Database, rows: list[Row]) -> list[AttestedView]:
    found = []
    for entry, payload in rows:
        statement = decode_checked(payload)
        assert isinstance(statement.predicate, Attestation)
        names = tuple(each.name for each in statement.subject)
        found.append(AttestedView(entry_of(database, entry), names, statement.predicate))
    return found


_SAID = """
SELECT e.id, s.payload FROM entry e JOIN said s ON s.entry = e.id
WHERE e.short = ? AND e.record = ? AND e.verdict = ?
"""
_ANSWERS = """
SELECT DISTINCT t.entry, s.payload FROM attested t JOIN said s ON s.entry = t.entry
WHERE t.target = ? AND t.kind = ? ORDER BY t.entry
"""
_OF_KIND = """
SELECT DISTINCT t.entry, s.payload FROM attested t JOIN said s ON s.entry = t.entry
WHERE t.kind = ? ORDER BY t.entry
"""
_OF_ASSET = """
SELECT DISTINCT t.entry, s.payload FROM asset a CROSS JOIN attested t ON t.asset = a.id AND t.kind = ?2
JOIN said s ON s.entry = t.entry WHERE a.name = ?1 ORDER BY t.entry
"""
_NOTICES = """
SELECT DISTINCT t.entry, s.payload FROM attested t JOIN said s ON s.entry = t.entry
WHERE t.kind = 'notice' AND (instr(s.payload, ?1) > 0 OR instr(s.payload, CAST('\\u' AS BLOB)) > 0)
ORDER BY t.entry
"""  # a name may be spelled with JSON's escapes: a notice is not to be hidden from whom it names
_POSTED = """
SELECT p.address, o.block FROM posting o JOIN party p ON p.id = o.party WHERE o.record = ? AND o.target = ?
"""
