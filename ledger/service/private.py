"""Private attachments: which are meant, and what there is of each here.

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

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from msgspec import Struct, structs

from ledger.core.digests import SEALED
from ledger.core.errors import Invalid, NotFound, Usage
from ledger.index import Index
from ledger.index.views import AttachmentView, EntryView, SealedView
from ledger.service.attached import private_attachments, public_attachments
from ledger.service.context import Context
from ledger.service.private_results import PrivateAttachment
from ledger.service.results import Problem
from ledger.service.syncing import fresh
from ledger.store.marks import Marks, read_marks

PRIVATE, DISCLOSED, FORGOTTEN = "private", "disclosed", "forgotten"
HALF_FORGOTTEN, MISSING, WITHHELD = "half-forgotten", "missing", "withheld"
PUBLIC = "public"
DAMAGED = "damaged"
"""Found only where the content is read: a file whose bytes are not those that its name says."""

KEPT = (PRIVATE, DISCLOSED)

_PREVIEW = 72
_digits = re.compile("[0-9a-f]{4,64}").fullmatch


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
        own = self._context.address == entry.party or self._context.log_id == entry.log
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
        if entry.log == self._context.log_id and not public_attachments(self._context).has(digest):
            return MISSING
        return named.state or PUBLIC


class Found(Struct, frozen=True, kw_only=True):
    """A private attachment that was asked for: where it is named, and what there is of it here.

    `view` is None where no accepted record names it. `size` and `preview` (its first line) are those of the
    content where it was read.
    """

    digest: str
    view: SealedView | None
    state: str
    size: int | None = None
    preview: str = ""


def find(context: Context, whats: Sequence[str], roles: Sequence[str]) -> list[Found]:
    """Return the private attachments that `whats` name: those with one of `roles`, if any is given.

    Each is an asset, a version, a record or a digest; of the last two the first digits do. Raises NotFound,
    and Usage where something means several things.
    """
    index = fresh(context)
    named: dict[tuple[int, str], SealedView] = {}
    for what in whats:
        views = {(each.entry.row, each.digest): each for each in _called(context, index, what)}
        if not views:
            raise NotFound(f"{what} has no private attachment", hint="dataledger show lists attachments")
        named |= views
    chosen = [each for each in named.values() if not roles or each.role in roles]
    if not chosen:
        there = ", ".join(sorted({each.role for each in named.values()}))
        raise NotFound(f"no private attachment there has the role {' or '.join(roles)}; roles: {there}")
    return found_now(context, chosen)


def found_now(context: Context, views: Iterable[SealedView]) -> list[Found]:
    """Return private attachments with what there is of them here at this moment."""
    keeping = Keeping(context)
    return [
        Found(digest=each.digest, view=each, state=keeping.state(each.digest, each.entry)) for each in views
    ]


def unnamed(context: Context) -> frozenset[str]:
    """Return the digests (hex) that are kept here and that no accepted record names.

    A run that was interrupted before its record was in the log leaves one; so does a record that is rejected.
    """
    here = Keeping(context).here
    return here - fresh(context).sealed_among(here)


def _called(context: Context, index: Index, what: str) -> Iterable[SealedView]:
    digest = what.removeprefix(f"{SEALED}:")
    if _digits(digest):
        return _by_digits(index, digest, only_digests=digest != what)
    reference = context.known.reference(what)
    version = context.known.named_version(reference)
    if version is None and index.asset(reference.asset) is None:
        raise NotFound(f"{what} is not known here", hint="dataledger search finds assets by their texts")
    rows = index.entries_about(reference.asset, None if version is None else version.number)
    return index.sealed_of(rows)


def _by_digits(index: Index, digits: str, *, only_digests: bool) -> Iterable[SealedView]:
    rows = [] if only_digests else [each for each in index.find_records(digits) if each.verdict == "accepted"]
    digests = index.sealed_digests(digits)
    records = {each.record for each in rows}
    if len(records) + len(digests) > 1:
        raise Usage(f"{digits} begins several records or digests", hint="name more digits")
    if not records and not digests:
        raise NotFound(f"no record and no private attachment begins with {digits}")
    return index.sealed_of([each.row for each in rows]) if records else index.sealed_named(digests)


def looked_at(context: Context, found: Sequence[Found]) -> Iterator[Found]:
    """Yield the same with size and first line of those that are here, read and checked one after another."""
    store = private_attachments(context)
    for done, each in enumerate(found, 1):
        context.progress("reading private attachments", done, len(found))
        if each.state not in (*KEPT, HALF_FORGOTTEN):
            yield each
            continue
        try:
            content = store.get(each.digest)
        except Invalid:
            yield structs.replace(each, state=DAMAGED)
            continue
        if content is None:
            yield each
        else:
            yield structs.replace(each, size=len(content), preview=_first_line(content))


def _first_line(content: bytes) -> str:
    line, _, _ = content[: 8 * _PREVIEW].lstrip().partition(b"\n")
    text = line.decode("utf-8", "replace")
    return text if len(text) <= _PREVIEW else text[: _PREVIEW - 1] + "…"


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


def attachment_problems(context: Context, index: Index, most: int) -> list[Problem]:
    """List what records of the own log name and is not here, and what is here and named by none.

    About `most` of them.
    """
    keeping = Keeping(context)
    public = frozenset(public_attachments(context).digests())
    found = [
        Problem(
            kind="attachment-unnamed", severity="info", subject="private attachments", text=_UNNAMED % each
        )
        for each in sorted(keeping.here - index.sealed_among(keeping.here))[:most]
    ]
    for alg, digest, entry in index.attachment_names(context.log_id):
        state = MISSING if digest not in public else PUBLIC
        if alg == SEALED:
            state = keeping.own_state(digest)
        if state in _GONE and len(found) < most:
            severity, text = _GONE[state]
            found.append(
                Problem(
                    kind=f"attachment-{state}",
                    severity=severity,
                    subject=f"record in entry {entry}",
                    text=f"{alg}:{digest} {text.format(digest=digest)}",
                    log=context.log_id.hex(),
                    entry=entry,
                )
            )
    return found


def results(context: Context, found: Iterable[Found]) -> list[PrivateAttachment]:
    """Put private attachments in words."""
    return [
        PrivateAttachment(
            digest=each.digest,
            state=each.state,
            size=each.size,
            preview=each.preview,
            **_named_by(context, each.view),
        )
        for each in found
    ]


def _named_by(context: Context, view: SealedView | None) -> dict[str, Any]:
    if view is None:
        return {"ours": True}
    party = view.entry.party
    return {
        "role": view.role,
        "media_type": view.media_type,
        "record": view.entry.record.hex() if view.entry.record else "",
        "type": view.entry.type,
        "subject": view.entry.subject,
        "party": context.did(party) if party else "",
        "party_name": context.index.party_name(party) if party else "",
        "ours": party == context.address,
    }
