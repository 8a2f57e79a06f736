"""The index file: opening, reading, and cutting back to a block.

Nothing here is a source of trust. A file that SQLite cannot read, or that belongs to another ledger or to
other rules, is reported with the one remedy there is: to make it again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ledger.core.errors import Corrupt, LedgerError, Locked, NotFound, Unavailable, WrongLedger
from ledger.index.schema import (
    APPLICATION_ID,
    ATTACHED,
    DERIVED,
    PENDING,
    RULES_VERSION,
    SCHEMA_VERSION,
    columns_of,
    create,
)

Row = tuple[Any, ...]

_REMEDY = "run `dataledger sync --rebuild`: the index is made again from the chain and the logs"
_BUSY_S = 30
_SETTINGS = ("cache_size = -98304", "wal_autocheckpoint = 10000", "temp_store = FILE")  # 96 MB, 40 MB
_SYNCHRONOUS = "NORMAL"  # a power cut may undo the last syncs, but damages nothing
_VERSION = SCHEMA_VERSION << 16 | RULES_VERSION


class Database:
    """One open index file. `path` and `ledger_id` (32 bytes) say which; every error names the file."""

    def __init__(self, path: Path, ledger_id: bytes, connection: sqlite3.Connection) -> None:
        self.path = path
        self.ledger_id = ledger_id
        self.connection = connection

    def rows(self, sql: str, *params: object) -> list[Row]:
        """Run a query and return all of its rows."""
        try:
            return self.connection.execute(sql, params).fetchall()
        except sqlite3.Error as error:
            raise _translated(error, self.path) from error

    def one(self, sql: str, *params: object) -> Row | None:
        """Run a query and return its first row, or None."""
        try:
            row: Row | None = self.connection.execute(sql, params).fetchone()
        except sqlite3.Error as error:
            raise _translated(error, self.path) from error
        return row

    def scalar(self, sql: str, *params: object) -> Any:
        """Run a query and return the first column of its first row, or None."""
        row = self.one(sql, *params)
        return None if row is None else row[0]

    def stream(self, sql: str, *params: object) -> Iterator[Row]:
        """Run a query and yield its rows one by one."""
        with self.guard():
            yield from self.connection.execute(sql, params)

    def execute(self, sql: str, *params: object) -> None:
        """Run one statement."""
        with self.guard():
            self.connection.execute(sql, params)

    def write(self, sql: str, rows: Sequence[Row]) -> None:
        """Run one statement for each of the rows."""
        with self.guard():
            self.connection.executemany(sql, rows)

    def meta(self, name: str) -> Any:
        """Return a value kept beside the tables (see `set_meta`), or None."""
        return self.scalar("SELECT value FROM meta WHERE name = ?", name)

    def set_meta(self, name: str, value: object) -> None:
        """Keep a value beside the tables: `ledger`, and `head` and `final` of the last sync."""
        self.write("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", [(name, value)])

    def top(self) -> int:
        """Return the number of the last block applied, -1 before the first sync."""
        number = self.scalar("SELECT max(number) FROM block")
        return -1 if number is None else int(number)

    def begin(self) -> None:
        """Start a transaction for writing; Locked if another process holds one for too long."""
        with self.guard():
            self.connection.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Make what was written since `begin` durable."""
        with self.guard():
            self.connection.execute("COMMIT")

    def rollback(self) -> None:
        """Forget what was written since `begin`, if anything."""
        if self.connection.in_transaction:
            self.connection.rollback()

    def unmap(self) -> None:
        """Read through SQLite's own cache from now on: else who reads the whole file has all of it in
        memory, where it counts as this process's own.
        """
        self.execute("PRAGMA mmap_size = 0")

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Translate SQLite's errors into ours."""
        try:
            yield
        except sqlite3.Error as error:
            raise _translated(error, self.path) from error


def open_database(path: Path, ledger_id: bytes, *, write: bool = False) -> Database:
    """Open the index at `path` for the ledger `ledger_id` (32 bytes).

    For reading, the file must exist and be of this version (NotFound, Unavailable). For writing, it is made
    if it is missing and made anew if its version is another. A file of another ledger raises WrongLedger in
    both cases, one that SQLite cannot read raises Corrupt.
    """
    try:
        database = _open_for_writing(path, ledger_id) if write else _open_for_reading(path, ledger_id)
    except sqlite3.Error as error:
        raise _translated(error, path) from error
    kept = database.meta("ledger")
    if kept != ledger_id:
        database.close()
        found = kept.hex() if isinstance(kept, bytes) else "none"
        raise WrongLedger(
            f"index {path}: expected ledger {ledger_id.hex()}, found {found}",
            hint="it belongs to another workspace; move it away or delete it",
        )
    return database


