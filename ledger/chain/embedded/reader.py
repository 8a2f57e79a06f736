"""Reading an embedded chain from its file: sqlite3, keccak and RLP, no EVM and no lock.

Whatever is returned was found by its hash, from the header of a block that is linked to its neighbours (see
`database`): an edited row shows as Corrupt where it is read, not as another history.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from ledger.chain.embedded import CAVEAT
from ledger.chain.embedded.database import open_database, sqlite_errors
from ledger.chain.interface import EMBEDDED, RawLog
from ledger.chain.transactions import address_of
from ledger.core import rlp
from ledger.core.chain_facts import BlockRef, SlotProof, StorageProof
from ledger.core.errors import Corrupt, FormatError, NotFound, ProofInvalid, Usage
from ledger.core.hashing import keccak256
from ledger.core.header import Header, parse_header
from ledger.core.mpt import EMPTY_TRIE, entries, lookup, nibbles

GENESIS_MARK = b"dataledger"
"""Begins the extra data of block 0; the chain id follows as eight bytes: the genesis hash covers it."""

_CHUNK = 256
_EMPTY_CODE_HASH = keccak256(b"")


class EmbeddedReader:
    """An embedded chain, to read from. The file stays open until `close`."""

    kind = EMBEDDED
    finality = f"every block is final; {CAVEAT}"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._db = open_database(path)
        try:
            with sqlite_errors(path):
                first = self._header(0)
            self._genesis = first.hash
            self._chain_id = _chain_id(first, path)
        except BaseException:
            self._db.close()
            raise

    @property
    def location(self) -> str:
        """The path of the file."""
        return str(self.path)

    @property
    def chain_id(self) -> int:
        """The chain id, below 2^53."""
        return self._chain_id

    @property
    def genesis(self) -> bytes:
        """The hash of block 0."""
        return self._genesis

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def head(self) -> BlockRef:
        """The latest block."""
        return _reference(self._head())

    def final_number(self) -> int:
        """The latest block: an embedded chain never reorganises."""
        return self._head().number

    def block(self, number: int) -> BlockRef | None:
        """That block; None beyond the head."""
        if number > self.final_number():
            return None
        return _reference(self._header(number))

    def logs(self, start: int, stop: int, addresses: Collection[bytes]) -> Iterator[RawLog]:
        """Every log of these contracts in blocks start..stop-1, in order."""
        wanted = frozenset(addresses)
        for header in self.headers(start, min(stop, self.final_number() + 1)):
            yield from (log for log in self.block_logs(header) if log.address in wanted)

    def storage(self, address: bytes, slot: bytes, block: int | None = None) -> bytes:
        """The 32 bytes in the 32-byte `slot`, at the end of `block` (None: the head)."""
        account, _ = self._account(self._header_at(block), address)
        return self._slot(account[2], slot).content if account else bytes(32)

    def code(self, address: bytes, block: int | None = None) -> bytes:
        """The runtime code at the end of `block` (None: the head), empty if there is none."""
        account, _ = self._account(self._header_at(block), address)
        if account is None or account[3] == _EMPTY_CODE_HASH:
            return b""
        code = self.node(account[3])
        if keccak256(code) != account[3]:
            raise self.corrupt(f"the code of 0x{address.hex()} does not have its hash")
        return code

    def balance_wei(self, address: bytes) -> int:
        """The balance at the head, in wei."""
        account, _ = self._account(self._head(), address)
        return int.from_bytes(account[1], "big") if account else 0

    def transaction_count(self, address: bytes) -> int:
        """How many transactions of that account are in blocks."""
        account, _ = self._account(self._head(), address)
        return int.from_bytes(account[0], "big") if account else 0

    def proof(self, address: bytes, slots: Sequence[bytes], block: int) -> StorageProof:
        """What these 32-byte slots held at the end of `block`; NotFound beyond the head."""
        header = self._header_at(block)
        account, nodes = self._account(header, address)
        root = account[2] if account else EMPTY_TRIE
        return StorageProof(
            block=_reference(header),
            header=self._row(block)[1],
            address=address,
            account_nodes=nodes,
            slots=[self._slot(root, slot) for slot in slots],
        )

    def _header_at(self, block: int | None) -> Header:
        if block is None:
            return self._head()
        if not 0 <= block <= self.final_number():
            raise NotFound(f"{self.path}: expected a block up to {self.final_number()}, asked for {block}")
        return self._header(block)

    def _head(self) -> Header:
        with sqlite_errors(self.path):
            row = self._db.execute(
                "SELECT number, hash, header, (SELECT content FROM facts WHERE name = 'head') FROM blocks"
                " ORDER BY number DESC LIMIT 1"
            ).fetchone()
        if row is None:
            raise self.corrupt("there is no block")
        header = self._parse(*row[:3])
        if row[3] != header.hash:
            raise self.corrupt(f"the last block is not the head: number {header.number} is the last one left")
        return header

    def _row(self, number: int) -> tuple[bytes, bytes, bytes | None, bytes]:
        """Hash and header of a block, its child's header (None if it has none), and the head's hash."""
        with sqlite_errors(self.path):
            row: tuple[bytes, bytes, bytes | None, bytes] | None = self._db.execute(
                "SELECT b.hash, b.header, c.header, (SELECT content FROM facts WHERE name = 'head')"
                " FROM blocks b LEFT JOIN blocks c ON c.number = b.number + 1 WHERE b.number = ?",
                (number,),
            ).fetchone()
        if row is None:
            raise self.corrupt(f"block {number} is missing")
        return row

    def _header(self, number: int) -> Header:
        """The header of an existing block, checked against its child, or the head if it is the last."""
        block_hash, data, child, head = self._row(number)
        header = self._parse(number, block_hash, data)
        follows = head if child is None else self._parse(number + 1, None, child).parent_hash
        if follows != header.hash:
            raise self.corrupt(f"block {number} is not the one that block {number + 1} or the head builds on")
        return header

    def headers(self, start: int, stop: int) -> Iterator[Header]:
        """The headers of existing blocks, each checked against the one before, the last as in `_header`."""
        previous: Header | None = None
        for low in range(start, stop, _CHUNK):
            high = min(low + _CHUNK, stop)
            with sqlite_errors(self.path):
                rows = self._db.execute(
                    "SELECT number, hash, header FROM blocks"
                    " WHERE number >= ? AND number < ? ORDER BY number",
                    (low, high),
                ).fetchall()
            headers = [self._parse(*row) for row in rows]
            if [header.number for header in headers] != list(range(low, high)):
                raise self.corrupt(f"blocks are missing between {low} and {high - 1}")
            self._header(high - 1)
            for header in headers:
                if previous is not None and header.parent_hash != previous.hash:
                    raise self.corrupt(f"block {header.number} does not build on block {previous.number}")
                previous = header
            yield from headers

    def _parse(self, number: int, block_hash: bytes | None, data: bytes) -> Header:
        if not isinstance(data, bytes):
            raise self.corrupt(f"block {number}: expected bytes as header")
        try:
            header = parse_header(data, expected_hash=block_hash)
        except (FormatError, ProofInvalid) as error:
            raise self.corrupt(f"block {number}: {error}") from None
        if header.number != number:
            raise self.corrupt(f"block {number} says that it is block {header.number}")
        return header

    def block_logs(self, header: Header) -> Iterator[RawLog]:
        """Every log of a block, in order, from its receipts."""
        position = 0
        for receipt in self._receipts(header):
            for address, topics, data in self._receipt_logs(receipt, header.number):
                yield RawLog(header.number, position, address, topics, data)
                position += 1

    def _receipts(self, header: Header) -> list[bytes]:
        """The receipts of a block in order: the trie's keys are the RLP of their positions."""
        try:
            found = dict(entries(header.receipts_root, self.node))
        except ProofInvalid as error:
            raise self.corrupt(str(error)) from None
        keys = [nibbles(rlp.encode(rlp.encode_uint(position))) for position in range(len(found))]
        if found.keys() != set(keys):
            raise self.corrupt(f"block {header.number}: expected receipts 0 to {len(found) - 1}")
        return [found[key] for key in keys]

    def _receipt_logs(self, receipt: bytes, number: int) -> Iterator[tuple[bytes, tuple[bytes, ...], bytes]]:
        # EIP-2718: a leading byte below 0x80 is the transaction's type
        body = rlp.decode_list(receipt[1:] if receipt[0] < 0x80 else receipt)
        for entry in body[3] if len(body) == 4 else [b""]:
            match entry:
                case [bytes(address), list(topics), bytes(data)]:
                    yield address, tuple(topic for topic in topics if isinstance(topic, bytes)), data
                case _:
                    raise self.corrupt(f"block {number}: expected logs of address, topics and data")

    def _account(self, header: Header, address: bytes) -> tuple[list[bytes] | None, list[bytes]]:
        """The account's nonce, balance, storage root and code hash, or None; and the proof of it."""
        value, nodes = self._lookup(header.state_root, keccak256(address))
        if value is None:
            return None, nodes
        fields = [field for field in rlp.decode(value) if isinstance(field, bytes)]
        if len(fields) != 4:
            raise self.corrupt(f"account 0x{address.hex()}: expected 4 items")
        return fields, nodes

    def _slot(self, storage_root: bytes, slot: bytes) -> SlotProof:
        value, nodes = self._lookup(storage_root, keccak256(slot))
        content = b"" if value is None else rlp.decode(value)
        if not isinstance(content, bytes) or len(content) > 32:
            raise self.corrupt(f"slot {slot.hex()}: expected at most 32 bytes")
        return SlotProof(slot, content.rjust(32, b"\0"), nodes)

    def _lookup(self, root: bytes, key: bytes) -> tuple[bytes | None, list[bytes]]:
        try:
            return lookup(root, key, self.node)
        except ProofInvalid as error:
            raise self.corrupt(str(error)) from None

    def node(self, node_hash: bytes) -> bytes:
        """The content of a node; Corrupt if it is missing. Its hash is for the caller to check."""
        with sqlite_errors(self.path):
            row = self._db.execute("SELECT content FROM nodes WHERE key = ?", (node_hash,)).fetchone()
        if row is None or not isinstance(row[0], bytes):
            raise self.corrupt(f"node {node_hash.hex()} is missing")
        content: bytes = row[0]
        return content

    def faucet(self) -> bytes:
        """The faucet's key (32 bytes, secp256k1): public to whoever can read the file."""
        with sqlite_errors(self.path):
            row = self._db.execute("SELECT content FROM facts WHERE name = 'faucet'").fetchone()
        key: bytes = row[0] if row and isinstance(row[0], bytes) else b""
        try:
            account = address_of(key)
        except Usage:
            account = b""
        if self._account(self._header(0), account)[0] is None:
            raise self.corrupt("the faucet's key is not the one that block 0 funds")
        return key

    def corrupt(self, what: str) -> Corrupt:
        """The error to raise for a contradiction."""
        return Corrupt(
            f"{self.path}: the embedded chain contradicts itself: {what}",
            hint="Restore chain.db from a copy; the logs and keys beside it are not affected.",
        )


def _reference(header: Header) -> BlockRef:
    return BlockRef(header.number, header.hash, header.parent_hash, header.time_unix_s)


def _chain_id(first: Header, path: Path) -> int:
    mark, number = first.extra_data[: len(GENESIS_MARK)], first.extra_data[len(GENESIS_MARK) :]
    if mark != GENESIS_MARK or len(number) != 8:
        raise Corrupt(f"{path}: expected a first block that names the chain id")
    return int.from_bytes(number, "big")
