"""Commands that say something about data: attest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .assets import a_path, no_anchor
from .declare import command, pass_session
from .session import Session
from .terms import LEVELS

if TYPE_CHECKING:
    from ledger.core.records_rights import Kind, Level

KINDS = (
    "review", "valuation", "quality", "certification", "objection", "consent", "incident", "notice",
    "acknowledgement", "classification",
)  # fmt: skip
OUTCOMES = ("passed", "failed", "open", "closed")


@command(
    answers="Receipt",
    example="""
dataledger attest haina/orders@2 --kind review --outcome passed --topic guideline-v2 --sample 5%
dataledger attest haina/orders --kind quality --topic completeness --score 98.5% --file report.pdf
dataledger attest haina/orders --kind valuation --amount "120000.00 CNY" --file report.pdf --private
dataledger attest haina/orders --kind certification --topic iso-8000 --until 2028-12-31
dataledger attest haina/orders --kind classification --level important --region CN
dataledger attest haina/orders --kind consent --topic service --purpose maintenance
dataledger attest haina/orders --kind notice --topic prices
dataledger attest haina/orders --kind objection --text "these are our drawings"
dataledger attest haina/orders --freeze --text "until the court has decided"
dataledger attest --about 3f9a2c --lift --text "settled" """,
)
@click.argument("names", metavar="[ASSET[@N]]...", nargs=-1)
@click.option("--kind", type=click.Choice(KINDS), help="What you say. With --freeze or --lift: objection.")
@click.option("--topic", default="", help="What it is about: a guideline, standard, measure, service.")
@click.option("--outcome", type=click.Choice(OUTCOMES), help="How it came out.")
@click.option("--amount", default="", metavar="'AMOUNT CUR'", help="What it is worth (valuation).")
@click.option("--score", default="", metavar="98.5%|9850bps", help="How good it is (quality).")
@click.option("--sample", default="", metavar="5%|500bps", help="The part that was looked at.")
@click.option("--level", type=click.Choice(LEVELS), help="How sensitive it is (classification).")
@click.option("--purpose", "purposes", multiple=True, help="What is consented to; may be repeated.")
@click.option(
    "--region",
    "regions",
    multiple=True,
    metavar="CN|CN-44",
    help="Where the data is from (classification), or where consent holds; repeatable.",
)
@click.option("--from", "start", default="", metavar="DATE", help="From when on, its anchor at the earliest.")
@click.option("--until", default="", metavar="DATE|TIME", help="Until when, the day included.")
@click.option("--about", default="", metavar="RECORD", help="The record that is meant.")
@click.option("--to", "parties", multiple=True, metavar="PARTY", help="Whom a notice concerns; repeatable.")
@click.option("--due", default="", metavar="DATE|TIME", help="By when a notice is to be acknowledged.")
@click.option("--text", default="", help="In words.")
@click.option("--file", "report", type=a_path, help="A report to go with it: public, kept beside your log.")
@click.option("--private", is_flag=True, help="Seal the report: `disclose` hands it out.")
@click.option("--freeze", is_flag=True, help="Freeze the asset, grant or agreement whose arbiter you are.")
@click.option("--lift", is_flag=True, help="Lift the freeze.")
@no_anchor
@pass_session
def attest(
    session: Session,
    names: tuple[str, ...],
    kind: Kind | None,
    topic: str,
    outcome: str | None,
    amount: str,
    score: str,
    sample: str,
    level: Level | None,
    purposes: tuple[str, ...],
    regions: tuple[str, ...],
    start: str,
    until: str,
    about: str,
    parties: tuple[str, ...],
    due: str,
    text: str,
    report: Path | None,
    private: bool,
    freeze: bool,
    lift: bool,
    no_anchor: bool,
) -> int:
    """Say something about data, as a claim of yours.

    Without ASSET it is about what the record named by --about is about. An objection flags what it is about;
    only the arbiter whom a registration or grant names freezes it, from the posting on chain until it is
    lifted. `revoke` takes a statement back: so is consent withdrawn.
    """
    from ledger.service.attesting import Assertion

    if freeze and lift:
        raise click.UsageError("--freeze or --lift, not both")
    if freeze or lift:
        if outcome or kind not in (None, "objection"):
            raise click.UsageError("a freeze is an objection, and has no other outcome")
        kind, outcome = "objection", "frozen" if freeze else "lifted"
    if kind is None:
        raise click.UsageError("say what kind of statement it is: --kind")
    assertion = Assertion(
        kind=kind,
        names=names,
        topic=topic,
        text=text,
        outcome=outcome or "",
        amount=amount,
        score=score,
        sample=sample,
        level=level,
        purposes=purposes,
        regions=regions,
        start=start,
        until=until,
        about=about,
        to=parties,
        due=due,
        report=report,
        private=private,
    )
    return session.settle(session.open().attest(assertion, anchor=not no_anchor))


COMMANDS = (attest,)
