"""Anchors against a model in Python: logs that grow, lie and close, by owner, delegate and stranger."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ledger.core.merkle import leaf_hash, prove_consistency, prove_inclusion, root_of

ANCHOR = b"anchor".ljust(32, b"\0")
DAY = 86_400
LEAVES = [leaf_hash(n.to_bytes(2, "big")) for n in range(400)]
FORGED = [leaf_hash(b"forged"), *LEAVES[1:]]

logs = st.sampled_from([0, 1])
growth = st.integers(1, 33)
senders = st.sampled_from(["owner", "owner", "delegate", "stranger"])


def hash_at_of(leaves: list[bytes]):
    return lambda level, index: root_of(leaves[index << level : (index + 1) << level])


hash_at = hash_at_of(LEAVES)


def root(size: int) -> bytes:
    return root_of(LEAVES[:size])


def proof(old_size: int, size: int) -> list[bytes]:
    return prove_consistency(old_size, size, hash_at) if old_size else []


class AnchorsMachine(RuleBasedStateMachine):
    """Two logs of one owner; what is kept of them must be the model's after every step."""

    def __init__(self, evm) -> None:
        super().__init__()
        self.evm = evm
        self.calls = evm.anchors.functions
        self.owner, self.delegate, self.stranger = evm.accounts[1:4]
        self.kept: list[list[tuple[int, int, int]]] = [[], []]  # by log: size, block, time
        self.closed: list[tuple[int, int, bytes] | None] = [None, None]  # by log: at, block, successor
        self.delegated = False
        self.log_ids = [self.calls.log_id(self.owner, number).call() for number in (0, 1)]

    def size(self, number: int) -> int:
        return self.kept[number][-1][0] if self.kept[number] else 0

    def sender(self, who: str) -> tuple[str, str]:
        """The account, and why it may not append (empty if it may)."""
        account = {"owner": self.owner, "delegate": self.delegate, "stranger": self.stranger}[who]
        allowed = who == "owner" or (who == "delegate" and self.delegated)
        return account, "" if allowed else "not the owner or an anchor delegate"

    @rule()
    def add_or_revoke_the_delegate(self):
        calls = self.evm.identities.functions
        if self.evm.storage(self.evm.identities, "delegates", self.owner, ANCHOR, self.delegate) == 0:
            self.evm.send(calls.addDelegate(self.owner, ANCHOR, self.delegate, DAY), self.owner)
            self.delegated = True
        elif self.delegated:
            self.evm.send(calls.revokeDelegate(self.owner, ANCHOR, self.delegate), self.owner)
            self.delegated = False

    @rule(number=logs, by=growth, who=senders)
    def append(self, number, by, who):
        old_size = self.size(number)
        size = min(old_size + by, len(LEAVES))
        sender, reason = self.sender(who)
        if not reason and self.closed[number]:
            reason = "log is closed"
        if not reason and size == old_size:
            reason = "size does not grow"
        call = self.calls.append(self.owner, number, old_size, size, root(size), proof(old_size, size))
        if reason:
            self.evm.refused(call, reason, sender, mine=False)
            return
        done = self.evm.send(call, sender)
        assert done.events == [
            {
                "event": "Anchored",
                "log_id": self.log_ids[number],
                "owner": self.owner,
                "number": number,
                "n": len(self.kept[number]),
                "size": size,
                "root": root(size),
            }
        ]
        self.kept[number].append((size, done.block, done.time_unix_s))

    @rule(
        number=logs,
        by=growth,
        lie=st.sampled_from(["fork", "fork with true proof", "flip", "drop", "add", "old", "root"]),
    )
    def lie(self, number, by, lie):
        old_size = self.size(number)
        size = old_size + by
        if not old_size or self.closed[number] or size > len(LEAVES):
            return
        claimed, nodes = root(size), proof(old_size, size)
        reason = "proof does not hold"
        if lie == "fork":
            claimed, nodes = root_of(FORGED[:size]), prove_consistency(old_size, size, hash_at_of(FORGED))
        elif lie == "fork with true proof":
            claimed = root_of(FORGED[:size])
        elif lie == "flip":
            nodes = [sha256(nodes[0]).digest(), *nodes[1:]]
        elif lie == "drop":
            nodes = nodes[:-1]
        elif lie == "add":
            nodes = [*nodes, claimed]
        elif lie == "old":
            old_size, nodes, reason = 0, [], "old size is not the anchored one"
        elif lie == "root":
            claimed = root(size - 1)
        call = self.calls.append(self.owner, number, old_size, size, claimed, nodes)
        self.evm.refused(call, reason, self.owner, mine=False)

    @rule(number=logs, at=st.integers(0, 3), successor=st.sampled_from([bytes(32), b"s" * 32]), who=senders)
    def close(self, number, at, successor, who):
        sender, _ = self.sender(who)
        call = self.calls.close(self.owner, number, at, successor)
        if who != "owner":
            reason = "not the owner"
        elif self.closed[number]:
            reason = "log is closed"
        else:
            reason = "no such checkpoint" if at > len(self.kept[number]) else ""
        if reason or len(self.kept[number]) < 2:  # let it live a little
            if reason:
                self.evm.refused(call, reason, sender, mine=False)
            return
        done = self.evm.send(call, sender)
        self.closed[number] = (at, done.block, successor)

    @rule(number=logs, data=st.data())
    def include(self, number, data):
        if not self.kept[number]:
            return
        n = data.draw(st.integers(0, len(self.kept[number]) - 1))
        size = self.kept[number][n][0]
        index = data.draw(st.integers(0, size - 1))
        path = prove_inclusion(index, size, hash_at)
        verify = self.calls.verify_inclusion
        assert self.evm.holds(verify(self.log_ids[number], n, index, LEAVES[index], path))
        assert not self.evm.holds(verify(self.log_ids[number], n, index, LEAVES[index + 1], path))

    @invariant()
    def storage_is_the_models(self):
        anchors = self.evm.anchors
        for log, kept, closed in zip(self.log_ids, self.kept, self.closed, strict=True):
            size = kept[-1][0] if kept else 0
            at, closed_block, successor = closed or (0, 0, bytes(32))
            head = len(kept) | size << 64 | closed_block << 128 | at << 192
            assert self.evm.storage(anchors, "heads", log) == head
            assert self.evm.storage(anchors, "successors", log) == int.from_bytes(successor, "big")
            for n, (each, block, time) in enumerate([*kept[-2:], (0, 0, 0)], start=max(0, len(kept) - 2)):
                word = each | block << 64 | time << 128
                assert self.evm.storage(anchors, "checkpoints", log, n) == word

    def teardown(self):
        for log, kept in zip(self.log_ids, self.kept, strict=True):
            for n, (size, block, time) in enumerate(kept):
                assert self.calls.checkpoint(log, n).call() == [size, block, time, root(size)]


@pytest.mark.parametrize("examples", [8, pytest.param(60, marks=pytest.mark.slow)])
def test_anchors_follow_the_model(evm, examples):
    evm.run_machine(AnchorsMachine, examples, steps=25)
