"""Sending through nodes: fees, nonces, refusals, waiting, and two processes on one account."""

from __future__ import annotations

import secrets
import subprocess
import sys
from pathlib import Path

import pytest
from eth_account import Account

from ledger.chain import abi, contracts
from ledger.chain.connect import open_client, open_sender
from ledger.chain.deploy import deploy
from ledger.chain.interface import Call
from ledger.chain.options import Options
from ledger.chain.rpc.sender import RpcChain
from ledger.chain.transactions import address_of
from ledger.core.errors import Rejected, Unavailable, Unfunded
from ledger.core.hashing import keccak256
from ledger.core.rlp import decode_list
from tests.chain.conftest import funded_key, running_anvil
from tests.chain.fake_node import FakeNode, NodeRefusal, serving, word

ROOT = Path(__file__).parents[2]
KEY = b"\x01" * 32
CALL = Call(b"\x07" * 20, b"\xab", "doing it")
REASON = "0x08c379a0" + abi.encode(("string",), ("because",)).hex()


class Mempool:
    """A node that takes transactions, and mines each when it is asked for the receipt."""

    def __init__(self, node: FakeNode) -> None:
        self.node = node
        self.sent: list[bytes] = []
        self.refusals: list[NodeRefusal] = []
        self.status = "0x1"
        self.mining = True
        self.lost: set[int] = set()  # positions of transactions that another one replaces
        self.nonce = 5
        node.methods |= {
            "eth_sendRawTransaction": self.send,
            "eth_getTransactionReceipt": self.receipt,
            "eth_getTransactionCount": self.count,
        }

    def send(self, raw: str) -> str:
        if self.refusals:
            raise self.refusals.pop(0)
        self.sent.append(bytes.fromhex(raw[2:]))
        return "0x" + keccak256(self.sent[-1]).hex()

    def receipt(self, wanted: str):
        hashes = ["0x" + keccak256(raw).hex() for raw in self.sent]
        if not self.mining or wanted not in hashes or hashes.index(wanted) in self.lost:
            return None
        return {"status": self.status, "blockNumber": hex(10 + hashes.index(wanted))}

    def count(self, _: str, tag: str) -> str:
        return hex(self.nonce + (len(self.lost) if tag == "latest" else 0))

    def transactions(self) -> list[dict]:
        names = ("chainId", "nonce", "maxPriorityFeePerGas", "maxFeePerGas", "gas", "to", "value", "data")
        return [
            {
                name: item if name in {"to", "data"} else int.from_bytes(item, "big")
                for name, item in zip(names, decode_list(raw[1:]), strict=False)
            }
            for raw in self.sent
        ]


@pytest.fixture
def node():
    with serving(FakeNode()) as fake:
        yield fake


@pytest.fixture
def pool(node):
    return Mempool(node)


@pytest.fixture
def chain(node, pool):
    told: list[str] = []
    sender = RpcChain(node.url, Options(timeout_s=2, mined_s=0.6, on_wait=told.append))
    sender.told = told
    yield sender
    sender.close()


def test_what_is_sent(chain, pool):
    assert chain.send_all([CALL], KEY).number == 10
    (sent,) = pool.transactions()
    assert (sent["nonce"], sent["chainId"], sent["value"]) == (5, 0x539, 0)
    assert (sent["to"], sent["data"]) == (CALL.to, CALL.data)
    assert (sent["maxFeePerGas"], sent["maxPriorityFeePerGas"]) == (2 * 7 + 2, 2)
    assert 0 <= 21_000 * 5 // 4 + 20_000 - sent["gas"] < 4096
    assert Account.recover_transaction("0x" + pool.sent[0].hex()).lower() == "0x" + address_of(KEY).hex()


def test_nonces_of_a_batch(chain, pool):
    assert chain.send_all([CALL, CALL, CALL], KEY).number == 12
    assert [sent["nonce"] for sent in pool.transactions()] == [5, 6, 7]


def test_the_same_call_twice_is_two_transactions(chain, pool):
    """Or else two processes that pay the same at the same time pay once."""
    for _ in range(8):
        chain.send_all([CALL], KEY)
    assert len(set(pool.sent)) > 1  # the fake node's nonces never move


