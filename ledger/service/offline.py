"""What the index can be fed without a node: the own log's pending records, on top of the chain as it was
known.

Without them, who writes twice while the node is away would build the second record on what was there before
the first.
"""

from __future__ import annotations

from collections.abc import Iterator

from ledger.core.chain_facts import BlockRef, ChainEvent
from ledger.index import Index
from ledger.service.attached import public_attachments
from ledger.service.context import Context


class KnownChain:
    """The chain as far as the index knows it (index.feeds.ChainFeed): nothing on it is new."""

    def __init__(self, index: Index, head: BlockRef) -> None:
        self._head = head
        self._final = index.final

    def head(self) -> BlockRef:
        """Return the block that the last sync went to."""
        return self._head

    def final_number(self) -> int:
        """Return the number of the last block that was final then, -1 if none was."""
        return self._final

    def block(self, number: int) -> BlockRef | None:
        """Return the head; of other blocks nothing is to be found out."""
        return self._head if number == self._head.number else None

    def events(self, start: int, stop: int) -> Iterator[ChainEvent]:  # noqa: ARG002 - as the protocol has it
        """Yield nothing."""
        return iter(())


class OwnLog:
    """The own log alone (index.feeds.LogFeed).

    No log counts as one that can be had by now: the index would go back to where it was missing, and there
    would be no chain to go on from.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    def available(self, log_id: bytes) -> bool:  # noqa: ARG002 - as the protocol has it
        """Tell that nothing anchored is to be read."""
        return False

    def entries(self, log_id: bytes, start: int, stop: int) -> Iterator[bytes]:  # noqa: ARG002 - the same
        """Yield entries [start, stop) of the own log."""
        return self._context.log.entries(start, stop)

    def attachment(self, log_id: bytes, sha256_hex: str) -> bytes | None:
        """Return a public attachment of an own log, None if it is not there."""
        return (
            public_attachments(self._context, log_id).get(sha256_hex)
            if log_id in self._context.own_logs
            else None
        )

    def own_logs(self) -> list[bytes]:
        """Return the id of the own log."""
        return [self._context.log_id]

    def pending(self, log_id: bytes) -> tuple[int, int]:
        """Return what the own log holds beyond what anchors confirm, as far as they are known."""
        self._context.log.refresh()
        confirmed = self._context.index.confirmed(log_id)
        return (confirmed[0] if confirmed else 0, self._context.log.size)
