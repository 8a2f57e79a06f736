"""Looking things up: lists of records, search, findings."""

from __future__ import annotations

from ledger.core.errors import NotFound
from ledger.core.names import namespace_of
from ledger.index.history import Event
from ledger.index.views import EntryView, FindingView
from ledger.service import forks
from ledger.service.context import Context
from ledger.service.parties import party_address
from ledger.service.results import (
    Findings,
    Happened,
    History,
    Hit,
    LogLine,
    LogListing,
    Problem,
    SearchResult,
)
from ledger.service.standing import flags
from ledger.service.syncing import fresh
from ledger.service.times import format_time


def log(
    context: Context,
    *,
    asset: str | None = None,
    type: str | None = None,  # noqa: A002 - the option's word
    party: str | None = None,
    state: str | None = None,
    limit: int = 50,
) -> LogListing:
    """List records, newest first."""
    index = fresh(context)
    name = None if asset is None else context.known.asset(asset)
    if name is not None and index.asset(name) is None:
        raise NotFound(f"nothing is known of {name}", hint="dataledger search finds assets by their texts")
    rows, truncated = index.entries(
        asset=name,
        type=type,
        party=None if party is None else party_address(context, party),
        state=state,
        limit=limit,
    )
    return LogListing(
        records=[log_line(context, row) for row in rows],
        truncated=truncated,
        to_block=index.summary().head,
    )


def log_line(context: Context, row: EntryView) -> LogLine:
    """Put an entry in words."""
    return LogLine(
        record=row.record.hex() if row.record else "",
        type=row.type,
        subject=row.subject,
        party=context.did(row.party) if row.party else "",
        party_name=context.index.party_name(row.party) if row.party else "",
        claimed_time=row.claimed,
        state=row.state,
        verdict="revoked" if row.revoked else row.verdict,
        block=row.block,
        block_time=format_time(row.time_unix_s) if row.time_unix_s is not None else "",
        log=row.log.hex(),
        entry=row.idx,
        reason=row.message or row.reason,
    )


def history(context: Context, name: str) -> History:
    """Tell what became of an asset, oldest first: every record that counts, with its block."""
    index = fresh(context)
    asset = context.known.asset(name)
    known = index.asset(asset)
    if known is None:
        raise NotFound(f"nothing is known of {asset}", hint="dataledger search finds assets by their texts")
    return History(
        asset=asset,
        holder=context.did(known.holder) if known.holder else "",
        holder_name=index.party_name(known.holder) if known.holder else "",
        events=[_happened(context, event) for event in index.history(asset)],
        complete=not index.misses_log_of(namespace_of(asset)),
        to_block=index.summary().head,
    )


def _happened(context: Context, event: Event) -> Happened:
    """Put an event in words."""
    line = log_line(context, event.entry)
    return Happened(
        record=line.record,
        what=event.what,
        subject=line.subject,
        party=line.party,
        party_name=line.party_name,
        to=context.did(event.to) if event.to else "",
        to_name=context.index.party_name(event.to) if event.to else "",
        about=event.about.hex() if event.about else "",
        state="waits for its posting" if event.waits else line.state,
        revoked=event.entry.revoked,
        block=line.block,
        block_time=line.block_time,
        binds_from=event.binds,
        units=event.units,
    )


def search(context: Context, text: str, *, limit: int = 20) -> SearchResult:
    """Find assets by their texts, best first."""
    index = fresh(context)
    rows, truncated = index.search(text, limit=limit)
    hits = [
        Hit(
            asset=row.asset,
            title=row.title,
            party=context.did(row.holder) if row.holder else "",
            party_name=index.party_name(row.holder) if row.holder else "",
            latest=row.latest,
            snippet=row.snippet,
            disputed=flags(context, row.asset),
        )
        for row in rows
    ]
    return SearchResult(hits=hits, truncated=truncated, to_block=index.summary().head)


def findings(context: Context, *, limit: int = 100) -> Findings:
    """List findings: contradictions that were met, then what the index holds, newest first."""
    index = fresh(context)
    rows, truncated = index.findings(limit=limit)
    return Findings(
        findings=[*forks.problems(forks.kept(context)), *map(problem, rows)],
        truncated=truncated,
        to_block=index.summary().head,
    )


def problem(row: FindingView) -> Problem:
    """Put a finding in words."""
    return Problem(
        kind=row.kind,
        severity=row.severity,
        subject=row.subject,
        text=row.text,
        block=row.block,
        log=row.log.hex() if row.log else "",
        entry=row.idx,
    )
