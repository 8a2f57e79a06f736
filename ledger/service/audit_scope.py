"""What the chain says of logs and keys, and how much of it an audit was asked to look at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from msgspec import Struct, field

from ledger.chain.contracts import KEY_ATTRIBUTE
from ledger.core.chain_facts import (
    Anchored,
    AttributeChanged,
    ChainEvent,
    Checkpoint,
    Closure,
    LogClosed,
    NamespaceChanged,
)
from ledger.core.errors import NotFound, Usage
from ledger.core.identity import parse_did
from ledger.service.asking import asked
from ledger.service.context import Context
from ledger.service.times import parse_time

_KEY_ATTRIBUTE = KEY_ATTRIBUTE.ljust(32, b"\0")
_SHORTEST_ID = 6
_DAY_S = 86400


class Said(Struct):
    """What the chain says of logs, keys and namespaces; parties are addresses of 20 bytes."""

    checkpoints: dict[bytes, list[Checkpoint]] = field(default_factory=lambda: defaultdict(list))
    owners: dict[bytes, bytes] = field(default_factory=dict)
    closures: dict[bytes, Closure] = field(default_factory=dict)
    keys: dict[bytes, set[bytes]] = field(default_factory=lambda: defaultdict(set))
    namespaces: dict[str, bytes] = field(default_factory=dict)


class Scope(Struct):
    """What is to be looked at: `parts` name logs (parties, ids, the first digits of ids; none: all of them);
    signatures of entries anchored before block or time `since` are not.
    """

    parts: Sequence[str] = ()
    since: str = ""
    block: int | None = None
    time_unix_s: int | None = None

    @property
    def whole(self) -> bool:
        """Whether everything is to be looked at."""
        return not self.parts and not self.since


def parse_scope(parts: Sequence[str], since: str) -> Scope:
    """Read what an audit was asked for; raises Usage."""
    if not since:
        return Scope(parts)
    if since.isascii() and since.isdigit() and len(since) <= 15:
        return Scope(parts, since, block=int(since))
    begin = parse_time(since)  # of a date it is the end
    return Scope(parts, since, time_unix_s=begin + 1 - _DAY_S if len(since) == len("2026-01-31") else begin)


def skipped(scope: Scope, checkpoints: Iterable[Checkpoint]) -> int:
    """Return of how many entries of a log the signatures are not asked for."""
    earlier = (
        point.size
        for point in checkpoints
        if (scope.block is not None and point.block < scope.block)
        or (scope.time_unix_s is not None and point.time_unix_s < scope.time_unix_s)
    )
    return max(earlier, default=0)


def chosen(context: Context, scope: Scope, said: Said, logs: Sequence[bytes]) -> list[bytes]:
    """Return those of `logs` that are to be looked at; raises Usage, NotFound for a part that names none."""
    if not scope.parts:
        return list(logs)
    found: set[bytes] = set()
    for part in scope.parts:
        named = {log_id for log_id in logs if _is_meant(context, part, log_id, said)}
        if not named:
            raise NotFound(
                f"no log of {part} is kept here",
                hint="--log takes a DID, a namespace, or a log's id as `dataledger audit` lists it",
            )
        found |= named
    return [log_id for log_id in logs if log_id in found]


def _is_meant(context: Context, part: str, log_id: bytes, said: Said) -> bool:
    if len(part) >= _SHORTEST_ID and part.strip("0123456789abcdef") == "":
        return log_id.hex().startswith(part)
    return owner_of(context, log_id, said) == _party(context, part, said)


def owner_of(context: Context, log_id: bytes, said: Said) -> bytes:
    """Return whose log this is (20 bytes)."""
    return context.address if log_id in context.own_logs else said.owners[log_id]


def _party(context: Context, text: str, said: Said) -> bytes | None:
    if text.startswith("did:"):
        with asked():
            chain_id, address = parse_did(text)
        if chain_id != context.descriptor.chain_id:
            raise Usage(f"{text} is a party of chain {chain_id}, this is {context.descriptor.chain_id}")
        return address
    return said.namespaces.get(text)


def read_chain(context: Context) -> Said:
    """Read all events: checkpoints of every log, with their blocks' times, every record key ever published,
    and how logs were closed.
    """
    said, reader = Said(), context.reader
    times: dict[int, int] = {}
    for event in reader.events(context.descriptor.hints.start_block, reader.head().number + 1):
        if isinstance(event.body, Anchored) and event.block not in times:
            block = reader.block(event.block)
            times[event.block] = block.time_unix_s if block else 0
        _note(said, event, times.get(event.block, 0))
    return said


def _note(said: Said, event: ChainEvent, time_unix_s: int) -> None:
    body = event.body
    if isinstance(body, AttributeChanged) and body.name == _KEY_ATTRIBUTE:
        said.keys[body.identity].add(body.content)
    elif isinstance(body, NamespaceChanged):
        said.namespaces[body.name] = body.owner
    elif isinstance(body, LogClosed):
        said.closures[body.log] = Closure(body.at, event.block, body.successor)
    elif isinstance(body, Anchored):
        said.owners[body.log] = body.owner
        point = Checkpoint(body.n, body.size, body.root, event.block, time_unix_s)
        said.checkpoints[body.log].append(point)
