"""Times of records as numbers: nanoseconds since 1970 in UTC, compared exactly.

Source: RFC 3339 as docs/formats.md section 4 narrows it (`record_parts.TIME_PATTERN`). Leap seconds do not
exist here, as in POSIX.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from ledger.core.shape_parts import check_time

NANOSECONDS: Final = 10**9
"""In a second."""

_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def instant_ns(time: str) -> int:
    """Give the nanoseconds from 1970 to a record's time; FormatError if it is none."""
    check_time(time, "time")
    whole, _, fraction = time[:-1].partition(".")
    since = datetime.fromisoformat(whole + "+00:00") - _EPOCH
    return (since.days * 86_400 + since.seconds) * NANOSECONDS + int(fraction.ljust(9, "0") or 0)


def is_within(now_ns: int, start: str, until: str) -> bool:
    """Tell whether a moment lies in the half-open span of two times; an empty one does not bound it."""
    return (not start or instant_ns(start) <= now_ns) and (not until or now_ns < instant_ns(until))
