"""Reading through nodes that are slow, broken, forgetful or reorganise."""

from __future__ import annotations

import contextlib
import socket
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.chain.connect import is_url, open_sender
from ledger.chain.options import Options
from ledger.chain.rpc import transport
from ledger.chain.rpc.node import RpcReader
from ledger.core.errors import Corrupt, LedgerError, ProofInvalid, Unavailable, Usage
from tests.chain.conftest import running_anvil
from tests.chain.fake_node import FakeNode, NodeRefusal, drop, reply, serving, stall, word

OURS = b"\x07" * 20
QUICK = Options(timeout_s=0.5)


@pytest.fixture
def node():
    with serving(FakeNode()) as fake:
        yield fake


@pytest.fixture
def chain(node):
    reader = RpcReader(node.url, QUICK)
    yield reader
    reader.close()


def test_nobody_listens():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(Unavailable, match=f"http://127.0.0.1:{port}: .*refused") as caught:
        open_sender(f"http://127.0.0.1:{port}/v3/secret-token")
    assert "secret" not in str(caught.value)
    assert caught.value.exit_code == 3


def test_no_such_host():
    with pytest.raises(Unavailable):
        open_sender("http://node.invalid:8545")


@pytest.mark.parametrize("url", ["http://", "http://host:port", "https://:8545", "http://[::1"])
def test_what_is_no_url(url):
    with pytest.raises(Usage, match="URL"):
        open_sender(url)


def test_what_is_a_url(tmp_path):
    assert is_url("http://x")
    assert is_url("HTTPS://x")
    assert not is_url("chain.db")
    assert not is_url(tmp_path)


def test_a_node_that_is_slow(node, chain):
    node.raw = stall(1.0)
    started = time.monotonic()
    with pytest.raises(Unavailable, match=r"no answer within 0\.5 s"):
        chain.head()
    assert time.monotonic() - started < 1.5


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (200, b"<html>log in</html>", "JSON-RPC"),
        (200, b"[]", "JSON-RPC"),
        (200, b"{}", "something else"),
        (200, b'{"jsonrpc":"2.0","id":99999,"result":"0x1"}', "something else"),
        (200, b"[" * 100_000, "JSON-RPC"),
        (200, b'{"result": \xff}', "JSON-RPC"),
        (401, b"", "refuses access"),
        (404, b"not here", "HTTP 404"),
        (301, b"", "HTTP 301"),
        (500, b'{"error": "overloaded"}', "overloaded"),
        (400, b'{"error": {"code": -32600, "message": "bad request"}}', "bad request"),
    ],
)
def test_what_is_no_answer(node, chain, status, body, words):
    node.raw = lambda handler: reply(handler, status, body)
    with pytest.raises(Unavailable, match=words):
        chain.head()


@pytest.mark.parametrize(
    "failure", [drop, lambda h: reply(h, 429, b"", Retry_After="0"), lambda h: reply(h, 503, b"")]
)
def test_what_is_worth_repeating(node, chain, failure):
    failures = iter([True, True, False])
    node.raw = lambda handler: next(failures, False) and failure(handler)
    assert chain.head().number == 20


def test_patience_ends(node, chain):
    node.raw = lambda handler: reply(handler, 429, b'{"error": {"code": -32005, "message": "limit"}}')
    with pytest.raises(Unavailable, match="limit"):
        chain.head()


def test_an_answer_too_large(node, chain, monkeypatch):
    monkeypatch.setattr(transport, "MAX_ANSWER", 50)
    with pytest.raises(Unavailable, match="more than 50 bytes"):
        chain.head()


def test_passwords_are_sent_and_not_shown(node):
    url = node.url.replace("http://", "http://user:p%40ss@") + "/path?key=secret"
    reader = RpcReader(url, QUICK)
    assert node.headers[-1]["Authorization"] == "Basic dXNlcjpwQHNz"
    assert node.paths[-1] == "/path?key=secret"
    assert reader.location == node.url
    reader.close()


def test_proxies_of_the_environment(node, monkeypatch):
    monkeypatch.setenv("http_proxy", node.url)
    monkeypatch.setenv("no_proxy", "")
    reader = RpcReader("http://node.invalid:1234/rpc", QUICK)
    assert node.paths[-1] == "http://node.invalid:1234/rpc"
    reader.close()


