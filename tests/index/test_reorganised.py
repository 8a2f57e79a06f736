"""However blocks and logs come in, the index is what a sync from nothing would make it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.core.errors import Unavailable
from ledger.index import Index
from tests.simulator import Logs, Party, World


def story(world: World) -> tuple[Party, Party]:
    acme, bolt = world.party("acme", own=True), world.party("bolt")
    bolt.register("bolt/parts")
    bolt.version("bolt/parts", b"p")
    bolt.anchor()
    acme.register("acme/a")
    acme.version("acme/a", b"1")
    acme.activity("r", [acme.resource("acme/a@1", b"1")], [acme.resource("bolt/parts@1", b"p")])
    acme.anchor()
    bolt.version("bolt/parts", b"q")
    acme.version("acme/a", b"2")
    world.chain.mine(acme.anchor_event(), bolt.anchor_event())
    acme.revoke(acme.latest["acme/a"][1], [acme.resource("acme/a@2", b"2")])
    acme.anchor()
    world.chain.mine()
    return acme, bolt


def is_clean(index: Index, world: World, logs: Logs, tmp_path: Path) -> bool:
    return index.audit(world.chain, logs, tmp_path / "scratch.db") == []


@pytest.mark.parametrize("depth", [1, 3, 5, 8])
def test_a_reorganised_chain(world: World, open_index, tmp_path: Path, depth: int):
    story(world)
    index = open_index(world)
    gone = world.chain.fork(world.chain.head().number - depth)
    for bodies in gone:
        world.chain.mine(*bodies)
    world.chain.mine()
    report = index.sync(world.chain, world.logs)
    assert report.rewound_to == world.chain.head().number - 1 - depth
    assert is_clean(index, world, world.logs, tmp_path)
    assert index.state() == open_index(world, name="fresh").state()


def test_a_chain_that_lost_an_anchor(world: World, open_index, tmp_path: Path):
    story(world)
    index = open_index(world)
    before = len(index.entries()[0])
    world.chain.fork(world.chain.head().number - 2)
    index.sync(world.chain, world.logs)
    assert len(index.entries(state="pending")[0]) == 1
    assert len(index.entries()[0]) == before
    assert is_clean(index, world, world.logs, tmp_path)


def test_another_chain_altogether(world: World, open_index):
    story(world)
    index = open_index(world)
    world.chain.fork(-1)
    world.chain.mine()
    report = index.sync(world.chain, world.logs)
    assert report.rewound_to == -1
    assert index.namespaces() == []


@pytest.mark.parametrize("withheld", ["acme", "bolt"])
@pytest.mark.parametrize("shown_after", [3, 5, 6, 7, 9])
def test_a_log_that_comes_late(world: World, open_index, tmp_path: Path, withheld: str, shown_after: int):
    """Withheld while the first blocks are synced one by one, shown at some point, then up to the head."""
    parties = dict(zip(("acme", "bolt"), story(world), strict=True))
    blocks = list(world.chain.blocks)
    logs = world.view(parties["acme"])
    logs.withheld.add(parties[withheld].log.id)
    with Index.open(tmp_path / "late.db", world.descriptor) as index:
        for count in range(1, len(blocks) + 1):
            world.chain.blocks[:] = blocks[:count]
            if count > shown_after:
                logs.withheld.clear()
            index.sync(world.chain, logs, workers=0)
        fresh = open_index(world, name="fresh")
        assert index.state() == fresh.state()
        assert is_clean(index, world, logs, tmp_path)


def test_two_readers_with_the_same_gap_agree(world: World, open_index, tmp_path: Path):
    _, bolt = story(world)
    one, two = world.view(), world.view()
    for logs in (one, two):
        logs.withheld.add(bolt.log.id)
    first = open_index(world, one, name="one")
    blocks = list(world.chain.blocks)
    with Index.open(tmp_path / "two.db", world.descriptor) as second:
        for count in range(1, len(blocks) + 1):
            world.chain.blocks[:] = blocks[:count]
            second.sync(world.chain, two, workers=0)
        assert first.state() == second.state()
        whole = open_index(world, name="whole")
        assert whole.state_digest() != first.state_digest()
        assert [log.problem for log in first.state().logs if log.log == bolt.log.id] == ["log-unavailable"]


def test_a_log_cut_off_in_the_middle_comes_back(world: World, open_index, tmp_path: Path):
    _, bolt = story(world)
    logs = world.view()
    logs.shown[bolt.log.id] = bolt.log.entries[:2]
    index = open_index(world, logs)
    assert len(index.versions("bolt/parts")) == 1
    logs.shown.clear()
    report = index.sync(world.chain, logs)
    assert report.rewound_to is not None
    assert index.state() == open_index(world, name="fresh").state()


def test_trying_a_missing_log_again_rewinds_nothing(world: World, open_index):
    _, bolt = story(world)
    logs = world.view()
    logs.withheld.add(bolt.log.id)
    index = open_index(world, logs)
    assert index.sync(world.chain, logs).rewound_to is None
    logs.withheld.clear()
    logs.shown[bolt.log.id] = [b"no record"] * 3
    assert index.sync(world.chain, logs).rewound_to is None


def test_a_reorganisation_while_reading(world: World, open_index):
    story(world)
    chain, events, calls = world.chain, world.chain.events, 0

    def moving(start: int, stop: int):
        nonlocal calls
        calls += 1
        yield from events(start, stop)
        if calls == 1:
            gone = chain.fork(chain.head().number - 2)
            for bodies in gone:
                chain.mine(*bodies)

    chain.events = moving  # type: ignore[method-assign]
    index = open_index(world)
    assert calls == 2
    chain.events = events  # type: ignore[method-assign]
    assert index.state() == open_index(world, name="fresh").state()


def test_a_chain_that_never_rests(world: World, open_index):
    story(world)
    chain, events = world.chain, world.chain.events

    def moving(start: int, stop: int):
        yield from events(start, stop)
        chain.fork(chain.head().number - 1, salt=chain.salt + "x")
        chain.mine()

    chain.events = moving  # type: ignore[method-assign]
    with pytest.raises(Unavailable, match="again and again"):
        open_index(world)
