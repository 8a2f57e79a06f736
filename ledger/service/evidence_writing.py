"""Gathering and writing the lines of an evidence file.

The index says which entries a lineage consists of. Each is judged by the very code that an auditor's verifier
runs (`ledger.audit`), over the chain's storage at one block; the slots which that reads are those that the
file has to prove. Records go through memory one at a time.

Where a question about rights is asked, the index's answer says which grants to begin with; what the file's
own answer rests on is what stays.
"""

from __future__ import annotations

import tempfile
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import chain
from typing import BinaryIO

from ledger.audit.chain_view import ChainView
from ledger.audit.closure import Closure
from ledger.audit.judging import Judge, Judged, Stands
from ledger.audit.rights_facts import Shown
from ledger.core import dsse
from ledger.core.chain_facts import BlockRef
from ledger.core.checkpoint import open_checkpoint
from ledger.core.digests import SEALED
from ledger.core.encoding import b64encode
from ledger.core.errors import Corrupt, EvidenceInvalid, LedgerError
from ledger.core.evidence import (
    FORMAT,
    FORMAT_RIGHTS,
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
    describe,
    encode_words,
    format_line,
)
from ledger.core.identity import parse_did
from ledger.core.names import namespace_of, parse_reference
from ledger.core.rights_facts import Verdict
from ledger.core.trie_paths import PathWriter
from ledger.index.evidence_rows import Place, lineage_entries, lineage_nodes, posted_entry
from ledger.service.context import Context
from ledger.service.disclosing import disclosed, forgotten, sealed
from ledger.service.evidence_asking import Asking, RightsPart
from ledger.service.evidence_state import NotedSlots
from ledger.service.logs import Logs, open_log
from ledger.store.folder import TileFolder

_OPEN_LOGS = 64
_COPY = 1 << 20


