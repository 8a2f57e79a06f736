"""Signing transactions, and the address that a key stands for.

Source: EIP-1559 (type 2: `0x02 || rlp([chain id, nonce, tip, fee cap, gas, to, value, data, access list,
parity, r, s])`), EIP-155 for networks without a base fee, Yellow Paper appendix F for addresses. secp256k1 is
libsecp256k1's (coincurve): nonces by RFC 6979, low s. `eth-account` does the same and takes over a second to
import; the tests hold this module against it.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from ledger.core import rlp
from ledger.core.errors import Unfunded, Usage
from ledger.core.hashing import keccak256

KEY_SIZE = 32
SIGNATURE_SIZE = 65
CALL_GAS = 1 << 24
"""Gas that one transaction may take at most (the cap of EIP-7825)."""

_TYPE_1559 = b"\x02"


class Fees(Struct, frozen=True):
    """What a transaction pays per unit of gas, in wei. `legacy`: one price; the network has no base fee."""

    max_fee_wei: int
    priority_fee_wei: int = 0
    legacy: bool = False


class Transaction(Struct, frozen=True):
    """A transaction to be signed. `to` is 20 bytes, or empty to create a contract from `data`."""

    chain_id: int
    nonce: int
    to: bytes
    data: bytes
    value_wei: int
    gas: int
    fees: Fees

    @property
    def most_wei(self) -> int:
        """What the sender must own for it to be accepted."""
        return self.gas * self.fees.max_fee_wei + self.value_wei


def address_of(account_key: bytes) -> bytes:
    """The 20-byte address of a secp256k1 key of 32 bytes; Usage if it is no key."""
    public = _private_key(account_key).public_key.format(compressed=False)
    return keccak256(public[1:])[12:]


def created_address(sender: bytes, nonce: int) -> bytes:
    """The address of the contract that `sender` creates by a plain transaction with that nonce."""
    return keccak256(rlp.encode([sender, rlp.encode_uint(nonce)]))[12:]


def require(address: bytes, balance_wei: int, needed_wei: int, *, hint: str) -> None:
    """Raise Unfunded, with what is lacking, unless the balance covers what is needed."""
    if balance_wei < needed_wei:
        account = f"0x{address.hex()}"
        raise Unfunded(
            f"account {account}: expected {_ether(needed_wei)} to pay with, got {_ether(balance_wei)};"
            f" send it {_ether(needed_wei - balance_wei)}",
            address=account,
            needed_wei=needed_wei - balance_wei,
            hint=hint,
        )


def _ether(wei: int) -> str:
    whole, part = divmod(wei, 10**18)
    return f"{whole}.{part:018}".rstrip("0").rstrip(".") + " ether"


def sign_transaction(transaction: Transaction, account_key: bytes) -> bytes:
    """The raw bytes that a node takes; their keccak256 is the transaction's hash."""
    if transaction.fees.legacy:
        return _sign_legacy(transaction, account_key)
    body: list[rlp.Encodable] = [
        rlp.encode_uint(transaction.chain_id),
        rlp.encode_uint(transaction.nonce),
        rlp.encode_uint(transaction.fees.priority_fee_wei),
        rlp.encode_uint(transaction.fees.max_fee_wei),
        rlp.encode_uint(transaction.gas),
        transaction.to,
        rlp.encode_uint(transaction.value_wei),
        transaction.data,
        [],
    ]
    parity, r, s = _sign(keccak256(_TYPE_1559 + rlp.encode(body)), account_key)
    return _TYPE_1559 + rlp.encode([*body, rlp.encode_uint(parity), r, s])


def sign_digest(digest: bytes, account_key: bytes) -> bytes:
    """Sign 32 bytes, such as an EIP-712 hash: r, s and v (27 or 28), 65 bytes as `ecrecover` takes them."""
    signature: bytes = _private_key(account_key).sign_recoverable(digest, hasher=None)
    return signature[:64] + bytes([27 + signature[64]])


def signer_of(digest: bytes, signature: bytes) -> bytes | None:
    """Give the 20-byte address that signed these 32 bytes, None if that is no signature (`sign_digest`)."""
    from coincurve import PublicKey

    if len(signature) != SIGNATURE_SIZE or signature[64] not in (27, 28):
        return None
    try:
        found = PublicKey.from_signature_and_message(
            signature[:64] + bytes([signature[64] - 27]), digest, hasher=None
        )
    except Exception:  # noqa: BLE001 - the library raises what it likes for bytes that are no signature
        return None
    return keccak256(found.format(compressed=False)[1:])[12:]


def _sign_legacy(transaction: Transaction, account_key: bytes) -> bytes:
    body: list[rlp.Encodable] = [
        rlp.encode_uint(transaction.nonce),
        rlp.encode_uint(transaction.fees.max_fee_wei),
        rlp.encode_uint(transaction.gas),
        transaction.to,
        rlp.encode_uint(transaction.value_wei),
        transaction.data,
    ]
    unsigned = [*body, rlp.encode_uint(transaction.chain_id), b"", b""]
    parity, r, s = _sign(keccak256(rlp.encode(unsigned)), account_key)
    return rlp.encode([*body, rlp.encode_uint(35 + 2 * transaction.chain_id + parity), r, s])


def _sign(digest: bytes, account_key: bytes) -> tuple[int, bytes, bytes]:
    signature: bytes = _private_key(account_key).sign_recoverable(digest, hasher=None)
    return signature[64], signature[:32].lstrip(b"\0"), signature[32:64].lstrip(b"\0")


def _private_key(account_key: bytes) -> Any:
    from coincurve import PrivateKey

    if len(account_key) != KEY_SIZE:
        raise Usage(f"account key: expected {KEY_SIZE} bytes, got {len(account_key)}")
    try:
        return PrivateKey(account_key)
    except ValueError:
        raise Usage("account key: expected a number from 1 to the order of secp256k1") from None
