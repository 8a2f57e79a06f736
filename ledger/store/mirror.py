"""A verified local copy of a foreign log: `mirrors/<log id>`, a tlog-tiles folder (see `folder`) with a
head of its own.

The head is what the caller vouches for, a size and a root that were anchored; the file `head` is the text
of a checkpoint (C2SP tlog-checkpoint) without a signature. Entries are fetched from any source, because it
does not matter who had them: they are kept only if they lead to that root. What did not is left beyond the
head, where nobody looks, and is overwritten by the next attempt.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ledger.core.checkpoint import format_checkpoint, parse_checkpoint
from ledger.core.errors import Corrupt, FormatError
from ledger.store import files
from ledger.store.attachments import PublicAttachments
from ledger.store.folder import KEPT, Head, TileFolder
from ledger.store.lock import DEFAULT_WAIT_S, exclusive
from ledger.store.source import LogSource

HEAD = "head"
_MAX_HEAD = 4096


class Mirror(TileFolder):
    """The copy of the log `log_id` in `path`. Opening it checks the tiles against its head: `Corrupt`."""

    def __init__(self, path: Path, log_id: bytes) -> None:
        super().__init__(path, log_id)
        self.attachments = PublicAttachments(path / "attachments")
        self.refresh()

    @classmethod
    def of(cls, mirrors: Path, log_id: bytes) -> Mirror:
        """Return the mirror of a log in the workspace's folder of mirrors."""
        return cls(mirrors / log_id.hex(), log_id)

    def extend(
        self,
        source: LogSource,
        size: int,
        root: bytes,
        *,
        wait_s: float = DEFAULT_WAIT_S,
        on_wait: Callable[[str], None] | None = None,
    ) -> None:
        """Fetch what is missing up to `size` and keep it if all of it leads to `root`, which was anchored.

        Raises `Corrupt` where the source's entries don't lead there, `Forked` where what is here already
        does not, `Unavailable` where they can't be had, or not within the source's budget. Nothing is kept
        then.
        """
        if size <= self.size:
            self.require_extends(size, root)
            return
        files.make_folder(self.path)
        with self._mutex, exclusive(self._lock_path, "the mirror", wait_s, on_wait):
            self._prepare()
            if size > self.size:
                with self._batch() as (grow, edge):
                    for bundle in source.bundles(self.size, size):
                        grow(bundle)
                    if (edge.size, edge.root()) != (size, root):
                        raise self._mismatch(source, size, root, edge.root())
        self.require_extends(size, root)

    def store_checkpoint(self, size: int, note: bytes) -> None:
        """Keep the owner's signed checkpoint of an anchored size; who reads it verifies it."""
        files.make_folder(self.path / KEPT)
        files.write_atomic(self.path / KEPT / str(size), note, "a checkpoint")

    def _mismatch(self, source: LogSource, size: int, root: bytes, found: bytes) -> Corrupt:
        message = (
            f"{self._where}: anchored is root {root.hex()} at size {size}, {source.where} has {found.hex()}"
        )
        return Corrupt(message, hint="Try another copy of this log; this one was damaged or forged.")

    def _read_head(self) -> bytes | None:
        return self._read(HEAD, _MAX_HEAD)

    def _parse_head(self, note: bytes) -> Head:
        hint = "Delete the folder: what is in it can be fetched again."
        try:
            origin, size, root = parse_checkpoint(note.decode("utf-8"))
        except (FormatError, UnicodeDecodeError) as error:
            raise Corrupt(f"{self._where}: head: {error}", hint=hint) from None
        if origin != self.origin:
            raise Corrupt(f"{self._where}: head: expected {self.origin}, got {origin[:200]!a}", hint=hint)
        return Head(size, root, note)

    def _write_head(self, size: int, root: bytes) -> Head:
        note = format_checkpoint(self.origin, size, root).encode()
        files.write_atomic(self.path / HEAD, note, "a mirror's head")
        return Head(size, root, note)
