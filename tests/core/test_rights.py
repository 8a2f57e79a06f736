"""May it be used? Each answer and its negative; and for any world, what another engine says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from ledger.core.errors import FormatError
from ledger.core.records_rights import Condition, Money
from ledger.core.region_rules import RegionRules, parse_region_rules, select_rules
from ledger.core.rights import may
from ledger.core.rights_facts import CODES, Answer, Question, Span
from ledger.core.rights_level import natures
from tests.core.rights_world import DAY, SECOND, RightsWorld, may_naively

NOW_S = 1000


@pytest.fixture
def world() -> RightsWorld:
    """The weather office holds wx/hourly."""
    made = RightsWorld()
    made.hold("wx/hourly", "office")
    return made


def ask(
    world: RightsWorld, party: str = "insurer", right: Any = "use", name: str = "wx/hourly", **more: Any
) -> Answer:
    rules = more.pop("rules", None)
    at_s = more.pop("at_s", NOW_S)
    asked = Question(party, right, name, at_s * SECOND, **more)
    answer = may(asked, world, rules)
    assert all(reason.code in CODES for reason in answer.because)
    assert answer.because
    assert bool(answer.grants) <= (answer.verdict == "permitted")
    if rules is None:
        assert answer.verdict == may_naively(asked, world)
    return answer


def codes(answer: Answer) -> tuple[str, ...]:
    return (answer.verdict, *(reason.code for reason in answer.because))


# one grant


def test_deny_by_default(world: RightsWorld) -> None:
    assert codes(ask(world)) == ("denied", "no-grant")
    assert codes(ask(world, name="wx/none")) == ("denied", "asset-unknown")


def test_the_holder_may(world: RightsWorld) -> None:
    for right in ("hold", "use", "operate"):
        assert codes(ask(world, "office", right)) == ("permitted", "holder")


def test_a_grant(world: RightsWorld) -> None:
    grant = world.give("office", "insurer", "wx/hourly")
    answer = ask(world)
    assert codes(answer) == ("permitted", "granted")
    assert answer.grants == (grant,)
    assert codes(ask(world, name="wx/hourly@3")) == ("permitted", "granted")
    assert codes(ask(world, "other")) == ("denied", "no-grant")


@pytest.mark.parametrize("right", ["hold", "use", "operate"])
def test_rights_are_held_separately(world: RightsWorld, right: str) -> None:
    world.give("office", "insurer", "wx/hourly", rights=[right])
    for each in ("hold", "use", "operate"):
        expected = ("permitted", "granted") if each == right else ("denied", "other-right")
        assert codes(ask(world, right=each)) == expected


def test_a_grant_to_everybody(world: RightsWorld) -> None:
    world.give("office", "", "wx/hourly", purposes=["research"])
    assert codes(ask(world, purpose="research")) == ("permitted", "granted")
    assert codes(ask(world, "anybody", purpose="research")) == ("permitted", "granted")


def test_a_grant_of_a_version(world: RightsWorld) -> None:
    world.give("office", "insurer", "wx/hourly@3")
    assert codes(ask(world, name="wx/hourly@3")) == ("permitted", "granted")
    assert codes(ask(world, name="wx/hourly@4")) == ("denied", "other-subject")
    assert codes(ask(world)) == ("denied", "other-subject")


def test_purpose(world: RightsWorld) -> None:
    world.give("office", "insurer", "wx/hourly", purposes=["risk-pricing"])
    assert codes(ask(world, purpose="risk-pricing")) == ("permitted", "granted")
    assert codes(ask(world, purpose="marketing")) == ("denied", "other-purpose")
    assert codes(ask(world)) == ("unknown", "purpose-unsaid")


def test_region(world: RightsWorld) -> None:
    world.give("office", "insurer", "wx/hourly", regions=["CN-44", "DE"])
    for region, expected in [
        ("CN-44", ("permitted", "granted")),
        ("DE-BY", ("permitted", "granted")),
        ("CN", ("denied", "other-region")),
        ("CN-4", ("denied", "other-region")),
        ("US", ("denied", "other-region")),
        ("", ("unknown", "region-unsaid")),
    ]:
        assert codes(ask(world, region=region)) == expected


def test_time(world: RightsWorld) -> None:
    world.give(
        "office", "insurer", "wx/hourly", since_s=10,
        start="1970-01-01T00:01:40Z", until="1970-01-01T00:03:20Z",
    )  # fmt: skip
    for at_s, code in [
        (9, "not-yet"),
        (99, "not-yet"),
        (100, ""),
        (199, ""),
        (200, "ended"),
        (NOW_S, "ended"),
    ]:
        assert codes(ask(world, at_s=at_s)) == (("denied", code) if code else ("permitted", "granted"))


def test_no_grant_reaches_back_before_its_anchor(world: RightsWorld) -> None:
    world.give("office", "insurer", "wx/hourly", since_s=500, start="1970-01-01T00:00:00Z")  # backdated
    assert codes(ask(world, at_s=499)) == ("denied", "not-yet")
    assert codes(ask(world, at_s=500)) == ("permitted", "granted")


def test_revocation_is_prospective(world: RightsWorld) -> None:
    world.give("office", "insurer", "wx/hourly", revoked_ns=500 * SECOND)
    assert codes(ask(world, at_s=499)) == ("permitted", "granted")
    assert codes(ask(world, at_s=500)) == ("denied", "revoked")


def test_a_rejected_grant(world: RightsWorld) -> None:
    world.give("office", "insurer", "wx/hourly", rejected="anchored-too-late: before block 5")
    answer = ask(world)
    assert codes(answer) == ("denied", "rejected")
    assert answer.because[0].text.startswith("anchored-too-late")


def test_of_two_grants_the_first_that_allows_it(world: RightsWorld) -> None:
    world.give("office", "insurer", "wx/hourly", rights=["hold"])
    second = world.give("office", "insurer", "wx/hourly", order=(7, "b", 1))
    third = world.give("office", "insurer", "wx/hourly", order=(7, "a", 9))
    assert ask(world).grants == (third,)
    assert second
    assert codes(ask(world, right="operate")) == ("denied", "other-right", "other-right", "other-right")


def test_earlier_holders_grants_go_on(world: RightsWorld) -> None:
    world.give("office", "insurer", "wx/hourly")
    world.hold("wx/hourly", "agency", since_s=500)
    assert codes(ask(world)) == ("permitted", "granted")
    assert codes(ask(world, "office", at_s=499)) == ("permitted", "holder")
    assert codes(ask(world, "office", at_s=500)) == ("denied", "no-grant")
    assert codes(ask(world, "agency", at_s=500)) == ("permitted", "holder")


# chains


def chain(world: RightsWorld, **more: Any) -> tuple[str, str]:
    first = world.give("office", "broker", "wx/hourly", sublicensable=True)
    return first, world.give("broker", "insurer", "wx/hourly", under=first, **more)


def test_a_chain(world: RightsWorld) -> None:
    first, second = chain(world)
    answer = ask(world)
    assert codes(answer) == ("permitted", "granted")
    assert answer.grants == (second, first)
    assert f"under {first}" in answer.because[0].text


@pytest.mark.parametrize(
    ("above", "below", "code"),
    [
        ({"sublicensable": False}, {}, "not-sublicensable"),
        ({"rights": ["hold"]}, {}, "beyond-grant"),
        ({"purposes": ["a"]}, {}, "beyond-grant"),
        ({"purposes": ["a"]}, {"purposes": ["a", "b"]}, "beyond-grant"),
        ({"regions": ["CN-44"]}, {"regions": ["CN"]}, "beyond-grant"),
        ({"until": "2000-01-01T00:00:00Z"}, {}, "beyond-grant"),
        ({"until": "2000-01-01T00:00:00Z"}, {"until": "2000-01-01T00:00:01Z"}, "beyond-grant"),
        ({"start": "1970-01-01T00:00:10Z"}, {"start": "1970-01-01T00:00:09Z"}, "beyond-grant"),
        ({"level": "general"}, {"level": "core"}, "beyond-grant"),
        ({"revoked_ns": NOW_S * SECOND}, {}, "revoked"),
        ({"until": "1970-01-01T00:10:00Z"}, {"until": "1970-01-01T00:10:00Z"}, "ended"),
        ({"rejected": "not-holder"}, {}, "rejected"),
        ({"frozen": (Span(0),)}, {}, "frozen"),
        ({"frozen": (Span(0, 5),)}, {}, ""),
        ({"since_s": NOW_S + 1}, {}, "not-yet"),
    ],
)
def test_a_link_that_does_not_hold(
    world: RightsWorld, above: dict[str, Any], below: dict[str, Any], code: str
) -> None:
    more = {"purpose": "a", "region": "CN-44"}
    first = world.give("office", "broker", "wx/hourly", **({"sublicensable": True} | above))
    second = world.give("broker", "insurer", "wx/hourly", under=first, **below)
    answer = ask(world, **more)
    if not code:
        assert codes(answer) == ("permitted", "granted")
        return
    assert answer.verdict == "denied"
    assert answer.because[0].code == code
    at_fault = second if code in ("not-sublicensable", "beyond-grant") else first
    # what is over is named where it ends first: at the link nearest to who asks
    assert answer.because[0].record in (at_fault, second)


def test_a_link_that_gives_somebody_else(world: RightsWorld) -> None:
    first = world.give("office", "other", "wx/hourly", sublicensable=True)
    world.give("broker", "insurer", "wx/hourly", under=first)
    assert codes(ask(world)) == ("denied", "not-grantee")


def test_the_blocking_link_is_named_in_a_long_chain(world: RightsWorld) -> None:
    above, givers = "", ["office", *(f"broker{n}" for n in range(6))]
    links = []
    for giver, taker in zip(givers, [*givers[1:], "insurer"], strict=True):
        more = {"revoked_ns": 700 * SECOND} if giver == "broker3" else {}
        above = world.give(giver, taker, "wx/hourly", sublicensable=True, under=above, **more)
        links.append(above)
    assert ask(world, at_s=699).grants == tuple(reversed(links))
    answer = ask(world)
    assert codes(answer) == ("denied", "revoked")
    assert answer.because[0].record == links[4]


def test_a_chain_whose_end_is_not_known(world: RightsWorld) -> None:
    world.give("broker", "insurer", "wx/hourly", under="ff")
    assert codes(ask(world)) == ("unknown", "grant-missing")


def test_a_circle_of_grants(world: RightsWorld) -> None:
    world.give("a", "insurer", "wx/hourly", under="g1", sublicensable=True)
    world.give("insurer", "a", "wx/hourly", under="g0", sublicensable=True)
    answer = may(Question("insurer", "use", "wx/hourly", NOW_S * SECOND), world)
    assert codes(answer) == ("denied", "circle")


# what is unknown


def test_a_revocation_that_was_posted_and_can_not_be_had(world: RightsWorld) -> None:
    world.give("office", "insurer", "wx/hourly", doubt="office posted ff against it")
    assert codes(ask(world)) == ("unknown", "revocation-missing")
    world.give("office", "insurer", "wx/hourly")
    assert codes(ask(world)) == ("permitted", "granted")  # another grant does


@pytest.mark.parametrize("is_granted", [True, False])
def test_what_could_not_be_had_makes_it_unknown(world: RightsWorld, is_granted: bool) -> None:
    if is_granted:
        world.give("office", "insurer", "wx/hourly")
    world.missing["wx/hourly"] = ["log 2b could not be had"]
    assert codes(ask(world)) == ("unknown", "facts-missing")


def test_what_is_certain_outweighs_what_is_unknown(world: RightsWorld) -> None:
    world.give("office", "insurer", "wx/hourly", doubt="?", revoked_ns=0)
    assert codes(ask(world)) == ("denied", "revoked")
    world.missing["wx/hourly"] = ["a log"]
    world.freezes["wx/hourly"] = [Span(0)]
    assert codes(ask(world)) == ("denied", "frozen")
    assert codes(ask(world, "office")) == ("denied", "frozen")


# conditions, prices


def test_a_certificate(world: RightsWorld) -> None:
    world.give("office", "insurer", "wx/hourly", conditions=[Condition("certification", "iso", ["tuv"])])
    assert codes(ask(world)) == ("denied", "condition-unmet")
    world.attest("certification", "wx/hourly", by="insurer", topic="iso")  # by the wrong one
    world.attest("certification", "wx/hourly", by="tuv", topic="other")
    world.attest("certification", "wx/other", by="tuv", topic="iso")
    world.attest("review", "wx/hourly", by="tuv", topic="iso")
    world.attest("certification", "wx/hourly", by="tuv", topic="iso", since_s=NOW_S + 1)
    assert codes(ask(world)) == ("denied", "condition-unmet")
    world.attest("certification", "wx/hourly", by="tuv x", topic="iso", until_s=500)
    assert codes(ask(world, at_s=499)) == ("permitted", "granted")
    assert codes(ask(world, at_s=500)) == ("denied", "condition-unmet")  # it expired


def test_a_certificate_that_is_backdated(world: RightsWorld) -> None:
    world.give("office", "insurer", "wx/hourly", conditions=[Condition("certification", "iso", ["tuv"])])
    world.attest("certification", "wx/hourly", by="tuv", topic="iso", since_s=500)
    world.said[0] = structs.replace(world.said[0], span=Span(0))  # it says that it held before it was there
    assert codes(ask(world, at_s=499)) == ("denied", "condition-unmet")
    assert codes(ask(world, at_s=500)) == ("permitted", "granted")


def test_a_failed_review_is_none(world: RightsWorld) -> None:
    world.give("office", "insurer", "wx/hourly", conditions=[Condition("review", "r", ["tuv"])])
    world.attest("review", "wx/hourly", by="tuv", topic="r", failed=True)
    assert codes(ask(world)) == ("denied", "condition-unmet")
    world.attest("review", "wx/hourly", by="tuv", topic="r")
    assert codes(ask(world)) == ("permitted", "granted")


def test_yearly_disclosure(world: RightsWorld) -> None:
    year = 365 * 86_400
    condition = Condition("notice", "prices", every_days=365)
    world.give("office", "insurer", "wx/hourly", since_s=0, rights=["operate"], conditions=[condition])
    world.attest("notice", "wx/hourly", by="insurer", topic="prices", since_s=year + 100)
    for at_s, is_met in [
        (0, True), (year, True), (year + 1, False), (year + 100, True), (2 * year + 100, True),
        (2 * year + 101, False),
    ]:  # fmt: skip
        assert (ask(world, right="operate", at_s=at_s).verdict == "permitted") is is_met


def test_consent_for_a_purpose(world: RightsWorld) -> None:
    world.give("office", "insurer", "wx/hourly", conditions=[Condition("consent", "c", ["people"])])
    world.attest("consent", "wx/hourly", by="people", topic="c", purposes=("research",), until_s=500)
    assert codes(ask(world, purpose="research", at_s=499)) == ("permitted", "granted")
    assert codes(ask(world, purpose="research", at_s=500)) == ("denied", "condition-unmet")  # withdrawn
    assert codes(ask(world, purpose="ads", at_s=499)) == ("denied", "condition-unmet")


def test_consent_for_a_region(world: RightsWorld) -> None:
    world.give("office", "insurer", "wx/hourly", conditions=[Condition("consent", "c", ["people"])])
    world.attest("consent", "wx/hourly", by="people", topic="c", purposes=("research",), regions=("CN",))
    assert codes(ask(world, purpose="research", region="CN-44")) == ("permitted", "granted")
    assert codes(ask(world, purpose="research", region="US")) == ("denied", "condition-unmet")
    assert codes(ask(world, purpose="research")) == ("denied", "condition-unmet")  # anywhere is more


def test_a_log_in_which_a_condition_may_be_met(world: RightsWorld) -> None:
    """Not attested, as far as can be seen: whose log is missing may have said it all the same."""
    world.give("office", "insurer", "wx/hourly", conditions=[Condition("certification", "c", ["lab"])])
    assert codes(ask(world)) == ("denied", "condition-unmet")
    world.unread["wx/hourly", "lab"] = ["log 2b could not be had"]
    assert codes(ask(world)) == ("unknown", "facts-missing")
    world.attest("certification", "wx/hourly", by="lab", topic="c")
    assert codes(ask(world)) == ("permitted", "granted")


def test_the_conditions_of_the_whole_chain_bind(world: RightsWorld) -> None:
    first = world.give(
        "office", "broker", "wx/hourly", sublicensable=True, price_cap=Money("CNY", 5), free_for=["welfare"],
        conditions=[Condition("notice", "prices")],
    )  # fmt: skip
    world.give("broker", "insurer", "wx/hourly", under=first, price_cap=Money("CNY", 3))
    world.attest("notice", "wx/hourly", by="insurer", topic="prices")
    assert codes(ask(world)) == ("denied", "condition-unmet")
    world.attest("notice", "wx/hourly", by="broker", topic="prices")
    answer = ask(world, purpose="welfare")
    assert (answer.verdict, answer.free) == ("permitted", True)
    assert answer.caps == (Money("CNY", 3), Money("CNY", 5))
    assert not ask(world, purpose="profit").free


# lineage


@pytest.fixture
def product(world: RightsWorld) -> RightsWorld:
    """A firm made firm/forecast@1 of the weather and of a list that it holds itself."""
    world.hold("firm/forecast", "firm")
    world.hold("firm/list", "firm")
    world.made["firm/forecast@1"] = ["wx/hourly@3", "firm/list@1"]
    return world


def test_a_product_may_be_sold_only_if_all_inputs_allow_it(product: RightsWorld) -> None:
    product.give("firm", "insurer", "firm/forecast")
    assert codes(ask(product, "firm", "operate", "firm/forecast@1")) == ("denied", "no-grant")
    product.give("office", "firm", "wx/hourly")
    answer = ask(product, "firm", "operate", "firm/forecast@1")
    assert codes(answer) == ("denied", "other-right")
    assert answer.because[0].name == "wx/hourly@3"
    assert codes(ask(product, "firm", "use", "firm/forecast@1")) == ("permitted", "holder", "granted")
    assert ask(product, "insurer", "use", "firm/forecast@1").verdict == "denied"
    product.give("office", "firm", "wx/hourly", rights=["operate"], until="1970-01-01T00:15:00Z")
    assert ask(product, "insurer", "use", "firm/forecast@1", at_s=899).verdict == "permitted"
    answer = ask(product, "insurer", "use", "firm/forecast@1", at_s=900)  # the authorised operation lapsed
    assert codes(answer) == ("denied", "other-right", "ended")
    assert ask(product, "insurer", "use", "firm/forecast", at_s=900).verdict == "denied"
    assert (
        ask(product, "insurer", "use", "firm/forecast@2", at_s=900).verdict == "permitted"
    )  # made of nothing


def test_a_purpose_forbidden_upstream(product: RightsWorld) -> None:
    product.give("office", "firm", "wx/hourly", purposes=["research"])
    assert ask(product, "firm", "use", "firm/forecast@1", purpose="research").verdict == "permitted"
    assert codes(ask(product, "firm", "use", "firm/forecast@1", purpose="profit")) == (
        "denied",
        "other-purpose",
    )
    assert codes(ask(product, "firm", "use", "firm/forecast@1")) == ("unknown", "purpose-unsaid")


def test_inputs_that_nobody_registered(product: RightsWorld) -> None:
    product.made["firm/forecast@1"] = ["nobody/knows@1"]
    assert codes(ask(product, "firm", "use", "firm/forecast@1")) == ("denied", "asset-unknown")
    product.missing["nobody/knows"] = ["log 2b"]
    assert codes(ask(product, "firm", "use", "firm/forecast@1")) == ("unknown", "facts-missing")


def test_an_input_of_which_nothing_can_be_told(product: RightsWorld) -> None:
    for source in list(product.made["firm/forecast@1"]):
        product.give("office", "firm", source.partition("@")[0])
    before = ask(product, "firm", "use", "firm/forecast@1").verdict
    assert before == "permitted"
    product.made["firm/forecast@1"].append("else/where")
    product.unknown["else/where"] = "somebody"
    answer = ask(product, "firm", "use", "firm/forecast@1")
    assert (answer.verdict, answer.because[-1].code) == ("unknown", "input-unproven")
    product.unknown["else/where"] = "firm"  # it is the maker's own, whatever is known of it
    product.hold("else/where", "firm")
    assert ask(product, "firm", "use", "firm/forecast@1").verdict == before


def test_ones_own_input_that_is_frozen_or_missing(product: RightsWorld) -> None:
    product.made["firm/forecast@1"] = ["firm/list@1"]
    assert ask(product, "firm", "operate", "firm/forecast@1").verdict == "permitted"
    product.missing["firm/list"] = ["a log"]
    assert codes(ask(product, "firm", "operate", "firm/forecast@1")) == ("unknown", "facts-missing")
    product.freezes["firm/list"] = [Span(0)]
    assert codes(ask(product, "firm", "operate", "firm/forecast@1")) == ("denied", "frozen")


def test_a_lineage_that_goes_round(product: RightsWorld) -> None:
    product.made["firm/list@1"] = ["firm/forecast@1"]
    product.made["firm/forecast@1"] = ["firm/list@1"]
    assert codes(ask(product, "firm", "use", "firm/forecast@1")) == ("unknown", "lineage-circle")


# classification


def test_derived_data_is_as_sensitive_as_its_inputs(product: RightsWorld) -> None:
    def level(name: str = "firm/forecast@1") -> tuple[Any, set[str]]:
        found = natures(name, NOW_S * SECOND, product)[name]
        return found.level, set(found.unclassified)

    assert level() == (None, {"wx/hourly@3", "firm/list@1"})
    product.attest("classification", "firm/list", by="firm", level="general")
    assert level() == ("general", {"wx/hourly@3"})
    product.attest("classification", "wx/hourly", by="stranger", level="core")  # not theirs to say
    assert level() == ("general", {"wx/hourly@3"})
    product.attest("classification", "wx/hourly", by="office", level="important")
    assert level() == ("important", set())
    product.attest("classification", "firm/forecast", by="firm", level="general")  # no downgrade by oneself
    assert level() == ("important", set())
    product.attest("classification", "firm/forecast", by="firm", level="core")
    assert level() == ("core", set())
    product.attest(
        "classification", "firm/forecast", by="firm", level="general"
    )  # one's own word one may mend
    assert level() == ("important", set())
    product.attest(
        "classification", "firm/forecast", by="firm office", level="general"
    )  # not for all to come
    assert level() == ("important", set())
    product.attest("classification", "firm/forecast@1", by="firm office", level="general", until_s=2000)
    assert level() == ("general", set())
    assert natures("firm/forecast@1", 2000 * SECOND, product)["firm/forecast@1"].level == "important"
    product.attest(
        "classification", "wx/hourly@3", by="office", level="core"
    )  # the stricter of asset, version
    product.attest("classification", "wx/hourly", by="office", level="general")
    assert level("wx/hourly@3") == ("core", set())
    assert level("wx/hourly@4") == ("general", set())
    product.attest("classification", "wx/hourly@3", by="stranger", level="core")  # strangers undo nothing
    assert level() == ("core", set())  # but what was classified anew since, no older downgrade covers
    product.attest("classification", "firm/forecast@1", by="firm office", level="general")
    assert level() == ("general", set())
    product.attest("classification", "wx/hourly@3", by="stranger", level="core")
    assert level() == ("general", set())


def test_a_grant_for_data_up_to_a_level(product: RightsWorld) -> None:
    product.give("office", "insurer", "wx/hourly", level="important")
    assert codes(ask(product)) == ("unknown", "unclassified")
    product.attest("classification", "wx/hourly", by="office", level="important", since_s=20)
    assert codes(ask(product, at_s=19)) == ("unknown", "unclassified")
    assert codes(ask(product)) == ("permitted", "granted")
    product.attest("classification", "wx/hourly", by="office", level="core", since_s=30)
    answer = ask(product)
    assert codes(answer) == ("denied", "above-level")
    assert answer.level == "core"
    assert codes(ask(product, at_s=29)) == ("permitted", "granted")


def test_a_classification_counts_by_who_held_it_then(world: RightsWorld) -> None:
    world.attest("classification", "wx/hourly", by="office", level="core")
    world.hold("wx/hourly", "agency", since_s=500)
    world.attest("classification", "wx/hourly", by="office", level="general", since_s=600)
    assert natures("wx/hourly", NOW_S * SECOND, world)["wx/hourly"].level == "core"
    world.attest("classification", "wx/hourly", by="agency", level="general", since_s=700)
    assert natures("wx/hourly", NOW_S * SECOND, world)["wx/hourly"].level == "general"


# borders

JUDGE = "did:ethr:0x539:0x" + "cc" * 20
LIST: dict[str, Any] = {
    "format": "dataledger/region-rules/v1",
    "name": "export",
    "version": "1",
    "effective": "1970-01-01T00:00:00Z",
    "rules": [
        {"from": ["CN"], "levels": ["core"], "verdict": "denied", "why": "core data stays"},
        {
            "from": ["CN"], "to": ["SG", "DE-BY"], "levels": ["important"], "verdict": "needs",
            "why": "assessed",
            "needs": {"kind": "certification", "topic": "export", "by": [JUDGE]},
        },
        {"to": ["KP"], "verdict": "denied", "why": "embargo"},
        {"from": ["CN"], "levels": ["general"], "verdict": "permitted", "why": "free"},
    ],
}  # fmt: skip


def rules(**changes: Any) -> RegionRules:
    return parse_region_rules(json.dumps(LIST | changes).encode())


@pytest.fixture
def abroad(world: RightsWorld) -> RightsWorld:
    world.give("office", "insurer", "wx/hourly")
    return world


@pytest.mark.parametrize(
    ("level", "region", "expected"),
    [
        ("general", "SG", ("permitted", "granted")),
        ("general", "CN-44", ("permitted", "granted")),
        ("core", "CN", ("permitted", "granted")),
        ("core", "SG", ("denied", "border")),
        ("general", "KP", ("denied", "border")),
        ("important", "SG", ("denied", "condition-unmet")),
        ("important", "DE-BY", ("denied", "condition-unmet")),
        ("important", "DE", ("unknown", "no-rule")),
        ("important", "US", ("unknown", "no-rule")),
        ("general", "", ("unknown", "region-unsaid")),
    ],
)
def test_borders(abroad: RightsWorld, level: Any, region: str, expected: tuple[str, ...]) -> None:
    abroad.attest("classification", "wx/hourly", by="office", level=level, regions=("CN-11",))
    answer = ask(abroad, region=region, rules=rules())
    assert codes(answer) == expected
    assert answer.rules == str(rules())
    assert rules().digest in answer.rules
    assert "version 1" in answer.rules
    if level == "important" and region == "SG":
        abroad.attest("certification", "wx/hourly", by=JUDGE, topic="export", until_s=2000)
        assert codes(ask(abroad, region=region, rules=rules())) == ("permitted", "granted")
        assert codes(ask(abroad, region=region, rules=rules(), at_s=2000)) == expected  # it expired


def test_borders_of_what_nobody_classified(abroad: RightsWorld) -> None:
    assert codes(ask(abroad, region="SG", rules=rules())) == ("unknown", "origin-unknown")
    abroad.made["wx/hourly@3"] = ["cn/raw@1"]
    abroad.hold("cn/raw", "miner")
    abroad.give("miner", "office", "cn/raw", rights=["operate"])
    abroad.attest("classification", "wx/hourly", by="office", level="general", regions=("CN",))
    answer = ask(abroad, name="wx/hourly@3", region="SG", rules=rules())
    assert codes(answer) == ("unknown", "origin-unknown", "no-rule")
    assert "cn/raw@1" in answer.because[0].text
    assert "unclassified" in answer.because[1].text
    assert codes(ask(abroad, name="wx/hourly@3", region="KP", rules=rules())) == ("denied", "border")


def test_what_is_in_it_crosses_too(abroad: RightsWorld) -> None:
    abroad.hold("cn/raw", "office")
    abroad.made["wx/hourly@3"] = ["cn/raw@1"]
    abroad.attest("classification", "wx/hourly", by="office", level="general", regions=("SG",))
    abroad.attest("classification", "cn/raw", by="office", level="core", regions=("CN",))
    assert codes(ask(abroad, region="SG", rules=rules())) == ("denied", "border")
    assert codes(ask(abroad, name="wx/hourly@4", region="SG", rules=rules())) == ("permitted", "granted")


def test_a_list_that_changes(abroad: RightsWorld) -> None:
    abroad.attest("classification", "wx/hourly", by="office", level="general", regions=("CN",))
    stricter = [{"from": ["CN"], "verdict": "denied", "why": "now nothing leaves"}]
    lists = [rules(), rules(version="2", effective="1970-01-01T00:10:00Z", rules=stricter)]
    for at_s, verdict, version in [(599, "permitted", "1"), (600, "denied", "2")]:
        chosen = select_rules(lists, at_s * SECOND)
        answer = ask(abroad, region="SG", rules=chosen, at_s=at_s)
        assert (answer.verdict, answer.rules) == (verdict, str(chosen))
        assert f"version {version}" in answer.rules
    assert select_rules(lists, -1) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "dataledger/region-rules/v2"},
        {"more": 1},
        {"name": ""},
        {"name": "a\nb"},
        {"effective": "today, about noon..."},
        {"rules": []},
        {"rules": [{"verdict": "perhaps", "why": "x"}]},
        {"rules": [{"verdict": "denied", "why": ""}]},
        {"rules": [{"verdict": "needs", "why": "x"}]},
        {
            "rules": [
                {"verdict": "denied", "why": "x", "needs": {"kind": "review", "topic": "x", "by": [JUDGE]}}
            ]
        },
        {"rules": [{"verdict": "needs", "why": "x", "needs": {"kind": "review", "topic": "x"}}]},
        {
            "rules": [
                {"verdict": "needs", "why": "x", "needs": {"kind": "review", "topic": "x", "by": ["y" * 60]}}
            ]
        },
        {"rules": [{"verdict": "denied", "why": "x", "levels": ["secret"]}]},
        {"rules": [{"verdict": "denied", "why": "x", "from": ["C"]}]},
    ],
)
def test_what_is_no_rule_list(changes: dict[str, Any]) -> None:
    with pytest.raises(FormatError):
        rules(**changes)


# any world

PARTIES = ["p", "q", "r"]
ASSETS = ["a/x", "b/x", "c/x"]
NAMES = [*ASSETS, *(f"{each}@1" for each in ASSETS)]
times = st.sampled_from([0, 10, 500, 1000, 2000])


def texts(*options: str) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(options), unique=True, max_size=2)


@st.composite
def worlds(draw: st.DrawFn) -> RightsWorld:
    world = RightsWorld()
    for asset in ASSETS:
        if draw(st.integers(0, 9)):
            world.hold(asset, draw(st.sampled_from(PARTIES)))
            if draw(st.integers(0, 4)) == 0:
                world.hold(asset, draw(st.sampled_from(PARTIES)), 500)
        if draw(st.integers(0, 15)) == 0:
            world.freezes[asset] = [Span(draw(times) * SECOND, draw(st.none() | st.just(1500 * SECOND)))]
        if draw(st.integers(0, 15)) == 0:
            world.missing[asset] = ["log"]
        if draw(st.integers(0, 9)) == 0:
            world.unread[asset, draw(st.sampled_from(PARTIES))] = ["log"]
    for node, sources in (("a/x@1", ["b/x@1", "c/x@1", "c/x"]), ("b/x@1", ["c/x@1"])):
        world.made[node] = draw(st.lists(st.sampled_from(sources), unique=True, max_size=2))
    for n in range(draw(st.integers(0, 6))):
        rare = draw(st.integers(0, 30))
        more = {
            1: {"rejected": "x"},
            2: {"doubt": "x"},
            3: {"frozen": (Span(0),)},
            4: {"revoked_ns": 500 * SECOND},
        }
        world.give(
            draw(st.sampled_from(PARTIES)),
            draw(st.sampled_from([*PARTIES, ""])),
            *draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=2, unique=True)),
            under=draw(st.sampled_from(["", "", "missing", *(f"g{m}" for m in range(n))])),
            since_s=draw(times),
            rights=draw(st.lists(st.sampled_from(["hold", "use", "operate"]), min_size=1, unique=True)),
            purposes=draw(st.just([]) | texts("u", "v")),
            regions=draw(st.just([]) | texts("CN", "CN-44")),
            start=draw(st.sampled_from(["", "", "1970-01-01T00:05:00Z"])),
            until=draw(st.sampled_from(["", "", "1970-01-01T00:16:40Z"])),
            level=draw(st.sampled_from([None, None, "general", "core"])),
            sublicensable=draw(st.integers(0, 3)) > 0,
            conditions=draw(
                st.sampled_from([[], [], [Condition("notice", "t")], [Condition("consent", "t", ["p", "q"])],
                                 [Condition("review", "t", every_days=1)]])
            ),
            **more.get(rare, {}),
        )  # fmt: skip
    for _ in range(draw(st.integers(0, 5))):
        kind = draw(st.sampled_from(["notice", "consent", "review", "classification"]))
        world.attest(
            kind,
            *draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=2, unique=True)),
            by=draw(st.sampled_from(["p", "q", "p q", "r"])),
            since_s=draw(times),
            until_s=draw(st.none() | st.just(1500)),
            topic="" if kind == "classification" else "t",
            level=draw(st.sampled_from(["general", "important", "core"]))
            if kind == "classification"
            else None,
            purposes=("u",) if kind == "consent" else (),
            regions=draw(st.sampled_from([(), ("CN",)])) if kind == "consent" else (),
            failed=draw(st.integers(0, 5)) == 0,
        )
    return world


questions = st.builds(
    Question,
    st.sampled_from(PARTIES),
    st.sampled_from(["hold", "use", "operate"]),
    st.sampled_from(NAMES),
    st.sampled_from([9, 10, 400, 1000, 2000, 90_000]).map(lambda s: s * SECOND),
    st.sampled_from(["", "u", "v"]),
    st.sampled_from(["", "CN", "CN-44", "US"]),
)


def compare(world: RightsWorld, asked: Question, shuffled: Any) -> None:
    answer = may(asked, world)
    assert answer.verdict == may_naively(asked, world)
    assert answer.because
    assert {reason.code for reason in answer.because} <= CODES.keys()
    # the order in which facts are given does not matter
    grants, said = list(world.given_by.items()), world.said[:]
    shuffled.shuffle(grants)
    shuffled.shuffle(said)
    other = RightsWorld()
    other.__dict__.update(world.__dict__, given_by=dict(grants), said=said)
    other.made = {node: sources[::-1] for node, sources in reversed(world.made.items())}
    assert may(asked, other) == answer


@given(worlds(), questions, st.randoms())
def test_it_is_what_the_naive_engine_says(world: RightsWorld, asked: Question, random: Any) -> None:
    compare(world, asked, random)


@pytest.mark.slow
@settings(max_examples=2_000, deadline=None)
@given(worlds(), questions, st.randoms())
def test_it_is_what_the_naive_engine_says_at_length(world: RightsWorld, asked: Question, random: Any) -> None:
    compare(world, asked, random)


@given(worlds(), questions)
def test_less_is_known_and_no_more_is_permitted(world: RightsWorld, asked: Question) -> None:
    """Whatever log can't be had: a no may become unknown, but nothing becomes a yes, and no yes survives."""
    before = may(asked, world).verdict
    asset = asked.name.partition("@")[0]
    world.missing[asset] = ["its log could not be had"]
    after = may(asked, world).verdict
    assert after != "permitted"
    assert not (before == "permitted" and after == "denied")


