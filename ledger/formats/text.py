"""Text from other parties, made safe to show.

Titles, names and labels in records are written by strangers. On a terminal an escape sequence can move the
cursor or rewrite what was printed, a line break can fake a line, and a bidirectional override can turn a name
around (Trojan Source, CVE-2021-42574). `printable` shows all of these as visible escapes instead.
"""

from __future__ import annotations

import unicodedata

ELLIPSIS = "…"


def printable(text: str, limit: int = 0) -> str:
    r"""Return `text` with everything invisible as `\xNN`, `\uNNNN` or `\UNNNNNNNN`, and runs of marks cut.

    Escaped: control and format characters, line and paragraph separators, lone surrogates, private and
    unassigned code points, every space but U+0020. Of combining marks at most four follow one character. With
    `limit` > 0 the result has at most that many characters, the last an ellipsis if any was cut.
    """
    if limit and len(text) > limit:
        text = text[:limit]  # each character gives at least one: what lies behind is cut below anyway
        shown = printable(text) + ELLIPSIS
    elif text.isascii() and text.isprintable():
        return text
    else:
        shown = "".join(_visible(text))
    if limit and len(shown) > limit:
        shown = shown[: limit - 1] + ELLIPSIS
    return shown


def width(text: str) -> int:
    """Return how many terminal cells a printable text takes (wide East Asian characters take two)."""
    if text.isascii():
        return len(text)
    return sum(_cells(character) for character in text)


def pad(text: str, cells: int) -> str:
    """Return `text` filled with spaces on the right up to `cells` terminal cells."""
    return text + " " * max(0, cells - width(text))


def _visible(text: str) -> list[str]:
    out = []
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character)[0] == "M" else 0
        if character.isprintable() and marks <= 4:
            out.append(character)
        elif not character.isprintable():
            out.append(escaped(character))
    return out


def escaped(character: str) -> str:
    r"""Return one character as `\xNN`, `\uNNNN` or `\UNNNNNNNN`."""
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _cells(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
