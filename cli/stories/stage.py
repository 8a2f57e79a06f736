"""Where a story is played: a folder for each party, and what runs the commands typed there.

`dataledger` runs in this process, as its entry point would: starting Python and loading a virtual machine for
each of several hundred commands would take twenty times as long. `tamper` is what a forger has (the module
`ledger_stories.tampering`), everything else a program of the system. All of them write into one file, as a
terminal would show it; none of them has anything to read.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import IO, Any, TextIO

from ledger.core.errors import FormatError, NotFound

from .story import Story, parse_story

PACKAGE = "ledger_stories"
STORY_FILE = "story.md"
FORGER = "tamper"
NO_PROGRAM = 127
INTERRUPTED = (130, -signal.SIGINT)
"""How a command ends when the person presses Ctrl-C: ours, and a program of the system."""

Command = Callable[[Sequence[str]], int]
"""What `dataledger` does with arguments: it prints, and returns an exit code."""


def story_names() -> list[str]:
    """Return the names of all stories, in alphabetic order."""
    return sorted(each.name for each in _folder().iterdir() if (each / STORY_FILE).is_file())


def load_story(name: str) -> Story:
    """Read a story by its name; raises NotFound, FormatError."""
    names = story_names()
    if name not in names:
        raise NotFound(f"there is no story {name!r}", hint=f"there are: {', '.join(names)}")
    return parse_story(name, (_folder() / name / STORY_FILE).read_text(encoding="utf-8"))


def _folder() -> Path:
    """The folder of the stories, which is installed as files."""
    return Path(str(files(PACKAGE)))


class Stage:
    """The parties' folders below `folder`, with the files of a story."""

    def __init__(self, folder: Path, command: Command) -> None:
        self.folder = folder
        self._command = command

    def furnish(self, story: Story) -> None:
        """Put the story's own files in the parties' folders."""
        self.folder.mkdir(parents=True)
        for each in sorted((_folder() / story.name).iterdir()):
            if each.is_dir():
                shutil.copytree(each, self.folder / each.name, ignore=shutil.ignore_patterns("__pycache__"))

    def copy(self, folder: Path) -> Stage:
        """Return another stage that stands where this one does."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Stage(folder, self._command)

    def run(self, folder: str, command: str) -> tuple[int, list[str]]:
        """Run a command in a party's folder; return its exit code and the lines that it said."""
        place = self.folder / folder
        place.mkdir(exist_ok=True)
        (program, *arguments), target = _words(command)
        with _terminal(place, target) as said:
            if program == "dataledger":
                code = self._command(arguments)
            elif program == FORGER:
                code = _run([sys.executable, "-m", f"{PACKAGE}.tampering", *arguments])
            else:
                code = _run([program, *arguments])
        if code in INTERRUPTED:
            raise KeyboardInterrupt
        return code, [line.rstrip() for line in said().splitlines()]


def _words(command: str) -> tuple[list[str], str]:
    """Cut a command into words, and into the file that its output goes to, as in `... > FILE`."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise FormatError(f"command {command!r}: {error}") from None
    return (words[:-2], words[-1]) if words[1:-1][-1:] == [">"] else (words, "")


def _run(command: Sequence[str]) -> int:
    try:
        return subprocess.run(command, check=False).returncode  # noqa: S603 - the stories' own programs
    except FileNotFoundError:
        print(f"no program {command[0]!r}", file=sys.stderr, flush=True)
        return NO_PROGRAM


@contextlib.contextmanager
def _terminal(folder: Path, target: str) -> Iterator[Callable[[], str]]:
    """Give this process, and what it starts, the folder, an environment of its own and a file to write to;
    with `target`, what goes to stdout goes there.

    Yields what returns, afterwards, what was written. The streams' numbers are changed too: programs know
    nothing else.
    """
    text: list[str] = []
    with tempfile.TemporaryFile() as file, contextlib.ExitStack() as back:
        back.enter_context(contextlib.chdir(folder))
        back.enter_context(_environment())
        nothing = back.enter_context(Path(os.devnull).open("rb"))
        out = back.enter_context(Path(target).open("wb")) if target else file
        _flush(sys.stdout, sys.stderr)
        for number, other in enumerate((nothing, out, file)):
            kept = os.dup(number)
            back.callback(os.close, kept)
            back.callback(os.dup2, kept, number)
            os.dup2(other.fileno(), number)
        streams = [open(n, mode, encoding="utf-8", closefd=False) for n, mode in enumerate("rww")]  # noqa: SIM115
        back.callback(_restore, (sys.stdin, sys.stdout, sys.stderr))
        back.callback(_flush, *streams[1:])
        sys.stdin, sys.stdout, sys.stderr = streams
        yield lambda: text[0]
        _flush(*streams[1:])
        file.seek(0)
        text.append(file.read().decode("utf-8", "backslashreplace"))


def _restore(streams: tuple[TextIO, TextIO, TextIO]) -> None:
    sys.stdin, sys.stdout, sys.stderr = streams


def _flush(*streams: IO[Any] | None) -> None:
    for stream in streams:
        if stream is not None:
            stream.flush()


@contextlib.contextmanager
def _environment() -> Iterator[None]:
    """Take what is this person's own out of the environment: a story has workspaces of its own."""
    before = dict(os.environ)
    for name in before:
        if name.startswith(("DATALEDGER_", "_DATALEDGER")) or name == "COLUMNS":
            del os.environ[name]
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), before.get("PATH", os.defpath)])
    os.environ["NO_COLOR"] = "1"
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
