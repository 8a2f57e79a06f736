"""Accepted settlements -> rows, with what of them is improper; and the questions that statements ask.

What can be decided cheaply is decided when a settlement is applied, in the order of the anchors: whether its
income was settled before, and whether it fits the agreement that it names (`core.settling`). The split itself
is recomputed by those who ask.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from ledger.core.identity import parse_did
from ledger.core.instants import NANOSECONDS
from ledger.core.records import Delivery, Settlement, Statement
from ledger.core.settling import Period, overlap, period_of, settlement_findings
from ledger.index.database import Database
from ledger.index.facts import Facts
from ledger.index.kinds import ACCEPTED, UNVERSIONED
from ledger.index.memory import Memory
from ledger.index.record_rows import Entry
from ledger.index.schema import PENDING, short
from ledger.index.verification import decode_checked
from ledger.index.writer import Writer


class Income(Struct, frozen=True):
    """What a settlement splits: the income of a payer (20 bytes) with a subject, of one agreement (32 bytes)
    or of none, in a period.
    """

    payer: bytes
    name: str
    agreement: bytes | None
    period: Period


class SettledView(Struct, frozen=True):
    """A settlement that counts: its record id, what it says, and where it stands.

    `block` is None while it is pending, `revoked_block` None unless it was taken back.
    """

    record: bytes
    statement: Statement
    row: int
    log: bytes
    index: int
    block: int | None
    time_unix_s: int | None
    revoked_block: int | None


class Steps:
    """Agreements and deliveries out of the tables (`core.settling.Deliveries`)."""

    def __init__(self, facts: Facts, database: Database) -> None:
        self._database = database
        self.said = facts.said
        self.follower = facts.follower

    def delivered(self, agreement: bytes, block: int, period: Period) -> Iterator[Delivery]:
        """Yield the steps in their turn under an agreement that stand, by the block and in the period."""
        rows = self._database.rows(_DELIVERED, short(agreement), agreement, ACCEPTED, block, *period)
        for (payload,) in rows:
            predicate = decode_checked(payload).predicate
            assert isinstance(predicate, Delivery)
            yield predicate


class SettledRows:
    """Writes settlements, whom they allot what, and what is improper in them."""

    def __init__(self, writer: Writer, memory: Memory, facts: Facts) -> None:
        self._writer = writer
        self._memory = memory
        self._steps = Steps(facts, writer.database)

    def apply(self, entry: Entry, statement: Statement, block: int) -> None:
        """Buffer the rows of an accepted settlement, judged as of `block`; nothing for other records."""
        settlement = statement.predicate
        if not isinstance(settlement, Settlement):
            return
        self._writer.flush()
        for finding in settlement_findings(statement, block, self._steps):
            self._writer.add("finding", finding.kind, entry.row, None, finding.subject, finding.text)
        income = income_of(statement)
        before = settled_before(self._writer.database, income, self._writer.block)
        if before is not None:
            text = f"record {before.hex()} settles it"
            self._writer.add("finding", "settlement-replayed", entry.row, None, income.name, text)
        self._add(entry, income, settlement)

    def _add(self, entry: Entry, income: Income, settlement: Settlement) -> None:
        asset, _, number = income.name.partition("@")
        parties = self._memory.parties
        row = self._writer.add(
            "settled",
            parties.id(income.payer),
            self._memory.assets.make(asset).id,
            int(number) if number else UNVERSIONED,
            income.agreement or b"",
            bytes.fromhex(settlement.escrow[2:]) or None,
            settlement.total.currency,
            settlement.total.amount,
            settlement.as_of,
            *income.period,
            entry.row,
        )
        for payout in settlement.payouts:
            self._writer.add("allotted", row, parties.id(parse_did(payout.party)[1]), payout.amount)


def income_of(statement: Statement) -> Income:
    """Return the income that a settlement splits."""
    settlement = statement.predicate
    assert isinstance(settlement, Settlement)
    return Income(
        parse_did(settlement.payer)[1],
        statement.subject[0].name,
        bytes.fromhex(settlement.agreement) or None,
        period_of(settlement.start, settlement.until),
    )


def settled_before(database: Database, income: Income, block: int = PENDING) -> bytes | None:
    """Return the first record that settles a part of this income and was not taken back before `block`."""
    asset, _, number = income.name.partition("@")
    version = int(number) if number else UNVERSIONED
    start, until = income.period
    found = database.rows(
        _BEFORE, asset, income.payer, income.agreement or b"", start, until, UNVERSIONED, version, block
    )
    return bytes(found[0][0]) if found else None


def settlements(
    database: Database, *, party: bytes | None = None, record: bytes | None = None
) -> Iterator[SettledView]:
    """Yield the settlements that name a party (20 bytes) as payer or payee, or those of a record, or all."""
    if record is not None:
        rows = database.rows(_OF_RECORD, short(record), record, ACCEPTED)
    elif party is not None:
        rows = database.rows(_OF_PARTY, party, party)
    else:
        rows = database.rows(_ALL)
    for found, payload, row, log, index, block, time, revoked in rows:
        anchored = None if block == PENDING else block
        yield SettledView(found, decode_checked(payload), row, log, index, anchored, time, revoked)


def covers_moment(period: Period, time_unix_s: int) -> bool:
    """Tell whether a second lies in a period."""
    moment = time_unix_s * NANOSECONDS
    return overlap(period, Period(moment, moment + 1))


_DELIVERED = f"""
SELECT s.payload FROM
  (SELECT DISTINCT d.entry FROM entry g JOIN delivered d ON d.agreement = g.id
   WHERE g.short = ?1 AND g.record = ?2 AND g.verdict = ?3 AND d.counts = 1 AND d.block <= ?4) n
JOIN entry e ON e.id = n.entry JOIN said s ON s.entry = e.id JOIN block b ON b.number = e.block
WHERE b.time * {NANOSECONDS} >= ?5 AND b.time * {NANOSECONDS} < ?6
  AND NOT EXISTS (SELECT 1 FROM revoked x WHERE x.target = e.record AND x.block <= ?4)
ORDER BY e.id
"""  # noqa: S608 - numbers of ours
_BEFORE = """
SELECT e.record FROM settled s JOIN entry e ON e.id = s.entry
WHERE s.asset = (SELECT id FROM asset WHERE name = ?1)
  AND s.payer = (SELECT id FROM party WHERE address = ?2) AND s.agreement = ?3
  AND s.until > ?4 AND s.start < ?5 AND (s.number = ?6 OR ?7 = ?6 OR s.number = ?7)
  AND NOT EXISTS (SELECT 1 FROM revoked x WHERE x.target = e.record AND x.block < ?8)
ORDER BY s.id LIMIT 1
"""
_COLUMNS = """
SELECT e.record, d.payload, e.id, l.log, e.idx, e.block, b.time,
  (SELECT min(x.block) FROM revoked x WHERE x.target = e.record)
FROM settled s JOIN entry e ON e.id = s.entry JOIN said d ON d.entry = e.id JOIN log l ON l.id = e.log
LEFT JOIN block b ON b.number = e.block"""
_ALL = f"{_COLUMNS} ORDER BY s.id"
_OF_RECORD = f"{_COLUMNS} WHERE e.short = ? AND e.record = ? AND e.verdict = ? ORDER BY s.id"
_OF_PARTY = f"""{_COLUMNS} WHERE s.id IN (
  SELECT w.id FROM settled w JOIN party p ON p.id = w.payer WHERE p.address = ?
  UNION SELECT t.settled FROM allotted t JOIN party p ON p.id = t.party WHERE p.address = ?)
ORDER BY s.id"""  # noqa: S608
