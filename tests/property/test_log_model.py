"""The log against a model: a list of entries. Two writers, a mirror, crashes, leftovers, in any order."""

import errno
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ledger.core import merkle, tiles
from ledger.core.errors import Unavailable
from ledger.core.signing import signer
from ledger.store.log import LogFolder
from ledger.store.mirror import Mirror
from ledger.store.source import open_source

LOG = bytes(range(32))
ALICE = signer(b"\1" * 32)
FAULTY = ["open", "write", "fsync", "unlink", "rename", "replace", "mkdir"]

counts = st.one_of(st.integers(0, 5), st.sampled_from([100, 255, 256, 257, 511, 513]))
writers = st.integers(0, 1)


@pytest.fixture(autouse=True)
def _disk_is_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda fd: None)


class Crash(BaseException):
    """What a killed process does not live to see."""


class Faults:
    """Make call number `number` of the file-system calls raise `error`; if `lasting`, every later one too."""

    def __init__(self, number: int, error: BaseException, *, lasting: bool) -> None:
        self.left, self.error, self.lasting = number, error, lasting

    def __enter__(self) -> None:
        self.real = {name: getattr(os, name) for name in FAULTY}
        for name, real in self.real.items():
            setattr(os, name, self.wrap(real))

    def __exit__(self, *_: object) -> None:
        for name, real in self.real.items():
            setattr(os, name, real)

    def wrap(self, real: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.left -= 1
            if self.left == 0 or (self.lasting and self.left < 0):
                raise self.error
            return real(*args, **kwargs)

        return call


class LogModel(RuleBasedStateMachine):
    """`self.model` is what was reported as done; the disk never has anything else below its checkpoint."""

    @initialize()
    def start(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="log-model-"))
        self.path = self.folder / "public"
        self.model: list[bytes] = []
        self.made = 0
        self.kept: dict[int, bytes] = {}
        self.logs = [self.opened(), self.opened()]
        self.mirror = Mirror.of(self.folder / "mirrors", LOG)

    def teardown(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def opened(self) -> LogFolder:
        return LogFolder(self.path, LOG, keys=[ALICE.public_key])

    def new_entries(self, count: int) -> list[bytes]:
        self.made += count
        return [b"entry %d" % number for number in range(self.made - count, self.made)]

    @rule(writer=writers, count=counts)
    def append(self, writer: int, count: int) -> None:
        batch = self.new_entries(count)
        size = len(self.model)
        assert self.logs[writer].append(batch, ALICE) == (size, size + count)
        self.model += batch

    @rule(writer=writers)
    def reopen(self, writer: int) -> None:
        self.logs[writer] = self.opened()
        assert self.logs[writer].size == len(self.model)

    @rule(writer=writers)
    def refresh(self, writer: int) -> None:
        self.logs[writer].refresh()
        assert self.logs[writer].size == len(self.model)

    @rule(writer=writers, number=st.integers(1, 60), count=counts, dies=st.booleans())
    def fail_while_appending(self, writer: int, number: int, count: int, dies: bool) -> None:
        """The process dies at some call, or the disk is full for one call."""
        error = Crash() if dies else OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        batch = self.new_entries(count)
        done = False
        with Faults(number, error, lasting=dies):
            try:
                self.logs[writer].append(batch, ALICE)
                done = True
            except (Unavailable, Crash):
                pass
        if dies and not done:
            self.logs[writer] = self.opened()
        found = self.opened().size
        both = len(self.model) + count
        assert found == both or (found == len(self.model) and not done)
        if found == both:
            self.model += batch

    @rule(width=st.integers(1, 256), level=st.integers(-1, 1), ahead=st.integers(0, 2))
    def leave_garbage_beyond_the_checkpoint(self, width: int, level: int, ahead: int) -> None:
        number, used = divmod(len(self.model) >> 8 * max(level, 0), 256)
        if self.model and (ahead or width > used):
            file = self.path / tiles.TileName(level, number + ahead, width).path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"garbage" * 50)

    @precondition(lambda self: self.model)
    @rule(writer=writers)
    def keep(self, writer: int) -> None:
        self.logs[writer].refresh()
        head = self.logs[writer].keep_checkpoint()
        assert head.size == len(self.model)
        self.kept[head.size] = head.root

    @precondition(lambda self: self.model)
    @rule(data=st.data(), writer=writers)
    def prove(self, data: st.DataObject, writer: int) -> None:
        log = self.logs[writer]
        log.refresh()
        size = data.draw(st.integers(1, len(self.model)))
        index = data.draw(st.integers(0, size - 1))
        hashes = merkle.leaf_hashes(self.model[:size])
        root = merkle.root_of(hashes)
        merkle.verify_inclusion(hashes[index], index, size, log.prove_inclusion(index, size), root)
        proof = log.prove_consistency(index + 1, size)
        merkle.verify_consistency(index + 1, size, proof, log.root_at(index + 1), root)
        assert list(log.entries(index, size)) == self.model[index:size]

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def follow(self, data: st.DataObject) -> None:
        size = data.draw(st.integers(1, len(self.model)))
        root = merkle.root_of(merkle.leaf_hashes(self.model[:size]))
        self.mirror.extend(open_source(str(self.path), named=True), size, root)
        again = Mirror.of(self.folder / "mirrors", LOG)
        assert again.size >= size
        assert list(again.entries(0, size)) == self.model[:size]

    @invariant()
    def the_disk_holds_what_was_reported(self) -> None:
        log = self.opened()
        assert list(log.entries(0, log.size)) == self.model
        assert log.root == merkle.root_of(merkle.leaf_hashes(self.model))
        assert {size: log.kept_checkpoint(size).root for size in log.kept_sizes()} == self.kept


LogModel.TestCase.settings = settings(max_examples=20, stateful_step_count=15, deadline=None)
TestLogModel = LogModel.TestCase
