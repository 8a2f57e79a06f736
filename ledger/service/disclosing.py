"""Disclosing by choice: which private attachments go into evidence files, or to whom they concern.

Disclosing marks a digest; `evidence` then puts its preimage (salt, length, content, padding) into the file,
where anybody can check it against the digest that the record names. Handing out writes the same preimages as
files of their own. Both are for good: a mark can be withdrawn, what somebody has cannot.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ledger.core.digests import unseal
from ledger.core.errors import FormatError, Invalid, NotFound, Usage
from ledger.core.evidence import MAX_DISCLOSED
from ledger.core.hashing import sha256
from ledger.service.attached import private_attachments
from ledger.service.context import Context
from ledger.service.keeping import KEPT, Keeping
from ledger.service.private import (
    Found,
    as_digest,
    find,
    found_by_digest,
    found_now,
    looked_at,
    results,
)
from ledger.service.results.private import Disclosures
from ledger.service.syncing import current
from ledger.store.attachments import MAX_SEALED
from ledger.store.files import PRIVATE_FILE, PRIVATE_FOLDER, make_folder, read_small, write_once
from ledger.store.marks import Marks, read_marks, write_marks

SUFFIX = ".sealed"
"""Ends the name of a file that holds one preimage; its digest stands before."""

_MOST_IN_EVIDENCE = MAX_DISCLOSED // 2 - 8
"""Bytes of content whose preimage surely fits: padding at most doubles them and their length."""

_TOO_LARGE = "too large for an evidence file: hand it over with --to FOLDER"
_REPEAT = "nothing is done yet: repeat with --yes"
_FOR_GOOD = "whoever has a file keeps its content, and can prove it against the record"


def disclosed(context: Context) -> frozenset[str]:
    """Return the digests (hex) that are marked to go into evidence files; not all of them need be here."""
    marks = read_marks(context.workspace.marks_path)
    return marks.disclosed - marks.forgotten


def forgotten(context: Context) -> frozenset[str]:
    """Return the digests (hex) that were forgotten on purpose, and of which nothing is here any more."""
    return Keeping(context).forgotten


def sealed(context: Context, digest: str) -> bytes | None:
    """Return the preimage of a private attachment (digest in hex), None if it is not here.

    One that was to be forgotten counts as not here. Raises Corrupt for bytes that do not have the digest.
    """
    if digest in read_marks(context.workspace.marks_path).forgotten:
        return None
    return private_attachments(context).get_sealed(digest)


def disclose(
    context: Context,
    whats: Sequence[str],
    *,
    roles: Sequence[str] = (),
    folder: Path | None = None,
    confirmed: bool = False,
) -> Disclosures:
    """Mark what `whats` name (see `private.find`) to go into evidence files; with `folder`, write it there.

    Unless `confirmed`, only say what that would disclose. Raises NotFound if nothing of it is kept here.
    """
    found = list(looked_at(context, find(context, whats, roles)))
    here, notes = _disclosable(found, in_evidence=folder is None)
    if not confirmed:
        action = "to-disclose" if folder is None else "to-hand-out"
        return Disclosures(action=action, attachments=results(context, found), notes=[*notes, _REPEAT])
    if folder is not None:
        return _handed_out(context, here, folder, notes)
    digests = frozenset(each.digest for each in here)
    with context.writing():
        _change(context, lambda marks: Marks(marks.disclosed | digests, marks.forgotten))
    return _done(context, "disclosed", digests, notes)


def _disclosable(found: Sequence[Found], *, in_evidence: bool) -> tuple[list[Found], list[str]]:
    """Return what can be disclosed, and say what can't. Raises NotFound if nothing can."""
    here = [each for each in found if each.state in KEPT]
    fitting = [each for each in here if not in_evidence or (each.size or 0) <= _MOST_IN_EVIDENCE]
    if not fitting:
        why = _TOO_LARGE if here else ", ".join(sorted({each.state for each in found}))
        raise NotFound(f"nothing of that can be disclosed: it is {why}", hint="dataledger show says more")
    notes = []
    if len(here) < len(found):
        notes.append(f"{len(found) - len(here)} can't be: see the state")
    if len(fitting) < len(here):
        notes.append(f"{len(here) - len(fitting)} can't be: {_TOO_LARGE}")
    return fitting, notes


