"""Verifying every signature in a log, however long: batches are under way on all cores, and few at a time.

Who verifies is the caller's business (processes, as a rule: what is not arithmetic would wait for Python's
lock in threads). Bytes in, failures out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct, field

from ledger.audit.logs import Failure, StoredLog
from ledger.core.errors import Corrupt

Verify = Callable[[Sequence[bytes]], Callable[[], list[str]]]
"""Begins to verify a batch; what it returns gives, for each entry, what is wrong with it, or nothing."""

BATCH = 1024
BATCH_BYTES = 2 << 20
"""Entries and bytes after which a batch is full; bundles of 256 are not cut."""

AHEAD = 6
"""Batches that may be under way: enough for the cores, few enough for memory."""

MOST = 1000
"""Failures that are named; of more, only the number is kept."""


class Verified(Struct):
    """How many entries were verified, how many of them are wrong, and the first of those."""

    entries: int = 0
    wrong: int = 0
    failures: list[Failure] = field(default_factory=list)


def audit_signatures(
    log: StoredLog,
    verify: Verify,
    *,
    start: int = 0,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Verified:
    """Verify the signatures of all entries from `start` on; return what is not as it should be.

    An entry that is no envelope at all is wrong too. What can't be read ends it: `audit_log` names that.
    """
    found = Verified()
    under_way: deque[tuple[int, Callable[[], list[str]]]] = deque()

    def collect(most: int) -> None:
        while len(under_way) > most:
            at, promise = under_way.popleft()
            faults = promise()
            for entry, text in enumerate(faults, at):
                if text and found.wrong < MOST:
                    found.failures.append(Failure("entry-invalid", entry, text))
                found.wrong += bool(text)
            found.entries += len(faults)
            progress(at + len(faults), log.size)

    for at, batch in _batches(log, start):
        under_way.append((at, verify(batch)))
        collect(AHEAD)
    collect(0)
    return found


def _batches(log: StoredLog, start: int) -> Iterator[tuple[int, list[bytes]]]:
    """Yield entries in batches, with the number of the first, as far as they can be read."""
    batch: list[bytes] = []
    size = 0
    try:
        for bundle in log.bundles(start, log.size):
            batch += bundle
            size += sum(map(len, bundle))
            if len(batch) >= BATCH or size >= BATCH_BYTES:
                yield start, batch
                start, batch, size = start + len(batch), [], 0
    except Corrupt:
        pass
    if batch:
        yield start, batch
