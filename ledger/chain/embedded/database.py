"""The SQLite file of an embedded chain: schema, opening, and what SQLite's errors mean here.

Three tables, and one transaction a block over all of them:

- `nodes`: keccak256(content) = key: trie nodes of state, storage, transactions and receipts (whose logs are
  our events), and contract code;
- `blocks`: number, hash, header RLP;
- `facts`: `head` (hash of the last block) and `faucet` (secp256k1 key, 32 bytes, of the account that genesis
  funds).

There is no second book: an event is read from its receipt, the receipt hangs off its header, the header off
the next one, and the last one off `head`. So a reader notices an edited row without any checksum of ours. The
file is in WAL mode: readers see a consistent state while somebody writes, and wait for nobody.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from ledger.core.errors import Corrupt, FormatError, Locked, Unavailable

APPLICATION_ID = 0x444C4348  # "DLCH"
SCHEMA_VERSION = 1
SCHEMA = """
CREATE TABLE facts (name TEXT PRIMARY KEY, content BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE nodes (key BLOB PRIMARY KEY, content BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE blocks (number INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, header BLOB NOT NULL);
"""

_BUSY_MS = 10_000
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_NO_ACCESS = {
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
}


@contextmanager
def sqlite_errors(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into ours: Corrupt, Locked or Unavailable."""
    try:
        yield
    except sqlite3.Error as error:
        code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
        if code in _BUSY:
            raise Locked(
                f"{path}: the chain's file is busy: {error}", hint="Try again in a moment."
            ) from None
        if code in _NO_ACCESS:
            raise Unavailable(f"{path}: {error}; nothing was written") from None
        if code in _DAMAGED:
            raise Corrupt(f"{path}: expected the file of an embedded chain: {error}") from None
        raise Corrupt(f"{path}: not as this product wrote it: {error}") from None


def open_database(path: Path, *, write: bool = False) -> sqlite3.Connection:
    """Open an existing chain's file in autocommit mode.

    Raises Unavailable if it is missing or can't be read, Corrupt if it is something else, FormatError if a
    newer release made it.
    """
    if not path.is_file():
        raise Unavailable(
            f"{path}: expected the file of an embedded chain, there is none",
            hint="Give the path of the chain.db that `dataledger init` made, or the URL of a node.",
        )
    with sqlite_errors(path):
        connection = _connect(path, "rw") if write else _connect_to_read(path)
        try:
            _check(connection, path)
            if write:
                connection.execute("PRAGMA synchronous = FULL")  # a block that was reported is on disk
        except BaseException:
            connection.close()
            raise
    return connection


def create_database(path: Path) -> sqlite3.Connection:
    """Make an empty file with the schema and open it to write; the file must not exist."""
    with sqlite_errors(path):
        connection = _connect(path, "rwc")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.executescript(SCHEMA)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    return connection


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    uri = f"file:{quote(str(path.absolute()))}?mode={mode}"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=_BUSY_MS / 1000)
    connection.execute("PRAGMA trusted_schema = OFF")
    return connection


def _connect_to_read(path: Path) -> sqlite3.Connection:
    connection = _connect(path, "ro")
    try:
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        connection.close()
        # WAL needs a writable folder even to read. Where there is no WAL nobody is writing either.
        if (error.sqlite_errorcode & 0xFF) not in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}:
            raise
        wal = path.with_name(path.name + "-wal")
        if wal.exists() and wal.stat().st_size:
            raise
        connection = _connect(path, "ro&immutable=1")
    except BaseException:
        connection.close()
        raise
    return connection


def _check(connection: sqlite3.Connection, path: Path) -> None:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID:
        raise Corrupt(f"{path}: expected the file of an embedded chain, got another SQLite database")
    if version != SCHEMA_VERSION:
        raise FormatError(
            f"{path}: expected version {SCHEMA_VERSION} of the chain's file, got {version}",
            hint="Use the release of dataledger that wrote it.",
        )
