"""Commands that answer questions about data: trace, impact, audit."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypedDict, TypeVar, Unpack

import click

from .declare import command, count_option, pass_session
from .mistakes import perhaps_a_file
from .render import asking
from .session import Session

if TYPE_CHECKING:
    from ledger.service.lineage import Direction

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
    answers="LineageGraph",
    example="""
dataledger impact haina/sensors
dataledger impact haina/sensors@1 --level asset --format table""",
)
@click.argument("reference")
@lineage_options
@pass_session
def impact(session: Session, /, reference: str, view: str, **query: Unpack[Query]) -> None:
    """Show what is affected if something is bad.

    That is everything made from REFERENCE, which is an asset, a version, a digest or an alias.
    """
    _show_lineage(session, reference, "downstream", view, query)


@command(answers="AuditReport", example="dataledger audit")
@pass_session
def audit(session: Session) -> int:
    """Recompute everything from stored bytes.

    Hashes, trees, signatures, authority, anchors, attachments and the index. Exits with 1 if anything fails.
    """
    report = session.open().audit()
    session.answer(report, asking.audit)
    return 0 if report.good else 1


COMMANDS = (trace, impact)
