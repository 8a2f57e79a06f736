"""Sending transactions through a node: gas, fees, nonces, waiting.

Transactions are signed here and sent raw; the node never sees a key. A call is estimated before it is sent,
so that a refusal costs nothing and is known with its reason. Several calls are on their way together; one
that is refused on the state before its predecessors waits for them and is tried again.

Nonces: another process may use the account at the same time. Whoever comes second with a nonce takes the
next; a transaction whose nonce was used by another one is sent again. Two processes that say the same thing
would sign the same bytes, and each take the one transaction for its own: so the gas limit differs by chance,
within its margin. Posting the same bytes twice is harmless.
"""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from ledger.chain.interface import Call
from ledger.chain.rpc import values
from ledger.chain.rpc.errors import already_known, lacks_funds, nonce_taken, nonce_used, refusal
from ledger.chain.rpc.node import RpcReader
from ledger.chain.rpc.transport import NodeError
from ledger.chain.transactions import CALL_GAS, Fees, Transaction, address_of, require, sign_transaction
from ledger.core.chain_facts import BlockRef
from ledger.core.errors import Rejected, Unavailable, Usage
from ledger.core.hashing import keccak256

UNKNOWN_GAS = 400_000
"""Gas reserved for a call that can't be estimated before its predecessors are in a block."""

_MARGIN_PERCENT = 25
_MARGIN_GAS = 20_000
_MARK_GAS = 4096
_SUBMISSIONS = 12
_RESENDINGS = 5
_MISSES = 2
_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 2.0
_SILENT_S = 3.0
_HINT = "Send it there, then run the same command again: it goes on where it stopped."


class _Refused(Struct, frozen=True):
    """What a call comes to that the contract refuses on the present state."""

    reason: str


class _Sent(Struct, frozen=True):
    call: Call
    transaction: Transaction
    hash: bytes


