"""An opened workspace and its parts: each opened when first needed, all closed together.

Everything that a use case works with comes from here: settings, keys, the own log, the chain to read from and
the chain to write to, the index. Opening a context touches no chain and no index; `syncing` brings the index
up to date.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from ledger.chain.connect import open_client, open_reader
from ledger.chain.interface import Client, Reader
from ledger.chain.options import Options
from ledger.core.descriptor import LedgerDescriptor, parse_descriptor
from ledger.core.errors import Corrupt, Usage
from ledger.core.identity import format_did, log_id, parse_did
from ledger.index import Index
from ledger.service.known import Known
from ledger.service.progress import Notify, Progress, no_progress, silent
from ledger.store.config import Config
from ledger.store.files import read_small
from ledger.store.keys import KeyStore
from ledger.store.lock import DEFAULT_WAIT_S, exclusive
from ledger.store.log import LogFolder
from ledger.store.passphrase import Prompt, passphrase_from
from ledger.store.workspace import Workspace, open_workspace

MAX_DESCRIPTOR = 1 << 16
"""Bytes of a `ledger.json`, at most."""

_party = re.compile(
    r"(?<![0-9a-z:])(?:did:ethr:0x(?P<chain>[0-9a-f]{1,16}):)?0x(?P<address>[0-9a-f]{40})(?![0-9a-f])"
)


class Context:
    """A workspace with its parts.

    `ask` asks a person for a passphrase where neither variable of the environment `env` gives it; None: never
    ask.
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
        self._closing: list[Callable[[], None]] = []

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
        if not is_ready(context.workspace, context.config):
            raise Usage(
                f"the setup of this workspace was interrupted: {context.workspace.path}",
                hint="run the same `dataledger init` again: it goes on where it stopped",
            )
        return context

    @cached_property
    def config(self) -> Config:
        """The settings, as they were when first needed, or when `writing` was entered last."""
        return self.workspace.read_config()

    def save_config(self, config: Config) -> None:
        """Replace the settings; the caller holds `writing`."""
        self.workspace.write_config(config)
        self.__dict__["config"] = config
        self._forget_log()

    @cached_property
    def descriptor(self) -> LedgerDescriptor:
        """The ledger that this workspace belongs to."""
        data = read_small(self.workspace.ledger_json, MAX_DESCRIPTOR, "ledger.json")
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
                f"config.toml names a party of chain {chain_id},"
                f" ledger.json is of chain {self.descriptor.chain_id}",
                hint="one of the two was replaced: restore both from one backup",
            )
        return address

    @cached_property
    def log_id(self) -> bytes:
        """The id of the own log that records go to, 32 bytes."""
        return self.log_id_of(self.address, self.config.log_number)

    @cached_property
    def own_logs(self) -> dict[bytes, int]:
        """The ids of all own logs with their numbers, the one in use last: those before it were closed."""
        return {self.log_id_of(self.address, n): n for n in range(self.config.log_number + 1)}

    def log_id_of(self, owner: bytes, number: int) -> bytes:
        """Return the id (32 bytes) of log `number` of the party `owner` (20 bytes)."""
        return log_id(self.descriptor.chain_id, self.descriptor.address("Anchors"), owner, number)

    @cached_property
    def location(self) -> str:
        """Where the chain is: a path or a URL. A URL may hold an access token: show `chain_shown` instead."""
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
            raise Usage(
                "config.toml names no key to sign with", hint="make and publish one: dataledger key rotate"
            )
        return bytes.fromhex(self.config.record_key)

    @property
    def record_seed(self) -> bytes:
        """The seed of `record_key`, 32 bytes."""
        return self.keys.record_seed(self.record_key)

    @property
    def account_key(self) -> bytes:
        """The key of the account that sends transactions, 32 bytes."""
        return self.keys.account_key(self.address)

    @cached_property
    def log(self) -> LogFolder:
        """The own log that records go to."""
        return self.own_log(self.log_id)

    def own_log(self, log_id: bytes, *, compare_kept: bool = True) -> LogFolder:
        """Open one of the own logs. Raises `Corrupt` or `Forked` for a damaged one."""
        number = self.own_logs[log_id]
        folder, lock = self.workspace.log_folder(number), self.workspace.log_lock(number)
        return LogFolder(folder, log_id, lock_path=lock, compare_kept=compare_kept)

    @cached_property
    def reader(self) -> Reader:
        """The chain to read from."""
        reader = open_reader(self.location, self.descriptor, self.chain_options)
        self._closing.append(reader.close)
        return reader

    @contextmanager
    def client(self) -> Iterator[Client]:
        """The chain to write to, for the length of a `with`."""
        client = open_client(self.location, self.descriptor, self.chain_options)
        try:
            yield client
        finally:
            client.close()

    @property
    def chain_options(self) -> Options:
        """How the chain is waited for, and what counts as final on it."""
        return Options(confirmations=self.config.chain.final_depth, on_wait=self.notify)

    @cached_property
    def index(self) -> Index:
        """The index, as it is: `syncing.fresh` brings it up to date."""
        index = Index.open(self.workspace.index_path, self.descriptor)
        self._closing.append(index.close)
        return index

    @property
    def known(self) -> Known:
        """The index, asked by this party."""
        return Known(self.index, self.address)

    @contextmanager
    def writing(self, wait_s: float = DEFAULT_WAIT_S) -> Iterator[None]:
        """Be the only one who changes this workspace: from looking at what is there to the end of what
        follows from it.

        Held over check, append, anchor and sync alike, so that what was checked still holds when it is
        written.
        """
        with exclusive(self.workspace.lock_path, "this workspace", wait_s, on_wait=self.notify):
            self.__dict__.pop("config", None)  # another process may have changed the settings meanwhile
            self._forget_log()
            yield

    def _forget_log(self) -> None:
        """Work out anew which log is in use, if the settings name another one."""
        if "own_logs" in self.__dict__ and len(self.own_logs) != self.config.log_number + 1:
            for name in ("log_id", "own_logs", "log"):
                self.__dict__.pop(name, None)

    @contextmanager
    def syncing(self) -> Iterator[None]:
        """Be the only one who writes the index: readers sync as well, and they don't hold `writing`."""
        lock = self.workspace.index_path.with_name("index.lock")
        with exclusive(lock, "the index", on_wait=self.notify):
            yield

    def describe(self, address: bytes) -> str:
        """Return a party for people: the name it claims, and its DID."""
        name = self.index.party_name(address)
        did = self.did(address)
        return f"{name} ({did})" if name else did

    def named(self, text: object) -> str:
        """Return a text, an error's say, with each party in it as `describe` has it, if it claims a name."""

        def described(found: re.Match[str]) -> str:
            chain_id, address = found["chain"], bytes.fromhex(found["address"])
            ours = chain_id is None or int(chain_id, 16) == self.descriptor.chain_id
            return self.describe(address) if ours and self.index.party_name(address) else found[0]

        return _party.sub(described, str(text))

    def did(self, address: bytes) -> str:
        """Return the DID of an address (20 bytes) on this ledger's chain."""
        return format_did(self.descriptor.chain_id, address)

    def close(self) -> None:
        """Close what was opened, the last first."""
        while self._closing:
            self._closing.pop()()


def is_ready(workspace: Workspace, config: Config) -> bool:
    """Tell whether the setup of a workspace went to its end."""
    return bool(config.party) and workspace.ledger_json.exists()


def key_store(
    workspace: Workspace, *, embedded: bool, env: Mapping[str, str], ask: Prompt | None, encrypt: bool = False
) -> KeyStore:
    """Return the workspace's keys: encrypted ones ask for the passphrase when it is first needed.

    New keys are encrypted, except on an embedded chain, where that has to be asked for (`encrypt`, or keys
    that are encrypted already).
    """
    store = KeyStore(workspace.keys, embedded=embedded, passphrase=passphrase_from(env, ask))
    labels = [*store.accounts(), *store.record_keys()]
    if embedded and not encrypt and not any(store.is_encrypted(label) for label in labels):
        return KeyStore(workspace.keys, embedded=True)
    return store
