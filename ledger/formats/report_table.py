"""Tables, lists of facts and small words that the parts of a report share.

A table is a real one: caption, column and row headers. On a narrow screen the style sheet turns each row into
a card whose cells are labelled by `data-label`; the roles say to a screen reader that it still is a table.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from ledger.formats.report_html import Markup, element, join, safe, said
from ledger.formats.times import MICROSECONDS, format_time

_LAST_SECOND = 253_402_300_799


class Row(Struct, frozen=True):
    """Cells of a row, the first being its header, and the place that links lead to."""

    cells: Sequence[str | None]
    anchor: str | None = None


def table(name: str, columns: Sequence[str], rows: Iterable[Row], caption: str | None = None) -> Markup:
    """Return a table called `name` (a class); `caption` says what is in it and what was left out."""
    head = [element("th", column, scope="col", role="columnheader") for column in columns]
    return element(
        "table",
        element("caption", caption) if caption else None,
        element("thead", element("tr", *head, role="row"), role="rowgroup"),
        element("tbody", *(_row(columns, row) for row in rows), role="rowgroup"),
        class_=name,
        role="table",
    )


def _row(columns: Sequence[str], row: Row) -> Markup:
    first, *others = row.cells
    cells = [element("th", element("div", first), scope="row", role="rowheader", data_label=columns[0])]
    cells += [
        element(
            "td",
            element("div", cell) if cell else None,
            role="cell",
            data_label=column,
            class_=None if cell else "empty",
        )
        for column, cell in zip(columns[1:], others, strict=True)
    ]
    return element("tr", *cells, id=row.anchor, role="row")


def facts(*pairs: tuple[str, str | None]) -> Markup:
    """Return names and what they stand for; a pair without a value is left out."""
    return element(
        "dl", *(element("div", element("dt", name), element("dd", value)) for name, value in pairs if value)
    )


def section(anchor: str, heading: str, *content: str | None, class_: str | None = None) -> Markup:
    """Return a part of the page with a heading, that can be linked to."""
    titled = element("h2", heading, id=f"{anchor}-heading")
    return element("section", titled, *content, id=anchor, aria_labelledby=f"{anchor}-heading", class_=class_)


def stack(*items: str | None) -> Markup:
    """Return items below one another."""
    return join(element("div", item) for item in items if item)


def claimed(time: str) -> Markup:
    """Return a time as its record claims it; one in RFC 3339 may break between date and time."""
    day, separator, clock = time.partition("T")
    return said(f"{day} {clock}" if separator and len(day) == 10 else time, 40)


def badge(word: str, kind: str = "") -> Markup:
    """Return a word in a frame, `kind` saying how serious it is."""
    return element("span", word, class_=f"badge {kind}".strip())


def quiet(*content: str | None) -> Markup:
    """Return what explains or adds to something, smaller."""
    return element("p", *content, class_="quiet")


def many(count: int, word: str, plural: str = "") -> str:
    """Return a count with its word: `1 record`, `2,000 records`."""
    return f"{count:,} {word if count == 1 else plural or f'{word}s'}"


def cut(shown: int, of: int, word: str, which: str = "the first") -> str | None:
    """Say that only some rows are shown, nothing if all are."""
    if shown >= of:
        return None
    return f"{shown:,} of {many(of, word)} shown: {which}. The evidence file has them all."


def moment(unix_s: int) -> Markup:
    """Return a proven time: date and time in UTC."""
    if not 0 <= unix_s <= _LAST_SECOND:
        return safe(f"Unix time {unix_s:d}")
    written = format_time(unix_s * MICROSECONDS)
    day, _, time = written.rstrip("Z").partition("T")
    return element("time", f"{day} {time} UTC", datetime=written)


def size(count: int) -> str:
    """Return a number of bytes as people read it."""
    if count < 1_000:
        return many(count, "byte")
    for unit, name in ((1_000_000_000, "GB"), (1_000_000, "MB")):
        if count >= unit:
            return f"{count / unit:.1f} {name} ({count:,} bytes)"
    return f"{count / 1_000:.1f} kB ({count:,} bytes)"
