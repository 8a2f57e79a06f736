"""Text and JSON encodings, strict in both directions: one value has one form, every other form is refused.

Source: RFC 4648 section 4 (base64 with padding), RFC 8259 (JSON) narrowed by docs/formats.md section 4.
What the JSON says is left to the callers' types; this module only keeps two readers from seeing different
values in the same bytes (duplicate keys, lone surrogates, NaN, integers that a double cannot hold).
"""

from __future__ import annotations

import binascii
import json
from typing import Any, NoReturn, TypeVar

import msgspec

from ledger.core.errors import FormatError

T = TypeVar("T")

MAX_INTEGER = 2**53 - 1
"""The largest magnitude of a JSON integer: what an IEEE double holds exactly (RFC 8259 section 6)."""

WIDE_INTEGERS = range(-(2**63), 2**64)
"""What `wide_integers` lets pass: signed and unsigned 64-bit numbers."""

MAX_DEPTH = 32
"""How deep objects and arrays may nest in JSON from outside."""

_HEX_DIGITS = b"0123456789abcdef"
_DIGITS_TO_ZERO = bytes.maketrans(b"123456789", b"000000000")
_LONG_NUMBER = b"0" * 16  # MAX_INTEGER has 16 digits
_BRACES_TO_BRACKETS = bytes.maketrans(b"{}", b"[]")
_NO_SHELL = bytes(sorted(set(range(256)) - set(b'[]{}"')))
_BOM = b"\xef\xbb\xbf"


def b64encode(data: bytes) -> str:
    """Return standard base64 with padding, without line breaks."""
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def b64decode(text: str | bytes) -> bytes:
    """Decode standard base64 with padding; anything but the canonical form raises FormatError.

    Canonical: no white space, no missing padding, and zero bits beneath the padding.
    """
    try:
        raw = text.encode("ascii") if isinstance(text, str) else text
        data = binascii.a2b_base64(raw)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise FormatError(f"base64: {error}") from None
    # a2b_base64 skips what it does not know and ignores stray bits: compare with the one right form
    if binascii.b2a_base64(data, newline=False) != raw:
        raise FormatError("base64: expected the canonical form with padding, got another spelling")
    return data


def unhex(text: str, length: int, what: str) -> bytes:
    """Decode exactly `length` bytes from lower-case hex; `what` names the value in the error."""
    try:
        raw = text.encode("ascii")
    except UnicodeEncodeError:
        raw = b""
    if len(raw) != 2 * length or raw.translate(None, _HEX_DIGITS):
        raise FormatError(f"{what}: expected {2 * length} lower-case hex digits, got {_shown(text)}")
    return binascii.a2b_hex(raw)


def unhex0x(text: str, length: int, what: str) -> bytes:
    """Like `unhex` for Ethereum's spelling: `0x` and lower-case hex digits of exactly `length` bytes."""
    if not text.startswith("0x"):
        raise FormatError(f"{what}: expected 0x and {2 * length} lower-case hex digits, got {_shown(text)}")
    return unhex(text[2:], length, what)


def parse_decimal(text: str, what: str, *, maximum: int = 2**63 - 1) -> int:
    """Read a canonical decimal: ASCII digits, no sign, no leading zero, at most `maximum`."""
    canonical = text.isascii() and text.isdigit() and (text[0] != "0" or text == "0")
    if not canonical or len(text) > len(str(maximum)) or int(text) > maximum:
        raise FormatError(f"{what}: expected a decimal number without leading zero, got {_shown(text)}")
    return int(text)


def check_json(
    data: bytes, *, max_bytes: int, max_depth: int = MAX_DEPTH, wide_integers: bool = False
) -> None:
    """Raise FormatError unless `data` is one JSON value that every strict reader understands alike.

    Refused: more than `max_bytes`, nesting deeper than `max_depth`, a byte order mark, bytes that are not
    UTF-8, anything after the value but JSON white space, duplicate keys, lone surrogates, NaN and infinities
    (also by overflow), integers beyond 2^53-1 in magnitude. With `wide_integers`, for documents whose numbers
    nobody computes with, integers may have 64 bits.
    """
    if len(data) > max_bytes:
        raise FormatError(f"JSON: expected at most {max_bytes} bytes, got {len(data)}")
    # The common case costs three passes in C. The first looks for what might be too deep or too large; then
    # what decodes and encodes to the very same bytes has no duplicate key (it would be gone) and no escape or
    # number with two readings.
    screened = data.translate(_DIGITS_TO_ZERO, b"{[")
    if len(data) - len(screened) > max_depth and not data.startswith(_BOM):
        check_depth(data, max_depth)
    if _LONG_NUMBER not in screened:
        try:
            if _ENCODER.encode(_DECODER.decode(data)) == data:
                return
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            pass  # the careful pass below finds the same fault and says what it is
    _check_json_with_care(data, max_depth, _STRICT_BUT_WIDE if wide_integers else _STRICT)


