"""Ed25519 signatures, with one rule everywhere for which of them are valid.

Source: RFC 8032 (pure Ed25519); the rule is libsodium's, docs/formats.md section 4: S below the group order,
R and the public key canonical and not of small order, the equation without cofactor. libsodium runs without
Python's global lock, so threads verify in parallel. Making keys is left to callers: nothing here is random.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import NamedTuple

from nacl.bindings import crypto_sign, crypto_sign_open, crypto_sign_seed_keypair
from nacl.exceptions import BadSignatureError

from ledger.core.errors import SignatureInvalid, Usage

SEED_SIZE = 32
PUBLIC_KEY_SIZE = 32
SIGNATURE_SIZE = 64


class Signer(NamedTuple):
    """A key in use: its 32-byte public half, and what returns its 64-byte signature of a message.

    The seed may stay where it is kept; see `signer`.
    """

    public_key: bytes
    sign: Callable[[bytes], bytes]


def signer(seed: bytes) -> Signer:
    """Return the Signer of a 32-byte seed."""
    return Signer(public_key(seed), functools.partial(sign, seed))


def public_key(seed: bytes) -> bytes:
    """Return the 32-byte public key of a 32-byte seed; any other length raises Usage."""
    return _expand(seed)[0]


def sign(seed: bytes, message: bytes) -> bytes:
    """Return the 64-byte signature of `message` by the key of the 32-byte seed."""
    return crypto_sign(message, _expand(seed)[1])[:SIGNATURE_SIZE]


def verify(public_key: bytes, signature: bytes, message: bytes) -> None:
    """Raise SignatureInvalid unless the 64-byte signature of `message` by the 32-byte public key is valid.

    A public key or signature of another length is not valid either.
    """
    # the binding reads 32 bytes wherever the key ends, so its length is checked here
    if len(public_key) != PUBLIC_KEY_SIZE or len(signature) != SIGNATURE_SIZE:
        raise SignatureInvalid(
            f"Ed25519: expected a key of 32 and a signature of 64 bytes, "
            f"got {len(public_key)} and {len(signature)}"
        )
    # libsodium releases differ in whether they decode R or compare its bytes; this settles it for all
    if signature[1:31] == _FIELD_TAIL and signature[31] | 0x80 == 0xFF and signature[0] >= 0xED:
        raise SignatureInvalid("Ed25519: R is not canonical")
    try:
        crypto_sign_open(signature + message, public_key)
    except BadSignatureError:
        raise SignatureInvalid(
            f"Ed25519: the signature is not one by key {public_key.hex()} over these {len(message)} bytes"
        ) from None


_FIELD_TAIL = b"\xff" * 30  # bytes 1 to 30 of 2^255-19, little-endian


@functools.lru_cache(maxsize=16)  # a bulk import signs with one key: expanding costs as much as signing
def _expand(seed: bytes) -> tuple[bytes, bytes]:
    if len(seed) != SEED_SIZE:
        raise Usage(f"Ed25519: expected a seed of 32 bytes, got {len(seed)}")
    public, secret = crypto_sign_seed_keypair(seed)
    return public, secret
