"""From recorded rights and lineage to a split: the grants that `rights` names are those that are paid for."""

from __future__ import annotations

from ledger.core.earnings import RightsEarnings
from ledger.core.records_rights import Condition
from ledger.core.rights_facts import Question
from ledger.core.settlement import Split, split_income
from tests.core.rights_world import SECOND, RightsWorld

NOW = 1000 * SECOND


def world() -> RightsWorld:
    """A firm made a forecast of the weather, which a broker passed on, and of a list of its own."""
    made = RightsWorld()
    for asset, party in (("wx/hourly", "office"), ("firm/forecast", "firm"), ("firm/list", "firm")):
        made.hold(asset, party)
    made.made["firm/forecast@1"] = ["wx/hourly@3", "firm/list@1"]
    made.made["firm/list@1"] = ["wx/hourly@2"]
    return made


def split(facts: RightsWorld, seller: str = "firm", total: int = 100_000, **more: str) -> Split:
    sale = Question(seller, "use", "firm/forecast@1", NOW, **more)
    return split_income(total, "firm/forecast@1", RightsEarnings(sale, facts))


def test_a_share_along_a_chain_of_grants() -> None:
    facts = world()
    first = facts.give(
        "office", "broker", "wx/hourly", rights=["operate"], share_bps=5000, sublicensable=True
    )
    facts.give("broker", "firm", "wx/hourly", rights=["operate"], share_bps=1000, under=first)
    assert split(facts).payouts == {"broker": 5000, "firm": 90_000, "office": 5000}
    assert split(facts).ungranted == ()


def test_a_use_that_nobody_granted() -> None:
    facts = world()
    facts.give("office", "firm", "wx/hourly", rights=["use"], share_bps=1000)  # to use is not to sell
    assert split(facts).payouts == {"firm": 100_000}
    assert split(facts).ungranted == ("wx/hourly@2", "wx/hourly@3")


def test_versions_are_told_apart_where_a_grant_or_an_attestation_does() -> None:
    facts = world()
    facts.give("office", "firm", "wx/hourly@3", rights=["operate"], share_bps=1000)
    assert split(facts).ungranted == ("wx/hourly@2",)
    facts.give("office", "firm", "wx/hourly@2", rights=["operate"], share_bps=2000, purposes=["profit"])
    assert split(facts).ungranted == ("wx/hourly@2",)
    assert split(facts, purpose="profit").payouts == {"firm": 70_000, "office": 30_000}

    facts = world()
    reviewed = Condition("review", "checked", ["auditor"])
    facts.give("office", "firm", "wx/hourly", rights=["operate"], share_bps=1000, conditions=[reviewed])
    facts.attest("review", "wx/hourly@3", by="auditor", topic="checked")
    assert split(facts).ungranted == ("wx/hourly@2",)
    facts.attest("review", "wx/hourly@2", by="auditor", topic="checked")
    assert split(facts).ungranted == ()


def test_versions_of_other_levels_are_told_apart() -> None:
    facts = world()
    facts.give("office", "firm", "wx/hourly", rights=["operate"], share_bps=1000, level="general")
    facts.attest("classification", "wx/hourly", by="office", level="general")
    assert split(facts).ungranted == ()
    facts.made["wx/hourly@2"] = ["office/secret@1"]
    facts.hold("office/secret", "office")
    facts.attest("classification", "office/secret", by="office", level="core")
    assert split(facts).ungranted == ("wx/hourly@2",)


def test_what_can_not_be_told_is_no_leave() -> None:
    facts = world()
    facts.give("office", "firm", "wx/hourly", rights=["operate"], share_bps=1000, doubt="a posted revocation")
    assert split(facts).ungranted == ("wx/hourly@2", "wx/hourly@3")


def test_the_purpose_of_the_sale_chooses_the_grant() -> None:
    facts = world()
    for purpose, share in (("research", 100), ("profit", 2000)):
        facts.give("office", "firm", "wx/hourly", rights=["operate"], share_bps=share, purposes=[purpose])
    assert split(facts, purpose="research").payouts == {"firm": 99_000, "office": 1000}
    assert split(facts, purpose="profit").payouts == {"firm": 80_000, "office": 20_000}


def test_a_grant_that_was_taken_back_is_not_paid_for() -> None:
    facts = world()
    facts.give("office", "firm", "wx/hourly", rights=["operate"], share_bps=1000, revoked_ns=NOW)
    assert split(facts).ungranted == ("wx/hourly@2", "wx/hourly@3")


def test_an_operator_who_does_not_hold_the_product() -> None:
    facts = world()
    facts.give("firm", "shop", "firm/forecast", rights=["operate"], share_bps=7000)
    facts.give("office", "firm", "wx/hourly", rights=["operate"], share_bps=1000)
    assert split(facts, "shop").payouts == {"firm": 63_000, "office": 7000, "shop": 30_000}
    assert split(facts, "thief").payouts == {"thief": 100_000}
    assert split(facts, "thief").ungranted == ("firm/forecast@1 as held",)


def test_inputs_that_nobody_registered() -> None:
    facts = world()
    facts.made["firm/forecast@1"] = ["nobody/knows@1"]
    assert split(facts).ungranted == ("nobody/knows@1",)
