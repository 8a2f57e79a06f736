"""One log as it is stored here, against what the chain says of it: what is wrong gets its own name.

`audit.logs` says where bytes contradict each other. Here it is told what that means: a tail that was cut off,
a backup that was put back, a second log under the same id. An own log has to have everything that is
anchored; a copy of another's ends where it was last verified.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from msgspec import Struct, field

from ledger.audit.logs import Failure, StoredLog, audit_checkpoint, audit_log
from ledger.core.chain_facts import Checkpoint
from ledger.core.errors import LedgerError, NotFound, Unavailable
from ledger.core.tiles import ENTRIES, TILE_WIDTH, TileName
from ledger.service.audit_scope import Said, owner_of
from ledger.service.context import Context
from ledger.service.forks import anchored, log_fork, signed
from ledger.service.results import AuditedLog, Fork, ForkHead, Problem
from ledger.store.folder import Head, TileFolder
from ledger.store.log import LogFolder
from ledger.store.mirror import Mirror

TAIL, ROLLED_BACK, MISSING = "tail-missing", "log-rolled-back", "log-missing"
_DAMAGED = {"tile-mismatch", "tile-unreadable", "unreadable"}


class LogAudit(Struct):
    """What was found in one log. `folder` is None where it could not be opened."""

    log_id: bytes
    own: bool
    party: str
    folder: TileFolder | None = None
    failures: list[Failure] = field(default_factory=list)
    forks: list[Fork] = field(default_factory=list)
    findings: list[Problem] = field(default_factory=list)
    signatures: int = 0

    @property
    def good(self) -> bool:
        """Whether nothing is wrong."""
        return not self.failures and not self.forks

    def stored(self) -> StoredLog:
        """Return the log as `audit` reads it."""
        assert self.folder is not None
        return StoredLog(self.folder.size, self.folder.tree.bundles, self.folder.tree.tile)


def audit_stored(
    context: Context, said: Said, log_id: bytes, progress: Callable[[int, int], None]
) -> LogAudit:
    """Recompute one log that is kept here; everything but its signatures."""
    own = log_id in context.own_logs
    found = LogAudit(log_id, own, context.did(owner_of(context, log_id, said)))
    points = said.checkpoints[log_id]
    try:
        found.folder = _opened(context, log_id, own=own)
        expected = points if own else [each for each in points if each.size <= found.folder.size]
        found.failures = audit_log(found.stored(), expected, progress=progress)
    except Unavailable:
        raise
    except LedgerError as error:
        found.failures.append(Failure(type(error).__name__.lower(), None, str(error)))
        return found
    if own:
        assert isinstance(found.folder, LogFolder)
        _check_own(found, found.folder, points, said.keys[owner_of(context, log_id, said)])
    _note_closed(found, said, points)
    _note_unanchored(found, points)
    return found


def in_words(found: LogAudit, said: Said) -> AuditedLog:
    """Put what was found in one log in words."""
    points, closure = said.checkpoints[found.log_id], said.closures.get(found.log_id)
    return AuditedLog(
        log=found.log_id.hex(),
        party=found.party,
        entries=found.folder.size if found.folder else 0,
        anchored=points[-1].size if points else 0,
        checkpoints=len(points),
        good=found.good,
        signatures=found.signatures,
        closed_block=closure.block if closure else None,
        closed_at=closure.at if closure else None,
        successor=closure.successor.hex() if closure and any(closure.successor) else "",
    )


def _opened(context: Context, log_id: bytes, *, own: bool) -> TileFolder:
    """Open a log anew, as it is on the disk now; an own one even if its kept checkpoints are others'."""
    if own:
        return context.own_log(log_id, compare_kept=False)
    return Mirror.of(context.workspace.mirrors, log_id)


def _check_own(found: LogAudit, log: LogFolder, points: Sequence[Checkpoint], keys: set[bytes]) -> None:
    """Check the signed checkpoint, and those that are kept: each anchored one has to be."""
    heads = _signed_heads(found, log, points, keys)
    _name_loss(found, log)
    if not any(failure.kind in _DAMAGED for failure in found.failures):
        _name_forks(found, log, heads, points)


def _signed_heads(
    found: LogAudit, log: LogFolder, points: Sequence[Checkpoint], keys: set[bytes]
) -> dict[str, Head]:
    """Return the signed heads of an own log by where they stand; those that are not signed are failures."""
    heads = {"checkpoint": log.head} if log.size else {}
    named = {failure.checkpoint for failure in found.failures if failure.kind == "wrong-size"}
    anchored_sizes = {point.size for point in points if point.n not in named}
    for size in sorted({*log.kept_sizes(), *anchored_sizes}):
        try:
            heads[f"checkpoints/{size}"] = log.kept_checkpoint(size)
        except NotFound as error:
            if size <= log.size:  # else the log has lost its tail, which is a failure already
                found.failures.append(Failure("checkpoint-missing", size - 1, str(error)))
        except LedgerError as error:
            found.failures.append(Failure(type(error).__name__.lower(), size - 1, str(error)))
    for what, head in list(heads.items()):
        wrong = audit_checkpoint(head.note, log.log_id, keys, head.size, head.root, what)
        if wrong:
            found.failures += wrong
            del heads[what]
    return heads


