"""Private attachments: which ones are meant, where they are named, and what there is of each here."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from msgspec import Struct, structs

from ledger.core.digests import SEALED
from ledger.core.errors import Invalid, NotFound, Usage
from ledger.index import Index
from ledger.index.views import SealedView
from ledger.service.attached import private_attachments
from ledger.service.context import Context
from ledger.service.keeping import HALF_FORGOTTEN, KEPT, Keeping
from ledger.service.results.private import PrivateAttachment
from ledger.service.syncing import fresh

DAMAGED = "damaged"
"""The state, found only where the content is read, of a file whose bytes are not those that its name says."""

_PREVIEW = 72
_digits = re.compile("[0-9a-f]{4,64}").fullmatch


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


def found_by_digest(context: Context, digests: Collection[str]) -> list[Found]:
    """Return every place where these digests (hex) are named, and those that no accepted record names."""
    found = found_now(context, fresh(context).sealed_named(digests))
    keeping = Keeping(context)
    strays = sorted(set(digests) - {each.digest for each in found})
    return found + [Found(digest=each, view=None, state=keeping.own_state(each)) for each in strays]


def as_digest(what: str) -> str:
    """Return what may be a digest as it stands in names of files: without its algorithm."""
    return what.removeprefix(f"{SEALED}:")


def unnamed(context: Context) -> frozenset[str]:
    """Return the digests (hex) that are kept here and that no accepted record names.

    A run that was interrupted before its record was in the log leaves one; so does a record that is rejected.
    """
    here = Keeping(context).here
    return here - fresh(context).sealed_among(here)


def _called(context: Context, index: Index, what: str) -> Iterable[SealedView]:
    digest = as_digest(what)
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
