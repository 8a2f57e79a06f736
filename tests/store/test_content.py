"""Content digests: what the format says, of things that hold still, and clear refusals of the rest."""

import hashlib
import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.digests import decode_manifest
from ledger.core.errors import LedgerError, NotFound, Unavailable, Usage
from ledger.store import content
from ledger.store.content import digest_file, digest_folder, digest_path, leaves_folder


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("size", [0, 1, (1 << 18) - 1, 1 << 18, (1 << 18) + 1, 3_000_000])
def test_a_file(tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    (tmp_path / "f").write_bytes(data)
    found = digest_path(tmp_path / "f")
    assert (found.name, found.digest, found.size, found.entries) == ("sha256", sha(data), size, ())


def make_folder(root: Path) -> None:
    (root / "a").mkdir(parents=True)
    (root / "empty").mkdir()
    (root / "a" / "x").write_bytes(b"x")
    (root / "a.txt").write_bytes(b"a.txt")
    (root / "a" / "link").symlink_to("../a.txt")
    (root / "ümlaut\n").write_bytes(b"")


def test_a_folder_by_the_bytes_of_its_manifest(tmp_path: Path) -> None:
    root = tmp_path / "data"
    make_folder(root)
    lines = [
        (b"f", b"a.txt", b"a.txt"),
        (b"l", b"../a.txt", b"a/link"),
        (b"f", b"x", b"a/x"),
        (b"d", b"", b"empty"),
        (b"f", b"", "ümlaut\n".encode()),
    ]
    manifest = b"".join(
        b"%b %b %d %b\0" % (kind, sha(data).encode(), len(data), path) for kind, data, path in lines
    )
    found = digest_path(root)
    assert found.name == "dataledger-tree-v1"
    assert found.manifest() == manifest
    assert decode_manifest(manifest) == list(found.entries)
    assert found.digest == sha(b"dataledger/tree/v1\0" + manifest)
    assert found.size == 6


def test_modes_and_times_do_not_matter(tmp_path: Path) -> None:
    root = tmp_path / "data"
    make_folder(root)
    before = digest_folder(root)
    (root / "a" / "x").chmod(0o600)
    os.utime(root / "a" / "x", (1, 1))
    assert digest_folder(root) == before


def test_an_empty_folder(tmp_path: Path) -> None:
    found = digest_folder(tmp_path)
    assert (found.manifest(), found.digest, found.size) == (b"", sha(b"dataledger/tree/v1\0"), 0)


def test_a_file_with_the_manifests_bytes_is_not_the_folder(tmp_path: Path) -> None:
    make_folder(tmp_path / "data")
    found = digest_folder(tmp_path / "data")
    (tmp_path / "f").write_bytes(found.manifest())
    assert digest_file(tmp_path / "f").digest != found.digest


def test_a_link_as_argument_is_followed(tmp_path: Path) -> None:
    make_folder(tmp_path / "data")
    (tmp_path / "to_file").symlink_to("data/a/x")
    (tmp_path / "to_folder").symlink_to("data")
    (tmp_path / "twice").symlink_to("to_folder")
    assert digest_path(tmp_path / "to_file").digest == sha(b"x")
    assert digest_path(tmp_path / "to_folder") == digest_path(tmp_path / "data")
    assert digest_path(tmp_path / "twice") == digest_path(tmp_path / "data")


def test_links_inside_are_never_followed(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(".")
    (tmp_path / "dangling").symlink_to("nothing/here")
    found = digest_folder(tmp_path)
    assert [(entry.kind, entry.path) for entry in found.entries] == [("l", "dangling"), ("l", "loop")]


@pytest.mark.parametrize("target", ["/etc/passwd", "..", "../x", "a/../../x", "../data/a"])
def test_links_that_leave_are_refused(tmp_path: Path, target: str) -> None:
    root = tmp_path / "data"
    root.mkdir()
    (root / "link").symlink_to(target)
    with pytest.raises(Usage, match="leaves the folder"):
        digest_folder(root)


@pytest.mark.parametrize(
    ("path", "target", "leaves"),
    [
        ("l", "x", False),
        ("l", "./x/..", False),
        ("a/l", "..", False),
        ("a/l", "../..", True),
        ("a/b/l", "../../x", False),
        ("a/b/l", "x/../../../../y", True),
        ("a/l", "", False),
    ],
)
def test_leaves_folder(path: str, target: str, leaves: bool) -> None:
    assert leaves_folder(path, target) == leaves


def test_missing(tmp_path: Path) -> None:
    (tmp_path / "dangling").symlink_to("nowhere")
    for name in ("missing", "dangling", "missing/deeper"):
        with pytest.raises(NotFound):
            digest_path(tmp_path / name)


def test_a_link_to_itself(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(LedgerError):
        digest_path(tmp_path / "loop")


def test_special_files_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        for name in ("pipe", "socket", "/dev/null"):
            with pytest.raises(Usage, match="device, pipe or socket"):
                digest_path(tmp_path / name)
        with pytest.raises(Usage, match="device, pipe or socket"):
            digest_folder(tmp_path)


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(Usage, match="expected a file"):
        digest_file(tmp_path)
    (tmp_path / "f").write_bytes(b"")
    with pytest.raises(LedgerError):
        digest_folder(tmp_path / "f")


def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9")).write_bytes(b"")
    with pytest.raises(Usage, match=r"not UTF-8.*caf\\xe9"):
        digest_folder(tmp_path)


def test_links_to_names_that_are_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(os.fsdecode(b"caf\xe9"))
    with pytest.raises(Usage, match="target is not UTF-8"):
        digest_folder(tmp_path)


@pytest.mark.parametrize("where", ["", "deep/er"])
def test_a_workspace_inside_is_refused(tmp_path: Path, where: str) -> None:
    (tmp_path / where / ".dataledger").mkdir(parents=True)
    with pytest.raises(Usage, match="workspace"):
        digest_folder(tmp_path)


def test_unreadable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "f").write_bytes(b"x")

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)  # root may read everything, so chmod proves nothing here
    for path in (tmp_path / "f", tmp_path):
        with pytest.raises(Unavailable, match="Permission denied"):
            digest_path(path)
    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(Unavailable, match="Permission denied"):
        digest_path(tmp_path)


def test_an_error_of_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "f").write_bytes(b"x")

    def broken(*_: object) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "readv", broken)
    with pytest.raises(Unavailable, match="Input/output error"):
        digest_path(tmp_path / "f")


