"""One signature an author: accepted if and only if some assignment of signatures to authors exists."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.authority import KeyState, Place, authorize
from ledger.core.authority_signers import missing_signers
from ledger.core.errors import Unauthorized
from ledger.core.identity import format_did, format_keyid
from ledger.core.records import Activity, Component, Resource, Statement

PARTIES = [bytes([number]) * 20 for number in range(1, 6)]
PLACE = Place("1a" * 32, 1, "2b" * 32, 10, 10)
VALID = KeyState(1, 0, 10)


class Delegations:
    """Facts in which every key is valid, and delegations are given."""

    def __init__(self, pairs: set[tuple[bytes, bytes]]) -> None:
        self.pairs = pairs

    def key(self, identity: bytes, key: bytes) -> KeyState | None:
        return VALID

    def delegate(self, identity: bytes, kind: str, delegate: bytes) -> KeyState | None:
        return VALID if kind == "record" and (identity, delegate) in self.pairs else None

    def deactivated_block(self, identity: bytes) -> int:
        return 0

    def nothing(self, *_: object) -> None:
        return None

    namespace_owner = holder = asset = version = record = nothing


parties = st.sampled_from(PARTIES)


def said_by(authors: list[bytes]) -> Statement:
    activity = Activity(
        ledger=PLACE.ledger,
        logs=[PLACE.log],
        authors=[format_did(1, author) for author in authors],
        time="2025-01-31T12:00:00Z",
        run_id="r",
        component=Component("x"),
        outcome="completed",
    )
    return Statement([Resource("run:r", {})], activity)


def keyids_of(signers: list[bytes]) -> list[str]:
    return [format_keyid(format_did(1, each), bytes([n]) * 32) for n, each in enumerate(signers)]


@given(
    st.lists(parties, min_size=1, max_size=4, unique=True),
    st.lists(parties, max_size=5),
    st.sets(st.tuples(parties, parties), max_size=12),
)
def test_cover(authors: list[bytes], signers: list[bytes], pairs: set[tuple[bytes, bytes]]) -> None:
    expected = len(signers) == len(authors) and any(
        all(
            author == signer or (author, signer) in pairs
            for author, signer in zip(authors, order, strict=True)
        )
        for order in permutations(signers)
    )
    try:
        authorize(said_by(authors), keyids_of(signers), PLACE, Delegations(pairs))
    except Unauthorized as error:
        reason = error.reason
    else:
        reason = ""
    assert (reason == "") is expected
    assert reason in ("", "foreign-signature", "unsigned-author")


@given(
    st.lists(parties, min_size=1, max_size=4, unique=True),
    st.lists(parties, max_size=4),
    st.sets(st.tuples(parties, parties), max_size=12),
)
def test_who_is_missing(authors: list[bytes], signers: list[bytes], pairs: set[tuple[bytes, bytes]]) -> None:
    """On its way every signature has to be for an author of its own; the others are missing."""
    possible = any(
        all(
            author == signer or (author, signer) in pairs
            for author, signer in zip(order, signers, strict=True)
        )
        for order in permutations(authors, len(signers))
    )
    statement, keyids = said_by(authors), keyids_of(signers)
    if not possible:
        with pytest.raises(Unauthorized, match=r"one signature an author|no author's delegate"):
            missing_signers(statement, keyids, PLACE, Delegations(pairs))
        return
    missing = missing_signers(statement, keyids, PLACE, Delegations(pairs))
    assert len(missing) == len(authors) - len(signers)
    assert set(missing) <= set(authors)
