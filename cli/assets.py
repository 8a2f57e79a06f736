"""Commands that write records about assets: register, run, version, transfer, import."""

from __future__ import annotations

from pathlib import Path

import click

from ledger.core.errors import Invalid

from .declare import command, group, pass_session
from .render import writing
from .session import UNSETTLED, Session

no_anchor = click.option(
    "--no-anchor", is_flag=True, help="Leave the records pending; `dataledger anchor` anchors a batch."
)
a_path = click.Path(path_type=Path)


@command(
    answers="Receipt",
    example="""
dataledger register haina/orders orders.csv --title "Washing-machine orders"
dataledger register haina/sensors sensors/
dataledger register haina/legacy --alias openlineage:postgres://db:5432#public.legacy""",
)
@click.argument("asset")
@click.argument("path", required=False, type=a_path)
@click.option("--title", default="", help="A title for people.")
@click.option("--description", default="", help="What it is.")
@click.option("--kind", default="dataset", show_default=True, help="dataset, model, report, ...")
@click.option("--license", "license_", default="", metavar="SPDX|URL", help="An SPDX expression or a URL.")
@click.option(
    "--alias",
    "aliases",
    multiple=True,
    metavar="SCHEME:[NAMESPACE#]NAME",
    help="Another scheme's name for it; may be repeated.",
)
@click.option("--arbiter", default="", metavar="PARTY", help="Who alone may freeze it in a dispute.")
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
    arbiter: str,
    no_anchor: bool,
) -> int:
    """Register a data asset, with its content as version 1.

    ASSET is NAMESPACE/PATH, the namespace one of yours; PATH is a file or a folder. Without PATH the asset
    has no version yet. Registering is a claim of yours, and is shown as one.
    """
    done = session.open().register(
        asset,
        path,
        title=title,
        description=description,
        kind=kind,
        license=license_,
        aliases=aliases,
        arbiter=arbiter,
        anchor=not no_anchor,
    )
    return session.settle(done)


@command(
    answers="RunReceipt",
    context_settings={"allow_interspersed_args": False},
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
    help="An asset that it makes, registered if it is new; may be repeated.",
)
@click.option("--name", "component", default="", help="What to call the program. Default: its file name.")
@click.option("--title", default="", help="Title for outputs that are registered by this run.")
@no_anchor
@click.argument(
    "program", metavar="[--] PROGRAM [ARGUMENT]...", nargs=-1, required=True, type=click.UNPROCESSED
)
@pass_session
def run(
    session: Session,
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
    component: str,
    title: str,
    no_anchor: bool,
    program: tuple[str, ...],
) -> int:
    """Run a program and record what it read and made.

    Its output, signals and exit code pass through untouched. Inputs are digested before, outputs after; an
    input of yours that has changed becomes a new version, an output that is new is registered. A run that
    fails is recorded as failed. With --json the receipt goes to stderr, as one line: stdout belongs to
    PROGRAM.
    """
    done = session.open().run(
        program, inputs=inputs, outputs=outputs, component=component, title=title, anchor=not no_anchor
    )
    session.remark(done, writing.run)
    return done.exit_code


@command(answers="Receipt", example="dataledger version haina/orders orders.csv")
@click.argument("asset")
@click.argument("path", required=False, type=a_path)
@no_anchor
@pass_session
def version(session: Session, asset: str, path: Path | None, no_anchor: bool) -> int:
    """Record new content of an asset as its next version.

    PATH is a file or a folder; without it the content is taken from where the last version was.
    """
    done = session.open().version(asset, path, anchor=not no_anchor)
    return session.settle(done)


@command(
    answers="Receipt",
    example="""
dataledger transfer haina/orders jinlong
dataledger transfer haina/orders did:ethr:0x539:0x0123456789abcdef0123456789abcdef01234567""",
)
@click.argument("asset")
@click.argument("receiver", metavar="PARTY")
@pass_session
def transfer(session: Session, asset: str, receiver: str) -> int:
    """Hand an asset over to another party.

    PARTY is a DID, or a namespace that the party owns. The transfer is recorded, anchored and posted on
    chain, and binds from there on: only the new holder can record versions of ASSET.
    """
    done = session.open().transfer(asset, receiver)
    return session.settle(done)


@command(
    answers="Receipt",
    example="""
dataledger revoke 3f9a2c
dataledger revoke 3f9a2c --reason "wrong file"
dataledger revoke 3f9a2c --from 2027-01-01 --reason "the contract was terminated" """,
)
@click.argument("record")
@click.option("--reason", default="", help="Why, for people.")
@click.option(
    "--from", "since", default="", metavar="DATE|TIME", help="From when on. Default: as soon as it is posted."
)
@pass_session
def revoke(session: Session, record: str, reason: str, since: str) -> int:
    """Take back a record of yours.

    RECORD is its id or the first digits of it; it may also be a grant by an earlier holder of what you hold.
    The revocation is recorded, anchored and posted on chain,
    and binds from there on, never before; what was lawful until then stays so. The record stays where it is,
    and is shown as revoked.
    """
    return session.settle(session.open().revoke(record, reason=reason, since=since))


@group("import")
def import_() -> None:
    """Import what other tools recorded."""


@command(
    answers="Imported",
    group=import_,
    example="""
dataledger import openlineage events/*.json
dataledger import openlineage events.ndjson --dry-run""",
)
@click.argument("files", nargs=-1, required=True, type=a_path)
@click.option(
    "--into", metavar="NAMESPACE", help="Where to register datasets that are new. Default: your namespace."
)
@click.option("--dry-run", is_flag=True, help="Say what would be recorded, and write nothing.")
@no_anchor
@pass_session
def openlineage(
    session: Session, files: tuple[Path, ...], into: str | None, dry_run: bool, no_anchor: bool
) -> int:
    """Import OpenLineage events of pipeline runs.

    FILES hold one event each, a JSON array, or JSON lines; `-` is standard input. Importing the same events
    again changes nothing. Exits with 1 if events were refused; the others are imported all the same.
    """
    done = session.open().import_openlineage(files, namespace=into, dry_run=dry_run, anchor=not no_anchor)
    session.answer(done, writing.imported)
    if done.refused_count:
        return Invalid.exit_code
    return UNSETTLED if done.receipt is not None and done.receipt.problem else 0


COMMANDS = (register, run, version, transfer, revoke, import_)
