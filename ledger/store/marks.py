"""Which private attachments their keeper marked: to go into evidence files, or forgotten on purpose.

    private/marks.json     {"format": "dataledger/marks/v1", "disclosed": [digest, ...], "forgotten": [...]}

Digests are `dataledger-sealed-v1` in hex, sorted; the file has mode 0600 and is replaced as a whole. A mark
is an intention: whether the content of a digest is there is for `attachments` to say. Whoever changes marks
holds the workspace's lock.
"""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from ledger.core.encoding import decode_json, encode_json, unhex
from ledger.core.errors import FormatError
from ledger.store import files

MAX_BYTES = 1 << 28
"""Bytes of the file, at most: some four million digests."""

_HINT = (
    "Restore it from a backup. Without it nothing counts as disclosed,"
    " and what was forgotten on purpose shows as missing."
)


class Marks(Struct, frozen=True):
    """The digests (64 hex digits each) that carry a mark."""

    disclosed: frozenset[str] = frozenset()
    forgotten: frozenset[str] = frozenset()


class _File(Struct, forbid_unknown_fields=True, tag_field="format", tag="dataledger/marks/v1"):
    disclosed: list[str]
    forgotten: list[str]


def read_marks(path: Path) -> Marks:
    """Return the marks; none where there is no file. Raises `FormatError` for a damaged one."""
    data = files.read_small(path, MAX_BYTES, "the marks of private attachments")
    if data is None:
        return Marks()
    try:
        kept = decode_json(data, _File, what=str(path), max_bytes=MAX_BYTES)
        for digest in (*kept.disclosed, *kept.forgotten):
            unhex(digest, 32, str(path))
    except FormatError as error:
        raise FormatError(str(error), hint=_HINT) from None
    return Marks(frozenset(kept.disclosed), frozenset(kept.forgotten))


def write_marks(path: Path, marks: Marks) -> None:
    """Replace the marks; they are on disk when this returns."""
    data = encode_json(_File(sorted(marks.disclosed), sorted(marks.forgotten)))
    files.make_folder(path.parent, files.PRIVATE_FOLDER)
    files.write_atomic(path, data, "the marks of private attachments", files.PRIVATE_FILE)
