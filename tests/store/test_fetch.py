"""Reading over HTTP: bounded, checked addresses only, redirects too, TLS names verified."""

import datetime
import http.server
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.errors import Corrupt, LedgerError, Unavailable, Usage
from ledger.core.signing import signer
from ledger.store.budget import Budget
from ledger.store.fetch import WebFolder, is_public, parse_url
from ledger.store.log import LogFolder
from ledger.store.mirror import Mirror
from ledger.store.source import open_source

PUBLIC = "93.184.215.14"
Answer = Callable[[http.server.BaseHTTPRequestHandler], None]


class Server:
    """An HTTP server on loopback whose answers are given as functions by path."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.answers: dict[str, Answer] = {}
        self.seen: list[str] = []
        self.connections = 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                outer.connections += 1

            def do_GET(self) -> None:
                outer.seen.append(self.path)
                answer = outer.answers.get(self.path, not_found)
                answer(self)

            def log_message(self, *_: object) -> None:
                pass

        class Quiet(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                pass

        self.server = Quiet(("127.0.0.1", 0), Handler)
        if tls is not None:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/log"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def body(data: bytes, status: int = 200, **headers: str) -> Answer:
    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(data)

    return answer


not_found = body(b"nothing here", 404)


def redirect(location: str, status: int = 302) -> Answer:
    return body(b"", status, Location=location)


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def web(server: Server) -> Iterator[WebFolder]:
    web = WebFolder(server.url, named=True, budget=Budget())
    yield web
    web.close()


def test_files_over_one_connection(server: Server, web: WebFolder) -> None:
    server.answers["/log/a/b"] = body(b"12345")
    server.answers["/log/empty"] = body(b"")
    for _ in range(3):
        assert web.read("a/b", 5) == b"12345"
        assert web.read("missing", 5) is None
        assert web.read("empty", 5) == b""
    assert server.connections == 1


def test_gone_is_missing(server: Server, web: WebFolder) -> None:
    server.answers["/log/a"] = body(b"", 410)
    assert web.read("a", 5) is None


@pytest.mark.parametrize("declared", [True, False])
def test_no_more_than_the_format_allows(server: Server, web: WebFolder, declared: bool) -> None:
    def endless(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        if declared:
            handler.send_header("Content-Length", str(1 << 40))
        else:
            handler.send_header("Connection", "close")
        handler.end_headers()
        while True:
            handler.wfile.write(bytes(1 << 16))

    server.answers["/log/a"] = endless
    with pytest.raises(Corrupt, match="at most 100 bytes"):
        web.read("a", 100)
    server.answers["/log/b"] = body(b"fine")
    assert web.read("b", 100) == b"fine"


def test_a_server_that_closes_is_read_to_the_end(server: Server, web: WebFolder) -> None:
    """`Connection: close`, and the body comes later than the head."""

    def slow(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Connection", "close")
        handler.end_headers()
        for _ in range(3):
            time.sleep(0.05)
            handler.wfile.write(bytes(1 << 16))

    server.answers["/log/a"] = slow
    assert web.read("a", 1 << 20) == bytes(3 << 16)
    server.answers["/log/b"] = body(b"fine")
    assert web.read("b", 100) == b"fine"


def test_bytes_are_bounded_over_all_files(server: Server) -> None:
    server.answers["/log/a"] = body(bytes(1000))
    web = WebFolder(server.url, named=True, budget=Budget(max_bytes=5000))
    for _ in range(3):
        assert web.read("a", 1000) == bytes(1000)
    with pytest.raises(Unavailable, match="more than the 5,000 bytes"):
        [web.read("a", 1000) for _ in range(10)]
    assert len(server.seen) <= 5


def test_headers_without_end_are_bounded(server: Server) -> None:
    def endless(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            handler.wfile.write(b"X-Y: " + b"z" * 60_000 + b"\r\n")

    server.answers["/log/a"] = endless
    web = WebFolder(server.url, named=True, budget=Budget(max_bytes=1 << 20))
    with pytest.raises(Unavailable):
        web.read("a", 10)


@pytest.mark.parametrize("where", ["head", "body"])
def test_a_dripping_server_costs_no_more_than_its_time(server: Server, where: str) -> None:
    def drip(handler: http.server.BaseHTTPRequestHandler) -> None:
        if where == "body":
            handler.send_response(200)
            handler.send_header("Content-Length", "1000000")
            handler.end_headers()
        for _ in range(500):
            handler.wfile.write(b"H")
            time.sleep(0.02)

    server.answers["/log/a"] = drip
    web = WebFolder(server.url, named=True, budget=Budget(seconds=0.5))
    start = time.monotonic()
    with pytest.raises(Unavailable):
        web.read("a", 1 << 20)
    assert time.monotonic() - start < 3


def test_a_silent_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.store.fetch._IDLE_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        web = WebFolder(f"http://127.0.0.1:{port}/", named=True, budget=Budget())
        with pytest.raises(Unavailable, match="no answer in time"):
            web.read("a", 10)


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    web = WebFolder(f"http://127.0.0.1:{port}/", named=True, budget=Budget())
    with pytest.raises(Unavailable, match="refused"):
        web.read("a", 10)


@pytest.mark.parametrize(
    "raw", [b"", b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort"]
)
def test_broken_answers(server: Server, web: WebFolder, raw: bytes) -> None:
    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.wfile.write(raw)
        handler.close_connection = True

    server.answers["/log/a"] = answer
    with pytest.raises(Unavailable):
        web.read("a", 100)


@pytest.mark.parametrize("status", [204, 301, 400, 401, 403, 429, 500, 503])
def test_other_answers_are_unavailable(server: Server, web: WebFolder, status: int) -> None:
    server.answers["/log/a"] = body(b"", status)
    with pytest.raises(Unavailable):
        web.read("a", 100)


def test_encodings_nobody_asked_for(server: Server, web: WebFolder) -> None:
    server.answers["/log/a"] = body(b"x", Content_Encoding="gzip")
    with pytest.raises(Unavailable, match="encoding"):
        web.read("a", 100)


def test_a_kept_connection_that_was_closed_meanwhile(server: Server, web: WebFolder) -> None:
    def closing(handler: http.server.BaseHTTPRequestHandler) -> None:
        body(b"x")(handler)
        handler.close_connection = True  # without saying so

    server.answers["/log/a"] = closing
    assert web.read("a", 1) == b"x"
    time.sleep(0.05)
    assert web.read("a", 1) == b"x"
    assert server.connections == 2


# Addresses


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2002:c0a8:101::1",
        "2001:db8::1",
        "::127.0.0.1",
    ],
)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address", [PUBLIC, "1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1"]
)
def test_addresses_that_are(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


def unnamed(url: str, *addresses: str) -> WebFolder:
    return WebFolder(url, named=False, budget=Budget(), resolve=lambda host, port: list(addresses))


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fe80::1%eth0"])
def test_a_name_that_leads_inside_is_refused(address: str) -> None:
    with pytest.raises(Unavailable, match="not a public address") as caught:
        unnamed("https://log.example.com/", address).read("checkpoint", 10)
    assert "follow --from" in caught.value.hint


def test_one_bad_address_among_good_ones_is_enough() -> None:
    with pytest.raises(Unavailable, match="not a public address"):
        unnamed("https://log.example.com/", PUBLIC, "10.0.0.1").read("checkpoint", 10)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost", "2130706433", "0x7f.1", "127.1"])
def test_the_inside_by_number_or_name(host: str) -> None:
    web = WebFolder(f"https://{host}/", named=False, budget=Budget())
    with pytest.raises(Unavailable):
        web.read("checkpoint", 10)


def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([[PUBLIC], ["127.0.0.1"]])
    asked: list[object] = []

    def connect(address: tuple[str, int], timeout: float) -> socket.socket:
        asked.append(address)
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(socket, "create_connection", connect)
    web = WebFolder(
        "https://log.example.com/", named=False, budget=Budget(), resolve=lambda host, port: next(answers)
    )
    with pytest.raises(Unavailable, match="refused"):
        web.read("checkpoint", 10)
    assert asked == [(PUBLIC, 443)]


def test_plain_http_only_named_and_on_this_machine(server: Server) -> None:
    with pytest.raises(Unavailable, match="expected https://"):
        WebFolder(server.url, named=False, budget=Budget())
    for address in ("10.0.0.1", PUBLIC):
        web = WebFolder(
            "http://log.example.com/", named=True, budget=Budget(), resolve=lambda *_, a=address: [a]
        )
        with pytest.raises(Unavailable, match="expected https://"):
            web.read("checkpoint", 10)
    web = WebFolder(f"http://localhost:{server.port}/log", named=True, budget=Budget())
    assert web.read("missing", 10) is None
    web.close()


def test_a_name_that_does_not_resolve() -> None:
    def fail(host: str, port: int) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    web = WebFolder("https://log.example.com/", named=False, budget=Budget(), resolve=fail)
    with pytest.raises(Unavailable, match="can't be resolved"):
        web.read("checkpoint", 10)
    with pytest.raises(Unavailable, match="no address"):
        unnamed("https://log.example.com/").read("checkpoint", 10)
    with pytest.raises(LedgerError):
        WebFolder(f"https://{'a' * 70}.example/", named=False, budget=Budget()).read("checkpoint", 10)


# Redirects


def test_redirects_within_what_was_named(server: Server, web: WebFolder) -> None:
    server.answers["/log/a"] = redirect("/elsewhere/a", 308)
    server.answers["/elsewhere/a"] = body(b"moved")
    assert web.read("a", 10) == b"moved"


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:1/",
        "http://localhost/",
        "https://127.0.0.1/",
        "https://10.0.0.1/",
        "//169.254.169.254/",
    ],
)
def test_redirects_inside_are_refused(server: Server, web: WebFolder, location: str) -> None:
    server.answers["/log/a"] = redirect(location)
    with pytest.raises(Unavailable):
        web.read("a", 10)


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "ftp://x/", "http://", "https://u:p@x/", "https://x/\x7f"]
)
def test_redirects_to_what_is_no_address(server: Server, web: WebFolder, location: str) -> None:
    server.answers["/log/a"] = redirect(location)
    with pytest.raises(LedgerError):
        web.read("a", 10)


def test_redirects_in_a_circle(server: Server, web: WebFolder) -> None:
    server.answers["/log/a"] = redirect("/log/a")
    with pytest.raises(Unavailable, match="redirects"):
        web.read("a", 10)
    assert len(server.seen) == 6


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "log.example.com")])
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("log.example.com")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + built.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def secure(certificate: Path) -> Iterator[Server]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = Server(context)
    yield server
    server.close()


def https(secure: Server, certificate: Path | None, host: str = "log.example.com") -> WebFolder:
    return WebFolder(
        f"https://{host}:{secure.port}/log",
        named=True,
        budget=Budget(),
        resolve=lambda *_: ["127.0.0.1"],
        tls=ssl.create_default_context(cafile=certificate) if certificate else None,
    )


def test_https(secure: Server, certificate: Path) -> None:
    secure.answers["/log/a"] = body(b"x" * 100_000)
    web = https(secure, certificate)
    for _ in range(3):
        assert web.read("a", 100_000) == b"x" * 100_000
    web.close()
    assert secure.connections == 1


def test_https_verifies_the_name_and_the_issuer(secure: Server, certificate: Path) -> None:
    for web in (https(secure, certificate, "other.example.com"), https(secure, None)):
        with pytest.raises(Unavailable, match="certificate is not good"):
            web.read("a", 10)


# URLs


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://",
        "https:///x",
        "ftp://x/",
        "https://u@x/",
        "https://x:99999/",
        "https://x:y/",
        "https://[::1/",
        "https://x/?q",
        "https://x/#1",
        "https://x/a b",
        "https://x/\r\nHost: y",
        "https://x/é",
        "https://é/",
        "https://x y/",
        "https://[fe80::1%25eth0]/",
    ],
)
def test_what_is_no_url_of_a_folder(url: str) -> None:
    with pytest.raises(LedgerError):
        WebFolder(url, named=False, budget=Budget())


@given(st.text(max_size=60).map(lambda text: "https://" + text) | st.text(max_size=60))
def test_any_text_as_url(url: str) -> None:
    try:
        origin, target = parse_url(url)
    except Usage:
        return
    assert origin.host
    assert target.startswith("/")
    assert target.isascii()


# A whole log


def test_a_log_over_http(tmp_path: Path, server: Server) -> None:
    log = LogFolder(tmp_path / "public", bytes(32))
    contents = [b"entry %d" % number for number in range(700)]
    log.append(contents, signer(b"\1" * 32))

    class Files(dict[str, Answer]):
        def get(self, path: str, default: Answer) -> Answer:  # type: ignore[override]
            file = log.path / path.removeprefix("/log/")
            return body(file.read_bytes()) if file.is_file() else default

    server.answers = Files()
    mirror = Mirror.of(tmp_path / "mirrors", bytes(32))
    with open_source(server.url, named=True) as source:
        mirror.extend(source, 300, log.root_at(300))
        mirror.extend(source, 700, log.root)
        assert source.attachment("ab" * 32) is None
    assert list(mirror.entries(0, 700)) == contents
    with pytest.raises(Unavailable):
        open_source(server.url, named=False)
