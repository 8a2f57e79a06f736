"""Reading chain and logs in the one order that counts, and checking every log against its anchors.

The order: blocks; within a block its events, then the entries that its anchors cover, by log id and position.
Entries are handed on only after the root recomputed from all of them is the anchored one at the anchored size
(a consistency proof does not authenticate the size). An anchor may cover more than memory holds: then its
entries are read twice, and hashed both times.

Nothing here is written anywhere: see `sync`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from msgspec import Struct

from ledger.core.chain_facts import Anchored, BlockRef, ChainEvent, EventBody, LogClosed
from ledger.core.errors import Invalid, Unavailable
from ledger.core.merkle import CompactTree, leaf_hashes
from ledger.index.feeds import ChainFeed, LogFeed
from ledger.index.kinds import CLOSED, MISMATCH, UNAVAILABLE

CHUNK = 1000  # entries handed on at a time
_CHUNK_BYTES = 2 << 20
_KEPT_BYTES = 32 << 20  # entries of one block kept in memory between the two passes
_BLOCKS = 5000  # blocks whose events are read at a time


class ChainMovedError(Exception):
    """The chain was reorganised while it was being read; what was read is not to be used."""


class LogState(Struct):
    """How far a log was read: the tree over its confirmed entries, and whether it ends there."""

    tree: CompactTree
    stopped: bool = False
    closed_block: int | None = None


class NewBlock(Struct, frozen=True):
    """A block that says something, and what it says."""

    ref: BlockRef
    bodies: list[EventBody]


class Segment(Struct, frozen=True):
    """Confirmed entries of a log, from position `start`."""

    log: bytes
    start: int
    entries: list[bytes]


class Confirmed(Struct, frozen=True):
    """All entries that this anchor covers were handed on; `frontier` is the tree's, to go on from."""

    anchor: Anchored
    frontier: list[bytes]


class Stopped(Struct, frozen=True):
    """The log ends before this anchor, for now: `reason` is UNAVAILABLE, MISMATCH or CLOSED."""

    anchor: Anchored
    reason: str
    text: str


class Unreadable(Struct, frozen=True):
    """What a log holds beyond its anchors can't be read now."""

    log: bytes
    reason: str
    text: str


Item = NewBlock | Segment | Confirmed | Stopped | Unreadable


