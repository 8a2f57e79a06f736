"""In what order runs are recorded, and which version of an input a run read."""

from __future__ import annotations

import random
from types import ModuleType
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ledger.formats.openlineage_timeline import NONE, Timeline, Write


def note(
    timeline: Timeline,
    run: int,
    began: int,
    end: int,
    writes: str = "",
    reads: str = "",
    parent: int | None = None,
) -> None:
    """Datasets are letters; a version named by the producer is a digit behind its letter."""

    def named(text: str) -> list[tuple[int, str]]:
        return [(ord(each[0]), each[1:]) for each in text.split()]

    timeline.note(
        run,
        began=began,
        end=end,
        parent=run if parent is None else parent,
        writes=[Write(*each) for each in named(writes)],
        reads=named(reads),
    )


def test_the_newest_version_before_the_run_began() -> None:
    timeline = Timeline(["first", "second", "meanwhile", "reader"])
    note(timeline, 0, 0, 10, "x")
    note(timeline, 1, 10, 20, "x")
    note(timeline, 2, 20, 35, "x")
    note(timeline, 3, 30, 40, "y", "x")
    timeline.close()
    assert timeline.maker(3, ord("x")) == 1
    assert list(timeline.order) == [0, 1, 2, 3]


def test_within_a_family_what_ended_before() -> None:
    timeline = Timeline(["first", "model", "downstream"])
    note(timeline, 0, 0, 10, "x")
    note(timeline, 1, 50, 60, "x", parent=7)
    note(timeline, 2, 50, 70, "y", "x", parent=7)  # all began at once
    timeline.close()
    assert timeline.maker(2, ord("x")) == 1


def test_without_any_before_the_beginning_one_before_the_end() -> None:
    timeline = Timeline(["writer", "reader"])
    note(timeline, 0, 5, 10, "x")
    note(timeline, 1, 0, 20, "y", "x")
    timeline.close()
    assert timeline.maker(1, ord("x")) == 0
    assert timeline.maker(1, ord("z")) == timeline.maker(0, ord("x")) == NONE


def test_a_frame_comes_before_what_it_frames() -> None:
    timeline = Timeline(["create table as", "insert", "source", "reader"])
    note(timeline, 2, 0, 1, "s", parent=9)
    note(timeline, 0, 2, 9, "x", parent=9)
    note(timeline, 1, 3, 8, "x", "s", parent=9)
    note(timeline, 3, 10, 11, "y", "x")
    timeline.close()
    assert list(timeline.order) == [2, 0, 1, 3]
    assert timeline.maker(3, ord("x")) == 1


def test_a_stranger_is_no_frame() -> None:
    timeline = Timeline(["stranger", "insert", "reader"])
    note(timeline, 0, 2, 9, "x")
    note(timeline, 1, 3, 8, "x", "s", parent=9)
    note(timeline, 2, 10, 11, "y", "x")
    timeline.close()
    assert list(timeline.order) == [1, 0, 2]
    assert timeline.maker(2, ord("x")) == 0


def test_parents_of_parents_are_one_family_and_circles_end() -> None:
    timeline = Timeline(["top", "middle", "a", "b", "one", "other"])
    note(timeline, 0, 0, 100)
    note(timeline, 1, 0, 90, parent=0)
    note(timeline, 2, 0, 50, "x", parent=1)
    note(timeline, 3, 0, 60, "y", "x", parent=0)
    note(timeline, 4, 0, 70, parent=5)
    note(timeline, 5, 0, 80, parent=4)
    timeline.close()
    assert timeline.maker(3, ord("x")) == 2


def test_names_are_honoured() -> None:
    timeline = Timeline(["w1", "w2", "back", "again", "strange"])
    note(timeline, 0, 0, 1, "x1")
    note(timeline, 1, 2, 3, "x2")
    note(timeline, 2, 4, 5, "y", "x1")
    note(timeline, 3, 6, 7, "y", "x2")
    note(timeline, 4, 8, 9, "y", "x9")
    timeline.close()
    assert [timeline.maker(2, ord("x"), "1"), timeline.maker(3, ord("x"), "2")] == [0, 1]
    assert timeline.maker(4, ord("x"), "9") == NONE  # both versions are known under other names


