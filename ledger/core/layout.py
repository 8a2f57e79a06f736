"""Where the contracts keep checkpoints, keys and postings in storage, and finding them there.

Source: contracts/*.vy for the slots, Vyper for the place of a map's entry: keccak256(slot || key), the
reverse of Solidity's order. Reading slots instead of calling views gives what a storage proof would prove,
and needs no EVM.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from ledger.core.authority import KeyState
from ledger.core.chain_facts import Checkpoint, Closure
from ledger.core.descriptor import LedgerDescriptor
from ledger.core.errors import WrongLedger
from ledger.core.hashing import keccak256
from ledger.core.releases import find_code

_MASK = 2**64 - 1

SlotAt = Callable[[bytes], bytes]
"""The 32 bytes in a 32-byte slot of one contract, all as of one block."""


class AnchorsLayout(Struct, frozen=True):
    """The first slots of the four maps."""

    heads: int
    checkpoints: int
    roots: int
    successors: int

    @classmethod
    def of(cls, ledger: LedgerDescriptor) -> AnchorsLayout:
        """The layout of the code that Anchors was made from; WrongLedger if no release shipped it."""
        return cls(*_slots(ledger, "Anchors", "heads", "checkpoints", "roots", "successors"))

    def head_slot(self, log: bytes) -> bytes:
        """The slot of `count | size << 64 | closed_block << 128 | closed_at << 192`."""
        return _entry(_word(self.heads), log)

    def checkpoint_slot(self, log: bytes, n: int) -> bytes:
        """The slot of `size | block << 64 | time << 128` of checkpoint `n`."""
        return _entry(_entry(_word(self.checkpoints), log), _word(n))

    def root_slot(self, log: bytes, n: int) -> bytes:
        """The slot of the root of checkpoint `n`."""
        return _entry(_entry(_word(self.roots), log), _word(n))

    def successor_slot(self, log: bytes) -> bytes:
        """The slot of the id of the log that continues this one."""
        return _entry(_word(self.successors), log)

    def count(self, log: bytes, slot_at: SlotAt) -> int:
        """How many checkpoints the log has."""
        return _lane(slot_at(self.head_slot(log)), 0)

    def closed(self, log: bytes, slot_at: SlotAt) -> tuple[int, int] | None:
        """The block in which the log was closed, and the number of checkpoints that its owner stands by."""
        head = slot_at(self.head_slot(log))
        return (_lane(head, 128), _lane(head, 192)) if _lane(head, 128) else None

    def closure(self, log: bytes, slot_at: SlotAt) -> Closure | None:
        """The same with the log that goes on, None if it is open."""
        closed = self.closed(log, slot_at)
        return Closure(closed[1], closed[0], slot_at(self.successor_slot(log))) if closed else None

    def checkpoint(self, log: bytes, n: int, slot_at: SlotAt) -> Checkpoint:
        """Checkpoint `n`, which must exist."""
        packed = slot_at(self.checkpoint_slot(log, n))
        root = slot_at(self.root_slot(log, n))
        return Checkpoint(n, _lane(packed, 0), root, _lane(packed, 64), _lane(packed, 128))

    def size(self, log: bytes, n: int, slot_at: SlotAt) -> int:
        """The size of checkpoint `n`, 0 if there is none."""
        return _lane(slot_at(self.checkpoint_slot(log, n)), 0)

    def covering(self, log: bytes, index: int, slot_at: SlotAt) -> Checkpoint | None:
        """The first checkpoint whose size exceeds `index`; sizes grow, so it is a binary search."""
        low, high = 0, self.count(log, slot_at)
        end = high
        while low < high:
            middle = (low + high) // 2
            if self.size(log, middle, slot_at) > index:
                high = middle
            else:
                low = middle + 1
        return self.checkpoint(log, low, slot_at) if low < end else None


class IdentitiesLayout(Struct, frozen=True):
    """The first slots of what tells whether a key or a delegate was valid (core.authority.Identities)."""

    owner_slot: int
    keys: int
    delegates: int

    @classmethod
    def of(cls, ledger: LedgerDescriptor) -> IdentitiesLayout:
        """The layout of the code that Identities was made from; WrongLedger if no release shipped it."""
        return cls(*_slots(ledger, "Identities", "owner_slot", "keys", "delegates"))

    def key(self, identity: bytes, key: bytes, slot_at: SlotAt) -> KeyState | None:
        """The state of a record key (32 bytes), None if it was never published."""
        return _key_state(slot_at(_entry(_entry(_word(self.keys), _padded(identity)), key)))

    def delegate(self, identity: bytes, kind: str, delegate: bytes, slot_at: SlotAt) -> KeyState | None:
        """The state of a delegate of type `kind`, None if it was never added."""
        of_type = _entry(
            _entry(_word(self.delegates), _padded(identity)), kind.encode("ascii").ljust(32, b"\0")
        )
        return _key_state(slot_at(_entry(of_type, _padded(delegate))))

    def deactivated_block(self, identity: bytes, slot_at: SlotAt) -> int:
        """The block in which the identity was given up, 0 if it was not."""
        return _lane(slot_at(_entry(_word(self.owner_slot), _padded(identity))), 160)


class DirectoryLayout(Struct, frozen=True):
    """The first slots of the two maps that hold each namespace's history."""

    counts: int
    histories: int

    @classmethod
    def of(cls, ledger: LedgerDescriptor) -> DirectoryLayout:
        """The layout of the code that Directory was made from; WrongLedger if no release shipped it."""
        return cls(*_slots(ledger, "Directory", "count", "history"))

    def owners(self, node: bytes, slot_at: SlotAt) -> list[tuple[bytes, int]]:
        """Who owned the namespace of this node (32 bytes), each from which block on, oldest first."""
        count = int.from_bytes(slot_at(_entry(_word(self.counts), node)), "big")
        words = (slot_at(_entry(_entry(_word(self.histories), node), _word(n))) for n in range(count))
        return [(word[12:], _lane(word, 160)) for word in words]


