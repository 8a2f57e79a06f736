"""What became of an asset, in the order of judgement: who said what, to whom, and since when it binds."""

from __future__ import annotations

from msgspec import Struct

from ledger.core.identity import parse_did
from ledger.core.records import Agreement, Attestation, Delivery, Grant, Settlement, Statement
from ledger.index.database import Database
from ledger.index.listing import entries_of
from ledger.index.verification import decode_checked
from ledger.index.views import EntryView


class Event(Struct, frozen=True):
    """One record: its entry, what it says in a word, to whom (20 bytes), which record it is about, and the
    block from which it binds, if that is another one than its anchor's.

    `waits` says that it binds nobody until it is posted.
    """

    entry: EntryView
    what: str
    to: bytes | None = None
    about: bytes | None = None
    binds: int | None = None
    waits: bool = False


def history(database: Database, asset: str) -> list[Event]:
    """Return the records about an asset and its versions that count, pending ones last."""
    return [_event(database, entry) for entry in entries_of(database, asset)]


def _event(database: Database, entry: EntryView) -> Event:
    if entry.type == "transfer":
        receiver, binds = database.one(_TRANSFER, entry.row) or (None, None)
        return Event(entry, "handed over", to=receiver, binds=binds, waits=binds is None)
    if entry.type == "revocation":
        target, binds = database.one(_REVOCATION, entry.row) or (None, None)
        return Event(entry, "taken back", about=target, binds=binds, waits=binds is None)
    payload = database.scalar("SELECT payload FROM said WHERE entry = ?", entry.row)
    if payload is None or entry.type == "registration":
        return Event(entry, {"registration": "registered", "activity": "run"}.get(entry.type, entry.type))
    return _of_rights(entry, decode_checked(payload))


def _of_rights(entry: EntryView, statement: Statement) -> Event:
    said = statement.predicate
    if isinstance(said, Grant):
        rights = " and ".join(said.terms.rights)
        return Event(entry, f"granted: {rights}", to=_party(said.grantee), about=_record(said.under))
    if isinstance(said, Agreement | Delivery):
        to = _party(said.consumer) if isinstance(said, Agreement) else None
        return Event(entry, f"{entry.type} {said.state}", to=to, about=_record(said.previous))
    if isinstance(said, Attestation):
        words = " ".join(filter(None, (said.kind, said.topic, said.outcome)))
        return Event(entry, f"attested: {words}", about=_record(said.target))
    return Event(entry, entry.type, about=_record(said.under) if isinstance(said, Settlement) else None)


def _party(did: str) -> bytes | None:
    return parse_did(did)[1] if did else None


def _record(record: str) -> bytes | None:
    return bytes.fromhex(record) or None


_TRANSFER = """
SELECT p.address, (SELECT h.block FROM holder h WHERE h.entry = t.entry)
FROM transfer t JOIN party p ON p.id = t.receiver WHERE t.entry = ?
"""
_REVOCATION = """
SELECT r.target, (SELECT min(x.block) FROM revoked x WHERE x.entry = r.entry) FROM revocation r
WHERE r.entry = ?
"""
