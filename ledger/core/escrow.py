"""What the parties of an escrow sign: the EIP-712 hash of a split, and that of a recorded settlement.

Source: EIP-712 (https://eips.ethereum.org/EIPS/eip-712), docs/formats.md section 12; `Settlement.vy` computes
the same. Presence in a log is not authority: a recorded settlement moves no money, and what the contract paid
may be another split. Equal hashes say that it was this one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ledger.core.errors import Usage
from ledger.core.hashing import keccak256
from ledger.core.identity import ADDRESS_SIZE, parse_did
from ledger.core.records import Settlement

MAX_PAYEES: Final = 64
"""Most payees of an escrow."""

_DOMAIN_TYPE: Final = keccak256(
    b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
_NAME: Final = keccak256(b"dataledger settlement")
_VERSION: Final = keccak256(b"1")
_SPLIT_TYPE: Final = keccak256(b"Split(bytes32 agreement,bytes32 record,address[] payees,uint256[] amounts)")


def split_hash(
    chain_id: int,
    escrow: bytes,
    agreement: bytes,
    record: bytes,
    payees: Sequence[bytes],
    amounts: Sequence[int],
) -> bytes:
    """Give the 32 bytes that are signed for the escrow at address `escrow` (20 bytes).

    `agreement` and `record` are record ids (32 bytes), `payees` all payees of the escrow (20 bytes each,
    ascending), `amounts` what each gets, 0..2^256-1. Raises Usage for what no escrow can have.
    """
    if list(payees) != sorted(set(payees)) or not 0 < len(payees) <= MAX_PAYEES:
        raise Usage(f"escrow: expected 1..{MAX_PAYEES} payees in ascending order, got {len(payees)}")
    if len(amounts) != len(payees):
        raise Usage(f"escrow: expected {len(payees)} amounts, got {len(amounts)}")
    domain = keccak256(_DOMAIN_TYPE + _NAME + _VERSION + _number(chain_id) + _address(escrow))
    split = keccak256(
        _SPLIT_TYPE
        + agreement
        + record
        + keccak256(b"".join(map(_address, payees)))
        + keccak256(b"".join(map(_number, amounts)))
    )
    return keccak256(b"\x19\x01" + domain + split)


def recorded_split_hash(
    settlement: Settlement, record: bytes, chain_id: int, payees: Sequence[bytes]
) -> bytes:
    """Give the hash that pays exactly what a settlement record (32-byte id) says, to its escrow's `payees`.

    Raises Usage if the record names no escrow, or pays somebody who is none of its payees.
    """
    if not settlement.escrow or not settlement.agreement:
        raise Usage("settlement: expected one that names an agreement and an escrow")
    due = {parse_did(payout.party)[1]: payout.amount for payout in settlement.payouts}
    if strange := [party for party, amount in due.items() if amount and party not in payees]:
        raise Usage(f"settlement: 0x{strange[0].hex()} is no payee of escrow {settlement.escrow}")
    return split_hash(
        chain_id,
        bytes.fromhex(settlement.escrow[2:]),
        bytes.fromhex(settlement.agreement),
        record,
        payees,
        [due.get(payee, 0) for payee in payees],
    )


def _number(number: int) -> bytes:
    if not 0 <= number < 2**256:
        raise Usage(f"escrow: expected a number of 0..2^256-1, got {number}")
    return number.to_bytes(32, "big")


def _address(address: bytes) -> bytes:
    if len(address) != ADDRESS_SIZE:
        raise Usage(f"escrow: expected an address of {ADDRESS_SIZE} bytes, got {len(address)}")
    return address.rjust(32, b"\0")
