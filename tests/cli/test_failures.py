"""How the command fails: one message and one exit code, for people and for programs."""

from __future__ import annotations

import errno
import fcntl
import inspect
import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
import time

import click
import msgspec
import pytest
from ledger_cli import failures, session
from ledger_cli.failure import Failure

from ledger.core import errors

COMMAND = [sys.executable, "-m", "ledger_cli"]


def all_errors() -> list[type[errors.LedgerError]]:
    return [
        each
        for each in vars(errors).values()
        if inspect.isclass(each) and issubclass(each, errors.LedgerError)
    ]


def made(kind: type[errors.LedgerError]) -> errors.LedgerError:
    if kind in (errors.Unauthorized, errors.EvidenceInvalid):
        return kind("key-revoked", "expected this, found that", hint="do so")
    if kind is errors.Unfunded:
        return errors.Unfunded("expected this, found that", address="0x1", needed_wei=1, hint="do so")
    return kind("expected this, found that", hint="do so")


@pytest.fixture
def raising(empty, monkeypatch):
    """A command that meets an error of the service's, whatever it is."""

    def fail_with(error: BaseException, *options: str):
        def fail(self):
            raise error

        monkeypatch.setattr(session.Session, "open", fail)
        return empty.run(*options, "status")

    return fail_with


# --- one way out


@pytest.mark.parametrize("kind", all_errors(), ids=lambda kind: kind.__name__)
def test_every_error_of_ours_has_its_message_hint_and_code(raising, kind):
    done = raising(made(kind))
    assert (done.code, done.out) == (kind.exit_code, "")
    refused = "refused (key-revoked): " if kind is errors.EvidenceInvalid else ""
    assert done.err == f"error: {refused}expected this, found that\n  hint: do so\n"


