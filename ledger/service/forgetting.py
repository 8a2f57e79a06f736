"""Forgetting private attachments: salt and content are deleted, and the digest is remembered as forgotten.

The mark is written first and the files are deleted then, so an interruption leaves something marked that is
still here: it is shown as half-forgotten, is disclosed to nobody, and the same command finishes it. Forgotten
is only what is marked and gone. Records name digests and nothing else, so every proof of them still holds.

What an interrupted run left is kept under another salt, and no record names it: with the same content it goes
too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ledger.core.errors import Invalid, NotFound
from ledger.core.hashing import sha256
from ledger.service.attached import private_attachments
from ledger.service.context import Context
from ledger.service.keeping import MISSING, WITHHELD
from ledger.service.private import (
    Found,
    as_digest,
    find,
    found_by_digest,
    looked_at,
    results,
    unnamed,
)
from ledger.service.results.private import Disclosures
from ledger.store.marks import Marks, read_marks, write_marks

_DELETED = "salt and content are deleted; the records and every proof of them stay"
_WHERE = "copies elsewhere are not reached: backups, files handed out, evidence files made before"


def forget(
    context: Context, whats: Sequence[str], *, roles: Sequence[str] = (), confirmed: bool = False
) -> Disclosures:
    """Delete salt and content of the private attachments that `whats` name (see `private.find`), for good.

    A digest that is kept here and that no record names is taken too, in full. Unless `confirmed`, only say
    which. Raises NotFound where only their author ever had them.
    """
    found = _wanted(context, whats, roles)
    if not confirmed:
        notes = [_WHERE, "nothing is deleted yet: repeat with --yes"]
        shown = looked_at(context, found)
        return Disclosures(action="to-forget", attachments=results(context, shown), notes=notes)
    with context.writing():
        digests = frozenset(each.digest for each in found)
        _delete(context, digests | _same_content(context, digests))
    notes = [_DELETED, _WHERE]
    if lost := sum(each.state == MISSING for each in found):
        notes.append(f"{lost} were not here before either")
    after = results(context, found_by_digest(context, digests))
    return Disclosures(action="forgotten", attachments=after, notes=notes)


def _wanted(context: Context, whats: Sequence[str], roles: Sequence[str]) -> list[Found]:
    picked = unnamed(context) & {as_digest(what) for what in whats}
    others = [what for what in whats if as_digest(what) not in picked]
    found = find(context, others, roles) if others else []
    wanted = [each for each in found if each.state != WITHHELD] + found_by_digest(context, picked)
    if not wanted:
        raise NotFound("there is nothing here to forget: only its author has it")
    return wanted


def _delete(context: Context, digests: frozenset[str]) -> None:
    path = context.workspace.marks_path
    marks = read_marks(path)
    write_marks(path, Marks(marks.disclosed - digests, marks.forgotten | digests))
    private_attachments(context).forget(digests)


def _same_content(context: Context, digests: frozenset[str]) -> set[str]:
    """Return what is kept beside these, named by no record and with the content of one of them."""
    strays = unnamed(context) - digests
    contents = set(_contents(context, digests).values()) if strays else set()
    return {digest for digest, content in _contents(context, strays).items() if content in contents}


def _contents(context: Context, digests: Iterable[str]) -> dict[str, bytes]:
    """Return the hash of the content of each digest that can be read: what is damaged tells nothing."""
    store, found = private_attachments(context), {}
    for digest in digests:
        try:
            content = store.get(digest)
        except Invalid:
            continue
        if content is not None:
            found[digest] = sha256(content)
    return found
