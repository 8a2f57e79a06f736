"""Executing transactions with py-evm over the chain's file. The only module that imports `eth`.

py-evm sees a key-value database whose writes stay in memory until a whole block is done; then nodes, header
and head go to SQLite in one transaction. A process killed at any moment leaves the chain at its last whole
block.

A block's time is the clock's when it starts, or one second after its parent's if that is later, and it
is set before the first transaction runs: contracts store it. Gas costs the base fee and nothing else; it
falls to a few wei. py-evm follows the forks up to Prague and is no longer developed: `genesis` and `mine` are
all that is asked of it.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import rlp as eth_rlp
from eth.abc import BlockAPI, BlockHeaderAPI
from eth.consensus.context import ConsensusContext
from eth.constants import ZERO_ADDRESS
from eth.db.atomic import AtomicDB
from eth.db.backends.base import BaseDB
from eth.db.chain import ChainDB
from eth.exceptions import HeaderNotFound, PyEVMError, Revert
from eth.rlp.headers import BlockHeader
from eth.vm.chain_context import ChainContext
from eth.vm.forks.prague import PragueVM
from eth.vm.forks.prague.blocks import PragueBlockHeader
from eth.vm.interrupt import EVMMissingData
from eth_typing import Address, BlockNumber
from eth_utils.exceptions import ValidationError

from ledger.chain.embedded.database import sqlite_errors
from ledger.chain.embedded.reader import GENESIS_MARK
from ledger.chain.interface import Call
from ledger.chain.reverts import revert_reason
from ledger.chain.transactions import CALL_GAS, Fees, Transaction, address_of, require, sign_transaction
from ledger.core.errors import Corrupt, Rejected, Usage
from ledger.core.hashing import keccak256

GAS_LIMIT = 60_000_000
"""Gas of a block, constant: what Ethereum's main network has."""

_EVM_FRAMES = 24 * 1024
_RESTORE = "Restore chain.db from a copy; the logs and keys beside it are not affected."
_FAUCET = "The embedded chain's faucet can pay it."
_CACHED_NODES = 50_000


class NodeDatabase(BaseDB):
    """py-evm's key-value view of the `nodes` table; writes are kept until `flush`."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._pending: dict[bytes, bytes] = {}
        self._cache: dict[bytes, bytes] = {}

    def __getitem__(self, key: bytes) -> bytes:
        for known in (self._pending, self._cache):
            if key in known:
                return known[key]
        content = self._cache[key] = self._read(key)
        return content

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self._pending[key] = value

    def __delitem__(self, key: bytes) -> None:
        # what hangs off an older block stays: proofs are made of it
        self._pending.pop(key, None)

    def _exists(self, key: bytes) -> bool:
        try:
            self[key]
        except KeyError:
            return False
        return True

    def _read(self, key: bytes) -> bytes:
        with sqlite_errors(self._path):
            row = self._connection.execute(
                "SELECT content FROM nodes WHERE key = ?1"
                " UNION ALL SELECT header FROM blocks WHERE hash = ?1 LIMIT 1",
                (key,),
            ).fetchone()
        if row is None:
            raise KeyError(key.hex())
        content: bytes = row[0]
        if not isinstance(content, bytes) or keccak256(content) != key:
            raise Corrupt(f"{self._path}: node {key.hex()} does not have its hash", hint=_RESTORE)
        if len(self._cache) >= _CACHED_NODES:
            self._cache.clear()
        return content

    def discard(self) -> None:
        """Forget what was not flushed."""
        self._pending.clear()

    def flush(self, header: BlockHeaderAPI, facts: dict[str, bytes] | None = None) -> None:
        """Write everything pending with this new block as head, in one transaction."""
        new = {"head": header.hash, **(facts or {})}
        with sqlite_errors(self._path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._write(header, new)
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
        self._pending.clear()

    def _write(self, header: BlockHeaderAPI, facts: dict[str, bytes]) -> None:
        self._connection.executemany("INSERT OR IGNORE INTO nodes VALUES (?, ?)", self._pending.items())
        self._connection.execute(
            "INSERT INTO blocks VALUES (?, ?, ?)", (header.block_number, header.hash, eth_rlp.encode(header))
        )
        self._connection.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", facts.items())


def genesis(
    nodes: NodeDatabase, chain_id: int, faucet_key: bytes, faucet_wei: int, time_unix_s: int
) -> bytes:
    """Write block 0, the faucet's account and nothing else; return its hash."""
    before = BlockHeader(difficulty=0, block_number=BlockNumber(-1), gas_limit=0)
    state = PragueVM.build_state(AtomicDB(nodes), before, ChainContext(chain_id))
    state.set_balance(Address(address_of(faucet_key)), faucet_wei)
    state.persist()
    header = PragueVM.create_genesis_header(
        coinbase=ZERO_ADDRESS,
        extra_data=GENESIS_MARK + chain_id.to_bytes(8, "big"),
        gas_limit=GAS_LIMIT,
        state_root=state.state_root,
        timestamp=time_unix_s,
    )
    nodes.flush(header, {"faucet": faucet_key})
    return bytes(header.hash)


