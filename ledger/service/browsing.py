"""Looking things up: where the workspace stands, lists of records, search, findings."""

from __future__ import annotations

from ledger.core.errors import LedgerError, NotFound
from ledger.index.views import EntryView, FindingView
from ledger.service.context import Context
from ledger.service.following import followed
from ledger.service.parties import party_address
from ledger.service.paths import Paths
from ledger.service.results import Findings, Hit, LogLine, LogListing, Problem, SearchResult, Status
from ledger.service.times import format_time
from ledger.store.content import digest_path

_CHECKED_BYTES = 64 << 20
"""Files up to this size are digested by `status` to see whether they changed; larger ones only by `version`."""


def status(context: Context) -> Status:
    """Say where the workspace stands and what wants attention."""
    index = context.fresh()
    summary = index.summary()
    own = index.log(context.log_id)
    key = index.key_state(context.address, context.record_key)
    anchored = own.anchored if own else 0
    notes = []
    if own and own.problem:
        notes.append(f"your own log stops at {own.size} entries: {own.problem}; dataledger audit says more")
    if context.embedded:
        notes.append(
            "the chain is embedded: for trying out, tests and CI; it proves nothing to a third party"
        )
    else:
        notes.append(f"answers are true to block {summary.head}; dataledger sync asks the node for more")
    return Status(
        workspace=str(context.workspace.path),
        party=context.party,
        name=index.party_name(context.address),
        namespaces=[each.name for each in index.namespaces(context.address)],
        ledger=context.ledger_id.hex(),
        log=context.log_id.hex(),
        entries=context.log.size,
        anchored=anchored,
        pending=context.log.size - anchored,
        chain=context.reader.location if context.embedded else context.location,
        embedded=context.embedded,
        index_block=summary.head,
        final_block=summary.final,
        index_time=format_time(summary.head_time_unix_s),
        assets=summary.assets,
        versions=summary.versions,
        activities=summary.activities,
        findings=summary.findings,
        key=context.record_key.hex(),
        key_valid_to=format_time(key.valid_to_unix_s) if key else "",
        changed_files=_changed_files(context),
        followed=followed(context).followed,
        missing_logs=[log.hex() for log in index.missing_logs(context.address)],
        notes=notes,
    )


def _changed_files(context: Context) -> list[str]:
    """Return the assets whose content at their known path is not their newest version any more."""
    changed = []
    for asset, path in Paths(context.workspace).items():
        latest = context.index.latest_version(asset)
        if latest is None or not context.known.holds(asset):
            continue
        try:
            if path.is_file() and path.stat().st_size > _CHECKED_BYTES:
                continue
            content = digest_path(path)
        except LedgerError as error:
            changed.append(f"{asset}: {error}")
            continue
        if (content.name, content.digest) != (latest.alg, latest.digest.hex()):
            changed.append(f"{asset}: {path} is not {asset}@{latest.number}")
    return changed


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
    index = context.fresh()
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


def search(context: Context, text: str, *, limit: int = 20) -> SearchResult:
    """Find assets by their texts, best first."""
    index = context.fresh()
    rows, truncated = index.search(text, limit=limit)
    hits = [
        Hit(
            asset=row.asset,
            title=row.title,
            party=context.did(row.holder) if row.holder else "",
            party_name=index.party_name(row.holder) if row.holder else "",
            latest=row.latest,
            snippet=row.snippet,
        )
        for row in rows
    ]
    return SearchResult(hits=hits, truncated=truncated)


def findings(context: Context, *, limit: int = 100) -> Findings:
    """List findings, newest first."""
    rows, truncated = context.fresh().findings(limit=limit)
    return Findings(findings=[problem(row) for row in rows], truncated=truncated)


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