def discard(path: Path) -> None:
    """Delete an index file with what SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def rewind(database: Database, block: int) -> None:
    """Forget every row that took effect after `block`, the pending ones too; in the caller's transaction."""
    with database.guard():
        execute = database.connection.execute
        for table in DERIVED:
            first = first_after(database, table, block)
            if first is not None:
                execute(f"DELETE FROM {table} WHERE id >= ?", (first,))  # noqa: S608 - a table of ours
        for table in ATTACHED:  # not written in the order of blocks
            execute(f"DELETE FROM {table} WHERE block > ?", (block,))  # noqa: S608
        execute("DELETE FROM block WHERE number > ?", (block,))


def drop_pending(database: Database) -> None:
    """Forget the rows of records that no block covers."""
    rewind(database, PENDING - 1)


def insert_sql(table: str, *, ignore: bool = False, with_id: bool = True) -> str:
    """Return the INSERT statement for a whole row of a derived or attached table."""
    names = ["id", *columns_of(table)] if with_id else columns_of(table)
    verb = "INSERT OR IGNORE" if ignore else "INSERT"
    return f"{verb} INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"


def first_after(database: Database, table: str, block: int) -> int | None:
    """Return the smallest id whose row took effect after `block`, None if none did: ids grow with blocks."""
    with database.guard():
        return _search(database.connection, table, block)


def _search(connection: sqlite3.Connection, table: str, block: int) -> int | None:
    probe = f"SELECT id, block FROM {table} WHERE id >= ? ORDER BY id LIMIT 1"  # noqa: S608 - a table of ours
    low, high = connection.execute(f"SELECT min(id), max(id) FROM {table}").fetchone()  # noqa: S608
    if low is None or connection.execute(probe, (high,)).fetchone()[1] <= block:
        return None
    while low < high:
        middle = (low + high) // 2
        found, at = connection.execute(probe, (middle,)).fetchone()
        if at > block:
            high = middle
        else:
            low = found + 1
    return int(low)


def _open_for_reading(path: Path, ledger_id: bytes) -> Database:
    if not path.is_file():
        raise NotFound(f"index {path}: there is none yet", hint="run `dataledger sync`")
    connection = _connect(path, "ro")
    if connection.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
        connection.close()
        raise Unavailable(f"index {path}: written by another version", hint="run `dataledger sync`")
    connection.execute("PRAGMA mmap_size = 1073741824")
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA trusted_schema = OFF")
    return Database(path, ledger_id, connection)


def _open_for_writing(path: Path, ledger_id: bytes) -> Database:
    connection = _connect(path, "rwc")
    if connection.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
        connection.close()
        discard(path)
        connection = _connect(path, "rwc")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")  # a file half made counts for nothing
        create(connection)
        connection.execute("INSERT INTO meta VALUES ('ledger', ?)", (ledger_id,))
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(
            f"PRAGMA user_version = {_VERSION}"
        )  # last: without it the file counts for nothing
    for setting in _SETTINGS:
        connection.execute(f"PRAGMA {setting}")
    connection.execute(f"PRAGMA synchronous = {_SYNCHRONOUS}")
    return Database(path, ledger_id, connection)


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"file:{quote(str(path))}?mode={mode}", uri=True, isolation_level=None, timeout=_BUSY_S
    )


def _translated(error: sqlite3.Error, path: Path) -> LedgerError:
    text = str(error)
    if isinstance(error, sqlite3.OperationalError):
        if "locked" in text or "busy" in text:
            return Locked(f"index {path}: another process is writing it", hint="try again in a moment")
        if "full" in text or "unable to open" in text or "readonly" in text or "disk I/O" in text:
            return Unavailable(f"index {path}: {text}", hint="check the disk and the file's permissions")
    return Corrupt(f"index {path}: not readable as an index ({text})", hint=_REMEDY)
