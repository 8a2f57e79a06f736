"""Signed transactions and addresses, against eth-account."""

from __future__ import annotations

import pytest
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.chain.transactions import (
    Fees,
    Transaction,
    address_of,
    created_address,
    require,
    sign_transaction,
)
from ledger.core.errors import Unfunded, Usage
from ledger.core.hashing import keccak256

keys = st.binary(min_size=32, max_size=32).filter(lambda key: 0 < int.from_bytes(key, "big") < 2**255)
amounts = st.integers(0, 2**90)
transactions = st.builds(
    Transaction,
    chain_id=st.integers(1, 2**53 - 1),
    nonce=st.integers(0, 2**40),
    to=st.one_of(st.just(b""), st.binary(min_size=20, max_size=20)),
    data=st.binary(max_size=120),
    value_wei=amounts,
    gas=st.integers(21_000, 2**30),
    fees=st.builds(
        lambda tip, more, legacy: Fees(tip + more, 0 if legacy else tip, legacy),
        amounts,
        amounts,
        st.booleans(),
    ),
)


@settings(max_examples=60)
@given(transactions, keys)
def test_agrees_with_eth_account(transaction, key):
    fields = {
        "nonce": transaction.nonce,
        "gas": transaction.gas,
        "value": transaction.value_wei,
        "data": transaction.data,
        "chainId": transaction.chain_id,
    }
    if transaction.to:
        fields["to"] = transaction.to
    if transaction.fees.legacy:
        fields["gasPrice"] = transaction.fees.max_fee_wei
    else:
        fields["maxFeePerGas"] = transaction.fees.max_fee_wei
        fields["maxPriorityFeePerGas"] = transaction.fees.priority_fee_wei
    theirs = Account.sign_transaction(fields, key)
    ours = sign_transaction(transaction, key)
    assert ours == bytes(theirs.raw_transaction)
    assert keccak256(ours) == bytes(theirs.hash)


@settings(max_examples=20)
@given(keys)
def test_addresses(key):
    assert "0x" + address_of(key).hex() == Account.from_key(key).address.lower()


def test_created_address():
    # the example of EIP-1014's predecessor, in every wallet's tests
    sender = bytes.fromhex("6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0")
    assert created_address(sender, 0).hex() == "cd234a471b72ba2f1ccf0a70fcaba648a5eecd8d"
    assert created_address(sender, 1).hex() == "343c43a37d37dff08ae8c4a11544c718abb4fcf8"


@pytest.mark.parametrize("key", [b"", bytes(32), b"\xff" * 32, bytes(31), bytes(33)])
def test_what_is_no_key(key):
    with pytest.raises(Usage, match="account key"):
        address_of(key)


def test_require():
    require(bytes(20), 5, 5, hint="")
    with pytest.raises(Unfunded, match=r"send it 0\.5 ether") as caught:
        require(b"\x01" * 20, 10**18, 15 * 10**17, hint="go")
    assert (caught.value.address, caught.value.needed_wei) == ("0x" + "01" * 20, 5 * 10**17)
