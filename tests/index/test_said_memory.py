"""Records about rights, remembered during a sync or looked up in the tables, lead to the same verdicts."""

from __future__ import annotations

import pytest

from ledger.core.records_rights import Money, Terms
from ledger.index import Index
from tests.simulator import World
from tests.simulator_rights import agreement, delivery, grant

SHARED = Terms(rights=["use"], sublicensable=True)


class Story:
    """Steps that rest on one another, each in a block of its own."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.acme, self.bolt, self.cafe = (world.party(name) for name in ("acme", "bolt", "cafe"))
        self.acme.register("acme/a")
        self.acme.version("acme/a", b"1")
        self.version = self.acme.resource("acme/a@1", b"1")
        self.acme.anchor()
        self.first = grant(self.acme, ["acme/a"], self.bolt, terms=SHARED)
        self.acme.anchor()

    def pass_on(self) -> None:
        """Bolt passes on what it was given."""
        grant(self.bolt, ["acme/a"], self.cafe, under=self.first)
        self.bolt.anchor()

    def take_back(self) -> None:
        """Acme takes the first grant back."""
        revocation = self.acme.revoke(self.first, [self.acme.asset_resource("acme/a")])
        self.acme.anchor()
        self.acme.post_record(self.first, revocation)

    def pass_on_late(self) -> None:
        """Bolt passes on what it no longer has."""
        grant(self.bolt, ["acme/a"], self.cafe, under=self.first, time="2025-02-01T00:00:00Z")
        self.bolt.anchor()

    def agree(self) -> None:
        """Acme and bolt agree."""
        signers = (self.acme, self.bolt)
        self.agreed = agreement(self.acme, ["acme/a"], self.acme, self.bolt, "FINALIZED", *signers)
        self.acme.anchor()

    def deliver(self) -> None:
        """Acme begins to deliver, and goes on."""
        self.begun = delivery(self.acme, [self.version], self.agreed, "STARTED", charged=Money("CNY", 1))
        self.acme.anchor()
        delivery(self.acme, [self.version], self.agreed, "COMPLETED", self.begun)
        self.acme.anchor()

    def deliver_twice(self) -> None:
        """Another step follows the one that was followed before."""
        delivery(self.acme, [self.version], self.agreed, "TERMINATED", self.begun)
        self.acme.anchor()


STEPS = (Story.pass_on, Story.take_back, Story.pass_on_late, Story.agree, Story.deliver, Story.deliver_twice)


@pytest.mark.parametrize("bit_by_bit", [False, True], ids=["at once", "bit by bit"])
def test_remembered_or_looked_up_it_is_the_same(world: World, open_index, bit_by_bit: bool) -> None:
    story = Story(world)
    index: Index | None = open_index(world) if bit_by_bit else None
    for step in STEPS:
        step(story)
        if index is not None:
            index.sync(world.chain, world.logs, workers=0)
    index = index or open_index(world)
    reasons = [(row.type, row.reason) for row in index.entries(state="rejected")[0]]
    assert reasons == [("grant", "grant-revoked")]
    found = [(row.kind, row.text) for row in index.findings()[0] if row.kind == "illegal-transition"]
    assert [kind for kind, _ in found] == ["illegal-transition"]
    assert story.begun.hex() in found[0][1]


def test_the_state_is_the_same(world: World, open_index) -> None:
    story = Story(world)
    slow = open_index(world, name="slow")
    for step in STEPS:
        step(story)
        slow.sync(world.chain, world.logs, workers=0)
    head = world.chain.head().number
    assert slow.state_digest(head) == open_index(world, name="fast").state_digest(head)
