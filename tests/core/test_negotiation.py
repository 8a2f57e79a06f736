"""Every step after every step as the Dataspace Protocol has it, and what else keeps one from following."""

from __future__ import annotations

from itertools import product
from typing import Any

import msgspec
import pytest

from ledger.core import digests
from ledger.core.errors import Unauthorized
from ledger.core.identity import format_did
from ledger.core.negotiation import NEXT, NEXT_TRANSFER, check_step, negotiation_state, transition_findings
from ledger.core.records import Agreement, Delivery, Registration, Resource, Statement
from ledger.core.records_rights import Terms

ALICE, BOB, CAROL = (format_did(0x539, bytes([n]) * 20) for n in (1, 2, 3))
HEAD: dict[str, Any] = {
    "ledger": "1a" * 32,
    "logs": ["2b" * 32],
    "authors": [ALICE],
    "time": "2025-01-31T12:00:00Z",
}
ASSET = [Resource("acme/x", {digests.ASSET: "ab" * 32})]
OTHER = [Resource("acme/y", {digests.ASSET: "ab" * 32})]
VERSION = [Resource("acme/x@1", {digests.FILE: "ab" * 32})]
NOW, BEFORE, DEAL = b"\1" * 32, b"\2" * 32, b"\3" * 32

# Dataspace Protocol 2025-1, drawn anew from its two state machines
NEGOTIATION = """
REQUESTED OFFERED | REQUESTED AGREED | REQUESTED TERMINATED | OFFERED REQUESTED | OFFERED ACCEPTED
OFFERED TERMINATED | ACCEPTED AGREED | ACCEPTED TERMINATED | AGREED VERIFIED | AGREED TERMINATED
VERIFIED FINALIZED | VERIFIED TERMINATED"""
TRANSFER = """
REQUESTED STARTED | REQUESTED TERMINATED | STARTED SUSPENDED | STARTED COMPLETED | STARTED TERMINATED
SUSPENDED STARTED | SUSPENDED TERMINATED"""


def pairs(text: str) -> set[tuple[str, str]]:
    return {
        (a, b) for a, b in (each.split() for line in text.split("\n") for each in line.split("|") if each)
    }


class Past:
    """Steps in dictionaries."""

    def __init__(self) -> None:
        self.statements: dict[bytes, Statement] = {}
        self.followers: dict[bytes, bytes] = {}

    def said(self, record_id: bytes) -> Statement | None:
        return self.statements.get(record_id)

    def follower(self, record_id: bytes) -> bytes | None:
        return self.followers.get(record_id)


def step(state: Any, previous: bytes = b"", **members: Any) -> Statement:
    has_terms = state in ("REQUESTED", "OFFERED", "AGREED") or not previous
    said = {
        "negotiation": "n",
        "provider": ALICE,
        "consumer": BOB,
        "previous": previous.hex(),
        "terms": Terms(rights=["use"]) if has_terms else None,
    }
    return Statement(ASSET, Agreement(**(HEAD | said | members), state=state))


def transfer(state: Any, previous: bytes = b"", **members: Any) -> Statement:
    said = {"process": "p", "agreement": DEAL.hex(), "previous": previous.hex()}
    return Statement(VERSION, Delivery(**(HEAD | said | members), state=state))


@pytest.fixture
def past() -> Past:
    made = Past()
    made.statements[DEAL] = step("FINALIZED")
    return made


def refused(statement: Statement, past: Past) -> str:
    with pytest.raises(Unauthorized) as caught:
        check_step(statement, NOW, past)
    assert caught.value.reason == "illegal-transition"
    (finding,) = transition_findings(statement, NOW, past)
    assert (finding.kind, finding.text) == ("illegal-transition", str(caught.value))
    return str(caught.value)


def allowed(statement: Statement, past: Past) -> None:
    check_step(statement, NOW, past)
    assert transition_findings(statement, NOW, past) == []


def test_every_state_after_every_state_of_a_negotiation(past: Past) -> None:
    states = [each for each in NEXT if each]
    good = pairs(NEGOTIATION)
    assert len(good) == 12
    for before, after in product(states, states):
        past.statements[BEFORE] = step(before)
        if (before, after) in good:
            allowed(step(after, BEFORE), past)
        else:
            assert f"{after} can't follow {before}" in refused(step(after, BEFORE), past)


def test_every_state_after_every_state_of_a_transfer(past: Past) -> None:
    states = [each for each in NEXT_TRANSFER if each]
    good = pairs(TRANSFER) | {("STARTED", "STARTED")}  # which reports what was delivered
    for before, after in product(states, states):
        past.statements[BEFORE] = transfer(before)
        if (before, after) in good:
            allowed(transfer(after, BEFORE), past)
        else:
            assert f"{after} can't follow {before}" in refused(transfer(after, BEFORE), past)


