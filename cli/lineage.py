"""Commands that answer questions about data: trace, impact, verify, audit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from . import render
from .common import Command, Session, pass_session

FORMATS = ("tree", "table", "json", "dot", "mermaid")


def lineage_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that trace and impact share."""
    for option in (
        click.option(
            "--limit",
            type=click.IntRange(1),
            default=100_000,
            show_default=True,
            help="Stop after so many versions, and say so.",
        ),
        click.option("--column", help="Follow one column instead of whole versions."),
        click.option("--at", "as_of", metavar="BLOCK|TIME", help="As of a block number or an RFC 3339 time."),
        click.option(
            "--level",
            type=click.Choice(("version", "asset")),
            default="version",
            show_default=True,
            help="Show versions, or assets.",
        ),
        click.option("--depth", type=click.IntRange(1), help="Go at most so many steps."),
        click.option(
            "--format",
            "format_",
            type=click.Choice(FORMATS),
            default="tree",
            show_default=True,
            help="How to show it.",
        ),
    ):
        function = option(function)
    return function


def _show_lineage(session: Session, reference: str, direction: str, format_: str, **query: Any) -> None:
    graph = session.open().lineage(reference, direction=direction, **query)
    if session.as_json or format_ == "json":
        click.echo(render.lineage(graph, "json"))
    else:
        click.echo(render.lineage(graph, format_))


@click.command(
    cls=Command,
    example="dataledger trace haina/demand\ndataledger trace haina/demand@2 --format mermaid\ndataledger trace haina/demand --column units",
)
@click.argument("reference")
@lineage_options
@pass_session
def trace(session: Session, reference: str, format_: str, **query: Any) -> None:
    """Show what REFERENCE (an asset, version, digest or alias) is made from: who, when, anchored where."""
    _show_lineage(session, reference, "upstream", format_, **query)


@click.command(
    cls=Command,
    example="dataledger impact haina/sensors\ndataledger impact haina/sensors@1 --level asset --format table",
)
@click.argument("reference")
@lineage_options
@pass_session
def impact(session: Session, reference: str, format_: str, **query: Any) -> None:
    """Show what is affected if REFERENCE is bad: everything made from it."""
    _show_lineage(session, reference, "downstream", format_, **query)


@click.command(
    cls=Command, example="dataledger verify demand.csv\ndataledger verify parts.csv --as jinlong/parts"
)
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--as", "asset", metavar="ASSET", help="Good only if this asset has a version with this content."
)
@pass_session
def verify(session: Session, path: Path, asset: str | None) -> int:
    """Say which version the file or folder PATH is, who claims it, and whether that is anchored.

    Exits with 0 only if a version of yours, of a party you trust, or of the asset named with --as has this
    very content, and its record, signature, key, inclusion and anchor all hold. 1: it does not; 3: not
    anchored yet.
    """
    found = session.open().verify(path, asset=asset)
    session.answer(found, render.file_verdict(found))
    return {"good": 0, "unconfirmed": 3}.get(found.verdict, 1)


@click.command(cls=Command, example="dataledger audit")
@pass_session
def audit(session: Session) -> int:
    """Recompute everything from stored bytes: hashes, trees, signatures, anchors, attachments, index."""
    report = session.open().audit()
    session.answer(report, render.audit(report))
    return 0 if report.good else 1


COMMANDS = (trace, impact, verify, audit)
