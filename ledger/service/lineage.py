"""What something is made from, and what was made from it."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from ledger.core.lineage import LineageGraph
from ledger.service.context import Context
from ledger.service.syncing import fresh
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
    """Walk the lineage of a reference; `as_of` is a block number or a time.

    Without it, what is pending in the own log counts too, and the block in the answer is how far the index
    goes. A limit that was hit is in the answer.
    """
    index = fresh(context)
    block, time_unix_s = (None, None) if as_of is None else read_as_of(as_of)
    graph = index.lineage(
        context.known.reference(reference),
        direction=direction,
        level=level,
        depth=depth,
        as_of=block,
        as_of_time_unix_s=time_unix_s,
        column=column,
        limit=limit,
    )
    return msgspec.structs.replace(
        graph,
        as_of_block=index.summary().head if graph.as_of_block is None else graph.as_of_block,
        as_of_time=as_of if as_of is not None and block is None else "",
    )


def read_as_of(text: str) -> tuple[int | None, int | None]:
    """Read a block number (of up to 15 digits) or a time."""
    if _block_number(text):
        return int(text), None
    return None, parse_time(text)
