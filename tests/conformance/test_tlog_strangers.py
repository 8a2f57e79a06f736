"""A stranger's log read by our code, and our log read as a stranger's: one reader, which knows neither.

The stranger's is the vector log of transparency-dev/tessera; ours is written by `LogFolder`, and mirrored.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.core.errors import FormatError, Invalid, ProofInvalid, SignatureInvalid
from ledger.core.note import Verifier, format_vkey
from ledger.core.signing import signer
from ledger.store.log import LogFolder
from ledger.store.mirror import Mirror
from ledger.store.source import open_source
from tests.conformance.tlog_reader import TlogReader, tree_hash

THEIRS = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
LOG = bytes(range(32))
KEY = signer(b"\7" * 32)
SIZES = (1, 2, 255, 256, 257, 600)


def theirs(vectors: Path, size: int) -> TlogReader:
    folder = vectors / "tlog-tiles" / "log"
    return TlogReader(folder, (folder / f"checkpoint.{size}").read_bytes(), THEIRS)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> LogFolder:
    log = LogFolder(tmp_path_factory.mktemp("own") / "public", LOG)
    for size in SIZES:
        log.append([b"entry %d" % number for number in range(log.size, size)], KEY)
        log.keep_checkpoint()
    return log


def ours(log: LogFolder, size: int) -> TlogReader:
    """Our folder, with nothing but its address and the key in the form that note tools read."""
    checkpoint = log.path / ("checkpoint" if size == SIZES[-1] else f"checkpoints/{size}")
    vkey = format_vkey(Verifier(f"dataledger/log/{LOG.hex()}", KEY.public_key))
    return TlogReader(log.path, checkpoint.read_bytes(), vkey)


def prove_and_break(reader: TlogReader, indexes: range) -> None:
    """Every entry is proven by its tlog-proof file, and by no other's; a changed file proves nothing."""
    entries = reader.entries()
    for index in indexes:
        file = reader.prove(index)
        reader.check(file, entries[index])
        with pytest.raises(ProofInvalid):
            reader.check(file, entries[index] + b"x")
        with pytest.raises(ProofInvalid):
            reader.check(file.replace(b"index %d\n" % index, b"index %d\n" % (index + 1)), entries[index])
    for bit in range(0, len(file) * 8, 7):
        bad = bytearray(file)
        bad[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Invalid):
            reader.check(bytes(bad), entries[indexes[-1]])


@pytest.mark.vectors
@pytest.mark.parametrize("size", range(16))
def test_a_strangers_log(vectors: Path, size: int) -> None:
    reader = theirs(vectors, size)
    reader.verify()
    for older in range(size + 1):
        reader.check_extends(theirs(vectors, older))
    if size:
        prove_and_break(reader, range(size))


@pytest.mark.vectors
def test_a_proof_from_one_size_is_none_for_another(vectors: Path) -> None:
    small, large = theirs(vectors, 7), theirs(vectors, 15)
    hashes, _, checkpoint = small.prove(3).partition(b"\n\n")
    assert checkpoint == small.checkpoint
    with pytest.raises(ProofInvalid):
        large.check(hashes + b"\n\n" + large.checkpoint, large.entries()[3])


@pytest.mark.vectors
def test_a_stranger_is_mirrored_tile_by_tile(vectors: Path, tmp_path: Path) -> None:
    """Our mirror takes the stranger's entries up to each checkpoint; its tiles are the stranger's bytes."""
    folder = vectors / "tlog-tiles" / "log"
    mirror = Mirror.of(tmp_path, LOG)
    for size in range(1, 16):
        head = theirs(vectors, size).head
        with open_source(str(folder), named=True) as source:
            mirror.extend(source, size, head.root)
        assert list(mirror.entries(0, size)) == theirs(vectors, size).entries()
        for path in (f"tile/0/000.p/{size}", f"tile/entries/000.p/{size}"):
            assert (mirror.path / path).read_bytes() == (folder / path).read_bytes()
    with open_source(str(folder), named=True) as source, pytest.raises(Invalid):
        Mirror.of(tmp_path / "forged", LOG).extend(source, 15, bytes(32))


def test_our_log_as_a_strangers(own: LogFolder) -> None:
    """All entries, every tile, and every checkpoint that was kept on the way."""
    newest = ours(own, SIZES[-1])
    assert newest.entries() == [b"entry %d" % number for number in range(600)]
    newest.verify()
    for size in SIZES:
        older = ours(own, size)
        assert older.head == (f"dataledger/log/{LOG.hex()}", size, tree_hash(newest.entries()[:size]))
        newest.check_extends(older)


def test_our_log_proves_every_entry_to_a_stranger(own: LogFolder) -> None:
    reader = ours(own, 600)
    prove_and_break(reader, range(0, 600, 37))
    with pytest.raises(SignatureInvalid):
        TlogReader(own.path, reader.checkpoint, THEIRS)
    with pytest.raises(FormatError):
        TlogReader(own.path, reader.checkpoint[:-1], reader.vkey)