def mine(
    nodes: NodeDatabase,
    chain_id: int,
    head: bytes,
    calls: Sequence[Call],
    account_key: bytes,
    time_unix_s: int,
) -> None:
    """Put the calls into one block on the block `head` (its hash) and write it; nothing if one is refused."""
    try:
        database = AtomicDB(nodes)
        parent = eth_rlp.decode(nodes[head], sedes=PragueBlockHeader)
        header = PragueVM.create_header_from_parent(
            parent, gas_limit=parent.gas_limit, timestamp=max(time_unix_s, parent.timestamp + 1)
        )
        vm = PragueVM(header, ChainDB(database), ChainContext(chain_id), ConsensusContext(database))
        with _deep_calls():
            block = _execute(vm, chain_id, calls, account_key)
        nodes.flush(block.header)
    except (EVMMissingData, HeaderNotFound, KeyError) as error:
        raise Corrupt(f"the embedded chain contradicts itself: something is missing: {error}") from None
    except (ValidationError, PyEVMError) as error:
        raise Rejected(f"{calls[0].label}: refused by the EVM: {error}") from None
    finally:
        nodes.discard()


@contextmanager
def _deep_calls() -> Iterator[None]:
    """Room for the frames of contracts that call contracts, 1,024 deep at most; only while they run."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, _EVM_FRAMES))
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


def _execute(vm: PragueVM, chain_id: int, calls: Sequence[Call], account_key: bytes) -> BlockAPI:
    header = vm.get_header()
    sender = Address(address_of(account_key))
    transactions, receipts = [], []
    for call in calls:
        gas = min(CALL_GAS, header.gas_limit - header.gas_used)
        if gas < CALL_GAS // 2:
            raise Usage(f"{len(calls)} calls are too many for one block; send fewer at a time")
        transaction = Transaction(
            chain_id=chain_id,
            nonce=vm.state.get_nonce(sender),
            to=call.to,
            data=call.data,
            value_wei=call.value_wei,
            gas=gas,
            fees=Fees(header.base_fee_per_gas or 0),
        )
        require(sender, vm.state.get_balance(sender), transaction.most_wei, hint=_FAUCET)
        signed = vm.get_transaction_builder().decode(sign_transaction(transaction, account_key))
        receipt, computation = vm.apply_transaction(header, signed)
        if computation.is_error:
            raise Rejected(f"{call.label}: refused by the contract: {_reason(computation.error)}")
        header = vm.add_receipt_to_header(header, receipt)
        transactions.append(signed)
        receipts.append(receipt)
    block = vm.set_block_transactions_and_withdrawals(vm.get_block(), header, transactions, receipts)
    return vm.mine_block(block).block  # which validates it


def _reason(error: Exception) -> str:
    if isinstance(error, Revert) and error.args and isinstance(error.args[0], bytes):
        return revert_reason(error.args[0])
    return str(error) or type(error).__name__
