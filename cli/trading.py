"""Commands of trade: agree and what belongs to it, deliver, acknowledge."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .assets import no_anchor
from .declare import command, count_option, group, pass_session
from .render import trading as render
from .session import UNSETTLED, Session
from .terms import terms_options

if TYPE_CHECKING:
    from ledger.service.deals import Side
    from ledger.service.results import Signed

a_file = click.Path(path_type=Path, dir_okay=False)
MOST_UNITS = 2**53 - 1

with_party = click.option(
    "--with",
    "party",
    default="",
    metavar="PARTY",
    help="The other party: a DID, or a namespace that it owns.",
)
price = click.option("--price", default="", metavar="'AMOUNT CUR'", help="What one unit costs.")
unit = click.option("--unit", default="", metavar="WORD", help="What is counted: row, call, copy, ...")
negotiation = click.option(
    "--negotiation", default="", metavar="ID", help="What both call this negotiation. Default: a new id."
)
previous = click.option("--previous", default="", metavar="RECORD", help="The step that this one answers.")


@group()
def agree() -> None:
    """Agree with another party on what it may do with data.

    The short way: `propose` signs an agreement and writes it to a file, the other party looks at it (`show`),
    signs it (`sign`) and sends it back. The Dataspace Protocol's way: request, offer, accept, verify,
    finalize, each in the own log; what both sign goes by file (`propose --previous`).
    """


@command(
    "propose",
    group=agree,
    answers="Signed",
    example="""
dataledger agree propose haina/orders --with jinlong --rights use --price "1.20 CNY" --unit row -o deal.json
dataledger agree propose jinlong/parts --as consumer --with jinlong --rights use -o deal.json
dataledger agree propose --previous 3f9a2c41 -o deal.json""",
)
@click.argument("names", metavar="[ASSET[@N]]...", nargs=-1)
@with_party
@click.option(
    "--as",
    "side",
    type=click.Choice(("provider", "consumer")),
    default="provider",
    show_default=True,
    help="Which side you are on: you give, or you are given.",
)
@terms_options(required=False)
@price
@unit
@previous
@negotiation
@count_option("--within", "Both have to sign, and anchor it, within so many blocks.", default=50_400)
@click.option("-o", "--out", type=a_file, required=True, metavar="FILE", help="Where to write it.")
@pass_session
def propose(
    session: Session, /, names: tuple[str, ...], party: str, side: Side, out: Path, **deal: Any
) -> int:
    """Sign an agreement first, and write it to a file for the other party.

    Nothing enters a log until both have signed. After a REQUESTED or ACCEPTED step (--previous) its terms
    are agreed; else name what is given: it was negotiated elsewhere.
    """
    from ledger.service.deals import Deal

    if not deal["previous"] and not (names and party and deal["rights"]):
        raise click.UsageError("name ASSET, --with and --rights, or the step to agree with --previous")
    asked = Deal(names=names, to=party, side=side, **deal)
    return _signed(session, session.open().propose(asked, out))


@command("sign", group=agree, answers="Signed", example="dataledger agree sign deal.json")
@click.argument("file", type=a_file)
@click.option("-o", "--out", type=a_file, metavar="FILE", help="Where to write it. Default: in its place.")
@no_anchor
@pass_session
def sign(session: Session, file: Path, out: Path | None, no_anchor: bool) -> int:
    """Sign what the other party signed, or keep what has come back signed.

    Look at it first: `agree show FILE`. It is checked as everybody will: the keys, what the provider has to
    give, the step before, the block before which it counts. Once all have signed it is kept in your log and
    anchored; send the file back, so that the other party has it too.
    """
    return _signed(session, session.open().sign(file, out, anchor=not no_anchor))


@command(
    "show",
    group=agree,
    answers="AgreementShown|Agreements",
    example="""
dataledger agree show deal.json
dataledger agree show 3f9a2c41
dataledger agree show""",
)
@click.argument("what", metavar="[FILE|RECORD]", default="")
@count_option("--limit", "List at most so many deliveries, the last ones.", default=100)
@pass_session
def show(session: Session, what: str, limit: int) -> None:
    """Show an agreement, or list all that you are in.

    Of a file: what it says and who has signed. Of a record: the whole negotiation, what was delivered, what
    is due by that, and what may follow.
    """
    ledger = session.open()
    if what:
        session.answer(ledger.agreement(what, limit=limit), render.agreement)
    else:
        session.answer(ledger.agreements(), render.agreements)


def _proposal(state: str, side: str, example: str, text: str) -> None:
    """Declare `agree request` or `agree offer`."""

    @click.argument("names", metavar="[ASSET[@N]]...", nargs=-1)
    @with_party
    @terms_options(required=True)
    @price
    @unit
    @previous
    @negotiation
    @no_anchor
    @pass_session
    def take(session: Session, /, names: tuple[str, ...], party: str, no_anchor: bool, **deal: Any) -> int:
        from ledger.service.deals import Deal

        if not deal["previous"] and not (names and party):
            raise click.UsageError("name ASSET and --with, or the step that this one answers with --previous")
        asked = Deal(names=names, to=party, side=side, **deal)  # type: ignore[arg-type] # one of two
        done = session.open().negotiate(state, asked, anchor=not no_anchor)  # type: ignore[arg-type]
        return session.settle(done)

    name = {"REQUESTED": "request", "OFFERED": "offer"}[state]
    command(name, group=agree, answers="Receipt", example=example, help=text)(take)


_proposal(
    "REQUESTED",
    "consumer",
    'dataledger agree request haina/orders --with haina --rights use --price "1.00 CNY" --unit row',
    """Ask the provider for rights in data: the consumer's first step, or its answer to an offer.""",
)
_proposal(
    "OFFERED",
    "provider",
    'dataledger agree offer --previous 3f9a2c41 --rights use --purpose risk --price "1.20 CNY" --unit row',
    """Offer rights in data to a consumer: the provider's first step, or its answer to a request.""",
)


