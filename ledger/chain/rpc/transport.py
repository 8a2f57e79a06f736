"""JSON-RPC 2.0 over HTTP(S), one request at a time on a connection that is kept.

Source: JSON-RPC 2.0; Ethereum's execution-apis for what is said over it. The standard library does it: web3
takes two seconds to import, which every command on a network would pay. Proxies are those of the environment
(`HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`). Redirects are not followed: a node has one address.

Bounds: time for each answer, bytes of each answer, and attempts where trying again can help. Errors:
Unavailable when there is no answer, NodeError (internal to this package) when the node answers with an error.
A URL may hold an access token, so messages name scheme, host and port only.
"""

from __future__ import annotations

import base64
import http.client
import json
import socket
import ssl
import time
import urllib.parse
import urllib.request
from typing import Any

from ledger.core.encoding import check_depth
from ledger.core.errors import FormatError, Unavailable, Usage

MAX_ANSWER = 64 << 20
"""Bytes of one answer: logs and proofs are the largest, and their ranges are ours to choose."""

_MAX_DEPTH = 64
_ATTEMPTS = 4
_LONGEST_PAUSE_S = 5.0
_AGAIN = {429, 502, 503, 504}


class NodeError(Exception):
    """The node answered with an error: JSON-RPC's code and data, and its message."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data


class AnswerTooLargeError(NodeError):
    """The answer has more bytes than MAX_ANSWER: ask for less."""


class NoAnswer(Unavailable):
    """The node took longer than it may: perhaps it was asked for too much."""


class Transport:
    """A connection to one node."""

    def __init__(self, url: str, timeout_s: float) -> None:
        self._target = _parse_url(url)
        self.location = f"{self._target.scheme}://{self._target.host}:{self._target.port}"
        self._timeout_s = timeout_s
        self._connection: http.client.HTTPConnection | None = None
        self._requests = 0

    def close(self) -> None:
        """Close the connection; a later call opens it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def call(self, method: str, *params: Any) -> Any:
        """Call a method; NodeError if the node refuses, Unavailable if there is no answer."""
        self._requests += 1
        request = {"jsonrpc": "2.0", "id": self._requests, "method": method, "params": list(params)}
        answer = _parse_answer(self._post(json.dumps(request).encode("ascii")), self.location)
        error = answer.get("error")
        if error is not None:
            raise _node_error(error)
        if "result" not in answer or answer.get("id") != self._requests:
            raise Unavailable(f"{self.location}: expected an answer to {method}, got something else")
        return answer["result"]

    def _post(self, body: bytes) -> bytes:
        """POST until there is an answer. Repeating is safe: a transaction is known by its hash."""
        pause = 0.25
        for attempt in range(1, _ATTEMPTS + 1):
            last = attempt == _ATTEMPTS
            try:
                status, content, retry_after = self._exchange(body)
            except (OSError, http.client.HTTPException) as error:
                self.close()
                if isinstance(error, TimeoutError):
                    raise NoAnswer(f"{self.location}: no answer within {self._timeout_s:g} s") from None
                if last or not _worth_repeating(error):
                    raise Unavailable(
                        f"{self.location}: the node can't be reached: {_words(error)}",
                        hint="Check that it runs, and the URL in config.toml.",
                    ) from None
            else:
                if status not in _AGAIN or last:
                    return _content(status, content, self.location)
                pause = max(pause, retry_after)
            time.sleep(min(pause, _LONGEST_PAUSE_S))
            pause *= 2
        raise AssertionError("the last attempt returns or raises")

    def _exchange(self, body: bytes) -> tuple[int, bytes, float]:
        if self._connection is None:
            self._connection = self._target.connect(self._timeout_s)
        self._connection.request("POST", self._target.path, body, self._target.headers)
        with self._connection.getresponse() as response:
            content = response.read(MAX_ANSWER + 1)
        if len(content) > MAX_ANSWER:
            self.close()
            raise AnswerTooLargeError(0, f"the answer has more than {MAX_ANSWER} bytes")
        if response.will_close:
            self.close()
        return response.status, content, _seconds(response.headers.get("Retry-After"))


class _Target:
    """Where a URL leads, through a proxy if the environment says so."""

    def __init__(self, parts: urllib.parse.SplitResult, host: str, port: int) -> None:
        self.scheme, self.host, self.port = parts.scheme.lower(), host, port
        self.path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self.headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if parts.username is not None:
            login = f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"
            self.headers["Authorization"] = "Basic " + base64.b64encode(login.encode()).decode("ascii")

    def connect(self, timeout_s: float) -> http.client.HTTPConnection:
        proxy = None
        if not urllib.request.proxy_bypass(self.host):
            proxy = urllib.request.getproxies().get(self.scheme)
        host, port = (self.host, self.port) if proxy is None else _proxy_address(proxy)
        if self.scheme == "https":
            context = ssl.create_default_context()
            secure = http.client.HTTPSConnection(host, port, timeout=timeout_s, context=context)
            if proxy is not None:
                secure.set_tunnel(self.host, self.port)
            return secure
        if proxy is not None and not self.path.startswith("http"):
            self.path = f"http://{self.host}:{self.port}{self.path}"
        return http.client.HTTPConnection(host, port, timeout=timeout_s)


def _parse_url(url: str) -> _Target:
    try:
        parts = urllib.parse.urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Usage(f"URL of the node: {error}") from None
    if parts.scheme.lower() not in {"http", "https"} or not parts.hostname:
        raise Usage("URL of the node: expected http://host:port or https://host")
    return _Target(parts, parts.hostname, port or (443 if parts.scheme.lower() == "https" else 80))


def _proxy_address(proxy: str) -> tuple[str, int]:
    parts = urllib.parse.urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    if not parts.hostname:
        raise Unavailable(f"proxy: expected http://host:port in the environment, got {parts.scheme}:")
    return parts.hostname, parts.port or 80


def _worth_repeating(error: Exception) -> bool:
    # A kept connection that the node has closed meanwhile; an answer cut short. Not: nobody listens, no such
    # host, no valid certificate.
    if isinstance(error, ConnectionRefusedError | socket.gaierror | ssl.SSLError):
        return False
    return isinstance(error, ConnectionError | http.client.HTTPException)


def _words(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _content(status: int, content: bytes, location: str) -> bytes:
    if status == 413:
        raise AnswerTooLargeError(0, "the node says that it is too large")
    if status in {401, 403}:
        raise Unavailable(
            f"{location}: the node refuses access (HTTP {status})", hint="Check the URL's token."
        )
    if status != 200 and not content.lstrip().startswith(b"{"):
        raise Unavailable(f"{location}: expected an answer of a node, got HTTP {status}")
    return content


def _parse_answer(content: bytes, location: str) -> dict[str, Any]:
    try:
        check_depth(content, _MAX_DEPTH)
        answer = json.loads(content)
    except (ValueError, FormatError):
        answer = None
    if not isinstance(answer, dict):
        raise Unavailable(f"{location}: expected JSON-RPC, got something else", hint="Is this a node's URL?")
    return answer


def _node_error(error: Any) -> NodeError:
    if not isinstance(error, dict):
        return NodeError(0, str(error)[:500])
    code = error.get("code")
    return NodeError(
        code if isinstance(code, int) else 0, str(error.get("message", ""))[:500], error.get("data")
    )


def _seconds(text: str | None) -> float:
    return min(float(text), _LONGEST_PAUSE_S) if text and text.isascii() and text.isdigit() else 0.0
