"""The whole import: real events, fixtures, and that nothing but the events matters."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.core.digests import declared_digest
from ledger.core.encoding import check_json
from ledger.core.errors import FormatError
from ledger.core.names import is_asset
from ledger.core.records import Activity, Alias, Field
from ledger.formats.openlineage import plan_import
from ledger.formats.openlineage_drafts import RunDraft, ownership_attachment
from ledger.formats.openlineage_table import BytesSource

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "fixtures" / "openlineage"


def everything(found: Any) -> tuple[Any, ...]:
    """All that an import gives, to be compared."""
    plan = found.plan
    return (
        plan.datasets,
        found.runs,
        [b"".join(plan.original(run)) for run in found.runs],
        [b"".join(plan.dataset_original(at)) for at in range(len(plan.datasets))],
    )


def scenario(vectors: Path, name: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted((vectors / name / "events").glob("*.json"))]


@pytest.mark.vectors
def test_simple_run_event(vectors: Path, imported: Any) -> None:
    found = imported(*scenario(vectors, "simple_run_event"))
    (run,) = found.runs
    assert (run.run_id, run.component.namespace, run.component.name) == (
        "run_id",
        "job_namespace",
        "job_name",
    )
    assert (run.outcome, run.started, run.ended) == ("completed", "", "2023-04-04T13:21:16.098Z")
    assert found.edges("job_name") == {("test.table.output", "test.table.input"): 2}
    assert found.plan.datasets[0].aliases == [Alias("openlineage", "test.table.input", "bigquery")]
    assert [draft.path for draft in found.plan.datasets] == ["test.table.input", "test.table.output"]


@pytest.mark.vectors
def test_column_lineage_of_spark(vectors: Path, imported: Any) -> None:
    """CREATE TABLE tbl1 AS SELECT a AS ident, concat(b) AS trans, sum(c) AS agg FROM two tables joined."""
    found = imported(*scenario(vectors, "CLL"))
    folder, job = "/tmp/cll_test/", "open_lineage_integration_create_table"
    make = f"{job}.execute_create_hive_table_as_select_command.default_tbl1"
    assert not found.refusals
    assert len(found.runs) == 4
    assert found.name == [f"{folder}cll_source1", f"{folder}cll_source2", f"{folder}tbl1"]
    tbl1, one, two = f"{folder}tbl1", f"{folder}cll_source1", f"{folder}cll_source2"
    assert found.edges(make) == {(tbl1, one): 6, (tbl1, two): 6}
    assert found.makers(make) == {
        one: f"{job}.execute_create_table_command.cll_test_cll_source1",
        two: f"{job}.execute_create_table_command.cll_test_cll_source2",
    }
    assert found.columns(make) == {
        (f"{tbl1}.{field}", source)
        for field, sources in {
            "ident": (f"{one}.a", f"{one}.b", f"{two}.a"),
            "trans": (f"{one}.a", f"{one}.b", f"{two}.a"),
            "agg": (f"{one}.a", f"{one}.b", f"{two}.a", f"{two}.c"),
        }.items()
        for source in sources
    }
    run = found.run(make)
    direct = {
        (c.output_field, c.input_field) for c in run.columns if "DIRECT/" in c.how.replace("INDIRECT/", "")
    }
    assert direct == {("ident", "a"), ("trans", "b"), ("agg", "c")}
    assert run.outputs[0].fields == (
        Field("ident", "integer"),
        Field("trans", "string"),
        Field("agg", "long"),
    )
    assert (run.events, run.parent.run_id) == (4, found.run(job).run_id)
    assert found.plan.datasets[2].aliases == [
        Alias("openlineage", tbl1, "file"),
        Alias("openlineage", "default.tbl1", "file:/tmp/cll_test"),
    ]


@pytest.mark.vectors
def test_spark_on_dataproc(vectors: Path, imported: Any) -> None:
    """Drop t1 and t2, create t1, insert into t1, create t2 as select * from t1 (with an insert inside)."""
    found = imported(*scenario(vectors, "spark_dataproc_simple_producer_test_complete"))
    folder, job = "/user/hive/warehouse/", "cl_i_test_application"
    assert not found.refusals
    jobs = [run.component.name.removeprefix(f"{job}.") for run in found.runs]
    assert jobs == [
        "drop_table",
        "drop_table",
        "execute_create_table_command.warehouse_t1",
        "execute_insert_into_hive_table.warehouse_t1",
        "execute_create_hive_table_as_select_command.default_t2",
        "execute_insert_into_hive_table.warehouse_t2",
        job,
    ]
    assert [each.makes for run in found.runs for each in run.outputs] == [
        False,
        False,
        True,
        True,
        True,
        True,
    ]
    insert = f"{job}.execute_insert_into_hive_table.warehouse_t2"
    t1, t2 = f"{folder}t1", f"{folder}t2"
    assert found.edges(insert) == {(t2, t1): 6}
    assert found.columns(insert) == {(f"{t2}.a", f"{t1}.a"), (f"{t2}.b", f"{t1}.b")}
    # the newest t1 is the one with rows in it, and the newest t2 the one that says where they came from
    assert found.makers(insert) == {t1: f"{job}.execute_insert_into_hive_table.warehouse_t1"}
    # two symlinks of t1 in different events, one dataset
    assert [len(draft.aliases) for draft in found.plan.datasets] == [3, 3]


@pytest.mark.vectors
def test_real_events_together_in_any_order_and_layout(vectors: Path, imported: Any) -> None:
    files = [
        data for path in sorted(vectors.iterdir()) if path.is_dir() for data in scenario(vectors, path.name)
    ]
    whole = everything(imported(*files))
    assert everything(imported(*files[::-1])) == whole
    assert everything(imported(*files, *files)) == whole
    for data in files:
        check_json(data, max_bytes=1 << 20)  # they are as strict as ours
    array = b"[" + b",".join(files) + b"]"
    assert everything(imported(array)) == whole
    lines = b"\n".join(json.dumps(json.loads(data)).encode() for data in files)
    assert everything(imported(lines))[:2] == whole[:2]  # the originals are spelt differently


def test_symlinked_names_are_one_dataset(import_fixture: Any) -> None:
    found = import_fixture("symlinks.json")
    assert len(found.name) == 2
    assert found.makers("read_daily") == {"sales.daily": "write_daily"}


def test_declared_lineage(import_fixture: Any) -> None:
    found = import_fixture("static.jsonl")
    view, export, report = found.runs
    assert [run.static for run in found.runs] == [True, True, False]
    # the later of the two dataset events counts; the view comes before the job that was declared to read it
    view_job = "https://example.com/fixtures"
    assert found.edges(view_job) == {
        ("public.customer_view", "public.customers"): 1,
        ("public.customer_view", "public.orders"): 1,
    }
    assert found.edges("export") == {("export.csv", "public.customer_view"): 2}
    assert export.inputs[0].made_by == report.inputs[0].made_by == view.run_id
    # a run made the report: what a catalog says of it is only counted
    assert found.plan.unkept["job event that declares no lineage of its own"] == 1
    assert found.plan.run_count == 3
    at = found.name.index("public.orders")
    draft = found.plan.datasets[at]
    assert (draft.events, [owner.name for owner in draft.owners]) == (1, ["user:jdoe"])
    assert json.loads(ownership_attachment(draft.owners)) == {"owners": [{"name": "user:jdoe", "type": None}]}
    assert json.loads(b"".join(found.plan.dataset_original(at)))["dataset"]["name"] == "public.orders"
    assert b"".join(found.plan.dataset_original(found.name.index("report"))) == b""
    assert json.loads(b"".join(found.plan.original(view)))["dataset"]["name"] == "public.customer_view"


def test_views_of_views_and_circles_of_views(make: ModuleType, imported: Any) -> None:
    def view(name: str, *sources: str) -> bytes:
        inputs = [{**make.dataset(each), "type": "DATASET"} for each in sources]
        about = make.dataset(name, lineage=make.facet("LineageDatasetFacet", inputs=inputs))
        common = {"eventTime": "2026-01-01T00:00:00Z", "producer": name, "schemaURL": "u"}
        return json.dumps({**common, "dataset": about}).encode()

    found = imported(view("a", "b"), view("b", "c"), view("c", "table"), view("self", "self"))
    assert [found.makers(each) for each in "abc"] == [{"b": "b"}, {"c": "c"}, {"table": ""}]
    assert found.makers("self") == {"self": ""}
    found = imported(view("a", "b"), view("b", "a"))
    assert sorted(each for name in "ab" for each in found.makers(name).values()) in (["", "a"], ["", "b"])


def test_bad_events_are_refused_one_by_one(import_fixture: Any) -> None:
    found = import_fixture("bad.jsonl")
    lines = (FIXTURES / "bad.jsonl").read_text().split("\n")
    assert [run.component.name for run in found.runs] == ["first good", "last good"]
    filled = [at for at, line in enumerate(lines, 1) if line.strip()]
    assert [refusal.line for refusal in found.refusals] == filled[1:-1]
    for refusal in found.refusals:
        assert refusal.source == "file 0"
        assert refusal.offset == len("\n".join(lines[: refusal.line - 1]).encode()) + 1
        assert refusal.reason.isprintable()


def test_original_bytes_are_kept(make: ModuleType, imported: Any) -> None:
    start, end = make.event("START", "job", "00:00:00"), make.event("COMPLETE", "job", "00:00:01")
    one, other = json.dumps(end, indent=3).encode(), json.dumps(start).encode()
    found = imported(one, other, one + b"\n")
    document = b"".join(found.plan.original(found.runs[0]))
    assert document == b"[" + other + b",\n" + one + b"]"
    assert json.loads(document) == [start, end]
    assert b"".join(imported(one).plan.original(imported(one).runs[0])) == one
    stranger = msgspec.structs.replace(found.runs[0], run_id="unknown")
    assert b"".join(found.plan.original(stranger)) == b""


def test_a_further_event_changes_the_digest_but_not_the_version(make: ModuleType, imported: Any) -> None:
    end = make.event("COMPLETE", "job", "00:00:01", outputs=[make.dataset("o")])
    more = make.event("OTHER", "job", "00:00:02", outputs=[make.dataset("o")])
    (before,) = imported(json.dumps(end).encode()).runs
    (after,) = imported(json.dumps(end).encode(), json.dumps(more).encode()).runs
    assert before.digest != after.digest
    assert before.outputs == after.outputs
    ledger = bytes(32)
    declared = before.outputs[0].declared
    assert declared_digest(ledger, "acme/o", declared) != declared_digest(ledger, "acme/p", declared)


def test_a_file_that_changes_while_it_is_read(make: ModuleType) -> None:
    class Changing(BytesSource, frozen=True):
        def read(self, offset: int, length: int) -> bytes:
            return super().read(offset, length).replace(b"COMPLETE", b"FAILED!!")

    data = json.dumps(make.event("COMPLETE", "job", "00:00:00")).encode()
    with pytest.raises(FormatError, match="changed while"):
        plan_import([Changing("events", data)], refuse=print)


def test_drafts_fit_the_records(import_fixture: Any) -> None:
    header = {"ledger": "0" * 64, "logs": ["0" * 64], "authors": ["did:ethr:0x1:0x" + "1" * 40],
              "time": "2026-01-01T00:00:00Z"}  # fmt: skip
    for name in (
        "dbt.jsonl",
        "lineage.jsonl",
        "static.jsonl",
        "versions.jsonl",
        "symlinks.json",
        "rename.json",
    ):
        found = import_fixture(name)
        for draft in found.plan.datasets:
            assert is_asset(f"acme/{draft.path}")
            assert is_asset(f"acme/{draft.path_if_taken}")
        for run in found.runs:
            activity = Activity(
                **header, run_id=run.run_id, component=run.component, outcome=run.outcome, edges=run.edges,
                columns=run.columns, started=run.started, ended=run.ended, source=run.source,
            )  # fmt: skip
            encoded = msgspec.json.encode(activity)
            assert msgspec.json.decode(encoded, type=Activity) == activity
            outputs, inputs = range(len(run.outputs)), range(len(run.inputs))
            assert all(e.output in outputs and e.input in inputs for e in [*run.edges, *run.columns])
            assert {(c.output, c.input) for c in run.columns} <= {(e.output, e.input) for e in run.edges}


def shuffled(events: list[Any], randoms: random.Random) -> list[bytes]:
    """The same events in some order, some of them twice, spread over some files in some layouts."""
    order = [*events, *randoms.sample(events, randoms.randint(0, len(events)))]
    randoms.shuffle(order)
    files: list[list[Any]] = [[] for _ in range(randoms.randint(1, 4))]
    for event in order:
        files[randoms.randrange(len(files))].append(event)
    layouts = [
        json.dumps,
        lambda some: json.dumps(some, indent=2),
        lambda some: "\n".join(json.dumps(each) for each in some),
        lambda some: "\n".join(json.dumps(dict(reversed(each.items())), indent=1) for each in some),
    ]
    return [layouts[randoms.randrange(len(layouts))](some).encode() for some in files if some]


def events_of(*names: str) -> list[Any]:
    found: list[Any] = []
    for name in names:
        text = (FIXTURES / name).read_text()
        if name.endswith(".jsonl"):
            found += [json.loads(line) for line in text.splitlines()]
        else:
            value = json.loads(text)
            found += value if isinstance(value, list) else [value]
    return found


ALL = events_of(
    "dbt.jsonl", "lineage.jsonl", "static.jsonl", "versions.jsonl", "symlinks.json", "rename.json"
)


@settings(max_examples=40, deadline=None)
@given(randoms=st.randoms(use_true_random=False))
def test_shuffling_events_and_files_changes_nothing(randoms: random.Random, imported: Any) -> None:
    straight = imported(json.dumps(ALL).encode())
    other = imported(*shuffled(ALL, randoms))
    assert not other.refusals
    assert (other.plan.datasets, other.runs) == (straight.plan.datasets, straight.runs)


NAMES = st.sampled_from(["a", "b", "c", "d"])
SOURCES = st.lists(NAMES, max_size=2)


@st.composite
def any_event(draw: st.DrawFn, make: ModuleType) -> Any:
    """An event of one of few runs about few datasets, with whatever facets."""

    def dataset(name: str, *, made: bool) -> Any:
        facets: dict[str, Any] = {}
        if draw(st.booleans()):
            facets["version"] = make.facet("V", datasetVersion=draw(st.sampled_from(["1", "2"])))
        if draw(st.integers(0, 3)) == 0:
            other = {**make.dataset(draw(NAMES)), "type": "TABLE"}
            facets["symlinks"] = make.facet("S", identifiers=[other])
        if made and draw(st.booleans()):
            facets["columnLineage"] = make.columns(x=[(each, "y") for each in draw(SOURCES)])
        if made and draw(st.integers(0, 3)) == 0:
            inputs = [{**make.dataset(each), "type": "DATASET"} for each in draw(SOURCES)]
            facets["lineage"] = make.facet("L", inputs=inputs)
        if made and draw(st.integers(0, 3)) == 0:
            change = draw(st.sampled_from(["CREATE", "DROP", "RENAME"]))
            before = make.dataset(draw(NAMES))
            facets["lifecycleStateChange"] = make.facet(
                "C", lifecycleStateChange=change, previousIdentifier=before
            )
        return make.dataset(name, **facets)

    job = {}
    if draw(st.integers(0, 3)) == 0:
        entries = [
            {**make.dataset(draw(NAMES)), "type": "DATASET",
             "inputs": [{**make.dataset(each), "type": "DATASET"} for each in draw(SOURCES)]}
            for _ in range(draw(st.integers(0, 2)))
        ]  # fmt: skip
        job["lineage"] = make.facet("L", entries=entries)
    name = draw(st.sampled_from(["r1", "r2", "r3"]))
    event = make.event(
        draw(
            st.sampled_from(
                ["START", "RUNNING", "COMPLETE", "COMPLETE", "COMPLETE", "FAIL", "ABORT", "OTHER"]
            )
        ),
        name,
        f"00:00:0{draw(st.integers(0, 9))}",
        inputs=[dataset(each, made=False) for each in draw(SOURCES)],
        outputs=[dataset(each, made=True) for each in draw(SOURCES)],
        job=job,
        run=make.parent(draw(st.sampled_from(["r1", "p"]))) if draw(st.booleans()) else {},
    )
    kind = draw(st.integers(0, 9))
    if kind == 0:
        del event["run"]
    elif kind == 1:
        event = {key: event[key] for key in ("eventTime", "producer", "schemaURL")}
        event["dataset"] = dataset(draw(NAMES), made=True)
    return event


@settings(max_examples=150, deadline=None)
@given(data=st.data(), randoms=st.randoms(use_true_random=False))
def test_any_events_in_any_order(
    data: st.DataObject, randoms: random.Random, make: ModuleType, imported: Any
) -> None:
    events = data.draw(st.lists(any_event(make), min_size=1, max_size=7))
    straight = imported(json.dumps(events).encode())
    assert not straight.refusals
    other = imported(*shuffled(events, randoms))
    assert (other.plan.datasets, other.runs) == (straight.plan.datasets, straight.runs)
    sound(straight.runs)


def sound(runs: Iterable[RunDraft]) -> None:
    """What holds of any drafts: sources come before products, edges fit, failed runs make nothing."""
    made: set[tuple[str, int]] = set()
    for run in runs:
        own = {(run.run_id, each.dataset) for each in run.outputs if each.makes}
        for each in run.inputs:
            assert not each.made_by or (each.made_by, each.dataset) in made | own
            assert bool(each.version) == bool(each.declared)
        pairs = [(edge.output, edge.input) for edge in run.edges]
        assert len(set(pairs)) == len(pairs)
        assert all(run.outputs[output].makes for output, _ in pairs)
        assert all(1 <= edge.basis <= 7 for edge in run.edges)
        assert len({(each.dataset, each.version) for each in run.inputs}) == len(run.inputs)
        assert len({each.dataset for each in run.outputs}) == len(run.outputs)
        assert run.outcome == "completed" or not own
        made |= own


def test_fixtures_are_what_their_script_writes() -> None:
    script = FIXTURES / "generate.py"
    done = subprocess.run(
        [sys.executable, str(script), "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the peak from /proc")
def test_memory_of_a_large_import() -> None:
    """50,000 events take under 80 MB, 35 of them Python and the libraries (measured: a million, 255)."""
    program = textwrap.dedent(
        """
        import json
        from pathlib import Path
        from ledger.formats.openlineage import plan_import
        COUNT, LENGTH = 50_000, 900
        def line(at):
            run, end = divmod(at, 2)
            def names(*some):
                return [{"namespace": "db", "name": f"table{each % 5000}"} for each in some]
            event = {"eventTime": f"2026-01-01T{at // 10000:02}:00:00.{at % 10000:04}Z", "producer": "p",
                     "schemaURL": "u", "eventType": "COMPLETE" if end else "START",
                     "run": {"runId": f"{run:08}-0000-0000-0000-000000000000"},
                     "job": {"namespace": "jobs", "name": f"job {run % 100}"},
                     "inputs": names(run, run + 7, run + 11), "outputs": names(run + 1)}
            return json.dumps(event).encode().ljust(LENGTH - 1) + b"\\n"
        class Source:
            name = "synthetic"
            def chunks(self):
                for at in range(0, COUNT, 500):
                    yield b"".join(map(line, range(at, at + 500)))
            def read(self, offset, length):
                return line(offset // LENGTH)[:length]
        plan = plan_import([Source()], refuse=print)
        count = sum(1 for _ in plan.runs())
        # Not ru_maxrss: that of a new process starts with the peak of the one that started it.
        status = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
        print(count, status["VmHWM"].split()[0])
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    runs, kilobytes = map(int, done.stdout.split())
    assert runs == 25_000
    assert kilobytes < 80_000
