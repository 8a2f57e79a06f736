"""Finding the JSON objects in a file of unknown layout, one at a time, with bounded memory.

Three layouts are told apart by the first bytes: JSON lines (https://jsonlines.org), a JSON array of objects,
and one object (or several, one after the other, pretty-printed or not). This module only cuts: whether a
piece is good JSON is for `core.encoding.check_json`. What can't be cut off cleanly, because a quote or a
bracket is missing, becomes a piece with a `reason`, and reading goes on at the next line that starts an
object.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec
from msgspec import Struct

from ledger.core.encoding import check_depth
from ledger.core.errors import FormatError

MAX_DEPTH = 128
"""How deep the first lines may nest to be taken for JSON lines."""

DETECT_BYTES = 1 << 18
"""How much of a file decides its layout."""

_BOM = b"\xef\xbb\xbf"
_SPACE = b" \t\r\n"
_BEFORE_OBJECT = b",:["
_in_string = re.compile(rb'[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+').match
_between = re.compile(rb'[^"{}\[\]\n]*+').match
_start = re.compile(rb"[{\[\]\n]|[^\s,]").search
_object_line = re.compile(rb"^\{.*\}[ \t\r]*$", re.MULTILINE).finditer


class Piece(Struct, frozen=True, gc=False):
    """Bytes that should be one JSON object, and where they start: line from 1, offset in bytes from 0.

    With a `reason`, they are not: `data` is then empty.
    """

    data: bytes
    line: int
    offset: int
    reason: str = ""


def split_json(chunks: Iterable[bytes], *, max_bytes: int) -> Iterator[Piece]:
    """Yield the objects in a stream of bytes, in order; longer ones than `max_bytes` are refused unread."""
    window = _Window(chunks)
    while len(window.data) < DETECT_BYTES and window.fill():
        pass
    layout = _layout(bytes(window.data[:DETECT_BYTES]))
    if layout == "lines":
        yield from _lines(window, max_bytes)
    elif layout == "values":
        yield from _Values(window, max_bytes, in_array=False).pieces()
    elif layout == "array":
        window.drop(window.data.index(b"[") + 1)
        yield from _Values(window, max_bytes, in_array=True).pieces()
    else:
        yield Piece(b"", 1, 0, layout)


def _layout(head: bytes) -> str:
    """Return `lines`, `values` or `array`, or else why there is nothing to read."""
    if head[:2] in {b"\xff\xfe", b"\xfe\xff"} or b"\0" in head[:4]:
        return "expected UTF-8, got what looks like UTF-16, UTF-32 or no text at all"
    text = head.removeprefix(_BOM).lstrip(_SPACE)
    if not text:
        return "expected an event, got nothing"
    if text[:1] == b"[":
        return "expected no byte order mark" if head.startswith(_BOM) else "array"
    first = text.partition(b"\n")[0]
    if _members(first) is not None or any(
        "eventTime" in (_members(line.group()) or ())
        for _, line in zip(range(50), _object_line(text), strict=False)
    ):
        return "lines"
    if text[:1] == b"{":
        return "values"
    return f"expected JSON objects, got {text[:20]!a}"


def _members(line: bytes) -> dict[str, object] | None:
    try:
        check_depth(line, MAX_DEPTH)
        value = msgspec.json.decode(line)
    except (FormatError, msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


class _Window:
    """The part of the stream that is being looked at, and where it starts."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self.data = bytearray()
        self.offset = 0
        self.line = 1

    def fill(self) -> bool:
        """Append the next chunk that is not empty; False at the end."""
        for chunk in self._chunks:
            if chunk:
                self.data += chunk
                return True
        return False

    def drop(self, count: int) -> None:
        """Take `count` bytes off the front."""
        self.line += self.data.count(b"\n", 0, count)
        self.offset += count
        del self.data[:count]


def _lines(window: _Window, max_bytes: int) -> Iterator[Piece]:
    line, offset = window.line, window.offset
    skipped = 0  # bytes already dropped of a line that is too long
    searched = 0
    while True:
        end = window.data.find(b"\n", searched)
        if end < 0:
            searched = len(window.data)
            if searched + skipped > max_bytes:
                skipped += searched
                window.data.clear()
                searched = 0
            if window.fill():
                continue
            end = len(window.data)
        start, ends = 0, end
        # all lines that are there, before the window is moved
        while True:
            length = skipped + ends - start
            if length > max_bytes:
                yield Piece(b"", line, offset, f"expected at most {max_bytes} bytes, got {length}")
            elif data := bytes(window.data[start:ends]).strip(_SPACE):
                yield Piece(data, line, offset + window.data.index(data, start) - start)
            skipped = 0
            offset += length + 1
            line += 1
            start = ends + 1
            ends = window.data.find(b"\n", start)
            if ends < 0:
                break
        at_end = start > len(window.data)
        del window.data[:start]
        searched = len(window.data)
        if at_end:
            return


