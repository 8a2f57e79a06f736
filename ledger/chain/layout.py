"""Where the contract Anchors keeps its checkpoints in storage, and finding one there.

Source: contracts/Anchors.vy for the slots, Vyper for the place of a map's entry: keccak256(slot || key), the
reverse of Solidity's order. Reading slots instead of calling views gives what a storage proof would prove, and needs
no EVM.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from ledger.chain.artifacts import find_code
from ledger.core.chain_facts import Checkpoint
from ledger.core.descriptor import LedgerDescriptor
from ledger.core.errors import WrongLedger
from ledger.core.hashing import keccak256

_MASK = 2**64 - 1

SlotAt = Callable[[bytes], bytes]
"""The 32 bytes in a 32-byte slot of Anchors, all as of one block."""


class AnchorsLayout(Struct, frozen=True):
    """The first slots of the three maps."""

    heads: int
    checkpoints: int
    roots: int

    @classmethod
    def of(cls, ledger: LedgerDescriptor) -> AnchorsLayout:
        """The layout of the code that the ledger's Anchors was made from; WrongLedger if no release shipped it."""
        code = find_code("Anchors", ledger.contracts["Anchors"].init_code_hash)
        if code is None:
            raise WrongLedger("Anchors: its code is not one that this release or an earlier one shipped")
        slots = code.storage_layout
        return cls(slots["heads"].slot, slots["checkpoints"].slot, slots["roots"].slot)

    def head_slot(self, log: bytes) -> bytes:
        """The slot of `count | size << 64 | closed_block << 128 | closed_at << 192`."""
        return _entry(_word(self.heads), log)

    def checkpoint_slot(self, log: bytes, n: int) -> bytes:
        """The slot of `size | block << 64 | time << 128` of checkpoint `n`."""
        return _entry(_entry(_word(self.checkpoints), log), _word(n))

    def root_slot(self, log: bytes, n: int) -> bytes:
        """The slot of the root of checkpoint `n`."""
        return _entry(_entry(_word(self.roots), log), _word(n))

    def count(self, log: bytes, slot_at: SlotAt) -> int:
        """How many checkpoints the log has."""
        return _lane(slot_at(self.head_slot(log)), 0)

    def checkpoint(self, log: bytes, n: int, slot_at: SlotAt) -> Checkpoint:
        """Checkpoint `n`, which must exist."""
        packed = slot_at(self.checkpoint_slot(log, n))
        root = slot_at(self.root_slot(log, n))
        return Checkpoint(n, _lane(packed, 0), root, _lane(packed, 64), _lane(packed, 128))

    def covering(self, log: bytes, index: int, slot_at: SlotAt) -> Checkpoint | None:
        """The first checkpoint whose size exceeds `index`; sizes grow, so it is a binary search."""
        low, high = 0, self.count(log, slot_at)
        end = high
        while low < high:
            middle = (low + high) // 2
            if _lane(slot_at(self.checkpoint_slot(log, middle)), 0) > index:
                high = middle
            else:
                low = middle + 1
        return self.checkpoint(log, low, slot_at) if low < end else None


def _entry(slot: bytes, key: bytes) -> bytes:
    return keccak256(slot + key)


def _word(number: int) -> bytes:
    return number.to_bytes(32, "big")


def _lane(word: bytes, offset: int) -> int:
    return int.from_bytes(word, "big") >> offset & _MASK
