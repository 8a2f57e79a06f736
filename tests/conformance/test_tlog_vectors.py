"""A real tlog-tiles log (transparency-dev/tessera): every size, tile and checkpoint, proofs between."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.core.checkpoint import TreeHead, parse_checkpoint
from ledger.core.errors import Corrupt, Invalid, SignatureInvalid
from ledger.core.merkle import (
    leaf_hashes,
    prove_consistency,
    prove_inclusion,
    root_at,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from ledger.core.note import open_note, parse_vkey
from ledger.core.tiles import HashReader, decode_bundle, decode_tile, encode_bundle, entries_path, tile_path

pytestmark = pytest.mark.vectors

VKEY = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
SIZES = range(16)


@pytest.fixture(scope="module")
def log(vectors: Path) -> Path:
    return vectors / "tlog-tiles" / "log"


def head(log: Path, size: int) -> TreeHead:
    return parse_checkpoint(open_note((log / f"checkpoint.{size}").read_bytes(), [parse_vkey(VKEY)]))


def entries(log: Path, size: int) -> list[bytes]:
    return decode_bundle((log / entries_path(0, size)).read_bytes(), size) if size else []


@pytest.mark.parametrize("size", SIZES)
def test_root_at_every_size(log: Path, size: int) -> None:
    hashes = leaf_hashes(entries(log, size))
    assert head(log, size) == ("example.com/log/testdata", size, root_of(hashes))
    if size:
        assert decode_tile((log / tile_path(0, 0, size)).read_bytes(), size) == hashes
        assert encode_bundle(entries(log, size)) == (log / entries_path(0, size)).read_bytes()


def test_the_newest_checkpoint(log: Path) -> None:
    assert (log / "checkpoint").read_bytes() == (log / "checkpoint.15").read_bytes()


@pytest.mark.parametrize("size", SIZES[1:])
def test_proofs_between_the_sizes(log: Path, size: int) -> None:
    reader = HashReader(size, lambda path: (log / path).read_bytes())
    root = head(log, size).root
    assert root_at(size, reader) == root
    for index, leaf in enumerate(leaf_hashes(entries(log, size))):
        verify_inclusion(leaf, index, size, prove_inclusion(index, size, reader), root)
        old = head(log, index + 1)
        verify_consistency(old.size, size, prove_consistency(old.size, size, reader), old.root, root)


def test_every_flipped_bit_of_a_checkpoint_shows(log: Path) -> None:
    data = (log / "checkpoint.15").read_bytes()
    for bit in range(len(data) * 8):
        bad = bytearray(data)
        bad[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Invalid):
            parse_checkpoint(open_note(bytes(bad), [parse_vkey(VKEY)]))
    with pytest.raises(SignatureInvalid):
        open_note(data, [])


def test_a_cut_tile_shows(log: Path) -> None:
    with pytest.raises(Corrupt):
        HashReader(15, lambda path: (log / path).read_bytes()[:-1])(0, 0)
