"""Directory: the grammar of names, who may claim and transfer, and the history in storage."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ledger.core.errors import FormatError
from ledger.core.hashing import keccak256
from ledger.core.names import check_namespace

# written again, so that contract and `core.names` can not be wrong together
LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
NAMESPACE = re.compile(rf"{LABEL}(\.{LABEL})*")
OUTSIDE = "byte outside a-z, 0-9, -"


@pytest.fixture
def calls(evm):
    return evm.directory.functions


def node(name: str) -> bytes:
    return keccak256(name.encode())


def entry(owner: str, block: int) -> int:
    return int(owner, 16) | block << 160


def test_first_come_first_served_without_a_registrar(evm, calls):
    party, other = evm.accounts[1:3]
    assert calls.owner_of("acme").call() == evm.zero
    assert calls.count(node("acme")).call() == 0
    evm.refused(calls.claim("acme", party), "not the party's owner", other)
    done = evm.send(calls.claim("acme", party), party)
    assert done.events == [
        {"event": "NamespaceChanged", "node": node("acme"), "owner": party, "name": "acme", "n": 0}
    ]
    assert calls.owner_of("acme").call() == party
    assert calls.count(node("acme")).call() == 1
    assert calls.history(node("acme"), 0).call() == entry(party, done.block)
    evm.refused(calls.claim("acme", party), "namespace is taken", party)
    evm.refused(calls.claim("acme", other), "namespace is taken", other)


def test_registrar_hands_out_top_labels(evm):
    registrar, party, keeper = evm.accounts[1:4]
    directory = evm.create("Directory", evm.identities.address, registrar)
    calls = directory.functions
    assert (calls.registrar().call(), calls.identities().call()) == (registrar, evm.identities.address)
    evm.refused(calls.claim("acme", party), "not the registrar", party)
    evm.send(calls.claim("acme", party), registrar)
    evm.refused(calls.claim("acme.weather", party), "not the parent's owner", registrar)
    evm.send(calls.claim("acme.weather", party), party)
    # the registrar is an identity: whoever owns it acts
    evm.send(evm.identities.functions.changeOwner(registrar, keeper), registrar)
    evm.refused(calls.claim("gz", party), "not the registrar", registrar)
    evm.send(calls.claim("gz", party), keeper)
    evm.send(evm.identities.functions.changeOwner(registrar, evm.zero), keeper)
    evm.refused(calls.claim("sz", party), "not the registrar", keeper)


def test_child_needs_its_parent_and_stays_when_that_moves(evm, calls):
    parent, child, new = evm.accounts[1:4]
    evm.refused(calls.claim("gz.weather", parent), "parent is not claimed", parent)
    evm.send(calls.claim("gz", parent), parent)
    evm.refused(calls.claim("gz.weather", child), "not the parent's owner", child)
    evm.send(calls.claim("gz.weather", child), parent)
    evm.send(calls.transfer("gz", new), parent)
    assert calls.owner_of("gz.weather").call() == child
    evm.refused(calls.claim("gz.traffic", parent), "not the parent's owner", parent)
    evm.send(calls.claim("gz.traffic", new), new)
    evm.refused(calls.claim("gz.weather.rain", new), "not the parent's owner", new)
    evm.send(calls.claim("gz.weather.rain", child), child)


def test_transfer_appends_to_the_history(evm, calls):
    party, other, keeper = evm.accounts[1:4]
    evm.refused(calls.transfer("acme", other), "namespace is not claimed", party)
    first = evm.send(calls.claim("acme", party), party)
    evm.refused(calls.transfer("acme", other), "not the namespace's owner", other)
    second = evm.send(calls.transfer("acme", other), party)
    assert second.events == [
        {"event": "NamespaceChanged", "node": node("acme"), "owner": other, "name": "acme", "n": 1}
    ]
    evm.refused(calls.transfer("acme", party), "not the namespace's owner", party)
    evm.send(evm.identities.functions.changeOwner(other, keeper), other)
    evm.refused(calls.transfer("acme", party), "not the namespace's owner", other)
    third = evm.send(calls.transfer("acme", party), keeper)
    assert [calls.history(node("acme"), n).call() for n in range(4)] == [
        entry(party, first.block),
        entry(other, second.block),
        entry(party, third.block),
        0,
    ]
    assert calls.count(node("acme")).call() == 3


def test_no_name_goes_to_nobody(evm, calls):
    party, gone = evm.accounts[1:3]
    evm.send(calls.claim("acme", party), party)
    evm.send(evm.identities.functions.changeOwner(gone, evm.zero), gone)
    for nobody in (evm.zero, gone):
        evm.refused(calls.claim("acme.weather", nobody), "party has no owner", party)
        evm.refused(calls.transfer("acme", nobody), "party has no owner", party)
        evm.refused(calls.claim("gz", nobody), "not the party's owner", party)
    evm.send(calls.transfer("acme", evm.accounts[3]), party)


def test_names_of_a_deactivated_party_stay_where_they_are(evm, calls):
    party = evm.accounts[1]
    evm.send(calls.claim("acme", party), party)
    evm.send(evm.identities.functions.changeOwner(party, evm.zero), party)
    evm.refused(calls.transfer("acme", evm.accounts[2]), "not the namespace's owner", party)
    evm.refused(calls.claim("acme.x", evm.accounts[2]), "not the parent's owner", party)
    evm.refused(calls.claim("acme", evm.accounts[2]), "namespace is taken", evm.accounts[2])


def test_two_owners_in_one_block_are_two_entries(evm, calls):
    party, other = evm.accounts[1:3]
    claimed, moved = evm.send_together(
        [(calls.claim("acme", party), party), (calls.transfer("acme", other), party)]
    )
    assert claimed.block == moved.block
    assert calls.history(node("acme"), 0).call() == entry(party, claimed.block)
    assert calls.history(node("acme"), 1).call() == entry(other, claimed.block)


@pytest.mark.parametrize(
    "name",
    ["a", "0", "a-b", "a--b", "0-0", "x" * 63, "gz.weather", "a.b.c.d", "x" * 63 + "." + "y" * 63, "9.z"],
)
def test_names_within_the_grammar(evm, calls, name):
    party = evm.accounts[1]
    for end in (n for n in range(1, len(name) + 1) if name[n : n + 1] in ("", ".")):
        evm.send(calls.claim(name[:end], party), party)
    assert calls.owner_of(name).call() == party


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "label is empty"),
        (".", "label is empty"),
        (".a", "label is empty"),
        ("a.", "label is empty"),
        ("a..b", "label is empty"),
        ("-", "label begins with a hyphen"),
        ("-a", "label begins with a hyphen"),
        ("a.-b", "label begins with a hyphen"),
        ("a-", "label ends with a hyphen"),
        ("a-.b", "label ends with a hyphen"),
        ("x" * 64, "label is longer than 63 bytes"),
        ("a." + "x" * 64, "label is longer than 63 bytes"),
        ("A", OUTSIDE),
        ("a b", OUTSIDE),
        ("a/b", OUTSIDE),
        ("a_b", OUTSIDE),
        ("a\0", OUTSIDE),
        ("\0", OUTSIDE),
        ("a`", OUTSIDE),
        ("a{", OUTSIDE),
        ("a:", OUTSIDE),
        ("ä", OUTSIDE),
        ("x" * 31 + "\0", OUTSIDE),
        ("x" * 32 + "Z", OUTSIDE),
        ("x" * 63 + "." + "y" * 62 + "!", OUTSIDE),
        ("x" * 63 + "." + "y" * 62 + "-", "label ends with a hyphen"),
        ("x" * 63 + "." + "y" * 64, "b''"),
    ],
)
def test_names_outside_the_grammar(evm, calls, name, reason):
    party = evm.accounts[1]
    for parent in ("a", "x" * 63):
        evm.send(calls.claim(parent, party), party)
    evm.refused(calls.claim(name, party), reason, party)


def names(draw_from: str) -> st.SearchStrategy[str]:
    return st.text(st.sampled_from(draw_from), max_size=127)


def is_namespace(name: str) -> bool:
    try:
        check_namespace(name)
    except FormatError:
        assert not NAMESPACE.fullmatch(name)
        return False
    assert NAMESPACE.fullmatch(name)
    return True


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.one_of(names("ab0-."), names("az09-.AZ_/ \0"), st.from_regex(NAMESPACE, fullmatch=True)))
@example(name="a.b")
def test_grammar_is_the_one_written_down(evm, name):
    """Refused for its form exactly where Python refuses it; else claimed, or its parent is missing."""
    if len(name) > 127:
        return
    party = evm.accounts[1]
    reason = evm.reason(evm.directory.functions.claim(name, party), party)
    if is_namespace(name):
        assert reason == ("parent is not claimed" if "." in name else "")
    else:
        assert reason.startswith(("label", "byte"))
