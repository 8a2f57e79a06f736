"""Identities: ERC-1056 as resolvers read it, and the validity of keys and delegates in storage."""

from __future__ import annotations

import pytest

KEY_NAME = b"did/pub/Ed25519/veriKey".ljust(32, b"\0")
ANCHOR = b"anchor".ljust(32, b"\0")
RECORD = b"record".ljust(32, b"\0")
KEY = bytes(range(32))
DAY = 86_400
MAX_TIME = 2**63 - 1


@pytest.fixture
def calls(evm):
    return evm.identities.functions


@pytest.fixture
def identity(evm):
    return evm.accounts[1]


def unpack(validity: int) -> tuple[int, int, int]:
    """from_block, revoked_block, valid_to"""
    return validity & (2**64 - 1), (validity >> 64) & (2**64 - 1), validity >> 128


def test_topics_and_selectors_are_those_of_erc_1056(evm):
    topics = {
        "DIDOwnerChanged(address,address,uint256)": 1,
        "DIDDelegateChanged(address,bytes32,address,uint256,uint256)": 1,
        "DIDAttributeChanged(address,bytes32,bytes,uint256,uint256)": 1,
    }
    found = {
        f"{entry['name']}({','.join(i['type'] for i in entry['inputs'])})": sum(
            i["indexed"] for i in entry["inputs"]
        )
        for entry in evm.identities.abi
        if entry["type"] == "event"
    }
    assert found == topics
    functions = {
        f"{entry['name']}({','.join(i['type'] for i in entry['inputs'])})"
        for entry in evm.identities.abi
        if entry["type"] == "function"
    }
    assert functions >= {
        "identityOwner(address)",
        "changed(address)",
        "validDelegate(address,bytes32,address)",
        "changeOwner(address,address)",
        "addDelegate(address,bytes32,address,uint256)",
        "revokeDelegate(address,bytes32,address)",
        "setAttribute(address,bytes32,bytes,uint256)",
        "revokeAttribute(address,bytes32,bytes)",
    }


def test_identity_owns_itself_until_changed(evm, calls, identity):
    first, second = evm.accounts[2:4]
    assert calls.identityOwner(identity).call() == identity
    assert calls.changed(identity).call() == 0

    done = evm.send(calls.changeOwner(identity, first), identity)
    assert calls.identityOwner(identity).call() == first
    assert calls.changed(identity).call() == done.block
    assert done.events == [
        {"event": "DIDOwnerChanged", "identity": identity, "owner": first, "previousChange": 0}
    ]
    again = evm.send(calls.changeOwner(identity, second), first)
    assert again.events[0]["previousChange"] == done.block
    evm.refused(calls.changeOwner(identity, first), "not the identity's owner", identity)
    evm.refused(calls.changeOwner(identity, first), "not the identity's owner", first)


def test_owner_can_be_the_identity_again(evm, calls, identity):
    other = evm.accounts[2]
    evm.send(calls.changeOwner(identity, other), identity)
    evm.send(calls.changeOwner(identity, identity), other)
    assert calls.identityOwner(identity).call() == identity
    assert calls.owner_slot(identity).call() == int(identity, 16)


def test_strangers_can_do_nothing(evm, calls, identity):
    stranger = evm.accounts[2]
    evm.send(calls.setAttribute(identity, KEY_NAME, KEY, DAY), identity)
    evm.send(calls.addDelegate(identity, ANCHOR, evm.accounts[3], DAY), identity)
    for call in (
        calls.changeOwner(identity, stranger),
        calls.addDelegate(identity, ANCHOR, stranger, DAY),
        calls.revokeDelegate(identity, ANCHOR, evm.accounts[3]),
        calls.setAttribute(identity, KEY_NAME, bytes(32), DAY),
        calls.revokeAttribute(identity, KEY_NAME, KEY),
    ):
        evm.refused(call, "not the identity's owner", stranger)
        evm.refused(call, "not the identity's owner", evm.accounts[3])  # nor does a delegate speak for it


def test_nobody_writes_for_the_zero_identity(evm, calls):
    assert calls.identityOwner(evm.zero).call() == evm.zero
    evm.web3.eth.send_transaction({"from": evm.accounts[0], "to": evm.zero, "value": 10**18})
    for call in (
        calls.changeOwner(evm.zero, evm.accounts[0]),
        calls.addDelegate(evm.zero, ANCHOR, evm.accounts[0], DAY),
        calls.setAttribute(evm.zero, KEY_NAME, KEY, DAY),
        calls.revokeDelegate(evm.zero, ANCHOR, evm.accounts[0]),
        calls.revokeAttribute(evm.zero, KEY_NAME, KEY),
    ):
        evm.refused(call, "not the identity's owner")
        evm.refused(call, "nobody acts for zero", evm.zero, mine=False)  # a simulated call can come from zero


