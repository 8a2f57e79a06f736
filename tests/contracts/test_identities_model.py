"""Identities against a model in Python: random owners, keys, delegates and times, any order, any sender."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

KEY_NAME = b"did/pub/Ed25519/veriKey".ljust(32, b"\0")
NAME = b"dataledger/name".ljust(32, b"\0")
TYPES = [b"anchor".ljust(32, b"\0"), b"record".ljust(32, b"\0")]
KEYS = [bytes([n]) * 32 for n in (1, 2)]
ZERO = "0x" + "00" * 20
MAX_TIME = 2**63 - 1

# positions among the chain's accounts: identities are the first three, and 4 stands for the zero address
who = st.integers(0, 4)
someone = st.integers(0, 2)
validities = st.sampled_from([0, 1, 30, 86_400, MAX_TIME])


@dataclass
class Validity:
    from_block: int
    valid_to: int
    revoked_block: int = 0

    def packed(self) -> int:
        return self.from_block | self.revoked_block << 64 | self.valid_to << 128


@dataclass
class Identity:
    owner: str
    slot: int = 0
    changed: int = 0
    keys: dict[bytes, Validity] = field(default_factory=dict)
    delegates: dict[tuple[bytes, str], Validity] = field(default_factory=dict)
    events: list[dict] = field(default_factory=list)


class IdentitiesMachine(RuleBasedStateMachine):
    """Each rule foretells the reason of a refusal or the exact event, then asks the chain."""

    def __init__(self, evm) -> None:
        super().__init__()
        self.evm = evm
        self.calls = evm.identities.functions
        self.accounts = [*evm.accounts[1:5], ZERO]
        self.model = {account: Identity(owner=account) for account in self.accounts}
        self.touched = self.accounts[0]

    def check(self, call, identity: str, sender: str, reason: str) -> tuple[int, int] | None:
        """Send; (block, time) where the model knows no reason against it."""
        self.touched = identity
        if sender != self.model[identity].owner:
            reason = "not the identity's owner"
        if reason:
            self.evm.refused(call, reason, sender, mine=False)
            return None
        done = self.evm.send(call, sender)
        self.event = done.events[0]
        assert len(done.events) == 1
        return done.block, done.time_unix_s

    def happened(self, identity: str, block: int, event: str, /, **fields) -> None:
        """The event was exactly this, and `changed` moves with it."""
        known = self.model[identity]
        expected = {"event": event, "identity": identity, "previousChange": known.changed, **fields}
        assert self.event == expected
        known.events.append(expected)
        known.changed = block

    def refusal_of_validity(self, validity: int) -> str:
        return {0: "validity is zero", MAX_TIME: "validity is too long"}.get(validity, "")

    def sender(self, identity: str, position: int | None) -> str:
        """The identity's owner in the model, if it can send; or the account at `position`."""
        owner = self.model[identity].owner
        if position is None and owner != ZERO:
            return owner
        return self.accounts[min(position or 0, 3)]

    senders = st.one_of(st.none(), st.none(), someone)

    @rule(identity=who, new=who, by=senders)
    def change_owner(self, identity, new, by):
        identity, new = self.accounts[identity], self.accounts[new]
        sender = self.sender(identity, by)
        done = self.check(self.calls.changeOwner(identity, new), identity, sender, "")
        if done:
            block, _ = done
            self.happened(identity, block, "DIDOwnerChanged", owner=new)
            self.model[identity].owner = new
            self.model[identity].slot = block << 160 if new == ZERO else int(new, 16)

    @rule(identity=someone, key=st.sampled_from(KEYS), validity=validities, by=senders)
    def publish_key(self, identity, key, validity, by):
        identity = self.accounts[identity]
        known = self.model[identity]
        reason = self.refusal_of_validity(validity) or (
            "key was already published" if key in known.keys else ""
        )
        call = self.calls.setAttribute(identity, KEY_NAME, key, validity)
        done = self.check(call, identity, self.sender(identity, by), reason)
        if done:
            block, time = done
            known.keys[key] = Validity(block, time + validity)
            self.happened(
                identity, block, "DIDAttributeChanged", name=KEY_NAME, value=key, validTo=time + validity
            )

    @rule(identity=someone, key=st.sampled_from(KEYS), by=senders)
    def revoke_key(self, identity, key, by):
        identity = self.accounts[identity]
        validity = self.model[identity].keys.get(key)
        reason = (
            "no such key" if validity is None else "key was already revoked" if validity.revoked_block else ""
        )
        call = self.calls.revokeAttribute(identity, KEY_NAME, key)
        done = self.check(call, identity, self.sender(identity, by), reason)
        if done:
            validity.revoked_block = done[0]
            self.happened(identity, done[0], "DIDAttributeChanged", name=KEY_NAME, value=key, validTo=0)

    @rule(identity=someone, kind=st.sampled_from(TYPES), delegate=who, validity=validities, by=senders)
    def add_delegate(self, identity, kind, delegate, validity, by):
        identity, delegate = self.accounts[identity], self.accounts[delegate]
        known = self.model[identity]
        if delegate == ZERO:
            reason = "delegate is zero"
        elif (kind, delegate) in known.delegates:
            reason = "delegate was already added"
        else:
            reason = self.refusal_of_validity(validity)
        call = self.calls.addDelegate(identity, kind, delegate, validity)
        done = self.check(call, identity, self.sender(identity, by), reason)
        if done:
            block, time = done
            known.delegates[kind, delegate] = Validity(block, time + validity)
            fields = {"delegateType": kind, "delegate": delegate, "validTo": time + validity}
            self.happened(identity, block, "DIDDelegateChanged", **fields)

    @rule(identity=someone, kind=st.sampled_from(TYPES), delegate=who, by=senders)
    def revoke_delegate(self, identity, kind, delegate, by):
        identity, delegate = self.accounts[identity], self.accounts[delegate]
        validity = self.model[identity].delegates.get((kind, delegate))
        if validity is None:
            reason = "no such delegate"
        else:
            reason = "delegate was already revoked" if validity.revoked_block else ""
        call = self.calls.revokeDelegate(identity, kind, delegate)
        done = self.check(call, identity, self.sender(identity, by), reason)
        if done:
            block, time = done
            validity.revoked_block = block
            fields = {"delegateType": kind, "delegate": delegate, "validTo": time}
            self.happened(identity, block, "DIDDelegateChanged", **fields)

    @rule(identity=someone, content=st.binary(max_size=80), by=senders)
    def say_something(self, identity, content, by):
        identity = self.accounts[identity]
        call = self.calls.setAttribute(identity, NAME, content, 60)
        done = self.check(call, identity, self.sender(identity, by), "")
        if done:
            block, time = done
            self.happened(identity, block, "DIDAttributeChanged", name=NAME, value=content, validTo=time + 60)

    @rule(seconds=st.sampled_from([1, 29, 31, 100_000]))
    def wait(self, seconds):
        self.evm.travel(self.evm.now() + seconds)

    @precondition(lambda self: self.model[self.touched].delegates)
    @rule(data=st.data())
    def ask_for_a_delegate(self, data):
        known = self.model[self.touched]
        kind, delegate = data.draw(st.sampled_from(sorted(known.delegates)))
        validity = known.delegates[kind, delegate]
        block = self.evm.web3.eth.get_block("latest")
        expected = (
            validity.from_block <= block["number"]
            and not validity.revoked_block
            and validity.valid_to >= block["timestamp"]
            and known.owner != ZERO
        )
        call = self.calls.validDelegate(self.touched, kind, delegate)
        assert call.call({}, block["number"]) == expected

    @invariant()
    def storage_is_the_models(self):
        known, storage = self.model[self.touched], self.evm.storage
        identities = self.evm.identities
        assert storage(identities, "owner_slot", self.touched) == known.slot
        assert storage(identities, "changed", self.touched) == known.changed
        for key, validity in known.keys.items():
            assert storage(identities, "keys", self.touched, key) == validity.packed()
        for (kind, delegate), validity in known.delegates.items():
            assert storage(identities, "delegates", self.touched, kind, delegate) == validity.packed()

    def teardown(self):
        for identity, known in self.model.items():
            assert walk(self.evm, identity) == known.events


def walk(evm, identity: str) -> list[dict]:
    """An identity's events, oldest first, found as resolvers do: block by block, from `changed` backwards."""
    events: list[dict] = []
    contract = evm.identities
    block = contract.functions.changed(identity).call()
    while block:
        in_block = []
        for event in (
            contract.events.DIDOwnerChanged,
            contract.events.DIDDelegateChanged,
            contract.events.DIDAttributeChanged,
        ):
            found = event().get_logs(
                from_block=block, to_block=block, argument_filters={"identity": identity}
            )
            in_block += [(log["logIndex"], dict(log["args"]) | {"event": log["event"]}) for log in found]
        assert in_block, f"changed points to block {block}, which has no event"
        in_block.sort(key=lambda one: one[0])
        events = [one for _, one in in_block] + events
        block = min(one["previousChange"] for _, one in in_block)
    return events


@pytest.mark.parametrize("examples", [5, pytest.param(60, marks=pytest.mark.slow)])
def test_identities_follow_the_model(evm, examples):
    evm.run_machine(IdentitiesMachine, examples, steps=25)
