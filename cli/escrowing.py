"""Commands about escrows: settle escrow open, fund, approve, pay, refund, withdraw, show."""

from __future__ import annotations

from pathlib import Path

import click

from .declare import command, group, pass_session
from .render import settling as render
from .session import Session

despite_findings = click.option(
    "--despite-findings", is_flag=True, help="Sign it although it is not as it should be."
)


@group("escrow")
def escrow() -> None:
    """Pay a settlement out by a contract.

    An escrow holds the money of one agreement. Payer, payees, arbiter, amount and deadline are fixed when it
    is opened. It pays exactly what a recorded settlement says, once two of three sides approved that: the
    payer, all payees, the arbiter. One minor unit of the currency is one of the smallest units of the chain's
    coin (wei) or of a token.
    """


ESCROW = click.argument("escrow", metavar="ESCROW|RECORD")


@command(
    "open",
    group=escrow,
    answers="EscrowState",
    example="""
dataledger settle escrow open 3f2a91c0 --payee firm --payee gz --amount "14400.00 CNY" --deadline 2027-01-31
dataledger settle escrow open 3f2a91c0 --payee gz --amount "5.00 CNY" --deadline 2027-01-31 --arbiter abc""",
)
@click.argument("agreement", metavar="AGREEMENT")
@click.option(
    "--payee", "--payees", "payees", multiple=True, required=True, metavar="PARTY", help="Repeatable."
)
@click.option("--amount", required=True, metavar="'AMOUNT CUR'", help="What it holds, such as '5.00 CNY'.")
@click.option(
    "--deadline", required=True, metavar="DATE|TIME", help="From then on the payer has the money back."
)
@click.option("--arbiter", default="", metavar="PARTY", help="Who stands in for a side that does not sign.")
@click.option("--payer", default="", metavar="PARTY", help="Who funds it. Default: you.")
@click.option("--token", default="", metavar="ADDRESS", help="An ERC-20 token. Default: the chain's coin.")
@pass_session
def open_(
    session: Session,
    agreement: str,
    payees: tuple[str, ...],
    amount: str,
    deadline: str,
    arbiter: str,
    payer: str,
    token: str,
) -> None:
    """Open an escrow for an agreement.

    Its address follows from what is said here: the same terms are the same escrow. Put it in the settlement:
    `settle record --escrow ADDRESS`.
    """
    from ledger.service.escrowing import Opening

    opening = Opening(
        agreement=agreement,
        payees=payees,
        amount=amount,
        deadline=deadline,
        arbiter=arbiter,
        payer=payer,
        token=token,
    )
    session.answer(session.open().open_escrow(opening), render.escrow)


@command("fund", group=escrow, answers="EscrowState", example="dataledger settle escrow fund 84b15f2b0a10")
@ESCROW
@pass_session
def fund(session: Session, escrow: str) -> None:
    """Put the whole amount in, as its payer."""
    session.answer(session.open().fund_escrow(escrow), render.escrow)


@command(
    "approve",
    group=escrow,
    answers="EscrowApproval",
    example="dataledger settle escrow approve 84b15f2b0a10 -o office.approval",
)
@click.argument("record", metavar="RECORD")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write it there."
)
@despite_findings
@pass_session
def approve(session: Session, record: str, out: Path | None, despite_findings: bool) -> None:
    """Sign what a recorded settlement says.

    The signature is for this split, escrow and chain, and for nothing else; hand it to whoever pays. Signed
    is only what `settle check` finds good.
    """
    found = session.open().approve_escrow(record, out, despite=despite_findings)
    session.answer(found, render.approval)


@command(
    "pay",
    group=escrow,
    answers="EscrowState",
    example="dataledger settle escrow pay 84b15f2b0a10 --approval office.approval --approval firm.approval",
)
@click.argument("record", metavar="RECORD")
@click.option(
    "--approval", "approvals", multiple=True, metavar="FILE|HEX", help="What `approve` made; repeatable."
)
@despite_findings
@pass_session
def pay(session: Session, record: str, approvals: tuple[str, ...], despite_findings: bool) -> None:
    """Pay out what a recorded settlement says.

    It takes the approvals of two of three sides. If you are one of them, you approve by paying.
    """
    found = session.open().pay_escrow(record, approvals, despite=despite_findings)
    session.answer(found, render.escrow)


@command(
    "refund", group=escrow, answers="EscrowState", example="dataledger settle escrow refund 84b15f2b0a10"
)
@ESCROW
@pass_session
def refund(session: Session, escrow: str) -> None:
    """Give the payer everything back, from the deadline on."""
    session.answer(session.open().refund_escrow(escrow), render.escrow)


@command(
    "withdraw",
    group=escrow,
    answers="EscrowState",
    example="dataledger settle escrow withdraw 84b15f2b0a10",
)
@ESCROW
@click.option("--to", default="", metavar="PARTY|ADDRESS", help="To this account. Default: your own.")
@pass_session
def withdraw(session: Session, escrow: str, to: str) -> None:
    """Take what you are owed."""
    session.answer(session.open().withdraw_escrow(escrow, to), render.escrow)


@command("show", group=escrow, answers="EscrowState", example="dataledger settle escrow show 84b15f2b0a10")
@ESCROW
@pass_session
def show(session: Session, escrow: str) -> None:
    """Show an escrow as the chain has it.

    ESCROW is its address; or name the record of the settlement that it pays.
    """
    session.answer(session.open().escrow(escrow), render.escrow)