def _name_loss(found: LogAudit, log: LogFolder) -> None:
    """Tell a log that was put back to an older state as a whole from one whose tail was cut off."""
    for at, failure in enumerate(found.failures):
        if failure.kind == TAIL:
            kind, text = _loss(log)
            found.failures[at] = msgspec.structs.replace(failure, kind=kind, text=f"{failure.text}: {text}")


def _loss(log: LogFolder) -> tuple[str, str]:
    if not log.checkpoint:
        return MISSING, "there is no log at all; restore a backup or a mirror"
    if max(log.kept_sizes(), default=0) > log.size or _goes_on(log):
        return TAIL, "its tail was cut off; restore it from a backup or a mirror"
    return ROLLED_BACK, "it was put back to an older state; restore a newer backup, or a mirror"


def _goes_on(log: LogFolder) -> bool:
    """Tell whether files hold entries beyond the head."""
    number, width = divmod(log.size, TILE_WIDTH)
    last = log.path / TileName(ENTRIES, number).path
    wider = [each for each in last.with_name(f"{last.name}.p").glob("*") if each.name.isdigit()]
    return last.exists() or any(int(each.name) > width for each in wider)


def _name_forks(
    found: LogAudit, log: LogFolder, heads: dict[str, Head], points: Sequence[Checkpoint]
) -> None:
    """Name the contradictions of signed heads with anchored ones, and with one another.

    The entries have been found to be those of the signed head. So where they don't have an anchored root, the
    party signed one log and anchored another.
    """
    current = heads.get("checkpoint")
    if current is None:
        return
    wrong = {failure.checkpoint for failure in found.failures if failure.kind == "root-mismatch"}
    theirs: dict[int, ForkHead] = {point.size: anchored(point) for point in points if point.n in wrong}
    for what, head in heads.items():
        stands_here = head.size <= log.size and log.root_at(head.size) == head.root
        if what != "checkpoint" and not stands_here and head.size <= log.size:
            theirs[head.size] = signed(f"signed, {what}", head.note, head.size, head.root)
    for size, their in sorted(theirs.items()):
        kept = heads.get(f"checkpoints/{size}")
        same = kept is not None and log.root_at(size) == kept.root
        what, our = (f"checkpoints/{size}", kept) if kept and same else ("checkpoint", current)
        ours = signed(f"signed, {what}", our.note, our.size, our.root)
        found.forks.append(log_fork(log.log_id, found.party, ours, their))
    found.failures = [failure for failure in found.failures if failure.kind != "root-mismatch"]


def _note_closed(found: LogAudit, said: Said, points: Sequence[Checkpoint]) -> None:
    closure = said.closures.get(found.log_id)
    if closure is None:
        return
    disowned = len(points) - closure.at
    goes_on = f"; the log {closure.successor.hex()} goes on" if any(closure.successor) else ""
    stands = f"; {disowned} checkpoints from there on are disowned, but keep their effect" if disowned else ""
    text = f"closed in block {closure.block} at checkpoint {closure.at} of {len(points)}{stands}{goes_on}"
    found.findings.append(_finding(found, "log-closed", "info", text, closure.block))
    size = found.folder.size if found.folder else 0
    void = size - (points[-1].size if points else 0)
    if void > 0:
        text = f"{void} entries were never anchored, and are void since the log was closed"
        found.findings.append(_finding(found, "void-entries", "warning", text, closure.block))


def _note_unanchored(found: LogAudit, points: Sequence[Checkpoint]) -> None:
    """Note what must have been anchored once and is not: the chain may have been put back."""
    last = points[-1].size if points else 0
    if isinstance(found.folder, LogFolder):
        sizes = [size for size in found.folder.kept_sizes() if size > last]
        text = "was kept to be anchored and is not: that was interrupted, or the chain was put back"
        for size in sizes:
            found.findings.append(_finding(found, "not-anchored", "warning", f"checkpoints/{size} {text}"))
    elif found.folder is not None and found.folder.size > last:
        text = f"{found.folder.size} entries are here that were anchored, now {last} are"
        found.findings.append(_finding(found, "not-anchored", "warning", text))


def _finding(found: LogAudit, kind: str, severity: str, text: str, block: int | None = None) -> Problem:
    return Problem(
        kind=kind,
        severity=severity,
        subject=f"log of {found.party}",
        text=text,
        log=found.log_id.hex(),
        block=block,
    )
