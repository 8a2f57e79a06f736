"""Accepted activities -> rows: the activity, its edges, and what is to be looked at when the block ends."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from ledger.core.digests import ASSET, DECLARED
from ledger.core.encoding import encode_json
from ledger.core.records import Activity
from ledger.index.kinds import CODE, INPUT, OUTCOMES, OUTPUT, UNVERSIONED
from ledger.index.memory import OBSERVED, Asset, Memory
from ledger.index.prepared import Named, Prepared
from ledger.index.schema import spread
from ledger.index.writer import Writer

_ASSET = CODE[ASSET]
_DECLARED = CODE[DECLARED]


class _Place(Struct, frozen=True, gc=False):
    node: int
    asset: int
    code: int


class ActivityRows:
    """Writes activities; a later record with the same run id and first author adds to the same one."""

    def __init__(self, writer: Writer, memory: Memory) -> None:
        self._writer = writer
        self._memory = memory
        self.suspects: list[tuple[int, int, int]] = []
        """(entry, node, role) of what was not surely registered when an activity used or made it."""

    def apply(self, entry: int, party: int, record: Prepared, predicate: Activity) -> None:
        """Buffer the rows of an activity whose entry and first author have these row ids."""
        activity = self._memory.activities.get(predicate.run_id, party)
        known = activity is not None
        if activity is None:
            activity = self._memory.activities.make(predicate.run_id, party)
        else:
            self._check_reuse(entry, activity, predicate)
        outputs = [self._place(each) for each in record.subject]
        inputs = [self._place(each) for each in record.inputs]
        first = self._writer.next_id("edge")
        self._edges(activity, outputs, inputs, predicate, known=known)
        component, detail = _component(predicate)
        outcome = OUTCOMES.index(predicate.outcome)
        stop = self._writer.next_id("edge")
        texts = self._memory.texts
        self._writer.add("step", activity, entry, outcome, texts.id(component), detail, first, stop)
        self._loose(entry, activity, outputs, inputs, predicate)
        if predicate.columns:
            self._columns(activity, outputs, inputs, predicate)
        self._look_twice(entry, outputs, inputs, predicate)

    def _edges(
        self,
        activity: int,
        outputs: Sequence[_Place],
        inputs: Sequence[_Place],
        predicate: Activity,
        *,
        known: bool,
    ) -> None:
        for edge in predicate.edges:
            output, source = outputs[edge.output], inputs[edge.input]
            # of an output that was never made only the asset is named: nothing came from anything
            if output.code != _ASSET and not (known and self._has_edge(activity, output, source, edge.basis)):
                self._writer.add("edge", output.node, source.node, activity, edge.basis)
                self._memory.pairs.note(output.asset, source.asset)

    def _has_edge(self, activity: int, output: _Place, source: _Place, basis: int) -> bool:
        self._writer.flush()
        query = "SELECT 1 FROM edge WHERE output = ? AND input = ? AND activity = ? AND basis = ?"
        found = self._writer.database.one(query, output.node, source.node, activity, basis)
        return found is not None

    def _loose(
        self,
        entry: int,
        activity: int,
        outputs: Sequence[_Place],
        inputs: Sequence[_Place],
        predicate: Activity,
    ) -> None:
        """Write the inputs and outputs that no edge mentions: above all those of failed runs."""
        edges = [edge for edge in predicate.edges if outputs[edge.output].code != _ASSET]
        for role, places, mentioned in (
            (OUTPUT, outputs, {edge.output for edge in edges}),
            (INPUT, inputs, {edge.input for edge in edges}),
        ):
            if len(mentioned) < len(places):
                for position, place in enumerate(places):
                    if position not in mentioned:
                        self._writer.add("loose", activity, place.node, role, entry)

    def _columns(
        self, activity: int, outputs: Sequence[_Place], inputs: Sequence[_Place], predicate: Activity
    ) -> None:
        text = self._memory.texts.id
        for column in predicate.columns:
            output, source = outputs[column.output], inputs[column.input]
            if output.code != _ASSET:
                fields = (
                    text(column.output_field),
                    source.node,
                    text(column.input_field),
                    text(column.how),
                )
                self._writer.add("column_edge", output.node, *fields, activity)

    def _look_twice(
        self, entry: int, outputs: Sequence[_Place], inputs: Sequence[_Place], predicate: Activity
    ) -> None:
        """Raise the findings that the record alone shows, and note what to look at when the block ends."""
        is_registered = self._memory.nodes.is_registered
        for role, places in ((OUTPUT, outputs), (INPUT, inputs)):
            for place in places:
                if not is_registered(place.node) and (place.code != _ASSET or role == INPUT):
                    self.suspects.append((entry, place.node, role))
        if any(place.code == _DECLARED for place in inputs) and any(
            place.code in OBSERVED for place in outputs
        ):
            text = "nobody hashed this input, but what was made from it"
            for each, place in zip(predicate.inputs, inputs, strict=True):
                if place.code == _DECLARED:
                    self._writer.add("finding", "declared-input", entry, None, each.name, text)
        for position in predicate.changed:
            name = predicate.inputs[position].name
            self._writer.add(
                "finding", "input-changed", entry, None, name, "it changed while the run read it"
            )

    def _place(self, named: Named) -> _Place:
        asset = self._memory.assets.make(named.asset)
        if named.number == UNVERSIONED and named.code != _ASSET:
            return self._observed(asset, named)
        node = self._memory.nodes.id((asset.id, named.number, named.code, named.content))
        return _Place(node, asset.id, named.code)

    def _observed(self, asset: Asset, named: Named) -> _Place:
        """Find the newest version with this content; without one, the content stands for itself."""
        self._writer.flush()
        content = named.content
        node = self._writer.database.scalar(_WITH_CONTENT, spread(content), asset.id, named.code, content)
        if node is None:
            node = self._memory.nodes.id((asset.id, UNVERSIONED, named.code, content))
        return _Place(node, asset.id, named.code)

    def _check_reuse(self, entry: int, activity: int, predicate: Activity) -> None:
        self._writer.flush()
        component = self._memory.texts.id(_component(predicate)[0])
        query = "SELECT 1 FROM step WHERE activity = ? AND component <> ?"
        if self._writer.database.one(query, activity, component) is not None:
            text = "another component ran under the same run id"
            self._writer.add("finding", "run-id-reused", entry, None, predicate.run_id, text)


_WITH_CONTENT = """
SELECT n.id FROM node n JOIN version v ON v.node = n.id
WHERE n.short = ? AND n.asset = ? AND n.alg = ? AND n.digest = ? ORDER BY v.number DESC LIMIT 1
"""


def _component(predicate: Activity) -> tuple[str, bytes | None]:
    """Return what identifies the component, and the rest of what is said of the run."""
    component = predicate.component
    identity = f"{component.namespace}\n{component.name}" if component.namespace else component.name
    detail = {
        "version": component.version,
        "digest": component.digest,
        "started": predicate.started,
        "ended": predicate.ended,
        "source": predicate.source,
    }
    kept = {name: value for name, value in detail.items() if value}
    return identity, encode_json(kept) if kept else None
