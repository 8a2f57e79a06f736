"""What is improper in a delivery or a price: each fault alone, and nothing where all is as agreed."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ledger.core import digests
from ledger.core.deliveries import FINDINGS, agreement_findings, delivery_findings, is_sent, links_of
from ledger.core.identity import format_did
from ledger.core.instants import instant_ns
from ledger.core.metering import FINDINGS as PRICES
from ledger.core.records import Agreement, Delivery, Resource, Statement
from ledger.core.records_rights import Money, Terms
from ledger.core.rights_facts import Given, Span

ALICE, BOB, CAROL = (format_did(0x539, bytes([n]) * 20) for n in (1, 2, 3))
HEAD: dict[str, Any] = {
    "ledger": "1a" * 32,
    "logs": ["2b" * 32],
    "authors": [ALICE],
    "time": "2025-01-31T12:00:00Z",
}
DEAL, ABOVE = "dd" * 32, "aa" * 32
NOW = instant_ns("2026-06-01T00:00:00Z")
VERSION = Resource("acme/x@1", {digests.FILE: "ab" * 32})


class Past:
    """An agreement of Alice's with Bob about acme/x, which may rest on a grant of Carol's to Alice."""

    def __init__(self) -> None:
        terms = Terms(rights=["use"], purposes=["risk"], regions=["CN"])
        self.agreed = Agreement(
            **HEAD,
            negotiation="n",
            provider=ALICE,
            consumer=BOB,
            state="FINALIZED",
            terms=terms,
            unit="row",
            unit_price=Money("CNY", 3),
        )
        self.links = {DEAL: self.link(DEAL, ALICE, BOB, terms)}
        self.contents = {("acme/x", 1): (digests.FILE, "ab" * 32)}

    def link(self, record: str, giver: str, taker: str, terms: Terms, under: str = "") -> Given:
        return Given(
            record=record,
            giver=giver,
            taker=taker,
            names=("acme/x",),
            terms=terms,
            order=(1, "l", 0),
            since_ns=0,
            under=under,
        )

    def rests_on(self, **terms: Any) -> None:
        self.links[ABOVE] = self.link(ABOVE, CAROL, ALICE, Terms(**({"rights": ["use"]} | terms)))
        self.change(DEAL, under=ABOVE)
        self.agreed = msgspec.structs.replace(self.agreed, under=ABOVE)

    def change(self, record: str, **members: Any) -> None:
        self.links[record] = msgspec.structs.replace(self.links[record], **members)

    def terms(self, record: str, **members: Any) -> None:
        self.change(record, terms=msgspec.structs.replace(self.links[record].terms, **members))

    def given(self, record: str) -> Given | None:
        return self.links.get(record)

    def said(self, record_id: bytes) -> Statement | None:
        return Statement([VERSION], self.agreed) if record_id.hex() == DEAL else None

    def content(self, asset: str, number: int) -> tuple[str, str] | None:
        return self.contents.get((asset, number))


@pytest.fixture
def past() -> Past:
    return Past()


def delivered(*subject: Resource, **members: Any) -> Statement:
    said = {"process": "p", "agreement": DEAL, "state": "COMPLETED", "units": 10, "charged": Money("CNY", 30)}
    return Statement(list(subject) or [VERSION], Delivery(**(HEAD | said | members)))


def kinds(past: Past, *subject: Resource, at: int = NOW, **members: Any) -> list[str]:
    found = delivery_findings(delivered(*subject, **members), at, past)
    assert all(each.kind in FINDINGS | PRICES and each.text and "acme" in each.subject for each in found)
    return [each.kind for each in found]


def test_what_is_as_agreed(past: Past) -> None:
    assert kinds(past) == []
    assert kinds(past, purpose="risk", region="CN-44") == []
    past.rests_on(purposes=["risk", "other"])
    assert [link.record for link in links_of(DEAL, past)] == [DEAL, ABOVE]
    assert kinds(past, purpose="risk") == []


def test_other_content(past: Past) -> None:
    other = Resource("acme/y@1", {digests.FILE: "ab" * 32})
    past.contents["acme/y", 1] = (digests.FILE, "ab" * 32)
    assert kinds(past, other) == ["delivery-not-covered"]
    assert kinds(past, VERSION, other) == ["delivery-not-covered"]
    assert kinds(past, Resource("acme/x@1", {digests.FILE: "cd" * 32})) == ["delivery-not-covered"]
    assert kinds(past, Resource("acme/x@2", {digests.FILE: "ab" * 32})) == ["delivery-not-covered"]
    past.change(DEAL, names=("acme/x@2",))
    assert kinds(past) == ["delivery-not-covered"]


@pytest.mark.parametrize("record", [DEAL, ABOVE])
def test_other_use_than_any_link_allows(past: Past, record: str) -> None:
    past.rests_on()
    past.terms(DEAL, purposes=[], regions=[])
    past.terms(record, purposes=["risk"], regions=["CN"])
    assert kinds(past, purpose="risk", region="CN") == []
    assert kinds(past) == []  # what is not said is no fault
    assert kinds(past, purpose="resale") == ["delivery-not-covered"]
    assert kinds(past, region="SG") == ["delivery-not-covered"]


@pytest.mark.parametrize("record", [DEAL, ABOVE])
def test_when_any_link_does_not_stand(past: Past, record: str) -> None:
    past.rests_on()
    moment = "2026-06-01T00:00:00Z"
    past.terms(record, start=moment)
    assert kinds(past) == []
    assert kinds(past, at=NOW - 1) == ["delivery-outside-term"]
    past.terms(record, start="", until=moment)
    assert kinds(past, at=NOW - 1) == []
    assert kinds(past) == ["delivery-outside-term"]
    past.terms(record, until="")
    past.change(record, revoked_ns=NOW)
    assert kinds(past, at=NOW - 1) == []
    assert kinds(past) == ["delivery-taken-back"]
    past.change(record, revoked_ns=None, frozen=(Span(NOW, NOW + 5),))
    assert kinds(past, at=NOW - 1) == kinds(past, at=NOW + 5) == []
    assert kinds(past) == ["delivery-frozen"]


def test_what_was_charged(past: Past) -> None:
    assert kinds(past, charged=Money("CNY", 31)) == ["overcharged"]
    assert kinds(past, charged=Money("EUR", 1)) == ["price-not-comparable"]
    past.rests_on(price_cap=Money("CNY", 2), free_for=["relief"])
    assert kinds(past) == ["above-price-cap"]
    past.terms(DEAL, purposes=[])
    assert kinds(past, purpose="relief") == ["price-for-free-use"]
    assert kinds(past, purpose="relief", charged=Money("CNY", 0)) == []


def test_steps_by_which_nothing_goes_out(past: Past) -> None:
    past.change(DEAL, revoked_ns=0)
    for state in ("REQUESTED", "SUSPENDED", "TERMINATED"):
        quiet = {"state": state, "units": 0, "charged": None, "previous": "ee" * 32}
        assert kinds(past, **quiet) == []
        step = delivered(**quiet).predicate
        assert isinstance(step, Delivery)
        assert not is_sent(step)
    assert kinds(past, state="TERMINATED", units=1, charged=None, previous="ee" * 32) == [
        "delivery-taken-back"
    ]
    assert kinds(past, state="STARTED", units=0, charged=None) == ["delivery-taken-back"]


def test_of_an_agreement_that_is_not_final_nothing_is_said(past: Past) -> None:
    del past.links[DEAL]
    assert kinds(past, charged=Money("CNY", 999)) == []


def test_grants_in_a_circle_end(past: Past) -> None:
    past.rests_on()
    past.change(ABOVE, under=DEAL)
    assert len(links_of(DEAL, past)) == 2


def test_prices_agreed(past: Past) -> None:
    def found() -> list[str]:
        return [each.kind for each in agreement_findings(Statement([VERSION], past.agreed), past)]

    assert found() == []
    past.rests_on(price_cap=Money("CNY", 2))
    assert found() == ["above-price-cap"]
    past.rests_on(price_cap=Money("EUR", 9))
    assert found() == ["price-not-comparable"]
    past.rests_on(free_for=["risk"])
    assert found() == ["price-for-free-use"]
    past.agreed = msgspec.structs.replace(past.agreed, unit_price=Money("CNY", 0))
    assert found() == []
    past.rests_on(price_cap=Money("CNY", 0))
    offered = {"state": "OFFERED", "unit_price": Money("CNY", 5)}
    past.agreed = msgspec.structs.replace(past.agreed, **offered)
    assert found() == []  # it binds nobody yet
    assert agreement_findings(delivered(), past) == []
    assert delivery_findings(Statement([VERSION], past.agreed), NOW, past) == []
