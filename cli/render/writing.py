"""What was done, as text: init, records written, runs, imports, chain actions, sync."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .layout import anchored, bad, count, good, notes, pairs, problems, short, table, who

if TYPE_CHECKING:
    from ledger.service import results as r

SHOWN_NAMES = 8
"""How many names of a list are written out."""


def setup(done: r.Setup) -> Iterator[str]:
    """`init`."""
    yield good("Joined the ledger" if done.joined else "Started a ledger")
    yield from pairs(
        [
            ("workspace", done.workspace),
            ("party", who(done.name, done.party)),
            ("namespace", done.namespace if done.namespace_claimed else f"{done.namespace} (not yours yet)"),
            ("ledger", done.ledger),
            ("log", done.log),
            ("key", done.key),
            ("chain", done.chain),
        ],
        indent="  ",
    )
    yield from notes(done.notes)


def receipt(done: r.Receipt) -> Iterator[str]:
    """What was written, and where it is anchored."""
    yield from table((), ((ref.type, ref.subject, f"record {short(ref.record)}") for ref in done.records))
    yield from _place(done)
    yield from problems(done.problem)
    yield from notes(done.notes)


def _place(done: r.Receipt) -> Iterator[str]:
    """Say where the records are: in a block, or waiting for one."""
    size = f"log size {done.size:,}"
    if done.block is not None:
        yield f"anchored in {anchored(done.block, done.block_time)}, {size}"
    elif done.records:
        yield f"pending, {size}: `dataledger anchor` anchors it"
    else:
        yield f"nothing to do, {size}"


def run(done: r.RunReceipt) -> Iterator[str]:
    """`run`, on stderr."""
    read = ", ".join(done.inputs) or "no inputs"
    made = ", ".join(done.outputs) or "no outputs"
    mark = good if done.outcome == "completed" else bad
    yield mark(done.outcome, f": {read} -> {made}")
    yield from receipt(done.receipt)


def done(result: r.Done) -> Iterator[str]:
    """Something done on chain or in the workspace."""
    place = f", {anchored(result.block, result.block_time)}" if result.block is not None else ""
    yield f"{result.what}{place}"
    yield from notes(result.notes)


def synced(result: r.Synced) -> Iterator[str]:
    """`sync`."""
    yield f"index is at {anchored(result.to_block, result.to_time)}"
    rejected = f"{result.rejected:,} rejected"
    applied = f"{count(result.applied, 'record')} applied"
    yield f"{applied}, {rejected}, {count(result.findings, 'finding')}"
    for log in result.missing_logs:
        yield f"missing log {log}, which the lineage of your assets needs: see dataledger follow"
    if result.digest_block is not None:
        yield f"state digest {result.state_digest} as of block {result.digest_block:,}, resting on:"
        rows = ((short(log.log), log.entries, log.problem) for log in result.digest_logs)
        yield from table(("LOG", "RECORDS", "STOPS FOR"), rows)


def imported(result: r.Imported) -> Iterator[str]:
    """`import`."""
    events, runs = count(result.events, "event"), count(result.runs, "run")
    would = "would be " if result.dry_run else ""
    known = f"{result.runs_known:,} known already, {result.refused_count:,} refused"
    yield f"{events}: {runs} {would}recorded, {known}"
    if result.registered:
        more = ", ..." if result.registered_count > SHOWN_NAMES else ""
        names = ", ".join(result.registered[:SHOWN_NAMES])
        yield f"{count(result.registered_count, 'dataset')} {would}registered: {names}{more}"
    for each in result.refused:
        yield f"refused {each.source} {each.position}: {each.reason}"
    if result.refused_count > len(result.refused):
        yield f"... and {result.refused_count - len(result.refused):,} more refused"
    if result.dropped_facets:
        names = ", ".join(result.dropped_facets)
        yield f"not carried over (kept in the private original): {names}"
    if result.receipt is not None:
        if result.receipt.records:
            yield from _place(result.receipt)
        yield from problems(result.receipt.problem)
        yield from notes(result.receipt.notes)
