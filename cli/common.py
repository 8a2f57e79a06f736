"""What every command shares: how it is declared, how it opens the ledger, how it answers and fails.

A command parses, makes one service call, and renders. Results go to stdout, everything else to stderr. The
service is imported when a command runs, not when help is printed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from msgspec import Struct

    from ledger.service import Ledger


def to_json(data: Struct) -> str:
    """Return a result as JSON on one line."""
    import msgspec

    return msgspec.json.encode(data).decode()


@dataclass
class Session:
    """One invocation: where to look for the workspace, and how to answer."""

    quiet: bool = False
    as_json: bool = False
    _closing: list[Callable[[], None]] = field(default_factory=list)

    def notify(self, message: str) -> None:
        """Tell the person something on stderr."""
        if not self.quiet:
            click.echo(f"dataledger: {message}", err=True)

    def open(self) -> Ledger:
        """Open the workspace from the current folder upwards, or from DATALEDGER_HOME."""
        from ledger.service import Ledger

        ledger = Ledger.open(
            Path.cwd(), env=os.environ, ask=ask_passphrase, notify=self.notify, progress=self.progress
        )
        self._closing.append(ledger.close)
        return ledger

    def progress(self, what: str, done: int, total: int | None) -> None:
        """Show how far long work is, on stderr and only to a person."""
        if self.quiet or not sys.stderr.isatty():
            return
        share = f"{done:,}/{total:,}" if total else f"{done:,}"
        end = "\n" if total is not None and done >= total else ""
        click.echo(f"\r\x1b[K{what}: {share}{end}", err=True, nl=False)

    def answer(self, data: Struct, text: str) -> None:
        """Print the result on stdout: `data` as JSON if asked for, else `text`."""
        click.echo(to_json(data) if self.as_json else text)

    def remark(self, data: Struct, text: str) -> None:
        """Print the result on stderr, for a command whose stdout belongs to another program."""
        if self.as_json:
            click.echo(to_json(data), err=True)
        else:
            for line in text.splitlines():
                self.notify(line)

    def close(self) -> None:
        """Release what the command opened."""
        while self._closing:
            self._closing.pop()()


def ask_passphrase(prompt: str, confirm: bool) -> str:
    """Ask for a passphrase on the terminal; twice when it is a new one."""
    answer: str = click.prompt(prompt, hide_input=True, confirmation_prompt=confirm, err=True)
    return answer


class Command(click.Command):
    """A command whose help ends with an example, printed as written, and which takes --json."""

    def __init__(self, *args: Any, example: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.example = example
        self.params.append(
            click.Option(["--json", "as_json"], is_flag=True, help="Answer as JSON (shapes: docs/json.md).")
        )

    def invoke(self, ctx: click.Context) -> Any:
        """Take --json out of the parameters and keep it in the session."""
        ctx.obj.as_json = ctx.params.pop("as_json")
        return super().invoke(ctx)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Print the example verbatim."""
        if self.example:
            with formatter.section("Example"):
                formatter.write("".join(f"  {line}\n" for line in self.example.strip().splitlines()))


class Group(click.Group):
    """A group whose commands are `Command`s, listed in the order in which they were declared."""

    command_class = Command

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Keep the order of declaration: it is the order of first use."""
        return list(self.commands)


pass_session = click.make_pass_decorator(Session)
