"""How commands are declared: every one has an example, an answer with a stable JSON shape, and `--json`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import click

from .session import Session

MAX_NUMBER = 10_000_000
"""What an option that counts may be at most: more than any answer has, less than what a database refuses."""

WORDS = {
    "help": "--help",
    "add": "register",
    "check": "verify",
    "commit": "version",
    "exec": "run",
    "history": "log",
    "list": "log",
    "lineage": "trace",
    "new": "init",
    "start": "init",
    "upstream": "trace",
    "downstream": "impact",
    "find": "search",
    "create": "add",
    "remove": "revoke",
    "delete": "revoke",
    "erase": "forget",
    "redact": "forget",
    "share": "disclose",
    "ls": "list",
}
"""What people type who know another tool, and what it is called here."""

FEW = 4
"""So many commands are all named where none is near."""

pass_session = click.make_pass_decorator(Session)


class Command(click.Command):
    """A command whose help ends with an example, printed as written, and which takes --json.

    `answers` names the result Struct whose JSON it prints.
    """

    def __init__(self, *args: Any, answers: str = "", example: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.answers = answers
        self.example = example.strip()
        self.params.append(
            click.Option(["--json", "as_json"], is_flag=True, help="Answer as JSON (shapes: docs/json.md).")
        )

    def invoke(self, ctx: click.Context) -> Any:
        """Take --json out of the parameters and keep it in the session."""
        ctx.ensure_object(Session).as_json = ctx.params.pop("as_json")
        return super().invoke(ctx)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Print the example verbatim, behind what else there is to say."""
        super().format_epilog(ctx, formatter)
        if self.example:
            with formatter.section("Example"):
                formatter.write("".join(f"  {line}\n" for line in self.example.splitlines()))


class Listing(Command, click.Group):
    """A command that lists, and under whose name there are further commands: `log`, and `log close`.

    What follows is one of those only if it is its very name; anything else is the command's own.
    """

    allow_extra_args = False
    allow_interspersed_args = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, no_args_is_help=False, **kwargs)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Leave the arguments of a further command to that."""
        if args and args[0] in self.commands:
            ctx.meta[self._KEY] = args
            return []
        return click.Command.parse_args(self, ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Do what was asked for: list, or what the further command does."""
        args = ctx.meta.pop(self._KEY, None)
        if args is None:
            ctx.ensure_object(Session).as_json = ctx.params.pop("as_json")
            return click.Command.invoke(self, ctx)
        name, command, rest = self.resolve_command(ctx, args)
        assert command is not None
        with command.make_context(name, rest, parent=ctx) as inner:
            return command.invoke(inner)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Leave the own arguments out where the path of a further command is put together."""
        found = super().get_params(ctx)
        return found if ctx.command is self else [each for each in found if isinstance(each, click.Option)]

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Leave the further commands out of the usage: they have a list of their own."""
        return click.Command.collect_usage_pieces(self, ctx)

    _KEY = f"{__name__}.further"


class Group(click.Group):
    """A group that lists its commands in order of first use, under titles, and knows near misses."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sections: list[tuple[str, list[str]]] = []

    def add_section(self, title: str, commands: Iterable[click.Command]) -> None:
        """Add commands, listed under a title."""
        names = []
        for command in commands:
            self.add_command(command)
            names.append(command.name or "")
        self.sections.append((title, names))

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Keep the order of declaration: it is the order of first use."""
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands under their titles, with one column for all."""
        sections = self.sections or [("Commands", self.list_commands(ctx))]
        widest = max(len(name) for name in self.commands)
        limit = formatter.width - 6 - widest
        for title, names in sections:
            rows = [(name.ljust(widest), self.commands[name].get_short_help_str(limit)) for name in names]
            with formatter.section(title):
                formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; for an unknown one say which it may have been."""
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-") and not ctx.resilient_parsing:
            few = list(self.commands) if len(self.commands) <= FEW else []
            raise click.UsageError(f"no such command {name!r}{meant(self._near(name) or few)}", ctx=ctx)
        return super().resolve_command(ctx, args)

    def _near(self, name: str) -> list[str]:
        """Return what an unknown name may have meant: another tool's word, or a near spelling."""
        word = WORDS.get(name.lower(), name.lower())
        return [word] if word in self.commands or word.startswith("-") else near(word, self.commands)


def near(word: str, words: Iterable[str]) -> list[str]:
    """Return the one or two of `words` that are spelled most like `word`, if any is."""
    from difflib import get_close_matches

    return get_close_matches(word, words, n=2, cutoff=0.7)


def meant(words: Sequence[str]) -> str:
    """Return the end of a message about a wrong word: what it may have meant."""
    return f"; did you mean {' or '.join(words)}?" if words else ""


Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def command(
    name: str | None = None,
    *,
    answers: str,
    example: str,
    group: click.Group | None = None,
    cls: type[Command] = Command,
    **settings: Any,
) -> Callable[[Callable[..., Any]], Any]:
    """Declare a command, of `group` if it belongs to one."""

    def declare(function: Callable[..., Any]) -> Command:
        made = click.command(name, cls=cls, answers=answers, example=example, **settings)(function)
        if group is not None:
            group.add_command(made)
        return made

    return declare


def group(name: str | None = None) -> Callable[[Callable[..., Any]], Group]:
    """Declare a group of commands."""
    return click.group(name, cls=Group)


class Count(click.ParamType):  # type: ignore[type-arg] # generic only in the newest click
    """A number from 1 to `maximum`, shown as N."""

    name = "N"

    def __init__(self, maximum: int = MAX_NUMBER) -> None:
        self.maximum = maximum

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read the number."""
        if isinstance(value, int):
            return value
        text = str(value)
        if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= self.maximum):
            self.fail(f"{text!r} is not a number from 1 to {self.maximum:,}", param, ctx)
        return int(text)


def count_option(
    name: str, text: str, *, default: int | None = None, maximum: int = MAX_NUMBER
) -> Callable[[Decorated], Decorated]:
    """Declare an option that counts, from 1, with `text` as its help."""
    return click.option(
        name, type=Count(maximum), default=default, show_default=default is not None, help=text
    )