@given(worlds(), questions, st.integers(0, 5))
def test_a_revocation_only_takes_away(world: RightsWorld, asked: Question, n: int) -> None:
    if f"g{n}" not in world.given_by:
        return
    before = may(asked, world)
    world.given_by[f"g{n}"] = structs.replace(world.given_by[f"g{n}"], revoked_ns=500 * SECOND)
    after = may(asked, world)
    if asked.at_ns < 500 * SECOND and before.verdict == "permitted":
        assert after.verdict == "permitted"
    if before.verdict == "denied":
        assert after.verdict == "denied"
    if asked.at_ns >= 500 * SECOND:
        assert f"g{n}" not in after.grants


def test_a_log_in_which_a_grant_may_stand(world: RightsWorld) -> None:
    """What could take a grant away is on chain, so a log that is missing makes no yes doubtful."""
    world.unread["wx/hourly", "insurer"] = ["log 2b could not be had"]
    assert codes(ask(world)) == ("unknown", "facts-missing")
    assert codes(ask(world, "other")) == ("denied", "no-grant")
    world.give("office", "insurer", "wx/hourly", rights=["hold"])
    assert codes(ask(world)) == ("unknown", "facts-missing")
    world.give("office", "insurer", "wx/hourly")
    assert codes(ask(world)) == ("permitted", "granted")


def test_a_day() -> None:
    assert DAY == 86_400 * 10**9
