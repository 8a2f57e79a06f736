"""Commands about money: settle, with record, check and statement."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, Unpack

import click

from .assets import no_anchor
from .declare import Listing, command, pass_session
from .escrowing import escrow
from .render import settling as render
from .session import UNSETTLED, Session

if TYPE_CHECKING:
    from ledger.service.settlement_sale import Income

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

CODES = {"settled": 0, "good": 0, "unknown": UNSETTLED}
"""Exit codes by verdict; 1 for any other."""


class Asked(TypedDict):
    """What `settle` and `settle record` take beside the product."""

    revenue: str
    currency: str
    period: str
    purpose: str
    region: str
    agreement: str
    at: str


def income_options(function: Decorated) -> Decorated:
    """Add the options of `Asked`."""
    options = (
        click.option("--revenue", default="", metavar="AMOUNT", help="What was earned, such as 100000.01."),
        click.option("--currency", default="", metavar="CNY", help="The currency of it (ISO 4217)."),
        click.option(
            "--agreement",
            default="",
            metavar="RECORD",
            help="The income is that of this agreement; without --revenue, the bill of what was delivered.",
        ),
        click.option(
            "--period", default="", metavar="FROM..UNTIL", help="When it was earned, both days included."
        ),
        click.option("--for", "purpose", default="", metavar="PURPOSE", help="What it was sold for."),
        click.option("--region", default="", metavar="CN|CN-44", help="Where it was sold."),
        click.option("--at", default="", metavar="BLOCK", help="As of this block. Default: the last one."),
    )
    for option in reversed(options):
        function = option(function)
    return function


def _income(product: str, asked: Asked, **more: str) -> Income:
    from ledger.service.settlement_sale import Income

    return Income(product=product, **asked, **more)


@command(
    cls=Listing,
    answers="IncomeSplit",
    example="""
dataledger settle haina/demand --revenue 100000.01 --currency CNY
dataledger settle haina/demand@2 --agreement 3f2a91c0 --period 2026-01-01..2026-03-31
dataledger settle haina/demand --revenue 5000 --currency CNY --for risk-pricing --seller jinlong""",
)
@click.argument("product", metavar="PRODUCT")
@income_options
@click.option(
    "--seller", default="", metavar="PARTY", help="Whose income it is. Default: yours, or its holder's."
)
@pass_session
def settle(session: Session, /, product: str, seller: str, **asked: Unpack[Asked]) -> int:
    """Say who is owed how much of an income.

    PRODUCT is an asset or version. The income is split over everything that went into it, by the shares in
    the grants, to the smallest unit of the currency, and adds up exactly; what is left is the seller's. The
    answer names the grants and the block that it rests on, and whatever was used without a grant. Nothing is
    recorded. Exits with 1 if something was used without a grant or is otherwise wrong, with 3 if that is
    unknown.
    """
    found = session.open().settle(_income(product, asked, seller=seller))
    session.answer(found, render.split)
    return CODES.get(found.verdict, 1)


@command(
    "record",
    group=settle,
    answers="Receipt",
    example="""
dataledger settle record haina/demand --revenue 100000.01 --currency CNY --period 2026-01-01..2026-12-31
dataledger settle record haina/demand --agreement 3f2a91c0 --period 2026-01-01..2026-03-31""",
)
@click.argument("product", metavar="PRODUCT")
@income_options
@click.option("--escrow", default="", metavar="ADDRESS", help="The escrow contract that pays it out.")
@click.option("--despite-findings", is_flag=True, help="Record it although it is not as it should be.")
@no_anchor
@pass_session
def record(
    session: Session,
    /,
    product: str,
    escrow: str,
    despite_findings: bool,
    no_anchor: bool,
    **asked: Unpack[Asked],
) -> int:
    """Split your income and record the split.

    An income is settled once: of one product and agreement, for a period. What was settled before is refused,
    and so is a split that is not the bill of the agreement it names.
    """
    done = session.open().record_settlement(
        _income(product, asked, escrow=escrow), despite=despite_findings, anchor=not no_anchor
    )
    return session.settle(done)


@command("check", group=settle, answers="SettlementCheck", example="dataledger settle check 3f2a91c0")
@click.argument("record", metavar="RECORD")
@pass_session
def check(session: Session, record: str) -> int:
    """Recompute a recorded settlement.

    The split is made again as of the block that the record names, and compared to the smallest unit; so is
    the bill of its agreement, and what its escrow paid. Exits with 1 if anything differs, with 3 if something
    could not be had.
    """
    found = session.open().check_settlement(record)
    session.answer(found, render.check)
    return CODES.get(found.verdict, 1)


@command(
    "statement",
    group=settle,
    answers="SettlementStatement",
    example="""
dataledger settle statement
dataledger settle statement gz.weather --period 2026-01-01..2026-12-31 --json""",
)
@click.argument("party", default="", metavar="[PARTY]")
@click.option("--period", default="", metavar="FROM..UNTIL", help="Only of this time, both days included.")
@pass_session
def statement(session: Session, party: str, period: str) -> int:
    """List what a party is owed and was allotted.

    PARTY is a DID, or a namespace that it owns; without it, you. Every settlement is recomputed: `owed` is
    what lineage and grants say, `allotted` what was recorded, `paid` what became of it in an escrow. Exits
    with 1 if one of them is not as it should be, with 3 if something could not be had.
    """
    found = session.open().settlement_statement(party, period=period)
    session.answer(found, render.statement)
    return CODES.get(found.verdict, 1)


settle.add_command(escrow)

COMMANDS = (settle,)
