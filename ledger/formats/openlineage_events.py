"""One OpenLineage event: from bytes to what matters of it.

Source: the OpenLineage specification (see `openlineage_shapes`). An event is refused as a whole, with a
reason, if it is not good JSON, lacks what the specification requires, or if a facet that says something about
lineage or identity can't be read: importing the rest of it would lose a source without a word. A facet that
only informs and can't be read is left out and listed. So is every facet that has no place in a record; all of
them stay in the original event, which is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple, TypeVar

import msgspec
from msgspec import Struct

from ledger.core.encoding import check_json
from ledger.core.errors import FormatError
from ledger.core.hashing import sha256
from ledger.core.records import Field
from ledger.core.text import LINE_PATTERN, shown
from ledger.formats import openlineage_shapes as shapes
from ledger.formats.text import printable
from ledger.formats.times import parse_time

MAX_EVENT_BYTES = 16 << 20
MAX_EVENT_DEPTH = 128
MAX_NAME = 2048
"""The most code points of a namespace, a name or a type: what a record takes."""
MAX_RUN_ID = 256

_EVENT_TAG = b"dataledger/openlineage/event/v1\0"
_RANKS = {"START": 0, "RUNNING": 1, "OTHER": 2, "COMPLETE": 3, "ABORT": 4, "FAIL": 5}
_KEPT = {
    "run": {"parent", "lineage"},
    "job": {"ownership", "sourceCodeLocation", "lineage"},
    "input": {"symlinks", "version", "schema", "ownership"},
    "output": {
        "symlinks",
        "version",
        "schema",
        "ownership",
        "columnLineage",
        "lifecycleStateChange",
        "lineage",
    },
    "dataset": {"symlinks", "ownership", "columnLineage", "lineage", "schema", "version"},
}
_is_line = re.compile(LINE_PATTERN).search
_T = TypeVar("_T")


class Identity(NamedTuple):
    """A dataset's or job's namespace and name."""

    namespace: str
    name: str


class Column(Struct, frozen=True, gc=False):
    """`field` (empty: the whole output) comes from `source_field` (empty: the whole) of `source`."""

    field: str
    source: Identity
    source_field: str
    how: str


class Stated(Struct, frozen=True):
    """What a lineage facet says of one target: all its sources, perhaps none, and their columns."""

    target: Identity
    sources: tuple[Identity, ...]
    columns: tuple[Column, ...]


class Named(Struct, frozen=True):
    """A dataset as an event names it. None: no such facet; empty: the facet says nothing or was deleted."""

    identity: Identity
    symlinks: tuple[Identity, ...] = ()
    version: str | None = None
    fields: tuple[Field, ...] | None = None
    owners: tuple[shapes.Owner, ...] | None = None
    columns: tuple[Column, ...] | None = None
    lifecycle: str | None = None
    renamed_from: Identity | None = None
    stated: Stated | None = None


class Parent(Struct, frozen=True):
    """The run that started this one, and the outermost one, as far as they are named."""

    run_id: str
    job: Identity
    root_run_id: str = ""
    root_job: Identity | None = None


class Event(Struct, frozen=True, kw_only=True):
    """One event, decoded. `time` is in microseconds since 1970. `kind` says which members mean something.

    `stated` is the lineage facet of job and run; `consumed` are sources of the event's own job that it names.
    `unkept` lists facets that stay in the original only, such as `input.dataSource`.
    """

    kind: Literal["run", "job", "dataset"]
    time: int
    rank: int
    type: shapes.EventType
    producer: str
    run_id: str = ""
    job: Identity = Identity("", "")
    job_version: str = ""
    parent: Parent | None = None
    owners: tuple[shapes.Owner, ...] | None = None
    inputs: tuple[Named, ...] = ()
    outputs: tuple[Named, ...] = ()
    stated: tuple[Stated, ...] | None = None
    consumed: tuple[Identity, ...] = ()
    unkept: tuple[str, ...] = ()


def check_event(data: bytes) -> bytes:
    """Refuse (FormatError) what is not safe JSON; return the event's digest, 32 bytes.

    The digest is SHA-256 over a tag and the event with sorted members and without white space, so that the
    same event is recognised in another file, layout or order of members.
    """
    check_json(data, max_bytes=MAX_EVENT_BYTES, max_depth=MAX_EVENT_DEPTH, wide_integers=True)
    try:
        return sha256(_EVENT_TAG + msgspec.json.encode(msgspec.json.decode(data), order="sorted"))
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError) as error:
        raise FormatError(f"JSON: {printable(str(error), 200)}") from None


def decode_event(data: bytes) -> Event:
    """Decode one event that `check_event` has passed; FormatError says what it lacks."""
    try:
        return _Decoder(_ANY.decode(data)).event()
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise FormatError(f"event: {printable(str(error), 200)}") from None


class _Decoder:
    """What is known while one event is decoded: the event itself, and the facets left out so far."""

    def __init__(self, event: shapes.AnyEvent) -> None:
        self._event = event
        self._unkept: list[str] = []

    def event(self) -> Event:
        event = self._event
        time, has_offset = parse_time(event.event_time, "eventTime")
        if not has_offset:
            self._unkept.append("eventTime without offset, read as UTC")
        kind: shapes.EventType = event.event_type or "OTHER"
        common: dict[str, object] = {
            "time": time,
            "rank": _RANKS[kind],
            "type": kind,
            "producer": line(event.producer, MAX_NAME),
        }
        if event.run is not None:
            if event.job is None:
                raise FormatError("event: expected `job` beside `run`")
            return self._run_event(event.run, event.job, common)
        if event.job is not None:
            return self._job_event("job", event.job, common)
        if event.dataset is not None:
            dataset = self._dataset(event.dataset, "dataset")
            return Event(kind="dataset", outputs=(dataset,), unkept=tuple(self._unkept), **common)  # type: ignore[arg-type]
        raise FormatError("event: expected one of `run`, `job` and `dataset`")

    def _run_event(self, run: shapes.Run, job: shapes.Job, common: dict[str, object]) -> Event:
        if not run.run_id or len(run.run_id) > MAX_RUN_ID or not _is_line(run.run_id):
            raise FormatError(
                f"run.runId: expected 1 to {MAX_RUN_ID} printable characters, got {shown(run.run_id)}"
            )
        facets = self._facets(run.facets, "run")
        stated, consumed = self._stated(facets, "run.facets", job)
        whole = self._job_event("run", job, common)
        if stated is not None:
            both = (whole.stated or ()) + stated
            whole = msgspec.structs.replace(whole, stated=both, consumed=whole.consumed + consumed)
        return msgspec.structs.replace(
            whole, run_id=run.run_id, parent=self._parent(facets), unkept=tuple(self._unkept)
        )

    def _job_event(self, kind: str, job: shapes.Job, common: dict[str, object]) -> Event:
        facets = self._facets(job.facets, "job")
        code = self._informs(facets, "sourceCodeLocation", shapes.SourceCodeLocation, "job")
        stated, consumed = self._stated(facets, "job.facets", job)
        return Event(
            kind=kind,  # type: ignore[arg-type]
            job=identity(job.namespace, job.name, "job"),
            job_version=line(code.version or "", MAX_NAME) if code else "",
            owners=self._owners(facets, "job"),
            inputs=tuple(self._dataset(each, "input") for each in self._event.inputs or ()),
            outputs=tuple(self._dataset(each, "output") for each in self._event.outputs or ()),
            stated=stated,
            consumed=consumed,
            unkept=tuple(self._unkept),
            **common,  # type: ignore[arg-type]
        )

    def _dataset(self, named: shapes.Dataset, role: Literal["input", "output", "dataset"]) -> Named:
        whole = identity(named.namespace, named.name, role)
        facets = self._facets(named.facets, role)
        self._facets(named.input_facets, "inputFacets")
        self._facets(named.output_facets, "outputFacets")
        if not facets:
            return Named(whole)
        symlinks = _read(facets, "symlinks", shapes.Symlinks, role)
        version = _read(facets, "version", shapes.DatasetVersion, role)
        result = Named(
            identity=whole,
            symlinks=tuple(
                identity(each.namespace, each.name, f"{role} symlink")
                for each in (symlinks and symlinks.identifiers) or ()
            ),
            version=line(str(version.dataset_version), MAX_NAME)
            if version
            else _absent(facets, "version", ""),
            fields=self._fields(facets, role),
            owners=self._owners(facets, role),
        )
        return result if role == "input" else self._made(result, facets, role)

    def _made(self, named: Named, facets: shapes.Facets, role: str) -> Named:
        columns = _read(facets, "columnLineage", shapes.ColumnLineage, role)
        change = _read(facets, "lifecycleStateChange", shapes.LifecycleStateChange, role)
        before = change.previous_identifier if change and change.lifecycle_state_change == "RENAME" else None
        return msgspec.structs.replace(
            named,
            columns=tuple(_columns(columns)) if columns else _absent(facets, "columnLineage", ()),
            lifecycle=change.lifecycle_state_change
            if change
            else _absent(facets, "lifecycleStateChange", ""),
            renamed_from=identity(before.namespace, before.name, "previousIdentifier") if before else None,
            stated=self._own_lineage(named.identity, facets, role),
        )

    def _own_lineage(self, target: Identity, facets: shapes.Facets, role: str) -> Stated | None:
        entry = _read(facets, "lineage", shapes.LineageEntry, role)
        if entry is None or (entry.inputs is None and entry.fields is None):
            return None
        return self._entry(target, entry, role)

    def _stated(
        self, facets: shapes.Facets, where: str, own: shapes.Job
    ) -> tuple[tuple[Stated, ...] | None, tuple[Identity, ...]]:
        """Read a lineage facet of a job or run; None if it has no entry, and so says nothing."""
        facet = _read(facets, "lineage", shapes.LineageEntries, where)
        entries = [*(facet.entries or ()), *(facet.lineage or ())] if facet else []
        if not entries:
            return None, ()
        stated: list[Stated] = []
        consumed: list[Identity] = []
        for entry in entries:
            if entry.type == "DATASET":
                target = identity(entry.namespace, entry.name, f"{where}.lineage target")
                stated.append(self._entry(target, entry, where))
            elif entry.type == "JOB" and (entry.namespace, entry.name) in {
                (None, None),
                (own.namespace, own.name),
            }:
                consumed += self._entry(Identity("", ""), entry, where).sources
            else:
                self._unkept.append(f"{where}.lineage of another {line(entry.type, 40)}")
        return tuple(stated), tuple(consumed)

    def _entry(self, target: Identity, entry: shapes.LineageEntry, where: str) -> Stated:
        columns = []
        sources = []
        for name, given in [
            ("", entry.inputs or []),
            *((n, f.inputs) for n, f in (entry.fields or {}).items()),
        ]:
            for each in given:
                if each.type != "DATASET":
                    self._unkept.append(f"{where}.lineage from a {line(each.type, 40)}")
                    continue
                source = identity(each.namespace, each.name, f"{where}.lineage source")
                sources.append(source)
                if name or each.field or each.transformations:
                    columns.append(_column(name, source, each.field, each.transformations))
        return Stated(target=target, sources=tuple(dict.fromkeys(sources)), columns=tuple(columns))

    def _parent(self, facets: shapes.Facets) -> Parent | None:
        facet = self._informs(facets, "parent", shapes.Parent, "run")
        if facet is None:
            return None
        root = facet.root
        return Parent(
            run_id=line(facet.run.run_id, MAX_RUN_ID),
            job=Identity(line(facet.job.namespace, MAX_NAME), line(facet.job.name, MAX_NAME)),
            root_run_id=line(root.run.run_id, MAX_RUN_ID) if root else "",
            root_job=Identity(line(root.job.namespace, MAX_NAME), line(root.job.name, MAX_NAME))
            if root
            else None,
        )

    def _fields(self, facets: shapes.Facets, role: str) -> tuple[Field, ...] | None:
        facet = self._informs(facets, "schema", shapes.Schema, role)
        if facet is None:
            return _absent(facets, "schema", ())
        flat = _flat(facet.fields or (), "")
        return tuple(Field(line(name, MAX_NAME), line(type_, MAX_NAME)) for name, type_ in flat if name)

    def _owners(self, facets: shapes.Facets, role: str) -> tuple[shapes.Owner, ...] | None:
        facet = self._informs(facets, "ownership", shapes.Ownership, role)
        return tuple(facet.owners or ()) if facet else _absent(facets, "ownership", ())

    def _facets(self, facets: shapes.Facets | None, role: str) -> shapes.Facets:
        if not facets:
            return {}
        kept = _KEPT.get(role, set())
        for name in facets:
            if name not in kept:
                self._unkept.append(f"{role}.{line(name, 100)}")
        return {name: raw for name, raw in facets.items() if name in kept and bytes(raw) != b"null"}

    def _informs(self, facets: shapes.Facets, name: str, shape: type[_T], role: str) -> _T | None:
        try:
            return _read(facets, name, shape, role)
        except FormatError:
            self._unkept.append(f"{role}.{name} (unreadable)")
            return None


def identity(namespace: str | None, name: str | None, what: str) -> Identity:
    """Return an identity whose parts a record can hold; FormatError says which can't be."""
    try:
        return _identity(namespace, name)
    except FormatError as error:
        raise FormatError(f"{what}: {error}") from None


