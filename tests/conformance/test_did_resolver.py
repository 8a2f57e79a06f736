"""Our identities as others read them: the npm package ethr-did-resolver, unchanged, on a real node.

What a resolver shows at a block is compared with what the contract keeps in storage at that block, which is
what our own verdicts rest on. Resolvers rebuild an identity by walking its events backwards, so what is asked
of old blocks shows that no event was lost on the way.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from ledger.chain import contracts
from ledger.chain.bound import LedgerClient
from ledger.chain.connect import open_client, open_sender
from ledger.chain.interface import Call
from ledger.chain.options import Options
from ledger.chain.rpc.node import RpcReader
from ledger.chain.transactions import address_of
from ledger.core.chain_facts import AttributeChanged
from ledger.core.descriptor import LedgerDescriptor
from ledger.core.errors import Unfunded
from ledger.core.identity import format_did
from ledger.core.layout import IdentitiesLayout
from ledger.service import InitRequest, Ledger
from tests.chain.conftest import ETHER, fund, funded_key, running_anvil

SCRIPT = Path(__file__).parents[1] / "resolver" / "resolve.mjs"
NODE = shutil.which("node")

pytestmark = [
    pytest.mark.anvil,
    pytest.mark.slow,
    pytest.mark.skipif(
        NODE is None or not (SCRIPT.parent / "node_modules" / "ethr-did-resolver").is_dir(),
        reason="ethr-did-resolver is not installed: run `make anvil` (needs node and npm)",
    ),
]

ENV = {"DATALEDGER_PASSPHRASE": "correct horse"}
DAY_S = 24 * 3600
SERVED = "https://haina.example/log"
X, Y, Z = (bytes([n]) * 20 for n in (0x11, 0x22, 0x33))


class Resolver:
    """The published resolver, asked about the identities of one ledger."""

    def __init__(self, url: str, ledger: LedgerDescriptor) -> None:
        self._config = {
            "rpcUrl": url,
            "registry": "0x" + ledger.address("Identities").hex(),
            "chainId": hex(ledger.chain_id),
        }

    def __call__(self, *dids: str) -> list[Any]:
        """Resolve DIDs; `DID?versionId=BLOCK` asks what it was as of that block."""
        asked = json.dumps(self._config | {"dids": dids})
        done = subprocess.run(
            [str(NODE), str(SCRIPT)],
            input=asked,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        results = json.loads(done.stdout)
        assert [each["didResolutionMetadata"].get("error") for each in results] == [None] * len(dids), results
        return list(results)

    def one(self, did: str) -> Any:
        """Resolve one DID."""
        (found,) = self(did)
        return found


def record_keys(result: Any) -> set[str]:
    """The Ed25519 keys of a resolved document, in hex; each must be one that signs assertions."""
    document = result["didDocument"]
    found = [each for each in document["verificationMethod"] if each["type"].startswith("Ed25519")]
    assert {each["type"] for each in found} <= {"Ed25519VerificationKey2018", "Ed25519VerificationKey2020"}
    assert {each["id"] for each in found} <= set(document["assertionMethod"])
    assert {each["controller"] for each in found} <= {document["id"]}
    return {each["publicKeyHex"] for each in found}


def accounts(result: Any) -> dict[str, str]:
    """The accounts of a resolved document by the fragments of their ids: owner, and delegates."""
    return {
        each["id"].partition("#")[2]: each["blockchainAccountId"].lower().partition(":")[2].partition(":")[2]
        for each in result["didDocument"]["verificationMethod"]
        if "blockchainAccountId" in each
    }


def services(result: Any) -> list[tuple[str, str]]:
    """Type and endpoint of each service."""
    return [(each["type"], each["serviceEndpoint"]) for each in result["didDocument"].get("service", [])]


def told(url: str, method: str, *params: Any) -> Any:
    reader = RpcReader(url, Options())
    try:
        return reader._transport.call(method, *params)
    finally:
        reader.close()


def later(url: str, seconds: int = 5) -> None:
    """Make a block with a time of its own: anvil gives consecutive ones the same."""
    told(url, "evm_increaseTime", seconds)
    told(url, "evm_mine")


# --- one party's life, by the commands of the product


class Life:
    """What a party did: its keys in order of publishing, and the ledger it did it on."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder
        request = InitRequest(namespace="haina", name="Haina Appliances", chain=url)
        try:
            Ledger.init(folder, request, env=ENV)
        except Unfunded as error:
            self._pay(bytes.fromhex(error.address[2:]))
        Ledger.init(folder, request, env=ENV)
        with Ledger.open(folder, env=ENV) as ledger:
            self._live(ledger)
            self.did = ledger._context.party
            self.address = ledger._context.address
            self.account_key = ledger._context.account_key
            self.descriptor = ledger._context.descriptor

    def _pay(self, address: bytes) -> None:
        sender = open_sender(self.url)
        fund(sender, address)
        sender.close()

    def _live(self, ledger: Ledger) -> None:
        first = self._key(ledger)
        ledger.rotate_key()
        second = self._key(ledger)
        ledger.add_delegate("record", "0x" + X.hex(), days=10)
        ledger.add_delegate("anchor", "0x" + Y.hex(), days=10)
        later(self.url)
        ledger.revoke_key(first)
        ledger.revoke_delegate("record", "0x" + X.hex())
        later(self.url)
        ledger.serve_at(SERVED)
        ledger.rotate_key()
        third = self._key(ledger)
        later(self.url)
        self.keys = (first, second, third)

    def _key(self, ledger: Ledger) -> str:
        return str(ledger.status().key)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running_anvil() as running:
        yield running


