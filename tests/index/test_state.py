"""The state digest, and finding a row that was edited."""

from __future__ import annotations

import re
import shutil
import sqlite3
from pathlib import Path

import pytest

from ledger.core import authority
from ledger.core.errors import Corrupt, Unavailable
from ledger.core.records import ColumnEdge, Field
from ledger.index import Index
from ledger.index.schema import DERIVED, RULES_VERSION, columns_of
from ledger.index.state import check_file, compare, encode_row
from ledger.index.state_tables import TABLES
from tests.simulator import World, digest_of
from tests.simulator_rights import agreement, attestation, delivery, grant, settlement


def rich(world: World) -> None:
    """A ledger that puts at least one row into every table."""
    acme, bolt = world.party("acme", own=True), world.party("bolt")
    world.chain.mine(
        acme.name_event("dataledger/name", "Acme"),
        acme.delegate_event("record", bolt),
        acme.delegate_event("record", bolt, valid_s=-1000),
        bolt.key_event(seed=digest_of("second")),
    )
    from ledger.core.records import Alias, Attachment

    acme.register("acme/a", title="T", description="D", license="MIT", aliases=[Alias("doi", "10.1/a")])
    acme.version("acme/a", b"1", fields=[Field("x", "int"), Field("y")], size=1, media_type="text/csv")
    acme.version("acme/a", "declared now")
    acme.register("acme/b", acme, bolt, authors=[acme.did, bolt.did])
    acme.version("acme/b", b"2", attachments=[Attachment("report", "text/plain", {"sha256": "ab" * 32}, 5)])
    acme.append(b"garbage")
    acme.activity(
        "run",
        [acme.resource("acme/b@1", b"2")],
        [acme.resource("acme/a@1", b"1"), acme.resource("acme/a@2", "declared now"), acme.resource("zeta/q")],
        edges=[(0, 0, 3), (0, 1, 4)],
        columns=[ColumnEdge(0, "z", 0, "x", "DIRECT")],
        started="2025-01-01T00:00:00Z",
    )
    acme.anchor()
    transfer = acme.transfer("acme/b", bolt, anchor_before=1000)
    revocation = acme.revoke(
        acme.latest["acme/a"][1],
        [acme.resource("acme/a@2", "declared now")],
        effective="2030-01-01T00:00:00Z",
    )
    acme.anchor()
    acme.post_asset("acme/b", transfer)
    acme.post_record(acme.latest["acme/a"][1], revocation)
    world.chain.mine(acme.revoke_key_event())
    carol, dave = world.party("carol"), world.party("dave")
    carol.anchor_event()
    world.chain.mine(carol.anchor_event(size=3, root=digest_of("nothing")))
    dave.register("dave/x")
    offer = agreement(dave, ["dave/x"], dave, acme, "OFFERED")
    agreement(dave, ["dave/x"], dave, acme, "TERMINATED", previous=offer)
    deal = agreement(dave, ["dave/x"], dave, bolt, "FINALIZED", dave, bolt)
    delivery(dave, [dave.resource("dave/x@1", b"x")], deal, units=3)
    grant(dave, ["dave/x"], acme)
    grant(dave, [dave.resource("dave/x@1", b"x")], None)
    attestation(dave, ["dave/x"], "incident", topic="breach", outcome="open", target="ab" * 32)
    settlement(
        dave, "dave/x", [(dave, 60), (acme, 40)], until="2026-01-01T00:00:00Z", escrow="0x" + "ab" * 20
    )
    dave.anchor()
    world.chain.mine(dave.close_event(0), carol.deactivate_event())
    for _ in range(3):
        world.chain.mine()


def test_every_table_has_rows_and_a_place_in_the_digest(world: World, open_index):
    rich(world)
    index = open_index(world)
    empty = [table for table in DERIVED if not index.database.scalar(f"SELECT count(*) FROM {table}")]
    assert empty == []
    assert {table.name for table in index.state().tables} == set(TABLES)
    assert [table.name for table in index.state().tables if not table.rows] == []
    helpers = {
        "party",
        "log",
        "prefix",
        "stop",
        "text",
        "asset",
        "node",
        "activity",
        "asset_edge",
        "document",
        "said",
    }
    assert set(DERIVED) - set(TABLES) == helpers


def test_the_digest_is_of_the_last_final_block(world: World, open_index):
    rich(world)
    index = open_index(world)
    state = index.state()
    assert state.block == world.chain.final_number()
    assert state.block_hash == world.chain.block(state.block).hash
    assert state.ledger_id == world.ledger_id
    acme = next(iter(world.all_logs))
    assert [(log.size, log.problem) for log in state.logs if log.log == acme] == [(9, "")]
    assert sorted(log.problem for log in state.logs) == ["", "", "log-unavailable"]


def test_a_newer_head_leaves_older_states_alone(world: World, open_index):
    rich(world)
    index = open_index(world)
    final = index.final
    before = index.state(final)
    acme = next(log for log in world.all_logs.values() if log.id in world.logs.own)
    assert acme.entries
    eve = world.party("eve")
    eve.register("eve/x")
    eve.anchor()
    index.sync(world.chain, world.logs)
    assert index.state(final) == before
    assert index.state_digest() != before.digest