@lru_cache(maxsize=1 << 16)  # the same few thousand names, over and over
def _identity(namespace: str | None, name: str | None) -> Identity:
    for part, text in (("namespace", namespace), ("name", name)):
        if text is None or (part == "name" and not text):
            raise FormatError(f"expected a {part}, got none")
        if len(text) > MAX_NAME or not _is_line(text):
            raise FormatError(
                f"expected a {part} of at most {MAX_NAME} characters without control characters, "
                f"got {shown(text)}"
            )
    return Identity(namespace or "", name or "")


def line(text: str, limit: int) -> str:
    """Return informative text as one line that a record can hold: cut, and hidden characters made visible."""
    if len(text) <= limit and _is_line(text):
        return text
    return printable(text, limit)


def _read(facets: shapes.Facets, name: str, shape: type[_T], where: str) -> _T | None:
    raw = facets.get(name)
    if raw is None:
        return None
    try:
        if b'"_deleted"' in bytes(raw) and _DELETED.decode(raw).deleted:
            return None
        return msgspec.json.decode(raw, type=shape)
    except msgspec.MsgspecError as error:
        raise FormatError(f"{where} facet {name}: {printable(str(error), 200)}") from None


def _absent(facets: shapes.Facets, name: str, empty: _T) -> _T | None:
    """Return None for a facet that is not there, `empty` for one that says nothing."""
    return empty if name in facets else None


