"""Commands that look records up: log, show, search."""

from __future__ import annotations

import click

from . import render
from .common import Command, Session, pass_session

TYPES = ("registration", "version", "activity", "transfer", "revocation")


@click.command(cls=Command, example="dataledger log\ndataledger log haina/orders --type version")
@click.argument("asset", required=False)
@click.option("--type", "type_", type=click.Choice(TYPES), help="Only records of this type.")
@click.option("--party", help="Only records of this party (a DID, or a namespace it owns).")
@click.option(
    "--state",
    type=click.Choice(("pending", "anchored", "final", "rejected")),
    help="Only records in this state.",
)
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most so many.")
@pass_session
def log(
    session: Session, asset: str | None, type_: str | None, party: str | None, state: str | None, limit: int
) -> None:
    """List records, newest first; of one ASSET if named."""
    found = session.open().log(asset=asset, type=type_, party=party, state=state, limit=limit)
    session.answer(found, render.log(found))


@click.command(
    cls=Command,
    example="dataledger show haina/orders\ndataledger show haina/orders@1\ndataledger show 3f9a2c",
)
@click.argument("what")
@pass_session
def show(session: Session, what: str) -> None:
    """Show an asset, a version, a record (its id, or the first digits of it) or a party."""
    found = session.open().show(what)
    session.answer(found, render.shown(found))


@click.command(cls=Command, example="dataledger search washing")
@click.argument("words", nargs=-1, required=True)
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="At most so many.")
@pass_session
def search(session: Session, words: tuple[str, ...], limit: int) -> None:
    """Find assets by name, title, description, alias or column."""
    found = session.open().search(" ".join(words), limit=limit)
    session.answer(found, render.search(found))


@click.command(cls=Command, example="dataledger findings")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="At most so many.")
@pass_session
def findings(session: Session, limit: int) -> None:
    """List what is authentic but improper or incomplete: unregistered inputs, missing logs, and the like."""
    found = session.open().findings(limit=limit)
    session.answer(found, render.findings(found))


COMMANDS = (log, show, search, findings)
