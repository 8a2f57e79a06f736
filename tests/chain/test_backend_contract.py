"""What every kind of chain must do: one suite, run on each."""

from __future__ import annotations

import secrets
import time

import pytest

from ledger.chain import contracts
from ledger.chain.bound import LedgerClient
from ledger.chain.connect import open_reader, open_sender
from ledger.chain.interface import EMBEDDED, Call
from ledger.chain.transactions import address_of
from ledger.core.chain_facts import (
    Anchored,
    AttributeChanged,
    DelegateChanged,
    LogClosed,
    NamespaceChanged,
    OwnerChanged,
    Posted,
)
from ledger.core.errors import NotFound, Rejected, Unfunded, Usage
from ledger.core.hashing import keccak256
from ledger.core.header import parse_header
from ledger.core.identity import log_id
from ledger.core.layout import AnchorsLayout
from ledger.core.merkle import CompactTree, prove_consistency
from ledger.core.mpt import verify_lookup
from ledger.core.rlp import decode_list, encode

YEAR_S = 365 * 24 * 3600


def new_name() -> str:
    return "n" + secrets.token_hex(6)


class Party:
    """An account with some ether, and its log number 0."""

    def __init__(self, stand, client: LedgerClient) -> None:
        self.key = stand.funded_key()
        self.address = address_of(self.key)
        self.ledger = stand.ledger
        self.log = log_id(self.ledger.chain_id, self.ledger.address("Anchors"), self.address, 0)
        self.leaves: list[bytes] = []
        self.client = client

    def anchor(self, grow: int):
        old = len(self.leaves)
        self.leaves += [secrets.token_bytes(32) for _ in range(grow)]
        tree = CompactTree()
        tree.extend(self.leaves)
        proof = prove_consistency(old, len(self.leaves), self._hash_at) if old else []
        call = contracts.anchor(
            self.ledger, self.address, 0, old_size=old, size=len(self.leaves), root=tree.root(), proof=proof
        )
        return self.client.send(call, self.key), tree.root()

    def _hash_at(self, level: int, index: int) -> bytes:
        tree = CompactTree()
        tree.extend(self.leaves[index << level : (index + 1) << level])
        return tree.root()


@pytest.fixture
def party(stand, client):
    return Party(stand, client)


def bodies(client: LedgerClient, start: int, stop: int) -> list:
    return [event.body for event in client.events(start, stop)]


def test_identity_of_the_chain(stand, client):
    assert (client.chain_id, client.genesis) == (stand.ledger.chain_id, stand.ledger.genesis)
    first = client.block(0)
    assert (first.number, first.hash, first.parent_hash) == (0, client.genesis, bytes(32))
    assert 0 < client.chain_id < 2**53
    assert client.kind == stand.kind
    assert client.finality


def test_blocks_are_linked_and_end_at_the_head(client, party):
    party.anchor(1)
    head = client.head()
    assert client.block(head.number) == head
    assert client.block(head.number + 1) is None
    assert client.block(head.number + 10**6) is None
    for number in range(1, head.number + 1):
        assert client.block(number).parent_hash == client.block(number - 1).hash
    assert 0 <= client.final_number() <= head.number


def test_time_is_the_wall_clocks(client, party):
    block, _ = party.anchor(1)
    # fast blocks run ahead a second each; nothing lags behind
    assert -1 <= block.time_unix_s - time.time() + 1 <= block.number + 2
    assert client.log_head(party.log).time_unix_s == block.time_unix_s