def test_no_state_without_the_block(world: World, open_index):
    rich(world)
    index = open_index(world)
    with pytest.raises(Unavailable, match="no state of block 10000"):
        index.state(10000)


def test_rows_are_encoded_without_ambiguity():
    assert encode_row([None, 1, -1, b"ab", "ab"]).hex() == (
        "0001000000000000000101ffffffffffffffff0200000002616203000000026162"
    )
    assert encode_row(["a", "b"]) != encode_row(["ab", ""])


# One edit a column: the new value keeps the type.
EDITS = [
    (table, column)
    for table in DERIVED
    for column in columns_of(table)
    if column not in ("block", "short") and (table, column) != ("log", "number")
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """An index of a rich world, to be copied and compared with."""
    world = World()
    rich(world)
    index = Index.open(tmp_path_factory.mktemp("made") / "index.db", world.descriptor)
    index.sync(world.chain, world.logs, workers=0)
    index.close()
    return index


@pytest.mark.parametrize(("table", "column"), EDITS)
def test_an_edited_row_is_found(made: Index, tmp_path: Path, table: str, column: str):
    made.close()
    path = tmp_path / "edited.db"
    shutil.copy(made.path, path)
    connection = sqlite3.connect(path)
    row, value = connection.execute(
        f"SELECT id, {column} FROM {table} WHERE {column} IS NOT NULL AND block < 100 ORDER BY id LIMIT 1"
    ).fetchone()
    edited = {
        int: lambda v: v + 1000,
        bytes: lambda v: bytes([v[0] ^ 1]) + v[1:] if v else b"x",
        str: lambda v: v + "x",
    }
    connection.execute(f"UPDATE {table} SET {column} = ? WHERE id = ?", (edited[type(value)](value), row))
    connection.commit()
    connection.close()
    with Index.open(path, made.descriptor) as index:
        check_file(index.database)
        differences = compare(index.database, made.database)
    assert [difference.table for difference in differences] == [table]
    assert differences[0].row == row or table == "asset_edge"


def test_a_deleted_row_is_found(world: World, open_index, tmp_path: Path):
    rich(world)
    index = open_index(world)
    index.close()
    connection = sqlite3.connect(index.path)
    connection.execute("DELETE FROM revoked")
    connection.commit()
    connection.close()
    (difference,) = index.audit(world.chain, world.logs, tmp_path / "scratch.db")
    assert (difference.table, difference.found) == ("revoked", "no row")
    assert not (tmp_path / "scratch.db").exists()


def test_an_untouched_index_is_clean(world: World, open_index, tmp_path: Path):
    rich(world)
    assert open_index(world).audit(world.chain, world.logs, tmp_path / "scratch.db") == []


@pytest.mark.parametrize("page", [1, 3, 40])
def test_a_damaged_file_is_corrupt(world: World, open_index, tmp_path: Path, page: int):
    rich(world)
    index = open_index(world)
    index.close()
    data = bytearray(index.path.read_bytes())
    start = (page - 1) * 4096 + (100 if page == 1 else 0)
    data[start : start + 64] = bytes([0xAA]) * 64
    index.path.write_bytes(data)
    with pytest.raises(Corrupt, match="index") as caught:
        index.audit(world.chain, world.logs, tmp_path / "scratch.db")
    assert "sync --rebuild" in caught.value.hint


def test_no_database_at_all(world: World, tmp_path: Path):
    path = tmp_path / "index.db"
    path.write_bytes(b"not a database, although long enough to look at" * 100)
    index = Index.open(path, world.descriptor)
    with pytest.raises(Corrupt, match="not readable as an index"):
        index.summary()
    with pytest.raises(Corrupt, match="not readable as an index"):
        index.sync(world.chain, world.logs)
    index.discard()
    index.sync(world.chain, world.logs)
    assert index.summary().entries == 0


def test_the_rules_are_those_of_authority():
    assert RULES_VERSION == authority.RULES_VERSION


def test_the_tables_are_those_of_the_format():
    """docs/formats.md section 9 lists each table, its columns, and by how many of them it is sorted."""
    text = (
        (Path(__file__).parents[2] / "docs" / "formats.md").read_text().split("## 9. ")[1].split("\n## ")[0]
    )
    told = {}
    for line in text.splitlines():
        if line.startswith("| ") and not line.startswith("| table"):
            name, columns = line.strip("| ").split(" | ", 1)
            sorted_by, _, rest = columns.partition("`|`")
            told[name] = (_count(sorted_by), _count(sorted_by) + _count(rest))
    found = {}
    for name, query in TABLES.items():
        columns = query.split(" FROM ", 1)[0]
        for opening in (r"CASE [^,]*? END", r"ifnull\([^)]*\)"):
            columns = re.sub(opening, "x", columns)
        number = columns.count(",") + 1
        by = query.rsplit("ORDER BY ", 1)[1].count(",") + 1
        found[name] = (by, number - 1 if by < number else number)
    assert told == found
    assert list(told) == list(TABLES)


def _count(columns: str) -> int:
    names = [name for name in re.sub(r" \([^)]*\)", "", columns).split(",") if name.strip()]
    return sum(4 if name.strip().endswith("node") else 1 for name in names)
