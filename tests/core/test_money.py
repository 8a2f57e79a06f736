from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.errors import FormatError
from ledger.core.instants import instant_ns, is_within
from ledger.core.money import EXPONENTS, exponent_of, format_amount, parse_amount


@pytest.mark.parametrize(
    ("text", "currency", "amount"),
    [
        ("100000.01", "CNY", 10_000_001),
        ("0", "CNY", 0),
        ("0.1", "CNY", 10),
        ("7", "JPY", 7),
        ("1.5", "KWD", 1500),
        ("0.0001", "CLF", 1),
    ],
)
def test_amounts(text: str, currency: str, amount: int) -> None:
    assert parse_amount(text, currency) == amount


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("1.001", "CNY"),
        ("1.0", "JPY"),
        ("1.", "CNY"),
        (".5", "CNY"),
        ("01", "CNY"),
        ("-1", "CNY"),
        ("+1", "CNY"),
        ("1e3", "CNY"),
        ("1,000", "CNY"),
        ("1 000", "CNY"),
        ("", "CNY"),
        ("\u0661", "CNY"),
        ("1\n", "CNY"),
        ("NaN", "CNY"),
        ("90071992547409.92", "CNY"),
        ("1", "CNX"),
        ("1", "cny"),
        ("1", "XAU"),
    ],
)
def test_what_is_no_amount(text: str, currency: str) -> None:
    with pytest.raises(FormatError):
        parse_amount(text, currency)


@given(st.integers(0, 2**53 - 1), st.sampled_from(sorted(EXPONENTS)))
def test_both_ways(amount: int, currency: str) -> None:
    text = format_amount(amount, currency)
    assert parse_amount(text, currency) == amount
    assert len(text.partition(".")[2]) == exponent_of(currency)


def test_a_debt_is_written_with_a_sign() -> None:
    assert format_amount(-5, "CNY") == "-0.05"


def test_the_table() -> None:
    found = {
        each: EXPONENTS[each] for each in ("CNY", "EUR", "JPY", "KRW", "ISK", "KWD", "TND", "CLF", "MRU")
    }
    assert found == {"CNY": 2, "EUR": 2, "JPY": 0, "KRW": 0, "ISK": 0, "KWD": 3, "TND": 3, "CLF": 4, "MRU": 2}
    assert all(len(code) == 3 and code.isupper() for code in EXPONENTS)


@given(st.datetimes(), st.integers(0, 10**9 - 1))
def test_instants(moment: object, fraction: int) -> None:
    text = f"{str(moment.isoformat())[:19]}.{fraction:09}Z"  # type: ignore[attr-defined]
    assert instant_ns(text) == instant_ns(text[:19] + "Z") + fraction


def test_instants_begin_in_1970() -> None:
    assert instant_ns("1970-01-01T00:00:01.5Z") == 1_500_000_000
    assert instant_ns("1969-12-31T23:59:59Z") == -1_000_000_000
    with pytest.raises(FormatError):
        instant_ns("1970-01-01")


def test_spans_are_half_open() -> None:
    first, end = "1970-01-01T00:00:10Z", "1970-01-01T00:00:20Z"
    ns = 10**9
    assert [is_within(each, first, end) for each in (10 * ns - 1, 10 * ns, 20 * ns - 1, 20 * ns)] == [
        False, True, True, False,
    ]  # fmt: skip
    assert is_within(0, "", end)
    assert is_within(20 * ns, first, "")
    assert is_within(0, "", "")
