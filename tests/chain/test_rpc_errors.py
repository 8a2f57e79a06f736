"""Reverts and other errors as nodes really report them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.chain import abi
from ledger.chain.reverts import revert_reason
from ledger.chain.rpc.errors import already_known, lacks_funds, nonce_taken, nonce_used, refusal
from ledger.chain.rpc.transport import NodeError

OUTPUT = bytes.fromhex("08c379a0") + abi.encode(("string",), ("namespace is taken",))
TEXT = "0x" + OUTPUT.hex()
REVERTS = {
    "geth": NodeError(3, "execution reverted: namespace is taken", TEXT),
    "geth without data": NodeError(-32000, "execution reverted: namespace is taken"),
    "anvil": NodeError(3, "execution reverted: namespace is taken", TEXT),
    "besu": NodeError(-32000, "Execution reverted", TEXT),
    "besu, new": NodeError(3, "execution reverted", TEXT),
    "nethermind": NodeError(-32015, "VM execution error.", f"Reverted {TEXT}"),
    "hardhat": NodeError(
        -32603,
        "Error: VM Exception while processing transaction: reverted with reason string 'namespace is taken'",
        {"message": "...", "txHash": "0x00", "data": TEXT},
    ),
    "ganache": NodeError(
        -32000,
        "VM Exception while processing transaction: revert namespace is taken",
        {"0x" + "ab" * 32: {"error": "revert", "return": TEXT}, "stack": "Error", "name": "c"},
    ),
    "an L2's gateway": NodeError(-32000, "err", {"error": {"data": TEXT}}),
}


@pytest.mark.parametrize("node", REVERTS)
def test_reasons(node):
    assert refusal(REVERTS[node]) == "namespace is taken"


@pytest.mark.parametrize(
    "error",
    [
        NodeError(3, "execution reverted", "0x"),
        NodeError(3, "execution reverted"),
        NodeError(-32000, "execution reverted", None),
    ],
)
def test_reverts_without_reason(error):
    assert refusal(error) == "it gave no reason"


@pytest.mark.parametrize(
    "message", ["out of gas", "invalid opcode: INVALID", "gas required exceeds: always failing transaction"]
)
def test_other_failures_of_the_call(message):
    assert refusal(NodeError(-32000, message)) == message


@pytest.mark.parametrize(
    "error",
    [
        NodeError(-32601, "the method eth_foo does not exist"),
        NodeError(-32005, "query returned more than 10000 results"),
        NodeError(-32000, "missing trie node"),
        NodeError(-32000, "insufficient funds for gas * price + value"),
    ],
)
def test_what_is_no_refusal(error):
    assert refusal(error) is None


@pytest.mark.parametrize(
    ("test", "message"),
    [
        (lacks_funds, "insufficient funds for gas * price + value: balance 0, tx cost 1"),
        (lacks_funds, "Insufficient funds for gas * price + value"),
        (lacks_funds, "Upfront cost exceeds account balance"),
        (lacks_funds, "insufficient balance for transfer"),
        (lacks_funds, "sender doesn't have enough funds to send tx"),
        (nonce_used, "nonce too low: next nonce 3, tx nonce 2"),
        (nonce_used, "Nonce too low"),
        (nonce_used, "OldNonce, Current nonce: 5, nonce of rejected tx: 2"),
        (nonce_taken, "replacement transaction underpriced"),
        (nonce_taken, "Replacement transaction underpriced"),
        (already_known, "already known"),
        (already_known, "AlreadyKnown: already in the mempool"),
        (already_known, "Known transaction"),
        (already_known, "transaction already imported"),
    ],
)
def test_kinds(test, message):
    assert test(NodeError(-32000, message))


def test_reasons_in_words():
    assert revert_reason(OUTPUT) == "namespace is taken"
    assert revert_reason(bytes.fromhex("4e487b71") + (0x11).to_bytes(32, "big")) == "panic 0x11"
    assert revert_reason(b"") == "it gave no reason"
    assert "0xdeadbeef" in revert_reason(bytes.fromhex("deadbeef"))
    assert len(revert_reason(bytes.fromhex("08c379a0") + abi.encode(("string",), ("x" * 9999,)))) <= 200


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=40),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["data", "return", "x"]), inner)
    ),
    max_leaves=12,
)


@given(st.integers(), st.text(max_size=80), json_values)
def test_no_answer_of_a_node_breaks_the_reading(code, message, data):
    error = NodeError(code, message, data)
    assert refusal(error) is None or isinstance(refusal(error), str)


@given(st.binary(max_size=300))
def test_no_output_breaks_the_reading(output):
    assert isinstance(revert_reason(output), str)
    assert isinstance(revert_reason(OUTPUT[:4] + output), str)
