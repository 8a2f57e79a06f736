"""Making an evidence file: the lineage of some versions with everything that proves it, at one block.

With a question, whether a party may do something with the one version, it proves the answer as well.

What is written is verified once more, as an auditor would, before it gets its name.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ledger.audit.evidence import verify_evidence
from ledger.core.chain_facts import BlockRef
from ledger.core.errors import NotFound, Unavailable, Unconfirmed, Usage
from ledger.core.evidence import MAX_ROOTS
from ledger.core.names import format_version
from ledger.core.verdict import Verdict
from ledger.index.views import VersionView
from ledger.service.context import Context
from ledger.service.evidence_inquiry import MayInquiry, asking_of
from ledger.service.evidence_writing import EvidenceWriter
from ledger.service.results import EvidenceMade
from ledger.service.syncing import current
from ledger.service.times import format_time
from ledger.service.verifying import EMBEDDED_NOTE
from ledger.store import files


def evidence(
    context: Context, references: Sequence[str], out: Path, inquiry: MayInquiry | None = None
) -> EvidenceMade:
    """Write the evidence of these versions to `out`, which is replaced only when all is there and verified.

    An asset means its newest version; an inquiry is about one. Raises Unconfirmed for a version that is not
    in a final block yet, or not by the time that is asked for.
    """
    if not 0 < len(references) <= MAX_ROOTS:
        raise Usage(f"evidence: expected 1 to {MAX_ROOTS} versions, got {len(references)}")
    if inquiry is not None and len(references) != 1:
        raise Usage("evidence: expected one version to ask about", hint="make a file for each")
    current(context)
    block, asking = (_final(context), None) if inquiry is None else asking_of(context, inquiry)
    roots = sorted({_root(context, text, block.number) for text in references})
    with files.replacing(out, "evidence") as file:
        writer = EvidenceWriter(context, block, roots, asking)
        writer.write(file)
        file.seek(0)
        verdict = verify_evidence(file).verdict
    return _made(context, out, verdict, writer.index_answer)


def _final(context: Context) -> BlockRef:
    block = context.reader.block(context.index.final)
    if block is None:
        raise Unavailable("no block is final yet", hint="wait for the network, then try again")
    return block


def _root(context: Context, text: str, block: int) -> str:
    """Return the version that a reference means; it has to be in a final block."""
    reference = context.known.reference(text)
    named = context.known.named_version(reference)
    view = _view(context, reference.asset, None if named is None else named.number)
    version = format_version(view.asset, view.number)
    if view.block is None or view.block > block:
        raise Unconfirmed(
            f"{version} is not in a final block yet: the last one by then is {block}",
            hint="dataledger anchor, or wait until the chain has gone on; or name an earlier version",
        )
    return version


def _view(context: Context, asset: str, number: int | None) -> VersionView:
    found = context.index.latest_version(asset) if number is None else context.index.version(asset, number)
    if found is None and not context.index.registered(asset):
        raise NotFound(f"nothing is known of {asset}", hint="dataledger search finds assets by their texts")
    if found is None:
        raise NotFound(f"{asset} has no version yet", hint=f"dataledger version {asset} FILE records one")
    return found


def _made(context: Context, out: Path, verdict: Verdict, answer: str | None) -> EvidenceMade:
    notes = [*verdict.notes, *([EMBEDDED_NOTE] if context.embedded else [])]
    if verdict.rights is not None and verdict.rights.shown != answer:
        notes.append(f"dataledger may answers {answer}: this file can show less, or more of what was posted")
    return EvidenceMade(
        path=str(out),
        bytes=verdict.bytes,
        sha256=verdict.digest,
        versions=[each.version for each in verdict.roots],
        records=verdict.records,
        logs=verdict.logs,
        block=verdict.block.number,
        block_hash=verdict.block.hash,
        block_time=format_time(verdict.block.time_unix_s),
        revoked=[each.version for each in verdict.roots if each.state == "revoked"],
        outside=[each.name for each in verdict.outside],
        unknown=[*verdict.unknown, *(verdict.rights.unknown if verdict.rights else ())],
        findings=list(verdict.findings),
        rights=verdict.rights,
        notes=notes,
    )
