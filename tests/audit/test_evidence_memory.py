"""Tens of thousands of records are verified in the memory of a small program.

A hundred thousand are what the bench verifies (`evidence-large`): making them takes minutes.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ledger.service import Ledger
from tests.bench.chains import make_chain

ROOT = Path(__file__).parent.parent.parent
VERIFY = """
import sys
from pathlib import Path
from ledger.service.evidence_checking import TrustRoot, check_evidence
from tests.bench.measure import peak_mb
verdict = check_evidence(Path(sys.argv[1]), TrustRoot(sys.argv[2])).verdict
print(verdict.verdict, verdict.records, peak_mb())
"""
MOST_MB = 120


@pytest.mark.slow
def test_forty_thousand_records(tmp_path: Path) -> None:
    records = 40_000
    root = make_chain(tmp_path / "ledger", records)
    out = tmp_path / "large.evidence"
    with Ledger.open(tmp_path / "ledger", env={}) as ledger:
        made = ledger.evidence([root], out)
    assert made.records == records
    done = subprocess.run(
        [sys.executable, "-c", VERIFY, str(out), made.block_hash],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    verdict, count, peak = done.stdout.split()
    print(f"peak memory of verifying {count} records ({out.stat().st_size:,} bytes): {peak} MB")
    assert (verdict, int(count)) == ("good", records)
    assert float(peak) < MOST_MB