class _Values:
    """Objects one after the other, or the members of an array, cut by counting brackets outside strings."""

    def __init__(self, window: _Window, max_bytes: int, *, in_array: bool) -> None:
        self._window = window
        self._max_bytes = max_bytes
        self._in_array = in_array
        self._at = 0  # where in the window scanning stands
        self._cut = 0  # bytes already dropped of an object that is too long

    def pieces(self) -> Iterator[Piece]:
        while self._seek():
            line, offset = self._window.line, self._window.offset
            reason = self._object() if self._at_object() else self._garbage()
            length = self._at
            if not reason and length + self._cut > self._max_bytes:
                reason = f"expected at most {self._max_bytes} bytes, got {length + self._cut}"
            yield Piece(b"" if reason else bytes(self._window.data[:length]), line, offset, reason)
            self._window.drop(length)
            self._at = self._cut = 0
        if self._in_array:
            yield from self._after_array()

    def _at_object(self) -> bool:
        window = self._window  # a byte order mark stays with the object, which check_json then refuses
        return window.data.startswith(b"{") or (window.offset == 0 and window.data.startswith(_BOM))

    def _seek(self) -> bool:
        """Move the window to the next object; False at the end of the array or the stream."""
        while True:
            found = _start(self._window.data)
            if found is None or found.group() == b"\n":
                self._window.drop(len(self._window.data) if found is None else found.end())
                if found is None and not self._window.fill():
                    return False
                continue
            if self._in_array and found.group() == b"]":
                self._window.drop(found.start())
                return False
            self._window.drop(found.start())
            return True

    def _after_array(self) -> Iterator[Piece]:
        window = self._window
        if not window.data:
            yield Piece(b"", window.line, window.offset, "the array is not closed: the file may be cut off")
            return
        window.drop(1)
        while not window.data.strip(_SPACE):
            window.drop(len(window.data))
            if not window.fill():
                return
        window.drop(len(window.data) - len(window.data.lstrip(_SPACE)))
        yield Piece(b"", window.line, window.offset, "expected nothing after the array")

    def _more(self) -> bool:
        """Read on; of what is too long only the tail that scanning needs is kept."""
        if self._at > self._max_bytes:
            keep = self._at - 1
            self._window.drop(keep)
            self._cut += keep
            self._at -= keep
        return self._window.fill()

    def _object(self) -> str:
        """Scan to the end of one object; return why there is none."""
        depth, quoted = 0, False
        while True:
            data = self._window.data
            found = (_in_string if quoted else _between)(data, self._at)
            self._at = found.end() if found else self._at
            if self._at == len(data) or (data[self._at] == 0x5C and self._at + 1 == len(data)):
                if not self._more():
                    self._at = len(self._window.data)
                    return "the object is not closed: the file may be cut off"
                continue
            mark = data[self._at]
            if quoted and mark != 0x22:
                return self._resume("a line ends within a string")
            if mark == 0x7B and depth and self._starts_anew():
                return "the object is not closed before the next one starts"
            self._at += 1
            if mark == 0x22:
                quoted = not quoted
            elif mark in b"{[":
                depth += 1
            elif mark in b"}]":
                depth -= 1
                if depth <= 0:
                    return ""

    def _starts_anew(self) -> bool:
        """Tell whether the brace here begins a line and can't be a value: nothing before it announces one."""
        data, before = self._window.data, self._at - 1
        if before < 0 or data[before] != 0x0A:
            return False
        while before >= 0 and data[before] in _SPACE:
            before -= 1
        return before >= 0 and data[before] not in _BEFORE_OBJECT

    def _garbage(self) -> str:
        if not self._in_array:
            return self._resume(f"expected an object, got {bytes(self._window.data[:20])!a}")
        # a member that is no object ends where the next one, or the array, does
        while not (found := re.search(rb"[,\]\n]", self._window.data[1:])):
            self._at = len(self._window.data)
            if not self._more():
                break
        shown = bytes(self._window.data[:20])
        self._at = 1 + found.start() if found else len(self._window.data)
        return f"expected an object, got {shown!a}"

    def _resume(self, reason: str) -> str:
        """Go on at the next line that starts with an object."""
        while (found := self._window.data.find(b"\n{", self._at)) < 0:
            self._at = max(self._at, len(self._window.data) - 1)
            if not self._more():
                self._at = len(self._window.data)
                return reason
        self._at = found + 1
        return reason
