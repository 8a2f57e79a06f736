"""Checking a whole embedded chain: what reading notices piecemeal, all at once, for an audit.

Every row is hashed, every block follows the one before, and whatever any block refers to is there: its
transactions, its receipts, and the state, storage and code as they stood at its end. Nothing is executed
again: that the state follows from the transactions is the EVM's word.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec import Struct

from ledger.chain.embedded.database import open_database, sqlite_errors
from ledger.chain.embedded.reader import EmbeddedReader
from ledger.core import rlp
from ledger.core.errors import Corrupt, FormatError
from ledger.core.hashing import keccak256
from ledger.core.mpt import EMPTY_TRIE

Progress = Callable[[int, int], None]

_EMPTY_CODE_HASH = keccak256(b"")


class ChainCheck(Struct, frozen=True):
    """What was checked: the number of blocks, of nodes, and their bytes."""

    blocks: int
    nodes: int
    bytes: int


def verify_chain_db(path: Path, progress: Progress = lambda _done, _total: None) -> ChainCheck:
    """Check the whole file; Corrupt at the first contradiction, Unavailable if it can't be read.

    Takes some 100 microseconds a node, and a block leaves some 15 nodes. `progress` is told blocks done and
    total.
    """
    reader = EmbeddedReader(path)
    try:
        connection = open_database(path)
        try:
            _check_file(connection, path)
            return _Check(reader, connection).run(progress)
        finally:
            connection.close()
    finally:
        reader.close()


def _check_file(connection: sqlite3.Connection, path: Path) -> None:
    with sqlite_errors(path):
        (answer,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if answer != "ok":
        raise Corrupt(f"{path}: the file is damaged: {answer}", hint="Restore chain.db from a copy.")


class _Check:
    def __init__(self, reader: EmbeddedReader, connection: sqlite3.Connection) -> None:
        self._reader = reader
        self._connection = connection
        self._seen: set[bytes] = set()

    def run(self, progress: Progress) -> ChainCheck:
        reader = self._reader
        head = reader.head().number
        nodes, size = self._hash_nodes()
        for header in reader.headers(0, head + 1):
            for root, leaf in (
                (header.transactions_root, None),
                (header.receipts_root, None),
                (header.state_root, self._account),
            ):
                self._walk(root, leaf)
            for _ in reader.block_logs(header):
                pass  # each is decoded
            progress(header.number + 1, head + 1)
        reader.faucet()
        return ChainCheck(head + 1, nodes, size)

    def _hash_nodes(self) -> tuple[int, int]:
        count = size = 0
        with sqlite_errors(self._reader.path):
            for key, content in self._connection.execute("SELECT key, content FROM nodes"):
                if not isinstance(content, bytes) or keccak256(content) != key:
                    raise self._reader.corrupt(f"node {key!r:.80} does not have its hash")
                count += 1
                size += len(content)
        return count, size

    def _walk(self, root: bytes, leaf: Callable[[bytes], None] | None) -> None:
        """Visit every node under `root` that no earlier walk visited; `leaf` is given each value."""
        todo: list[rlp.Item] = [] if root == EMPTY_TRIE else [root]
        while todo:
            item = todo.pop()
            if isinstance(item, bytes):
                if item in self._seen:
                    continue
                self._seen.add(item)
                item = self._decode(self._reader.node(item))
            for child, is_value in _children(item):
                if not is_value:
                    todo.append(child)
                elif leaf is not None and isinstance(child, bytes):
                    leaf(child)

    def _account(self, value: bytes) -> None:
        match self._decode(value):
            case [bytes(), bytes(), bytes(storage_root), bytes(code_hash)]:
                self._walk(storage_root, None)
                if code_hash != _EMPTY_CODE_HASH:
                    self._reader.node(code_hash)
            case _:
                raise self._reader.corrupt("an account does not have 4 items")

    def _decode(self, data: bytes) -> rlp.Item:
        try:
            return rlp.decode(data)
        except FormatError as error:
            raise self._reader.corrupt(str(error)) from None


def _children(node: rlp.Item) -> Iterator[tuple[rlp.Item, bool]]:
    """What a node refers to, and whether it is a value rather than another node."""
    match node:
        case [bytes(path), child]:
            yield child, bool(path and path[0] & 0x20)
        case [*branches, value] if len(branches) == 16:
            yield from ((child, False) for child in branches if child != b"")
            if value != b"":
                yield value, True
