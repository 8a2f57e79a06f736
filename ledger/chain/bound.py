"""A chain bound to one ledger: the Reader and the Client that the rest of the product uses.

The same code over every kind of chain. Opening checks that it is the right one: chain id and genesis hash
always; to write, also that each contract's address follows from shipped init code (CREATE2) and that the code
standing there has the shipped hash. What differs raises WrongLedger.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ledger.chain.contracts import EventDecoder
from ledger.chain.interface import Backend, Call, RawLog, Sender
from ledger.core.chain_facts import BlockRef, ChainEvent, Checkpoint, Closure, StorageProof
from ledger.core.descriptor import CONTRACTS, LedgerDescriptor, check_address
from ledger.core.errors import WrongLedger
from ledger.core.hashing import keccak256
from ledger.core.layout import AnchorsLayout
from ledger.core.releases import find_code

_OTHER_CHAIN = "Use the chain that ledger.json was made on, or `dataledger init` for a ledger on this one."


def check_chain(backend: Backend, ledger: LedgerDescriptor) -> None:
    """Raise WrongLedger unless chain id and genesis hash are the ledger's."""
    if backend.chain_id != ledger.chain_id:
        raise WrongLedger(
            f"{backend.location}: expected chain id {ledger.chain_id}, got {backend.chain_id}",
            hint=_OTHER_CHAIN,
        )
    if backend.genesis != ledger.genesis:
        raise WrongLedger(
            f"{backend.location}: expected block 0 to be 0x{ledger.genesis.hex()},"
            f" got 0x{backend.genesis.hex()}",
            hint=_OTHER_CHAIN,
        )


def check_contracts(backend: Backend, ledger: LedgerDescriptor) -> None:
    """Raise WrongLedger unless the four contracts stand on the chain as some release shipped them."""
    for name in CONTRACTS:
        entry = ledger.contracts[name]
        known = find_code(name, entry.init_code_hash)
        if known is None:
            raise WrongLedger(
                f"{name}: expected code that some release shipped, got 0x{entry.init_code_hash.hex()}",
                hint="A newer release of dataledger may know it.",
            )
        check_address(ledger, name, known.init_code)
        code = backend.code(entry.address)
        if keccak256(code) != known.runtime_code_hash:
            found = f"code with hash 0x{keccak256(code).hex()}" if code else "no code"
            raise WrongLedger(
                f"{name}: expected code with hash 0x{known.runtime_code_hash.hex()}"
                f" at 0x{entry.address.hex()}, got {found}",
                hint="The node may not have caught up with the network; otherwise it is another chain.",
            )


class LedgerReader:
    """A ledger on its chain, to read from (interface.Reader)."""

    def __init__(self, backend: Backend, ledger: LedgerDescriptor) -> None:
        check_chain(backend, ledger)
        self._backend = backend
        self._decoder = EventDecoder(ledger)
        self.ledger = ledger

    @property
    def kind(self) -> str:
        """EMBEDDED or JSON_RPC."""
        return self._backend.kind

    @property
    def location(self) -> str:
        """Path or URL, fit for messages."""
        return self._backend.location

    @property
    def chain_id(self) -> int:
        """The chain id."""
        return self._backend.chain_id

    @property
    def genesis(self) -> bytes:
        """The hash of block 0."""
        return self._backend.genesis

    @property
    def finality(self) -> str:
        """In words, when a block counts as final here."""
        return self._backend.finality

    def head(self) -> BlockRef:
        """The latest block."""
        return self._backend.head()

    def final_number(self) -> int:
        """The highest block that counts as final."""
        return self._backend.final_number()

    def block(self, number: int) -> BlockRef | None:
        """That block of the chain as it is now; None beyond the head."""
        return self._backend.block(number)

    def events(self, start: int, stop: int) -> Iterator[ChainEvent]:
        """The events of the four contracts in blocks start..stop-1, in order of block and log index."""
        return map(self._decoder.decode, self._backend.logs(start, stop, self._decoder.addresses))

    def checkpoint_covering(self, log: bytes, index: int) -> Checkpoint | None:
        """The log's first checkpoint whose size exceeds `index`, as of the head; None if there is none."""
        block = self._backend.head().number
        layout = AnchorsLayout.of(self.ledger)
        return layout.covering(log, index, lambda slot: self._anchors_slot(slot, block))

    def log_head(self, log: bytes) -> Checkpoint | None:
        """The log's last checkpoint as of the head, None before the first."""
        block = self._backend.head().number
        layout = AnchorsLayout.of(self.ledger)

        def slot_at(slot: bytes) -> bytes:
            return self._anchors_slot(slot, block)

        count = layout.count(log, slot_at)
        return layout.checkpoint(log, count - 1, slot_at) if count else None

    def closure(self, log: bytes) -> Closure | None:
        """How the log was closed as of the head, None if it is open."""
        block = self._backend.head().number
        layout = AnchorsLayout.of(self.ledger)
        return layout.closure(log, lambda slot: self._anchors_slot(slot, block))

    def logs(self, address: bytes, start: int, stop: int) -> Iterator[RawLog]:
        """Every log of a contract in blocks start..stop-1, in order."""
        return self._backend.logs(start, stop, (address,))

    def storage(self, address: bytes, slot: bytes, block: int | None = None) -> bytes:
        """The 32 bytes in the 32-byte `slot`, at the end of `block` (None: the head)."""
        return self._backend.storage(address, slot, block)

    def code(self, address: bytes) -> bytes:
        """The runtime code at the head, empty if there is none."""
        return self._backend.code(address)

    def balance_wei(self, address: bytes) -> int:
        """The balance at the head, in wei."""
        return self._backend.balance_wei(address)

    def proof(self, address: bytes, slots: Sequence[bytes], block: int) -> StorageProof:
        """What these 32-byte slots held at the end of `block`, provable from its hash."""
        return self._backend.proof(address, slots, block)

    def close(self) -> None:
        """Release files and connections."""
        self._backend.close()

    def _anchors_slot(self, slot: bytes, block: int) -> bytes:
        return self._backend.storage(self.ledger.address("Anchors"), slot, block)


class LedgerClient(LedgerReader):
    """A ledger on its chain, to write to as well (interface.Client)."""

    def __init__(self, sender: Sender, ledger: LedgerDescriptor) -> None:
        super().__init__(sender, ledger)
        check_contracts(sender, ledger)
        self._sender = sender

    def send(self, call: Call, account_key: bytes) -> BlockRef:
        """Send one call and wait until it is in a block."""
        return self._sender.send_all([call], account_key)

    def send_all(self, calls: Sequence[Call], account_key: bytes) -> BlockRef:
        """Send the calls in this order and wait; on the embedded chain in one block, all or none."""
        return self._sender.send_all(calls, account_key)

    def require_funds(self, calls: Sequence[Call], address: bytes, *, extra_gas: int = 0) -> None:
        """Raise Unfunded, with what is lacking, if the account can't pay for all calls and `extra_gas`."""
        self._sender.require_funds(calls, address, extra_gas=extra_gas)

    def fund(self, address: bytes, amount_wei: int) -> BlockRef | None:
        """Have the chain's own faucet pay; None where there is none."""
        return self._sender.fund(address, amount_wei)
