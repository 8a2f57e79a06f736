"""What something is made from, and what was made from it."""

from __future__ import annotations

from typing import Literal

from ledger.core.lineage import LineageGraph
from ledger.service.context import Context
from ledger.service.times import parse_time

Direction = Literal["upstream", "downstream"]
Level = Literal["version", "asset"]


def lineage(
    context: Context,
    reference: str,
    *,
    direction: Direction = "upstream",
    level: Level = "version",
    depth: int | None = None,
    as_of: str | None = None,
    column: str | None = None,
    limit: int = 100_000,
) -> LineageGraph:
    """Walk the lineage of a reference. `as_of` is a block number or a time; a limit that was hit is in the answer."""
    index = context.fresh()
    return index.lineage(
        context.known.reference(reference),
        direction=direction,
        level=level,
        depth=depth,
        as_of=int(as_of) if as_of and as_of.isdigit() else None,
        as_of_time_unix_s=parse_time(as_of) if as_of and not as_of.isdigit() else None,
        column=column,
        limit=limit,
    )
