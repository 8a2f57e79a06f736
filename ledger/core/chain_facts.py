"""What a chain says, as plain values: blocks and the events of the four contracts.

The layers `chain` and `index` never import one another; these values are what the service carries between
them. Addresses are 20 raw bytes, hashes and 32-byte words 32 raw bytes, block numbers and sizes integers.
"""

from __future__ import annotations

from msgspec import Struct


class BlockRef(Struct, frozen=True, gc=False):
    """A block: its number, hash, parent's hash (32 bytes each) and its time in Unix seconds."""

    number: int
    hash: bytes
    parent_hash: bytes
    time_unix_s: int


class OwnerChanged(Struct, frozen=True, gc=False, tag="owner"):
    """Identities: `identity` is now owned by `owner`; the zero address deactivates it."""

    identity: bytes
    owner: bytes


class DelegateChanged(Struct, frozen=True, gc=False, tag="delegate"):
    """Identities: `delegate` of `delegate_type` (32 bytes, zero-padded ASCII) is valid until
    `valid_to_unix_s`.

    A `valid_to_unix_s` that is not after the block's time means that it was revoked in this block.
    """

    identity: bytes
    delegate_type: bytes
    delegate: bytes
    valid_to_unix_s: int


class AttributeChanged(Struct, frozen=True, gc=False, tag="attribute"):
    """Identities: attribute `name` (32 bytes, zero-padded ASCII) with `content`; keys are published this way.

    A `valid_to_unix_s` that is not after the block's time means that it was revoked in this block.
    """

    identity: bytes
    name: bytes
    content: bytes
    valid_to_unix_s: int


class NamespaceChanged(Struct, frozen=True, gc=False, tag="namespace"):
    """Directory: history entry `n` of `name` (its node is keccak256(name)) gives it to `owner`."""

    node: bytes
    name: str
    owner: bytes
    n: int


class Anchored(Struct, frozen=True, gc=False, tag="anchored"):
    """Anchors: checkpoint `n` of the log `log` (number `number` of `owner`): `size` entries under `root`."""

    log: bytes
    owner: bytes
    number: int
    n: int
    size: int
    root: bytes


class LogClosed(Struct, frozen=True, gc=False, tag="closed"):
    """Anchors: the log is closed; checkpoints below number `at` stand; `successor` is a log id or 32 zero
    bytes."""

    log: bytes
    at: int
    successor: bytes


class Posted(Struct, frozen=True, gc=False, tag="posted"):
    """Revocations: `author` posted `record` (32 bytes) against `target` (32 bytes) as its post number `n`."""

    author: bytes
    target: bytes
    n: int
    record: bytes


EventBody = (
    OwnerChanged | DelegateChanged | AttributeChanged | NamespaceChanged | Anchored | LogClosed | Posted
)


class ChainEvent(Struct, frozen=True, gc=False):
    """One event with its place: block number, and position of the event within the block."""

    block: int
    log_index: int
    body: EventBody


class Checkpoint(Struct, frozen=True, gc=False):
    """A checkpoint as Anchors keeps it: number `n` of its log, size, root, and the block that made it."""

    n: int
    size: int
    root: bytes
    block: int
    time_unix_s: int


class Closure(Struct, frozen=True, gc=False):
    """How Anchors closed a log: its owner stands by the checkpoints numbered below `at`; closed in `block`.

    `successor` is the id of the log that goes on, or 32 zero bytes.
    """

    at: int
    block: int
    successor: bytes


class SlotProof(Struct, frozen=True, gc=False):
    """The 32-byte storage `slot`, the 32 bytes it held, and the trie nodes from the storage root to it."""

    slot: bytes
    content: bytes
    nodes: list[bytes]


class StorageProof(Struct, frozen=True):
    """What some slots of the contract `address` held at the end of a block (EIP-1186), root first throughout.

    `header` is the block's RLP: its keccak256 is `block.hash` and it holds the state root; `account_nodes`
    lead from there to the account, each slot's nodes from the account's storage root to the slot.
    """

    block: BlockRef
    header: bytes
    address: bytes
    account_nodes: list[bytes]
    slots: list[SlotProof]
