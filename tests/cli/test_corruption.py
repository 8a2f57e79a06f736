"""Stored bytes that were tampered with: `audit` says so, answers don't believe them, nothing falls over."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.index.schema import spread

READS = [
    ("status",),
    ("log",),
    ("trace", "haina/demand"),
    ("show", "haina/orders"),
    ("verify", "demand.csv"),
    ("verify", "demand.csv", "--as", "haina/demand"),
    ("sync",),
    ("search", "washing"),
]


def flip(path: Path, position: int, bit: int = 0) -> None:
    """Flip one bit of a file."""
    data = bytearray(path.read_bytes())
    data[position] ^= 1 << bit
    path.write_bytes(data)


def positions(path: Path) -> list[int]:
    """Return a few positions spread over a file, the first and last byte among them."""
    size = path.stat().st_size
    return sorted({0, 1, size // 3, size // 2, size - 2, size - 1} & set(range(size)))


def audited_bad(dl) -> str:
    """Audit, expect that it fails or can't be done, and return what it says."""
    done = dl.run("audit")
    assert done.code in (1, 3), done.out + done.err
    assert "Traceback" not in done.err
    return done.out + done.err


def still_standing(dl) -> None:
    """Every command that reads ends in an answer or in an error of ours."""
    for command in READS:
        done = dl.run(*command)
        assert done.code in (0, 1, 2, 3), f"{command}: {done.code}\n{done.out}{done.err}"
        assert "Traceback" not in done.err, done.err


# --- the log


PUBLIC = [
    "checkpoint",
    "checkpoints/7",
    "checkpoints/4",
    "tile/0/000.p/7",
    "tile/entries/000.p/7",
]


@pytest.mark.parametrize("name", PUBLIC)
def test_a_flipped_bit_in_the_log(story, name):
    path = story.home / "public" / name
    good = path.read_bytes()
    for position in positions(path):
        flip(path, position)
        audited_bad(story)
        path.write_bytes(good)
    assert story("audit", "--json").json["good"]