def test_a_network_without_a_base_fee(chain, pool, node):
    node.base_fee = None
    chain.send_all([CALL], KEY)
    assert pool.sent[0][0] >= 0xC0  # a plain list: a legacy transaction
    assert Account.recover_transaction("0x" + pool.sent[0].hex()).lower() == "0x" + address_of(KEY).hex()


def test_a_network_that_charges_nothing(chain, pool, node):
    node.base_fee = None
    node.methods |= {"eth_gasPrice": lambda: "0x0", "eth_getBalance": lambda *_: "0x0"}
    chain.send_all([CALL], KEY)


def test_a_node_that_names_no_tip(chain, pool, node):
    del node.methods["eth_maxPriorityFeePerGas"]
    chain.send_all([CALL], KEY)
    assert pool.transactions()[0]["maxPriorityFeePerGas"] == 9 - 7


@pytest.mark.parametrize("message", ["nonce too low", "replacement transaction underpriced"])
def test_a_nonce_that_somebody_else_took(chain, pool, node, message):
    pool.refusals = [NodeRefusal(-32000, message)] * 2
    pending = iter([5, 6, 8])
    node.methods["eth_getTransactionCount"] = lambda _, tag: hex(next(pending) if tag == "pending" else 0)
    chain.send_all([CALL], KEY)
    assert [sent["nonce"] for sent in pool.transactions()] == [8]


def test_nonces_that_are_always_taken(chain, pool):
    pool.refusals = [NodeRefusal(-32000, "nonce too low")] * 99
    with pytest.raises(Unavailable, match="keep taking"):
        chain.send_all([CALL], KEY)


@pytest.mark.parametrize("message", ["already known", "nonce too low"])
def test_the_answer_was_lost_and_the_node_has_it(chain, pool, node, message):
    def send(raw: str) -> None:
        pool.sent.append(bytes.fromhex(raw[2:]))
        raise NodeRefusal(-32000, message)

    node.methods["eth_sendRawTransaction"] = send
    chain.send_all([CALL], KEY)
    assert len(pool.sent) == 1


def test_a_transaction_that_another_one_replaces_is_sent_again(chain, pool, node):
    pool.lost = {0}
    pending = iter([5, 6])
    node.methods["eth_getTransactionCount"] = lambda _, tag: hex(next(pending) if tag == "pending" else 6)
    chain.send_all([CALL], KEY)
    assert [sent["nonce"] for sent in pool.transactions()] == [5, 6]


def test_a_transaction_that_is_always_replaced(chain, pool):
    pool.lost = set(range(99))
    with pytest.raises(Unavailable, match="keep taking"):
        chain.send_all([CALL], KEY)
    assert len(pool.sent) <= 6


def test_refused_before_it_is_sent(chain, pool, node):
    def refuse(_):
        raise NodeRefusal(3, "execution reverted: because", REASON)

    node.methods["eth_estimateGas"] = refuse
    with pytest.raises(Rejected, match="doing it: refused by the contract: because"):
        chain.send_all([CALL], KEY)
    assert pool.sent == []


def test_refused_in_its_block(chain, pool, node):
    def replay(question, block):
        assert 42_000 < int(question["gas"], 16) <= 46_250
        assert int(block, 16) == 9 + len(pool.sent) - 1
        raise NodeRefusal(-32000, "Execution reverted", REASON)

    pool.status = "0x0"
    node.methods["eth_call"] = replay
    with pytest.raises(Rejected, match="because"):
        chain.send_all([CALL], KEY)
    node.methods["eth_call"] = lambda *_: "0x"
    with pytest.raises(Rejected, match="the state changed"):
        chain.send_all([CALL], KEY)


def test_the_node_can_not_estimate(chain, pool, node):
    del node.methods["eth_estimateGas"]
    with pytest.raises(Unavailable, match="can't estimate"):
        chain.send_all([CALL], KEY)


def test_the_node_refuses_the_transaction(chain, pool):
    pool.refusals = [NodeRefusal(-32000, "exceeds block gas limit")]
    with pytest.raises(Unavailable, match="exceeds block gas limit"):
        chain.send_all([CALL], KEY)


def test_not_in_a_block_in_time(chain, pool):
    pool.mining = False
    with pytest.raises(Unavailable, match="not in a block after") as caught:
        chain.send_all([CALL], KEY)
    assert keccak256(pool.sent[0]).hex() in str(caught.value)
    assert "again is safe" in caught.value.hint


