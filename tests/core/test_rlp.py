"""RLP: the Yellow Paper's examples, and every form that is not the shortest."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.core.errors import FormatError, Usage
from ledger.core.rlp import decode, decode_list, decode_uint, encode, encode_uint

LOREM = b"Lorem ipsum dolor sit amet, consectetur adipisicing elit"

PAIRS: list[tuple[Any, bytes]] = [
    (b"", b"\x80"),
    (b"\x00", b"\x00"),
    (b"\x7f", b"\x7f"),
    (b"\x80", b"\x81\x80"),
    (b"dog", b"\x83dog"),
    (b"x" * 55, b"\xb7" + b"x" * 55),
    (LOREM, b"\xb8\x38" + LOREM),
    (b"x" * 256, b"\xb9\x01\x00" + b"x" * 256),
    ([], b"\xc0"),
    ([b"cat", b"dog"], b"\xc8\x83cat\x83dog"),
    ([[], [[]], [[], [[]]]], b"\xc7\xc0\xc1\xc0\xc3\xc0\xc1\xc0"),
    ([b"x" * 54], b"\xf7\xb6" + b"x" * 54),
    ([b"x" * 55], b"\xf8\x38\xb7" + b"x" * 55),
]


@pytest.mark.parametrize(("item", "data"), PAIRS)
def test_round_trip(item: Any, data: bytes) -> None:
    assert encode(item) == data
    assert decode(data) == item


def test_tuples_are_lists() -> None:
    assert encode((b"a", (b"b",))) == encode([b"a", [b"b"]])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80\x80",
        b"\x00\x00",
        b"\x81",
        b"\x81\x00",
        b"\x81\x7f",
        b"\x83do",
        b"\xb7" + b"x" * 54,
        b"\xb8",
        b"\xb8\x37" + b"x" * 55,
        b"\xb8\x00",
        b"\xb9\x00\x38" + b"x" * 56,
        b"\xb9\x01",
        b"\xbf" + b"\xff" * 8,
        b"\xb8\x38" + b"x" * 55,
        b"\xc1",
        b"\xc1\x81",
        b"\xc2\x83dog",
        b"\xc2\xb8\x38" + b"x" * 56,
        b"\xc3\x80",
        b"\xc0\x00",
        b"\xf8\x37" + b"x" * 55,
        b"\xf8",
        b"\xff" + b"\xff" * 8,
        b"\xc1" * 100 + b"\xc0",
        b"\xc1" * 100000,
    ],
)
def test_refused(data: bytes) -> None:
    with pytest.raises(FormatError, match="RLP"):
        decode(data)


def test_depth() -> None:
    data = b"\x80"
    for _ in range(32):
        data = encode_raw_list(data)
    decode(data)
    with pytest.raises(FormatError, match="32 deep"):
        decode(encode_raw_list(data))


def encode_raw_list(payload: bytes) -> bytes:
    assert len(payload) <= 55
    return bytes([0xC0 + len(payload)]) + payload


def test_decode_list() -> None:
    assert decode_list(b"\xc1\x01") == [b"\x01"]
    with pytest.raises(FormatError, match="expected a list, got 3 bytes"):
        decode_list(b"\x83dog")


def test_numbers() -> None:
    for number, raw in ((0, b""), (1, b"\x01"), (256, b"\x01\x00"), (2**256 - 1, b"\xff" * 32)):
        assert encode_uint(number) == raw
        assert decode_uint(raw, "nonce") == number
    for bad in (b"\0", b"\0\1", b"\1" * 33, []):
        with pytest.raises(FormatError, match="nonce: expected"):
            decode_uint(bad, "nonce")
    with pytest.raises(FormatError):
        decode_uint(b"\1" * 9, "nonce", size=8)


def test_what_cannot_be_encoded() -> None:
    for bad in (1, "text", None, [b"", 1], {b"a": b"b"}):
        with pytest.raises(Usage):
            encode(bad)  # type: ignore[arg-type]
