"""The drawing of a lineage: what is drawn of it, and that boxes and arrows lie where they should."""

from __future__ import annotations

import random
import re
from itertools import combinations, pairwise

import pytest

from ledger.core.lineage import LineageEdge, LineageGraph, LineageNode
from ledger.core.verdict import EvidenceView
from ledger.formats.report_layout import Drawing, layout
from ledger.formats.report_numbers import Numbers, nearest_first
from ledger.formats.report_plan import ARROWS, BOXES, NEAREST, Plan, plan
from ledger.formats.report_svg import canvas
from ledger.formats.text import width
from tests.formats import report_views as views
from tests.formats.report_reading import Reading


def view_of(pairs: list[tuple[str, str]], roots: tuple[str, ...] = ("root",)) -> EvidenceView:
    """A view whose lineage is these (output, input) pairs."""
    names = dict.fromkeys([*roots, *(name for pair in pairs for name in pair)])
    graph = LineageGraph(
        direction="sources",
        roots=roots,
        nodes=[LineageNode(id=name, label=name) for name in names],
        edges=[LineageEdge(output=output, input=source, label="step") for output, source in pairs],
    )
    return EvidenceView(verdict=views.washing_machine().verdict, records=[], graph=graph)


def planned(view: EvidenceView) -> Plan:
    return plan(view, Numbers(view))


# --- what is drawn


def test_nearest_first_is_by_distance_then_name_and_survives_loops() -> None:
    view = view_of(
        [("root", "b"), ("root", "a"), ("a", "deep"), ("deep", "root"), ("a", "b"), ("lost", "lost")]
    )
    assert [node.id for node in nearest_first(view.graph)] == ["root", "a", "b", "deep", "lost"]


def test_a_lineage_that_can_be_read_is_drawn_whole() -> None:
    found = planned(view_of([("root", f"source{at}") for at in range(BOXES - 1)]))
    assert (len(found.boxes), len(found.arrows), found.left_out) == (BOXES, BOXES - 1, "")


def test_arrows_between_the_same_two_are_one_and_loops_are_none() -> None:
    found = planned(view_of([("root", "a"), ("root", "a"), ("a", "a")]))
    assert list(found.arrows) == [(1, 0)]


def test_too_many_versions_share_a_box_with_their_asset() -> None:
    found = planned(view_of([("root", f"x/{at % 9}@{at}") for at in range(BOXES)]))
    assert len(found.boxes) == 10
    assert {box.name: box.versions for box in found.boxes} == {
        "root": 1,
        **{f"x/{at}": len(range(at, BOXES, 9)) for at in range(9)},
    }
    assert (
        found.left_out
        == f"{BOXES + 1} versions are too many to draw: one box stands for all versions of an asset."
    )


def test_a_box_of_many_versions_shows_that_one_of_them_is_revoked() -> None:
    view = views.many(1_500)
    view.records[1_007] = views.record(1_007, "version", ("plant/line-7@2",), state="revoked")
    (box,) = [box for box in planned(view).boxes if box.name == "plant/line-7"]
    assert (box.marks, box.versions) == (("revoked",), 2)


def test_kinds_are_never_put_into_one_box() -> None:
    view = view_of([("root", f"x@{at}") for at in range(BOXES)])
    view.graph.nodes[5] = LineageNode(id="x@4", label="x@4", kind="unregistered")
    assert [(box.name, box.kind, box.versions) for box in planned(view).boxes] == [
        ("root", "observed", 1),
        ("x", "observed", BOXES - 1),
        ("x@4", "unregistered", 1),
    ]


def test_too_many_assets_leave_the_nearest() -> None:
    found = planned(
        view_of([("root", f"near{at}") for at in range(10)] + [("near0", f"far{at}") for at in range(300)])
    )
    assert len(found.boxes) == NEAREST
    assert {f"near{at}" for at in range(10)} <= {box.name for box in found.boxes}
    assert f"Drawn are the {NEAREST} of 311" in found.left_out


def test_too_many_arrows_are_never_drawn() -> None:
    pairs = [(f"a{one}", f"b{two}") for one in range(40) for two in range(40)]
    found = planned(view_of([("root", f"a{at}") for at in range(40)] + pairs))
    assert 40 < len(found.boxes) <= NEAREST
    assert len(found.arrows) <= ARROWS


