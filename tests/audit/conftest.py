"""What the tests of evidence share: the corpus, and the product's own writer over a ledger in memory."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from fixtures.onchain import RealWorld, hash_at
from ledger.audit.evidence import verify_evidence
from ledger.core.chain_facts import BlockRef
from ledger.core.checkpoint import sign_checkpoint
from ledger.core.errors import EvidenceInvalid, Unavailable
from ledger.core.evidence import Asked
from ledger.core.merkle import prove_inclusion
from ledger.core.signing import signer
from ledger.core.trust import Trust
from ledger.index import Index
from ledger.service import evidence_writing
from ledger.service.evidence_asking import Asking
from ledger.service.evidence_writing import EvidenceWriter
from ledger.service.times import format_time
from ledger.store.workspace import Workspace
from tests.simulator import Party

CORPUS = Path(__file__).parent.parent.parent / "fixtures" / "evidence"


def rows() -> list[tuple[str, str, str]]:
    """Return file, result and trusted block of every case of the corpus."""
    with (CORPUS / "expected.tsv").open(newline="") as file:
        return [(row[0], row[1], row[2]) for row in islice(csv.reader(file, delimiter="\t"), 1, None)]


def outcome(lines: Iterable[bytes], trust: Trust | None = None) -> str:
    """Return the reason for which a file is refused, or its verdict."""
    try:
        found = verify_evidence(lines, trust).verdict
        return f"verdict:{found.verdict}" + (f"/{found.rights.verdict}" if found.rights else "")
    except EvidenceInvalid as error:
        return error.reason


class Desk:
    """What the writer asks of a workspace, over a ledger in memory: index, chain, logs, and signed notes.

    `seeds` signs the notes by log id; a log without one has none to show.
    """

    def __init__(self, world: RealWorld, index: Index, seeds: Mapping[bytes, bytes], logs: Any) -> None:
        self.world = world
        self.logs = logs
        self.index = index
        self.seeds = seeds
        self.reader = world.reader
        self.descriptor = world.descriptor
        self.ledger_id = world.ledger_id
        self.workspace = Workspace(index.path.parent / "no-workspace")

    def sync(self) -> None:
        """Bring the index up to date."""
        self.index.sync(self.world.chain, self.logs, workers=0)

    def progress(self, _what: str, _done: int, _total: int | None) -> None:
        """Show nothing."""

    def write(self, *roots: str, block: BlockRef | None = None, asking: Asking | None = None) -> bytes:
        """Write evidence as `dataledger evidence` does."""
        file = BytesIO()
        block = block or self.world.chain.head()
        EvidenceWriter(self, block, sorted(roots), asking).write(file)  # type: ignore[arg-type]
        return file.getvalue()

    def ask(
        self,
        name: str,
        party: Party,
        right: Any = "use",
        *,
        at: str = "",
        rules: bytes = b"",
        block: BlockRef | None = None,
        **asked: str,
    ) -> bytes:
        """Write evidence of an answer, as of the last block and at its time unless another is named."""
        head = block or self.world.chain.head()
        question = Asked(party=party.did, right=right, at=at or format_time(head.time_unix_s), **asked)
        return self.write(name, block=head, asking=Asking(question, rules))


class _Folder:
    """A log as a folder that holds it."""

    def __init__(self, entries: Sequence[bytes]) -> None:
        self._entries = entries

    def entries(self, start: int, stop: int) -> Iterator[bytes]:
        return iter(self._entries[start:stop])

    def prove_inclusion(self, index: int, size: int) -> list[bytes]:
        return prove_inclusion(index, size, hash_at(self._entries[:size]))


class _Logs:
    """The logs, for their notes."""

    def __init__(self, desk: Desk, _reader: object, *, hurried: bool) -> None:
        self._desk = desk

    def checkpoint(self, log: bytes, size: int) -> bytes | None:
        seed = self._desk.seeds.get(log)
        if seed is None:
            return None
        root = dict(self._desk.world.all_logs[log].anchors)[size]
        return sign_checkpoint(log, size, root, signer(seed))


def _open_log(desk: Desk, log: bytes) -> _Folder:
    if log in desk.world.logs.withheld:
        raise Unavailable("withheld")
    return _Folder(desk.world.all_logs[log].entries)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Desk]]:
    """Return a function that indexes a ledger and gives a desk to write its evidence at."""
    monkeypatch.setattr(evidence_writing, "open_log", _open_log)
    monkeypatch.setattr(evidence_writing, "Logs", _Logs)
    monkeypatch.setattr("ledger.index.database._SYNCHRONOUS", "OFF")
    opened: list[Index] = []

    def make(world: RealWorld, seeds: Mapping[bytes, bytes] | None = None, logs: Any = None) -> Desk:
        index = Index.open(tmp_path / f"index-{len(opened)}.db", world.descriptor)
        opened.append(index)
        at = Desk(world, index, seeds or {}, logs or world.logs)
        at.sync()
        return at

    yield make
    for index in opened:
        index.close()
