"""Run another program and stay out of its way: its input, output, signals and exit code are its own."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Sequence
from types import FrameType
from typing import Any, Self

from ledger.core.errors import NotFound, Usage

FORWARDED = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
"""Signals that are sent to us alone, and that the program should see."""

TYPED = (signal.SIGINT, signal.SIGQUIT)
"""Signals that a terminal sends to its whole process group, the program included. Passed on by us, they would
reach it twice, and many programs take a second Ctrl-C for "at once"; who means us alone sends SIGTERM."""


def run_child(command: Sequence[str]) -> int:
    """Run `command` to its end and return its exit code as a shell reports it: 128 + n if signal n ended it.

    Raises NotFound if there is no such program, Usage if it can't be executed.
    """
    with _Passing() as passing:
        try:
            child = subprocess.Popen(list(command))  # noqa: S603 - running it is the point
        except FileNotFoundError:
            raise NotFound(
                f"no program {command[0]!r}", hint="check the spelling, or give its path"
            ) from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise Usage(f"{command[0]!r} can't be executed: {reason}") from None
        passing.to(child)
        code = child.wait()
    return code if code >= 0 else 128 - code


class _Passing:
    """While the child runs, passes on to it what is sent to us alone; what that means is the child's to
    decide.

    Python runs handlers in the main thread only: in another one nothing is passed on.
    """

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []
        self._before: dict[int, Any] = {}

    def to(self, child: subprocess.Popen[bytes]) -> None:
        """Pass on to this child, from now on, and what came before it was there."""
        self._child = child
        while self._early:
            child.send_signal(self._early.pop(0))

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in FORWARDED:
                self._before[number] = signal.signal(number, self._pass_on)
            for number in TYPED:
                self._before[number] = signal.signal(number, self._leave)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _pass_on(self, number: int, _frame: FrameType | None) -> None:
        if self._child is None:
            self._early.append(number)
        else:
            self._child.send_signal(number)

    def _leave(self, _number: int, _frame: FrameType | None) -> None:
        """The child has it and decides what it means. (A handler, unlike SIG_IGN, is not inherited.)"""
