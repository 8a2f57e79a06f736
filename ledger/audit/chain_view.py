"""What the chain says about keys, names, checkpoints and postings, read from storage slots as of one block.

Storage keeps history: a key's slot says from and to which block it was valid, a namespace's lists all owners.
So one block answers for all blocks before it. Where the slots come from is the caller's business: an evidence
file (`proven_state`), or a live chain whose slots are noted down to be proven.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ledger.core.authority import KeyState
from ledger.core.chain_facts import Checkpoint
from ledger.core.descriptor import LedgerDescriptor
from ledger.core.layout import AnchorsLayout, DirectoryLayout, IdentitiesLayout, RevocationsLayout
from ledger.core.names import node

Slots = Callable[[str, bytes], bytes]
"""The 32 bytes in a slot (32 bytes) of the contract of this name."""


class ChainView:
    """Answers `authority.Identities`, and what else the judgement of a record asks of the chain."""

    def __init__(self, descriptor: LedgerDescriptor, slots: Slots) -> None:
        self._anchors = AnchorsLayout.of(descriptor)
        self._identities = IdentitiesLayout.of(descriptor)
        self._directory = DirectoryLayout.of(descriptor)
        self._revocations = RevocationsLayout.of(descriptor)
        self._in_anchors = partial(slots, "Anchors")
        self._in_identities = partial(slots, "Identities")
        self._in_directory = partial(slots, "Directory")
        self._in_revocations = partial(slots, "Revocations")
        self._keys: dict[tuple[bytes, bytes], KeyState | None] = {}
        self._deactivated: dict[bytes, int] = {}
        self._owners: dict[str, list[tuple[bytes, int]]] = {}
        self._last: tuple[bytes, Checkpoint, int] | None = None

    def key(self, identity: bytes, key: bytes) -> KeyState | None:
        """The state of a record key (32 bytes) of a party (20 bytes), None if it was never published."""
        place = (identity, key)
        if place not in self._keys:
            self._keys[place] = self._identities.key(identity, key, self._in_identities)
        return self._keys[place]

    def delegate(self, identity: bytes, kind: str, delegate: bytes) -> KeyState | None:
        """The state of a party's delegate, None if it was never added."""
        return self._identities.delegate(identity, kind, delegate, self._in_identities)

    def deactivated_block(self, identity: bytes) -> int:
        """The block in which a party gave up its identity, 0 if it did not."""
        if identity not in self._deactivated:
            block = self._identities.deactivated_block(identity, self._in_identities)
            self._deactivated[identity] = block
        return self._deactivated[identity]

    def owners(self, namespace: str) -> list[tuple[bytes, int]]:
        """Every owner that a namespace ever had, each from which block on, oldest first."""
        if namespace not in self._owners:
            self._owners[namespace] = self._directory.owners(node(namespace), self._in_directory)
        return self._owners[namespace]

    def anchor(self, log: bytes, n: int) -> tuple[Checkpoint, int]:
        """Checkpoint `n` of a log (size 0 if there is none), and the size of the one before."""
        if self._last is None or (self._last[0], self._last[1].n) != (log, n):
            checkpoint = self._anchors.checkpoint(log, n, self._in_anchors)
            before = self._anchors.size(log, n - 1, self._in_anchors) if n else 0
            self._last = (log, checkpoint, before)
        return self._last[1:]

    def count(self, log: bytes) -> int:
        """How many checkpoints a log has."""
        return self._anchors.count(log, self._in_anchors)

    def closed(self, log: bytes) -> tuple[int, int] | None:
        """The block in which a log was closed, and how many checkpoints its owner stands by; None: open."""
        return self._anchors.closed(log, self._in_anchors)

    def posts(self, author: bytes, target: bytes) -> list[tuple[bytes, int]]:
        """The record ids that a party posted against a target, each with its block, in order."""
        return self._revocations.posts(author, target, self._in_revocations)
