"""The lineage on a report: a drawing with its legend, and the same in tables, for every reader and paper."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.core.lineage import LineageColumn, LineageEdge, LineageGraph, LineageNode
from ledger.formats.lineage_tree import basis_text
from ledger.formats.report_html import WHOLE, Markup, code, digest, element, join, link, name, said
from ledger.formats.report_numbers import MARKS, VERSIONS, Numbers
from ledger.formats.report_plan import Plan
from ledger.formats.report_svg import KINDS, canvas, sample
from ledger.formats.report_table import Row, badge, claimed, cut, many, quiet, section, stack, table

STEPS = 300
INPUTS = 20
COLUMNS = 200


def lineage(graph: LineageGraph, drawn: Plan) -> Markup:
    """Return the drawing of the lineage with its legend."""
    counted = f"{many(len(graph.nodes), 'version')}, {many(len(graph.edges), 'link')} between them"
    described = f"{counted}. The tables of versions and of steps below say the same in words."
    reads = "Arrows lead from a source to what was made from it."
    return section(
        "lineage",
        "Lineage",
        element("p", f"{counted}. {reads} A box leads to its row in the table below."),
        _warning("Cut: ", said(graph.truncated, WHOLE), ". The lineage goes on where this file ends.")
        if graph.truncated
        else None,
        _warning(drawn.left_out) if drawn.left_out else None,
        canvas(drawn, described) if drawn.boxes else element("p", "There is nothing to draw."),
        _legend(drawn) if drawn.boxes else None,
    )


def _legend(drawn: Plan) -> Markup:
    present = {box.kind for box in drawn.boxes}
    items = [
        element("li", sample(kind), element("span", element("b", kind), f": {meaning}"))
        for kind, meaning in KINDS.items()
        if kind in present
    ]
    return element("ul", *items, class_="legend")


def versions(numbers: Numbers, drawn: Plan) -> Markup | None:
    """Return the table of versions, those nearest to what was asked for first."""
    if not numbers.versions:
        return None
    boxes = {box.number for box in drawn.boxes}
    shown = enumerate(numbers.versions[:VERSIONS], 1)
    rows = [Row(_version(numbers, node, number in boxes), f"version-{number}") for number, node in shown]
    columns = ("Version", "Kind", "Digest", "Claimed by", "Claimed time", "Records")
    caption = cut(len(rows), len(numbers.versions), "version", "those nearest to what was asked for")
    return section("versions", "Versions in the lineage", table("versions", columns, rows, caption))


def _version(numbers: Numbers, node: LineageNode, drawn: bool) -> tuple[str | None, ...]:
    named = element("span", name(node.label or node.id), class_="name")
    records = numbers.records_of(node)
    findings = [badge(said(each, 60), "warning") for each in node.findings[:10]]
    marks = [badge(mark, mark) for mark in numbers.marks(node) if mark in MARKS[1:]]
    back = link(f"drawn-{numbers.version_of[node.id]}", "in the drawing") if drawn else None
    return (
        stack(named, said(node.title) if node.title else None, quiet(back) if back else None),
        stack(element("span", node.kind, class_=f"kind {node.kind}"), *marks, *findings),
        digest(node.digest) if node.digest else None,
        _party(numbers, node),
        claimed(node.time) if node.time else None,
        stack(*(numbers.record_row(number) for number in records[:3]), _more(len(records) - 3)),
    )


def _party(numbers: Numbers, node: LineageNode) -> Markup | None:
    if node.party in numbers.party_of:
        return numbers.party(node.party)
    return said(node.party_name or node.party) if node.party_name or node.party else None


def steps(graph: LineageGraph, numbers: Numbers) -> Markup | None:
    """Return the table of steps: which versions a step made from which."""
    together: dict[tuple[str, str], list[LineageEdge]] = {}
    for edge in graph.edges:
        together.setdefault((edge.activity, edge.label), []).append(edge)
    if not together:
        return None
    nearest = {key: min(numbers.version_of[edge.output] for edge in edges) for key, edges in together.items()}
    order = sorted(together, key=lambda key: (nearest[key], key))
    rows = [Row(_step(numbers, key, together[key])) for key in order[:STEPS]]
    columns = ("Step", "Made", "From", "Basis", "Record")
    explained = (
        "Basis is what the step's record says: “stated” names this very link, “inputs” lists all that the "
        "step read, “columns” tells which column came from which."
    )
    left_out = cut(len(rows), len(together), "step", "those nearest to what was asked for")
    caption = join((explained, f" {left_out}" if left_out else None))
    return section("steps", "Steps", table("steps", columns, rows, caption), _columns(graph.columns, numbers))


def _step(numbers: Numbers, key: tuple[str, str], edges: list[LineageEdge]) -> tuple[str | None, ...]:
    activity, label = key
    words = sorted({word for edge in edges for word in basis_text(edge.basis).split("+") if word})
    return (
        said(label) if label else "a step without a name",
        _names(numbers, [edge.output for edge in edges]),
        _names(numbers, [edge.input for edge in edges]),
        ", ".join(words) or None,
        numbers.record(activity) or (code(activity) if activity else None),
    )


def _names(numbers: Numbers, names: list[str]) -> Markup:
    distinct = sorted(set(names), key=lambda name: numbers.version_of[name])
    return stack(*map(numbers.version, distinct[:INPUTS]), _more(len(distinct) - INPUTS))


def _more(count: int) -> str | None:
    return f"and {count:,} more" if count > 0 else None


def _columns(columns: Sequence[LineageColumn], numbers: Numbers) -> Markup | None:
    if not columns:
        return None
    rows = [
        Row((_field(numbers, each.output, each.output_field), _field(numbers, each.input, each.input_field),
             name(each.how) if each.how else None, numbers.record(each.activity)))
        for each in columns[:COLUMNS]
    ]  # fmt: skip
    caption = cut(len(rows), len(columns), "column link")
    named = table("columns", ("Column", "Comes from", "How", "Record"), rows, caption)
    return element("div", element("h3", "Columns"), named)


def _field(numbers: Numbers, version: str, field: str) -> Markup:
    return stack(code(field) if field else "all columns", quiet("of ", numbers.version(version)))


def _warning(*content: str | None) -> Markup:
    return element("p", *content, class_="limit", role="note")
