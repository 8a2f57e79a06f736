"""The lineage as a drawing: boxes that are links, arrows from sources to products, inline SVG.

Kinds are told apart by shape, outline and a word, never by colour alone. Long names are shortened in the
middle, because the ends of a name tell more than its middle; the whole name is in the box's `title`. Colours
are classes of the style sheet, so the drawing follows light, dark and paper.
"""

from __future__ import annotations

from collections.abc import Sequence

from ledger.core.lineage import Kind
from ledger.formats.report_html import WHOLE, Markup, element, join, link
from ledger.formats.report_layout import layout
from ledger.formats.report_plan import Box, Plan
from ledger.formats.text import ELLIPSIS, printable, width

BOX_WIDTH = 216.0
_PADDING = 12.0
_LINE = 17.0
_MARGIN = 6.0
_NAME_CELLS, _NOTE_CELLS = 25, 27
_CUT = 12.0
_FITS = 1_250.0
"""A drawing up to this wide is shrunk a little to fit a desktop's window; a wider one keeps its size."""
_TALL = 3_000.0
"""A drawing that is wider or taller than these scrolls both ways in its place."""

KINDS: dict[Kind, str] = {
    "observed": "its content was hashed",
    "declared": "named only: nobody hashed its content",
    "unregistered": "a source without a record",
    "unknown": "could not be told: its log could not be had",
}
"""What a kind means, in a few words."""


def canvas(plan: Plan, description: str) -> Markup:
    """Return the drawing of a plan where it scrolls if it must, `description` being for who can't see it."""
    labels = [_labels(box) for box in plan.boxes]
    heights = [2 * _PADDING + _LINE * len(lines) - 3 for lines in labels]
    placed = layout([(BOX_WIDTH, height) for height in heights], list(plan.arrows))
    wide, high = placed.width + 2 * _MARGIN, placed.height + 2 * _MARGIN
    arrows = [_arrow(points, name) for points, name in zip(placed.arrows, plan.arrows.values(), strict=True)]
    boxes = [
        _box(number, box, lines, corner, height)
        for number, (box, lines, corner, height) in enumerate(
            zip(plan.boxes, labels, placed.corners, heights, strict=True), 1
        )
    ]
    svg = element(
        "svg",
        element("title", "Lineage", id="drawing-title"),
        element("desc", description, id="drawing-text"),
        _arrow_head(),
        element("g", *arrows, *boxes, transform=f"translate({_MARGIN:g} {_MARGIN:g})"),
        viewBox=f"0 0 {wide:g} {high:g}",
        width=f"{wide:g}",
        height=f"{high:g}",
        role="group",
        aria_labelledby="drawing-title drawing-text",
        class_="drawing fits" if wide <= _FITS else "drawing",
    )
    return element(
        "div",
        svg,
        class_="canvas" if wide <= _FITS and high <= _TALL else "canvas large",
        role="region",
        tabindex="0",
        aria_label="Drawing of the lineage, which scrolls where it is larger than its place",
    )


def sample(kind: Kind) -> Markup:
    """Return a small box of a kind, for the legend."""
    shape = element("path", d=_outline(kind, 34, 20, 5), class_=f"shape {kind}")
    return element(
        "svg", element("g", shape, transform="translate(2 2)"), viewBox="0 0 38 24", width="38", height="24",
        aria_hidden="true", class_="sample",
    )  # fmt: skip


def _labels(box: Box) -> list[tuple[str, str]]:
    """Give the lines of a box as (class, text)."""
    head = " · ".join([box.kind, *box.marks])
    labels = [("kind", head)]
    labels += [("name", line) for line in _wrapped(printable(box.name), _NAME_CELLS)]
    if box.versions > 1:
        labels.append(("note", f"{box.versions:,} versions"))
    else:
        labels += [("note", line) for line in _in_words(printable(box.note), _NOTE_CELLS)]
    return labels


def _box(
    number: int, box: Box, labels: list[tuple[str, str]], corner: tuple[float, float], height: float
) -> Markup:
    texts = [
        element("text", text, x=f"{_PADDING + 4:g}", y=f"{_PADDING + 10 + at * _LINE:g}", class_=kind)
        for at, (kind, text) in enumerate(labels)
    ]
    marked = " root" if "asked for" in box.marks else ""
    lost = " lost" if {"revoked", "unknown"} & set(box.marks) else ""
    outline = _outline(box.kind, BOX_WIDTH, height, _CUT)
    inner = element(
        "g",
        element("title", _in_full(box)),
        element("path", d=outline, class_=f"shape {box.kind}{marked}{lost}"),
        element("svg", *texts, width=f"{BOX_WIDTH - 4:g}", height=f"{height:g}", class_="lines"),
    )
    return element(
        "g",
        link(f"version-{box.number}", inner) if box.number else inner,
        id=f"box-{number}" if not box.number else f"drawn-{box.number}",
        transform=f"translate({corner[0]:g} {corner[1]:g})",
    )


