"""Records about rights in a log: judged with what was said before, kept, listed, and flagged out of turn."""

from __future__ import annotations

import pytest

from ledger.core.records_rights import Money, Terms
from ledger.core.statement import build_statement
from ledger.index import Index
from tests.simulator import World
from tests.simulator_rights import agreement, attestation, delivery, grant, settlement

SHARED = Terms(rights=["use"], sublicensable=True)


def verdicts(index: Index) -> list[tuple[str, str, str]]:
    query = "SELECT kind, verdict, ifnull(reason, '') FROM entry ORDER BY id"
    names = ["", "registration", "version", "transfer", "activity", "revocation", "grant", "agreement"]
    names += ["delivery", "settlement", "attestation"]
    return [
        (names[kind], "ok" if not verdict else "no", why) for kind, verdict, why in index.database.rows(query)
    ]


def findings(index: Index) -> list[str]:
    return [kind for (kind,) in index.database.rows("SELECT kind FROM finding ORDER BY id")]


def test_a_chain_of_grants(world: World, open_index) -> None:
    acme, bolt, coil = world.party("acme"), world.party("bolt"), world.party("coil")
    acme.register("acme/a")
    first = grant(acme, ["acme/a"], bolt, terms=SHARED)
    acme.anchor()
    second = grant(bolt, ["acme/a"], coil, under=first)
    grant(coil, ["acme/a"], acme, under=second)  # may not be passed on
    grant(coil, ["acme/a"], bolt)
    bolt.anchor()
    coil.anchor()
    index = open_index(world)
    assert sorted(verdicts(index)) == [
        ("grant", "no", "not-holder"),
        ("grant", "no", "not-sublicensable"),
        ("grant", "ok", ""),
        ("grant", "ok", ""),
        ("registration", "ok", ""),
    ]


def test_a_grant_that_was_taken_back_can_not_be_passed_on(world: World, open_index) -> None:
    acme, bolt, coil = world.party("acme"), world.party("bolt"), world.party("coil")
    acme.register("acme/a")
    first = grant(acme, ["acme/a"], bolt, terms=SHARED)
    revocation = acme.revoke(first, [acme.asset_resource("acme/a")])
    acme.anchor()
    grant(bolt, ["acme/a"], coil, under=first)
    bolt.anchor()  # not posted: it still binds nobody
    acme.post_record(first, revocation)
    grant(bolt, ["acme/a"], coil, under=first, time="2025-02-01T00:00:00Z")
    bolt.anchor()
    index = open_index(world)
    assert verdicts(index)[-2:] == [("grant", "ok", ""), ("grant", "no", "grant-revoked")]


def test_an_agreement_step_by_step(world: World, open_index) -> None:
    acme, bolt = world.party("acme"), world.party("bolt")
    acme.register("acme/a")
    acme.version("acme/a", b"1")
    acme.anchor()
    request = agreement(bolt, ["acme/a"], acme, bolt, "REQUESTED")
    bolt.anchor()
    deal = agreement(acme, ["acme/a"], acme, bolt, "AGREED", acme, bolt, previous=request)
    delivery(acme, [acme.resource("acme/a@1", b"1")], deal, units=1)  # before it is final
    acme.anchor()
    verified = agreement(bolt, ["acme/a"], acme, bolt, "VERIFIED", previous=deal)
    agreement(bolt, ["acme/a"], acme, bolt, "VERIFIED", previous=deal, time="2025-02-01T00:00:00Z")  # again
    bolt.anchor()
    agreement(acme, ["acme/a"], acme, bolt, "FINALIZED", previous=verified)
    sent = delivery(
        acme, [acme.resource("acme/a@1", b"1")], deal, process="p2", units=2, charged=Money("CNY", 4)
    )
    settlement(acme, "acme/a", [(acme, 3), (bolt, 1)])
    acme.anchor()
    attestation(bolt, ["acme/a"], "acknowledgement", target=sent.hex())
    attestation(bolt, ["acme/a"], "acknowledgement", target=request.hex())
    bolt.anchor()
    index = open_index(world)
    assert findings(index) == ["illegal-transition", "illegal-transition"]
    assert [each for each in verdicts(index) if each[1] == "no"] == [("attestation", "no", "target-unknown")]
    listed, _ = index.entries(type="delivery")
    assert [entry.subject for entry in listed] == ["acme/a@1", "acme/a@1"]
    again = open_index(world, name="again")
    assert again.state_digest() == index.state_digest()


def test_what_one_says_of_rights_pends_like_all_else(world: World, open_index) -> None:
    acme, bolt = world.party("acme", own=True), world.party("bolt")
    acme.register("acme/a")
    acme.anchor()
    first = grant(acme, ["acme/a"], bolt, terms=SHARED)
    index = open_index(world)
    index.sync(world.chain, world.logs)
    assert verdicts(index)[-1] == ("grant", "ok", "")
    acme.anchor()
    index.sync(world.chain, world.logs)
    assert verdicts(index) == [("registration", "ok", ""), ("grant", "ok", "")]
    assert index.database.scalar("SELECT count(*) FROM said") == 1
    assert first


def test_a_type_of_tomorrow_is_kept_as_unknown(world: World, open_index) -> None:
    acme = world.party("acme")
    payload = build_statement([acme.asset_resource("acme/a")], acme_registration(acme))
    acme.append(acme.envelope(payload.replace(b"predicate/registration/v1", b"predicate/ownership/v1")))
    acme.anchor()
    index = open_index(world)
    assert verdicts(index) == [("", "no", "bad-format")]


def acme_registration(party):
    from ledger.core.records import Registration

    return Registration(**party.header())


@pytest.mark.parametrize("arbiter", [False, True])
def test_an_arbiter_is_known_by_the_registration(world: World, open_index, arbiter: bool) -> None:
    acme, judge = world.party("acme"), world.party("judge")
    record = acme.register("acme/a", **({"arbiter": judge.did} if arbiter else {}))
    acme.anchor()
    attestation(judge, ["acme/a"], "objection", description="x", outcome="frozen", target=record.hex())
    judge.anchor()
    expected = ("ok", "") if arbiter else ("no", "target-unknown")
    assert verdicts(open_index(world))[-1][1:] == expected
