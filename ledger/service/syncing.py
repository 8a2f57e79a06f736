"""Bringing the index up to date: the chain's events, the own log, verified copies of others'.

Reads take the fast path: as long as neither the embedded chain nor the own log has moved, nothing is opened
but the index. A node behind a URL is asked when something is written and when `sync` is; what a read answers
is true to the block that it names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.core.errors import Corrupt, Unavailable
from ledger.index import Index
from ledger.service.context import Context
from ledger.service.forks import note_chain_fork
from ledger.service.logs import Logs
from ledger.service.offline import KnownChain, OwnLog
from ledger.service.results import DigestedLog, Synced
from ledger.service.times import format_time

if TYPE_CHECKING:
    from ledger.index.sync import SyncReport

UNREADABLE = ("log-mismatch", "log-unavailable")
"""What an index says of a log whose entries are not those that were anchored, or are not there."""


def fresh(context: Context) -> Index:
    """Return the index for a question: brought up to date first if something here may be new.

    Raises Corrupt where the own log does not hold what is anchored of it: what the index knows without it is
    no answer.
    """
    index = up_to_date(context)
    own = index.log_progress(context.log_id)
    if own.problem in UNREADABLE:
        raise Corrupt(
            f"your own log: of {own.anchored} anchored entries {own.size} can be read ({own.problem})",
            hint="dataledger audit says more; restore the log from a backup or a mirror",
        )
    return index


def up_to_date(context: Context) -> Index:
    """Return the index, brought up to date if something here may be new, whatever became of the own log."""
    if is_stale(context):
        catch_up(context)
    return context.index


def current(context: Context) -> Index:
    """Return the index for a decision to write: a node is asked for what is new; if it can't be, that is
    said.
    """
    if not context.embedded:
        catch_up(context)
    return fresh(context)


def catch_up(context: Context) -> None:
    """Bring the index up to date; where a node does not answer, with what is here, and that is said."""
    try:
        refresh(context)
    except Unavailable as error:
        head = context.index.head
        if context.embedded or head is None:
            raise
        with context.syncing():
            context.index.sync(KnownChain(context.index, head), OwnLog(context), progress=context.progress)
        context.notify(f"going by what was known at block {head.number}: {error}")


def is_stale(context: Context) -> bool:
    """Tell whether something may be new, cheaply: a node is asked only where there is no index yet."""
    index = context.index
    try:
        head = index.head
    except Unavailable:
        return True  # made by another release: a sync makes it anew
    context.log.refresh()
    if head is None or index.own_log_size(context.log_id) != context.log.size:
        return True
    return context.embedded and context.reader.head().hash != head.hash


def refresh(context: Context, *, hurried: bool = True, logs: Logs | None = None) -> SyncReport:
    """Bring the index up to date with the chain and every log that is read here.

    Logs that the lineage of the own assets needs are fetched from where they are announced, once that is
    known. `logs`, if given, is left with what was seen of them.
    """
    with context.syncing():
        index, reader = context.index, context.reader
        note_chain_fork(context, reader)
        logs = logs or Logs(context, reader, hurried=hurried)
        logs.update(logs.followed())
        report = index.sync(reader, logs, progress=context.progress)
        announced = [log_id for log_id in index.missing_logs(context.address) if index.log_location(log_id)]
        if logs.update([*logs.succeeded(), *announced]):
            report = index.sync(reader, logs, progress=context.progress)
    for log_id, problem in logs.problems.items():
        context.notify(f"the log {log_id.hex()[:12]} of {_owner(context, log_id)}: {problem}")
    return report


def _owner(context: Context, log_id: bytes) -> str:
    party = context.index.party_of_log(log_id)
    return context.describe(party) if party else "a party that anchored nothing yet"


def sync(context: Context, *, rebuild: bool = False, digest: bool = False) -> Synced:
    """Bring the index up to date, or forget it and build it anew, and say how it stands."""
    if rebuild:
        with context.syncing():
            context.index.discard()
    report = refresh(context, hurried=False)
    index = context.index
    state = index.state() if digest else None
    return Synced(
        to_block=report.head.number,
        to_time=format_time(report.head.time_unix_s),
        applied=report.applied,
        rejected=report.rejected,
        findings=report.findings,
        missing_logs=[log_id.hex() for log_id in index.missing_logs(context.address)],
        state_digest=state.digest.hex() if state else "",
        digest_block=state.block if state else None,
        digest_logs=[
            DigestedLog(log=each.log.hex(), entries=each.size, problem=each.problem) for each in state.logs
        ]
        if state
        else [],
    )
