"""Files that survive: replaced whole, created once, errors translated, nothing left behind."""

import errno
import os
from pathlib import Path

import pytest

from ledger.core.errors import Corrupt, LedgerError, NotFound, Unavailable
from ledger.store import files


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_write_atomic_replaces_the_whole(tmp_path: Path) -> None:
    path = tmp_path / "a"
    files.write_atomic(path, b"one" * 1000, "a file")
    files.write_atomic(path, b"two", "a file", files.PRIVATE_FILE)
    assert path.read_bytes() == b"two"
    assert path.stat().st_mode & 0o777 == 0o600
    assert names(tmp_path) == ["a"]


def test_write_once_never_overwrites(tmp_path: Path) -> None:
    path = tmp_path / "a"
    assert files.write_once(path, b"one", "a file")
    assert not files.write_once(path, b"two", "a file")
    assert path.read_bytes() == b"one"
    assert names(tmp_path) == ["a"]


def test_write_once_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "no hard links here")

    monkeypatch.setattr(os, "link", refuse)
    path = tmp_path / "a"
    assert files.write_once(path, b"one", "a file")
    assert not files.write_once(path, b"two", "a file")
    assert path.read_bytes() == b"one"
    assert names(tmp_path) == ["a"]


def test_write_batch_writes_more_than_it_may_hold_open(tmp_path: Path) -> None:
    contents = {f"{number}": b"%d" % number for number in range(200)}
    files.write_batch(tmp_path, contents.items(), "many files")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == contents


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
def test_a_full_disk_is_unavailable_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(*((Path, "replace", full) if call == "replace" else (os, call, full)))
    with pytest.raises(Unavailable, match="writing a file: No space left on device") as caught:
        files.write_atomic(path, b"new", "a file")
    assert "safe" in caught.value.hint
    with pytest.raises(Unavailable):
        files.write_batch(tmp_path, [("b", b"new")], "a file")
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a"]


def test_short_writes_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, bytes(data[:3])))
    files.write_atomic(tmp_path / "a", b"0123456789", "a file")
    assert (tmp_path / "a").read_bytes() == b"0123456789"


def test_make_folder_makes_what_is_missing_above(tmp_path: Path) -> None:
    files.make_folder(tmp_path / "a" / "b" / "c", files.PRIVATE_FOLDER)
    files.make_folder(tmp_path / "a" / "b" / "c", files.PUBLIC_FOLDER)
    assert (tmp_path / "a" / "b" / "c").stat().st_mode & 0o777 == 0o700


def test_make_folder_where_a_file_is(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(LedgerError):
        files.make_folder(tmp_path / "a" / "b")


def test_read_small(tmp_path: Path) -> None:
    path = tmp_path / "a"
    assert files.read_small(path, 4, "a file") is None
    assert files.read_small(path / "b", 4, "a file") is None
    path.write_bytes(b"1234")
    assert files.read_small(path, 4, "a file") == b"1234"
    with pytest.raises(Corrupt, match="at most 3 bytes"):
        files.read_small(path, 3, "a file")
    assert files.read_small(path / "b", 4, "a file") is None


def test_read_small_refuses_folders_and_pipes(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(Corrupt, match="something else"):
            files.read_small(path, 4, "a file")


def test_durable_writer_creates_folders_and_overwrites(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "left").write_bytes(b"longer leftover of a crash")
    with files.DurableWriter(tmp_path) as writer:
        writer.write("x/left", b"new")
        for number in range(100):
            writer.write(f"y/z/{number}", b"%d" % number)
        writer.flush()
    assert (tmp_path / "x" / "left").read_bytes() == b"new"
    assert len(names(tmp_path / "y" / "z")) == 100


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (errno.ENOSPC, Unavailable),
        (errno.EDQUOT, Unavailable),
        (errno.ENOENT, NotFound),
        (errno.EACCES, Unavailable),
        (errno.EIO, Unavailable),
    ],
)
def test_os_errors_become_ours(code: int, error: type[LedgerError]) -> None:
    with pytest.raises(error, match="reading it"), files.translating("reading it", "here"):
        raise OSError(code, os.strerror(code))


def test_remove_temps_only_takes_the_named(tmp_path: Path) -> None:
    for name in (".a.1-0.tmp", ".a.2-3.tmp", ".b.1-0.tmp", "a"):
        (tmp_path / name).write_bytes(b"")
    files.remove_temps(tmp_path, "a")
    assert names(tmp_path) == [".b.1-0.tmp", "a"]