def test_connections_are_kept_and_reopened(node, chain):
    for _ in range(3):
        chain.head()
    chain.close()
    assert chain.head().number == 20
    chain.close()
    chain.close()


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("eth_getBalance", "1"),
        ("eth_getBalance", "0x"),
        ("eth_getBalance", "0x" + "1" * 65),
        ("eth_getBalance", None),
        ("eth_getBalance", {}),
        ("eth_getBlockByNumber", {"number": "0x1"}),
        ("eth_getBlockByNumber", "0x1"),
        ("eth_getBlockByNumber", None),
    ],
)
def test_values_of_the_wrong_form(node, chain, method, answer):
    node.methods[method] = lambda *_: answer
    with pytest.raises(Unavailable):
        chain.balance_wei(OURS) if method == "eth_getBalance" else chain.head()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["", "0x", "0x1", "0xzz", word(3), "text"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["number", "hash", "parentHash", "timestamp", "accountProof", "storageProof", "topics"]
            ),
            inner,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(answer=JSON)
def test_no_answer_lets_another_exception_out(node, chain, answer):
    for method in ("eth_getBlockByNumber", "eth_getLogs", "eth_getProof", "eth_getCode", "eth_getStorageAt"):
        saved = node.methods.get(method)
        node.methods[method] = lambda *_: answer
        for ask in (
            chain.head,
            chain.final_number,
            lambda: chain.block(3),
            lambda: list(chain.logs(0, 5, [OURS])),
            lambda: chain.proof(OURS, [bytes(32)], 3),
            lambda: chain.code(OURS),
            lambda: chain.storage(OURS, bytes(32)),
        ):
            with contextlib.suppress(LedgerError):
                ask()
        if saved is None:
            del node.methods[method]
        else:
            node.methods[method] = saved


def test_finality_by_confirmations(node, chain):
    assert chain.final_number() == 8
    assert chain.finality == "12 confirmations"
    assert node.count("eth_getBlockByNumber") < 10
    node.height = 5
    assert chain.final_number() == 0


def test_finality_by_tag(node, chain):
    unmarked = node.methods["eth_getBlockByNumber"]
    node.methods["eth_getBlockByNumber"] = lambda tag, full: unmarked(
        "0x7" if tag == "finalized" else tag, full
    )
    assert chain.final_number() == 7
    assert chain.finality == "the node's finalized block"


@pytest.mark.parametrize(("confirmations", "expected"), [(0, 20), (3, 17), (99, 0)])
def test_finality_as_asked_for(node, confirmations, expected):
    reader = RpcReader(node.url, Options(confirmations=confirmations))
    assert reader.final_number() == expected
    assert reader.finality == f"{confirmations} confirmations"
    reader.close()


def test_a_development_node_is_called_one(node, chain):
    node.methods["web3_clientVersion"] = lambda: "anvil/v1.7.1"
    assert "development node (anvil/v1.7.1)" in chain.finality


def serve_logs(node, *, widest):
    """Two logs in every third block; ranges wider than `widest` are refused."""

    def logs(question):
        start, stop = int(question["fromBlock"], 16), int(question["toBlock"], 16) + 1
        if stop - start > widest:
            raise NodeRefusal(-32005, "query returned more than 10000 results")
        return [
            node.log(number, index) for number in range(start, stop) if number % 3 == 0 for index in (1, 0)
        ]

    node.methods["eth_getLogs"] = logs


@pytest.mark.parametrize("widest", [1, 3, 7, 10**6])
def test_ranges_shrink_until_the_node_takes_them(node, chain, widest):
    node.height = 100
    serve_logs(node, widest=widest)
    found = list(chain.logs(10, 60, [OURS]))
    expected = [(number, index) for number in range(10, 60) if number % 3 == 0 for index in (0, 1)]
    assert [(log.block, log.log_index) for log in found] == expected
    assert node.count("eth_getLogs") < 20 + 3 * 50 // widest
    asked = [(q[0]["fromBlock"], q[0]["toBlock"]) for name, q in node.asked if name == "eth_getLogs"]
    assert all(int(a, 16) <= int(b, 16) < 60 for a, b in asked)


