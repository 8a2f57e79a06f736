"""The first two passes of an import: where every event stands, what is one dataset, who made and read what.

The third pass, from runs to drafts, is `openlineage`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from ledger.core.errors import FormatError
from ledger.formats.openlineage_events import Event
from ledger.formats.openlineage_facets import Named, Stated
from ledger.formats.openlineage_names import Groups, Names
from ledger.formats.openlineage_read import ReadEvent, Refusal, read_events
from ledger.formats.openlineage_runs import Merged, lineage_of
from ledger.formats.openlineage_shapes import Owner
from ledger.formats.openlineage_table import EventSource, EventTable
from ledger.formats.openlineage_timeline import Timeline, Write
from ledger.formats.text import printable

MAX_UNKEPT = 10_000
"""How many different facets are counted apart; the rest are counted together."""

Refuse = Callable[[Refusal], None]


class Survey:
    """What is known of a set of events: `read` every source, then `close`.

    `table` holds the events of runs; `statics` those of declarations, a "run" being all events about one
    job or dataset. `unkept` counts what stays in the original events only.
    """

    def __init__(self, refuse: Refuse) -> None:
        self._refuse = refuse
        sources: list[EventSource] = []
        self.table = EventTable(sources)
        self.statics = EventTable(sources)
        self.names = Names()
        self.unkept: Counter[str] = Counter()
        self.events = 0
        self.skipped: set[int] = set()
        self._owners: dict[int, tuple[int, bytes, tuple[Owner, ...]]] = {}

    def read(self, source: EventSource) -> None:
        """First pass over one source."""
        self.table.sources.append(source)
        for found in read_events(source.name, source.chunks()):
            if isinstance(found, Refusal):
                self._refuse(found)
            else:
                self._take(found)

    def close(self) -> tuple[Groups, Timeline]:
        """Second pass: merge each run and note what it made and read."""
        run_ids = self.table.close()
        self.statics.close()
        groups = self.names.groups()
        timeline = Timeline(run_ids)
        above: dict[str, int] = {}  # parents that have no events
        for run in range(len(run_ids)):
            merged = Merged(stored.event for stored in self.table.load(run))
            if len(merged.jobs) > 1:
                self.unkept["run under more than one job name, the last is kept"] += 1
            try:
                self._note(run, merged, groups, timeline, above)
            except FormatError as error:
                name, offset = self.table.first(run)
                self.skipped.add(run)
                self._refuse(Refusal(name, 0, offset, f"run {printable(merged.run_id)}: {error}"))
        timeline.close()
        return groups, timeline

    def owners(self, groups: Groups) -> dict[int, tuple[Owner, ...]]:
        """Return the owners of each dataset that has any, as the last event to name them has it."""
        latest: dict[int, tuple[int, bytes, tuple[Owner, ...]]] = {}
        for number, said in self._owners.items():
            group = groups.of_number(number)
            latest[group] = max(latest.get(group, said), said, key=lambda each: each[:2])
        return {group: owners for group, (_, _, owners) in latest.items() if owners}

    def _take(self, found: ReadEvent) -> None:
        event = found.event
        self.events += 1
        self._name(event, found.digest)
        for facet in event.unkept:
            if facet in self.unkept or len(self.unkept) < MAX_UNKEPT:
                self.unkept[facet] += 1
            else:
                self.unkept["others"] += 1
        if event.kind == "run":
            self.table.add(event.run_id, found.offset, found.data, found.digest, event)
        else:
            about = event.job if event.kind == "job" else event.outputs[0].identity
            self.statics.add("\0".join((event.kind, *about)), found.offset, found.data, found.digest, event)

    def _name(self, event: Event, digest: bytes) -> None:
        for named in event.inputs:
            self._name_dataset(named, event.time, digest)
        for named in event.outputs:
            self._name_dataset(named, event.time, digest)
            for column in named.columns or ():
                self.names.number(column.source)
            if named.renamed_from is not None:
                self.names.number(named.renamed_from)
            if named.stated is not None:
                self._name_stated(named.stated)
        for stated in event.stated or ():
            self._name_stated(stated)
        for source in event.consumed:
            self.names.number(source)

    def _name_dataset(self, named: Named, time: int, digest: bytes) -> None:
        number = self.names.number(named.identity)
        for other in named.symlinks:
            self.names.link(number, self.names.number(other, direct=False))
        if named.owners is not None:
            said = (time, digest, named.owners)
            self._owners[number] = max(self._owners.get(number, said), said, key=lambda each: each[:2])

    def _name_stated(self, stated: Stated) -> None:
        self.names.number(stated.target)
        for source in stated.sources:
            self.names.number(source)

    def _note(
        self, run: int, merged: Merged, groups: Groups, timeline: Timeline, above: dict[str, int]
    ) -> None:
        lineage = lineage_of(merged, groups)
        parent = run
        if merged.parent is not None:
            over = merged.parent.root_run_id or merged.parent.run_id
            number = self.table.number(over)
            parent = above.setdefault(over, len(timeline) + len(above)) if number is None else number
        timeline.note(
            run,
            began=merged.end if merged.began is None else merged.began,
            end=merged.end,
            parent=parent,
            writes=[Write(o.group, o.version, o.version_at_start) for o in lineage.outputs if o.makes],
            reads=[(each.group, each.version) for each in lineage.inputs if not each.made_here],
        )
