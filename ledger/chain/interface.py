"""What the rest of the product sees of a chain, and what a chain must be able to do for that.

Two layers. A `Backend` is one kind of chain, raw: blocks, logs, storage, proofs, and (`Sender`) transactions.
It knows nothing of our contracts, and is all that has to be written to stand on another chain. A `Reader` or
`Client` (see `bound`) is a backend bound to one ledger: identity checked, logs decoded, checkpoints found.

Addresses are 20 raw bytes, hashes and words 32, account keys 32 (secp256k1; passed in for one call, never
kept). Block ranges are half-open. Every method may raise Unavailable when the chain can't be had, and Corrupt
when what is stored contradicts itself; no library's own exception comes through.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Protocol

from msgspec import Struct

from ledger.core.chain_facts import BlockRef, ChainEvent, Checkpoint, Closure, StorageProof
from ledger.core.descriptor import LedgerDescriptor

EMBEDDED = "embedded"
JSON_RPC = "json-rpc"


class Call(Struct, frozen=True):
    """A transaction to be: `data` to the contract `to` (empty: creates one); `label` says what it does."""

    to: bytes
    data: bytes
    label: str
    value_wei: int = 0


class RawLog(Struct, frozen=True, gc=False):
    """A log as the chain has it. `log_index` is its position among all logs of the block."""

    block: int
    log_index: int
    address: bytes
    topics: tuple[bytes, ...]
    data: bytes


class Backend(Protocol):
    """One chain, to read from."""

    @property
    def kind(self) -> str:
        """EMBEDDED or JSON_RPC."""

    @property
    def location(self) -> str:
        """Path or URL, fit for messages: without user names, passwords or access tokens."""

    @property
    def chain_id(self) -> int:
        """The chain id (EIP-155)."""

    @property
    def genesis(self) -> bytes:
        """The hash of block 0."""

    @property
    def finality(self) -> str:
        """In words, when a block counts as final here."""

    def head(self) -> BlockRef:
        """The latest block."""

    def final_number(self) -> int:
        """The highest block that counts as final; never negative."""

    def block(self, number: int) -> BlockRef | None:
        """That block of the chain as it is now; None beyond the head."""

    def logs(self, start: int, stop: int, addresses: Collection[bytes]) -> Iterator[RawLog]:
        """Every log of these contracts in blocks start..stop-1, in order."""

    def storage(self, address: bytes, slot: bytes, block: int | None = None) -> bytes:
        """The 32 bytes in the 32-byte `slot`, at the end of `block` (None: the head)."""

    def code(self, address: bytes, block: int | None = None) -> bytes:
        """The runtime code at the end of `block` (None: the head), empty if there is none."""

    def balance_wei(self, address: bytes) -> int:
        """The balance at the head, in wei."""

    def transaction_count(self, address: bytes) -> int:
        """How many transactions the account has in blocks: the next nonce, if none is on its way."""

    def proof(self, address: bytes, slots: Sequence[bytes], block: int) -> StorageProof:
        """What these 32-byte slots held at the end of `block`, provable from its hash (EIP-1186)."""

    def close(self) -> None:
        """Release files and connections. Idempotent."""


class Sender(Backend, Protocol):
    """A chain that takes transactions."""

    def send_all(self, calls: Sequence[Call], account_key: bytes) -> BlockRef:
        """Send the calls in this order from one account, wait until all are in blocks, return the last block.

        The embedded chain puts them in one block, all or nothing. On a network one call's refusal leaves the
        ones before it done; callers must be able to resume. Raises Rejected (with the contract's reason),
        Unfunded, Unavailable, Locked.
        """

    def require_funds(self, calls: Sequence[Call], address: bytes, *, extra_gas: int = 0) -> None:
        """Raise Unfunded, with what is lacking, if the account can't pay for all calls and `extra_gas`."""

    def fund(self, address: bytes, amount_wei: int) -> BlockRef | None:
        """Have the chain's own faucet pay; None where there is no faucet."""


class Reader(Protocol):
    """A ledger on its chain, to read from: cheap to open; the embedded kind needs nothing but sqlite3."""

    @property
    def chain_id(self) -> int: ...
    @property
    def genesis(self) -> bytes: ...
    @property
    def kind(self) -> str: ...
    @property
    def location(self) -> str: ...
    @property
    def finality(self) -> str: ...
    @property
    def ledger(self) -> LedgerDescriptor: ...

    def head(self) -> BlockRef: ...
    def final_number(self) -> int: ...
    def block(self, number: int) -> BlockRef | None: ...

    def events(self, start: int, stop: int) -> Iterator[ChainEvent]:
        """The events of the four contracts in blocks start..stop-1, in order of block and log index."""

    def logs(self, address: bytes, start: int, stop: int) -> Iterator[RawLog]:
        """Every log of a contract in blocks start..stop-1, in order."""

    def checkpoint_covering(self, log: bytes, index: int) -> Checkpoint | None:
        """The log's first checkpoint whose size exceeds `index`: that entry's anchor; None if pending."""

    def log_head(self, log: bytes) -> Checkpoint | None:
        """The log's last checkpoint, None before the first."""

    def closure(self, log: bytes) -> Closure | None:
        """How the log was closed, None if it is open."""

    def storage(self, address: bytes, slot: bytes, block: int | None = None) -> bytes: ...
    def code(self, address: bytes) -> bytes: ...
    def balance_wei(self, address: bytes) -> int: ...
    def proof(self, address: bytes, slots: Sequence[bytes], block: int) -> StorageProof: ...
    def close(self) -> None: ...


class Client(Reader, Protocol):
    """A ledger on its chain, to write to as well."""

    def send(self, call: Call, account_key: bytes) -> BlockRef:
        """Send one call and wait until it is in a block; raises as `Sender.send_all` does."""

    def send_all(self, calls: Sequence[Call], account_key: bytes) -> BlockRef: ...
    def require_funds(self, calls: Sequence[Call], address: bytes, *, extra_gas: int = 0) -> None: ...
    def fund(self, address: bytes, amount_wei: int) -> BlockRef | None: ...
