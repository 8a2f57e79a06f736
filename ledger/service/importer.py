"""One import on its way into the log, batch by batch: drafts of `formats.openlineage_drafts` become records.

A run that was recorded from the same events is known and left alone; events that came in since make a further
activity of the same run. Original events and owners are sealed: they hold people, paths and queries. What
can't be recorded of a run (it is too large, its dataset was handed to somebody else) is refused with its
reason, whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

from ledger.core import digests
from ledger.core.digests import DECLARED
from ledger.core.encoding import decode_json
from ledger.core.errors import FormatError, Usage
from ledger.core.hashing import sha256
from ledger.core.names import format_version
from ledger.core.records import Attachment, Edge, Field, Resource
from ledger.formats.openlineage import STATIC_RUN, Import
from ledger.formats.openlineage_drafts import (
    DatasetDraft,
    InputDraft,
    OutputDraft,
    RunDraft,
    ownership_attachment,
)
from ledger.formats.openlineage_shapes import Owner
from ledger.service.attached import Sealing, publish_attachment
from ledger.service.batch import Batch
from ledger.service.context import Context
from ledger.service.publishing import keep
from ledger.service.results import RecordRef, Refused

SOURCE = "openlineage:"
"""What an imported activity's `source` begins with; the digest of its events follows, in hex."""

LISTED = 1000
"""Of records, datasets and refusals, so many are listed one by one; all are counted."""

_BATCH_RECORDS = 1000
_BATCH_BYTES = 32 << 20
_INLINE_BYTES = 24_000
"""Column edges and fields beyond this go into an attachment: an entry has at most 65,535 bytes."""

_JSON = "application/json"
_KNOWN_DATASET = "dataset event or owners of a dataset that is registered already"


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
        self._assets: list[str] = []
        self._numbers: dict[bytes, int] = {}
        self._made_by: dict[bytes, bytes] = {}
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
        for alias in dataset.aliases:
            known = self._context.index.alias_of(
                self._context.address, alias.scheme, alias.namespace, alias.name
            )
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
            attachments.append(self._sealing.seal("event", _JSON, original))
        title = dataset.aliases[0].name[:200]
        self._batch.register(name, title=title, aliases=dataset.aliases, attachments=attachments)
        self.registered_count += 1
        if len(self.registered) < LISTED:
            self.registered.append(name)

    def _run(self, draft: RunDraft) -> None:
        """Record a run with the versions that it made or named, all of it or nothing."""
        source = SOURCE + draft.digest.hex()
        if self._context.index.activity_source(self._context.address, draft.run_id, source):
            self.known += 1
            return
        numbers, made_by, sealed = len(self._numbers), len(self._made_by), len(self._sealing)
        try:
            with self._batch.all_or_none():
                self._record(draft, source)
        except (FormatError, Usage) as error:
            _shorten(self._numbers, numbers)
            _shorten(self._made_by, made_by)
            self._sealing.shorten(sealed)
            self._refusals.add(f"run {draft.run_id}", "", str(error))
        else:
            self.recorded += 1

    def _record(self, draft: RunDraft, source: str) -> None:
        outputs = [self._output(draft, output) for output in draft.outputs]
        inputs, places = _distinct([self._input(draft, each) for each in draft.inputs])
        attachments = [self._sealing.seal("event", _JSON, b"".join(self._plan.original(draft)))]
        attachments += self._owners(draft.owners)
        columns = [msgspec.structs.replace(each, input=places[each.input]) for each in draft.columns]
        if len(encoded := msgspec.json.encode(columns)) > _INLINE_BYTES:
            attachments.append(self._published("columns", encoded))
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
        if not output.makes or (draft.static and not self._may_declare(asset)):
            return self._batch.asset_resource(asset)
        made = self._version(asset, output.declared, output.fields)
        self._made_by[_run_key(draft.run_id, output.dataset)] = bytes.fromhex(made.digest[DECLARED])
        return made

    def _may_declare(self, asset: str) -> bool:
        """Tell whether lineage that nobody ran may give the asset a version: if it has none, or only such
        ones.
        """
        newest = self._context.index.latest_version(asset)
        if newest is None:
            return True
        said = (
            decode_json(newest.declared.encode(), dict[str, str], what="version") if newest.declared else {}
        )
        return said.get("run", "").startswith(STATIC_RUN)

    def _input(self, draft: RunDraft, each: InputDraft) -> Resource:
        """Find which version was read: as named, as made by a run, as described, or the newest; see
        `RunDraft`.
        """
        asset = self._assets[each.dataset]
        if each.declared and (known := self._described(asset, each.declared)):
            return known
        made = self._made_by.get(_run_key(each.made_by, each.dataset)) if each.made_by else None
        if made is not None:
            return _declared_version(asset, self._numbers[made], made)
        if each.declared:
            return self._version(asset, each.declared, each.fields)
        newest = None if draft.static else self._batch.latest(asset)
        if newest is None:
            return self._batch.asset_resource(asset)
        return Resource(format_version(asset, newest.number), newest.digest)

    def _version(self, asset: str, declared: str, fields: Sequence[Field]) -> Resource:
        """Return the version of the asset so described, made now if there is none."""
        known = self._described(asset, declared)
        if known is not None:
            return known
        digest = self._digest(asset, declared)
        attachments: list[Attachment] = []
        inline = list(fields)
        if len(encoded := msgspec.json.encode(inline)) > _INLINE_BYTES:
            attachments.append(self._published("fields", encoded))
            inline = []
        added = self._batch.version(
            asset, {DECLARED: digest.hex()}, fields=inline, declared=declared, attachments=attachments
        )
        self._numbers[digest] = added.number
        return _declared_version(asset, added.number, digest)

    def _described(self, asset: str, declared: str) -> Resource | None:
        """Return the version of the asset with this description, if this import or the ledger has one."""
        digest = self._digest(asset, declared)
        number = self._numbers.get(digest)
        if number is None:
            found = self._context.index.version_by_digest(asset, DECLARED, digest.hex())
            if found is None:
                return None
            number = self._numbers[digest] = found.number
        return _declared_version(asset, number, digest)

    def _digest(self, asset: str, declared: str) -> bytes:
        return bytes.fromhex(digests.declared_digest(self._context.ledger_id, asset, declared))

    def _owners(self, owners: tuple[Owner, ...]) -> list[Attachment]:
        return [self._sealing.seal("ownership", _JSON, ownership_attachment(owners))] if owners else []

    def _published(self, role: str, data: bytes) -> Attachment:
        return publish_attachment(self._context, role, _JSON, data, keep=not self._dry_run)


def _declared_version(asset: str, number: int, digest: bytes) -> Resource:
    return Resource(format_version(asset, number), {DECLARED: digest.hex()})


def _run_key(run_id: str, dataset: int) -> bytes:
    """A short key for "what this run made of this dataset": an import may have a million of them."""
    return sha256(run_id.encode())[:16] + dataset.to_bytes(4, "big")


def _shorten(entries: dict[bytes, Any], size: int) -> None:
    """Remove what was added last, down to `size` entries."""
    while len(entries) > size:
        entries.popitem()


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
