"""Reading strangers' files over HTTP without being turned against one's own network.

The address of a log may be anybody's text from the chain. So: https only; a name is resolved once, every
address it has must be public, and the connection goes to exactly the address that was checked (a second
look-up could answer differently: DNS rebinding); a redirect is a new address and is checked like one;
proxies from the environment are not used, because they would resolve for themselves. Exempt is the one
origin that the user typed: it may be private, and plain http if it is this machine. TLS verifies names as
usual. Every byte received and every second is taken from a budget. Not bounded in time: the resolver
itself.
"""

from __future__ import annotations

import http.client
import io
import ipaddress
import re
import socket
import ssl
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urljoin, urlsplit

from ledger.core.errors import Corrupt, LedgerError, Unavailable, Usage
from ledger.store.budget import Budget

_IDLE_S = 20.0  # the longest silence
_REDIRECTS = 5
_MOVED = {301, 302, 303, 307, 308}
_GONE = {404, 410}
_CHUNK = 1 << 16
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_HOST = re.compile(r"[a-z0-9._:-]{1,255}")  # names as DNS has them (IDN in its ASCII form), or addresses
_PORTS = {"http": 80, "https": 443}

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], list[str]]
"""Gives the addresses of a host name, as text. Raises OSError."""


class Origin(NamedTuple):
    """What one connection serves."""

    scheme: str
    host: str
    port: int


def resolve_host(host: str, port: int) -> list[str]:
    """Return the addresses of a host name by the system's resolver."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(item[4][0]) for item in found))


def is_public(address: Address) -> bool:
    """Say whether an address is one of the public internet; of an IPv4 address inside an IPv6 one, whether
    that is.
    """
    if isinstance(address, ipaddress.IPv6Address):
        inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
        if address in _NAT64:
            inner.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        embedded = [each for each in inner if each is not None]
        if embedded:
            return all(is_public(each) for each in embedded)
    return address.is_global and not address.is_multicast and not address.is_reserved


def parse_url(url: str) -> tuple[Origin, str]:
    """Return origin and path (with query) of a URL. Raises `Usage` for what is no plain http(s) URL."""
    shown = ascii(url[:200])
    try:
        parts: SplitResult = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Usage(f"expected a URL, found {shown}: {error}") from None
    host = parts.hostname or ""
    if parts.scheme not in _PORTS or not _HOST.fullmatch(host) or parts.username is not None:
        raise Usage(f"expected https:// and a host, found {shown}")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not all("!" <= character <= "~" for character in target):
        raise Usage(f"expected a URL of printable ASCII, found {shown}")
    return Origin(parts.scheme, host, port or _PORTS[parts.scheme]), target


class WebFolder:
    """The files below `url`, read one at a time over kept-alive connections.

    `named`: the user typed this URL, see above. `resolve` and `tls` are for tests and for organisations with
    certificates of their own.
    """

    def __init__(
        self,
        url: str,
        *,
        named: bool,
        budget: Budget,
        resolve: Resolve = resolve_host,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        origin, path = parse_url(url)
        if "?" in path or urlsplit(url).fragment:
            raise Usage(f"expected the URL of a folder, without ? and #, found {url[:200]!a}")
        self._base = f"{url.rstrip('/')}/"
        self._budget = budget
        self._resolve = resolve
        self._tls = tls
        self._named = origin if named else None
        self._connections: dict[Origin, http.client.HTTPConnection] = {}
        self._check_scheme(origin, [])

    def read(self, name: str, max_bytes: int) -> bytes | None:
        """Return the file `name` below the URL, or None where the server has none.

        Raises `Corrupt` for one of more than `max_bytes`, `Unavailable` for everything that keeps it from
        being read.
        """
        url = self._base + name
        for _ in range(_REDIRECTS + 1):
            origin, target = parse_url(url)
            try:
                found = self._get(origin, target, max_bytes, url)
            except (OSError, http.client.HTTPException) as error:
                self._drop(origin)
                raise Unavailable(f"{url}: {_reason(error)}") from error
            except LedgerError:
                self._drop(origin)
                raise
            if not isinstance(found, str):
                return found
            url = urljoin(url, found)
        raise Unavailable(f"{self._base}{name}: more than {_REDIRECTS} redirects")

    def close(self) -> None:
        """Close all connections."""
        for origin in list(self._connections):
            self._drop(origin)

    def _get(self, origin: Origin, target: str, max_bytes: int, url: str) -> bytes | str | None:
        """Return the body, None if there is no such file, or the text of a redirect's target."""
        with self._request(origin, target) as response:
            return self._answer(response, origin, max_bytes, url)

    def _answer(
        self, response: http.client.HTTPResponse, origin: Origin, max_bytes: int, url: str
    ) -> bytes | str | None:
        if response.status in _MOVED:
            location = response.getheader("Location")
            self._drop(origin)  # sooner than reading a body that nobody wants
            if not location:
                raise Unavailable(f"{url}: a redirect to nowhere")
            return location
        if response.status in _GONE:
            self._drain(response, origin)
            return None
        if response.status != http.client.OK:
            raise Unavailable(f"{url}: the server says {response.status} {response.reason[:80]!a}")
        if response.getheader("Content-Encoding", "identity") != "identity":
            raise Unavailable(f"{url}: the server sends an encoding that nobody asked for")
        return self._body(response, origin, max_bytes, url)

    def _request(self, origin: Origin, target: str) -> http.client.HTTPResponse:
        headers = {"User-Agent": "dataledger", "Accept-Encoding": "identity"}
        kept = origin in self._connections
        connection = self._connection(origin)
        try:
            connection.request("GET", target, headers=headers)
            return connection.getresponse()
        except (ConnectionError, http.client.BadStatusLine):
            if not kept:  # a kept-alive connection may have been closed meanwhile: once more on a new one
                raise
            self._drop(origin)
            connection = self._connection(origin)
            connection.request("GET", target, headers=headers)
            return connection.getresponse()

    def _body(self, response: http.client.HTTPResponse, origin: Origin, max_bytes: int, url: str) -> bytes:
        too_large = Corrupt(f"{url}: expected at most {max_bytes:,} bytes, found more")
        if response.length is not None and response.length > max_bytes:
            raise too_large
        expected = response.length
        parts, size = [], 0
        while part := response.read(min(_CHUNK, max_bytes + 1 - size)):
            parts.append(part)
            size += len(part)
            if size > max_bytes:
                raise too_large
        if expected is not None and size != expected:
            raise Unavailable(f"{url}: the connection ended after {size:,} of {expected:,} bytes")
        if response.will_close:
            self._drop(origin)
        return b"".join(parts)

    def _drain(self, response: http.client.HTTPResponse, origin: Origin) -> None:
        """Read a small error page to its end, so that the connection can be used again."""
        if response.will_close or response.length is None or response.length > _CHUNK:
            self._drop(origin)
        else:
            response.read()

    def _connection(self, origin: Origin) -> http.client.HTTPConnection:
        connection = self._connections.get(origin)
        if connection is None:
            connection = http.client.HTTPConnection(origin.host, origin.port)
            connection.auto_open = 0  # never resolves or connects by itself
            connection.sock = self._connect(origin)
            self._connections[origin] = connection
        return connection

    def _connect(self, origin: Origin) -> Any:
        failure: OSError | None = None
        for address in self._checked_addresses(origin):
            try:
                timeout = min(_IDLE_S, self._budget.seconds_left())
                connected = socket.create_connection((address, origin.port), timeout)
                return BudgetedSocket(self._secured(connected, origin), self._budget)
            except OSError as error:
                failure = error
        raise failure or OSError("the name has no address")

    def _secured(self, connected: socket.socket, origin: Origin) -> socket.socket:
        if origin.scheme == "http":
            return connected
        context = self._tls or ssl.create_default_context()
        try:
            return context.wrap_socket(connected, server_hostname=origin.host)
        except BaseException:
            connected.close()
            raise

    def _checked_addresses(self, origin: Origin) -> list[str]:
        try:
            texts = self._resolve(origin.host, origin.port)
            addresses = [ipaddress.ip_address(text.partition("%")[0]) for text in texts]
        except (OSError, UnicodeError, ValueError) as error:
            raise Unavailable(f"{origin.host}: can't be resolved: {_reason(error)}") from None
        self._check_scheme(origin, addresses)
        if origin != self._named:
            for address in addresses:
                if not is_public(address):
                    hint = "If that is meant, name the address yourself: follow --from."
                    raise Unavailable(f"{origin.host}: {address} is not a public address", hint=hint)
        return texts

    def _check_scheme(self, origin: Origin, addresses: list[Address]) -> None:
        if origin.scheme == "https":
            return
        if origin != self._named or not all(address.is_loopback for address in addresses):
            hint = "Plain http is only for this machine, and only where you name it."
            raise Unavailable(f"{origin.host}: expected https://, found http://", hint=hint)

    def _drop(self, origin: Origin) -> None:
        connection = self._connections.pop(origin, None)
        if connection is not None:
            connection.close()


