"""Who may say what: the rules that decide whether a record counts.

Pure rules (docs/formats.md sections 4, 7 and 8) over `Facts`, which an index answers from its tables and an
auditor from an evidence file: both reach the same verdict. Everything is judged at the record's anchor, the
first checkpoint that covers it, never by today, and facts of the chain hold as of the *end* of the anchor's
block. What no rule allows is refused with `Unauthorized` and one of `REASONS`.

Before these rules: the signatures verify (`dsse.verify_envelope`), the payload is well-formed
(`statement.parse_statement`), and no accepted entry has the same record id. Entries are judged in the order
of (block, log id, index), so that facts from records are those of the entries before. After these rules:
what is authentic but improper is applied and flagged (`findings`), and transfers and revocations wait for
their posting (`postings`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from msgspec import Struct

from ledger.core.errors import Unauthorized
from ledger.core.identity import parse_did, parse_keyid
from ledger.core.names import namespace_of
from ledger.core.records import (
    Activity,
    Predicate,
    Registration,
    Resource,
    Revocation,
    Statement,
    Transfer,
    Version,
)
from ledger.core.shapes import RUN_PREFIX

RULES_VERSION: Final = 1
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
    "anchored-too-late": "the transfer was anchored after the block until which it was offered",
    "target-unknown": "the record to be revoked is not known",
    "not-author": "somebody else's record was to be revoked",
    "not-revocable": "a transfer or revocation can't be taken back",
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


def authorize(statement: Statement, keyids: Sequence[str], place: Place, facts: Facts) -> None:
    """Return if the record counts in this place; raise Unauthorized if it does not.

    `keyids` are those of the envelope's signatures, all of which have been verified.
    """
    authors = check_signers(statement, keyids, place, facts)
    _RULES[type(statement.predicate)](statement.subject, statement.predicate, authors, place, facts)


def check_signers(
    statement: Statement, keyids: Sequence[str], place: Place, facts: Identities
) -> list[bytes]:
    """Return the authors' addresses if the record is for this place and each of them has signed with a key
    that was valid there; raise Unauthorized if not.
    """
    predicate = statement.predicate
    if predicate.ledger != place.ledger:
        raise Unauthorized("wrong-ledger", f"expected ledger {place.ledger}, got {predicate.ledger}")
    if place.log not in predicate.logs:
        raise Unauthorized("wrong-log", f"expected log {place.log}, got {', '.join(predicate.logs)}")
    authors = [_address(author, place) for author in predicate.authors]
    for author in authors:
        _check_active(author, place, facts)
    _check_signatures(authors, keyids, place, facts)
    return authors


def _address(did: str, place: Place) -> bytes:
    chain_id, address = parse_did(did)
    if chain_id != place.chain_id:
        raise Unauthorized("wrong-ledger", f"{did}: expected a party of chain {place.chain_id:#x}")
    return address


def _check_active(party: bytes, place: Place, facts: Identities) -> None:
    block = facts.deactivated_block(party)
    if 0 < block <= place.block:
        raise Unauthorized(
            "identity-deactivated",
            f"0x{party.hex()} gave up its identity in block {block}, the anchor is in block {place.block}",
        )


def _fault(state: KeyState, place: Place) -> tuple[str, str] | None:
    """Say what keeps a key or delegate from being valid at the anchor: end of the reason, and message."""
    if state.from_block > place.block:
        return "not-yet-valid", f"valid from block {state.from_block}, the anchor is in block {place.block}"
    if 0 < state.revoked_block <= place.block:
        return "revoked", f"revoked in block {state.revoked_block}, the anchor is in block {place.block}"
    if state.valid_to_unix_s < place.time_unix_s:
        return "expired", f"valid until {state.valid_to_unix_s}, the anchor is of {place.time_unix_s}"
    return None


# Signatures ------------------------------------------------------------------------------------------------


def _check_signatures(authors: list[bytes], keyids: Sequence[str], place: Place, facts: Identities) -> None:
    """Refuse unless there is one signature an author, by a key of the author or of a record delegate."""
    signers = []
    for keyid in keyids:
        did, key = parse_keyid(keyid)
        signer = _address(did, place)
        if signer not in authors:
            _check_delegate(signer, authors, place, facts)
            _check_active(signer, place, facts)
        _check_key(signer, key, place, facts)
        signers.append(signer)
    if signers == authors:  # nearly always
        return
    _check_cover(authors, signers, place, facts)


def _check_key(signer: bytes, key: bytes, place: Place, facts: Identities) -> None:
    state = facts.key(signer, key)
    if state is None:
        raise Unauthorized("key-unknown", f"0x{signer.hex()} never published the key {key.hex()}")
    fault = _fault(state, place)
    if fault is not None:
        raise Unauthorized(f"key-{fault[0]}", f"key {key.hex()} of 0x{signer.hex()}: {fault[1]}")


def _check_delegate(signer: bytes, authors: list[bytes], place: Place, facts: Identities) -> None:
    """Refuse a signer that is a valid record delegate of none of the authors."""
    fault = None
    for author in authors:
        state = facts.delegate(author, "record", signer)
        if state is not None:
            fault = _fault(state, place)
            if fault is None:
                return
    if fault is None:
        raise Unauthorized("foreign-signature", f"0x{signer.hex()} is no author, and no author's delegate")
    raise Unauthorized(f"delegate-{fault[0]}", f"delegate 0x{signer.hex()}: {fault[1]}")


def _check_cover(authors: list[bytes], signers: list[bytes], place: Place, facts: Identities) -> None:
    """Find a signature of its own for every author (a bipartite matching), and refuse if one has none."""

    def may_sign(signer: bytes, author: bytes) -> bool:
        state = facts.delegate(author, "record", signer) if signer != author else None
        return signer == author or (state is not None and _fault(state, place) is None)

    signer_of: dict[int, int] = {}  # position in signers -> position in authors

    def assign(author: int, tried: set[int]) -> bool:
        for position in range(len(signers)):
            if position not in tried and may_sign(signers[position], authors[author]):
                tried.add(position)
                if position not in signer_of or assign(signer_of[position], tried):
                    signer_of[position] = author
                    return True
        return False

    for author in range(len(authors)):
        if not assign(author, set()):
            raise Unauthorized("unsigned-author", f"0x{authors[author].hex()} has not signed")
    if len(signers) > len(authors):
        raise Unauthorized(
            "foreign-signature", f"expected one signature an author, got {len(signers)} for {len(authors)}"
        )


# Rules by type ---------------------------------------------------------------------------------------------


def _check_registration(
    subject: Sequence[Resource], _: Registration, authors: list[bytes], place: Place, facts: Facts
) -> None:
    asset = subject[0].name
    namespace = namespace_of(asset)
    owner = facts.namespace_owner(namespace, place.block)
    if owner not in authors:
        raise Unauthorized("not-namespace-owner", f"{namespace}: {_belongs(owner)}")
    if facts.asset(asset) is not None:
        raise Unauthorized("already-registered", f"{asset} is registered already")


def _check_version(
    subject: Sequence[Resource], predicate: Version, authors: list[bytes], place: Place, facts: Facts
) -> None:
    asset = subject[0].name.partition("@")[0]
    number = predicate.number
    if facts.asset(asset) is None:
        raise Unauthorized("asset-unknown", f"{asset} is not registered")
    _check_holder(asset, authors, place, facts)
    if facts.version(asset, number) is not None:
        raise Unauthorized("version-exists", f"{asset}@{number} is recorded already")
    if number == 1:
        return
    previous = facts.version(asset, number - 1)
    if previous is None:
        raise Unauthorized("version-gap", f"{asset}@{number}: version {number - 1} is not recorded")
    if previous.hex() != predicate.previous:
        raise Unauthorized(
            "wrong-predecessor",
            f"{asset}@{number}: expected predecessor {previous.hex()}, got {predicate.previous}",
        )


def _check_activity(
    subject: Sequence[Resource], _: Activity, authors: list[bytes], place: Place, facts: Facts
) -> None:
    for resource in subject:
        if not resource.name.startswith(RUN_PREFIX):  # of its own run anybody may speak
            _check_holder(resource.name.partition("@")[0], authors, place, facts)


def _check_transfer(
    subject: Sequence[Resource], predicate: Transfer, _: list[bytes], place: Place, facts: Facts
) -> None:
    asset = subject[0].name
    before = predicate.anchor_before
    if before is not None and place.block >= before:
        raise Unauthorized(
            "anchored-too-late", f"{asset}: offered before block {before}, anchored in {place.block}"
        )
    if facts.asset(asset) is None:
        raise Unauthorized("asset-unknown", f"{asset} is not registered")
    _check_active(_address(predicate.receiver, place), place, facts)
    _check_holder(asset, [_address(predicate.giver, place)], place, facts)  # the giver is an author: `shapes`


def _check_revocation(
    _: Sequence[Resource], predicate: Revocation, authors: list[bytes], __: Place, facts: Facts
) -> None:
    target = facts.record(bytes.fromhex(predicate.target))
    if target is None:
        raise Unauthorized("target-unknown", f"record {predicate.target} is not known")
    for author in authors:
        if author not in target.authors:
            raise Unauthorized("not-author", f"0x{author.hex()} is no author of record {predicate.target}")
    if target.type in (Transfer, Revocation):
        raise Unauthorized(
            "not-revocable",
            f"record {predicate.target} is a {target.type.__name__.lower()}",
            hint="a transfer is undone by a transfer back, a revocation by recording anew",
        )


def _check_holder(asset: str, parties: Sequence[bytes], place: Place, facts: Facts) -> None:
    holder = facts.holder(asset, place.block)
    if holder not in parties:
        raise Unauthorized("not-holder", f"{asset}: {_belongs(holder)}")


def _belongs(owner: bytes | None) -> str:
    return "nobody claimed the namespace" if owner is None else f"belongs to 0x{owner.hex()}"


_RULES: dict[type[Predicate], Callable[[Sequence[Resource], Any, list[bytes], Place, Facts], None]] = {
    Registration: _check_registration,
    Version: _check_version,
    Activity: _check_activity,
    Transfer: _check_transfer,
    Revocation: _check_revocation,
}
