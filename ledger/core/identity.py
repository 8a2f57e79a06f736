"""Parties and keys in text, and the ids of their logs.

Source: the did:ethr method (https://github.com/decentralized-identity/ethr-did-resolver, doc/did-method-spec)
narrowed to one spelling: the chain id always in hex without leading zero, the address always lower case. A
party's DID names the address that Identities knows it by, which never changes; who *owns* that identity does.
Whether a key or delegate was valid is judged in `authority`.

    did:ethr:0x539:0x00112233445566778899aabbccddeeff00112233                 a party on chain 1337
    did:ethr:0x539:0x00112233445566778899aabbccddeeff00112233#<64 hex>        one of its record keys
"""

from __future__ import annotations

import re
from functools import lru_cache

from ledger.core.encoding import unhex
from ledger.core.errors import FormatError
from ledger.core.hashing import keccak256
from ledger.core.text import shown

ADDRESS_SIZE = 20
"""Bytes of an address."""

KEY_SIZE = 32
"""Bytes of a raw Ed25519 public key."""

DID_PATTERN = "^did:ethr:0x[1-9a-f][0-9a-f]{0,63}:0x[0-9a-f]{40}$"
"""A party. Python's `$` would let a line feed follow: use with `fullmatch`, or with a lookahead."""

_did = re.compile(DID_PATTERN.strip("^$")).fullmatch


@lru_cache(maxsize=4096)
def parse_did(did: str) -> tuple[int, bytes]:
    """Read a party's DID as (chain id, 20-byte address); any other spelling raises FormatError."""
    if _did(did) is None:
        raise FormatError(
            f"party: expected did:ethr:0x<chain id in hex>:0x<40 lower-case hex digits>, got {shown(did)}"
        )
    return int(did[9:-43], 16), bytes.fromhex(did[-40:])


def format_did(chain_id: int, address: bytes) -> str:
    """Write the DID of the party with this 20-byte `address` on chain `chain_id` (1..2^256-1)."""
    if len(address) != ADDRESS_SIZE or not 1 <= chain_id < 2**256:
        raise FormatError(
            f"party: expected a chain id of 1..2^256-1 and an address of 20 bytes, "
            f"got {chain_id} and {len(address)} bytes"
        )
    return f"did:ethr:{chain_id:#x}:0x{address.hex()}"


@lru_cache(maxsize=4096)
def parse_keyid(keyid: str) -> tuple[str, bytes]:
    """Read a key id as (DID, 32-byte raw Ed25519 public key); raises FormatError."""
    did, mark, digits = keyid.partition("#")
    if not mark:
        raise FormatError(f"key id: expected a party, '#' and 64 hex digits, got {shown(keyid)}")
    parse_did(did)
    return did, unhex(digits, KEY_SIZE, "key id")


def format_keyid(did: str, key: bytes) -> str:
    """Write the key id of the 32-byte raw public `key` of the party `did`."""
    parse_did(did)
    if len(key) != KEY_SIZE:
        raise FormatError(f"key id: expected a key of {KEY_SIZE} bytes, got {len(key)}")
    return f"{did}#{key.hex()}"


def log_id(chain_id: int, anchors: bytes, owner: bytes, number: int) -> bytes:
    """Give the 32-byte id of log `number` (from 0) of `owner`, as the contract at `anchors` computes it.

    It is keccak256(abi.encode(uint256 chain id, address Anchors, address owner, uint256 number)); addresses
    have 20 bytes.
    """
    if len(anchors) != ADDRESS_SIZE or len(owner) != ADDRESS_SIZE:
        raise FormatError(f"log: expected addresses of {ADDRESS_SIZE} bytes")
    if not 0 <= number < 2**256 or not 1 <= chain_id < 2**256:
        raise FormatError("log: expected a chain id of 1..2^256-1 and a number of 0..2^256-1")
    padding = bytes(12)
    return keccak256(
        chain_id.to_bytes(32, "big") + padding + anchors + padding + owner + number.to_bytes(32, "big")
    )
