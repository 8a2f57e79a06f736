"""Block headers as bytes: the RLP list whose keccak256 is the block's hash.

Source: Ethereum Yellow Paper, section 4.4.3. Forks add fields at the end (base fee, withdrawals root, ...),
so a header has at least 15 items, and later ones are none of our business: the hash covers them.

Here: reading the fields that the ledger needs, and nothing else. That a header belongs to a chain is not in
its bytes; whoever gives a block hash decides that.
"""

from __future__ import annotations

from msgspec import Struct

from ledger.core import rlp
from ledger.core.errors import FormatError, ProofInvalid
from ledger.core.hashing import keccak256

MIN_ITEMS = 15
MAX_BYTES = 8192
"""More than any header has; QBFT and Clique keep validators and seals in one."""


class Header(Struct, frozen=True, gc=False):
    """The fields read from a header. Hashes and roots are 32 bytes."""

    hash: bytes
    parent_hash: bytes
    state_root: bytes
    transactions_root: bytes
    receipts_root: bytes
    number: int
    time_unix_s: int
    extra_data: bytes


def parse_header(data: bytes, *, expected_hash: bytes | None = None) -> Header:
    """Read a header from its RLP; FormatError if it is none, ProofInvalid if it hashes to another value."""
    block_hash = keccak256(data)
    if expected_hash is not None and block_hash != expected_hash:
        raise ProofInvalid(f"block header: expected hash 0x{expected_hash.hex()}, got 0x{block_hash.hex()}")
    if len(data) > MAX_BYTES:
        raise FormatError(f"block header: expected at most {MAX_BYTES} bytes, got {len(data)}")
    items = rlp.decode_list(data)
    if len(items) < MIN_ITEMS:
        raise FormatError(f"block header: expected at least {MIN_ITEMS} items, got {len(items)}")
    return Header(
        hash=block_hash,
        parent_hash=_word(items[0], "parent hash"),
        state_root=_word(items[3], "state root"),
        transactions_root=_word(items[4], "transactions root"),
        receipts_root=_word(items[5], "receipts root"),
        number=rlp.decode_uint(items[8], "block number", size=8),
        time_unix_s=rlp.decode_uint(items[11], "block time", size=8),
        extra_data=_bytes(items[12], "extra data"),
    )


def _bytes(item: rlp.Item, what: str) -> bytes:
    if not isinstance(item, bytes):
        raise FormatError(f"block header: expected bytes as {what}, got a list")
    return item


def _word(item: rlp.Item, what: str) -> bytes:
    word = _bytes(item, what)
    if len(word) != 32:
        raise FormatError(f"block header: expected 32 bytes as {what}, got {len(word)}")
    return word
