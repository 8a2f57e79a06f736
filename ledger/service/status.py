"""Where the workspace stands, and what wants attention."""

from __future__ import annotations

import time
from pathlib import Path

from ledger.chain.connect import shown
from ledger.core.authority import KeyState
from ledger.core.errors import LedgerError
from ledger.index import Index
from ledger.index.views import LogView
from ledger.service.context import Context
from ledger.service.following import followed_logs
from ledger.service.forks import kept
from ledger.service.logs import successor_word
from ledger.service.notices import open_notices, overdue_of_own
from ledger.service.paths import Paths
from ledger.service.results import Status
from ledger.service.syncing import up_to_date
from ledger.service.times import format_time
from ledger.store.content import digest_path

_CHECKED_BYTES = 64 << 20
_CHECKED_FILES = 10_000
"""Files and folders up to this size are digested to see whether they changed; larger ones only by `version`.
"""

_EXPIRY_NOTICE_S = 30 * 86400


def status(context: Context) -> Status:
    """Say where the workspace stands and what wants attention."""
    index = up_to_date(context)
    summary, own = index.summary(), index.log_progress(context.log_id)
    key = _key_in_use(context, index)
    return Status(
        workspace=str(context.workspace.path),
        party=context.party,
        name=index.party_name(context.address),
        namespaces=[each.name for each in index.namespaces(context.address)],
        ledger=context.ledger_id.hex(),
        log=context.log_id.hex(),
        entries=context.log.size,
        anchored=own.anchored,
        pending=max(context.log.size - own.anchored, 0),
        chain=shown(context.location),
        embedded=context.embedded,
        index_block=summary.head,
        final_block=summary.final,
        index_time=format_time(summary.head_time_unix_s),
        assets=summary.assets,
        versions=summary.versions,
        activities=summary.activities,
        findings=summary.findings,
        key=context.config.record_key,
        key_valid_to=format_time(key.valid_to_unix_s) if key else "",
        changed_files=_changed_files(context, index),
        followed=followed_logs(context, index),
        missing_logs=[log.hex() for log in index.missing_logs(context.address)],
        forks=kept(context),
        notices=open_notices(context),
        notes=[
            *_log_notes(context, own),
            *_key_notes(key),
            *_incident_notes(context),
            *_chain_notes(context, summary.head),
        ],
    )


def _key_in_use(context: Context, index: Index) -> KeyState | None:
    key = context.config.record_key
    return index.key_state(context.address, bytes.fromhex(key)) if key else None


def _log_notes(context: Context, own: LogView) -> list[str]:
    if own.closed_block is not None:
        successor = successor_word(context, own.successor or b"")
        go_on = f"dataledger log close --at {own.closed_at} --successor {successor}"
        return [f"your log was closed in block {own.closed_block}: {go_on} goes on with its successor"]
    if context.log.size < own.anchored:
        lost = f"your log has {context.log.size} entries, {own.anchored} are anchored"
        return [f"{lost}: it was put back to an older state; restore a newer backup or a mirror"]
    if own.problem:
        return [f"your log stops at {own.size} entries: {own.problem}; dataledger audit says more"]
    return []


def _key_notes(key: KeyState | None) -> list[str]:
    if key is None:
        return ["the key in use is not published: dataledger key rotate makes and publishes a new one"]
    if key.revoked_block or key.valid_to_unix_s < time.time():
        return ["the key in use is not valid any more: dataledger key rotate makes and publishes a new one"]
    if key.valid_to_unix_s < time.time() + _EXPIRY_NOTICE_S:
        return ["the key in use expires soon: dataledger key rotate makes and publishes a new one"]
    return []


def _incident_notes(context: Context) -> list[str]:
    """Name the own incidents of which notices are overdue."""
    return [
        f"incident {record.hex()[:12]}: {late} of those told have not acknowledged it in time:"
        f" dataledger incident show {record.hex()[:12]}"
        for record, late in overdue_of_own(context)
    ]


def _chain_notes(context: Context, head: int) -> list[str]:
    if context.embedded:
        return ["the chain is embedded: for trying out, tests and CI; it proves nothing to a third party"]
    return [f"answers are true to block {head}; dataledger sync asks the node for more"]


def _changed_files(context: Context, index: Index) -> list[str]:
    """Return the own assets whose content, where it was last, is not their newest version any more."""
    changed = []
    for asset, path in Paths(context.workspace).items():
        newest = index.latest_version(asset)
        if newest is None or not context.known.holds(asset):
            continue
        try:
            content = None if _is_large(path) else digest_path(path)
        except (LedgerError, OSError) as error:
            changed.append(f"{asset}: {error}")
            continue
        if content and (content.name, content.digest) != (newest.alg, newest.digest.hex()):
            changed.append(f"{asset}: {path} is not {asset}@{newest.number}")
    return changed


def _is_large(path: Path) -> bool:
    """Tell whether digesting a file or folder would take long."""
    left = _CHECKED_BYTES
    for count, each in enumerate(path.rglob("*") if path.is_dir() else [path]):
        left -= each.lstat().st_size
        if left < 0 or count >= _CHECKED_FILES:
            return True
    return False
