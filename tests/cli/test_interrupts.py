"""Ctrl-C and a full disk, anywhere: what was reported as done is kept, and the next command goes on."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

COMMAND = [sys.executable, "-m", "ledger_cli"]
STEPS = ("fsync", "fdatasync", "replace", "rename", "link", "open", "mkdir", "pwrite", "write")
"""The calls at which a command is interrupted: everything by which it changes a folder."""


class Stop:
    """Raises an error at the n-th of the calls it watches; counts them if n is None."""

    def __init__(self, at: int | None, error: BaseException, folder: Path) -> None:
        self.at = at
        self.error = error
        self.folder = str(folder)
        self.seen = 0

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*arguments: Any, **options: Any) -> Any:
            if self.concerns(arguments):
                self.seen += 1
                if self.seen == self.at:
                    raise self.error
            return call(*arguments, **options)

        return watched

    def concerns(self, arguments: tuple[Any, ...]) -> bool:
        """Tell whether a call is about the workspace: by path, or by the file behind a descriptor."""
        first = arguments[0]
        if isinstance(first, int):
            try:
                first = str(Path(f"/proc/self/fd/{first}").readlink())
            except OSError:
                return False
        return os.fspath(first).startswith(self.folder)


@contextmanager
def stopping(dl, at: int | None, error: BaseException) -> Iterator[Stop]:
    """Let a command run until its n-th step."""
    stop = Stop(at, error, dl.home)
    kept = {name: getattr(os, name) for name in STEPS}
    for name, call in kept.items():
        setattr(os, name, stop.around(call))
    try:
        yield stop
    finally:
        for name, call in kept.items():
            setattr(os, name, call)


COMMANDS = [
    ("register", "haina/more", "orders.csv"),
    ("key", "rotate"),
    ("sync", "--rebuild"),
    ("follow", "jinlong", "--from", "../jinlong/.dataledger/public"),
]


def steps_of(dl, command: tuple[str, ...]) -> int:
    """Return how many steps a command has."""
    with stopping(dl, None, KeyboardInterrupt()) as stop:
        dl(*command)
    return stop.seen


def goes_on(dl, command: tuple[str, ...]) -> None:
    """Check that everything holds, and that the command can be given again."""
    report = dl.run("audit", "--json")
    assert report.code == 0, report.out + report.err
    again = dl.run(*command)
    done = command[0] == "register" and "is registered already" in again.err
    assert again.code == 0 or done, again.err
    if command[0] == "register":
        dl("anchor")
        assert dl("verify", "orders.csv", "--as", "haina/more", "--json").json["verdict"] == "good"
    assert dl("audit", "--json").json["good"]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), OSError(28, "No space left on device")], ids=["ctrl-c", "disk"]
)
def test_stopped_at_some_steps(copies, command, error):
    stopped_at_every(copies, command, error, samples=4)


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), OSError(28, "No space left on device")], ids=["ctrl-c", "disk"]
)
def test_stopped_at_every_step(copies, command, error):
    stopped_at_every(copies, command, error, samples=1000)


def stopped_at_every(copies, command, error, *, samples: int) -> None:
    """Stop a command at its n-th step, for `samples` n spread over all: it says so, and the next goes on."""
    total = steps_of(copies(), command)
    assert total > 3
    for at in range(1, total + 1, max(1, total // samples)):
        dl = copies()
        with stopping(dl, at, error):
            done = dl.run(*command)
        assert "Traceback" not in done.err, f"step {at} of {total}: {done.err}"
        if isinstance(error, KeyboardInterrupt):
            assert done.code == 130, f"step {at} of {total}: {done.code} {done.err}"
        else:
            assert done.code in (0, 3), f"step {at} of {total}: {done.code} {done.err}"
        goes_on(dl, command)


@pytest.mark.parametrize("after_s", [0.3, 0.8])
def test_ctrl_c_at_some_time(story, after_s):
    arguments = [*COMMAND, "register", "haina/more", "orders.csv"]
    with subprocess.Popen(arguments, cwd=story.folder, stdout=-1, stderr=-1) as interrupted:
        time.sleep(after_s)
        interrupted.send_signal(signal.SIGINT)
        out, err = interrupted.communicate(timeout=60)
    assert interrupted.returncode in (0, 130, -2, 1), err  # -2 and 1: Python itself had not begun
    if interrupted.returncode == 1:
        assert b"KeyboardInterrupt" in err
        assert b"entry.py" not in err
    if interrupted.returncode == 0:
        assert b"anchored" in out
    goes_on(story, ("register", "haina/more", "orders.csv"))


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    "limit", [3_000, *(pytest.param(each, marks=SLOW) for each in (0, 1, 100_000, 400_000))]
)
def test_no_file_may_grow(story, limit):
    """The kernel refuses to let files grow beyond a limit, as a full disk or a quota does."""

    def refuse() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    arguments = [*COMMAND, "register", "haina/more", "orders.csv"]
    done = subprocess.run(
        arguments,
        cwd=story.folder,
        check=False,
        capture_output=True,
        preexec_fn=refuse,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode in (0, 3), done.stderr
    assert b"Traceback" not in done.stderr
    goes_on(story, ("register", "haina/more", "orders.csv"))


@pytest.mark.parametrize("at", [1, 5, 12, 20, 30, 45])
def test_an_init_that_was_interrupted_is_taken_up(elsewhere, at):
    with stopping(elsewhere, at, KeyboardInterrupt()):
        elsewhere.fails(130, "init", "haina", "--name", "Haina Appliances")
    elsewhere("init", "haina", "--name", "Haina Appliances")
    elsewhere("register", "haina/orders", "orders.csv")
    assert elsewhere("audit", "--json").json["good"]


WHILE_LOADING = """
import sys
class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == "click":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupt())
from ledger_cli.entry import main
sys.exit(main())
"""


def test_ctrl_c_while_the_program_loads():
    done = subprocess.run([sys.executable, "-c", WHILE_LOADING], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "dataledger: interrupted\n")