def test_key_is_published_once_and_revoked_once(evm, calls, identity):
    done = evm.send(calls.setAttribute(identity, KEY_NAME, KEY, DAY), identity)
    assert done.events == [
        {
            "event": "DIDAttributeChanged",
            "identity": identity,
            "name": KEY_NAME,
            "value": KEY,
            "validTo": done.time_unix_s + DAY,
            "previousChange": 0,
        }
    ]
    assert unpack(calls.keys(identity, KEY).call()) == (done.block, 0, done.time_unix_s + DAY)
    evm.refused(calls.setAttribute(identity, KEY_NAME, KEY, 2 * DAY), "key was already published", identity)

    gone = evm.send(calls.revokeAttribute(identity, KEY_NAME, KEY), identity)
    assert gone.events[0] | {"previousChange": 0} == done.events[0] | {"validTo": 0}
    assert gone.events[0]["previousChange"] == done.block
    assert unpack(calls.keys(identity, KEY).call()) == (done.block, gone.block, done.time_unix_s + DAY)
    evm.refused(calls.revokeAttribute(identity, KEY_NAME, KEY), "key was already revoked", identity)
    evm.refused(calls.setAttribute(identity, KEY_NAME, KEY, DAY), "key was already published", identity)
    evm.refused(calls.revokeAttribute(identity, KEY_NAME, bytes(32)), "no such key", identity)


def test_an_expired_key_can_still_be_revoked_but_not_renewed(evm, calls, identity):
    done = evm.send(calls.setAttribute(identity, KEY_NAME, KEY, 1), identity)
    evm.travel(done.time_unix_s + DAY)
    evm.refused(calls.setAttribute(identity, KEY_NAME, KEY, DAY), "key was already published", identity)
    gone = evm.send(calls.revokeAttribute(identity, KEY_NAME, KEY), identity)
    assert unpack(calls.keys(identity, KEY).call()) == (done.block, gone.block, done.time_unix_s + 1)


def test_a_key_belongs_to_its_identity(evm, calls, identity):
    other = evm.accounts[2]
    evm.send(calls.setAttribute(identity, KEY_NAME, KEY, DAY), identity)
    assert calls.keys(other, KEY).call() == 0
    evm.send(calls.setAttribute(other, KEY_NAME, KEY, DAY), other)


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_key_is_32_bytes(evm, calls, identity, size):
    evm.refused(calls.setAttribute(identity, KEY_NAME, bytes(size), DAY), "key is not 32 bytes", identity)
    evm.refused(calls.revokeAttribute(identity, KEY_NAME, bytes(size)), "key is not 32 bytes", identity)


def test_other_attributes_live_in_events(evm, calls, identity):
    name, content = b"did/svc/TlogTiles".ljust(32, b"\0"), b"https://example.org/log#1"
    for _ in range(2):  # again and again, unlike a key
        done = evm.send(calls.setAttribute(identity, name, content, DAY), identity)
        assert (done.events[0]["name"], done.events[0]["value"]) == (name, content)
    gone = evm.send(calls.revokeAttribute(identity, name, content), identity)
    assert gone.events[0]["validTo"] == 0
    evm.send(calls.revokeAttribute(identity, name, b"never set"), identity)
    evm.send(
        calls.setAttribute(identity, b"did/pub/Ed25519/veriKey/hex".ljust(32, b"\0"), KEY, DAY), identity
    )
    assert calls.keys(identity, KEY).call() == 0


def test_attribute_of_1024_bytes_and_not_one_more(evm, calls, identity):
    name = b"dataledger/name".ljust(32, b"\0")
    for content in (b"", b"x" * 1024):
        assert (
            evm.send(calls.setAttribute(identity, name, content, DAY), identity).events[0]["value"] == content
        )
        evm.send(calls.revokeAttribute(identity, name, content), identity)
    evm.refused(calls.setAttribute(identity, name, b"x" * 1025, DAY), "b''", identity)
    evm.refused(calls.revokeAttribute(identity, name, b"x" * 1025), "b''", identity)


def test_validity_has_a_first_and_a_last_second(evm, calls, identity):
    for key, validity in ((b"a" * 32, 1), (b"b" * 32, MAX_TIME - evm.now() - 1000)):
        done = evm.send(calls.setAttribute(identity, KEY_NAME, key, validity), identity)
        assert unpack(calls.keys(identity, key).call())[2] == done.time_unix_s + validity
    delegate = evm.accounts[2]
    for validity, reason in (
        (0, "validity is zero"),
        (MAX_TIME - evm.now() + 1, "validity is too long"),
        (2**256 - 1, "validity is too long"),
    ):
        evm.refused(calls.setAttribute(identity, KEY_NAME, KEY, validity), reason, identity)
        evm.refused(calls.setAttribute(identity, bytes(32), KEY, validity), reason, identity)
        evm.refused(calls.addDelegate(identity, ANCHOR, delegate, validity), reason, identity)


