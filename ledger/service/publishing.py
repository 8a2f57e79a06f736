"""From a batch to anchored records: append, anchor, bring the index up to date.

The log is committed first and the chain second: what is in the log and not in a block is pending, and
anchoring again picks it up. Before a writer anchors it proves to itself that its log extends the anchored head,
because a true root under a wrong size would pass the contract and block the log for good.
"""

from __future__ import annotations

import time

import msgspec

from ledger.chain import contracts
from ledger.core import signing
from ledger.core.chain_facts import BlockRef
from ledger.core.errors import Unauthorized, Unavailable
from ledger.service.batch import Batch
from ledger.service.context import Context
from ledger.service.results import Receipt, RecordRef
from ledger.service.times import format_time


def publish(
    context: Context, batch: Batch, *, anchor: bool = True, notes: list[str] | None = None
) -> Receipt:
    """Append the batch to the own log, anchor it if asked, and bring the index up to date.

    The caller holds `context.writing()`. When anchoring fails because the chain can't be had, the records are kept,
    pending, and the receipt says so.
    """
    said = list(notes or [])
    check_key(context)
    refs, stop = keep(context, batch)
    block: BlockRef | None = None
    if anchor and context.config.anchor == "auto":
        try:
            block = anchor_pending(context)
        except Unavailable as error:
            said.append(f"recorded but not anchored: {error}; `dataledger anchor` anchors it later")
    context.refresh()
    return Receipt(
        records=refs,
        log=context.log_id.hex(),
        size=stop,
        block=block.number if block else None,
        block_time=format_time(block.time_unix_s) if block else "",
        notes=said,
    )


def keep(context: Context, batch: Batch) -> tuple[list[RecordRef], int]:
    """Append a batch to the own log, durably; return its records with their places, and the log's size."""
    start, stop = append(context, batch.entries())
    return [msgspec.structs.replace(ref, entry=start + i) for i, ref in enumerate(batch.refs)], stop


def append(context: Context, entries: list[bytes]) -> tuple[int, int]:
    """Append entries to the own log under a signed checkpoint, durably, and return their range."""
    return context.log.append(entries, signing.signer(context.record_seed), on_wait=context.notify)


def anchor_pending(context: Context) -> BlockRef | None:
    """Anchor what the own log holds beyond its anchored head; None if there is nothing.

    Raises Corrupt or Forked if the log is not the one that was anchored; Unfunded, Unavailable, Rejected.
    """
    log = context.log
    log.refresh()
    with context.client() as client:
        head = client.log_head(context.log_id)
        anchored = head.size if head else 0
        if head:
            log.require_extends(head.size, head.root)
        if log.size == anchored:
            return None
        kept = log.keep_checkpoint()
        call = contracts.anchor(
            context.descriptor,
            context.address,
            context.config.log_number,
            old_size=anchored,
            size=kept.size,
            root=kept.root,
            proof=log.prove_consistency(anchored, kept.size) if anchored else [],
        )
        return client.send(call, context.account_key)


def check_key(context: Context) -> None:
    """Raise Unauthorized unless the key in use is published and valid now: nothing is signed that would be rejected."""
    state = context.index.key_state(context.address, context.record_key)
    hint = "make and publish a new one: dataledger key rotate"
    if state is None:
        raise Unauthorized(
            "key-unknown",
            f"the key in use, {context.record_key.hex()}, is not published on the chain",
            hint=hint,
        )
    if state.revoked_block:
        raise Unauthorized(
            "key-revoked", f"the key in use was revoked in block {state.revoked_block}", hint=hint
        )
    if state.valid_to_unix_s < time.time():
        raise Unauthorized(
            "key-expired", f"the key in use expired on {format_time(state.valid_to_unix_s)}", hint=hint
        )


def anchor(context: Context) -> Receipt:
    """Anchor what is pending, all of it in one transaction."""
    with context.writing():
        block = anchor_pending(context)
        context.refresh()
    notes = [] if block else ["nothing is pending: every record is anchored"]
    return Receipt(
        records=[],
        log=context.log_id.hex(),
        size=context.log.size,
        block=block.number if block else None,
        block_time=format_time(block.time_unix_s) if block else "",
        notes=notes,
    )
