"""The growing side of a log: what must be in memory to append, and which tiles an append writes.

Of each level only the last, incomplete tile can still change; everything left of it is final. `RightEdge`
holds those tiles and the last, incomplete bundle of entries, so appending reads nothing. Each tile is
written once full; what is incomplete at the end of a batch is written as a partial tile, under a name of
its own width.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

from ledger.core import merkle, tiles
from ledger.core.errors import Corrupt
from ledger.core.hashing import HASH_SIZE
from ledger.store.files import DurableWriter
from ledger.store.tiletree import TileTree


class RightEdge:
    """The last, incomplete tile of each level of a tree of `size` entries, and its last bundle."""

    def __init__(self) -> None:
        self.size = 0
        self._levels: list[list[bytes]] = []
        self._entries: list[bytes] = []
        self._completed: list[tiles.TileName] = []

    @classmethod
    def load(cls, tree: TileTree, root: bytes, where: str) -> RightEdge:
        """Read the edge of `tree` and check all of it against its root. Raises `Corrupt`."""
        edge = cls()
        edge.size = tree.size
        size, level = tree.size, 0
        while size:
            number, width = divmod(size, tiles.TILE_WIDTH)
            data = tree.tile(level, number) if width else b""
            edge._levels.append([data[at : at + HASH_SIZE] for at in range(0, len(data), HASH_SIZE)])
            size, level = number, level + 1
        found = edge.root()
        if found != root:
            hint = "Tiles or checkpoint were changed. Restore the log from a backup or a mirror."
            expected = f"expected root {root.hex()} at size {tree.size}"
            raise Corrupt(f"{where}: {expected}, found {found.hex()} in its tiles", hint=hint)
        return edge

    def load_entries(self, tree: TileTree, where: str) -> None:
        """Read the last, incomplete bundle and check it against the hashes, which `load` has checked."""
        width = self.size % tiles.TILE_WIDTH
        if not width:
            return
        entries = list(tree.entries(self.size - width, self.size))
        for place, (entry, expected) in enumerate(zip(entries, self._levels[0], strict=True)):
            if merkle.leaf_hash(entry) != expected:
                index = self.size - width + place
                hint = "Restore the log from a backup or a mirror."
                raise Corrupt(f"{where}: entry {index} is not what its hash says", hint=hint)
        self._entries = entries

    def root(self) -> bytes:
        """Return the root over all `size` entries."""
        return merkle.fold(self.frontier())

    def frontier(self) -> list[bytes]:
        """Return the roots of the complete subtrees, largest first."""
        return [peak for hashes in reversed(self._levels) for peak in _peaks(hashes)]

    def grow(self, entries: Sequence[bytes], writer: DurableWriter) -> None:
        """Append entries and write every tile and bundle that they complete."""
        number = self.size // tiles.TILE_WIDTH
        waiting = [*self._entries, *entries]
        full_count = len(waiting) // tiles.TILE_WIDTH * tiles.TILE_WIDTH
        for at in range(0, full_count, tiles.TILE_WIDTH):
            bundle = tiles.encode_bundle(waiting[at : at + tiles.TILE_WIDTH])
            self._write_full(tiles.TileName(tiles.ENTRIES, number), bundle, writer)
            number += 1
        self._entries = waiting[full_count:]
        self._grow_level(0, merkle.leaf_hashes(entries), writer)
        self.size += len(entries)

    def finish(self, old_size: int, writer: DurableWriter) -> None:
        """Write the partial tiles that a tree of `old_size` has not got."""
        if self._entries and self.size != old_size:
            name = tiles.TileName(tiles.ENTRIES, self.size // tiles.TILE_WIDTH, len(self._entries))
            self._write_partial(name, tiles.encode_bundle(self._entries), writer)
        for level, hashes in enumerate(self._levels):
            count = self.size >> tiles.TILE_HEIGHT * level
            if hashes and count != old_size >> tiles.TILE_HEIGHT * level:
                name = tiles.TileName(level, count // tiles.TILE_WIDTH, len(hashes))
                self._write_partial(name, b"".join(hashes), writer)

    def remove_superseded(self, root: Path) -> None:
        """Remove the partial tiles whose full ones `grow` has written; only once those are committed.

        A reader that still follows an older checkpoint finds what it needs in the full ones.
        """
        completed, self._completed = self._completed, []
        for name in completed:
            _remove_partials(root / f"{name.path}.p", 0)

    def sweep(self, root: Path) -> None:
        """Remove what a crash may have left around the edge: superseded partial tiles, and wider ones than
        this.
        """
        for level in range(tiles.ENTRIES, len(self._levels)):
            count = self.size >> tiles.TILE_HEIGHT * max(level, 0)
            number, width = divmod(count, tiles.TILE_WIDTH)
            _remove_partials(root / f"{tiles.TileName(level, number).path}.p", width)
            if number:
                _sweep_folder(root / tiles.TileName(level, number - 1).path)

    def _grow_level(self, level: int, hashes: list[bytes], writer: DurableWriter) -> None:
        if level == len(self._levels):
            self._levels.append([])
        number = (self.size >> tiles.TILE_HEIGHT * level) // tiles.TILE_WIDTH
        waiting = self._levels[level] + hashes
        parents = []
        full_count = len(waiting) // tiles.TILE_WIDTH * tiles.TILE_WIDTH
        for at in range(0, full_count, tiles.TILE_WIDTH):
            full = waiting[at : at + tiles.TILE_WIDTH]
            self._write_full(tiles.TileName(level, number), b"".join(full), writer)
            parents.append(_perfect_root(full))
            number += 1
        self._levels[level] = waiting[full_count:]
        if parents:
            self._grow_level(level + 1, parents, writer)

    def _write_full(self, name: tiles.TileName, data: bytes, writer: DurableWriter) -> None:
        writer.write(name.path, data)
        self._completed.append(name)

    def _write_partial(self, name: tiles.TileName, data: bytes, writer: DurableWriter) -> None:
        # a crash may have left a full tile with other entries: a reader would take it for this one grown full
        writer.remove(tiles.TileName(name.level, name.number).path)
        writer.write(name.path, data)


def _perfect_root(hashes: Sequence[bytes]) -> bytes:
    while len(hashes) > 1:
        hashes = merkle.level_above(hashes)
    return hashes[0]


def _peaks(hashes: Sequence[bytes]) -> list[bytes]:
    peaks = []
    at = 0
    for bit in reversed(range(tiles.TILE_HEIGHT)):
        if len(hashes) >> bit & 1:
            peaks.append(_perfect_root(hashes[at : at + (1 << bit)]))
            at += 1 << bit
    return peaks


def _remove_partials(folder: Path, above: int) -> None:
    """Remove the partial tiles in `folder` wider than `above`; failing is harmless, they only take space."""
    with contextlib.suppress(OSError):
        for file in folder.iterdir():
            if file.name.isdigit() and int(file.name) > above:
                file.unlink()
        if not above:
            folder.rmdir()


def _sweep_folder(last_full: Path) -> None:
    """Remove partial tiles of the full ones up to `last_full` in its folder."""
    with contextlib.suppress(OSError):
        for folder in last_full.parent.glob("*.p"):
            if folder.stem <= last_full.name:
                _remove_partials(folder, 0)
