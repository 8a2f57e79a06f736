"""The logs that this workspace reads: its own, and verified copies of others'.

A copy is fetched from where the user said (`follow --from`), else from where its owner announces it on chain.
What is announced is a stranger's word: https only, public addresses only, and within a budget.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ledger.chain.interface import Reader
from ledger.core.errors import LedgerError, Unavailable
from ledger.service.attached import public_attachments
from ledger.service.context import Context
from ledger.store.budget import Budget
from ledger.store.folder import TileFolder
from ledger.store.mirror import Mirror
from ledger.store.source import LogSource, open_source

HURRIED_BYTES = 1 << 28
HURRIED_S = 10.0
"""What may be fetched while another command waits for it; `sync` and `follow` take all the time they need."""


class Logs:
    """The logs of a workspace as the index reads them (index.feeds.LogFeed).

    `hurried`: somebody waits for something else than these logs, so little may be fetched over a network.
    """

    def __init__(self, context: Context, reader: Reader, *, hurried: bool = False) -> None:
        self._context = context
        self._reader = reader
        self._budget = Budget(HURRIED_BYTES, HURRIED_S) if hurried else Budget()
        self._followed = {bytes.fromhex(each.log): each for each in context.config.follow}
        self._mirrors: dict[bytes, Mirror] = {}
        self.problems: dict[bytes, LedgerError] = {}

    def available(self, log_id: bytes) -> bool:
        """Tell whether this log is read here: the own one, those followed, and those with a verified copy."""
        if log_id == self._context.log_id or log_id in self._followed:
            return True
        return has_copy(self._context, log_id)

    def entries(self, log_id: bytes, start: int, stop: int) -> Iterator[bytes]:
        """Yield entries [start, stop) of a log; Unavailable if they are not here."""
        if log_id == self._context.log_id:
            return self._own(stop).entries(start, stop)
        mirror = self._mirror(log_id)
        if mirror.size < stop:
            problem = self.problems.get(log_id)
            raise Unavailable(
                f"{mirror.size} entries are here, {stop} are anchored{f': {problem}' if problem else ''}"
            )
        return mirror.entries(start, stop)

    def attachment(self, log_id: bytes, sha256_hex: str) -> bytes | None:
        """Return a public attachment, fetched once and kept; None if it can't be had."""
        if log_id == self._context.log_id:
            return public_attachments(self._context).get(sha256_hex)
        kept = self._mirror(log_id).attachments
        data = kept.get(sha256_hex)
        if data is None:
            data = self._fetched_attachment(log_id, sha256_hex)
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

    def followed(self) -> list[bytes]:
        """Return the ids of the logs that are followed."""
        return list(self._followed)

    def update(self, log_ids: Iterable[bytes]) -> bool:
        """Extend the copies of these logs to their anchored heads, and tell whether any has grown.

        What fails is kept in `problems`: one log that can't be had is no reason not to read the others.
        """
        grown = False
        for log_id in log_ids:
            try:
                grown = self._extend(log_id) or grown
            except LedgerError as error:
                self.problems[log_id] = error
        return grown

    def _extend(self, log_id: bytes) -> bool:
        head = self._reader.log_head(log_id)
        if head is None:
            return False
        mirror = self._mirror(log_id)
        if mirror.size >= head.size:
            mirror.require_extends(head.size, head.root)
            return False
        with self._source(log_id) as source:
            mirror.extend(source, head.size, head.root, on_wait=self._context.notify)
        return True

    def _own(self, stop: int) -> TileFolder:
        log = self._context.log
        log.refresh()
        if log.size < stop:
            raise Unavailable(
                f"{log.size} entries are here, {stop} are anchored: it was put back to an older state"
            )
        return log

    def _mirror(self, log_id: bytes) -> Mirror:
        if log_id not in self._mirrors:
            self._mirrors[log_id] = Mirror.of(self._context.workspace.mirrors, log_id)
        return self._mirrors[log_id]

    def _source(self, log_id: bytes) -> LogSource:
        followed = self._followed.get(log_id)
        if followed is not None and followed.location:
            location = self._context.workspace.resolve(followed.location)
            return open_source(location, named=True, budget=self._budget)
        announced = self._context.index.log_location(log_id)
        if not announced:
            raise Unavailable(
                "its owner says nowhere on chain that it is served",
                hint="ask for it, then: dataledger follow PARTY --from FOLDER|URL",
            )
        return open_source(announced, named=False, budget=self._budget)

    def checkpoint(self, log_id: bytes, size: int) -> bytes | None:
        """Return the owner's signed checkpoint of an anchored size, unverified; None if it can't be had."""
        if log_id == self._context.log_id:
            return self._context.log.read_checkpoint(size)
        mirror = self._mirror(log_id)
        note = mirror.read_checkpoint(size)
        if note is None:
            try:
                with self._source(log_id) as source:
                    note = source.kept_checkpoint(size)
            except LedgerError:
                return None  # the chain is what counts
            if note is not None:
                mirror.store_checkpoint(size, note)
        return note

    def _fetched_attachment(self, log_id: bytes, sha256_hex: str) -> bytes | None:
        try:
            with self._source(log_id) as source:
                return source.attachment(sha256_hex)
        except LedgerError:
            return None  # the index shows it as missing


def has_copy(context: Context, log_id: bytes) -> bool:
    """Tell whether a verified copy of a log is kept here."""
    return (context.workspace.mirrors / log_id.hex() / "head").exists()


def open_log(context: Context, log_id: bytes) -> TileFolder:
    """Open a log as it is stored here: the own one, or the verified copy of another's."""
    return context.log if log_id == context.log_id else Mirror.of(context.workspace.mirrors, log_id)
