"""Revocations against a model in Python."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

TARGETS = [bytes([n]) * 32 for n in range(3)]
RECORDS = [bytes([n]) * 32 for n in range(4)]


class RevocationsMachine(RuleBasedStateMachine):
    """Posts by owners and others, with owners that change."""

    def __init__(self, evm) -> None:
        super().__init__()
        self.evm = evm
        self.accounts = evm.accounts[1:4]
        self.owner_of = {account: account for account in self.accounts}
        self.posts: dict[tuple[str, bytes], list[tuple[bytes, int]]] = {}

    @rule(
        author=st.integers(0, 2),
        about=st.sampled_from(TARGETS),
        record=st.sampled_from(RECORDS),
        by=st.one_of(st.none(), st.none(), st.integers(0, 2)),
    )
    def post(self, author, about, record, by):
        author, target = self.accounts[author], about
        owner = self.owner_of[author]
        sender = owner if by is None and owner != self.evm.zero else self.accounts[by or 0]
        reason = "record is zero" if record == bytes(32) else ""
        if sender != owner:
            reason = "not the author's owner"
        call = self.evm.revocations.functions.post(author, target, record)
        if reason:
            self.evm.refused(call, reason, sender, mine=False)
            return
        done = self.evm.send(call, sender)
        posts = self.posts.setdefault((author, target), [])
        assert done.events == [
            {"event": "Posted", "author": author, "target": target, "n": len(posts), "record": record}
        ]
        posts.append((record, done.block))

    @rule(identity=st.integers(0, 2), new=st.integers(0, 3))
    def change_owner(self, identity, new):
        identity, new = self.accounts[identity], [*self.accounts, self.evm.zero][new]
        owner = self.owner_of[identity]
        if owner != self.evm.zero:
            self.evm.send(self.evm.identities.functions.changeOwner(identity, new), owner)
            self.owner_of[identity] = new

    @invariant()
    def storage_is_the_models(self):
        storage, contract = self.evm.storage, self.evm.revocations
        for (author, target), posts in self.posts.items():
            assert storage(contract, "count", author, target) == len(posts)
            for n, (record, block) in enumerate([*posts, (bytes(32), 0)]):
                assert storage(contract, "record_at", author, target, n) == int.from_bytes(record, "big")
                assert storage(contract, "block_at", author, target, n) == block


@pytest.mark.parametrize("examples", [3, pytest.param(60, marks=pytest.mark.slow)])
def test_revocations_follow_the_model(evm, examples):
    evm.run_machine(RevocationsMachine, examples, steps=20)