def test_ranges_end_at_the_head(node, chain):
    serve_logs(node, widest=10**6)
    assert [log.block for log in chain.logs(18, 10**9, [OURS])] == [18, 18]


def test_a_node_that_never_gives_logs(node, chain):
    serve_logs(node, widest=0)
    with pytest.raises(Unavailable, match=r"no logs of block 4: .*10000 results"):
        list(chain.logs(4, 20, [OURS]))


@pytest.mark.parametrize("change", [{"address": word(1)[:42]}, {"blockNumber": "0x1"}, {"topics": None}])
def test_logs_that_were_not_asked_for(node, chain, change):
    node.methods["eth_getLogs"] = lambda _: [node.log(6) | change]
    with pytest.raises(Unavailable):
        list(chain.logs(5, 9, [OURS]))


def test_a_chain_that_reorganises_while_it_is_read(node, chain):
    serve_logs(node, widest=10**6)
    honest = node.methods["eth_getLogs"]

    def logs(question):
        found = honest(question)
        node.fork += 1
        return found

    node.methods["eth_getLogs"] = logs
    with pytest.raises(Unavailable, match="reorganised at block 3"):
        list(chain.logs(0, 20, [OURS]))
    node.methods["eth_getLogs"] = honest
    assert list(chain.logs(0, 20, [OURS]))


def test_logs_of_two_forks_in_one_answer(node, chain):
    node.methods["eth_getLogs"] = lambda _: [node.log(6), node.log(6, 1) | {"blockHash": word(6)}]
    with pytest.raises(Unavailable, match="reorganised at block 6"):
        list(chain.logs(5, 9, [OURS]))


def test_blocks_that_are_not_final_are_asked_for_again(node, chain):
    serve_logs(node, widest=10**6)
    list(chain.logs(0, 20, [OURS]))
    before = {number: chain.block(number) for number in (3, 18)}
    node.fork += 1
    assert chain.block(18) != before[18]
    assert chain.block(3) == before[3]  # final: read once


@pytest.mark.anvil
def test_headers_that_can_not_be_rebuilt(anvil_url):
    anvil = RpcReader(anvil_url, QUICK)
    honest = anvil._transport.call

    def answering(changes, raw):
        def call(method, *params):
            if method == "debug_getRawHeader":
                return raw or honest(method, *params)
            answer = honest(method, *params)
            return answer | changes if method == "eth_getBlockByNumber" else answer

        anvil._transport.call = call

    answering({"gasUsed": "0x99"}, "0x1234")
    with pytest.raises(Unavailable, match="can't be rebuilt"):
        anvil.proof(OURS, [], 0)
    answering({"hash": word(7)}, "0xc0")
    with pytest.raises(Unavailable, match="can't be rebuilt"):
        anvil.proof(OURS, [], 0)
    anvil.close()


@pytest.mark.anvil
def test_proofs_are_verified_before_they_are_handed_on(anvil_url):
    anvil = RpcReader(anvil_url, QUICK)
    honest = anvil._transport.call
    honest("anvil_mine", "0x1")  # anvil's block 0 has the root of no state at all

    def call(method, *params):
        answer = honest(method, *params)
        if method == "eth_getProof":
            answer["accountProof"] = damage(answer["accountProof"])
        return answer

    anvil._transport.call = call
    head = anvil.head().number
    for damage in (lambda nodes: nodes[1:], lambda _: [], lambda nodes: ["0x80" + nodes[0][4:]]):  # noqa: B007
        with pytest.raises((Corrupt, ProofInvalid)):
            anvil.proof(OURS, [], head)
    anvil.close()


@pytest.mark.anvil
def test_a_real_reorganisation():
    with running_anvil() as url:
        reader = RpcReader(url, QUICK)
        reader._transport.call("anvil_mine", "0x5")
        before = [reader.block(number) for number in range(6)]
        reader._transport.call("anvil_reorg", 3, [])
        after = [reader.block(number) for number in range(6)]
        assert [a == b for a, b in zip(before, after, strict=True)] == [True] * 3 + [False] * 3
        reader.close()
