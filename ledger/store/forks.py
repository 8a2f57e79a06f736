"""Proofs that a log or a chain contradicted itself: small files that are written once and never again.

    forks/<kind>-<16 hex digits of the SHA-256 of the bytes>.json

What is in them is the caller's business. A stranger can make as many contradictions as he likes, so of those
of one log only the first few are kept: one is proof enough.
"""

from __future__ import annotations

from pathlib import Path

from ledger.core.errors import Corrupt
from ledger.core.hashing import sha256
from ledger.store import files

MAX_PROOF = 8 << 20
"""Bytes of one proof, at most: two signed notes of the largest size, escaped."""

MOST = 8
"""Proofs that are kept under one name."""


class ForkFolder:
    """The proofs in the folder `path`, which need not be there."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def keep(self, name: str, data: bytes) -> Path | None:
        """Keep a proof under a name (a file name's beginning), durably; None where it is kept already, or
        there are enough of that name.
        """
        path = self.path / f"{name}-{sha256(data).hex()[:16]}.json"
        if path.exists() or len(list(self.path.glob(f"{name}-*.json"))) >= MOST:
            return None
        files.make_folder(self.path)
        return path if files.write_once(path, data, "the proof of a fork") else None

    def read(self) -> list[tuple[Path, bytes]]:
        """Return every proof with its file, by name. Raises `Corrupt` for one that was altered."""
        found = []
        for path in sorted(self.path.glob("*-*.json")):
            data = files.read_small(path, MAX_PROOF, "the proof of a fork")
            if data is None:
                continue  # somebody deletes it right now
            if sha256(data).hex()[:16] != path.stem.rpartition("-")[2]:
                raise Corrupt(f"{path}: the proof of a fork was altered", hint="Restore it from a backup.")
            found.append((path, data))
        return found