def _answer(name: str, state: str, text: str) -> None:
    """Declare a step without terms."""

    @click.argument("record")
    @no_anchor
    @pass_session
    def take(session: Session, /, record: str, no_anchor: bool) -> int:
        done = session.open().answer(state, record, anchor=not no_anchor)  # type: ignore[arg-type] # one of four
        return session.settle(done)

    command(name, group=agree, answers="Receipt", example=f"dataledger agree {name} 3f9a2c41", help=text)(
        take
    )


_answer("accept", "ACCEPTED", "Accept the offer that RECORD is: the consumer's step.")
_answer("verify", "VERIFIED", "Say that what was agreed by RECORD is as it should be: the consumer's step.")
_answer("finalize", "FINALIZED", "Let the agreement begin, after the consumer verified it by RECORD.")
_answer("terminate", "TERMINATED", "Break off the negotiation at the step RECORD: either's step.")


@command(
    "end",
    group=agree,
    answers="Signed",
    example="""
dataledger agree end 3f9a2c41 --from 2027-01-01 --reason "the project is over" -o end.json""",
)
@click.argument("record")
@click.option("--from", "since", default="", metavar="DATE|TIME", help="From when on. Default: at once.")
@click.option("--reason", default="", help="Why: published in the record.")
@click.option("-o", "--out", type=a_file, required=True, metavar="FILE", help="Where to write it.")
@pass_session
def end(session: Session, record: str, since: str, reason: str, out: Path) -> int:
    """Take an agreement back together: signed by you, for the other party to sign.

    An agreement binds both, so both have to take it back: the file goes the same way as the agreement did.
    """
    done = session.open().end_agreement(record, out, since=since, reason=reason)
    return _signed(session, done)


@command(
    answers="Receipt",
    example="""
dataledger deliver 3f9a2c41 haina/orders@2 --units 12000 --charged "120.00 CNY" --purpose risk
dataledger deliver 3f9a2c41 haina/orders@2 --units 500 --process stream-7 --more
dataledger deliver 3f9a2c41 --process stream-7""",
)
@click.argument("agreement")
@click.argument("versions", metavar="[ASSET@N]...", nargs=-1)
@click.option(
    "--units",
    type=click.IntRange(0, MOST_UNITS),
    metavar="N",
    default=0,
    help="How many were delivered since the step before.",
)
@click.option("--charged", default="", metavar="'AMOUNT CUR'", help="What was asked for all of them.")
@click.option("--purpose", default="", help="What for.")
@click.option("--region", default="", metavar="CN|CN-44", help="Where to.")
@click.option(
    "--process", default="", metavar="ID", help="The transfer that this is a step of. Default: a new one."
)
@click.option("--more", "state", flag_value="STARTED", help="More will follow: the transfer stays open.")
@click.option("--suspend", "state", flag_value="SUSPENDED", help="The transfer pauses.")
@click.option("--terminate", "state", flag_value="TERMINATED", help="The transfer is broken off.")
@click.option("--request", "state", flag_value="REQUESTED", help="Ask for a delivery: the consumer's step.")
@click.option(
    "--despite-findings", is_flag=True, help="Record what happened although it is not as it was agreed."
)
@no_anchor
@pass_session
def deliver(
    session: Session, /, despite_findings: bool, no_anchor: bool, state: str | None, **handover: Any
) -> int:
    """Record what was delivered under an agreement.

    AGREEMENT is the record of any of its steps. Without --more or another state the transfer is completed.
    What was not agreed, a version, a purpose or a price say, is refused; if it happened all the same it can
    be recorded, and is a finding for everybody.
    """
    from ledger.service.deals import Handover

    asked = Handover(**handover, state=state or "COMPLETED")  # type: ignore[arg-type] # one of the flags
    return session.settle(session.open().deliver(asked, despite=despite_findings, anchor=not no_anchor))


@command(answers="Receipt", example="dataledger acknowledge 3f9a2c41 --topic received")
@click.argument("record")
@click.option("--topic", default="", metavar="WORD", help="What is acknowledged, in a word.")
@click.option("--text", default="", help="What else there is to say.")
@no_anchor
@pass_session
def acknowledge(session: Session, record: str, topic: str, text: str, no_anchor: bool) -> int:
    """Say that a delivery or a notice arrived.

    A delivery is acknowledged by the consumer, a notice by one of those it went to.
    """
    done = session.open().acknowledge(record, topic=topic, text=text, anchor=not no_anchor)
    return session.settle(done)


def _signed(session: Session, done: Signed) -> int:
    session.answer(done, render.signed)
    return UNSETTLED if done.receipt is not None and done.receipt.problem else 0


COMMANDS = (agree, deliver, acknowledge)
