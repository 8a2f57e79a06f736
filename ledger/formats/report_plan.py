"""What of a lineage is drawn: every version, or assets where versions would be too many, or the nearest ones.

Above `BOXES` boxes or `ARROWS` arrows nobody can read a drawing. Then the versions of an asset share one box,
and if even that is too much, those nearest to the roots are drawn. What was done is said in words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct

from ledger.core.lineage import Kind, LineageEdge, LineageNode
from ledger.core.verdict import EvidenceView
from ledger.formats.report_numbers import MARKS, VERSIONS, Numbers

BOXES = 150
ARROWS = 300
NEAREST = 60
"""How many boxes are drawn of a lineage that has too many assets."""


class Box(Struct, frozen=True, kw_only=True):
    """A box: what it stands for, in words, and the row of the table of versions that it leads to (or 0)."""

    name: str
    kind: Kind
    note: str = ""
    marks: tuple[str, ...] = ()
    versions: int = 1
    number: int = 0


class Plan(Struct, frozen=True, kw_only=True):
    """Boxes, arrows between them (source to product, with the names of their steps), what is not drawn."""

    boxes: list[Box]
    arrows: dict[tuple[int, int], str]
    left_out: str = ""


def plan(view: EvidenceView, numbers: Numbers) -> Plan:
    """Decide what to draw of a lineage."""
    nodes = numbers.versions
    boxes = {node.id: at for at, node in enumerate(nodes)}
    arrows = _arrows(view.graph.edges, boxes)
    drawn = [_box(numbers, node) for node in nodes]
    if len(drawn) <= BOXES and len(arrows) <= ARROWS:
        return Plan(boxes=drawn, arrows=arrows)
    drawn, group = _by_asset(drawn)
    arrows = _arrows(view.graph.edges, {name: group[at] for name, at in boxes.items()})
    said = f"{len(nodes):,} versions are too many to draw: one box stands for all versions of an asset."
    kept = _readable(len(drawn), arrows)
    if kept < len(drawn):
        said += f" Drawn are the {kept:,} of {len(drawn):,} that are nearest to what was asked for."
    inside = {pair: name for pair, name in arrows.items() if max(pair) < kept}
    return Plan(boxes=drawn[:kept], arrows=inside, left_out=said)


def _box(numbers: Numbers, node: LineageNode) -> Box:
    number = numbers.version_of[node.id]
    return Box(
        name=node.label or node.id,
        kind=node.kind,
        note=node.title or node.party_name,
        marks=numbers.marks(node),
        number=number if number <= VERSIONS else 0,
    )


def _arrows(edges: Sequence[LineageEdge], boxes: Mapping[str, int]) -> dict[tuple[int, int], str]:
    arrows: dict[tuple[int, int], set[str]] = {}
    for edge in edges:
        start, end = boxes.get(edge.input), boxes.get(edge.output)
        if start is not None and end is not None and start != end:
            arrows.setdefault((start, end), set()).add(edge.label)
    return {pair: ", ".join(sorted(filter(None, arrows[pair]))[:5]) for pair in sorted(arrows)}


def _by_asset(boxes: list[Box]) -> tuple[list[Box], list[int]]:
    """Put the versions of an asset that are of one kind into one box; give it and where each version went."""
    together: dict[tuple[str, Kind], list[Box]] = {}
    keys = [(box.name.partition("@")[0] or box.name, box.kind) for box in boxes]
    for key, box in zip(keys, boxes, strict=True):
        together.setdefault(key, []).append(box)
    at = {key: number for number, key in enumerate(together)}
    return [_grouped(asset, group) for (asset, _), group in together.items()], [at[key] for key in keys]


def _grouped(asset: str, group: list[Box]) -> Box:
    if len(group) == 1:
        return group[0]
    marks = tuple(dict.fromkeys(mark for box in group for mark in box.marks if mark in MARKS))
    found = any(mark not in MARKS for box in group for mark in box.marks)
    return msgspec.structs.replace(
        group[0], name=asset, marks=(*marks, "findings") if found else marks, versions=len(group)
    )


def _readable(boxes: int, arrows: Mapping[tuple[int, int], str]) -> int:
    """Return how many boxes, nearest first, are drawn; never with more than `ARROWS` arrows."""
    ends = sorted(max(pair) for pair in arrows)
    if boxes <= BOXES and len(ends) <= ARROWS:
        return boxes
    return min(boxes, NEAREST, ends[ARROWS] if len(ends) > ARROWS else boxes)
