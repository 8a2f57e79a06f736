"""Proofs are kept once, byte for byte, and whoever changes one is noticed."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.errors import Corrupt, LedgerError
from ledger.store.forks import MOST, ForkFolder


@given(st.lists(st.binary(max_size=200), max_size=MOST, unique=True))
def test_what_is_kept_is_read_again(proofs: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        forks = ForkFolder(Path(folder) / "forks")
        assert all(forks.keep("fork", each) is not None for each in proofs)
        assert sorted(data for _, data in forks.read()) == sorted(proofs)
        assert all(forks.keep("fork", each) is None for each in proofs)  # they are kept already


def test_of_one_name_only_so_many(tmp_path: Path) -> None:
    forks = ForkFolder(tmp_path)
    kept = [forks.keep("fork-ab", bytes([n])) for n in range(MOST + 3)]
    assert [each is None for each in kept] == [False] * MOST + [True] * 3
    assert forks.keep("fork-cd", b"another") is not None


def test_none_were_kept(tmp_path: Path) -> None:
    forks = ForkFolder(tmp_path / "forks")
    assert forks.read() == []
    assert not forks.path.exists()


@pytest.mark.parametrize("data", [b"", b"changed", b"proof "])
def test_one_that_was_altered(tmp_path: Path, data: bytes) -> None:
    forks = ForkFolder(tmp_path)
    path = forks.keep("fork", b"proof")
    assert path is not None
    path.write_bytes(data)
    with pytest.raises(Corrupt, match="was altered"):
        forks.read()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "forks").write_text("a file")
    with pytest.raises(LedgerError):
        ForkFolder(tmp_path / "forks").keep("fork", b"proof")
