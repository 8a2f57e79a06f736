"""Making a workspace: keys, chain, contracts, identity, namespace. Every step looks before it acts.

Interrupted anywhere, or without money on a real chain, the same call goes on where it stopped: what is on
disk or on the chain already is left alone. The workspace counts as ready when its settings name the party.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from ledger.chain import connect, contracts
from ledger.chain.deploy import deploy
from ledger.chain.interface import Client, Sender
from ledger.chain.options import Options
from ledger.core.descriptor import LedgerDescriptor, format_descriptor, parse_descriptor
from ledger.core.errors import NotFound, Usage, WrongLedger
from ledger.core.identity import format_did, log_id, parse_did
from ledger.core.names import check_namespace
from ledger.core.text import check_line
from ledger.service.announcing import calls_left, obstacle, read_announced
from ledger.service.asking import asked
from ledger.service.context import MAX_DESCRIPTOR, is_ready, key_store
from ledger.service.location import Joining, choose_location
from ledger.service.progress import Notify
from ledger.service.request import InitRequest
from ledger.service.results import Setup
from ledger.store.config import ChainConfig, Config
from ledger.store.files import read_small, write_atomic
from ledger.store.keys import KeyStore
from ledger.store.lock import exclusive
from ledger.store.passphrase import Prompt
from ledger.store.workspace import Workspace, create_workspace, new_workspace_path

MAX_NAME = 200
FUNDING_WEI = 10**19
_LOW_WEI = 10**18


def init(
    folder: Path,
    request: InitRequest,
    *,
    env: Mapping[str, str],
    ask: Prompt | None,
    notify: Notify,
) -> Setup:
    """Make or go on making the workspace for `folder`. Raises Usage, Unfunded (resumable), Unavailable,
    WrongLedger.
    """
    _check(request)
    joining = None if request.join is None else Joining(request.join, _read_descriptor(request.join))
    path = new_workspace_path(folder, env)
    workspace = Workspace(path)
    location = choose_location(request.chain, joining, path, folder)
    if not path.exists():
        workspace = create_workspace(path, _settings(request, location))
    with exclusive(workspace.lock_path, "this workspace", on_wait=notify):
        config = workspace.read_config()
        _check_unfinished(workspace, config)
        if request.chain is not None or joining is not None:  # else it stays where the first try put it
            chain = msgspec.structs.replace(config.chain, location=location)
            config = msgspec.structs.replace(config, chain=chain)
            workspace.write_config(config)
        keys = key_store(workspace, embedded=config.chain.embedded, env=env, ask=ask, encrypt=request.encrypt)
        return _SettingUp(workspace, config, keys, request, joining, notify).finish()


def _check(request: InitRequest) -> None:
    with asked():
        check_namespace(request.namespace)
        check_line(request.name, what="--name", limit=MAX_NAME)
    if request.join is not None and request.registrar is not None:
        raise Usage("a registrar is chosen when a ledger is made; the one to be joined has its own, or none")


def _settings(request: InitRequest, location: str) -> Config:
    chain = ChainConfig(location=location)
    return Config(namespace=request.namespace, display_name=request.name, chain=chain)


def _check_unfinished(workspace: Workspace, config: Config) -> None:
    if is_ready(workspace, config):
        raise Usage(
            f"there is a workspace already: {workspace.path}",
            hint="dataledger status shows it; to add a namespace: dataledger namespace claim",
        )


def _read_descriptor(path: Path) -> LedgerDescriptor:
    data = read_small(path, MAX_DESCRIPTOR, "ledger.json")
    if data is None:
        raise NotFound(f"no ledger description: {path}", hint="ask a party of the ledger for its ledger.json")
    return parse_descriptor(data)


class _SettingUp:
    """One `init`, with what its steps share; the workspace's lock is held."""

    def __init__(
        self,
        workspace: Workspace,
        config: Config,
        keys: KeyStore,
        request: InitRequest,
        joining: Joining | None,
        notify: Notify,
    ) -> None:
        self.workspace = workspace
        self.config = config
        self.keys = keys
        self.request = request
        self.joining = joining
        self.notify = notify
        self.location = workspace.resolve(config.chain.location)
        self.embedded = config.chain.embedded
        self.notes: list[str] = []

    def finish(self) -> Setup:
        """Do every step that is left, and say what there is now."""
        account, record_key = self._make_keys()
        descriptor = self._ledger(account)
        claimed = self._announce(descriptor, account, record_key)
        config = msgspec.structs.replace(
            self.config,
            party=format_did(descriptor.chain_id, account),
            record_key=record_key.hex(),
            namespace=self.request.namespace,
            display_name=self.request.name or self.config.display_name,
        )
        self.workspace.write_config(config)
        self._note_what_is_weak(account)
        return self._result(config, descriptor, account, claimed)

    def _make_keys(self) -> tuple[bytes, bytes]:
        """Return the account's address and the record key, made now or in an earlier try."""
        if not self.keys.accounts():
            self.keys.new_account()
        if not self.keys.record_keys():
            self.keys.new_record_key()
        return self.keys.accounts()[0], self.keys.record_keys()[0]

    def _ledger(self, account: bytes) -> LedgerDescriptor:
        """Return the ledger: described here by an earlier try, joined, or deployed now."""
        if self.workspace.ledger_json.exists():
            return self._described()
        if self.joining is not None:
            descriptor = self.joining.descriptor
            connect.open_client(
                self.location, descriptor, self._options
            ).close()  # raises unless it is its chain
        else:
            descriptor = self._deployed(account)
        write_atomic(self.workspace.ledger_json, format_descriptor(descriptor), "ledger.json")
        return descriptor

    def _described(self) -> LedgerDescriptor:
        descriptor = _read_descriptor(self.workspace.ledger_json)
        if self.joining is not None and self.joining.descriptor.ledger_id != descriptor.ledger_id:
            raise Usage(
                "this workspace is being set up for another ledger",
                hint=f"remove {self.workspace.path} to begin again",
            )
        return descriptor

    def _deployed(self, account: bytes) -> LedgerDescriptor:
        if self.embedded and not Path(self.location).exists():
            from ledger.chain.embedded.chain import create_embedded

            self.notify("making an embedded chain")
            create_embedded(Path(self.location))
        sender = connect.open_sender(self.location, self._options)
        try:
            self._fund(sender, account)
            return self._deploy(sender, account)
        finally:
            sender.close()

    def _deploy(self, sender: Sender, account: bytes) -> LedgerDescriptor:
        registrar = _registrar(self.request.registrar, account, sender.chain_id)
        if registrar is None:
            self.notes.append("top-level namespaces are first come, first served: no registrar gates them")
        return deploy(
            sender,
            self.keys.account_key(account),
            registrar=registrar,
            name=self.request.name,
            endpoint=self._endpoint(),
            on_step=self.notify,
        )

    def _endpoint(self) -> str:
        """Return the node's URL for those who join; one that may hold an access token is nobody else's."""
        if self.embedded:
            return ""
        if connect.is_public(self.location):
            return self.location
        self.notes.append(
            "the node's URL may hold an access token: ledger.json leaves it out, who joins gives --chain URL"
        )
        return ""

    def _fund(self, sender: Sender | Client, account: bytes) -> None:
        """Have an embedded chain's faucet pay for the account."""
        if self.embedded and sender.balance_wei(account) < _LOW_WEI:
            sender.fund(account, FUNDING_WEI)

    def _announce(self, descriptor: LedgerDescriptor, account: bytes, key: bytes) -> bool:
        """Publish key and name, claim the namespace, as far as that is left; tell whether it is ours."""
        name, namespace = self.request.name, self.request.namespace
        client = connect.open_client(self.location, descriptor, self._options)
        try:
            found = read_announced(client, account, namespace)
            hindered = obstacle(client, found, account, namespace)
            calls = calls_left(client, found, account, key, name)
            if not hindered and found.owner is None:
                calls.append(contracts.claim_namespace(descriptor, namespace, account))
            if calls:
                self._fund(client, account)
                self.notify("publishing key, name and namespace")
                client.send_all(calls, self.keys.account_key(account))
        finally:
            client.close()
        self.notes += [hindered] if hindered else []
        return not hindered

    @property
    def _options(self) -> Options:
        return Options(confirmations=self.config.chain.final_depth, on_wait=self.notify)

    def _note_what_is_weak(self, account: bytes) -> None:
        if not self.embedded:
            return
        self.notes.append(
            "an embedded chain is for trying out, tests and CI: it proves nothing to a third party"
        )
        if not self.keys.is_encrypted(account):
            self.notes.append("its keys lie in the clear (mode 0600); --encrypt would have encrypted them")

    def _result(self, config: Config, descriptor: LedgerDescriptor, account: bytes, claimed: bool) -> Setup:
        log = log_id(descriptor.chain_id, descriptor.address("Anchors"), account, config.log_number)
        return Setup(
            workspace=str(self.workspace.path),
            party=config.party,
            namespace=config.namespace,
            name=config.display_name,
            ledger=descriptor.ledger_id.hex(),
            log=log.hex(),
            key=config.record_key,
            chain=connect.shown(self.location),
            embedded=self.embedded,
            joined=self.joining is not None,
            namespace_claimed=claimed,
            notes=self.notes,
        )


def _registrar(text: str | None, account: bytes, chain_id: int) -> bytes | None:
    """Return the address (20 bytes) of the party that gates top labels: `self`, or a DID of this chain."""
    if text is None:
        return None
    if text == "self":
        return account
    with asked():
        given, address = parse_did(text)
    if given != chain_id:
        raise WrongLedger(f"registrar {text}: a party of chain {given}, this is chain {chain_id}")
    return address
