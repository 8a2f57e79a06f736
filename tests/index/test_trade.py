"""Agreements and deliveries in the index: who got what, what was improper, the same state for everybody."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.core.dsse import decode_envelope
from ledger.core.records_rights import Money, Terms
from ledger.index import Index
from ledger.index.schema import PENDING
from tests.simulator import Party, World
from tests.simulator_rights import agreement, attestation, delivery, grant

OPEN = Terms(rights=["use"], sublicensable=True)
PRICE = Money("CNY", 2)


def findings(index: Index) -> list[tuple[str, str]]:
    return index.database.rows("SELECT kind, subject FROM finding ORDER BY id")


def kinds(index: Index) -> list[str]:
    return [kind for kind, _ in findings(index)]


class Deal:
    """Acme has agreed with Bolt about acme/a at 2 fen a unit."""

    def __init__(self, world: World, **members: object) -> None:
        self.acme, self.bolt = world.party("acme"), world.party("bolt")
        self.acme.register("acme/a")
        self.acme.version("acme/a", b"1")
        self.record = self.agree(**members)
        self.acme.anchor()

    def agree(self, **members: object) -> bytes:
        said = {"unit": "row", "unit_price": PRICE} | members
        return agreement(
            self.acme, ["acme/a"], self.acme, self.bolt, "FINALIZED", self.acme, self.bolt, **said
        )

    def deliver(self, process: str, content: bytes = b"1", **members: object) -> bytes:
        said = {"process": process, "units": 3, "charged": Money("CNY", 6)} | members
        version = self.acme.resource("acme/a@1", content)
        return delivery(self.acme, [version], self.record, **said)

    def revoke(self, by: Party, target: bytes, *signers: Party, **members: object) -> bytes:
        subject = [by.asset_resource("acme/a")]
        return by.revoke(target, subject, *signers, authors=[each.did for each in signers], **members)


@pytest.fixture
def deal(world: World) -> Deal:
    return Deal(world)


def test_who_got_what(world: World, deal: Deal, open_index) -> None:
    sent = deal.deliver("p")
    asked = delivery(deal.bolt, ["acme/a"], deal.record, "REQUESTED", process="q")
    deal.acme.anchor()
    deal.bolt.anchor()
    index = open_index(world)
    columns = "a.name, d.number, g.address, t.address, d.sent, d.units, d.counts, n.record"
    rows = index.database.rows(
        f"SELECT {columns} FROM delivered d JOIN asset a ON a.id = d.asset JOIN party g ON g.id = d.giver "
        "JOIN party t ON t.id = d.taker JOIN entry n ON n.id = d.agreement ORDER BY d.units"
    )
    acme, bolt = deal.acme.address, deal.bolt.address
    assert rows == [
        ("acme/a", 0, acme, bolt, 0, 0, 1, deal.record),
        ("acme/a", 1, acme, bolt, 1, 3, 1, deal.record),
    ]
    assert findings(index) == []
    trade = index.trade()
    assert {row.record for row in trade.deliveries_under(deal.record)} == {sent, asked}
    for party in (acme, bolt):
        assert trade.negotiations_of(party, 9) == [deal.record]
    assert trade.negotiations_of(world.party("coil").address, 9) == trade.negotiations_of(acme, 0) == []
    assert [row.record for row in trade.steps_between(acme, bolt)] == [deal.record]
    assert trade.steps_between(bolt, acme) == []


def test_a_replay_counts_once_whatever_log_it_stands_in(world: World, deal: Deal, open_index) -> None:
    deal.deliver("p")
    deal.deliver("p", time="2025-02-01T00:00:00Z")
    deal.deliver("q", time="2025-02-01T00:00:00Z")  # another transfer: not ours to guess
    deal.acme.anchor()
    deal.deliver("p", time="2025-03-01T00:00:00Z")
    deal.acme.anchor()
    index = open_index(world)
    assert kinds(index) == ["illegal-transition"] * 2
    assert index.database.scalar("SELECT sum(units) FROM delivered WHERE counts = 1") == 6


def test_prices_and_content(world: World, deal: Deal, open_index) -> None:
    deal.deliver("p", charged=Money("CNY", 7))
    deal.deliver("q", content=b"something else")
    deal.acme.anchor()
    index = open_index(world)
    assert findings(index) == [("overcharged", "acme/a@1"), ("delivery-not-covered", "acme/a@1")]


def test_a_version_behind_its_delivery_in_the_same_block(world: World, open_index) -> None:
    acme, bolt = world.party("acme"), world.party("bolt")
    acme.register("acme/a")
    record = agreement(acme, ["acme/a"], acme, bolt, "FINALIZED", acme, bolt)
    delivery(acme, [acme.resource("acme/a@1", b"1")], record)
    acme.version("acme/a", b"1")
    acme.anchor()
    assert findings(open_index(world)) == []


def test_taken_back_counts_from_the_next_block_on(world: World, deal: Deal, open_index) -> None:
    revocation = deal.revoke(deal.acme, deal.record, deal.acme, deal.bolt)
    deal.deliver("before it is posted")
    deal.acme.anchor()
    deal.deliver("in the block of the posting")
    world.chain.mine(deal.acme.post_event(_target(deal.record), revocation), deal.acme.anchor_event())
    deal.deliver("after it")
    deal.acme.anchor()
    index = open_index(world)
    taken_back = [kind for kind in kinds(index) if kind != "not-posted"]
    assert taken_back == ["delivery-taken-back"]


def _target(record: bytes) -> bytes:
    from ledger.core.digests import target_of_record

    return target_of_record(record)


def test_taken_back_from_a_later_moment_on(world: World, deal: Deal, open_index) -> None:
    later = "2023-11-14T22:30:00Z"  # the simulated chain begins 22:13:20, with ten seconds a block
    revocation = deal.revoke(deal.acme, deal.record, deal.acme, deal.bolt, effective=later)
    deal.acme.anchor()
    deal.acme.post_record(deal.record, revocation)
    deal.deliver("still good")
    deal.acme.anchor()
    world.chain.mine(seconds=3600)
    deal.deliver("too late")
    deal.acme.anchor()
    assert [kind for kind in kinds(open_index(world)) if kind != "not-posted"] == ["delivery-taken-back"]


def test_what_it_rests_on_binds_too(world: World, open_index) -> None:
    """Bolt passes on what Acme lets it: the cap, the purposes, and the end of it."""
    acme, bolt, coil = world.party("acme"), world.party("bolt"), world.party("coil")
    acme.register("acme/a")
    acme.version("acme/a", b"1")
    terms = Terms(rights=["use"], sublicensable=True, price_cap=Money("CNY", 1))
    given = grant(acme, ["acme/a"], bolt, terms=terms)
    acme.anchor()
    members = {"under": given.hex(), "unit": "row", "unit_price": Money("CNY", 2)}
    record = agreement(bolt, ["acme/a"], bolt, coil, "FINALIZED", bolt, coil, **members)
    bolt.anchor()
    version = acme.resource("acme/a@1", b"1")
    delivery(bolt, [version], record, process="p", units=1, charged=Money("CNY", 2))
    bolt.anchor()
    revocation = acme.revoke(given, [acme.asset_resource("acme/a")])
    acme.anchor()
    acme.post_record(given, revocation)
    delivery(bolt, [version], record, process="q", units=1)
    bolt.anchor()
    index = open_index(world)
    found = [each for each in findings(index) if each[0] != "not-posted"]
    assert found == [
        ("above-price-cap", "acme/a"),
        ("above-price-cap", "acme/a@1"),
        ("delivery-taken-back", "acme/a@1"),
    ]


def test_frozen_by_the_arbiter(world: World, open_index) -> None:
    judge = world.party("judge")
    deal = Deal(world, terms=Terms(rights=["use"], arbiter=judge.did))
    freeze = attestation(
        judge, ["acme/a"], "objection", description="x", outcome="frozen", target=deal.record.hex()
    )
    judge.anchor()
    judge.post_record(deal.record, freeze)
    deal.deliver("p")
    deal.acme.anchor()
    assert "delivery-frozen" in kinds(open_index(world))


# the same for everybody


def test_late_logs_and_forks_change_nothing(world: World, deal: Deal, open_index) -> None:
    late = world.view()
    late.withheld.add(deal.acme.log.id)
    index = open_index(world, logs=late)
    deal.deliver("p", charged=Money("CNY", 7))
    deal.acme.anchor()
    index.sync(world.chain, late)
    assert index.database.scalar("SELECT count(*) FROM delivered") == 0
    late.withheld.clear()
    index.sync(world.chain, late)
    for _ in range(3):
        world.chain.mine()
    index.sync(world.chain, late)
    fresh = open_index(world, name="fresh")
    assert kinds(index) == kinds(fresh) == ["overcharged"]
    assert index.state_digest() == fresh.state_digest()


def test_a_reorganised_chain_forgets_deliveries(world: World, deal: Deal, open_index, tmp_path: Path) -> None:
    index = open_index(world)
    top = world.chain.head().number
    deal.deliver("p", charged=Money("CNY", 7))
    deal.acme.anchor()
    index.sync(world.chain, world.logs)
    assert kinds(index) == ["overcharged"]
    world.chain.fork(top)
    deal.acme.log.anchors.pop()
    for _ in range(2):
        world.chain.mine()
    index.sync(world.chain, world.logs)
    assert (kinds(index), index.database.scalar("SELECT count(*) FROM delivered")) == ([], 0)
    deal.acme.anchor()
    index.sync(world.chain, world.logs)
    assert kinds(index) == ["overcharged"]
    assert index.audit(world.chain, world.logs, tmp_path / "scratch.db") == []


def test_what_is_pending_is_judged_as_of_now_and_again_when_it_is_anchored(world: World, open_index) -> None:
    world.logs.own.append(_log_of(world, "acme"))
    deal = Deal(world)
    index = open_index(world)
    deal.deliver("p", charged=Money("CNY", 7))
    index.sync(world.chain, world.logs)
    rows = "SELECT kind, block FROM finding"
    assert index.database.rows(rows) == [("overcharged", PENDING)]
    deal.acme.anchor()
    index.sync(world.chain, world.logs)
    assert index.database.rows(rows) == [("overcharged", world.chain.head().number)]


def _log_of(world: World, name: str) -> bytes:
    return Party(world, name).log.id


def test_two_transfers_whose_hashes_collide_are_told_apart(
    world: World, open_index, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key of a transfer is 8 bytes, which names can be made to share: that hides no second telling."""
    monkeypatch.setattr("ledger.index.trade_rows.process_key", lambda _: 7)
    deal = Deal(world)
    deal.deliver("p1")
    deal.deliver("p2")
    deal.deliver("p2", units=4)
    deal.acme.anchor()
    index = open_index(world)
    assert kinds(index) == ["illegal-transition"]
    rows = index.trade().deliveries_under(deal.record)
    assert [row.counts for row in rows] == [True, True, False]


