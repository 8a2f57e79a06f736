"""The four contracts from outside: calls to be sent, and logs read as facts.

Source: contracts/*.vy; their ABIs stand in the artifacts, and a test holds every signature here against them.
The encoding is `abi`'s. Addresses are 20 bytes, words 32; a call that the types can't hold raises Usage.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ledger.chain import abi
from ledger.chain.interface import Call, RawLog
from ledger.core.chain_facts import (
    Anchored,
    AttributeChanged,
    ChainEvent,
    DelegateChanged,
    EventBody,
    LogClosed,
    NamespaceChanged,
    OwnerChanged,
    Posted,
)
from ledger.core.descriptor import CONTRACTS, LedgerDescriptor
from ledger.core.errors import Corrupt, FormatError, Usage
from ledger.core.hashing import keccak256

KEY_ATTRIBUTE = b"did/pub/Ed25519/veriKey"
ANCHOR_DELEGATE = b"anchor"
RECORD_DELEGATE = b"record"
MAX_ATTRIBUTE = 1024
"""Bytes that an attribute may hold."""

_MAX_NUMBER = 2**63 - 1

SIGNATURES = {
    "Identities": (
        "setAttribute(address,bytes32,bytes,uint256)",
        "revokeAttribute(address,bytes32,bytes)",
        "addDelegate(address,bytes32,address,uint256)",
        "revokeDelegate(address,bytes32,address)",
        "changeOwner(address,address)",
    ),
    "Directory": ("claim(string,address)", "transfer(string,address)"),
    "Anchors": (
        "append(address,uint256,uint64,uint64,bytes32,bytes32[])",
        "close(address,uint256,uint64,bytes32)",
    ),
    "Revocations": ("post(address,bytes32,bytes32)",),
}
"""Every function called here, by contract."""


def word(text: bytes) -> bytes:
    """Short ASCII as a 32-byte word, zero-padded behind: names of attributes, types of delegates."""
    if len(text) > abi.WORD or not text.isascii():
        raise Usage(f"expected at most {abi.WORD} bytes of ASCII, got {text!r}")
    return text.ljust(abi.WORD, b"\0")


def publish_key(ledger: LedgerDescriptor, identity: bytes, key: bytes, validity_s: int) -> Call:
    """Publish the record key `key` (32 bytes, Ed25519) for so many seconds; sent by the identity's owner."""
    return set_attribute(ledger, identity, KEY_ATTRIBUTE, key, validity_s, label="publishing a record key")


def revoke_key(ledger: LedgerDescriptor, identity: bytes, key: bytes) -> Call:
    """End a record key (32 bytes) from the call's block on."""
    return revoke_attribute(ledger, identity, KEY_ATTRIBUTE, key, label="revoking a record key")


def set_attribute(
    ledger: LedgerDescriptor,
    identity: bytes,
    name: bytes,
    content: bytes,
    validity_s: int,
    *,
    label: str = "setting an attribute",
) -> Call:
    """Say `name` (up to 32 bytes) = `content` (up to 1,024) about the identity for so many seconds."""
    if len(content) > MAX_ATTRIBUTE:
        raise Usage(f"attribute: expected at most {MAX_ATTRIBUTE} bytes, got {len(content)}")
    return _call(ledger, "Identities", "setAttribute", label, identity, word(name), content, validity_s)


def revoke_attribute(
    ledger: LedgerDescriptor,
    identity: bytes,
    name: bytes,
    content: bytes,
    *,
    label: str = "revoking an attribute",
) -> Call:
    """Take back what `set_attribute` said, with the same content."""
    return _call(ledger, "Identities", "revokeAttribute", label, identity, word(name), content)


def add_delegate(
    ledger: LedgerDescriptor, identity: bytes, delegate_type: bytes, delegate: bytes, validity_s: int
) -> Call:
    """Let `delegate` act for the identity (ANCHOR_DELEGATE, RECORD_DELEGATE) for so many seconds."""
    label = f"adding a delegate ({delegate_type.decode('ascii')})"
    return _call(
        ledger, "Identities", "addDelegate", label, identity, word(delegate_type), delegate, validity_s
    )


def revoke_delegate(ledger: LedgerDescriptor, identity: bytes, delegate_type: bytes, delegate: bytes) -> Call:
    """End what `add_delegate` began."""
    label = f"revoking a delegate ({delegate_type.decode('ascii')})"
    return _call(ledger, "Identities", "revokeDelegate", label, identity, word(delegate_type), delegate)


def change_owner(ledger: LedgerDescriptor, identity: bytes, owner: bytes) -> Call:
    """Hand the identity to another account; 20 zero bytes deactivate it for good."""
    label = "changing the identity's owner" if any(owner) else "deactivating the identity"
    return _call(ledger, "Identities", "changeOwner", label, identity, owner)


def claim_namespace(ledger: LedgerDescriptor, name: str, party: bytes) -> Call:
    """Claim a namespace for `party`: by its owner, the registrar's, or for a child the parent's owner."""
    return _call(ledger, "Directory", "claim", f"claiming namespace {name}", name, party)


