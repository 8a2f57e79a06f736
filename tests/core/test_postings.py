from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ledger.core import digests, postings
from ledger.core.identity import format_did
from ledger.core.postings import Offer
from ledger.core.records import Attestation, Registration, Resource, Revocation, Statement, Transfer

ALICE, BOB, CAROL = b"\xaa" * 20, b"\xbb" * 20, b"\xcc" * 20
LEDGER = "1a" * 32
HEAD: dict[str, Any] = {
    "ledger": LEDGER,
    "logs": ["2b" * 32],
    "authors": [format_did(1, BOB), format_did(1, ALICE)],
    "time": "2025-01-31T12:00:00Z",
}
ASSET = Resource("acme/x", {digests.ASSET: digests.asset_digest(bytes.fromhex(LEDGER), "acme/x")})
TRANSFER = Transfer(**HEAD, giver=format_did(1, ALICE), receiver=format_did(1, BOB))
REVOCATION = Revocation(**HEAD, target="ee" * 32)
FREEZE = Attestation(**HEAD, kind="objection", description="x", outcome="frozen", target="dd" * 32)


def test_types_that_are_posted() -> None:
    assert postings.is_posted_type(TRANSFER)
    assert postings.is_posted_type(REVOCATION)
    assert postings.is_posted_type(FREEZE)
    assert not postings.is_posted_type(Registration(**HEAD))
    assert not postings.is_posted_type(msgspec.structs.replace(FREEZE, outcome="lifted"))


def test_targets() -> None:
    assert postings.posting_target(Statement([ASSET], TRANSFER)) == digests.target_of_asset(
        ASSET.digest[digests.ASSET]
    )
    assert postings.posting_target(Statement([ASSET], REVOCATION)) == digests.target_of_record(b"\xee" * 32)
    assert postings.posting_target(Statement([ASSET], FREEZE)) == digests.target_of_record(b"\xdd" * 32)


def test_posters() -> None:
    assert postings.posters(TRANSFER) == [ALICE]  # the receiver must not be able to take
    assert postings.posters(REVOCATION) == [BOB, ALICE]
    assert postings.posters(FREEZE) == [BOB, ALICE]


@pytest.mark.parametrize(
    ("anchored", "posted", "effective"), [(5, 5, 5), (5, 9, 9), (9, 5, 9), (5, None, None), (0, 0, 0)]
)
def test_the_later_of_anchoring_and_posting(anchored: int, posted: int | None, effective: int | None) -> None:
    assert postings.effective_block(anchored, posted) == effective


def offer(giver: bytes, receiver: bytes, n: int) -> Offer:
    return Offer(bytes([n]) * 32, giver, receiver, n)


def test_only_the_holder_gives_and_only_once() -> None:
    first, second = offer(ALICE, BOB, 3), offer(ALICE, CAROL, 4)
    chained = offer(BOB, CAROL, 0)
    assert postings.binding_offer([second, chained, first], ALICE) is first
    assert postings.binding_offer([first, second], BOB) is None
    assert postings.binding_offer([first, chained], BOB) is chained
    assert postings.binding_offer([first], None) is None
    assert postings.binding_offer([], ALICE) is None