@pytest.mark.parametrize("name", PUBLIC)
def test_reading_a_log_with_a_flipped_bit(story, name):
    path = story.home / "public" / name
    flip(path, path.stat().st_size // 2)
    for each in story.home.glob("index.db*"):
        each.unlink()
    still_standing(story)
    done = story.run("verify", "demand.csv")
    if name.startswith(("tile/entries", "tile/0")):
        assert done.code != 0


@pytest.mark.parametrize("name", ["checkpoint", "tile/0/000.p/7", "tile/entries/000.p/7"])
@pytest.mark.parametrize("damage", ["missing", "empty", "cut"])
def test_a_file_of_the_log_that_is_not_whole(story, name, damage):
    path = story.home / "public" / name
    good = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(b"" if damage == "empty" else good[:-1])
    audited_bad(story)
    still_standing(story)
    done = story.run("register", "haina/more", "orders.csv")
    assert "Traceback" not in done.err
    if done.code == 0:  # it does not need what is damaged: then what it wrote is good
        path.write_bytes(good) if name != "checkpoint" else None
    else:
        path.write_bytes(good)
        story("register", "haina/more", "orders.csv")
    if name != "checkpoint":
        assert story("audit", "--json").json["good"]


def test_a_log_that_lost_its_tail(story):
    """Somebody puts an older public folder back: what is anchored is missing, and nothing is written."""
    older = story.folder / "older"
    shutil.copytree(story.home / "public", older)
    story("register", "haina/more", "orders.csv")
    shutil.rmtree(story.home / "public")
    shutil.move(older, story.home / "public")
    said = audited_bad(story)
    assert "anchored" in said
    done = story.run("register", "haina/another", "orders.csv")
    assert done.code != 0 or "not anchored" in done.out
    still_standing(story)


def test_a_log_of_somebody_else(parties):
    shutil.rmtree(parties.home / "public")
    shutil.copytree(parties.at("jinlong").home / "public", parties.home / "public")
    audited_bad(parties)
    still_standing(parties)
    parties.fails(1, "register", "haina/more", "orders.csv")


# --- attachments


def test_a_flipped_bit_in_a_private_attachment(story):
    (path,) = [each for each in (story.home / "private" / "attachments").rglob("*") if each.is_file()]
    good = path.read_bytes()
    flip(path, len(good) // 2)
    audited_bad(story)
    path.write_bytes(good)
    path.unlink()
    story("audit")  # deleting a salt forgets what it sealed: that is a right, and every proof still holds


# --- the chain


def rows(path: Path, skip: tuple[str, ...] = ()) -> Iterator[tuple[str, str, list[object]]]:
    """Yield every table of a database that holds something, each of its columns, and what is in that."""
    with sqlite3.connect(path) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            if table in skip or table.startswith("sqlite_"):
                continue
            columns = [name for _, name, *_ in db.execute(f'PRAGMA table_info("{table}")')]
            for column in columns:
                values = [value for (value,) in db.execute(f'SELECT "{column}" FROM "{table}"')]
                if values:
                    yield table, column, values
    db.close()


def altered(value: object) -> object:
    """Return a value with one bit flipped."""
    if isinstance(value, int):
        return value ^ 1
    if isinstance(value, str):
        return (chr(ord(value[0]) ^ 1) + value[1:]) if value else "x"
    if isinstance(value, bytes):
        return (bytes([value[0] ^ 1]) + value[1:]) if value else b"\x01"
    return 1


def change(path: Path, table: str, column: str, old: object) -> bool:
    """Alter one value of a column; False if the database itself refuses."""
    with sqlite3.connect(path) as db:
        one = f'WHERE rowid = (SELECT rowid FROM "{table}" WHERE "{column}" IS ? LIMIT 1)'
        every = f'WHERE "{column}" IS ?'  # in a table without row ids
        try:
            try:
                db.execute(f'UPDATE "{table}" SET "{column}" = ? {one}', (altered(old), old))
            except sqlite3.OperationalError:
                db.execute(f'UPDATE "{table}" SET "{column}" = ? {every}', (altered(old), old))
        except sqlite3.IntegrityError:
            return False
    db.close()
    return True


CHAIN = [
    ("blocks", "hash"),
    ("blocks", "header"),
    ("blocks", "number"),
    ("facts", "content"),
    ("facts", "name"),
]


@pytest.mark.parametrize(("table", "column"), CHAIN, ids=".".join)
def test_a_flipped_bit_in_a_row_of_the_chain(story, table, column):
    path = story.home / "chain.db"
    (values,) = [values for name, field, values in rows(path) if (name, field) == (table, column)]
    for old in (values[0], values[-1]):
        kept = story.folder / "kept"
        kept.mkdir(exist_ok=True)
        for each in story.home.glob("chain.db*"):
            shutil.copy(each, kept)
        if change(path, table, column, old):
            audited_bad(story)
            still_standing(story)
        for each in story.home.glob("chain.db*"):
            each.unlink()
        for each in kept.iterdir():
            shutil.copy(each, story.home)
    assert story("audit", "--json").json["good"]


def test_flipped_bits_in_the_state_of_the_chain(story):
    """The chain's own store is keyed by hash: what is under a key must have it."""
    path = story.home / "chain.db"
    (values,) = [values for name, field, values in rows(path) if (name, field) == ("nodes", "content")]
    for old in values[-1:]:
        change(path, "nodes", "content", old)
    done = story.run("audit")
    assert "Traceback" not in done.err
    assert story.run("register", "haina/more", "orders.csv").code in (0, 1, 3)


def test_the_chain_of_another_ledger(story, elsewhere):
    elsewhere("init", "haina")
    for each in story.home.glob("chain.db*"):
        each.unlink()
    for each in elsewhere.home.glob("chain.db*"):
        shutil.copy(each, story.home)
    for command in (
        ("audit",),
        ("register", "haina/more", "orders.csv"),
        ("sync",),
        ("verify", "demand.csv"),
    ):
        done = story.run(*command)
        assert done.code in (1, 3)
        assert "Traceback" not in done.err
        assert done.out == "" or not done.out.startswith("GOOD")


def test_a_chain_that_is_gone(story):
    for each in story.home.glob("chain.db*"):
        each.unlink()
    for command in (
        ("audit",),
        ("register", "haina/more", "orders.csv"),
        ("status",),
        ("verify", "demand.csv"),
    ):
        done = story.run(*command)
        assert done.code in (1, 3), done
        assert "chain.db" in done.err
    assert not (story.home / "chain.db").exists()  # nothing makes a new, empty one


# --- the index


VIRTUAL = ("document_fts",)  # its columns are those of `document`


@pytest.mark.parametrize("step", [12, pytest.param(1, marks=pytest.mark.slow)], ids=["some", "all"])
def test_an_altered_row_of_the_index_is_found(story, step):
    """Columns of every table that counts, one after the other: rebuilding from chain and logs tells."""
    path = story.home / "index.db"
    story("sync")
    missed = []
    for table, column, values in list(rows(path, skip=VIRTUAL))[::step]:
        if column == "id" or (table, column) == ("block", "hash"):
            continue  # another hash looks like a reorganised chain: the index is cut back and made again
        good = {each: each.read_bytes() for each in story.home.glob("index.db*")}
        if change(path, table, column, values[-1]):
            done = story.run("audit")
            assert "Traceback" not in done.err, f"{table}.{column}\n{done.err}"
            healed = {(t, c): v for t, c, v in rows(path, skip=VIRTUAL)}.get((table, column)) == values
            if done.code == 0 and not healed:
                missed.append(f"{table}.{column}")
        for each in story.home.glob("index.db*"):
            each.unlink()
        for each, data in good.items():
            each.write_bytes(data)
    assert missed == []


def test_a_forged_row_of_the_index_makes_no_file_good(story):
    """`verify` rechecks entry, signature, inclusion and anchor: it does not believe the index."""
    forged = story.folder / "demand.csv"
    forged.write_text("next_month_units\n7\n")
    digest = story.run("verify", "demand.csv", "--json").json["digest"].partition(":")[2]
    with sqlite3.connect(story.home / "index.db") as db:
        db.execute("UPDATE node SET digest = ?", (bytes.fromhex(digest),))
        columns = [name for _, name, *_ in db.execute("PRAGMA table_info(node)")]
        if "short" in columns:
            short = spread(bytes.fromhex(digest))
            db.execute("UPDATE node SET short = ?", (short,))
    db.close()
    done = story.fails(1, "verify", "demand.csv")
    assert not done.out.startswith("GOOD")


def test_an_index_that_is_none(story):
    path = story.home / "index.db"
    digest = story("sync", "--digest", "--json").json["state_digest"]
    for data in (b"", b"no database at all " * 1000, path.read_bytes()[:5000]):
        for each in story.home.glob("index.db*"):
            each.unlink()
        path.write_bytes(data)
        done = story.run("trace", "haina/demand")
        assert done.code in (0, 1)
        assert "Traceback" not in done.err
        if done.code:
            assert "run `dataledger sync --rebuild`" in done.err
            story("sync", "--rebuild")
        assert story("sync", "--digest", "--json").json["state_digest"] == digest


# --- the workspace


@pytest.mark.parametrize("name", ["config.toml", "ledger.json"])
@pytest.mark.parametrize("data", [b"", b"\x00" * 100, b"x = [", b"{}", b"\xff\xfe", None], ids=ascii)
def test_settings_that_are_none(story, name, data):
    path = story.home / name
    if data is None:
        path.unlink()
    else:
        path.write_bytes(data)
    for command in (
        ("status",),
        ("register", "haina/more", "orders.csv"),
        ("audit",),
        ("trace", "haina/demand"),
    ):
        done = story.run(*command)
        assert done.code in (1, 2, 3)
        assert done.err.startswith("error: ") or done.out.startswith("FAILED: ")
        assert "Traceback" not in done.err


def test_a_flipped_bit_in_the_ledger_description(story):
    path = story.home / "ledger.json"
    good = path.read_bytes()
    for position in range(0, len(good), len(good) // 12):
        flip(path, position)
        done = story.run("status")
        assert "Traceback" not in done.err
        assert done.code in (0, 1, 2, 3)
        path.write_bytes(good)


def test_the_ledger_description_of_another(story, elsewhere):
    elsewhere("init", "haina")
    shutil.copy(elsewhere.home / "ledger.json", story.home)
    for command in (("status",), ("register", "haina/more", "orders.csv"), ("sync",)):
        done = story.fails(1, *command)
        assert done.err.startswith("error: ")


@pytest.mark.parametrize("which", ["account", "record"])
@pytest.mark.parametrize("damage", ["missing", "empty", "flipped"])
def test_a_key_that_cannot_be_used(story, which, damage):
    (path,) = (story.home / "keys").glob(f"{which}-*")
    good = path.read_bytes()
    if damage == "missing":
        path.unlink()
    elif damage == "empty":
        path.write_bytes(b"")
    else:
        flip(path, good.index(b'"secret"') + 20)
    before = story("log", "--json").json["records"]
    done = story.run("register", "haina/more", "orders.csv", "--no-anchor")
    if which == "record":
        assert done.code in (1, 2, 3)
        assert story("log", "--json").json["records"] == before
    assert "Traceback" not in done.err
    assert "Traceback" not in story.run("anchor").err
    path.write_bytes(good)
    path.chmod(0o600)
    story("anchor")
    assert story("audit", "--json").json["good"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_workspace_of_another_user(story):
    for path in (story.home, *story.home.rglob("*")):
        os.chown(path, 12345, 12345)
    done = story.fails(3, "status")
    assert "belongs to another user" in done.err
    assert "DATALEDGER_HOME" in done.err


def test_a_setup_that_was_interrupted(story):
    config = story.home / "config.toml"
    lines = [line for line in config.read_text().splitlines() if not line.startswith("party")]
    config.write_text("\n".join(lines) + "\n")
    done = story.fails(2, "status")
    assert "hint: run the same `dataledger init` again" in done.err
    story("init", "haina", "--name", "Haina Appliances")
    story("trace", "haina/demand")
    assert story("audit", "--json").json["good"]
