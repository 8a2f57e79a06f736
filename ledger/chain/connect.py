"""Opening a chain by its location: the path of an embedded chain's file, or the URL of a node.

Nothing heavy is imported here: an embedded chain is read with sqlite3 alone, a node with the standard library's HTTP,
and py-evm comes in when an embedded chain is written to.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from ledger.chain.bound import LedgerClient, LedgerReader
from ledger.chain.interface import Backend, Sender
from ledger.core.descriptor import LedgerDescriptor


class Options(Struct, frozen=True):
    """How to talk to a chain.

    `wait_s`: how long to wait for another process's lock, `mined_s`: for a transaction to get into a block,
    `timeout_s`: for a node's answer. `confirmations`: how many blocks on top make one final; None: what the node
    calls finalized, or 12 if it does not know the tag. `on_wait` is told when something takes long.
    """

    wait_s: float = 60.0
    mined_s: float = 180.0
    timeout_s: float = 20.0
    confirmations: int | None = None
    on_wait: Callable[[str], None] = lambda _: None


DEFAULTS = Options()


def is_url(location: str | Path) -> bool:
    """Whether the location is a node's URL rather than a path."""
    return isinstance(location, str) and location.lower().startswith(("http://", "https://"))


def open_backend(location: str | Path, options: Options = DEFAULTS) -> Backend:
    """Open a chain to read from, whatever ledger is on it."""
    if is_url(location):
        return open_sender(location, options)
    from ledger.chain.embedded.reader import EmbeddedReader

    return EmbeddedReader(Path(location))


def open_sender(location: str | Path, options: Options = DEFAULTS) -> Sender:
    """Open a chain to write to, whatever ledger is on it: to deploy one."""
    if is_url(location):
        from ledger.chain.rpc.node import RpcChain

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
