"""One OpenLineage event: from bytes to what matters of it.

Source: the OpenLineage specification (see `openlineage_shapes`). An event is refused as a whole, with a
reason, if it is not good JSON, lacks what the specification requires, or if a facet that says something about
lineage or identity can't be read: importing the rest of it would lose a source without a word. A facet that
only informs and can't be read is left out and listed. So is every facet that has no place in a record; all of
them stay in the original event, which is kept.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import Struct

from ledger.core.encoding import check_json
from ledger.core.errors import FormatError
from ledger.core.hashing import sha256
from ledger.core.text import shown
from ledger.formats import openlineage_shapes as shapes
from ledger.formats.openlineage_facets import (
    MAX_NAME,
    Facets,
    Identity,
    Named,
    Role,
    Stated,
    decode_dataset,
    decode_entry,
    identity,
    is_line,
    line,
)
from ledger.formats.text import printable
from ledger.formats.times import parse_time

MAX_EVENT_BYTES = 16 << 20
MAX_EVENT_DEPTH = 128
MAX_RUN_ID = 256

_EVENT_TAG = b"dataledger/openlineage/event/v1\0"
_RANKS = {"START": 0, "RUNNING": 1, "OTHER": 2, "COMPLETE": 3, "ABORT": 4, "FAIL": 5}


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
            self._run(event.run, event.job, common)
        elif event.job is not None:
            self._job(event.job, common)
            common["kind"] = "job"
        elif bytes(event.dataset) not in {b"", b"null"}:
            common |= {"kind": "dataset", "outputs": self._datasets([event.dataset], "dataset")}
        else:
            raise FormatError("event: expected one of `run`, `job` and `dataset`")
        return Event(unkept=tuple(self._unkept), **common)  # type: ignore[arg-type]

    def _run(self, run: shapes.Run, job: shapes.Job, common: dict[str, object]) -> None:
        if not run.run_id or len(run.run_id) > MAX_RUN_ID or not is_line(run.run_id):
            raise FormatError(
                f"run.runId: expected 1 to {MAX_RUN_ID} printable characters, got {shown(run.run_id)}"
            )
        self._job(job, common)
        facets = Facets(run.facets, "run", self._unkept)
        common |= {"kind": "run", "run_id": run.run_id, "parent": _parent(facets)}
        self._lineage(facets, job, common)

    def _job(self, job: shapes.Job, common: dict[str, object]) -> None:
        facets = Facets(job.facets, "job", self._unkept)
        code = facets.inform("sourceCodeLocation", shapes.SourceCodeLocation)
        common |= {
            "job": identity(job.namespace, job.name, "job"),
            "job_version": line(code.version or "", MAX_NAME) if code else "",
            "owners": facets.owners(),
            "inputs": self._datasets(self._event.inputs, "input"),
            "outputs": self._datasets(self._event.outputs, "output"),
        }
        self._lineage(facets, job, common)

    def _datasets(self, given: list[msgspec.Raw] | None, role: Role) -> tuple[Named, ...]:
        named = []
        for raw in given or ():
            each, unkept = decode_dataset(bytes(raw), role)
            named.append(each)
            self._unkept += unkept
        return tuple(named)

    def _lineage(self, facets: Facets, own: shapes.Job, common: dict[str, object]) -> None:
        """Read the lineage facet of a job or run; without entries it says nothing."""
        facet = facets.read("lineage", shapes.LineageEntries)
        entries = [*(facet.entries or ()), *(facet.lineage or ())] if facet else []
        if not entries:
            return
        stated: list[Stated] = []
        consumed: list[Identity] = []
        where = f"{facets.role}.facets"
        for entry in entries:
            name = (entry.namespace, entry.name)
            if entry.type == "DATASET":
                target = identity(*name, f"{where}.lineage target")
                stated.append(decode_entry(target, entry, where, self._unkept))
            elif entry.type == "JOB" and name in {(None, None), (own.namespace, own.name)}:
                consumed += decode_entry(Identity("", ""), entry, where, self._unkept).sources
            else:
                self._unkept.append(f"{where}.lineage of another {line(entry.type, 40)}")
        common["stated"] = (*(common.get("stated") or ()), *stated)  # type: ignore[misc]
        common["consumed"] = (*(common.get("consumed") or ()), *consumed)  # type: ignore[misc]


def _parent(facets: Facets) -> Parent | None:
    facet = facets.inform("parent", shapes.Parent)
    if facet is None:
        return None
    root = facet.root
    return Parent(
        run_id=line(facet.run.run_id, MAX_RUN_ID),
        job=_job_name(facet.job),
        root_run_id=line(root.run.run_id, MAX_RUN_ID) if root else "",
        root_job=_job_name(root.job) if root else None,
    )


def _job_name(job: shapes.Name) -> Identity:
    return Identity(line(job.namespace, MAX_NAME), line(job.name, MAX_NAME))


_ANY = msgspec.json.Decoder(shapes.AnyEvent)
