"""Times: RFC 3339 and what real producers make of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.errors import FormatError
from ledger.formats.times import format_time, parse_time


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
        ("2024-08-06T13:26:49.98Z", "2024-08-06T13:26:49.98Z"),
        ("2024-08-06T13:26:49.123456789Z", "2024-08-06T13:26:49.123456Z"),
        ("2024-08-06t13:26:49z", "2024-08-06T13:26:49Z"),
        ("2024-08-06 13:26:49+00:00", "2024-08-06T13:26:49Z"),
        ("2024-08-06T13:26:49+0200", "2024-08-06T11:26:49Z"),
        ("2024-08-06T13:26:49-05", "2024-08-06T18:26:49Z"),
        ("2024-08-06T13:26Z", "2024-08-06T13:26:00Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_good_times(text: str, expected: str) -> None:
    value, has_offset = parse_time(text, "time")
    assert (format_time(value), has_offset) == (expected, True)


def test_a_time_without_offset_is_utc() -> None:
    assert parse_time("2024-08-06T13:26:49.5", "time") == (
        parse_time("2024-08-06T13:26:49.5Z", "time")[0],
        False,
    )


@pytest.mark.parametrize(
    "text",
    [
        "", "now", "2024-08-06", "2024-02-30T00:00:00Z", "2024-08-06T24:00:00Z", "2024-08-06T00:60:00Z",
        "2024-08-06T00:00:61Z", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00", "2024-08-06T13:26:49+24:00", "2024-08-06T13:26:49Z\n",
        "٢٠٢٤-08-06T13:26:49Z", "2024-08-06T13:26:49.Z", "12024-08-06T13:26:49Z", "1722950809",
    ],
)  # fmt: skip
def test_bad_times(text: str) -> None:
    with pytest.raises(FormatError, match="eventTime: expected a time"):
        parse_time(text, "eventTime")


@given(st.datetimes(timezones=st.just(UTC)))
def test_every_time_comes_back(moment: datetime) -> None:
    value, _ = parse_time(moment.isoformat(), "time")
    assert parse_time(format_time(value), "time") == (value, True)
    assert datetime.fromisoformat(format_time(value)) == moment


@given(st.text())
def test_any_text(text: str) -> None:
    try:
        value, _ = parse_time(text, "time")
    except FormatError:
        return
    assert parse_time(format_time(value), "time")[0] == value
