"""Run another program and stay out of its way: its input, output, signals and exit code are its own."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType

from ledger.core.errors import NotFound, Usage

FORWARDED = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
"""Signals sent to us alone that the program should see. A terminal sends SIGINT and SIGQUIT to both by itself."""


def run_child(command: Sequence[str], extra_env: Mapping[str, str] | None = None) -> int:
    """Run `command` to its end and return its exit code as a shell reports it: 128 + n if signal n ended it.

    Raises NotFound if there is no such program, Usage if it can't be executed.
    """
    env = {**os.environ, **(extra_env or {})}
    with _signals_of_the_child() as started:
        try:
            child = subprocess.Popen(list(command), env=env)  # noqa: S603 - running it is the point
        except FileNotFoundError:
            raise NotFound(
                f"no program {command[0]!r}", hint="check the spelling, or give its path"
            ) from None
        except (PermissionError, OSError) as error:
            raise Usage(f"{command[0]!r} can't be executed: {error.strerror}") from None
        started.append(child)
        code = child.wait()
    return code if code >= 0 else 128 - code


@contextmanager
def _signals_of_the_child() -> Iterator[list[subprocess.Popen[bytes]]]:
    """While the child runs, pass on what is sent to us alone and leave Ctrl-C to it: it decides what that means."""
    children: list[subprocess.Popen[bytes]] = []

    def forward(number: int, _frame: FrameType | None) -> None:
        for child in children:
            child.send_signal(number)

    def leave(_number: int, _frame: FrameType | None) -> None:
        """Ctrl-C reached the child too, through the terminal. (A handler, unlike SIG_IGN, is not inherited.)"""

    before = {number: signal.signal(number, forward) for number in FORWARDED}
    before |= {number: signal.signal(number, leave) for number in (signal.SIGINT, signal.SIGQUIT)}
    try:
        yield children
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
