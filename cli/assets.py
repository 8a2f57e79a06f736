"""Commands that write records about assets: register, version, run, transfer, import."""

from __future__ import annotations

from pathlib import Path

import click

from . import render
from .common import Command, Group, Session, pass_session

no_anchor = click.option(
    "--no-anchor", is_flag=True, help="Leave the records pending; `dataledger anchor` anchors a batch."
)


@click.command(
    cls=Command,
    example="""
dataledger register haina/orders orders.csv --title "Washing-machine orders"
dataledger register haina/sensors sensors/
dataledger register haina/legacy --alias openlineage:postgres://db:5432#public.legacy""",
)
@click.argument("asset")
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("--title", default="", help="A title for people.")
@click.option("--description", default="", help="What it is.")
@click.option(
    "--kind", default="dataset", show_default=True, help="What kind of asset: dataset, model, report, ..."
)
@click.option("--license", "license_", default="", help="An SPDX expression or a URL.")
@click.option(
    "--alias",
    "aliases",
    multiple=True,
    metavar="SCHEME:[NAMESPACE#]NAME",
    help="Another scheme's name for it; may be repeated.",
)
@no_anchor
@pass_session
def register(
    session: Session,
    asset: str,
    path: Path | None,
    title: str,
    description: str,
    kind: str,
    license_: str,
    aliases: tuple[str, ...],
    no_anchor: bool,
) -> None:
    """Register ASSET (NAMESPACE/PATH) as a claim of yours, with the file or folder PATH as its version 1."""
    done = session.open().register(
        asset,
        path,
        title=title,
        description=description,
        kind=kind,
        license=license_,
        aliases=aliases,
        anchor=not no_anchor,
    )
    session.answer(done, render.receipt(done))


@click.command(cls=Command, example="dataledger version haina/orders orders.csv")
@click.argument("asset")
@click.argument("path", required=False, type=click.Path(path_type=Path))
@no_anchor
@pass_session
def version(session: Session, asset: str, path: Path | None, no_anchor: bool) -> None:
    """Record a new version of ASSET: the content of PATH (default: where its last version was)."""
    done = session.open().version(asset, path, anchor=not no_anchor)
    session.answer(done, render.receipt(done))


@click.command(
    cls=Command,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    example="""
dataledger run -i haina/orders -i haina/sensors -o haina/demand=demand.csv -- python forecast.py
dataledger run -i jinlong/parts=../parts.csv -i haina/orders@2 -o haina/plan=plan.csv -- make plan""",
)
@click.option(
    "-i",
    "--input",
    "inputs",
    multiple=True,
    metavar="NAME[@N][=PATH]",
    help="An asset that the program reads; may be repeated.",
)
@click.option(
    "-o",
    "--output",
    "outputs",
    multiple=True,
    metavar="NAME[=PATH]",
    help="An asset that it makes; registered if it is new.",
)
@click.option(
    "--name", "component", default="", help="What to call the program in the record. Default: its file name."
)
@click.option("--title", default="", help="Title for outputs that are registered by this run.")
@no_anchor
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@pass_session
def run(
    session: Session,
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
    component: str,
    title: str,
    no_anchor: bool,
    command: tuple[str, ...],
) -> int:
    """Run COMMAND and record what it read and made. Its output, signals and exit code pass through untouched.

    With --json the receipt goes to stderr, as one line: stdout belongs to COMMAND.
    """
    done = session.open().run(
        command, inputs=inputs, outputs=outputs, component=component, title=title, anchor=not no_anchor
    )
    session.remark(done, render.run(done))
    return done.exit_code


@click.command(
    cls=Command,
    example="dataledger transfer haina/orders did:ethr:0x539:0x0123456789abcdef0123456789abcdef01234567",
)
@click.argument("asset")
@click.argument("receiver", metavar="PARTY")
@pass_session
def transfer(session: Session, asset: str, receiver: str) -> None:
    """Hand ASSET to PARTY (a DID, or a namespace it owns). Recorded, and posted on chain, from where on it binds."""
    done = session.open().transfer(asset, receiver)
    session.answer(done, render.receipt(done))


@click.group("import", cls=Group)
def import_() -> None:
    """Import what other tools recorded."""


@import_.command(
    cls=Command,
    example="dataledger import openlineage events/*.json\ndataledger import openlineage events.ndjson --dry-run",
)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--into", metavar="NAMESPACE", help="Where to register datasets that are new. Default: your namespace."
)
@click.option("--dry-run", is_flag=True, help="Say what would be recorded, and write nothing.")
@no_anchor
@pass_session
def openlineage(
    session: Session, files: tuple[Path, ...], into: str | None, dry_run: bool, no_anchor: bool
) -> int:
    """Import OpenLineage events from FILES: one event a file, a JSON array, or JSON lines. `-` is standard input.

    Exits with 1 if events were refused; the others are imported all the same.
    """
    done = session.open().import_openlineage(files, namespace=into, dry_run=dry_run, anchor=not no_anchor)
    session.answer(done, render.imported(done))
    return 1 if done.refused else 0


COMMANDS = (register, version, run, transfer, import_)
