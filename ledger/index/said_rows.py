"""What accepted records say of rights -> rows: kept as it was said, for the rules that later records ask.

A step of a negotiation or transfer that may not follow the one it names is kept as well, with a finding, but
it is nobody's step before.
"""

from __future__ import annotations

from ledger.core.authority_rights import is_kept
from ledger.core.negotiation import transition_findings
from ledger.core.records import Agreement, Delivery, Statement
from ledger.index.facts import Facts
from ledger.index.record_rows import Entry
from ledger.index.writer import Writer


class SaidRows:
    """Writes what records about rights say, and flags steps out of turn."""

    def __init__(self, writer: Writer, facts: Facts) -> None:
        self._writer = writer
        self._facts = facts

    def apply(self, entry: Entry, statement: Statement, payload: bytes) -> None:
        """Buffer the rows of an accepted record; of those about data only an arbiter's name is kept."""
        predicate = statement.predicate
        if not is_kept(predicate):
            return
        findings = transition_findings(statement, entry.record, self._facts)
        for finding in findings:
            self._writer.add("finding", finding.kind, entry.row, None, finding.subject, finding.text)
        previous = predicate.previous if isinstance(predicate, Agreement | Delivery) else ""
        follows = bytes.fromhex(previous) if previous and not findings else None
        self._writer.add("said", entry.row, follows, payload)
