"""OpenLineage events from files into the log and back out as lineage: once, twice, in parts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger.core.errors import NotFound
from ledger.service.ledger import Ledger
from ledger.service.setup import InitRequest

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "fixtures" / "openlineage"


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    folder = tmp_path_factory.mktemp("importing")
    Ledger.init(folder, InitRequest(namespace="acme"), env={})
    with Ledger.open(folder, env={}) as ledger:
        yield ledger


def event(job: str, time: str, inputs: list[str], outputs: list[str], **more: Any) -> Any:
    return {
        "eventTime": f"2026-01-{time}Z", "producer": "p", "schemaURL": "u", "eventType": "COMPLETE",
        "run": {"runId": f"run of {job}"}, "job": {"namespace": "jobs", "name": job},
        "inputs": [{"namespace": "db", "name": name} for name in inputs],
        "outputs": [{"namespace": "db", "name": name} for name in outputs], **more,
    }  # fmt: skip


def put(folder: Path, *events: Any) -> Path:
    path = folder / "events.json"
    path.write_text(json.dumps(events))
    return path


def edges(ledger: Ledger, reference: str) -> set[tuple[str, str, int]]:
    return {(edge.output, edge.input, edge.basis) for edge in ledger.lineage(reference).edges}


def test_importing_again_changes_nothing(opened: Ledger) -> None:
    files = [FIXTURES / "dbt.jsonl", FIXTURES / "bad.jsonl", FIXTURES / "versions.jsonl"]
    first = opened.import_openlineage(files)
    second = opened.import_openlineage(files[::-1])
    assert first.receipt is not None
    assert (first.runs, first.runs_known, len(first.refused)) == (11, 0, 22)
    assert (second.runs, second.runs_known, second.registered, second.receipt) == (0, 11, [], None)
    assert edges(opened, "acme/shop.revenue") == {
        ("acme/shop.revenue@1", "acme/raw.calendar", 2),
        ("acme/shop.revenue@1", "acme/seeds.countries", 4),
        ("acme/shop.revenue@1", "acme/snapshots.orders", 4),
        ("acme/shop.revenue@1", "acme/shop.stg_orders@1", 6),
        ("acme/shop.stg_orders@1", "acme/raw.orders", 6),
    }
    assert edges(opened, "acme/audit@1") == {
        ("acme/audit@1", "acme/stock@1", 2),  # the version named, not the newest
        ("acme/audit@1", "acme/rates@1", 2),
    }
    assert edges(opened, "acme/audit@2") == {
        ("acme/audit@2", "acme/stock@2", 2),
        ("acme/audit@2", "acme/rates@2", 2),
    }
    with pytest.raises(NotFound):
        opened.show("acme/shop.broken@1")  # the model failed


def test_what_a_run_read_is_not_what_it_made(opened: Ledger, tmp_path: Path) -> None:
    merge = event("merge", "01T00:00:00", ["kept"], ["kept"])
    opened.import_openlineage([put(tmp_path, merge)])
    assert edges(opened, "acme/kept") == {("acme/kept@1", "acme/kept", 2)}
    # the same run again, with one more event
    opened.import_openlineage(
        [put(tmp_path, merge, {**merge, "eventTime": "2026-01-01T00:00:01Z", "eventType": "OTHER"})]
    )
    assert edges(opened, "acme/kept@1") == {("acme/kept@1", "acme/kept", 2)}
    opened.import_openlineage([put(tmp_path, event("merge again", "02T00:00:00", ["kept"], ["kept"]))])
    assert ("acme/kept@2", "acme/kept@1", 2) in edges(opened, "acme/kept@2")


def test_what_a_known_run_made_is_found_by_those_that_come_later(opened: Ledger, tmp_path: Path) -> None:
    first = event("first write", "01T01:00:00", [], ["table"])
    opened.import_openlineage([put(tmp_path, first)])
    second = event("second write", "02T00:00:00", [], ["table"])
    between = event("read between", "01T02:00:00", ["table"], ["report"])
    done = opened.import_openlineage([put(tmp_path, second, first, between)])
    assert (done.runs, done.runs_known) == (2, 1)
    assert edges(opened, "acme/report") == {("acme/report@1", "acme/table@1", 2)}


def test_what_was_declared_yields_to_what_was_run(opened: Ledger, tmp_path: Path) -> None:
    run = event("build", "01T00:00:00", ["source"], ["product"])
    declared = event("build", "02T00:00:00", ["imagined"], ["product"])
    del declared["run"], declared["eventType"]
    opened.import_openlineage([put(tmp_path, run)])
    done = opened.import_openlineage([put(tmp_path, declared)])
    assert done.runs == 0
    assert edges(opened, "acme/product") == {("acme/product@1", "acme/source", 2)}


def test_a_view_is_what_it_was_declared_to_be(opened: Ledger) -> None:
    opened.import_openlineage([FIXTURES / "static.jsonl"])
    assert edges(opened, "acme/public.customer_view") == {
        ("acme/public.customer_view@1", "acme/public.customers", 1),
        ("acme/public.customer_view@1", "acme/public.orders", 1),
    }
