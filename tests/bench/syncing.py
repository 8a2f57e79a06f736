"""Sync from nothing: fetch, recompute the root, verify every signature, decode, judge, index; and its
memory."""

from __future__ import annotations

import json
import resource

from big import big_ledger
from measure import Row, memory, peak_mb, rate, stopwatch

from ledger.service import Ledger


def sync_from_nothing() -> list[Row]:
    """Index the big ledger anew."""
    with big_ledger() as folder:
        records = json.loads((folder / "made.json").read_text())["records"]
        with Ledger.open(folder, env={}) as ledger, stopwatch() as elapsed:
            ledger.sync(rebuild=True)
        workers = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**10
        what = f"sync from nothing, {records:,} records"
        return [
            rate(what, records / elapsed[0], must=12_000, limit=29_000, limit_note="indexing alone"),
            memory(f"memory of that sync, {records:,} records", peak_mb() + workers, must_mb=500),
        ]


def audit_all() -> list[Row]:
    """Audit the big ledger as the command does: chain, tree, signatures, and every row of the index."""
    with big_ledger() as folder:
        records = json.loads((folder / "made.json").read_text())["records"]
        with Ledger.open(folder, env={}) as ledger:
            ledger.sync()
            with stopwatch() as elapsed:
                assert ledger.audit().verdict == "good"
        workers = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**10
        what = f"dataledger audit, {records:,} records: all of it, the index built anew and compared"
        return [
            rate(what, records / elapsed[0], must=12_000, limit=29_000, limit_note="indexing alone"),
            memory(f"memory of that audit, {records:,} records", peak_mb() + workers, must_mb=500),
        ]
