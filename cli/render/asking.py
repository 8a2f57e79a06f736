"""Answers about data, as text: whether a file is good, whether everything is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from .layout import anchored, bad, count, good, notes, short, table, unsure, who

if TYPE_CHECKING:
    from ledger.service import results as r


def file_verdict(found: r.FileVerdict) -> Iterator[str]:
    """`verify`."""
    mark = {"good": good, "unconfirmed": unsure}.get(found.verdict, bad)
    yield mark(found.verdict.upper(), f": {found.path}")
    yield f"  {found.digest}"
    for claim in found.claims:
        yield from _claim(claim)
    if found.reason:
        yield f"  {found.reason}"
    if found.trust_root:
        yield f"  checked against {found.trust_root}"
    yield from notes(found.notes)


def _claim(claim: r.Claim) -> Iterator[str]:
    """One claim: the version, its claimant, and what is proven of it."""
    stranger = "" if claim.trusted else ", not a party you trust"
    yield f"  is {claim.version}, claimed by {who(claim.party_name, claim.party)}{stranger}"
    record = f"record {short(claim.record)}"
    if claim.block is not None:
        yield f"    {record} existed by {anchored(claim.block, claim.block_time)}, {claim.state}"
    else:
        yield f"    {record} is {claim.state}"
    if claim.claimed_time:
        yield f"    it says that it was made {claim.claimed_time}"
    if claim.problem:
        yield f"    {claim.verdict}: {claim.problem}"


def audit(report: r.AuditReport) -> Iterator[str]:
    """`audit`."""
    logs, attachments = count(len(report.logs), "log"), count(report.attachments, "attachment")
    recomputed = f": {count(report.chain_blocks, 'block')}, {logs}, {attachments} recomputed"
    yield good("GOOD", recomputed) if report.good else bad("FAILED", recomputed)
    head = ("PARTY", "LOG", "RECORDS", "ANCHORED", "CHECKPOINTS", "VERDICT")
    yield from table(
        head,
        (
            (
                log.party,
                short(log.log),
                log.entries,
                log.anchored,
                log.checkpoints,
                "good" if log.good else "FAILED",
            )
            for log in report.logs
        ),
    )
    yield from _problems("failures:", report.failures)
    yield from _problems("findings:", report.findings)
    if report.findings_truncated:
        yield "  ... there are more: dataledger findings"
    if report.digest_block is not None:
        yield f"state digest {report.state_digest} as of block {report.digest_block:,}"
    if report.trust_root:
        yield f"checked against {report.trust_root}"
    yield from notes(report.notes)


def _problems(title: str, found: Sequence[r.Problem]) -> Iterator[str]:
    """Findings or failures under a title."""
    if found:
        yield title
        for each in found:
            yield f"  {each.kind} {each.subject}: {each.text}"
