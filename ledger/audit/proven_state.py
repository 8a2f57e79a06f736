"""The contracts' storage at the end of one block, as far as an evidence file proves it.

From the block's header down: the header gives the state's root, that each contract's account, that the code
which runs there and the root of its storage, and that the slots. The code has to be one that a release
shipped, at the address that follows from it: then what a slot means is known.
"""

from __future__ import annotations

from ledger.core import rlp
from ledger.core.chain_facts import BlockRef
from ledger.core.descriptor import CONTRACTS, LedgerDescriptor, check_address
from ledger.core.encoding import b64decode
from ledger.core.errors import EvidenceInvalid, Invalid, LedgerError
from ledger.core.evidence import Account, Block, StorageSlot, decode_words
from ledger.core.hashing import keccak256
from ledger.core.header import Header, parse_header
from ledger.core.releases import KnownCode, find_code
from ledger.core.trie_paths import PathReader


class ProvenState:
    """Takes the lines from `block` to the last `slot` in their order, then answers what slots hold."""

    def __init__(self, descriptor: LedgerDescriptor, block: Block) -> None:
        self._codes = {name: _shipped(descriptor, name) for name in CONTRACTS}
        self._addresses = {name: keccak256(descriptor.address(name)) for name in CONTRACTS}
        self.header = _header(block)
        self._accounts = PathReader(self.header.state_root)
        self._slots: PathReader | None = None
        self._contract = ""
        self._words: dict[str, dict[bytes, bytes]] = {}
        self._unread: set[tuple[str, bytes]] = set()

    @property
    def block(self) -> BlockRef:
        """The block, as its header says."""
        header = self.header
        return BlockRef(header.number, header.hash, header.parent_hash, header.time_unix_s)

    def account(self, line: Account) -> None:
        """Take a contract's account; its slots follow."""
        name = line.contract
        value = _proven(self._accounts, self._addresses[name], line.keep, line.nodes, f"account of {name}")
        if value is None:
            raise EvidenceInvalid("wrong-code", f"{name}: expected its code at its address, there is nothing")
        storage_root, code_hash = _account(value, name)
        expected = self._codes[name].runtime_code_hash
        if code_hash != expected:
            raise EvidenceInvalid(
                "wrong-code", f"{name}: expected code 0x{expected.hex()}, got 0x{code_hash.hex()}"
            )
        self._contract, self._slots = name, PathReader(storage_root)
        self._words[name] = {}

    def slot(self, line: StorageSlot) -> None:
        """Take a slot of the contract that came last."""
        if self._slots is None:
            raise EvidenceInvalid("wrong-order", "expected an account before its slots")
        (slot,) = decode_words([line.slot])
        what = f"slot {slot.hex()} of {self._contract}"
        value = _proven(self._slots, keccak256(slot), line.keep, line.nodes, what)
        self._words[self._contract][slot] = bytes(32) if value is None else _word(value, what)
        self._unread.add((self._contract, slot))

    def complete(self) -> None:
        """Raise unless all contracts have been there."""
        missing = [name for name in CONTRACTS if name not in self._words]
        if missing:
            raise EvidenceInvalid("missing-slot", f"expected the accounts of {', '.join(missing)}")

    def read(self, contract: str, slot: bytes) -> bytes:
        """Return the 32 bytes in a slot; EvidenceInvalid if the file does not prove them."""
        self._unread.discard((contract, slot))
        try:
            return self._words[contract][slot]
        except KeyError:
            raise EvidenceInvalid(
                "missing-slot",
                f"expected proof of slot {slot.hex()} of {contract}, which the verdict rests on",
            ) from None

    def finish(self) -> None:
        """Raise if there is a slot that nothing rests on: a file says what is needed and no more."""
        for contract, slot in sorted(self._unread):
            raise EvidenceInvalid("unneeded-slot", f"slot {slot.hex()} of {contract} proves nothing here")


def _shipped(descriptor: LedgerDescriptor, name: str) -> KnownCode:
    entry = descriptor.contracts[name]
    known = find_code(name, entry.init_code_hash)
    if known is None:
        raise EvidenceInvalid(
            "unknown-code",
            f"{name}: expected code that some release shipped, got 0x{entry.init_code_hash.hex()}",
            hint="a newer release of dataledger may know it",
        )
    try:
        check_address(descriptor, name, known.init_code)
    except Invalid as error:
        raise EvidenceInvalid("wrong-address", str(error)) from None
    return known


def _header(block: Block) -> Header:
    try:
        return parse_header(b64decode(block.header))
    except LedgerError as error:
        raise EvidenceInvalid("bad-header", str(error)) from None


def _proven(paths: PathReader, key: bytes, keep: int, nodes: list[str], what: str) -> bytes | None:
    try:
        return paths.next(key, keep, decode_words(nodes))
    except EvidenceInvalid:
        raise
    except LedgerError as error:
        raise EvidenceInvalid("bad-state-proof", f"{what}: {error}") from None


def _account(value: bytes, name: str) -> tuple[bytes, bytes]:
    """Read storage root and code hash from the RLP of an account: nonce, balance, root, code."""
    try:
        match rlp.decode(value):
            case [bytes(), bytes(), bytes(root), bytes(code)] if len(root) == len(code) == 32:
                return root, code
    except LedgerError:
        pass
    raise EvidenceInvalid("bad-state-proof", f"account of {name}: expected four items of RLP")


def _word(value: bytes, what: str) -> bytes:
    try:
        word = rlp.decode(value)
    except LedgerError as error:
        raise EvidenceInvalid("bad-state-proof", f"{what}: {error}") from None
    # an empty one is zero: anvil keeps zeros in its tries, other nodes leave them out
    if not isinstance(word, bytes) or len(word) > 32:
        raise EvidenceInvalid("bad-state-proof", f"{what}: expected at most 32 bytes")
    return word.rjust(32, b"\0")
