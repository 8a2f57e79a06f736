"""Cutting files into JSON objects: every layout, any chunks, and recovery behind every fault."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.formats.json_stream import DETECT_BYTES, Piece, split_json

A = {"eventTime": "a", "n": {"x": [1, "}", {"q": '"\\'}]}}
B = {"eventTime": "b", "text": 'brace { bracket ] quote " backslash \\ line \n é'}
LAYOUTS = {
    "one": json.dumps(A),
    "one pretty": json.dumps(A, indent=2),
    "lines": f"{json.dumps(A)}\n{json.dumps(B)}\n",
    "lines without last end": f"{json.dumps(A)}\n{json.dumps(B)}",
    "lines with CRLF and gaps": f"{json.dumps(A)}\r\n\r\n  {json.dumps(B)}  \r\n",
    "array": json.dumps([A, B]),
    "array pretty": json.dumps([A, B], indent=1),
    "array, one a line": f"[\n{json.dumps(A)},\n{json.dumps(B)}\n]\n",
    "pretty ones after each other": json.dumps(A, indent=2) + "\n" + json.dumps(B, indent=2) + "\n",
    "pretty without indent": json.dumps(A, indent=0) + "\n" + json.dumps(B, indent=0),
}


def cut(data: bytes, size: int) -> Iterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


def split(data: bytes, size: int = 1 << 20, max_bytes: int = 10_000) -> list[Piece]:
    return list(split_json(cut(data, size), max_bytes=max_bytes))


def values(pieces: list[Piece]) -> list[object]:
    return [json.loads(piece.data) for piece in pieces if not piece.reason]


@pytest.mark.parametrize("size", [1, 2, 7, 1 << 20])
@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_layouts(name: str, size: int) -> None:
    data = LAYOUTS[name].encode()
    pieces = split(data, size)
    assert not any(piece.reason for piece in pieces)
    assert values(pieces) == ([A] if name.startswith("one") else [A, B])
    for piece in pieces:
        assert data[piece.offset : piece.offset + len(piece.data)] == piece.data
        assert piece.line == 1 + data[: piece.offset].count(b"\n")


def test_layouts_by_chunks_within_the_first_look() -> None:
    filler = json.dumps({"eventTime": "x" * 2000}) + "\n"
    data = (filler * (DETECT_BYTES // len(filler) + 10)).encode()
    assert len(split(data, 1 << 16)) == data.count(b"\n")


@pytest.mark.parametrize("data", [b"", b" \n\t ", b"\xef\xbb\xbf"])
def test_nothing(data: bytes) -> None:
    assert [piece.reason for piece in split(data)] == ["expected an event, got nothing"]


def test_empty_array() -> None:
    assert split(b" [ ] \n") == []


@pytest.mark.parametrize(
    "data",
    [json.dumps(A).encode("utf-16"), json.dumps(A).encode("utf-32"), json.dumps(A).encode("utf-16-le")],
)
def test_other_encodings(data: bytes) -> None:
    (piece,) = split(data)
    assert "UTF-8" in piece.reason


def test_not_json_at_all() -> None:
    (piece,) = split(b"\x1f\x8b\x08 compressed\n and so\n on\n")
    assert "expected JSON objects" in piece.reason


def test_byte_order_mark_stays_with_the_first_piece() -> None:
    for layout in ("one", "one pretty", "lines"):
        pieces = split(b"\xef\xbb\xbf" + LAYOUTS[layout].encode())
        assert pieces[0].data.startswith(b"\xef\xbb\xbf")
    assert [piece.reason for piece in split(b"\xef\xbb\xbf[{}]")] == ["expected no byte order mark"]


def test_a_bad_line_costs_only_itself() -> None:
    for bad in ('{"a": "cut', '{"a": {"b": 1}', "}", "garbage", '{"a": [1,', "{{", "[", "]"):
        for lines in ([bad, A, B], [A, bad, B], [A, B, bad]):
            data = "\n".join(each if isinstance(each, str) else json.dumps(each) for each in lines)
            good = [piece for piece in split(data.encode()) if piece.data != bad.encode()]
            assert values(good) == [A, B], (bad, lines)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ('{\n "a": "line\n ends",\n "b": 1\n}\n', "a line ends within a string"),
        ('{\n "a": {\n "b": 1\n}\n', "not closed before the next one starts"),
        ("oh\n", "expected an object"),
    ],
)
def test_pretty_printed_goes_on_behind_a_broken_one(broken: str, reason: str) -> None:
    for size in (1, 1 << 20):
        pieces = split((json.dumps(A, indent=2) + "\n" + broken + json.dumps(B, indent=2)).encode(), size)
        assert values(pieces) == [A, B]
        (refused,) = [piece for piece in pieces if piece.reason]
        assert reason in refused.reason
        assert refused.line == 12 + json.dumps(A, indent=2).count("\n") - 10


def test_array_faults() -> None:
    one, other = json.dumps(A), json.dumps(B)
    pieces = split(f"[{one}, 17, {other}".encode())
    assert values(pieces) == [A, B]
    assert [piece.reason for piece in pieces if piece.reason] == [
        'expected an object, got b\'17, {"eventTime": "b\'',
        "the array is not closed: the file may be cut off",
    ]
    pieces = split(f"[{one}] {other}".encode())
    assert [piece.reason for piece in pieces] == ["", "expected nothing after the array"]
    pieces = split(f"[{one}, {one[:-5]}".encode())
    assert [bool(piece.reason) for piece in pieces] == [False, True, True]


@pytest.mark.parametrize("size", [1, 64, 1 << 20])
@pytest.mark.parametrize("layout", ["{}\n{}\n{}\n", "[{},{},{}]", "[\n{}\n,\n{}\n,\n{}\n]"])
def test_too_long_is_refused_unread(layout: str, size: int) -> None:
    long = json.dumps({"eventTime": "x" * 5000, "a": [{}] * 100})
    data = layout.replace("{}", "%s") % (json.dumps(A), long, json.dumps(B))
    pieces = split(data.encode(), size, max_bytes=1000)
    assert values(pieces) == [A, B]
    (refused,) = [piece for piece in pieces if piece.reason]
    assert refused.reason == f"expected at most 1000 bytes, got {len(long)}"


def test_too_long_in_pretty_printing() -> None:
    long = json.dumps({"eventTime": "x" * 5000, "a": [{}] * 100}, indent=1)
    data = "\n".join([json.dumps(A, indent=1), long, json.dumps(B, indent=1)])
    for size in (1, 64, 1 << 20):
        assert values(split(data.encode(), size, max_bytes=1000)) == [A, B]


JSON_TEXT = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.lists(
    st.dictionaries(st.text(max_size=4), JSON_TEXT, min_size=1, max_size=3), min_size=1, max_size=4
)


@given(
    OBJECTS, st.sampled_from(["lines", "array", "pretty", "array pretty"]), st.booleans(), st.integers(1, 40)
)
def test_any_objects_in_any_layout(objects: list[object], layout: str, ascii_only: bool, size: int) -> None:
    indent = 1 if "pretty" in layout else None
    if "array" in layout:
        text = json.dumps(objects, indent=indent, ensure_ascii=ascii_only)
    else:
        text = "\n".join(json.dumps(each, indent=indent, ensure_ascii=ascii_only) for each in objects)
    pieces = split(text.encode("utf-8", "surrogatepass"), size)
    assert values(pieces) == objects


@given(st.binary(max_size=200) | st.text('{}[]",:\\\n a1', max_size=80).map(str.encode), st.integers(1, 20))
def test_any_bytes_in_any_chunks(data: bytes, size: int) -> None:
    whole = split(data)
    assert split(data, size) == whole
    for piece in whole:
        assert piece.reason or data[piece.offset : piece.offset + len(piece.data)] == piece.data
