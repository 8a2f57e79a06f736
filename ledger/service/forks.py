"""Contradictions: two heads of one log, or two answers of one chain, that cannot both be true.

Once seen they are kept as files in the workspace, with the signed checkpoints byte for byte: whoever signed
two of them can't deny it, and no later sync makes it unseen. `audit`, `status` and `findings` go on showing
them until a person deletes the file.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

import msgspec

from ledger.chain.interface import EMBEDDED, Reader
from ledger.core.chain_facts import Checkpoint
from ledger.core.encoding import decode_json
from ledger.core.errors import Unavailable
from ledger.index import Index
from ledger.service.context import Context
from ledger.service.results import Fork, ForkHead, Problem
from ledger.store.forks import MAX_PROOF, ForkFolder

FORK, SAME_SIZE = "fork", "fork-same-size"
CHAIN_FORK, CHAIN_ROLLED_BACK = "chain-fork", "chain-rolled-back"


def signed(source: str, note: bytes, size: int, root: bytes) -> ForkHead:
    """Return a signed head of a log; `source` says where it was found."""
    return ForkHead(source=source, size=size, root=root.hex(), note=note.decode("utf-8", "replace"))


def anchored(point: Checkpoint) -> ForkHead:
    """Return an anchored head of a log."""
    return ForkHead(
        source=f"anchored as checkpoint {point.n}", size=point.size, root=point.root.hex(), block=point.block
    )


def log_fork(log: bytes, party: str, ours: ForkHead, theirs: ForkHead) -> Fork:
    """Return the contradiction of two heads of a log."""
    same = ours.size == theirs.size
    relation = "two roots for one size" if same else "neither extends the other"
    text = (
        f"{ours.source}: root {ours.root} at size {ours.size};"
        f" {theirs.source}: root {theirs.root} at size {theirs.size}: {relation}"
    )
    kind = SAME_SIZE if same else FORK
    return Fork(kind=kind, log=log.hex(), party=party, text=text, heads=[ours, theirs])


def keep(context: Context, fork: Fork) -> bool:
    """Keep a contradiction as proof, and tell whether it is a new one."""
    name = f"{fork.kind}-{fork.log[:16]}" if fork.log else fork.kind
    return ForkFolder(context.workspace.forks).keep(name, msgspec.json.encode(fork)) is not None


def kept(context: Context) -> list[Fork]:
    """Return every contradiction that was kept. Raises Corrupt, FormatError for a file that was altered."""
    found = []
    for path, data in ForkFolder(context.workspace.forks).read():
        fork = decode_json(data, Fork, what=str(path), max_bytes=MAX_PROOF)
        found.append(msgspec.structs.replace(fork, path=str(path)))
    return found


def problem(fork: Fork) -> Problem:
    """Put a contradiction in words."""
    where = f"; proof: {fork.path}" if fork.path else ""
    subject = f"log of {fork.party}" if fork.log else "chain"
    return Problem(kind=fork.kind, severity="error", subject=subject, text=fork.text + where, log=fork.log)


def note_chain_fork(context: Context, reader: Reader) -> Fork | None:
    """Keep it as proof if the chain denies a block that was final when the index was there.

    Called before the index follows the chain, which makes it forget what the chain says no more. A node that
    has not got so far may only lag behind: that is Unavailable, and nothing is forgotten.
    """
    index, known = context.index, None
    with suppress(Unavailable):  # an index of another release remembers nothing
        known = index.final_known() if index.head is not None else None
    return None if known is None else _note_denied(context, index, reader, *known)


def _note_denied(context: Context, index: Index, reader: Reader, number: int, known: bytes) -> Fork | None:
    now = reader.block(number)
    if now is not None and now.hash == known:
        return None
    if now is None and reader.kind != EMBEDDED:
        raise Unavailable(
            f"{reader.location} is at block {reader.head().number}, and block {number} was final here before",
            hint="the node lags behind, or its chain was put back: try again, or another node;"
            " dataledger sync --rebuild believes it",
        )
    fork = chain_fork(
        number,
        _head_there(context, index, "this workspace's index", number, known),
        chain_head(context, reader, reader.location, number),
    )
    if keep(context, fork):
        context.notify(f"{fork.kind}: {fork.text}")
    return fork


def chain_fork(number: int, ours: ForkHead, theirs: ForkHead) -> Fork:
    """Return the contradiction of two answers about block `number`, of which `theirs` may have none."""
    gone = theirs.block is None or theirs.block < number
    found = (
        f"{theirs.source} ends at block {theirs.block}: it was put back to an older state"
        if gone
        else f"{theirs.source} has {theirs.block_hash}"
    )
    text = f"block {number} was final and had the hash {ours.block_hash} ({ours.source}); {found}"
    kind = CHAIN_ROLLED_BACK if gone else CHAIN_FORK
    return Fork(kind=kind, log="", party="", text=text, heads=[ours, theirs])


def chain_head(context: Context, reader: Reader, source: str, number: int) -> ForkHead:
    """Return what a chain says of block `number`, or of its last one, and the own log's anchored head."""
    block = reader.block(number) or reader.head()
    head = reader.log_head(context.log_id)
    return ForkHead(
        source=source,
        size=head.size if head else None,
        root=head.root.hex() if head else "",
        block=block.number,
        block_hash=f"0x{block.hash.hex()}",
    )


def _head_there(context: Context, index: Index, source: str, number: int, known: bytes) -> ForkHead:
    confirmed = index.confirmed(context.log_id)
    size, root = confirmed or (None, b"")
    return ForkHead(source=source, size=size, root=root.hex(), block=number, block_hash=f"0x{known.hex()}")


def problems(forks: Iterable[Fork]) -> list[Problem]:
    """Put contradictions in words."""
    return [problem(fork) for fork in forks]
