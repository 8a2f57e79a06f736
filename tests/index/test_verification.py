"""Verification by processes: the same answers, whatever becomes of the processes."""

from __future__ import annotations

import os
import signal

import pytest

from ledger.core.statement import parse_statement
from ledger.index import verification
from ledger.index.verification import (
    RECORDS,
    SIGNATURES,
    Verification,
    check_all,
    check_signatures,
    decode_checked,
)
from tests.simulator import World


@pytest.fixture
def entries(world: World) -> list[bytes]:
    acme = world.party("acme")
    acme.register("acme/a")
    acme.version("acme/a", b"1")
    good = acme.log.entries[0]
    return [*acme.log.entries, b"", good.replace(b'"sig":"', b'"sig":"AAAA', 1), acme.envelope(b"[]")] * 3


def test_what_is_wrong_is_said(entries: list[bytes]):
    found = check_all(entries[:5])
    assert [each.reason for each in found] == ["", "", "bad-format", "bad-format", "bad-format"]
    assert [bool(each.record) for each in found] == [True, True, False, False, True]
    assert decode_checked(found[1].payload) == parse_statement(found[1].payload)
    assert all(bool(each.message) == bool(each.reason) for each in found)


def test_processes_give_the_same_answers(entries: list[bytes], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(verification, "_SPAWN_FROM", 5)
    expected = check_all(entries)
    with Verification(RECORDS, 2) as work:
        promises = [work.submit(entries) for _ in range(6)]
        assert work.depth == 5
        assert [promise() for promise in promises] == [expected] * 6


def test_signatures_alone(entries: list[bytes], monkeypatch: pytest.MonkeyPatch):
    """What is no record may be well signed: the signature is all that is looked at."""
    expected = check_signatures(entries)
    assert [not each for each in expected[:5]] == [True, True, False, False, True]
    monkeypatch.setattr(verification, "_SPAWN_FROM", 5)
    with Verification(SIGNATURES, 2) as work:
        assert [promise() for promise in [work.submit(entries) for _ in range(3)]] == [expected] * 3


def test_a_killed_process_is_replaced_by_this_one(entries: list[bytes], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(verification, "_SPAWN_FROM", 1)
    with Verification(RECORDS, 1) as work:
        assert work.submit(entries)() == check_all(entries)
        os.kill(work._workers[0]._process.pid, signal.SIGKILL)
        assert work.submit(entries)() == check_all(entries)


def test_no_processes_where_none_can_be_made(entries: list[bytes], monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no room")

    monkeypatch.setattr(verification, "_SPAWN_FROM", 1)
    monkeypatch.setattr("subprocess.Popen", refuse)
    with Verification(RECORDS) as work:
        assert work.submit(entries)() == check_all(entries)
        assert work.depth == 1


def test_a_sync_with_processes(world: World, open_index, monkeypatch: pytest.MonkeyPatch, tmp_path):
    from ledger.index import Index

    acme = world.party("acme", own=True)
    acme.register("acme/a")
    for number in range(30):
        acme.version("acme/a", str(number).encode())
        if number % 7 == 0:
            acme.anchor()
    acme.anchor()
    expected = open_index(world).state()
    monkeypatch.setattr(verification, "_SPAWN_FROM", 3)
    monkeypatch.setattr("ledger.index.reading.CHUNK", 4)
    monkeypatch.setattr("ledger.index.sync.CHUNK", 4)
    with Index.open(tmp_path / "processes.db", world.descriptor) as index:
        index.sync(world.chain, world.logs, workers=2)
        assert index.state() == expected
