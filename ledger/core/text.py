"""Text from outside: how it is quoted in messages, and which characters human text may hold.

Titles, reasons and field names come from strangers and end up in terminals, tables and web pages. Control
characters (terminal escapes), line separators and bidirectional overrides ("Trojan Source", CVE-2021-42574)
are refused where text enters; joiners that Persian, Indic scripts and emoji need are not. Lengths are counted
in code points, as JSON Schema does.
"""

from __future__ import annotations

import re

from ledger.core.errors import FormatError

_HIDDEN = r"\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff"

LINE_PATTERN = rf"^[^\u0009\u000a{_HIDDEN}]*$(?!\n)"
"""One line of human text. Means the same to Python and to ECMA 262; the lookahead is for Python's `$`."""

LINES_PATTERN = rf"^[^{_HIDDEN}]*$"
"""Human text that may hold tabs and line feeds."""

HIDDEN_UTF8 = rb"\x7f|\xc2[\x80-\x9f]|\xe2\x80[\xa8-\xae]|\xe2\x81[\xa6-\xa9]|\xef\xbb\xbf"
"""The same characters in UTF-8, but for those below 0x20, which JSON escapes."""

_SHOWN = 80


def shown(text: object) -> str:
    """Quote `text` for a message: escaped, and cut at 80 characters so that nothing can flood it."""
    quoted = ascii(text if not isinstance(text, str) else text[: _SHOWN + 1])
    return quoted if len(quoted) <= _SHOWN + 2 else f"{quoted[:_SHOWN]}... ({len(str(text))} characters)"


_LINE = re.compile(LINE_PATTERN)


def check_line(text: str, *, what: str, limit: int) -> None:
    """Refuse `text` (FormatError) unless it is one line of human text of at most `limit` code points."""
    if len(text) > limit:
        raise FormatError(f"{what}: expected at most {limit} characters, got {len(text)}")
    if _LINE.search(text) is None:
        raise FormatError(f"{what}: control characters are not allowed, got {shown(text)}")
