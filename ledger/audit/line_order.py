"""In which order the lines of an evidence file come, and which of them can't be left out.

Source: docs/formats.md section 11. Version 2 of the format has a question, version 1 has none.
"""

from __future__ import annotations

from typing import Final

from ledger.core.errors import EvidenceInvalid
from ledger.core.evidence import (
    FORMAT,
    FORMAT_RIGHTS,
    START,
    Account,
    Asked,
    Block,
    CheckpointNote,
    Disclosure,
    End,
    EvidenceLine,
    Forgotten,
    Log,
    OutsideSource,
    PartyName,
    PostedPayload,
    Record,
    Rules,
    Start,
    StorageSlot,
    Unread,
)

_SECTIONS: Final[tuple[tuple[type, ...], ...]] = (
    (Start,),
    (Asked,),
    (Rules,),
    (Block,),
    (Account, StorageSlot),
    (Log,),
    (CheckpointNote,),
    (PartyName,),
    (Record,),
    (PostedPayload,),
    (OutsideSource,),
    (Unread,),
    (Disclosure, Forgotten),
    (End,),
)
_SECTION_OF: Final = {kind: number for number, kinds in enumerate(_SECTIONS) for kind in kinds}
_ONCE: Final = (Rules, Block, End)
_FIRST: Final[dict[bytes, tuple[type, ...]]] = {
    b"v1": (Start, Block, Account),
    b"v2": (Start, Asked, Block, Account),
}
"""What can't be left out, by version, in this order; a rule list may follow a question."""


def is_evidence(start: bytes) -> bool:
    """Tell from the first bytes whether a file is evidence, of whatever version."""
    return start.startswith(START)


class LineOrder:
    """Takes the lines of one file, beginning with the bytes of the first."""

    def __init__(self, start: bytes) -> None:
        if not is_evidence(start):
            hint = "a data file is verified without --block, --trust, --rpc and --file"
            raise EvidenceInvalid("not-evidence", "expected an evidence file", hint=hint)
        version, end, _ = start[len(START) :].partition(b'"')
        if not end:
            raise EvidenceInvalid("truncated", "the file ends within its first line")
        if version not in _FIRST:
            raise EvidenceInvalid(
                "unsupported-format",
                f"expected {FORMAT} or {FORMAT_RIGHTS}",
                hint="a newer release of dataledger may know it",
            )
        self._first = _FIRST[version]
        self._section = -1
        self._key: tuple[object, ...] = ()

    def take(self, line: EvidenceLine) -> tuple[type, ...]:
        """Raise unless the line may come here; return the kinds of lines of which none can come any more."""
        kind, section, before = type(line), _SECTION_OF[type(line)], self._section
        repeated = section == before and isinstance(line, _ONCE)
        is_optional = kind is Rules and before == _SECTION_OF[Asked]
        skipped = bool(self._first) and self._first[0] is not kind and not is_optional
        if section < before or repeated or skipped:
            raise EvidenceInvalid("wrong-order", f"a line of this kind is not expected here: {kind.__name__}")
        if self._first and not is_optional:
            self._first = self._first[1:]
        if section == before:
            return ()
        self._key, self._section = (), section
        return tuple(kind for kinds in _SECTIONS[max(before, 0) : section] for kind in kinds)

    def ascend(self, *key: object) -> None:
        """Raise unless a line's key is behind that of the line before it, of the same kind."""
        if self._key and not self._key < key:
            raise EvidenceInvalid("wrong-order", "expected the lines of one kind in order, each once")
        self._key = key
