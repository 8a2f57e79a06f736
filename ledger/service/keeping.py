"""What there is here of the attachments that records name, and what an audit says of it.

A record names a private attachment by a digest that tells nothing. Its salt and content are kept by whom they
concern, and each may be in one of these states:

    private          kept here
    disclosed        kept here, and marked to go into evidence files made here
    forgotten        deleted on purpose
    half-forgotten   marked as forgotten and still here: interrupted, or a backup brought it back
    missing          of a record of this party, and lost
    withheld         of somebody else's record, and not handed over to us
"""

from __future__ import annotations

from ledger.core.digests import SEALED
from ledger.index import Index
from ledger.index.views import AttachmentView, EntryView
from ledger.service.attached import private_attachments, public_attachments
from ledger.service.context import Context
from ledger.service.results import Problem
from ledger.store.marks import Marks, read_marks

PRIVATE, DISCLOSED, FORGOTTEN = "private", "disclosed", "forgotten"
HALF_FORGOTTEN, MISSING, WITHHELD = "half-forgotten", "missing", "withheld"
PUBLIC = "public"
KEPT = (PRIVATE, DISCLOSED)


class Keeping:
    """What this workspace keeps and forgot, as it stands now."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.marks: Marks = read_marks(context.workspace.marks_path)
        self.here = frozenset(private_attachments(context).digests())

    @property
    def forgotten(self) -> frozenset[str]:
        """The digests that were forgotten on purpose, to the end: marked, and nothing of them is here."""
        return self.marks.forgotten - self.here

    def state(self, digest: str, entry: EntryView) -> str:
        """Say what there is here of a private attachment that the record of `entry` names."""
        own = self._context.address == entry.party or entry.log in self._context.own_logs
        state = self.own_state(digest)
        return WITHHELD if state == MISSING and not own else state

    def own_state(self, digest: str) -> str:
        """Say the same where a record of this party names it."""
        if digest in self.marks.forgotten:
            return HALF_FORGOTTEN if digest in self.here else FORGOTTEN
        if digest in self.here:
            return DISCLOSED if digest in self.marks.disclosed else PRIVATE
        return MISSING

    def state_of(self, named: AttachmentView, entry: EntryView) -> str:
        """Say the same of any attachment; of a public one the index may have found out more."""
        digest = named.digest.hex()
        if named.alg == SEALED:
            return self.state(digest, entry)
        if entry.log in self._context.own_logs and not public_attachments(self._context, entry.log).has(
            digest
        ):
            return MISSING
        return named.state or PUBLIC


_GONE = {
    FORGOTTEN: ("info", "was forgotten on purpose: salt and content are deleted, every proof still holds"),
    HALF_FORGOTTEN: (
        "warning",
        "was to be forgotten and is still here (interrupted, or restored): dataledger forget {digest} --yes",
    ),
    MISSING: ("warning", "is missing, and was not forgotten on purpose: restore it from a backup"),
}


_UNNAMED = (
    "%s is kept here and no accepted record names it (an interrupted run, or a rejected record):"
    " dataledger forget deletes it"
)


def _gone(state: str, named: str, log_id: bytes, entry: int) -> Problem:
    severity, text = _GONE[state]
    return Problem(
        kind=f"attachment-{state}",
        severity=severity,
        subject=f"record in entry {entry}",
        text=f"{named} {text.format(digest=named.partition(':')[2])}",
        log=log_id.hex(),
        entry=entry,
    )


def attachment_problems(context: Context, index: Index, most: int) -> list[Problem]:
    """List what records of the own logs name and is not here, and what is here and named by none.

    About `most` of them.
    """
    keeping = Keeping(context)
    found = [
        Problem(
            kind="attachment-unnamed", severity="info", subject="private attachments", text=_UNNAMED % each
        )
        for each in sorted(keeping.here - index.sealed_among(keeping.here))[:most]
    ]
    for log_id in context.own_logs:
        public = frozenset(public_attachments(context, log_id).digests())
        for alg, digest, entry in index.attachment_names(log_id):
            state = MISSING if digest not in public else PUBLIC
            if alg == SEALED:
                state = keeping.own_state(digest)
            if state in _GONE and len(found) < most:
                found.append(_gone(state, f"{alg}:{digest}", log_id, entry))
    return found
