"""Who held an asset, from the chain's storage and the transfers at hand.

Source: docs/formats.md section 8. A transfer binds from its posting, and postings are in storage: whoever
ever held the asset, as owner of its namespace or as receiver of a transfer, either posted nothing against it,
or what was posted has to be at hand. A posting of a holder whose record is not had leaves a doubt.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from ledger.audit.chain_view import ChainView
from ledger.core.digests import asset_digest, target_of_asset
from ledger.core.names import namespace_of
from ledger.core.postings import Offer, binding_offer, effective_block


class SeenTransfer(Struct, frozen=True, gc=False):
    """An accepted transfer of an asset: record id, parties (20 bytes each), block of its anchor."""

    record: bytes
    giver: bytes
    receiver: bytes
    anchor_block: int


class Holding(Struct, frozen=True):
    """The holder for records of a block (None: nobody), and the posted ids that might change that."""

    holder: bytes | None
    doubts: tuple[bytes, ...] = ()


def holding(
    chain: ChainView,
    ledger_id: bytes,
    asset: str,
    block: int,
    transfers: Sequence[SeenTransfer],
) -> Holding:
    """Find who held the asset for records anchored in `block`; `transfers` are those accepted before."""
    owners = [entry for entry in chain.owners(namespace_of(asset)) if entry[1] <= block]
    posts = _posts(chain, target_of_asset(asset_digest(ledger_id, asset)), owners, transfers)
    moves = list(_moves(owners, _offers(posts, transfers), block))
    holder = moves[-1][1] if moves else _owner(owners, block)
    seen = {each.record for each in transfers}
    doubts = (
        record
        for party, posted in posts.items()
        for record, posted_block in posted
        if record not in seen and posted_block < block
        if _held_since(party, posted_block, block, owners, moves)
    )
    return Holding(holder, tuple(doubts))


Posts = Mapping[bytes, Sequence[tuple[bytes, int]]]
Owners = Sequence[tuple[bytes, int]]
Moves = Sequence[tuple[int, bytes]]
"""Blocks in which the asset changed hands, ascending, with the receiver."""


def _posts(chain: ChainView, target: bytes, owners: Owners, transfers: Sequence[SeenTransfer]) -> Posts:
    """Read what everybody posted against the asset who may ever have held it."""
    parties = dict.fromkeys([owner for owner, _ in owners] + [each.receiver for each in transfers])
    return {party: chain.posts(party, target) for party in parties}


def _offers(posts: Posts, transfers: Sequence[SeenTransfer]) -> dict[int, list[Offer]]:
    """Sort the posted transfers by the block in which they would take effect."""
    offers = defaultdict(list)
    for each in transfers:
        posted = next(
            (
                (n, block)
                for n, (record, block) in enumerate(posts.get(each.giver, ()))
                if record == each.record
            ),
            None,
        )
        if posted is not None:
            effective = effective_block(each.anchor_block, posted[1])
            offers[effective].append(Offer(each.record, each.giver, each.receiver, posted[0]))
    return {block: offers[block] for block in sorted(filter(None, offers))}


def _moves(owners: Owners, offers: Mapping[int, list[Offer]], before: int) -> Iterator[tuple[int, bytes]]:
    receiver = None
    for block, those in offers.items():
        if block >= before:
            return
        binding = binding_offer(those, _owner(owners, block) if receiver is None else receiver)
        if binding is not None:
            receiver = binding.receiver
            yield block, receiver


def _owner(owners: Owners, block: int) -> bytes | None:
    """Return the namespace's owner at the end of a block."""
    return next((owner for owner, start in reversed(owners) if start <= block), None)


def _held_since(party: bytes, posted: int, block: int, owners: Owners, moves: Moves) -> bool:
    """Tell whether `party` may have held the asset for some block from `posted` to before `block`.

    Only then could a transfer that it posted have taken effect.
    """
    starts = sorted({posted, *(start for _, start in owners), *(start + 1 for start, _ in moves)})
    return any(_holder_for(at, owners, moves) == party for at in starts if posted <= at < block)


def _holder_for(block: int, owners: Owners, moves: Moves) -> bytes | None:
    received = [receiver for start, receiver in moves if start < block]
    return received[-1] if received else _owner(owners, block)