class BudgetedSocket:
    """As much of a socket as http.client uses, taking bytes and seconds from a budget on every single
    receive.

    As with a real socket, what `makefile` gave can be read to its end after `close`: http.client closes its
    side at once where the server means to.
    """

    def __init__(self, connected: socket.socket, budget: Budget) -> None:
        self._socket = connected
        self._budget = budget
        self._readers = 0
        self._closed = False

    def sendall(self, data: bytes) -> None:
        """Send all of `data`."""
        self._socket.settimeout(min(_IDLE_S, self._budget.seconds_left()))
        self._socket.sendall(data)

    def makefile(self, *_: object, **__: object) -> io.BufferedReader:
        """Return a buffered reader over what arrives."""
        self._readers += 1
        return io.BufferedReader(_Receiver(self._socket, self._budget, self._reader_closed), _CHUNK)

    def close(self) -> None:
        """Close the socket, once nobody reads from it any more."""
        self._closed = True
        if not self._readers:
            self._socket.close()

    def _reader_closed(self) -> None:
        self._readers -= 1
        if self._closed:
            self.close()


class _Receiver(io.RawIOBase):
    def __init__(self, connected: socket.socket, budget: Budget, on_close: Callable[[], None]) -> None:
        self._socket = connected
        self._budget = budget
        self._on_close = on_close

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._socket.settimeout(min(_IDLE_S, self._budget.seconds_left()))
        count = self._socket.recv_into(buffer)
        self._budget.spend(count)
        return count

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._on_close()


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not good: {error.verify_message}"
    text = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
    return text[:200] or type(error).__name__