def test_every_call_gives_its_event(stand, client, party):
    ledger, me, other = party.ledger, party.address, secrets.token_bytes(20)
    key, record, target = (secrets.token_bytes(32) for _ in range(3))
    name = new_name()
    start = client.head().number + 1
    calls = [
        contracts.publish_key(ledger, me, key, YEAR_S),
        contracts.revoke_key(ledger, me, key),
        contracts.add_delegate(ledger, me, contracts.ANCHOR_DELEGATE, other, YEAR_S),
        contracts.revoke_delegate(ledger, me, contracts.ANCHOR_DELEGATE, other),
        contracts.set_attribute(ledger, me, b"dataledger/name", "Żółć & Co".encode(), YEAR_S),
        contracts.revoke_attribute(ledger, me, b"dataledger/name", "Żółć & Co".encode()),
        contracts.claim_namespace(ledger, name, me),
        contracts.transfer_namespace(ledger, name, other),
        contracts.post(ledger, me, target, record),
        contracts.close_log(ledger, me, 7, at=0, successor=party.log),
        contracts.change_owner(ledger, me, other),
    ]
    block = client.send_all(calls, party.key)
    found = list(client.events(start, block.number + 1))
    times = {event.block: client.block(event.block).time_unix_s for event in found}
    expected = [
        AttributeChanged(me, contracts.word(contracts.KEY_ATTRIBUTE), key, YEAR_S),
        AttributeChanged(me, contracts.word(contracts.KEY_ATTRIBUTE), key, 0),
        DelegateChanged(me, contracts.word(b"anchor"), other, YEAR_S),
        DelegateChanged(me, contracts.word(b"anchor"), other, 0),
        AttributeChanged(me, contracts.word(b"dataledger/name"), "Żółć & Co".encode(), YEAR_S),
        AttributeChanged(me, contracts.word(b"dataledger/name"), "Żółć & Co".encode(), 0),
        NamespaceChanged(keccak256(name.encode()), name, me, 0),
        NamespaceChanged(keccak256(name.encode()), name, other, 1),
        Posted(me, target, 0, record),
        LogClosed(log_id(ledger.chain_id, ledger.address("Anchors"), me, 7), 0, party.log),
        OwnerChanged(me, other),
    ]
    for event, body in zip(found, expected, strict=True):
        got = event.body
        if isinstance(body, AttributeChanged | DelegateChanged):
            valid_to = got.valid_to_unix_s
            if body.valid_to_unix_s:
                assert valid_to == times[event.block] + YEAR_S
            else:
                assert valid_to <= times[event.block]
            got = type(body)(*[getattr(got, f) for f in got.__struct_fields__[:-1]], body.valid_to_unix_s)
        assert got == body
    order = [(event.block, event.log_index) for event in found]
    assert order == sorted(set(order))
    if stand.kind == EMBEDDED:
        assert len(times) == 1  # one block, one transaction of the file


def test_events_of_half_open_ranges(client, party):
    first, _ = party.anchor(1)
    second, _ = party.anchor(2)
    assert bodies(client, first.number, first.number) == []
    assert [body.size for body in bodies(client, first.number, second.number)] == [1]
    assert [body.size for body in bodies(client, first.number, second.number + 1)] == [1, 3]
    assert [body.size for body in bodies(client, second.number, 10**9)] == [3]
    assert bodies(client, 10**9, 10**9 + 5) == []


def test_logs_of_other_contracts_are_left_out(stand, client, party):
    # a contract whose creation emits a log with our topic: LOG1(0, 0, Anchored)
    topic = contracts.EVENTS["Anchors"][0].topic
    creation = b"\x7f" + topic + bytes.fromhex("60006000a1")
    block = client.send(Call(b"", creation, "creating a stranger"), party.key)
    assert bodies(client, block.number, block.number + 1) == []


def test_checkpoints(client, party):
    assert client.log_head(party.log) is None
    assert client.checkpoint_covering(party.log, 0) is None
    anchored = [party.anchor(grow) for grow in (1, 3, 1, 7)]
    sizes = [1, 4, 5, 12]
    for index in range(12):
        n = next(i for i, size in enumerate(sizes) if size > index)
        found = client.checkpoint_covering(party.log, index)
        block, root = anchored[n]
        assert (found.n, found.size, found.root) == (n, sizes[n], root)
        assert (found.block, found.time_unix_s) == (block.number, block.time_unix_s)
    assert client.checkpoint_covering(party.log, 12) is None
    assert client.log_head(party.log) == client.checkpoint_covering(party.log, 11)
    last = bodies(client, anchored[-1][0].number, anchored[-1][0].number + 1)
    assert last == [Anchored(party.log, party.address, 0, 3, 12, anchored[-1][1])]


def test_a_refusal_carries_the_contracts_reason_and_changes_nothing(client, party):
    name = new_name()
    client.send(contracts.claim_namespace(party.ledger, name, party.address), party.key)
    before = client.head()
    with pytest.raises(Rejected, match=f"claiming namespace {name}: .*namespace is taken"):
        client.send(contracts.claim_namespace(party.ledger, name, party.address), party.key)
    with pytest.raises(Rejected, match="not the author's owner"):
        client.send(contracts.post(party.ledger, bytes(20), bytes(32), bytes(32)), party.key)
    assert client.head() == before


def test_compare_and_set_refuses_the_second_anchor(client, party):
    root = secrets.token_bytes(32)
    call = contracts.anchor(party.ledger, party.address, 0, old_size=0, size=5, root=root, proof=[])
    client.send(call, party.key)
    with pytest.raises(Rejected, match="old size is not the anchored one"):
        client.send(call, party.key)


