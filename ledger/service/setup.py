"""Making a workspace: keys, chain, contracts, identity, namespace. Every step looks before it acts.

Interrupted anywhere, or without money on a real chain, the same call goes on where it stopped: what is on disk or on
the chain already is left alone. The workspace counts as ready when its settings name the party.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from ledger.chain import connect, contracts
from ledger.chain.deploy import deploy
from ledger.chain.interface import Call, Client, Sender
from ledger.core.chain_facts import AttributeChanged, NamespaceChanged
from ledger.core.descriptor import LedgerDescriptor, format_descriptor, parse_descriptor
from ledger.core.errors import NotFound, Unfunded, Usage
from ledger.core.identity import format_did, log_id, parse_did
from ledger.core.names import check_namespace, parent_of
from ledger.core.text import check_line
from ledger.service.asked import asked
from ledger.service.context import Notify, chain_options, key_store
from ledger.service.results import Setup
from ledger.store.config import ChainConfig, Config
from ledger.store.files import read_small, write_atomic
from ledger.store.lock import exclusive
from ledger.store.passphrase import Prompt
from ledger.store.workspace import Workspace, create_workspace, new_workspace_path

KEY_VALIDITY_S = 2 * 365 * 86400
"""How long a new record key is valid: two years."""

NAME_ATTRIBUTE = b"dataledger/name"
NAME_VALIDITY_S = 100 * 365 * 86400
MAX_NAME = 200
FUNDING_WEI = 10**19
_LOW_WEI = 10**18


class InitRequest(Struct, frozen=True, kw_only=True):
    """What `init` is asked for; see the command's help."""

    namespace: str
    name: str = ""
    chain: str | None = None
    join: Path | None = None
    registrar: str | None = None
    encrypt: bool = False


def init(
    folder: Path,
    request: InitRequest,
    *,
    env: Mapping[str, str],
    ask: Prompt | None,
    notify: Notify,
) -> Setup:
    """Make or go on making the workspace for `folder`. Raises Usage, Unfunded (resumable), Unavailable, WrongLedger."""
    with asked():
        check_namespace(request.namespace)
        check_line(request.name, what="--name", limit=MAX_NAME)
    path = new_workspace_path(folder, env)
    joined = None if request.join is None else _read_descriptor(request.join)
    workspace = _workspace(path, request, joined, folder)
    with exclusive(workspace.lock_path, "this workspace", on_wait=notify):
        setting_up = _SettingUp(workspace, request, env, ask, notify)
        try:
            return setting_up.finish(joined)
        except Unfunded as error:
            raise _explained(error) from None


def _read_descriptor(path: Path) -> LedgerDescriptor:
    data = read_small(path, 1 << 16, "ledger.json")
    if data is None:
        raise NotFound(f"no ledger description: {path}", hint="ask a party of the ledger for its ledger.json")
    return parse_descriptor(data)


def _workspace(path: Path, request: InitRequest, joined: LedgerDescriptor | None, folder: Path) -> Workspace:
    """Create the workspace folder, or take up one whose setup was interrupted."""
    workspace = Workspace(path)
    if path.exists():
        config = workspace.read_config()
        if config.party and workspace.ledger_json.exists():
            raise Usage(
                f"there is a workspace already: {path}",
                hint="dataledger status shows it; to add a namespace: dataledger namespace claim",
            )
        return workspace
    location = _location(request, joined, path, folder)
    return create_workspace(
        path,
        Config(namespace=request.namespace, display_name=request.name, chain=ChainConfig(location=location)),
    )


def _location(request: InitRequest, joined: LedgerDescriptor | None, workspace: Path, folder: Path) -> str:
    """Where the chain is to be: as asked, else beside the ledger.json that is joined, else in the workspace."""
    if request.chain is not None:
        if connect.is_url(request.chain):
            return request.chain
        path = folder / Path(request.chain).expanduser()
        if joined is not None and not path.exists():
            raise NotFound(
                f"no chain to join: {path}",
                hint="--chain names the chain.db of the party that started the ledger, or a node's URL",
            )
        return str(Path(_relative(path, workspace)))
    if joined is None:
        return "chain.db"
    if connect.is_url(joined.hints.endpoint):
        return joined.hints.endpoint
    assert request.join is not None
    beside = request.join.parent / "chain.db"
    if not beside.exists():
        raise Usage("joining needs to know where the chain is", hint="add --chain PATH or --chain URL")
    return _relative(beside, workspace)


