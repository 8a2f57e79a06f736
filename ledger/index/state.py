"""The state digest, by which two readers compare what they derived, and the comparison with a fresh index.

The bytes are those of docs/formats.md section 9. A row is hashed by what it means, never by row ids, and
tables in the order of `TABLES`; what is pending, and whatever comes from attachments, is left out.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import struct
from collections.abc import Callable, Iterable, Iterator
from itertools import zip_longest
from urllib.parse import quote

from msgspec import Struct

from ledger.core.authority import RULES_VERSION
from ledger.core.errors import Corrupt, Unavailable
from ledger.core.hashing import sha256
from ledger.core.merkle import EMPTY_ROOT
from ledger.index.database import Database, Row
from ledger.index.feeds import ChainFeed
from ledger.index.kinds import CLOSED, MISMATCH, UNAVAILABLE
from ledger.index.queries import final_block
from ledger.index.schema import DERIVED, SEARCH, columns_of
from ledger.index.state_tables import TABLES

_HASHED_AT_ONCE = 4096
_TAG = b"dataledger/state/v1\0"
_REASONS = ("", UNAVAILABLE, MISMATCH, CLOSED)


class LogInput(Struct, frozen=True):
    """How far a log was confirmed (entries and root), and why it stops: empty, or as `LogView.problem`."""

    log: bytes
    size: int
    root: bytes
    problem: str


class TableDigest(Struct, frozen=True):
    """The rows of one table: how many, and their digest (32 bytes)."""

    name: str
    rows: int
    digest: bytes


class State(Struct, frozen=True):
    """The digest with what it depends on: block, logs (the missing ones are those with a problem), rules."""

    digest: bytes
    ledger_id: bytes
    rules: int
    block: int
    block_hash: bytes
    logs: list[LogInput]
    tables: list[TableDigest]


class Difference(Struct, frozen=True):
    """A table of the index in which a row is not what chain and logs make it: `row` is its id."""

    table: str
    row: int
    found: str
    expected: str


def state(database: Database, block: int | None = None) -> State:
    """Compute the state as of the end of `block`, by default the last final one (Unavailable)."""
    number = final_block(database) if block is None else block
    found = database.scalar("SELECT hash FROM block WHERE number = ?", number)
    if found is None:
        raise Unavailable(
            f"the index has no state of block {number}", hint="run `dataledger sync`, or name another block"
        )
    logs = [
        LogInput(log, size or 0, root or EMPTY_ROOT, problem or "")
        for log, size, root, problem in database.rows(_LOGS, number, number, number, number)
    ]
    tables = [_digest(name, database.stream(query, number)) for name, query in TABLES.items()]
    parts = [_TAG, database.ledger_id, _u64(RULES_VERSION), _u64(number), found, _u64(len(logs))]
    for log in logs:
        parts += (log.log, _u64(log.size), log.root, bytes([_REASONS.index(log.problem)]))
    parts += (table.digest for table in tables)
    return State(sha256(b"".join(parts)), database.ledger_id, RULES_VERSION, number, found, logs, tables)


def compare(database: Database, fresh: Database) -> list[Difference]:
    """Compare an index with one just built from the same chain and logs; at most one difference a table.

    Ids are given in the order in which things are applied, so that rows must agree in full. Of blocks and of
    what attachments hold, only what both indexes have can be compared: the heads of earlier syncs are kept in
    one of them alone, and an attachment may have turned up meanwhile.
    """
    block = min(database.top(), fresh.top())
    pairs = [(table, _rows(database, table, block), _rows(fresh, table, block)) for table in DERIVED]
    both = json.dumps(sorted(_blocks(database, block) & _blocks(fresh, block)))
    pairs.append(("block", database.stream(_BLOCKS, both), fresh.stream(_BLOCKS, both)))
    read = json.dumps(sorted(_read(database, block) & _read(fresh, block)))
    pairs.append(("attached_column", database.stream(_ATTACHED, read), fresh.stream(_ATTACHED, read)))
    return [found for pair in pairs if (found := _first_difference(*pair))]


def _blocks(database: Database, block: int) -> set[int]:
    """Return the numbers of the blocks that are kept."""
    return {number for (number,) in database.rows("SELECT number FROM block WHERE number <= ?", block)}


def _read(database: Database, block: int) -> set[int]:
    """Return the ids of the attachments that were read."""
    query = "SELECT attachment FROM attachment_read WHERE state = 'read' AND block <= ?"
    return {attachment for (attachment,) in database.rows(query, block)}


def compare_blocks(database: Database, fresh: Database, chain: ChainFeed) -> list[Difference]:
    """Compare the blocks that an index keeps with those of the chain; at most one difference.

    An index built bit by bit keeps more of them than a fresh one: those the chain is asked for.
    """
    rows = "SELECT number, hash, time FROM block WHERE number <= ? ORDER BY number"
    top = min(database.top(), fresh.top())
    expected = {number: (number, *row) for number, *row in fresh.rows(rows, top)}
    for ours in database.rows(rows, top):
        theirs = expected.get(ours[0])
        if theirs is None and (block := chain.block(ours[0])) is not None:
            theirs = (block.number, block.hash, block.time_unix_s)
        if ours != theirs:
            return [Difference("block", ours[0], _shown(ours), _shown(theirs))]
    return []


def check_file(database: Database) -> None:
    """Raise Corrupt if the file contradicts itself: pages, or tables and their indexes."""
    faults = [row[0] for row in database.rows("PRAGMA integrity_check(3)")]
    if faults != ["ok"]:
        raise Corrupt(
            f"index {database.path}: {'; '.join(faults)[:500]}",
            hint="run `dataledger sync --rebuild`: it is made again from the chain and the logs",
        )


def check_search(database: Database, fresh: Database) -> list[Difference]:
    """Compare the search index with the texts that it is over: every table that SQLite keeps for it.

    Its rows depend on how the work was cut into batches, so they can't be compared with those of a fresh
    index: FTS5 checks them itself, against the texts, which were compared. What it does not look at: the
    settings, which are compared, and the pages that a word leads to: every segment has to have some, and
    every word is looked up.
    """
    fault = _search_fault(database)
    if fault is None:
        ours, theirs = (each.rows(_SEARCH_SETTINGS) for each in (database, fresh))
        fault = None if ours == theirs else f"settings {ours}"
    return [] if fault is None else [Difference(SEARCH, 0, fault, "the texts of document")]


def _search_fault(database: Database) -> str | None:
    """Return what FTS5 finds wrong with the search index, in the words of SQLite."""
    connection = sqlite3.connect(f"file:{quote(str(database.path))}?mode=rw", uri=True, isolation_level=None)
    try:
        connection.execute("BEGIN")
        connection.execute(_SEARCH_CHECK)  # a command in the form of an INSERT: it changes nothing
        connection.execute(_WORDS)
        lost = connection.execute(_LOST_SEGMENT).fetchone() or connection.execute(_LOST_WORD).fetchone()
    except sqlite3.DatabaseError as error:
        if "locked" in str(error) or "readonly" in str(error):
            raise Unavailable(f"index {database.path}: {error}", hint="try again in a moment") from error
        return str(error)
    else:
        return None if lost is None else f"{lost[0]!a} leads nowhere"
    finally:
        if connection.in_transaction:
            connection.rollback()
        connection.close()


def encode_row(row: Iterable[object]) -> bytes:
    """Encode a row: 0 for nothing, 1 and i64, 2 and u32 length and bytes, 3 and u32 length and UTF-8."""
    parts: list[bytes] = []
    _encode(row, parts.append)
    return b"".join(parts)


def _encode(row: Iterable[object], add: Callable[[bytes], None]) -> None:
    for value in row:
        if value is None:
            add(b"\0")
        elif isinstance(value, int):
            add(_INTEGER(1, value))
        elif isinstance(value, bytes):
            add(_LENGTH(2, len(value)))
            add(value)
        else:
            text = str(value).encode()
            add(_LENGTH(3, len(text)))
            add(text)


_INTEGER = struct.Struct(">bq").pack
_LENGTH = struct.Struct(">bI").pack


def _digest(name: str, rows: Iterable[Row]) -> TableDigest:
    digest = hashlib.sha256()
    count = 0
    parts: list[bytes] = []
    for row in rows:
        _encode(row, parts.append)
        count += 1
        if len(parts) >= _HASHED_AT_ONCE:
            digest.update(b"".join(parts))
            parts.clear()
    digest.update(b"".join(parts))
    return TableDigest(name, count, digest.digest())


def _rows(database: Database, table: str, block: int) -> Iterator[Row]:
    columns = ", ".join(
        _LATEST if (table, each) == ("finding", "text") else each for each in columns_of(table)
    )
    # these ids alone have gaps, which depend on how the work was cut into batches
    start, order = ("0", "output, input") if table == "asset_edge" else ("id", "id")
    return database.stream(f"SELECT {start}, {columns} FROM {table} WHERE block <= ? ORDER BY {order}", block)  # noqa: S608


def _first_difference(table: str, found: Iterator[Row], expected: Iterator[Row]) -> Difference | None:
    for ours, theirs in zip_longest(found, expected):
        if ours != theirs:
            row = (ours or theirs or (0,))[0]
            return Difference(table, row, _shown(ours), _shown(theirs))
    return None


def _shown(row: Row | None) -> str:
    return (
        "no row" if row is None else ", ".join(v.hex() if isinstance(v, bytes) else str(v) for v in row[1:])
    )


def _u64(number: int) -> bytes:
    return number.to_bytes(8, "big")


# rank 1: against the texts, too, which lie in another table (FTS5, "external content")
_SEARCH_CHECK = f"INSERT INTO {SEARCH} ({SEARCH}, rank) VALUES ('integrity-check', 1)"  # noqa: S608 - ours
_WORDS = f"CREATE VIRTUAL TABLE temp.word USING fts5vocab(main, {SEARCH}, 'row')"
_LOST_SEGMENT = f"""
SELECT id >> 37 FROM {SEARCH}_data WHERE id >> 37 > 0 EXCEPT
SELECT segid FROM {SEARCH}_idx WHERE term = x''
"""  # noqa: S608 - ours
_LOST_WORD = f"""
SELECT term FROM temp.word
WHERE doc <> (SELECT count(*) FROM {SEARCH} WHERE {SEARCH} MATCH '"' || term || '"') LIMIT 1
"""  # noqa: S608 - ours
_SEARCH_SETTINGS = f"SELECT k, v FROM {SEARCH}_config ORDER BY k"  # noqa: S608 - a table of ours

# why a log could not be had is another thing each time that it is tried
_LATEST = f"CASE kind WHEN '{UNAVAILABLE}' THEN '' ELSE text END"

_BLOCKS = """
SELECT number, hash, time FROM block WHERE number IN (SELECT value FROM json_each(?)) ORDER BY number
"""
_ATTACHED = """
SELECT attachment, output, output_field, input, input_field, how, activity, block FROM attached_column
WHERE attachment IN (SELECT value FROM json_each(?)) ORDER BY 1, 2, 3, 4, 5, 6
"""
_LOGS = """
SELECT l.log, q.size, q.root, (SELECT s.reason FROM stop s WHERE s.log = l.id AND s.block <= ? LIMIT 1)
FROM log l
LEFT JOIN prefix q
  ON q.id = (SELECT f.id FROM prefix f WHERE f.log = l.id AND f.block <= ? ORDER BY f.n DESC LIMIT 1)
WHERE l.block <= ? AND l.block <= ? ORDER BY l.log
"""
