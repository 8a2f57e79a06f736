"""How a log lies on disk and behind HTTP: tiles of hashes, bundles of entries, and their paths.

Source: C2SP tlog-tiles (https://c2sp.org/tlog-tiles). A tile of level L holds up to 256 neighbouring hashes
of complete subtrees of 256^L leaves:

    tile/<L>/<N>[.p/<W>]        W hashes of 32 bytes each (256 without the suffix)
    tile/entries/<N>[.p/<W>]    W entries, each behind its length as u16, big-endian

N is split into groups of three digits, all but the last behind an `x`: 1234067 is `x001/x234/067`. A tree of
s leaves has at level L the first floor(s / 256^L) hashes; the last tile is partial unless that is a multiple
of 256.
Reading and writing files is left to `store`; this module knows names and bytes only.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ledger.core.errors import Corrupt, FormatError, Usage
from ledger.core.hashing import HASH_SIZE
from ledger.core.merkle import MAX_SIZE, level_above

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
MAX_LEVEL = 63
MAX_ENTRY = 65535
"""The most bytes an entry may have in a bundle."""

MAX_BUNDLE = TILE_WIDTH * (2 + MAX_ENTRY)
"""The most bytes a bundle may have; readers of foreign logs stop there."""

ENTRIES = -1
"""The level that `TileName` and `parse_tile_path` give an entry bundle."""

_PATH = re.compile(r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")
_LENGTH = struct.Struct(">H")


class TileName(NamedTuple):
    """Which tile: its level (ENTRIES for a bundle), its number in the level, and how many items it holds."""

    level: int
    number: int
    width: int = TILE_WIDTH

    @property
    def path(self) -> str:
        """The path below the log's folder or URL."""
        if self.level == ENTRIES:
            return entries_path(self.number, self.width)
        return tile_path(self.level, self.number, self.width)


def tile_path(level: int, number: int, width: int = TILE_WIDTH) -> str:
    """Return the path of a hash tile; numbers that name none raise Usage."""
    if not 0 <= level <= MAX_LEVEL:
        raise Usage(f"tile: expected a level from 0 to {MAX_LEVEL}, got {level}")
    return f"tile/{level}/{_number_path(number, width)}"


def entries_path(number: int, width: int = TILE_WIDTH) -> str:
    """Return the path of an entry bundle; numbers that name none raise Usage."""
    return f"tile/entries/{_number_path(number, width)}"


def parse_tile_path(path: str) -> TileName:
    """Return what a tile's or bundle's path names; a path not spelled canonically raises FormatError."""
    match = _PATH.fullmatch(path) if len(path) <= 64 else None
    if match is None:
        raise FormatError(f"tile path: expected tile/<level>/<number>[.p/<width>], got {path[:80]!a}")
    kind, groups, partial = match.groups()
    level = ENTRIES if kind == "entries" else int(kind)
    number = int(groups.replace("x", "").replace("/", ""))
    width = int(partial) if partial else TILE_WIDTH
    fits = level <= MAX_LEVEL and number <= MAX_SIZE and (partial is None or width < TILE_WIDTH)
    if not fits or TileName(level, number, width).path != path:
        raise FormatError(f"tile path: expected the canonical spelling, got {path!a}")
    return TileName(level, number, width)


def bundles_between(start: int, stop: int) -> list[TileName]:
    """Return the bundles that hold the entries from `start` in a log of `stop` entries, in order."""
    if not 0 <= start <= stop <= MAX_SIZE:
        raise Usage(f"entries: there are none from {start} to {stop}")
    return _names(ENTRIES, start, stop)


def tiles_between(old_size: int, size: int) -> list[TileName]:
    """Return the hash tiles that a tree of `size` has and the one of `old_size` has not, lowest level first.

    A partial tile is another tile than a wider one in its place. With `old_size` 0 these are all tiles of the
    tree.
    """
    if not 0 <= old_size <= size <= MAX_SIZE:
        raise Usage(f"tiles: a tree of {size} leaves does not extend one of {old_size}")
    names = []
    level = 0
    while size:
        names += _names(level, old_size, size)
        level, old_size, size = level + 1, old_size >> TILE_HEIGHT, size >> TILE_HEIGHT
    return names


def encode_tile(hashes: Sequence[bytes]) -> bytes:
    """Return the bytes of a tile of 1 to 256 hashes of 32 bytes."""
    if not 1 <= len(hashes) <= TILE_WIDTH or any(len(each) != HASH_SIZE for each in hashes):
        raise Usage(f"tile: expected 1 to {TILE_WIDTH} hashes of 32 bytes, got {len(hashes)}")
    return b"".join(hashes)


