"""What something is made from, and what was made from it."""

from __future__ import annotations

from typing import Literal

from ledger.core.errors import NotFound, Usage
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
    if column is not None and level == "asset":
        raise Usage("--column follows columns of versions: leave out --level asset")
    wanted = context.known.reference(reference)
    if not index.mentioned(wanted.asset):
        raise NotFound(f"{wanted.asset} is not known here", hint="dataledger search finds assets by their texts")
    return index.lineage(
        wanted,
        direction=direction,
        level=level,
        depth=depth,
        as_of=None if as_of is None else _block(context, as_of),
        column=column,
        limit=limit,
    )


def _block(context: Context, text: str) -> int:
    """Return the block that a number or a time means: the last one that was made by then."""
    if text.isdigit():
        return int(text)
    return context.index.block_at(parse_time(text))
