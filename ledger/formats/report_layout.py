"""Where boxes and arrows of a drawing go: a layered layout by graphlay (docs/adr/0004-report.md).

The library sees sizes and pairs of numbers, never a text. It is imported only when a report is made. Its
answer is the same for the same input: rounded to a tenth of a pixel, so is the drawing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

PAGE_WIDTH, PAGE_HEIGHT = 960.0, 1_300.0
"""What fits a page, in pixels; only the proportion counts on paper."""

_SPACING = {"layer_gap": 46.0, "node_gap": 26.0, "isolated_gap": 26.0, "isolated_max_columns": 3}


class Drawing(Struct, frozen=True):
    """Upper left corners of the boxes and corner points of the arrows, from (0, 0) right and downwards."""

    width: float
    height: float
    corners: list[tuple[float, float]]
    arrows: list[list[tuple[float, float]]]


def layout(sizes: Sequence[tuple[float, float]], arrows: Sequence[tuple[int, int]]) -> Drawing:
    """Place boxes of these sizes (width, height) and route arrows (from, to) around them.

    The flow goes to the right or downwards, whichever has to be shrunk less to fit a page.
    """
    drawings = [_layout(sizes, arrows, direction) for direction in ("leftright", "topbottom")]
    return min(drawings, key=lambda each: max(each.width / PAGE_WIDTH, each.height / PAGE_HEIGHT))


def _layout(
    sizes: Sequence[tuple[float, float]], arrows: Sequence[tuple[int, int]], direction: str
) -> Drawing:
    import graphlay

    graph = graphlay.Graph()
    for width, height in sizes:
        graph.node(width=width, height=height)
    for start, end in arrows:
        graph.edge(start, end)
    options = {"direction": direction, "effort": "fast", "spacing": _SPACING}
    found = graphlay.layout(graph, options=options)
    low, high = found.bounds["min"], found.bounds["max"]

    def moved(point: dict[str, Any]) -> tuple[float, float]:
        return round(point["x"] - low["x"], 1), round(point["y"] - low["y"], 1)

    centers = [moved(node["center"]) for node in found.nodes]
    return Drawing(
        width=round(high["x"] - low["x"], 1),
        height=round(high["y"] - low["y"], 1),
        corners=[
            (round(x - width / 2, 1), round(y - height / 2, 1))
            for (x, y), (width, height) in zip(centers, sizes, strict=True)
        ],
        arrows=[[moved(point) for point in edge["points"]] for edge in found.edges],
    )
