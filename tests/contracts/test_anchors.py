"""Anchors: compare-and-set with a proof, who may append and close, and what is kept of it."""

from __future__ import annotations

import pytest
from eth_abi import encode

from ledger.core.hashing import keccak256
from ledger.core.merkle import leaf_hash, prove_consistency, prove_inclusion, root_of

ANCHOR = b"anchor".ljust(32, b"\0")
RECORD = b"record".ljust(32, b"\0")
DAY = 86_400
LEAVES = [leaf_hash(bytes([n])) for n in range(64)]
NO_LOG = bytes(32)


def hash_at(level: int, index: int) -> bytes:
    return root_of(LEAVES[index << level : (index + 1) << level])


def root(size: int) -> bytes:
    return root_of(LEAVES[:size])


def proof(old_size: int, size: int) -> list[bytes]:
    return prove_consistency(old_size, size, hash_at) if old_size else []


@pytest.fixture
def calls(evm):
    return evm.anchors.functions


@pytest.fixture
def owner(evm):
    return evm.accounts[1]


@pytest.fixture
def append(evm, calls, owner):
    """Append truly from one size to another, to log 0 of the owner."""

    def append(old_size: int, size: int):
        return evm.send(calls.append(owner, 0, old_size, size, root(size), proof(old_size, size)), owner)

    return append


def test_log_id_binds_chain_contract_owner_and_number(evm, calls, owner):
    for number in (0, 1, 2**63 - 1, 2**256 - 1):
        parts = [evm.web3.eth.chain_id, evm.anchors.address, owner, number]
        expected = keccak256(encode(["uint256", "address", "address", "uint256"], parts))
        assert calls.log_id(owner, number).call() == expected
    elsewhere = evm.create("Anchors", evm.identities.address, salt=b"elsewhere".ljust(32, b"\0"))
    assert elsewhere.functions.log_id(owner, 0).call() != calls.log_id(owner, 0).call()


def test_checkpoints_are_all_kept(evm, calls, owner, append):
    log = calls.log_id(owner, 0).call()
    assert calls.head(log).call() == [0, 0, 0]
    kept = []
    for n, (old_size, size) in enumerate([(0, 1), (1, 7), (7, 8), (8, 64)]):
        done = append(old_size, size)
        kept.append([size, done.block, done.time_unix_s, root(size)])
        assert done.events == [
            {
                "event": "Anchored",
                "log_id": log,
                "owner": owner,
                "number": 0,
                "n": n,
                "size": size,
                "root": root(size),
            }
        ]
        assert calls.head(log).call() == [n + 1, size, 0]
    assert [calls.checkpoint(log, n).call() for n in range(5)] == [*kept, [0, 0, 0, bytes(32)]]
    assert calls.closure(log).call() == [0, 0, NO_LOG]


def test_logs_of_one_owner_do_not_mix(evm, calls, owner):
    for number in (0, 1, 2**63 - 1):
        evm.send(calls.append(owner, number, 0, number % 60 + 1, root(number % 60 + 1), []), owner)
        assert calls.head(calls.log_id(owner, number).call()).call() == [1, number % 60 + 1, 0]
    evm.refused(calls.append(owner, 2**63, 0, 1, root(1), []), "number is too large", owner)
    evm.refused(calls.close(owner, 2**63, 0, NO_LOG), "number is too large", owner)


def test_a_retry_anchors_once(evm, calls, owner, append):
    append(0, 5)
    again = calls.append(owner, 0, 0, 5, root(5), [])
    evm.refused(again, "old size is not the anchored one", owner)
    append(5, 9)
    evm.refused(again, "old size is not the anchored one", owner)
    evm.refused(calls.append(owner, 0, 5, 9, root(9), proof(5, 9)), "old size is not the anchored one", owner)