def transfer_namespace(ledger: LedgerDescriptor, name: str, party: bytes) -> Call:
    """Give a namespace to `party`; it can't be taken back."""
    return _call(ledger, "Directory", "transfer", f"giving away namespace {name}", name, party)


def anchor(
    ledger: LedgerDescriptor,
    owner: bytes,
    number: int,
    *,
    old_size: int,
    size: int,
    root: bytes,
    proof: Sequence[bytes],
) -> Call:
    """Append a checkpoint to log `number` of `owner`; `proof`: consistency from `old_size`, empty from 0."""
    label = f"anchoring {size - old_size} entries"
    return _call(ledger, "Anchors", "append", label, owner, number, old_size, size, root, list(proof))


def close_log(ledger: LedgerDescriptor, owner: bytes, number: int, *, at: int, successor: bytes) -> Call:
    """Close a damaged log: checkpoints below `at` stand, the log `successor` (or 32 zero bytes) goes on."""
    return _call(ledger, "Anchors", "close", f"closing log {number}", owner, number, at, successor)


def post(ledger: LedgerDescriptor, author: bytes, target: bytes, record: bytes) -> Call:
    """Post the record id `record` against `target` (32 bytes each, docs/formats.md section 8)."""
    return _call(ledger, "Revocations", "post", "posting a record", author, target, record)


def _call(ledger: LedgerDescriptor, contract: str, function: str, label: str, *values: Any) -> Call:
    signature = next(text for text in SIGNATURES[contract] if text.startswith(function + "("))
    try:
        data = abi.encode_call(signature, *values)
    except ValueError as error:
        raise Usage(f"{label}: {error}") from None
    return Call(to=ledger.address(contract), data=data, label=label)


class Event:
    """How one kind of log is read: its signature, how many parameters are indexed, and what it becomes."""

    def __init__(self, signature: str, indexed: int, make: Callable[..., EventBody]) -> None:
        types = abi.types_of(signature)
        self.signature = signature
        self.topic = keccak256(signature.encode("ascii"))
        self.indexed, self.data = types[:indexed], types[indexed:]
        self.make = make

    def decode(self, log: RawLog) -> EventBody:
        """Read the log's parameters; FormatError if they are not this event's."""
        if len(log.topics) != 1 + len(self.indexed):
            raise FormatError(f"expected {1 + len(self.indexed)} topics, got {len(log.topics)}")
        values = abi.decode(self.indexed, b"".join(log.topics[1:])) + abi.decode(self.data, log.data)
        if any(isinstance(value, int) and value > _MAX_NUMBER for value in values):
            raise FormatError("expected numbers below 2^63")
        return self.make(*values)


EVENTS = {
    "Identities": (
        Event(
            "DIDOwnerChanged(address,address,uint256)",
            1,
            lambda identity, owner, _: OwnerChanged(identity, owner),
        ),
        Event(
            "DIDDelegateChanged(address,bytes32,address,uint256,uint256)",
            1,
            lambda identity, kind, delegate, valid_to, _: DelegateChanged(identity, kind, delegate, valid_to),
        ),
        Event(
            "DIDAttributeChanged(address,bytes32,bytes,uint256,uint256)",
            1,
            lambda identity, name, content, valid_to, _: AttributeChanged(identity, name, content, valid_to),
        ),
    ),
    "Directory": (
        Event(
            "NamespaceChanged(bytes32,address,string,uint256)",
            2,
            lambda node, owner, name, n: NamespaceChanged(node, name, owner, n),
        ),
    ),
    "Anchors": (
        Event("Anchored(bytes32,address,uint256,uint64,uint64,bytes32)", 2, Anchored),
        Event("LogClosed(bytes32,uint64,bytes32)", 1, LogClosed),
    ),
    "Revocations": (Event("Posted(address,bytes32,uint256,bytes32)", 2, Posted),),
}
"""Every event of the contracts. `previousChange` only serves resolvers and is left out of the facts."""


class EventDecoder:
    """Reads the logs of one ledger's contracts."""

    def __init__(self, ledger: LedgerDescriptor) -> None:
        self.addresses = frozenset(ledger.address(name) for name in CONTRACTS)
        self._events = {
            (ledger.address(name), event.topic): event for name in CONTRACTS for event in EVENTS[name]
        }

    def decode(self, log: RawLog) -> ChainEvent:
        """The fact that a log states; Corrupt if a contract of ours can't have emitted it."""
        try:
            body = self._event_of(log).decode(log)
        except FormatError as error:
            raise Corrupt(
                f"log {log.log_index} of block {log.block}: expected an event of the contract"
                f" 0x{log.address.hex()}: {error}",
                hint="Check the node, and that ledger.json belongs to this chain.",
            ) from None
        return ChainEvent(log.block, log.log_index, body)

    def _event_of(self, log: RawLog) -> Event:
        event = self._events.get((log.address, log.topics[0] if log.topics else b""))
        if event is None:
            raise FormatError("it has no such event")
        return event
