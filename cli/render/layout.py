"""What all renderings are made of: aligned columns, facts, notes, words for parties, hashes and blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import click

from ledger.formats.text import pad, printable, width

MAX_CELL = 100
"""A table cell is cut here: more than the longest DID, less than what makes a line unreadable."""

SHORT = 12
"""How many hex digits of a hash are shown: enough to name it to `show`."""

MORE = "... there is more: raise --limit"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield aligned columns under a head; nothing without rows. An empty `head` leaves the head line out.

    Columns that are empty in every row are left out, with their heads.
    """
    body = [[printable(str(cell), MAX_CELL) for cell in row] for row in rows]
    used = [i for i in range(len(body[0]) if body else 0) if any(row[i] for row in body)]
    lines = [[row[i] for i in used] for row in body]
    titles = [head[i] for i in used] if head else []
    widths = [max(map(width, column)) for column in zip(*lines, *([titles] if titles else []), strict=True)]
    if titles:
        yield _styled(_row(titles, widths), "", None)
    for line in lines:
        yield _row(line, widths)


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(map(pad, cells, widths)).rstrip()


def pairs(rows: Iterable[tuple[str, object]], indent: str = "") -> Iterator[str]:
    """Yield `name  value` lines, aligned; rows without a value are left out."""
    kept = [(printable(name), printable(str(value))) for name, value in rows if value not in ("", None, [])]
    widest = max((width(name) for name, _ in kept), default=0)
    for name, value in kept:
        yield f"{indent}{pad(name, widest)}  {value}"


def notes(lines: Iterable[str]) -> Iterator[str]:
    """Yield notes as lines."""
    for line in lines:
        yield f"note: {line}"


def problems(*texts: str) -> Iterator[str]:
    """Yield what was asked for and could not be done, as lines."""
    for text in texts:
        if text:
            yield bad("problem", f": {text}")


class Styled(str):
    """A line whose first word is a verdict, in bold and a colour on a terminal."""

    __slots__ = ("colour", "word")
    word: str
    colour: str | None


def _styled(word: str, rest: str, colour: str | None) -> Styled:
    line = Styled(word + rest)
    line.word, line.colour = word, colour
    return line


def good(word: str, rest: str = "") -> Styled:
    """Return a line that begins with a good verdict: green on a terminal."""
    return _styled(word, rest, "green")


def bad(word: str, rest: str = "") -> Styled:
    """Return a line that begins with a bad verdict: red on a terminal."""
    return _styled(word, rest, "red")


def unsure(word: str, rest: str = "") -> Styled:
    """Return a line that begins with a verdict that is neither: yellow on a terminal."""
    return _styled(word, rest, "yellow")


def strong(text: str) -> Styled:
    """Return a heading: bold on a terminal."""
    return _styled(text, "", None)


def prompt(who_types: str, command: str) -> Styled:
    """Return a command as it was typed, behind its prompt: cyan on a terminal."""
    return _styled(who_types, command, "cyan")


def shown(line: str) -> str:
    """Return a line as it goes out: what could steer a terminal made visible, the first word styled."""
    text = printable(line)
    if not isinstance(line, Styled) or not text.startswith(line.word):
        return text
    return click.style(line.word, fg=line.colour, bold=True) + text[len(line.word) :]


def who(name: str, party: str) -> str:
    """Return a party as the name that it claims and its DID."""
    return f"{name} ({party})" if name else party


def short(hex_text: str) -> str:
    """Return the first digits of a hash, enough to name it to `show`."""
    return hex_text[:SHORT]


def count(number: int, singular: str, plural: str = "") -> str:
    """Return a number with its noun: `1 record`, `2 records`, `2 activities`."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def anchored(block: int, time: str) -> str:
    """Return a block and its proven time."""
    return f"block {block:,} ({time})" if time else f"block {block:,}"


def money(amount: int, currency: str) -> str:
    """Return an amount of minor units in the currency's major ones; as it stands if nobody knows it."""
    from ledger.core.money import EXPONENTS, format_amount

    return f"{format_amount(amount, currency) if currency in EXPONENTS else amount} {currency}".rstrip()
