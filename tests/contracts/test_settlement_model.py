"""Settlement against a model in Python: any calls, by anybody, at any time, in coins and in a token."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.contracts.settling import AMOUNT, TERM_S, Escrow

PARTIES = ("payer", "payees", "arbiter")


class SettlementMachine(RuleBasedStateMachine):
    """Each rule foretells the reason of a refusal, or what the parties have afterwards."""

    def __init__(self, evm) -> None:
        super().__init__()
        self.evm = evm

    @initialize(is_token=st.booleans(), has_arbiter=st.booleans())
    def create(self, is_token, has_arbiter):
        token = self.evm.create_from("Token") if is_token else None
        self.escrow = Escrow(self.evm, token, arbiter=has_arbiter)
        self.parties = [self.escrow.payer, *self.escrow.payees, self.escrow.stranger]
        if has_arbiter:
            self.parties.append(self.escrow.arbiter)
        if is_token:
            self.evm.send(token.functions.mint(self.escrow.payer, AMOUNT))
            self.evm.send(token.functions.approve(self.escrow.contract.address, AMOUNT), self.escrow.payer)
        self.state = 1
        self.owed = dict.fromkeys(self.parties, 0)
        self.paid = 0

    def check(self, call, reason: str, sender: str, wei: int = 0) -> bool:
        """Make the call; tell whether it was done, as foretold."""
        if reason:
            self.evm.refused(call, reason, sender, wei=wei, mine=False)
        else:
            self.evm.send(call, sender, wei=wei)
        return not reason

    def is_late(self) -> bool:
        return self.evm.now() >= self.escrow.deadline

    @rule(by=st.integers(0, 5), wei=st.sampled_from([AMOUNT, AMOUNT, AMOUNT, 0, 1]))
    def fund(self, by, wei):
        sender = self.parties[by % len(self.parties)] if by > 2 else self.escrow.payer
        wei = wei if self.escrow.token is None or wei == 1 else 0
        reason = ""
        if self.escrow.token is not None:
            reason = "coins for a token" if wei else ""
        elif wei != AMOUNT:
            reason = "wrong amount"
        if self.is_late():
            reason = "deadline has passed"
        if self.state != 1:
            reason = "funded already"
        if sender != self.escrow.payer:
            reason = "not the payer"
        if self.check(self.escrow.calls.fund(), reason, sender, wei):
            self.state = 2

    @rule(
        sides=st.sets(st.sampled_from(PARTIES)),
        parts=st.tuples(st.integers(0, AMOUNT // 2), st.integers(0, AMOUNT // 2)),
        fault=st.sampled_from(["", "", "", "", "amounts", "more", "signed"]),
    )
    def settle(self, sides, parts, fault):
        amounts = self.escrow.split(*parts)
        if self.escrow.arbiter == self.evm.zero:
            sides = sides - {"arbiter"}
        reason = ""
        if fault == "more":
            amounts[0] += 1
            reason = "not the whole amount"
        if len(sides) < 2:
            reason = "two sides must approve"
        changes = {}
        if fault == "signed":  # another split than the one to be paid
            changes = {"amounts": [amounts[1], amounts[0], *amounts[2:]]}
            if amounts[0] != amounts[1]:
                first = next((each for each in ("payer", "arbiter", "payees") if each in sides), "")
                words = {"payer": "the payer", "arbiter": "the arbiter", "payees": "the payee"}
                reason = f"not {words[first]}'s signature" if first else reason
        if fault == "amounts":
            amounts = amounts[:2]
            reason = "not an amount a payee" if len(sides) >= 2 else reason
            # the parties signed exactly this
            changes = self.signatures(amounts, sides)
        if self.is_late():
            reason = "deadline has passed"
        if self.state != 2:
            reason = "not funded"
        if self.check(self.escrow.settle(amounts, " ".join(sides), **changes), reason, self.escrow.stranger):
            self.state = 4
            self.owed |= dict(zip(self.escrow.payees, amounts, strict=True))

    def signatures(self, amounts, sides):
        """Signatures over amounts that are too few: the contract hashes what it is given."""
        sign = self.escrow.sign
        return {
            "by_payer": sign(self.escrow.payer, amounts) if "payer" in sides else b"",
            "by_payees": [sign(each, amounts) for each in self.escrow.payees] if "payees" in sides else [],
            "by_arbiter": sign(self.escrow.arbiter, amounts) if "arbiter" in sides else b"",
        }

    @rule(by=st.integers(0, 5))
    def refund(self, by):
        reason = "" if self.is_late() else "deadline has not passed"
        if self.state != 2:
            reason = "not funded"
        if self.check(self.escrow.calls.refund(), reason, self.parties[by % len(self.parties)]):
            self.state = 8
            self.owed[self.escrow.payer] = AMOUNT

    @rule(by=st.integers(0, 5), to=st.integers(0, 5))
    def withdraw(self, by, to):
        sender = self.parties[by % len(self.parties)]
        receiver = [*self.parties, self.evm.zero][to % (len(self.parties) + 1)]
        reason = "receiver is zero" if receiver == self.evm.zero else ""
        if not self.owed[sender]:
            reason = "nothing is owed"
        if self.check(self.escrow.calls.withdraw(receiver), reason, sender):
            self.paid += self.owed[sender]
            self.owed[sender] = 0

    @rule(part=st.sampled_from([10, 2, 1]))
    def wait(self, part):
        now = self.evm.now()
        self.evm.travel(now + TERM_S // part)

    @invariant()
    def what_is_held_is_what_is_owed(self):
        if not hasattr(self, "owed"):
            return
        held = 0 if self.state == 1 else AMOUNT - self.paid
        assert self.escrow.held() == held
        assert self.evm.storage(self.escrow.contract, "state") == self.state
        for party, amount in self.owed.items():
            assert self.evm.storage(self.escrow.contract, "owed", party) == amount
        if self.state > 2:
            assert sum(self.owed.values()) == held


@pytest.mark.parametrize("examples", [4, pytest.param(60, marks=pytest.mark.slow)])
def test_settlement_follows_the_model(evm, examples):
    evm.run_machine(SettlementMachine, examples, steps=15)
