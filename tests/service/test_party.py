"""What is known of a party, and what several claim: side by side, and nobody is called the owner."""

from __future__ import annotations

import pytest

from ledger.core.errors import NotFound
from ledger.service.attesting import Assertion
from ledger.service.offers import Offer
from ledger.service.results import Dispute
from tests.service.conftest import Crowd, Party

ORDERS = "machine,count\nA,3\n"


def give(party: Party, to: str, name: str = "haina/orders", *rights: str) -> str:
    offer = Offer(names=[name], rights=rights or ["use"], to=to, sublicensable=True)  # type: ignore[arg-type]
    return party.reopen().grant(offer).records[0].record


def object_to(party: Party, text: str = "ours", outcome: str = "", name: str = "haina/orders") -> str:
    said = Assertion(kind="objection", names=[name], text=text, outcome=outcome)
    return party.reopen().attest(said).records[0].record


# party


def test_what_is_known_of_a_party(crowd: Crowd) -> None:
    record = give(crowd.haina, "jinlong")
    crowd.haina.ledger.revoke(record)
    give(crowd.haina, "pear")
    crowd.pear.reopen().attest(Assertion(kind="review", names=["haina/orders"], outcome="passed", topic="v1"))
    crowd.haina.reopen().add_delegate("record", "pear", days=3)
    found = crowd.judge.reopen().party("haina")
    assert (found.name, found.ours, found.trusted) == ("Haina Appliances", False, False)
    assert [each.name for each in found.namespaces] == ["haina"]
    assert [each.asset for each in found.assets] == ["haina/orders"]
    assert (len(found.keys), len(found.logs), found.missing_logs) == (1, 1, [])
    assert [(each.type, each.delegate) for each in found.delegates] == [("record", crowd.pear.party)]
    assert found.counts == {"gives": 2, "is attested": 1}
    assert [(each.other_name, each.state) for each in found.records if each.relation == "gives"] == [
        ("Jinlong", "taken back"),
        ("Pear Shop", "in force"),
    ]
    taker = crowd.judge.ledger.party("pear")
    assert taker.counts == {"takes": 1, "attests": 1}
    assert {each.what for each in taker.records} == {"use", "review v1 passed"}


def test_the_own_sheet_and_nobodys(crowd: Crowd) -> None:
    assert crowd.pear.ledger.party().ours
    with pytest.raises(NotFound, match="nothing is known"):
        crowd.pear.ledger.party("0x" + "7" * 40)
    with pytest.raises(NotFound, match="nobody owns"):
        crowd.pear.ledger.party("nobody")


def test_what_was_handed_over_is_held_by_the_receiver(crowd: Crowd) -> None:
    crowd.haina.ledger.transfer("haina/orders", "pear")
    sheets = [crowd.judge.reopen().party(each) for each in ("haina", "pear")]
    assert [[each.asset for each in sheet.assets] for sheet in sheets] == [[], ["haina/orders", "pear/own"]]


# duplicates


def test_the_same_content_by_two_parties(crowd: Crowd) -> None:
    crowd.pear.ledger.register("pear/orders", crowd.pear.put("orders.csv", ORDERS))
    crowd.judge.reopen().attest(
        Assertion(kind="review", names=["haina/orders"], outcome="passed", topic="v1")
    )
    objection = object_to(crowd.haina, name="pear/orders")
    copy = crowd.judge.put("found.csv", ORDERS)
    for what in ("", "haina/orders", "pear/orders", str(copy)):
        (group,) = crowd.judge.reopen().duplicates(what).groups
        first, second = group.claims
        assert (group.kind, first.name, second.name) == ("content", "haina/orders@1", "pear/orders@1")
        assert first.block is not None
        assert second.block is not None
        assert first.block < second.block
        assert [each.party_name for each in first.reviews] == ["The Judge"]
        assert [each.record for each in second.objections] == [objection]
        claimed = {each.version for each in crowd.judge.ledger.verify(copy).claims}
        assert claimed == {first.name, second.name}
    assert crowd.judge.ledger.duplicates("judge/own").groups == []


def test_the_own_copy_is_no_rival(crowd: Crowd) -> None:
    crowd.haina.ledger.register("haina/copy", crowd.haina.put("copy.csv", ORDERS))
    assert crowd.haina.ledger.duplicates().groups == []


