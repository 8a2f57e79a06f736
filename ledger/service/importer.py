"""One import on its way into the log, batch by batch: drafts of `formats.openlineage_drafts` become records.

A run that was recorded from the same events is known and left alone; events that came in since make a further
activity of the same run. Original events and owners are sealed: they hold people, paths and queries. What
can't be recorded of a run (it is too large, its dataset was handed to somebody else) is refused with its
reason, whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack

import msgspec

from ledger.core.errors import FormatError, Usage
from ledger.core.names import format_version
from ledger.core.records import Attachment, Edge, Resource
from ledger.formats.openlineage import Import
from ledger.formats.openlineage_drafts import (
    DatasetDraft,
    InputDraft,
    OutputDraft,
    RunDraft,
    is_static,
    ownership_attachment,
)
from ledger.formats.openlineage_shapes import Owner
from ledger.service.attached import JSON, Sealing
from ledger.service.batch import Batch
from ledger.service.context import Context
from ledger.service.declared import INLINE_BYTES, DeclaredVersions
from ledger.service.known import Added, added
from ledger.service.publishing import keep
from ledger.service.results import RecordRef, Refused

SOURCE = "openlineage:"
"""What an imported activity's `source` begins with; the digest of its events follows, in hex."""

LISTED = 1000
"""Of records, datasets and refusals, so many are listed one by one; all are counted."""

_BATCH_RECORDS = 1000
_BATCH_BYTES = 32 << 20

_KNOWN_DATASET = "dataset events and owners of datasets that are registered already"
_OVERTAKEN = "declared lineage of what runs have made since"

Newest = dict[int, Added | None]
"""The newest versions of datasets (by position) before a run: what it read is not what it made."""


class Refusals:
    """What was refused: all of it counted, some of it listed."""

    def __init__(self) -> None:
        self.listed: list[Refused] = []
        self.count = 0

    def add(self, source: str, position: str, reason: str) -> None:
        """Note one more."""
        self.count += 1
        if len(self.listed) < LISTED:
            self.listed.append(Refused(source=source, position=position, reason=reason))


