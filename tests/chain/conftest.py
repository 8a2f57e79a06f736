"""Chains to test against: an embedded one in a temporary folder, and a real node where anvil is installed."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ledger.chain.bound import LedgerClient
from ledger.chain.connect import open_client, open_sender
from ledger.chain.deploy import deploy
from ledger.chain.embedded.chain import create_embedded
from ledger.chain.interface import EMBEDDED, JSON_RPC, Call, Sender
from ledger.chain.options import Options
from ledger.chain.transactions import address_of
from ledger.core.descriptor import LedgerDescriptor
from ledger.core.errors import Unavailable

ETHER = 10**18
DEV_KEY = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
"""The first account of every anvil; it is public and worth nothing."""

_INSTALLED = Path(__file__).parents[1] / "anvil" / "node_modules" / "@foundry-rs"


def anvil_binary() -> Path | None:
    """The platform's anvil: what DATALEDGER_ANVIL names, or what `make anvil` installed."""
    named = os.environ.get("DATALEDGER_ANVIL")
    if named:
        return Path(named)
    return next(iter(sorted(_INSTALLED.glob("anvil-*/bin/anvil*"))), None)


@contextlib.contextmanager
def running_anvil(*arguments: str) -> Iterator[str]:
    """A fresh anvil on a free port of the loopback; gives its URL."""
    binary = anvil_binary()
    if binary is None:
        pytest.skip("anvil is not installed: run `make anvil`, or set DATALEDGER_ANVIL")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [binary, "--host", "127.0.0.1", "--port", str(port), *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        assert process.poll() is None, "anvil ended"
        try:
            open_sender(url, Options(timeout_s=2)).close()
        except Unavailable:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("anvil does not answer")


@pytest.fixture(scope="session")
def anvil_url() -> Iterator[str]:
    with running_anvil() as url:
        yield url


@dataclass
class Stand:
    """A chain with one ledger on it."""

    kind: str
    location: str
    ledger: LedgerDescriptor

    def open(self) -> LedgerClient:
        return open_client(self.location, self.ledger)

    def funded_key(self) -> bytes:
        """A new account with ten ether."""
        return funded_key(self.location)

    def fund(self, sender: Sender, address: bytes, amount_wei: int) -> None:
        fund(sender, address, amount_wei)


def funded_key(location: str, amount_wei: int = 10 * ETHER) -> bytes:
    key = secrets.token_bytes(32)
    sender = open_sender(location)
    try:
        fund(sender, address_of(key), amount_wei)
    finally:
        sender.close()
    return key


def fund(sender: Sender, address: bytes, amount_wei: int = 10 * ETHER) -> None:
    if sender.fund(address, amount_wei) is None:
        sender.send_all([Call(address, b"", "funding", amount_wei)], DEV_KEY)


@pytest.fixture(scope="module", params=[EMBEDDED, pytest.param(JSON_RPC, marks=pytest.mark.anvil)])
def location(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A chain without a ledger."""
    if request.param == JSON_RPC:
        return str(request.getfixturevalue("anvil_url"))
    return str(create_embedded(tmp_path_factory.mktemp("chain") / "chain.db").path)


@pytest.fixture(scope="module")
def stand(location: str) -> Stand:
    """A chain with a ledger."""
    sender = open_sender(location)
    try:
        return Stand(sender.kind, location, deploy(sender, funded_key(location)))
    finally:
        sender.close()


@pytest.fixture
def client(stand: Stand) -> Iterator[LedgerClient]:
    opened = stand.open()
    yield opened
    opened.close()


@pytest.fixture
def new_chain(tmp_path: Path) -> Callable[[], Path]:
    """Makes embedded chains."""

    def create() -> Path:
        return create_embedded(tmp_path / f"{secrets.token_hex(4)}.db").path

    return create
