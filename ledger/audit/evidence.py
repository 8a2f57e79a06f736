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
from ledger.audit.line_order import LineOrder, is_evidence
from ledger.audit.posted import Settled
from ledger.audit.proven_state import ProvenState
from ledger.audit.reasons import REASONS
from ledger.audit.rights import Inquiry, check_question, read_rules
from ledger.audit.rights_facts import EvidenceFacts, Shown
from ledger.audit.telling import Collected, tell
from ledger.core.checkpoint import open_checkpoint
from ledger.core.descriptor import LedgerDescriptor
from ledger.core.digests import SEALED, unseal
from ledger.core.dsse import record_id
from ledger.core.encoding import b64decode, unhex, unhex0x
from ledger.core.errors import EvidenceInvalid, FormatError, LedgerError
from ledger.core.evidence import (
    Account,
    Asked,
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
    Rules,
    Start,
    StorageSlot,
    Unread,
    decode_words,
    parse_ledger,
    parse_line,
)
from ledger.core.hashing import sha256
from ledger.core.identity import log_id
from ledger.core.names import is_asset
from ledger.core.region_rules import RegionRules
from ledger.core.text import check_line
from ledger.core.trust import TrustRoot
from ledger.core.verdict import EvidenceView, RightsVerdict

__all__ = ["REASONS", "is_evidence", "verify_evidence"]

Progress = Callable[[int], None]
"""Told how many bytes have been checked."""


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


class _Reading:
    """One file being read: what the lines so far have shown."""

    def __init__(self, trust: TrustRoot | None, *, everything: bool) -> None:
        self._trust = trust
        self._digest = hashlib.sha256()
        self._bytes = self._lines = self._records = 0
        self._order: LineOrder
        self._descriptor: LedgerDescriptor
        self._state: ProvenState
        self._chain: ChainView
        self._judge: Judge
        self._logs: list[tuple[bytes, bytes]] = []
        self._notes: set[tuple[int, int]] = set()
        self._used_logs: set[int] = set()
        self._proof: list[bytes] = []
        self._outside: list[OutsideSource] = []
        self._unread: list[Unread] = []
        self._asked: Asked | None = None
        self._rules: RegionRules | None = None
        self._inquiry: Inquiry | None = None
        self._closure: Closure
        self._told = Collected(everything=everything)
        self._ended = False

    def take(self, data: bytes) -> None:
        """Check the next line."""
        self._digest.update(data)
        self._bytes += len(data)
        if self._ended:
            raise EvidenceInvalid("trailing-data", "expected nothing behind the end")
        if not self._lines:
            self._order = LineOrder(data)
        line = parse_line(data)
        self._enter(line)
        _TAKE[type(line)](self, line)
        self._lines += 1

    def _enter(self, line: EvidenceLine) -> None:
        """Check the order, and do what is due between the kinds of lines."""
        left = self._order.take(line)
        if StorageSlot in left:
            self._begin_records()
        if Record in left:
            self._judge.conclude(self._state.header.number)

    def _start(self, line: Start) -> None:
        self._descriptor = parse_ledger(line.ledger)
        if line.roots != sorted(set(line.roots)):
            raise EvidenceInvalid("wrong-order", "expected the versions asked for in order, each once")
        self._told.roots = tuple(line.roots)

    def _question(self, line: Asked) -> None:
        check_question(line)
        if len(self._told.roots) > 1:
            raise EvidenceInvalid("bad-question", "expected one version to ask about")
        self._asked = line
        self._told.asked = line.party

    def _rule_list(self, line: Rules) -> None:
        self._rules = read_rules(line)

    def _block(self, line: Block) -> None:
        self._state = ProvenState(self._descriptor, line)
        if self._trust is not None:
            root = self._trust.confirm(self._descriptor, self._state.header)
            self._told.trust_root = root
        if self._asked is not None:
            self._inquiry = Inquiry(self._asked, self._told.roots[0], self._rules)
            self._inquiry.require_fit(self._state.block, self._descriptor.chain_id)

    def _account(self, line: Account) -> None:
        self._state.account(line)

    def _slot(self, line: StorageSlot) -> None:
        self._state.slot(line)

    def _begin_records(self) -> None:
        self._state.complete()
        self._chain = ChainView(self._descriptor, self._state.read)
        self._judge = Judge(self._descriptor, self._chain, rights=self._asked is not None)
        self._closure = Closure(by_name=self._asked is not None)

    def _log(self, line: Log) -> None:
        owner = _address(line.owner)
        identifier = log_id(
            self._descriptor.chain_id, self._descriptor.address("Anchors"), owner, line.number
        )
        self._order.ascend(identifier)
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
        self._order.ascend(line.log, line.n)
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
        self._order.ascend(line.did)
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
        self._order.ascend(record_id(payload))
        self._judge.posted.excuse(record_id(payload), self._judge.read(payload))

    def _outside_source(self, line: OutsideSource) -> None:
        self._order.ascend(line.name, *next(iter(line.digest.items())))
        self._outside.append(line)

    def _unread_log(self, line: Unread) -> None:
        """Take the word of whoever made the file that a log could not be had; there has to be such a log."""
        self._order.ascend(line.asset, line.party, line.owner, line.number)
        if not is_asset(line.asset):
            raise EvidenceInvalid("bad-line", "expected the name of an asset")
        owner, anchors = _address(line.owner), self._descriptor.address("Anchors")
        log = log_id(self._descriptor.chain_id, anchors, owner, line.number)
        if not self._chain.count(log):
            raise EvidenceInvalid("unneeded-line", f"log {line.number} of {line.owner} has no checkpoint")
        self._unread.append(line)

    def _disclosure(self, line: Disclosure) -> None:
        self._order.ascend(line.digest)
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
        self._order.ascend(line.digest)
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
        if not self._lines:
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
        settled = self._judge.posted.settle()
        rights = self._rights(reached, settled)
        self._state.finish()
        told = self._told
        told.outside, told.bytes, told.digest = self._outside, self._bytes, self._digest.hexdigest()
        return tell(told, self._descriptor, self._state.header, self._closure, reached, settled, rights)

    def _rights(self, reached: dict[int, None], settled: Settled) -> RightsVerdict | None:
        """Answer the question, if there is one, and refuse what neither it nor the lineage needs."""
        if self._inquiry is None:
            self._closure.require_needed(reached)
            return None
        facts = EvidenceFacts(
            Shown(self._descriptor, self._state.block, self._chain, self._judge, self._closure, settled),
            self._outside,
            self._unread,
        )
        needed = self._inquiry.needed(facts, self._judge)
        self._closure.require_needed(reached, needed.assets, needed.versions)
        for spare in sorted(self._judge.said_of.keys() - needed.records):
            raise EvidenceInvalid("unneeded-record", f"the answer does not rest on record {spare.hex()}")
        answer = self._inquiry.answer(facts, self._state.block, self._told.trust_root)
        for line in self._unread:
            if (line.asset, line.party) not in facts.consulted:
                raise EvidenceInvalid("unneeded-line", f"of rights in {line.asset} nothing is asked there")
        return answer


_TAKE: Final[dict[type, Callable[[Any, Any], None]]] = {
    Start: _Reading._start,
    Asked: _Reading._question,
    Rules: _Reading._rule_list,
    Block: _Reading._block,
    Account: _Reading._account,
    StorageSlot: _Reading._slot,
    Log: _Reading._log,
    CheckpointNote: _Reading._checkpoint,
    PartyName: _Reading._party,
    Record: _Reading._record,
    PostedPayload: _Reading._posted,
    OutsideSource: _Reading._outside_source,
    Unread: _Reading._unread_log,
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
