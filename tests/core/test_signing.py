"""Ed25519: RFC 8032's first vectors, and the rule for which signatures are valid."""

from __future__ import annotations

import pytest

from ledger.core.errors import SignatureInvalid, Usage
from ledger.core.signing import public_key, sign, verify

# RFC 8032 section 7.1, tests 1 to 3: seed, public key, message, signature
RFC_8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
            "d25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
            "387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
            "4a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
]


@pytest.mark.parametrize(("seed", "key", "message", "signature"), RFC_8032)
def test_rfc_8032(seed: str, key: str, message: str, signature: str) -> None:
    assert public_key(bytes.fromhex(seed)).hex() == key
    assert sign(bytes.fromhex(seed), bytes.fromhex(message)).hex() == signature
    verify(bytes.fromhex(key), bytes.fromhex(signature), bytes.fromhex(message))


def test_every_flipped_bit_is_refused() -> None:
    seed, message = bytes(range(32)), b"message"
    key, signature = public_key(seed), sign(seed, message)
    for bit in range(512):
        bad = bytearray(signature)
        bad[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SignatureInvalid):
            verify(key, bytes(bad), message)
    for bit in range(256):
        bad = bytearray(key)
        bad[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SignatureInvalid):
            verify(bytes(bad), signature, message)
    with pytest.raises(SignatureInvalid, match=f"key {key.hex()} over these 8 bytes"):
        verify(key, signature, message + b"x")


@pytest.mark.parametrize(
    ("key_size", "signature_size"), [(0, 64), (31, 64), (33, 64), (32, 0), (32, 63), (32, 65)]
)
def test_other_lengths_are_refused(key_size: int, signature_size: int) -> None:
    with pytest.raises(SignatureInvalid, match=f"got {key_size} and {signature_size}"):
        verify(bytes(key_size), bytes(signature_size), b"")


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_seed_has_32_bytes(size: int) -> None:
    with pytest.raises(Usage, match=f"got {size}"):
        public_key(bytes(size))
    with pytest.raises(Usage):
        sign(bytes(size), b"")
