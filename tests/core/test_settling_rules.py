"""Periods, and bills of agreements with what they rest on."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.records import Agreement, Delivery, Grant, Resource, Settlement, Statement
from ledger.core.records_rights import Money, Payout, Terms
from ledger.core.settling import (
    FINDINGS,
    Period,
    agreement_bill,
    income_of,
    overlap,
    period_of,
    settlement_findings,
    shown_money,
)
from ledger.index.kinds import SEVERITIES

DEAL, ABOVE = b"\x01" * 32, b"\x02" * 32
HEAD = {"ledger": "aa" * 32, "logs": ["bb" * 32], "time": "2026-01-01T00:00:00Z"}
FIRM, SHOP = (f"did:ethr:0x539:0x{digit * 40}" for digit in "12")
SUBJECT = [Resource("firm/a", {"dataledger-asset-v1": "cc" * 32})]

periods = st.builds(Period, st.integers(0, 20), st.integers(0, 20)).filter(lambda p: p.start_ns < p.until_ns)


class Books:
    """What was said and delivered, in dictionaries."""

    def __init__(
        self, *deliveries: Delivery, under: bytes = b"", state: str = "FINALIZED", **deal: Any
    ) -> None:
        said = {"terms": Terms(rights=["use"]), "unit_price": Money("CNY", 120), "under": under.hex()}
        agreement = Agreement(
            **HEAD,
            authors=[FIRM, SHOP],
            negotiation="n",
            provider=FIRM,
            consumer=SHOP,
            state=state,  # type: ignore[arg-type]
            **(said | deal),
        )
        grant = Grant(**HEAD, authors=[SHOP], grantor=SHOP, terms=Terms(rights=["use"], free_for=["relief"]))
        self.records = {DEAL: Statement(SUBJECT, agreement), ABOVE: Statement(SUBJECT, grant)}
        self.deliveries = deliveries

    def said(self, record: bytes) -> Statement | None:
        return self.records.get(record)

    def follower(self, record: bytes) -> bytes | None:
        return None

    def delivered(self, agreement: bytes, block: int, period: Period) -> tuple[Delivery, ...]:
        assert agreement == DEAL
        return self.deliveries


def sent(units: int, charged: int | None = None, purpose: str = "") -> Delivery:
    money = None if charged is None else Money("CNY", charged)
    return Delivery(
        **HEAD,
        authors=[FIRM],
        process="p",
        agreement=DEAL.hex(),
        state="COMPLETED",
        units=units,
        purpose=purpose,
        charged=money,
    )


def settled(amount: int, name: str = "firm/a", **more: Any) -> Statement:
    said = {"agreement": DEAL.hex(), "as_of": 3}
    predicate = Settlement(
        **HEAD,
        authors=[FIRM],
        payer=FIRM,
        total=Money("CNY", amount),
        payouts=[Payout(FIRM, amount)],
        **(said | more),
    )
    return Statement([Resource(name, {"dataledger-asset-v1": "cc" * 32})], predicate)


def kinds(statement: Statement, books: Books, block: int = 9) -> list[str]:
    return [each.kind for each in settlement_findings(statement, block, books)]


@given(periods, periods)
def test_overlapping_is_having_a_moment_in_common(one: Period, other: Period) -> None:
    expected = bool({*range(*one)} & {*range(*other)})
    assert overlap(one, other) == overlap(other, one) == expected


def test_periods_as_records_state_them() -> None:
    always = period_of("", "")
    assert always == Period(-(2**63), 2**63 - 1)
    assert period_of("1970-01-01T00:00:01Z", "") == Period(10**9, 2**63 - 1)
    assert period_of("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z") == always  # clipped to 64 bits
    assert overlap(always, period_of("", "2000-01-01T00:00:00Z"))
    half = period_of("", "2026-01-01T00:00:00Z"), period_of("2026-01-01T00:00:00Z", "")
    assert not overlap(*half)


def test_the_income_is_what_is_due_else_what_was_charged() -> None:
    for books, expected in (
        (Books(sent(10, 1300)), Money("CNY", 1200)),
        (Books(sent(10)), Money("CNY", 1200)),
        (Books(), Money("CNY", 0)),
        (Books(sent(10, 1300), sent(1, 1), unit_price=None), Money("CNY", 1301)),
        (Books(sent(10), unit_price=None), None),
    ):
        assert income_of(DEAL, agreement_bill(DEAL, 5, period_of("", ""), books), books) == expected


def test_what_is_free_above_is_free_below() -> None:
    books = Books(sent(10, purpose="relief"), sent(1, purpose="profit"), under=ABOVE)
    found = agreement_bill(DEAL, 5, period_of("", ""), books)
    assert (found.units, found.due) == (11, 120)
    circle = Books(sent(1), under=DEAL)  # it says that it rests on itself
    assert agreement_bill(DEAL, 5, period_of("", ""), circle).due == 120


def test_what_is_improper_is_named() -> None:
    books = Books(sent(10))
    assert kinds(settled(1200), books) == []
    assert kinds(settled(1201), books) == ["settlement-not-billed"]
    assert kinds(settled(1201), Books(unit_price=None)) == []  # there is nothing to compare it with
    assert kinds(settled(1200, "firm/b"), books) == ["settlement-other-subject"]
    assert kinds(settled(1200, "firm/a@2"), books) == []
    assert kinds(settled(1200, as_of=9), books) == ["settlement-basis-later"]
    assert kinds(settled(1200), Books(sent(10), state="AGREED")) == ["settlement-not-final"]
    assert kinds(settled(7, agreement=""), books) == []
    little = msgspec.structs.replace(sent(1), charged=Money("AED", 1))
    statement = settled(1)
    hidden = Statement(statement.subject, msgspec.structs.replace(statement.predicate, total=Money("AED", 1)))
    assert kinds(hidden, Books(little, unit_price=None)) == []
    assert kinds(hidden, Books(little, sent(9, 10**9), unit_price=None)) == ["settlement-not-billed"]


def test_every_code_has_a_severity() -> None:
    assert set(FINDINGS) <= set(SEVERITIES)


@pytest.mark.parametrize(
    ("money", "text"), [(Money("CNY", 5), "0.05 CNY"), (Money("JPY", 5), "5 JPY"), (Money("XXX", 5), "5 XXX")]
)
def test_money_in_words(money: Money, text: str) -> None:
    assert shown_money(money) == text