@pytest.fixture(scope="module")
def life(url: str, tmp_path_factory: pytest.TempPathFactory) -> Life:
    return Life(url, tmp_path_factory.mktemp("haina"))


@pytest.fixture(scope="module")
def resolve(life: Life) -> Resolver:
    return Resolver(life.url, life.descriptor)


@pytest.fixture
def client(life: Life) -> Iterator[LedgerClient]:
    opened = open_client(life.url, life.descriptor)
    yield opened
    opened.close()


def kept(client: LedgerClient, identity: bytes, block: int) -> set[str]:
    """The keys that are valid at the end of a block by what the contract keeps: from, revoked, valid to."""
    time_unix_s = client.block(block).time_unix_s  # type: ignore[union-attr]
    layout, contract = IdentitiesLayout.of(client.ledger), client.ledger.address("Identities")
    published = {
        event.body.content
        for event in client.events(0, block + 1)
        if isinstance(event.body, AttributeChanged) and event.body.identity == identity
        if event.body.name.rstrip(b"\0") == contracts.KEY_ATTRIBUTE
    }
    valid = set()
    for key in published:
        state = layout.key(identity, key, lambda slot: client.storage(contract, slot, block))
        assert state is not None
        in_force = state.from_block <= block and not 0 < state.revoked_block <= block
        if in_force and state.valid_to_unix_s >= time_unix_s:
            valid.add(key.hex())
    return valid


def test_the_document_shows_what_holds(life: Life, resolve: Resolver) -> None:
    found = resolve.one(life.did)
    _, second, third = life.keys
    assert found["didDocument"]["id"] == life.did
    assert record_keys(found) == {second, third}
    assert services(found) == [("TlogTiles", SERVED)]
    # delegates of ours are of types that resolvers have no place for; nobody of them passes for a key
    assert accounts(found) == {"controller": "0x" + life.address.hex()}
    assert "deactivated" not in found["didDocumentMetadata"]


def test_no_block_of_its_history_is_lost(life: Life, resolve: Resolver, client: LedgerClient) -> None:
    """As of every block, the resolver shows exactly the keys that the contract's storage says were valid."""
    blocks = range(1, client.head().number + 1)
    results = resolve(*(f"{life.did}?versionId={block}" for block in blocks))
    shown = [record_keys(each) for each in results]
    assert shown == [kept(client, life.address, block) for block in blocks]
    first, second, third = life.keys
    assert [each for i, each in enumerate(shown) if i == 0 or shown[i - 1] != each] == [
        set(), {first}, {first, second}, {second}, {second, third},
    ]  # fmt: skip
    assert [services(each) for each in results][-1] == [("TlogTiles", SERVED)]
    assert [bool(services(each)) for each in results] == sorted(bool(services(each)) for each in results)


def test_somebody_who_never_said_anything(life: Life, resolve: Resolver) -> None:
    found = resolve.one(format_did(life.descriptor.chain_id, Z))
    assert accounts(found) == {"controller": "0x" + Z.hex()}
    assert record_keys(found) == set()
    assert services(found) == []


def test_another_registry_knows_nothing_of_it(life: Life, resolve: Resolver) -> None:
    """What these tests see comes from our contract: at another address there is nothing to be resolved."""
    resolve._config["registry"], ours = (
        "0x" + life.descriptor.address("Anchors").hex(),
        resolve._config["registry"],
    )
    try:
        with pytest.raises(AssertionError):
            resolve(life.did)
    finally:
        resolve._config["registry"] = ours


# --- what the commands don't do, by the contract's own calls


def identity(life: Life) -> tuple[bytes, bytes, str]:
    """A new account: its key, address and DID."""
    key = funded_key(life.url, ETHER)
    address = address_of(key)
    return key, address, format_did(life.descriptor.chain_id, address)


