"""Account and storage proofs of real chains, read by others: the trie package, rlp, and the node itself.

On the embedded chain the state is py-evm's; on anvil the node's own `eth_getProof` and header are verified
with `core` alone, and compared with what `Reader.proof` hands on.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import pytest
import rlp
from eth.rlp.accounts import Account
from eth.vm.forks.prague.blocks import PragueBlockHeader
from eth_utils import keccak
from rlp.sedes import BigEndianInt
from trie import HexaryTrie
from trie.exceptions import BadTrieProof, ValidationError

from ledger.chain import contracts
from ledger.chain.bound import LedgerClient
from ledger.chain.connect import open_sender
from ledger.chain.deploy import deploy
from ledger.chain.options import Options
from ledger.chain.rpc.node import RpcReader
from ledger.chain.transactions import address_of
from ledger.core import rlp as ours
from ledger.core.chain_facts import StorageProof
from ledger.core.errors import ProofInvalid
from ledger.core.hashing import keccak256
from ledger.core.header import parse_header
from ledger.core.identity import log_id
from ledger.core.layout import AnchorsLayout, IdentitiesLayout
from ledger.core.mpt import EMPTY_TRIE, verify_lookup
from tests.chain.conftest import Stand, funded_key

KEY = bytes(range(32))
REFUSED = (BadTrieProof, ValidationError, rlp.DecodingError)


@pytest.fixture
def party(stand, client) -> bytes:
    return anchored(stand, client)


def anchored(stand: Stand, client: LedgerClient) -> bytes:
    """Return the address of a party with a log of one checkpoint and a record key."""
    account_key = stand.funded_key()
    address = address_of(account_key)
    client.send(contracts.publish_key(stand.ledger, address, KEY, 3600), account_key)
    root = secrets.token_bytes(32)
    call = contracts.anchor(stand.ledger, address, 0, old_size=0, size=7, root=root, proof=[])
    client.send(call, account_key)
    return address


def slots_of(stand: Stand, party: bytes) -> list[tuple[bytes, bytes, bool]]:
    """Contract, slot, and whether something is there: a log's slots and a key's, and the same of nobody."""
    ledger, found = stand.ledger, []
    layout = AnchorsLayout.of(ledger)
    for identity, there in ((party, True), (bytes(19) + b"\1", False)):
        log = log_id(ledger.chain_id, ledger.address("Anchors"), identity, 0)
        for slot in (layout.head_slot(log), layout.checkpoint_slot(log, 0), layout.root_slot(log, 0)):
            found.append((ledger.address("Anchors"), slot, there))
        slots: list[bytes] = []
        IdentitiesLayout.of(ledger).key(
            identity, KEY, lambda slot, slots=slots: slots.append(slot) or bytes(32)
        )
        found.append((ledger.address("Identities"), slots[0], there))
    return found


def read_elsewhere(proof: StorageProof) -> Iterator[bytes]:
    """Read the slots' contents out of a proof with others' code only, from the block's hash."""
    assert keccak(proof.header) == proof.block.hash
    state_root = rlp.decode(proof.header)[3]
    raw = looked_up(state_root, proof.address, proof.account_nodes)
    storage_root = rlp.decode(raw, Account).storage_root if raw else EMPTY_TRIE
    for slot in proof.slots:
        value = looked_up(storage_root, slot.slot, slot.nodes)
        yield rlp.decode(value).rjust(32, b"\0") if value else bytes(32)


def looked_up(root: bytes, key: bytes, nodes: list[bytes]) -> bytes:
    found: bytes = HexaryTrie.get_from_proof(root, keccak(key), [rlp.decode(node) for node in nodes])
    return found


def test_our_proofs_are_read_by_others(stand, client: LedgerClient, party: bytes) -> None:
    head = client.head().number
    for contract, slot, there in slots_of(stand, party):
        proof = client.proof(contract, [slot], head)
        (content,) = read_elsewhere(proof)
        assert content == proof.slots[0].content == client.storage(contract, slot)
        assert any(content) is there


def test_absent_accounts_are_absent_elsewhere(client: LedgerClient, party: bytes) -> None:
    nobody = secrets.token_bytes(20)
    proof = client.proof(nobody, [bytes(32)], client.head().number)
    assert looked_up(rlp.decode(proof.header)[3], nobody, proof.account_nodes) == b""
    there = client.proof(party, [], client.head().number)
    state_root = rlp.decode(there.header)[3]
    raw = looked_up(state_root, party, there.account_nodes)
    assert rlp.decode(raw, Account).balance == client.balance_wei(party)


def test_changed_proofs_are_refused_here_and_there(stand, client: LedgerClient, party: bytes) -> None:
    for contract, slot, _ in slots_of(stand, party):
        proof = client.proof(contract, [slot], client.head().number)
        root = parse_header(proof.header, expected_hash=proof.block.hash).state_root
        for bad in (changed(proof.account_nodes), proof.account_nodes[:-1], []):
            with pytest.raises(ProofInvalid):
                verify_lookup(root, keccak256(contract), None, bad)
            with pytest.raises(REFUSED):
                looked_up(root, contract, bad)
        raw = looked_up(root, contract, proof.account_nodes)
        storage_root = rlp.decode(raw, Account).storage_root
        value = proof.slots[0].content.lstrip(b"\0")
        expected = ours.encode(value) if value else None
        for bad in (changed(proof.slots[0].nodes), proof.slots[0].nodes[:-1], []):
            with pytest.raises(ProofInvalid):
                verify_lookup(storage_root, keccak256(slot), expected, bad)
            with pytest.raises(REFUSED):
                looked_up(storage_root, slot, bad)