def _relative(path: Path, workspace: Path) -> str:
    import os

    return os.path.relpath(path.resolve(), workspace.resolve())


class _SettingUp:
    """One `init`, with what its steps share."""

    def __init__(
        self,
        workspace: Workspace,
        request: InitRequest,
        env: Mapping[str, str],
        ask: Prompt | None,
        notify: Notify,
    ) -> None:
        self.workspace = workspace
        self.request = request
        self.config = workspace.read_config()
        self.location = workspace.resolve(self.config.chain.location)
        self.embedded = self.config.chain.embedded
        self.notify = notify
        self.keys = key_store(workspace, embedded=self.embedded, env=env, ask=ask, encrypt=request.encrypt)
        self.notes: list[str] = []

    def finish(self, joined: LedgerDescriptor | None) -> Setup:
        """Do every step that is left, and say what there is now."""
        account, record_key = self._make_keys()
        if self.embedded and not Path(self.location).exists():
            from ledger.chain.embedded.chain import create_embedded

            self.notify("making an embedded chain")
            create_embedded(Path(self.location))
        descriptor = self._ledger(account, joined)
        party = format_did(descriptor.chain_id, account)
        claimed = self._identity(descriptor, account, record_key)
        config = msgspec.structs.replace(
            self.config,
            party=party,
            record_key=record_key.hex(),
            namespace=self.request.namespace,
            display_name=self.request.name or self.config.display_name,
        )
        self.workspace.write_config(config)
        if self.embedded:
            self.notes.append(
                "an embedded chain is for trying out, tests and CI: it proves nothing to a third party"
            )
            if not self.keys.is_encrypted(account):
                self.notes.append(
                    "its keys lie in the clear (mode 0600); --encrypt would have encrypted them"
                )
        return Setup(
            workspace=str(self.workspace.path),
            party=party,
            namespace=self.request.namespace,
            name=config.display_name,
            ledger=descriptor.ledger_id.hex(),
            log=log_id(descriptor.chain_id, descriptor.address("Anchors"), account, config.log_number).hex(),
            key=record_key.hex(),
            chain=self.location,
            embedded=self.embedded,
            joined=joined is not None,
            namespace_claimed=claimed,
            notes=self.notes,
        )

    def _make_keys(self) -> tuple[bytes, bytes]:
        """Return the account's address and the record key, made now or in an earlier try."""
        if not self.keys.accounts():
            self.keys.new_account()
        if not self.keys.record_keys():
            self.keys.new_record_key()
        return self.keys.accounts()[0], self.keys.record_keys()[0]

    def _ledger(self, account: bytes, joined: LedgerDescriptor | None) -> LedgerDescriptor:
        """Return the ledger: described here by an earlier try, joined, or deployed now."""
        if self.workspace.ledger_json.exists():
            descriptor = _read_descriptor(self.workspace.ledger_json)
            if joined is not None and joined.ledger_id != descriptor.ledger_id:
                raise Usage(
                    "this workspace is being set up for another ledger",
                    hint=f"remove {self.workspace.path} to begin again",
                )
            return descriptor
        if joined is not None:
            descriptor = joined
        else:
            with_sender = connect.open_sender(self.location, chain_options(self.notify))
            try:
                self._fund(with_sender, account)
                descriptor = self._deploy(with_sender, account)
            finally:
                with_sender.close()
        write_atomic(self.workspace.ledger_json, format_descriptor(descriptor), "ledger.json")
        return descriptor

    def _deploy(self, sender: Sender, account: bytes) -> LedgerDescriptor:
        registrar = _registrar(self.request.registrar, account)
        if registrar is None:
            self.notes.append("top-level namespaces are first come, first served: no registrar gates them")
        return deploy(
            sender,
            self.keys.account_key(account),
            registrar=registrar,
            name=self.request.name,
            endpoint="" if self.embedded else self.location,
            on_step=self.notify,
        )

    def _fund(self, sender: Sender | Client, account: bytes) -> None:
        """Have an embedded chain's faucet pay for the account."""
        if self.embedded and sender.balance_wei(account) < _LOW_WEI:
            sender.fund(account, FUNDING_WEI)

    def _identity(self, descriptor: LedgerDescriptor, account: bytes, record_key: bytes) -> bool:
        """Publish key and name and claim the namespace, as far as that is not done; say whether it is ours."""
        client = connect.open_client(self.location, descriptor, chain_options(self.notify))
        try:
            done = _Done.on(client, account, self.request.namespace)
            namespace_call = self._claim(descriptor, done, account)
            calls: list[Call] = []
            if record_key not in done.keys:
                calls.append(contracts.publish_key(descriptor, account, record_key, KEY_VALIDITY_S))
            if self.request.name and self.request.name.encode() != done.name:
                name = self.request.name.encode()
                calls.append(
                    contracts.set_attribute(descriptor, account, NAME_ATTRIBUTE, name, NAME_VALIDITY_S)
                )
            if namespace_call is not None:
                calls.append(namespace_call)
            if calls:
                self._fund(client, account)
                self.notify("publishing key, name and namespace")
                client.send_all(calls, self.keys.account_key(account))
            return done.namespace_owner == account or namespace_call is not None
        finally:
            client.close()

    def _claim(self, descriptor: LedgerDescriptor, done: _Done, account: bytes) -> Call | None:
        """Return the call that claims the namespace, None if it is ours already or another's to assign."""
        name = self.request.namespace
        if done.namespace_owner == account:
            return None
        if done.namespace_owner is not None:
            owner = format_did(descriptor.chain_id, done.namespace_owner)
            raise Usage(
                f"the namespace {name} belongs to {owner}", hint="run init again with another NAMESPACE"
            )
        parent = parent_of(name)
        registrar = descriptor.contracts["Directory"].arguments[44:64]
        if parent is not None and done.parent_owner != account:
            self.notes.append(
                f"{name} has to be assigned to you by the owner of {parent}: dataledger namespace assign {name} {format_did(descriptor.chain_id, account)}"
            )
            return None
        if parent is None and any(registrar) and registrar != account:
            self.notes.append(
                f"{name} has to be assigned to you by the registrar, {format_did(descriptor.chain_id, registrar)}"
            )
            return None
        return contracts.claim_namespace(descriptor, name, account)