def in_one_block(life: Life, calls: Sequence[Call], key: bytes) -> int:
    """Send several calls and mine them together; returns the block."""
    blocks: list[int] = []

    def send() -> None:
        client = open_client(life.url, life.descriptor)
        blocks.append(client.send_all(calls, key).number)
        client.close()

    told(life.url, "evm_setAutomine", False)
    sending = threading.Thread(target=send)
    try:
        sending.start()
        deadline = time.monotonic() + 30
        while int(told(life.url, "txpool_status")["pending"], 16) < len(calls):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        later(life.url)
    finally:
        told(life.url, "evm_setAutomine", True)
        sending.join(30)
    (block,) = blocks
    return block


def test_many_events_in_one_block(life: Life, resolve: Resolver, client: LedgerClient) -> None:
    ledger, (key, me, did) = life.descriptor, identity(life)
    one, two, three = (bytes([n]) * 32 for n in (1, 2, 3))
    publish = [contracts.publish_key(ledger, me, each, 10 * DAY_S) for each in (one, two)]
    served = contracts.set_attribute(ledger, me, b"did/svc/TlogTiles", SERVED.encode(), 10 * DAY_S)
    first = in_one_block(life, [*publish, served], key)
    second = in_one_block(
        life,
        [contracts.revoke_key(ledger, me, one), contracts.publish_key(ledger, me, three, 10 * DAY_S)],
        key,
    )
    assert len(list(client.events(first, first + 1))) == 3
    before, after = resolve(f"{did}?versionId={first}", did)
    assert record_keys(before) == {one.hex(), two.hex()} == kept(client, me, first)
    assert record_keys(after) == {two.hex(), three.hex()} == kept(client, me, second)
    assert services(before) == services(after) == [("TlogTiles", SERVED)]


def test_a_key_ends_with_its_time(life: Life, resolve: Resolver, client: LedgerClient) -> None:
    ledger, (key, me, did) = life.descriptor, identity(life)
    short, long = b"\5" * 32, b"\6" * 32
    client.send_all(
        [contracts.publish_key(ledger, me, short, 60), contracts.publish_key(ledger, me, long, 9 * DAY_S)],
        key,
    )
    published = client.head().number
    later(life.url, 61)
    ended = client.head().number
    before, after = resolve(f"{did}?versionId={published}", f"{did}?versionId={ended}")
    assert record_keys(before) == {short.hex(), long.hex()} == kept(client, me, published)
    assert record_keys(after) == {long.hex()} == kept(client, me, ended)


def test_delegates_that_resolvers_know(life: Life, resolve: Resolver, client: LedgerClient) -> None:
    """Types that ERC-1056 names are shown with their accounts, and are gone once revoked."""
    ledger, (key, me, did) = life.descriptor, identity(life)
    client.send(contracts.add_delegate(ledger, me, b"veriKey", X, DAY_S), key)
    client.send(contracts.add_delegate(ledger, me, b"sigAuth", Y, DAY_S), key)
    added = client.head().number
    later(life.url)
    client.send(contracts.revoke_delegate(ledger, me, b"veriKey", X), key)
    later(life.url)
    before, after = resolve(f"{did}?versionId={added}", f"{did}?versionId={client.head().number}")
    assert set(accounts(before).values()) == {"0x" + each.hex() for each in (me, X, Y)}
    assert set(accounts(after).values()) == {"0x" + each.hex() for each in (me, Y)}
    (shown,) = before["didDocument"]["authentication"][1:]
    assert accounts(before)[shown.partition("#")[2]] == "0x" + Y.hex()


def test_another_owner_and_the_end(life: Life, resolve: Resolver, client: LedgerClient) -> None:
    """An owner changes nothing about keys; deactivation ends all, and what was before stays readable."""
    ledger, (key, me, did) = life.descriptor, identity(life)
    successor, heir, _ = identity(life)
    record_key = b"\7" * 32
    client.send(contracts.publish_key(ledger, me, record_key, DAY_S), key)
    client.send(contracts.change_owner(ledger, me, heir), key)
    owned = client.head().number
    found = resolve.one(did)
    assert accounts(found) == {"controller": "0x" + heir.hex()}
    assert record_keys(found) == {record_key.hex()}
    client.send(contracts.change_owner(ledger, me, bytes(20)), successor)
    ended, before = resolve(did, f"{did}?versionId={owned}")
    assert ended["didDocumentMetadata"]["deactivated"] is True
    assert ended["didDocument"]["verificationMethod"] == []
    assert ended["didDocumentMetadata"]["versionId"] == str(client.head().number)
    assert record_keys(before) == {record_key.hex()}
    assert "deactivated" not in before["didDocumentMetadata"]
    layout, contract = IdentitiesLayout.of(ledger), ledger.address("Identities")
    assert layout.deactivated_block(me, lambda slot: client.storage(contract, slot)) == client.head().number
