"""What the rules of authority ask, and what they answer with: the facts, the place, the reasons.

An index answers from its tables and an auditor from an evidence file. Everything is judged at the record's
anchor, the first checkpoint that covers it, never by today: facts of the chain hold as of the *end* of that
block, facts from records are those of the entries before, in the order of (block, log id, index), and what
takes something away counts for the blocks after the one in which it took effect.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from msgspec import Struct

from ledger.core.errors import Unauthorized
from ledger.core.identity import parse_did
from ledger.core.records import Predicate, Statement

RULES_VERSION: Final = 3
"""Raised whenever the same chain and logs would lead to another verdict or effect."""

REASONS: Final = {
    "bad-format": "the entry is not an envelope, or its payload no well-formed record",
    "bad-signature": "a signature does not verify",
    "duplicate-record": "the same record was accepted before",
    "wrong-ledger": "the record or one of its parties belongs to another ledger",
    "wrong-log": "the record does not name the log that it stands in",
    "foreign-signature": "a signature belongs to no author",
    "unsigned-author": "an author's signature is missing",
    "key-unknown": "the signing key was never published by its party",
    "key-not-yet-valid": "the signing key was published after the record's anchor",
    "key-revoked": "the signing key was revoked when the record was anchored",
    "key-expired": "the signing key had expired when the record was anchored",
    "delegate-not-yet-valid": "the signer became the author's delegate after the record's anchor",
    "delegate-revoked": "the signer was no longer the author's delegate when the record was anchored",
    "delegate-expired": "the signer's time as the author's delegate had ended when the record was anchored",
    "identity-deactivated": "the party had given up its identity when the record was anchored",
    "not-namespace-owner": "no author owned the namespace",
    "not-holder": "no author (of a transfer: not the giver) held the asset",
    "already-registered": "the asset was registered before",
    "asset-unknown": "the asset is not registered",
    "version-exists": "the version has been recorded before",
    "version-gap": "the version before this one is not recorded",
    "wrong-predecessor": "the record names another record as its predecessor than the one that counts",
    "anchored-too-late": "the record was anchored after the block until which it was offered",
    "target-unknown": "the record to be revoked is not known",
    "not-author": "somebody else's record was to be revoked",
    "not-revocable": "a transfer or revocation can't be taken back",
    "needs-all-parties": "an agreement is taken back by all of its parties or by none",
    "grant-unknown": "the grant or agreement that it rests on is not known",
    "grant-revoked": "the grant or agreement that it rests on was taken back before",
    "not-grantee": "somebody else has the grant or agreement that it rests on",
    "not-sublicensable": "the grant or agreement that it rests on may not be passed on",
    "beyond-grant": "it gives more than the grant or agreement that it rests on",
    "chain-too-long": "it rests on a longer chain of grants and agreements than there may be",
    "agreement-unknown": "the agreement is not known, or nothing was agreed by that record",
    "not-party": "no author is the party of the agreement whose step this is",
    "not-operator": "the payer neither holds the asset nor may operate it",
    "not-addressee": "no author is one of those to whom the notice or delivery went",
    "not-arbiter": "no author is the arbiter that the record names",
}
"""Why entries are rejected: stable codes and what they say."""


class KeyState(Struct, frozen=True, gc=False):
    """What the chain keeps of a key or delegate: blocks (`revoked_block` 0: never), end in Unix seconds."""

    from_block: int
    revoked_block: int
    valid_to_unix_s: int


class Place(Struct, frozen=True, gc=False):
    """Where an entry stands: ledger and log id (hex), chain id, and its anchor's block and time."""

    ledger: str
    chain_id: int
    log: str
    block: int
    time_unix_s: int


class Accepted(Struct, frozen=True, gc=False):
    """What is to be known of an accepted record: its type and its authors' addresses (20 bytes each)."""

    type: type[Predicate]
    authors: Sequence[bytes]


class Identities(Protocol):
    """What the rules about signers ask. Parties are 20-byte addresses, keys 32 bytes; None: no such."""

    def key(self, identity: bytes, key: bytes, /) -> KeyState | None:
        """Give the state of a record key of a party."""

    def delegate(self, identity: bytes, kind: str, delegate: bytes, /) -> KeyState | None:
        """Give the state of a party's delegate of type `record` or `anchor`."""

    def deactivated_block(self, identity: bytes, /) -> int:
        """Give the block in which a party gave up its identity, 0 if it did not."""


class Facts(Identities, Protocol):
    """What all rules ask. Record ids have 32 bytes; None: no such."""

    def namespace_owner(self, name: str, block: int, /) -> bytes | None:
        """Give the owner of a namespace at the end of `block`."""

    def holder(self, asset: str, block: int, /) -> bytes | None:
        """Give the holder of an asset for entries anchored in `block`.

        That is the receiver of the last transfer that took effect in an *earlier* block, without one the
        owner of the asset's namespace at the end of `block`.
        """

    def asset(self, asset: str, /) -> bytes | None:
        """Give the id of the accepted record that registered an asset."""

    def version(self, asset: str, number: int, /) -> bytes | None:
        """Give the id of the accepted record of a version."""

    def record(self, record_id: bytes, /) -> Accepted | None:
        """Give an accepted record; only revocations ask."""

    def said(self, record_id: bytes, /) -> Statement | None:
        """Give what an accepted record says of rights, or a registration that names an arbiter."""

    def follower(self, record_id: bytes, /) -> bytes | None:
        """Give the first accepted step that names this one as the step before and might follow it.

        Steps are agreements and deliveries; `negotiation` says which may follow which.
        """

    def revoked_block(self, record_id: bytes, /) -> int | None:
        """Give the block in which a revocation of the record took effect."""


def address_of(did: str, place: Place) -> bytes:
    """Give the 20-byte address of a party of this chain; any other raises Unauthorized, `wrong-ledger`."""
    chain_id, address = parse_did(did)
    if chain_id != place.chain_id:
        raise Unauthorized("wrong-ledger", f"{did}: expected a party of chain {place.chain_id:#x}")
    return address


def check_active(party: bytes, place: Place, facts: Identities) -> None:
    """Refuse a party that gave up its identity at or before the anchor."""
    block = facts.deactivated_block(party)
    if 0 < block <= place.block:
        raise Unauthorized(
            "identity-deactivated",
            f"0x{party.hex()} gave up its identity in block {block}, the anchor is in block {place.block}",
        )


def check_holder(asset: str, parties: Sequence[bytes], place: Place, facts: Facts) -> None:
    """Refuse unless one of the parties holds the asset."""
    holder = facts.holder(asset, place.block)
    if holder not in parties:
        known = belongs(None) if holder is None else f"it is held by 0x{holder.hex()}"
        raise Unauthorized("not-holder", f"{asset}: {known}")


def belongs(owner: bytes | None) -> str:
    """Say whose a namespace is; an asset has a holder, and the ledger gives nobody a title to it."""
    return "nobody claimed the namespace" if owner is None else f"belongs to 0x{owner.hex()}"
