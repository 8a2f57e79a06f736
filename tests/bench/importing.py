"""Importing pipeline events end to end, and its memory: each run reads one dataset and makes another."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from measure import Row, memory, peak_mb, plain, stopwatch

from ledger.service import InitRequest, Ledger

RUNS = int(os.environ.get("DATALEDGER_BENCH_RUNS", "50000"))
DATASETS = 1000


def event(run: int) -> bytes:
    """Return the COMPLETE event of a run."""
    time = f"2026-01-{1 + run // 86400 % 28:02d}T{run // 3600 % 24:02d}:{run // 60 % 60:02d}:{run % 60:02d}Z"
    return json.dumps(
        {
            "eventType": "COMPLETE",
            "eventTime": time,
            "producer": "https://bench.example/producer",
            "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
            "run": {"runId": f"00000000-0000-4000-8000-{run:012x}"},
            "job": {"namespace": "bench", "name": f"job-{run % DATASETS}"},
            "inputs": [{"namespace": "bench", "name": f"table_{run % DATASETS}"}],
            "outputs": [{"namespace": "bench", "name": f"table_{(run * 7 + 1) % DATASETS}"}],
        }
    ).encode()


def import_memory() -> list[Row]:
    """Import events into a fresh workspace."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (folder / "events.ndjson").open("wb") as file:
            file.writelines(event(run) + b"\n" for run in range(RUNS))
        Ledger.init(folder, InitRequest(namespace="bench"), env={})
        with Ledger.open(folder, env={}) as ledger, stopwatch() as elapsed:
            done = ledger.import_openlineage([folder / "events.ndjson"])
            assert done.runs == RUNS
            assert not done.refused
        size = ledger._context.log.size
        what = f"import of {RUNS:,} OpenLineage runs ({size:,} records), signed, anchored, indexed"
        return [
            plain(what, elapsed[0]),
            memory(f"memory of that import, {size:,} records", peak_mb(), must_mb=500),
        ]
