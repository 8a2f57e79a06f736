"""Accepted agreements and deliveries -> rows, and what is improper in them.

What is improper is judged at the end of each block, as the rules of rights have it: as of that block a grant
is taken back or frozen for what is anchored later, and a version may stand behind its delivery.
"""

from __future__ import annotations

from ledger.core.deliveries import agreement_findings, delivery_findings, is_sent
from ledger.core.hashing import sha256
from ledger.core.identity import parse_did
from ledger.core.instants import NANOSECONDS
from ledger.core.records import Agreement, Delivery, Statement
from ledger.index.kinds import UNVERSIONED
from ledger.index.memory import Memory
from ledger.index.record_rows import Entry
from ledger.index.rights import Rights
from ledger.index.schema import PENDING, short
from ledger.index.verification import decode_checked
from ledger.index.writer import Writer

_REMEMBERED = 2_000  # agreements and deliveries


def process_key(delivery: Delivery) -> int:
    """Return the integer by which all steps of one transfer are found."""
    return short(sha256(bytes.fromhex(delivery.agreement) + delivery.process.encode()))


class TradeRows:
    """Writes who agreed with whom and what was delivered to whom."""

    def __init__(self, writer: Writer, memory: Memory, chain_id: int) -> None:
        self._writer = writer
        self._memory = memory
        self._chain_id = chain_id
        self._agreed = writer.next_id("agreed")
        self._delivered = writer.next_id("delivered")
        self._fresh: set[int] = set()

    def begun(self, statement: Statement) -> bytes | None:
        """Return the record that began the transfer which a delivery without a step before would begin."""
        delivery = statement.predicate
        if not isinstance(delivery, Delivery) or delivery.previous:
            return None
        process = process_key(delivery)
        if process in self._fresh:
            self._writer.flush()
        for record, payload in self._writer.database.stream(_BEGUN, process):  # mostly one
            known = decode_checked(payload).predicate
            assert isinstance(known, Delivery)
            if (known.agreement, known.process) == (delivery.agreement, delivery.process):
                return bytes(record)
        return None

    def apply(self, entry: Entry, statement: Statement, *, counts: bool) -> None:
        """Buffer the rows of an accepted record; `counts` says that it was a step that may be taken."""
        predicate = statement.predicate
        if isinstance(predicate, Agreement):
            parties = self._parties(predicate)
            for asset, number in self._named(statement):
                self._writer.add("agreed", asset, number, *parties, entry.row)
        elif isinstance(predicate, Delivery):
            agreement, agreed = self._agreement(predicate)
            parties, process = self._parties(agreed), process_key(predicate)
            self._fresh.add(process)
            said = (int(is_sent(predicate)), predicate.units, int(counts))
            for asset, number in self._named(statement):
                self._writer.add("delivered", process, agreement, asset, number, *parties, *said, entry.row)

    def end_block(self, block: int, time_unix_s: int) -> None:
        """Write the findings of the block; everything else of it was added to the writer."""
        next_agreed, next_delivered = (self._writer.next_id(table) for table in ("agreed", "delivered"))
        if (self._agreed, self._delivered) == (next_agreed, next_delivered):
            return
        self._writer.flush()
        self._fresh.clear()
        new = self._writer.database.stream(_NEW, self._agreed, self._delivered)
        for position, (row, payload) in enumerate(new):
            if position % _REMEMBERED == 0:  # what the facts remember grows with what they are asked
                facts = Rights(self._writer.database, self._chain_id, self._writer.block)
                pending = self._writer.block == PENDING
                at_ns = time_unix_s * NANOSECONDS if pending else facts.moment(block)
            statement = decode_checked(payload)
            found = agreement_findings(statement, facts) + delivery_findings(statement, at_ns, facts)
            for each in found:
                self._writer.add("finding", each.kind, row, None, each.subject, each.text)
        self._agreed, self._delivered = next_agreed, next_delivered

    def _agreement(self, delivery: Delivery) -> tuple[int, Agreement]:
        """Return the entry (row id) of the agreement that a delivery names, and what it says."""
        known = self._memory.said.get(bytes.fromhex(delivery.agreement))
        assert known.statement is not None, "what names no agreement is refused"
        predicate = known.statement.predicate
        assert isinstance(predicate, Agreement)
        return known.row, predicate

    def _parties(self, agreement: Agreement) -> tuple[int, int]:
        ids = self._memory.parties
        return ids.id(parse_did(agreement.provider)[1]), ids.id(parse_did(agreement.consumer)[1])

    def _named(self, statement: Statement) -> list[tuple[int, int]]:
        """Return the assets (row ids) and numbers of the subject."""
        parts = [each.name.partition("@") for each in statement.subject]
        make = self._memory.assets.make
        return [(make(asset).id, int(number) if number else UNVERSIONED) for asset, _, number in parts]


_BEGUN = """
SELECT e.record, s.payload FROM delivered d JOIN entry e ON e.id = d.entry JOIN said s ON s.entry = e.id
WHERE d.process = ? AND d.counts = 1 AND +s.previous IS NULL ORDER BY d.id
"""
_NEW = """
SELECT s.entry, s.payload FROM
  (SELECT entry FROM agreed WHERE id >= ? UNION SELECT entry FROM delivered WHERE id >= ?) n
JOIN said s ON s.entry = n.entry ORDER BY s.entry
"""
