"""A process that appends to the log is killed, or its disk fills, at each of its file-system calls in turn.

strace injects the fault before the call is made. A dry run tells how many calls of each kind there are,
before and after the marker that the worker sets once Python has started. After each fault: everything
reported as done is there, nothing else is but the one batch in flight, and the log goes on.
"""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from ledger.core import merkle
from ledger.store.log import LogFolder

sys.path.insert(0, str(Path(__file__).parent))
from log_worker import ALICE, BATCHES, LOG, MARKER, START, entries

WORKER = Path(__file__).with_name("log_worker.py")
CALLS = ["openat", "write", "fsync", "rename", "link", "unlink", "mkdir", "rmdir", "flock", "ftruncate"]
FULL_DISK = ["openat", "write", "fsync", "rename", "link", "mkdir"]
STRACE = shutil.which("strace")

needs_strace = pytest.mark.skipif(STRACE is None, reason="strace is not installed")


def run_worker(folder: Path, report: Path, *options: str) -> int:
    root = Path(__file__).parents[2]
    env = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"}
    strace = [str(STRACE), "-qq", "-f", *options]
    command = [*strace, sys.executable, str(WORKER), str(folder), str(report)]
    return subprocess.run(command, env=env, capture_output=True, check=False, timeout=120).returncode


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log to start from, with leftovers of a crash in it."""
    folder = tmp_path_factory.mktemp("template") / "public"
    LogFolder(folder, LOG).append(entries(0, START), ALICE)
    (folder / ".checkpoint.1-0.tmp").write_bytes(b"half")
    (folder / "tile/0/000").write_bytes(b"left")
    return folder


@pytest.fixture(scope="module")
def calls(template: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, range]:
    """The numbers that the worker's own calls have among all calls of their kind."""
    place = tmp_path_factory.mktemp("dry")
    shutil.copytree(template, place / "public")
    if run_worker(
        place / "public", place / "report", "-o", str(place / "trace"), "-e", f"trace={','.join(CALLS)}"
    ):
        pytest.skip("strace may not trace here")
    before: Counter[str] = Counter()
    found: Counter[str] = Counter()
    for line in (place / "trace").read_text().splitlines():
        match = re.match(r"(?:\d+ +)?(\w+)\(", line)
        if match:
            found[match[1]] += 1
        if MARKER in line:
            before = found.copy()
    assert before, "the worker sets its marker"
    return {name: range(before[name] + 1, found[name] + 1) for name in CALLS}


def check(folder: Path, report: Path) -> list[str]:
    """Open the log after a fault, compare it with what was reported, and go on with it. Returns the
    report.
    """
    lines = report.read_text().splitlines() if report.exists() else []
    reported = max([START, *(int(line.split()[0]) for line in lines if line.endswith(" done"))])
    log = LogFolder(folder, LOG, keys=[ALICE.public_key])
    sizes = [START]
    for count in BATCHES:
        sizes.append(sizes[-1] + count)
    following = next((size for size in sizes if size > reported), reported)
    assert log.size in (reported, following)
    assert list(log.entries(0, log.size)) == entries(0, log.size)
    start = log.size
    assert log.append(entries(start, start + 280), ALICE, wait_s=5) == (start, start + 280)
    log.keep_checkpoint()
    again = LogFolder(folder, LOG, keys=[ALICE.public_key])
    assert list(again.entries(0, start + 280)) == entries(0, start + 280)
    assert again.root == merkle.root_of(merkle.leaf_hashes(entries(0, start + 280)))
    return lines


def inject(template: Path, place: Path, call: str, number: int, fault: str) -> list[str]:
    shutil.copytree(template, place / "public")
    options = ["-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:{fault}:when={number}"]
    code = run_worker(place / "public", place / "report", *options)
    killed = code in (-9, 137)
    assert killed == ("KILL" in fault), f"{call} {number}: exit code {code}"
    lines = check(place / "public", place / "report")
    shutil.rmtree(place / "public")
    (place / "report").unlink(missing_ok=True)
    return lines


def test_the_worker_alone(template: Path, tmp_path: Path) -> None:
    from log_worker import work

    shutil.copytree(template, tmp_path / "public")
    report = os.open(tmp_path / "report", os.O_WRONLY | os.O_CREAT)
    work(tmp_path / "public", report)
    os.close(report)
    assert check(tmp_path / "public", tmp_path / "report") == ["258 done", "558 done"]


@needs_strace
@pytest.mark.parametrize(("call", "which"), [("rename", 0), ("rename", -1), ("fsync", 3), ("unlink", -1)])
def test_killed_at_some_calls(
    template: Path, calls: dict[str, range], tmp_path: Path, call: str, which: int
) -> None:
    inject(template, tmp_path, call, calls[call][which], "signal=KILL")


@needs_strace
@pytest.mark.slow
@pytest.mark.parametrize("call", CALLS)
def test_killed_at_every_call(template: Path, calls: dict[str, range], tmp_path: Path, call: str) -> None:
    assert calls[call] or call in ("rmdir", "ftruncate")
    for number in calls[call]:
        inject(template, tmp_path, call, number, "signal=KILL")


@needs_strace
@pytest.mark.parametrize(("call", "which"), [("write", 2), ("fsync", 0)])
def test_a_disk_full_at_some_calls(
    template: Path, calls: dict[str, range], tmp_path: Path, call: str, which: int
) -> None:
    lines = inject(template, tmp_path, call, calls[call][which], "error=ENOSPC")
    assert lines == ["Unavailable", "258 done", "558 done"]


@needs_strace
@pytest.mark.slow
@pytest.mark.parametrize("call", FULL_DISK)
def test_a_disk_full_at_every_call(
    template: Path, calls: dict[str, range], tmp_path: Path, call: str
) -> None:
    failures = 0
    for number in calls[call]:
        lines = inject(template, tmp_path, call, number, "error=ENOSPC")
        failures += lines.count("Unavailable")
        assert set(lines) <= {"Unavailable"} | {line for line in lines if line.endswith(" done")}
    assert failures
