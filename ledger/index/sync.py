"""Bringing the index up to date with chain and logs.

A sync cuts back to the last block that the chain still has, and further to before the first anchor of a log
that has turned up since; then it applies what follows, and what is pending in the own log. However the logs
came in, the result is what a sync from nothing would give.
"""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct

from ledger.core.chain_facts import Anchored, BlockRef
from ledger.core.descriptor import LedgerDescriptor
from ledger.core.errors import Invalid, Unavailable
from ledger.core.merkle import CompactTree
from ledger.index.applying import Applying
from ledger.index.attached import read_attachments
from ledger.index.database import Database, drop_pending, first_after, rewind
from ledger.index.feeds import ChainFeed, LogFeed
from ledger.index.kinds import CLOSED, MISMATCH, UNAVAILABLE
from ledger.index.reading import (
    CHUNK,
    ChainMovedError,
    Confirmed,
    Item,
    LogState,
    NewBlock,
    Reading,
    Segment,
    Unreadable,
    confirms,
)
from ledger.index.schema import PENDING
from ledger.index.verification import RECORDS, Checked, Promise, Verification

Progress = Callable[[str, int, int | None], None]
"""Told what is being done, how much of it is done, and of how much (None: not known)."""

_ATTEMPTS = 5
_GROUP_ITEMS = 256


class SyncReport(Struct, frozen=True):
    """What a sync did: the block it went to, entries applied by verdict, findings raised, pending entries.

    `rewound_to` is the block that it first had to go back to, None if it only went on.
    """

    head: BlockRef
    applied: int
    rejected: int
    duplicates: int
    pending: int
    findings: int
    rewound_to: int | None


def synchronise(
    database: Database,
    descriptor: LedgerDescriptor,
    chain: ChainFeed,
    logs: LogFeed,
    *,
    progress: Progress | None = None,
    workers: int | None = None,
) -> SyncReport:
    """Apply everything up to the chain's head; Unavailable if the chain keeps changing underneath.

    `workers` is the number of processes that verify (None: one for each core). A sync that fails or is killed
    leaves the index as of some block; the next one goes on from there.
    """
    frozen = gc.isenabled()
    gc.disable()  # rows and records are freed by their counts; looking for cycles costs a fifth
    try:
        for _ in range(_ATTEMPTS):
            try:
                return _Sync(database, descriptor, chain, logs, progress, workers).run()
            except ChainMovedError:
                continue
            finally:
                database.rollback()
    finally:
        if frozen:
            gc.enable()
    raise Unavailable(
        "the chain was reorganised again and again while it was read", hint="run the sync again"
    )


class _Sync:
    def __init__(
        self,
        database: Database,
        descriptor: LedgerDescriptor,
        chain: ChainFeed,
        logs: LogFeed,
        progress: Progress | None,
        workers: int | None,
    ) -> None:
        self._database = database
        self._descriptor = descriptor
        self._chain = chain
        self._logs = logs
        self._progress = progress
        self._workers = workers
        self._done = 0

    def run(self) -> SyncReport:
        """Do all of it, in one transaction or more."""
        database = self._database
        head, final = self._chain.head(), self._chain.final_number()
        database.begin()
        rewound = self._rewind(head)
        kept = self._keep_pending(head, rewound)
        findings = database.scalar("SELECT ifnull(max(id), 0) FROM finding")
        states = _log_states(database)
        applying = Applying(database, self._descriptor)
        reading = Reading(self._chain, self._logs, states)
        with Verification(RECORDS, self._workers) as verification:
            self._apply(applying, verification, reading.items(database.top() + 1, head))
            applying.end_block()
            self._keep_block(head)
            final_ref = self._chain.block(final) if 0 <= final < head.number else head
            if final >= 0 and final_ref is not None:
                self._keep_block(final_ref)
            database.set_meta("final", min(final, head.number))
            before = applying.counts.accepted + applying.counts.rejected + applying.counts.duplicates
            applying.begin_pending(head)
            self._apply(applying, verification, self._pending(states, kept))
            applying.end_block()
        read_attachments(database, self._logs)
        database.commit()
        counts = applying.counts
        return SyncReport(
            head,
            counts.accepted,
            counts.rejected,
            counts.duplicates,
            counts.accepted + counts.rejected + counts.duplicates - before,
            database.scalar("SELECT ifnull(max(id), 0) FROM finding") - findings,
            rewound,
        )

    def _keep_block(self, ref: BlockRef) -> None:
        self._database.write(_BLOCK, [(ref.number, ref.hash, ref.time_unix_s)])

    def _rewind(self, head: BlockRef) -> int | None:
        """Go back to where chain and index agree, and to before what could not be had and now can."""
        top = self._database.top()
        target = _common_block(self._database, self._chain, head)
        late = _late_logs(self._database, self._logs, target)
        target = target if late is None else min(target, late - 1)
        if target >= top:
            return None
        rewind(self._database, target)
        return target

    def _apply(self, applying: Applying, verification: Verification[Checked], items: Iterable[Item]) -> None:
        """Apply items in order, with the verification of those ahead under way."""
        queue: deque[tuple[list[Item], Promise[Checked]]] = deque()
        for group in _groups(items):
            entries = [entry for item in group if isinstance(item, Segment) for entry in item.entries]
            queue.append((group, verification.submit(entries)))
            while len(queue) >= verification.depth:
                self._apply_group(applying, *queue.popleft())
        while queue:
            self._apply_group(applying, *queue.popleft())

    def _apply_group(self, applying: Applying, group: list[Item], promise: Promise[Checked]) -> None:
        checked = promise()
        start = 0
        for item in group:
            if isinstance(item, Segment):
                stop = start + len(item.entries)
                applying.segment(item, checked[start:stop])
                start = stop
            elif isinstance(item, NewBlock):
                applying.begin_block(item)
            elif isinstance(item, Confirmed):
                applying.confirmed(item)
            elif isinstance(item, Unreadable):
                applying.unreadable(item)
            else:
                applying.stopped(item)
        self._done += len(checked)
        if self._progress is not None and checked:
            self._progress("records", self._done, None)

    def _keep_pending(self, head: BlockRef, rewound: int | None) -> dict[bytes, int]:
        """Drop what was pending unless nothing happened on the chain; return how much of it stays, by log."""
        same = rewound is None and self._database.one(_IS_TOP, head.number, head.hash) is not None
        database = self._database
        finding = first_after(database, "finding", PENDING - 1)
        unreadable = "SELECT 1 FROM finding WHERE id >= ? AND entry IS NULL"
        if not same or (finding is not None and database.one(unreadable, finding) is not None):
            drop_pending(database)
        entry = first_after(database, "entry", PENDING - 1)
        return {} if entry is None else dict(database.rows(_PENDING, entry))

    def _pending(self, states: dict[bytes, LogState], kept: dict[bytes, int]) -> Iterator[Item]:
        for log in sorted(self._logs.own_logs()):
            state = states.get(log) or LogState(CompactTree())
            extent = self._logs.pending(log)
            if extent is None or state.stopped or state.closed_block is not None:
                continue
            start, stop = state.tree.size + kept.get(log, 0), extent[1]
            for at in range(start, stop, CHUNK):
                try:
                    entries = list(self._logs.entries(log, at, min(at + CHUNK, stop)))
                except (Unavailable, Invalid) as error:
                    reason = UNAVAILABLE if isinstance(error, Unavailable) else MISMATCH
                    yield Unreadable(log, reason, str(error))
                    break
                yield Segment(log, at, entries)


