"""Times as pipelines write them: RFC 3339 (https://www.rfc-editor.org/rfc/rfc3339), read into microseconds.

Integers, not datetime objects: they compare, pack into arrays, and know no time zone to get wrong. What real
producers leave out is accepted: the seconds where they are zero (Java), the colon of the offset.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from ledger.core.errors import FormatError

MICROSECONDS = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_BOUNDS = range(
    (1 - _EPOCH_DAY) * 86_400 * MICROSECONDS,
    (date(9999, 12, 31).toordinal() + 1 - _EPOCH_DAY) * 86_400 * MICROSECONDS,
)
_time = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,18}))?)?"
    r"(?:([Zz])|([+-])([0-9]{2})(?::?([0-9]{2}))?)?"
).fullmatch


def parse_time(text: str, what: str) -> tuple[int, bool]:
    """Return microseconds since 1970 in UTC, and whether the text said its offset; without one it is UTC.

    Digits beyond microseconds are cut off. A leap second is the first second of the next minute.
    """
    found = _time(text)
    if found is not None:
        year, month, day, hour, minute = map(int, found.group(1, 2, 3, 4, 5))
        second, fraction = int(found[6] or 0), (found[7] or "")[:6].ljust(6, "0")
        away = (int(found[10] or 0) * 60 + int(found[11] or 0)) * (-60 if found[9] == "-" else 60)
        if hour < 24 and minute < 60 and second <= 60 and abs(away) < 86_400:
            try:
                days = date(year, month, day).toordinal() - _EPOCH_DAY
            except ValueError:
                days = None
            if days is not None:
                seconds = days * 86_400 + hour * 3600 + minute * 60 + second - away
                value = seconds * MICROSECONDS + int(fraction)
                if value in _BOUNDS:
                    return value, bool(found[8] or found[9])
    raise FormatError(f"{what}: expected a time such as 2025-01-31T12:00:00Z, got {text[:40]!a}")


def format_time(microseconds: int) -> str:
    """Write microseconds since 1970 as RFC 3339 in UTC with `Z` and as few decimals as it takes."""
    moment = _EPOCH + timedelta(microseconds=microseconds)
    text = moment.strftime(f"{moment.year:04}-%m-%dT%H:%M:%S")
    decimals = f"{moment.microsecond:06}".rstrip("0")
    return f"{text}.{decimals}Z" if decimals else f"{text}Z"
