"""Two answers about one chain: the workspace's own, and that of another node or file."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.chain.connect import open_reader
from ledger.chain.interface import Reader
from ledger.service.context import Context
from ledger.service.forks import chain_fork, chain_head
from ledger.service.results import Fork


def compare_chains(context: Context, location: str) -> Iterator[Fork]:
    """Yield where another chain, at a path or URL, contradicts the workspace's own on what is final on both.

    Raises WrongLedger if it is a chain of another ledger, Unavailable if it can't be had.
    """
    other = open_reader(location, context.descriptor, context.chain_options)
    try:
        fork = _first_difference(context, context.reader, other)
        if fork is not None:
            yield fork
    finally:
        other.close()


def _first_difference(context: Context, ours: Reader, theirs: Reader) -> Fork | None:
    """Return the contradiction at the first final block on which the two don't agree.

    Blocks name their parents: where two agree, they agree on everything before, so it is a binary search.
    """
    high = min(ours.final_number(), theirs.final_number())
    if _agree(ours, theirs, high):
        return None
    low = 0  # block 0 is the ledger's, or opening would have failed
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _agree(ours, theirs, middle) else (low, middle)
    return chain_fork(
        high,
        chain_head(context, ours, ours.location, high),
        chain_head(context, theirs, theirs.location, high),
    )


def _agree(ours: Reader, theirs: Reader, number: int) -> bool:
    left, right = ours.block(number), theirs.block(number)
    return left is not None and right is not None and left.hash == right.hash
