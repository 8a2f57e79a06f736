"""Reading a file of OpenLineage events: each good one with its bytes, each other one with the reason.

Pieces come from `json_stream`, safe JSON and digests from `openlineage_events`. One bad event never costs
another one: what can't be read is reported with line and offset, and reading goes on behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from ledger.core.errors import FormatError
from ledger.formats.json_stream import split_json
from ledger.formats.openlineage_events import MAX_EVENT_BYTES, Event, check_event, decode_event
from ledger.formats.text import printable


class Refusal(Struct, frozen=True, gc=False):
    """Something that was not imported, and why: line from 1 (0: no line), offset in bytes from 0."""

    source: str
    line: int
    offset: int
    reason: str


class ReadEvent(Struct, frozen=True, gc=False):
    """An event, its original bytes, its digest (see `check_event`), and where it stands."""

    event: Event
    data: bytes
    digest: bytes
    line: int
    offset: int


def read_events(name: str, chunks: Iterable[bytes]) -> Iterator[ReadEvent | Refusal]:
    """Yield every event of a file in its order, and a refusal for whatever is not a good one."""
    for piece in split_json(chunks, max_bytes=MAX_EVENT_BYTES):
        if piece.reason:
            yield Refusal(name, piece.line, piece.offset, piece.reason)
            continue
        try:
            digest = check_event(piece.data)
            event = decode_event(piece.data)
        except FormatError as error:
            yield Refusal(name, piece.line, piece.offset, printable(str(error), 500))
        else:
            yield ReadEvent(event, piece.data, digest, piece.line, piece.offset)
