"""What the events of a run say together, and what its outputs were made from."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from ledger.core.records import BASIS_COLUMNS, BASIS_INPUTS, BASIS_STATED

BOTH = BASIS_INPUTS | BASIS_COLUMNS


def test_dbt_needs_the_union(import_fixture: Any) -> None:
    found = import_fixture("dbt.jsonl")
    assert found.edges("shop.revenue") == {
        ("shop.revenue", "raw.calendar"): BASIS_INPUTS,  # used only in a filter
        ("shop.revenue", "seeds.countries"): BASIS_COLUMNS,  # a seed
        ("shop.revenue", "snapshots.orders"): BASIS_COLUMNS,  # a snapshot
        ("shop.revenue", "shop.stg_orders"): BOTH,
    }
    assert found.columns("shop.revenue") == {
        ("shop.revenue.amount", "shop.stg_orders.amount"),
        ("shop.revenue.country", "seeds.countries.name"),
        ("shop.revenue.status", "snapshots.orders.status"),
    }
    run = found.run("shop.stg_orders")
    assert [field.name for field in run.outputs[0].fields] == ["id", "amount"]
    assert run.parent.job.name == "dbt-run-shop"
    owned = {found.name[at]: draft.owners for at, draft in enumerate(found.plan.datasets) if draft.owners}
    assert [owner.name for owner in owned["shop.stg_orders"]] == ["team:sales"]


def test_a_failed_model_names_what_it_was_to_make(import_fixture: Any) -> None:
    found = import_fixture("dbt.jsonl")
    failed = found.run("shop.broken")
    assert failed.outcome == "failed"
    assert [(found.name[each.dataset], each.makes, each.declared) for each in failed.outputs] == [
        ("shop.broken", False, "")
    ]
    assert [found.name[each.dataset] for each in failed.inputs] == ["shop.revenue"]
    assert (failed.edges, failed.columns) == ([], [])


@pytest.mark.parametrize("job", ["bulk", "bulk_of_run"])
def test_a_lineage_facet_decides(import_fixture: Any, job: str) -> None:
    found = import_fixture("lineage.jsonl")
    assert found.edges(job) == {("c", "a"): BASIS_STATED, ("d", "b"): BASIS_STATED}
    assert found.columns(job) == {("d.", "b.k")}
    assert len(found.run(job).inputs) == 2


def test_a_lineage_facet_decides_over_column_lineage_and_for_outputs_it_leaves_out(
    import_fixture: Any,
) -> None:
    found = import_fixture("lineage.jsonl")
    assert found.edges("mixed") == {("made", "b"): BASIS_STATED}
    assert found.columns("mixed") == {("made.x", "b.y")}
    # all that was there is named, with an edge or without
    assert sorted(found.made("mixed")) == ["from_job", "made", "none", "unsaid"]
    assert [found.name[each.dataset] for each in found.run("mixed").inputs] == ["a", "b", "read_only"]
    assert found.plan.unkept["job.facets.lineage of another JOB"] == 1
    assert found.plan.unkept["job.facets.lineage from a JOB"] == 1


def test_a_lineage_facet_of_one_output_decides_for_that_one(import_fixture: Any) -> None:
    found = import_fixture("lineage.jsonl")
    assert found.edges("own") == {
        ("own", "a"): BASIS_STATED,
        ("other", "a"): BASIS_INPUTS,
        ("other", "b"): BASIS_INPUTS,
    }


def test_a_lineage_facet_without_entries_says_nothing(import_fixture: Any) -> None:
    assert import_fixture("lineage.jsonl").edges("empty") == {("e", "a"): BASIS_INPUTS}


def test_outputs_left_out_keep_their_column_lineage(make: ModuleType, import_events: Any) -> None:
    entry = {**make.dataset("c"), "type": "DATASET", "inputs": [{**make.dataset("a"), "type": "DATASET"}]}
    found = import_events(
        make.event(
            "COMPLETE", "job", "00:00:00",
            job={"lineage": make.facet("LineageFacet", entries=[entry])},
            inputs=[make.dataset("a"), make.dataset("b")],
            outputs=[make.dataset("c"), make.dataset("d", columnLineage=make.columns(x=[("b", "x")]))],
        )
    )  # fmt: skip
    assert found.edges("job") == {("c", "a"): BASIS_STATED, ("d", "b"): BASIS_COLUMNS}


def test_lineage_entries_add_up_over_the_events_of_a_run(make: ModuleType, import_events: Any) -> None:
    def entries(target: str, source: str) -> Any:
        inputs = [{**make.dataset(source), "type": "DATASET"}]
        entry = {**make.dataset(target), "type": "DATASET", "inputs": inputs}
        return {"lineage": make.facet("LineageFacet", entries=[entry])}

    found = import_events(
        make.event("RUNNING", "job", "00:00:01", job=entries("c", "a")),
        make.event("RUNNING", "job", "00:00:02", job=entries("c", "b")),
        make.event("COMPLETE", "job", "00:00:03", job=entries("d", "a")),
    )
    assert set(found.edges("job")) == {("c", "a"), ("c", "b"), ("d", "a")}


def test_a_later_facet_replaces_an_earlier_one(make: ModuleType, import_events: Any) -> None:
    def out(source: str, version: str) -> Any:
        version_facet = make.facet("V", datasetVersion=version)
        return make.dataset("o", columnLineage=make.columns(x=[(source, "x")]), version=version_facet)

    later = make.event("COMPLETE", "job", "00:00:09", outputs=[out("right", "2")])
    earlier = make.event(
        "START", "job", "00:00:01", inputs=[make.dataset("i")], outputs=[out("planned", "1")]
    )
    bare = make.event("OTHER", "job", "00:00:10", outputs=[make.dataset("o")])
    for order in ([earlier, later, bare], [bare, later, earlier]):
        found = import_events(*order)
        assert found.edges("job") == {("o", "i"): BASIS_INPUTS, ("o", "right"): BASIS_COLUMNS}
        assert found.run("job").outputs[0].version == "2"


@pytest.mark.parametrize(
    ("kinds", "outcome"),
    [
        (["START", "COMPLETE"], "completed"),
        (["START", "FAIL"], "failed"),
        (["START", "ABORT"], "aborted"),
        (["START", "RUNNING", "OTHER"], "running"),
        (["FAIL", "COMPLETE"], "completed"),
        (["COMPLETE", "OTHER"], "completed"),
        (["COMPLETE", "FAIL"], "failed"),
    ],
)
def test_outcomes(make: ModuleType, import_events: Any, kinds: list[str], outcome: str) -> None:
    events = [
        make.event(kind, "job", f"00:00:0{at}", inputs=[make.dataset("i")], outputs=[make.dataset("o")])
        for at, kind in enumerate(kinds)
    ]
    for order in (events, events[::-1]):
        found = import_events(*order)
        run = found.run("job")
        assert run.outcome == outcome
        assert bool(run.started) == ("START" in kinds)
        assert bool(run.ended) == (outcome != "running")
        assert bool(found.made("job")) == bool(run.edges) == (outcome == "completed")


def test_at_the_same_instant_the_end_comes_last_and_failing_wins(
    make: ModuleType, import_events: Any
) -> None:
    events = [make.event(kind, "job", "00:00:00") for kind in ("FAIL", "COMPLETE", "START")]
    assert import_events(*events).run("job").outcome == "failed"


def test_what_is_dropped_is_not_made(make: ModuleType, import_events: Any) -> None:
    drop = make.facet("LifecycleStateChangeDatasetFacet", lifecycleStateChange="DROP")
    found = import_events(
        make.event("COMPLETE", "job", "00:00:00", inputs=[make.dataset("i")],
                   outputs=[make.dataset("o", lifecycleStateChange=drop)])
    )  # fmt: skip
    run = found.run("job")
    assert (run.outputs[0].makes, run.outputs[0].lifecycle, run.edges) == (False, "DROP", [])


def test_a_rename_states_its_source(import_fixture: Any) -> None:
    assert import_fixture("rename.json").edges("rename_revenue") == {
        ("shop.revenue", "shop.revenue__dbt_tmp"): BASIS_STATED
    }


def test_column_lineage_by_symlink_is_the_same_dataset(make: ModuleType, import_events: Any) -> None:
    link = make.facet(
        "S", identifiers=[{"namespace": "postgres://warehouse:5432", "name": "other", "type": "TABLE"}]
    )
    found = import_events(
        make.event("COMPLETE", "job", "00:00:00", inputs=[make.dataset("i", symlinks=link)],
                   outputs=[make.dataset("o", columnLineage=make.columns(x=[("other", "x")]))])
    )  # fmt: skip
    assert found.edges("job") == {("o", "i"): BOTH}


def test_steps_within_one_run(make: ModuleType, import_events: Any) -> None:
    made = [
        make.dataset("b", columnLineage=make.columns(x=[("a", "x")])),
        make.dataset("c", columnLineage=make.columns(x=[("b", "x")])),
    ]
    found = import_events(
        make.event("COMPLETE", "before", "00:00:00", outputs=[make.dataset("b")]),
        make.event("COMPLETE", "job", "00:00:01", inputs=[make.dataset("a")], outputs=made),
    )
    assert found.edges("job") == {("b", "a"): BOTH, ("c", "a"): BASIS_INPUTS, ("c", "b"): BASIS_COLUMNS}
    assert found.makers("job") == {"a": "", "b": "job"}


def test_an_output_that_is_read_too_is_its_former_version(make: ModuleType, import_events: Any) -> None:
    both = make.dataset("b")
    found = import_events(
        make.event("COMPLETE", "before", "00:00:00", outputs=[both]),
        make.event("COMPLETE", "job", "00:00:01", inputs=[both], outputs=[both, make.dataset("c")]),
    )
    assert set(found.edges("job")) == {("b", "b"), ("c", "b")}
    assert found.makers("job") == {"b": "before"}


def test_outputs_made_from_each_other_are_their_former_versions(make: ModuleType, import_events: Any) -> None:
    made = [
        make.dataset("b", columnLineage=make.columns(x=[("c", "x")])),
        make.dataset("c", columnLineage=make.columns(x=[("b", "x")])),
    ]
    found = import_events(make.event("COMPLETE", "job", "00:00:01", outputs=made))
    assert found.makers("job") == {"b": "", "c": ""}


def test_a_run_of_more_edges_than_fit_is_refused_and_named(make: ModuleType, import_events: Any) -> None:
    many = [make.dataset(f"d{n}") for n in range(400)]
    huge = make.event("COMPLETE", "huge", "00:00:00", inputs=many, outputs=many)
    found = import_events(huge, make.event("COMPLETE", "small", "00:00:01"))
    assert [run.component.name for run in found.runs] == ["small"]
    (refusal,) = found.refusals
    assert "100000 edges" in refusal.reason
    assert make.run_id("huge") in refusal.reason
    assert found.plan.run_count == 1


def test_one_run_under_two_job_names_is_one_run(make: ModuleType, import_events: Any) -> None:
    start = make.event("START", "plan", "00:00:00")
    end = {**make.event("COMPLETE", "final", "00:00:01"), "run": start["run"]}
    found = import_events(end, start)
    assert [run.component.name for run in found.runs] == ["final"]
    assert found.plan.unkept["run under more than one job name, the last is kept"] == 1