def during_read(monkeypatch: pytest.MonkeyPatch, change) -> None:
    """Run `change` once, in the middle of reading."""
    real, done = os.readv, []

    def readv(fd: int, buffers: object) -> int:
        if not done:
            done.append(True)
            change()
        return real(fd, buffers)

    monkeypatch.setattr(os, "readv", readv)


CHANGES = {
    "grown": lambda path: path.open("ab").write(b"more"),
    "shrunk": lambda path: os.truncate(path, 3),
    "rewritten": lambda path: (path.write_bytes(b"y" * 1000), os.utime(path, ns=(7, 7))),
    "replaced": lambda path: (
        path.with_name("new").write_bytes(b"x" * 1000),
        path.with_name("new").replace(path),
    ),
    "removed": lambda path: path.unlink(),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_file_that_changes_while_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    path = tmp_path / "data" / "f"
    path.parent.mkdir()
    path.write_bytes(b"x" * 1000)
    during_read(monkeypatch, lambda: CHANGES[change](path))
    with pytest.raises((Unavailable, NotFound), match=r"changed while it was read|no such file"):
        digest_file(path)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_folder_that_changes_while_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    path = tmp_path / "data" / "f"
    path.parent.mkdir()
    path.write_bytes(b"x" * 1000)
    during_read(monkeypatch, lambda: CHANGES[change](path))
    with pytest.raises(Unavailable, match="changed while it was read"):
        digest_folder(path.parent)


def test_a_file_that_appears_while_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "f").write_bytes(b"x")
    during_read(monkeypatch, lambda: (tmp_path / "g").write_bytes(b""))
    with pytest.raises(Unavailable, match="changed while it was read"):
        digest_folder(tmp_path)


def test_a_file_that_never_stops_growing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"x" * 10)
    calls = []
    real = os.readv

    def growing(fd: int, buffers: list[memoryview]) -> int:
        calls.append(fd)
        with path.open("ab") as file:
            file.write(b"y" * 1000)
        return real(fd, buffers)

    monkeypatch.setattr(os, "readv", growing)
    with pytest.raises(Unavailable, match="changed while it was read"):
        digest_file(path)
    assert len(calls) <= 3


def test_many_files_in_two_threads(tmp_path: Path) -> None:
    for number in range(1200):
        (tmp_path / f"{number:04}").write_bytes(b"%d" % number)
    told: list[tuple[int, int]] = []
    found = digest_folder(tmp_path, lambda done, total: told.append((done, total)))
    assert [entry.digest for entry in found.entries] == [sha(b"%d" % number) for number in range(1200)]
    assert told[-1] == (found.size, found.size)


def test_an_error_in_one_thread_stops_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(1200):
        (tmp_path / f"{number:04}").write_bytes(b"%d" % number)
    seen = []
    real = content._Reader.digest

    def digest(self: content._Reader, name: str) -> tuple[str, int]:
        seen.append(name)
        if len(seen) == 100:
            raise KeyboardInterrupt
        return real(self, name)

    monkeypatch.setattr(content._Reader, "digest", digest)
    with pytest.raises(KeyboardInterrupt):
        digest_folder(tmp_path)
    assert len(seen) < 1200


def test_progress_of_a_large_file(tmp_path: Path) -> None:
    size = 40 << 20
    with (tmp_path / "f").open("wb") as file:
        file.truncate(size)
    told: list[tuple[int, int]] = []
    digest_file(tmp_path / "f", lambda done, total: told.append((done, total)))
    assert told[-1] == (size, size)
    assert len(told) == 3
    assert told == sorted(told)


names = st.text(st.characters(codec="utf-8", exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1)


@given(
    st.dictionaries(
        names.filter(lambda name: name not in (".", "..", ".dataledger") and len(name.encode()) < 200),
        st.binary(max_size=20),
        max_size=8,
    )
)
def test_folders_of_any_names(tmp_path_factory: pytest.TempPathFactory, contents: dict[str, bytes]) -> None:
    root = tmp_path_factory.mktemp("data")
    for name, data in contents.items():
        (root / name).write_bytes(data)
    found = digest_folder(root)
    expected = sorted((name.encode(), sha(data), len(data)) for name, data in contents.items())
    assert [(entry.path.encode(), entry.digest, entry.size) for entry in found.entries] == expected
    assert decode_manifest(found.manifest()) == list(found.entries)