def _in_full(box: Box) -> Markup:
    texts = (printable(box.name, WHOLE), printable(box.note, WHOLE))
    return join((*filter(None, texts), f"{box.kind}: {KINDS[box.kind]}", *box.marks), " · ")


def _outline(kind: Kind, wide: float, high: float, cut: float) -> str:
    """Draw a box: rounded, dog-eared, cut at all corners, or with pointed ends."""
    half = high / 2
    if kind == "observed":
        r = cut / 2
        return (
            f"M{r:g} 0H{wide - r:g}Q{wide:g} 0 {wide:g} {r:g}V{high - r:g}"
            f"Q{wide:g} {high:g} {wide - r:g} {high:g}H{r:g}Q0 {high:g} 0 {high - r:g}V{r:g}Q0 0 {r:g} 0Z"
        )
    if kind == "declared":
        return f"M0 0H{wide - cut:g}L{wide:g} {cut:g}V{high:g}H0ZM{wide - cut:g} 0V{cut:g}H{wide:g}"
    if kind == "unregistered":
        return (
            f"M{cut:g} 0H{wide - cut:g}L{wide:g} {cut:g}V{high - cut:g}L{wide - cut:g} {high:g}"
            f"H{cut:g}L0 {high - cut:g}V{cut:g}Z"
        )
    return f"M{cut:g} 0H{wide - cut:g}L{wide:g} {half:g}L{wide - cut:g} {high:g}H{cut:g}L0 {half:g}Z"


def _arrow(points: Sequence[tuple[float, float]], name: str) -> Markup:
    return element(
        "path",
        element("title", name) if name else None,
        d=_rounded(points, 7.0),
        class_="arrow",
        marker_end="url(#arrow-head)",
    )


def _rounded(points: Sequence[tuple[float, float]], radius: float) -> str:
    """Draw a line through points, its corners rounded, its end left open for the head."""
    path = [f"M{points[0][0]:g} {points[0][1]:g}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        start, end = _toward(corner, before, radius), _toward(corner, after, radius)
        path.append(f"L{start[0]:g} {start[1]:g}Q{corner[0]:g} {corner[1]:g} {end[0]:g} {end[1]:g}")
    last = _toward(points[-1], points[-2], 5.0, whole=True)
    return "".join(path) + f"L{last[0]:g} {last[1]:g}"


def _toward(
    point: tuple[float, float], other: tuple[float, float], far: float, *, whole: bool = False
) -> tuple[float, float]:
    """Return the place `far` from a point towards another, at most half of the way unless `whole`."""
    dx, dy = other[0] - point[0], other[1] - point[1]
    distance = (dx * dx + dy * dy) ** 0.5
    share = min(far / distance, 1 if whole else 0.5) if distance else 0.0
    return round(point[0] + dx * share, 1), round(point[1] + dy * share, 1)


def _arrow_head() -> Markup:
    head = element("path", d="M0 0L8 4L0 8Z", class_="arrow-head")
    return element(
        "defs",
        element(
            "marker", head, id="arrow-head", viewBox="0 0 8 8", refX=3, refY=4, markerWidth=8, markerHeight=8,
            markerUnits="userSpaceOnUse", orient="auto",
        ),
    )  # fmt: skip


def _wrapped(text: str, cells: int) -> list[str]:
    """Break a name into at most two lines, after a slash where one is near."""
    if width(text) <= cells:
        return [text]
    head, tail = _take(text, cells)
    slash = head.rfind("/") + 1
    if slash > cells // 3:
        head, tail = text[:slash], text[slash:]
    return [head, _shortened(tail, cells)]


def _in_words(text: str, cells: int) -> list[str]:
    """Break a sentence between words into at most two lines, and leave out its end."""
    if width(text) <= cells:
        return [text] if text else []
    head, _ = _take(text, cells)
    space = head.rfind(" ") + 1
    if space > cells // 3:
        head = text[:space]
    rest = text[len(head) :]
    if width(rest) > cells:
        rest = _take(rest, cells - 1)[0].rstrip() + ELLIPSIS
    return [head, rest]


def _shortened(text: str, cells: int) -> str:
    """Leave out the middle of a text that is too wide."""
    if width(text) <= cells:
        return text
    start, _ = _take(text, (cells - 1) // 2)
    end, _ = _take(text[::-1], cells - 1 - width(start))
    return f"{start}{ELLIPSIS}{end[::-1]}"


def _take(text: str, cells: int) -> tuple[str, str]:
    """Split a text after as many characters as fit."""
    taken = 0
    for at, character in enumerate(text):
        taken += width(character)
        if taken > cells:
            return text[:at], text[at:]
    return text, ""