def _columns(facet: shapes.ColumnLineage) -> Iterable[Column]:
    for name, made in (facet.fields or {}).items():
        for each in made.input_fields:
            source = identity(each.namespace, each.name, "columnLineage source")
            yield _column(name, source, each.field, each.transformations, made.transformation_type or "")
    for each in facet.dataset or ():
        source = identity(each.namespace, each.name, "columnLineage source")
        yield _column("", source, each.field, each.transformations)


def _column(
    name: str,
    source: Identity,
    source_field: str | None,
    transformations: Sequence[shapes.Transformation] | None,
    older: str = "",
) -> Column:
    words = [
        "/".join(filter(None, (each.type, each.subtype, "MASKING" if each.masking else "")))
        for each in transformations or ()
    ] or [older]
    how = line(", ".join(sorted({word for word in words if word})), MAX_RUN_ID)
    return Column(line(name, MAX_NAME), source, line(source_field or "", MAX_NAME), how)


def _flat(fields: Sequence[shapes.SchemaField], prefix: str) -> Iterable[tuple[str, str]]:
    for each in fields:
        yield prefix + each.name, each.type or ""
        if each.fields:
            yield from _flat(each.fields, f"{prefix}{each.name}.")


_ANY = msgspec.json.Decoder(shapes.AnyEvent)
_DELETED = msgspec.json.Decoder(shapes.Deleted)
