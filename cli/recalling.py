"""Commands about parties and what they claim: party, duplicates, disputes."""

from __future__ import annotations

import click

from .declare import command, pass_session
from .render import parties
from .session import UNSETTLED, Session


@command(
    answers="PartySheet",
    example="""
dataledger party
dataledger party jinlong
dataledger party did:ethr:0x539:0x7777777777777777777777777777777777777777 --all""",
)
@click.argument("who", metavar="[WHO]", required=False, default="")
@click.option("--all", "all_", is_flag=True, help="List every record, not the newest of each kind.")
@pass_session
def party(session: Session, who: str, all_: bool) -> None:
    """Show what is known of a party, with evidence.

    WHO is a DID, or a namespace that the party owns; without it, you. Keys, namespaces, logs, what it holds,
    what it gave, took, agreed, delivered, was paid, and said.
    """
    found = session.open().party(who)
    session.answer(found, lambda sheet: parties.party(sheet, everything=all_))


@command(
    answers="Duplicates",
    example="""
dataledger duplicates
dataledger duplicates haina/orders
dataledger duplicates orders.csv""",
)
@click.argument("what", metavar="[ASSET|FILE]", required=False, default="")
@pass_session
def duplicates(session: Session, what: str) -> int:
    """Show what several parties claim, side by side.

    The same content registered by different parties, the same alias declared by several, the same product
    offered by several: each claim with the block by which it existed, who vouches for it and who objects.
    Who is right is not said. Exits with 3 if a log can't be had that may hold further claims.
    """
    found = session.open().duplicates(what)
    session.answer(found, parties.duplicates)
    return UNSETTLED if found.missing_logs else 0


@command(answers="Disputes", example="dataledger disputes\ndataledger disputes haina/orders")
@click.argument("asset", metavar="[ASSET]", required=False, default="")
@pass_session
def disputes(session: Session, asset: str) -> int:
    """Show objections and freezes, and both sides' records.

    An objection flags an asset and decides nothing; only the arbiter whom the registration or grant names
    freezes it. Without ASSET, all disputes that stand. Exits with 3 if a log can't be had that may say more.
    """
    found = session.open().disputes(asset)
    session.answer(found, parties.disputes)
    return UNSETTLED if found.missing_logs else 0


COMMANDS = (party, duplicates, disputes)
