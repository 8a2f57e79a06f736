"""Trace on a million versions and three million edges, in process; and how long commands take to start."""

from __future__ import annotations

import sys

from big import big_ledger, last_of
from measure import Row, duration, median_process, median_time, plain

from ledger.core.names import parse_reference
from ledger.index.lineage import walk
from ledger.index.tracing import Query, starts
from ledger.service import Ledger
from ledger.service.context import Context
from ledger.service.lineage import lineage
from ledger.service.syncing import fresh

QUESTIONS = ((91, 0.001, 0.0001), (8_001, 0.025, 0.012), (77_001, 0.2, 0.137))


def name_of(number: int) -> str:
    """Return the name of version `number` of the big ledger."""
    return f"bench/a{number % 10_000:05}@{number // 10_000 + 1}"


def trace() -> list[Row]:
    """Ask for the ancestors of three versions: which they are, and with every name, digest and party."""
    rows = []
    with big_ledger() as folder, Ledger.open(folder, env={}) as ledger:
        for size, must, limit in QUESTIONS:
            walk, answer, count = _ask(ledger._context, name_of(last_of(size)))
            what = f"trace, {count:,} ancestors, p50"
            rows.append(duration(what, walk, must_s=must, limit_s=limit, limit_note="SQLite's walk alone"))
            rows.append(plain("the same with every name, digest and party", answer))
    return rows


def _ask(context: Context, reference: str) -> tuple[float, float, int]:
    """Return the median times of the walk and of the whole answer, and how many ancestors there are."""
    database = fresh(context).database
    query = Query(direction="upstream", level="version")
    begin = starts(database, parse_reference(reference), query)
    count = len(walk(database, begin, direction="upstream").ids) - 1
    return (
        median_time(lambda: walk(database, begin, direction="upstream"), 9),
        median_time(lambda: lineage(context, reference), 5),
        count,
    )


def start() -> list[Row]:
    """Time whole processes."""
    command = [sys.executable, "-m", "ledger_cli"]
    with big_ledger() as folder:
        rows = [
            duration(
                "command start: --help",
                median_process([*command, "--help"], folder),
                must_s=0.15,
                limit_s=0.11,
            )
        ]
        question = [*command, "trace", name_of(last_of(91))]
        rows.append(
            duration(
                "command start: trace on that index",
                median_process(question, folder),
                must_s=0.3,
                limit_s=0.11,
                limit_note="--help",
            )
        )
    return rows
