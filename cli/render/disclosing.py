"""Private attachments, as text. What they hold is somebody's data: tables make it safe to show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .layout import bad, count, good, notes, short, table, unsure

if TYPE_CHECKING:
    from ledger.service import results as r

_HEAD = ("ROLE", "TYPE", "BYTES", "STATE", "OF", "RECORD", "BY", "DIGEST", "FIRST LINE")
_SAID = {
    "listed": ("disclosed", "in evidence files made here"),
    "to-disclose": ("to be disclosed", "in evidence files made here"),
    "disclosed": ("disclosed", "in evidence files made here from now on"),
    "withdrawn": ("withdrawn", "from evidence files made here from now on"),
    "to-hand-out": ("to be written", "as files"),
    "handed-out": ("written", "to {folder}"),
    "received": ("received", "checked and kept here"),
    "to-forget": ("to be deleted", "for good"),
    "forgotten": ("forgotten", "for good"),
}


def disclosures(found: r.Disclosures) -> Iterator[str]:
    """`disclose`, `forget` and `import disclosed`."""
    yield from table(_HEAD, map(_row, found.attachments))
    number = count(len({each.digest for each in found.attachments}), "private attachment")
    word, place = _SAID.get(found.action, (found.action, "{folder}"))
    left = sum(each.state == "half-forgotten" for each in found.attachments)
    if found.action == "forgotten" and left:
        yield bad("still here", f": {left:,} of {number}, forget again")
    else:
        mark = unsure if found.action.startswith("to-") else good
        yield mark(word, f": {number}, {place.format(folder=found.folder)}")
    yield from notes(found.notes)


def _row(each: r.PrivateAttachment) -> tuple[object, ...]:
    return (
        each.role,
        each.media_type,
        "" if each.size is None else f"{each.size:,}",
        each.state,
        each.subject,
        f"{each.type} {short(each.record)}".strip(),
        "" if each.ours else each.party_name or each.party,
        short(each.digest),
        each.preview,
    )