class Reading:
    """Reads blocks in order; `states`, by log id, go along."""

    def __init__(self, chain: ChainFeed, logs: LogFeed, states: dict[bytes, LogState]) -> None:
        self._chain = chain
        self._logs = logs
        self._states = states

    def items(self, start: int, head: BlockRef) -> Iterator[Item]:
        """Yield what the blocks from `start` to `head`, included, say and anchor."""
        for first in range(start, head.number + 1, _BLOCKS):
            stop = min(first + _BLOCKS, head.number + 1)
            for ref, bodies in self._blocks(first, stop, head):
                yield NewBlock(ref, bodies)
                self._note(ref, bodies)
                yield from self._anchors(ref.number, bodies)

    def _blocks(self, start: int, stop: int, head: BlockRef) -> list[tuple[BlockRef, list[EventBody]]]:
        blocks = []
        for number, events in groupby(self._chain.events(start, stop), _block_of):
            ref = self._chain.block(number)
            if ref is None:
                raise ChainMovedError
            blocks.append((ref, [event.body for event in events]))
        now = self._chain.block(head.number)
        if now is None or now.hash != head.hash:
            raise ChainMovedError
        return blocks

    def _note(self, ref: BlockRef, bodies: list[EventBody]) -> None:
        for body in bodies:
            if isinstance(body, LogClosed):
                self._state(body.log).closed_block = ref.number

    def _anchors(self, block: int, bodies: list[EventBody]) -> Iterator[Item]:
        anchors = [body for body in bodies if isinstance(body, Anchored)]
        anchors.sort(key=lambda anchor: (anchor.log, anchor.n))
        checked: list[_Checked | Stopped] = []
        room = _KEPT_BYTES
        for anchor in anchors:
            state = self._state(anchor.log)
            if state.stopped:
                continue
            found = self._check(anchor, state, block, room)
            checked.append(found)
            if isinstance(found, Stopped):
                state.stopped = True
            else:
                state.tree = found.tree
                room -= found.kept_bytes
        for found in checked:
            if isinstance(found, Stopped):
                yield found
            else:
                yield from self._segments(found)
                yield Confirmed(found.anchor, found.tree.frontier())

    def _check(self, anchor: Anchored, state: LogState, block: int, room: int) -> _Checked | Stopped:
        if state.closed_block is not None and state.closed_block <= block:
            return Stopped(anchor, CLOSED, f"anchored in block {block}, but the log was closed by then")
        if not self._logs.available(anchor.log):
            return Stopped(anchor, UNAVAILABLE, "this log is not followed here")
        try:
            checked = self._hash(anchor, state.tree, room)
        except Unavailable as error:
            return Stopped(anchor, UNAVAILABLE, str(error))
        except Invalid as error:
            return Stopped(anchor, MISMATCH, str(error))
        if checked.tree.size < anchor.size:
            return Stopped(anchor, UNAVAILABLE, _sizes(anchor, checked.tree.size))
        if checked.tree.size != anchor.size or checked.tree.root() != anchor.root:
            found = checked.tree.root().hex()
            text = f"expected root {anchor.root.hex()} at size {anchor.size}, the entries give {found}"
            return Stopped(anchor, MISMATCH, text)
        return checked

    def _hash(self, anchor: Anchored, tree: CompactTree, room: int) -> _Checked:
        """Read the entries once: hash them, and keep them if there is room."""
        checked = _Checked(anchor, tree.size, tree.copy(), [], 0, tree.frontier())
        keep = True
        for chunk in _chunks(self._logs.entries(anchor.log, tree.size, anchor.size)):
            checked.tree.extend(leaf_hashes(chunk))
            checked.kept_bytes += sum(map(len, chunk))
            keep = keep and checked.kept_bytes <= room
            if keep:
                checked.kept.append(chunk)
        if not keep:
            checked.kept.clear()
            checked.kept_bytes = 0
        return checked

    def _segments(self, checked: _Checked) -> Iterator[Segment]:
        anchor = checked.anchor
        if checked.kept or checked.start == anchor.size:
            start = checked.start
            for chunk in checked.kept:
                yield Segment(anchor.log, start, chunk)
                start += len(chunk)
            return
        # Every chunk is handed on before the root over all of them is known again: if the second reading
        # gives other bytes than the first, the caller throws away all that it wrote for this block.
        start = checked.start
        tree = CompactTree.from_frontier(start, checked.before)
        for chunk in _chunks(self._logs.entries(anchor.log, start, anchor.size)):
            tree.extend(leaf_hashes(chunk))
            yield Segment(anchor.log, start, chunk)
            start += len(chunk)
        if tree.size != anchor.size or tree.root() != anchor.root:
            raise Unavailable(
                f"log {anchor.log.hex()}: its entries changed while they were read", hint="run the sync again"
            )

    def _state(self, log: bytes) -> LogState:
        return self._states.setdefault(log, LogState(CompactTree()))


class _Checked(Struct):
    """An anchor whose entries from `start` fit; `kept` holds them, or nothing if there was no room."""

    anchor: Anchored
    start: int
    tree: CompactTree
    kept: list[list[bytes]]
    kept_bytes: int
    before: list[bytes]  # the frontier at `start`


def confirms(logs: LogFeed, anchor: Anchored, tree: CompactTree) -> bool:
    """Tell whether the log can now be had up to `anchor`, going on from `tree` (which is left as it is)."""
    tree = tree.copy()
    try:
        if not logs.available(anchor.log):
            return False
        for chunk in _chunks(logs.entries(anchor.log, tree.size, anchor.size)):
            tree.extend(leaf_hashes(chunk))
    except (Unavailable, Invalid):
        return False
    return tree.size == anchor.size and tree.root() == anchor.root


def _chunks(entries: Iterable[bytes]) -> Iterator[list[bytes]]:
    chunk: list[bytes] = []
    room = _CHUNK_BYTES
    for entry in entries:
        chunk.append(entry)
        room -= len(entry)
        if len(chunk) == CHUNK or room <= 0:
            yield chunk
            chunk, room = [], _CHUNK_BYTES
    if chunk:
        yield chunk


def _block_of(event: ChainEvent) -> int:
    return event.block


def _sizes(anchor: Anchored, size: int) -> str:
    return f"the anchor covers {anchor.size} entries, only {size} are there"