def withdraw(context: Context, whats: Sequence[str], *, roles: Sequence[str] = ()) -> Disclosures:
    """Take the mark back: evidence files made from now on leave the content out."""
    marked = disclosed(context)
    digests = marked & {as_digest(what) for what in whats}  # these need not be named by a record (any more)
    others = [what for what in whats if as_digest(what) not in digests]
    if others:
        digests |= marked & {each.digest for each in find(context, others, roles)}
    if not digests:
        raise NotFound("nothing of that is disclosed", hint="dataledger disclose --list lists what is")
    with context.writing():
        _change(context, lambda marks: Marks(marks.disclosed - digests, marks.forgotten))
    return _done(context, "withdrawn", digests, [f"what was handed out stays handed out: {_FOR_GOOD}"])


def disclosures(context: Context) -> Disclosures:
    """List what is marked to go into evidence files."""
    found = found_by_digest(context, disclosed(context))
    return Disclosures(action="listed", attachments=results(context, found))


def receive(context: Context, paths: Sequence[Path]) -> Disclosures:
    """Keep preimages that somebody handed over: all of them, or none.

    Each must have the digest of a private attachment that an accepted record names (else Invalid), and not be
    one that was forgotten here (Usage).
    """
    digests = {path: sha256(_preimage(path)).hex() for path in paths}
    with context.writing():
        views = list(current(context).sealed_named(frozenset(digests.values())))
        named = {each.digest for each in views}
        for path, digest in digests.items():
            _check_wanted(context, path, digest, named)
        store = private_attachments(context)
        for path, digest in digests.items():
            preimage = _preimage(path)
            if sha256(preimage).hex() != digest:
                raise Invalid(f"{path} changed while it was read")
            store.put_sealed([preimage])
    found = looked_at(context, found_now(context, views))
    return Disclosures(action="received", attachments=results(context, found))


def _preimage(path: Path) -> bytes:
    """Read a file that must be a preimage; FormatError, NotFound or Usage if it is none."""
    if path.is_dir():
        raise Usage(f"{path} is a folder", hint=f"name the files in it: {path}/*{SUFFIX}")
    data = read_small(path, MAX_SEALED, str(path))
    if data is None:
        raise NotFound(f"no such file: {path}")
    try:
        unseal(data)
    except FormatError as error:
        raise FormatError(f"{path}: {error}") from None
    return data


def _check_wanted(context: Context, path: Path, digest: str, named: set[str]) -> None:
    if digest not in named:
        raise Invalid(
            f"{path}: no accepted record known here names a private attachment with its digest {digest}",
            hint="it was altered, or its record is in a log that is not followed: dataledger follow, sync",
        )
    if digest in read_marks(context.workspace.marks_path).forgotten:
        raise Usage(f"{path}: what it holds was forgotten here on purpose, and forgetting is for good")


def _handed_out(context: Context, here: Sequence[Found], folder: Path, notes: list[str]) -> Disclosures:
    make_folder(folder, PRIVATE_FOLDER)
    for each in here:
        preimage = sealed(context, each.digest)
        if preimage is None:
            raise NotFound(f"private attachment {each.digest} is not here any more")
        path = folder / f"{each.digest}{SUFFIX}"
        fresh_file = write_once(path, preimage, "a private attachment", PRIVATE_FILE)
        if not fresh_file and read_small(path, MAX_SEALED, str(path)) != preimage:
            raise Usage(f"{path} is there already, with other content", hint="name an empty folder")
    notes.append(f"{_FOR_GOOD}; it is taken in with: dataledger import disclosed FILE")
    digests = frozenset(each.digest for each in here)
    return _done(context, "handed-out", digests, notes, folder=str(folder))


def _change(context: Context, change: Callable[[Marks], Marks]) -> None:
    """Replace the marks; the caller holds `Context.writing`."""
    path = context.workspace.marks_path
    before = read_marks(path)
    after = change(before)
    if after != before:
        write_marks(path, after)


def _done(
    context: Context, action: str, digests: frozenset[str], notes: list[str], *, folder: str = ""
) -> Disclosures:
    """Say what was done, with the states as they are now."""
    found = results(context, found_by_digest(context, digests))
    return Disclosures(action=action, attachments=found, folder=folder, notes=notes)
