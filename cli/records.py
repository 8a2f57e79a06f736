"""Commands that look things up: log, show, search, findings; and the one that ends a log."""

from __future__ import annotations

import click

from .declare import Listing, command, count_option, pass_session
from .mistakes import perhaps_a_file
from .render import browsing, writing
from .session import Session, confirmed

TYPES = ("registration", "version", "activity", "transfer", "revocation")
STATES = ("pending", "anchored", "final", "rejected")


@command(
    answers="LogListing",
    cls=Listing,
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
    "close",
    group=log,
    answers="Done",
    example="""
dataledger log close --at 12 --successor new --reason "the key was stolen" """,
)
@click.option(
    "--at",
    type=click.IntRange(min=0),
    metavar="N",
    required=True,
    help="You stand by the checkpoints numbered below N; `audit` shows how many there are.",
)
@click.option(
    "--successor",
    metavar="LOG|new",
    required=True,
    help="The log of yours that goes on: new, a number or an id.",
)
@click.option("--reason", default="", help="Why, in a line: published on chain.")
@click.option("--yes", is_flag=True, help="Do not ask. It can't be undone.")
@pass_session
def log_close(session: Session, at: int, successor: str, reason: str, yes: bool) -> None:
    """Close your log for good because it was damaged.

    A stolen key, a lost disk: records go to the successor from then on. What was anchored before keeps its
    effect, with a finding for the checkpoints that you do not stand by; what was not anchored is void. The
    old log stays readable, and whoever follows it follows the new one. Interrupted, the same command goes on
    where it stopped.
    """
    done = session.open().close_log(at, successor, reason=reason, confirm=lambda text: yes or confirmed(text))
    session.answer(done, writing.done)


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
