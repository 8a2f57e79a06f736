"""Syncing: from nothing, in steps, resumed, with pending records."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from ledger.core.errors import NotFound, Unavailable, WrongLedger
from ledger.core.records import Alias, Component, Edge, Field
from ledger.index import Index
from ledger.index.applying import Applying
from tests.simulator import Log, Logs, World


def story(world: World) -> None:
    """Two parties, versions, a run that uses both, anchored in two blocks."""
    acme, bolt = world.party("acme", own=True), world.party("bolt")
    acme.register("acme/orders", title="Orders", aliases=[Alias("doi", "10.1/x")])
    acme.version("acme/orders", b"1", fields=[Field("units", "int")])
    acme.register("acme/demand")
    bolt.register("bolt/parts")
    bolt.version("bolt/parts", b"p")
    world.chain.mine(acme.anchor_event(), bolt.anchor_event())
    acme.version("acme/demand", b"d")
    acme.activity(
        "run-1",
        [acme.resource("acme/demand@1", b"d")],
        [acme.resource("acme/orders@1", b"1"), acme.resource("bolt/parts@1", b"p")],
    )
    acme.anchor()
    world.chain.mine()


def rows(index: Index, table: str) -> list[tuple[object, ...]]:
    return index.database.rows(f"SELECT * FROM {table} ORDER BY id")


def test_from_nothing(world: World, open_index):
    story(world)
    index = open_index(world)
    summary = index.summary()
    assert (summary.entries, summary.rejected, summary.findings) == (7, 0, 0)
    assert (summary.assets, summary.versions, summary.activities) == (3, 3, 1)
    assert index.head is not None
    assert index.head.hash == world.chain.head().hash
    assert index.final == world.chain.final_number()


def test_nothing_new_changes_nothing(world: World, open_index):
    story(world)
    index = open_index(world)
    before = index.state()
    report = index.sync(world.chain, world.logs)
    assert (report.applied, report.rejected, report.rewound_to) == (0, 0, None)
    assert index.state() == before


def test_steps_give_what_one_sync_gives(world: World, open_index):
    story(world)
    whole = open_index(world, name="whole")
    blocks = list(world.chain.blocks)
    stepwise = Index.open(whole.path.with_name("steps.db"), world.descriptor)
    for count in range(1, len(blocks) + 1):
        world.chain.blocks[:] = blocks[:count]
        stepwise.sync(world.chain, world.logs, workers=0)
    assert stepwise.state() == whole.state()
    assert stepwise.audit(world.chain, world.logs, whole.path.with_name("scratch.db")) == []
    stepwise.close()


def test_pending_records_are_shown_and_replaced(world: World, open_index):
    acme = world.party("acme", own=True)
    acme.register("acme/a")
    index = open_index(world)
    assert [entry.state for entry in index.entries()[0]] == ["pending"]
    assert index.registered("acme/a")
    assert index.own_log_size(acme.log.id) == 1
    acme.anchor()
    acme.version("acme/a", b"1")
    report = index.sync(world.chain, world.logs)
    assert (report.applied, report.pending) == (2, 1)
    assert [entry.state for entry in index.entries()[0]] == ["pending", "anchored"]
    world.chain.mine()
    world.chain.mine()
    index.sync(world.chain, world.logs)
    assert [entry.state for entry in index.entries()[0]] == ["pending", "final"]
    log = index.log(acme.log.id)
    assert log is not None
    assert (log.size, log.pending, log.anchored, log.number) == (1, 1, 1, 0)


def test_pending_records_of_others_are_not_read(world: World, open_index):
    world.party("acme", own=True)
    bolt = world.party("bolt")
    bolt.register("bolt/parts")
    assert open_index(world).entries() == ([], False)


def test_pending_is_not_state(world: World, open_index):
    story(world)
    index = open_index(world)
    before = index.state(index.head.number)
    acme = next(log for log in world.all_logs.values() if log.id in world.logs.own)
    acme.entries.append(b"whatever")
    index.sync(world.chain, world.logs)
    assert index.summary().rejected == 1
    assert index.state(index.head.number) == before


def test_a_key_is_judged_at_the_anchor(world: World, open_index):
    acme = world.party("acme", own=True)
    acme.register("acme/a")
    world.chain.mine(acme.revoke_key_event())
    index = open_index(world)
    entry = index.entries()[0][0]
    assert (entry.state, entry.verdict, entry.reason) == ("pending", "rejected", "key-revoked")


def test_one_anchor_larger_than_memory_is_read_twice(
    world: World, open_index, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("ledger.index.reading._KEPT_BYTES", 1000)
    monkeypatch.setattr("ledger.index.reading.CHUNK", 4)
    story(world)
    index = open_index(world)
    assert index.summary().entries == 7
    assert world.logs.fetched == 14


def test_entries_that_change_between_the_readings_are_not_used(
    world: World, open_index, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("ledger.index.reading._KEPT_BYTES", 0)
    story(world)
    log = next(iter(world.all_logs.values()))

    class Changing(Logs):
        def entries(self, log_id: bytes, start: int, stop: int):
            entries = list(super().entries(log_id, start, stop))
            if log_id == log.id:
                self.shown[log.id] = [b"other", *log.entries[1:]]
            return iter(entries)

    changing = Changing(world.all_logs, world.logs.own)
    with pytest.raises(Unavailable, match="changed while they were read"):
        open_index(world, changing)
    index = open_index(world)
    assert (index.summary().entries, index.summary().rejected) == (7, 0)


@pytest.mark.parametrize("after", range(1, 6))
def test_killed_anywhere_it_goes_on(world: World, open_index, monkeypatch: pytest.MonkeyPatch, after: int):
    monkeypatch.setattr("ledger.index.applying._COMMIT_BLOCKS", 1)
    story(world)
    whole = open_index(world, name="whole").state()
    begin, count = Applying.begin_block, 0

    class Killed(BaseException):
        pass

    def begin_block(self, block):
        nonlocal count
        count += 1
        if count > after:
            raise Killed
        begin(self, block)

    monkeypatch.setattr(Applying, "begin_block", begin_block)
    with pytest.raises(Killed):
        open_index(world)
    monkeypatch.setattr(Applying, "begin_block", begin)
    index = open_index(world)
    assert index.state() == whole


def test_an_index_of_another_ledger_is_refused(world: World, open_index):
    story(world)
    index = open_index(world)
    other = World(name="other")
    with pytest.raises(WrongLedger, match="expected ledger"):
        Index.open(index.path, other.descriptor).sync(other.chain, other.logs)
    with pytest.raises(WrongLedger):
        Index.open(index.path, other.descriptor).summary()


def test_before_the_first_sync(world: World, tmp_path: Path):
    index = Index.open(tmp_path / "none.db", world.descriptor)
    assert index.head is None
    with pytest.raises(NotFound, match="there is none yet"):
        index.summary()


def test_an_index_of_another_version_is_made_anew(world: World, open_index):
    story(world)
    index = open_index(world)
    before = index.state()
    index.close()
    connection = sqlite3.connect(index.path)
    connection.execute("PRAGMA user_version = 1")
    connection.close()
    with pytest.raises(Unavailable, match="another version"):
        index.summary()
    index.sync(world.chain, world.logs)
    assert index.state() == before


def test_records_are_interned_once(world: World, open_index):
    """A run that is told in two records is one activity, and a repeated edge is not repeated."""
    acme = world.party("acme", own=True)
    acme.register("acme/a")
    acme.version("acme/a", b"1")
    acme.register("acme/b")
    acme.version("acme/b", b"2")
    made, used = [acme.resource("acme/b@1", b"2")], [acme.resource("acme/a@1", b"1")]
    acme.activity("r", made, used, outcome="running")
    last = acme.activity("r", made, used, edges=[(0, 0, 2), *[]], ended="2025-01-31T13:00:00Z")
    acme.anchor()
    index = open_index(world)
    activity = index.activity(last)
    assert activity is not None
    assert (activity.outcome, len(activity.records)) == ("completed", 2)
    assert activity.detail == {"ended": "2025-01-31T13:00:00Z"}
    assert len(rows(index, "edge")) == 1
    assert index.findings() == ([], False)


def test_a_run_id_used_by_another_component_is_a_finding(world: World, open_index):
    acme = world.party("acme", own=True)
    acme.activity("r", [], [])
    acme.activity("r", [], [], component=Component("other", namespace="elsewhere"))
    acme.anchor()
    found, _ = open_index(world).findings()
    assert [(finding.kind, finding.subject) for finding in found] == [("run-id-reused", "r")]


def test_a_failed_run_makes_no_edges(world: World, open_index):
    acme = world.party("acme", own=True)
    acme.register("acme/a")
    acme.version("acme/a", b"1")
    acme.register("acme/b")
    record = acme.activity(
        "r",
        [acme.resource("acme/b")],
        [acme.resource("acme/a@1", b"1")],
        outcome="failed",
        edges=[(0, 0, 2)],
    )
    acme.anchor()
    index = open_index(world)
    activity = index.activity(record)
    assert activity is not None
    assert [each.name for each in activity.outputs] == ["acme/b"]
    assert [each.name for each in activity.inputs] == ["acme/a@1"]
    assert rows(index, "edge") == []
    assert Edge(0, 0, 1).basis == 1


def test_progress_is_told(world: World, tmp_path: Path):
    story(world)
    told: list[tuple[str, int, int | None]] = []
    with Index.open(tmp_path / "p.db", world.descriptor) as index:
        index.sync(world.chain, world.logs, progress=lambda *values: told.append(values))
    assert told[-1] == ("records", 7, None)


def test_an_unknown_own_log_is_nothing(world: World, open_index):
    world.party("acme", own=True)
    index = open_index(world)
    assert index.own_log_size(bytes(32)) == 0
    assert index.log_progress(bytes(32)).size == 0
    assert isinstance(next(iter(world.all_logs.values())), Log)


def test_a_short_memory_changes_nothing(
    world: World, open_index, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    story(world)
    carol = world.party("carol")
    for number in range(4):
        carol.register(f"carol/{number}")
        carol.version(f"carol/{number}", b"same")
        carol.activity(f"run {number}", [carol.resource(f"carol/{number}@1", b"same")], [])
        carol.anchor()
    expected = open_index(world, name="long").state()
    monkeypatch.setattr("ledger.index.memory.CAPACITY", 0)
    monkeypatch.setattr("ledger.index.writer.CAPACITY", 0)
    monkeypatch.setattr("ledger.index.facts._REMEMBERED", 0)
    monkeypatch.setattr("ledger.index.reading.CHUNK", 2)
    index = open_index(world, name="short")
    assert index.state() == expected
    assert index.audit(world.chain, world.logs, tmp_path / "scratch.db") == []
