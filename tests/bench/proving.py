"""Evidence: making it, checking it, its size; and how much memory a large one needs."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from big import VERSIONS, big_ledger, families
from chains import make_chain
from measure import Row, duration, median_process, median_time, memory

from ledger.core.evidence import Record, parse_line
from ledger.service import Ledger

FAMILY = 91
LARGE = 100_000
MUST_BYTES = 2_500
PEAK = """
import sys
from measure import peak_mb
from ledger.service.evidence_checking import TrustRoot, check_evidence
from pathlib import Path
print(check_evidence(Path(sys.argv[1]), TrustRoot(sys.argv[2])).verdict.records, peak_mb())
"""


def one() -> str:
    """Return the last version of a small family in the midst of the big ledger: some hundred records."""
    last, start = [], 0
    for size in families(VERSIONS):
        start += size
        if size == FAMILY:
            last.append(start - 1)
    number = last[len(last) // 2]
    return f"bench/a{number % 10_000:05}@{number // 10_000 + 1}"


def evidence() -> list[Row]:
    """Measure evidence of about a hundred records out of a large log."""
    with big_ledger() as folder, tempfile.TemporaryDirectory() as elsewhere:
        out = Path(elsewhere) / "bench.evidence"
        with Ledger.open(folder, env={}) as ledger:
            made = ledger.evidence([one()], out)
            making = median_time(lambda: ledger.evidence([one()], out))
            entries = ledger._context.log.size
        command = [sys.executable, "-m", "ledger_cli", "verify", str(out), "--block", made.block_hash]
        checking = median_process(command, Path(elsewhere))
        own = [line for line in map(parse_line, out.open("rb")) if isinstance(line, Record)]
        beyond = (made.bytes - sum(len(line.entry.encode()) for line in own)) / made.records
    what = f"a lineage of {made.records} records out of {entries:,}"
    return [
        duration(
            f"verify {what}, whole process", checking, must_s=0.3, limit_s=1.1, limit_note="sigstore, one"
        ),
        duration(f"evidence of {what}, written and verified", making, must_s=0.5),
        Row(
            f"its size a record beyond the record's own, {made.bytes:,} B in all",
            f"{MUST_BYTES:,} B",
            f"{beyond:,.0f} B",
            "",
            None,
            beyond <= MUST_BYTES,
        ),
    ]


def large() -> list[Row]:
    """Measure the peak memory and the time of verifying a hundred thousand records."""
    with tempfile.TemporaryDirectory() as folder:
        root = make_chain(Path(folder) / "ledger", LARGE)
        out = Path(folder) / "large.evidence"
        with Ledger.open(Path(folder) / "ledger", env={}) as ledger:
            start = time.perf_counter()
            made = ledger.evidence([root], out)
            making = time.perf_counter() - start
        start = time.perf_counter()
        records, peak = verify_apart(out, made.block_hash)
        took = time.perf_counter() - start
    what = f"evidence of {records:,} records, {made.bytes / 2**20:,.0f} MB"
    return [
        Row(f"making {what}", "", f"{making:.1f} s", "", None, good=True),
        Row(f"verifying {what}", "", f"{took:.1f} s", "", None, good=True),
        memory("memory of that verification", peak, must_mb=500),
    ]


def verify_apart(path: Path, block: str) -> tuple[int, float]:
    """Verify a file in a process of its own; return the number of records and its peak memory in MB."""
    here = Path(__file__).parent
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(path), block], check=True, capture_output=True, text=True, cwd=here
    )
    records, peak = done.stdout.split()
    return int(records), float(peak)
