"""Writing rows in bulk: buffered, with ids given here, and with names kept once.

Rows wait in memory until `flush`. Whoever looks something up in the tables may therefore miss it, unless it
went through an `Interner`, whose memory holds at least everything that was not flushed.
"""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

from ledger.index.database import Database, Row, insert_sql
from ledger.index.schema import DERIVED

K = TypeVar("K", str, bytes)

CAPACITY = 100_000  # keys remembered of one kind: about 10 MB

_INSERT = {table: insert_sql(table, ignore=table == "asset_edge") for table in DERIVED}


class Writer:
    """Buffers rows of the derived tables. `block` is the block in which the rows added now take effect."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.block = 0
        self._rows: dict[str, list[Row]] = {}
        self._next: dict[str, int] = {}
        self.reset()

    def reset(self) -> None:
        """Forget what is buffered and look up where the ids go on: after a rollback or a rewind."""
        self._rows = {table: [] for table in DERIVED}
        self._next = {
            table: (self.database.scalar(f"SELECT max(id) FROM {table}") or 0) + 1  # noqa: S608 - ours
            for table in DERIVED
        }

    def next_id(self, table: str) -> int:
        """Return the id that the next row of `table` gets."""
        return self._next[table]

    def add(self, table: str, *values: object) -> int:
        """Buffer a row (its columns without `id` and `block`, in order) and return its id."""
        row_id = self._next[table]
        self._next[table] = row_id + 1
        self._rows[table].append((row_id, *values, self.block))
        return row_id

    def flush(self) -> None:
        """Write everything that is buffered."""
        for table, rows in self._rows.items():
            if rows:
                self.database.write(_INSERT[table], rows)
                rows.clear()


class Interner(Generic[K]):
    """Ids of names that are kept once: looked up, remembered (also that there is none), made when missing."""

    def __init__(self, writer: Writer, table: str, column: str) -> None:
        self._writer = writer
        self._table = table
        self._known: dict[K, int | None] = {}
        self._one = f"SELECT id FROM {table} WHERE {column} = ?"  # noqa: S608 - names of ours

    def get(self, key: K) -> int | None:
        """Return the id of `key`, None if it has none."""
        if key not in self._known:
            self._known[key] = self._writer.database.scalar(self._one, key)
        return self._known[key]

    def id(self, key: K, *rest: object) -> int:
        """Return the id of `key`; `rest` are the other columns of the row where it has to be made."""
        known = self._known.get(key) or self.get(key)
        if known is None:
            known = self._known[key] = self._writer.add(self._table, key, *rest)
        return known

    def forget(self, *, everything: bool = False) -> None:
        """Bound the memory; only right after a flush. `everything`: after a rollback or a rewind."""
        if everything or len(self._known) > CAPACITY:
            self._known.clear()


def listed(values: object) -> str:
    """Return a JSON array for `json_each`."""
    return msgspec.json.encode(values).decode()
