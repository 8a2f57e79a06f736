"""A chain.db with a flipped bit or an edited row: noticed where it is read, and by the full check."""

from __future__ import annotations

import contextlib
import random
import secrets
import sqlite3
from pathlib import Path

import pytest

from ledger.chain import contracts
from ledger.chain.bound import LedgerReader
from ledger.chain.deploy import deploy
from ledger.chain.embedded.chain import EmbeddedChain, create_embedded
from ledger.chain.embedded.check import verify_chain_db
from ledger.chain.embedded.reader import EmbeddedReader
from ledger.chain.transactions import address_of
from ledger.core.errors import Corrupt, FormatError, Unavailable
from ledger.core.identity import log_id


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """The bytes of a chain with a ledger and some anchors; the ledger; what a reader finds."""
    path = create_embedded(tmp_path_factory.mktemp("damage") / "chain.db").path
    chain = EmbeddedChain(path)
    key = secrets.token_bytes(32)
    chain.fund(address_of(key))
    ledger = deploy(chain, key)
    owner = address_of(key)
    for n in range(4):
        chain.send_all([contracts.post(ledger, owner, bytes(32), bytes([n + 1]) * 32)], key)
    root = secrets.token_bytes(32)
    anchor = contracts.anchor(ledger, owner, 0, old_size=0, size=3, root=root, proof=[])
    chain.send_all([contracts.claim_namespace(ledger, "acme", owner), anchor], key)
    chain.close()
    log = log_id(ledger.chain_id, ledger.address("Anchors"), owner, 0)
    return path.read_bytes(), ledger, log, read(path, ledger, log)


@pytest.fixture
def copy(original, tmp_path):
    path = tmp_path / "chain.db"
    path.write_bytes(original[0])
    return path


def read(path: Path, ledger, log) -> list:
    """Everything that a reader can be asked."""
    reader = LedgerReader(EmbeddedReader(path), ledger)
    try:
        head = reader.head()
        return [
            head,
            [reader.block(number) for number in range(head.number + 1)],
            list(reader.events(0, head.number + 1)),
            reader.log_head(log),
            reader.checkpoint_covering(log, 2),
            [reader.code(ledger.address(name)) for name in ledger.contracts],
        ]
    finally:
        reader.close()


def edit(path: Path, statement: str, *values: object) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    changed = connection.execute(statement, values).rowcount
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    assert changed != 0


def test_an_undamaged_chain_is_good(original, copy):
    told = []
    check = verify_chain_db(copy, lambda done, total: told.append((done, total)))
    assert check.blocks == 8
    assert told == [(n, 8) for n in range(1, 9)]
    assert read(copy, *original[1:3]) == original[3]


EDITS = {
    "a block is gone": "DELETE FROM blocks WHERE number = 3",
    "the last block is gone": "DELETE FROM blocks WHERE number = 7",
    "the last blocks are gone": "DELETE FROM blocks WHERE number >= 5",
    "the first block is gone": "DELETE FROM blocks WHERE number = 0",
    "all blocks are gone": "DELETE FROM blocks",
    "blocks are swapped": "UPDATE blocks SET number = number - 7 WHERE number IN (3, 4)",
    "a header is replaced": "UPDATE blocks SET header = zeroblob(600) WHERE number = 3",
    "a header is text": "UPDATE blocks SET header = 'no header' WHERE number = 3",
    "a header is cut": "UPDATE blocks SET header = substr(header, 1, 500) WHERE number = 7",
    "a hash is wrong": "UPDATE blocks SET hash = zeroblob(32) WHERE number = 3",
    "the head is wrong": "UPDATE facts SET content = zeroblob(32) WHERE name = 'head'",
    "the head is older": "UPDATE facts SET content = (SELECT hash FROM blocks WHERE number = 6)",
    "the head is gone": "DELETE FROM facts WHERE name = 'head'",
    "the nodes are gone": "DELETE FROM nodes",
    "the nodes are empty": "UPDATE nodes SET content = x''",
    "the nodes are numbers": "UPDATE nodes SET content = 7",
}


@pytest.mark.parametrize("name", EDITS)
def test_edits_are_noticed_where_they_are_read(original, copy, name):
    edit(copy, EDITS[name])
    if name == "blocks are swapped":
        edit(copy, "UPDATE blocks SET number = -number WHERE number < 0")
    with pytest.raises(Corrupt):
        read(copy, *original[1:3])
    with pytest.raises(Corrupt):
        verify_chain_db(copy)


