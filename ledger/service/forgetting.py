"""Forgetting private attachments: salt and content are deleted, and the digest is remembered as forgotten.

The mark is written first and the files are deleted then, so an interruption leaves something marked that is
still here: it is shown as half-forgotten, is disclosed to nobody, and the same command finishes it. Forgotten
is only what is marked and gone. Records name digests and nothing else, so every proof of them still holds.
"""

from __future__ import annotations

from collections.abc import Sequence

from ledger.core.errors import NotFound
from ledger.service.attached import private_attachments
from ledger.service.context import Context
from ledger.service.private import MISSING, WITHHELD, Found, Keeping, find, looked_at, results
from ledger.service.private_results import Disclosures
from ledger.store.marks import Marks, read_marks, write_marks

_WHERE = "copies elsewhere are not reached: backups, files handed out, evidence files made before"


def forget(
    context: Context, whats: Sequence[str], *, roles: Sequence[str] = (), confirmed: bool = False
) -> Disclosures:
    """Delete salt and content of the private attachments that `whats` name (see `private.find`), for good.

    Unless `confirmed`, only say which. Raises NotFound where only their author ever had them.
    """
    found = [each for each in find(context, whats, roles) if each.state != WITHHELD]
    if not found:
        raise NotFound("there is nothing here to forget: only its author has it")
    if not confirmed:
        notes = [_WHERE, "nothing is deleted yet: repeat with --yes"]
        return Disclosures(
            action="to-forget", attachments=results(context, looked_at(context, found)), notes=notes
        )
    digests = frozenset(each.digest for each in found)
    with context.writing():
        marks = read_marks(context.workspace.marks_path)
        write_marks(context.workspace.marks_path, Marks(marks.disclosed - digests, marks.forgotten | digests))
        private_attachments(context).forget(digests)
    return _forgotten(context, found)


def _forgotten(context: Context, found: Sequence[Found]) -> Disclosures:
    keeping = Keeping(context)
    after = [Found(each.view, keeping.state(each.digest, each.view.entry)) for each in found]
    notes = ["salt and content are deleted; the records and every proof of them stay", _WHERE]
    if lost := sum(each.state == MISSING for each in found):
        notes.append(f"{lost} were not here before either")
    return Disclosures(action="forgotten", attachments=results(context, after), notes=notes)
