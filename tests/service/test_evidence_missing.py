"""Evidence whose lineage leads into a log that can't be had: named, unknown, and never good."""

from __future__ import annotations

import shutil
import sys

from ledger.service.evidence_checking import TrustRoot, check_evidence
from tests.service.conftest import Stage


def made_from_parts(story: Stage) -> None:
    """Let Haina make a product from the supplier's parts."""
    haina = story.haina
    parts = haina.put("parts.csv", (story.jinlong.folder / "parts.csv").read_text())
    made = haina.folder / "demand.csv"
    haina.ledger.run(
        [sys.executable, "-c", f"open({str(made)!r}, 'w').write('47')"],
        inputs=[f"jinlong/parts={parts}"],
        outputs=[f"haina/demand={made}"],
    )


def test_a_source_whose_log_is_withheld(story: Stage) -> None:
    made_from_parts(story)
    haina, out = story.haina, story.haina.folder / "demand.evidence"
    whole = haina.ledger.evidence(["haina/demand"], out)
    trust = TrustRoot(whole.block_hash)
    assert (whole.unknown, check_evidence(out, trust).verdict.verdict) == ([], "good")

    haina.close()
    shutil.rmtree(haina.home / "mirrors")
    story.jinlong.public.rename(story.path / "away")
    haina.ledger.sync(rebuild=True)
    less = haina.ledger.evidence(["haina/demand"], out)
    assert less.outside == ["jinlong/parts@1"]
    assert less.unknown == ["jinlong/parts@1: its log could not be had"]
    verdict = check_evidence(out, trust).verdict
    assert (verdict.verdict, verdict.reason) == ("unknown", less.unknown[0])
    assert [each.kind for each in verdict.findings] == ["log-unavailable"]

    (story.path / "away").rename(story.jinlong.public)
    haina.ledger.sync()
    assert haina.ledger.evidence(["haina/demand"], out).unknown == []
    assert check_evidence(out, trust).verdict.verdict == "good"
