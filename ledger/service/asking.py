"""What a caller wrote: a name, a reference or a time outside its grammar is the caller's mistake.

The parsers of `core` raise FormatError, which means that something from outside was checked and found wrong.
For what was typed a moment ago that is the wrong verdict, and the wrong exit code.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ledger.core.errors import FormatError, Usage


@contextmanager
def asked() -> Iterator[None]:
    """Turn the FormatError of the body into Usage."""
    try:
        yield
    except FormatError as error:
        raise Usage(str(error), hint=error.hint) from None
