"""Mirrors: verified copies of foreign logs, whoever had the entries."""

import shutil
from pathlib import Path

import pytest

from ledger.core import merkle
from ledger.core.errors import Corrupt, Forked, LedgerError, NotFound, Unavailable, Usage
from ledger.core.signing import signer
from ledger.store.log import LogFolder
from ledger.store.mirror import Mirror
from ledger.store.source import LogSource, open_source

LOG = bytes(range(32))
ALICE = signer(b"\1" * 32)


def entries(start: int, stop: int) -> list[bytes]:
    return [b"entry %d" % number for number in range(start, stop)]


@pytest.fixture
def log(tmp_path: Path) -> LogFolder:
    log = LogFolder(tmp_path / "theirs" / "public", LOG)
    for size in (100, 250, 600, 601):
        log.append(entries(log.size, size), ALICE)
    return log


@pytest.fixture
def source(log: LogFolder) -> LogSource:
    return open_source(str(log.path), named=True)


@pytest.fixture
def mirror(tmp_path: Path) -> Mirror:
    return Mirror.of(tmp_path / "mirrors", LOG)


def test_extended_step_by_step(log: LogFolder, source: LogSource, mirror: Mirror, tmp_path: Path) -> None:
    for size in (7, 100, 256, 257, 600, 601):
        mirror.extend(source, size, log.root_at(size))
        for each in (mirror, Mirror.of(tmp_path / "mirrors", LOG)):
            assert (each.size, each.root) == (size, log.root_at(size))
            assert list(each.entries(0, size)) == entries(0, size)
    merkle.verify_inclusion(merkle.leaf_hash(b"entry 5"), 5, 601, mirror.prove_inclusion(5, 601), log.root)
    assert mirror.path == tmp_path / "mirrors" / LOG.hex()


def test_a_smaller_size_is_there_already(log: LogFolder, source: LogSource, mirror: Mirror) -> None:
    mirror.extend(source, 601, log.root)
    mirror.extend(source, 100, log.root_at(100))
    assert mirror.size == 601
    with pytest.raises(Forked):
        mirror.extend(source, 100, log.root_at(99))


def test_what_does_not_lead_to_the_anchored_root_is_not_kept(
    log: LogFolder, source: LogSource, mirror: Mirror, tmp_path: Path
) -> None:
    mirror.extend(source, 250, log.root_at(250))
    forged = LogFolder(tmp_path / "forged", LOG)
    forged.append([*entries(0, 400), b"forged", *entries(401, 601)], ALICE)
    with pytest.raises(Corrupt, match="anchored is root"):
        mirror.extend(open_source(str(forged.path), named=True), 601, log.root)
    for each in (mirror, Mirror.of(tmp_path / "mirrors", LOG)):
        assert each.size == 250
    mirror.extend(source, 601, log.root)
    assert list(mirror.entries(0, 601)) == entries(0, 601)


def test_a_true_root_with_a_wrong_size(log: LogFolder, source: LogSource, mirror: Mirror) -> None:
    with pytest.raises(Corrupt):
        mirror.extend(source, 600, log.root)
    assert mirror.size == 0


def test_a_source_that_has_too_little(log: LogFolder, source: LogSource, mirror: Mirror) -> None:
    with pytest.raises(Unavailable, match="is missing"):
        mirror.extend(source, 700, b"\0" * 32)
    assert mirror.size == 0


def test_a_source_that_grew_and_dropped_its_partial_tiles(
    log: LogFolder, source: LogSource, mirror: Mirror
) -> None:
    root = log.root_at(601)
    log.append(entries(601, 900), ALICE)
    mirror.extend(source, 601, root)
    assert list(mirror.entries(0, 601)) == entries(0, 601)


def test_a_copy_that_only_has_the_newest_partial_tiles(
    log: LogFolder, mirror: Mirror, tmp_path: Path
) -> None:
    log.append(entries(601, 700), ALICE)
    copy = tmp_path / "copy"
    shutil.copytree(log.path, copy)
    for old in (copy / "tile/entries/002.p").iterdir():
        if old.name != str(700 - 512):
            old.unlink()
    mirror.extend(open_source(str(copy), named=True), 601, log.root_at(601))
    assert mirror.size == 601


