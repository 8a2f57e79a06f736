"""Calls and events, against the ABIs of the contracts as shipped."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.chain import abi, contracts
from ledger.chain.artifacts import load
from ledger.chain.deploy import NO_SALT, describe
from ledger.chain.interface import RawLog
from ledger.core.chain_facts import NamespaceChanged
from ledger.core.descriptor import CONTRACTS
from ledger.core.errors import Corrupt, Usage


class AnyChain:
    chain_id = 1337
    genesis = b"\x01" * 32


LEDGER = describe(AnyChain(), b"\x02" * 20, None, NO_SALT)


def signature(entry: dict) -> str:
    return f"{entry['name']}({','.join(each['type'] for each in entry['inputs'])})"


@pytest.mark.parametrize("name", CONTRACTS)
def test_functions_are_the_contracts(name):
    functions = {
        signature(entry)
        for entry in load(name).abi
        if entry["type"] == "function" and entry["stateMutability"] == "nonpayable"
    }
    assert set(contracts.SIGNATURES[name]) == functions


@pytest.mark.parametrize("name", CONTRACTS)
def test_events_are_the_contracts(name):
    entries = [entry for entry in load(name).abi if entry["type"] == "event"]
    theirs = {signature(entry): sum(each["indexed"] for each in entry["inputs"]) for entry in entries}
    assert theirs == {event.signature: len(event.indexed) for event in contracts.EVENTS[name]}
    for entry in entries:  # indexed ones come first: a log's topics are decoded before its data
        flags = [each["indexed"] for each in entry["inputs"]]
        assert flags == sorted(flags, reverse=True)


def test_the_deployers_function():
    (function,) = [entry for entry in load("Deployer").abi if entry["type"] == "function"]
    assert signature(function) == "deploy(bytes,bytes32)"


def namespace_log(name: str, n: int = 0, **changes) -> RawLog:
    event = contracts.EVENTS["Directory"][0]
    topics = (event.topic, b"\x07" * 32, bytes(12) + b"\x08" * 20)
    log = RawLog(5, 1, LEDGER.address("Directory"), topics, abi.encode(("string", "uint256"), (name, n)))
    return RawLog(**{field: getattr(log, field) for field in log.__struct_fields__} | changes)


@given(st.text(max_size=127), st.integers(0, 2**63 - 1))
def test_decoding(name, n):
    event = contracts.EventDecoder(LEDGER).decode(namespace_log(name, n))
    assert (event.block, event.log_index) == (5, 1)
    assert event.body == NamespaceChanged(b"\x07" * 32, name, b"\x08" * 20, n)


@pytest.mark.parametrize(
    "changes",
    [
        {"topics": ()},
        {"topics": (bytes(32),)},
        {"topics": (contracts.EVENTS["Directory"][0].topic,)},
        {"topics": (contracts.EVENTS["Directory"][0].topic, bytes(32), b"\x01" * 32)},
        {"data": b""},
        {"data": bytes(64)},
        {"data": abi.encode(("string", "uint256"), ("acme", 2**63))},
        {"address": bytes(20)},
        {"address": LEDGER.address("Anchors")},
    ],
)
def test_what_no_contract_of_ours_emits(changes):
    with pytest.raises(Corrupt, match="log 1 of block 5"):
        contracts.EventDecoder(LEDGER).decode(namespace_log("acme", **changes))


@given(st.binary(max_size=400), st.lists(st.binary(min_size=32, max_size=32), max_size=3))
def test_hostile_logs(data, topics):
    for name in CONTRACTS:
        for event in contracts.EVENTS[name]:
            log = RawLog(0, 0, LEDGER.address(name), (event.topic, *topics), data)
            with contextlib.suppress(Corrupt):
                contracts.EventDecoder(LEDGER).decode(log)


def test_callers_mistakes():
    with pytest.raises(Usage, match="bytes32"):
        contracts.post(LEDGER, bytes(20), b"short", bytes(32))
    with pytest.raises(Usage, match="uint64"):
        contracts.anchor(LEDGER, bytes(20), 0, old_size=0, size=2**64, root=bytes(32), proof=[])
    with pytest.raises(Usage, match="1024"):
        contracts.set_attribute(LEDGER, bytes(20), b"name", bytes(1025), 1)
    with pytest.raises(Usage, match="32 bytes of ASCII"):
        contracts.word(b"x" * 33)
