"""When a transfer, revocation or freeze begins to bind others: not before its id is posted on chain.

Source: docs/formats.md section 8. A hidden log could show any number of old transfers and revocations; what
takes something away from others therefore counts only from the block where both its anchor and its posting
are there. A transfer counts for records anchored in *later* blocks, and of an asset's transfers one binds in
a block: the order of a block's events is not in storage, so that evidence could not show it. Whether the
record was accepted at all is judged in `authority`.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from ledger.core.digests import ASSET, target_of_asset, target_of_record
from ledger.core.identity import parse_did
from ledger.core.records import Attestation, Predicate, Revocation, Statement, Transfer


class Offer(Struct, frozen=True, gc=False):
    """An accepted transfer that is posted: its record id, giver and receiver, number of the giver's post."""

    record: bytes
    giver: bytes
    receiver: bytes
    n: int


def is_posted_type(predicate: Predicate) -> bool:
    """Tell whether a record of this type has no effect until it is posted."""
    return isinstance(predicate, Transfer | Revocation) or is_freeze(predicate)


def is_freeze(predicate: Predicate) -> bool:
    """Tell whether a record is an arbiter's freeze."""
    return isinstance(predicate, Attestation) and predicate.outcome == "frozen"


def posting_target(statement: Statement) -> bytes:
    """Give the 32-byte target against which a transfer, revocation or freeze is posted."""
    predicate = statement.predicate
    if isinstance(predicate, Revocation | Attestation):
        return target_of_record(bytes.fromhex(predicate.target))
    return target_of_asset(statement.subject[0].digest[ASSET])


def posters(predicate: Transfer | Revocation | Attestation) -> list[bytes]:
    """Give the parties (20 bytes) whose posting counts: a transfer's giver, any author of the others."""
    dids = [predicate.giver] if isinstance(predicate, Transfer) else predicate.authors
    return [parse_did(did)[1] for did in dids]


def effective_block(anchor_block: int, posted_block: int | None) -> int | None:
    """Give the block in which an accepted record takes effect, None while it is not posted.

    `posted_block` is that of the first posting of its id by one of `posters` against its `posting_target`.
    """
    return None if posted_block is None else max(anchor_block, posted_block)


def binding_offer(offers: Iterable[Offer], holder: bytes | None) -> Offer | None:
    """Choose among the transfers of one asset that would take effect in the same block; the others are void.

    `holder` is who held the asset before (`Facts.holder` of that block): nobody else has it to give, and only
    the first that was posted finds it still there.
    """
    return min((offer for offer in offers if offer.giver == holder), key=lambda offer: offer.n, default=None)
