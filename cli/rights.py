"""Commands about rights in data: grant, may, history. What was granted is taken back by `revoke`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ledger.core.errors import Invalid, Unavailable

from .assets import no_anchor
from .declare import command, pass_session
from .render import rights as render
from .session import UNSETTLED, Session
from .terms import RIGHTS, terms_options

if TYPE_CHECKING:
    from ledger.core.records_rights import Right

CODES = {"permitted": 0, "denied": Invalid.exit_code, "unknown": Unavailable.exit_code}
"""Exit codes of `may`."""


@command(
    answers="Receipt",
    example="""
dataledger grant gz.weather/hourly --to insure.example --rights use --purpose risk --until 2027-06-30
dataledger grant haina/orders --to jinlong --rights use --rights operate --share 600bps --sublicensable
dataledger grant haina/orders@2 --to-everybody --rights use --purpose research --region CN
dataledger grant haina/orders --to jinlong --rights operate --price-cap "5.00 CNY" --free-for relief
dataledger grant haina/orders --to jinlong --rights operate --condition notice:prices,every=365""",
)
@click.argument("names", metavar="ASSET[@N]...", nargs=-1, required=True)
@click.option("--to", "party", default="", metavar="PARTY", help="A DID, or a namespace that the party owns.")
@click.option("--to-everybody", is_flag=True, help="Grant to everybody.")
@terms_options(required=True)
@no_anchor
@pass_session
def grant(
    session: Session,
    /,
    names: tuple[str, ...],
    party: str,
    to_everybody: bool,
    no_anchor: bool,
    **terms: Any,
) -> int:
    """Give another party rights in data.

    You grant what you hold, or what you were given and may pass on, never more than that. An ASSET means all
    of its versions, ASSET@N one. Purposes and regions that are not named are not limited. `revoke` takes a
    grant back.
    """
    from ledger.service.offers import Offer

    if bool(party) == to_everybody:
        raise click.UsageError("name the party with --to, or say --to-everybody")
    offer = Offer(names=names, to=party, **terms)
    return session.settle(session.open().grant(offer, anchor=not no_anchor))


@command(
    answers="Permission",
    example="""
dataledger may insure.example use gz.weather/hourly --for risk-pricing --region CN
dataledger may jinlong operate haina/demand@2 --for risk-pricing --at 2027-01-31
dataledger may haina operate haina/demand --region SG --rules export-rules.json""",
)
@click.argument("party")
@click.argument("right", type=click.Choice(RIGHTS), metavar="hold|use|operate")
@click.argument("reference", metavar="ASSET[@N]")
@click.option("--for", "purpose", default="", metavar="PURPOSE", help="What for. Default: for anything.")
@click.option("--region", default="", metavar="CN|CN-44", help="Where. Default: anywhere.")
@click.option(
    "--at", default="", metavar="DATE|TIME|BLOCK", help="When, a date meaning its end. Default: now."
)
@click.option(
    "--rules",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A list of rules for data that crosses borders; of several the one in force counts.",
)
@pass_session
def may(
    session: Session,
    party: str,
    right: Right,
    reference: str,
    purpose: str,
    region: str,
    at: str,
    rules: tuple[Path, ...],
) -> int:
    """Say whether a party may use data, and why.

    PARTY is a DID, or a namespace that it owns. The answer goes through chains of grants, conditions, prices
    and the lineage: a product may be offered only as far as all of its inputs allow. It names the grants that
    permit it, the link that blocks it, or what is not known, which is never a yes. Exits with 0 if it is
    permitted, 1 if it is denied, 3 if it is unknown.
    """
    found = session.open().may(party, right, reference, purpose=purpose, region=region, at=at, rules=rules)
    session.answer(found, render.permission)
    return CODES[found.verdict]


@command(answers="History", example="dataledger history haina/orders")
@click.argument("asset")
@pass_session
def history(session: Session, asset: str) -> int:
    """Tell what became of an asset, in chain order.

    Who registered it, its versions, the runs that used or made it, transfers, grants, agreements, who got it,
    what was attested, and what was taken back, each with its record and its block. Exits with 3 if a log that
    could say more can't be had.
    """
    found = session.open().history(asset)
    session.answer(found, render.history)
    return 0 if found.complete else UNSETTLED


COMMANDS = (grant, may, history)
