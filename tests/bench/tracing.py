"""Trace on a million versions and three million edges, in process; and how long commands take to start."""

from __future__ import annotations

import sys

from big import big_ledger, last_of
from measure import Row, duration, median_process, median_time

from ledger.service import Ledger
from ledger.service.lineage import lineage

QUESTIONS = ((91, 0.001, 0.0001), (8_001, 0.025, 0.012), (77_001, 0.2, 0.137))


def name_of(number: int) -> str:
    """Return the name of version `number` of the big ledger."""
    return f"bench/a{number % 10_000:05}@{number // 10_000 + 1}"


def trace() -> list[Row]:
    """Ask for the ancestors of three versions."""
    rows = []
    with big_ledger() as folder, Ledger.open(folder, env={}) as ledger:
        ledger.status()
        index = ledger._context.index
        for size, must, limit in QUESTIONS:
            reference = ledger._context.known.reference(name_of(last_of(size)))
            found = index.walk(reference)
            elapsed = median_time(lambda ref=reference: index.walk(ref), 9)
            rows.append(duration(f"trace, {len(found):,} ancestors, p50", elapsed, must_s=must, limit_s=limit, limit_note="SQLite's walk alone"))
            graph = median_time(lambda ref=name_of(last_of(size)): lineage(ledger._context, ref), 5)
            rows.append(duration(f"the same with every name, digest and party", graph, must_s=must * 20))
    return rows


def start() -> list[Row]:
    """Time whole processes."""
    command = [sys.executable, "-m", "ledger_cli"]
    with big_ledger() as folder:
        rows = [duration("command start: --help", median_process([*command, "--help"], folder), must_s=0.15, limit_s=0.11)]
        question = [*command, "trace", name_of(last_of(91))]
        rows.append(duration("command start: trace on that index", median_process(question, folder), must_s=0.3, limit_s=0.11, limit_note="--help"))
    return rows
