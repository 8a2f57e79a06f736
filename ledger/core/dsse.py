"""Signed envelopes: what a log's entries are.

Source: DSSE v1 (https://github.com/secure-systems-lab/dsse, envelope.md and protocol.md), narrowed by
docs/formats.md section 4: one payload type, Ed25519 signatures whose `keyid` carries the public key, no other
members, at most 65,535 bytes. The bytes signed are

    "DSSEv1 " length of type " " type " " length of payload " " payload

with lengths in decimal; a record's id is their SHA-256, so it does not change with the signatures. What the
payload says is `statement`'s business, whether its signers had the right to say it `authority`'s.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ledger.core.encoding import b64decode, check_json, printable
from ledger.core.errors import FormatError
from ledger.core.hashing import sha256
from ledger.core.identity import parse_keyid
from ledger.core.signing import SIGNATURE_SIZE, verify

PAYLOAD_TYPE = "application/vnd.in-toto+json"
MAX_ENTRY = 65535
"""The most bytes an entry may have: its length is a u16 in an entry bundle."""

MAX_SIGNATURES = 16

_PAE_HEAD = f"DSSEv1 {len(PAYLOAD_TYPE)} {PAYLOAD_TYPE} ".encode()


class Signature(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """One signature: `keyid` is the party, `#` and the key in hex, `sig` 64 bytes."""

    keyid: str
    sig: bytes


class Envelope(msgspec.Struct, frozen=True):
    """A decoded entry: the payload's bytes as they were signed, and the signatures over them."""

    payload: bytes
    signatures: list[Signature]


def pae(payload: bytes) -> bytes:
    """Return the pre-authentication encoding of a payload of type PAYLOAD_TYPE: the bytes that are signed."""
    return b"%b%d %b" % (_PAE_HEAD, len(payload), payload)


def record_id(payload: bytes) -> bytes:
    """Return the 32-byte id of the record that `payload` is."""
    return sha256(pae(payload))


def encode_envelope(payload: bytes, signatures: Sequence[Signature]) -> bytes:
    """Return the entry for `payload` with its signatures; what no reader would accept raises FormatError."""
    checked = [Signature(signature.keyid, signature.sig) for signature in signatures]
    _check_signatures(checked)
    entry = _ENCODER.encode(_Wire(payload, PAYLOAD_TYPE, checked))
    if len(entry) > MAX_ENTRY:
        raise FormatError(f"record: its envelope has {len(entry)} bytes, at most {MAX_ENTRY} fit into a log")
    return entry


def decode_envelope(entry: bytes) -> Envelope:
    """Decode an entry; anything but an envelope of docs/formats.md section 4 raises FormatError.

    The signatures are not verified: see `verify_envelope`.
    """
    if len(entry) > MAX_ENTRY:
        raise FormatError(f"envelope: expected at most {MAX_ENTRY} bytes, got {len(entry)}")
    try:
        wire = _DECODER.decode(entry)
        # our own spelling leaves nothing to check: no duplicate member, no second form of the base64
        if _ENCODER.encode(wire) != entry:
            wire = _decode_with_care(entry)
    except (FormatError, msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise FormatError(f"envelope: {printable(error)}") from None
    if wire.payload_type != PAYLOAD_TYPE:
        raise FormatError(f"envelope: expected payload type {PAYLOAD_TYPE}, got {wire.payload_type[:100]!a}")
    _check_signatures(wire.signatures)
    return Envelope(wire.payload, wire.signatures)


def verify_envelope(entry: bytes) -> Envelope:
    """Decode an entry and verify every signature against the key in its keyid.

    Raises FormatError, or SignatureInvalid at the first signature that does not verify. DSSE does not sign
    keyids: that the key belongs to the party before the `#` is for `authority` to judge.
    """
    envelope = decode_envelope(entry)
    signed = pae(envelope.payload)
    for signature in envelope.signatures:
        verify(parse_keyid(signature.keyid)[1], signature.sig, signed)
    return envelope


def _check_signatures(signatures: list[Signature]) -> None:
    if not 1 <= len(signatures) <= MAX_SIGNATURES:
        raise FormatError(f"envelope: expected 1 to {MAX_SIGNATURES} signatures, got {len(signatures)}")
    keys = {parse_keyid(signature.keyid)[1] for signature in signatures}
    if len(keys) != len(signatures):
        raise FormatError("envelope: expected each key to sign once, got one key twice")
    for signature in signatures:
        if len(signature.sig) != SIGNATURE_SIZE:
            raise FormatError(f"envelope: expected signatures of 64 bytes, got one of {len(signature.sig)}")


class _Wire(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    payload: bytes
    payload_type: str = msgspec.field(name="payloadType")
    signatures: list[Signature]


class _TextSignature(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    keyid: str
    sig: str


class _TextWire(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    payload: str
    payload_type: str = msgspec.field(name="payloadType")
    signatures: list[_TextSignature]


def _decode_with_care(entry: bytes) -> _Wire:
    check_json(entry, max_bytes=MAX_ENTRY)
    text = _TEXT_DECODER.decode(entry)
    signatures = [Signature(each.keyid, b64decode(each.sig)) for each in text.signatures]
    return _Wire(b64decode(text.payload), text.payload_type, signatures)


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(_Wire)
_TEXT_DECODER = msgspec.json.Decoder(_TextWire)
