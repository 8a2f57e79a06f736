"""Everything once more from stored bytes: chain file, logs, signatures, anchors, attachments, index.

The index is not believed: it is built anew beside the old one, and the two must have the same state. Findings are
listed and don't fail an audit: they are what the records themselves say or lack. Failures are stored bytes that
contradict each other or the chain.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from ledger.audit.logs import Failure, StoredLog, audit_log
from ledger.chain.embedded.check import verify_chain_db
from ledger.core.chain_facts import Anchored, Checkpoint
from ledger.core.errors import LedgerError
from ledger.service.attached import private_attachments, public_attachments
from ledger.service.browsing import problem
from ledger.service.context import Context
from ledger.service.rechecking import open_log
from ledger.service.results import AuditedLog, AuditReport, Problem
from ledger.service.syncing import Logs
from ledger.store.folder import TileFolder

_FINDINGS = 1000


def audit(context: Context) -> AuditReport:
    """Recompute everything that is stored here, and say what does not hold."""
    failures: list[Problem] = []
    blocks = _audit_chain(context, failures)
    index = context.fresh()
    anchors = _checkpoints(context)
    logs = [_audit_log(context, log_id, anchors[log_id], failures) for log_id in _log_ids(context, anchors)]
    attachments = _audit_attachments(context, failures)
    digest = _audit_index(context, failures)
    summary = index.summary()
    return AuditReport(
        good=not failures,
        chain_blocks=blocks,
        logs=logs,
        attachments=attachments,
        failures=failures,
        findings=[problem(row) for row in index.findings(limit=_FINDINGS)[0]],
        state_digest=digest,
        to_block=summary.final,
        notes=["an embedded chain proves nothing to a third party"] if context.embedded else [],
    )


def _failed(
    failures: list[Problem], subject: str, error: LedgerError | Failure, log: bytes | None = None
) -> None:
    kind = error.kind if isinstance(error, Failure) else type(error).__name__.lower()
    text = error.text if isinstance(error, Failure) else str(error)
    entry = error.entry if isinstance(error, Failure) else None
    failures.append(
        Problem(
            kind=kind, severity="error", subject=subject, text=text, log=log.hex() if log else "", entry=entry
        )
    )


def _audit_chain(context: Context, failures: list[Problem]) -> int:
    """Check the embedded chain's file from its first block on; a node is only asked for its head."""
    try:
        if context.embedded:
            checked = verify_chain_db(
                Path(context.location),
                progress=lambda done, total: context.progress("checking the chain", done, total),
            )
            return checked.blocks
        return context.reader.head().number + 1
    except LedgerError as error:
        _failed(failures, context.location, error)
        return 0


def _checkpoints(context: Context) -> dict[bytes, list[Checkpoint]]:
    """Return the checkpoints of every log, from the contract's events."""
    found: dict[bytes, list[Checkpoint]] = defaultdict(list)
    times: dict[int, int] = {}
    reader = context.reader
    for event in reader.events(context.descriptor.hints.start_block, reader.head().number + 1):
        body = event.body
        if isinstance(body, Anchored):
            if event.block not in times:
                block = reader.block(event.block)
                times[event.block] = block.time_unix_s if block else 0
            found[body.log].append(Checkpoint(body.n, body.size, body.root, event.block, times[event.block]))
    return found


def _log_ids(context: Context, anchors: dict[bytes, list[Checkpoint]]) -> list[bytes]:
    """Return the logs that are stored here: the own one first."""
    logs = Logs(context, context.reader)
    others = [log_id for log_id in anchors if log_id != context.log_id and logs.available(log_id)]
    return [context.log_id, *sorted(others)]


def _audit_log(
    context: Context, log_id: bytes, checkpoints: list[Checkpoint], failures: list[Problem]
) -> AuditedLog:
    known = context.index.log(log_id)
    party = known.party if known else None
    name = context.describe(party) if party else log_id.hex()
    before, size = len(failures), 0
    try:
        folder = open_log(context, log_id)
        size = folder.size
        stored = StoredLog(folder.size, folder.tree.bundles, folder.tree.tile)
        if log_id != context.log_id:  # a copy ends where it was last verified
            checkpoints = [point for point in checkpoints if point.size <= size]
        for failure in audit_log(
            stored,
            checkpoints,
            progress=lambda done, total: context.progress(f"auditing the log of {name}", done, total),
        ):
            _failed(failures, name, failure, log_id)
        _audit_kept(context, folder, checkpoints, failures)
    except LedgerError as error:
        _failed(failures, name, error, log_id)
    return AuditedLog(
        log=log_id.hex(),
        party=name,
        entries=size,
        anchored=checkpoints[-1].size if checkpoints else 0,
        checkpoints=len(checkpoints),
        good=len(failures) == before,
    )


def _audit_kept(
    context: Context, folder: TileFolder, checkpoints: list[Checkpoint], failures: list[Problem]
) -> None:
    """Check that each anchored checkpoint of the own log was kept, as it was anchored."""
    if folder is not context.log:
        return
    for point in checkpoints:
        kept = context.log.kept_checkpoint(point.size)
        if kept.root != point.root:
            text = f"checkpoints/{point.size} has root {kept.root.hex()}, anchored is {point.root.hex()}"
            _failed(failures, "own log", Failure("fork", point.size - 1, text), context.log_id)


def _audit_attachments(context: Context, failures: list[Problem]) -> int:
    """Check every attachment that is kept here against its digest."""
    count = 0
    for what in (public_attachments(context), private_attachments(context)):
        for digest in what.digests():
            count += 1
            try:
                what.get(digest)
            except LedgerError as error:
                _failed(failures, f"attachment {digest}", error)
    return count


def _audit_index(context: Context, failures: list[Problem]) -> str:
    """Build the index anew and compare; return the state digest."""
    logs = Logs(context, context.reader)
    scratch = context.workspace.index_path.with_suffix(".audit.db")
    differing = context.index.audit(context.reader, logs, scratch, progress=context.progress)
    for each in differing:
        text = f"table {each.table}, row {each.row}: found {each.found}, chain and logs say {each.expected}; dataledger sync --rebuild makes it anew"
        _failed(failures, "index", Failure("index-mismatch", None, text))
    return context.index.state_digest().hex()
