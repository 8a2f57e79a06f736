"""Recomputing a log from its stored bytes: every leaf, every stored hash, every anchored root.

Sources: RFC 6962 for the tree, C2SP tlog-tiles for what is stored beside the entries. Nothing is believed:
the hashes in the tiles are compared with those of the entries, level by level, and the root is compared at
each size that was anchored. Bytes in, failures out; who reads the bytes, and what the chain says, is the
caller's business. Signatures are `signatures`' part.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from msgspec import Struct

from ledger.core.chain_facts import Checkpoint
from ledger.core.checkpoint import open_checkpoint
from ledger.core.errors import Corrupt, LedgerError
from ledger.core.hashing import HASH_SIZE
from ledger.core.merkle import CompactTree, leaf_hashes, root_of
from ledger.core.tiles import TILE_HEIGHT, TILE_WIDTH


class Failure(Struct, frozen=True):
    """What is wrong: a stable code, where (an entry's index, or None), and what was expected and found.

    `checkpoint` is the number of the anchored checkpoint that does not hold, where it is one.
    """

    kind: str
    entry: int | None
    text: str
    checkpoint: int | None = None


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
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[Failure]:
    """Recompute a log and return what is wrong with it; an empty list means that everything holds.

    `checkpoints` are those of the chain, in order. A log shorter than the last of them has lost its tail.
    """
    failures: list[Failure] = []
    tree, tiles = CompactTree(), _Tiles(log, failures)
    anchors = [point for point in checkpoints if point.size <= log.size]
    beyond = [point for point in checkpoints if point.size > log.size]
    wrong: list[tuple[Checkpoint, bytes]] = []
    try:
        for bundle in log.bundles(0, log.size):
            hashes = leaf_hashes(bundle)
            _compare_roots(tree, hashes, anchors, wrong)
            if len(hashes) == TILE_WIDTH:  # hashed once, for tree and tiles
                root = root_of(hashes)
                tree.append_subtree(TILE_HEIGHT, root)
                tiles.add_full(hashes, root)
            else:
                tree.extend(hashes)
                tiles.add_last(hashes)
            progress(tree.size, log.size)
    except Corrupt as error:
        failures.append(Failure("unreadable", tree.size, str(error)))
    else:
        tiles.finish()
    failures += _name_wrong_roots(log, wrong, beyond)
    return _sorted(failures)


def sizes_of_roots(log: StoredLog, roots: Collection[bytes]) -> dict[bytes, int]:
    """Return at which sizes of the log these roots (32 bytes each) are the root, if at any.

    Every size is tried: some ten hashes an entry, which is for finding out what went wrong.
    """
    found: dict[bytes, int] = {}
    tree = CompactTree()
    try:
        for bundle in log.bundles(0, log.size):
            for each in leaf_hashes(bundle):
                tree.append(each)
                root = tree.root()
                if root in roots:
                    found[root] = tree.size
    except Corrupt:
        pass  # as far as it can be read
    return found


def _name_wrong_roots(
    log: StoredLog, wrong: list[tuple[Checkpoint, bytes]], beyond: list[Checkpoint]
) -> Iterator[Failure]:
    """Yield a failure for each anchor that does not hold, and one for a tail that is not there.

    A consistency proof does not authenticate a size: an owner can anchor a true root under a wrong one.
    """
    if not wrong and not beyond:
        return
    true_sizes = sizes_of_roots(log, {point.root for point in (*(each for each, _ in wrong), *beyond)})
    for point, found in wrong:
        yield (
            _wrong_size(point, true_sizes[point.root])
            if point.root in true_sizes
            else _wrong_root(point, found)
        )
    missing = [point for point in beyond if point.root not in true_sizes]
    yield from (_wrong_size(point, true_sizes[point.root]) for point in beyond if point.root in true_sizes)
    if missing:
        text = f"{missing[-1].size} entries are anchored, {log.size} are stored"
        yield Failure("tail-missing", log.size, text, missing[0].n)


def _wrong_root(point: Checkpoint, found: bytes) -> Failure:
    text = (
        f"checkpoint {point.n} (block {point.block}): root {point.root.hex()} is anchored at size"
        f" {point.size}, the entries have {found.hex()}"
    )
    return Failure("root-mismatch", point.size - 1, text, point.n)


def _wrong_size(point: Checkpoint, size: int) -> Failure:
    text = (
        f"checkpoint {point.n} (block {point.block}): root {point.root.hex()} is anchored at size"
        f" {point.size}, but it is the true root of the first {size} entries"
    )
    return Failure("wrong-size", point.size - 1, text, point.n)


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


def _compare_roots(
    tree: CompactTree,
    hashes: list[bytes],
    anchors: list[Checkpoint],
    wrong: list[tuple[Checkpoint, bytes]],
) -> None:
    """Compare the root at every anchored size that these next leaves reach; `tree` is left as it is."""
    ahead, begin = tree.copy(), tree.size
    while anchors and anchors[0].size <= begin + len(hashes):
        point = anchors.pop(0)
        ahead.extend(hashes[ahead.size - begin : point.size - begin])
        if ahead.root() != point.root:
            wrong.append((point, ahead.root()))


class _Tiles:
    """Compares the stored hash tiles with those recomputed, level by level."""

    def __init__(self, log: StoredLog, failures: list[Failure]) -> None:
        self._log = log
        self._failures = failures
        self._levels: list[list[bytes]] = [[]]
        self._full: list[int] = [0]

    def add_full(self, hashes: list[bytes], root: bytes) -> None:
        """Take the next 256 leaf hashes, and the root over them."""
        level = 0
        while True:
            self._compare(level, hashes)
            self._full[level] += 1
            level += 1
            if level == len(self._levels):
                self._levels.append([])
                self._full.append(0)
            hashes = self._levels[level]
            hashes.append(root)
            if len(hashes) < TILE_WIDTH:
                return
            self._levels[level] = []
            root = root_of(hashes)

    def add_last(self, hashes: list[bytes]) -> None:
        """Take the last leaf hashes, fewer than 256."""
        self._levels[0] = hashes

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
