"""Who has signed: one signature an author, by a key of the author or of one of its record delegates.

Source: docs/formats.md sections 4 and 7. A key or delegate is valid if it was published before or in the
anchor's block, not revoked by the end of it, and its time had not ended.
"""

from __future__ import annotations

from collections.abc import Sequence

from ledger.core.authority_facts import Identities, KeyState, Place, address_of, check_active
from ledger.core.errors import Unauthorized
from ledger.core.identity import parse_keyid
from ledger.core.records import Statement


def check_signers(
    statement: Statement, keyids: Sequence[str], place: Place, facts: Identities
) -> list[bytes]:
    """Return the authors' addresses if the record is for this place and each of them has signed with a key
    that was valid there; raise Unauthorized if not.
    """
    authors, signers = _signed(statement, keyids, place, facts)
    if signers == authors:  # nearly always
        return authors
    for author in _uncovered(authors, signers, place, facts):
        raise Unauthorized("unsigned-author", f"0x{author.hex()} has not signed")
    _check_all_needed(authors, signers)
    return authors


def missing_signers(
    statement: Statement, keyids: Sequence[str], place: Place, facts: Identities
) -> list[bytes]:
    """Return the authors' addresses for whom nobody has signed yet, of a record on its way through all hands.

    Raises Unauthorized for a record of another place, and for a signature that would not count there.
    """
    authors, signers = _signed(statement, keyids, place, facts)
    missing = _uncovered(authors, signers, place, facts)
    _check_all_needed([author for author in authors if author not in missing], signers)
    return missing


def _signed(
    statement: Statement, keyids: Sequence[str], place: Place, facts: Identities
) -> tuple[list[bytes], list[bytes]]:
    """Return the authors and who signed; refuse a record of another place, and keys that are not valid."""
    predicate = statement.predicate
    if predicate.ledger != place.ledger:
        raise Unauthorized("wrong-ledger", f"expected ledger {place.ledger}, got {predicate.ledger}")
    if place.log not in predicate.logs:
        raise Unauthorized("wrong-log", f"expected log {place.log}, got {', '.join(predicate.logs)}")
    authors = [address_of(author, place) for author in predicate.authors]
    for author in authors:
        check_active(author, place, facts)
    return authors, _signers(authors, keyids, place, facts)


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


def _signers(authors: list[bytes], keyids: Sequence[str], place: Place, facts: Identities) -> list[bytes]:
    """Return whose keys signed; refuse unless each is that of an author or of a record delegate of one."""
    signers = []
    for keyid in keyids:
        did, key = parse_keyid(keyid)
        signer = address_of(did, place)
        if signer not in authors:
            _check_delegate(signer, authors, place, facts)
            check_active(signer, place, facts)
        _check_key(signer, key, place, facts)
        signers.append(signer)
    return signers


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


def _uncovered(authors: list[bytes], signers: list[bytes], place: Place, facts: Identities) -> list[bytes]:
    """Find a signature of its own for every author (a bipartite matching); return the authors without one."""

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

    return [author for position, author in enumerate(authors) if not assign(position, set())]


def _check_all_needed(authors: Sequence[bytes], signers: Sequence[bytes]) -> None:
    if len(signers) > len(authors):
        raise Unauthorized(
            "foreign-signature", f"expected one signature an author, got {len(signers)} for {len(authors)}"
        )