@pytest.mark.parametrize("kind", all_errors(), ids=lambda kind: kind.__name__)
def test_every_error_of_ours_is_one_line_of_json(empty, monkeypatch, kind):
    def fail(self):
        raise made(kind)

    monkeypatch.setattr(session.Session, "open", fail)
    done = empty.run("status", "--json")
    assert (done.code, done.out) == (kind.exit_code, "")
    failure = msgspec.json.decode(done.err, type=Failure)
    reason = "key-revoked" if kind in (errors.Unauthorized, errors.EvidenceInvalid) else ""
    assert failure == Failure(
        error=kind.__name__,
        message="expected this, found that",
        hint="do so",
        reason=reason,
        exit_code=kind.exit_code,
    )


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/x/y"), 3, "error: no space left on device: /x/y"),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), 3, "error: permission denied: /x"),
        (OSError("odd"), 3, "error: odd"),
        (MemoryError(), 3, "error: out of memory"),
        (KeyboardInterrupt(), 130, "dataledger: interrupted; what was reported as done is kept"),
        (click.Abort(), 130, "dataledger: interrupted; what was reported as done is kept"),
        (click.BadParameter("bad thing."), 2, "error: invalid value: bad thing"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_errors_of_others_are_translated(raising, error, code, says):
    done = raising(error)
    assert (done.code, done.out) == (code, "")
    assert done.err.strip().startswith(says)
    assert "Traceback" not in done.err


def test_a_defect_shows_where_it_is_and_is_never_taken_for_a_verdict(raising):
    done = raising(ValueError("surprise"))
    assert done.code == 3
    assert "Traceback" in done.err
    assert "error: internal error: ValueError: surprise" in done.err
    assert "please report it" in done.err


def test_a_defect_is_one_line_of_json_too(empty, monkeypatch):
    def fail(self):
        raise ValueError("surprise")

    monkeypatch.setattr(session.Session, "open", fail)
    assert empty.run("status", "--json").error["error"] == "Internal"


def test_a_hostile_message_does_not_steer_the_terminal(raising):
    done = raising(errors.NotFound("no \x1b[2J such\nthing\u202e", hint="\x9b31m"))
    assert done.err == "error: no \\x1b[2J such\n  thing\\u202e\n  hint: \\x9b31m\n"


def test_a_hostile_message_in_json_is_escaped(empty, monkeypatch):
    def fail(self):
        raise errors.NotFound("no \x1b[2J\x7f\u202e\ud800 such")

    monkeypatch.setattr(session.Session, "open", fail)
    done = empty.run("status", "--json")
    assert done.err.rstrip("\n").isprintable()
    assert done.error["message"] == "no \x1b[2J\x7f\u202e\\ud800 such"


def test_every_exit_code_is_explained():
    codes = {kind.exit_code for kind in [*all_errors(), failures.Interrupted, failures.Internal]} | {0}
    assert codes == set(failures.EXIT_CODES)


# --- what everybody meets first


@pytest.mark.parametrize(
    "command", [["status"], ["trace", "a/b"], ["register", "a/b"], ["verify", "orders.csv"]]
)
def test_no_workspace(empty, command):
    done = empty.fails(2, *command)
    assert done.err.startswith("error: no workspace here or in any folder above")
    assert "hint: Run `dataledger init NAME`" in done.err


def test_no_workspace_in_json(empty):
    failure = empty.fails(2, "status", "--json").error
    assert failure["format"] == "dataledger/error/v1"
    assert (failure["error"], failure["exit_code"]) == ("NotFound", 2)
    assert failure["hint"]


def test_home_that_is_none(empty, monkeypatch):
    monkeypatch.setenv("DATALEDGER_HOME", "/nonexistent")
    assert "expected a workspace in DATALEDGER_HOME" in empty.fails(2, "status").err


def test_mistakes_of_usage_are_json_where_json_was_asked_for(empty):
    for wrong in (["tarce", "--json"], ["log", "--json", "--limit", "x"], ["register", "--json"]):
        assert empty.fails(2, *wrong).error["error"] == "Usage"


def test_json_behind_the_dashes_is_the_programs(empty):
    assert empty.fails(2, "run", "--nope", "--", "x", "--json").err.startswith("error: ")
    assert empty.fails(2, "run", "x", "--json").err.startswith("error: ")


def test_a_folder_that_is_none(empty):
    assert "does not exist" in empty.fails(2, "-C", "/nonexistent", "status").err
    assert "is a file" in empty.fails(2, "-C", "orders.csv", "status").err


def test_unknown_asset(fresh):
    for command in (
        ["trace", "haina/none"],
        ["impact", "haina/none"],
        ["show", "haina/none"],
        ["log", "haina/none"],
    ):
        done = fresh.fails(2, *command)
        assert "haina/none" in done.err
        assert "hint: dataledger search" in done.err


# --- Ctrl-C


def wait_for(stream: io.BufferedReader, text: bytes) -> None:
    """Read a process's output until it says something."""
    deadline = time.monotonic() + 30
    seen = b""
    while text not in seen:
        assert time.monotonic() < deadline
        seen += stream.readline()


@pytest.mark.parametrize("options", [(), ("--json",)], ids=["text", "json"])
def test_interrupted_while_waiting_for_a_lock(story, options):
    """Another process holds the workspace; Ctrl-C ends the waiting with 130, and nothing was done."""
    before = story("log", "--json").json
    with (story.home / "workspace.lock").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        arguments = [*COMMAND, "register", "haina/more", "orders.csv", *options]
        with subprocess.Popen(arguments, cwd=story.folder, stdout=-1, stderr=-1) as waiting:
            assert waiting.stderr is not None
            if options:
                time.sleep(2.5)
            else:
                wait_for(waiting.stderr, b"waiting")
            waiting.send_signal(signal.SIGINT)
            out, err = waiting.communicate(timeout=30)
    assert (waiting.returncode, out) == (130, b"")
    if options:
        assert json.loads(err)["error"] == "Interrupted"
    else:
        assert err.strip() == b"dataledger: interrupted; what was reported as done is kept"
    assert story("log", "--json").json == before


@pytest.mark.parametrize(
    ("sent", "code"), [(signal.SIGTERM, 143), (signal.SIGUSR1, 138), (signal.SIGHUP, 129)], ids=str
)
def test_signals_reach_the_program_that_run_wraps(story, sent, code):
    program = "import signal, time; print('ready', flush=True); time.sleep(60)"
    arguments = [*COMMAND, "run", "--", sys.executable, "-c", program]
    with subprocess.Popen(arguments, cwd=story.folder, stdout=-1, stderr=-1) as wrapped:
        assert wrapped.stdout is not None
        wait_for(wrapped.stdout, b"ready")
        wrapped.send_signal(sent)
        _, err = wrapped.communicate(timeout=60)
    assert wrapped.returncode == code, err
    assert b"dataledger: failed" in err
    assert (
        story("log", "--type", "activity", "--limit", "1", "--json").json["records"][0]["verdict"]
        == "accepted"
    )


PATIENT = """
import signal, sys, time
signal.signal(signal.SIGINT, lambda *_: sys.exit(9))
print("ready", flush=True)
for _ in range(600):  # a signal that comes just before a sleep is only seen after it
    time.sleep(0.1)
"""


def test_ctrl_c_at_a_terminal_is_the_programs_business(story):
    """A terminal sends SIGINT to both; the program decides what it means, and its run is recorded."""
    ours, theirs = pty.openpty()

    def take_terminal() -> None:
        fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)

    arguments = [*COMMAND, "run", "--", sys.executable, "-c", PATIENT]
    with subprocess.Popen(
        arguments,
        cwd=story.folder,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=take_terminal,  # noqa: PLW1509 - no threads here
    ) as wrapped:
        assert wrapped.stdout is not None
        wait_for(wrapped.stdout, b"ready")
        os.write(ours, b"\x03")
        _, err = wrapped.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    assert wrapped.returncode == 9, err
    assert b"dataledger: failed" in err


# --- stderr


def test_quiet_says_nothing_but_errors(story):
    assert story("-q", "run", "--", "true").err == ""
    assert re.match("dataledger: completed", story("run", "--", "true").err)
    assert story.fails(2, "-q", "trace", "haina/none").err.startswith("error: ")


def test_progress_is_drawn_for_a_person_and_taken_away(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    one = session.Session()
    one.progress("digesting", 5, 10)
    one.progress("digesting", 6, 10)  # too soon to draw again
    one.notify("something")
    one.progress("digesting", 10, 10)
    assert terminal.getvalue() == "digesting: 5/10\r\x1b[Kdataledger: something\n"


def test_progress_is_not_for_programs(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    session.Session().progress("digesting", 5, 10)
    assert sys.stderr.getvalue() == ""


def test_a_passphrase_is_asked_for_only_where_a_person_sits(monkeypatch):
    assert session.passphrase_prompt() is None
    monkeypatch.setattr(sys, "stdin", None)
    assert session.passphrase_prompt() is None
