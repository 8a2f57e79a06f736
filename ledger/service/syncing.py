"""Bringing the index up to date: the chain's events, the own log, verified copies of others'.

Reads take the fast path: as long as neither the embedded chain nor the own log has moved, nothing is opened but the
index. A node behind a URL is asked only when `sync` is, so what a read answers is true to the block that it names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ledger.chain.interface import Reader
from ledger.core.errors import LedgerError, Unavailable
from ledger.index.sync import SyncReport
from ledger.service.attached import public_attachments
from ledger.service.context import Context
from ledger.service.results import Synced
from ledger.service.times import format_time
from ledger.store.budget import Budget
from ledger.store.mirror import Mirror
from ledger.store.source import LogSource, open_source


class Logs:
    """The logs of a workspace as the index reads them (index.feeds.LogFeed)."""

    def __init__(self, context: Context, reader: Reader) -> None:
        self._context = context
        self._reader = reader
        self._followed = {bytes.fromhex(each.log): each for each in context.config.follow}
        self._mirrors: dict[bytes, Mirror] = {}
        self.problems: dict[bytes, LedgerError] = {}

    def available(self, log_id: bytes) -> bool:
        """Tell whether this log is read here: the own one, those followed, and those with a verified copy."""
        if log_id == self._context.log_id or log_id in self._followed:
            return True
        return (self._context.workspace.mirrors / log_id.hex() / "head").exists()

    def entries(self, log_id: bytes, start: int, stop: int) -> Iterator[bytes]:
        """Yield entries [start, stop) of a log."""
        if log_id == self._context.log_id:
            self._context.log.refresh()
            return self._context.log.entries(start, stop)
        mirror = self._mirror(log_id)
        if mirror.size < stop:
            error = self.problems.get(log_id)
            raise error or Unavailable(
                f"log {log_id.hex()[:12]}: {mirror.size} entries are here, {stop} are anchored"
            )
        return mirror.entries(start, stop)

    def attachment(self, log_id: bytes, sha256_hex: str) -> bytes | None:
        """Return a public attachment, fetched once and kept."""
        if log_id == self._context.log_id:
            return public_attachments(self._context).get(sha256_hex)
        kept = self._mirror(log_id).attachments
        data = kept.get(sha256_hex)
        if data is None:
            try:
                with self._source(log_id, Budget()) as source:
                    data = source.attachment(sha256_hex)
            except LedgerError:
                return None
            if data is not None:
                kept.put(data)
        return data

    def own_logs(self) -> list[bytes]:
        """Return the log that this workspace writes."""
        return [self._context.log_id]

    def pending(self, log_id: bytes) -> tuple[int, int] | None:
        """Return what the own log holds beyond its anchored head."""
        if log_id != self._context.log_id:
            return None
        self._context.log.refresh()
        head = self._reader.log_head(log_id)
        return (head.size if head else 0, self._context.log.size)

    def update(self, log_ids: Iterable[bytes]) -> None:
        """Extend the copies of these logs to their anchored heads; what fails is kept in `problems`."""
        for log_id in log_ids:
            head = self._reader.log_head(log_id)
            if head is None:
                continue
            try:
                mirror = self._mirror(log_id)
                if mirror.size >= head.size:
                    mirror.require_extends(head.size, head.root)
                    continue
                with self._source(log_id, Budget()) as source:
                    mirror.extend(source, head.size, head.root, on_wait=self._context.notify)
            except LedgerError as error:
                self.problems[log_id] = error

    def followed(self) -> list[bytes]:
        """Return the ids of the logs that are followed."""
        return list(self._followed)

    def _mirror(self, log_id: bytes) -> Mirror:
        if log_id not in self._mirrors:
            self._mirrors[log_id] = Mirror.of(self._context.workspace.mirrors, log_id)
        return self._mirrors[log_id]

    def _source(self, log_id: bytes, budget: Budget) -> LogSource:
        followed = self._followed.get(log_id)
        if followed is not None and followed.location:
            return open_source(self._context.workspace.resolve(followed.location), named=True, budget=budget)
        location = self._context.index.log_location(log_id)
        if not location:
            raise Unavailable(
                f"log {log_id.hex()[:12]}: its owner says nowhere on chain that it is served",
                hint="ask for it, then: dataledger follow PARTY --from FOLDER|URL",
            )
        return open_source(location, named=False, budget=budget)


def refresh(context: Context) -> SyncReport:
    """Bring the index up to date with the chain and every log that is read here."""
    index, reader = context.index, context.reader
    logs = Logs(context, reader)
    logs.update(logs.followed())
    report = index.sync(reader, logs, progress=context.progress)
    announced = [log_id for log_id in index.missing_logs(context.address) if index.log_location(log_id)]
    if announced:
        logs.update(announced)
        report = index.sync(reader, logs, progress=context.progress)
    for log_id, error in logs.problems.items():
        context.notify(f"log {log_id.hex()[:12]}: {error}")
    return report


def sync(context: Context, *, rebuild: bool = False, digest: bool = False) -> Synced:
    """Bring the index up to date, or forget it and build it anew, and say how it stands."""
    with context.writing():
        if rebuild:
            context.rebuild_index()
        report = refresh(context)
    index = context.index
    return Synced(
        to_block=report.head.number,
        to_time=format_time(report.head.time_unix_s),
        applied=report.applied,
        rejected=report.rejected,
        findings=report.findings,
        missing_logs=[log_id.hex() for log_id in index.missing_logs(context.address)],
        state_digest=index.state_digest().hex() if digest else "",
    )


def is_stale(context: Context) -> bool:
    """Tell whether something may be new: cheap, and a node is asked only for an index that was never filled."""
    index = context.index
    head = index.head
    if head is None or index.own_log_size(context.log_id) != context.log.size:
        return True
    return context.embedded and context.reader.head().hash != head.hash
