"""Several at once, locks, full disks, Ctrl-C, kill: what was reported as done is kept, and work goes on."""

from __future__ import annotations

import contextlib
import fcntl
import json
import random
import resource
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledger.chain.embedded import lock as chain_lock
from ledger.core.errors import FormatError, LedgerError, Locked, Unavailable
from ledger.service import Ledger, publishing
from ledger.service.batch import Batch
from ledger.store import lock as store_lock
from tests.service.conftest import PYTHON, Party, Stage


def sound(party: Party) -> None:
    """The workspace works: it can be audited and written to, and nothing in it is rejected."""
    ledger = party.reopen()
    ledger.register("haina/after", party.put("after.csv", "after"))
    assert ledger.verify(party.folder / "after.csv").verdict == "good"
    assert {line.verdict for line in ledger.log(limit=1000).records} == {"accepted"}
    report = ledger.audit()
    assert report.good, report.failures


# --- several at once


def started(party: Party, code: str, *arguments: object) -> subprocess.Popen[str]:
    """Start Python code in the party's folder; `ledger` is its workspace."""
    opened = (
        "import sys\nfrom pathlib import Path\nfrom ledger.service import Ledger\n"
        "ledger = Ledger.open(Path.cwd(), env={})\n"
    )
    return subprocess.Popen(
        [PYTHON, "-c", opened + code, *map(str, arguments)],
        cwd=party.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(processes: list[subprocess.Popen[str]]) -> None:
    for process in processes:
        with process:
            _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err


def test_two_writers_lose_nothing(haina: Party) -> None:
    count = 4
    code = (
        "name, count = sys.argv[1], int(sys.argv[2])\n"
        "for i in range(count):\n"
        "    path = Path(f'{name}-{i}.csv')\n"
        "    path.write_text(f'{name} {i}')\n"
        "    done = ledger.register(f'haina/{name}-{i}', path)\n"
        "    assert done.block is not None and not done.problem, done\n"
    )
    haina.ledger.status()
    haina.close()
    ended([started(haina, code, name, count) for name in ("one", "two")])
    known = {each.subject for each in haina.ledger.log(type="version", limit=1000).records}
    assert known == {f"haina/{name}-{i}@1" for name in ("one", "two") for i in range(count)}
    assert haina.context.log.size == 4 * count
    paths = json.loads((haina.home / "private" / "paths.json").read_text())
    assert len(paths) == 2 * count  # nor does one forget what the other noted
    sound(haina)


def test_one_asset_registered_by_two_at_once_is_registered_once(haina: Party) -> None:
    code = (
        "from ledger.core.errors import Usage\n"
        "for i in range(3):\n"
        "    try: ledger.register(f'haina/x{i}')\n"
        "    except Usage as error: assert 'registered already' in str(error)\n"
    )
    haina.close()
    ended([started(haina, code) for _ in range(2)])
    assert haina.context.log.size == 3
    sound(haina)


@pytest.mark.slow
def test_versions_of_one_asset_by_two_at_once_follow_each_other(story: Stage) -> None:
    haina = story.haina
    code = (
        "for i in range(3):\n"
        "    path = Path(f'{sys.argv[1]}.csv')\n"
        "    path.write_text(f'{sys.argv[1]} {i}')\n"
        "    ledger.version('haina/orders', path)\n"
    )
    haina.close()
    ended([started(haina, code, name) for name in ("a", "b")])
    newest = haina.ledger.log(type="version", asset="haina/orders", limit=1).records[0]
    assert newest.subject == "haina/orders@7"
    sound(haina)


def test_readers_and_writers_at_once(story: Stage) -> None:
    """Readers sync too; an index that several write at once would be torn."""
    haina = story.haina
    write = "for i in range(6): ledger.register(f'haina/w{i}', anchor=i % 2 == 0)\n"
    read = (
        "for i in range(20):\n"
        "    ledger.lineage('haina/orders')\n"
        "    ledger.status()\n"
        "    if i % 10 == 0: ledger.sync(rebuild=True)\n"
    )
    haina.close()
    ended([started(haina, write), started(haina, read), started(haina, read)])
    assert haina.ledger.status().entries == 8
    sound(haina)


@pytest.mark.slow
def test_two_parties_on_one_chain_at_once(stage: Stage) -> None:
    code = "for i in range(4): ledger.register(f'{sys.argv[1]}/x{i}')\n"
    stage.close()
    ended(
        [started(party, code, name) for party, name in ((stage.haina, "haina"), (stage.jinlong, "jinlong"))]
    )
    for party in (stage.haina, stage.jinlong):
        assert party.ledger.status().anchored == 4


def test_settings_changed_by_another_process_are_not_lost(story: Stage) -> None:
    haina = story.haina
    first = Ledger.open(haina.folder, env={})
    assert first.status().followed  # it has read the settings
    second = Ledger.open(haina.folder, env={})
    key = json.loads(haina.command("key", "rotate", "--json")[1])["what"].split()[3]
    first.follow("jinlong", trust=True)
    second.register("haina/new")
    for ledger in (first, second):
        ledger.close()
    config = haina.reopen()._context.config
    assert (config.record_key, len(config.follow), len(config.trusted)) == (key, 1, 1)


# --- not anchored


def test_what_is_not_anchored_is_anchored_later(haina: Party) -> None:
    for i in range(3):
        done = haina.ledger.register(f"haina/x{i}", haina.put(f"{i}.csv", str(i)), anchor=False)
        assert (done.block, done.problem) == (None, "")
    status = haina.ledger.status()
    assert (status.entries, status.anchored, status.pending) == (6, 0, 6)
    assert {line.state for line in haina.ledger.log().records} == {"pending"}
    before = haina.context.reader.head().number
    done = haina.ledger.anchor()
    assert (done.block, done.size) == (before + 1, 6)  # all of it in one block
    assert {line.state for line in haina.ledger.log().records} == {"final"}
    assert haina.ledger.anchor().notes == ["nothing is pending: every record is anchored"]


class Hurried:
    """A clock that lets a minute's patience pass in an instant."""

    def __init__(self) -> None:
        self._now = time.monotonic()

    def monotonic(self) -> float:
        """Each look is a second later."""
        self._now += 1
        return self._now

    def sleep(self, _seconds: float) -> None:
        """Do not."""


@contextlib.contextmanager
def held(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hold a lock file, as another process would."""
    with path.open("a") as file, monkeypatch.context() as patch:
        fcntl.flock(file, fcntl.LOCK_EX)
        for module in (store_lock, chain_lock):
            patch.setattr(module, "time", Hurried())
        yield


def test_a_chain_that_stays_locked_leaves_records_pending_and_says_so(
    haina: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = haina.put("x.csv")
    with held(haina.home / "chain.db.lock", monkeypatch):
        done = haina.ledger.register("haina/x", path)
        assert (done.block, done.size) == (None, 2)
        assert "recorded, but not anchored" in done.problem
        assert "dataledger anchor does it later" in done.problem
        assert any("waiting for another process" in each for each in haina.said)
        assert haina.ledger.status().pending == 2
        with pytest.raises(Locked):
            haina.ledger.anchor()
        with pytest.raises(Locked):
            haina.ledger.rotate_key()
        run = haina.ledger.run(["true"], inputs=["haina/x"])
        assert (run.exit_code, run.outcome) == (0, "completed")
        assert "not anchored" in run.receipt.problem
    assert haina.ledger.anchor().block is not None
    assert haina.ledger.verify(path).verdict == "good"
    sound(haina)


def test_the_command_says_that_not_all_is_done(haina: Party) -> None:
    with (haina.home / "chain.db.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        process = haina.start("register", "haina/x", "orders.csv")
        assert process.stderr is not None
        assert "waiting for another process" in process.stderr.readline()
        fcntl.flock(file, fcntl.LOCK_UN)
        process.communicate(timeout=60)
    assert process.returncode == 0  # the lock was free in time
    assert haina.ledger.status().pending == 0


@pytest.mark.parametrize("name", ["workspace.lock", "public.lock", "index.lock"])
def test_a_workspace_that_stays_locked(haina: Party, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    haina.ledger.status()
    with held(haina.home / name, monkeypatch):
        if name == "index.lock":
            done = haina.ledger.register("haina/x")
            assert done.block is not None
            assert "the index is behind" in done.problem
            with pytest.raises(Locked, match="the index is in use"):
                haina.ledger.status()
        else:
            with pytest.raises(Locked, match="in use"):
                haina.ledger.register("haina/x")
            assert haina.ledger.status().entries == 0
    sound(haina)


def test_an_index_that_another_program_writes_is_waited_for(haina: Party) -> None:
    haina.ledger.status()
    haina.close()
    blocker = sqlite3.connect(haina.home / "index.db", isolation_level=None, check_same_thread=False)
    blocker.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(1.0, lambda: blocker.execute("ROLLBACK"))
    timer.start()
    assert haina.ledger.register("haina/x").problem == ""
    timer.join()
    blocker.close()
    assert haina.ledger.status().pending == 0


# --- a full disk


def limited(size: int) -> Callable[[], None]:
    """No file may become longer than this: what a full disk looks like to a program."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return limit


@pytest.mark.parametrize(
    "size", [0, 3000, *(pytest.param(size, marks=pytest.mark.slow) for size in (200, 900, 20_000, 120_000))]
)
def test_a_full_disk_loses_nothing(story: Stage, size: int) -> None:
    haina = story.haina
    haina.put("new.csv", "new\n")
    haina.put("orders.csv", "newer\n")
    haina.close()
    before = haina.ledger.status().entries
    haina.close()
    for arguments in (
        ("register", "haina/new", "new.csv"),
        ("version", "haina/orders", "orders.csv"),
        ("run", "-i", "haina/orders", "--", "true"),
        ("key", "rotate"),
    ):
        code, out, err = haina.command(*arguments, preexec_fn=limited(size))
        assert "Traceback" not in err + out, err
        assert code in (0, 1, 3), (arguments, code, out, err)
        if code:
            assert "error:" in err or "anchored" in out + err
        assert haina.reopen().status().entries >= before
        haina.close()
    for asset, path in (("haina/new", "new.csv"), ("haina/orders", "orders.csv")):
        with contextlib.suppress(LedgerError):
            haina.ledger.register(asset, haina.folder / path)
        haina.ledger.version(asset, haina.folder / path)
        haina.ledger.anchor()
        assert haina.ledger.verify(haina.folder / path).verdict == "good"
    sound(haina)


def test_an_import_on_a_full_disk_goes_on_later(story: Stage) -> None:
    haina = story.haina
    fixture = Path(__file__).parents[2] / "fixtures" / "openlineage" / "dbt.jsonl"
    haina.close()
    code, _, err = haina.command("import", "openlineage", str(fixture), preexec_fn=limited(9000))
    assert code == 3, err
    assert "Traceback" not in err
    done = haina.ledger.import_openlineage([fixture])
    assert done.runs + done.runs_known > 0
    assert haina.ledger.import_openlineage([fixture]).receipt is None
    sound(haina)


# --- interrupted


def slow(*command: str) -> object:
    return pytest.param(command, marks=pytest.mark.slow)


INTERRUPTED = [
    ("register", "haina/new", "orders.csv"),
    ("audit",),
    slow("version", "haina/orders", "orders.csv"),
    slow("sync", "--rebuild"),
    slow("key", "rotate"),
    slow("transfer", "haina/orders", "jinlong"),
]


@pytest.mark.parametrize("command", INTERRUPTED, ids=" ".join)
def test_ctrl_c_during_a_command(story: Stage, command: tuple[str, ...]) -> None:
    haina = story.haina
    haina.put("orders.csv", "newer\n")
    haina.close()
    # stop where it waits for a lock: in the midst of things, at a known place
    name = {"sync": "index.lock", "audit": "index.lock"}.get(command[0], "chain.db.lock")
    (haina.home / "index.db").unlink()
    with (haina.home / name).open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with haina.start(*command) as process:
            assert process.stderr is not None
            assert "waiting" in process.stderr.readline()
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert "interrupted" in err
    haina.ledger.anchor()
    sound(haina)


def _stopped(process: subprocess.Popen[bytes], sent: signal.Signals) -> tuple[bytes, bytes]:
    """Wait for a process. Python ignores a Ctrl-C within a callback of its own: one presses it again."""
    try:
        return process.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        process.send_signal(sent)
        return process.communicate(timeout=60)


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL, signal.SIGTERM], ids=lambda each: each.name)
@pytest.mark.parametrize("seed", range(6))
def test_stopped_at_any_moment(story: Stage, sent: signal.Signals, seed: int) -> None:
    """Whatever a process reported before it was stopped is there afterwards, anchored."""
    haina = story.haina
    chance = random.Random(seed)
    haina.close()
    code = (
        "for i in range(1000):\n"
        "    path = Path(f'{sys.argv[1]}-{i}.csv'); path.write_text(f'{sys.argv[1]} {i}')\n"
        "    done = ledger.register(f'haina/{sys.argv[1]}-{i}', path)\n"
        "    print(path, done.problem, flush=True)\n"
    )
    reported: list[str] = []
    for attempt in range(5):
        process = started(haina, code, f"try{attempt}")
        time.sleep(chance.uniform(0.5, 3.5))
        process.send_signal(sent)
        with process:
            out, err = _stopped(process, sent)
        assert process.returncode != 0, err
        reported += out.splitlines()
    for line in reported:
        assert haina.ledger.verify(haina.folder / line.split()[0]).verdict == "good"
    haina.ledger.anchor()
    sound(haina)


def test_an_error_after_the_log_was_written_is_told_apart(
    haina: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The chain refuses: the records are in the log all the same, and that is said."""

    def refuse(*_: object, **__: object) -> None:
        raise Unavailable("the node has gone away")

    with monkeypatch.context() as patch:
        patch.setattr(publishing, "anchor_pending", refuse)
        done = haina.ledger.register("haina/x", haina.put("x.csv"))
    assert done.problem.startswith("recorded, but not anchored: the node has gone away")
    assert haina.ledger.status().pending == 2
    sound(haina)


def test_a_batch_takes_back_what_a_failure_left_half_done(haina: Party) -> None:
    with haina.context.writing():
        batch = Batch(haina.context)
        batch.register("haina/kept")
        with pytest.raises(FormatError), batch.all_or_none():  # noqa: PT012 - all of it is to be undone
            batch.register("haina/dropped")
            batch.version("haina/kept", {"sha256": "ab" * 32})
            batch.register("haina/bad", title="\n")
        assert (len(batch), batch.is_registered("haina/dropped"), batch.latest("haina/kept")) == (
            1,
            False,
            None,
        )
        publishing.publish(haina.context, batch, anchor=True)
    assert [line.subject for line in haina.ledger.log().records] == ["haina/kept"]
