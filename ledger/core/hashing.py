"""The two hash functions: SHA-256 (FIPS 180-4) for records and trees, Keccak-256 as Ethereum uses it.

Keccak-256 is the submission to the SHA-3 contest with its original padding, not SHA3-256.
"""

from __future__ import annotations

import hashlib

import sha3

HASH_SIZE = 32
"""Bytes of every hash used here."""


def sha256(data: bytes) -> bytes:
    """Return the 32-byte SHA-256 of `data`."""
    return hashlib.sha256(data).digest()


def keccak256(data: bytes) -> bytes:
    """Return the 32-byte Keccak-256 of `data`."""
    digest: bytes = sha3.keccak_256(data).digest()
    return digest