def test_a_forged_header_in_the_middle(copy):
    """Hash and header fit each other, but not the block that follows."""
    from ledger.core.hashing import keccak256
    from ledger.core.rlp import decode_list, encode

    reader = EmbeddedReader(copy)
    connection = sqlite3.connect(copy)
    (header,) = connection.execute("SELECT header FROM blocks WHERE number = 3").fetchone()
    items = decode_list(header)
    items[12] = b"forged"
    forged = encode(items)
    connection.close()
    edit(copy, "UPDATE blocks SET header = ?, hash = ? WHERE number = 3", forged, keccak256(forged))
    with pytest.raises(Corrupt, match="block 4"):
        reader.block(3)
    with pytest.raises(Corrupt):
        list(reader.logs(3, 4, []))
    with pytest.raises(Corrupt):
        list(reader.logs(0, 9, []))
    reader.close()


def test_the_faucets_key(copy):
    edit(copy, "UPDATE facts SET content = randomblob(32) WHERE name = 'faucet'")
    with pytest.raises(Corrupt, match="faucet"):
        verify_chain_db(copy)
    chain = EmbeddedChain(copy)
    with pytest.raises(Corrupt, match="faucet"):
        chain.fund(bytes(20))
    chain.close()


@pytest.mark.parametrize("seed", range(3))
def test_every_node_matters(original, copy, seed):
    """Whichever node is changed, the full check notices, and no reader sees other facts."""
    chooser = random.Random(seed)
    connection = sqlite3.connect(copy)
    keys = [key for (key,) in connection.execute("SELECT key FROM nodes ORDER BY key")]
    connection.close()
    for key in chooser.sample(keys, 12):
        copy.write_bytes(original[0])
        connection = sqlite3.connect(copy, isolation_level=None)
        (content,) = connection.execute("SELECT content FROM nodes WHERE key = ?", (key,)).fetchone()
        at, bit = chooser.randrange(len(content)), 1 << chooser.randrange(8)
        flipped = content[:at] + bytes([content[at] ^ bit]) + content[at + 1 :]
        connection.execute("UPDATE nodes SET content = ? WHERE key = ?", (flipped, key))
        connection.close()
        with pytest.raises(Corrupt):
            verify_chain_db(copy)
        with contextlib.suppress(Corrupt):
            assert read(copy, *original[1:3]) == original[3]


@pytest.mark.parametrize("flips", [60, pytest.param(600, marks=pytest.mark.slow)])
def test_flipped_bits_of_the_file(original, copy, flips):
    """Wherever a bit of the file flips: the facts are the same, or an error says that they can't be had."""
    chooser = random.Random(20)
    content = bytearray(original[0])
    noticed = 0
    for _ in range(flips):
        at, bit = chooser.randrange(len(content)), 1 << chooser.randrange(8)
        content[at] ^= bit
        copy.write_bytes(content)
        content[at] ^= bit
        for beside in ("-wal", "-shm"):
            copy.with_name(copy.name + beside).unlink(missing_ok=True)
        try:
            assert read(copy, *original[1:3]) == original[3]
            verify_chain_db(copy)
        except (Corrupt, FormatError, Unavailable):
            noticed += 1
    assert noticed > flips // 4  # the rest is unused space


@pytest.mark.parametrize("length", [0, 1, 100, 4096, 10_000, 50_000])
def test_a_file_cut_short(original, copy, length):
    copy.write_bytes(original[0][:length])
    with pytest.raises(Corrupt):
        read(copy, *original[1:3])


def test_another_programs_database(tmp_path):
    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (a)")
    connection.close()
    with pytest.raises(Corrupt, match="another SQLite database"):
        EmbeddedReader(path)
    path.write_bytes(b"plain text, and quite some of it" * 100)
    with pytest.raises(Corrupt):
        EmbeddedReader(path)


def test_a_newer_format(copy):
    connection = sqlite3.connect(copy)
    connection.execute("PRAGMA user_version = 2")
    connection.close()
    with pytest.raises(FormatError, match="version 1"):
        EmbeddedReader(copy)


def test_writing_on_a_damaged_chain_is_refused(original, copy):
    edit(copy, "DELETE FROM nodes")
    chain = EmbeddedChain(copy)
    with pytest.raises(Corrupt):
        chain.send_all([contracts.post(original[1], bytes(20), bytes(32), bytes(32))], b"\1" * 32)
    chain.close()
