"""Envelopes: round trip, strictness, and what a signature covers."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest

from ledger.core.dsse import (
    MAX_ENTRY,
    PAYLOAD_TYPE,
    Signature,
    decode_envelope,
    encode_envelope,
    pae,
    record_id,
    verify_envelope,
)
from ledger.core.errors import FormatError, SignatureInvalid
from ledger.core.signing import public_key, sign

DID = "did:ethr:0x539:0x" + "ab" * 20
PAYLOAD = b'{"_type":"https://in-toto.io/Statement/v1"}'


def signature(payload: bytes = PAYLOAD, number: int = 0) -> Signature:
    seed = bytes([number]) * 32
    return Signature(f"{DID}#{public_key(seed).hex()}", sign(seed, pae(payload)))


def wire(**changes: Any) -> dict[str, Any]:
    one = signature()
    members: dict[str, Any] = {
        "payload": base64.b64encode(PAYLOAD).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"keyid": one.keyid, "sig": base64.b64encode(one.sig).decode()}],
    }
    return {name: value for name, value in (members | changes).items() if value is not None}


def test_pre_authentication_encoding() -> None:
    assert pae(b"hello") == b"DSSEv1 28 application/vnd.in-toto+json 5 hello"
    assert pae(b"") == b"DSSEv1 28 application/vnd.in-toto+json 0 "
    assert record_id(PAYLOAD) == hashlib.sha256(pae(PAYLOAD)).digest()


def test_round_trip() -> None:
    signatures = [signature(number=number) for number in range(16)]
    entry = encode_envelope(PAYLOAD, signatures)
    envelope = verify_envelope(entry)
    assert envelope.payload == PAYLOAD
    assert envelope.signatures == signatures
    assert json.loads(entry)["payload"] == base64.b64encode(PAYLOAD).decode()


@pytest.mark.parametrize("indent", [None, 2])
def test_another_spelling_of_the_same_envelope_is_read(indent: int | None) -> None:
    entry = json.dumps(dict(reversed(wire().items())), indent=indent).encode()
    assert verify_envelope(entry).payload == PAYLOAD
    assert decode_envelope(entry) == decode_envelope(encode_envelope(PAYLOAD, [signature()]))


ONE = wire()["signatures"][0]
BAD = {
    "no-payload": wire(payload=None),
    "no-type": wire(payloadType=None),
    "no-signatures": wire(signatures=None),
    "other-type": wire(payloadType="application/json"),
    "unknown-member": wire(extra=1),
    "unknown-signature-member": wire(signatures=[ONE | {"cert": ""}]),
    "empty-signatures": wire(signatures=[]),
    "seventeen": wire(signatures=[ONE] * 17),
    "key-twice": wire(signatures=[ONE, ONE]),
    "key-twice-other-party": wire(signatures=[ONE, ONE | {"keyid": ONE["keyid"].replace("ab", "cd", 1)}]),
    "no-keyid": wire(signatures=[{"sig": ONE["sig"]}]),
    "no-sig": wire(signatures=[{"keyid": ONE["keyid"]}]),
    "empty-keyid": wire(signatures=[ONE | {"keyid": ""}]),
    "short-keyid": wire(signatures=[ONE | {"keyid": ONE["keyid"][:-1]}]),
    "upper-keyid": wire(signatures=[ONE | {"keyid": ONE["keyid"].upper()}]),
    "chain-leading-zero": wire(signatures=[ONE | {"keyid": ONE["keyid"].replace("0x539", "0x0539")}]),
    "bare-key": wire(signatures=[ONE | {"keyid": ONE["keyid"][-64:]}]),
    "long-keyid": wire(signatures=[ONE | {"keyid": "x" * 5000}]),
    "sig-63": wire(signatures=[ONE | {"sig": base64.b64encode(bytes(63)).decode()}]),
    "sig-65": wire(signatures=[ONE | {"sig": base64.b64encode(bytes(65)).decode()}]),
    "sig-unpadded": wire(signatures=[ONE | {"sig": ONE["sig"].rstrip("=")}]),
    "sig-url": wire(signatures=[ONE | {"sig": "-" * 86 + "=="}]),
    "sig-bits": wire(signatures=[ONE | {"sig": ONE["sig"][:-3] + chr(ord(ONE["sig"][-3]) + 1) + "=="}]),
    "payload-space": wire(payload=wire()["payload"] + " "),
    "payload-number": wire(payload=1),
    "payload-null": {"payload": None} | wire(payload=None),
    "array": [PAYLOAD_TYPE],
}


@pytest.mark.parametrize("value", BAD.values(), ids=BAD.keys())
def test_refused(value: Any) -> None:
    for separators in ((",", ":"), (", ", ": ")):
        with pytest.raises(FormatError):
            decode_envelope(json.dumps(value, separators=separators).encode())


def test_refused_bytes() -> None:
    good = encode_envelope(PAYLOAD, [signature()])
    for entry in (
        b"",
        b"{}",
        good + b"x",
        good + good,
        b"\xef\xbb\xbf" + good,
        good[:-1],
        good[:-1] + b',"payload":""}',
    ):
        with pytest.raises(FormatError):
            decode_envelope(entry)
    decode_envelope(good + b" ")  # JSON white space: another spelling, so another entry, of the same record


def test_size_limit() -> None:
    room = (MAX_ENTRY - len(encode_envelope(b"", [signature(b"")]))) // 4 * 3
    entry = encode_envelope(bytes(room), [signature(bytes(room))])
    assert MAX_ENTRY - 4 < len(entry) <= MAX_ENTRY
    verify_envelope(entry)
    with pytest.raises(FormatError, match="at most 65535"):
        encode_envelope(bytes(room + 3), [signature(bytes(room + 3))])
    with pytest.raises(FormatError, match="at most 65535"):
        decode_envelope(entry + b" " * 4)


def test_encoding_refuses_what_decoding_would() -> None:
    good = signature()
    for signatures in (
        [],
        [good, good],
        [Signature("x", good.sig)],
        [Signature(good.keyid, b"")],
        [good] * 17,
    ):
        with pytest.raises(FormatError):
            encode_envelope(PAYLOAD, signatures)


def test_every_signature_must_verify() -> None:
    good, bad = signature(number=1), signature(b"other", number=2)
    decode_envelope(encode_envelope(PAYLOAD, [good, bad]))
    with pytest.raises(SignatureInvalid):
        verify_envelope(encode_envelope(PAYLOAD, [good, bad]))
    with pytest.raises(SignatureInvalid):
        verify_envelope(encode_envelope(PAYLOAD, [Signature(signature(number=3).keyid, good.sig)]))
