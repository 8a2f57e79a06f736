"""Times in text."""

from __future__ import annotations

from datetime import UTC, datetime

from ledger.core.errors import Usage
from ledger.core.instants import NANOSECONDS, instant_ns

_DATE = len("2026-01-31")
_LAST = 253402300799  # the end of the year 9999, which is as far as RFC 3339 goes


def format_time(unix_s: int) -> str:
    """Return a time as RFC 3339 in UTC; later ones than the year 9999 as its end."""
    return datetime.fromtimestamp(min(unix_s, _LAST), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def now() -> str:
    """Return the time as records state it: RFC 3339, UTC, seconds. A claim, like all times in records."""
    return format_time(int(datetime.now(UTC).timestamp()))


def start_of(text: str) -> str:
    """Read an RFC 3339 time, or a date (its beginning, UTC), and return it as records state times."""
    return format_time(parse_time(f"{text}T00:00:00Z" if len(text) == _DATE else text))


def end_of(text: str) -> str:
    """Read an RFC 3339 time, or a date (its end, UTC), as the first moment that does not count."""
    return format_time(parse_time(text) + (1 if len(text) == _DATE else 0))


def is_past(time: str) -> bool:
    """Tell whether a time as records state times is past by this machine's clock; an empty one is not."""
    return bool(time) and instant_ns(time) <= int(datetime.now(UTC).timestamp()) * NANOSECONDS


def parse_time(text: str) -> int:
    """Read an RFC 3339 time, or a date (its end, UTC), as Unix seconds; raises Usage."""
    try:
        if len(text) == _DATE:
            return int(datetime.fromisoformat(f"{text}T23:59:59+00:00").timestamp())
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise Usage(
            f"time {text!r}: expected a block number, a date, or RFC 3339 such as 2026-01-31T12:00:00Z"
        ) from None
    return int((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp())
