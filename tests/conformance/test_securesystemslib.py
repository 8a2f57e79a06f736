"""Another implementation of DSSE: it verifies our envelopes, and ours verifies its."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ledger.core.dsse import PAYLOAD_TYPE, Signature, encode_envelope, pae, verify_envelope
from ledger.core.errors import SignatureInvalid
from ledger.core.signing import public_key, sign

pytest.importorskip("securesystemslib")
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.dsse import Envelope as TheirEnvelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import CryptoSigner, SSlibKey

PAYLOAD = '{"_type":"https://in-toto.io/Statement/v1","é":1}'.encode()
SEEDS = [bytes([number]) * 32 for number in (1, 2)]


def keyid(seed: bytes) -> str:
    return f"did:ethr:0x539:0x{'ab' * 20}#{public_key(seed).hex()}"


def their_key(seed: bytes) -> Any:
    value = {"public": public_key(seed).hex()}
    return SSlibKey(keyid(seed), "ed25519", "ed25519", value)


def test_pre_authentication_encoding_is_theirs() -> None:
    assert TheirEnvelope(PAYLOAD, PAYLOAD_TYPE, {}).pae() == pae(PAYLOAD)


def test_theirs_verifies_ours() -> None:
    entry = encode_envelope(PAYLOAD, [Signature(keyid(seed), sign(seed, pae(PAYLOAD))) for seed in SEEDS])
    envelope = TheirEnvelope.from_dict(json.loads(entry))
    assert (envelope.payload, envelope.payload_type) == (PAYLOAD, PAYLOAD_TYPE)
    assert set(envelope.verify([their_key(seed) for seed in SEEDS], 2)) == {keyid(seed) for seed in SEEDS}
    forged = json.loads(entry)
    forged["signatures"][0]["sig"] = forged["signatures"][1]["sig"]
    with pytest.raises(VerificationError):
        TheirEnvelope.from_dict(forged).verify([their_key(SEEDS[0])], 1)


@pytest.mark.parametrize("indent", [None, 1])
def test_ours_verifies_theirs(indent: int | None) -> None:
    envelope = TheirEnvelope(PAYLOAD, PAYLOAD_TYPE, {})
    for seed in SEEDS:
        envelope.sign(CryptoSigner(Ed25519PrivateKey.from_private_bytes(seed), their_key(seed)))
    ours = verify_envelope(json.dumps(envelope.to_dict(), indent=indent).encode())
    assert ours.payload == PAYLOAD
    assert [each.keyid for each in ours.signatures] == [keyid(seed) for seed in SEEDS]
    assert [each.sig for each in ours.signatures] == [sign(seed, pae(PAYLOAD)) for seed in SEEDS]
    envelope.payload += b" "
    with pytest.raises(SignatureInvalid):
        verify_envelope(json.dumps(envelope.to_dict()).encode())
