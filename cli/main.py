"""The `dataledger` command: its groups, and how errors become messages and exit codes.

Exit codes: 0 good, 1 verification failed, 2 usage, 3 unavailable or unconfirmed, 130 interrupted. `run`
exits as the program that it wraps.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from ledger.core.errors import LedgerError

from . import assets, identity, lineage, records, workspace
from .common import Group, Session

INTERRUPTED = 130


@click.group(
    cls=Group,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Start with: dataledger init NAME. Exit codes: 0 good, 1 verification failed, 2 usage, 3 unavailable.",
)
@click.option(
    "-C",
    "folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Work as if started in this folder.",
)
@click.option("-q", "--quiet", is_flag=True, help="Say nothing on stderr but errors.")
@click.version_option(package_name="dataledger", prog_name="dataledger")
@click.pass_context
def cli(ctx: click.Context, folder: Path | None, quiet: bool) -> None:
    """A data provenance ledger: what is this made from, may it be used, what else is affected, with proof."""
    if folder is not None:
        os.chdir(folder)
    ctx.obj = Session(quiet=quiet)
    ctx.call_on_close(ctx.obj.close)


for module in (workspace, assets, lineage, records, identity):
    for command in module.COMMANDS:
        cli.add_command(command)


def run(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    as_json = "--json" in (sys.argv[1:] if arguments is None else arguments)
    try:
        result = cli.main(args=arguments, prog_name="dataledger", standalone_mode=False)
    except click.exceptions.Exit as request:
        return request.exit_code
    except click.ClickException as error:
        error.show(sys.stderr)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("dataledger: interrupted; what was reported as done is kept", err=True)
        return INTERRUPTED
    except LedgerError as error:
        _report(error, as_json)
        return error.exit_code
    except BrokenPipeError:
        # The reader of our output has gone, as `head` does: not an error, but nothing more can be said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return result if isinstance(result, int) else 0


def _report(error: LedgerError, as_json: bool) -> None:
    """Print an error on stderr: what is wrong, and what to do next."""
    if as_json:
        from ledger.core.encoding import encode_json

        shape = {"format": "dataledger/error/v1", "error": type(error).__name__, "message": str(error)}
        click.echo(
            encode_json({**shape, "hint": error.hint, "exit_code": error.exit_code}).decode(), err=True
        )
        return
    click.secho("error: ", fg="red", bold=True, nl=False, err=True)
    click.echo(str(error), err=True)
    if error.hint:
        click.echo(f"  hint: {error.hint}", err=True)