def _groups(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Put items together until there are entries enough for a batch."""
    group: list[Item] = []
    entries = 0
    for item in items:
        group.append(item)
        entries += len(item.entries) if isinstance(item, Segment) else 0
        if entries >= CHUNK or len(group) >= _GROUP_ITEMS:
            yield group
            group, entries = [], 0
    if group:
        yield group


def _common_block(database: Database, chain: ChainFeed, head: BlockRef) -> int:
    """Return the last block of the index that the chain still has, -1 if it has none of them."""
    for number, known in database.rows("SELECT number, hash FROM block ORDER BY number DESC"):
        if number <= head.number:
            block = head if number == head.number else chain.block(number)
            if block is not None and block.hash == known:
                return int(number)
    return -1


def _late_logs(database: Database, logs: LogFeed, top: int) -> int | None:
    """Return the earliest block of an anchor that a log stopped at and that can be had by now."""
    states = None
    earliest: int | None = None
    for log, owner, number, n, size, root, block in database.rows(_STOPS, CLOSED, top):
        if earliest is not None and block >= earliest:
            break
        states = _log_states(database) if states is None else states
        anchor = Anchored(log, owner, number, n, size, root)
        if confirms(logs, anchor, states[log].tree):
            earliest = int(block)
    return earliest


def _log_states(database: Database) -> dict[bytes, LogState]:
    states = {}
    for log, size, frontier, stopped, closed in database.rows(_STATES):
        hashes = [] if frontier is None else [frontier[at : at + 32] for at in range(0, len(frontier), 32)]
        states[log] = LogState(CompactTree.from_frontier(size or 0, hashes), bool(stopped), closed)
    return states


_BLOCK = "INSERT OR REPLACE INTO block (number, hash, time) VALUES (?, ?, ?)"
_IS_TOP = "SELECT 1 FROM block WHERE number = ? AND hash = ? AND number = (SELECT max(number) FROM block)"
_PENDING = "SELECT l.log, count(*) FROM entry e JOIN log l ON l.id = e.log WHERE e.id >= ? GROUP BY l.id"
_STATES = """
SELECT l.log, p.size, p.frontier, EXISTS (SELECT 1 FROM stop s WHERE s.log = l.id),
  (SELECT min(c.block) FROM log_closed c WHERE c.log = l.id)
FROM log l LEFT JOIN prefix p
  ON p.id = (SELECT q.id FROM prefix q WHERE q.log = l.id ORDER BY q.n DESC LIMIT 1)
"""
_STOPS = """
SELECT l.log, p.address, l.number, a.n, a.size, a.root, a.block
FROM stop s JOIN log l ON l.id = s.log JOIN party p ON p.id = l.party
JOIN anchor a ON a.log = s.log AND a.n = s.n
WHERE s.reason <> ? AND a.block <= ? ORDER BY a.block
"""
