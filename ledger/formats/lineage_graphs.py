r"""A lineage graph for drawing tools: Graphviz DOT and Mermaid.

Arrows follow the data, from source to product, whichever direction was asked for. Node names are numbers of
our own (`n0`, `n1`, ... in order of id), so that no text from a record is ever syntax; labels are quoted and
escaped:

- DOT (https://graphviz.org/doc/info/lang.html): a quoted string ends at `"`, and `\` starts an escape such as
  `\N`; both are escaped, and nothing else is special between quotes.
- Mermaid: inside quotes `#` starts an entity, `<` HTML, a backtick Markdown, and `%%{` is read as a directive
  wherever it stands; everything outside a short list of plain characters is written as `#code;`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ledger.core.lineage import LineageGraph, LineageNode
from ledger.formats.lineage_tree import basis_text, short_digest
from ledger.formats.text import printable

_SHAPES = {"observed": "solid", "declared": "dashed", "unregistered": "dotted", "unknown": "dotted"}
_PLAIN = frozenset(" -_.,/:@+*!?=()…")
_LABEL = 200


def dot_lines(graph: LineageGraph) -> Iterator[str]:
    """Yield a DOT digraph, line by line: nodes in order of id, then edges in order of both ends."""
    yield "digraph lineage {"
    yield "  rankdir=LR;"
    yield '  node [shape=box, fontname="sans-serif"];'
    if graph.truncated:
        yield f"  label={_dot(f'cut: {printable(graph.truncated, _LABEL)}')};"
    numbers = _numbers(graph)
    roots = set(graph.roots)
    for node in _nodes(graph):
        bold = ", penwidth=2" if node.id in roots else ""
        label = _dot(*_labels(node))
        yield f"  {numbers[node.id]} [label={label}, style={_SHAPES[node.kind]}{bold}];"
    for source, product, label in _edges(graph, numbers):
        yield f"  {source} -> {product}" + (f" [label={_dot(label)}];" if label else ";")
    yield "}"


def mermaid_lines(graph: LineageGraph) -> Iterator[str]:
    """Yield a Mermaid flowchart, line by line, in the same order as `dot_lines`."""
    yield "flowchart LR"
    numbers = _numbers(graph)
    for node in _nodes(graph):
        label = "<br/>".join(_mermaid(text) for text in _labels(node))
        yield f'  {numbers[node.id]}["{label}"]'
    for source, product, label in _edges(graph, numbers):
        yield f"  {source} -->" + (f'|"{_mermaid(label)}"| ' if label else " ") + product
    for kind in ("declared", "unregistered", "unknown"):
        named = [numbers[node.id] for node in _nodes(graph) if node.kind == kind]
        if named:
            yield f"  classDef {kind} stroke-dasharray: 4 3"
            yield f"  class {','.join(named)} {kind}"
    if graph.truncated:
        yield f'  cut["{_mermaid(f"cut: {printable(graph.truncated, _LABEL)}")}"]'


def _nodes(graph: LineageGraph) -> list[LineageNode]:
    return sorted({node.id: node for node in graph.nodes}.values(), key=lambda node: node.id)


def _numbers(graph: LineageGraph) -> dict[str, str]:
    names = {node.id for node in graph.nodes}
    return {name: f"n{at}" for at, name in enumerate(sorted(names))}


def _labels(node: LineageNode) -> list[str]:
    labels = [printable(node.label, _LABEL)]
    if node.title:
        labels.append(printable(node.title, 60))
    if node.digest:
        labels.append(short_digest(node.digest))
    if node.kind != "observed":
        labels.append(node.kind)
    labels.extend(f"! {printable(finding, 60)}" for finding in node.findings)
    return labels


def _edges(graph: LineageGraph, numbers: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    distinct = {
        (edge.input, edge.output, edge.label or edge.activity, edge.basis)
        for edge in graph.edges
        if edge.input in numbers and edge.output in numbers
    }
    for source, product, name, basis in sorted(distinct):
        label = printable(name, 60) + (f" [{basis_text(basis)}]" if basis else "")
        yield numbers[source], numbers[product], label.strip()


def _dot(*lines: str) -> str:
    escape: Callable[[str], str] = lambda text: text.replace("\\", "\\\\").replace('"', '\\"')  # noqa: E731
    return '"' + "\\n".join(escape(line) for line in lines) + '"'


def _mermaid(text: str) -> str:
    return "".join(c if c in _PLAIN or c.isalnum() else f"#{ord(c)};" for c in text)
