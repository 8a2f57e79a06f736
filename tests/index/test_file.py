"""The file under adverse conditions: other processes, a full disk, an interrupt."""

from __future__ import annotations

import sqlite3

import pytest

from ledger.core.errors import Locked, Unavailable
from ledger.index import Index, database
from ledger.index.schema import DERIVED, PENDING, spread
from tests.simulator import Party, World


@pytest.fixture
def acme(world: World) -> Party:
    acme = world.party("acme", own=True)
    acme.register("acme/a")
    acme.version("acme/a", b"1")
    acme.anchor()
    return acme


def test_another_writer(world: World, acme: Party, open_index, monkeypatch: pytest.MonkeyPatch):
    index = open_index(world)
    other = sqlite3.connect(index.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    monkeypatch.setattr(database, "_BUSY_S", 0.05)
    with pytest.raises(Locked, match="another process is writing"):
        index.sync(world.chain, world.logs)
    assert index.summary().entries == 2  # reading goes on
    other.execute("ROLLBACK")
    other.close()
    index.sync(world.chain, world.logs)


def test_readers_see_whole_syncs_only(world: World, acme: Party, open_index, monkeypatch: pytest.MonkeyPatch):
    index = open_index(world)
    acme.version("acme/a", b"2")
    acme.anchor()
    seen = []
    writing = Index.open(index.path, world.descriptor)
    entries = world.logs.entries

    def watched(log_id: bytes, start: int, stop: int):
        seen.append(len(index.versions("acme/a")))
        return entries(log_id, start, stop)

    world.logs.entries = watched
    writing.sync(world.chain, world.logs)
    assert (seen, len(index.versions("acme/a"))) == ([1], 2)


def test_a_full_disk(world: World, acme: Party, open_index, monkeypatch: pytest.MonkeyPatch):
    index = open_index(world)
    for number in range(300):
        acme.version("acme/a", f"{number} " * 400)
    acme.anchor()
    connect = database._connect

    def full(*values):
        connection = connect(*values)
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 20}")
        return connection

    monkeypatch.setattr(database, "_connect", full)
    with pytest.raises(Unavailable, match="full"):
        index.sync(world.chain, world.logs)
    monkeypatch.setattr(database, "_connect", connect)
    assert index.summary().versions == 1
    index.sync(world.chain, world.logs)
    assert index.summary().versions == 301


def test_an_interrupt(world: World, acme: Party, open_index):
    index = open_index(world)
    acme.version("acme/a", b"2")
    acme.anchor()
    entries = world.logs.entries

    def interrupted(log_id: bytes, start: int, stop: int):
        raise KeyboardInterrupt

    world.logs.entries = interrupted
    with pytest.raises(KeyboardInterrupt):
        index.sync(world.chain, world.logs)
    world.logs.entries = entries
    assert index.summary().versions == 1
    index.sync(world.chain, world.logs)
    assert index.summary().versions == 2


def test_pending_records_are_verified_once_while_nothing_happens(world: World, acme: Party, open_index):
    index = open_index(world)
    acme.version("acme/a", b"2")
    assert index.sync(world.chain, world.logs).pending == 1
    acme.version("acme/a", b"3")
    assert index.sync(world.chain, world.logs).pending == 1
    assert [version.state for version in index.versions("acme/a")] == ["pending", "pending", "anchored"]
    assert index.own_log_size(acme.log.id) == 4
    world.chain.mine()
    assert index.sync(world.chain, world.logs).pending == 2
    acme.anchor()
    assert index.sync(world.chain, world.logs).pending == 0
    assert len(index.versions("acme/a")) == 3


def test_pending_entries_that_can_not_be_read(world: World, acme: Party, open_index):
    index = open_index(world)
    acme.version("acme/a", b"2")
    world.logs.shown[acme.log.id] = acme.log.entries[:2]
    for _ in range(2):
        index.sync(world.chain, world.logs)
        found, _ = index.findings()
        assert [(finding.kind, finding.block) for finding in found] == [("log-unavailable", None)]
    world.logs.shown.clear()
    assert index.sync(world.chain, world.logs).pending == 1
    assert index.findings() == ([], False)


@pytest.mark.parametrize("gaps", [1, 3])
def test_cutting_back_finds_the_first_row(tmp_path, gaps: int):
    file = database.open_database(tmp_path / "index.db", bytes(32), write=True)
    blocks = [2, 2, 5, 5, 5, 9, PENDING]
    file.begin()
    for table in DERIVED:
        columns = database.columns_of(table)
        blank = [b"x%d" if column in ("address", "log") else 0 for column in columns[:-1]]
        rows = []
        for place, block in enumerate(blocks):
            values = [b"%d" % place if isinstance(value, bytes) else place for value in blank]
            rows.append((1 + place * gaps, *values, block))
        file.write(database.insert_sql(table), rows)
    file.commit()
    for block, left in ((PENDING, 7), (10, 6), (9, 6), (8, 5), (5, 5), (4, 2), (2, 2), (1, 0), (-1, 0)):
        file.begin()
        database.rewind(file, block)
        counts = {file.scalar(f"SELECT count(*) FROM {table}") for table in DERIVED}
        assert counts == {left}
        file.rollback()
    file.close()


def test_digests_that_are_chosen_alike_do_not_crowd_in_one_place() -> None:
    """Whoever signs a version says what its digest is: a million that begin alike must not slow the index."""
    alike = [bytes(8) + number.to_bytes(24, "big") for number in range(20_000)]
    assert len({spread(digest) for digest in alike}) == len(alike)
