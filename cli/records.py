"""Commands that look things up: log, show, search, findings."""

from __future__ import annotations

import click

from .declare import command, count_option, pass_session
from .mistakes import perhaps_a_file
from .render import browsing
from .session import Session

TYPES = (
    "registration", "version", "activity", "transfer", "revocation",
    "grant", "agreement", "delivery", "settlement", "attestation",
)  # fmt: skip
STATES = ("pending", "anchored", "final", "rejected")


@command(
    answers="LogListing",
    example="""
dataledger log
dataledger log haina/orders --type version""",
)
@click.argument("asset", required=False)
@click.option("--type", "type_", type=click.Choice(TYPES), help="Only records of this type.")
@click.option("--party", help="Only records of this party (a DID, or a namespace it owns).")
@click.option("--state", type=click.Choice(STATES), help="Only records in this state.")
@count_option("--limit", "At most so many.", default=50)
@pass_session
def log(
    session: Session, asset: str | None, type_: str | None, party: str | None, state: str | None, limit: int
) -> None:
    """List records, newest first, of one asset if named."""
    found = session.open().log(asset=asset, type=type_, party=party, state=state, limit=limit)
    session.answer(found, browsing.log)


@command(
    answers="Shown",
    example="""
dataledger show haina/orders
dataledger show haina/orders@1
dataledger show 3f9a2c""",
)
@click.argument("what")
@pass_session
def show(session: Session, what: str) -> None:
    """Show an asset, a version, a record or a party in full.

    WHAT is a reference, a record's id or its first digits, a namespace or a DID.
    """
    with perhaps_a_file(what):
        found = session.open().show(what)
    session.answer(found, browsing.shown)


@command(answers="SearchResult", example="dataledger search washing")
@click.argument("words", nargs=-1, required=True)
@count_option("--limit", "At most so many.", default=20)
@pass_session
def search(session: Session, words: tuple[str, ...], limit: int) -> None:
    """Find assets by name, title, description, alias or column."""
    found = session.open().search(" ".join(words), limit=limit)
    session.answer(found, browsing.search)


@command(answers="Findings", example="dataledger findings")
@count_option("--limit", "At most so many.", default=100)
@pass_session
def findings(session: Session, limit: int) -> None:
    """List what is authentic but improper or incomplete.

    Unregistered inputs, inputs that changed during a run, missing logs, and the like.
    """
    found = session.open().findings(limit=limit)
    session.answer(found, browsing.findings)


COMMANDS = (log, show, search, findings)
