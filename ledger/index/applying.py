"""Applying what was read: events and verified entries, block by block, become rows.

An entry is accepted if its signatures and format are good, no accepted entry has the same record, and the
rules of authority allow it as of its block; else it is kept with the reason. Rows are committed at the ends
of blocks, so that a sync that was killed goes on where it was.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from ledger.core.authority import Place, authorize
from ledger.core.chain_facts import Anchored, BlockRef, LogClosed, Posted
from ledger.core.descriptor import LedgerDescriptor
from ledger.core.errors import Unauthorized
from ledger.core.identity import parse_did
from ledger.core.records import Activity, Statement
from ledger.index.activity_rows import ActivityRows
from ledger.index.chain_rows import ChainRows
from ledger.index.database import Database
from ledger.index.effects import Effects
from ledger.index.facts import Facts
from ledger.index.findings import Findings
from ledger.index.kinds import ACCEPTED, CLOSED, DUPLICATE, REJECTED
from ledger.index.memory import Memory
from ledger.index.prepared import Prepared, prefetch, prepare
from ledger.index.reading import Confirmed, NewBlock, Segment, Stopped, Unreadable
from ledger.index.record_rows import Entry, RecordRows
from ledger.index.record_types import TYPE_CODE
from ledger.index.said_rows import SaidRows
from ledger.index.schema import PENDING, short
from ledger.index.settled import SettledRows
from ledger.index.subjects import ABOUT
from ledger.index.trade_rows import TradeRows
from ledger.index.verification import Checked, decode_checked
from ledger.index.writer import Writer, listed

_COMMIT_ENTRIES = 20_000
_COMMIT_BLOCKS = 2_000


class Counts(Struct):
    """What was applied since the start."""

    blocks: int = 0
    accepted: int = 0
    rejected: int = 0
    duplicates: int = 0


class Applying:
    """Writes blocks in order; the caller begins the transaction, and ends it after `finish`."""

    def __init__(self, database: Database, descriptor: LedgerDescriptor) -> None:
        self._database = database
        self._ledger = descriptor.ledger_id.hex()
        self._chain_id = descriptor.chain_id
        self._writer = Writer(database)
        self._memory = Memory(self._writer)
        self._facts = Facts(self._writer, self._memory.assets, self._memory.said)
        self._chain_rows = ChainRows(self._writer, self._memory.parties, self._memory.logs)
        self._records = RecordRows(self._writer, self._memory)
        self._trade = TradeRows(self._writer, self._memory, descriptor.chain_id)
        self._said = SaidRows(self._writer, self._memory, self._facts, self._trade)
        self._settled = SettledRows(self._writer, self._memory, self._facts)
        self._activities = ActivityRows(self._writer, self._memory)
        self._effects = Effects(self._writer, self._memory, self._facts, descriptor.ledger_id)
        self._findings = Findings(self._writer)
        self._place_block = -1
        self._place_time = 0
        self._uncommitted = 0
        self._committed_block = 0
        self.counts = Counts()

    def begin_block(self, block: NewBlock) -> None:
        """End the block before, and apply the events of this one."""
        self.end_block()
        ref = block.ref
        self._place(ref.number, ref.number, ref.time_unix_s)
        self._database.write(_BLOCK, [(ref.number, ref.hash, ref.time_unix_s)])
        for body in block.bodies:
            self._chain_rows.apply(ref, body)
        self._writer.flush()
        if any(not isinstance(body, Anchored) for body in block.bodies):
            self._facts.refresh()
        for body in block.bodies:
            if isinstance(body, Posted):
                self._effects.posted(body)
            elif isinstance(body, LogClosed):
                self._closed(body)
        self.counts.blocks += 1

    def begin_pending(self, head: BlockRef) -> None:
        """End the block before; what comes now is in no block yet, and is judged as if the next had it."""
        self.end_block()
        self._place(PENDING, head.number + 1, head.time_unix_s)

    def segment(self, segment: Segment, checked: Sequence[Checked]) -> None:
        """Judge verified entries and write them."""
        log = self._memory.logs.id(segment.log, None, None)
        place = Place(self._ledger, self._chain_id, segment.log.hex(), self._place_block, self._place_time)
        records = [None if each.reason else prepare(decode_checked(each.payload)) for each in checked]
        accepted = self._known(checked)
        prefetch(self._memory, [record for record in records if record is not None])
        for index, (each, record) in enumerate(zip(checked, records, strict=True), segment.start):
            if record is None:
                self._refuse(log, index, each.record, 0, each.reason, each.message, None)
            elif each.record in accepted:
                self._duplicate(log, index, each.record, record.statement)
            elif self._judge(log, index, each, record, place):
                accepted.add(each.record)
        self._uncommitted += len(checked)
        self._findings.suspect(self._activities.suspects)
        self._writer.flush()
        self._memory.forget()
        self._facts.bound()

    def confirmed(self, item: Confirmed) -> None:
        """Write how far the log is confirmed now."""
        anchor = item.anchor
        log = self._memory.logs.id(anchor.log)
        self._writer.add("prefix", log, anchor.n, anchor.size, anchor.root, b"".join(item.frontier))

    def stopped(self, item: Stopped) -> None:
        """Write where the log stops, and why."""
        anchor = item.anchor
        log = self._memory.logs.id(anchor.log)
        self._writer.add("stop", log, anchor.n, item.reason)
        self._writer.add("finding", item.reason, None, log, anchor.log.hex(), item.text)

    def unreadable(self, item: Unreadable) -> None:
        """Write that pending entries of a log can't be read."""
        log = self._memory.logs.id(item.log, None, None)
        self._writer.add("finding", item.reason, None, log, item.log.hex(), item.text)

    def end_block(self) -> None:
        """Write what only the whole block shows, and commit now and then."""
        if self._place_block < 0:
            return
        self._effects.end_block()
        self._findings.end_block()
        self._trade.end_block(self._place_block, self._place_time)
        self._writer.flush()
        self._memory.forget()
        self._place_block = -1
        blocks = self.counts.blocks - self._committed_block
        if self._uncommitted >= _COMMIT_ENTRIES or blocks >= _COMMIT_BLOCKS:
            self._database.commit()
            self._database.begin()
            self._uncommitted = 0
            self._committed_block = self.counts.blocks

    def _place(self, row_block: int, block: int, time_unix_s: int) -> None:
        self._writer.block = row_block
        self._place_block = block
        self._place_time = time_unix_s

    def _closed(self, body: LogClosed) -> None:
        log = self._memory.logs.id(body.log)
        query = "SELECT n, size, block FROM anchor WHERE log = ? AND n >= ? AND block < ? ORDER BY n"
        for n, size, block in self._database.rows(query, log, body.at, self._writer.block):
            text = f"checkpoint {n} (size {size}, block {block}) is disowned, but keeps its effect"
            self._writer.add("finding", CLOSED, None, log, body.log.hex(), text)

    def _known(self, checked: Sequence[Checked]) -> set[bytes]:
        """Return those of these records that were accepted before."""
        wanted = listed([short(each.record) for each in checked if not each.reason])
        return {record for (record,) in self._database.rows(_KNOWN, wanted, ACCEPTED)}

    def _judge(self, log: int, index: int, checked: Checked, record: Prepared, place: Place) -> bool:
        predicate = record.statement.predicate
        kind = TYPE_CODE[type(predicate)]
        try:
            authorize(record.statement, checked.signers, place, self._facts)
        except Unauthorized as error:
            row = self._refuse(log, index, checked.record, kind, error.reason, str(error), predicate.time)
            self._said.void(row, error.reason, record.statement, checked.payload)
            return False
        parties = self._memory.parties
        party = parties.id(record.author)
        row = self._writer.add(
            "entry",
            log,
            index,
            checked.record,
            short(checked.record),
            kind,
            ACCEPTED,
            None,
            None,
            party,
            predicate.time,
            self._writer.next_id(ABOUT[kind]),
        )
        for other in predicate.authors[1:]:
            self._writer.add("coauthor", row, parties.id(parse_did(other)[1]))
        entry = Entry(row, checked.record, party)
        self._records.apply(entry, record)
        self._said.apply(entry, record.statement, checked.payload)
        self._settled.apply(entry, record.statement, place.block)
        if isinstance(predicate, Activity):
            self._activities.apply(row, party, record, predicate)
        else:
            self._effects.anchored(entry, record.statement)
        self.counts.accepted += 1
        return True

    def _refuse(
        self, log: int, index: int, record: bytes, kind: int, reason: str, message: str, claimed: str | None
    ) -> int:
        # whom a refused entry is from is not proven: the log says in whose log it stands
        key = short(record) if record else None
        self.counts.rejected += 1
        return self._writer.add(
            "entry", log, index, record or None, key, kind, REJECTED, reason, message, None, claimed, None
        )

    def _duplicate(self, log: int, index: int, record: bytes, statement: Statement) -> None:
        kind, claimed = TYPE_CODE[type(statement.predicate)], statement.predicate.time
        values = (record, short(record), kind, DUPLICATE, "duplicate-record", None, None, claimed, None)
        self._writer.add("entry", log, index, *values)
        self.counts.duplicates += 1


_BLOCK = "INSERT OR REPLACE INTO block (number, hash, time) VALUES (?, ?, ?)"
_KNOWN = """
SELECT e.record FROM json_each(?) j CROSS JOIN entry e ON e.short = j.value
WHERE e.verdict = ? AND e.record IS NOT NULL
"""