class Importer:
    """Records what an import proposes. The caller holds `Context.writing`."""

    def __init__(
        self, context: Context, plan: Import, namespace: str, refusals: Refusals, *, dry_run: bool
    ) -> None:
        self._context = context
        self._plan = plan
        self._namespace = namespace
        self._refusals = refusals
        self._dry_run = dry_run
        self._batch = Batch(context)
        self._sealing = Sealing(context)
        self._versions = DeclaredVersions(context, self._batch, self._sealing)
        self._assets: list[str] = []
        self.registered: list[str] = []
        self.registered_count = 0
        self.recorded = 0
        self.known = 0
        self.dropped: Counter[str] = Counter(plan.unkept)
        self.written: list[RecordRef] = []
        self.written_count = 0

    def run(self) -> None:
        """Record every dataset and run that is new."""
        for position, dataset in enumerate(self._plan.datasets):
            self._assets.append(self._asset(position, dataset))
            self._keep(_BATCH_RECORDS)
        total = self._plan.run_count
        for done, draft in enumerate(self._plan.runs(), 1):
            self._run(draft)
            self._context.progress("importing runs", done, total)
            self._keep(_BATCH_RECORDS)
        self._keep(1)

    def _keep(self, at_least: int) -> None:
        """Commit the batch if it has so many records, or its attachments so many bytes."""
        if len(self._batch) < at_least and self._sealing.size < _BATCH_BYTES:
            return
        if not self._dry_run:
            self._sealing.flush()
            refs = keep(self._context, self._batch).records
            self.written_count += len(refs)
            self.written += refs[: LISTED - len(self.written)]
        self._sealing.clear()
        self._batch.clear()

    def _asset(self, position: int, dataset: DatasetDraft) -> str:
        """Return the asset that a dataset is: the one that an alias names, else a new one."""
        index, party = self._context.index, self._context.address
        for alias in dataset.aliases:
            known = index.alias_of(party, alias.scheme, alias.namespace, alias.name)
            if known is not None:
                self.dropped.update([_KNOWN_DATASET] if dataset.events or dataset.owners else [])
                return known
        name = f"{self._namespace}/{dataset.path}"
        if self._batch.is_registered(name):
            name = f"{self._namespace}/{dataset.path_if_taken}"
        self._register(name, position, dataset)
        return name

    def _register(self, name: str, position: int, dataset: DatasetDraft) -> None:
        attachments = self._owners(dataset.owners)
        if original := b"".join(self._plan.dataset_original(position)):
            attachments.append(self._sealing.seal("event", JSON, original))
        title = dataset.aliases[0].name[:200]
        self._batch.register(name, title=title, aliases=dataset.aliases, attachments=attachments)
        self.registered_count += 1
        if len(self.registered) < LISTED:
            self.registered.append(name)

    def _run(self, draft: RunDraft) -> None:
        """Record a run with the versions that it made or named, all of it or nothing."""
        source = SOURCE + draft.digest.hex()
        if self._context.index.activity_source(self._context.address, draft.run_id, source):
            self._recall(draft)
            self.known += 1
        elif draft.static and any(map(self._is_made_by_runs, draft.outputs)):
            self.dropped.update([_OVERTAKEN])  # what was declared yields to what was run
        else:
            self._try(draft, source)

    def _try(self, draft: RunDraft, source: str) -> None:
        try:
            with ExitStack() as stack:
                for part in (self._batch, self._versions, self._sealing):
                    stack.enter_context(part.all_or_none())
                self._record(draft, source)
        except (FormatError, Usage) as error:
            self._refusals.add(f"run {draft.run_id}", "", str(error))
        else:
            self.recorded += 1

    def _recall(self, draft: RunDraft) -> None:
        """Find what a run that is known made, for those that come after it."""
        for output in draft.outputs:
            found = (
                self._versions.find(self._assets[output.dataset], output.declared) if output.makes else None
            )
            if found is not None:
                self._versions.note_maker(draft.run_id, output.dataset, found)

    def _is_made_by_runs(self, output: OutputDraft) -> bool:
        """Tell whether the newest version of an asset is more than lineage that was only declared."""
        known = self._context.index.latest_version(self._assets[output.dataset])
        return known is not None and not is_static(known.declared)

    def _record(self, draft: RunDraft, source: str) -> None:
        newest = {each.dataset: self._batch.latest(self._assets[each.dataset]) for each in draft.inputs}
        outputs = [self._output(draft, output) for output in draft.outputs]
        inputs, places = _distinct([self._input(draft, each, newest) for each in draft.inputs])
        attachments = [self._sealing.seal("event", JSON, b"".join(self._plan.original(draft)))]
        attachments += self._owners(draft.owners)
        columns = [msgspec.structs.replace(each, input=places[each.input]) for each in draft.columns]
        if len(encoded := msgspec.json.encode(columns)) > INLINE_BYTES:
            attachments.append(self._sealing.publish("columns", JSON, encoded))
            columns = []
        predicate = {
            "run_id": draft.run_id,
            "component": draft.component,
            "outcome": draft.outcome,
            "inputs": inputs,
            "edges": _merged([Edge(edge.output, places[edge.input], edge.basis) for edge in draft.edges]),
            "columns": columns,
            "started": draft.started,
            "ended": draft.ended,
            "source": source,
        }
        self._batch.activity(outputs, attachments, predicate)

    def _output(self, draft: RunDraft, output: OutputDraft) -> Resource:
        asset = self._assets[output.dataset]
        if not output.makes:
            return self._batch.asset_resource(asset)
        made = self._versions.make(asset, output.declared, output.fields)
        self._versions.note_maker(draft.run_id, output.dataset, made)
        return made.resource

    def _input(self, draft: RunDraft, each: InputDraft, newest: Newest) -> Resource:
        """Find which version was read: as named, as made by a run, as described, or the newest before it."""
        asset = self._assets[each.dataset]
        found = self._versions.find(asset, each.declared) if each.declared else None
        found = found or self._versions.made_by(each.made_by, each.dataset, asset)
        if found is None and each.declared:
            found = self._versions.make(asset, each.declared, each.fields)
        if found is not None:
            return found.resource
        before = None if draft.static else self._before(draft, each.dataset, newest[each.dataset])
        if before is None:
            return self._batch.asset_resource(asset)
        return Resource(format_version(asset, before.number), before.digest)

    def _before(self, draft: RunDraft, dataset: int, newest: Added | None) -> Added | None:
        """Return the newest version that the run did not make itself: its own is there if events came in
        late.
        """
        asset = self._assets[dataset]
        own = self._versions.made_by(draft.run_id, dataset, asset)
        if newest is None or own is None or newest.number < own.number:
            return newest
        older = self._context.index.version(asset, own.number - 1)
        return None if older is None else added(older)

    def _owners(self, owners: tuple[Owner, ...]) -> list[Attachment]:
        return [self._sealing.seal("ownership", JSON, ownership_attachment(owners))] if owners else []


def _distinct(resources: Sequence[Resource]) -> tuple[list[Resource], list[int]]:
    """Return the resources without repetition, and for each of the given ones where it went."""
    kept: list[Resource] = []
    places = []
    for resource in resources:
        if resource not in kept:
            kept.append(resource)
        places.append(kept.index(resource))
    return kept, places


def _merged(edges: Sequence[Edge]) -> list[Edge]:
    """Return edges without repetition; of two that became one, the basis is that of both."""
    basis: dict[tuple[int, int], int] = {}
    for edge in edges:
        basis[edge.output, edge.input] = basis.get((edge.output, edge.input), 0) | edge.basis
    return [Edge(output, input_, bits) for (output, input_), bits in basis.items()]
