"""Executing transactions with py-evm over the chain's file. The only module that imports `eth`.

py-evm sees a key-value database whose writes stay in memory until a whole block is done; then nodes, header and head
go to SQLite in one transaction. A process killed at any moment leaves the chain at its last whole block.

A block's time is the wall clock's when it starts, or one second after its parent's if that is later, and it is set
before the first transaction runs: contracts store it. Gas costs the base fee and nothing else; it falls to a few wei.
py-evm follows the forks up to Prague and is no longer developed: `genesis` and `mine` are all that is asked of it.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import rlp as eth_rlp
from eth.abc import BlockAPI, BlockHeaderAPI
from eth.chains.base import MiningChain
from eth.constants import ZERO_ADDRESS
from eth.db.atomic import AtomicDB
from eth.db.backends.base import BaseDB
from eth.exceptions import Revert
from eth.vm.forks.prague import PragueVM
from eth.vm.interrupt import EVMMissingData

from ledger.chain.embedded.database import sqlite_errors
from ledger.chain.embedded.reader import GENESIS_MARK
from ledger.chain.interface import Call
from ledger.chain.reverts import revert_reason
from ledger.chain.transactions import Fees, Transaction, address_of, sign_transaction
from ledger.core.errors import Corrupt, Rejected, Unfunded, Usage
from ledger.core.hashing import keccak256

GAS_LIMIT = 60_000_000
"""Gas of a block, constant: what Ethereum's main network has."""

CALL_GAS = 1 << 24
"""Gas a call may take at most (the cap of EIP-7825); what it does not use costs nothing."""

_CACHED_NODES = 50_000


class NodeDatabase(BaseDB):
    """py-evm's key-value view of the `nodes` table; writes are kept until `flush`."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._pending: dict[bytes, bytes | None] = {}
        self._cache: dict[bytes, bytes] = {}

    def __getitem__(self, key: bytes) -> bytes:
        if key in self._pending:
            found = self._pending[key]
        else:
            found = self._cache.get(key) or self._read(key)
        if found is None:
            raise KeyError(key)
        return found

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self._pending[key] = value

    def __delitem__(self, key: bytes) -> None:
        self._pending[key] = None

    def _exists(self, key: bytes) -> bool:
        try:
            self[key]
        except KeyError:
            return False
        return True

    def _read(self, key: bytes) -> bytes | None:
        with sqlite_errors(self._path):
            row = self._connection.execute("SELECT content FROM nodes WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        content: bytes = row[0]
        if len(key) != 32:  # py-evm's bookkeeping: may change from block to block
            return content
        if not isinstance(content, bytes) or keccak256(content) != key:
            raise Corrupt(f"{self._path}: node {key.hex()} does not have its hash", hint="Restore it from a copy.")
        if len(self._cache) >= _CACHED_NODES:
            self._cache.clear()
        self._cache[key] = content
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
        gone = [(key,) for key, value in self._pending.items() if value is None]
        kept = [(key, value) for key, value in self._pending.items() if value is not None]
        self._connection.executemany("DELETE FROM nodes WHERE key = ?", gone)
        self._connection.executemany("INSERT OR REPLACE INTO nodes VALUES (?, ?)", kept)
        self._connection.execute(
            "INSERT INTO blocks VALUES (?, ?, ?)", (header.block_number, header.hash, eth_rlp.encode(header))
        )
        self._connection.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", facts.items())


class _Chain(MiningChain):
    vm_configuration = ((0, PragueVM),)

    def create_header_from_parent(self, parent_header: BlockHeaderAPI, **header_params: Any) -> BlockHeaderAPI:
        fixed = {"gas_limit": parent_header.gas_limit, **header_params}
        return super().create_header_from_parent(parent_header, **fixed)


def genesis(nodes: NodeDatabase, chain_id: int, faucet_key: bytes, faucet_wei: int) -> None:
    """Write block 0: the faucet's account and nothing else."""
    chain_class = _Chain.configure("EmbeddedChain", chain_id=chain_id)
    account = {"balance": faucet_wei, "nonce": 0, "code": b"", "storage": {}}
    parameters = {
        "coinbase": ZERO_ADDRESS,
        "difficulty": 0,
        "extra_data": GENESIS_MARK + chain_id.to_bytes(8, "big"),
        "gas_limit": GAS_LIMIT,
        "timestamp": int(time.time()),
    }
    chain = chain_class.from_genesis(AtomicDB(nodes), parameters, {address_of(faucet_key): account})
    nodes.flush(chain.get_canonical_head(), {"faucet": faucet_key})


def mine(nodes: NodeDatabase, chain_id: int, head: bytes, calls: Sequence[Call], account_key: bytes) -> None:
    """Put the calls into one block on `head` and write it; nothing is written if one is refused."""
    try:
        chain = _Chain.configure("EmbeddedChain", chain_id=chain_id)(AtomicDB(nodes))
        if chain.get_canonical_head().hash != head:
            raise Corrupt("the embedded chain contradicts itself: the EVM's head is not the last block")
        block = _execute(chain, calls, account_key)
        chain.persist_block(block)
        nodes.flush(block.header)
    except (EVMMissingData, KeyError) as error:
        raise Corrupt(f"the embedded chain contradicts itself: something is missing: {error}") from None
    finally:
        nodes.discard()


def _execute(chain: MiningChain, calls: Sequence[Call], account_key: bytes) -> BlockAPI:
    header = chain.header  # its time is max(now, parent's + 1)
    vm = chain.get_vm(header)
    sender = address_of(account_key)
    transactions, receipts = [], []
    for call in calls:
        gas = min(CALL_GAS, header.gas_limit - header.gas_used)
        if gas < CALL_GAS // 2:
            raise Usage(f"{len(calls)} calls are too many for one block; send fewer at a time")
        transaction = Transaction(
            chain_id=chain.chain_id,
            nonce=vm.state.get_nonce(sender),
            to=call.to,
            data=call.data,
            value_wei=call.value_wei,
            gas=gas,
            fees=Fees(header.base_fee_per_gas),
        )
        _check_funds(transaction, sender, vm.state.get_balance(sender))
        signed = vm.get_transaction_builder().decode(sign_transaction(transaction, account_key))
        receipt, computation = vm.apply_transaction(header, signed)
        if computation.is_error:
            raise Rejected(f"{call.label}: refused by the contract: {_reason(computation.error)}")
        header = vm.add_receipt_to_header(header, receipt)
        transactions.append(signed)
        receipts.append(receipt)
    block = vm.set_block_transactions_and_withdrawals(vm.get_block(), header, transactions, receipts)
    return vm.mine_block(block).block


def _check_funds(transaction: Transaction, sender: bytes, balance_wei: int) -> None:
    lacking = transaction.most_wei - balance_wei
    if lacking > 0:
        address = f"0x{sender.hex()}"
        raise Unfunded(
            f"account {address} has {balance_wei} wei and needs {transaction.most_wei}",
            address=address,
            needed_wei=lacking,
            hint="The embedded chain's faucet can pay it.",
        )


def _reason(error: Exception) -> str:
    if isinstance(error, Revert) and error.args and isinstance(error.args[0], bytes):
        return revert_reason(error.args[0])
    return str(error) or type(error).__name__
