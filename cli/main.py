"""The `dataledger` command: its commands in order of first use, and one way out for every error.

A command parses, makes one service call and renders the answer. The service is imported when a command runs,
not when help is printed. `run` exits as the program that it wraps; `failures` says what the other codes mean.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from . import (
    assets,
    attesting,
    demo,
    disclosing,
    evidence,
    failures,
    identity,
    incidents,
    lineage,
    recalling,
    records,
    rights,
    settling,
    trading,
    workspace,
)
from .declare import Group
from .session import Session


@click.group(
    cls=Group,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Start with: dataledger init NAME. Exit codes: 0 good, 1 wrong, 2 usage, 3 unavailable.",
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
    """A data provenance ledger: what is this made from, what else is affected, is this file it.

    Every record is signed, kept in a Merkle log and anchored on an EVM chain, and every answer is checked
    against that.
    """
    if os.environ.get("NO_COLOR"):
        ctx.color = False
    if folder is not None:
        ctx.with_resource(contextlib.chdir(folder))
    session = ctx.ensure_object(Session)
    session.quiet = quiet
    ctx.call_on_close(session.close)


cli.add_section("Start and record", (demo.demo, workspace.init, *assets.COMMANDS))
cli.add_section("Ask", (*lineage.COMMANDS, evidence.verify, lineage.audit))
cli.add_section("Rights", rights.COMMANDS)
cli.add_section("Trade", (*trading.COMMANDS, *settling.COMMANDS))
cli.add_section("Say and recall", (*attesting.COMMANDS, *incidents.COMMANDS, *recalling.COMMANDS))
cli.add_section("Prove to others", (*evidence.COMMANDS, *disclosing.COMMANDS))
cli.add_section("Look up", (workspace.status, *records.COMMANDS))
cli.add_section("Keep up", workspace.COMMANDS)
cli.add_section("Identity", identity.COMMANDS)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    session = Session()
    _prepare_streams()
    try:
        code = cli.main(args=given, prog_name="dataledger", standalone_mode=False, obj=session)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show(sys.stderr)
        return error.exit_code
    except SystemExit:
        # click's answer to a reader who left while help was printed, and its end of a shell completion
        return 0
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the one way out: nothing else catches all
        failure = failures.translate(error)
        failure.__cause__ = error if failure is not error else error.__cause__
        as_json = failures.asked_for_json(given) if session.as_json is None else session.as_json
        return failures.report(failure, as_json=as_json)
    return code if isinstance(code, int) else 0


def _prepare_streams() -> None:
    """Make the three standard streams safe to use, whatever this process was started with.

    A closed one is opened on nothing: the next file to be opened would take its number, and get what is meant
    for it. A character that the terminal's encoding lacks is escaped: it is no reason to fail.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
