"""Reading the contracts' storage at one block while noting down what was read, and proving just that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from ledger.chain.interface import Reader
from ledger.core.chain_facts import StorageProof
from ledger.core.descriptor import CONTRACTS, LedgerDescriptor
from ledger.core.encoding import b64encode
from ledger.core.evidence import Account, Block, Contract, EvidenceLine, StorageSlot, encode_words
from ledger.core.hashing import keccak256
from ledger.core.trie_paths import PathWriter

_PORTION = 256
"""Slots that are proven at once: a node's answer has a bounded size."""


class NotedSlots:
    """Storage of a ledger's contracts at the end of a block; what is asked for is remembered."""

    def __init__(self, reader: Reader, descriptor: LedgerDescriptor, block: int) -> None:
        self._reader = reader
        self._descriptor = descriptor
        self._block = block
        self._words: dict[str, dict[bytes, bytes]] = {name: {} for name in CONTRACTS}

    def read(self, contract: str, slot: bytes) -> bytes:
        """Return the 32 bytes in a slot of a contract."""
        words = self._words[contract]
        if slot not in words:
            words[slot] = self._reader.storage(self._descriptor.address(contract), slot, self._block)
        return words[slot]

    def lines(self) -> Iterator[EvidenceLine]:
        """Yield the lines that prove every slot that was read: header, accounts, slots."""
        accounts = PathWriter()
        addresses = {name: self._descriptor.address(name) for name in CONTRACTS}
        for number, name in enumerate(sorted(CONTRACTS, key=lambda name: keccak256(addresses[name]))):
            slots = sorted(self._words[name], key=keccak256)
            paths = PathWriter()
            for at in range(0, len(slots) or 1, _PORTION):
                proof = self._reader.proof(addresses[name], slots[at : at + _PORTION], self._block)
                if number == at == 0:
                    yield Block(b64encode(proof.header))
                if at == 0:
                    keep, nodes = accounts.next(proof.account_nodes)
                    yield Account(cast("Contract", name), keep, encode_words(nodes))
                yield from _slots(paths, proof)


def _slots(paths: PathWriter, proof: StorageProof) -> Iterator[EvidenceLine]:
    for each in proof.slots:
        keep, nodes = paths.next(each.nodes)
        yield StorageSlot(b64encode(each.slot), keep, encode_words(nodes))