def test_calls_that_depend_on_each_other_go_out_together(client, party):
    name = new_name()
    client.send_all(
        [
            contracts.claim_namespace(party.ledger, name, party.address),
            contracts.claim_namespace(party.ledger, f"{name}.child", party.address),
            contracts.transfer_namespace(party.ledger, f"{name}.child", b"\x01" * 20),
        ],
        party.key,
    )


def test_nothing_to_send(client, party):
    with pytest.raises(Usage):
        client.send_all([], party.key)


def test_unfunded_names_address_and_amount(client, party):
    poor = secrets.token_bytes(32)
    with pytest.raises(Unfunded) as caught:
        client.send(contracts.claim_namespace(party.ledger, new_name(), address_of(poor)), poor)
    assert caught.value.address == "0x" + address_of(poor).hex()
    assert caught.value.address in str(caught.value)
    assert 0 < caught.value.needed_wei < 10**18
    assert caught.value.exit_code == 3
    with pytest.raises(Unfunded):
        client.require_funds([], address_of(poor), extra_gas=1)
    client.require_funds([], party.address, extra_gas=1)


def test_what_unfunded_asks_for_is_enough(stand, client):
    key = secrets.token_bytes(32)
    call = contracts.claim_namespace(stand.ledger, new_name(), address_of(key))
    sender = open_sender(stand.location)
    with pytest.raises(Unfunded) as caught:
        client.send(call, key)
    # a quarter more: a network's fee may rise before it is paid
    stand.fund(sender, address_of(key), caught.value.needed_wei * 5 // 4)
    sender.close()
    client.send(call, key)


def test_balance(stand, client):
    assert client.balance_wei(secrets.token_bytes(20)) == 0
    assert client.balance_wei(address_of(stand.funded_key())) == 10 * 10**18


def test_code(stand, client):
    assert client.code(secrets.token_bytes(20)) == b""
    assert keccak256(client.code(stand.ledger.address("Anchors"))) != keccak256(b"")


@pytest.mark.parametrize("absent", [False, True])
def test_storage_proofs_hold_from_the_block_hash(client, party, absent):
    old, _ = party.anchor(1)
    party.anchor(2)
    layout, anchors = AnchorsLayout.of(party.ledger), party.ledger.address("Anchors")
    log = secrets.token_bytes(32) if absent else party.log
    slots = [layout.head_slot(log), layout.checkpoint_slot(log, 0), layout.root_slot(log, 0)]
    proof = client.proof(anchors, slots, old.number)
    assert proof.block == old
    header = parse_header(proof.header, expected_hash=old.hash)
    account = _value(proof.account_nodes)
    verify_lookup(header.state_root, keccak256(anchors), account, proof.account_nodes)
    storage_root = decode_list(account)[2]
    for slot, entry in zip(slots, proof.slots, strict=True):
        assert entry.slot == slot
        stripped = entry.content.lstrip(b"\0")
        value = encode(stripped) if stripped else None
        verify_lookup(storage_root, keccak256(slot), value, entry.nodes)
        assert client.storage(anchors, slot, old.number) == entry.content
        assert any(entry.content) is not absent
    if not absent:
        assert client.storage(anchors, slots[0]) != proof.slots[0].content  # the log has grown since


def _value(nodes: list[bytes]) -> bytes:
    return decode_list(nodes[-1])[-1]


def test_proof_of_an_absent_account(client):
    proof = client.proof(secrets.token_bytes(20), [bytes(32)], client.head().number)
    assert proof.slots[0].content == bytes(32)
    assert proof.slots[0].nodes == []


def test_proof_beyond_the_head(client, party):
    with pytest.raises(NotFound):
        client.proof(party.address, [], client.head().number + 1000)


def test_a_reader_sees_what_a_client_does(stand, client, party):
    block, _ = party.anchor(4)
    reader = open_reader(stand.location, stand.ledger)
    assert reader.head() == block
    assert list(reader.events(0, 10**9)) == list(client.events(0, 10**9))
    assert reader.log_head(party.log).size == 4
    block, _ = party.anchor(1)
    assert reader.head() == block  # without opening it again
    assert reader.log_head(party.log).size == 5
    reader.close()
    reader.close()


def test_many_calls_in_turn(client, party):
    start = client.head().number
    for n in range(12):
        client.send(contracts.post(party.ledger, party.address, bytes(32), bytes([n + 1]) * 32), party.key)
    posted = [body for body in bodies(client, start, 10**9) if isinstance(body, Posted)]
    assert [(body.n, body.record[0]) for body in posted] == [(n, n + 1) for n in range(12)]
