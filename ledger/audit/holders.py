"""Who held an asset, from the chain's storage and the transfers at hand.

Source: docs/formats.md section 8. A transfer binds from its posting, and postings are in storage: whoever
ever held the asset, as owner of its namespace or as receiver of a transfer, either posted nothing against it,
or what was posted has to be at hand. A posting of a holder whose record is not had leaves a doubt. So does a
transfer that was posted before it was anchored: no log proves that the anchor at hand is that of its first
entry, and an earlier one would have bound earlier.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

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
    """The holder for records of a block (None: nobody), and what might change that: who posted what."""

    holder: bytes | None
    doubts: tuple[tuple[bytes, bytes], ...] = ()


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
    holder = moves[-1].receiver if moves else _owner(owners, block)
    seen = {each.record: each for each in transfers}
    bound = {each.record for each in moves}
    doubts = (
        (party, record)
        for party, posted in posts.items()
        for record, posted_block in posted
        if record not in bound
        if _held_within(party, posted_block, _end_of_doubt(seen.get(record), party, block), owners, moves)
    )
    return Holding(holder, tuple(dict.fromkeys(doubts)))


def ever_held(
    chain: ChainView, ledger_id: bytes, asset: str, block: int, transfers: Sequence[SeenTransfer]
) -> list[bytes]:
    """Return who ever held an asset by the end of `block`, the owners until the first move too."""
    owners = [entry for entry in chain.owners(namespace_of(asset)) if entry[1] <= block]
    posts = _posts(chain, target_of_asset(asset_digest(ledger_id, asset)), owners, transfers)
    moves = list(_moves(owners, _offers(posts, transfers), block + 1))
    first = moves[0].block if moves else block
    held = [owner for owner, start in owners if start <= first]
    return list(dict.fromkeys([*held, *(move.receiver for move in moves)]))


def _end_of_doubt(seen: SeenTransfer | None, party: bytes, block: int) -> int:
    """Return the block before which what `party` posted might have taken effect unseen."""
    if seen is None:
        return block
    return min(seen.anchor_block, block) if seen.giver == party else 0


Posts = Mapping[bytes, Sequence[tuple[bytes, int]]]
Owners = Sequence[tuple[bytes, int]]


class Move(NamedTuple):
    """A transfer that took effect: in which block, its record, and who received the asset."""

    block: int
    record: bytes
    receiver: bytes


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


def _moves(owners: Owners, offers: Mapping[int, list[Offer]], before: int) -> Iterator[Move]:
    """Yield the transfers that took effect before a block, in their order."""
    receiver = None
    for block, those in offers.items():
        if block >= before:
            return
        binding = binding_offer(those, _owner(owners, block) if receiver is None else receiver)
        if binding is not None:
            receiver = binding.receiver
            yield Move(block, binding.record, receiver)


def _owner(owners: Owners, block: int) -> bytes | None:
    """Return the namespace's owner at the end of a block."""
    return next((owner for owner, start in reversed(owners) if start <= block), None)


def _held_within(party: bytes, posted: int, end: int, owners: Owners, moves: Sequence[Move]) -> bool:
    """Tell whether `party` may have held the asset for some block from `posted` to before `end`.

    Only then could a transfer that it posted have taken effect.
    """
    starts = {posted, *(start for _, start in owners), *(move.block + 1 for move in moves)}
    return any(_holder_for(at, owners, moves) == party for at in starts if posted <= at < end)


def _holder_for(block: int, owners: Owners, moves: Sequence[Move]) -> bytes | None:
    received = [move.receiver for move in moves if move.block < block]
    return received[-1] if received else _owner(owners, block)