def test_a_name_only_readers_give_means_what_was_there_when_it_was_first_read() -> None:
    timeline = Timeline(["w1", "r1", "w2", "r2", "r1 again", "outside"])
    note(timeline, 0, 0, 1, "x")
    note(timeline, 1, 2, 3, "y", "x1")
    note(timeline, 2, 4, 5, "x")
    note(timeline, 3, 6, 7, "y", "x2")
    note(timeline, 4, 8, 9, "y", "x1")
    note(timeline, 5, 10, 11, "y", "x3")
    timeline.close()
    assert [timeline.maker(run, ord("x"), name) for run, name in ((1, "1"), (3, "2"), (4, "1"))] == [0, 2, 0]
    assert timeline.maker(5, ord("x"), "3") == NONE  # somebody else wrote in between


def test_the_name_of_the_state_before_is_not_that_of_the_version_made() -> None:
    timeline = Timeline(["w1", "merge", "w3"])
    note(timeline, 0, 0, 1, "x1")
    note(timeline, 1, 2, 3, "x1", "x1")
    note(timeline, 2, 4, 5)
    timeline.close()
    assert timeline.version_made(1, Write(ord("x"), "1")) == ""
    assert timeline.version_made(0, Write(ord("x"), "1")) == "1"
    timeline = Timeline(["w1", "w2"])
    note(timeline, 0, 0, 1, "x1")
    timeline.note(1, began=2, end=3, parent=1, writes=[Write(ord("x"), "1", version_at_start=True)], reads=[])
    timeline.close()
    assert timeline.version_made(1, Write(ord("x"), "1", version_at_start=True)) == ""


RUNS = st.lists(
    st.tuples(
        st.integers(0, 12),
        st.integers(0, 6),
        st.lists(st.sampled_from(["x", "y", "x1", "y2"]), max_size=2, unique=True),
        st.lists(st.sampled_from(["x", "y", "x1", "x2"]), max_size=2, unique=True),
        st.integers(0, 8),
    ),
    max_size=8,
)


@given(RUNS, st.randoms(use_true_random=False))
def test_numbers_mean_nothing_and_makers_come_first(runs: list[Any], randoms: random.Random) -> None:
    def settle(numbers: list[int]) -> dict[str, Any]:
        """Give run `n` the number `numbers[n]`."""
        ids = [""] * len(runs)
        for run, number in enumerate(numbers):
            ids[number] = f"run {run}"
        timeline = Timeline(ids)
        for run, (began, lasts, writes, reads, parent) in enumerate(runs):
            over = numbers[parent] if parent < len(runs) else len(runs) + parent
            note(timeline, numbers[run], began, began + lasts, " ".join(writes), " ".join(reads), over)
        timeline.close()
        position = {number: at for at, number in enumerate(timeline.order)}
        found: dict[str, Any] = {"order": [ids[number] for number in timeline.order]}
        for run, (_, _, writes, reads, _) in enumerate(runs):
            number = numbers[run]
            for read in reads:
                maker = timeline.maker(number, ord(read[0]), read[1:])
                assert maker == NONE or position[maker] < position[number]
                found[f"{run} {read}"] = "" if maker == NONE else ids[maker]
            for write in writes:
                found[f"{run} makes {write}"] = timeline.version_made(number, Write(ord(write[0]), write[1:]))
        return found

    numbers = list(range(len(runs)))
    straight = settle(numbers)
    randoms.shuffle(numbers)
    assert settle(numbers) == straight


def test_starts_of_all_before_completes_of_all(import_fixture: Any) -> None:
    found = import_fixture("dbt.jsonl")
    assert found.makers("shop.revenue")["shop.stg_orders"] == "shop.stg_orders"
    assert found.makers("test.revenue_not_null") == {"shop.revenue": "shop.revenue"}


def test_named_versions(import_fixture: Any) -> None:
    found = import_fixture("versions.jsonl")
    assert found.makers("audit") == {"stock": "write_1", "rates": ""}
    assert found.makers("audit_again") == {"stock": "write_2", "rates": ""}
    made = found.run("write_1").outputs[0]
    read = found.run("audit").inputs[1]
    assert read.version == made.version == "3051729675574597001"
    assert read.declared == made.declared  # so that it is found again in a later import
    rates = [found.run(job).inputs[0] for job in ("audit", "audit_again")]
    assert [each.version for each in rates] == ["7", "8"]
    assert rates[0].declared != rates[1].declared


def test_the_same_dataset_read_in_two_versions(make: ModuleType, import_events: Any) -> None:
    sources = [make.dataset("x", version=make.facet("V", datasetVersion=version)) for version in ("1", "2")]
    found = import_events(
        make.event("COMPLETE", "diff", "00:00:00", inputs=sources, outputs=[make.dataset("o")])
    )
    run = found.run("diff")
    assert [each.version for each in run.inputs] == ["1", "2"]
    assert len(run.edges) == 2
