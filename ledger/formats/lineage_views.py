"""Every way to show a lineage graph: tree, table, JSON, DOT and Mermaid.

All are pure and deterministic: the same graph, its nodes and edges in any order, gives the same text. Texts
from other parties are neutralised (`ledger.formats.text`). The JSON shape is stable, and a change of meaning
changes its `format`:

```
{"format": "dataledger/lineage/v1",
 "direction": "sources" | "uses",
 "roots": [id, ...],
 "as_of": {"block": 12 | null, "time": "" | RFC 3339},
 "truncated": "" | "the limit that was hit",
 "nodes":   [{"id", "label", "kind", "digest", "party", "party_name", "title", "state", "block", "time",
              "findings": [code, ...]}, ...],                                      sorted by id
 "edges":   [{"output", "input", "activity", "label", "basis": ["stated" | "inputs" | "columns", ...]}, ...],
 "columns": [{"output", "output_field", "input", "input_field", "how", "activity"}, ...]}
```

Every member is always there; `block` may be null, texts may be empty.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from ledger.core.errors import Usage
from ledger.core.lineage import LineageEdge, LineageGraph
from ledger.formats.lineage_graphs import dot_lines, mermaid_lines
from ledger.formats.lineage_table import table_lines
from ledger.formats.lineage_tree import basis_text, tree_lines

JSON_FORMAT = "dataledger/lineage/v1"


def render(graph: LineageGraph, view: str) -> Iterator[str]:
    """Yield the lines of one view: `tree`, `table`, `json`, `dot` or `mermaid`; another name raises Usage."""
    if view not in VIEWS:
        raise Usage(f"view: expected one of {', '.join(VIEWS)}, got {view!a}")
    return VIEWS[view](graph)


def json_lines(graph: LineageGraph) -> Iterator[str]:
    """Yield the JSON document in pieces that end where a line ends: one node, edge or column a line."""
    yield "{"
    yield f' "format": {_text(JSON_FORMAT)},'
    yield f' "direction": {_text(graph.direction)},'
    yield f' "roots": {_text(list(graph.roots))},'
    yield f' "as_of": {_text({"block": graph.as_of_block, "time": graph.as_of_time})},'
    yield f' "truncated": {_text(graph.truncated)},'
    nodes = sorted({node.id: node for node in graph.nodes}.values(), key=lambda node: node.id)
    yield from _members("nodes", (msgspec.structs.asdict(node) for node in nodes), ",")
    yield from _members("edges", map(_edge, sorted(graph.edges, key=msgspec.structs.astuple)), ",")
    columns = sorted(graph.columns, key=msgspec.structs.astuple)
    yield from _members("columns", (msgspec.structs.asdict(column) for column in columns), "")
    yield "}"


def _members(name: str, values: Iterator[dict[str, Any]], after: str) -> Iterator[str]:
    yield f' "{name}": ['
    waiting = ""
    for value in values:
        if waiting:
            yield f"  {waiting},"
        waiting = _text(value)
    if waiting:
        yield f"  {waiting}"
    yield f" ]{after}"


def _edge(edge: LineageEdge) -> dict[str, Any]:
    return {
        **msgspec.structs.asdict(edge),
        "basis": [word for word in basis_text(edge.basis).split("+") if word],
    }


def _text(value: object) -> str:
    # letters of every script stay readable; what a terminal would obey or hide is written as \uNNNN
    encoded = json.dumps(value, ensure_ascii=False, separators=(", ", ": "))
    if encoded.isprintable():
        return encoded
    return "".join(c if c.isprintable() else _escaped(c) for c in encoded)


def _escaped(character: str) -> str:
    return json.dumps(character)[1:-1] if character != "\x7f" else "\\u007f"  # json leaves DEL alone


VIEWS: dict[str, Callable[[LineageGraph], Iterator[str]]] = {
    "tree": tree_lines,
    "table": table_lines,
    "json": json_lines,
    "dot": dot_lines,
    "mermaid": mermaid_lines,
}
"""What `--format` offers."""