def decode_json(
    data: bytes, shape: type[T], *, what: str, max_bytes: int = 1 << 20, max_depth: int = MAX_DEPTH
) -> T:
    """Check `data` as `check_json` does, then decode it as `shape`; `what` names it in the FormatError."""
    try:
        check_json(data, max_bytes=max_bytes, max_depth=max_depth)
        value: T = _typed(shape).decode(data)
    except (FormatError, msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise FormatError(f"{what}: {printable(error)}") from None
    return value


def encode_json(obj: object) -> bytes:
    """Encode as compact UTF-8 JSON; members keep their order, so equal values give equal bytes."""
    return _ENCODER.encode(obj)


def _typed(shape: Any) -> msgspec.json.Decoder[Any]:
    decoder = _TYPED.get(shape)
    if decoder is None:
        decoder = _TYPED[shape] = msgspec.json.Decoder(shape)
    return decoder


def _check_json_with_care(data: bytes, max_depth: int, strict: json.JSONDecoder | None = None) -> None:
    if data.startswith(_BOM):
        raise FormatError("JSON: expected no byte order mark")
    check_depth(data, max_depth)
    try:
        text = data.decode("utf-8")
        (strict or _STRICT).decode(text)
        if "\\u" in text:
            _DECODER.decode(data)  # refuses lone surrogates, which the other decoder lets through
    except (ValueError, RecursionError) as error:  # msgspec's and json's errors are ValueErrors
        raise FormatError(f"JSON: {error}") from None


def check_depth(data: bytes, max_depth: int) -> None:
    """Raise FormatError if objects and arrays nest deeper than `max_depth`, without recursing.

    A decoder's own bound is the interpreter's recursion limit, and libraries raise that to where the C stack
    ends first.
    """
    if data.count(b"{") + data.count(b"[") <= max_depth:
        return
    quotes = data.replace(b"\\\\", b"").replace(b'\\"', b"")  # only those that open or close a string
    shell = quotes.translate(_BRACES_TO_BRACKETS, _NO_SHELL).replace(b'""', b"")
    brackets = b"".join(shell.split(b'"')[::2])  # every second part lies outside of strings
    for _ in range(max_depth):  # each round takes the innermost level away
        before = len(brackets)
        brackets = brackets.replace(b"[]", b"")
        if not brackets:
            return
        if len(brackets) == before:
            break
    raise FormatError(f"JSON: expected closed objects and arrays at most {max_depth} deep")


def _unique(pairs: list[tuple[str, Any]]) -> None:
    names = {name for name, _ in pairs}
    if len(names) != len(pairs):
        seen = sorted(name for name in names if sum(name == other for other, _ in pairs) > 1)
        raise FormatError(f"JSON: duplicate member {_shown(seen[0])}")


def _integer(text: str) -> int:
    if len(text) > 17 or abs(int(text)) > MAX_INTEGER:
        raise FormatError(f"JSON: expected an integer within +-(2^53-1), got {_shown(text)}")
    return 0


def _wide_integer(text: str) -> int:
    if len(text) > 20 or int(text) not in WIDE_INTEGERS:
        raise FormatError(f"JSON: expected an integer of 64 bits, got {_shown(text)}")
    return 0


def _float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise FormatError(f"JSON: expected a finite number, got {_shown(text)}")
    return value


def _constant(text: str) -> NoReturn:
    raise FormatError(f"JSON: {text} is not a JSON value")


def printable(error: Exception) -> str:
    """Return an error's message, at most 300 characters of it, control characters escaped for terminals."""
    text = str(error)[:300]
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def _shown(text: str) -> str:
    return ascii(text if len(text) <= 80 else text[:77] + "...")


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder()
_TYPED: dict[Any, msgspec.json.Decoder[Any]] = {}  # as many as there are types decoded: a handful
_STRICT = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_integer, parse_float=_float, parse_constant=_constant, strict=True
)
_STRICT_BUT_WIDE = json.JSONDecoder(
    object_pairs_hook=_unique,
    parse_int=_wide_integer,
    parse_float=_float,
    parse_constant=_constant,
    strict=True,
)