def test_a_crash_between_tiles_and_head(
    log: LogFolder, source: LogSource, mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror.extend(source, 250, log.root_at(250))
    with monkeypatch.context() as patch:

        def crash(*_: object) -> None:
            raise KeyboardInterrupt

        patch.setattr(Mirror, "_write_head", crash)
        with pytest.raises(KeyboardInterrupt):
            mirror.extend(source, 601, log.root)
    again = Mirror.of(tmp_path / "mirrors", LOG)
    assert again.size == 250
    for each in (again, mirror):
        each.extend(source, 601, log.root)
        assert list(each.entries(0, 601)) == entries(0, 601)


@pytest.mark.parametrize("content", [b"", b"x", b"\xff", b"a\n1\nAA==\n", b"x" * 5000])
def test_a_damaged_head(
    log: LogFolder, source: LogSource, mirror: Mirror, tmp_path: Path, content: bytes
) -> None:
    mirror.extend(source, 601, log.root)
    (mirror.path / "head").write_bytes(content)
    with pytest.raises(Corrupt):
        Mirror.of(tmp_path / "mirrors", LOG)


def test_the_head_of_another_log(log: LogFolder, source: LogSource, mirror: Mirror, tmp_path: Path) -> None:
    mirror.extend(source, 601, log.root)
    with pytest.raises(Corrupt, match="head"):
        Mirror(mirror.path, b"\7" * 32)


def test_a_damaged_tile(log: LogFolder, source: LogSource, mirror: Mirror, tmp_path: Path) -> None:
    mirror.extend(source, 601, log.root)
    tile = mirror.path / "tile/0/002.p/89"
    tile.write_bytes(b"\0" * len(tile.read_bytes()))
    with pytest.raises(Corrupt, match="expected root"):
        Mirror.of(tmp_path / "mirrors", LOG)


def test_attachments_beside_the_mirror(mirror: Mirror) -> None:
    digest = mirror.attachments.put(b"report")
    assert mirror.attachments.get(digest) == b"report"
    assert mirror.attachments.path(digest).parent.parent == mirror.path


# Sources that are folders


@pytest.mark.parametrize("inside", [".", "..", "../.."])
def test_a_folder_may_be_the_log_or_the_workspace_around_it(
    tmp_path: Path, inside: str, mirror: Mirror
) -> None:
    log = LogFolder(tmp_path / "party" / ".dataledger" / "public", LOG)
    log.append(entries(0, 10), ALICE)
    with open_source(str((log.path / inside).resolve()), named=True) as source:
        assert source.checkpoint() == log.checkpoint
        assert list(source.entries(3, 10)) == entries(3, 10)
        assert list(source.entries(3, 3)) == []
        mirror.extend(source, 10, log.root)


def test_folders_only_where_the_user_names_them(log: LogFolder) -> None:
    with pytest.raises(Usage, match="https://") as caught:
        open_source(str(log.path), named=False)
    assert "follow --from" in caught.value.hint
    for location in ("file:///etc", "ftp://example.com", "", "javascript:x"):
        with pytest.raises(LedgerError):
            open_source(location, named=False)


def test_folders_without_a_log(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="has no checkpoint"):
        open_source(str(tmp_path), named=True)
    with pytest.raises(NotFound, match="no such folder"):
        open_source(str(tmp_path / "missing"), named=True)


def test_attachments_of_a_source(log: LogFolder, source: LogSource) -> None:
    from ledger.store.attachments import PublicAttachments

    public = PublicAttachments(log.path / "attachments")
    digest = public.put(b"report")
    assert source.attachment(digest) == b"report"
    assert source.attachment("ab" * 32) is None
    public.path(digest).write_bytes(b"another")
    with pytest.raises(Corrupt, match=digest):
        source.attachment(digest)
    with pytest.raises(LedgerError):
        source.attachment("../checkpoint")


def test_a_source_that_lost_its_checkpoint(log: LogFolder, source: LogSource, mirror: Mirror) -> None:
    (log.path / "checkpoint").unlink()
    with pytest.raises(Unavailable, match="no checkpoint"):
        source.checkpoint()
    mirror.extend(source, 601, log.root)  # the anchored root decides, not the checkpoint
