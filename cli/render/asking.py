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
    settled = "" if report.settlements is None else f", {count(report.settlements, 'settlement')}"
    recomputed = f": {count(report.chain_blocks, 'block')}, {logs}, {attachments}{settled} recomputed"
    if report.verdict == "good":
        yield good("GOOD", recomputed)
    elif report.verdict == "partial":
        yield unsure("PARTIAL", f"{recomputed}; nothing is wrong in what was looked at")
    else:
        yield bad("FAILED", recomputed)
    yield from _audited(report.logs)
    yield from _problems("failures:", report.failures)
    yield from forks(report.forks)
    yield from _problems("findings:", report.findings)
    if report.findings_truncated:
        yield "  ... there are more: dataledger findings"
    for each in report.not_checked:
        yield f"not looked at: {each}"
    if report.digest_block is not None:
        yield f"state digest {report.state_digest} as of block {report.digest_block:,}"
    if report.trust_root:
        yield f"checked against {report.trust_root}"
    yield from notes(report.notes)


def _audited(logs: Sequence[r.AuditedLog]) -> Iterator[str]:
    """The logs that were recomputed."""
    head = ("PARTY", "LOG", "RECORDS", "ANCHORED", "CHECKPOINTS", "SIGNATURES", "VERDICT")
    rows = (
        (
            log.party,
            short(log.log),
            log.entries,
            log.anchored,
            log.checkpoints,
            log.signatures,
            "good" if log.good else "FAILED",
        )
        for log in logs
    )
    yield from table(head, rows)
    for log in logs:
        if log.closed_block is not None:
            goes_on = f"; {short(log.successor)} goes on" if log.successor else ""
            yield f"  {short(log.log)} was closed in block {log.closed_block:,} at {log.closed_at}{goes_on}"


def forks(found: Sequence[r.Fork]) -> Iterator[str]:
    """Contradictions, with both heads: signed checkpoints as they were signed."""
    for fork in found:
        yield bad(fork.kind, f": {f'log {fork.log}' if fork.log else 'the chain'}")
        for head in fork.heads:
            yield from _head(head)
        if fork.path:
            yield f"  kept in {fork.path}"


def _head(head: r.ForkHead) -> Iterator[str]:
    """One side of a contradiction."""
    block = "" if head.block is None else f", block {head.block:,} {head.block_hash}".rstrip()
    yield f"  {head.source}{block}"
    if head.note:
        yield from (f"    {line}" for line in head.note.rstrip().split("\n"))
    elif head.size is not None:
        yield f"    size {head.size}, root {head.root}"


def _problems(title: str, found: Sequence[r.Problem]) -> Iterator[str]:
    """Findings or failures under a title."""
    if found:
        yield title
        for each in found:
            yield f"  {each.kind} {each.subject}: {each.text}"
