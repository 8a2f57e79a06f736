"""Importing real events once, again, in parts and in vain: the log grows only by what is new."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ledger.core.errors import NotFound, Usage
from ledger.service.attached import private_attachments
from ledger.service.results import Synced
from tests.service.conftest import PYTHON, Party, Stage

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "fixtures" / "openlineage"


@pytest.fixture
def vectors() -> Path:
    """The folder of the real events."""
    folder = Path(os.environ.get("DATALEDGER_VECTORS") or ROOT.parent / "shared" / "vectors") / "openlineage"
    if not folder.is_dir():
        pytest.skip("the third-party vectors are not here: set DATALEDGER_VECTORS")
    return folder


def state(party: Party) -> tuple[int, Synced]:
    return party.ledger.status().entries, party.ledger.sync(digest=True)


def attachments(party: Party) -> list[str]:
    return private_attachments(party.context).digests()


def event(job: str, inputs: list[str], outputs: list[str], **more: Any) -> dict[str, Any]:
    return {
        "eventTime": "2026-01-01T00:00:00Z", "producer": "p", "schemaURL": "u", "eventType": "COMPLETE",
        "run": {"runId": f"run of {job}"}, "job": {"namespace": "jobs", "name": job},
        "inputs": [{"namespace": "db", "name": name} for name in inputs],
        "outputs": [{"namespace": "db", "name": name} for name in outputs], **more,
    }  # fmt: skip


def put(party: Party, *events: object) -> Path:
    return party.put("events.json", json.dumps(events))


@pytest.mark.vectors
def test_real_events_once_and_again(haina: Party, vectors: Path) -> None:
    files = sorted(vectors.glob("*/events/*.json"))
    first = haina.ledger.import_openlineage(files)
    assert first.receipt is not None
    assert (first.refused, first.runs_known) == ([], 0)
    assert first.runs >= 5
    entries, synced = state(haina)
    kept = attachments(haina)
    for again in (files, files[::-1]):
        second = haina.ledger.import_openlineage(again)
        assert (second.runs, second.runs_known, second.receipt) == (0, first.runs, None)
    assert state(haina) == (entries, synced)
    assert attachments(haina) == kept
    assert haina.ledger.audit().good


@pytest.mark.vectors
def test_real_events_as_they_come_in(haina: Party, vectors: Path) -> None:
    """One file after the other; then all at once, which only knows them already."""
    files = sorted(vectors.glob("CLL/events/*.json"), key=lambda path: int(path.stem))
    for path in files:
        haina.ledger.import_openlineage([path], anchor=False)
    entries, _ = state(haina)
    (product,) = [hit.asset for hit in haina.ledger.search("tbl1").hits]
    made_from = {edge.input.partition("@")[0] for edge in haina.ledger.lineage(product).edges}
    assert len(made_from) == 2
    whole = haina.ledger.import_openlineage(files)
    # runs whose events came in parts get one more record, with all of them; no dataset and no version is new
    assert whole.registered == []
    assert {ref.type for ref in whole.receipt.records} == {"activity"} if whole.receipt else True
    assert {edge.input.partition("@")[0] for edge in haina.ledger.lineage(product).edges} == made_from
    again, _ = state(haina)
    assert haina.ledger.import_openlineage(files).receipt is None
    assert state(haina)[0] == again >= entries


def test_every_fixture_twice(haina: Party) -> None:
    files = sorted(path for path in FIXTURES.iterdir() if path.suffix in {".json", ".jsonl"})
    first = haina.ledger.import_openlineage(files)
    assert first.refused_count == len(first.refused) == 22
    before = state(haina)
    second = haina.ledger.import_openlineage(files)
    assert (second.receipt, second.refused_count) == (None, 22)
    assert state(haina) == before
    rebuilt = haina.ledger.sync(rebuild=True, digest=True)
    assert rebuilt.state_digest == before[1].state_digest


def test_later_events_add_to_a_run(haina: Party) -> None:
    start = event("load", ["raw"], [], eventType="START")
    done = event("load", ["raw"], ["table"], eventTime="2026-01-01T00:05:00Z")
    first = haina.ledger.import_openlineage([put(haina, start)])
    assert (first.runs, haina.ledger.lineage("haina/raw", direction="downstream").edges) == (1, [])
    second = haina.ledger.import_openlineage([put(haina, start, done)])
    assert (second.runs, second.runs_known, second.registered) == (1, 0, ["haina/table"])
    assert [edge.input for edge in haina.ledger.lineage("haina/table").edges] == ["haina/raw"]
    activities = haina.ledger.log(type="activity").records
    said = [json.loads(haina.ledger.show(each.record).statement)["predicate"] for each in activities]
    assert [each["outcome"] for each in said] == ["completed", "running"]
    assert len({each["run_id"] for each in said}) == 1


def test_a_dry_run_writes_nothing(haina: Party) -> None:
    wide = [{"name": f"column_{i:05}", "type": "string"} for i in range(2000)]
    facet = {"_producer": "p", "_schemaURL": "u"}
    output = {"namespace": "db", "name": "wide", "facets": {"schema": {**facet, "fields": wide}}}
    path = put(haina, event("load", ["raw"], []) | {"outputs": [output]})
    haina.ledger.status()
    before = sorted(each for each in haina.home.rglob("*") if each.is_file())
    done = haina.ledger.import_openlineage([path], dry_run=True)
    assert (done.dry_run, done.runs, done.registered_count, done.receipt) == (True, 1, 2, None)
    assert sorted(each for each in haina.home.rglob("*") if each.is_file()) == before
    real = haina.ledger.import_openlineage([path])
    assert (real.runs, real.registered) == (1, done.registered)
    assert [
        each.name for each in (haina.public / "attachments").iterdir()
    ]  # what did not fit into the record


def test_a_run_that_no_record_holds_is_refused_whole(haina: Party) -> None:
    many = [f"table_{i:04}_{'x' * 60}" for i in range(900)]
    good = event("good", ["raw"], ["fine"])
    done = haina.ledger.import_openlineage([put(haina, event("huge", many, ["big"]), good)])
    assert (done.runs, done.refused_count) == (1, 1)
    assert done.refused[0].source == "run run of huge"
    assert "bytes" in done.refused[0].reason
    with pytest.raises(NotFound):  # nor is there a version that nobody made
        haina.ledger.show("haina/big@1")
    assert haina.ledger.show("haina/fine@1").kind == "version"
    assert len(attachments(haina)) == 1
    assert haina.finding_kinds() == []


def test_a_dataset_that_was_handed_over_is_refused_and_the_rest_imported(stage: Stage) -> None:
    haina = stage.haina
    haina.ledger.import_openlineage([put(haina, event("load", ["raw"], ["given", "kept"]))])
    haina.ledger.transfer("haina/given", "jinlong")
    later = [event("again", ["raw"], ["given"]), event("other", ["raw"], ["kept"])]
    done = haina.ledger.import_openlineage([put(haina, *later)])
    assert (done.runs, done.refused_count) == (1, 1)
    assert "is held by Jinlong" in done.refused[0].reason
    assert haina.ledger.show("haina/kept@2").kind == "version"
    assert {line.verdict for line in haina.ledger.log().records} == {"accepted"}


def test_into_a_namespace_of_somebody_else(stage: Stage) -> None:
    path = put(stage.haina, event("load", [], ["table"]))
    for name, says in (("jinlong", "belongs to Jinlong"), ("nobody", "nobody owns"), ("No", "namespace")):
        with pytest.raises(Usage, match=says):
            stage.haina.ledger.import_openlineage([path], namespace=name)
    assert stage.haina.context.log.size == 0
    stage.haina.ledger.claim_namespace("haina.pipelines")
    done = stage.haina.ledger.import_openlineage([path], namespace="haina.pipelines")
    assert done.registered == ["haina.pipelines/table"]


def test_originals_are_sealed(haina: Party) -> None:
    secret = event("load", [], ["table"], producer="https://user:hunter2@example.com/")
    haina.ledger.import_openlineage([put(haina, secret)])
    (digest,) = attachments(haina)
    assert json.loads(private_attachments(haina.context).get(digest) or b"") == secret
    assert b"hunter2" not in b"".join(haina.entries())
    private = haina.home / "private" / "attachments" / digest
    assert private.stat().st_mode & 0o777 == 0o600


@pytest.mark.slow
def test_memory_stays_bounded(haina: Party) -> None:
    """20,000 runs with events of 4 KB: their bytes alone would be 80 MB, and twice that sealed."""
    padding = "x" * 3500
    with (haina.folder / "many.jsonl").open("w") as file:
        for i in range(20_000):
            file.write(json.dumps(event(f"job-{i}", ["raw"], [f"t{i % 50}"], producer=padding)) + "\n")
    haina.close()
    code = (
        "from pathlib import Path\nfrom ledger.service import Ledger\n"
        "with Ledger.open(Path.cwd(), env={}) as ledger:\n"
        "    done = ledger.import_openlineage([Path('many.jsonl')])\n"
        "    assert done.runs == 20000, done.runs\n"
        # Not ru_maxrss: that of a new process starts with the peak of the one that started it.
        "status = dict(line.split(':') for line in Path('/proc/self/status').read_text().splitlines())\n"
        "print(int(status['VmHWM'].split()[0]) // 1024)\n"
    )
    done = subprocess.run([PYTHON, "-c", code], cwd=haina.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 400
