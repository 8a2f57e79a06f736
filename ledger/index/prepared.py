"""Records on their way to the tables: taken apart once, and everything they ask looked up in advance."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from ledger.core.digests import RUN
from ledger.core.identity import parse_did
from ledger.core.records import Activity, Resource, Statement, Version
from ledger.index.kinds import CODE, UNVERSIONED
from ledger.index.memory import Key, Memory
from ledger.index.said_memory import rests_on


class Named(Struct, frozen=True, gc=False):
    """A resource taken apart: asset, number (or UNVERSIONED), code of the digest's name, digest."""

    asset: str
    number: int
    code: int
    content: bytes


class Prepared(Struct, frozen=True, gc=False):
    """A well-formed record: its first author (20 bytes), what it is about, and what it used.

    The run itself, as the subject of an activity without outputs, is no resource: then `subject` is empty.
    """

    statement: Statement
    author: bytes
    subject: list[Named]
    inputs: list[Named]


def prepare(statement: Statement) -> Prepared:
    """Take a record apart."""
    predicate = statement.predicate
    inputs = [_named(each) for each in predicate.inputs] if isinstance(predicate, Activity) else []
    subject = [_named(each) for each in statement.subject if RUN not in each.digest]
    return Prepared(statement, parse_did(predicate.authors[0])[1], subject, inputs)


def prefetch(memory: Memory, batch: Iterable[Prepared]) -> None:
    """Look up at once what these records are going to ask."""
    names: set[str] = set()
    runs: list[tuple[str, int]] = []
    wanted: list[Named] = []
    said: dict[bytes, None] = {}
    for record in batch:
        predicate = record.statement.predicate
        used = record.subject + record.inputs if record.inputs else record.subject
        names.update([each.asset for each in used])
        said.update(dict.fromkeys(rests_on(record.statement)))
        if isinstance(predicate, Activity):
            wanted += used
            # who has no id yet has no activities
            runs.append((predicate.run_id, memory.parties.get(record.author) or 0))
        elif isinstance(predicate, Version):
            (version,) = used
            wanted.append(version)
            wanted.append(Named(version.asset, UNVERSIONED, version.code, version.content))
    memory.assets.prefetch(names)
    memory.activities.prefetch(runs)
    memory.said.prefetch(said)
    keys: list[Key] = []
    for each in wanted:
        asset = memory.assets.get(each.asset)
        if asset is not None:
            keys.append((asset.id, each.number, each.code, each.content))
    memory.nodes.prefetch(keys)


def _named(resource: Resource) -> Named:
    name, _, number = resource.name.partition("@")
    ((alg, digest),) = resource.digest.items()
    return Named(name, int(number) if number else UNVERSIONED, CODE[alg], bytes.fromhex(digest))
