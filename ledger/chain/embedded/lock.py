"""One writer at a time: an exclusive lock beside the chain's file.

Two processes on one chain silently lost 19 of 40 transactions: each built its block on the same parent. The
lock covers reading the head, running the block and writing it. It is flock(2): it dies with its process, so
there is no stale lock to clear, and the file beside the chain stays.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.core.errors import Locked, Unavailable

WAIT_S = 60.0
_FIRST_PAUSE_S = 0.005
_LONGEST_PAUSE_S = 0.1
_SILENT_S = 0.5


@contextmanager
def exclusive(path: Path, *, wait_s: float, on_wait: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock on `path` (made if missing) for the body; Locked after waiting `wait_s` seconds in vain.

    `on_wait` is told once, when the waiting takes long enough for a person to notice.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise Unavailable(f"{path}: can't be opened to lock the chain: {error.strerror}") from None
    try:
        _acquire(descriptor, path, wait_s, on_wait)
        yield
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, path: Path, wait_s: float, on_wait: Callable[[str], None]) -> None:
    started = time.monotonic()
    pause, told = _FIRST_PAUSE_S, False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waited = time.monotonic() - started
        except OSError as error:
            raise Unavailable(f"{path}: the chain can't be locked: {error.strerror}") from None
        else:
            return
        if waited >= wait_s:
            raise Locked(
                f"{path}: another process has been writing to the chain for {waited:.0f} s",
                hint="Wait for it to end, then try again.",
            )
        if waited >= _SILENT_S and not told:
            on_wait("waiting for another process that is writing to the embedded chain")
            told = True
        time.sleep(min(pause, wait_s - waited + 0.001))
        pause = min(pause * 2, _LONGEST_PAUSE_S)
