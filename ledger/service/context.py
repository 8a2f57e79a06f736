"""An opened workspace and its parts: each opened when first needed, all closed together.

Everything that a use case works with comes from here: settings, keys, the own log, the chain to read from and the
chain to write to, the index. Opening a context touches no chain and no index.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from ledger.chain.connect import open_client, open_reader
from ledger.chain.interface import Client, Reader
from ledger.chain.options import Options
from ledger.core.descriptor import LedgerDescriptor, parse_descriptor
from ledger.core.errors import Corrupt, FormatError, Usage
from ledger.core.identity import log_id, parse_did
from ledger.index import Index
from ledger.service.known import Known
from ledger.store.config import Config
from ledger.store.files import read_small
from ledger.store.keys import KeyStore
from ledger.store.lock import exclusive
from ledger.store.log import LogFolder
from ledger.store.passphrase import Prompt, passphrase_from
from ledger.store.workspace import Workspace, open_workspace

Notify = Callable[[str], None]
"""Tells a person something while work goes on."""

Progress = Callable[[str, int, int | None], None]
"""Says how far long work is: what, how much is done, out of how much (None: not known)."""

_MAX_DESCRIPTOR = 1 << 16


def silent(_message: str) -> None:
    """Tell nobody."""


def no_progress(_what: str, _done: int, _total: int | None) -> None:
    """Show no progress."""


class Context:
    """A workspace with its parts.

    `ask` asks a person for a passphrase where neither variable of the environment `env` gives it; None: never ask.
    """

    def __init__(
        self,
        workspace: Workspace,
        *,
        env: Mapping[str, str],
        ask: Prompt | None = None,
        notify: Notify = silent,
        progress: Progress = no_progress,
    ) -> None:
        self.workspace = workspace
        self.env = env
        self.ask = ask
        self.notify = notify
        self.progress = progress
        self._open: list[Callable[[], None]] = []

    @classmethod
    def find(
        cls,
        start: Path,
        *,
        env: Mapping[str, str],
        ask: Prompt | None = None,
        notify: Notify = silent,
        progress: Progress = no_progress,
    ) -> Context:
        """Open the workspace found from `start` upwards, or the one that DATALEDGER_HOME names."""
        context = cls(open_workspace(start, env), env=env, ask=ask, notify=notify, progress=progress)
        if not context.config.party or not context.workspace.ledger_json.exists():
            raise Usage(
                f"the setup of this workspace was interrupted: {context.workspace.path}",
                hint="run the same `dataledger init` again: it goes on where it stopped",
            )
        return context

    @cached_property
    def config(self) -> Config:
        """The settings."""
        return self.workspace.read_config()

    def save_config(self, config: Config) -> None:
        """Replace the settings."""
        self.workspace.write_config(config)
        self.__dict__["config"] = config

    @cached_property
    def descriptor(self) -> LedgerDescriptor:
        """The ledger that this workspace belongs to."""
        data = read_small(self.workspace.ledger_json, _MAX_DESCRIPTOR, "ledger.json")
        if data is None:
            raise Corrupt(
                f"the workspace has no ledger.json: {self.workspace.path}",
                hint="restore it from a copy of another party",
            )
        return parse_descriptor(data)

    @property
    def ledger_id(self) -> bytes:
        """The ledger's id, 32 bytes."""
        return self.descriptor.ledger_id

    @property
    def party(self) -> str:
        """The DID this workspace speaks for."""
        return self.config.party

    @cached_property
    def address(self) -> bytes:
        """The party's address, 20 bytes."""
        chain_id, address = parse_did(self.party)
        if chain_id != self.descriptor.chain_id:
            raise Corrupt(
                f"config.toml names a party of chain {chain_id}, ledger.json is of chain {self.descriptor.chain_id}"
            )
        return address

    @cached_property
    def log_id(self) -> bytes:
        """The id of the own log, 32 bytes."""
        return log_id(
            self.descriptor.chain_id, self.descriptor.address("Anchors"), self.address, self.config.log_number
        )

    @cached_property
    def location(self) -> str:
        """Where the chain is: a path or a URL."""
        return self.workspace.resolve(self.config.chain.location)

    @property
    def embedded(self) -> bool:
        """Whether the chain is the embedded kind."""
        return self.config.chain.embedded

    @cached_property
    def keys(self) -> KeyStore:
        """The party's keys."""
        return key_store(self.workspace, embedded=self.embedded, env=self.env, ask=self.ask)

    @property
    def record_key(self) -> bytes:
        """The public key that signs records, 32 bytes."""
        if not self.config.record_key:
            raise FormatError(
                "config.toml names no record_key", hint="choose one: dataledger key list, key rotate"
            )
        return bytes.fromhex(self.config.record_key)

    @property
    def record_seed(self) -> bytes:
        """The seed of `record_key`."""
        return self.keys.record_seed(self.record_key)

    @property
    def account_key(self) -> bytes:
        """The key of the account that sends transactions."""
        return self.keys.account_key(self.address)

    @cached_property
    def log(self) -> LogFolder:
        """The own log."""
        return LogFolder(self.workspace.public, self.log_id)

    @property
    def _chain_options(self) -> Options:
        return chain_options(self.notify, self.config.chain.final_depth)

    @cached_property
    def reader(self) -> Reader:
        """The chain to read from."""
        reader = open_reader(self.location, self.descriptor, self._chain_options)
        self._open.append(reader.close)
        return reader

    @contextmanager
    def client(self) -> Iterator[Client]:
        """The chain to write to, for the length of a `with`: on an embedded chain it holds the lock."""
        client = open_client(self.location, self.descriptor, self._chain_options)
        try:
            yield client
        finally:
            client.close()

    @cached_property
    def index(self) -> Index:
        """The index."""
        index = Index.open(self.workspace.index_path, self.descriptor)
        self._open.append(index.close)
        return index

    @property
    def known(self) -> Known:
        """The index, asked by this party."""
        return Known(self.index, self.address)

    def fresh(self) -> Index:
        """Return the index, brought up to date first if something may be new."""
        from ledger.service import syncing

        if syncing.is_stale(self):
            self.refresh()
        return self.index

    def rebuild_index(self) -> None:
        """Forget the index; the next use builds it anew from chain and logs."""
        self.index.discard()

    def refresh(self) -> None:
        """Bring the index up to date with the chain and the logs."""
        from ledger.service import syncing

        syncing.refresh(self)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Be the only one who changes this workspace: between looking at the log and appending to it, nobody else does."""
        with exclusive(self.workspace.lock_path, "this workspace", on_wait=self.notify):
            yield

    def describe(self, address: bytes) -> str:
        """Return a party for people: the name it claims, and its DID."""
        name = self.index.party_name(address)
        did = self.did(address)
        return f"{name} ({did})" if name else did

    def did(self, address: bytes) -> str:
        """Return the DID of an address on this ledger's chain."""
        return f"did:ethr:{self.descriptor.chain_id:#x}:0x{address.hex()}"

    def close(self) -> None:
        """Close what was opened, the last first."""
        while self._open:
            self._open.pop()()


def chain_options(notify: Notify, final_depth: int | None = None) -> Options:
    """Return how to talk to the chain: who is told when it takes long, and when a block counts as final."""
    return Options(confirmations=final_depth, on_wait=notify)


def key_store(
    workspace: Workspace, *, embedded: bool, env: Mapping[str, str], ask: Prompt | None, encrypt: bool = False
) -> KeyStore:
    """Return the workspace's keys: encrypted ones ask for the passphrase when it is first needed.

    New keys are encrypted, except on an embedded chain, where that has to be asked for (`encrypt`, or keys that are
    encrypted already).
    """
    source = passphrase_from(env, ask)
    store = KeyStore(workspace.keys, embedded=embedded, passphrase=source)
    labels = [*store.accounts(), *store.record_keys()]
    if embedded and not encrypt and not any(store.is_encrypted(label) for label in labels):
        return KeyStore(workspace.keys, embedded=True)
    return store
