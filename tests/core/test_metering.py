from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.metering import FINDINGS, bill, price_findings
from ledger.core.records import Delivery
from ledger.core.records_rights import Money, Terms

HEAD: dict[str, Any] = {
    "ledger": "1a" * 32,
    "logs": ["2b" * 32],
    "authors": ["did:ethr:0x539:0x" + "aa" * 20],
    "time": "2025-01-31T12:00:00Z",
}
PRICE = Money("CNY", 3)
OPEN = Terms(rights=["use"])
CAPPED = Terms(rights=["use"], price_cap=Money("CNY", 4))
WELFARE = Terms(rights=["use"], free_for=["welfare"])


def delivery(
    units: int, charged: int | Money | None = None, purpose: str = "", process: str = "p"
) -> Delivery:
    money = Money("CNY", charged) if isinstance(charged, int) else charged
    return Delivery(
        **HEAD,
        process=process,
        agreement="ee" * 32,
        state="COMPLETED",
        units=units,
        charged=money,
        purpose=purpose,
    )


def kinds(*args: Any) -> list[str]:
    found = bill(*args).findings
    assert all(each.kind in FINDINGS and each.text for each in found)
    return [each.kind for each in found]


def test_a_bill() -> None:
    made = bill([OPEN], PRICE, [delivery(12_000, 36_000), delivery(1, 2), delivery(5)])
    assert (made.units, made.currency, made.due, made.charged) == (12_006, "CNY", 36_018, 36_002)
    assert made.findings == []
    assert bill([OPEN], None, []) == (0, "", 0, 0, [])


def test_overcharged() -> None:
    assert kinds([OPEN], PRICE, [delivery(10, 30)]) == []
    assert kinds([OPEN], PRICE, [delivery(10, 31)]) == ["overcharged"]
    (finding,) = bill([OPEN], PRICE, [delivery(10, 31, process="run 7")]).findings
    assert finding.subject == "delivery run 7"
    assert finding.text == "CNY 0.31 for 10 units, which cost CNY 0.30"
    assert kinds([OPEN], PRICE, [delivery(0, 1)]) == ["overcharged"]


def test_above_a_cap() -> None:
    assert kinds([OPEN, CAPPED], None, [delivery(10, 40)]) == []
    assert kinds([OPEN, CAPPED], None, [delivery(10, 41)]) == ["above-price-cap"]
    assert kinds([CAPPED, CAPPED], Money("CNY", 9), [delivery(10, 41)]) == ["above-price-cap"] * 2
    assert [each.kind for each in price_findings([CAPPED], Money("CNY", 5))] == ["above-price-cap"]
    assert price_findings([CAPPED], Money("CNY", 4)) == price_findings([CAPPED], None) == []


def test_free_use() -> None:
    assert kinds([WELFARE], PRICE, [delivery(10, 1, "welfare")]) == ["price-for-free-use"]
    assert kinds([WELFARE], PRICE, [delivery(10, 0, "welfare"), delivery(10, None, "welfare")]) == []
    assert kinds([WELFARE], PRICE, [delivery(10, 30, "banking")]) == []
    assert bill([OPEN, WELFARE], PRICE, [delivery(10, 0, "welfare"), delivery(10, 30)]).due == 30


@pytest.mark.parametrize(
    ("terms", "price"), [(CAPPED, None), (OPEN, PRICE), (CAPPED, PRICE)], ids=["cap", "price", "both"]
)
def test_other_currencies_are_not_compared(terms: Terms, price: Money | None) -> None:
    made = bill([terms], price, [delivery(10, Money("EUR", 1))])
    assert {each.kind for each in made.findings} == {"price-not-comparable"}
    assert made.charged == (0 if price else 1)


def test_a_small_charge_in_another_currency_hides_no_great_one() -> None:
    """Of charges without a price the sum is in one currency: what it leaves out is named."""
    made = bill([OPEN], None, [delivery(9, Money("CNY", 10**9)), delivery(1, Money("AED", 1))])
    assert (made.currency, made.charged) == ("AED", 1)
    (finding,) = made.findings
    assert (finding.kind, finding.subject) == ("several-currencies", "delivery p")
    assert finding.text == "CNY 10000000.00 is in no sum: the sum is of charges in AED"


@given(
    st.lists(
        st.builds(
            delivery,
            st.integers(0, 10**6),
            st.builds(Money, st.sampled_from(["CNY", "EUR"]), st.integers(0, 10**7)),
            st.sampled_from(["", "welfare", "x"]),
        ),
        max_size=6,
    ),
    st.sampled_from([None, PRICE]),
    st.randoms(),
)
def test_the_order_does_not_matter(deliveries: list[Delivery], price: Money | None, random: Any) -> None:
    terms = [CAPPED, WELFARE]
    made = bill(terms, price, deliveries)
    shuffled = deliveries[:]
    random.shuffle(shuffled)
    theirs = bill(terms, price, shuffled)
    assert made == theirs
    if price is not None:
        assert made.due == sum(3 * each.units for each in deliveries if each.purpose != "welfare")
