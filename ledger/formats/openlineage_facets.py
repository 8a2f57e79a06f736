"""The facets of an event that say something of a dataset: names, versions, columns, owners and sources.

Source: the OpenLineage specification (see `openlineage_shapes`). A facet on which lineage or identity depends
and that can't be read raises FormatError, and the event is refused; one that only informs is left out and
listed, as is every facet that has no place in a record.

The same datasets stand in event after event, byte for byte: what was decoded last is remembered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple, TypeVar

import msgspec
from msgspec import Struct

from ledger.core.errors import FormatError
from ledger.core.records import Field
from ledger.core.text import LINE_PATTERN, shown
from ledger.formats import openlineage_shapes as shapes
from ledger.formats.text import printable

MAX_NAME = 2048
"""The most code points of a namespace, a name or a type: what a record takes."""
MAX_HOW = 256

Role = Literal["input", "output", "dataset"]

_INFORMING = {"symlinks", "version", "schema", "ownership"}
_MAKING = {"columnLineage", "lifecycleStateChange", "lineage"}
_KEPT = {
    "run": {"parent", "lineage"},
    "job": {"ownership", "sourceCodeLocation", "lineage"},
    "input": _INFORMING,
    "output": _INFORMING | _MAKING,
    "dataset": _INFORMING | _MAKING,
}
_REMEMBERED_BYTES = 16_384
is_line = re.compile(LINE_PATTERN).search
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


class Facets:
    """The facets of one thing (a run, a job, an input, ...), each read when asked for.

    `unkept` is a list to which the names of those go that are not read.
    """

    def __init__(self, facets: shapes.Facets | None, role: str, unkept: list[str]) -> None:
        self.role = role
        self._unkept = unkept
        self._raw: shapes.Facets = {}
        if facets:
            kept = _KEPT.get(role, set())
            for name, raw in facets.items():
                if name not in kept:
                    unkept.append(f"{role}.{line(name, 100)}")
                elif bytes(raw) != b"null":
                    self._raw[name] = raw

    def __bool__(self) -> bool:
        return bool(self._raw)

    def read(self, name: str, shape: type[_T]) -> _T | None:
        """Return a facet, None if it is not there or was deleted; FormatError if it can't be read."""
        raw = self._raw.get(name)
        if raw is None:
            return None
        try:
            if b'"_deleted"' in bytes(raw) and _DELETED.decode(raw).deleted:
                return None
            return msgspec.json.decode(raw, type=shape)
        except msgspec.MsgspecError as error:
            raise FormatError(f"{self.role} facet {name}: {printable(str(error), 200)}") from None

    def inform(self, name: str, shape: type[_T]) -> _T | None:
        """Like `read`, for what only informs: unreadable, it is listed and left out."""
        try:
            return self.read(name, shape)
        except FormatError:
            self._unkept.append(f"{self.role}.{name} (unreadable)")
            return None

    def absent(self, name: str, empty: _T) -> _T | None:
        """Return None for a facet that is not there, `empty` for one that says nothing."""
        return empty if name in self._raw else None

    def owners(self) -> tuple[shapes.Owner, ...] | None:
        """Return the owners: none, or None where nothing is said."""
        facet = self.inform("ownership", shapes.Ownership)
        return tuple(facet.owners or ()) if facet else self.absent("ownership", ())


def decode_dataset(raw: bytes, role: Role) -> tuple[Named, tuple[str, ...]]:
    """Decode an input, output or dataset as an event holds it; return also the names of facets left out."""
    return (_remembered if len(raw) <= _REMEMBERED_BYTES else _decode_dataset)(raw, role)


def _decode_dataset(raw: bytes, role: Role) -> tuple[Named, tuple[str, ...]]:
    try:
        given = _DATASET.decode(raw)
    except msgspec.MsgspecError as error:
        raise FormatError(f"{role}: {printable(str(error), 200)}") from None
    unkept: list[str] = []
    facets = Facets(given.facets, role, unkept)
    Facets(given.input_facets, "inputFacets", unkept)
    Facets(given.output_facets, "outputFacets", unkept)
    named = Named(identity(given.namespace, given.name, role))
    if facets:
        named = _informed(named, facets)
        named = named if role == "input" else _made(named, facets, unkept)
    return named, tuple(unkept)


