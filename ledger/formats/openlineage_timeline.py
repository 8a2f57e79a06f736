"""In what order runs made versions, and which version a run read.

An event seldom says which version of its input it means, so time has to tell. Runs are ordered by their end,
for that is when an output is complete. A run read, of each input, the newest version by an earlier run that
ended

- before it began; or, for runs of one family (under the same outermost parent: a dbt invocation, a Spark
  application), before it ended: a scheduler that says START for all its runs at once says nothing with it;
- failing both, before it ended.

One exception: a run without any source that lasted while a run of its family wrote the same dataset from
sources (CREATE TABLE AS, with its INSERT inside it) comes before that one. It made the empty table, and as
the last version it would hide where the content came from.

A version that the producer named is the one that a run said to have made under that name. A name that no run
gave is held to mean the version that time chose when it was first read, if nobody else's name means that one.
Built for a million runs: arrays, no object for each.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

from msgspec import Struct

NONE = -1
_LOOK_BACK = 1024
"""How many overlapping writers are asked for their family; more are unheard of."""


class Write(Struct, frozen=True, gc=False):
    """A run makes a version of `group`, under the producer's name for it or none."""

    group: int
    version: str = ""
    version_at_start: bool = False


class Timeline:
    """Runs are numbers from 0; `note` them all, then `close`, then ask."""

    def __init__(self, run_ids: Sequence[str]) -> None:
        self._run_ids = run_ids
        count = len(run_ids)
        self._began = array("q", bytes(8 * count))
        self._end = array("q", bytes(8 * count))
        self._family = array("I", range(count))
        self._sourceless = bytearray(count)
        self._moved = bytearray(count)
        self._writers: dict[int, array[int]] = {}
        self._names: dict[int, list[Write]] = {}  # run -> writes under a name
        self._asks: dict[int, list[tuple[int, str]]] = {}  # run -> reads under a name
        self._position = array("I", bytes(4 * count))
        self._ends: dict[int, array[int]] = {}
        self._made: dict[tuple[int, str], int] = {}
        self._bound: dict[tuple[int, str], int] = {}
        self._unnamed: set[tuple[int, int]] = set()
        self.order: Sequence[int] = ()

    def __len__(self) -> int:
        return len(self._run_ids)

    def run_id(self, run: int) -> str:
        """Return the run id of a run, by its number."""
        return self._run_ids[run]

    def note(
        self,
        run: int,
        *,
        began: int,
        end: int,
        parent: int,
        writes: Iterable[Write],
        reads: Iterable[tuple[int, str]],
    ) -> None:
        """Take down a run: times in microseconds, what it made, what it read as (group, name or empty).

        `parent` is the number of the run above it, the run's own if there is none, and from the number of
        runs upwards for parents that are not themselves among the runs.
        """
        self._began[run], self._end[run], self._family[run] = min(began, end), end, parent
        groups = set()
        for write in writes:
            if write.group not in groups:
                self._writers.setdefault(write.group, array("I")).append(run)
                groups.add(write.group)
            if write.version:
                self._names.setdefault(run, []).append(write)
        sourceless = True
        for group, version in reads:
            sourceless = False
            if version:
                self._asks.setdefault(run, []).append((group, version))
        self._sourceless[run] = sourceless and bool(groups)

    def close(self) -> None:
        """Settle the order of the runs, and what each named version is."""
        self._settle_families()
        for writers in self._writers.values():
            if len(writers) > 1:
                self._move_frames(writers)
        order = sorted(range(len(self._run_ids)), key=self._run_ids.__getitem__)
        order.sort(key=self._began.__getitem__)
        # a frame goes right before what it frames: same end, so the one that was moved first
        order.sort(key=lambda run: 2 * self._end[run] + (not self._moved[run]))
        self.order = array("I", order)
        for position, run in enumerate(order):
            self._position[run] = position
        for group, writers in self._writers.items():
            ordered = sorted(writers, key=self._position.__getitem__)
            self._writers[group] = array("I", ordered)
            self._ends[group] = array("q", (self._end[run] for run in ordered))
        self._settle_names()

    def version_made(self, run: int, write: Write) -> str:
        """Return the name of the version that a run made: the producer's, unless it names the one before."""
        return "" if (run, write.group) in self._unnamed else write.version

    def maker(self, run: int, group: int, version: str = "") -> int:
        """Return the earlier run that made the version which `run` read of `group`; NONE if none did."""
        if not version:
            return self._by_time(run, group)
        made = self._made.get((group, version))
        if made is None:
            return self._bound.get((group, version), NONE)
        return made if self._position[made] < self._position[run] else NONE

    def is_made(self, group: int) -> bool:
        """Tell whether any run made a version of the dataset."""
        return group in self._writers

    def _settle_families(self) -> None:
        parents, count = array("I", self._family), len(self._family)
        settled = bytearray(count)
        for run in range(count):
            path: list[int] = []
            at = run
            while at < count and not settled[at] and parents[at] != at:
                settled[at] = 1
                path.append(at)
                at = parents[at]
            if at < count and at in path:
                top = min(path[path.index(at) :])  # hostile: they are each other's parents
            else:
                top = self._family[at] if at < count else at
            for each in path:
                self._family[each] = top

    def _move_frames(self, writers: array[int]) -> None:
        inside: dict[int, list[int]] = {}  # family -> ends of the runs that wrote from sources
        for run in writers:
            if not self._sourceless[run]:
                inside.setdefault(self._family[run], []).append(self._end[run])
        for ends in inside.values():
            ends.sort()
        for run in writers:
            ends = inside.get(self._family[run], []) if self._sourceless[run] else []
            at = bisect_left(ends, self._began[run])
            if at < len(ends) and ends[at] <= self._end[run]:
                self._end[run], self._moved[run] = ends[at], 1

    def _settle_names(self) -> None:
        for run in self.order:
            own = self._asks.get(run, ())
            for write in self._names.get(run, ()):
                key = (write.group, write.version)
                # the state it started from, not the one it made: read by itself, or told at START and known
                if key in own or (write.version_at_start and key in self._made):
                    self._unnamed.add((run, write.group))
                else:
                    self._made.setdefault(key, run)
        named = {(group, run) for (group, _), run in self._made.items()}
        for run in self.order:
            for group, version in self._asks.get(run, ()):
                key = (group, version)
                if key in self._made or key in self._bound:
                    continue
                # what the first reader found; nothing, or what has another name: it came from outside
                maker = self._by_time(run, group)
                self._bound[key] = NONE if (group, maker) in named else maker
                named.add((group, maker))

    def _by_time(self, run: int, group: int) -> int:
        writers = self._writers.get(group)
        if writers is None:
            return NONE
        earlier = bisect_left(writers, self._position[run], key=self._position.__getitem__)
        if not earlier:
            return NONE
        before = bisect_right(self._ends[group], self._began[run], 0, earlier)
        for at in range(earlier - 1, max(before, earlier - _LOOK_BACK) - 1, -1):
            if self._family[writers[at]] == self._family[run]:
                return writers[at]
        return writers[before - 1] if before else writers[earlier - 1]
