"""Tiles and bundles: names, bytes, and hashes read out of tiles."""

from __future__ import annotations

import pytest

from ledger.core.errors import Corrupt, FormatError, Usage
from ledger.core.merkle import (
    CompactTree,
    frontier_at,
    leaf_hashes,
    prove_consistency,
    prove_inclusion,
    root_at,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from ledger.core.tiles import (
    ENTRIES,
    HashReader,
    TileName,
    bundles_between,
    decode_bundle,
    decode_tile,
    encode_bundle,
    encode_tile,
    entries_path,
    parse_tile_path,
    tile_path,
    tiles_between,
)

PATHS = {
    TileName(0, 0): "tile/0/000",
    TileName(0, 0, 1): "tile/0/000.p/1",
    TileName(1, 999, 255): "tile/1/999.p/255",
    TileName(63, 1000): "tile/63/x001/000",
    TileName(2, 1234067): "tile/2/x001/x234/067",
    TileName(ENTRIES, 1234067, 16): "tile/entries/x001/x234/067.p/16",
    TileName(ENTRIES, 5): "tile/entries/005",
}


@pytest.mark.parametrize(("name", "path"), PATHS.items())
def test_paths(name: TileName, path: str) -> None:
    assert name.path == path
    assert parse_tile_path(path) == name


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/00/000",
        "tile/64/000",
        "tile/100/000",
        "tile/-1/000",
        "/tile/0/000",
        "tile/0/000/",
        "tile/0/000.p",
        "tile/0/000.p/",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p/999",
        "tile/0/x000/001",
        "tile/0/x000/x001/000",
        "tile/0/001/000",
        "tile/0/x001",
        "tile/0/X001/000",
        "tile/0/000\n",
        "tile/0/../000",
        "tile/x/000",
        "tile/0/\u0660\u0660\u0660",
        "tile/0/" + "x999/" * 20 + "000",
        "tile/0/x009/x223/x372/x036/x854/x775/808",
    ],
)
def test_other_spellings_are_refused(path: str) -> None:
    with pytest.raises(FormatError, match="tile path"):
        parse_tile_path(path)


def test_no_such_tile() -> None:
    for level, number, width in ((-1, 0, 1), (64, 0, 1), (0, -1, 1), (0, 2**63, 1), (0, 0, 0), (0, 0, 257)):
        with pytest.raises(Usage, match="tile: expected"):
            tile_path(level, number, width)
    with pytest.raises(Usage):
        entries_path(-1)


def test_the_example_of_the_specification() -> None:
    names = tiles_between(0, 70_000)
    assert [sum(name.level == level for name in names) for level in range(4)] == [274, 2, 1, 0]
    assert names[273] == TileName(0, 273, 112)
    assert names[274:] == [TileName(1, 0), TileName(1, 1, 17), TileName(2, 0, 1)]
    assert tiles_between(0, 256) == [TileName(0, 0), TileName(1, 0, 1)]
    assert tiles_between(0, 0) == []


def test_growth_needs_the_tiles_that_differ() -> None:
    for size in (0, 1, 255, 256, 257, 511, 512, 65535, 65536, 65537):
        assert tiles_between(size, size) == []
        for more in (1, 2, 255, 256, 257):
            new = set(tiles_between(0, size + more)) - set(tiles_between(0, size))
            assert set(tiles_between(size, size + more)) == new
    with pytest.raises(Usage):
        tiles_between(2, 1)


def test_bundles_of_a_range() -> None:
    assert bundles_between(0, 0) == bundles_between(5, 5) == []
    assert bundles_between(0, 1) == [TileName(ENTRIES, 0, 1)]
    assert bundles_between(0, 256) == [TileName(ENTRIES, 0)]
    assert bundles_between(255, 257) == [TileName(ENTRIES, 0), TileName(ENTRIES, 1, 1)]
    assert bundles_between(256, 700) == [TileName(ENTRIES, 1), TileName(ENTRIES, 2, 188)]
    with pytest.raises(Usage):
        bundles_between(2, 1)


