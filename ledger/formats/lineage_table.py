"""A lineage graph as a plain text table: one row a version, with its distance from the roots.

For people and for `grep`: columns are separated by two spaces and padded by terminal cells. Where the graph
holds column edges, a second table lists them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ledger.core.lineage import LineageEdge, LineageGraph, LineageNode
from ledger.formats.lineage_tree import Children, children_of, short_digest, via
from ledger.formats.text import pad, printable, width

_HEAD = ("DEPTH", "VERSION", "KIND", "DIGEST", "PARTY", "STATE", "BLOCK", "CLAIMED", "MADE BY", "FINDINGS")
_COLUMN_HEAD = ("OUTPUT", "FIELD", "INPUT", "FIELD", "HOW")
_CELL = 60


def table_lines(graph: LineageGraph) -> Iterator[str]:
    """Yield the table line by line: versions by depth, then label, then id; then the column edges, if any."""
    depths = _depths(graph)
    nodes = {node.id: node for node in graph.nodes}
    # the activities that made a version: in either direction those of the edges into it
    made: dict[str, list[LineageEdge]] = {}
    for edge in graph.edges:
        made.setdefault(edge.output, []).append(edge)
    order = sorted(nodes.values(), key=lambda node: (depths.get(node.id, -1), node.label, node.id))
    rows = [_row(node, depths.get(node.id), made.get(node.id, [])) for node in order]
    yield from _aligned(_HEAD, rows)
    if graph.columns:
        yield ""
        yield from _aligned(_COLUMN_HEAD, _column_rows(graph, nodes))
    if graph.truncated:
        yield f"… cut here: {printable(graph.truncated, 200)}"


def _row(node: LineageNode, depth: int | None, made: list[LineageEdge]) -> tuple[str, ...]:
    return (
        "-" if depth is None else str(depth),
        printable(node.label, _CELL * 2),
        node.kind,
        short_digest(node.digest) if node.digest else "-",
        printable(node.party_name or node.party, _CELL) or "-",
        node.state,
        "-" if node.block is None else str(node.block),
        printable(node.time, 40) or "-",
        " ".join(via(made)).removeprefix("via ") or "-",
        printable(", ".join(node.findings), _CELL * 2) or "-",
    )


def _column_rows(graph: LineageGraph, nodes: dict[str, LineageNode]) -> list[tuple[str, ...]]:
    def label(name: str) -> str:
        return nodes[name].label if name in nodes else name

    rows = {
        (label(c.output), c.output_field or "*", label(c.input), c.input_field or "*", c.how or "-")
        for c in graph.columns
    }
    return [tuple(printable(cell, _CELL * 2) for cell in row) for row in sorted(rows)]


def _depths(graph: LineageGraph) -> dict[str, int]:
    children: Children = children_of(graph)
    depths = dict.fromkeys(graph.roots, 0)
    level = list(depths)
    while level:
        reached: dict[str, int] = {}
        for name in level:
            for far in children.get(name, ()):
                if far not in depths:
                    reached[far] = depths[name] + 1
        depths.update(reached)
        level = list(reached)
    return depths


def _aligned(head: Sequence[str], rows: list[tuple[str, ...]]) -> Iterator[str]:
    table = [tuple(head), *rows]
    widths = [max(map(width, column)) for column in zip(*table, strict=True)]
    for row in table:
        yield "  ".join(map(pad, row, widths)).rstrip()
