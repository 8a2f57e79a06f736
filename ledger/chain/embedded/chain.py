"""Making an embedded chain and writing to it: the lock, the block, the faucet."""

from __future__ import annotations

import os
import secrets
import sqlite3
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

from msgspec import Struct

from ledger.chain.embedded.database import create_database, open_database
from ledger.chain.embedded.lock import WAIT_S, exclusive
from ledger.chain.embedded.reader import EmbeddedReader
from ledger.chain.interface import Call
from ledger.chain.transactions import CALL_GAS, require
from ledger.core.chain_facts import BlockRef
from ledger.core.errors import Unavailable, Usage

FAUCET_WEI = 10**27
"""What the faucet owns at the start: a thousand million ether."""

FUNDING_WEI = 10**19
"""What a joiner is given by default: ten ether."""

_HIGHEST_FEE_WEI = 10**9  # that of block 0; idle blocks only lower it


class EmbeddedFacts(Struct, frozen=True):
    """A new embedded chain: its file, chain id and genesis hash (32 bytes)."""

    path: Path
    chain_id: int
    genesis: bytes


class Genesis(Struct, frozen=True):
    """What a new chain begins with: its id, the faucet's key (32 bytes) and the time of block 0."""

    chain_id: int
    faucet_key: bytes
    time_unix_s: int


def new_genesis() -> Genesis:
    """Begin a chain now, with a random id (32 to 53 bits) and a random faucet key."""
    chain_id = 2**32 + secrets.randbelow(2**53 - 2**32)
    return Genesis(chain_id, _new_key(), int(time.time()))


def create_embedded(path: Path, genesis: Genesis | None = None) -> EmbeddedFacts:
    """Make a chain; Usage if the file exists.

    The file appears whole or not at all, for its owner alone: it holds the faucet's key. SQLite gives what
    it keeps beside the file the same mode.

    `genesis` is for fixtures, which have to be the same every time: whoever knows it knows the faucet's key.
    """
    evm = _load_evm()
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    begin = genesis or new_genesis()
    try:
        os.close(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
        connection = create_database(draft)
        try:
            nodes = evm.NodeDatabase(connection, draft)
            first = evm.genesis(nodes, begin.chain_id, begin.faucet_key, FAUCET_WEI, begin.time_unix_s)
        finally:
            connection.close()  # folds the WAL into the file
        os.link(draft, path)
        _sync_folder(path.parent)
    except FileExistsError:
        raise Usage(
            f"{path}: expected no file there, one exists", hint="Join it, or choose another path."
        ) from None
    except OSError as error:
        raise Unavailable(f"{path}: the chain can't be made: {error.strerror}") from None
    finally:
        for leftover in (draft, draft.with_name(draft.name + "-wal"), draft.with_name(draft.name + "-shm")):
            leftover.unlink(missing_ok=True)
    return EmbeddedFacts(path, begin.chain_id, first)


class EmbeddedChain(EmbeddedReader):
    """An embedded chain to write to as well. py-evm is imported when the first transaction is sent.

    `clock` gives the time of new blocks in Unix seconds.
    """

    def __init__(
        self,
        path: Path,
        *,
        wait_s: float = WAIT_S,
        on_wait: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(path)
        self._clock = clock
        self._wait_s = wait_s
        self._on_wait = on_wait
        self._writer: sqlite3.Connection | None = None

    def close(self) -> None:
        """Close the file."""
        super().close()
        if self._writer is not None:
            self._writer.close()  # last: closing it folds the WAL into the file
            self._writer = None

    def send_all(self, calls: Sequence[Call], account_key: bytes) -> BlockRef:
        """Put the calls into one new block, all or none."""
        if not calls:
            raise Usage("expected at least one call to send")
        evm = _load_evm()
        # the file's real name: two names of one chain must meet at one lock
        real = self.path.resolve()
        with exclusive(real.with_name(real.name + ".lock"), wait_s=self._wait_s, on_wait=self._on_wait):
            if self._writer is None:
                self._writer = open_database(self.path, write=True)
                self._nodes = evm.NodeDatabase(self._writer, self.path)
            now = int(self._clock())
            evm.mine(self._nodes, self.chain_id, self.head().hash, calls, account_key, now)
            return self.head()

    def require_funds(self, calls: Sequence[Call], address: bytes, *, extra_gas: int = 0) -> None:
        """Raise Unfunded if the account can't pay for all calls and `extra_gas` at the fee of block 0."""
        gas = len(calls) * CALL_GAS + extra_gas
        needed = gas * _HIGHEST_FEE_WEI + sum(call.value_wei for call in calls)
        require(address, self.balance_wei(address), needed, hint="The embedded chain's faucet can pay it.")

    def fund(self, address: bytes, amount_wei: int = FUNDING_WEI) -> BlockRef:
        """Have the faucet pay."""
        pay = Call(to=address, data=b"", label="funding by the faucet", value_wei=amount_wei)
        return self.send_all([pay], self.faucet())


def _load_evm() -> ModuleType:
    """Import py-evm, but not the recursion limit that it sets: the C stack ends long before 100,000 frames.

    With that limit, deeply nested JSON from outside would end the process instead of raising RecursionError.
    """
    limit = sys.getrecursionlimit()
    try:
        from ledger.chain.embedded import evm
    finally:
        sys.setrecursionlimit(limit)
    return evm


def _new_key() -> bytes:
    # the order of secp256k1 is so close to 2^256 that a second draw is never needed; zero is excluded
    return (1 + secrets.randbelow(2**255)).to_bytes(32, "big")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
