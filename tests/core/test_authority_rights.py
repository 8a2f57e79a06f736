"""The rules about rights: what each allows, and beside it what it refuses. Facts as in `test_authority`."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ledger.core.authority import Accepted
from ledger.core.identity import format_did
from ledger.core.records import (
    Agreement,
    Attestation,
    Delivery,
    Grant,
    Predicate,
    Registration,
    Resource,
    Revocation,
    Settlement,
    Statement,
)
from ledger.core.records_rights import Money, Payout, Terms
from tests.core.test_authority import (
    ALICE,
    BLOCK,
    BOB,
    CAROL,
    DAVE,
    World,
    allowed,
    asset,
    content,
    did,
    head,
    made,
    refused,
)

G1, G2 = b"\xd1" * 32, b"\xd2" * 32
KNOWN = asset("acme/known")
SHARED = Terms(rights=["use", "operate"], sublicensable=True)


@pytest.fixture
def world() -> World:
    return World()


def grant(
    giver: bytes = ALICE, taker: bytes | None = BOB, *, names: Any = (KNOWN,), under: bytes = b"", **more: Any
) -> Statement:
    terms = more.pop("terms", Terms(rights=["use"]))
    said = {"grantee": "" if taker is None else did(taker), "under": under.hex()}
    return made(list(names), Grant(**head(giver), grantor=did(giver), terms=terms, **said, **more))


def agreement(state: Any = "FINALIZED", *, names: Any = (KNOWN,), **more: Any) -> Statement:
    authors = more.pop("authors", (ALICE, BOB))
    has_terms = state in ("REQUESTED", "OFFERED", "AGREED") or "previous" not in more
    said = {
        "negotiation": "n",
        "provider": did(ALICE),
        "consumer": did(BOB),
        "terms": Terms(rights=["use"]) if has_terms else None,
    }
    return made(list(names), Agreement(**(head(*authors) | said | more), state=state))


def known(world: World, record: bytes, statement: Statement) -> None:
    """Let a statement have been accepted before."""
    authors = [bytes.fromhex(each[-40:]) for each in statement.predicate.authors]
    world.records[record] = Accepted(type(statement.predicate), authors)
    world.statements[record] = statement


# grants


def test_grant_by_the_holder(world: World) -> None:
    allowed(world, grant(), ALICE)
    allowed(world, grant(taker=None), ALICE)
    allowed(world, grant(names=[content("acme/known@7")]), ALICE)


def test_a_chain_has_an_end(world: World) -> None:
    """64 links, back and forth between two: one more is refused, or it would cost everybody who follows."""
    under, parties = b"", (ALICE, BOB)
    for place in range(65):
        giver, taker = parties[place % 2], parties[(place + 1) % 2]
        link = grant(giver, taker, under=under, terms=SHARED)
        if place < 64:
            allowed(world, link, giver)
        else:
            assert refused(world, link, giver) == "chain-too-long"
        under = bytes([place + 1]) * 32
        known(world, under, link)


def test_grant_by_another(world: World) -> None:
    assert refused(world, grant(BOB, CAROL), BOB) == "not-holder"


def test_grant_by_the_receiver_of_the_asset(world: World) -> None:
    world.holders["acme/known"] = BOB
    allowed(world, grant(BOB, CAROL), BOB)
    assert refused(world, grant(ALICE, BOB), ALICE) == "not-holder"


def test_grant_of_one_asset_too_many(world: World) -> None:
    world.assets["bee/x"] = G1
    assert refused(world, grant(names=[KNOWN, asset("bee/x")]), ALICE) == "not-holder"


def test_grant_of_what_is_not_registered(world: World) -> None:
    assert refused(world, grant(names=[asset("acme/new")]), ALICE) == "asset-unknown"


@pytest.mark.parametrize(("before", "reason"), [(BLOCK + 1, ""), (BLOCK, "x")])
def test_grant_in_time(world: World, before: int, reason: str) -> None:
    for statement, signers in [
        (grant(anchor_before=before), [ALICE]),
        (agreement(anchor_before=before), [ALICE, BOB]),
    ]:
        if reason:
            assert refused(world, statement, *signers) == "anchored-too-late"
        else:
            allowed(world, statement, *signers)


def test_grant_to_one_who_is_gone(world: World) -> None:
    world.deactivated[BOB] = BLOCK
    assert refused(world, grant(), ALICE) == "identity-deactivated"
    assert refused(world, agreement("OFFERED", authors=[ALICE]), ALICE) == "identity-deactivated"
    world.deactivated[BOB] = BLOCK + 1
    allowed(world, grant(), ALICE)


def test_grant_to_another_chain(world: World) -> None:
    predicate = Grant(
        **head(ALICE), grantor=did(ALICE), grantee=format_did(1, BOB), terms=Terms(rights=["use"])
    )
    assert refused(world, made([KNOWN], predicate), ALICE) == "wrong-ledger"


# grants that rest on others


def test_passing_on(world: World) -> None:
    known(world, G1, grant(terms=SHARED))
    allowed(world, grant(BOB, CAROL, under=G1), BOB)
    allowed(world, grant(BOB, CAROL, under=G1, names=[content("acme/known@1")]), BOB)
    assert refused(world, grant(BOB, CAROL), BOB) == "not-holder"


def test_what_may_not_be_passed_on(world: World) -> None:
    known(world, G1, grant())
    assert refused(world, grant(BOB, CAROL, under=G1), BOB) == "not-sublicensable"


def test_what_others_were_given(world: World) -> None:
    known(world, G1, grant(terms=SHARED))
    assert refused(world, grant(DAVE, CAROL, under=G1), DAVE) == "not-grantee"
    known(world, G1, grant(taker=None, terms=SHARED))
    assert refused(world, grant(DAVE, CAROL, under=G1), DAVE) == "not-grantee"  # everybody has it anyway


def test_resting_on_nothing(world: World) -> None:
    assert refused(world, grant(BOB, CAROL, under=G1), BOB) == "grant-unknown"
    known(world, G1, agreement("OFFERED", authors=[ALICE]))
    assert refused(world, grant(BOB, CAROL, under=G1), BOB) == "grant-unknown"


def test_passing_on_what_was_agreed(world: World) -> None:
    known(world, G1, agreement("AGREED", terms=SHARED))
    assert refused(world, grant(BOB, CAROL, under=G1), BOB) == "grant-unknown"  # not final
    known(world, G2, agreement("FINALIZED", previous=G1.hex(), authors=[ALICE]))
    world.followers[G1] = G2
    allowed(world, grant(BOB, CAROL, under=G1), BOB)


@pytest.mark.parametrize(("block", "reason"), [(BLOCK, ""), (BLOCK + 1, ""), (BLOCK - 1, "grant-revoked")])
def test_passing_on_what_was_taken_back(world: World, block: int, reason: str) -> None:
    known(world, G1, grant(terms=SHARED))
    world.revoked[G1] = block
    if reason:
        assert refused(world, grant(BOB, CAROL, under=G1), BOB) == reason
    else:
        allowed(world, grant(BOB, CAROL, under=G1), BOB)


LIMITS = Terms(
    rights=["use"],
    purposes=["a", "b"],
    regions=["CN", "DE-BY"],
    start="2025-01-01T00:00:00Z",
    until="2026-01-01T00:00:00Z",
    level="important",
    sublicensable=True,
)


@pytest.mark.parametrize(
    ("change", "beyond"),
    [
        ({}, ""),
        ({"rights": ["use", "hold"]}, "right hold"),
        ({"purposes": ["a"]}, ""),
        ({"purposes": ["c"]}, "purpose"),
        ({"purposes": []}, "purpose"),
        ({"regions": ["CN-44", "DE-BY"]}, ""),
        ({"regions": ["DE"]}, "region"),
        ({"regions": ["CNX"[:2] + "-1", "US"]}, "region"),
        ({"regions": []}, "region"),
        ({"until": "2025-12-31T00:00:00Z"}, ""),
        ({"until": "2026-01-01T00:00:00.000000001Z"}, "term, which ends"),
        ({"until": ""}, "term, which ends"),
        ({"start": ""}, ""),
        ({"start": "2024-12-31T23:59:59Z"}, "term, which begins"),
        ({"level": "general"}, ""),
        ({"level": "core"}, "level"),
        ({"level": None}, "level"),
        ({"sublicensable": False, "share_bps": 1, "free_for": ["x"], "price_cap": Money("CNY", 1)}, ""),
    ],
)
def test_no_more_than_one_has(world: World, change: dict[str, Any], beyond: str) -> None:
    known(world, G1, grant(terms=LIMITS))
    statement = grant(BOB, CAROL, under=G1, terms=msgspec.structs.replace(LIMITS, **change))
    if not beyond:
        return allowed(world, statement, BOB)
    assert refused(world, statement, BOB) == "beyond-grant"
    with pytest.raises(Exception, match=beyond):
        allowed(world, statement, BOB)
    return None


def test_no_more_than_one_has_it_of(world: World) -> None:
    world.assets["acme/more"] = G2
    known(world, G1, grant(terms=SHARED, names=[content("acme/known@1")]))
    allowed(world, grant(BOB, CAROL, under=G1, names=[content("acme/known@1")]), BOB)
    for names in ([content("acme/known@2")], [KNOWN], [content("acme/known@1"), asset("acme/more")]):
        assert refused(world, grant(BOB, CAROL, under=G1, names=names), BOB) == "beyond-grant"


# agreements


def test_agreement(world: World) -> None:
    allowed(world, agreement(), ALICE, BOB)
    assert refused(world, agreement(), ALICE) == "unsigned-author"
    allowed(world, agreement("REQUESTED", authors=[BOB], names=[asset("acme/new")]), BOB)  # one may ask


def test_agreement_about_what_others_hold(world: World) -> None:
    world.holders["acme/known"] = CAROL
    assert refused(world, agreement(), ALICE, BOB) == "not-holder"
    assert refused(world, agreement("AGREED"), ALICE, BOB) == "not-holder"
    allowed(world, agreement("OFFERED", authors=[ALICE]), ALICE)  # binds nobody yet


def test_agreement_that_rests_on_a_grant(world: World) -> None:
    world.holders["acme/known"] = CAROL
    known(world, G1, grant(CAROL, ALICE, terms=SHARED))
    allowed(world, agreement(under=G1.hex()), ALICE, BOB)
    known(world, G1, grant(CAROL, ALICE))
    assert refused(world, agreement(under=G1.hex()), ALICE, BOB) == "not-sublicensable"


# deliveries


def delivery(state: Any, *authors: bytes, **more: Any) -> Statement:
    predicate = Delivery(**head(*authors), process="p", agreement=G1.hex(), state=state, **more)
    return made([content("acme/known@1")], predicate)


def test_delivery_steps_and_whose_they_are(world: World) -> None:
    known(world, G1, agreement())
    after = {"previous": G2.hex()}
    for state, more, provider, consumer in [
        ("REQUESTED", {}, False, True),
        ("STARTED", {}, True, False),
        ("COMPLETED", {}, True, False),
        ("STARTED", after, True, True),
        ("SUSPENDED", after, True, True),
        ("COMPLETED", after, True, True),
        ("TERMINATED", after, True, True),
        ("COMPLETED", after | {"units": 1}, True, False),  # nobody bills himself less
        ("STARTED", after | {"charged": Money("CNY", 1)}, True, False),
    ]:
        for party, may in ((ALICE, provider), (BOB, consumer), (CAROL, False)):
            if may:
                allowed(world, delivery(state, party, **more), party)
            else:
                assert refused(world, delivery(state, party, **more), party) == "not-party"


def test_delivery_under_no_agreement(world: World) -> None:
    assert refused(world, delivery("COMPLETED", ALICE), ALICE) == "agreement-unknown"
    known(world, G1, agreement("OFFERED", authors=[ALICE]))
    assert refused(world, delivery("COMPLETED", ALICE), ALICE) == "agreement-unknown"
    known(world, G1, grant())
    assert refused(world, delivery("COMPLETED", ALICE), ALICE) == "agreement-unknown"


# settlements


def settlement(payer: bytes, *, name: Resource = KNOWN, **more: Any) -> Statement:
    payouts = more.pop("payouts", [Payout(did(CAROL), 5)])
    predicate = Settlement(
        **head(payer), payer=did(payer), total=Money("CNY", 5), payouts=payouts, as_of=1, **more
    )
    return made([name], predicate)


def test_settlement_by_the_holder(world: World) -> None:
    allowed(world, settlement(ALICE), ALICE)
    assert refused(world, settlement(BOB), BOB) == "not-holder"


def test_settlement_to_another_chain(world: World) -> None:
    assert refused(world, settlement(ALICE, payouts=[Payout(format_did(1, BOB), 5)]), ALICE) == "wrong-ledger"


def test_settlement_by_the_operator(world: World) -> None:
    known(world, G1, grant(terms=SHARED))
    allowed(world, settlement(BOB, under=G1.hex()), BOB)
    allowed(world, settlement(BOB, under=G1.hex(), name=content("acme/known@1")), BOB)
    assert refused(world, settlement(BOB, under=G1.hex(), name=asset("acme/new")), BOB) == "not-operator"
    assert refused(world, settlement(CAROL, under=G1.hex()), CAROL) == "not-operator"
    known(world, G1, grant())  # to use is not to operate
    assert refused(world, settlement(BOB, under=G1.hex()), BOB) == "not-operator"
    assert refused(world, settlement(BOB, under=G2.hex()), BOB) == "grant-unknown"


def test_settlement_of_an_agreement(world: World) -> None:
    known(world, G1, agreement())
    allowed(world, settlement(ALICE, agreement=G1.hex()), ALICE)
    world.holders["acme/known"] = CAROL
    assert refused(world, settlement(CAROL, agreement=G1.hex()), CAROL) == "not-party"
    assert refused(world, settlement(CAROL, agreement=G2.hex()), CAROL) == "agreement-unknown"


# attestations


def attestation(party: bytes, kind: Any, **members: Any) -> Statement:
    return made([KNOWN], Attestation(**head(party), kind=kind, **members))


def test_anybody_may_claim(world: World) -> None:
    allowed(world, attestation(CAROL, "review", outcome="failed"), CAROL)
    allowed(world, attestation(CAROL, "objection", description="mine"), CAROL)
    assert refused(world, attestation(CAROL, "review", outcome="failed"), BOB) == "foreign-signature"


def test_closing_an_incident(world: World) -> None:
    closing = {"topic": "breach", "outcome": "closed", "target": G1.hex()}
    assert refused(world, attestation(BOB, "incident", **closing), BOB) == "target-unknown"
    known(world, G1, attestation(BOB, "review", outcome="passed"))
    assert refused(world, attestation(BOB, "incident", **closing), BOB) == "target-unknown"
    known(world, G1, attestation(BOB, "incident", topic="breach", outcome="open"))
    allowed(world, attestation(BOB, "incident", **closing), BOB)
    assert refused(world, attestation(ALICE, "incident", **closing), ALICE) == "not-author"


def test_acknowledging(world: World) -> None:
    def answer(party: bytes) -> Statement:
        return attestation(party, "acknowledgement", target=G1.hex())

    assert refused(world, answer(BOB), BOB) == "target-unknown"
    known(world, G1, grant())
    assert refused(world, answer(BOB), BOB) == "target-unknown"
    known(world, G1, attestation(ALICE, "notice", topic="recall", to=[did(BOB)]))
    allowed(world, answer(BOB), BOB)
    assert refused(world, answer(CAROL), CAROL) == "not-addressee"
    known(world, G1, attestation(ALICE, "notice", topic="recall"))
    allowed(world, answer(CAROL), CAROL)
    known(world, G2, agreement())
    known(world, G1, msgspec.structs.replace(delivery("COMPLETED", ALICE)))
    world.statements[G1] = made(
        [content("acme/known@1")],
        Delivery(**head(ALICE), process="p", agreement=G2.hex(), state="COMPLETED"),
    )
    allowed(world, answer(BOB), BOB)
    assert refused(world, answer(ALICE), ALICE) == "not-addressee"


@pytest.mark.parametrize("outcome", ["frozen", "lifted"])
def test_only_the_arbiter_freezes(world: World, outcome: str) -> None:
    def freeze(party: bytes) -> Statement:
        return attestation(party, "objection", description="x", outcome=outcome, target=G1.hex())

    assert refused(world, freeze(CAROL), CAROL) == "target-unknown"
    named = msgspec.structs.replace(SHARED, arbiter=did(CAROL))
    registered: Predicate = Registration(**head(ALICE), arbiter=did(CAROL))
    for target in (grant(terms=named), agreement(terms=named), made([KNOWN], registered)):
        known(world, G1, target)
        allowed(world, freeze(CAROL), CAROL)
        assert refused(world, freeze(ALICE), ALICE) == "not-arbiter"
        # with another author, that one's posting would have to be looked for, too
        both = attestation(CAROL, "objection", description="x", outcome=outcome, target=G1.hex())
        shared = msgspec.structs.replace(both.predicate, authors=[did(CAROL), did(ALICE)])
        together = msgspec.structs.replace(both, predicate=shared)
        assert refused(world, together, CAROL, ALICE) == "not-arbiter"
    known(world, G1, grant())
    assert refused(world, freeze(ALICE), ALICE) == "not-arbiter"


# revocations


def revocation(*authors: bytes) -> Statement:
    return made([KNOWN], Revocation(**head(*authors), target=G1.hex()))


def test_a_grant_is_taken_back_by_its_grantor(world: World) -> None:
    known(world, G1, grant())
    allowed(world, revocation(ALICE), ALICE)
    assert refused(world, revocation(BOB), BOB) == "not-author"


def test_a_holder_takes_back_what_earlier_holders_granted(world: World) -> None:
    known(world, G1, grant())
    world.holders["acme/known"] = DAVE
    allowed(world, revocation(DAVE), DAVE)
    allowed(world, revocation(ALICE), ALICE)
    world.assets["acme/more"] = G2
    known(world, G1, grant(names=[KNOWN, asset("acme/more")]))
    assert refused(world, revocation(DAVE), DAVE) == "not-author"  # holds only one of two


def test_a_holder_does_not_take_back_what_others_passed_on(world: World) -> None:
    world.holders["acme/known"] = DAVE
    known(world, G1, grant(BOB, CAROL, under=G2))
    assert refused(world, revocation(DAVE), DAVE) == "not-author"


def test_an_agreement_is_taken_back_by_all(world: World) -> None:
    known(world, G1, agreement())
    allowed(world, revocation(ALICE, BOB), ALICE, BOB)
    for party in (ALICE, BOB):
        assert refused(world, revocation(party), party) == "needs-all-parties"
