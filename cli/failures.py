"""How a command fails: one message on stderr, for a person or as one line of JSON, and an exit code.

Exit codes: 0 good, 1 checked and found wrong, 2 usage, 3 unavailable or unconfirmed, 130 interrupted.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence

import click

from ledger.core.errors import EvidenceInvalid, LedgerError, Unauthorized, Unavailable, Usage
from ledger.formats.text import printable

from .declare import Command, meant, near
from .session import discard

EXIT_CODES = {
    0: "good: done, verified, answered",
    1: "checked and found wrong: a file that is no version, a broken signature or proof, a refused "
    "transaction, an import that had to leave events out",
    2: "usage: a wrong option, a name that is not known, a path that is not there; nothing was done",
    3: "could not be done or checked now: chain, node, log, lock, disk, passphrase or funds are missing, or "
    "the claim is not anchored yet",
    130: "interrupted (Ctrl-C); what was reported as done is kept",
}
"""What the exit codes mean. `run` exits as the program that it wraps, unless that could not be started."""

INTERRUPTED = 130


class Interrupted(LedgerError):
    """The person pressed Ctrl-C."""

    exit_code = INTERRUPTED


class Internal(Unavailable):
    """A defect of this program: nothing can be said about what was asked."""


def translate(error: BaseException) -> LedgerError:
    """Return any exception as an error of ours, with the exit code that it means."""
    match error:
        case LedgerError():
            return error
        case click.NoSuchOption():
            return Usage(f"no such option {error.option_name}{_option_meant(error)}", hint=_usage_hint(error))
        case click.ClickException():
            return Usage(_lowered(error.format_message().rstrip(".")), hint=_usage_hint(error))
        case click.Abort() | KeyboardInterrupt():
            return Interrupted("interrupted; what was reported as done is kept")
        case OSError():
            where = f": {error.filename}" if error.filename else ""
            return Unavailable(f"{_lowered(error.strerror or str(error) or type(error).__name__)}{where}")
        case MemoryError():
            return Unavailable("out of memory", hint="ask for less at once, or free some")
        case _:
            hint = "this is a defect of dataledger: please report it with what stands above"
            return Internal(f"internal error: {type(error).__name__}: {error}", hint=hint)


def _lowered(text: str) -> str:
    """Return a message in the style of ours: the first word in lower case unless it is a name."""
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def _option_meant(error: click.NoSuchOption) -> str:
    """Say which option was meant, or that it stands in another place."""
    context = error.ctx
    if context is not None and context.parent is not None:
        general = {name for option in context.find_root().command.params for name in option.opts}
        if error.option_name in general:
            return f": it stands before the command, as in dataledger {error.option_name} {context.info_name}"
    return meant(near(error.option_name, error.possibilities or ()))


def _usage_hint(error: click.ClickException) -> str:
    """Return how the command is used, and where it says more."""
    context = getattr(error, "ctx", None)
    if context is None:
        return ""
    if not isinstance(context.command, Command):
        return f"see {context.command_path} --help"
    arguments = " ".join(context.command.collect_usage_pieces(context))
    return f"{context.command_path} {arguments}; see {context.command_path} --help"


def report(error: LedgerError, *, as_json: bool) -> int:
    """Print an error on stderr and return the exit code."""
    try:
        if as_json:
            click.echo(_json_line(error), err=True)
        else:
            _report_to_person(error)
    except OSError:  # nobody reads stderr: the exit code still speaks
        discard(sys.stderr)
    return error.exit_code


def _report_to_person(error: LedgerError) -> None:
    if isinstance(error, Interrupted):
        click.echo(f"dataledger: {error}", err=True)
        return
    if isinstance(error, Internal):
        click.echo("".join(traceback.format_exception(error.__cause__)).rstrip(), err=True)
    refused = f"refused ({error.reason}): " if isinstance(error, EvidenceInvalid) else ""
    first, *others = map(printable, f"{refused}{error}".split("\n"))
    click.echo(f"{click.style('error:', fg='red', bold=True)} {first}", err=True)
    for line in others:
        click.echo(f"  {line}", err=True)
    if error.hint:
        click.echo(f"  hint: {printable(error.hint)}", err=True)


def _json_line(error: LedgerError) -> str:
    from .failure import Failure
    from .session import to_json

    reason = error.reason if isinstance(error, Unauthorized | EvidenceInvalid) else ""
    kind = type(error).__name__
    return to_json(
        Failure(error=kind, message=str(error), hint=error.hint, reason=reason, exit_code=error.exit_code)
    )


def asked_for_json(arguments: Sequence[str]) -> bool:
    """Tell whether --json is among the arguments, for when they could not be read to their end."""
    ours = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return "--json" in ours
