"""Recomputing a log from its stored bytes: every leaf, every stored hash, every anchored root, every
signature.

Sources: RFC 6962 for the tree, C2SP tlog-tiles for what is stored beside the entries. Nothing is believed:
the hashes in the tiles are compared with those of the entries, level by level, and the root is compared at
each size that was anchored. Bytes in, failures out; who reads the bytes, and what the chain says, is the
caller's business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

from msgspec import Struct

from ledger.core.chain_facts import Checkpoint
from ledger.core.checkpoint import open_checkpoint
from ledger.core.dsse import verify_envelope
from ledger.core.errors import Corrupt, LedgerError
from ledger.core.hashing import HASH_SIZE
from ledger.core.merkle import CompactTree, leaf_hashes, root_of
from ledger.core.tiles import TILE_WIDTH

WORKERS = 2
_AHEAD = 16
"""Bundles whose signatures may be under way: enough for both cores, few enough for memory."""


class Failure(Struct, frozen=True):
    """What is wrong: a stable code, where (an entry's index, or None), and what was expected and found."""

    kind: str
    entry: int | None
    text: str


class StoredLog(Struct, frozen=True):
    """A log as it is stored: `size` entries; `bundles(start, stop)` yields them in lists of at most 256 that
    end at multiples of 256; `tile(level, number)` returns the stored hashes of a tile, as far as it lies
    within `size`.
    """

    size: int
    bundles: Callable[[int, int], Iterator[list[bytes]]]
    tile: Callable[[int, int], bytes]


def audit_log(
    log: StoredLog,
    checkpoints: Sequence[Checkpoint],
    *,
    signatures: bool = True,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[Failure]:
    """Recompute a log and return what is wrong with it; an empty list means that everything holds.

    `checkpoints` are those of the chain, in order. A log shorter than the last of them has lost its tail.
    """
    failures: list[Failure] = []
    if checkpoints and checkpoints[-1].size > log.size:
        last = checkpoints[-1]
        failures.append(
            Failure("tail-missing", log.size, f"{last.size} entries are anchored, {log.size} are stored")
        )
    tree, tiles = CompactTree(), _Tiles(log, failures)
    anchors = [point for point in checkpoints if point.size <= log.size]
    with ThreadPoolExecutor(WORKERS) as pool:
        under_way: list[tuple[int, Future[list[Failure]]]] = []
        try:
            for bundle in log.bundles(0, log.size):
                start = tree.size
                if signatures:
                    under_way.append((start, pool.submit(_check_envelopes, start, bundle)))
                hashes = leaf_hashes(bundle)
                _extend(tree, hashes, anchors, failures)
                tiles.add(hashes)
                while len(under_way) > _AHEAD:
                    failures += under_way.pop(0)[1].result()
                progress(tree.size, log.size)
        except Corrupt as error:
            failures.append(Failure("unreadable", tree.size, str(error)))
            return _sorted(failures + [each for _, future in under_way for each in future.result()])
        for _, future in under_way:
            failures += future.result()
    tiles.finish()
    return _sorted(failures)


def audit_checkpoint(
    note: bytes, log_id: bytes, keys: Iterable[bytes], size: int, root: bytes, what: str
) -> list[Failure]:
    """Check a signed checkpoint that is kept beside a log: the log's, for this size and root, by one of its
    keys.

    `keys` are the party's record keys (32 bytes each), `what` names the file in what is found wrong.
    """
    entry = size - 1 if size else None
    try:
        _, said_size, said_root = open_checkpoint(note, log_id, keys)
    except LedgerError as error:
        return [Failure("checkpoint-invalid", entry, f"{what}: {error}")]
    if (said_size, said_root) == (size, root):
        return []
    text = f"{what}: expected root {root.hex()} at size {size}, it says {said_root.hex()} at {said_size}"
    return [Failure("checkpoint-mismatch", entry, text)]


def _extend(
    tree: CompactTree, hashes: list[bytes], anchors: list[Checkpoint], failures: list[Failure]
) -> None:
    """Add leaves, stopping at every anchored size to compare the root."""
    rest = iter(hashes)
    left = len(hashes)
    while anchors and anchors[0].size <= tree.size + left:
        point = anchors.pop(0)
        step = point.size - tree.size
        tree.extend(islice(rest, step))
        left -= step
        if tree.root() != point.root:
            text = (
                f"checkpoint {point.n} (block {point.block}): root {point.root.hex()} is anchored at size"
                f" {point.size}, the entries have {tree.root().hex()}"
            )
            failures.append(Failure("root-mismatch", point.size - 1, text))
    tree.extend(rest)


def _check_envelopes(start: int, entries: Iterable[bytes]) -> list[Failure]:
    failures = []
    for index, entry in enumerate(entries, start):
        try:
            verify_envelope(entry)
        except LedgerError as error:
            failures.append(Failure("entry-invalid", index, str(error)))
    return failures


class _Tiles:
    """Compares the stored hash tiles with those recomputed, level by level."""

    def __init__(self, log: StoredLog, failures: list[Failure]) -> None:
        self._log = log
        self._failures = failures
        self._levels: list[list[bytes]] = [[]]
        self._full: list[int] = [0]

    def add(self, hashes: Sequence[bytes]) -> None:
        """Take the next leaf hashes: at most 256, never across a multiple of 256."""
        self._levels[0] += hashes
        level = 0
        while level < len(self._levels) and len(self._levels[level]) == TILE_WIDTH:
            full = self._levels[level]
            self._compare(level, full)
            self._levels[level] = []
            self._full[level] += 1
            if level + 1 == len(self._levels):
                self._levels.append([])
                self._full.append(0)
            self._levels[level + 1].append(root_of(full))
            level += 1

    def finish(self) -> None:
        """Compare the partial tiles at the right edge."""
        for level, hashes in enumerate(self._levels):
            if hashes:
                self._compare(level, hashes)

    def _compare(self, level: int, hashes: list[bytes]) -> None:
        number = self._full[level]
        first = (number * TILE_WIDTH) << (8 * level)
        try:
            stored = self._log.tile(level, number)
        except LedgerError as error:
            self._failures.append(Failure("tile-unreadable", first, str(error)))
            return
        if stored == b"".join(hashes):
            return
        at = next(
            (i for i, each in enumerate(hashes) if stored[i * HASH_SIZE : (i + 1) * HASH_SIZE] != each), 0
        )
        text = f"tile {number} of level {level}: stored hash {at} is not the one of the entries below it"
        self._failures.append(Failure("tile-mismatch", (number * TILE_WIDTH + at) << (8 * level), text))


def _sorted(failures: list[Failure]) -> list[Failure]:
    return sorted(failures, key=lambda each: (-1 if each.entry is None else each.entry, each.kind))
