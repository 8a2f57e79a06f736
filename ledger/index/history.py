"""What became of an asset, in the order of judgement: who said what, to whom, and since when it binds."""

from __future__ import annotations

from msgspec import Struct

from ledger.core.identity import parse_did
from ledger.core.records import Agreement, Attestation, Delivery, Grant, Settlement, Statement
from ledger.core.settling import shown_money
from ledger.index.database import Database
from ledger.index.listing import entries_of
from ledger.index.verification import decode_checked
from ledger.index.views import EntryView


class Event(Struct, frozen=True):
    """One record: its entry, what it says in a word, to whom (20 bytes), which record it is about, and the
    block from which it binds, if that is another one than its anchor's.

    `waits` says that it binds nobody until it is posted, `units` how many a delivery counts.
    """

    entry: EntryView
    what: str
    to: bytes | None = None
    about: bytes | None = None
    binds: int | None = None
    waits: bool = False
    units: int = 0


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
    return _of_rights(database, entry, decode_checked(payload))


def _of_rights(database: Database, entry: EntryView, statement: Statement) -> Event:
    said = statement.predicate
    if isinstance(said, Grant):
        rights = " and ".join(said.terms.rights)
        return Event(entry, f"granted: {rights}", to=_party(said.grantee), about=_record(said.under))
    if isinstance(said, Agreement):
        to = said.provider if said.authors == [said.consumer] else said.consumer
        return Event(entry, f"agreement {said.state}", to=_party(to), about=_record(said.previous))
    if isinstance(said, Delivery):
        return _delivery(database, entry, said)
    if isinstance(said, Attestation):
        words = " ".join(filter(None, (said.kind, said.topic, said.outcome)))
        return Event(entry, f"attested: {words}", about=_record(said.target))
    if isinstance(said, Settlement):
        what = f"settled: {shown_money(said.total)}"
        return Event(entry, what, about=_record(said.agreement or said.under))
    return Event(entry, entry.type)


def _delivery(database: Database, entry: EntryView, said: Delivery) -> Event:
    """Tell who got it, and how much; a step that was not allowed says so."""
    consumer, sent, counts = database.one(_DELIVERY, entry.row) or (None, 0, 0)
    what = f"delivered, {said.state}" if sent else f"delivery {said.state}"
    out_of_turn = "" if counts else ", out of turn"
    about = _record(said.agreement)
    return Event(entry, f"{what}{out_of_turn}", to=consumer, about=about, units=said.units)


def _party(did: str) -> bytes | None:
    return parse_did(did)[1] if did else None


def _record(record: str) -> bytes | None:
    return bytes.fromhex(record) or None


_TRANSFER = """
SELECT p.address, (SELECT h.block FROM holder h WHERE h.entry = t.entry)
FROM transfer t JOIN party p ON p.id = t.receiver WHERE t.entry = ?
"""
_DELIVERY = """
SELECT p.address, d.sent, d.counts FROM delivered d JOIN party p ON p.id = d.taker WHERE d.entry = ? LIMIT 1
"""
_REVOCATION = """
SELECT r.target, (SELECT min(x.block) FROM revoked x WHERE x.entry = r.entry) FROM revocation r
WHERE r.entry = ?
"""
