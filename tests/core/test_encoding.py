"""Strict text and JSON encodings: every value has one form, every other form is refused."""

from __future__ import annotations

import inspect
import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from ledger.core.encoding import (
    MAX_INTEGER,
    b64decode,
    b64encode,
    check_depth,
    check_json,
    decode_json,
    encode_json,
    parse_decimal,
    unhex,
    unhex0x,
)
from ledger.core.errors import FormatError


class Point(Struct, forbid_unknown_fields=True):
    x: int
    y: int = 0


@pytest.mark.parametrize("data", [b"", b"a", b"ab", b"abc", bytes(range(256))])
def test_base64_round_trip(data: bytes) -> None:
    assert b64decode(b64encode(data)) == data
    assert b64decode(b64encode(data).encode()) == data


@pytest.mark.parametrize(
    "text",
    ["YQ", "YQ=", "YR==", "YWJ=", "YQ==\n", " YQ==", "Y Q==", "YQ==YQ==", "YQ-_", "====", "é", "Y", b"\xff"],
)
def test_base64_refuses_other_spellings(text: str | bytes) -> None:
    with pytest.raises(FormatError, match="base64"):
        b64decode(text)


def test_hex() -> None:
    assert unhex("00ff", 2, "key") == b"\x00\xff"
    assert unhex0x("0x00ff", 2, "address") == b"\x00\xff"
    assert unhex("", 0, "nothing") == b""


@pytest.mark.parametrize(
    "text", ["", "00", "00FF", "0x00ff", "00f", "00ffa", "00fg", "0 ff", "00f\n", "\uff10\uff10ff", "\ud800"]
)
def test_hex_refuses_other_spellings(text: str) -> None:
    with pytest.raises(FormatError, match=r"key: expected 4 lower-case hex digits, got"):
        unhex(text, 2, "key")


@pytest.mark.parametrize("text", ["00ff", "0X00ff", "0x00FF", "0x", "x00ff", "0x0x"])
def test_prefixed_hex_refuses_other_spellings(text: str) -> None:
    with pytest.raises(FormatError, match="address: expected"):
        unhex0x(text, 2, "address")


def test_decimal() -> None:
    assert parse_decimal("0", "size") == 0
    assert parse_decimal("9223372036854775807", "size") == 2**63 - 1
    assert parse_decimal("16", "width", maximum=16) == 16


@pytest.mark.parametrize(
    "text",
    ["", "00", "01", "+1", "-1", "1 ", "1_0", "0x1", "1e3", "٣", "²", "9223372036854775808", "9" * 5000],
)
def test_decimal_refuses_other_spellings(text: str) -> None:
    with pytest.raises(FormatError, match="size: expected a decimal"):
        parse_decimal(text, "size")


GOOD_JSON = [
    b"0",
    b"null",
    b'""',
    b"[]",
    b"{}",
    b' {"a" : [1, 2.5, -0, 1e5, true]} \r\n\t',
    b'"\\ud83d\\ude00 \\u0000 \\/"',
    '"é😀"'.encode(),
    b"9007199254740991",
    b"-9007199254740991",
    b"1234567890.1234567890123456789",
    b'"12345678901234567890"',
    b'{"a":{"a":1},"b":{"a":1}}',
    b"[" * 32 + b"]" * 32,
    b'{"a":' * 32 + b"1" + b"}" * 32,
    b'["' + b"[" * 100 + b'"]',
    b'["\\"' + b"[" * 100 + b'\\\\"]',
    b"[" + b"[]," * 99 + b"{}]",
]


@pytest.mark.parametrize("data", GOOD_JSON)
def test_json_accepted(data: bytes) -> None:
    check_json(data, max_bytes=1000)


BAD_JSON = {
    "empty": b"",
    "space": b" ",
    "bom": b"\xef\xbb\xbf{}",
    "utf16": "{}".encode("utf-16"),
    "bad-utf8": b'"\xff"',
    "bad-utf8-key": b'{"\xff":1}',
    "utf8-surrogate": b'"\xed\xa0\x80"',
    "overlong": b'"\xc0\xaf"',
    "lone-high": b'"\\ud800"',
    "lone-high-then-text": b'["\\ud800x"]',
    "lone-low": b'"\\udc00"',
    "swapped-pair": b'"\\udc00\\ud800"',
    "lone-in-key": b'{"\\uD800":1}',
    "duplicate": b'{"a":1,"a":1}',
    "duplicate-apart": b'{"a":1,"b":2,"a":3}',
    "duplicate-escaped": b'{"a":1,"\\u0061":1}',
    "duplicate-inner": b'[{"b":{"a":1,"a":2}}]',
    "duplicate-lost": b'[{"a":{"b":1},"a":2}]',
    "nan": b"NaN",
    "nan-inside": b"[NaN]",
    "infinity": b"[Infinity]",
    "minus-infinity": b"-Infinity",
    "overflow": b"1e999",
    "minus-overflow": b"[-1e999]",
    "int": b"9007199254740992",
    "minus-int": b"-9007199254740992",
    "int-20": b"[12345678901234567890]",
    "int-5000": b"[" + b"1" * 5000 + b"]",
    "leading-zero": b"01",
    "plus": b"+1",
    "point": b"[1.]",
    "comment": b"[1] // x",
    "trailing": b"{} x",
    "two": b"{}{}",
    "nul": b"{}\x00",
    "form-feed": b"{}\x0c",
    "nbsp": b"{}\xc2\xa0",
    "comma": b"[1,]",
    "single": b"{'a':1}",
    "control": b'"\x01"',
    "newline": b'"\n"',
    "escape": b'"\\x41"',
    "unterminated": b'"abc',
    "unclosed": b'{"a":[1',
    "deep": b"[" * 33 + b"]" * 33,
    "deep-objects": b'{"a":' * 33 + b"1" + b"}" * 33,
    "very-deep": b"[" * 60000,
    "very-deep-closed": b"[" * 30000 + b"]" * 30000,
    "very-deep-objects": b'{"a":' * 13000,
    "deep-after-string": b'["\\"",' + b"[" * 33 + b"]" * 33 + b"]",
}


