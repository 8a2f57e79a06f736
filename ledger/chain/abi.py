"""The part of Ethereum's contract ABI that our contracts use.

Source: Solidity "Contract ABI Specification". Every value is a 32-byte word, big-endian; `bytes`, `string`
and arrays stand behind the words of their tuple (their word is an offset), as length and content padded to
32. Types here: address, bool, uint64, uint256, bytes32, bytes, string, bytes32[]; and to encode only, arrays
of any of them.

Strict: padding is zero, integers fit, offsets are the canonical ones, nothing follows. `strict=False` leaves
out what other people's contracts may do differently (canonical offsets, trailing bytes) and is as safe.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ledger.core.errors import FormatError
from ledger.core.hashing import keccak256

WORD = 32
_MAX_BYTES = 1 << 20
_BITS = {"address": 160, "bool": 1, "uint64": 64, "uint256": 256}
_DYNAMIC = frozenset({"bytes", "string"})


def selector(signature: str) -> bytes:
    """The first 4 bytes of calldata: of keccak256(signature), such as `post(address,bytes32,bytes32)`."""
    return keccak256(signature.encode("ascii"))[:4]


def encode_call(signature: str, *values: Any) -> bytes:
    """Calldata for a function by its signature: addresses and words as bytes, numbers as int, text as str."""
    return selector(signature) + encode(types_of(signature), values)


def types_of(signature: str) -> tuple[str, ...]:
    """The parameter types in a signature."""
    inside = signature[signature.index("(") + 1 : -1]
    return tuple(inside.split(",")) if inside else ()


def encode(types: Sequence[str], values: Sequence[Any]) -> bytes:
    """Encode a tuple; ValueError for a value that its type can't hold (a caller's mistake)."""
    if len(types) != len(values):
        raise ValueError(f"expected {len(types)} values, got {len(values)}")
    head, tail = [], b""
    for kind, value in zip(types, values, strict=True):
        if _is_dynamic(kind):
            head.append((WORD * len(types) + len(tail)).to_bytes(WORD, "big"))
            tail += _encode_dynamic(kind, value)
        else:
            head.append(_encode_word(kind, value))
    return b"".join(head) + tail


def decode(types: Sequence[str], data: bytes, *, strict: bool = True) -> list[Any]:
    """Decode a tuple; FormatError if `data` is not its encoding."""
    if len(data) > _MAX_BYTES:
        raise FormatError(f"ABI: expected at most {_MAX_BYTES} bytes, got {len(data)}")
    values, expected = [], WORD * len(types)
    for position, kind in enumerate(types):
        word = _word(data, WORD * position)
        if not _is_dynamic(kind):
            values.append(_decode_word(kind, word))
            continue
        offset = int.from_bytes(word, "big")
        if strict and offset != expected:
            raise FormatError(f"ABI: expected offset {expected}, got {offset}")
        value, expected = _decode_dynamic(kind, data, offset)
        values.append(value)
    if strict and len(data) != expected:
        raise FormatError(f"ABI: expected {expected} bytes, got {len(data)}")
    return values


def _is_dynamic(kind: str) -> bool:
    return kind in _DYNAMIC or kind.endswith("[]")


def _encode_word(kind: str, value: Any) -> bytes:
    if kind == "bytes32" or kind == "address":
        size = 20 if kind == "address" else WORD
        if not isinstance(value, bytes) or len(value) != size:
            raise ValueError(f"{kind}: expected {size} bytes, got {value!r}")
        return value.rjust(WORD, b"\0")
    number = int(value)
    if not 0 <= number < 1 << _BITS[kind]:
        raise ValueError(f"{kind}: {number} does not fit")
    return number.to_bytes(WORD, "big")


def _encode_dynamic(kind: str, value: Any) -> bytes:
    if kind.endswith("[]"):
        items = list(value)
        return len(items).to_bytes(WORD, "big") + encode([kind.removesuffix("[]")] * len(items), items)
    content = value.encode("utf-8") if kind == "string" else bytes(value)
    return len(content).to_bytes(WORD, "big") + content + bytes(-len(content) % WORD)


def _word(data: bytes, start: int) -> bytes:
    word = data[start : start + WORD]
    if len(word) != WORD:
        raise FormatError(f"ABI: expected a word at byte {start} of {len(data)}")
    return word


def _decode_word(kind: str, word: bytes) -> Any:
    if kind == "bytes32":
        return word
    number = int.from_bytes(word, "big")
    if number >> _BITS[kind]:
        raise FormatError(f"ABI: expected {kind}, got 0x{word.hex()}")
    if kind == "address":
        return word[12:]
    return bool(number) if kind == "bool" else number


def _decode_dynamic(kind: str, data: bytes, offset: int) -> tuple[Any, int]:
    """The value at `offset`, and where its padded content ends."""
    length = int.from_bytes(_word(data, min(offset, len(data))), "big")
    start = offset + WORD
    size = length * WORD if kind == "bytes32[]" else length
    end = start + size + -size % WORD
    if end > len(data):
        raise FormatError(f"ABI: expected {length} items of {kind} at byte {start} of {len(data)}")
    content = data[start : start + size]
    if any(data[start + size : end]):
        raise FormatError(f"ABI: expected zero padding behind {kind}")
    if kind == "bytes32[]":
        return [content[i : i + WORD] for i in range(0, size, WORD)], end
    if kind == "bytes":
        return content, end
    try:
        return content.decode("utf-8"), end
    except UnicodeDecodeError:
        raise FormatError("ABI: expected UTF-8 in a string") from None
