"""Transfers and revocations: they bind from the later of posting and anchoring, and not before."""

from __future__ import annotations

from ledger.index import Index
from tests.simulator import Party, World, digest_of


def two(world: World) -> tuple[Party, Party]:
    acme, bolt = world.party("acme", own=True), world.party("bolt", own=True)
    acme.register("acme/a")
    acme.version("acme/a", b"1")
    acme.anchor()
    return acme, bolt


def next_version(acme: Party, by: Party, content: bytes) -> None:
    """Record the next version of acme/a in the log of `by`."""
    by.latest["acme/a"] = acme.latest["acme/a"]
    by.version("acme/a", content)


def reasons(index: Index) -> list[str]:
    return [entry.reason for entry in reversed(index.entries()[0])]


def kinds(index: Index) -> list[str]:
    return sorted(finding.kind for finding in index.findings()[0])


def test_a_transfer_binds_from_its_posting(world: World, open_index):
    acme, bolt = two(world)
    record = acme.transfer("acme/a", bolt)
    acme.anchor()
    next_version(acme, acme, b"2")  # still acme's
    acme.anchor()
    index = open_index(world)
    assert index.holder("acme/a") == acme.address
    assert kinds(index) == ["not-posted"]
    acme.post_asset("acme/a", record)
    next_version(acme, acme, b"3")
    acme.anchor()
    next_version(acme, bolt, b"3")
    bolt.latest["acme/a"] = (2, bolt.latest["acme/a"][1])
    index.sync(world.chain, world.logs)
    assert index.holder("acme/a") == bolt.address
    assert reasons(index)[:5] == ["", "", "", "", "not-holder"]
    asset = index.asset("acme/a")
    assert asset is not None
    assert (asset.holder, asset.holder_unknown) == (bolt.address, False)


def test_the_new_holder_records_versions_after_the_block_of_the_transfer(world: World, open_index):
    acme, bolt = two(world)
    record = acme.transfer("acme/a", bolt)
    acme.post_asset("acme/a", record)  # posted first, anchored later
    next_version(acme, bolt, b"2")
    world.chain.mine(acme.anchor_event(), bolt.anchor_event())
    index = open_index(world)
    assert index.holder("acme/a") == bolt.address
    assert "not-holder" in reasons(index)  # in the block of the transfer itself the giver still held it
    bolt.version(
        "acme/a", b"2", number=2, previous=acme.latest["acme/a"][1].hex(), time="2026-01-01T00:00:00Z"
    )
    bolt.anchor()
    index.sync(world.chain, world.logs)
    assert len(index.versions("acme/a")) == 2


def test_only_the_givers_posting_counts(world: World, open_index):
    acme, bolt = two(world)
    record = acme.transfer("acme/a", bolt)
    acme.anchor()
    bolt.post_asset("acme/a", record)
    acme.post_asset("acme/other", record)
    acme.post_record(record, record)
    index = open_index(world)
    assert index.holder("acme/a") == acme.address


def test_the_first_posted_of_two_transfers_binds(world: World, open_index):
    acme, bolt = two(world)
    carol = world.party("carol")
    first, second = acme.transfer("acme/a", bolt), acme.transfer("acme/a", carol)
    from ledger.core.digests import asset_digest, target_of_asset

    target = target_of_asset(asset_digest(world.ledger_id, "acme/a"))
    world.chain.mine(acme.post_event(target, second), acme.post_event(target, first))
    acme.anchor()
    index = open_index(world)
    assert index.holder("acme/a") == carol.address
    assert kinds(index) == ["not-effective"]


def test_a_transfer_posted_after_the_asset_is_gone(world: World, open_index):
    acme, bolt = two(world)
    carol = world.party("carol")
    first, second = acme.transfer("acme/a", bolt), acme.transfer("acme/a", carol)
    acme.anchor()
    acme.post_asset("acme/a", first)
    acme.post_asset("acme/a", second)
    index = open_index(world)
    assert index.holder("acme/a") == bolt.address
    assert "not-effective" in kinds(index)


def test_an_asset_that_was_handed_on_stays_when_the_namespace_goes(world: World, open_index):
    acme, bolt = two(world)
    record = acme.transfer("acme/a", bolt)
    acme.anchor()
    acme.post_asset("acme/a", record)
    world.chain.mine(world.claim("acme", world.party("carol")))
    index = open_index(world)
    assert index.holder("acme/a") == bolt.address


def test_a_posting_whose_record_is_hidden_makes_the_holder_unknown(world: World, open_index):
    acme, _ = two(world)
    acme.post_asset("acme/a", digest_of("a record that nobody shows"))
    asset = open_index(world).asset("acme/a")
    assert asset is not None
    assert asset.holder_unknown


def test_a_pending_transfer_takes_nothing(world: World, open_index):
    acme, bolt = two(world)
    record = acme.transfer("acme/a", bolt)
    acme.post_asset("acme/a", record)
    index = open_index(world)
    assert index.holder("acme/a") == acme.address
    assert [entry.type for entry in index.entries(state="pending")[0]] == ["transfer"]


def test_a_revocation_binds_from_its_posting(world: World, open_index):
    acme, _ = two(world)
    target = acme.latest["acme/a"][1]
    revocation = acme.revoke(target, [acme.resource("acme/a@1", b"1")], reason="wrong unit")
    acme.anchor()
    index = open_index(world)
    assert not index.versions("acme/a")[0].revoked
    acme.post_record(target, revocation)
    acme.post_record(target, revocation)
    index.sync(world.chain, world.logs)
    assert index.versions("acme/a")[0].revoked
    assert [entry.revoked for entry in index.find_records(target.hex())] == [True]
    assert index.lineage("acme/a").nodes[0].findings == ("revoked",)
    assert index.lineage("acme/a", as_of=index.head.number - 2).nodes[0].findings == ()


def test_a_revocation_posted_before_it_is_anchored(world: World, open_index):
    acme, _ = two(world)
    target = acme.latest["acme/a"][1]
    revocation = acme.revoke(target, [acme.resource("acme/a@1", b"1")])
    acme.post_record(target, revocation)
    index = open_index(world)
    assert not index.versions("acme/a")[0].revoked
    acme.anchor()
    index.sync(world.chain, world.logs)
    assert index.versions("acme/a")[0].revoked
    assert kinds(index) == []


def test_revocations_of_others_and_of_nothing(world: World, open_index):
    acme, bolt = two(world)
    target = acme.latest["acme/a"][1]
    bolt.revoke(target, [acme.resource("acme/a@1", b"1")])
    bolt.revoke(digest_of("no record"), [acme.resource("acme/a@1", b"1")])
    bolt.anchor()
    index = open_index(world)
    assert reasons(index)[-2:] == ["not-author", "target-unknown"]


def test_a_coauthor_may_revoke(world: World, open_index):
    acme, bolt = world.party("acme", own=True), world.party("bolt", own=True)
    both = {"authors": [acme.did, bolt.did], "logs": [acme.log.id.hex()]}
    target = acme.register("acme/a", acme, bolt, **both)
    acme.anchor()
    revocation = bolt.revoke(target, [acme.asset_resource("acme/a")])
    bolt.anchor()
    bolt.post_record(target, revocation)
    index = open_index(world)
    assert reasons(index) == ["", ""]
    asset = index.asset("acme/a")
    assert asset is not None
    assert asset.registration is not None
    assert asset.registration.revoked
