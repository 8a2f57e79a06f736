"""RLP, Ethereum's encoding of nested lists of bytes: what block headers and state proofs are made of.

Source: Ethereum Yellow Paper appendix B. Strict: the shortest form only, nothing after the item, lists
nested at most 32 deep. RLP itself knows bytes and lists only; what they mean is for callers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from ledger.core.errors import FormatError, Usage

Item: TypeAlias = "bytes | list[Item]"
Encodable: TypeAlias = "bytes | Sequence[Encodable]"

MAX_DEPTH = 32


def decode(data: bytes) -> Item:
    """Decode exactly one item: bytes, or a list of items; anything else raises FormatError."""
    item, end = _decode(data, 0, len(data), 0)
    if end != len(data):
        raise FormatError(f"RLP: expected one item, got {len(data) - end} bytes after it")
    return item


def decode_list(data: bytes) -> list[Item]:
    """Decode exactly one list; anything else raises FormatError."""
    item = decode(data)
    if isinstance(item, bytes):
        raise FormatError(f"RLP: expected a list, got {len(item)} bytes")
    return item


def encode(item: Encodable) -> bytes:
    """Encode bytes, or a list or tuple of encodable items."""
    if isinstance(item, bytes):
        return item if len(item) == 1 and item[0] < 0x80 else _head(0x80, len(item)) + item
    if not isinstance(item, list | tuple):
        raise Usage(f"RLP: expected bytes or a list, got {type(item).__name__}")
    payload = b"".join([encode(each) for each in item])
    return _head(0xC0, len(payload)) + payload


def decode_uint(item: Item, what: str, *, size: int = 32) -> int:
    """Read an item as an unsigned number of at most `size` bytes without leading zeros; `what` names it."""
    if not isinstance(item, bytes) or len(item) > size or item[:1] == b"\0":
        raise FormatError(f"{what}: expected a number of at most {size} bytes without leading zeros")
    return int.from_bytes(item, "big")


def encode_uint(number: int) -> bytes:
    """Return the bytes that stand for a number: big-endian without leading zeros, none for 0."""
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _decode(data: bytes, at: int, end: int, depth: int) -> tuple[Item, int]:
    is_list, start, stop = _span(data, at, end)
    if not is_list:
        return data[start:stop], stop
    if depth == MAX_DEPTH:
        raise FormatError(f"RLP: expected lists at most {MAX_DEPTH} deep")
    items: list[Item] = []
    while start < stop:
        item, start = _decode(data, start, stop, depth + 1)
        items.append(item)
    return items, stop


def _span(data: bytes, at: int, end: int) -> tuple[bool, int, int]:
    """Return whether the item at `at` is a list, and where its payload starts and stops, within `end`."""
    if at >= end:
        raise FormatError("RLP: expected an item, got the end")
    first = data[at]
    if first < 0x80:
        return False, at, at + 1
    is_list = first >= 0xC0
    length = first - (0xC0 if is_list else 0x80)
    start = at + 1
    if length > 55:
        start += length - 55
        length = _long_length(data[at + 1 : min(start, end)], length - 55)
    stop = start + length
    if stop > end:
        raise FormatError(f"RLP: expected {length} bytes from {start}, got {max(0, end - start)}")
    if not is_list and length == 1 and data[start] < 0x80:
        raise FormatError(f"RLP: byte {data[start]:#04x} with a length before it, expected it alone")
    return is_list, start, stop


def _long_length(raw: bytes, size: int) -> int:
    length = int.from_bytes(raw, "big")
    if len(raw) != size or raw[0] == 0 or length <= 55:
        raise FormatError(f"RLP: expected a length of {size} bytes in its shortest form, got {raw.hex()}")
    return length


def _head(base: int, length: int) -> bytes:
    if length <= 55:
        return bytes([base + length])
    raw = encode_uint(length)
    return bytes([base + 55 + len(raw)]) + raw
