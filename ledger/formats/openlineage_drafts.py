"""What an import proposes to record: datasets, and runs in an order in which their versions can be made.

Drafts hold no ledger id, asset name or version number, since those are the workspace's to give. To turn them
into records, take `datasets` first, then the runs in the order in which they come:

**A dataset** is the asset that one of its `aliases` already names; if none does, a new asset at `path`, or at
`path_if_taken` if another asset has that name.

**An output** that `makes` a version is the version of its asset whose declared description is `declared`; if
there is none, a new one. The description names the run (or the version, where the producer named it) and
nothing that changes when the events are imported again, so the digest over it recognises it. An output that
does not make one is named as the asset itself.

**An input** is, in this order: the version whose description is `declared`, if that is not empty and the
asset has one; the version that the run `made_by` made of it, if that is not empty and there is one; a new
version so described, if `declared` is not empty; the asset's latest version; the asset itself, of which then
nobody knows which version it was. For a `static` run it is the asset itself unless it has `declared` or
`made_by`. Two inputs may turn out to be one version: their edges then are those of one input.

**A run** is known already if an activity with its `run_id` was recorded from the same `digest`; with
another digest, events have come in since, and a further activity with the same `run_id` adds what they say.
A `static` run is lineage that a job or dataset event declares and nobody ran: it gives an asset a version
only where it has none, or only such ones.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

from ledger.core.encoding import encode_json
from ledger.core.hashing import sha256
from ledger.core.records import Alias, ColumnEdge, Component, Edge, Field
from ledger.formats.openlineage_events import Parent
from ledger.formats.openlineage_runs import Outcome
from ledger.formats.openlineage_shapes import Owner

VERSION_FORMAT = "dataledger/openlineage-version/v1"
STATIC_RUN = "static:"
"""What the run id of a declaration starts with; the digest of its event follows in hex."""

_RUN_TAG = b"dataledger/openlineage/run/v1\0"


class DatasetDraft(Struct, frozen=True, kw_only=True):
    """A dataset: all names that are its own, the one it is mostly called by first.

    `owners` is who the last event to say so names as owners: persons, so they belong in a private attachment.
    `events` is how many dataset events about it the import has kept.
    """

    aliases: list[Alias]
    path: str
    path_if_taken: str
    owners: tuple[Owner, ...] = ()
    events: int = 0


class InputDraft(Struct, frozen=True, kw_only=True):
    """A dataset that a run read; `dataset` is its position among the datasets of the import.

    `version` is the producer's name for the version read, or empty, and `declared` the description of the
    version so named. `made_by` is the run id of an earlier run of this import, or of this run itself.
    """

    dataset: int
    version: str = ""
    declared: str = ""
    made_by: str = ""
    fields: tuple[Field, ...] = ()


class OutputDraft(Struct, frozen=True, kw_only=True):
    """A dataset that a run made, was to make, or dropped; `lifecycle` is the producer's word."""

    dataset: int
    makes: bool
    version: str = ""
    declared: str = ""
    fields: tuple[Field, ...] = ()
    lifecycle: str = ""


class RunDraft(Struct, frozen=True, kw_only=True):
    """One run, merged from all its events; edges and columns as in records.Activity.

    `digest` is SHA-256 over a tag and the digests of the run's distinct events, in byte order. `started`
    and `ended` are RFC 3339 in UTC, or empty. `events` is how many distinct events there are; their bytes
    are to be had from the import, as there may be many.
    """

    run_id: str
    digest: bytes
    component: Component
    outcome: Outcome
    started: str
    ended: str
    inputs: list[InputDraft]
    outputs: list[OutputDraft]
    edges: list[Edge]
    columns: list[ColumnEdge]
    source: str
    events: int
    parent: Parent | None = None
    owners: tuple[Owner, ...] = ()
    static: bool = False


def describe_version(version: str, run_id: str) -> str:
    """Return the description of a declared version: the producer's name for it, or else the run that made it.

    The declared digest also covers ledger and asset, so the same name on two assets is two versions.
    """
    what = {"version": version} if version else {"run": run_id}
    return encode_json({"format": VERSION_FORMAT, **what}).decode()


def is_static(description: str) -> bool:
    """Tell whether the description of a version is that of one that a `static` run made."""
    return description.startswith(f'{{"format":"{VERSION_FORMAT}","run":"{STATIC_RUN}')


def run_digest(event_digests: set[bytes]) -> bytes:
    """Return the digest of a run from those of its events: the same for the same events in any files."""
    return sha256(_RUN_TAG + b"".join(sorted(event_digests)))


def ownership_attachment(owners: tuple[Owner, ...]) -> bytes:
    """Return owners as JSON, as OpenLineage's ownership facet has them; for a private attachment."""
    return encode_json({"owners": [msgspec.structs.asdict(owner) for owner in owners]})