def changed(nodes: list[bytes]) -> list[bytes]:
    """One bit of one node flipped, wherever."""
    at = secrets.randbelow(len(nodes))
    node = bytearray(nodes[at])
    node[secrets.randbelow(len(node))] ^= 1 << secrets.randbelow(8)
    return [*nodes[:at], bytes(node), *nodes[at + 1 :]]


# --- the node's own words


@pytest.fixture(scope="module")
def anvil(anvil_url: str) -> Stand:
    """A ledger on anvil."""
    sender = open_sender(anvil_url)
    try:
        return Stand(sender.kind, anvil_url, deploy(sender, funded_key(anvil_url)))
    finally:
        sender.close()


@pytest.fixture
def node(anvil: Stand) -> Iterator[RpcReader]:
    """The node, asked without anything of ours in between but the transport."""
    reader = RpcReader(anvil.location, Options())
    yield reader
    reader.close()


def told(node: RpcReader, method: str, *params: Any) -> Any:
    return node._transport.call(method, *params)


def unhexed(text: str) -> bytes:
    return bytes.fromhex(text[2:])


_FIELDS = (
    *("parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom"),
    *("difficulty", "number", "gasLimit", "gasUsed", "timestamp", "extraData", "mixHash", "nonce"),
    *("baseFeePerGas", "withdrawalsRoot", "blobGasUsed", "excessBlobGas", "parentBeaconBlockRoot"),
    "requestsHash",
)
"""What JSON-RPC calls the fields of py-evm's header, in their order."""


def rebuilt(block: dict[str, str]) -> PragueBlockHeader:
    """Return py-evm's header of what the node says of a block; its own codecs say which are numbers."""
    values = {}
    for (name, codec), told_as in zip(PragueBlockHeader._meta.fields, _FIELDS, strict=True):
        is_number = isinstance(codec, BigEndianInt)
        values[name] = int(block[told_as], 16) if is_number else unhexed(block[told_as])
    return PragueBlockHeader(**values)


@pytest.mark.anvil
def test_the_nodes_header(node: RpcReader) -> None:
    """As py-evm encodes it, the header's keccak is the block's hash, and ours are the same bytes."""
    for number in range(1, node.head().number + 1):
        block = told(node, "eth_getBlockByNumber", hex(number), False)
        theirs = rlp.encode(rebuilt(block))
        assert keccak(theirs) == keccak256(theirs) == unhexed(block["hash"])
        assert node.proof(bytes(20), [], number).header == theirs
        header = parse_header(theirs, expected_hash=unhexed(block["hash"]))
        assert header.state_root == unhexed(block["stateRoot"])
        assert header.receipts_root == unhexed(block["receiptsRoot"])
        assert header.transactions_root == unhexed(block["transactionsRoot"])
        assert header.parent_hash == unhexed(block["parentHash"])
        assert header.extra_data == unhexed(block["extraData"])
        assert (hex(header.number), hex(header.time_unix_s)) == (block["number"], block["timestamp"])


@pytest.mark.anvil
def test_the_nodes_own_proofs(anvil: Stand, node: RpcReader) -> None:
    """eth_getProof as the node gives it, verified with core; what Reader.proof makes of it is the same."""
    client = anvil.open()
    party = anchored(anvil, client)
    client.close()
    block = node.head()
    header = parse_header(node.proof(party, [], block.number).header, expected_hash=block.hash)
    for contract, slot, there in slots_of(anvil, party):
        asked = ["0x" + contract.hex(), ["0x" + slot.hex()], hex(block.number)]
        answer = told(node, "eth_getProof", *asked)
        (entry,) = answer["storageProof"]
        account_nodes = [unhexed(each) for each in answer["accountProof"]]
        slot_nodes = [unhexed(each) for each in entry["proof"]]
        number = [int(answer[name], 16) for name in ("nonce", "balance")]
        account = [ours.encode_uint(each) for each in number]
        account += [unhexed(answer[name]) for name in ("storageHash", "codeHash")]
        verify_lookup(header.state_root, keccak256(contract), ours.encode(account), account_nodes)
        value = int(entry["value"], 16)
        expected = ours.encode(ours.encode_uint(value)) if value else None
        verify_lookup(unhexed(answer["storageHash"]), keccak256(slot), expected, slot_nodes)
        assert (value != 0) is there
        with pytest.raises(ProofInvalid):
            verify_lookup(
                unhexed(answer["storageHash"]), keccak256(slot), b"\1" if there else b"\2", slot_nodes
            )

        proof = node.proof(contract, [slot], block.number)
        assert (proof.account_nodes, proof.slots[0].nodes) == (account_nodes, slot_nodes)
        assert proof.slots[0].content == value.to_bytes(32, "big")
        assert (
            told(node, "eth_getStorageAt", asked[0], asked[1][0], asked[2])
            == "0x" + value.to_bytes(32, "big").hex()
        )
