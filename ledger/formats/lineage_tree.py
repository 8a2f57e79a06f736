"""A lineage graph as a tree of text, one line an edge.

A lineage is a graph, and a tree of one can be exponentially larger than it: every subtree is therefore
written once, where it is first reached, and a later occurrence carries `(*)` and nothing below it, as
`cargo tree` does. No more lines than roots and edges, whatever the shape. Nothing recurses, and beyond
`MAX_INDENT` levels the depth is given as a number instead of more bars, so that a chain of 77,000 versions
stays linear in size.

    haina/demand@1  sha256:9f86d081884c  by Haina  anchored in block 12  claimed 2026-05-04T09:00:00Z
    ├── haina/orders@2  …  via forecast.py [inputs+columns]
    │   └── haina/raw@1  …
    └── haina/sensors@1  declared  …  ! input-changed
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ledger.core import records
from ledger.core.lineage import LineageEdge, LineageGraph, LineageNode
from ledger.formats.text import printable

MAX_INDENT = 40
"""Levels drawn with bars; a deeper line starts with its depth in brackets."""

MAX_LABEL = 200
MAX_VIA = 3
"""How many activities between the same two versions are named on one line; the rest are counted."""

_BASIS = (
    (records.BASIS_STATED, "stated"),
    (records.BASIS_INPUTS, "inputs"),
    (records.BASIS_COLUMNS, "columns"),
)
_DIGEST_SHOWN = 12

Children = dict[str, dict[str, list[LineageEdge]]]
"""Node id -> next node's id, in order of label -> the edges between the two."""


def tree_lines(graph: LineageGraph) -> Iterator[str]:
    """Yield the tree in lines without line ends: roots in the order given, children by label, then id."""
    nodes = {node.id: node for node in graph.nodes}
    children = children_of(graph)
    opened: set[str] = set()
    for root in graph.roots:
        yield _line(nodes, root, [], repeated=root in opened and root in children)
        if root not in opened:
            opened.add(root)
            yield from _below(root, nodes, children, opened)
    if graph.truncated:
        yield f"… cut here: {printable(graph.truncated, MAX_LABEL)}"


def _below(root: str, nodes: dict[str, LineageNode], children: Children, opened: set[str]) -> Iterator[str]:
    stack = [(iter(_ordered(children.get(root, {}))), "")]
    while stack:
        siblings, prefix = stack[-1]
        current = next(siblings, None)
        if current is None:
            stack.pop()
            continue
        name, edges, last = current
        repeated = name in opened and name in children
        yield _lead(prefix, len(stack), last=last) + _line(nodes, name, edges, repeated=repeated)
        if name not in opened:
            opened.add(name)
            if name in children:
                bars = prefix + ("    " if last else "│   ") if len(stack) < MAX_INDENT else prefix
                stack.append((iter(_ordered(children[name])), bars))


def children_of(graph: LineageGraph) -> Children:
    """Return for each node what follows in the graph's direction, sorted by label, then id."""
    labels = {node.id: node.label for node in graph.nodes}
    upwards = graph.direction == "sources"
    found: Children = {}
    for edge in graph.edges:
        near, far = (edge.output, edge.input) if upwards else (edge.input, edge.output)
        found.setdefault(near, {}).setdefault(far, []).append(edge)
    for near, beside in found.items():
        found[near] = dict(sorted(beside.items(), key=lambda item: (labels.get(item[0], ""), item[0])))
    return found


def _ordered(beside: dict[str, list[LineageEdge]]) -> list[tuple[str, list[LineageEdge], bool]]:
    end = len(beside) - 1
    return [(name, edges, at == end) for at, (name, edges) in enumerate(beside.items())]


def _lead(prefix: str, depth: int, *, last: bool) -> str:
    branch = "└── " if last else "├── "
    return prefix + branch if depth <= MAX_INDENT else f"{prefix}{branch}[{depth}] "


def _line(nodes: dict[str, LineageNode], name: str, edges: list[LineageEdge], *, repeated: bool) -> str:
    node = nodes.get(name) or LineageNode(id=name, label=name, kind="unknown", state="unknown")
    parts = [printable(node.label, MAX_LABEL)]
    if repeated:
        return "  ".join([*parts, *via(edges), "(*)"])
    if node.title:
        parts.append(f'"{printable(node.title, 60)}"')
    return "  ".join(
        [*parts, *described(node), *via(edges), *(f"! {printable(f, 60)}" for f in node.findings)]
    )


def described(node: LineageNode) -> list[str]:
    """Return what is known of a version as short phrases: digest, kind, party, state, claimed time."""
    parts = [short_digest(node.digest)] if node.digest else []
    if node.kind != "observed":
        parts.append(node.kind)
    if node.party or node.party_name:
        parts.append(f"by {printable(node.party_name or node.party, 60)}")
    parts.append(f"{node.state} in block {node.block}" if node.block is not None else node.state)
    if node.time:
        parts.append(f"claimed {printable(node.time, 40)}")
    return parts


def short_digest(digest: str) -> str:
    """Return a digest `name:hex` with its name and the first 12 hex digits."""
    name, _, value = printable(digest).partition(":")
    return f"{name[:40]}:{value[:_DIGEST_SHOWN]}"


def via(edges: Iterable[LineageEdge]) -> list[str]:
    """Return, for the edges between two versions, who made the one from the other and on what basis."""
    named = sorted({edge.label or edge.activity for edge in edges} - {""})
    basis = 0
    for edge in edges:
        basis |= edge.basis
    if not named and not basis:
        return []
    shown = [printable(name, 60) for name in named[:MAX_VIA]]
    if len(named) > MAX_VIA:
        shown.append(f"{len(named) - MAX_VIA} more")
    text = f"via {', '.join(shown)}" if shown else ""
    return [f"{text} [{basis_text(basis)}]".strip() if basis else text]


def basis_text(basis: int) -> str:
    """Return a basis as words joined by `+`: stated, inputs, columns."""
    return "+".join(word for bit, word in _BASIS if basis & bit)
