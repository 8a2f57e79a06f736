"""May this party do that: each rule with what it allows, and beside it what it refuses or can't tell."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.core.records import Agreement
from ledger.core.records_rights import Condition, Money, Terms
from ledger.core.rights import may
from ledger.core.rights_answer import DENIALS, DOUBTS, Permission
from ledger.core.rights_facts import Question, Source
from tests.book import CHAIN_ID, Book, at, day, did, party

LATER = "ff" * 32


@pytest.fixture
def book() -> Book:
    """An asset that `hold` registered on day 1; it is day 2."""
    book = Book()
    book.register("hold/a", "hold")
    book.next()
    return book


def ask(book: Book, who: str = "ann", right: Any = "use", name: str = "hold/a", **asked: Any) -> Permission:
    moment = asked.pop("on", book.block)
    question = Question(party=party(who), right=right, name=name, at_ns=at(moment), **asked)
    return may(question, book, CHAIN_ID, asked.pop("rules", None))


def says(answer: Permission) -> tuple[str, list[str]]:
    """The verdict, and the codes of all reasons in the order in which they are given."""
    codes = [reason.code for ground in answer.grounds for reason in ground.reasons]
    assert set(codes) <= DENIALS.keys() | DOUBTS.keys()
    return answer.verdict, codes


YES: tuple[str, list[str]] = ("permitted", [])


def no(*codes: str) -> tuple[str, list[str]]:
    return "denied", list(codes)


def unknown(*codes: str) -> tuple[str, list[str]]:
    return "unknown", list(codes)


# holders and simple grants


def test_the_holder_may_and_a_stranger_may_not(book: Book) -> None:
    answer = ask(book, "hold", "operate")
    assert says(answer) == YES
    assert [(link.kind, link.taker) for link in answer.grounds[0].links] == [("holder", did("hold"))]
    assert says(ask(book, "ann")) == no("no-grant")


def test_a_grant_gives_what_it_says_and_nothing_else(book: Book) -> None:
    record = book.grant("hold", "ann", rights=["use"])
    answer = ask(book)
    assert says(answer) == YES
    (link,) = answer.grounds[0].links
    assert (link.record, link.giver, link.taker, link.block) == (record.hex(), did("hold"), did("ann"), 2)
    assert says(ask(book, right="hold")) == no("right")
    assert says(ask(book, right="operate")) == no("right")
    assert says(ask(book, "bea")) == no("no-grant")


def test_a_grant_to_everybody(book: Book) -> None:
    book.grant("hold", "")
    assert says(ask(book, "bea")) == YES
    assert says(ask(book, "bea", "hold")) == no("right")


def test_versions_and_assets(book: Book) -> None:
    book.grant("hold", "ann", "hold/a@2")
    book.grant("hold", "bea", "hold/a")
    assert says(ask(book, "ann", name="hold/a@2")) == YES
    assert says(ask(book, "ann", name="hold/a@3")) == no("no-grant")
    assert says(ask(book, "ann", name="hold/a")) == no("no-grant")
    assert says(ask(book, "bea", name="hold/a@3")) == YES


def test_a_grant_of_other_content_under_the_same_name(book: Book) -> None:
    book.grant("hold", "ann", "hold/a@2")
    book.contents["hold/a@2"] = ("sha256", LATER)
    assert says(ask(book, "ann", name="hold/a@2")) == no("subject")


def test_a_delegates_signature_is_its_principals(book: Book) -> None:
    """Who signed is settled before: the grant is its author's, whoever's key signed it."""
    book.grant("hold", "ann")
    assert ask(book).grounds[0].links[0].giver == did("hold")


@pytest.mark.parametrize(
    ("terms", "asked", "expected"),
    [
        ({"purposes": ["risk"]}, {"purpose": "risk"}, YES),
        ({"purposes": ["risk"]}, {"purpose": "care"}, no("purpose")),
        ({"purposes": ["risk"]}, {}, no("purpose")),
        ({}, {"purpose": "risk"}, YES),
        ({"regions": ["CN"]}, {"region": "CN-44"}, YES),
        ({"regions": ["CN-44"]}, {"region": "CN"}, no("region")),
        ({"regions": ["CN"]}, {"region": "US"}, no("region")),
        ({"regions": ["CN"]}, {}, no("region")),
        ({"start": day(5)}, {"on": 5}, YES),
        ({"start": day(5)}, {"on": 4.99}, no("not-begun")),
        ({"until": day(5)}, {"on": 4.99}, YES),
        ({"until": day(5)}, {"on": 5}, no("expired")),
        ({"purposes": ["risk"], "until": day(5)}, {"on": 5}, no("purpose", "expired")),
    ],
)
def test_terms(book: Book, terms: Any, asked: Any, expected: Any) -> None:
    book.grant("hold", "ann", **terms)
    assert says(ask(book, **asked)) == expected


def test_the_grant_that_permits_is_named_whatever_else_there_is(book: Book) -> None:
    book.grant("hold", "ann", until=day(3))
    good = book.grant("hold", "ann")
    book.grant("hold", "ann", purposes=["care"])
    assert ask(book, on=9).grounds[0].links[0].record == good.hex()


def test_of_several_that_fail_the_nearest_is_shown(book: Book) -> None:
    book.grant("hold", "ann", rights=["hold"], purposes=["care"])
    near = book.grant("hold", "ann", purposes=["care"])
    answer = ask(book, purpose="risk")
    assert says(answer) == no("purpose")
    assert answer.grounds[0].reasons[0].record == near.hex()


# chains


def test_a_chain_names_its_links_and_the_one_that_blocks(book: Book) -> None:
    first = book.grant("hold", "ann", rights=["use", "operate"], sublicensable=True, share_bps=600)
    second = book.grant("ann", "bea", under=first, sublicensable=True, until=day(20))
    third = book.grant("bea", "cem", under=second, until=day(19))
    answer = ask(book, "cem")
    assert says(answer) == YES
    assert [link.record for link in answer.grounds[0].links] == [
        each.hex() for each in (first, second, third)
    ]
    assert [link.share_bps for link in answer.grounds[0].links] == [600, 0, 0]
    book.revoke("ann", second)
    blocked = ask(book, "cem").grounds[0].reasons
    assert [(each.code, each.link, each.record) for each in blocked] == [("revoked", 2, second.hex())]
    assert says(ask(book, "ann")) == YES


@pytest.mark.parametrize(
    ("above", "below", "reason"),
    [
        ({"sublicensable": False}, {}, "not-sublicensable"),
        ({}, {"rights": ["operate"]}, "beyond-grant"),
        ({"purposes": ["risk"]}, {"purposes": ["care"]}, "beyond-grant"),
        ({"purposes": ["risk"]}, {}, "beyond-grant"),
        ({"regions": ["CN-44"]}, {"regions": ["CN"]}, "beyond-grant"),
        ({"until": day(9)}, {"until": day(10)}, "beyond-grant"),
        ({"until": day(9)}, {}, "beyond-grant"),
        ({"start": day(9)}, {"start": day(8)}, "beyond-grant"),
        ({"level": "general"}, {"level": "important"}, "beyond-grant"),
    ],
)
def test_more_than_one_has_is_void(book: Book, above: Any, below: Any, reason: str) -> None:
    """And void as a whole: not even what the giver had is given."""
    first = book.grant("hold", "ann", **({"sublicensable": True} | above))
    second = book.grant("ann", "bea", under=first, **below)
    answer = ask(book, "bea", purpose="risk", region="CN-44", on=8.5)
    assert says(answer) == no("void")
    (blocked,) = answer.grounds[0].reasons
    assert (blocked.record, blocked.link) == (second.hex(), 2)
    assert blocked.text.startswith(reason)


def test_a_grant_by_who_never_held_it_is_void(book: Book) -> None:
    book.grant("ann", "bea")
    assert says(ask(book, "bea")) == no("void")
    assert says(ask(book, "ann")) == no("no-grant")


def test_a_grant_under_somebody_elses_is_void(book: Book) -> None:
    first = book.grant("hold", "ann", sublicensable=True)
    book.grant("cem", "bea", under=first)
    answer = ask(book, "bea")
    assert says(answer) == no("void")
    assert answer.grounds[0].reasons[0].text.startswith("not-grantee")


def test_a_link_begins_with_the_one_above(book: Book) -> None:
    first = book.grant("hold", "ann", start=day(9), sublicensable=True)
    book.grant("ann", "bea", under=first)
    answer = ask(book, "bea", on=8)
    assert says(answer) == no("not-begun")
    assert answer.grounds[0].reasons[0].link == 1
    assert says(ask(book, "bea", on=9)) == YES


@pytest.mark.parametrize(
    "fault", ["broken-chain", "not-passed-on", "beyond-grant", "not-holder", "grant-unknown"]
)
def test_facts_that_no_rule_had_seen_are_judged_all_the_same(book: Book, fault: str) -> None:
    """Whoever gives the facts: a link that is not one is refused here as well."""
    good = fault != "not-passed-on"
    first = book.grant("hold", "ann", sublicensable=good, purposes=["risk"])
    terms = Terms(rights=["use"], purposes=[] if fault == "beyond-grant" else ["risk"])
    giver = "cem" if fault == "broken-chain" else "ann"
    book.grant(giver, "bea", under=first, terms=terms)
    book.lines = [
        each.__class__(each.record, each.statement, each.block, each.time_unix_s) for each in book.lines
    ]
    if fault == "not-holder":
        book.moves["hold/a"] = [(0, party("dan"))]
    if fault == "grant-unknown":
        book.lines = [each for each in book.lines if each.record != first]
    assert says(ask(book, "bea", purpose="risk"))[1] == [fault]
    assert ask(book, "bea", purpose="risk").verdict == ("unknown" if fault == "grant-unknown" else "denied")


# taking back


def test_a_revocation_binds_from_its_posting(book: Book) -> None:
    record = book.grant("hold", "ann")
    book.next()
    revocation = book.revoke("hold", record, posted=False)
    assert says(ask(book)) == YES
    book.post("bea", record, revocation)  # not hers to post
    assert says(ask(book)) == YES
    book.post("hold", record, revocation)
    assert says(ask(book)) == no("revoked")


def test_a_revocation_from_a_date_on(book: Book) -> None:
    record = book.grant("hold", "ann")
    book.revoke("hold", record, effective=day(20))
    assert says(ask(book, on=19.99)) == YES
    assert says(ask(book, on=20)) == no("revoked")


def test_a_hidden_revocation_makes_it_unknown(book: Book) -> None:
    record = book.grant("hold", "ann")
    book.post("cem", record, b"?" * 32)  # a stranger's, who has nothing to take back
    assert says(ask(book)) == YES
    book.post("hold", record, b"?" * 32)
    assert says(ask(book)) == unknown("posted-unknown")


def test_grants_outlast_who_gave_them(book: Book) -> None:
    """They bind the asset: the new holder has it as it is, and may take back what a holder gave."""
    record = book.grant("hold", "ann", sublicensable=True)
    sub = book.grant("ann", "bea", under=record)
    book.hand_over("hold/a", "new")
    book.next()
    assert says(ask(book, "ann")) == says(ask(book, "bea")) == says(ask(book, "new")) == YES
    assert says(ask(book, "hold")) == no("no-grant")
    book.grant("hold", "cem")  # too late
    assert says(ask(book, "cem")) == no("void")
    book.revoke("new", record)
    assert says(ask(book, "ann")) == no("revoked")
    assert [reason.record for reason in ask(book, "bea").grounds[0].reasons] == [record.hex()]
    assert sub


def test_a_later_holders_hidden_posting_counts(book: Book) -> None:
    record = book.grant("hold", "ann")
    book.hand_over("hold/a", "new")
    book.post("new", record, b"?" * 32)
    assert says(ask(book)) == unknown("posted-unknown")


# arbiters


def test_an_arbiter_freezes_a_grant_and_lifts_it(book: Book) -> None:
    record = book.grant("hold", "ann", arbiter=did("judge"), sublicensable=True)
    book.grant("ann", "bea", under=record)
    freeze = book.attest("judge", "objection", outcome="frozen", target=record.hex(), description="stop")
    assert says(ask(book)) == YES  # not posted yet
    book.post("judge", record, freeze)
    assert says(ask(book)) == says(ask(book, "bea")) == no("frozen")
    assert says(ask(book, "hold")) == YES
    book.next()
    book.attest("judge", "objection", outcome="lifted", target=record.hex(), description="go on")
    assert says(ask(book)) == YES


def test_a_lift_before_the_freeze_lifts_nothing(book: Book) -> None:
    record = book.grant("hold", "ann", arbiter=did("judge"))
    freeze = book.attest("judge", "objection", outcome="frozen", target=record.hex(), description="stop")
    book.attest("judge", "objection", outcome="lifted", target=record.hex(), description="go on")
    book.next()
    book.post("judge", record, freeze)
    assert says(ask(book)) == no("frozen")
    book.revoke("judge", freeze)
    assert says(ask(book)) == YES


def test_nobody_else_freezes(book: Book) -> None:
    record = book.grant("hold", "ann", arbiter=did("judge"))
    freeze = book.attest("cem", "objection", outcome="frozen", target=record.hex(), description="stop")
    book.post("cem", record, freeze)
    assert says(ask(book)) == YES


def test_an_asset_is_frozen_for_everybody(book: Book) -> None:
    record = book.register("hold/b", "hold", arbiter=did("judge"))
    book.grant("hold", "ann", "hold/b")
    assert says(ask(book, name="hold/b")) == YES
    book.post("judge", record, b"?" * 32)
    assert says(ask(book, name="hold/b")) == unknown("posted-unknown")
    book.posts.clear()
    freeze = book.attest(
        "judge", "objection", "hold/b", outcome="frozen", target=record.hex(), description="x"
    )
    book.post("judge", record, freeze)
    assert says(ask(book, name="hold/b")) == says(ask(book, "hold", name="hold/b")) == no("frozen")


def test_an_objection_flags_and_does_not_decide(book: Book) -> None:
    book.grant("hold", "ann")
    objection = book.attest("cem", "objection", description="this is mine")
    answer = ask(book)
    assert says(answer) == YES
    assert answer.notes == [f"{did('cem')} objects by record {objection.hex()}"]
    book.revoke("cem", objection)
    assert ask(book).notes == []


# agreements


def negotiated(book: Book, state: str, previous: bytes = b"", **more: Any) -> bytes:
    said = {"negotiation": "n1", "provider": did("hold"), "consumer": did("ann"), "state": state}
    by = {"OFFERED": "hold", "ACCEPTED": "ann", "VERIFIED": "ann"}.get(state, "hold ann")
    return book.say(["hold/a"], Agreement, by, **said, previous=previous.hex(), **more)


def test_an_agreement_counts_once_it_is_final(book: Book) -> None:
    terms = Terms(rights=["use"])
    offer = negotiated(book, "OFFERED", terms=terms)
    assert says(ask(book)) == no("no-grant")
    agreed = negotiated(book, "AGREED", negotiated(book, "ACCEPTED", offer), terms=terms)
    assert says(ask(book)) == no("not-final")
    final = negotiated(book, "FINALIZED", negotiated(book, "VERIFIED", agreed))
    answer = ask(book)
    assert says(answer) == YES
    assert (answer.grounds[0].links[0].kind, answer.grounds[0].links[0].record) == ("agreement", agreed.hex())
    assert final


def test_an_agreement_that_was_broken_off(book: Book) -> None:
    agreed = negotiated(book, "AGREED", terms=Terms(rights=["use"]))
    negotiated(book, "TERMINATED", agreed)
    assert says(ask(book)) == no("not-final")


def test_what_was_agreed_may_be_passed_on(book: Book) -> None:
    agreed = negotiated(book, "FINALIZED", terms=Terms(rights=["use"], sublicensable=True))
    book.grant("ann", "bea", under=agreed)
    assert says(ask(book, "bea")) == YES
    book.revoke("hold ann", agreed)
    assert says(ask(book, "bea")) == no("revoked")


def test_offered_until_a_block(book: Book) -> None:
    book.say(
        ["hold/a"],
        Agreement,
        "hold ann",
        negotiation="n",
        provider=did("hold"),
        consumer=did("ann"),
        state="FINALIZED",
        terms=Terms(rights=["use"]),
        anchor_before=book.block,
    )
    answer = ask(book)
    assert says(answer) == no("void")
    assert answer.grounds[0].reasons[0].text.startswith("anchored-too-late")


# prices


def test_price_caps_bind_whoever_comes_after(book: Book) -> None:
    cap = Money("CNY", 500)
    first = book.grant("hold", "ann", rights=["operate"], sublicensable=True, price_cap=cap)
    book.grant("ann", "bea", under=first, rights=["operate"], price_cap=Money("CNY", 900))
    for who in ("ann", "bea"):
        assert says(ask(book, who, "operate")) == YES
        assert says(ask(book, who, "operate", price=Money("CNY", 500))) == YES
        assert says(ask(book, who, "operate", price=Money("CNY", 501))) == no("price")
    assert says(ask(book, "ann", "operate", price=Money("USD", 1))) == unknown("currency")
    assert says(ask(book, "hold", "operate", price=Money("CNY", 501))) == YES


def test_free_for_some_purposes(book: Book) -> None:
    book.grant("hold", "ann", rights=["operate"], free_for=["care"])
    assert says(ask(book, right="operate", purpose="care", price=Money("CNY", 0))) == YES
    assert says(ask(book, right="operate", purpose="care", price=Money("CNY", 1))) == no("free-purpose")
    assert says(ask(book, right="operate", price=Money("CNY", 1))) == no("free-purpose")
    assert says(ask(book, right="operate", purpose="risk", price=Money("CNY", 1))) == YES


# conditions


def test_a_condition_that_has_to_be_met(book: Book) -> None:
    condition = Condition(kind="certification", topic="iso-27001", by=[did("lab")])
    book.grant("hold", "ann", conditions=[condition])
    assert says(ask(book)) == no("condition")
    book.attest("ann", "certification", topic="iso-27001")  # not by the one who has to
    book.attest("lab", "certification", topic="iso-9001")
    book.attest("lab", "certification", "hold/b", topic="iso-27001")
    assert says(ask(book)) == no("condition")
    met = book.attest("lab", "certification", topic="iso-27001", start=day(4), until=day(9))
    assert says(ask(book, on=3)) == says(ask(book, on=9)) == no("condition")
    answer = ask(book, on=4)
    assert says(answer) == YES
    assert answer.grounds[0].links[0].met == [met.hex()]
    book.revoke("lab", met)
    assert says(ask(book, on=4)) == no("condition")


def test_a_failed_review_meets_nothing(book: Book) -> None:
    book.grant("hold", "ann", conditions=[Condition(kind="review", topic="v2", by=[did("lab")])])
    book.attest("lab", "review", topic="v2", outcome="failed")
    assert says(ask(book)) == no("condition")
    book.attest("lab", "review", topic="v2", outcome="passed")
    assert says(ask(book)) == YES


def test_prices_to_be_disclosed_every_year(book: Book) -> None:
    yearly = Condition(kind="notice", topic="prices", every_days=7)
    book.grant("hold", "ann", rights=["operate"], conditions=[yearly])  # on day 2
    assert says(ask(book, right="operate", on=9)) == YES
    assert says(ask(book, right="operate", on=9.01)) == no("condition")
    book.next(6)
    book.attest("ann", "notice", topic="prices")  # on day 8
    assert says(ask(book, right="operate", on=15)) == YES
    assert says(ask(book, right="operate", on=15.01)) == no("condition")


def test_the_condition_of_a_link_above_is_its_takers(book: Book) -> None:
    condition = Condition(kind="notice", topic="prices")
    first = book.grant("hold", "ann", sublicensable=True, conditions=[condition])
    book.grant("ann", "bea", under=first)
    book.attest("bea", "notice", topic="prices")
    assert says(ask(book, "bea")) == no("condition")
    book.attest("ann", "notice", topic="prices")
    assert says(ask(book, "bea")) == YES


def test_of_a_grant_to_everybody_each_meets_the_conditions(book: Book) -> None:
    book.grant("hold", "", conditions=[Condition(kind="notice", topic="prices")])
    book.attest("bea", "notice", topic="prices")
    assert says(ask(book, "bea")) == YES
    assert says(ask(book, "ann")) == no("condition")


def test_a_consent_is_one_to_something_and_ends_when_it_is_withdrawn(book: Book) -> None:
    condition = Condition(kind="consent", topic="members", by=[did("club")])
    book.grant("hold", "ann", conditions=[condition])
    consent = book.attest("club", "consent", topic="members", purposes=["care"], regions=["CN"])
    assert says(ask(book, purpose="care", region="CN-44")) == YES
    assert says(ask(book, purpose="risk", region="CN-44")) == no("condition")
    assert says(ask(book, purpose="care", region="US")) == no("condition")
    assert says(ask(book, purpose="care")) == no("condition")
    assert says(ask(book)) == no("condition")
    book.revoke("club", consent)
    assert says(ask(book, purpose="care", region="CN-44")) == no("condition")


def test_an_attestation_may_stand_in_a_log_that_can_not_be_had(book: Book) -> None:
    book.grant("hold", "ann", conditions=[Condition(kind="review", topic="v2", by=[did("lab")])])
    book.withhold("lab")
    assert says(ask(book)) == unknown("log-missing")


# logs that can't be had


@pytest.mark.parametrize(("who", "says_more"), [("hold", True), ("ann", True), ("sub", True), ("cem", False)])
def test_a_log_that_may_hold_a_grant(book: Book, who: str, says_more: bool) -> None:
    book.grant("hold", "sub", sublicensable=True)
    book.withhold(who)
    assert says(ask(book)) == (unknown("log-missing") if says_more else no("no-grant"))
    book.grant("hold", "ann", until=day(3))
    assert says(ask(book, on=4)) == (unknown("log-missing") if says_more else no("expired"))
    assert says(ask(book, on=2)) == YES  # what could take it away is on chain


def test_a_holder_that_can_not_be_told(book: Book) -> None:
    book.grant("hold", "ann")
    book.doubtful.add("hold/a")
    assert says(ask(book, "hold")) == unknown("holder-unknown")
    assert says(ask(book, "bea")) == unknown("holder-unknown")
    assert says(ask(book, "ann")) == YES


# through the lineage


@pytest.fixture
def product(book: Book) -> Book:
    """`make/p@1`, which `make` made from `hold/a@1` and something of its own."""
    book.register("make/p", "make")
    book.register("make/own", "make")
    book.resource("hold/a@1")
    book.made_from["make/p@1"] = [Source("hold/a@1"), Source("make/own@1")]
    book.grant("make", "ann", "make/p", rights=["use", "operate"])
    return book


def test_a_product_needs_the_right_to_operate_its_inputs(product: Book) -> None:
    answer = ask(product, name="make/p@1")
    assert says(answer) == no("no-grant")
    blocked = answer.grounds[1]
    assert (blocked.name, blocked.product, blocked.right) == ("hold/a@1", "make/p@1", "operate")
    assert blocked.party == did("make")
    product.grant("hold", "make", rights=["use"])
    assert says(ask(product, name="make/p@1")) == no("right")
    product.grant("hold", "make", rights=["operate"], purposes=["risk"])
    assert says(ask(product, name="make/p@1", purpose="risk")) == YES
    assert says(ask(product, name="make/p@1", purpose="care")) == no("right")  # the nearest of two
    assert ask(product, name="make/p@1", purpose="risk").inputs == 2


def test_a_maker_uses_its_product_with_the_right_to_use_the_inputs(product: Book) -> None:
    product.grant("hold", "make", rights=["use"])
    assert says(ask(product, "make", name="make/p@1")) == YES
    assert says(ask(product, "make", "hold", name="make/p@1")) == YES
    assert says(ask(product, "make", "operate", name="make/p@1")) == no("right")


def test_the_lineage_is_followed_to_its_end(product: Book) -> None:
    product.register("far/x", "far")
    product.made_from["hold/a@1"] = [Source("far/x@1")]
    product.grant("hold", "make", rights=["operate"])
    answer = ask(product, name="make/p@1")
    assert says(answer) == no("no-grant")
    assert (answer.grounds[-1].name, answer.grounds[-1].party) == ("far/x@1", did("hold"))
    product.grant("far", "hold", "far/x", rights=["operate"])
    assert says(ask(product, name="make/p@1")) == YES


def test_an_authorised_operation_lapses_for_the_products_too(product: Book) -> None:
    product.grant("hold", "make", rights=["operate"], until=day(9))
    assert says(ask(product, name="make/p@1", on=8)) == YES
    assert says(ask(product, name="make/p@1", on=9)) == no("expired")


def test_price_caps_of_the_inputs_bind_the_product(product: Book) -> None:
    product.grant("hold", "make", rights=["operate"], price_cap=Money("CNY", 100))
    assert says(ask(product, "make", "operate", name="make/p@1", price=Money("CNY", 100))) == YES
    assert says(ask(product, "make", "operate", name="make/p@1", price=Money("CNY", 101))) == no("price")


@pytest.mark.parametrize("kind", ["declared", "unregistered", "unknown"])
def test_inputs_of_which_nothing_can_be_told(product: Book, kind: Any) -> None:
    product.made_from["make/p@1"] = [Source("hold/a@1", kind)]
    product.grant("hold", "make", rights=["operate"])
    assert says(ask(product, name="make/p@1")) == unknown(f"input-{kind}")
    product.made_from["make/p@1"] = [Source("make/own@1", kind)]  # the maker's own, whatever is known of it
    assert says(ask(product, name="make/p@1")) == YES
    product.made_from["make/p@1"] = [Source("nobody/x", kind)]
    assert ask(product, name="make/p@1").verdict == "unknown"


def test_what_is_denied_is_denied_whatever_is_unknown(product: Book) -> None:
    product.made_from["make/p@1"] = [Source("else/x", "unregistered"), Source("hold/a@1")]
    assert says(ask(product, name="make/p@1")) == ("denied", ["input-unregistered", "no-grant"])


def test_cycles_end_and_large_lineages_are_not_cut_silently(product: Book) -> None:
    product.grant("hold", "make", rights=["operate"])
    product.made_from["hold/a@1"] = [Source("hold/a@1"), Source("make/p@1")]
    product.grant("make", "hold", "make/p", rights=["operate"])
    assert says(ask(product, name="make/p@1")) == YES
    question = Question(party=party("ann"), right="use", name="make/p@1", at_ns=at(2))
    assert says(may(question, product, CHAIN_ID, most=2)) == unknown("too-large")


def test_every_reason_has_its_words() -> None:
    assert not DENIALS.keys() & DOUBTS.keys()
    assert all({**DENIALS, **DOUBTS}.values())