# --- where it lies


def overlap(one: tuple[float, float, float, float], two: tuple[float, float, float, float]) -> bool:
    return one[0] < two[2] and two[0] < one[2] and one[1] < two[3] and two[1] < one[3]


def laid_out(sizes: list[tuple[float, float]], arrows: list[tuple[int, int]]) -> Drawing:
    """A layout in which boxes lie apart and each arrow goes from its box to its box, through no other."""
    found = layout(sizes, arrows)
    boxes = [(x, y, x + w, y + h) for (x, y), (w, h) in zip(found.corners, sizes, strict=True)]
    assert not [pair for pair in combinations(boxes, 2) if overlap(*pair)]
    assert len(found.arrows) == len(arrows)
    for (start, end), points in zip(arrows, found.arrows, strict=True):
        for box, (x, y) in ((boxes[start], points[0]), (boxes[end], points[-1])):
            assert box[0] - 0.2 <= x <= box[2] + 0.2
            assert box[1] - 0.2 <= y <= box[3] + 0.2
        for (ax, ay), (bx, by) in pairwise(points):
            assert min(abs(ax - bx), abs(ay - by)) < 1, "an arrow is slanted"
            way = (min(ax, bx) + 1, min(ay, by) + 1, max(ax, bx) - 1, max(ay, by) - 1)
            others = (box for at, box in enumerate(boxes) if at not in (start, end))
            assert not [box for box in others if overlap(way, box)], "an arrow crosses a box"
    for x, y in [*(point for points in found.arrows for point in points), *(box[:2] for box in boxes)]:
        assert -0.2 <= x <= found.width + 0.2
        assert -0.2 <= y <= found.height + 0.2
    return found


@pytest.mark.parametrize("seed", range(8))
def test_boxes_never_overlap_and_arrows_meet_their_boxes(seed: int) -> None:
    chance = random.Random(seed)
    count = chance.randint(2, 60)
    arrows = {(chance.randrange(count), chance.randrange(count)) for _ in range(count)}
    sizes = [(216.0, float(chance.randint(40, 100))) for _ in range(count)]
    laid_out(sizes, sorted(pair for pair in arrows if pair[0] != pair[1]))


def test_a_chain_goes_down_and_a_fan_goes_to_the_right() -> None:
    size = (216.0, 60.0)
    chain = laid_out([size] * 8, [(at + 1, at) for at in range(7)])
    assert chain.height > chain.width
    fan = laid_out([size] * 13, [(at, 0) for at in range(1, 13)])
    assert fan.corners[0][0] > fan.corners[1][0] + 216


def test_one_box_alone_and_no_arrows_at_all() -> None:
    assert laid_out([(216.0, 60.0)], []).width == 216
    laid_out([(216.0, 60.0)] * 7, [])


def texts_of(name: str, note: str = "") -> list[str]:
    """The lines of a box."""
    view = view_of([])
    view.graph.nodes[0] = LineageNode(id="root", label=name, title=note)
    drawn = canvas(planned(view), "")
    return re.findall(r"<text[^>]*>(.*?)</text>", drawn)[1:]


def test_long_names_are_broken_after_a_slash_and_keep_their_end() -> None:
    assert texts_of("haina/plant-7/line-3/assembly-counters@12") == [
        "haina/plant-7/line-3/",
        "assembly-counters@12",
    ]
    first, last = texts_of("a" * 90 + "@12")
    assert (first, last[-4:], "…" in last) == ("a" * 25, "a@12", True)


def test_long_titles_are_broken_between_words_and_cut() -> None:
    assert texts_of("x", "Demand for washing machines, next month")[1:] == [
        "Demand for washing ",
        "machines, next month",
    ]
    lines = texts_of("x", "word " * 60)[1:]
    assert len(lines) == 2
    assert lines[1].endswith("…")


@pytest.mark.parametrize(
    "text", ["w" * 500, "洗衣机" * 80, "a " * 200, "غسالة " * 50, "́" * 50, "x" + "́" * 900]
)
def test_no_line_is_wider_than_its_box(text: str) -> None:
    assert all(width(line) <= 27 for line in texts_of(text, text))


def test_the_whole_name_is_in_the_title() -> None:
    reading = Reading(canvas(planned(view_of([("root", "n" * 2_000)])), ""))
    assert "n" * 2_000 in reading.text