class RpcChain(RpcReader):
    """A chain behind a node, to write to as well."""

    def send_all(self, calls: Sequence[Call], account_key: bytes) -> BlockRef:
        """Send the calls in this order, wait until all are in blocks, return the last one's block."""
        if not calls:
            raise Usage("expected at least one call to send")
        account = address_of(account_key)
        estimates = [self._try_estimate(call, account) for call in calls]
        self._require(account, calls, estimates, 0)
        waiting: list[_Sent] = []
        blocks: list[BlockRef] = []
        nonce = self._next_nonce(account)
        for call, estimate in zip(calls, estimates, strict=True):
            gas = estimate
            if isinstance(gas, _Refused) and waiting:
                blocks += [self._settle(sent, account_key) for sent in waiting]
                waiting = []
                nonce = max(nonce, self._next_nonce(account))
                gas = self._try_estimate(call, account)
            if isinstance(gas, _Refused):
                raise Rejected(f"{call.label}: refused by the contract: {gas.reason}")
            waiting.append(self._submit(call, gas, nonce, account_key))
            nonce = waiting[-1].transaction.nonce + 1
        blocks += [self._settle(sent, account_key) for sent in waiting]
        return max(blocks, key=lambda block: block.number)

    def require_funds(self, calls: Sequence[Call], address: bytes, *, extra_gas: int = 0) -> None:
        """Raise Unfunded, with what is lacking, if the account can't pay for all calls and `extra_gas`."""
        self._require(address, calls, [self._try_estimate(call, address) for call in calls], extra_gas)

    def fund(self, address: bytes, amount_wei: int) -> BlockRef | None:  # noqa: ARG002
        """None: a network has no faucet of ours."""
        return None

    def _require(
        self, account: bytes, calls: Sequence[Call], estimates: Sequence[int | _Refused], extra_gas: int
    ) -> None:
        gas = extra_gas + sum(UNKNOWN_GAS if isinstance(part, _Refused) else part for part in estimates)
        needed = gas * self._fees().max_fee_wei + sum(call.value_wei for call in calls)
        require(account, self.balance_wei(account), needed, hint=_HINT)

    def _try_estimate(self, call: Call, account: bytes) -> int | _Refused:
        """The gas to give the call, with a margin; or that the contract refuses it."""
        question = {"from": _hex(account), "data": _hex(call.data), "value": hex(call.value_wei)}
        if call.to:
            question["to"] = _hex(call.to)
        try:
            answer = self._transport.call("eth_estimateGas", question)
        except NodeError as error:
            reason = refusal(error)
            if reason is not None:
                return _Refused(reason)
            if lacks_funds(error):  # its value alone is more than the account has: `_require` says how much
                return UNKNOWN_GAS
            raise Unavailable(
                f"{self.location}: {call.label}: the node can't estimate it: {error.message}"
            ) from None
        gas = self._read(lambda: values.quantity(answer, "gas"))
        return min(gas + gas * _MARGIN_PERCENT // 100 + _MARGIN_GAS, max(CALL_GAS, gas + _MARK_GAS))

    def _fees(self) -> Fees:
        block = self._ask("eth_getBlockByNumber", "latest", False)
        base_json = values.member(block, "baseFeePerGas")
        if base_json is None:
            return Fees(self._quantity("eth_gasPrice"), legacy=True)
        base = self._read(lambda: values.quantity(base_json, "base fee"))
        try:
            answer = self._transport.call("eth_maxPriorityFeePerGas")
            tip = self._read(lambda: values.quantity(answer, "priority fee"))
        except NodeError:
            tip = max(self._quantity("eth_gasPrice") - base, 0)
        return Fees(2 * base + tip, tip)

    def _next_nonce(self, account: bytes) -> int:
        return self._quantity("eth_getTransactionCount", _hex(account), "pending")

    def _submit(self, call: Call, gas: int, nonce: int, account_key: bytes) -> _Sent:
        gas -= secrets.randbelow(_MARK_GAS)
        for attempt in range(_SUBMISSIONS):
            transaction = Transaction(
                self.chain_id, nonce, call.to, call.data, call.value_wei, gas, self._fees()
            )
            raw = sign_transaction(transaction, account_key)
            sent = _Sent(call, transaction, keccak256(raw))
            try:
                self._transport.call("eth_sendRawTransaction", _hex(raw))
            except NodeError as error:
                if not self._collided(error, sent, account_key):
                    return sent
            else:
                return sent
            time.sleep(random.uniform(0, 0.05 * (attempt + 1)))  # noqa: S311  # two that collided must part
            nonce = self._next_nonce(address_of(account_key))
        raise self._crowded(call)

    def _collided(self, error: NodeError, sent: _Sent, account_key: bytes) -> bool:
        """Whether another transaction has the nonce; False if ours is the one the node has."""
        if already_known(error):
            return False
        if nonce_used(error):
            return self._receipt(sent.hash) is None
        if nonce_taken(error):
            return True
        account = address_of(account_key)
        if lacks_funds(error):
            require(account, self.balance_wei(account), sent.transaction.most_wei, hint=_HINT)
        raise Unavailable(
            f"{self.location}: {sent.call.label}: the node refuses it: {error.message}"
        ) from None

    def _settle(self, sent: _Sent, account_key: bytes) -> BlockRef:
        """Wait until the transaction is in a block; send it again if another one took its nonce."""
        account = address_of(account_key)
        for _ in range(_RESENDINGS):
            block = self._await(sent, account)
            if block is not None:
                return block
            gas = self._try_estimate(sent.call, account)
            if isinstance(gas, _Refused):
                raise Rejected(f"{sent.call.label}: refused by the contract: {gas.reason}")
            sent = self._submit(sent.call, gas, self._next_nonce(account), account_key)
        raise self._crowded(sent.call)

    def _await(self, sent: _Sent, account: bytes) -> BlockRef | None:
        """The block that the transaction got into; None if another one with its nonce did."""
        started = time.monotonic()
        pause, told, missed = _FIRST_PAUSE_S, False, 0
        while missed <= _MISSES:
            receipt = self._receipt(sent.hash)
            if receipt is not None:
                return self._included(receipt, sent, account)
            # Asked after the receipt, and repeatedly: nodes behind one address may lag behind each other.
            missed = missed + 1 if self.transaction_count(account) > sent.transaction.nonce else 0
            waited = time.monotonic() - started
            if waited > self._options.mined_s:
                raise Unavailable(
                    f"{self.location}: {sent.call.label}: transaction 0x{sent.hash.hex()} is not in a block"
                    f" after {waited:.0f} s",
                    hint="It may still get there. Running the same command again is safe.",
                )
            if waited > _SILENT_S and not told:
                self._options.on_wait(f"{sent.call.label}: waiting for the transaction to get into a block")
                told = True
            time.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE_S)
        return None

    def _crowded(self, call: Call) -> Unavailable:
        return Unavailable(
            f"{self.location}: {call.label}: other programs keep taking the account's nonces",
            hint="Let one program at a time use the account.",
        )

    def _receipt(self, transaction_hash: bytes) -> Any:
        return self._ask("eth_getTransactionReceipt", _hex(transaction_hash))

    def _included(self, receipt: Any, sent: _Sent, account: bytes) -> BlockRef:
        number = self._read(lambda: values.quantity(values.member(receipt, "blockNumber"), "block number"))
        status = self._read(lambda: values.quantity(values.member(receipt, "status"), "status"))
        if status != 1:
            raise Rejected(
                f"{sent.call.label}: refused by the contract: {self._replay(sent, account, number)}"
            )
        block = self._block_at(hex(number))
        if block is None:
            raise self._reorganised(number)
        return block

    def _replay(self, sent: _Sent, account: bytes, number: int) -> str:
        """Why a transaction that is in a block failed: the same call on the block before it."""
        question = {"from": _hex(account), "data": _hex(sent.call.data), "gas": hex(sent.transaction.gas)}
        if sent.call.to:
            question["to"] = _hex(sent.call.to)
        try:
            self._transport.call("eth_call", question, hex(number - 1))
        except NodeError as error:
            return refusal(error) or error.message
        return "the state changed before it got into a block"


def _hex(content: bytes) -> str:
    return "0x" + content.hex()
