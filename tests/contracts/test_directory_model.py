"""Directory against a model in Python: claims and transfers, by anybody, with a registrar and without."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ledger.core.hashing import keccak256

ZERO = "0x" + "00" * 20
NAMES = ["a", "b", "a.b", "a.c", "b.a", "a.b.a", "a.b.c-d"]

accounts = st.integers(0, 3)
senders = st.one_of(st.none(), st.none(), st.none(), accounts)


class DirectoryMachine(RuleBasedStateMachine):
    """Each rule foretells the reason of a refusal, or the history entry."""

    def __init__(self, evm) -> None:
        super().__init__()
        self.evm = evm
        self.accounts = evm.accounts[1:5]
        self.owner_of = {account: account for account in self.accounts} | {ZERO: ZERO}
        self.history: dict[str, list[tuple[str, int]]] = {}

    @initialize(registrar=st.one_of(st.none(), st.just(0)))
    def deploy(self, registrar):
        self.registrar = ZERO if registrar is None else self.accounts[registrar]
        salt = b"model".ljust(32, b"\0")
        self.directory = self.evm.create("Directory", self.evm.identities.address, self.registrar, salt=salt)
        self.calls = self.directory.functions

    def current(self, name: str) -> str:
        return self.history[name][-1][0] if name in self.history else ZERO

    def sender(self, needed: str, position: int | None) -> str:
        """Who is needed, if there is such an account; or the account at `position`."""
        if position is None and needed != ZERO:
            return needed
        return self.accounts[position or 0]

    def check(self, call, sender: str, name: str, party: str, reason: str) -> None:
        if not reason and self.owner_of[party] == ZERO:
            reason = "party has no owner"
        if reason:
            self.evm.refused(call, reason, sender, mine=False)
            return
        done = self.evm.send(call, sender)
        entries = self.history.setdefault(name, [])
        assert done.events == [
            {
                "event": "NamespaceChanged",
                "node": keccak256(name.encode()),
                "owner": party,
                "name": name,
                "n": len(entries),
            }
        ]
        entries.append((party, done.block))

    @rule(name=st.sampled_from(NAMES), party=st.integers(0, 4), by=senders)
    def claim(self, name, party, by):
        party = [*self.accounts, ZERO][party]
        parent = name.rpartition(".")[0]
        if parent:
            needed, reason = self.owner_of[self.current(parent)], "not the parent's owner"
        elif self.registrar != ZERO:
            needed, reason = self.owner_of[self.registrar], "not the registrar"
        else:
            needed, reason = self.owner_of[party], "not the party's owner"
        sender = self.sender(needed, by)
        if sender == needed:
            reason = ""
        if parent and parent not in self.history:
            reason = "parent is not claimed"
        if name in self.history:
            reason = "namespace is taken"
        self.check(self.calls.claim(name, party), sender, name, party, reason)

    @rule(name=st.sampled_from(NAMES), party=st.integers(0, 4), by=senders)
    def transfer(self, name, party, by):
        party = [*self.accounts, ZERO][party]
        needed = self.owner_of[self.current(name)]
        sender = self.sender(needed, by)
        reason = "" if sender == needed else "not the namespace's owner"
        if name not in self.history:
            reason = "namespace is not claimed"
        self.check(self.calls.transfer(name, party), sender, name, party, reason)

    @rule(identity=accounts, new=st.integers(0, 6))
    def change_owner(self, identity, new):
        identity = self.accounts[identity]
        new = [*self.accounts, *self.accounts[:2], ZERO][new]
        if self.owner_of[identity] != ZERO:
            self.evm.send(self.evm.identities.functions.changeOwner(identity, new), self.owner_of[identity])
            self.owner_of[identity] = new

    @invariant()
    def storage_is_the_models(self):
        for name, entries in self.history.items():
            node = keccak256(name.encode())
            assert self.evm.storage(self.directory, "count", node) == len(entries)
            owner, block = entries[-1]
            last = self.evm.storage(self.directory, "history", node, len(entries) - 1)
            assert last == int(owner, 16) | block << 160

    def teardown(self):
        for name in NAMES:
            node, entries = keccak256(name.encode()), self.history.get(name, [])
            assert self.calls.owner_of(name).call() == self.current(name)
            for n, (owner, block) in enumerate([*entries, (ZERO, 0)]):
                assert self.evm.storage(self.directory, "history", node, n) == int(owner, 16) | block << 160


@pytest.mark.parametrize("examples", [4, pytest.param(60, marks=pytest.mark.slow)])
def test_directory_follows_the_model(evm, examples):
    evm.run_machine(DirectoryMachine, examples, steps=25)
