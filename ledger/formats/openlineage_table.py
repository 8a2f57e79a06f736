"""Where every event stands, in 75 bytes each: so that a million of them can be merged without holding one.

The files are read again for that, so a source gives bytes from any offset. Each event's bytes are compared
with the hash noted when it was checked: a file that changes in between is noticed.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Protocol

from msgspec import Struct

from ledger.core.errors import FormatError
from ledger.core.hashing import HASH_SIZE, sha256
from ledger.formats.openlineage_events import Event, decode_event


class EventSource(Protocol):
    """A file of events, or what stands for one. `name` is for messages only."""

    @property
    def name(self) -> str: ...

    def chunks(self) -> Iterable[bytes]:
        """Give all bytes from the start, in pieces of any size."""
        ...

    def read(self, offset: int, length: int) -> bytes:
        """Give `length` bytes from `offset`."""
        ...


class BytesSource(Struct, frozen=True):
    """Events held in memory."""

    name: str
    data: bytes

    def chunks(self) -> Iterable[bytes]:
        """Give all bytes at once."""
        return (self.data,)

    def read(self, offset: int, length: int) -> bytes:
        """Give `length` bytes from `offset`."""
        return self.data[offset : offset + length]


class Stored(Struct, frozen=True, gc=False):
    """An event read again: its digest, its bytes and what they say."""

    digest: bytes
    data: bytes
    event: Event


class EventTable:
    """The events of runs, by run. Runs are numbers from 0 in the order of their first event.

    `sources` is a list that grows while the table is filled, and may be shared with another table.
    """

    def __init__(self, sources: list[EventSource]) -> None:
        self.sources = sources
        self._runs: dict[str, int] = {}
        self._run = array("I")
        self._source = array("I")
        self._offset = array("Q")
        self._length = array("I")
        self._time = array("q")
        self._rank = bytearray()
        self._check = array("Q")
        self._digests = bytearray()
        self._starts: Sequence[int] = ()
        self._by_run = array("I")

    def __len__(self) -> int:
        return len(self._run)

    @property
    def runs(self) -> int:
        """How many runs there are."""
        return len(self._runs)

    def add(self, run_id: str, offset: int, data: bytes, digest: bytes, event: Event) -> None:
        """Note an event of the last source."""
        self._run.append(self._runs.setdefault(run_id, len(self._runs)))
        self._source.append(len(self.sources) - 1)
        self._offset.append(offset)
        self._length.append(len(data))
        self._time.append(event.time)
        self._rank.append(event.rank)
        self._check.append(_check(data))
        self._digests += digest

    def close(self) -> list[str]:
        """Sort the events by run; return the run ids, by number."""
        counts = [0] * (len(self._runs) + 1)
        for run in self._run:
            counts[run + 1] += 1
        self._starts = array("Q", accumulate(counts))
        free = array("Q", self._starts)
        self._by_run = array("I", bytes(4 * len(self._run)))
        for event, run in enumerate(self._run):
            self._by_run[free[run]] = event
            free[run] += 1
        return list(self._runs)

    def number(self, run_id: str) -> int | None:
        """Return the number of a run, None for one without events."""
        return self._runs.get(run_id)

    def load(self, run: int) -> Iterator[Stored]:
        """Read the distinct events of a run again, one by one, in the order in which they are merged."""
        for event in self._distinct(run):
            yield self._reread(event)

    def by_time(self) -> list[int]:
        """Return all runs in the order of their last events."""
        last = [self._distinct(run)[-1] for run in range(self.runs)]
        return sorted(range(self.runs), key=lambda run: (self._time[last[run]], self._digest(last[run])))

    def last(self, run: int) -> Stored:
        """Read the last event of a run again."""
        return self._reread(self._distinct(run)[-1])

    def first(self, run: int) -> tuple[str, int]:
        """Return where the first event of a run stands: the name of its source, and the offset."""
        event = self._distinct(run)[0]
        return self.sources[self._source[event]].name, self._offset[event]

    def digests(self, run: int) -> set[bytes]:
        """Return the digests of the distinct events of a run."""
        return {self._digest(event) for event in self._events(run)}

    def _distinct(self, run: int) -> list[int]:
        events: Iterable[int] = self._events(run)
        if self._starts[run + 1] - self._starts[run] > 1:
            # of equal events that are spelt differently always the same one, wherever it stands
            chosen: dict[bytes, int] = {}
            for event in sorted(events, key=self._check.__getitem__):
                chosen.setdefault(self._digest(event), event)
            events = chosen.values()
        return sorted(events, key=lambda event: (self._time[event], self._rank[event], self._digest(event)))

    def _events(self, run: int) -> array[int]:
        return self._by_run[self._starts[run] : self._starts[run + 1]]

    def _digest(self, event: int) -> bytes:
        return bytes(self._digests[HASH_SIZE * event : HASH_SIZE * (event + 1)])

    def _reread(self, event: int) -> Stored:
        source, offset = self.sources[self._source[event]], self._offset[event]
        data = source.read(offset, self._length[event])
        if _check(data) != self._check[event]:
            raise FormatError(
                f"{source.name}: the event at byte {offset} changed while the file was read",
                hint="import a copy of the file that nothing writes to",
            )
        return Stored(self._digest(event), data, decode_event(data))


def _check(data: bytes) -> int:
    return int.from_bytes(sha256(data)[:8], "big")
