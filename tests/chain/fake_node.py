"""A node that does what a test tells it to: a real HTTP server on the loopback, a made-up chain behind it."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ledger.core.hashing import keccak256

WORD = 32


class NodeRefusal(Exception):
    """What a handler raises to make the node answer with an error."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.error = {"code": code, "message": message} | ({} if data is None else {"data": data})


def word(number: int) -> str:
    return "0x" + number.to_bytes(WORD, "big").hex()


@dataclass
class FakeNode:
    """Methods by name; what is not there is unknown to the node. `raw` may take over an HTTP answer."""

    height: int = 20
    fork: int = 0
    base_fee: int | None = 7
    methods: dict[str, Callable[..., Any]] = field(default_factory=dict)
    raw: Callable[[BaseHTTPRequestHandler], bool] = lambda _: False
    asked: list[tuple[str, list[Any]]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    url: str = ""

    def __post_init__(self) -> None:
        self.methods = {
            "eth_chainId": lambda: "0x539",
            "eth_getBlockByNumber": self.block,
            "eth_gasPrice": lambda: "0x9",
            "eth_maxPriorityFeePerGas": lambda: "0x2",
            "eth_getBalance": lambda *_: hex(10**18),
            "eth_getTransactionCount": lambda *_: "0x5",
            "eth_estimateGas": lambda *_: "0x5208",
            "eth_getLogs": lambda _: [],
        } | self.methods

    def hash(self, number: int) -> str:
        return "0x" + keccak256(f"{number} {self.fork if number else 0}".encode()).hex()

    def block(self, tag: str, _: bool = False) -> Any:
        if tag in {"finalized", "safe"}:
            raise NodeRefusal(-32602, "unknown block tag")
        number = self.height if tag in {"latest", "pending"} else int(tag, 16)
        if number > self.height:
            return None
        block = {
            "number": hex(number),
            "hash": self.hash(number),
            "parentHash": self.hash(number - 1) if number else word(0),
            "timestamp": hex(1_700_000_000 + number),
        }
        return block | ({} if self.base_fee is None else {"baseFeePerGas": hex(self.base_fee)})

    def log(self, number: int, index: int = 0, address: bytes = b"\x07" * 20) -> dict[str, Any]:
        return {
            "blockNumber": hex(number),
            "blockHash": self.hash(number),
            "logIndex": hex(index),
            "address": "0x" + address.hex(),
            "topics": [word(1)],
            "data": "0x" + bytes([index]).hex(),
        }

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        method, params = request["method"], request["params"]
        self.asked.append((method, params))
        answer: dict[str, Any] = {"jsonrpc": "2.0", "id": request["id"]}
        if method not in self.methods:
            return answer | {"error": {"code": -32601, "message": f"the method {method} does not exist"}}
        try:
            return answer | {"result": self.methods[method](*params)}
        except NodeRefusal as refusal:
            return answer | {"error": refusal.error}

    def count(self, method: str) -> int:
        return sum(name == method for name, _ in self.asked)


@contextlib.contextmanager
def serving(node: FakeNode) -> Iterator[FakeNode]:
    """Serve the node on a free port until the body ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16  # one packet an answer: two cost 40 ms each (delayed acknowledgement)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            node.headers.append(dict(self.headers))
            node.paths.append(self.path)
            if not node.raw(self):
                reply(self, 200, json.dumps(node.answer(json.loads(body))).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    node.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield node
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def reply(handler: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> bool:
    """Send a whole HTTP answer."""
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    with contextlib.suppress(OSError):
        handler.wfile.write(body)
    return True


def drop(handler: BaseHTTPRequestHandler) -> bool:
    """Close the connection without an answer."""
    handler.close_connection = True
    return True


def stall(seconds: float) -> Callable[[BaseHTTPRequestHandler], bool]:
    """Answer only after so many seconds."""

    def wait(handler: BaseHTTPRequestHandler) -> bool:
        time.sleep(seconds)
        handler.close_connection = True
        return True

    return wait