class EvidenceWriter:
    """The evidence of some versions (`asset@number`, sorted) at the end of a final block.

    With `asking`, of the one version and of the answer to a question about rights in it.
    """

    def __init__(
        self, context: Context, block: BlockRef, roots: Sequence[str], asking: Asking | None = None
    ) -> None:
        self._context = context
        self._block = block
        self._roots = list(roots)
        self._folders: OrderedDict[bytes, TileFolder] = OrderedDict()
        self._rights = None if asking is None else RightsPart(context, block, self._roots[0], asking)
        self._begin()

    def _begin(self) -> None:
        """Begin to gather, with the places that are to be judged."""
        context, has_question = self._context, self._rights is not None
        self._slots = NotedSlots(context.reader, context.descriptor, self._block.number)
        self._chain = ChainView(context.descriptor, self._slots.read)
        self._judge = Judge(context.descriptor, self._chain, rights=has_question)
        self._closure = Closure(by_name=has_question)
        self._authors: set[str] = set()
        self._sealed: set[str] = set()
        self._places = self._rights.places() if self._rights else self._lineage()
        logs = sorted({place.log for place in self._places})
        self._numbers = {log: number for number, log in enumerate(logs)}
        self._lines = self._records = 0

    @property
    def index_answer(self) -> Verdict | None:
        """What the index answers to the question, None if there is none."""
        return None if self._rights is None else self._rights.answer

    def _lineage(self) -> list[Place]:
        database, block = self._context.index.database, self._block.number
        nodes = lineage_nodes(database, [parse_reference(each) for each in self._roots], block)
        return lineage_entries(database, self._context.ledger_id, nodes, block)

    def write(self, file: BinaryIO) -> None:
        """Write the whole file."""
        with tempfile.TemporaryFile() as records:
            after = self._gather(records)
            self._write(file, chain(self._start(), self._before()))
            records.seek(0)
            while part := records.read(_COPY):
                file.write(part)
            self._lines += self._records
            self._write(file, after)
            file.write(format_line(End(self._lines, self._records)))

    def _gather(self, records: BinaryIO) -> list[EvidenceLine]:
        """Write the records that are needed, and return the lines that stand behind them."""
        while True:
            records.seek(0)
            records.truncate()
            self._judge_all(records)
            posted = list(self._posted())
            outside = list(self._outside())
            if self._rights is None:
                return [*posted, *outside, *self._attachments()]
            seen = Shown(
                self._context.descriptor,
                self._block,
                self._chain,
                self._judge,
                self._closure,
                self._judge.posted.settle(),
            )
            if self._rights.is_all_needed(seen, outside):
                return [*posted, *outside, *self._rights.unread(seen, outside), *self._attachments()]
            self._begin()

    def _write(self, file: BinaryIO, lines: Iterable[EvidenceLine]) -> None:
        for line in lines:
            file.write(format_line(line))
            self._lines += 1

    def _judge_all(self, file: BinaryIO) -> None:
        """Judge every entry as the verifier will, and write its line."""
        proofs = PathWriter()
        for place in self._places:
            entry, proof = self._entry(place)
            try:
                judged = self._judge.judge(entry, Stands(place.log, place.index, place.n, proof))
            except EvidenceInvalid as error:
                raise Corrupt(
                    f"entry {place.index} of log {place.log.hex()} does not hold: {error}",
                    hint="dataledger audit says more; dataledger sync --rebuild makes the index anew",
                ) from None
            self._keep(judged)
            keep, added = proofs.next(proof[::-1])
            log = self._numbers[place.log]
            line = Record(log, place.index, place.n, entry.decode(), keep, encode_words(added))
            file.write(format_line(line))
            self._context.progress("gathering evidence", self._records, len(self._places))
        self._judge.conclude(self._block.number)

    def _entry(self, place: Place) -> tuple[bytes, list[bytes]]:
        """Return an entry as stored, and its inclusion proof, lowest hash first."""
        folder = self._folder(place.log)
        entry = next(folder.entries(place.index, place.index + 1))
        return entry, folder.prove_inclusion(place.index, place.size)

    def _folder(self, log: bytes) -> TileFolder:
        folder = self._folders.pop(log, None) or open_log(self._context, log)
        self._folders[log] = folder
        if len(self._folders) > _OPEN_LOGS:
            self._folders.popitem(last=False)
        return folder

    def _keep(self, judged: Judged) -> None:
        self._records += 1
        self._closure.add(judged)
        predicate = judged.statement.predicate
        self._authors.update(predicate.authors)
        self._sealed.update(each.digest[SEALED] for each in predicate.attachments if SEALED in each.digest)

    def _start(self) -> Iterator[EvidenceLine]:
        ledger = describe(self._context.descriptor)
        form = FORMAT if self._rights is None else FORMAT_RIGHTS
        yield Start(format=form, ledger=ledger, roots=self._roots)
        if self._rights is not None:
            yield from self._rights.question()

    def _before(self) -> Iterator[EvidenceLine]:
        """Yield what stands before the records; the slots come first, and are known last."""
        logs, notes = list(self._log_lines()), list(self._notes())
        yield from self._slots.lines()
        yield from logs
        yield from notes
        yield from self._parties()

    def _log_lines(self) -> Iterator[EvidenceLine]:
        for log in self._numbers:
            owner, number = self._owner(log)
            self._chain.closed(log)
            yield Log(f"0x{owner.hex()}", number)

    def _owner(self, log: bytes) -> tuple[bytes, int]:
        known = self._context.index.log(log)
        if known is None or known.party is None:
            raise Corrupt(
                f"the index has entries of log {log.hex()}, and no anchor of it",
                hint="dataledger sync --rebuild makes it anew",
            )
        return known.party, known.number

    def _notes(self) -> Iterator[EvidenceLine]:
        """Yield the owners' signed checkpoints, as far as they can be had: the chain is what counts."""
        sources = Logs(self._context, self._context.reader, hurried=True)
        anchors = {(self._numbers[place.log], place.n): place for place in self._places}
        for (number, n), place in sorted(anchors.items()):
            log, size = place.log, place.size
            note = sources.checkpoint(log, size)
            signer = None if note is None else self._signer(log, n, note)
            if note is not None and signer is not None:
                yield CheckpointNote(number, n, signer.hex(), note.decode())

    def _signer(self, log: bytes, n: int, note: bytes) -> bytes | None:
        """Return the key of the log's owner that signed what is anchored, None if there is none."""
        owner, _ = self._owner(log)
        anchor, _ = self._chain.anchor(log, n)
        for key in (view.key for view in self._context.index.keys(owner)):
            try:
                head = open_checkpoint(note, log, [key])
            except LedgerError:
                continue
            if (head.size, head.root) == (anchor.size, anchor.root) and self._chain.key(owner, key):
                return key
        return None

    def _parties(self) -> Iterator[EvidenceLine]:
        asked = set() if self._rights is None else {self._rights.party}
        for did in sorted(self._authors | asked):
            name = self._context.index.party_name(parse_did(did)[1])
            if name:
                yield PartyName(did, name)

    def _outside(self) -> Iterator[OutsideSource]:
        """Yield the sources of which there is no record: nobody's, or in a log that can't be had."""
        reached = self._closure.reached(self._closure.roots(self._roots))
        misses = cache(self._context.index.misses_log_of)
        for name, alg, digest in sorted(self._closure.outside(reached)):
            missing = misses(namespace_of(name.partition("@")[0]))
            yield OutsideSource(name, {alg: digest}, "unavailable" if missing else "unregistered")

    def _attachments(self) -> Iterator[EvidenceLine]:
        """Yield the private attachments that are to be disclosed, and those that were forgotten."""
        chosen, gone = disclosed(self._context), forgotten(self._context)
        for digest in sorted((chosen | gone) & self._sealed):
            preimage = sealed(self._context, digest) if digest in chosen else None
            if preimage is not None:
                yield Disclosure(digest, b64encode(preimage))
            elif digest in gone:
                yield Forgotten(digest)

    def _posted(self) -> Iterator[EvidenceLine]:
        """Yield payloads of posted records that turn out to take nothing away."""
        posted = self._judge.posted
        for record in sorted(posted.open_posts()):
            payload = self._payload(record)
            said = None if payload is None else self._judge.read(payload)
            if payload is not None and posted.is_harmless(record, said):
                posted.excuse(record, said)
                yield PostedPayload(payload.decode())

    def _payload(self, record: bytes) -> bytes | None:
        place = posted_entry(self._context.index.database, record)
        if place is None:
            return None
        log, index = place
        payload = dsse.decode_envelope(next(self._folder(log).entries(index, index + 1))).payload
        return payload if dsse.record_id(payload) == record else None  # what the index says is a hint
