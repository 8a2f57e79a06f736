"""Verifying an evidence file for somebody who has nothing else: no workspace, no network, no account.

`ledger.audit` does it, from the file's bytes and a trust root; here the bytes are read, and the trust root is
fetched from wherever the person who verifies says: a block's hash, a trust file, or a node of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from ledger.audit.evidence import is_evidence, verify_evidence
from ledger.core.descriptor import LedgerDescriptor
from ledger.core.errors import EvidenceInvalid, NotFound, Unavailable, Usage
from ledger.core.evidence import MAX_DISCLOSURE, START
from ledger.core.header import Header
from ledger.core.trust import MAX_BYTES, parse_trust, trust_block
from ledger.core.trust import TrustRoot as Confirming
from ledger.core.verdict import EvidenceView, FileCheck, RootVerdict, Verdict
from ledger.service.asking import asked
from ledger.service.progress import Progress, no_progress
from ledger.store import files

UNCONFIRMED_HINT = (
    "give the hash of that block, from a source of your own: --block 0x..., --rpc URL or --trust FILE"
)


class TrustRoot(Struct, frozen=True):
    """Where the trust comes from: a block hash, a file, or a chain (URL, or path of an embedded one)."""

    block: str = ""
    file: Path | None = None
    rpc: str = ""


def looks_like_evidence(path: Path) -> bool:
    """Tell from its first bytes whether a file is evidence; a folder or what can't be read is not."""
    try:
        if not path.is_file():
            return False  # opening a pipe would wait for somebody to write into it
        with path.open("rb") as file:
            return is_evidence(file.read(len(START)))
    except OSError:
        return False


def check_evidence(
    path: Path,
    trust: TrustRoot | None = None,
    *,
    file: Path | None = None,
    everything: bool = False,
    progress: Progress = no_progress,
) -> EvidenceView:
    """Verify the evidence file at `path`; with `file`, also say whether that is one of its versions.

    Raises EvidenceInvalid if it does not hold, Unavailable if a node that was named does not answer.
    `everything`: records, attachments and graph are in the answer too.
    """
    root = trust or TrustRoot()
    view = verify_evidence(
        _lines(path),
        _trust(root),
        everything=everything,
        progress=_shown(path, progress),
    )
    verdict = view.verdict
    if file is not None:
        verdict = _with_file(verdict, file)
    return msgspec.structs.replace(view, verdict=verdict)


def _lines(path: Path) -> Iterator[bytes]:
    with files.translating("reading evidence", path):
        try:
            source = path.open("rb")
        except FileNotFoundError:
            raise NotFound(f"no such file: {path}") from None
        except IsADirectoryError:
            raise Usage(f"expected an evidence file, this is a folder: {path}") from None
        with source:
            while line := source.readline(MAX_DISCLOSURE + 1):
                yield line


def _shown(path: Path, progress: Progress) -> Callable[[int], None]:
    total = path.stat().st_size if path.is_file() else None
    return lambda done: progress("verifying evidence", done, total)


def _trust(root: TrustRoot) -> Confirming | None:
    if sum(map(bool, (root.block, root.file, root.rpc))) > 1:
        raise Usage("give one trust root: --block, --trust or --rpc")
    if root.block:
        with asked():
            return trust_block(root.block)
    if root.file is not None:
        data = files.read_small(root.file, MAX_BYTES, "a trust file")
        if data is None:
            raise NotFound(f"no such file: {root.file}")
        return parse_trust(data, root.file.name)
    return _Node(root.rpc) if root.rpc else None


class _Node(Struct, frozen=True):
    """A chain that is asked whether a block is on it today."""

    location: str

    def confirm(self, ledger: LedgerDescriptor, header: Header) -> str:
        """See `core.trust.TrustRoot`; Unavailable if the node does not answer, or not yet."""
        from ledger.chain.connect import open_backend, shown

        backend, where = open_backend(self.location), shown(self.location)
        try:
            if backend.chain_id != ledger.chain_id:
                text = f"expected chain {ledger.chain_id}, {where} is chain {backend.chain_id}"
                raise EvidenceInvalid("wrong-ledger", text)
            found, final = backend.block(header.number), backend.final_number()
        finally:
            backend.close()
        if found is None:
            raise Unavailable(
                f"{where} does not have block {header.number} yet", hint="wait until it has caught up"
            )
        if found.hash != header.hash:
            raise EvidenceInvalid(
                "wrong-block",
                f"expected block {header.number} to be 0x{header.hash.hex()}, on {where} it is"
                f" 0x{found.hash.hex()}",
                hint="the file is about another chain, or the chain was reorganised since",
            )
        if header.number > final:
            raise Unavailable(f"block {header.number} is not final at {where} yet", hint="try again later")
        return f"block {header.number} of chain {ledger.chain_id}, as {where} has it today"


def _with_file(verdict: Verdict, path: Path) -> Verdict:
    """Digest a file or folder and hold it against the versions that were asked for."""
    from ledger.store.content import digest_path

    content = digest_path(path)
    digest = f"{content.name}:{content.digest}"
    found = next((each for each in verdict.roots if each.digest == digest), None)
    check = FileCheck(path=str(path), digest=digest, version=found.version if found else "")
    if found is not None or verdict.verdict == "revoked":
        return msgspec.structs.replace(verdict, file=check)
    return msgspec.structs.replace(
        verdict, verdict="wrong-file", reason=_other_content(verdict.roots, digest), file=check
    )


def _other_content(roots: tuple[RootVerdict, ...], digest: str) -> str:
    expected = ", ".join(f"{each.version} is {each.digest}" for each in roots[:3])
    return f"this content is {digest}; {expected}: the file was changed, or it is another version"
