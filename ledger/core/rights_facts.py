"""What the rules of rights ask, and of what: questions, and the facts as of the end of one block.

An index answers from its tables and an auditor from an evidence file. All facts are those of accepted records
that were anchored, and of what was posted on chain, at or before that block; lists are in the order of
(block, log id, index). Parties are 20-byte addresses, record ids 32 bytes, names those of assets
(`haina/orders`, all of its versions) or of versions (`haina/orders@3`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal, Protocol

from msgspec import Struct

from ledger.core.negotiation import Steps
from ledger.core.records import Statement
from ledger.core.records_rights import Kind, Money, Right


class Question(Struct, frozen=True, kw_only=True):
    """May `party` do this with `name`, at this moment (nanoseconds since 1970)?

    No purpose means any purpose, no region any region. `price` is what would be asked of others for a unit.
    """

    party: bytes
    right: Right
    name: str
    at_ns: int
    purpose: str = ""
    region: str = ""
    price: Money | None = None


class Given(Struct, frozen=True, gc=False):
    """A record about rights: its id, what it says, block and time of its anchor.

    `void` says why it counts for nothing: it was rightly signed, and gave what its giver had not to give.
    """

    record: bytes
    statement: Statement
    block: int
    time_unix_s: int
    void: str = ""


class Taken(Struct, frozen=True, gc=False):
    """A revocation that is in effect: its record id, and the moment until which it lets things be."""

    record: bytes
    effective: str = ""


SourceKind = Literal["observed", "declared", "unregistered", "unknown"]
"""As in `lineage`: hashed, named but never hashed, without a record here, in a log that can't be had."""


class Source(Struct, frozen=True, gc=False):
    """Something that a product was made from."""

    name: str
    kind: SourceKind = "observed"


class RightsFacts(Steps, Protocol):
    """What is known as of the end of one block."""

    def given(self, record_id: bytes, /) -> Given | None:
        """Give an accepted grant, step of an agreement, attestation, or registration with an arbiter."""

    def given_to(self, name: str, party: bytes, /) -> Sequence[Given]:
        """List the grants and binding steps of agreements about a name, to this party or to everybody.

        Void ones are among them. A version is covered by what is said of its asset.
        """

    def may_give(self, name: str, /) -> Collection[bytes]:
        """Give all who ever held the asset, and all who were ever given the right to pass on."""

    def holders(self, asset: str, /) -> Collection[bytes]:
        """Give all who ever held the asset."""

    def holder(self, asset: str, /) -> bytes | None:
        """Give who holds the asset now: to whom it was transferred, else its namespace's owner."""

    def is_holder_known(self, asset: str, /) -> bool:
        """Tell whether the holder posted nothing against the asset of which the record can't be had."""

    def held_at(self, asset: str, block: int, /) -> bytes | None:
        """Give the holder for records anchored in `block` (`authority.Facts.holder`)."""

    def registration(self, asset: str, /) -> bytes | None:
        """Give the id of the accepted record that registered an asset."""

    def content(self, version: str, /) -> tuple[str, str] | None:
        """Give the digest (name, hex) of the content of a version that is recorded."""

    def revocations(self, record_id: bytes, /) -> Sequence[Taken]:
        """List the revocations of a record that took effect."""

    def posted_block(self, record_id: bytes, target: bytes, parties: Collection[bytes], /) -> int | None:
        """Give the block in which one of the parties first posted a record against another record."""

    def unknown_posts(self, target: bytes, parties: Collection[bytes], /) -> Sequence[bytes]:
        """List the ids that one of the parties posted against a record, and whose records can't be had."""

    def attestations(self, kind: Kind, asset: str, /) -> Sequence[Given]:
        """List the attestations of a kind about an asset or one of its versions."""

    def answers(self, record_id: bytes, /) -> Sequence[Given]:
        """List the attestations that name this record as their target."""

    def sources(self, name: str, /) -> Sequence[Source]:
        """List what a version was made from directly; of an asset, what any of its versions was."""

    def missing_logs(self, parties: Collection[bytes], /) -> Sequence[bytes]:
        """List the logs of these parties, and of those who sign for them, that can't be had to their end."""
