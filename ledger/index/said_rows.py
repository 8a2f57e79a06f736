"""What accepted records say of rights -> rows: kept as it was said, for the rules that later records ask.

A step of a negotiation or transfer that may not follow the one it names is kept as well, with a finding, but
it is nobody's step before. A grant that was rightly signed and gives what its giver had not is void, and kept
for those who ask why they may not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ledger.core.authority_rights import is_kept
from ledger.core.identity import parse_did
from ledger.core.negotiation import transition_findings
from ledger.core.records import Agreement, Attestation, Delivery, Grant, Statement
from ledger.core.terms import giver_of, taker_of, terms_of
from ledger.index.facts import Facts
from ledger.index.kinds import UNVERSIONED
from ledger.index.memory import Memory
from ledger.index.record_rows import Entry
from ledger.index.trade_rows import TradeRows
from ledger.index.writer import Writer

EVERYBODY: Final = 0
"""`granted.taker` of a grant to nobody in particular."""

VOID: Final = frozenset({
    "asset-unknown", "not-holder", "anchored-too-late", "grant-unknown", "grant-revoked", "not-grantee",
    "not-sublicensable", "beyond-grant", "chain-too-long",
})  # fmt: skip
"""Why a grant that was rightly signed counts for nothing."""


class SaidRows:
    """Writes what records about rights say, and flags steps out of turn."""

    def __init__(self, writer: Writer, memory: Memory, facts: Facts, trade: TradeRows) -> None:
        self._writer = writer
        self._memory = memory
        self._facts = facts
        self._trade = trade

    def apply(self, entry: Entry, statement: Statement, payload: bytes) -> None:
        """Buffer the rows of an accepted record; of those about data only an arbiter's name is kept."""
        predicate = statement.predicate
        if not is_kept(predicate):
            return
        begun = self._trade.begun(statement)
        findings = transition_findings(statement, entry.record, self._facts, begun)
        for finding in findings:
            self._writer.add("finding", finding.kind, entry.row, None, finding.subject, finding.text)
        previous = predicate.previous if isinstance(predicate, Agreement | Delivery) else ""
        follows = bytes.fromhex(previous) if previous and not findings else None
        self._writer.add("said", entry.row, follows, payload)
        self._memory.said.note(entry.record, entry.row, statement, follows)
        self._grants(entry.row, statement)
        self._trade.apply(entry, statement, counts=not findings)
        if isinstance(predicate, Attestation):
            target = bytes.fromhex(predicate.target) or None
            for asset, number in self._named(statement):
                self._writer.add("attested", predicate.kind, asset, number, target, entry.row)

    def void(self, row: int, reason: str, statement: Statement, payload: bytes) -> None:
        """Buffer the rows of a refused entry, if it is a grant that somebody may ask about."""
        if reason in VOID and terms_of(statement.predicate) is not None:
            self._writer.add("said", row, None, payload)
            self._grants(row, statement)

    def _grants(self, row: int, statement: Statement) -> None:
        predicate, terms = statement.predicate, terms_of(statement.predicate)
        if terms is None or not isinstance(predicate, Grant | Agreement):
            return
        parties = self._memory.parties
        giver, taker = giver_of(predicate), taker_of(predicate)
        to = parties.id(parse_did(taker)[1]) if taker else EVERYBODY
        by = parties.id(parse_did(giver)[1])
        for asset, number in self._named(statement):
            self._writer.add("granted", asset, number, to, by, int(terms.sublicensable), row)

    def _named(self, statement: Statement) -> Iterator[tuple[int, int]]:
        """Yield the assets (row ids) and numbers of the subject."""
        for resource in statement.subject:
            asset, _, number = resource.name.partition("@")
            yield self._memory.assets.make(asset).id, int(number) if number else UNVERSIONED
