"""Everything once more from stored bytes: chain file, logs, signatures, anchors, attachments, index.

The index is not believed: it is built anew beside the old one, and the two must have the same state. Findings
are listed and don't fail an audit: they are what the records themselves say or lack. Failures are stored
bytes that contradict each other or the chain; one of them is no reason not to look at the rest. What can't be
read at all (a node that does not answer) is raised.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct, field

from ledger.audit.logs import Failure, StoredLog, audit_checkpoint, audit_log
from ledger.chain.contracts import KEY_ATTRIBUTE
from ledger.chain.embedded.check import verify_chain_db
from ledger.core.chain_facts import Anchored, AttributeChanged, Checkpoint
from ledger.core.errors import LedgerError, Unavailable
from ledger.service.attached import private_attachments, public_attachments
from ledger.service.browsing import problem
from ledger.service.context import Context
from ledger.service.keeping import attachment_problems
from ledger.service.logs import Logs, has_copy, open_log
from ledger.service.results import AuditedLog, AuditReport, Problem
from ledger.service.syncing import refresh
from ledger.service.verifying import EMBEDDED_NOTE, trust_root
from ledger.store.folder import TileFolder

_FINDINGS = 1000
_KEY_ATTRIBUTE = KEY_ATTRIBUTE.ljust(32, b"\0")


def audit(context: Context) -> AuditReport:
    """Recompute everything that is stored here, and say what does not hold."""
    return _Audit(context).run()


class _Said(Struct):
    """What the chain says of logs and keys; parties are addresses of 20 bytes."""

    checkpoints: dict[bytes, list[Checkpoint]] = field(default_factory=lambda: defaultdict(list))
    owners: dict[bytes, bytes] = field(default_factory=dict)
    keys: dict[bytes, set[bytes]] = field(default_factory=lambda: defaultdict(set))


class _Compared(Struct):
    """The index as far as it could be read: findings, state digest, blocks."""

    findings: list[Problem] = []
    truncated: bool = False
    digest: str = ""
    digest_block: int | None = None
    to_block: int | None = None


class _Audit:
    """One audit, with what failed so far."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._failures: list[Problem] = []
        self._notes: list[str] = [EMBEDDED_NOTE] if context.embedded else []

    def run(self) -> AuditReport:
        """Look at everything, the chain first: the rest is compared with it."""
        context = self._context
        assert context.log_id  # a description or settings that can't be read leave nothing to be audited
        blocks, said, root = self._chain()
        logs = [] if said is None else [self._log(log_id, said) for log_id in self._log_ids(said)]
        attachments = self._attachments()
        compared = self._index(sound=not self._failures)
        return AuditReport(
            good=not self._failures,
            chain_blocks=blocks,
            logs=logs,
            attachments=attachments,
            failures=self._failures,
            findings=compared.findings,
            findings_truncated=compared.truncated,
            state_digest=compared.digest,
            digest_block=compared.digest_block,
            to_block=compared.to_block,
            trust_root=root,
            notes=self._notes
            if context.embedded
            else [*self._notes, "the node's own blocks were not checked"],
        )

    @contextmanager
    def _failing(self, subject: str, log: bytes | None = None) -> Iterator[None]:
        """Note what the body raises as a failure; what could not be checked at all is raised."""
        try:
            yield
        except Unavailable:
            raise
        except LedgerError as error:
            self._fail(subject, Failure(type(error).__name__.lower(), None, str(error)), log)

    def _fail(self, subject: str, failure: Failure, log: bytes | None = None) -> None:
        self._failures.append(
            Problem(
                kind=failure.kind,
                severity="error",
                subject=subject,
                text=failure.text,
                log=log.hex() if log else "",
                entry=failure.entry,
            )
        )

    def _chain(self) -> tuple[int, _Said | None, str]:
        """Check an embedded chain's file from its first block on, and read what the chain says."""
        context = self._context
        blocks, said, root = 0, None, ""
        with self._failing(f"chain {context.location}" if context.embedded else "chain"):
            if context.embedded:
                path = Path(context.location)
                blocks = verify_chain_db(path, progress=self._progress("checking the chain")).blocks
            else:
                blocks = context.reader.head().number + 1
            said, root = _read_chain(context), trust_root(context)
        return blocks, said, root

    def _progress(self, what: str) -> Callable[[int, int], None]:
        return lambda done, total: self._context.progress(what, done, total)

    def _log_ids(self, said: _Said) -> list[bytes]:
        """Return the logs of which something is stored here: the own one first."""
        own = self._context.log_id
        others = (log_id for log_id in said.checkpoints if log_id != own and has_copy(self._context, log_id))
        return [own, *sorted(others)]

    def _log(self, log_id: bytes, said: _Said) -> AuditedLog:
        own = log_id == self._context.log_id
        party = self._context.address if own else said.owners[log_id]
        name, before, size = self._context.did(party), len(self._failures), 0
        checkpoints = said.checkpoints[log_id]
        with self._failing(f"log of {name}", log_id):
            folder = open_log(self._context, log_id)
            size = folder.size
            # a copy of another's log ends where it was last verified; the own one has to have everything
            expected = checkpoints if own else [point for point in checkpoints if point.size <= size]
            self._entries(folder, expected, name)
            if own:
                self._checkpoints(checkpoints, said.keys[party], name)
        return AuditedLog(
            log=log_id.hex(),
            party=name,
            entries=size,
            anchored=checkpoints[-1].size if checkpoints else 0,
            checkpoints=len(checkpoints),
            good=len(self._failures) == before,
        )

    def _entries(self, folder: TileFolder, checkpoints: list[Checkpoint], name: str) -> None:
        stored = StoredLog(folder.size, folder.tree.bundles, folder.tree.tile)
        progress = self._progress(f"auditing the log of {name}")
        found = audit_log(stored, checkpoints, progress=progress)
        if found and all(failure.kind == "entry-invalid" for failure in found):
            # They are what was anchored, so nothing here was altered: the owner wrote what is no record, and
            # no stranger may fail everybody's audit by that. The index keeps them as rejected.
            self._notes.append(f"{len(found)} entries in the log of {name} are no valid records: rejected")
            return
        for failure in found:
            self._fail(f"log of {name}", failure, folder.log_id)

    def _checkpoints(self, anchored: list[Checkpoint], keys: set[bytes], name: str) -> None:
        """Check the own log's signed checkpoint, and those that are kept: each anchored one has to be."""
        log = self._context.log
        found = (
            audit_checkpoint(log.checkpoint, log.log_id, keys, log.size, log.root, "checkpoint")
            if log.size
            else []
        )
        kept = set(log.kept_sizes())
        for size in sorted(kept | {point.size for point in anchored}):
            if size > log.size:
                continue  # the log has lost its tail, which is a failure already
            with self._failing(f"log of {name}", log.log_id):
                note, what = log.kept_checkpoint(size).note, f"checkpoints/{size}"
                found += audit_checkpoint(note, log.log_id, keys, size, log.root_at(size), what)
        for failure in found:
            self._fail(f"log of {name}", failure, log.log_id)

    def _attachments(self) -> int:
        """Check every attachment that is kept here against its digest."""
        count = 0
        for what in (public_attachments(self._context), private_attachments(self._context)):
            for digest in what.digests():
                count += 1
                with self._failing(f"attachment {what.path(digest)}"):
                    what.get(digest)
        return count

    def _index(self, *, sound: bool) -> _Compared:
        """Build the index anew and compare; only where what it is built from is sound."""
        compared = _Compared()
        if not sound:
            self._notes.append("the index was not compared: chain, log or attachments have to be right first")
            return compared
        with self._failing("index"):
            refresh(self._context)  # a log that can be had by now is in the fresh index too
            index = self._context.index
            self._compare()
            rows, compared.truncated = index.findings(limit=_FINDINGS)
            compared.findings = [
                *attachment_problems(self._context, index, _FINDINGS),
                *(problem(row) for row in rows),
            ]
            state = index.state()
            compared.digest, compared.digest_block = state.digest.hex(), state.block
            compared.to_block = index.summary().head
        return compared

    def _compare(self) -> None:
        context = self._context
        path = context.workspace.index_path
        scratch = path.with_name(f"{path.name}.audit-{os.getpid()}")
        with context.syncing():  # nobody changes the index while it is compared
            logs = Logs(context, context.reader, hurried=True)
            differing = context.index.audit(context.reader, logs, scratch, progress=context.progress)
        for each in differing:
            text = (
                f"table {each.table}, row {each.row}: found {each.found}, chain and logs say {each.expected};"
                " dataledger sync --rebuild makes it anew"
            )
            self._fail("index", Failure("index-mismatch", None, text))


def _read_chain(context: Context) -> _Said:
    """Read all events: checkpoints of every log, with their blocks' times, and every record key ever
    published.
    """
    said, reader = _Said(), context.reader
    times: dict[int, int] = {}
    for event in reader.events(context.descriptor.hints.start_block, reader.head().number + 1):
        body = event.body
        if isinstance(body, AttributeChanged) and body.name == _KEY_ATTRIBUTE:
            said.keys[body.identity].add(body.content)
        elif isinstance(body, Anchored):
            if event.block not in times:
                block = reader.block(event.block)
                times[event.block] = block.time_unix_s if block else 0
            said.owners[body.log] = body.owner
            said.checkpoints[body.log].append(
                Checkpoint(body.n, body.size, body.root, event.block, times[event.block])
            )
    return said
