"""Every parser of outside bytes: whatever comes in, a value or an Invalid comes out, and encodes back."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import Struct

from ledger.core.checkpoint import format_checkpoint, parse_checkpoint, parse_origin, sign_checkpoint
from ledger.core.digests import ManifestEntry, decode_manifest, encode_manifest, seal, unseal
from ledger.core.dsse import Signature, decode_envelope, encode_envelope, pae, verify_envelope
from ledger.core.encoding import (
    _check_json_with_care,
    b64decode,
    b64encode,
    check_json,
    decode_json,
    encode_json,
    parse_decimal,
    unhex,
)
from ledger.core.errors import FormatError, SignatureInvalid
from ledger.core.identity import parse_keyid
from ledger.core.merkle import EMPTY_ROOT
from ledger.core.note import Verifier, open_note, parse_note, parse_vkey, sign_note
from ledger.core.rlp import decode as rlp_decode
from ledger.core.rlp import encode as rlp_encode
from ledger.core.signing import sign, signer, verify
from ledger.core.tiles import decode_bundle, decode_tile, encode_bundle, parse_tile_path
from ledger.core.tlog_proof import format_tlog_proof, parse_tlog_proof

SIGNER = signer(bytes(32))
KEYID = f"did:ethr:0x1:0x{'00' * 20}#{SIGNER.public_key.hex()}"


class Shape(Struct, forbid_unknown_fields=True):
    a: int = 0
    b: list[str] = []
    c: dict[str, float] | None = None


def envelope(payload: bytes) -> bytes:
    return encode_envelope(payload, [Signature(KEYID, SIGNER.sign(pae(payload)))])


CHECKPOINT = sign_checkpoint(bytes(32), 1, bytes(32), SIGNER)

BYTES_PARSERS: dict[str, tuple[Callable[[bytes], Any], bytes]] = {
    "json": (
        lambda data: check_json(data, max_bytes=1 << 20),
        b'{"a":[1,"\\ud83d\\ude00",{"b":-1.5e3}],"c":null}',
    ),
    "json-typed": (lambda data: decode_json(data, Shape, what="shape"), b'{"a":1,"b":["x"],"c":{"y":2.5}}'),
    "base64": (b64decode, b"aGVsbG8="),
    "envelope": (decode_envelope, envelope(b"{}")),
    "rlp": (rlp_decode, rlp_encode([b"a", [b"dog" * 30], b""])),
    "bundle": (lambda data: decode_bundle(data, 2), encode_bundle([b"one", b"three"])),
    "tile": (lambda data: decode_tile(data, 2), bytes(64)),
    "note": (parse_note, CHECKPOINT),
    "tlog-proof": (parse_tlog_proof, format_tlog_proof(1, [bytes(32)], CHECKPOINT, b"extra")),
    "manifest": (decode_manifest, encode_manifest([ManifestEntry("f", "ab" * 32, 1, "a/b")])),
    "sealed": (unseal, seal(bytes(32), b"content")[1]),
}

TEXT_PARSERS: dict[str, tuple[Callable[[str], Any], str]] = {
    "base64": (b64decode, "aGVsbG8="),
    "hex": (lambda text: unhex(text, 2, "x"), "00ff"),
    "decimal": (lambda text: parse_decimal(text, "x"), "123"),
    "key id": (parse_keyid, KEYID),
    "checkpoint": (parse_checkpoint, f"o\n1\n{b64encode(bytes(32))}\n"),
    "origin": (parse_origin, "dataledger/log/" + "00" * 32),
    "vkey": (parse_vkey, "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"),
    "tile path": (parse_tile_path, "tile/1/x001/x234/067.p/5"),
}


@st.composite
def mutated(draw: st.DrawFn, good: Any) -> Any:
    """A good input with a few pieces cut out, doubled or replaced."""
    data = good
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(data)))
        stop = draw(st.integers(start, min(len(data), start + 8)))
        piece = draw(
            st.text(max_size=4)
            if isinstance(good, str)
            else st.binary(max_size=4) | st.just(data[start:stop] * 2)
        )
        data = data[:start] + piece + data[stop:]
    return data


@pytest.mark.parametrize("name", BYTES_PARSERS)
def test_bytes_parsers_raise_format_errors_only(name: str) -> None:
    parse, good = BYTES_PARSERS[name]
    parse(good)

    @settings(max_examples=150, deadline=None)
    @given(st.binary(max_size=200) | mutated(good) | st.text(max_size=60).map(lambda text: text.encode()))
    def check(data: bytes) -> None:
        try:
            parse(data)
        except FormatError as error:
            str(error).encode()  # messages can be printed whatever came in

    check()


@pytest.mark.parametrize("name", TEXT_PARSERS)
def test_text_parsers_raise_format_errors_only(name: str) -> None:
    parse, good = TEXT_PARSERS[name]
    parse(good)
    anything = st.text(alphabet=st.characters(exclude_categories=()), max_size=60)

    @settings(max_examples=150, deadline=None)
    @given(anything | mutated(good))
    def check(text: str) -> None:
        try:
            parse(text)
        except FormatError as error:
            str(error).encode()

    check()


@given(mutated(envelope(b'{"a":1}')))
@settings(deadline=None)
def test_verify_envelope_raises_invalid_only(entry: bytes) -> None:
    try:
        verified = verify_envelope(entry)
    except (FormatError, SignatureInvalid):
        return
    assert verified.payload == b'{"a":1}'


@given(st.binary(max_size=40), st.binary(max_size=70), st.binary(max_size=10))
def test_verify_raises_signature_invalid_only(key: bytes, signature: bytes, message: bytes) -> None:
    with pytest.raises(SignatureInvalid):
        verify(key, signature, message)


@given(mutated(CHECKPOINT))
@settings(deadline=None)
def test_open_note_raises_invalid_only(data: bytes) -> None:
    name = "dataledger/log/" + "00" * 32
    try:
        text = open_note(data, [Verifier(name, SIGNER.public_key)])
    except (FormatError, SignatureInvalid):
        return
    assert text == format_checkpoint(name, 1, bytes(32))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**54), 2**54)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=20,
)


def largest(value: Any) -> int:
    if isinstance(value, bool) or value is None:
        return 0
    if isinstance(value, int):
        return abs(value)
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return max(map(largest, inner), default=0)


@given(JSON, st.sampled_from([None, 1]), st.booleans())
@example({"": "\x7f"}, None, False)
@settings(deadline=None)
def test_json_of_any_producer_is_taken_if_its_integers_fit(
    value: Any, indent: int | None, ascii_only: bool
) -> None:
    for data in (encode_json(value), json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode()):
        if largest(value) <= 2**53 - 1:
            check_json(data, max_bytes=len(data))
            assert decode_json(data, object, what="value") == value
        else:
            with pytest.raises(FormatError):
                check_json(data, max_bytes=len(data))


@given(JSON.map(encode_json) | JSON.map(encode_json).flatmap(mutated))
@settings(max_examples=300, deadline=None)
def test_the_fast_check_of_json_agrees_with_the_careful_one(data: bytes) -> None:
    def taken(check: Callable[[], None]) -> bool:
        try:
            check()
        except FormatError:
            return False
        return True

    fast = taken(lambda: check_json(data, max_bytes=1 << 20))
    assert fast == taken(lambda: _check_json_with_care(data, 32))


@given(JSON, st.text(max_size=3), JSON, JSON)
@settings(deadline=None)
def test_duplicates_are_found_wherever_they_are(around: Any, name: str, one: Any, two: Any) -> None:
    inner = f"{{{json.dumps(name)}:{json.dumps(one)},{json.dumps(name)}:{json.dumps(two)}}}"
    for data in (inner, f"[{json.dumps(around)},{inner}]", f'{{"x":[{inner}]}}'):
        with pytest.raises(FormatError):
            check_json(data.encode(), max_bytes=1 << 20)


@given(st.lists(st.binary(max_size=300), max_size=40))
def test_bundle_round_trip(entries: list[bytes]) -> None:
    data = encode_bundle(entries)
    assert decode_bundle(data, len(entries)) == entries


@given(st.recursive(st.binary(max_size=80), lambda inner: st.lists(inner, max_size=5), max_leaves=30))
def test_rlp_round_trip(item: Any) -> None:
    assert rlp_decode(rlp_encode(item)) == item


@given(st.binary(max_size=60))
@settings(max_examples=500)
def test_rlp_has_one_form(data: bytes) -> None:
    try:
        item = rlp_decode(data)
    except FormatError:
        return
    assert rlp_encode(item) == data


PATHS = st.lists(
    st.text(min_size=1, max_size=4).filter(lambda s: not {"/", "\0"} & set(s) and s not in (".", "..")),
    min_size=1,
    max_size=3,
).map("/".join)


@given(st.sets(PATHS.filter(lambda path: not any("\ud800" <= c <= "\udfff" for c in path)), max_size=8))
def test_manifest_round_trip(paths: set[str]) -> None:
    entries = [ManifestEntry("f", "ab" * 32, 1, path) for path in paths]
    below = any(a.startswith(b + "/") for a in paths for b in paths)
    if below:
        with pytest.raises(FormatError, match="lies below"):
            encode_manifest(entries)
    else:
        data = encode_manifest(entries)
        assert sorted(decode_manifest(data)) == sorted(entries)


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=2000))
def test_sealed_round_trip(salt: bytes, content: bytes) -> None:
    _, preimage = seal(salt, content)
    assert unseal(preimage) == content
    size = len(preimage) - len(b"dataledger/sealed/v1\0") - 32
    assert size >= 256
    assert size & (size - 1) == 0


@given(st.binary(max_size=3000))
def test_envelope_round_trip(payload: bytes) -> None:
    decoded = verify_envelope(envelope(payload))
    assert decoded.payload == payload
    assert [each.keyid for each in decoded.signatures] == [KEYID]


@given(st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32))
def test_checkpoint_round_trip(size: int, root: bytes) -> None:
    root = root if size else EMPTY_ROOT
    assert parse_checkpoint(format_checkpoint("o", size, root)) == ("o", size, root)


@given(st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n"), max_size=60))
def test_note_round_trip(text: str) -> None:
    note = sign_note(text + "\n", "name", SIGNER)
    assert open_note(note, [Verifier("name", SIGNER.public_key)]) == text + "\n"


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200))
def test_signatures_verify(seed: bytes, message: bytes) -> None:
    key = signer(seed)
    assert key.sign(message) == sign(seed, message)
    verify(key.public_key, key.sign(message), message)
