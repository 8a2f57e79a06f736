"""Everything once more from stored bytes: chain file, logs, signatures, anchors, attachments, index.

The index is not believed: it is built anew beside the old one, and the two must have the same state. Findings
are listed and don't fail an audit: they are what the records themselves say or lack. Failures are stored
bytes that contradict each other or the chain; one of them is no reason not to look at the rest. What can't be
read at all (a node that does not answer) is raised.

Each signature is verified once: while the index is built anew, or, where that is not asked for or makes no
sense, by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from msgspec import structs

from ledger.audit.logs import Failure
from ledger.audit.signatures import Verified, audit_signatures
from ledger.chain.embedded.check import verify_chain_db
from ledger.core.errors import LedgerError, Unavailable
from ledger.index.verification import SIGNATURES, Verification
from ledger.service import forks
from ledger.service.against import compare_chains
from ledger.service.attached import private_attachments, public_attachments
from ledger.service.audit_scope import Said, Scope, chosen, parse_scope, read_chain, skipped
from ledger.service.auditing_index import Compared, compare_index, rolled_back
from ledger.service.auditing_logs import LogAudit, audit_stored, in_words
from ledger.service.auditing_settlements import audit_settlements
from ledger.service.context import Context
from ledger.service.logs import Logs, has_copy
from ledger.service.results import AuditReport, Fork, Problem
from ledger.service.syncing import refresh
from ledger.service.verifying import EMBEDDED_NOTE, trust_root
from ledger.store.attachments import PrivateAttachments, PublicAttachments

_MOST_FAILURES = 1000

GOOD, PARTIAL, FAILED = "good", "partial", "failed"


def audit(
    context: Context,
    *,
    logs: Sequence[str] = (),
    since: str = "",
    against: str = "",
    settlements: bool = False,
) -> AuditReport:
    """Recompute everything that is stored here, and say what does not hold.

    `logs` names those to be looked at (parties, ids, the first digits of ids), and nothing else is; `since`,
    a block or a time, leaves out signatures of entries that were anchored before. Then the index is not built
    anew, and the verdict is `partial` at best. `against` is another chain file or node, which must give the
    same answers. `settlements` recomputes each of them too.
    """
    report = _Audit(context, parse_scope(logs, since), against).run()
    if not settlements or report.failures:
        return report
    count, wrong = audit_settlements(context)
    return structs.replace(report, settlements=count, findings=[*report.findings, *wrong])


class _Audit:
    """One audit, with what failed so far."""

    def __init__(self, context: Context, scope: Scope, against: str) -> None:
        self._context = context
        self._scope = scope
        self._against = against
        self._failures: list[Problem] = []
        self._findings: list[Problem] = []
        self._forks: list[Fork] = []
        self._left_out: list[str] = []
        self._notes: list[str] = []
        self._unlisted = 0

    def run(self) -> AuditReport:
        """Look at everything, the chain first: the rest is compared with it."""
        context = self._context
        assert context.log_id  # a description or settings that can't be read leave nothing to be audited
        blocks, said, root = self._chain()
        logs = [] if said is None else self._logs(said)
        attachments = self._attachments()
        compared = self._index(said, logs)
        self._known_forks()  # last: what others did at some time is no reason not to compare the index
        self._other_answers(said)
        if self._unlisted:
            self._notes.append(f"{self._unlisted} more failures are not listed")
        verdict = FAILED if self._failures else PARTIAL if self._left_out else GOOD
        return AuditReport(
            verdict=verdict,
            good=verdict == GOOD,
            chain_blocks=blocks,
            logs=[] if said is None else [in_words(each, said) for each in logs],
            attachments=attachments,
            failures=self._failures,
            findings=[*self._findings, *compared.findings],
            findings_truncated=compared.truncated,
            state_digest=compared.digest,
            digest_block=compared.digest_block,
            to_block=compared.to_block,
            trust_root=root,
            forks=self._forks,
            not_checked=self._left_out,
            notes=[EMBEDDED_NOTE, *self._notes]
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
        if len(self._failures) >= _MOST_FAILURES:
            self._unlisted += 1
            return
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

    def _progress(self, what: str) -> Callable[[int, int], None]:
        return lambda done, total: self._context.progress(what, done, total)

    # --- the chain

    def _chain(self) -> tuple[int, Said | None, str]:
        """Check an embedded chain's file from its first block on, and read what the chain says."""
        context = self._context
        blocks, said, root = 0, None, ""
        with self._failing(f"chain {context.location}" if context.embedded else "chain"):
            if context.embedded:
                path = Path(context.location)
                blocks = verify_chain_db(path, progress=self._progress("checking the chain")).blocks
            else:
                blocks = context.reader.head().number + 1
            said, root = read_chain(context), trust_root(context)
        if said is not None:
            self._remembered(said)
        return blocks, said, root

    def _remembered(self, said: Said) -> None:
        """Hold the chain against what the index remembers of it, and the other way round, before a sync
        makes the index forget. An index that can't be read is named later.
        """
        with suppress(LedgerError):
            forks.note_chain_fork(self._context, self._context.reader)
            behind = rolled_back(self._context, len(said.checkpoints[self._context.log_id]))
            self._findings += [behind] if behind else []

    def _known_forks(self) -> None:
        """Take in every contradiction that was kept, whenever it was met."""
        with self._failing("forks"):
            known = forks.kept(self._context)
            self._note_forks(each for each in known if each not in self._forks)

    def _other_answers(self, said: Said | None) -> None:
        """Hold the chain against the other one that was named."""
        if self._against and said is not None:
            self._note_forks(compare_chains(self._context, self._against))

    def _note_forks(self, found: Iterator[Fork]) -> None:
        for fork in found:
            self._forks.append(fork)
            self._failures.append(forks.problem(fork))

    # --- the logs

    def _logs(self, said: Said) -> list[LogAudit]:
        """Recompute the trees of the logs of which something is stored here, the own ones first."""
        followed = self._fetch()
        kept = self._kept(said)
        absent = [log_id for log_id in followed if log_id not in kept and log_id in said.checkpoints]
        asked = chosen(self._context, self._scope, said, [*kept, *absent])
        for log_id in (*kept, *absent):
            if log_id not in asked:
                self._left_out.append(f"the log {log_id.hex()}")
            elif log_id in absent and not self._scope.whole:
                self._left_out.append(f"the log {log_id.hex()}, of which nothing is here")
        return [self._log(log_id, said) for log_id in asked if log_id not in absent]

    def _fetch(self) -> list[bytes]:
        """Take up what can be had of others' logs by now, and look at what is served: a fork is met there.

        Returns the logs that are followed. What keeps the index from being brought up to date is named when
        it is compared.
        """
        try:
            logs = Logs(self._context, self._context.reader)
        except LedgerError:
            return []
        with suppress(LedgerError):
            refresh(self._context, logs=logs)
            logs.look_at_own()
        for log_id, text in logs.wrong_sizes.items():
            subject = f"log {log_id.hex()}"
            self._findings.append(
                Problem(kind="wrong-size", severity="error", subject=subject, text=text, log=log_id.hex())
            )
        return logs.followed()

    def _kept(self, said: Said) -> list[bytes]:
        """Return the logs of which something is stored here, or should be: the own ones first."""
        context = self._context
        own = [each for each, number in context.own_logs.items() if self._began(each, number, said)]
        others = (
            each for each in said.checkpoints if each not in context.own_logs and has_copy(context, each)
        )
        return [*own, *sorted(others)]

    def _began(self, log_id: bytes, number: int, said: Said) -> bool:
        """Tell whether an own log was ever used: a successor that was named need not be the next number."""
        is_there = self._context.workspace.log_folder(number).exists()
        return log_id == self._context.log_id or is_there or log_id in said.checkpoints

    def _log(self, log_id: bytes, said: Said) -> LogAudit:
        progress = self._progress(f"recomputing log {log_id.hex()[:12]}")
        found = audit_stored(self._context, said, log_id, progress)
        for failure in found.failures:
            self._fail(f"log of {found.party}", failure, log_id)
        self._note_forks(iter(found.forks))
        self._findings += found.findings
        return found

    def _signatures(self, logs: Sequence[LogAudit], said: Said) -> None:
        """Verify the signatures of these logs on all cores."""
        with Verification(SIGNATURES) as verification:
            for found in logs:
                if found.folder is None:
                    continue
                start = min(skipped(self._scope, said.checkpoints[found.log_id]), found.folder.size)
                if start:
                    what = f"the signatures of the first {start} entries of the log {found.log_id.hex()}"
                    self._left_out.append(f"{what}, anchored before {self._scope.since}")
                progress = self._progress(f"verifying signatures of log {found.log_id.hex()[:12]}")
                verified = audit_signatures(
                    found.stored(), verification.submit, start=start, progress=progress
                )
                found.signatures = verified.entries
                self._note_invalid(found, verified)

    def _note_invalid(self, found: LogAudit, verified: Verified) -> None:
        """Note entries whose signatures don't hold. Where they are what was anchored, nothing here was
        altered: the owner wrote what is no record, and no stranger may fail everybody's audit by that.
        """
        if verified.wrong and found.good:
            self._note_rejected(verified.wrong, found.party)
            return
        for failure in verified.failures:
            self._fail(f"log of {found.party}", failure, found.log_id)

    def _note_rejected(self, count: int, party: str) -> None:
        self._notes.append(f"{count} entries in the log of {party} are no valid records: rejected")

    # --- the rest

    def _attachments(self) -> int:
        """Check every attachment that is kept here against its digest."""
        if self._scope.parts:
            self._left_out.append("attachments")
            return 0
        count = 0
        folders: list[PublicAttachments | PrivateAttachments] = [private_attachments(self._context)]
        folders += [public_attachments(self._context, log_id) for log_id in self._context.own_logs]
        for what in folders:
            for digest in what.digests():
                count += 1
                with self._failing(f"attachment {what.path(digest)}"):
                    what.get(digest)
        return count

    def _index(self, said: Said | None, logs: Sequence[LogAudit]) -> Compared:
        """Build the index anew and compare; only where what it is built from is sound and wholly asked for.

        Otherwise the signatures are verified by themselves.
        """
        if self._scope.whole and not self._failures:
            with self._failing("index"):
                compared, differing = compare_index(self._context)
                for failure in differing:
                    self._fail("index", failure)
                self._count_verified(logs)
                return compared
            return Compared()
        if self._scope.whole:
            what = "chain, log or attachments have to be right first"
            self._notes.append(f"the index was not compared: {what}")
        else:
            self._left_out.append("the index")
        if said is not None:
            self._signatures(logs, said)
        return Compared()

    def _count_verified(self, logs: Sequence[LogAudit]) -> None:
        """Say how many entries were verified while the index was built, and how many of them were refused."""
        index = self._context.index
        for found in logs:
            known = index.log_progress(found.log_id)
            found.signatures = known.size + known.pending
            refused = index.unreadable_entries(found.log_id)
            if refused:
                self._note_rejected(refused, found.party)
