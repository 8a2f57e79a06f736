"""Making a page of what an evidence file comes to: verified first, and never made of what was refused.

Needs what verifying needs, and no more: no workspace and no network. Names of files go into the page without
their folders, and a node's address only if it holds no secret: a report is made to be handed on.
"""

from __future__ import annotations

import hashlib
import shlex
from importlib import metadata
from pathlib import Path

import msgspec

from ledger.core.errors import Usage
from ledger.core.verdict import EvidenceView
from ledger.formats.report import render_report
from ledger.service.evidence_checking import TrustRoot, check_evidence, looks_like_evidence
from ledger.service.progress import Progress, no_progress
from ledger.service.results import ReportMade
from ledger.store import files


def report(
    evidence: Path,
    out: Path,
    trust: TrustRoot | None = None,
    *,
    file: Path | None = None,
    progress: Progress = no_progress,
) -> ReportMade:
    """Verify an evidence file and write the page that shows the verdict to `out`.

    Raises as `check_evidence` does; then nothing is written, and what was at `out` before stays. A verdict
    that is not good is written, and its page says so first.
    """
    _require_other(out, evidence, file)
    root = trust or TrustRoot()
    view = check_evidence(evidence, root, file=file, everything=True, progress=progress)
    page = render_report(
        _without_folders(view),
        evidence_name=evidence.name,
        verify_command=verify_command(evidence, root, file),
        made_with=f"dataledger {metadata.version('dataledger')}",
    ).encode()
    files.write_atomic(out, page, "a report")
    return ReportMade(
        path=str(out),
        bytes=len(page),
        sha256=hashlib.sha256(page).hexdigest(),
        evidence=str(evidence),
        verdict=view.verdict.verdict,
        reason=view.verdict.reason,
        trust_root=view.verdict.trust_root,
        rights=view.verdict.rights.verdict if view.verdict.rights else None,
    )


def verify_command(evidence: Path, trust: TrustRoot, file: Path | None) -> str:
    """Return the command that verifies a file once more, in the folder where it lies."""
    words = ["dataledger", "verify", _named(evidence)]
    if trust.block:
        words += ["--block", trust.block]
    if trust.file is not None:
        words += ["--trust", _named(trust.file)]
    if trust.rpc:
        words += ["--rpc", _public(trust.rpc)]
    if file is not None:
        words += ["--file", _named(file)]
    return shlex.join(words)


def _named(path: Path) -> str:
    """Return a file's name, as an argument that is no option."""
    return f"./{path.name}" if path.name.startswith("-") else path.name


def _public(location: str) -> str:
    from ledger.chain.connect import is_public, is_url

    return location if is_url(location) and is_public(location) else "URL"


def _require_other(out: Path, evidence: Path, file: Path | None) -> None:
    """Refuse to write a page over what it is about, or over other evidence."""
    same = [each for each in (evidence, file) if each is not None and each.exists() and out.exists()]
    if any(out.samefile(each) for each in same) or looks_like_evidence(out):
        raise Usage(f"{out} is no page: expected another file for the report", hint="name it with -o")


def _without_folders(view: EvidenceView) -> EvidenceView:
    if view.verdict.file is None:
        return view
    file = msgspec.structs.replace(view.verdict.file, path=Path(view.verdict.file.path).name)
    return msgspec.structs.replace(view, verdict=msgspec.structs.replace(view.verdict, file=file))
