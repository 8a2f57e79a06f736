"""One at a time: advisory locks between processes and threads, by flock(2).

The kernel drops a flock when its holder dies, however it dies, so a killed process never blocks the next
one and there is no stale lock to clean up. The lock file itself is never removed: removing it would let two
processes hold locks on two different files of one name. POSIX only.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import math
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ledger.core.errors import Locked, Unavailable
from ledger.store.files import PRIVATE_FILE, translating

DEFAULT_WAIT_S = 60.0
_FIRST_PAUSE_S = 0.001
_LONGEST_PAUSE_S = 0.05
_MESSAGE_AFTER_S = 0.5


@contextlib.contextmanager
def exclusive(
    path: Path,
    what: str,
    wait_s: float = DEFAULT_WAIT_S,
    on_wait: Callable[[str], None] | None = None,
) -> Iterator[None]:
    """Hold the lock file `path` (created if missing) while the body runs.

    `what` names the thing locked, as in "the log is in use". When it is not free at once, `on_wait` is
    called one time with a sentence to show, after half a second. Raises `Locked` after `wait_s` seconds (0:
    never wait; `math.inf`: no end). Not reentrant: a second `exclusive` in the same thread waits for
    itself.
    """
    with translating(f"locking {what}", path):
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, PRIVATE_FILE)
    try:
        _acquire(fd, path, what, wait_s, on_wait)
        try:
            yield
        finally:
            fcntl.flock(
                fd, fcntl.LOCK_UN
            )  # explicitly: a forked child may still hold a copy of the descriptor
    finally:
        os.close(fd)


def _acquire(fd: int, path: Path, what: str, wait_s: float, on_wait: Callable[[str], None] | None) -> None:
    start = time.monotonic()
    pause = _FIRST_PAUSE_S
    told = on_wait is None
    while not _try(fd, path, what):
        waited = time.monotonic() - start
        if waited >= wait_s:
            hint = "Wait for it to end, or see what it does; a lock never outlives its process."
            raise Locked(f"{what} is in use by {_holder(fd)}; waited {waited:.1f} s", hint=hint)
        if on_wait is not None and not told and waited >= _MESSAGE_AFTER_S:
            limit = "" if math.isinf(wait_s) else f" (up to {wait_s:g} s)"
            on_wait(f"{what} is in use by {_holder(fd)}; waiting{limit}")
            told = True
        time.sleep(min(pause, max(0.0, wait_s - waited)))
        pause = min(pause * 1.5, _LONGEST_PAUSE_S)
    with contextlib.suppress(OSError):  # who holds it is only for messages; a full disk must not matter here
        os.ftruncate(fd, 0)
        os.pwrite(fd, b"%d\n" % os.getpid(), 0)


def _try(fd: int, path: Path, what: str) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno == errno.EINTR:
            return False
        hint = "The workspace must be on a file system that has flock(2)."
        raise Unavailable(f"locking {what}: {error.strerror}: {path}", hint=hint) from error
    return True


def _holder(fd: int) -> str:
    try:
        pid = os.pread(fd, 20, 0).strip().decode("ascii")
    except (OSError, UnicodeDecodeError):
        pid = ""
    return f"process {pid}" if pid.isdigit() else "another process"
