"""Reading a log out of its tiles, wherever they are: entries, hashes, proofs.

Source: C2SP tlog-tiles. One `TileTree` answers for the first `size` entries of a log; where its files come
from (an own folder, a mirror, HTTP) is a callable. What it returns is what the files say: whoever needs
certainty compares hashes with a root that was signed or anchored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ledger.core import merkle, tiles
from ledger.core.errors import Corrupt, FormatError, LedgerError, Usage
from ledger.core.hashing import HASH_SIZE

ReadFile = Callable[[str, int], bytes | None]
"""Reads the file of a name below the log's folder, of at most so many bytes; None where there is none."""

_RENEW_AFTER = 1024  # tiles that one HashReader may keep: 8 MiB of hashes


class TileTree:
    """The first `size` entries of a log whose files `read` gives.

    `where` names the log in messages. A partial tile that is gone is looked for in the one that a log of
    `available` entries has, if it is known to have so many, and in the full one. A missing file raises
    `missing` (`Corrupt` for one's own folder), a wrong one `Corrupt`.
    """

    def __init__(
        self,
        size: int,
        read: ReadFile,
        where: str,
        *,
        available: int | None = None,
        missing: type[LedgerError] = Corrupt,
    ) -> None:
        self.size = size
        self._read = read
        self._where = where
        self._available = size if available is None else available
        self._missing = missing
        self._hashes: merkle.HashAt = self._new_reader()
        self._tiles_read = 0

    def hash_at(self, level: int, index: int) -> bytes:
        """Return the root of complete subtree number `index` of 2^level leaves, within `size`."""
        if self._tiles_read > _RENEW_AFTER:
            self._hashes, self._tiles_read = self._new_reader(), 0
        return self._hashes(level, index)

    def root_at(self, size: int) -> bytes:
        """Return the root over the first `size` entries; more than there are raises `Usage`."""
        self._check_size(size)
        return merkle.root_at(size, self.hash_at)

    def frontier_at(self, size: int) -> list[bytes]:
        """Return the frontier of the first `size` entries: what a `CompactTree` goes on from."""
        self._check_size(size)
        return merkle.frontier_at(size, self.hash_at)

    def prove_inclusion(self, index: int, size: int) -> list[bytes]:
        """Return the proof that entry `index` is among the first `size` (RFC 9162 2.1.3)."""
        self._check_size(size)
        return merkle.prove_inclusion(index, size, self.hash_at)

    def prove_consistency(self, old_size: int, size: int) -> list[bytes]:
        """Return the proof that the first `size` entries begin with the first `old_size` (RFC 9162 2.1.4)."""
        self._check_size(size)
        return merkle.prove_consistency(old_size, size, self.hash_at)

    def entries(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the entries of the half-open range, as they stand in the bundles."""
        for bundle in self.bundles(start, stop):
            yield from bundle

    def bundles(self, start: int, stop: int) -> Iterator[list[bytes]]:
        """Yield the entries of the half-open range in lists of up to 256: the fast way through a log."""
        if not 0 <= start <= stop <= self.size:
            raise Usage(f"{self._where}: expected entries within 0..{self.size}, asked for {start}..{stop}")
        at = start
        while at < stop:
            number, skip = divmod(at, tiles.TILE_WIDTH)
            end = min(stop, (number + 1) * tiles.TILE_WIDTH)
            bundle = self._bundle(number)
            yield bundle[skip : end - number * tiles.TILE_WIDTH]
            at = end

    def tile(self, level: int, number: int) -> bytes:
        """Return the hashes, 32 bytes each, of a tile as far as it lies within `size`."""
        count = min(tiles.TILE_WIDTH, (self.size >> tiles.TILE_HEIGHT * level) - number * tiles.TILE_WIDTH)
        data, width = self._find(level, number, count)
        if len(data) != width * HASH_SIZE:
            name = tiles.tile_path(level, number, width)
            expected = f"expected {width * HASH_SIZE} bytes"
            raise Corrupt(f"{self._where}: {name}: {expected}, found {len(data)}")
        return data[: count * HASH_SIZE]

    def _bundle(self, number: int) -> list[bytes]:
        count = min(tiles.TILE_WIDTH, self.size - number * tiles.TILE_WIDTH)
        data, width = self._find(tiles.ENTRIES, number, count)
        try:
            return tiles.decode_bundle(data, width)[:count]
        except FormatError as error:
            name = tiles.entries_path(number, width)
            raise Corrupt(f"{self._where}: {name}: {error}") from None

    def _find(self, level: int, number: int, count: int) -> tuple[bytes, int]:
        """Return the bytes and the width of a tile that has at least `count` items."""
        height = 0 if level == tiles.ENTRIES else tiles.TILE_HEIGHT * level
        known = min(tiles.TILE_WIDTH, (self._available >> height) - number * tiles.TILE_WIDTH)
        widths = dict.fromkeys([count, known, tiles.TILE_WIDTH])
        for width in widths:
            if width < count:
                continue
            bound = tiles.MAX_BUNDLE if level == tiles.ENTRIES else tiles.TILE_WIDTH * HASH_SIZE
            data = self._read(tiles.TileName(level, number, width).path, bound * width // tiles.TILE_WIDTH)
            if data is not None:
                return data, width
        name = tiles.TileName(level, number, count).path
        raise self._missing(f"{self._where}: {name} is missing", hint="Restore it from a backup or a mirror.")

    def _new_reader(self) -> merkle.HashAt:
        return tiles.HashReader(self.size, self._read_tile)

    def _read_tile(self, path: str) -> bytes:
        self._tiles_read += 1
        name = tiles.parse_tile_path(path)
        return self.tile(name.level, name.number)

    def _check_size(self, size: int) -> None:
        if not 0 <= size <= self.size:
            raise Usage(f"{self._where}: expected a size of at most {self.size}, asked for {size}")