def decode_tile(data: bytes, width: int) -> list[bytes]:
    """Return the `width` hashes of a tile; another length raises FormatError."""
    if not 1 <= width <= TILE_WIDTH or len(data) != width * HASH_SIZE:
        raise FormatError(f"tile: expected {width} hashes of 32 bytes, got {len(data)} bytes")
    return [data[at : at + HASH_SIZE] for at in range(0, len(data), HASH_SIZE)]


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Return the bytes of a bundle of up to 256 entries of at most 65,535 bytes, or raise Usage."""
    if len(entries) > TILE_WIDTH or any(len(entry) > MAX_ENTRY for entry in entries):
        raise Usage(f"bundle: expected at most {TILE_WIDTH} entries of at most {MAX_ENTRY} bytes each")
    pack = _LENGTH.pack
    return b"".join([part for entry in entries for part in (pack(len(entry)), entry)])


def decode_bundle(data: bytes, count: int) -> list[bytes]:
    """Return the `count` entries of a bundle; fewer, more, or cut ones raise FormatError."""
    if not 0 <= count <= TILE_WIDTH:
        raise FormatError(f"bundle: expected at most {TILE_WIDTH} entries, got {count}")
    entries = []
    at, end = 0, len(data)
    unpack = _LENGTH.unpack_from
    try:
        for _ in range(count):
            start = at + 2
            at = start + unpack(data, at)[0]
            entries.append(data[start:at])
    except struct.error:
        at = end + 1
    if at != end:
        raise FormatError(
            f"bundle: expected exactly {count} entries, got {len(data)} bytes that are not those"
        )
    return entries


class HashReader:
    """Answers `hash_at` for the tree of `size` leaves out of its tiles.

    `read_tile` takes a tile's path and returns its bytes; where a partial tile is gone, the full one may
    stand in for it. Tiles are kept as read: a reader is meant for a handful of proofs. What comes from a tile
    is only as good as the root that the caller compares it with.
    """

    def __init__(self, size: int, read_tile: Callable[[str], bytes]) -> None:
        if not 0 <= size <= MAX_SIZE:
            raise Usage(f"tree: expected a size within 64 bits, got {size}")
        self.size = size
        self._read_tile = read_tile
        self._tiles: dict[tuple[int, int], list[list[bytes]]] = {}

    def __call__(self, level: int, index: int) -> bytes:
        """Return the root of complete subtree number `index` of 2^level leaves, within the first `size`."""
        if level < 0 or index < 0 or (index + 1) << level > self.size:
            raise Usage(f"tree: there is no subtree {index} of level {level} in {self.size} leaves")
        tile_level, height = divmod(level, TILE_HEIGHT)
        number, place = divmod(index << height, TILE_WIDTH)
        return self._levels(tile_level, number)[height][place >> height]

    def _levels(self, level: int, number: int) -> list[list[bytes]]:
        levels = self._tiles.get((level, number))
        if levels is None:
            width = min(TILE_WIDTH, (self.size >> level * TILE_HEIGHT) - number * TILE_WIDTH)
            path = tile_path(level, number, width)
            data = self._read_tile(path)
            if len(data) not in (width * HASH_SIZE, TILE_WIDTH * HASH_SIZE):
                raise Corrupt(f"{path}: expected {width * HASH_SIZE} bytes, got {len(data)}")
            levels = [decode_tile(data[: width * HASH_SIZE], width)]
            while len(levels[-1]) > 1:  # a last one without neighbour belongs to no complete subtree
                below = levels[-1]
                levels.append(level_above(below[: len(below) & ~1]))
            self._tiles[level, number] = levels
        return levels


def _names(level: int, start: int, stop: int) -> list[TileName]:
    if start == stop:
        return []
    numbers = range(start // TILE_WIDTH, -(-stop // TILE_WIDTH))
    return [TileName(level, number, min(TILE_WIDTH, stop - number * TILE_WIDTH)) for number in numbers]


def _number_path(number: int, width: int) -> str:
    if not 0 <= number <= MAX_SIZE or not 1 <= width <= TILE_WIDTH:
        raise Usage(f"tile: expected a number from 0 and a width from 1 to 256, got {number} and {width}")
    digits = str(number)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    path = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    return path if width == TILE_WIDTH else f"{path}.p/{width}"
