"""Many events of one run into one run, and what its outputs were made from.

**Merging.** Events are taken by time, then type (START before RUNNING before the end), then digest; how they
arrived does not matter, and equal events count once. Inputs, outputs and entries of a lineage facet of job or
run add up over the events; a facet of a dataset replaces the one that an earlier event gave the same dataset,
as the specification has it. The last of COMPLETE, ABORT and FAIL gives the outcome; without any of them the
run is `running`.

**The lineage rule.** Lose no true source, and invent none where the producer was explicit:

1. A lineage facet that speaks of an output, its own or an entry of the job's or run's, gives all its
   sources, perhaps none: basis STATED.
2. Where a job's or run's facet has entries, but none for this output, the run's inputs are not its sources
   (the specification forbids to infer them); column lineage still is: basis COLUMNS.
3. Otherwise its sources are the datasets of its column lineage and the inputs of the run, together; each
   edge's basis is COLUMNS, INPUTS or both. (dbt leaves seeds and snapshots out of the inputs, and sources
   used only in filters out of the column lineage: only the union is complete.)
4. A rename states its one source, the former name.

A facet without entries, inputs and fields says nothing, and rule 3 holds. Only what was made has edges:
what a failed or aborted run was to make, or a run dropped, was not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Literal, TypeVar

from msgspec import Struct

from ledger.core.errors import FormatError
from ledger.core.records import BASIS_COLUMNS, BASIS_INPUTS, BASIS_STATED, Field
from ledger.formats.openlineage_events import Event, Parent
from ledger.formats.openlineage_facets import Column, Identity, Named, Stated
from ledger.formats.openlineage_shapes import Owner

Outcome = Literal["completed", "failed", "aborted", "running"]

_OUTCOMES: dict[str, Outcome] = {"COMPLETE": "completed", "FAIL": "failed", "ABORT": "aborted"}
DROP = "DROP"
MAX_EDGES = 100_000
"""The most edges of one run: inputs times outputs, where nothing says which came from which."""

_T = TypeVar("_T")


class Merged:
    """What the events of one run say together. Times are in microseconds since 1970; None: not said."""

    def __init__(self, events: Iterable[Event]) -> None:
        """Merge `events`, at least one, which come in the order of this module."""
        self.run_id = ""
        self.job = Identity("", "")
        self.jobs: set[Identity] = set()
        self.producer = ""
        self.began: int | None = None
        self.started: int | None = None
        self.ended: int | None = None
        self.outcome: Outcome = "running"
        self.job_version = ""
        self.parent: Parent | None = None
        self.owners: tuple[Owner, ...] = ()
        self.inputs: dict[Identity, InputFacts] = {}
        self.outputs: dict[Identity, OutputFacts] = {}
        self.stated: dict[Stated, None] = {}
        self.consumed: set[Identity] = set()
        self.explicit = False
        for event in events:
            self._add(event)

    @property
    def end(self) -> int:
        """When the run ended, or else the start: what orders runs that are still going."""
        return (self.began or 0) if self.ended is None else self.ended

    def _add(self, event: Event) -> None:
        self.run_id, self.job, self.producer = event.run_id, event.job, event.producer
        self.jobs.add(event.job)
        if self.began is None:
            self.began = event.time  # the first is the earliest
        if self.started is None and event.type == "START":
            self.started = event.time
        if event.kind != "run":  # a declaration stands for itself
            self.outcome, self.ended = "completed", event.time
        elif event.type in _OUTCOMES:
            self.outcome, self.ended = _OUTCOMES[event.type], event.time
        self.job_version = event.job_version or self.job_version
        self.parent = event.parent or self.parent
        self.owners = self.owners if event.owners is None else event.owners
        self.explicit = self.explicit or event.stated is not None
        self.stated.update(dict.fromkeys(event.stated or ()))
        self.consumed.update(event.consumed)
        for identity, named in _by_identity(event.inputs).items():
            self.inputs.setdefault(identity, InputFacts()).update(named)
        for identity, named in _by_identity(event.outputs).items():
            self.outputs.setdefault(identity, OutputFacts()).update(named, at_start=event.type == "START")
        for stated in event.stated or ():
            self.outputs.setdefault(stated.target, OutputFacts())


class InputFacts:
    """What is known of an input: the names of the versions read, and its columns."""

    def __init__(self) -> None:
        self.versions: set[str] = set()
        self.fields: tuple[Field, ...] = ()

    def update(self, named: Sequence[Named]) -> None:
        """Take over what one event says; a dataset may stand in it twice, with two versions."""
        versions = [each.version for each in named if each.version is not None]
        if versions:
            self.versions = {version for version in versions if version}
        self.fields = _last((each.fields for each in named), self.fields)


class OutputFacts:
    """What is known of an output."""

    def __init__(self) -> None:
        self.version = ""
        self.version_at_start = False
        self.fields: tuple[Field, ...] = ()
        self.lifecycle = ""
        self.renamed_from: Identity | None = None
        self.columns: tuple[Column, ...] = ()
        self.stated: list[Stated] | None = None

    def update(self, named: Sequence[Named], *, at_start: bool) -> None:
        """Take over what one event says; a dataset may stand in it twice."""
        version = _last((each.version for each in named), None)
        if version is not None:
            self.version, self.version_at_start = version, at_start
        self.fields = _last((each.fields for each in named), self.fields)
        changes = [each for each in named if each.lifecycle is not None]
        if changes:
            self.lifecycle, self.renamed_from = changes[-1].lifecycle or "", changes[-1].renamed_from
        columns = [each.columns for each in named if each.columns is not None]
        if columns:
            self.columns = tuple(column for some in columns for column in some)
        stated = [each.stated for each in named if each.stated is not None]
        if stated:
            self.stated = stated


class RunInput(Struct, frozen=True, order=True):
    """Dataset `group` in the version that the producer calls `version`, if it named one.

    `made_here`: another output of the same run was made from what this run made of it.
    """

    group: int
    version: str = ""
    made_here: bool = False


class RunOutput(Struct, frozen=True):
    """Dataset `group` as the run left it. `makes`: there is a version of it that was not there before."""

    group: int
    makes: bool
    version: str
    version_at_start: bool
    fields: tuple[Field, ...]
    lifecycle: str


class Lineage(Struct, frozen=True):
    """A run's lineage in datasets, outputs and inputs by position.

    `edges` are (output, input, basis); `columns` are (output, its field, input, its field, how).
    """

    inputs: list[RunInput]
    fields: dict[int, tuple[Field, ...]]
    outputs: list[RunOutput]
    edges: list[tuple[int, int, int]]
    columns: list[tuple[int, str, int, str, str]]


def restrict(lineage: Lineage, groups: set[int]) -> Lineage:
    """Return the part of a lineage that has edges and ends in outputs of `groups`."""
    kept = [at for at, output in enumerate(lineage.outputs) if output.group in groups]
    kept = [at for at in kept if any(edge[0] == at for edge in lineage.edges)]
    outputs = {at: new for new, at in enumerate(kept)}
    inputs = {at: new for new, at in enumerate(sorted({e[1] for e in lineage.edges if e[0] in outputs}))}
    return Lineage(
        inputs=[lineage.inputs[at] for at in inputs],
        fields=lineage.fields,
        outputs=[lineage.outputs[at] for at in outputs],
        edges=[(outputs[o], inputs[i], basis) for o, i, basis in lineage.edges if o in outputs],
        columns=[(outputs[o], f, inputs[i], g, how) for o, f, i, g, how in lineage.columns if o in outputs],
    )


def lineage_of(run: Merged, group_of: Callable[[Identity], int]) -> Lineage:
    """Apply the lineage rule; `group_of` tells which dataset a name means.

    Raises FormatError if that makes more than MAX_EDGES edges.
    """
    return _Rule(run, group_of).apply()


class _Rule:
    def __init__(self, run: Merged, group_of: Callable[[Identity], int]) -> None:
        self._run = run
        self._group_of = group_of
        self._listed = {group_of(identity) for identity in run.inputs}
        self._facts: dict[int, list[OutputFacts]] = {}
        for identity in sorted(run.outputs):
            self._facts.setdefault(group_of(identity), []).append(run.outputs[identity])
        self._statements: dict[int, list[Stated]] = {}
        for stated in run.stated:
            self._statements.setdefault(group_of(stated.target), []).append(stated)
        for group, facts in self._facts.items():
            own = [stated for each in facts for stated in each.stated or ()]
            if own:
                self._statements.setdefault(group, []).extend(own)

    def apply(self) -> Lineage:
        groups = sorted(self._facts)
        outputs = [self._output(group) for group in groups]
        sources = {group: self._sources(group) for group in groups}
        versions = self._versions()
        here = self._made_here(sources, {each.group for each in outputs if each.makes} - versions.keys())
        inputs = sorted(
            RunInput(group, version, group in here)
            for group in self._read_groups(sources)
            for version in sorted(versions.get(group, {""}))
        )
        at: dict[int, list[int]] = {}
        for position, each in enumerate(inputs):
            at.setdefault(each.group, []).append(position)
        made = [(position, each.group) for position, each in enumerate(outputs) if each.makes]
        count = sum(len(at[source]) for _, group in made for source in sources[group])
        if count > MAX_EDGES:
            raise FormatError(f"run: expected at most {MAX_EDGES} edges from outputs to inputs, got {count}")
        return Lineage(
            inputs=inputs,
            fields={self._group_of(name): facts.fields for name, facts in sorted(self._run.inputs.items())},
            outputs=outputs,
            edges=sorted(
                (output, position, basis)
                for output, group in made
                for source, basis in sources[group].items()
                for position in at[source]
            ),
            columns=sorted(self._columns(made, at)),
        )

    def _sources(self, group: int) -> dict[int, int]:
        """Return the datasets that an output was made from, each with its basis."""
        found: dict[int, int] = {}

        def add(sources: Iterable[int], basis: int) -> None:
            for source in sources:
                found[source] = found.get(source, 0) | basis

        of = self._group_of
        if group in self._statements:
            add((of(name) for each in self._statements[group] for name in each.sources), BASIS_STATED)
        else:
            facts = self._facts[group]
            add((of(column.source) for each in facts for column in each.columns), BASIS_COLUMNS)
            if not self._run.explicit:
                add(self._listed, BASIS_INPUTS)
        for each in self._facts[group]:
            if each.renamed_from is not None:
                add([of(each.renamed_from)], BASIS_STATED)
        return found

    def _columns(
        self, made: list[tuple[int, int]], at: dict[int, list[int]]
    ) -> Iterable[tuple[int, str, int, str, str]]:
        found: dict[tuple[int, str, int, str], set[str]] = {}
        for output, group in made:
            if group in self._statements:
                columns = [column for each in self._statements[group] for column in each.columns]
            else:
                columns = [column for each in self._facts[group] for column in each.columns]
            for column in columns:
                for position in at[self._group_of(column.source)]:
                    key = (output, column.field, position, column.source_field)
                    found.setdefault(key, set()).add(column.how)
        for key, ways in found.items():
            yield (*key, ", ".join(sorted(ways - {""}))[:256])

    @staticmethod
    def _made_here(sources: dict[int, dict[int, int]], made: set[int]) -> set[int]:
        """Return the outputs that others were made from within this run: A to B, B to C.

        A dataset that is both is taken for one of these only if it was not made from itself; otherwise, or if
        such steps go in a circle, what was read is what was there before.
        """
        steps = {
            group: {source for source in found if source in made and source != group}
            for group, found in sources.items()
        }
        try:
            TopologicalSorter(steps).prepare()
        except CycleError:
            return set()
        return {source for found in steps.values() for source in found if source not in sources[source]}

    def _versions(self) -> dict[int, set[str]]:
        """Return the versions that the producer named, of the datasets of which it named any."""
        named: dict[int, set[str]] = {}
        for identity, facts in self._run.inputs.items():
            if facts.versions:
                named.setdefault(self._group_of(identity), set()).update(facts.versions)
        return named

    def _read_groups(self, sources: dict[int, dict[int, int]]) -> set[int]:
        consumed = {self._group_of(identity) for identity in self._run.consumed}
        return self._listed | consumed | {source for found in sources.values() for source in found}

    def _output(self, group: int) -> RunOutput:
        facts = self._facts[group]
        lifecycle = next((each.lifecycle for each in facts if each.lifecycle), "")
        named = next((each for each in facts if each.version), facts[0])
        return RunOutput(
            group=group,
            makes=self._run.outcome == "completed" and lifecycle != DROP,
            version=named.version,
            version_at_start=named.version_at_start,
            fields=next((each.fields for each in facts if each.fields), ()),
            lifecycle=lifecycle,
        )


def _by_identity(named: Sequence[Named]) -> dict[Identity, list[Named]]:
    found: dict[Identity, list[Named]] = {}
    for each in named:
        found.setdefault(each.identity, []).append(each)
    return found


def _last(values: Iterable[_T | None], before: _T) -> _T:
    for value in values:
        if value is not None:
            before = value
    return before