def test_waiting_is_told(node, pool, monkeypatch):
    monkeypatch.setattr("ledger.chain.rpc.sender._SILENT_S", 0.1)
    told: list[str] = []
    sender = RpcChain(node.url, Options(mined_s=0.6, on_wait=told.append))
    pool.mining = False
    with pytest.raises(Unavailable):
        sender.send_all([CALL], KEY)
    sender.close()
    assert told == ["doing it: waiting for the transaction to get into a block"]


def test_the_whole_batch_is_paid_for_before_it_begins(chain, pool, node):
    one = (21_000 * 5 // 4 + 20_000) * 16
    node.methods["eth_getBalance"] = lambda *_: hex(2 * one)
    chain.send_all([CALL, CALL], KEY)
    pool.sent.clear()
    with pytest.raises(Unfunded) as caught:
        chain.send_all([CALL, CALL, CALL], KEY)
    assert caught.value.needed_wei == one
    assert pool.sent == []


def test_money_that_went_away_in_between(chain, pool, node):
    balances = iter([10**18, 100])
    node.methods["eth_getBalance"] = lambda *_: hex(next(balances))
    pool.refusals = [NodeRefusal(-32003, "Insufficient funds for gas * price + value")]
    with pytest.raises(Unfunded):
        chain.send_all([CALL], KEY)


def test_a_later_call_that_needs_an_earlier_one(chain, pool, node):
    def estimate(question):
        if question["data"] == "0xcd" and not node.count("eth_getTransactionReceipt"):
            raise NodeRefusal(3, "execution reverted: too early", None)
        return "0x5208"

    node.methods["eth_estimateGas"] = estimate
    later = Call(CALL.to, b"\xcd", "doing it later")
    assert chain.send_all([CALL, later], KEY).number == 11
    node.asked.clear()
    with pytest.raises(Rejected, match=r"doing it later: .*too early"):
        chain.send_all([later], KEY)


def test_the_blocks_of_a_receipt_may_be_gone(chain, pool, node):
    node.height = 3
    with pytest.raises(Unavailable, match="reorganised at block 10"):
        chain.send_all([CALL], KEY)


def test_no_faucet(chain):
    assert chain.fund(bytes(20), 1) is None


def test_receipts_of_the_wrong_form(chain, pool, node):
    node.methods["eth_getTransactionReceipt"] = lambda _: {"status": word(1)}
    with pytest.raises(Unavailable, match="block number"):
        chain.send_all([CALL], KEY)


WRITER = """
import sys
from ledger.chain.connect import open_sender
from ledger.chain.interface import Call
chain = open_sender(sys.argv[1])
for _ in range(20):
    chain.send_all([Call(bytes([34]) * 20, sys.argv[3].encode(), "paying", 1)], bytes.fromhex(sys.argv[2]))
chain.close()
"""


@pytest.mark.anvil
def test_two_processes_on_one_account_lose_nothing(anvil_url):
    key = funded_key(anvil_url)
    sink = bytes([34]) * 20
    chain = open_sender(anvil_url)
    before = chain.balance_wei(sink)
    # What each of them sends is its own: two that are alike to the byte, nonce included, are one transaction.
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, anvil_url, key.hex(), name],
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in ("one", "two")
    ]
    for process in processes:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    assert chain.balance_wei(sink) - before == 40
    assert chain.transaction_count(address_of(key)) == 40
    chain.close()


@pytest.mark.anvil
@pytest.mark.slow
def test_a_network_that_takes_its_time():
    """Blocks every second: batches travel together, and calls that build on each other wait."""
    with running_anvil("--block-time", "1") as url:
        key = funded_key(url)
        chain = open_sender(url)
        ledger = deploy(chain, key)
        chain.close()
        client = open_client(url, ledger)
        me, start = address_of(key), client.head().number
        independent = [contracts.post(ledger, me, bytes(32), secrets.token_bytes(32)) for _ in range(5)]
        client.send_all(independent, key)
        assert client.head().number - start <= 3
        chained = [contracts.claim_namespace(ledger, name, me) for name in ("a", "a.b", "a.b.c")]
        client.send_all(chained, key)
        assert len(list(client.events(start, client.head().number + 1))) == 8
        client.close()
