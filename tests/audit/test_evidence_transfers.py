"""Who held an asset, by the chain's storage and the records at hand: several hands, and what casts doubt."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from fixtures.evidence_story import block_hash, real_world
from fixtures.forging import Forged, forge, write
from fixtures.onchain import RealWorld
from ledger.audit.evidence import verify_evidence
from ledger.core.digests import asset_digest, target_of_asset
from ledger.core.trust import trust_block
from ledger.core.verdict import Verdict
from tests.audit.conftest import Desk
from tests.simulator import Party

ASSET = "ann/a"
Make = Callable[..., Desk]


@pytest.fixture
def world() -> Iterator[RealWorld]:
    with real_world() as world:
        yield world


@pytest.fixture
def parties(world: RealWorld) -> tuple[Party, Party, Party]:
    """Ann, who registered an asset in her namespace; Bob and Cid."""
    ann = world.party("ann", own=True)
    ann.register(ASSET)
    ann.anchor()
    return ann, world.party("bob", namespace=False), world.party("cid", namespace=False)


def hand_over(giver: Party, receiver: Party) -> bytes:
    # a second time the same words would be the same record
    second = len(giver.log.entries)
    record = giver.transfer(ASSET, receiver, time=f"2025-01-31T12:00:{second:02}Z")
    giver.anchor()
    giver.post_asset(ASSET, record)
    return record


def version(party: Party, before: Party | None = None) -> str:
    """Record and anchor the next version, after the last one of another."""
    if before is not None:
        party.latest[ASSET] = before.latest[ASSET]
    party.version(ASSET, party.name.encode())
    party.anchor()
    return f"{ASSET}@{party.latest[ASSET][0]}"


def verdict(desk: Make, world: RealWorld, *roots: str) -> Verdict:
    data = desk(world).write(*roots)
    return verify_evidence(data.splitlines(keepends=True), trust_block(block_hash(world))).verdict


def test_several_hands_and_back(desk: Make, world: RealWorld, parties: tuple[Party, ...]) -> None:
    ann, bob, cid = parties
    roots = [version(ann)]
    for giver, receiver in ((ann, bob), (bob, cid), (cid, ann), (ann, bob)):
        hand_over(giver, receiver)
        roots.append(version(receiver, giver))
    found = verdict(desk, world, *roots)
    assert found.verdict == "good"
    assert [each.authors[0][-40:] for each in found.roots] == [
        each.address.hex() for each in (ann, bob, cid, ann, bob)
    ]


def test_a_namespace_goes_and_its_assets_with_it(
    desk: Make, world: RealWorld, parties: tuple[Party, ...]
) -> None:
    ann, bob, _ = parties
    roots = [version(ann)]
    world.chain.mine(world.claim("ann", bob))
    roots.append(version(bob, ann))
    assert verdict(desk, world, *roots).verdict == "good"


def test_a_namespace_goes_and_what_was_handed_over_stays(
    desk: Make, world: RealWorld, parties: tuple[Party, ...]
) -> None:
    ann, bob, cid = parties
    hand_over(ann, cid)
    world.chain.mine(world.claim("ann", bob))
    root = version(cid)
    assert verdict(desk, world, root).verdict == "good"


def test_a_transfer_of_what_was_gone_is_void(
    desk: Make, world: RealWorld, parties: tuple[Party, ...]
) -> None:
    """Two transfers are anchored; the one posted first binds, the other never does."""
    ann, bob, cid = parties
    first, second = ann.transfer(ASSET, bob), ann.transfer(ASSET, cid)
    ann.anchor()
    ann.post_asset(ASSET, first)
    ann.post_asset(ASSET, second)
    assert verdict(desk, world, version(bob)).verdict == "good"


def test_two_transfers_posted_in_one_block(desk: Make, world: RealWorld, parties: tuple[Party, ...]) -> None:
    ann, bob, cid = parties
    first, second = ann.transfer(ASSET, bob), ann.transfer(ASSET, cid)
    ann.anchor()
    target = target_of_asset(asset_digest(world.ledger_id, ASSET))
    world.chain.mine(ann.post_event(target, second), ann.post_event(target, first))
    assert verdict(desk, world, version(cid)).verdict == "good"


def test_a_transfer_that_was_never_posted_takes_nothing(
    desk: Make, world: RealWorld, parties: tuple[Party, ...]
) -> None:
    ann, bob, _ = parties
    ann.transfer(ASSET, bob)
    assert verdict(desk, world, version(ann)).verdict == "good"


def test_an_id_that_nobody_knows_leaves_a_doubt(
    desk: Make, world: RealWorld, parties: tuple[Party, ...]
) -> None:
    ann = parties[0]
    ann.post_asset(ASSET, b"\7" * 32)
    root = version(ann)
    found = verdict(desk, world, root)
    assert (found.verdict, found.roots[0].state) == ("unknown", "unknown")
    assert "which is not at hand" in found.reason


def test_what_a_former_holder_posts_is_no_doubt(
    desk: Make, world: RealWorld, parties: tuple[Party, ...]
) -> None:
    ann, bob, cid = parties
    hand_over(ann, bob)
    world.chain.mine()
    ann.post_asset(ASSET, b"\7" * 32)
    cid.post_asset(ASSET, b"\7" * 32)
    assert verdict(desk, world, version(bob)).verdict == "good"


def test_posted_before_it_was_anchored(desk: Make, world: RealWorld, parties: tuple[Party, ...]) -> None:
    """What happened between the two can't be told: an earlier entry would have bound earlier."""
    ann, bob, _ = parties
    handed = ann.transfer(ASSET, bob)
    ann.post_asset(ASSET, handed)
    entry = ann.log.entries.pop()
    root = version(ann)
    ann.append(entry)
    ann.anchor()
    found = verdict(desk, world, root)
    assert found.verdict == "unknown"
    assert "before its anchor at hand" in found.reason
    # of what came after both there is no doubt
    assert verdict(desk, world, version(bob, ann)).verdict == "good"


def test_who_lacks_a_log_knows_less_and_says_nothing_false(
    desk: Make, world: RealWorld, parties: tuple[Party, ...]
) -> None:
    """Without the giver's log the index accepts nothing of the receiver's: there is nothing to prove."""
    ann, bob, _ = parties
    hand_over(ann, bob)
    version(bob)
    world.logs.withheld.add(ann.log.id)
    assert desk(world).index.latest_version(ASSET) is None


def test_a_bound_transfer_shown_as_a_void_one(
    desk: Make, world: RealWorld, parties: tuple[Party, ...]
) -> None:
    """Ann gives to Bob, and with Cid pretends that it came too late: the entry that bound is not shown."""
    ann, bob, cid = parties
    to_bob = ann.transfer(ASSET, bob)
    entry = ann.log.entries.pop()
    to_cid = ann.transfer(ASSET, cid)
    hidden = ann.log.entries.pop()
    ann.post_asset(ASSET, to_cid)
    ann.post_asset(ASSET, to_bob)
    ann.append(entry)
    ann.anchor()
    ann.log.entries += [hidden, entry]
    ann.anchor()
    root = version(cid)
    holder = desk(world).index.holder(ASSET)
    assert holder == bob.address
    places = [(ann.log.id, 0), (ann.log.id, 2), (ann.log.id, 3), (cid.log.id, 0)]
    data = write(forge(world, Forged(roots=[root], entries=places)))
    found = verify_evidence(data.splitlines(keepends=True), trust_block(block_hash(world))).verdict
    assert found.verdict == "unknown"
    assert "earlier, too" in found.reason