_remembered = lru_cache(maxsize=1024)(_decode_dataset)


def _informed(named: Named, facets: Facets) -> Named:
    symlinks = facets.read("symlinks", shapes.Symlinks)
    version = facets.read("version", shapes.DatasetVersion)
    return msgspec.structs.replace(
        named,
        symlinks=tuple(
            identity(each.namespace, each.name, f"{facets.role} symlink")
            for each in (symlinks and symlinks.identifiers) or ()
        ),
        version=line(str(version.dataset_version), MAX_NAME) if version else facets.absent("version", ""),
        fields=_fields(facets),
        owners=facets.owners(),
    )


def _made(named: Named, facets: Facets, unkept: list[str]) -> Named:
    columns = facets.read("columnLineage", shapes.ColumnLineage)
    change = facets.read("lifecycleStateChange", shapes.LifecycleStateChange)
    before = change.previous_identifier if change and change.lifecycle_state_change == "RENAME" else None
    entry = facets.read("lineage", shapes.LineageEntry)
    says = entry is not None and (entry.inputs is not None or entry.fields is not None)
    return msgspec.structs.replace(
        named,
        columns=tuple(_columns(columns)) if columns else facets.absent("columnLineage", ()),
        lifecycle=line(change.lifecycle_state_change, 100)
        if change
        else facets.absent("lifecycleStateChange", ""),
        renamed_from=identity(before.namespace, before.name, "previousIdentifier") if before else None,
        stated=decode_entry(named.identity, entry, facets.role, unkept) if entry and says else None,
    )


def decode_entry(target: Identity, entry: shapes.LineageEntry, where: str, unkept: list[str]) -> Stated:
    """Return what an entry of a lineage facet states; data from a job has no place here and is listed."""
    sources: list[Identity] = []
    columns: list[Column] = []
    fields = entry.fields or {}
    for name, given in [("", entry.inputs or []), *((name, made.inputs) for name, made in fields.items())]:
        for each in given:
            if each.type != "DATASET":
                unkept.append(f"{where}.lineage from a {line(each.type, 40)}")
                continue
            source = identity(each.namespace, each.name, f"{where}.lineage source")
            sources.append(source)
            if name or each.field or each.transformations:
                columns.append(_column(name, source, each.field, each.transformations))
    return Stated(target=target, sources=tuple(dict.fromkeys(sources)), columns=tuple(columns))


def _fields(facets: Facets) -> tuple[Field, ...] | None:
    facet = facets.inform("schema", shapes.Schema)
    if facet is None:
        return facets.absent("schema", ())
    flat = _flat(facet.fields or (), "")
    return tuple(Field(line(name, MAX_NAME), line(type_, MAX_NAME)) for name, type_ in flat if name)


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
        if len(text) > MAX_NAME or not is_line(text):
            raise FormatError(
                f"expected a {part} of at most {MAX_NAME} characters without control characters, "
                f"got {shown(text)}"
            )
    return Identity(namespace or "", name or "")


def line(text: str, limit: int) -> str:
    """Return informative text as one line that a record can hold: cut, and hidden characters made visible."""
    if len(text) <= limit and is_line(text):
        return text
    return printable(text, limit)


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
    how = line(", ".join(sorted({word for word in words if word})), MAX_HOW)
    return Column(line(name, MAX_NAME), source, line(source_field or "", MAX_NAME), how)


def _flat(fields: Sequence[shapes.SchemaField], prefix: str) -> Iterable[tuple[str, str]]:
    for each in fields:
        yield prefix + each.name, each.type or ""
        if each.fields:
            yield from _flat(each.fields, f"{prefix}{each.name}.")


_DATASET = msgspec.json.Decoder(shapes.Dataset)
_DELETED = msgspec.json.Decoder(shapes.Deleted)
