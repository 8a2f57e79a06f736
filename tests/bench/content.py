"""Digesting files and folders, against hashlib alone."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from measure import Row, duration, median_time, rate

from ledger.store.content import digest_file, digest_folder

BIG = 2 << 30
MANY = 10_000


def digests() -> list[Row]:
    """One file of 2 GiB; 10,000 files of 10 KB."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        return [_big(folder / "big"), _many(folder / "many")]


def _big(path: Path) -> Row:
    block = os.urandom(1 << 24)
    with path.open("wb") as file:
        for _ in range(BIG // len(block)):
            file.write(block)

    def peer() -> None:
        with path.open("rb") as file:
            hashlib.file_digest(file, "sha256")

    theirs = median_time(peer, 3)
    ours = median_time(lambda: digest_file(path), 3)
    path.unlink()
    return duration(
        "digest of one 2 GiB file",
        ours,
        must_s=theirs / 0.9,
        limit_s=theirs,
        limit_note="hashlib.file_digest, same run",
    )


def _many(folder: Path) -> Row:
    folder.mkdir()
    for number in range(MANY):
        (folder / f"{number:05}.bin").write_bytes(number.to_bytes(4, "big") * 2500)
    elapsed = median_time(lambda: digest_folder(folder), 5)
    return rate("digest of 10,000 files of 10 KB", MANY / elapsed, must=40_000, limit=72_000, unit=" files/s")