class RevocationsLayout(Struct, frozen=True):
    """The first slots of the three maps that hold what an author posted against a target."""

    counts: int
    records: int
    blocks: int

    @classmethod
    def of(cls, ledger: LedgerDescriptor) -> RevocationsLayout:
        """The layout of the code that Revocations was made from; WrongLedger if no release shipped it."""
        return cls(*_slots(ledger, "Revocations", "count", "record_at", "block_at"))

    def count(self, author: bytes, target: bytes, slot_at: SlotAt) -> int:
        """How many records `author` (20 bytes) posted against `target` (32 bytes)."""
        return int.from_bytes(slot_at(self._place(self.counts, author, target)), "big")

    def posts(self, author: bytes, target: bytes, slot_at: SlotAt) -> list[tuple[bytes, int]]:
        """The record ids that `author` posted against `target`, each with its block, in order."""
        count = self.count(author, target, slot_at)
        if not count:  # nearly always
            return []
        records = self._place(self.records, author, target)
        blocks = self._place(self.blocks, author, target)
        return [
            (slot_at(_entry(records, _word(n))), int.from_bytes(slot_at(_entry(blocks, _word(n))), "big"))
            for n in range(count)
        ]

    @staticmethod
    def _place(first: int, author: bytes, target: bytes) -> bytes:
        return _entry(_entry(_word(first), _padded(author)), target)


def _slots(ledger: LedgerDescriptor, contract: str, *names: str) -> list[int]:
    code = find_code(contract, ledger.contracts[contract].init_code_hash)
    if code is None:
        raise WrongLedger(f"{contract}: its code is not one that this release or an earlier one shipped")
    return [code.storage_layout[name].slot for name in names]


def _key_state(word: bytes) -> KeyState | None:
    return KeyState(_lane(word, 0), _lane(word, 64), _lane(word, 128)) if any(word) else None


def _padded(address: bytes) -> bytes:
    return address.rjust(32, b"\0")


def _entry(slot: bytes, key: bytes) -> bytes:
    return keccak256(slot + key)


def _word(number: int) -> bytes:
    return number.to_bytes(32, "big")


def _lane(word: bytes, offset: int) -> int:
    return int.from_bytes(word, "big") >> offset & _MASK
