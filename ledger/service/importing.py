"""Importing what pipelines reported: OpenLineage events become registrations, declared versions and activities.

`formats.openlineage` says what there is to record; here it gets the names and numbers that are the workspace's to give.
A run that was recorded from the same events is known and left alone, so importing again changes nothing; events that
came in since make a further activity of the same run. Original events and owners are sealed: they hold people, paths
and queries.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from ledger.core import digests
from ledger.core.errors import FormatError
from ledger.core.hashing import sha256
from ledger.core.names import check_namespace, format_version
from ledger.core.records import Attachment, Edge, Field, Resource
from ledger.formats.openlineage import Import, plan_import
from ledger.formats.openlineage_drafts import (
    DatasetDraft,
    InputDraft,
    OutputDraft,
    RunDraft,
    is_static,
    ownership_attachment,
)
from ledger.formats.openlineage_read import Refusal
from ledger.service.asked import asked
from ledger.service.attached import publish_attachment, seal
from ledger.service.batch import Batch
from ledger.service.context import Context
from ledger.service.known import Added
from ledger.service.publishing import anchor_pending, check_key, keep
from ledger.service.results import Imported, Receipt, RecordRef, Refused
from ledger.service.sources import open_events
from ledger.service.times import format_time

SOURCE = "openlineage:"
"""What an imported activity's `source` begins with; the digest of its events follows, in hex."""

DECLARED = "dataledger-declared-v1"

_BATCH = 1000
_INLINE_BYTES = 24_000
"""Column edges and fields beyond this go into an attachment: an entry has at most 65,535 bytes."""

_LISTED = 1000


def import_openlineage(
    context: Context,
    files: Sequence[Path],
    *,
    namespace: str | None = None,
    dry_run: bool = False,
    anchor: bool = True,
) -> Imported:
    """Import events from files (`-`: standard input); refuse bad events one by one and import the rest."""
    into = namespace or context.config.namespace
    with asked():
        check_namespace(into)
    refused: list[Refused] = []
    counts = [0]

    def refuse(event: Refusal) -> None:
        counts[0] += 1
        if len(refused) < _LISTED:
            position = f"line {event.line}" if event.line else f"byte {event.offset}"
            refused.append(Refused(source=event.source, position=position, reason=event.reason))

    with open_events(files, sys.stdin.buffer) as sources:
        plan = plan_import(sources, refuse=refuse)
        with context.writing():
            context.fresh()
            check_key(context)
            importer = _Importer(context, plan, into, refused, dry_run=dry_run)
            importer.run()
            receipt = importer.finish(anchor=anchor)
    return Imported(
        events=plan.events,
        runs=importer.recorded,
        runs_known=importer.known,
        datasets=len(plan.datasets),
        registered=importer.registered,
        refused=refused,
        refused_count=counts[0],
        dropped_facets=[f"{name} ({count})" for name, count in sorted(plan.unkept.items())],
        receipt=receipt,
    )


