"""How much a stranger may cost: bytes and seconds, shared by everything that is fetched on one errand."""

from __future__ import annotations

import time

from ledger.core.errors import Unavailable

DEFAULT_BYTES = 1 << 32
DEFAULT_SECONDS = 600.0


class Budget:
    """Counts down bytes, and seconds from when it is made. What goes beyond raises `Unavailable`."""

    def __init__(self, max_bytes: int = DEFAULT_BYTES, seconds: float = DEFAULT_SECONDS) -> None:
        self._bytes_left = self._bytes = max_bytes
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds

    def spend(self, count: int) -> None:
        """Take `count` bytes, if there are so many left."""
        self._bytes_left -= count
        if self._bytes_left < 0:
            raise Unavailable(
                f"more than the {self._bytes:,} bytes allowed for this", hint="Allow more and repeat."
            )

    def seconds_left(self) -> float:
        """Return the seconds left, more than zero."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise Unavailable(
                f"more than the {self._seconds:g} s allowed for this", hint="Allow more and repeat."
            )
        return left
