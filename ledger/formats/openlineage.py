"""OpenLineage events in: from files of events to drafts of what to record.

Pure: bytes come from `EventSource`s, drafts go out, nothing is written. Three passes keep memory bounded by
some 100 bytes an event and 200 a run, whatever the size of the events: the first checks every event and
notes where it stands, the second merges run by run and notes who made and read what (both in
`openlineage_survey`), the third reads the events of each run again and yields its draft. The rules are
elsewhere: `openlineage_events` (what an event must be), `openlineage_names` (what is one dataset),
`openlineage_runs` (merging, and what is whose source), `openlineage_timeline` (which version),
`openlineage_drafts` (what to do with a draft).

The drafts depend on the set of distinct events and on nothing else: not on files, order, layout or
repetition.

Job events and dataset events declare lineage that nobody ran. The latest one of a job or dataset counts.
Where it names sources of outputs that no run of the import makes, it becomes a `static` run, before all
others. A dataset event is kept with its dataset; a job event that declares nothing of the kind is only
counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter

from ledger.core.records import ColumnEdge, Component, Edge
from ledger.formats import openlineage_drafts as drafts
from ledger.formats.openlineage_facets import MAX_NAME, line
from ledger.formats.openlineage_names import Groups, as_aliases, distinct_path, proposed_paths
from ledger.formats.openlineage_runs import Lineage, Merged, RunInput, lineage_of, restrict
from ledger.formats.openlineage_survey import Refuse, Survey
from ledger.formats.openlineage_table import EventSource, Stored
from ledger.formats.openlineage_timeline import NONE, Timeline, Write
from ledger.formats.times import format_time


def plan_import(sources: Iterable[EventSource], *, refuse: Refuse) -> Import:
    """Read all sources and return what there is to record; `refuse` is called for whatever is left out."""
    survey = Survey(refuse)
    for source in sources:
        survey.read(source)
    return Import(survey, *survey.close())


class Import:
    """What a set of events says: datasets, runs, and what had no place in either.

    `unkept` counts what stays in the original events only: `input.dataSource` and the like. `events` is how
    many events were read, repetitions included.
    """

    def __init__(self, survey: Survey, groups: Groups, timeline: Timeline) -> None:
        self.unkept: Counter[str] = survey.unkept
        self.events = survey.events
        self._table = survey.table
        self._statics = survey.statics
        self._skipped = survey.skipped
        self._groups = groups
        self._timeline = timeline
        self._static_numbers: dict[str, int] = {}
        self._static_ranks: dict[str, int] = {}
        self._static_makers: dict[int, str] = {}
        self._dataset_events: dict[int, list[int]] = {}
        self._read_statics()
        self.datasets = self._datasets(survey)

    @property
    def run_count(self) -> int:
        """How many drafts `runs` yields."""
        return len(self._static_numbers) + len(self._timeline) - len(self._skipped)

    def runs(self) -> Iterator[drafts.RunDraft]:
        """Yield the runs, each after those whose versions it names; can be called again."""
        for static in self._static_numbers.values():
            yield self._static_draft(self._statics.last(static))
        for number in self._timeline.order:
            if number not in self._skipped:
                yield self._draft(number)

    def original(self, run: drafts.RunDraft) -> Iterator[bytes]:
        """Yield the original events of a run as one JSON document, in pieces; for a private attachment.

        It is the event as it came, or an array of all distinct ones in the order of time.
        """
        if run.static:
            return iter((self._statics.last(self._static_numbers[run.run_id]).data,))
        number = self._table.number(run.run_id)
        if number is None:
            return iter(())
        return _as_document((stored.data for stored in self._table.load(number)), run.events)

    def dataset_original(self, position: int) -> Iterator[bytes]:
        """Yield the dataset events kept with a dataset in the same form; nothing where there are none."""
        numbers = self._dataset_events.get(position, [])
        return _as_document((self._statics.last(number).data for number in numbers), len(numbers))

    def _datasets(self, survey: Survey) -> list[drafts.DatasetDraft]:
        owners = survey.owners(self._groups)
        paths = proposed_paths(names[0] for names in self._groups.aliases)
        return [
            drafts.DatasetDraft(
                aliases=as_aliases(names),
                path=path,
                path_if_taken=distinct_path(names[0]),
                owners=owners.get(at, ()),
                events=len(self._dataset_events.get(at, ())),
            )
            for at, (names, path) in enumerate(zip(self._groups.aliases, paths, strict=True))
        ]

    def _read_statics(self) -> None:
        steps: list[tuple[int, str, Lineage]] = []  # number, run id, and what it declares, by time
        for number in self._statics.by_time():
            stored = self._statics.last(number)
            if stored.event.kind == "dataset":
                about = self._groups(stored.event.outputs[0].identity)
                self._dataset_events.setdefault(about, []).append(number)
            lineage = self._static_lineage(stored)
            if lineage.outputs:
                steps.append((number, _static_run(stored), lineage))
            elif stored.event.kind == "job":
                self.unkept["job event that declares no lineage of its own"] += 1
        for number, run_id in _after_their_sources(steps):
            self._static_ranks[run_id] = len(self._static_numbers)
            self._static_numbers[run_id] = number
        for _, run_id, lineage in steps:
            self._static_makers.update((each.group, run_id) for each in lineage.outputs)

    def _static_lineage(self, stored: Stored) -> Lineage:
        whole = lineage_of(Merged([stored.event]), self._groups)
        free = {each.group for each in whole.outputs if not self._timeline.is_made(each.group)}
        return restrict(whole, free)

    def _static_draft(self, stored: Stored) -> drafts.RunDraft:
        merged = Merged([stored.event])
        merged.run_id = _static_run(stored)
        return self._assemble(merged, self._static_lineage(stored), {stored.digest}, NONE)

    def _draft(self, number: int) -> drafts.RunDraft:
        merged = Merged(stored.event for stored in self._table.load(number))
        lineage = lineage_of(merged, self._groups)
        return self._assemble(merged, lineage, self._table.digests(number), number)

    def _assemble(
        self, merged: Merged, lineage: Lineage, digests: set[bytes], number: int
    ) -> drafts.RunDraft:
        static = number == NONE
        namespace, name = merged.job
        return drafts.RunDraft(
            run_id=merged.run_id,
            digest=drafts.run_digest(digests),
            component=Component(
                name=name or merged.producer or "openlineage", namespace=namespace, version=merged.job_version
            ),
            outcome=merged.outcome,
            started="" if merged.started is None else format_time(merged.started),
            ended="" if merged.ended is None else format_time(merged.ended),
            inputs=[self._input(merged, lineage, each, number) for each in lineage.inputs],
            outputs=[
                drafts.OutputDraft(
                    dataset=each.group,
                    makes=each.makes,
                    version=(
                        version := self._version(number, each.group, each.version, each.version_at_start)
                    ),
                    declared=drafts.describe_version(version, merged.run_id) if each.makes else "",
                    fields=each.fields,
                    lifecycle=each.lifecycle,
                )
                for each in lineage.outputs
            ],
            edges=[Edge(*edge) for edge in lineage.edges],
            columns=[ColumnEdge(*column) for column in lineage.columns],
            source=line(f"openlineage:{merged.producer}", MAX_NAME),
            events=len(digests),
            parent=merged.parent,
            owners=merged.owners,
            static=static,
        )

    def _version(self, number: int, group: int, version: str, at_start: bool) -> str:
        return (
            version
            if number == NONE
            else self._timeline.version_made(number, Write(group, version, at_start))
        )

    def _input(self, merged: Merged, lineage: Lineage, each: RunInput, number: int) -> drafts.InputDraft:
        made_by = self._maker(merged, lineage, each, number)
        return drafts.InputDraft(
            dataset=each.group,
            version=each.version,
            declared=drafts.describe_version(each.version, "") if each.version else "",
            made_by=made_by,
            fields=lineage.fields.get(each.group, ()) if each.version else (),
        )

    def _maker(self, merged: Merged, lineage: Lineage, each: RunInput, number: int) -> str:
        if each.made_here and any(output.group == each.group for output in lineage.outputs):
            return merged.run_id
        if number != NONE and not each.made_here:
            made_by = self._timeline.maker(number, each.group, each.version)
            if made_by != NONE:
                return self._timeline.run_id(made_by)
        # a view is what it was declared to be, whoever reads it
        declared = "" if each.version else self._static_makers.get(each.group, "")
        return declared if self._precedes(declared, merged.run_id) else ""

    def _precedes(self, static: str, run_id: str) -> bool:
        if run_id not in self._static_numbers:
            return True
        return self._static_ranks.get(static, 0) < self._static_ranks[run_id]


def _after_their_sources(steps: list[tuple[int, str, Lineage]]) -> list[tuple[int, str]]:
    """Return declarations in the order of time, but those of views after those of what they show."""
    maker = {each.group: at for at, (_, _, lineage) in enumerate(steps) for each in lineage.outputs}
    graph = {
        at: sorted({maker[each.group] for each in lineage.inputs if each.group in maker} - {at})
        for at, (_, _, lineage) in enumerate(steps)
    }
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError:
        order = list(graph)
    return [steps[at][:2] for at in order]


def _static_run(stored: Stored) -> str:
    return drafts.STATIC_RUN + stored.digest.hex()


def _as_document(events: Iterable[bytes], count: int) -> Iterator[bytes]:
    for at, data in enumerate(events):
        if count > 1:
            yield b",\n" if at else b"["
        yield data
    if count > 1:
        yield b"]"
