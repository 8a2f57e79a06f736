"""Views of a lineage graph: right, deterministic, linear in the graph's size, and safe with hostile texts."""

from __future__ import annotations

import itertools
import json
import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.errors import Usage
from ledger.core.lineage import LineageColumn, LineageEdge, LineageGraph, LineageNode
from ledger.formats.lineage_tree import MAX_INDENT, tree_lines
from ledger.formats.lineage_views import VIEWS, render
from ledger.formats.text import printable, width


def node(name: str, **more: object) -> LineageNode:
    return LineageNode(id=name, label=name, **more)  # type: ignore[arg-type]


def story() -> LineageGraph:
    nodes = [
        node("haina/demand@1", digest="sha256:" + "ab" * 32, party="did:ethr:0x1:0x" + "1" * 40,
             party_name="Haina", state="final", block=12, time="2026-05-04T09:00:00Z"),
        node("haina/orders@2", state="anchored", block=11, title="Orders"),
        node("supplier/parts@1", kind="declared", findings=("input-changed",)),
        node("haina/raw@1"),
    ]  # fmt: skip
    edges = [
        LineageEdge(
            output="haina/demand@1", input="haina/orders@2", activity="a1", label="forecast.py", basis=6
        ),
        LineageEdge(
            output="haina/demand@1", input="supplier/parts@1", activity="a1", label="forecast.py", basis=1
        ),
        LineageEdge(output="haina/orders@2", input="haina/raw@1", activity="a0"),
        LineageEdge(output="supplier/parts@1", input="haina/raw@1", activity="a9"),
    ]
    columns = [
        LineageColumn(
            output="haina/demand@1", output_field="n", input="haina/orders@2", input_field="id", how="DIRECT"
        )
    ]
    return LineageGraph(
        direction="sources",
        roots=("haina/demand@1",),
        nodes=nodes,
        edges=edges,
        columns=columns,
        as_of_block=14,
    )


def test_tree() -> None:
    assert list(render(story(), "tree")) == [
        "haina/demand@1  sha256:abababababab  by Haina  final in block 12  claimed 2026-05-04T09:00:00Z",
        '├── haina/orders@2  "Orders"  anchored in block 11  via forecast.py [inputs+columns]',
        "│   └── haina/raw@1  pending  via a0",
        "└── supplier/parts@1  declared  pending  via forecast.py [stated]  ! input-changed",
        "    └── haina/raw@1  pending  via a9",
    ]


def test_tree_downwards_from_the_source() -> None:
    graph = LineageGraph(direction="uses", roots=("haina/raw@1",), nodes=story().nodes, edges=story().edges)
    lines = list(tree_lines(graph))
    assert [re.sub(r"(?<=\w)  .*", "", line) for line in lines] == [
        "haina/raw@1",
        "├── haina/orders@2",
        "│   └── haina/demand@1",
        "└── supplier/parts@1",
        "    └── haina/demand@1",
    ]


def test_shared_subtrees_are_shown_once() -> None:
    names = [f"d{n:03d}" for n in range(60)]
    # two edges a level: 2^59 paths
    nodes = [node(name + side) for name in names for side in "ab"]
    edges = [
        LineageEdge(output=upper + one, input=lower + two)
        for upper, lower in itertools.pairwise(names)
        for one in "ab"
        for two in "ab"
    ]
    lines = list(tree_lines(LineageGraph(direction="sources", roots=("d000a",), nodes=nodes, edges=edges)))
    assert len(lines) <= len(edges) + 1
    assert sum(line.endswith("(*)") for line in lines) == 114  # both nodes of levels 2 to 58


def test_a_root_below_another_root_is_not_repeated() -> None:
    graph = LineageGraph(
        direction="sources",
        roots=("haina/demand@1", "haina/orders@2"),
        nodes=story().nodes,
        edges=story().edges,
    )
    assert list(tree_lines(graph))[-1] == "haina/orders@2  (*)"


def test_cycles_end() -> None:
    edges = [LineageEdge(output="a", input="b"), LineageEdge(output="b", input="a")]
    graph = LineageGraph(direction="sources", roots=("a",), nodes=[node("a"), node("b")], edges=edges)
    for view in VIEWS:
        assert list(render(graph, view))
    assert [line.strip("│├└─ ")[0] for line in tree_lines(graph)] == ["a", "b", "a"]


@pytest.mark.parametrize("view", sorted(VIEWS))
def test_many_versions_in_a_row_and_beside_each_other(view: str) -> None:
    count = 77_000 if view == "tree" else 20_000
    nodes = [node(f"v{n:05d}") for n in range(count)]
    chain = [LineageEdge(output=f"v{n:05d}", input=f"v{n + 1:05d}") for n in range(count - 1)]
    fan = [LineageEdge(output="v00000", input=f"v{n:05d}") for n in range(1, count)]
    for edges in (chain, fan):
        graph = LineageGraph(direction="sources", roots=("v00000",), nodes=nodes, edges=edges)
        size = sum(len(line) for line in render(graph, view))
        assert size < 400 * count


def test_depth_is_a_number_beyond_the_indent() -> None:
    nodes = [node(f"v{n:05d}") for n in range(100)]
    edges = [LineageEdge(output=f"v{n:05d}", input=f"v{n + 1:05d}") for n in range(99)]
    lines = list(tree_lines(LineageGraph(direction="sources", roots=("v00000",), nodes=nodes, edges=edges)))
    assert f"[{MAX_INDENT}]" not in lines[MAX_INDENT]
    assert f"[{MAX_INDENT + 1}] v000{MAX_INDENT + 1}" in lines[MAX_INDENT + 1]
    assert len(lines[99]) < len(lines[MAX_INDENT]) + 10


