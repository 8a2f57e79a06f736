"""The log on disk: batches, partial tiles, other writers, damage, older states."""

import errno
import os
import random
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.core import merkle, tiles
from ledger.core.checkpoint import open_checkpoint, sign_checkpoint
from ledger.core.errors import Corrupt, Forked, LedgerError, Locked, NotFound, Unavailable, Usage
from ledger.core.merkle import EMPTY_ROOT
from ledger.core.signing import signer
from ledger.store import files
from ledger.store.lock import exclusive
from ledger.store.log import LogFolder

LOG = bytes(range(32))
ALICE = signer(b"\1" * 32)
BOB = signer(b"\2" * 32)
KEYS = [ALICE.public_key]


def entries(start: int, stop: int) -> list[bytes]:
    return [b"entry %d " % number + bytes(number % 40) for number in range(start, stop)]


def open_log(path: Path) -> LogFolder:
    return LogFolder(path, LOG, keys=KEYS)


def listing(path: Path) -> set[str]:
    return {str(file.relative_to(path)) for file in path.rglob("*") if file.is_file()}


def expected_files(size: int) -> set[str]:
    """What C2SP tlog-tiles says a log of this size consists of."""
    names = {"checkpoint"}
    level = 0
    while size >> 8 * level:
        full, width = divmod(size >> 8 * level, 256)
        names |= {tiles.tile_path(level, number) for number in range(full)}
        names |= {tiles.tile_path(level, full, width)} if width else set()
        level += 1
    full, width = divmod(size, 256)
    names |= {tiles.entries_path(number) for number in range(full)}
    return names | ({tiles.entries_path(full, width)} if width else set())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "public"


@pytest.fixture
def filled(path: Path) -> Path:
    open_log(path).append(entries(0, 600), ALICE)
    return path


def test_an_empty_log(path: Path) -> None:
    log = open_log(path)
    assert (log.size, log.root, log.checkpoint) == (0, EMPTY_ROOT, b"")
    assert list(log.entries(0, 0)) == []
    assert log.append([], ALICE) == (0, 0)
    assert open_checkpoint(log.checkpoint, LOG, KEYS).size == 0
    assert open_log(path).size == 0


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 512, 1000])
def test_one_batch(path: Path, size: int) -> None:
    log = open_log(path)
    assert log.append(entries(0, size), ALICE) == (0, size)
    assert log.root == merkle.root_of(merkle.leaf_hashes(entries(0, size)))
    assert listing(path) == expected_files(size)
    for each in (log, open_log(path)):
        assert each.size == size
        assert each.root == log.root
        assert list(each.entries(0, size)) == entries(0, size)
        assert open_checkpoint(each.checkpoint, LOG, KEYS)[1:] == (size, log.root)


