"""What feeds the index: a chain to read events from, and logs to read entries from.

The index imports neither `chain` nor `store`; the service hands it objects that fit these protocols.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from ledger.core.chain_facts import BlockRef, ChainEvent


class ChainFeed(Protocol):
    """The chain as the index reads it."""

    def head(self) -> BlockRef:
        """Return the newest block."""

    def final_number(self) -> int:
        """Return the number of the last block that counts as final, -1 if none does."""

    def block(self, number: int) -> BlockRef | None:
        """Return a block by its number, None beyond the head."""

    def events(self, start: int, stop: int) -> Iterator[ChainEvent]:
        """Yield the events of the blocks [start, stop) in order."""


class LogFeed(Protocol):
    """The logs as the index reads them: this party's own, and the copies of others' that it follows."""

    def available(self, log_id: bytes) -> bool:
        """Tell whether this log (id of 32 bytes) is to be read at all."""

    def entries(self, log_id: bytes, start: int, stop: int) -> Iterator[bytes]:
        """Yield the entries [start, stop); Unavailable if they can't be had."""

    def attachment(self, log_id: bytes, sha256_hex: str) -> bytes | None:
        """Return a public attachment served beside the log, None if it is not there."""

    def own_logs(self) -> Sequence[bytes]:
        """Return the ids of the logs that this party writes, whether or not anything is anchored in them."""

    def pending(self, log_id: bytes) -> tuple[int, int] | None:
        """Return the positions [start, stop) of an own log beyond its last anchor; None for others' logs."""
