"""Streams that break, close or lack letters: what is done is done, and the exit code says what came of it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ledger_cli.main import run

COMMAND = [sys.executable, "-m", "ledger_cli"]


def closed_pipe() -> int:
    """Return the writing end of a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    return writing


def spawn(folder: Path, *arguments: str, **streams: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*COMMAND, *arguments], cwd=folder, check=False, timeout=60, **streams)  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--help"], 0),
        (["log"], 0),
        (["trace", "haina/demand", "--json"], 0),
        (["verify", "demand.csv"], 0),
        (["verify", "forecast.py"], 1),
    ],
)
def test_a_reader_who_left_changes_no_exit_code(story, arguments, code):
    out = closed_pipe()
    done = spawn(story.folder, *arguments, stdout=out, stderr=subprocess.PIPE)
    os.close(out)
    assert (done.returncode, done.stderr) == (code, b"")


def test_head_of_a_log(story):
    line = f"{sys.executable} -m ledger_cli log | head -1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line], cwd=story.folder, check=False, capture_output=True
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"RECORD")


def test_work_is_done_although_nobody_listens(story):
    out = closed_pipe()
    done = spawn(story.folder, "register", "haina/more", "orders.csv", stdout=out, stderr=out)
    os.close(out)
    assert done.returncode == 0
    assert story("log", "haina/more", "--json").json["records"]


def test_a_run_is_recorded_although_nobody_listens(story):
    err = closed_pipe()
    done = spawn(story.folder, "run", "--", "sh", "-c", "exit 7", stderr=err)
    os.close(err)
    assert done.returncode == 7
    assert len(story("log", "--type", "activity", "--json").json["records"]) == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_an_answer_that_cannot_be_written_is_reported(story):
    with Path("/dev/full").open("wb") as full:
        done = spawn(story.folder, "log", stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 3
    assert b"the answer could not be written: No space left on device" in done.stderr


@pytest.mark.parametrize("redirect", [">&-", "2>&-", ">&- 2>&-", "<&-"])
def test_streams_that_were_closed_from_the_start(story, redirect):
    line = f"{sys.executable} -m ledger_cli verify demand.csv {redirect}"
    assert subprocess.run(["bash", "-c", line], cwd=story.folder, check=False).returncode == 0
    line = f"{sys.executable} -m ledger_cli verify forecast.py {redirect}"
    assert subprocess.run(["bash", "-c", line], cwd=story.folder, check=False).returncode == 1


def test_a_terminal_that_lacks_the_letters(story):
    env = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    done = spawn(story.folder, "trace", "haina/demand", env=env, stdout=subprocess.PIPE)
    assert done.returncode == 0
    assert rb"\u4f20\u611f\u5668 counters" in done.stdout


def test_colours_are_for_terminals_only(story, monkeypatch):
    assert "\x1b" not in story("verify", "demand.csv").out

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for no_color, coloured in (("", True), ("1", False)):
        terminal = Terminal()
        monkeypatch.setenv("NO_COLOR", no_color)
        monkeypatch.chdir(story.folder)
        monkeypatch.setattr(sys, "stdout", terminal)
        assert run(["verify", "demand.csv"]) == 0
        monkeypatch.undo()
        assert ("\x1b[32m" in terminal.getvalue()) is coloured
