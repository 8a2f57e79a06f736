"""Which records involve a party: what it gave, took, agreed, delivered, was paid and said; what it holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Literal

from msgspec import Struct

from ledger.core.identity import parse_did
from ledger.core.money import format_amount
from ledger.core.records import Agreement, Attestation, Delivery, Grant, Settlement, Statement
from ledger.core.terms import terms_of
from ledger.index.attested import SaidView
from ledger.index.database import Database
from ledger.index.listing import entry_of
from ledger.index.queries import namespace_owner
from ledger.index.verification import decode_checked

Relation = Literal[
    "gives", "takes", "provides", "consumes", "delivers", "receives", "pays", "is due", "attests",
    "is attested",
]  # fmt: skip


class Involved(Struct, frozen=True):
    """A record, what a party has to do with it, and the other side (20 bytes; None: everybody, nobody)."""

    relation: Relation
    said: SaidView
    other: bytes | None


def involved(database: Database, party: bytes) -> Iterator[Involved]:
    """Yield the records about rights that involve a party, by relation, each in the order of judgement."""
    for relation, query in _QUERIES.items():
        for entry, payload in database.rows(query, party):
            said = SaidView(entry_of(database, entry), decode_checked(payload))
            yield Involved(relation, said, _other(relation, said, party))
    for asset in held(database, party):
        for entry, payload in database.rows(_ATTESTED, asset):
            view = SaidView(entry_of(database, entry), decode_checked(payload))
            if view.entry.party != party:
                yield Involved("is attested", view, view.entry.party)


def held(database: Database, party: bytes) -> list[str]:
    """Return the registered assets that a party holds: handed to it, or in a namespace of its own."""
    found = {name for (name,) in database.rows(_HANDED, party)}
    for (namespace,) in database.rows(_NAMESPACES, party):
        if namespace_owner(database, namespace) == party:
            low, high = f"{namespace}/", f"{namespace}0"
            found.update(name for (name,) in database.rows(_REGISTERED, low, high))
    return sorted(found)


def _other(relation: Relation, view: SaidView, party: bytes) -> bytes | None:
    """Return the other side of a record: whom it went to, or whose it is."""
    said: Any = view.statement.predicate
    if isinstance(said, Grant):
        did = said.grantee if relation == "gives" else said.grantor
    elif isinstance(said, Agreement):
        did = said.consumer if relation == "provides" else said.provider
    elif isinstance(said, Settlement):
        did = said.payer if relation == "is due" else ""
    else:
        return view.entry.party if view.entry.party != party else None
    return parse_did(did)[1] if did else None


def word_of(statement: Statement) -> str:
    """Return what a record says, in a word or two."""
    said = statement.predicate
    if isinstance(said, Agreement | Delivery):
        return said.state
    if isinstance(said, Attestation):
        return " ".join(filter(None, (said.kind, said.topic, said.outcome)))
    if isinstance(said, Settlement):
        return f"{format_amount(said.total.amount, said.total.currency)} {said.total.currency}"
    terms = terms_of(said)
    return "" if terms is None else " and ".join(terms.rights)


_PARTY = "(SELECT id FROM party WHERE address = ?)"
_SAID = "JOIN entry e ON e.id = x.entry JOIN said s ON s.entry = e.id"


def _by(column: str, table: str, condition: str) -> str:
    return (
        f"SELECT DISTINCT e.id, s.payload FROM {table} x {_SAID} "  # noqa: S608 - names of ours
        f"WHERE x.{column} = {_PARTY} AND {condition} ORDER BY e.id"
    )


_ACCEPTED = "e.verdict = 0"
_DELIVERED = """
SELECT DISTINCT e.id, s.payload FROM agreed g JOIN delivered x ON x.agreement = g.entry
JOIN entry e ON e.id = x.entry JOIN said s ON s.entry = e.id WHERE g.{} = {} ORDER BY e.id
"""
_QUERIES: Final[dict[Relation, str]] = {
    "gives": _by("giver", "granted", "e.kind = 6"),
    "takes": _by("taker", "granted", "e.kind = 6"),
    "provides": _by("provider", "agreed", _ACCEPTED),
    "consumes": _by("consumer", "agreed", _ACCEPTED),
    "delivers": _DELIVERED.format("provider", _PARTY),
    "receives": _DELIVERED.format("consumer", _PARTY),
    "pays": _by("payer", "settled", _ACCEPTED),
    "is due": f"""
        SELECT DISTINCT e.id, s.payload FROM allotted o JOIN settled x ON x.id = o.settled {_SAID}
        WHERE o.party = {_PARTY} ORDER BY e.id""",  # noqa: S608
    "attests": f"""
        SELECT DISTINCT e.id, s.payload FROM attested x {_SAID} WHERE e.party = {_PARTY} ORDER BY e.id""",  # noqa: S608
}
_ATTESTED = """
SELECT DISTINCT e.id, s.payload FROM asset a CROSS JOIN attested x ON x.asset = a.id
JOIN entry e ON e.id = x.entry JOIN said s ON s.entry = e.id WHERE a.name = ? ORDER BY e.id
"""
_HANDED = """
SELECT a.name FROM holder h JOIN asset a ON a.id = h.asset JOIN party p ON p.id = h.party
WHERE p.address = ? AND h.id = (SELECT max(o.id) FROM holder o WHERE o.asset = h.asset)
"""
_NAMESPACES = f"SELECT DISTINCT name FROM namespace WHERE party = {_PARTY}"  # noqa: S608
_REGISTERED = """
SELECT a.name FROM asset a JOIN registration r ON r.asset = a.id WHERE a.name >= ? AND a.name < ?
AND NOT EXISTS (SELECT 1 FROM holder h WHERE h.asset = a.id)
"""