def test_a_log_only_grows(evm, calls, owner, append):
    evm.refused(calls.append(owner, 0, 0, 0, root(1), []), "size does not grow", owner)
    append(0, 9)
    evm.refused(calls.append(owner, 0, 9, 9, root(9), []), "size does not grow", owner)
    evm.refused(calls.append(owner, 0, 9, 5, root(5), proof(5, 9)), "size does not grow", owner)
    evm.refused(calls.append(owner, 0, 9, 2**63, root(10), proof(9, 10)), "size is too large", owner)
    evm.refused(calls.append(owner, 0, 9, 10, root(10), proof(9, 11)), "proof does not hold", owner)
    evm.send(calls.append(owner, 1, 0, 2**63 - 1, root(10), []), owner)
    evm.refused(calls.append(owner, 2, 0, 2**63, root(10), []), "size is too large", owner)


def test_history_can_not_be_rewritten(evm, calls, owner, append):
    append(0, 7)
    forged = [*LEAVES[:3], leaf_hash(b"other"), *LEAVES[4:20]]

    def forged_at(level: int, index: int) -> bytes:
        return root_of(forged[index << level : (index + 1) << level])

    false = prove_consistency(7, 20, forged_at)
    for call in (
        calls.append(owner, 0, 7, 20, root_of(forged), false),
        calls.append(owner, 0, 7, 20, root_of(forged), proof(7, 20)),
        calls.append(owner, 0, 7, 20, root(20), false),
        calls.append(owner, 0, 7, 20, root(20), []),
        calls.append(owner, 0, 7, 20, root(20), proof(7, 20)[:-1]),
        calls.append(owner, 0, 7, 20, root(20), [*proof(7, 20), root(20)]),
        calls.append(owner, 0, 7, 20, root(20), proof(7, 20)[::-1]),
        calls.append(owner, 0, 7, 20, root(7), proof(7, 20)),
    ):
        evm.refused(call, "proof does not hold", owner)
    append(7, 20)


def test_first_checkpoint_has_no_proof(evm, calls, owner, append):
    evm.refused(calls.append(owner, 0, 0, 4, root(4), [root(4)]), "first checkpoint has a proof", owner)
    evm.refused(calls.append(owner, 0, 3, 4, root(4), proof(3, 4)), "old size is not the anchored one", owner)
    append(0, 4)


def test_a_proof_of_more_than_64_nodes_can_not_be_sent(evm, calls, owner, append):
    append(0, 7)
    evm.refused(calls.append(owner, 0, 7, 9, root(9), [bytes(32)] * 64), "proof does not hold", owner)
    evm.refused(calls.append(owner, 0, 7, 9, root(9), [bytes(32)] * 65), "b''", owner)


def test_owner_and_anchor_delegates_append(evm, calls, owner):
    stranger, delegate, recorder, keeper = evm.accounts[2:6]
    identities = evm.identities.functions
    refusal = "not the owner or an anchor delegate"
    done = evm.send(identities.addDelegate(owner, ANCHOR, delegate, DAY), owner)
    evm.send(identities.addDelegate(owner, RECORD, recorder, DAY), owner)

    sizes = iter(range(64))
    old_size = next(sizes)

    def next_append():
        return calls.append(
            owner, 0, old_size, old_size + 1, root(old_size + 1), proof(old_size, old_size + 1)
        )

    for sender in (owner, delegate):
        evm.send(next_append(), sender)
        old_size = next(sizes)
    for sender in (stranger, recorder, keeper):
        evm.refused(next_append(), refusal, sender)
    evm.send(identities.changeOwner(owner, keeper), owner)
    evm.refused(next_append(), refusal, owner)
    for sender in (keeper, delegate):
        evm.send(next_append(), sender)
        old_size = next(sizes)
    evm.travel(done.time_unix_s + DAY + 1)
    evm.tester.mine_block()
    evm.refused(next_append(), refusal, delegate)
    evm.send(identities.addDelegate(owner, ANCHOR, stranger, DAY), keeper)
    evm.send(next_append(), stranger)
    old_size = next(sizes)
    evm.send(identities.revokeDelegate(owner, ANCHOR, stranger), keeper)
    evm.refused(next_append(), refusal, stranger)
    evm.send(identities.changeOwner(owner, evm.zero), keeper)
    for sender in (owner, keeper, delegate, stranger):
        evm.refused(next_append(), refusal, sender)
        evm.refused(calls.append(evm.zero, 0, 0, 1, root(1), []), refusal, sender)


