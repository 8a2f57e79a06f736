"""Accepted records -> rows.

Whether a record counts has been judged before; here it takes effect. What looks improper without being
unauthorised becomes a finding, at the end of the block (see `findings`): only then is known what else the
block brought.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from ledger.core.digests import ASSET, DECLARED
from ledger.core.encoding import encode_json
from ledger.core.names import parse_version
from ledger.core.records import Activity, Component, Predicate, Registration, Resource, Statement, Version
from ledger.index.kinds import INPUT, OUTCOMES, OUTPUT
from ledger.index.memory import CODE, OBSERVED, UNVERSIONED, Asset, Key, Memory
from ledger.index.schema import short
from ledger.index.writer import Writer

_ASSET = CODE[ASSET]
_DECLARED = CODE[DECLARED]


class Entry(Struct, frozen=True, gc=False):
    """Where a record stands (row id of its entry), its id, and its first author (row id)."""

    row: int
    record: bytes
    party: int


class RecordRows:
    """Writes what registrations, versions and activities say; `Effects` does transfers and revocations."""

    def __init__(self, writer: Writer, memory: Memory) -> None:
        self._writer = writer
        self._memory = memory
        self.suspects: list[tuple[int, int, int]] = []
        """(entry, node, role) of what was not surely registered when an activity used or made it."""

    def prefetch(self, batch: Iterable[tuple[int, Statement]]) -> None:
        """Look up at once what these records (with the party id of their first author) are going to ask."""
        names: set[str] = set()
        resources: list[Resource] = []
        runs: list[tuple[str, int]] = []
        for party, statement in batch:
            used = list(statement.subject)
            if isinstance(statement.predicate, Activity):
                used += statement.predicate.inputs
                runs.append((statement.predicate.run_id, party))
            resources += used
            names.update(each.name.partition("@")[0] for each in used if not each.name.startswith("run:"))
        self._memory.assets.prefetch(names)
        self._memory.activities.prefetch(runs)
        keys: list[Key] = []
        for each in resources:
            name, at, number = each.name.partition("@")
            asset = self._memory.assets.get(name) if "/" in name and not name.startswith("run:") else None
            if asset is not None:
                ((alg, digest),) = each.digest.items()
                if alg in CODE:
                    content = bytes.fromhex(digest)
                    keys.append((asset.id, int(number) if at else UNVERSIONED, CODE[alg], content))
                    keys.append((asset.id, UNVERSIONED, CODE[alg], content))
        self._memory.nodes.prefetch(keys)

    def apply(self, entry: Entry, statement: Statement) -> None:
        """Buffer the rows of an accepted record; of other types only the attachments."""
        predicate = statement.predicate
        if isinstance(predicate, Registration):
            self._registration(entry, statement.subject[0].name, predicate)
        elif isinstance(predicate, Version):
            self._version(entry, statement.subject[0], predicate)
        elif isinstance(predicate, Activity):
            self._activity(entry, statement.subject, predicate)
        if predicate.attachments:
            self._attachments(entry, predicate)

    def _registration(self, entry: Entry, name: str, predicate: Registration) -> None:
        add = self._writer.add
        asset = self._memory.assets.make(name)
        asset.registration = entry.record
        title, text = predicate.title, predicate.description
        add("registration", asset.id, entry.row, entry.party, title, text, predicate.kind, predicate.license)
        for alias in predicate.aliases:
            add("alias", entry.party, alias.scheme, alias.namespace, alias.name, asset.id, entry.row)
        aliases = " ".join(f"{alias.namespace} {alias.name}" for alias in predicate.aliases)
        add("document", asset.id, entry.row, f"{name} {aliases}".rstrip(), title, text, "")

    def _version(self, entry: Entry, resource: Resource, predicate: Version) -> None:
        asset = self._memory.assets.make(resource.name.partition("@")[0])
        ((alg, digest),) = resource.digest.items()
        content = bytes.fromhex(digest)
        node = self._memory.nodes.id((asset.id, predicate.number, CODE[alg], content))
        fields = encode_json(predicate.fields) if predicate.fields else None
        self._writer.add(
            "version",
            node,
            asset.id,
            predicate.number,
            entry.row,
            predicate.size,
            predicate.media_type or None,
            predicate.declared or None,
            fields,
        )
        self._memory.nodes.register(node)
        if fields is not None and fields != asset.fields:
            names = " ".join(f"{field.name} {field.type}" for field in predicate.fields)
            self._writer.add("document", asset.id, entry.row, "", "", "", names)
        if predicate.number > asset.number:
            asset.number, asset.record, asset.fields = predicate.number, entry.record, fields
        observed = self._memory.nodes.get((asset.id, UNVERSIONED, CODE[alg], content))
        if observed is not None:
            self._link(observed, node)

    def _link(self, observed: int, node: int) -> None:
        """Join content that was used before its version was known to the first version that has it."""
        self._writer.flush()
        if (
            self._writer.database.one("SELECT 1 FROM edge WHERE output = ? AND activity = 0", observed)
            is None
        ):
            self._writer.add("edge", observed, node, 0, 0)

    def _activity(self, entry: Entry, subject: Sequence[Resource], predicate: Activity) -> None:
        add = self._writer.add
        activity = self._memory.activities.get(predicate.run_id, entry.party)
        known = activity is not None
        if activity is None:
            activity = self._memory.activities.make(predicate.run_id, entry.party)
        else:
            self._check_reuse(entry, activity, predicate)
        outputs = [] if subject[0].name.startswith("run:") else [self._node(each) for each in subject]
        inputs = [self._node(each) for each in predicate.inputs]
        first = self._writer.next_id("edge")
        self._edges(activity, outputs, inputs, predicate, known=known)
        component, detail = _component(predicate)
        add(
            "step",
            activity,
            entry.row,
            OUTCOMES.index(predicate.outcome),
            self._memory.texts.id(component),
            detail,
            first,
            self._writer.next_id("edge"),
        )
        self._loose(entry, activity, outputs, inputs, predicate)
        self._columns(activity, outputs, inputs, predicate)
        self._look_twice(entry, outputs, inputs, predicate)

    def _edges(
        self, activity: int, outputs: list[_Place], inputs: list[_Place], predicate: Activity, *, known: bool
    ) -> None:
        add = self._writer.add
        for edge in predicate.edges:
            output, source = outputs[edge.output], inputs[edge.input]
            # of an output that was never made only the asset is named: nothing came from anything
            if output.alg != _ASSET and not (known and self._has_edge(activity, output, source, edge.basis)):
                add("edge", output.node, source.node, activity, edge.basis)
                self._memory.pairs.note(output.asset, source.asset)

    def _has_edge(self, activity: int, output: _Place, source: _Place, basis: int) -> bool:
        self._writer.flush()
        query = "SELECT 1 FROM edge WHERE output = ? AND input = ? AND activity = ? AND basis = ?"
        found = self._writer.database.one(query, output.node, source.node, activity, basis)
        return found is not None

    def _loose(
        self, entry: Entry, activity: int, outputs: list[_Place], inputs: list[_Place], predicate: Activity
    ) -> None:
        """Write the inputs and outputs that no edge mentions: above all those of failed runs."""
        made = {edge.output for edge in predicate.edges if outputs[edge.output].alg != _ASSET}
        used = {edge.input for edge in predicate.edges if outputs[edge.output].alg != _ASSET}
        for role, places, mentioned in ((OUTPUT, outputs, made), (INPUT, inputs, used)):
            for position, place in enumerate(places):
                if position not in mentioned:
                    self._writer.add("loose", activity, place.node, role, entry.row)

    def _columns(
        self, activity: int, outputs: list[_Place], inputs: list[_Place], predicate: Activity
    ) -> None:
        text = self._memory.texts.id
        for column in predicate.columns:
            output, source = outputs[column.output], inputs[column.input]
            if output.alg != _ASSET:
                fields = (text(column.output_field), source.node, text(column.input_field), text(column.how))
                self._writer.add("column_edge", output.node, *fields, activity)

    def _look_twice(
        self, entry: Entry, outputs: list[_Place], inputs: list[_Place], predicate: Activity
    ) -> None:
        """Raise the findings that the record alone shows, and note what to look at when the block ends."""
        nodes = self._memory.nodes
        for role, places in ((OUTPUT, outputs), (INPUT, inputs)):
            for place in places:
                if not nodes.is_registered(place.node) and (place.alg != _ASSET or role == INPUT):
                    self.suspects.append((entry.row, place.node, role))
        if any(place.alg in OBSERVED for place in outputs):
            for each, place in zip(predicate.inputs, inputs, strict=True):
                if place.alg == _DECLARED:
                    text = "nobody hashed this input, but what was made from it"
                    self._writer.add("finding", "declared-input", entry.row, None, each.name, text)
        for position in predicate.changed:
            name = predicate.inputs[position].name
            self._writer.add(
                "finding", "input-changed", entry.row, None, name, "it changed while the run read it"
            )

    def _node(self, resource: Resource) -> _Place:
        ((alg, digest),) = resource.digest.items()
        name, code, content = resource.name, CODE[alg], bytes.fromhex(digest)
        if "@" in name:
            name, number = parse_version(name)
            asset = self._memory.assets.make(name)
            return _Place(self._memory.nodes.id((asset.id, number, code, content)), asset.id, code)
        asset = self._memory.assets.make(name)
        if code == _ASSET:
            return _Place(self._memory.nodes.id((asset.id, UNVERSIONED, code, content)), asset.id, code)
        return self._observed(asset, code, content)

    def _observed(self, asset: Asset, code: int, content: bytes) -> _Place:
        """Find the newest version with this content; without one, the content stands for itself."""
        self._writer.flush()
        known = self._writer.database.scalar(_WITH_CONTENT, short(content), asset.id, code, content)
        key = (asset.id, UNVERSIONED, code, content)
        return _Place(self._memory.nodes.id(key) if known is None else known, asset.id, code)

    def _check_reuse(self, entry: Entry, activity: int, predicate: Activity) -> None:
        self._writer.flush()
        component = self._memory.texts.id(_component(predicate)[0])
        query = "SELECT 1 FROM step WHERE activity = ? AND component <> ?"
        if self._writer.database.one(query, activity, component) is not None:
            text = "another component ran under the same run id"
            self._writer.add("finding", "run-id-reused", entry.row, None, predicate.run_id, text)

    def _attachments(self, entry: Entry, predicate: Predicate) -> None:
        text = self._memory.texts.id
        for attachment in predicate.attachments:
            ((alg, digest),) = attachment.digest.items()
            self._writer.add(
                "attachment",
                entry.row,
                text(attachment.role),
                text(alg),
                bytes.fromhex(digest),
                attachment.size,
                attachment.media_type,
            )


_WITH_CONTENT = """
SELECT n.id FROM node n JOIN version v ON v.node = n.id
WHERE n.short = ? AND n.asset = ? AND n.alg = ? AND n.digest = ? ORDER BY v.number DESC LIMIT 1
"""


class _Place(Struct, frozen=True, gc=False):
    node: int
    asset: int
    alg: int


def _component(predicate: Activity) -> tuple[str, bytes | None]:
    """Return what identifies the component, and the rest of what is said of the run."""
    component: Component = predicate.component
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
