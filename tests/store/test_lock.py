"""Locks: one at a time, between threads and processes; waiting is told; the dead hold nothing."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ledger.core.errors import LedgerError, Locked
from ledger.store.lock import exclusive

HOLD = """
import sys, time
from pathlib import Path
from ledger.store.lock import exclusive
with exclusive(Path(sys.argv[1]), "the thing"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path: Path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "lock")],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_process_waits_says_so_and_gives_up(holder, tmp_path: Path) -> None:
    said: list[str] = []
    with (
        pytest.raises(Locked, match=f"the thing is in use by process {holder.pid}") as caught,
        exclusive(tmp_path / "lock", "the thing", 0.7, said.append),
    ):
        pass
    assert caught.value.exit_code == 3
    assert said == [f"the thing is in use by process {holder.pid}; waiting (up to 0.7 s)"]


def test_never_waiting(holder, tmp_path: Path) -> None:
    with pytest.raises(Locked), exclusive(tmp_path / "lock", "the thing", 0):
        pass


def test_a_killed_holder_blocks_nobody(holder, tmp_path: Path) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with exclusive(tmp_path / "lock", "the thing", 1):
        pass


def test_threads_take_turns(tmp_path: Path) -> None:
    inside, most = 0, 0

    def work() -> None:
        nonlocal inside, most
        for _ in range(20):
            with exclusive(tmp_path / "lock", "the thing"):
                inside += 1
                most = max(most, inside)
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_released_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), exclusive(tmp_path / "lock", "the thing"):
        raise ZeroDivisionError
    with exclusive(tmp_path / "lock", "the thing", 0):
        pass


def test_a_forked_child_does_not_keep_it(tmp_path: Path) -> None:
    read, write = os.pipe()
    with exclusive(tmp_path / "lock", "the thing"):
        child = os.fork()
        if child == 0:
            os.read(read, 1)
            os._exit(0)
    with exclusive(tmp_path / "lock", "the thing", 0):
        pass
    os.write(write, b"x")
    os.waitpid(child, 0)
    os.close(read)
    os.close(write)


def test_where_no_lock_file_can_be(tmp_path: Path) -> None:
    with (
        pytest.raises(LedgerError, match="locking the thing"),
        exclusive(tmp_path / "no" / "lock", "the thing"),
    ):
        pass
