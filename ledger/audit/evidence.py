"""Verifying an evidence file: offline, in one pass, from a block's hash down to what the records say.

Each line is checked as it comes and forgotten; what is kept for each record is small, so that a hundred
thousand of them need no more memory than a desktop program. Nothing here opens a socket, reads a clock or
trusts the file: all that it says is derived again, and a file that says more or less than is needed is
refused. `REASONS` lists why a file is refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any, Final

from ledger.audit.chain_view import ChainView
from ledger.audit.closure import Closure
from ledger.audit.judging import Judge, Stands
from ledger.audit.proven_state import ProvenState
from ledger.audit.telling import Collected, tell
from ledger.core.authority import REASONS as AUTHORITY_REASONS
from ledger.core.checkpoint import open_checkpoint
from ledger.core.descriptor import LedgerDescriptor
from ledger.core.digests import SEALED, unseal
from ledger.core.dsse import record_id
from ledger.core.encoding import b64decode, unhex, unhex0x
from ledger.core.errors import EvidenceInvalid, FormatError, LedgerError
from ledger.core.evidence import (
    FORMAT,
    START,
    Account,
    Block,
    CheckpointNote,
    Disclosure,
    End,
    EvidenceLine,
    Forgotten,
    Log,
    OutsideSource,
    PartyName,
    PostedPayload,
    Record,
    Start,
    StorageSlot,
    decode_words,
    parse_ledger,
    parse_line,
)
from ledger.core.hashing import sha256
from ledger.core.identity import log_id
from ledger.core.text import check_line
from ledger.core.trust import TrustRoot
from ledger.core.verdict import EvidenceView

REASONS: Final = AUTHORITY_REASONS | {
    "not-evidence": "the file is no evidence file",
    "unsupported-format": "the file has a format that this release does not know",
    "truncated": "the file ends too early",
    "trailing-data": "there is something behind the end",
    "line-too-long": "a line is longer than any can be",
    "bad-line": "a line is no line of an evidence file",
    "not-canonical": "a line is not written as it has to be",
    "wrong-order": "lines are not in the order that they have to be in",
    "wrong-count": "there are more or fewer lines than the end says",
    "bad-ledger": "the ledger's description is none",
    "unknown-code": "the ledger's contracts are none that a release shipped",
    "wrong-address": "a contract's address does not follow from its code",
    "wrong-code": "other code runs at a contract's address",
    "bad-header": "the block's header is none",
    "wrong-block": "the block is not the one that is trusted",
    "wrong-ledger": "the ledger is not the one that is trusted, or a record is of another one",
    "bad-state-proof": "a proof does not lead from the block to what it should prove",
    "missing-slot": "something that the verdict rests on is not proven",
    "unneeded-slot": "something is proven that nothing rests on",
    "bad-checkpoint": "a signed checkpoint is not what its log's owner signed",
    "wrong-anchor": "a record's checkpoint is not the first that covers it",
    "not-included": "a record is not in the log under its checkpoint",
    "bad-envelope": "an entry is no envelope",
    "bad-record": "a payload is no well-formed record",
    "duplicate-record": "a record is there twice",
    "root-missing": "there is no record of a version that was asked for",
    "lineage-incomplete": "a source is neither there nor listed as outside",
    "unneeded-outside": "something is listed as outside that is not",
    "unneeded-record": "a record is no part of the lineage",
    "unneeded-line": "a line says something that nothing needs",
    "wrong-disclosure": "a disclosed attachment is not what a record names",
}
"""Why a file is refused: stable codes, those of `authority` among them, and what they say."""

Progress = Callable[[int], None]
"""Told how many bytes have been checked."""


def is_evidence(start: bytes) -> bool:
    """Tell from the first bytes whether a file is evidence, of whatever version."""
    return start.startswith(START)


def verify_evidence(
    lines: Iterable[bytes],
    trust: TrustRoot | None = None,
    *,
    everything: bool = False,
    progress: Progress = lambda _: None,
) -> EvidenceView:
    """Verify a file, given as its lines with their line feeds; EvidenceInvalid if it does not hold.

    Without `trust`, or where it says nothing of the file's block, the verdict is `unconfirmed`. Records,
    attachments and graph are only in the answer if `everything` is asked for: they grow with the file.
    """
    reading, done = _Reading(trust, everything=everything), 0
    for number, data in enumerate(lines, 1):
        try:
            reading.take(data)
        except EvidenceInvalid as error:
            raise EvidenceInvalid(error.reason, f"line {number}: {error}", hint=error.hint) from None
        done += len(data)
        progress(done)
    return reading.finish()


_ORDER: Final[dict[type, int]] = {
    Start: 0,
    Block: 1,
    Account: 2,
    StorageSlot: 2,
    Log: 3,
    CheckpointNote: 4,
    PartyName: 5,
    Record: 6,
    PostedPayload: 7,
    OutsideSource: 8,
    Disclosure: 9,
    Forgotten: 9,
    End: 10,
}
_ONCE: Final = (Start, Block, End)


class _Reading:
    """One file being read: what the lines so far have shown."""

    def __init__(self, trust: TrustRoot | None, *, everything: bool) -> None:
        self._trust = trust
        self._digest = hashlib.sha256()
        self._bytes = self._lines = self._records = 0
        self._section = -1
        self._key: tuple[object, ...] = ()
        self._descriptor: LedgerDescriptor
        self._state: ProvenState
        self._chain: ChainView
        self._judge: Judge
        self._logs: list[tuple[bytes, bytes]] = []
        self._notes: set[tuple[int, int]] = set()
        self._used_logs: set[int] = set()
        self._proof: list[bytes] = []
        self._outside: list[OutsideSource] = []
        self._closure = Closure()
        self._told = Collected(everything=everything)
        self._ended = False

    def take(self, data: bytes) -> None:
        """Check the next line."""
        self._digest.update(data)
        self._bytes += len(data)
        if self._section < 0 and not is_evidence(data):
            hint = "a data file is verified without --block, --trust, --rpc and --file"
            raise EvidenceInvalid("not-evidence", "expected an evidence file", hint=hint)
        if self._ended:
            raise EvidenceInvalid("trailing-data", "expected nothing behind the end")
        if self._section < 0 and not data.startswith(START + b'v1"'):
            raise EvidenceInvalid(
                "unsupported-format", f"expected {FORMAT}", hint="a newer release of dataledger may know it"
            )
        line = parse_line(data)
        self._require_order(line)
        _TAKE[type(line)](self, line)
        self._lines += 1

    def _require_order(self, line: EvidenceLine) -> None:
        section = _ORDER[type(line)]
        repeated = section == self._section and isinstance(line, _ONCE)
        # the first two sections and that of the state can't be left out
        skipped = section > self._section + 1 and self._section < 2
        if section < self._section or repeated or skipped:
            raise EvidenceInvalid(
                "wrong-order", f"a line of this kind is not expected here: {type(line).__name__}"
            )
        if section != self._section:
            self._key = ()
            if self._section == _ORDER[StorageSlot]:
                self._begin_records()
        self._section = section

    def _ascending(self, *key: object) -> None:
        if self._key and not self._key < key:
            raise EvidenceInvalid("wrong-order", "expected the lines of one kind in order, each once")
        self._key = key

    def _start(self, line: Start) -> None:
        self._descriptor = parse_ledger(line.ledger)
        if line.roots != sorted(set(line.roots)):
            raise EvidenceInvalid("wrong-order", "expected the versions asked for in order, each once")
        self._told.roots = tuple(line.roots)

    def _block(self, line: Block) -> None:
        self._state = ProvenState(self._descriptor, line)
        if self._trust is not None:
            root = self._trust.confirm(self._descriptor, self._state.header)
            self._told.trust_root = root

    def _account(self, line: Account) -> None:
        self._state.account(line)

    def _slot(self, line: StorageSlot) -> None:
        self._state.slot(line)

    def _begin_records(self) -> None:
        self._state.complete()
        self._chain = ChainView(self._descriptor, self._state.read)
        self._judge = Judge(self._descriptor, self._chain)

    def _log(self, line: Log) -> None:
        owner = _address(line.owner)
        identifier = log_id(
            self._descriptor.chain_id, self._descriptor.address("Anchors"), owner, line.number
        )
        self._ascending(identifier)
        self._logs.append((identifier, owner))
        closed = self._chain.closed(identifier)
        if closed is not None:
            self._told.closed[identifier] = closed

    def _log_at(self, position: int) -> tuple[bytes, bytes]:
        if position >= len(self._logs):
            raise EvidenceInvalid("bad-line", f"expected a log of 0 to {len(self._logs) - 1}, got {position}")
        return self._logs[position]

    def _checkpoint(self, line: CheckpointNote) -> None:
        """Check the owner's note: it says what the chain says, and a key of the owner signed it."""
        log, owner = self._log_at(line.log)
        self._ascending(line.log, line.n)
        key = _hash(line.key, "key")
        if self._chain.key(owner, key) is None:
            raise EvidenceInvalid("bad-checkpoint", f"the key {line.key} is none of the log's owner")
        anchor, _ = self._chain.anchor(log, line.n)
        try:
            head = open_checkpoint(line.note.encode(), log, [key])
        except LedgerError as error:
            raise EvidenceInvalid("bad-checkpoint", str(error)) from None
        if (head.size, head.root) != (anchor.size, anchor.root):
            raise EvidenceInvalid(
                "bad-checkpoint",
                f"expected root {anchor.root.hex()} at size {anchor.size}, as anchored;"
                f" the note says {head.root.hex()} at {head.size}",
            )
        self._notes.add((line.log, line.n))

    def _party(self, line: PartyName) -> None:
        self._ascending(line.did)
        try:
            check_line(line.name, what="name", limit=len(line.name))
        except FormatError as error:
            raise EvidenceInvalid("bad-line", str(error)) from None
        self._told.names[line.did] = line.name

    def _record(self, line: Record) -> None:
        log, _ = self._log_at(line.log)
        if line.keep > len(self._proof):
            raise EvidenceInvalid(
                "bad-line", f"expected at most {len(self._proof)} hashes kept, got {line.keep}"
            )
        added = decode_words(line.proof)
        if added and line.keep < len(self._proof) and added[0] == self._proof[line.keep]:
            raise EvidenceInvalid("not-canonical", "expected each hash once, one is there again")
        self._proof = self._proof[: line.keep] + added
        stands = Stands(log, line.index, line.checkpoint, self._proof[::-1])
        judged = self._judge.judge(line.entry.encode(), stands)
        self._records += 1
        self._used_logs.add(line.log)
        self._notes.discard((line.log, line.checkpoint))
        self._closure.add(judged)
        self._told.add(judged)

    def _posted(self, line: PostedPayload) -> None:
        payload = line.payload.encode()
        self._ascending(record_id(payload))
        self._judge.excuse(payload)

    def _outside_source(self, line: OutsideSource) -> None:
        self._ascending(line.name, *next(iter(line.digest.items())))
        self._outside.append(line)

    def _disclosure(self, line: Disclosure) -> None:
        self._ascending(line.digest)
        self._require_named(line.digest)
        try:
            sealed = b64decode(line.sealed)
            content = unseal(sealed)
        except FormatError as error:
            raise EvidenceInvalid("wrong-disclosure", f"{line.digest}: {error}") from None
        if sha256(sealed).hex() != line.digest:
            raise EvidenceInvalid(
                "wrong-disclosure", f"expected digest {line.digest}, got {sha256(sealed).hex()}"
            )
        self._told.disclosed(line.digest, content)

    def _forgotten(self, line: Forgotten) -> None:
        self._ascending(line.digest)
        self._require_named(line.digest)
        self._told.forgotten(line.digest)

    def _require_named(self, digest: str) -> None:
        if _hash(digest, "digest") not in self._told.sealed:
            raise EvidenceInvalid("wrong-disclosure", f"no record here names {SEALED}:{digest}")

    def _end(self, line: End) -> None:
        if (line.lines, line.records) != (self._lines, self._records):
            got = f"{self._lines} with {self._records}"
            text = f"expected {line.lines} lines with {line.records} records, got {got}"
            raise EvidenceInvalid("wrong-count", text)
        self._ended = True

    def finish(self) -> EvidenceView:
        """Say what the whole file comes to."""
        if self._section < 0:
            raise EvidenceInvalid("not-evidence", "expected an evidence file, this one is empty")
        if not self._ended:
            raise EvidenceInvalid(
                "truncated", "expected the line that says how many there were; the file is cut off"
            )
        if len(self._used_logs) < len(self._logs) or self._notes:
            raise EvidenceInvalid("unneeded-line", "a log or checkpoint is there of which there is no record")
        roots = self._closure.roots(self._told.roots)
        reached = self._closure.reached(roots)
        self._closure.require_whole(reached, self._outside)
        self._closure.require_needed(reached)
        settled = self._judge.settle()
        self._state.finish()
        told = self._told
        told.outside, told.bytes, told.digest = self._outside, self._bytes, self._digest.hexdigest()
        return tell(told, self._descriptor, self._state.header, self._closure, reached, settled)


_TAKE: Final[dict[type, Callable[[Any, Any], None]]] = {
    Start: _Reading._start,
    Block: _Reading._block,
    Account: _Reading._account,
    StorageSlot: _Reading._slot,
    Log: _Reading._log,
    CheckpointNote: _Reading._checkpoint,
    PartyName: _Reading._party,
    Record: _Reading._record,
    PostedPayload: _Reading._posted,
    OutsideSource: _Reading._outside_source,
    Disclosure: _Reading._disclosure,
    Forgotten: _Reading._forgotten,
    End: _Reading._end,
}


def _address(text: str) -> bytes:
    try:
        return unhex0x(text, 20, "owner")
    except FormatError as error:
        raise EvidenceInvalid("bad-line", str(error)) from None


def _hash(text: str, what: str) -> bytes:
    try:
        return unhex(text, 32, what)
    except FormatError as error:
        raise EvidenceInvalid("bad-line", str(error)) from None
