"""Commands that answer questions about data: trace, impact, audit."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypedDict, TypeVar, Unpack

import click

from .declare import command, count_option, pass_session
from .mistakes import perhaps_a_file
from .render import asking, recalling
from .session import UNSETTLED, Session

if TYPE_CHECKING:
    from ledger.service.lineage import Direction

is_record = re.compile("[0-9a-f]{4,64}").fullmatch
FORMATS = ("tree", "table", "json", "dot", "mermaid")

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class Query(TypedDict):
    """What trace and impact can be asked besides what about."""

    level: Literal["version", "asset"]
    depth: int | None
    as_of: str | None
    column: str | None
    limit: int


def lineage_options(function: Decorated) -> Decorated:
    """Add the options that trace and impact share."""
    formats, levels = click.Choice(FORMATS), click.Choice(("version", "asset"))
    options = (
        click.option(
            "--format", "view", type=formats, default="tree", show_default=True, help="How to show it."
        ),
        click.option(
            "--level", type=levels, default="version", show_default=True, help="Show versions, or assets."
        ),
        count_option("--depth", "Go at most so many steps."),
        click.option("--at", "as_of", metavar="BLOCK|TIME", help="As of a block number or an RFC 3339 time."),
        click.option("--column", help="Follow one column instead of whole versions."),
        count_option("--limit", "Stop after so many versions, and say so.", default=100_000),
    )
    for option in reversed(options):
        function = option(function)
    return function


def _show_lineage(session: Session, reference: str, direction: Direction, view: str, query: Query) -> None:
    with perhaps_a_file(reference):
        graph = session.open().lineage(reference, direction=direction, **query)
    from ledger.formats import lineage_views

    session.print(lineage_views.render(graph, "json" if session.as_json else view))


@command(
    answers="LineageGraph",
    example="""
dataledger trace haina/demand
dataledger trace haina/demand@2 --format mermaid
dataledger trace haina/demand --column units""",
)
@click.argument("reference")
@lineage_options
@pass_session
def trace(session: Session, /, reference: str, view: str, **query: Unpack[Query]) -> None:
    """Show what something is made from.

    REFERENCE is an asset, a version (NAME@2), a digest (NAME@sha256:...) or an alias. Each line of the
    answer says which content, by whom, when, and where it is anchored.
    """
    _show_lineage(session, reference, "upstream", view, query)


@command(
    answers="LineageGraph | Recall | ConsentImpact",
    example="""
dataledger impact haina/sensors
dataledger impact haina/sensors@1 --level asset --format table
dataledger impact haina/sensors --parties
dataledger impact 3f9a2c --parties""",
)
@click.argument("reference")
@lineage_options
@click.option("--parties", is_flag=True, help="List whom it concerns, too: holders, makers, takers, buyers.")
@pass_session
def impact(session: Session, /, reference: str, view: str, parties: bool, **query: Unpack[Query]) -> int:
    """Show what is affected if something is bad.

    That is everything made from REFERENCE, which is an asset, a version, a digest or an alias. With --parties
    also the same content under other names, and everybody whom it concerns; then only --at goes with it, and
    it exits with 3 if a log can't be had that may say more. A record of a consent is
    answered with who must stop once it is withdrawn, and what stays lawful.
    """
    if not parties:
        _show_lineage(session, reference, "downstream", view, query)
        return 0
    if view != "tree" or query["level"] != "version" or query["depth"] or query["column"]:
        raise click.UsageError("--parties shows all of it: only --at goes with it")
    from ledger.service.results import ConsentImpact

    ledger = session.open()
    with perhaps_a_file(reference):
        if is_record(reference) and not query["as_of"]:
            found = ledger.impact_of_record(reference)
        else:
            found = ledger.recall(reference, as_of=query["as_of"])
    if isinstance(found, ConsentImpact):
        session.answer(found, recalling.consent)
    else:
        session.answer(found, recalling.recall)
    return 0 if found.complete else UNSETTLED


@command(
    answers="AuditReport",
    example="""
dataledger audit
dataledger audit --settlements
dataledger audit --log jinlong --since 2026-01-31""",
)
@click.option(
    "--log",
    "logs",
    metavar="PARTY|LOGID",
    multiple=True,
    help="Only this party's logs, or the log whose id begins so; may be repeated.",
)
@click.option(
    "--since",
    default="",
    metavar="BLOCK|TIME",
    help="Leave out signatures of what was anchored before. Trees are recomputed all the same.",
)
@click.option(
    "--against",
    default="",
    metavar="PATH|URL",
    help="Another file of the chain, or another node: it has to give the same answers.",
)
@click.option("--settlements", is_flag=True, help="Recompute every settlement too: who was owed what.")
@pass_session
def audit(session: Session, logs: tuple[str, ...], since: str, against: str, settlements: bool) -> int:
    """Recompute everything from stored bytes.

    Hashes, trees, signatures, authority, anchors, attachments and the index, of your own log and of all
    that you follow; two heads that can't both be true come out as a fork. Ends with the state digest, which
    two auditors can compare. Exits with 1 if anything fails. With --log or --since, what was not looked at
    is listed, and the exit code is 3 if nothing else is wrong.
    """
    report = session.open().audit(logs=logs, since=since, against=against, settlements=settlements)
    session.answer(report, asking.audit)
    return {"good": 0, "partial": UNSETTLED}.get(report.verdict, 1)


COMMANDS = (trace, impact)
