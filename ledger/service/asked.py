"""What a caller wrote, told apart from what was stored: a name that is none is a mistake of usage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ledger.core.errors import FormatError, Usage


@contextmanager
def asked() -> Iterator[None]:
    """Read what a caller wrote: a FormatError in here becomes Usage, so that nobody takes it for bad data."""
    try:
        yield
    except FormatError as error:
        raise Usage(str(error), hint=error.hint) from None