def test_delegate_is_added_once_and_revoked_once(evm, calls, identity):
    delegate = evm.accounts[2]
    done = evm.send(calls.addDelegate(identity, ANCHOR, delegate, DAY), identity)
    assert done.events == [
        {
            "event": "DIDDelegateChanged",
            "identity": identity,
            "delegateType": ANCHOR,
            "delegate": delegate,
            "validTo": done.time_unix_s + DAY,
            "previousChange": 0,
        }
    ]
    assert calls.validDelegate(identity, ANCHOR, delegate).call()
    assert not calls.validDelegate(identity, RECORD, delegate).call()
    assert not calls.validDelegate(identity, ANCHOR, identity).call()
    assert not calls.validDelegate(delegate, ANCHOR, delegate).call()
    evm.refused(calls.addDelegate(identity, ANCHOR, delegate, DAY), "delegate was already added", identity)
    evm.refused(calls.addDelegate(identity, ANCHOR, evm.zero, DAY), "delegate is zero", identity)

    gone = evm.send(calls.revokeDelegate(identity, ANCHOR, delegate), identity)
    assert gone.events[0] == done.events[0] | {"validTo": gone.time_unix_s, "previousChange": done.block}
    slot = calls.delegates(identity, ANCHOR, delegate).call()
    assert unpack(slot) == (done.block, gone.block, done.time_unix_s + DAY)
    assert not calls.validDelegate(identity, ANCHOR, delegate).call()
    evm.refused(calls.revokeDelegate(identity, ANCHOR, delegate), "delegate was already revoked", identity)
    evm.refused(calls.revokeDelegate(identity, RECORD, delegate), "no such delegate", identity)
    evm.refused(calls.addDelegate(identity, ANCHOR, delegate, DAY), "delegate was already added", identity)


def test_delegate_ends_after_its_last_second(evm, calls, identity):
    delegate = evm.accounts[2]
    done = evm.send(calls.addDelegate(identity, ANCHOR, delegate, 100), identity)
    evm.travel(done.time_unix_s + 100)
    assert calls.validDelegate(identity, ANCHOR, delegate).call({}, "pending")
    evm.tester.mine_block()
    evm.travel(done.time_unix_s + 101)
    assert not calls.validDelegate(identity, ANCHOR, delegate).call({}, "pending")


def test_deactivation_ends_everything_for_good(evm, calls, identity):
    delegate = evm.accounts[2]
    evm.send(calls.setAttribute(identity, KEY_NAME, KEY, DAY), identity)
    evm.send(calls.addDelegate(identity, ANCHOR, delegate, DAY), identity)
    kept = calls.keys(identity, KEY).call()

    done = evm.send(calls.changeOwner(identity, evm.zero), identity)
    assert done.events[0]["owner"] == evm.zero
    assert calls.owner_slot(identity).call() == done.block << 160
    assert calls.identityOwner(identity).call() == evm.zero
    assert not calls.validDelegate(identity, ANCHOR, delegate).call()
    assert calls.keys(identity, KEY).call() == kept  # what was valid before stays so
    for call in (
        calls.changeOwner(identity, identity),
        calls.setAttribute(identity, KEY_NAME, bytes(32), DAY),
        calls.revokeAttribute(identity, KEY_NAME, KEY),
        calls.addDelegate(identity, RECORD, delegate, DAY),
        calls.revokeDelegate(identity, ANCHOR, delegate),
    ):
        evm.refused(call, "not the identity's owner", identity)


def test_a_new_owner_leaves_keys_and_delegates_in_force(evm, calls, identity):
    new, delegate = evm.accounts[2:4]
    evm.send(calls.setAttribute(identity, KEY_NAME, KEY, DAY), identity)
    evm.send(calls.addDelegate(identity, ANCHOR, delegate, DAY), identity)
    evm.send(calls.changeOwner(identity, new), identity)
    assert calls.validDelegate(identity, ANCHOR, delegate).call()
    evm.send(calls.revokeDelegate(identity, ANCHOR, delegate), new)
    gone = evm.send(calls.revokeAttribute(identity, KEY_NAME, KEY), new)
    assert unpack(calls.keys(identity, KEY).call())[1] == gone.block


def test_events_of_one_block_are_one_link_of_the_chain(evm, calls, identity):
    before = evm.send(calls.setAttribute(identity, KEY_NAME, b"a" * 32, DAY), identity)
    first, second, third = evm.send_together(
        [
            (calls.setAttribute(identity, KEY_NAME, b"b" * 32, DAY), identity),
            (calls.revokeAttribute(identity, KEY_NAME, b"b" * 32), identity),
            (calls.changeOwner(identity, evm.accounts[2]), identity),
        ]
    )
    previous = [done.events[0]["previousChange"] for done in (first, second, third)]
    assert previous == [before.block, first.block, first.block]
    assert calls.changed(identity).call() == first.block
    from_block, revoked_block, _ = unpack(calls.keys(identity, b"b" * 32).call())
    assert from_block == revoked_block == first.block  # valid in no block
