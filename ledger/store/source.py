"""Where others' logs come from: a folder that the user named, or a web server (see `fetch`).

Source: C2SP tlog-tiles. Nothing read here is believed: entries count once they lead to an anchored root (see
`mirror`), attachments once they have their digest. How much may be read of each file is known from the format
before it is read, so a stranger's server can't fill memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

from ledger.core.checkpoint import parse_checkpoint
from ledger.core.encoding import unhex
from ledger.core.errors import Corrupt, LedgerError, NotFound, Unavailable, Usage
from ledger.core.hashing import sha256
from ledger.core.note import MAX_NOTE, parse_note
from ledger.store import files
from ledger.store.attachments import MAX_ATTACHMENT
from ledger.store.budget import Budget
from ledger.store.tiletree import ReadFile, TileTree
from ledger.store.workspace import FOLDER


class LogSource:
    """Somebody's log, as far as `read` gives it; `where` names it in messages. Close it after use."""

    def __init__(self, read: ReadFile, where: str, close: Callable[[], None] = lambda: None) -> None:
        self.where = where
        self._read = read
        self._close = close
        self._available: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of connections."""
        self._close()

    def checkpoint(self) -> bytes:
        """Return the signed checkpoint as it is served, unverified. Raises `Unavailable`."""
        note = self._read("checkpoint", MAX_NOTE)
        if note is None:
            raise Unavailable(f"no log there: {self.where} has no checkpoint")
        return note

    def kept_checkpoint(self, size: int) -> bytes | None:
        """Return the signed checkpoint that was anchored at `size`, unverified, or None."""
        return self._read(f"checkpoints/{size}", MAX_NOTE)

    def entries(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the entries of the half-open range, as served. Raises `Unavailable`, or `Corrupt` for
        malformed ones.
        """
        for bundle in self.bundles(start, stop):
            yield from bundle

    def bundles(self, start: int, stop: int) -> Iterator[list[bytes]]:
        """Yield the same entries in lists of up to 256."""
        if start == stop:
            return iter(())
        return self.tree(stop).bundles(start, stop)

    def tree(self, size: int) -> TileTree:
        """Return the tree of the first `size` entries, as served; what is missing raises `Unavailable`."""
        available = max(size, self._served_size())
        return TileTree(size, self._read, self.where, available=available, missing=Unavailable)

    def attachment(self, digest: str) -> bytes | None:
        """Return the public attachment with that SHA-256 (64 hex digits), or None. Raises `Corrupt` for
        other bytes.
        """
        unhex(digest, 32, "attachment digest")
        data = self._read(f"attachments/{digest}", MAX_ATTACHMENT)
        if data is not None and sha256(data).hex() != digest:
            raise Corrupt(f"{self.where}: attachment {digest}: its bytes have digest {sha256(data).hex()}")
        return data

    def _served_size(self) -> int:
        """How many entries the server says it has: only to know which partial tile it may still have."""
        if self._available is None:
            try:
                self._available = parse_checkpoint(parse_note(self.checkpoint()).text).size
            except LedgerError:
                self._available = 0
        return self._available


def open_source(location: str, *, named: bool, below: str = "", budget: Budget | None = None) -> LogSource:
    """Open a log at `location`: an `https://` URL, or a folder (of a log, or the workspace around it); in
    the folder `below` that, if it is there.

    `named` says that the user gave this very location. Only then it may be a folder, a private address, or
    plain `http://` to this machine; an address found on a chain may be none of these. `budget` bounds bytes
    and time of everything fetched; the default is that of `Budget`. Raises `Usage`, `NotFound` or
    `Unavailable`.
    """
    if location.startswith(("http://", "https://")):
        from ledger.store.fetch import WebFolder

        web = WebFolder(location, named=named, budget=budget or Budget())
        return LogSource(_lower(web.read, below), f"{location.rstrip('/')}/{below}".rstrip("/"), web.close)
    if not named:
        hint = "If you know what it is, name it yourself: follow --from."
        raise Usage(f"expected an https:// address, found {location[:200]!a}", hint=hint)
    folder = _log_folder(Path(location).expanduser(), below)

    def read(name: str, max_bytes: int) -> bytes | None:
        return files.read_small(f"{folder}/{name}", max_bytes, "a foreign log")

    return LogSource(read, str(folder))


def _lower(read: ReadFile, below: str) -> ReadFile:
    return (lambda name, max_bytes: read(f"{below}/{name}", max_bytes)) if below else read


def _log_folder(path: Path, below: str) -> Path:
    around = (path, path / "public", path / FOLDER / "public")
    for folder in (*(each / below for each in around), *around):
        if (folder / "checkpoint").is_file():
            return folder
    if not path.is_dir():
        raise NotFound(f"no such folder: {path}")
    raise NotFound(f"no log there: {path} has no checkpoint")