def test_missing_node_and_cut_are_shown() -> None:
    graph = LineageGraph(
        direction="sources",
        roots=("a",),
        nodes=[node("a")],
        edges=[LineageEdge(output="a", input="gone")],
        truncated="depth 1",
    )
    assert list(tree_lines(graph))[1:] == ["└── gone  unknown  unknown", "… cut here: depth 1"]
    assert any("depth 1" in line for line in render(graph, "dot"))
    assert any("depth 1" in line for line in render(graph, "mermaid"))
    assert any("depth 1" in line for line in render(graph, "table"))
    assert json.loads("\n".join(render(graph, "json")))["truncated"] == "depth 1"


def test_table() -> None:
    lines = list(render(story(), "table"))
    assert lines[0].split() == [
        "DEPTH", "VERSION", "KIND", "DIGEST", "PARTY", "STATE", "BLOCK", "CLAIMED", "MADE", "BY", "FINDINGS"
    ]  # fmt: skip
    assert [line.split()[:2] for line in lines[1:5]] == [
        ["0", "haina/demand@1"], ["1", "haina/orders@2"], ["1", "supplier/parts@1"], ["2", "haina/raw@1"]
    ]  # fmt: skip
    assert lines[5] == ""
    assert lines[7].split() == ["haina/demand@1", "n", "haina/orders@2", "id", "DIRECT"]


def test_json() -> None:
    document = json.loads("\n".join(render(story(), "json")))
    assert document["format"] == "dataledger/lineage/v1"
    assert list(document) == [
        "format",
        "direction",
        "roots",
        "as_of",
        "truncated",
        "nodes",
        "edges",
        "columns",
    ]
    assert document["as_of"] == {"block": 14, "time": ""}
    assert set(document["nodes"][0]) == {
        "id", "label", "kind", "digest", "party", "party_name", "title", "state", "block", "time", "findings"
    }  # fmt: skip
    assert document["edges"][0]["basis"] == ["inputs", "columns"]
    assert document["edges"][2]["basis"] == []
    assert document["columns"][0]["input_field"] == "id"


def test_empty_graph() -> None:
    graph = LineageGraph(direction="sources", roots=(), nodes=[], edges=[])
    assert list(render(graph, "tree")) == []
    assert json.loads("\n".join(render(graph, "json")))["nodes"] == []


def test_unknown_view() -> None:
    with pytest.raises(Usage, match="tree"):
        render(story(), "svg")


HOSTILE = [
    "\x1b[2J\x1b[31mred",
    "a\nfake line",
    "\r overwritten",
    "\u202egpj.exe",
    "\x9b31m",
    "zero\u200bwidth",
    '"]; evil [label="',
    "\\",
    '\\"',
    "%%{init: {'securityLevel': 'loose'}}%%",
    "`**md**`",
    "<script>alert(1)</script>",
    "#quot;",
    "e\u0301" + "\u0301" * 500,
    "\ud800",
    "n" * 100_000,
    "\x7f",
    "|pipe|",
    "\U000e0041tag",
]


@pytest.mark.parametrize("view", sorted(VIEWS))
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts(view: str, text: str) -> None:
    evil = LineageNode(
        id=text, label=text, title=text, party=text, party_name=text, time=text, digest=text, findings=(text,)
    )
    graph = LineageGraph(
        direction="sources",
        roots=("root",),
        nodes=[node("root"), evil],
        edges=[LineageEdge(output="root", input=text, activity=text, label=text, basis=1)],
        columns=[LineageColumn(output="root", output_field=text, input=text, input_field=text, how=text)],
        truncated=text,
    )
    lines = list(render(graph, view))
    assert all(line.isprintable() for line in lines)
    joined = "\n".join(lines)
    joined.encode()
    if view == "json":
        document = json.loads(joined)
        assert text in {entry["label"] for entry in document["nodes"]}
    else:
        assert "\u0301" * 6 not in joined
        assert max(map(len, lines)) < 8_000
    if view == "dot":
        for line in lines:
            assert re.sub(r'"(?:[^"\\]|\\.)*"', "", line).count('"') == 0
    if view == "mermaid":
        assert "%%" not in joined
        assert not set(joined.replace("<br/>", "").replace("-->", "")) & set("<>`{}\\%")
        for line in lines:
            assert line.count('"') in (0, 2)


@given(st.text())
def test_printable(text: str) -> None:
    assert printable(text).isprintable()
    assert len(printable(text, 10)) <= 10
    if text.isascii() and text.isprintable():
        assert printable(text) == text


def test_width() -> None:
    assert (width("abc"), width("洗衣机"), width("e\u0301")) == (3, 6, 1)


@given(st.randoms())
def test_order_of_nodes_and_edges_does_not_matter(randoms: random.Random) -> None:
    whole = story()
    nodes, edges, columns = list(whole.nodes), list(whole.edges), list(whole.columns)
    for some in (nodes, edges, columns):
        randoms.shuffle(some)
    other = LineageGraph(
        direction="sources", roots=whole.roots, nodes=nodes, edges=edges, columns=columns, as_of_block=14
    )
    for view in VIEWS:
        assert list(render(other, view)) == list(render(whole, view))