class _Importer:
    """One import on its way into the log, in batches."""

    def __init__(
        self, context: Context, plan: Import, namespace: str, refused: list[Refused], *, dry_run: bool
    ) -> None:
        self.context = context
        self.plan = plan
        self.namespace = namespace
        self.refused = refused
        self.dry_run = dry_run
        self.batch = Batch(context)
        self.registered: list[str] = []
        self.recorded = 0
        self.known = 0
        self._assets: list[str] = []
        self._numbers: dict[bytes, int] = {}
        self._made_by: dict[bytes, bytes] = {}
        self._refs: list[RecordRef] = []
        self._size = context.log.size

    def run(self) -> None:
        """Add records for every dataset and run."""
        for position, dataset in enumerate(self.plan.datasets):
            self._assets.append(self._asset(position, dataset))
        for done, draft in enumerate(self.plan.runs(), 1):
            self._run(draft)
            self.context.progress("importing runs", done, None)
            if len(self.batch) >= _BATCH:
                self._keep()

    def finish(self, *, anchor: bool) -> Receipt | None:
        """Commit what is left, anchor it all at once, and say what was written."""
        if self.dry_run:
            return None
        self._keep()
        if not self._refs:
            return None
        block = anchor_pending(self.context) if anchor and self.context.config.anchor == "auto" else None
        self.context.refresh()
        return Receipt(
            records=self._refs[:_LISTED],
            log=self.context.log_id.hex(),
            size=self._size,
            block=block.number if block else None,
            block_time=format_time(block.time_unix_s) if block else "",
            notes=[f"{len(self._refs)} records were written; the first {_LISTED} are listed"]
            if len(self._refs) > _LISTED
            else [],
        )

    def _keep(self) -> None:
        if self.dry_run or not len(self.batch):
            return
        refs, self._size = keep(self.context, self.batch)
        room = _LISTED + 1 - len(self._refs)
        self._refs += refs if room > 0 else refs[:1]
        self.batch.kept()

    def _asset(self, position: int, dataset: DatasetDraft) -> str:
        """Return the asset that a dataset is: the one that an alias names, else a new one."""
        index = self.context.index
        for alias in dataset.aliases:
            known = index.alias_of(self.context.address, alias.scheme, alias.namespace, alias.name)
            if known is not None:
                return known
        name = f"{self.namespace}/{dataset.path}"
        if self.batch.is_registered(name):
            name = f"{self.namespace}/{dataset.path_if_taken}"
        attachments = (
            self._sealed("ownership", ownership_attachment(dataset.owners)) if dataset.owners else []
        )
        original = b"".join(self.plan.dataset_original(position))
        attachments += self._sealed("event", original) if original else []
        self.batch.register(name, title=_title(dataset), aliases=dataset.aliases, attachments=attachments)
        self.registered.append(name)
        return name

    def _run(self, draft: RunDraft) -> None:
        source = SOURCE + draft.digest.hex()
        index = self.context.index
        if index.activity_source(self.context.address, draft.run_id, source):
            self._recall(draft)
            self.known += 1
            return
        if draft.static and any(self._is_made_by_runs(each) for each in draft.outputs):
            return  # what was declared yields to what was run
        try:
            # before the outputs are there: what a run read is not what it made
            latest = {each.dataset: self.batch.latest(self._assets[each.dataset]) for each in draft.inputs}
            outputs = [self._output(draft, output) for output in draft.outputs]
            inputs, places = _distinct([self._input(draft, each, latest) for each in draft.inputs])
            attachments = self._sealed("event", b"".join(self.plan.original(draft)))
            if draft.owners:
                attachments += self._sealed("ownership", ownership_attachment(draft.owners))
            edges = _merged([Edge(edge.output, places[edge.input], edge.basis) for edge in draft.edges])
            columns = [msgspec.structs.replace(each, input=places[each.input]) for each in draft.columns]
            if len(encoded := msgspec.json.encode(columns)) > _INLINE_BYTES:
                attachments.append(self._published("columns", encoded))
                columns = []
            self.batch.activity(
                outputs,
                attachments,
                {
                    "run_id": draft.run_id,
                    "component": draft.component,
                    "outcome": draft.outcome,
                    "inputs": inputs,
                    "edges": edges,
                    "columns": columns,
                    "started": draft.started,
                    "ended": draft.ended,
                    "source": source,
                },
            )
        except FormatError as error:
            self.refused.append(Refused(source=f"run {draft.run_id}", position="", reason=str(error)))
            return
        self.recorded += 1

    def _recall(self, draft: RunDraft) -> None:
        """Find what a run that is known made, for those that come after it."""
        for output in draft.outputs:
            if output.makes and self._described(self._assets[output.dataset], output.declared):
                digest = self._digest(self._assets[output.dataset], output.declared)
                self._made_by[_run_key(draft.run_id, output.dataset)] = digest

    def _is_made_by_runs(self, output: OutputDraft) -> bool:
        """Tell whether the newest version of an asset is more than lineage that was only declared."""
        asset = self._assets[output.dataset]
        known = self.context.index.latest_version(asset)
        return known is not None and not is_static(known.declared)

    def _output(self, draft: RunDraft, output: OutputDraft) -> Resource:
        asset = self._assets[output.dataset]
        if not output.makes:
            return self.batch.asset_resource(asset)
        made = self._version(asset, output.declared, output.fields)
        self._made_by[_run_key(draft.run_id, output.dataset)] = bytes.fromhex(made.digest[DECLARED])
        return made

    def _input(self, draft: RunDraft, each: InputDraft, latest: dict[int, Added | None]) -> Resource:
        """Find which version was read: as named, as made by a run, as described, or the latest before it."""
        asset = self._assets[each.dataset]
        if each.declared:
            known = self._described(asset, each.declared)
            if known is not None:
                return known
        made = self._made_by.get(_run_key(each.made_by, each.dataset)) if each.made_by else None
        if made is not None:
            return _declared_version(asset, self._numbers[made], made)
        if each.declared:
            return self._version(asset, each.declared, each.fields)
        before = None if draft.static else latest[each.dataset]
        own = self._made_by.get(_run_key(draft.run_id, each.dataset))
        if before is not None and own is not None and before.number >= self._numbers[own]:
            # events came in late, and the run's own version is there already
            older = self.context.index.version(asset, self._numbers[own] - 1)
            before = None
            if older is not None:
                before = Added(older.number, older.record, {older.alg: older.digest.hex()})
        if before is None:
            return self.batch.asset_resource(asset)
        return Resource(format_version(asset, before.number), before.digest)

    def _version(self, asset: str, declared: str, fields: Sequence[Field]) -> Resource:
        """Return the version of the asset so described, made now if there is none."""
        known = self._described(asset, declared)
        if known is not None:
            return known
        digest = self._digest(asset, declared)
        attachments: list[Attachment] = []
        kept = list(fields)
        if len(encoded := msgspec.json.encode(kept)) > _INLINE_BYTES:
            attachments.append(self._published("fields", encoded))
            kept = []
        added = self.batch.version(
            asset, {DECLARED: digest.hex()}, fields=kept, declared=declared, attachments=attachments
        )
        self._numbers[digest] = added.number
        return _declared_version(asset, added.number, digest)

    def _described(self, asset: str, declared: str) -> Resource | None:
        """Return the version of the asset with this description, if this import or the ledger has one."""
        digest = self._digest(asset, declared)
        if digest not in self._numbers:
            found = self.context.index.version_by_digest(asset, DECLARED, digest.hex())
            if found is None:
                return None
            self._numbers[digest] = found.number
        return _declared_version(asset, self._numbers[digest], digest)

    def _digest(self, asset: str, declared: str) -> bytes:
        return bytes.fromhex(digests.declared_digest(self.context.ledger_id, asset, declared))

    def _sealed(self, role: str, data: bytes) -> list[Attachment]:
        return [] if self.dry_run else [seal(self.context, role, "application/json", data)]

    def _published(self, role: str, data: bytes) -> Attachment:
        return publish_attachment(self.context, role, "application/json", data)


def _declared_version(asset: str, number: int, digest: bytes) -> Resource:
    return Resource(format_version(asset, number), {DECLARED: digest.hex()})


def _run_key(run_id: str, dataset: int) -> bytes:
    """A short key for "what this run made of this dataset": an import may have a million of them."""
    return sha256(run_id.encode())[:16] + dataset.to_bytes(4, "big")


def _title(dataset: DatasetDraft) -> str:
    first = dataset.aliases[0]
    return first.name[:200]


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
