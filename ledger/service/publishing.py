"""From a batch to anchored records: append, anchor, bring the index up to date.

The log is committed first and the chain second: what is in the log and not in a block is pending, and
anchoring again picks it up. Before a writer appends it proves to itself that its log extends the anchored
head: a log that was put back to an older state would fork, and a true root under a wrong size would block it
for good.

Callers hold `context.writing()`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from ledger.chain import contracts
from ledger.chain.interface import Call
from ledger.core import signing
from ledger.core.chain_facts import BlockRef
from ledger.core.errors import LedgerError, Unauthorized, Unavailable, Usage
from ledger.service.batch import Batch
from ledger.service.context import Context
from ledger.service.logs import successor_word
from ledger.service.results import Receipt, RecordRef
from ledger.service.syncing import catch_up
from ledger.service.times import format_time

ROTATE_HINT = "make and publish a new one: dataledger key rotate"


class Kept(Struct, frozen=True):
    """Records that are in the log, durably: with their places, and the log's size with them."""

    records: list[RecordRef]
    size: int


def publish(
    context: Context, batch: Batch, *, anchor: bool, notes: Sequence[str] = (), then: Sequence[Call] = ()
) -> Receipt:
    """Append the batch to the own log, anchor it if asked, and bring the index up to date; see `settle`."""
    check_key(context)
    return settle(context, keep(context, batch), anchor=anchor, notes=notes, then=then)


def keep(context: Context, batch: Batch) -> Kept:
    """Append a batch to the own log, durably. When it raises, nothing was recorded."""
    if not len(batch):
        return Kept([], context.log.size)
    start, stop = append(context, batch.entries())
    refs = [msgspec.structs.replace(ref, entry=start + i) for i, ref in enumerate(batch.refs)]
    return Kept(refs, stop)


def append(context: Context, entries: Sequence[bytes]) -> tuple[int, int]:
    """Append entries to the own log under a signed checkpoint, durably, and return their range."""
    check_log(context)
    signer = signing.signer(context.record_seed)
    return context.log.append(entries, signer, on_wait=context.notify)


def settle(
    context: Context, kept: Kept, *, anchor: bool, notes: Sequence[str] = (), then: Sequence[Call] = ()
) -> Receipt:
    """Anchor records that are in the log, if asked, sync, and say where they stand.

    Nothing that fails from here on undoes the records: what can't be had (a chain that is locked, a node that
    does not answer) becomes the receipt's `problem`, what is wrong is told and raised. `then` is sent behind
    the anchor.
    """
    block, problem = None, ""
    try:
        block = anchor_pending(context, then) if anchor else None
    except Unavailable as error:
        problem = f"recorded, but not anchored: {error}; dataledger anchor does it later"
    except LedgerError:
        context.notify(f"{len(kept.records)} records are in the log all the same; its size is {kept.size}")
        raise
    behind = sync_behind(context)
    return receipt(context, kept.records, kept.size, block, notes=notes, problem=problem or behind)


def sync_behind(context: Context) -> str:
    """Bring the index up to date with what was just done; if that fails it is still done: say what is left to
    do.
    """
    try:
        catch_up(context)
    except LedgerError as error:
        return f"done, but the index is behind: {error}; dataledger sync brings it up to date"
    return ""


def receipt(
    context: Context,
    records: list[RecordRef],
    size: int,
    block: BlockRef | None,
    *,
    notes: Sequence[str] = (),
    problem: str = "",
) -> Receipt:
    """Put in a receipt what was written."""
    return Receipt(
        records=records,
        log=context.log_id.hex(),
        size=size,
        block=block.number if block else None,
        block_time=format_time(block.time_unix_s) if block else "",
        notes=list(notes),
        problem=problem,
    )


def anchor_pending(context: Context, then: Sequence[Call] = ()) -> BlockRef | None:
    """Anchor what the own log holds beyond its anchored head, and send what is to follow; None if there is
    nothing.

    On an embedded chain all of it is one block. Raises Corrupt or Forked if the log is not the one that was
    anchored, Usage if it was closed; Unfunded, Unavailable, Rejected.
    """
    check_open(context)
    log = context.log
    log.refresh()
    with context.client() as client:
        head = client.log_head(context.log_id)
        anchored = head.size if head else 0
        if head:
            log.require_extends(head.size, head.root)
        calls = [*([_anchor_call(context, anchored)] if log.size > anchored else []), *then]
        return client.send_all(calls, context.account_key) if calls else None


def _anchor_call(context: Context, anchored: int) -> Call:
    """Return the call that anchors the log's head, which is kept first: proofs of inclusion need it."""
    kept = context.log.keep_checkpoint()
    return contracts.anchor(
        context.descriptor,
        context.address,
        context.config.log_number,
        old_size=anchored,
        size=kept.size,
        root=kept.root,
        proof=context.log.prove_consistency(anchored, kept.size) if anchored else [],
    )


def check_log(context: Context) -> None:
    """Raise Corrupt or Forked unless the own log extends what is anchored of it.

    A node that can't be reached is not waited for: then the log is compared with what the index knows.
    """
    check_open(context)
    log = context.log
    log.refresh()
    try:
        head = context.reader.log_head(context.log_id)
        known = None if head is None else (head.size, head.root)
    except Unavailable:
        known = context.index.confirmed(context.log_id)
    if known is not None:
        log.require_extends(*known)


def check_open(context: Context) -> None:
    """Raise Usage if the log that records are to go to was closed: by a try that was interrupted, or by
    another copy of this workspace.
    """
    log_id = context.log_id
    try:
        closure = context.reader.closure(log_id)
    except Unavailable:
        known = context.index.log_progress(log_id)
        closed, at, successor = known.closed_block is not None, known.closed_at, known.successor or b""
    else:
        closed = closure is not None
        at, successor = (closure.at, closure.successor) if closure else (0, b"")
    if closed:
        raise Usage(
            f"your log {context.config.log_number} was closed, at checkpoint {at}",
            hint=f"go on with its successor: dataledger log close --at {at}"
            f" --successor {successor_word(context, successor)}",
        )


def check_key(context: Context) -> None:
    """Raise Unauthorized unless the key in use is published and valid now: nothing is signed that would be
    rejected.
    """
    state = context.index.key_state(context.address, context.record_key)
    if state is None:
        key = context.record_key.hex()
        raise Unauthorized(
            "key-unknown", f"the key in use, {key}, is not published on the chain", hint=ROTATE_HINT
        )
    if state.revoked_block:
        text = f"the key in use was revoked in block {state.revoked_block}"
        raise Unauthorized("key-revoked", text, hint=ROTATE_HINT)
    if state.valid_to_unix_s < time.time():
        text = f"the key in use expired on {format_time(state.valid_to_unix_s)}"
        raise Unauthorized("key-expired", text, hint=ROTATE_HINT)


def anchor(context: Context) -> Receipt:
    """Anchor what is pending, all of it in one transaction."""
    with context.writing():
        block = anchor_pending(context)
        problem = sync_behind(context)
        size = context.log.size
    notes = [] if block else ["nothing is pending: every record is anchored"]
    return receipt(context, [], size, block, notes=notes, problem=problem)
