"""What is asked about agreements and deliveries: the records that speak of them, by where they stand.

What they say is `Facts.said`; which steps were allowed, and what else is improper, stands beside each.
"""

from __future__ import annotations

from itertools import islice

from msgspec import Struct

from ledger.core.records import Agreement
from ledger.index.database import Database
from ledger.index.kinds import ACCEPTED
from ledger.index.schema import short
from ledger.index.verification import decode_checked


class TradeRow(Struct, frozen=True):
    """A record: its id and entry (row), whether it is a step that was allowed, and the kinds of findings."""

    record: bytes
    entry: int
    counts: bool
    findings: list[str]


class Trade:
    """Answers from the tables, what is pending included."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def negotiations_of(self, party: bytes, limit: int) -> list[bytes]:
        """Return the first step of each negotiation that a party (20 bytes) is in, the newest first."""
        steps = self._database.stream(_STEPS_OF, party)
        return list(islice((record for record, payload in steps if _begins(payload)), limit))

    def steps_between(self, provider: bytes, consumer: bytes) -> list[TradeRow]:
        """Return every step of all negotiations of these two (20 bytes each), the oldest first."""
        return self._rows(_STEPS, provider, consumer)

    def deliveries_under(self, agreement: bytes) -> list[TradeRow]:
        """Return every step of the transfers under an agreement (id of the record with its terms)."""
        return self._rows(_DELIVERED, short(agreement), agreement, ACCEPTED)

    def findings(self, record: bytes) -> list[str]:
        """Return the kinds of findings about an accepted record."""
        return [kind for (kind,) in self._database.rows(_FINDINGS, short(record), record, ACCEPTED)]

    def _rows(self, query: str, *params: object) -> list[TradeRow]:
        found = []
        for record, entry in self._database.rows(query, *params):
            kinds = [kind for (kind,) in self._database.rows(_OF_ENTRY, entry)]
            found.append(TradeRow(record, entry, "illegal-transition" not in kinds, kinds))
        return found


def _begins(payload: bytes) -> bool:
    """Tell whether a step is the first; read, not searched: JSON spells a name in many ways."""
    step = decode_checked(payload).predicate
    return isinstance(step, Agreement) and not step.previous


_STEPS_OF = """
SELECT e.record, s.payload FROM (
  SELECT entry FROM agreed g JOIN party p ON p.id = g.provider WHERE p.address = ?1
  UNION SELECT entry FROM agreed g JOIN party p ON p.id = g.consumer WHERE p.address = ?1) n
JOIN entry e ON e.id = n.entry JOIN said s ON s.entry = e.id ORDER BY e.id DESC
"""
_STEPS = """
SELECT DISTINCT e.record, e.id FROM agreed g JOIN party p ON p.id = g.provider
JOIN party c ON c.id = g.consumer JOIN entry e ON e.id = g.entry
WHERE p.address = ? AND c.address = ? ORDER BY e.id
"""
_DELIVERED = """
SELECT DISTINCT e.record, e.id FROM entry a JOIN delivered d ON d.agreement = a.id
JOIN entry e ON e.id = d.entry
WHERE a.short = ? AND a.record = ? AND a.verdict = ? ORDER BY e.id
"""
_OF_ENTRY = "SELECT DISTINCT kind FROM finding WHERE entry = ? ORDER BY kind"
_FINDINGS = """
SELECT DISTINCT f.kind FROM entry e JOIN finding f ON f.entry = e.id
WHERE e.short = ? AND e.record = ? AND e.verdict = ? ORDER BY f.kind
"""