@pytest.mark.parametrize("state", [each for each in NEXT if each])
def test_first_steps_of_a_negotiation(past: Past, state: str) -> None:
    if state in ("REQUESTED", "OFFERED", "AGREED", "FINALIZED"):
        allowed(step(state), past)
    else:
        assert "can't follow nothing" in refused(step(state), past)


@pytest.mark.parametrize("state", [each for each in NEXT_TRANSFER if each])
def test_first_steps_of_a_transfer(past: Past, state: str) -> None:
    if state in ("REQUESTED", "STARTED", "COMPLETED"):
        allowed(transfer(state), past)
    else:
        assert "can't follow nothing" in refused(transfer(state), past)


def test_the_step_before_must_be_known(past: Past) -> None:
    assert "is not known" in refused(step("AGREED", BEFORE), past)


def test_one_step_follows_another(past: Past) -> None:
    past.statements[BEFORE] = step("OFFERED")
    past.followers[BEFORE] = NOW
    allowed(step("ACCEPTED", BEFORE), past)  # it is itself that follows
    past.followers[BEFORE] = DEAL
    assert f"{DEAL.hex()} followed" in refused(step("ACCEPTED", BEFORE), past)


@pytest.mark.parametrize("change", [{"negotiation": "m"}, {"provider": CAROL}, {"consumer": CAROL}])
def test_a_step_of_another_negotiation(past: Past, change: dict[str, str]) -> None:
    past.statements[BEFORE] = step("OFFERED")
    assert "of another negotiation" in refused(step("REQUESTED", BEFORE, **change), past)


@pytest.mark.parametrize("change", [{"process": "q"}, {"agreement": BEFORE.hex()}])
def test_a_step_of_another_transfer(past: Past, change: dict[str, str]) -> None:
    past.statements[BEFORE] = transfer("STARTED")
    assert "of another negotiation or transfer" in refused(transfer("COMPLETED", BEFORE, **change), past)


def test_agreements_and_deliveries_do_not_follow_one_another(past: Past) -> None:
    past.statements[BEFORE] = transfer("STARTED")
    assert "of another" in refused(step("AGREED", BEFORE), past)
    past.statements[BEFORE] = step("REQUESTED")
    assert "of another" in refused(transfer("STARTED", BEFORE), past)


def test_what_is_accepted_is_what_was_offered(past: Past) -> None:
    past.statements[BEFORE] = step("OFFERED")
    other = msgspec.structs.replace(step("ACCEPTED", BEFORE), subject=OTHER)
    assert "of another" in refused(other, past)
    allowed(msgspec.structs.replace(step("REQUESTED", BEFORE), subject=OTHER), past)  # a counter-proposal


def test_nothing_is_delivered_before_the_agreement_is_final(past: Past) -> None:
    allowed(transfer("COMPLETED"), past)
    past.statements[DEAL] = step("AGREED", BEFORE)
    assert "is not FINALIZED" in refused(transfer("COMPLETED"), past)
    past.statements[NOW], past.statements[BEFORE] = step("VERIFIED", DEAL), step("FINALIZED", NOW)
    past.followers |= {DEAL: NOW}
    assert "is not FINALIZED" in refused(transfer("COMPLETED"), past)
    past.followers |= {NOW: BEFORE}
    allowed(transfer("COMPLETED"), past)
    assert negotiation_state(DEAL, past) == "FINALIZED"
    assert negotiation_state(b"\7" * 32, past) == ""


def test_other_records_take_no_steps(past: Past) -> None:
    allowed(Statement(ASSET, Registration(**HEAD)), past)


def test_no_step_follows_one_that_was_not_allowed(past: Past) -> None:
    """VERIFIED stands behind a step that had been followed before: what is built on it changes nothing."""
    first, stray = b"\4" * 32, b"\5" * 32
    past.statements[first] = step("AGREED")
    past.statements[BEFORE] = step("VERIFIED", first)
    past.followers[first] = BEFORE
    past.statements[stray] = step("VERIFIED", first)
    allowed(step("FINALIZED", BEFORE), past)
    assert "was not allowed itself" in refused(step("FINALIZED", stray), past)
    assert negotiation_state(first, past) == "VERIFIED"


def test_a_transfer_begins_once(past: Past) -> None:
    begun = b"\6" * 32
    for state in ("REQUESTED", "STARTED", "COMPLETED"):
        (finding,) = transition_findings(transfer(state), NOW, past, begun)
        assert finding.kind == "illegal-transition"
        assert f"record {begun.hex()} began process p before" in finding.text
    past.statements[BEFORE] = transfer("STARTED")
    assert transition_findings(transfer("COMPLETED", BEFORE), NOW, past, begun) == []
    assert transition_findings(step("FINALIZED"), NOW, past, begun) == []