class _Done:
    """What an earlier try, or others, did on the chain already."""

    def __init__(self) -> None:
        self.keys: set[bytes] = set()
        self.name = b""
        self.namespace_owner: bytes | None = None
        self.parent_owner: bytes | None = None

    @classmethod
    def on(cls, client: Client, account: bytes, namespace: str) -> _Done:
        """Read the contracts' events."""
        done = cls()
        parent = parent_of(namespace)
        for event in client.events(client.ledger.hints.start_block, client.head().number + 1):
            body = event.body
            if isinstance(body, AttributeChanged) and body.identity == account:
                if body.name.rstrip(b"\0") == contracts.KEY_ATTRIBUTE:
                    done.keys.add(body.content)
                elif body.name.rstrip(b"\0") == NAME_ATTRIBUTE:
                    done.name = body.content
            elif isinstance(body, NamespaceChanged) and body.name == namespace:
                done.namespace_owner = body.owner
            elif isinstance(body, NamespaceChanged) and body.name == parent:
                done.parent_owner = body.owner
        return done


def _registrar(text: str | None, account: bytes) -> bytes | None:
    if text is None:
        return None
    if text == "self":
        return account
    with asked():
        return parse_did(text)[1]


def _explained(error: Unfunded) -> Unfunded:
    """Say how to go on when a real chain's account has no money."""
    ether = -(-error.needed_wei // 10**12) / 10**6
    return Unfunded(
        str(error),
        address=error.address,
        needed_wei=error.needed_wei,
        hint=f"send at least {ether:g} ether to {error.address}, then run the same command again: it goes on",
    )
