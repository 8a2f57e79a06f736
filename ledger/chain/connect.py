"""Opening a chain by its location: the path of an embedded chain's file, or the URL of a node.

Nothing heavy is imported here: an embedded chain is read with sqlite3 alone, a node with the standard
library's HTTP, and py-evm comes in when an embedded chain is written to.
"""

from __future__ import annotations

import re
from pathlib import Path

from ledger.chain.bound import LedgerClient, LedgerReader
from ledger.chain.interface import Backend, Sender
from ledger.chain.options import DEFAULTS, Options
from ledger.core.descriptor import LedgerDescriptor

_PATH = re.compile("[/?#]")


def is_url(location: str | Path) -> bool:
    """Whether the location is a node's URL rather than a path."""
    return isinstance(location, str) and location.lower().startswith(("http://", "https://"))


def shown(location: str) -> str:
    """The location, fit for messages: of a URL scheme, host and port, as the rest may be secret."""
    if not is_url(location):
        return location
    scheme, _, rest = location.partition("://")
    return f"{scheme}://{_PATH.split(rest, maxsplit=1)[0].rpartition('@')[2]}"


def is_public(url: str) -> bool:
    """Whether a URL holds nothing that may be an access token: a scheme, a host and a port, and no more."""
    return shown(url).rstrip("/") == url.rstrip("/")


def open_backend(location: str | Path, options: Options = DEFAULTS) -> Backend:
    """Open a chain to read from, whatever ledger is on it."""
    if is_url(location):
        return open_sender(location, options)
    from ledger.chain.embedded.reader import EmbeddedReader

    return EmbeddedReader(Path(location))


def open_sender(location: str | Path, options: Options = DEFAULTS) -> Sender:
    """Open a chain to write to, whatever ledger is on it: to deploy one."""
    if is_url(location):
        from ledger.chain.rpc.sender import RpcChain

        return RpcChain(str(location), options)
    from ledger.chain.embedded.chain import EmbeddedChain

    return EmbeddedChain(Path(location), wait_s=options.wait_s, on_wait=options.on_wait)


def open_reader(
    location: str | Path, descriptor: LedgerDescriptor, options: Options = DEFAULTS
) -> LedgerReader:
    """Open a ledger's chain to read from; WrongLedger unless chain id and genesis are the ledger's."""
    backend = open_backend(location, options)
    try:
        return LedgerReader(backend, descriptor)
    except BaseException:
        backend.close()
        raise


def open_client(
    location: str | Path, descriptor: LedgerDescriptor, options: Options = DEFAULTS
) -> LedgerClient:
    """Open a ledger's chain to write to; WrongLedger unless chain, addresses and code are the ledger's."""
    sender = open_sender(location, options)
    try:
        return LedgerClient(sender, descriptor)
    except BaseException:
        sender.close()
        raise
