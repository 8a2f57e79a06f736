"""Commands about incidents: open, notify, acknowledge, close, show."""

from __future__ import annotations

import click

from .assets import no_anchor
from .declare import command, group, pass_session
from .render import recalling
from .session import UNSETTLED, Session


@group("incident")
def incident() -> None:
    """Find and tell everybody whom bad data concerns."""


a_text = click.option("--text", default="", help="In words.")


@command(
    "open",
    group=incident,
    answers="Receipt",
    example="""
dataledger incident open haina/orders --topic breach --since 2027-03-01 --text "copied by an outsider"
dataledger incident open haina/orders@2 haina/sensors@7 --topic wrong-units""",
)
@click.argument("names", metavar="ASSET[@N]...", nargs=-1, required=True)
@click.option("--topic", required=True, help="What kind of incident: breach, wrong-units, ...")
@click.option(
    "--since", default="", metavar="DATE|TIME", help="Of an ASSET, only what was not on record before."
)
@a_text
@no_anchor
@pass_session
def open_(
    session: Session, names: tuple[str, ...], topic: str, since: str, text: str, no_anchor: bool
) -> int:
    """Say that something is wrong with data.

    ASSET means all of its versions, ASSET@N one. `incident show` then lists everything made from it and
    everybody whom that concerns.
    """
    done = session.open().open_incident(names, topic=topic, since=since, text=text, anchor=not no_anchor)
    return session.settle(done)


@command(
    group=incident,
    answers="Receipt",
    example="""
dataledger incident notify 3f9a2c --due 2027-03-08
dataledger incident notify 3f9a2c --to jinlong --text "please delete your copies" """,
)
@click.argument("what", metavar="INCIDENT")
@click.option("--to", "parties", multiple=True, metavar="PARTY", help="Only these; may be repeated.")
@click.option("--due", default="", metavar="DATE|TIME", help="By when they are to acknowledge it.")
@a_text
@no_anchor
@pass_session
def notify(
    session: Session, what: str, parties: tuple[str, ...], due: str, text: str, no_anchor: bool
) -> int:
    """Tell everybody whom an incident of yours concerns.

    Who was told before is not told again, except with --to. Exits with 3 if a log can't be had that may name
    more of them.
    """
    done = session.open().notify_incident(what, to=parties, due=due, text=text, anchor=not no_anchor)
    return session.settle(done)


@command(group=incident, answers="Receipt", example="dataledger incident acknowledge 7c41d0")
@click.argument("what", metavar="NOTICE")
@a_text
@no_anchor
@pass_session
def acknowledge(session: Session, what: str, text: str, no_anchor: bool) -> int:
    """Acknowledge a notice that went to you.

    NOTICE may be the incident: then all of its notices to you are meant. `incident show` lists what waits
    for you.
    """
    return session.settle(session.open().acknowledge_notice(what, text=text, anchor=not no_anchor))


@command(
    group=incident,
    answers="Receipt",
    example="""dataledger incident close 3f9a2c --text "all copies deleted" """,
)
@click.argument("what", metavar="INCIDENT")
@a_text
@no_anchor
@pass_session
def close(session: Session, what: str, text: str, no_anchor: bool) -> int:
    """Say that an incident of yours is over; what is outstanding is said."""
    return session.settle(session.open().close_incident(what, text=text, anchor=not no_anchor))


@command(
    group=incident,
    answers="Incident|Incidents",
    example="""
dataledger incident show
dataledger incident show 3f9a2c""",
)
@click.argument("what", metavar="[INCIDENT]", required=False)
@pass_session
def show(session: Session, what: str | None) -> int:
    """Show an incident: what is affected, whom it concerns, who was told.

    Without INCIDENT all of them are listed, and the notices that you have to acknowledge. Exits with 3 if a
    log can't be had that may say more.
    """
    if what is None:
        session.answer(session.open().incidents(), recalling.incidents)
        return 0
    found = session.open().incident(what)
    session.answer(found, recalling.incident)
    return 0 if found.complete else UNSETTLED


COMMANDS = (incident,)