def test_many_batches_leave_the_same_as_one(path: Path, tmp_path: Path) -> None:
    dice = random.Random(7)
    log = open_log(path)
    size = 0
    while size < 3000:
        count = dice.choice([0, 1, 2, 100, 255, 256, 257, 700])
        assert log.append(entries(size, size + count), ALICE) == (size, size + count)
        size += count
        assert log.root == merkle.root_of(merkle.leaf_hashes(entries(0, size)))
        if dice.random() < 0.3:
            log = open_log(path)
    one = open_log(tmp_path / "one")
    one.append(entries(0, size), ALICE)
    assert expected_files(size) <= listing(path)
    extra = listing(path) - expected_files(size)
    last = {tiles.tile_path(0, size // 256), tiles.entries_path(size // 256), tiles.tile_path(1, 0)}
    assert {name.rpartition(".p/")[0] for name in extra} <= last  # partial tiles of what is not full yet
    for name in expected_files(size) - {"checkpoint"}:
        assert (path / name).read_bytes() == (one.path / name).read_bytes()


def test_three_levels_of_tiles(path: Path) -> None:
    log = open_log(path)
    small = [b"%d" % number for number in range(66_000)]
    log.append(small[:65_500], ALICE)
    log.append(small[65_500:], ALICE)
    assert listing(path) == expected_files(66_000)
    again = open_log(path)
    again.append([b"x"], ALICE)
    assert again.root == merkle.root_of(merkle.leaf_hashes([*small, b"x"]))


def test_proofs(filled: Path) -> None:
    log = open_log(filled)
    hashes = merkle.leaf_hashes(entries(0, 600))
    for index, size in [(0, 1), (0, 600), (599, 600), (255, 256), (300, 301), (17, 555)]:
        root = merkle.root_of(hashes[:size])
        assert log.root_at(size) == root
        merkle.verify_inclusion(hashes[index], index, size, log.prove_inclusion(index, size), root)
        for old in (1, size // 2 or 1, size):
            proof = log.prove_consistency(old, size)
            merkle.verify_consistency(old, size, proof, log.root_at(old), root)
    assert merkle.fold(log.tree.frontier_at(555)) == log.root_at(555)
    for ask in (
        lambda: log.root_at(601),
        lambda: log.prove_inclusion(0, 601),
        lambda: log.prove_consistency(1, 601),
        lambda: log.entries(0, 601).__next__(),
        lambda: log.entries(5, 4).__next__(),
        lambda: log.tree.frontier_at(-1),
    ):
        with pytest.raises(Usage):
            ask()


def test_many_proofs_do_not_fill_memory(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.store.tiletree._RENEW_AFTER", 2)
    log = open_log(path)
    log.append(entries(0, 2000), ALICE)
    for index in range(0, 2000, 50):
        proof = log.prove_inclusion(index, 2000)
        merkle.verify_inclusion(merkle.leaf_hash(entries(index, index + 1)[0]), index, 2000, proof, log.root)


@pytest.mark.parametrize(("start", "stop"), [(0, 0), (0, 1), (250, 260), (256, 512), (599, 600), (13, 600)])
def test_ranges_of_entries(filled: Path, start: int, stop: int) -> None:
    log = open_log(filled)
    assert list(log.entries(start, stop)) == entries(start, stop)
    assert [entry for bundle in log.bundles(start, stop) for entry in bundle] == entries(start, stop)


def test_entries_of_any_allowed_length(path: Path) -> None:
    log = open_log(path)
    largest = [b"x" * 65535] * 3
    log.append(largest, ALICE)
    assert list(open_log(path).entries(0, 3)) == largest
    for bad in ([b""], [b"x" * 65536], [b"ok", b""]):
        with pytest.raises(Usage, match="an entry has"):
            log.append(bad, ALICE)
    assert log.size == 3


def test_two_writers_take_turns(path: Path) -> None:
    one, two = open_log(path), open_log(path)
    size = 0
    for turn in range(20):
        log, count = (one, 40) if turn % 2 else (two, 7)
        assert log.append(entries(size, size + count), ALICE) == (size, size + count)
        size += count
    assert list(open_log(path).entries(0, size)) == entries(0, size)
    one.refresh()
    two.refresh()
    assert one.head == two.head


def test_threads_share_one_log(path: Path) -> None:
    log = open_log(path)
    ranges: list[tuple[int, int]] = []

    def work(number: int) -> None:
        for _ in range(10):
            ranges.append(log.append([b"%d" % number] * 3, ALICE))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ranges) == [(start, start + 3) for start in range(0, 120, 3)]
    assert open_log(path).size == 120


APPEND = """
import sys
from pathlib import Path
from ledger.core.signing import signer
from ledger.store.log import LogFolder
log = LogFolder(Path(sys.argv[1]), bytes(range(32)))
for number in range(15):
    start, stop = log.append([sys.argv[2].encode()] * 9, signer(b"\\1" * 32))
    assert set(log.entries(start, stop)) == {sys.argv[2].encode()}, (start, stop)
"""


def test_processes_take_turns(path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    running = [
        subprocess.Popen([sys.executable, "-c", APPEND, str(path), name], env=env) for name in ("a", "b", "c")
    ]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    log = open_log(path)
    assert log.size == 3 * 15 * 9
    assert sorted(log.entries(0, log.size)) == [b"a"] * 135 + [b"b"] * 135 + [b"c"] * 135


def test_a_reader_sees_a_consistent_log_while_another_writes(filled: Path) -> None:
    reader, writer = open_log(filled), open_log(filled)
    before = reader.head
    writer.append(entries(600, 2000), ALICE)  # the partial tile the reader knows is gone now
    assert not (filled / "tile/0/002.p").exists()
    assert reader.head == before
    assert list(reader.entries(0, 600)) == entries(0, 600)
    assert reader.root_at(600) == before.root
    reader.refresh()
    assert reader.size == 2000


def test_locked(filled: Path) -> None:
    log = open_log(filled)
    said: list[str] = []
    with (
        exclusive(filled.with_name("public.lock"), "the log"),
        pytest.raises(Locked, match="the log is in use by process"),
    ):
        log.append(entries(600, 601), ALICE, wait_s=0.6, on_wait=said.append)
    assert len(said) == 1
    assert log.append(entries(600, 601), ALICE) == (600, 601)


def test_only_the_partys_keys_sign(filled: Path) -> None:
    log = open_log(filled)
    with pytest.raises(Usage, match="none of the party's record keys"):
        log.append(entries(600, 601), BOB)
    rotated = LogFolder(filled, LOG, keys=[BOB.public_key, *KEYS])
    rotated.append(entries(600, 601), BOB)
    with pytest.raises(Corrupt, match="checkpoint"):
        open_log(filled)
    assert LogFolder(filled, LOG).size == 601


def test_keeping_checkpoints(path: Path) -> None:
    log = open_log(path)
    with pytest.raises(Usage, match="empty"):
        log.keep_checkpoint()
    kept = []
    for size in (5, 300, 301):
        log.append(entries(log.size, size), ALICE)
        kept.append(log.keep_checkpoint())
        assert log.keep_checkpoint() == kept[-1]
    assert log.kept_sizes() == [5, 300, 301]
    assert [log.kept_checkpoint(size) for size in (5, 300, 301)] == kept
    with pytest.raises(NotFound):
        log.kept_checkpoint(6)
    (path / "checkpoints" / "6").write_bytes(kept[0].note)
    with pytest.raises(Corrupt, match="is one of size 5"):
        log.kept_checkpoint(6)


def test_a_kept_checkpoint_of_another_tree(filled: Path) -> None:
    log = open_log(filled)
    (filled / "checkpoints").mkdir()
    (filled / "checkpoints" / "600").write_bytes(sign_checkpoint(LOG, 600, b"\7" * 32, ALICE))
    with pytest.raises(Forked) as caught:
        log.keep_checkpoint()
    assert caught.value.ours == log.checkpoint
    assert caught.value.theirs != log.checkpoint
    with pytest.raises(Forked):
        open_log(filled)


def test_require_extends(filled: Path) -> None:
    log, other = open_log(filled), open_log(filled)
    log.require_extends(0, EMPTY_ROOT)
    log.require_extends(600, log.root)
    log.require_extends(77, log.root_at(77))
    with pytest.raises(Corrupt, match="expected at least 601 entries, found 600") as caught:
        log.require_extends(601, b"\0" * 32)
    assert "older state" in caught.value.hint
    with pytest.raises(Forked):
        log.require_extends(77, log.root_at(78))
    other.append(entries(600, 700), ALICE)
    log.require_extends(700, other.root)


# Damage


def flip(path: Path, place: int = -1) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("name", ["tile/0/002.p/88", "tile/1/000.p/2", "checkpoint"])
@pytest.mark.parametrize("place", [0, 40, -2])
def test_a_flipped_bit_at_the_edge_is_seen_at_open(filled: Path, name: str, place: int) -> None:
    flip(filled / name, place)
    with pytest.raises(Corrupt):
        open_log(filled)


def test_a_flipped_bit_in_the_last_bundle_is_seen_before_appending(filled: Path) -> None:
    flip(filled / "tile/entries/002.p/88")
    log = open_log(filled)
    with pytest.raises(Corrupt, match="entry 599 is not what its hash says"):
        log.append(entries(600, 601), ALICE)


def test_a_flipped_bit_in_an_inner_tile_gives_another_root(filled: Path) -> None:
    flip(filled / "tile/0/000", 0)
    assert open_log(filled).root_at(100) != merkle.root_of(merkle.leaf_hashes(entries(0, 100)))


def test_a_flipped_length_in_a_bundle(filled: Path) -> None:
    flip(filled / "tile/entries/000", 1)
    with pytest.raises(Corrupt, match="tile/entries/000"):
        list(open_log(filled).entries(0, 10))


@pytest.mark.parametrize("name", ["tile/0/002.p/88", "tile/1/000.p/2", "tile/entries/002.p/88"])
def test_a_dropped_tail(filled: Path, name: str) -> None:
    (filled / name).unlink()
    with pytest.raises(Corrupt, match="is missing"):
        open_log(filled).append(entries(600, 601), ALICE)


@pytest.mark.parametrize("size", [0, 31, 88 * 32 - 32, 88 * 32 + 1])
def test_a_tile_of_another_length(filled: Path, size: int) -> None:
    tile = filled / "tile/0/002.p/88"
    tile.write_bytes((tile.read_bytes() * 2)[:size])
    with pytest.raises(Corrupt):
        open_log(filled)


def test_a_lost_checkpoint(filled: Path) -> None:
    (filled / "checkpoint").unlink()
    with pytest.raises(Corrupt, match="entries and no checkpoint"):
        open_log(filled)


def test_a_checkpoint_of_another_log(filled: Path) -> None:
    with pytest.raises(Corrupt, match="checkpoint"):
        LogFolder(filled, b"\7" * 32)
    with pytest.raises(Corrupt, match="checkpoint"):
        LogFolder(filled, b"\7" * 32, keys=KEYS)


def test_a_checkpoint_that_is_none(filled: Path) -> None:
    for content in (b"", b"\n", b"\xff", b"x" * (1 << 21)):
        (filled / "checkpoint").write_bytes(content)
        with pytest.raises(Corrupt):
            open_log(filled)


def test_an_older_checkpoint_put_back_is_seen_by_who_knew_better(filled: Path) -> None:
    old = (filled / "checkpoint").read_bytes()
    log = open_log(filled)
    log.append(entries(600, 700), ALICE)
    (filled / "checkpoint").write_bytes(old)
    with pytest.raises(Corrupt, match="expected at least 700 entries, found 600"):
        log.append(entries(700, 701), ALICE)


def test_an_older_state_restored_is_seen_by_the_kept_checkpoints(filled: Path, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    shutil.copytree(filled, backup)
    log = open_log(filled)
    log.append(entries(600, 700), ALICE)
    log.keep_checkpoint()
    shutil.copytree(filled / "checkpoints", backup / "checkpoints")
    with pytest.raises(Corrupt, match="expected at least 700 entries, found 600") as caught:
        open_log(backup)
    assert "do not append" in caught.value.hint


def test_another_history_under_the_same_size_is_seen(filled: Path, tmp_path: Path) -> None:
    log = open_log(filled)
    other = open_log(tmp_path / "other")
    other.append([b"other", *entries(1, 700)], ALICE)
    shutil.rmtree(filled)
    shutil.copytree(other.path, filled)
    with pytest.raises(Forked, match="does not extend") as caught:
        log.append(entries(600, 601), ALICE)
    assert caught.value.ours == log.checkpoint
    assert caught.value.theirs == other.checkpoint


# What a crash leaves


def test_leftovers_beyond_the_checkpoint_do_not_exist(filled: Path) -> None:
    garbage = ["tile/0/002.p/100", "tile/0/002", "tile/0/003", "tile/entries/002", "tile/entries/002.p/100"]
    for name in garbage:
        (filled / name).write_bytes(b"left by a crash, and longer than what comes: " * 500)
    (filled / ".checkpoint.1-0.tmp").write_bytes(b"half a checkpo")
    log = open_log(filled)
    assert list(log.entries(0, 600)) == entries(0, 600)
    log.append(entries(600, 1100), ALICE)
    assert listing(filled) == expected_files(1100) | {"tile/1/000.p/2"}
    assert list(open_log(filled).entries(0, 1100)) == entries(0, 1100)


def test_superseded_partial_tiles_are_swept(filled: Path) -> None:
    for name in ("tile/0/001.p/9", "tile/entries/001.p/200", "tile/0/002.p/99"):
        (filled / name).parent.mkdir(exist_ok=True)
        (filled / name).write_bytes(b"x")
    open_log(filled).append([], ALICE)
    assert listing(filled) == expected_files(600)


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """Make the n-th call of any of the store's file-system calls fail; the pure-Python layer of faults."""
    state = {"left": -1, "error": None}
    names = ["open", "write", "fsync", "unlink", "rename", "replace", "mkdir"]

    def wrap(real):
        def call(*args: object, **kwargs: object) -> object:
            state["left"] -= 1
            if state["left"] == 0:
                raise state["error"]
            return real(*args, **kwargs)

        return call

    for name in names:
        monkeypatch.setattr(os, name, wrap(getattr(os, name)))

    def arm(count: int, error: BaseException) -> None:
        state.update(left=count, error=error)

    def survived() -> bool:
        return state["left"] > 0

    arm.survived = survived
    return arm


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), KeyboardInterrupt()])
@pytest.mark.parametrize("count", [1, 300])
def test_any_call_may_fail(filled: Path, failing, error: BaseException, count: int) -> None:
    """A full disk, or Ctrl-C, at each call in turn: a clear error, nothing lost, and the log goes on."""
    log = open_log(filled)
    size = 600
    for number in range(1, 200):
        failing(number, error)
        try:
            log.append(entries(size, size + count), ALICE)
        except (Unavailable, KeyboardInterrupt):
            failing(-1, error)
            fresh = open_log(filled)
            assert fresh.size in (size, size + count)
            if fresh.size != size:  # the error came after the commit
                assert list(fresh.entries(size, size + count)) == entries(size, size + count)
            size = fresh.size
            start, stop = log.append(entries(size, size + 3), ALICE)
            assert (start, stop) == (size, size + 3)
            size += 3
        else:
            size += count
            if failing.survived():
                break
    else:
        pytest.fail("it never survived")
    assert number > 10
    failing(-1, error)
    final = open_log(filled)
    assert list(final.entries(0, size)) == entries(0, size)
    assert final.root == merkle.root_of(merkle.leaf_hashes(entries(0, size)))


def test_where_the_folder_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "public").write_bytes(b"a file in its place")
    with pytest.raises(LedgerError):
        open_log(tmp_path / "public").append(entries(0, 1), ALICE)


def test_a_signer_that_fails_leaves_the_log_as_it_was(filled: Path) -> None:
    def refuse(message: bytes) -> bytes:
        raise Unavailable("the key is locked")

    log = open_log(filled)
    with pytest.raises(Unavailable, match="the key is locked"):
        log.append(entries(600, 700), ALICE._replace(sign=refuse))
    assert (log.size, open_log(filled).size) == (600, 600)
    log.append(entries(600, 650), ALICE)
    assert list(open_log(filled).entries(0, 650)) == entries(0, 650)


def test_durability_order(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything the checkpoint covers is flushed before the checkpoint is renamed into place."""
    log = open_log(filled)
    log.append(entries(600, 601), ALICE)
    calls: list[str] = []
    opened: dict[int, str] = {}
    real_open, real_fsync, real_replace = os.open, os.fsync, os.replace

    def opening(name: object, flags: int, *args: object, **kwargs: object) -> int:
        fd = real_open(name, flags, *args, **kwargs)
        opened[fd] = str(name)
        if flags & os.O_CREAT and "lock" not in str(name):
            calls.append(f"create {name}")
        return fd

    def syncing(fd: int) -> None:
        calls.append(f"fsync {opened[fd]}")
        real_fsync(fd)

    def replacing(source: object, target: object) -> None:
        calls.append(f"rename {target}")
        real_replace(source, target)

    monkeypatch.setattr(os, "open", opening)
    monkeypatch.setattr(os, "fsync", syncing)
    monkeypatch.setattr(os, "replace", replacing)
    log.append(entries(601, 1000), ALICE)
    commit = calls.index(f"rename {filled / 'checkpoint'}")
    created = [call.removeprefix("create ") for call in calls if call.startswith("create")]
    assert (
        len(created) == 2 + 2 + 1 + 1
    )  # a full and a partial tile, the same of entries, level 1, checkpoint
    for name in created:
        assert calls.index(f"fsync {name}") < commit
        folder = str(Path(name).parent)
        place = commit if ".tmp" not in name else 0
        assert f"fsync {folder}" in (calls[:place] if place else calls[commit:])
    assert calls[-1] == f"fsync {filled}"


def test_files_module_never_asks_for_more_than_it_needs() -> None:
    assert files.PUBLIC_FILE == 0o644
    assert files.PUBLIC_FOLDER == 0o755
