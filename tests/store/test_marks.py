"""Marks of private attachments: kept whole, kept private, and refused when damaged."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.errors import Corrupt, FormatError
from ledger.store import marks
from ledger.store.marks import Marks, read_marks, write_marks

ONE, TWO = "1a" * 32, "2b" * 32
digests = st.frozensets(st.binary(min_size=32, max_size=32).map(bytes.hex), max_size=5)


@given(digests, digests)
def test_they_come_back(tmp_path_factory: pytest.TempPathFactory, disclosed, forgotten) -> None:
    path = tmp_path_factory.getbasetemp() / "private" / "marks.json"
    write_marks(path, Marks(disclosed, forgotten))
    assert read_marks(path) == Marks(disclosed, forgotten)


def test_nobody_else_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "private" / "marks.json"
    write_marks(path, Marks(frozenset({TWO, ONE})))
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert (
        path.read_text() == f'{{"format":"dataledger/marks/v1","disclosed":["{ONE}","{TWO}"],"forgotten":[]}}'
    )


def test_none_are_there(tmp_path: Path) -> None:
    assert read_marks(tmp_path / "marks.json") == Marks()


@pytest.mark.parametrize(
    "data",
    [
        "",
        "{}",
        "[]",
        '{"format":"dataledger/marks/v2","disclosed":[],"forgotten":[]}',
        '{"format":"dataledger/marks/v1","disclosed":[]}',
        '{"format":"dataledger/marks/v1","disclosed":[],"forgotten":[],"more":[]}',
        '{"format":"dataledger/marks/v1","disclosed":[],"disclosed":[],"forgotten":[]}',
        f'{{"format":"dataledger/marks/v1","disclosed":["{ONE.upper()}"],"forgotten":[]}}',
        f'{{"format":"dataledger/marks/v1","disclosed":["{ONE}"],"forgotten":["../{ONE}"]}}',
        f'{{"format":"dataledger/marks/v1","disclosed":["{ONE}"],"forgotten":[1]}}',
    ],
)
def test_damaged_ones_are_refused(tmp_path: Path, data: str) -> None:
    path = tmp_path / "marks.json"
    path.write_text(data)
    with pytest.raises(FormatError) as caught:
        read_marks(path)
    assert str(path) in str(caught.value)
    assert "backup" in caught.value.hint


def test_too_many_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marks, "MAX_BYTES", 100)
    path = tmp_path / "marks.json"
    write_marks(path, Marks(frozenset({ONE, TWO})))
    with pytest.raises(Corrupt, match="at most 100 bytes"):
        read_marks(path)
