"""One invocation of the command: where it looks for the workspace, what it says, and to whom.

Results go to stdout, everything else to stderr. Whoever reads our output may go away, as `head` does: what is
being done is then done to its end, and the exit code stays that of the answer.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, TypeVar

import click

from ledger.core.errors import Unavailable
from ledger.formats.text import printable

from .render.layout import shown

if TYPE_CHECKING:
    from msgspec import Struct

    from ledger.service import Ledger
    from ledger.service.request import InitRequest
    from ledger.service.results import Receipt, Setup

    Result = TypeVar("Result", bound=Struct)

UNSETTLED = Unavailable.exit_code
PROGRESS_EVERY_S = 0.1
LINES_AT_ONCE = 512


@dataclass
class Session:
    """One invocation. `as_json` is None until the command is known to have been read."""

    quiet: bool = False
    as_json: bool | None = None
    _closing: list[Callable[[], None]] = field(default_factory=list)
    _drawn: bool = False
    _next_draw: float = 0.0

    def open(self) -> Ledger:
        """Open the workspace from the current folder upwards, or the one that DATALEDGER_HOME names."""
        from ledger.service import Ledger

        ledger = Ledger.open(
            Path.cwd(), env=os.environ, ask=passphrase_prompt(), notify=self.notify, progress=self.progress
        )
        self._closing.append(ledger.close)
        return ledger

    def init(self, request: InitRequest) -> Setup:
        """Make a workspace in the current folder, or where DATALEDGER_HOME says."""
        from ledger.service import Ledger

        return Ledger.init(Path.cwd(), request, env=os.environ, ask=passphrase_prompt(), notify=self.notify)

    def close(self) -> None:
        """Release what the command opened."""
        while self._closing:
            self._closing.pop()()

    def settle(self, receipt: Receipt) -> int:
        """Print what was written; return the exit code, 3 if something asked for is left to do."""
        from .render import writing

        self.answer(receipt, writing.receipt)
        return UNSETTLED if receipt.problem else 0

    def answer(self, data: Result, lines: Callable[[Result], Iterable[str]]) -> None:
        """Print a result on stdout: as JSON on one line if asked for, else as `lines` puts it."""
        self.print([to_json(data)] if self.as_json else map(shown, lines(data)))

    def remark(self, data: Result, lines: Callable[[Result], Iterable[str]]) -> None:
        """Print a result on stderr, for a command whose stdout belongs to another program."""
        if self.as_json:
            self._say(to_json(data))
            return
        for line in lines(data):
            self.notify(line)

    def print(self, lines: Iterable[str]) -> None:
        """Print lines on stdout; stop if nobody reads any more. Raises Unavailable if that fails."""
        self._undraw()
        waiting = iter(lines)
        try:
            while block := list(islice(waiting, LINES_AT_ONCE)):
                click.echo("\n".join(block))
        except OSError as error:
            discard(sys.stdout)
            if error.errno not in {errno.EPIPE, errno.ESHUTDOWN}:
                what = "what had to be done is done, but the answer could not be written"
                raise Unavailable(f"{what}: {error.strerror}") from None

    def notify(self, message: str) -> None:
        """Tell the person something on stderr; a program that asked for JSON is not told."""
        if not self.quiet and not self.as_json:
            self._say(f"dataledger: {shown(message)}")

    def progress(self, what: str, done: int, total: int | None) -> None:
        """Show how far long work is, on stderr and only to a person."""
        if self.quiet or self.as_json or sys.stderr is None or not sys.stderr.isatty():
            return
        now = time.monotonic()
        finished = total is not None and done >= total
        if finished or now >= self._next_draw:
            self._next_draw = now + PROGRESS_EVERY_S
            share = f"{done:,}/{total:,}" if total else f"{done:,}"
            self._undraw()
            if not finished:
                self._say(f"{printable(what)}: {share}", end="")
                self._drawn = True

    def _undraw(self) -> None:
        """Take the line that shows progress away."""
        if self._drawn:
            self._drawn = False
            self._say("\r\x1b[K", end="")

    def _say(self, text: str, end: str = "\n") -> None:
        """Write to stderr. What can't be said there is not worth failing for."""
        self._undraw()
        try:
            click.echo(text + end, err=True, nl=False)
        except OSError:
            discard(sys.stderr)


def passphrase_prompt() -> Callable[[str, bool], str] | None:
    """Return what asks a person for a passphrase, None where no person sits at a terminal."""
    return _ask if sys.stdin is not None and sys.stdin.isatty() else None


def confirmed(text: str) -> bool:
    """Ask a person at a terminal whether to do something that can't be undone; without one, no."""
    if sys.stdin is None or not sys.stdin.isatty():
        return False
    return click.confirm(text, err=True)


def _ask(prompt: str, confirm: bool) -> str:
    """Ask on the terminal; twice when it is a new one."""
    answer: str = click.prompt(prompt, hide_input=True, confirmation_prompt=confirm, err=True)
    return answer


def to_json(data: Struct) -> str:
    r"""Return a result as JSON on one line; what a terminal would obey or hide stands in it as `\uNNNN`."""
    import msgspec

    try:
        text = msgspec.json.encode(data).decode()
    except UnicodeEncodeError:  # a path that is not UTF-8: its bytes as visible escapes
        text = msgspec.json.encode(_encodable(msgspec.to_builtins(data))).decode()
    return text if text.isprintable() else "".join(_escaped(c) for c in text)


def _encodable(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {key: _encodable(each) for key, each in value.items()}
    return [_encodable(each) for each in value] if isinstance(value, list | tuple) else value


def _escaped(character: str) -> str:
    if character.isprintable():
        return character
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))


def discard(stream: TextIO | None) -> None:
    """Send whatever else is written to a broken stream, and what waits in its buffer, nowhere."""
    if stream is None:
        return
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
    except (OSError, ValueError):  # a stream without a descriptor, as in a test: nothing to be done
        return