@pytest.mark.parametrize("data", BAD_JSON.values(), ids=BAD_JSON.keys())
def test_json_refused(data: bytes) -> None:
    with pytest.raises(FormatError, match="JSON"):
        check_json(data, max_bytes=65535)
    with pytest.raises(FormatError, match="thing: "):
        decode_json(data, object, what="thing")


def test_json_limits_are_exact() -> None:
    check_json(b"[1]", max_bytes=3, max_depth=1)
    with pytest.raises(FormatError, match="at most 2 bytes, got 3"):
        check_json(b"[1]", max_bytes=2)
    with pytest.raises(FormatError, match="at most 1 deep"):
        check_json(b"[[1]]", max_bytes=10, max_depth=1)
    check_json(f"[{MAX_INTEGER}]".encode(), max_bytes=100)


def test_hostile_strings_cost_linear_time() -> None:
    for data in (b'"' + b'\\"' * 32000 + b"[" * 40, b'"' * 60000 + b"[" * 40, b"\\" * 60000 + b"[" * 40):
        with pytest.raises(FormatError):
            check_json(data, max_bytes=1 << 20)


def test_recursion_never_leaks_whatever_the_interpreter_allows() -> None:
    limit = sys.getrecursionlimit()
    try:
        sys.setrecursionlimit(len(inspect.stack(0)) + 150)
        with pytest.raises(FormatError):
            check_json(b"[" * 5000 + b"]" * 5000, max_bytes=1 << 20, max_depth=10000)
    finally:
        sys.setrecursionlimit(limit)


def test_messages_carry_no_control_characters() -> None:
    with pytest.raises(FormatError) as caught:
        decode_json(b'{"x":1,"\\u001b[31mred\\u0007' + b"x" * 1000 + b'":1}', Point, what="point")
    assert "\\x1b[31mred\\x07" in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


def test_decode_json() -> None:
    assert decode_json(b'{"x":1}', Point, what="point") == Point(1)
    assert decode_json(encode_json(Point(1, 2)), Point, what="point") == Point(1, 2)
    assert encode_json({"b": 1, "a": "é"}) == '{"b":1,"a":"é"}'.encode()


@pytest.mark.parametrize(
    "data", [b"{}", b'{"x":"1"}', b'{"x":1.5}', b'{"x":1,"z":1}', b"[1]", b"null", b'{"x":1,"x":1}']
)
def test_decode_json_says_what_was_wrong(data: bytes) -> None:
    with pytest.raises(FormatError, match=r"^point: "):
        decode_json(data, Point, what="point")


@pytest.mark.parametrize(
    "text", [b"18446744073709551615", b"-9223372036854775808", b'{"id":3051729675574597004}']
)
def test_wide_integers_pass_where_asked(text: bytes) -> None:
    check_json(text, max_bytes=100, wide_integers=True)
    with pytest.raises(FormatError):
        check_json(text, max_bytes=100)


@pytest.mark.parametrize("text", [b"18446744073709551616", b"-9223372036854775809", b"9" * 5000])
def test_wider_integers_never_pass(text: bytes) -> None:
    with pytest.raises(FormatError, match="64 bits"):
        check_json(text, max_bytes=10_000, wide_integers=True)


@pytest.mark.parametrize("filler", ["", ",[]" * 40, "," + json.dumps({"a": [{}] * 40})])
@pytest.mark.parametrize("brackets", ["[]", "{}"])
def test_depth_is_counted_alike_in_small_and_large_documents(filler: str, brackets: str) -> None:
    opened, closed = ('{"a":', "}") if brackets == "{}" else ("[", "]")
    for depth in range(28, 36):
        text = f"[{opened * (depth - 1)}1{closed * (depth - 1)}{filler}]".replace(" ", "").encode()
        if depth <= 32:
            check_json(text, max_bytes=10_000)
            continue
        with pytest.raises(FormatError, match="at most 32 deep"):
            check_json(text, max_bytes=10_000)


@given(
    st.recursive(st.text('[]{}"\\a', max_size=4), lambda inner: st.lists(inner, max_size=3), max_leaves=12)
)
def test_depth_is_counted_outside_of_strings(value: object) -> None:
    def depth(value: object) -> int:
        return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0

    data = json.dumps([value, *([[]] * 40)]).encode()
    for limit in range(1, 12):
        if depth([value, []]) <= limit:
            check_depth(data, limit)
        else:
            with pytest.raises(FormatError):
                check_depth(data, limit)
