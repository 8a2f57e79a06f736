"""Verifying every signature in a log, however long: batches are under way on all cores, and few at a time.

Who verifies is the caller's business (processes, as a rule: what is not arithmetic would wait for Python's
lock in threads). Bytes in, failures out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence

from ledger.audit.logs import Failure, StoredLog
from ledger.core.errors import Corrupt

Verify = Callable[[Sequence[bytes]], Callable[[], list[str]]]
"""Begins to verify a batch; what it returns gives, for each entry, what is wrong with it, or nothing."""

BATCH = 1024
AHEAD = 6
"""Batches that may be under way: enough for the cores, few enough for memory."""


def audit_signatures(
    log: StoredLog,
    verify: Verify,
    *,
    start: int = 0,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[Failure]:
    """Verify the signatures of all entries from `start` on; return those that are not what they should be.

    An entry that is no envelope at all is one of them. What can't be read ends it: `audit_log` names that.
    """
    failures: list[Failure] = []
    under_way: deque[tuple[int, Callable[[], list[str]]]] = deque()

    def collect(most: int) -> None:
        while len(under_way) > most:
            at, promise = under_way.popleft()
            faults = promise()
            failures.extend(
                Failure("entry-invalid", entry, text) for entry, text in enumerate(faults, at) if text
            )
            progress(at + len(faults), log.size)

    for at, batch in _batches(log, start):
        under_way.append((at, verify(batch)))
        collect(AHEAD)
    collect(0)
    return failures


def _batches(log: StoredLog, start: int) -> Iterator[tuple[int, list[bytes]]]:
    """Yield entries in batches, with the number of the first, as far as they can be read."""
    batch: list[bytes] = []
    try:
        for bundle in log.bundles(start, log.size):
            batch += bundle
            if len(batch) >= BATCH:
                yield start, batch
                start, batch = start + len(batch), []
    except Corrupt:
        pass
    if batch:
        yield start, batch