def test_closing_ends_a_log(evm, calls, owner, append):
    delegate, stranger = evm.accounts[2:4]
    log, successor = calls.log_id(owner, 0).call(), calls.log_id(owner, 1).call()
    evm.send(evm.identities.functions.addDelegate(owner, ANCHOR, delegate, DAY), owner)
    append(0, 3)
    append(3, 5)
    for sender in (delegate, stranger):
        evm.refused(calls.close(owner, 0, 1, successor), "not the owner", sender)
    evm.refused(calls.close(owner, 0, 3, successor), "no such checkpoint", owner)
    evm.refused(calls.close(owner, 0, 1, log), "log can't succeed itself", owner)

    before = [calls.checkpoint(log, n).call() for n in range(2)]
    done = evm.send(calls.close(owner, 0, 1, successor), owner)
    assert done.events == [{"event": "LogClosed", "log_id": log, "at": 1, "successor": successor}]
    assert calls.head(log).call() == [2, 5, done.block]
    assert calls.closure(log).call() == [1, done.block, successor]
    assert [calls.checkpoint(log, n).call() for n in range(2)] == before
    evm.refused(calls.append(owner, 0, 5, 9, root(9), proof(5, 9)), "log is closed", owner)
    evm.refused(calls.close(owner, 0, 2, successor), "log is closed", owner)
    evm.send(calls.append(owner, 1, 0, 9, root(9), []), owner)


@pytest.mark.parametrize("size", [0, 5])
def test_a_log_can_be_closed_before_and_at_any_checkpoint(evm, calls, owner, append, size):
    if size:
        append(0, size)
    log, count = calls.log_id(owner, 0).call(), int(size > 0)
    done = evm.send(calls.close(owner, 0, count, NO_LOG), owner)
    assert calls.closure(log).call() == [count, done.block, NO_LOG]
    evm.refused(
        calls.append(owner, 0, size, size + 1, root(size + 1), proof(size, size + 1)), "log is closed", owner
    )


def test_inclusion(evm, calls, owner, append):
    log = calls.log_id(owner, 0).call()
    sizes = [3, 8, 21]
    for old_size, size in zip([0, *sizes], sizes, strict=False):
        append(old_size, size)
    for n, size in enumerate(sizes):
        for index in range(size):
            path = prove_inclusion(index, size, hash_at)
            assert evm.holds(calls.verify_inclusion(log, n, index, LEAVES[index], path))
    path = prove_inclusion(4, 8, hash_at)
    for false in (
        (log, 0, 4, LEAVES[4], path),  # not yet there
        (log, 2, 4, LEAVES[4], path),  # another size
        (log, 3, 4, LEAVES[4], path),  # no such checkpoint
        (log, 1, 5, LEAVES[4], path),
        (log, 1, 4, LEAVES[5], path),
        (log, 1, 8, LEAVES[4], path),
        (log, 1, 2**64 - 1, LEAVES[4], path),
        (log, 1, 4, LEAVES[4], path[:-1]),
        (log, 1, 4, LEAVES[4], [*path, root(8)]),
        (NO_LOG, 0, 0, bytes(32), []),
        (calls.log_id(owner, 1).call(), 1, 4, LEAVES[4], path),
    ):
        assert not evm.holds(calls.verify_inclusion(*false))


def test_appends_of_one_block(evm, calls, owner):
    log = calls.log_id(owner, 0).call()
    sizes = [2, 3, 10]
    done = evm.send_together(
        [
            (calls.append(owner, 0, old_size, size, root(size), proof(old_size, size)), owner)
            for old_size, size in zip([0, *sizes], sizes, strict=False)
        ]
    )
    assert [calls.checkpoint(log, n).call()[:2] for n in range(3)] == [[s, done[0].block] for s in sizes]