def spelled(entry: bytes, party: Party, plain: bytes, escaped: bytes) -> bytes:
    """Sign what an entry says, with some of its text in JSON's escapes."""
    payload = decode_envelope(entry).payload
    assert plain in payload
    return party.envelope(payload.replace(plain, escaped))


def test_what_is_spelled_with_escapes_is_the_same(world: World, open_index) -> None:
    """Nobody hides a notice from whom it names, nor passes off a later step as the first."""
    deal = Deal(world)
    acme, bolt = deal.acme, deal.bolt
    attestation(acme, ["acme/a"], "notice", topic="breach", to=[bolt.did])
    did = bolt.did.encode()
    acme.log.entries[-1] = spelled(acme.log.entries[-1], acme, did, did.replace(b"did:", b"d\\u0069d:"))
    first = agreement(bolt, ["acme/a"], acme, bolt, "REQUESTED", negotiation="n2")
    bolt.anchor()
    agreement(acme, ["acme/a"], acme, bolt, "OFFERED", previous=first, negotiation="n2")
    acme.log.entries[-1] = spelled(acme.log.entries[-1], acme, b'"previous"', b'"previou\\u0073"')
    acme.anchor()
    index = open_index(world)
    assert kinds(index) == []
    assert [each.said.topic for each in index.notices_to(bolt.did)] == ["breach"]
    assert index.trade().negotiations_of(bolt.address, 10) == [first, deal.record]
    assert index.trade().negotiations_of(bolt.address, 1) == [first]