def test_bundle() -> None:
    entries = [b"one", b"", b"x" * 65535]
    data = encode_bundle(entries)
    assert data[:7] == b"\0\3one\0\0"
    assert decode_bundle(data, 3) == entries
    assert encode_bundle([]) == b""
    assert decode_bundle(b"", 0) == []
    for count in (0, 1, 2, 4, 257, -1):
        with pytest.raises(FormatError, match="bundle"):
            decode_bundle(data, count)
    for cut in (data[:-1], data[:6], data[:1], b"", data + b"\0", data + b"\0\0"):
        with pytest.raises(FormatError, match="expected exactly 3"):
            decode_bundle(cut, 3)
    for bad in ([b""] * 257, [b"x" * 65536]):
        with pytest.raises(Usage):
            encode_bundle(bad)


def test_tile() -> None:
    hashes = leaf_hashes([b"a", b"b", b"c"])
    assert decode_tile(encode_tile(hashes), 3) == hashes
    for data, width in ((b"", 0), (b"", 1), (bytes(95), 3), (bytes(96), 2), (bytes(32 * 257), 257)):
        with pytest.raises(FormatError, match="tile"):
            decode_tile(data, width)
    for bad in ([], [bytes(32)] * 257, [bytes(31)]):
        with pytest.raises(Usage):
            encode_tile(bad)


LEAVES = leaf_hashes(b"%d" % number for number in range(66_000))


def make_tiles(size: int) -> dict[TileName, bytes]:
    tiles, level = {}, 0
    hashes = LEAVES[:size]
    while hashes:
        for at in range(0, len(hashes), 256):
            part = hashes[at : at + 256]
            tiles[TileName(level, at // 256, len(part))] = encode_tile(part)
        full = len(hashes) // 256
        hashes = [root_of(hashes[at * 256 : at * 256 + 256]) for at in range(full)]
        level += 1
    return tiles


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 1000, 65535, 65536, 65537, 66000])
def test_hash_reader(size: int) -> None:
    tiles = make_tiles(size)
    assert set(tiles) == set(tiles_between(0, size))
    reads: list[str] = []

    def read(path: str) -> bytes:
        reads.append(path)
        return tiles[parse_tile_path(path)]

    reader = HashReader(size, read)
    root = root_of(LEAVES[:size])
    assert root_at(size, reader) == root
    for index in {0, 1, size // 3, size // 2, size - 2, size - 1} & set(range(size)):
        verify_inclusion(LEAVES[index], index, size, prove_inclusion(index, size, reader), root)
        proof = prove_consistency(index + 1, size, reader)
        verify_consistency(index + 1, size, proof, root_of(LEAVES[: index + 1]), root)
    assert len(reads) == len(set(reads)) <= 20
    assert CompactTree.from_frontier(size, frontier_at(size, reader)).root() == root


def test_hash_reader_reads_what_the_size_covers_and_no_more() -> None:
    full = make_tiles(512)
    partial = make_tiles(300)
    stand_in = {"tile/0/000": full[TileName(0, 0)], "tile/0/001.p/44": full[TileName(0, 1)]}
    reader = HashReader(300, lambda path: stand_in.get(path) or partial[parse_tile_path(path)])
    assert root_at(300, reader) == root_of(LEAVES[:300])
    for level, index in ((0, 300), (1, 150), (8, 1), (9, 0), (-1, 0), (0, -1), (63, 0)):
        with pytest.raises(Usage, match="there is no subtree"):
            reader(level, index)
    for data in (b"", bytes(43 * 32), bytes(44 * 32 - 1), bytes(45 * 32), bytes(8193)):
        with pytest.raises(Corrupt, match=r"tile/0/001\.p/44: expected 1408 bytes"):
            HashReader(300, lambda path, data=data: data)(0, 299)
    with pytest.raises(Usage):
        HashReader(-1, lambda path: b"")
