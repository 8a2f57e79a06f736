"""Every recorded settlement once more: the split as of its own block, its bill, and what its escrow paid.

What the index found when it applied the records is listed with the index; here is what only recomputing
shows. None of it fails an audit: the bytes are as they were signed, it is what they say that is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator

from ledger.index.kinds import SEVERITIES
from ledger.index.settled import SettledView
from ledger.service.context import Context
from ledger.service.results import Problem, SettlementCheck
from ledger.service.settlement_checking import recheck


def audit_settlements(context: Context) -> tuple[int, list[Problem]]:
    """Recompute the settlements of all logs that are read here; return how many, and what is wrong in them.

    One that was taken back is left alone.
    """
    standing = [each for each in context.index.settlements() if each.revoked_block is None]
    found: list[Problem] = []
    for done, each in enumerate(standing, 1):
        found += _wrong(each, recheck(context, each))
        context.progress("recomputing settlements", done, len(standing))
    return len(standing), found


def _wrong(settled: SettledView, checked: SettlementCheck) -> Iterator[Problem]:
    for each in checked.differences:
        text = (
            f"{each.party_name or each.party}: recorded {each.recorded or 0}, expected {each.expected or 0}"
        )
        yield _problem("settlement-differs", "error", settled, text)
    for finding in checked.findings:
        if finding.kind not in SEVERITIES:
            yield _problem(finding.kind, finding.severity, settled, f"{finding.subject}: {finding.text}")
    for text in checked.unknown:
        yield _problem("settlement-unknown", "warning", settled, text)


def _problem(kind: str, severity: str, settled: SettledView, text: str) -> Problem:
    return Problem(
        kind=kind,
        severity=severity,
        subject=f"settlement {settled.record.hex()[:12]}",
        text=text,
        block=settled.block,
        log=settled.log.hex(),
        entry=settled.index,
    )
