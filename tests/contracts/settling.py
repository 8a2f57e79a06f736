"""An escrow on a test chain, and the parties that sign for it: what its tests share."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from eth_account import Account
from eth_account.messages import encode_typed_data

AGREEMENT, RECORD = b"\xa1" * 32, b"\xa2" * 32
AMOUNT = 10_000_001  # 100,000.01 yuan: not divisible by anything near
TERM_S = 10_000

TYPES = {
    "Split": [
        {"name": "agreement", "type": "bytes32"},
        {"name": "record", "type": "bytes32"},
        {"name": "payees", "type": "address[]"},
        {"name": "amounts", "type": "uint256[]"},
    ]
}


@cache
def keys_of(evm: Any) -> dict[str, bytes]:
    """The private keys of the chain's accounts."""
    return {key.public_key.to_checksum_address(): key.to_bytes() for key in evm.tester.backend.account_keys}


@cache
def more_keys() -> dict[str, bytes]:
    """Keys of accounts that have nothing."""
    return {Account.from_key(key).address: key for key in (bytes([n]) * 32 for n in range(1, 65))}


class Escrow:
    """One escrow: `payer`, three `payees` (or more, who have no coins), `arbiter`."""

    def __init__(
        self, evm: Any, token: Any = None, *, arbiter: bool = True, payees: int = 3, deadline: int = 0
    ) -> None:
        self.evm = evm
        self.token = token
        self.payer, self.stranger = evm.accounts[1], evm.accounts[2]
        self.arbiter = evm.accounts[3] if arbiter else evm.zero
        self.keys = keys_of(evm) | (more_keys() if payees > 3 else {})
        accounts = [*evm.accounts[4:7], *more_keys()][:payees] if payees > 3 else evm.accounts[4:7]
        self.payees = sorted(accounts, key=lambda each: int(each, 16))
        self.deadline = deadline or evm.now() + TERM_S
        self.contract = self.create()
        self.calls = self.contract.functions

    def create(self, **changes: Any) -> Any:
        """The contract, created with CREATE2, with other arguments where `changes` says so."""
        return self.evm.create("Settlement", *self.arguments(**changes), salt=b"escrow".ljust(32, b"\0"))

    def arguments(self, **changes: Any) -> list[Any]:
        given = {
            "agreement": AGREEMENT,
            "payer": self.payer,
            "payees": self.payees,
            "arbiter": self.arbiter,
            "token": self.evm.zero if self.token is None else self.token.address,
            "amount": AMOUNT,
            "deadline": self.deadline,
        }
        return list((given | changes).values())

    def fund(self) -> Any:
        """Put the money in."""
        if self.token is None:
            return self.evm.send(self.calls.fund(), self.payer, wei=AMOUNT)
        self.evm.send(self.token.functions.mint(self.payer, AMOUNT))
        if hasattr(self.token.functions, "approve"):
            self.evm.send(self.token.functions.approve(self.contract.address, AMOUNT), self.payer)
        return self.evm.send(self.calls.fund(), self.payer)

    def split(self, *parts: int) -> list[int]:
        """Amounts for all payees: those given, and the rest for the last."""
        return [*parts, AMOUNT - sum(parts)]

    def message(self, amounts: Sequence[int], record: bytes = RECORD, **domain: Any) -> Any:
        """What is signed, as eth-account encodes it."""
        bound = {
            "name": "dataledger settlement",
            "version": "1",
            "chainId": self.evm.web3.eth.chain_id,
            "verifyingContract": self.contract.address,
        }
        said = {
            "agreement": AGREEMENT,
            "record": record,
            "payees": list(self.payees),
            "amounts": list(amounts),
        }
        return encode_typed_data(bound | domain, TYPES, said)

    def sign(self, account: str, amounts: Sequence[int], record: bytes = RECORD, **domain: Any) -> bytes:
        """An account's signature of a split."""
        signed = Account.sign_message(self.message(amounts, record, **domain), self.keys[account])
        return bytes(signed.signature)

    def settle(self, signed: Sequence[int], sides: str = "payer payees", **changes: Any) -> Any:
        """The call that settles, signed by `sides`; `changes` replace its arguments."""
        given = {
            "record": RECORD,
            "amounts": list(signed),
            "by_payer": self.sign(self.payer, signed) if "payer" in sides.split() else b"",
            "by_payees": [self.sign(each, signed) for each in self.payees] if "payees" in sides else [],
            "by_arbiter": self.sign(self.arbiter, signed) if "arbiter" in sides else b"",
        }
        return self.calls.settle(*(given | changes).values())

    def owed(self, account: str) -> int:
        return int(self.calls.owed(account).call())

    def held(self) -> int:
        """What the contract has."""
        if self.token is None:
            return int(self.evm.balance(self.contract.address))
        return int(self.token.functions.balanceOf(self.contract.address).call())
