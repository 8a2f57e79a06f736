"""What something is made from, and what was made from it."""

from __future__ import annotations

import re
from typing import Literal

from ledger.core.lineage import LineageGraph
from ledger.service.context import Context
from ledger.service.times import parse_time

Direction = Literal["upstream", "downstream"]
Level = Literal["version", "asset"]


_block_number = re.compile("[0-9]{1,15}").fullmatch


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
        as_of=None if as_of is None or not _block_number(as_of) else int(as_of),
        as_of_time_unix_s=None if as_of is None or _block_number(as_of) else parse_time(as_of),
        column=column,
        limit=limit,
    )