def test_the_same_alias_by_two_parties(crowd: Crowd) -> None:
    for party in (crowd.pear, crowd.jinlong):
        name = f"{party.folder.name}/alias"
        party.reopen().register(name, aliases=["doi:10.1000/182"])
    (group,) = crowd.haina.reopen().duplicates().groups
    assert (group.kind, group.what) == ("alias", "doi:10.1000/182")
    assert [each.name for each in group.claims] == ["pear/alias", "jinlong/alias"]


def test_listed_on_two_venues(crowd: Crowd) -> None:
    first = give(crowd.haina, "jinlong", "haina/orders", "use", "operate")
    assert crowd.haina.ledger.duplicates().groups == []
    second = give(crowd.haina, "pear", "haina/orders", "use", "operate")
    (group,) = crowd.judge.reopen().duplicates("haina/orders").groups
    assert (group.kind, [each.record for each in group.claims]) == ("venue", [first, second])
    assert [each.role for each in group.claims] == ["operator", "operator"]
    give(crowd.jinlong, "judge")
    crowd.haina.reopen().revoke(second)
    (group,) = crowd.judge.reopen().duplicates("haina/orders").groups
    assert [each.role for each in group.claims] == ["operator", "operator (taken back)", "offers"]


def test_a_log_that_is_missing_may_hold_further_claims(crowd: Crowd) -> None:
    crowd.haina.ledger.unfollow("pear")
    crowd.pear.ledger.register("pear/orders", crowd.pear.put("orders.csv", ORDERS))
    found = crowd.haina.reopen().duplicates("haina/orders")
    assert (found.groups, found.missing_logs) == ([], [crowd.pear.context.log_id.hex()])


# disputes


def of_orders(party: Party) -> Dispute:
    (found,) = party.reopen().disputes("haina/orders").disputes
    return found


def test_both_sides_of_a_dispute(crowd: Crowd) -> None:
    assert crowd.haina.ledger.disputes().disputes == []
    objection = object_to(crowd.jinlong, "these are our drawings")
    found = of_orders(crowd.haina)
    assert (found.claimant, found.arbiter_name, found.frozen) == (crowd.haina.party, "The Judge", False)
    assert [(line.what, line.party_name, line.stands) for line in found.lines] == [
        ("registration", "Haina Appliances", True),
        ("objection", "Jinlong", True),
    ]
    object_to(crowd.judge, "until it is decided", "frozen")
    found = of_orders(crowd.pear)
    assert (found.frozen, found.lines[-1].what, found.lines[-1].stands) == (True, "freeze", True)
    assert found.lines[-1].binds_from == found.lines[-1].block
    object_to(crowd.judge, "decided", "lifted")
    crowd.jinlong.reopen().revoke(objection, reason="we were wrong")
    found = of_orders(crowd.pear)
    assert not found.frozen
    assert [(line.what, line.stands) for line in found.lines[1:]] == [
        ("objection", False),
        ("freeze", False),
        ("lift", True),
    ]
    assert crowd.pear.ledger.disputes().disputes == []  # none stands


def test_a_frozen_grant_is_a_dispute_of_its_asset(crowd: Crowd) -> None:
    offer = Offer(names=["haina/orders"], rights=["use"], to="pear", arbiter="judge")
    record = crowd.haina.ledger.grant(offer).records[0].record
    said = Assertion(kind="objection", about=record, text="unpaid", outcome="frozen")
    crowd.judge.reopen().attest(said)
    (found,) = crowd.haina.reopen().disputes().disputes
    assert (found.frozen, found.frozen_records) == (False, [record])


def test_an_objection_is_told_wherever_the_asset_is_shown(crowd: Crowd) -> None:
    object_to(crowd.jinlong)
    ledger = crowd.haina.reopen()
    assert dict(ledger.show("haina/orders").facts)["disputed"].startswith("1 objection:")
    assert ledger.search("orders").hits[0].disputed.startswith("1 objection:")
    object_to(crowd.judge, "wait", "frozen")
    assert ledger.search("orders").hits[0].disputed.startswith("frozen by its arbiter, 1 objection:")
    with pytest.raises(NotFound, match="nothing is known"):
        ledger.disputes("haina/nothing")
