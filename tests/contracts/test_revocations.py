"""Revocations: posts in storage, by the author alone."""

from __future__ import annotations

import pytest

TARGET, OTHER = b"t" * 32, b"o" * 32


@pytest.fixture
def calls(evm):
    return evm.revocations.functions


@pytest.fixture
def author(evm):
    return evm.accounts[1]


def test_posts_are_numbered_for_an_author_and_a_target(evm, calls, author):
    assert calls.count(author, TARGET).call() == 0
    posted = []
    for n, record in enumerate([b"a" * 32, b"b" * 32, b"a" * 32]):
        done = evm.send(calls.post(author, TARGET, record), author)
        posted.append((record, done.block))
        assert done.events == [
            {"event": "Posted", "author": author, "target": TARGET, "n": n, "record": record}
        ]
    assert calls.count(author, TARGET).call() == 3
    for n, (record, block) in enumerate(posted):
        assert calls.record_at(author, TARGET, n).call() == record
        assert calls.block_at(author, TARGET, n).call() == block
    assert calls.record_at(author, TARGET, 3).call() == bytes(32)
    assert calls.block_at(author, TARGET, 3).call() == 0


def test_authors_and_targets_do_not_mix(evm, calls, author):
    stranger = evm.accounts[2]
    evm.send(calls.post(author, TARGET, b"a" * 32), author)
    evm.send(calls.post(author, OTHER, b"b" * 32), author)
    evm.send(calls.post(stranger, TARGET, b"c" * 32), stranger)
    assert calls.record_at(author, TARGET, 0).call() == b"a" * 32
    assert calls.record_at(author, OTHER, 0).call() == b"b" * 32
    assert calls.record_at(stranger, TARGET, 0).call() == b"c" * 32


def test_only_the_authors_owner_posts(evm, calls, author):
    stranger, keeper, delegate = evm.accounts[2:5]
    identities = evm.identities.functions
    evm.refused(calls.post(author, TARGET, b"a" * 32), "not the author's owner", stranger)
    for kind in (b"anchor", b"record"):
        evm.send(identities.addDelegate(author, kind.ljust(32, b"\0"), delegate, 86_400), author)
    evm.refused(calls.post(author, TARGET, b"a" * 32), "not the author's owner", delegate)
    evm.send(identities.changeOwner(author, keeper), author)
    evm.refused(calls.post(author, TARGET, b"a" * 32), "not the author's owner", author)
    evm.send(calls.post(author, TARGET, b"a" * 32), keeper)
    evm.send(identities.changeOwner(author, evm.zero), keeper)
    evm.refused(calls.post(author, TARGET, b"a" * 32), "not the author's owner", keeper)
    evm.refused(calls.post(evm.zero, TARGET, b"a" * 32), "not the author's owner", keeper)


def test_no_post_without_a_record(evm, calls, author):
    evm.refused(calls.post(author, TARGET, bytes(32)), "record is zero", author)
    evm.send(calls.post(author, bytes(32), b"a" * 32), author)  # a target is a hash, like any other


def test_posts_of_one_block(evm, calls, author):
    first, second = evm.send_together(
        [(calls.post(author, TARGET, b"a" * 32), author), (calls.post(author, TARGET, b"b" * 32), author)]
    )
    assert (first.events[0]["n"], second.events[0]["n"]) == (0, 1)
    assert calls.block_at(author, TARGET, 0).call() == calls.block_at(author, TARGET, 1).call() == first.block
