"""A tlog-tiles folder and the head that commits it: what an own log and a mirror of a foreign one share.

    tile/<L>/…             hash tiles        } immutable below the head; partial ones go
    tile/entries/…         entry bundles     } once the full one is there
    <head file>            size and root; replaced atomically, the only file that ever changes

Commit protocol, under the lock: (1) read the head anew; (2) write the tiles and bundles that lie beyond it,
and make them durable; (3) rename the new head into place, durably; (4) remove partial tiles that now have a
full one. A crash before (3) leaves files beyond the head, which nobody reads and the next batch overwrites;
a crash after (3) leaves superseded partial tiles, which the next writer removes. What the head file looks
like, and who vouches for it, is the business of `log` and `mirror`.
"""

from __future__ import annotations

import contextlib
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from ledger.core.checkpoint import format_checkpoint, log_origin
from ledger.core.errors import Corrupt, Forked
from ledger.core.merkle import EMPTY_ROOT
from ledger.core.note import MAX_NOTE
from ledger.store import files
from ledger.store.rightedge import RightEdge
from ledger.store.tiletree import TileTree

KEPT = "checkpoints"
"""The folder of the signed checkpoints that were anchored, one a size."""

RESTORE_HINT = "Restore the log from a backup or a mirror."


class Head(Struct, frozen=True):
    """What commits a folder: the tree's size, its root (32 bytes), and the head file's bytes (none at
    first).
    """

    size: int
    root: bytes
    note: bytes


NO_HEAD = Head(0, EMPTY_ROOT, b"")


class Grow(Protocol):
    """Adds entries to the batch that is being written."""

    def __call__(self, entries: Sequence[bytes]) -> None: ...


class TileFolder(ABC):
    """The log `log_id` (32 bytes) in the folder `path`; a missing folder is an empty log.

    What it answers belongs to one size, that of its head as last read or written. The lock file lies beside
    the folder, because the folder is served to the world.
    """

    def __init__(self, path: Path, log_id: bytes, lock_path: Path | None = None) -> None:
        self.path = path
        self.log_id = log_id
        self.origin = log_origin(log_id)
        self._lock_path = lock_path or path.with_name(path.name + ".lock")
        self._mutex = threading.RLock()
        self._where = f"log {log_id.hex()[:12]} in {path}"
        self._head = NO_HEAD
        self._tree = self._tree_of(0)
        self._edge: RightEdge | None = None
        self._ready_to_write = False

    @property
    def head(self) -> Head:
        """Size, root and head file of one moment, for use while other threads append."""
        return self._head

    @property
    def size(self) -> int:
        """How many entries the log had when it was last read or written."""
        return self._head.size

    @property
    def root(self) -> bytes:
        """The root (32 bytes) over all of them."""
        return self._head.root

    @property
    def tree(self) -> TileTree:
        """The tree of that size: entries, hashes, proofs."""
        return self._tree

    def entries(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the entries of the half-open range. Raises `Corrupt` for damaged bundles, `Usage` beyond
        the end.
        """
        return self._tree.entries(start, stop)

    def bundles(self, start: int, stop: int) -> Iterator[list[bytes]]:
        """Yield the same entries in lists of up to 256."""
        return self._tree.bundles(start, stop)

    def hash_at(self, level: int, index: int) -> bytes:
        """Return the root of complete subtree number `index` of 2^level leaves."""
        return self._tree.hash_at(level, index)

    def root_at(self, size: int) -> bytes:
        """Return the root over the first `size` entries."""
        return self._tree.root_at(size)

    def read_checkpoint(self, size: int) -> bytes | None:
        """Return the owner's signed checkpoint that is kept of this size, unverified, or None."""
        return self._read(f"{KEPT}/{size}", MAX_NOTE)

    def prove_inclusion(self, index: int, size: int) -> list[bytes]:
        """Return the proof that entry `index` is among the first `size`."""
        return self._tree.prove_inclusion(index, size)

    def prove_consistency(self, old_size: int, size: int) -> list[bytes]:
        """Return the proof that the first `size` entries begin with the first `old_size`."""
        return self._tree.prove_consistency(old_size, size)

    def refresh(self) -> None:
        """Take up what other processes have appended. Raises `Corrupt` or `Forked` where that isn't an
        extension.
        """
        with self._mutex:
            note = self._read_head()
            if self._edge is None or (note or b"") != self._head.note or note == b"":
                self._adopt(note)

    def require_extends(self, size: int, root: bytes) -> None:
        """Check that this log begins with the `size` entries under `root` (the head on the chain, say).

        Raises `Corrupt` where it has fewer (it was restored to an older state), `Forked` where it has others.
        """
        if size > self._head.size:
            self.refresh()
        if size > self._head.size:
            hint = "It was restored to an older state. Restore a newer backup or a mirror; do not append."
            raise Corrupt(
                f"{self._where}: expected at least {size} entries, found {self._head.size}", hint=hint
            )
        found = self._tree.root_at(size)
        if found != root:
            raise Forked(
                f"{self._where}: expected root {root.hex()} at size {size}, found {found.hex()}",
                ours=self._head.note,
                theirs=format_checkpoint(self.origin, size, root).encode(),
                hint="Two different logs under one id: find out which one is right before going on.",
            )

    @abstractmethod
    def _read_head(self) -> bytes | None:
        """Return the head file's bytes, None where nothing was committed yet. Raises `Corrupt`."""

    @abstractmethod
    def _parse_head(self, note: bytes) -> Head:
        """Return what the head file says. Raises `Corrupt`."""

    @abstractmethod
    def _write_head(self, size: int, root: bytes) -> Head:
        """Replace the head file, durably."""

    def _prepare(self) -> None:
        """Have the head, the edge and its entries in memory as the disk has them now. The lock is held."""
        self.refresh()
        if not self._ready_to_write:
            edge = self._loaded_edge()
            edge.load_entries(self._tree, self._where)
            edge.sweep(self.path)
            files.remove_temps(self.path)
            self._ready_to_write = True

    @contextlib.contextmanager
    def _batch(self) -> Iterator[tuple[Grow, RightEdge]]:
        """Write what the body gives to the yielded function, and commit it when the body ends well.

        After any failure the memory of the edge is dropped, to be read anew: it may be ahead of the disk.
        """
        edge = self._loaded_edge()
        self._edge, self._ready_to_write = None, False
        with files.DurableWriter(self.path) as writer:

            def grow(entries: Sequence[bytes]) -> None:
                with files.translating("appending to the log", self.path):
                    edge.grow(entries, writer)

            old_size = edge.size
            yield grow, edge
            with files.translating("appending to the log", self.path):
                edge.finish(old_size, writer)
                writer.flush()
        head = self._write_head(edge.size, edge.root())
        self._set_head(head)
        self._edge, self._ready_to_write = edge, True
        edge.remove_superseded(self.path)

    def _adopt(self, note: bytes | None) -> None:
        """Take a head read from disk as ours, if its tiles fit it and it extends the one so far."""
        head = NO_HEAD if note is None else self._parse_head(note)
        old = self._head
        if head.size < old.size:
            message = f"{self._where}: expected at least {old.size} entries, found {head.size}"
            raise Corrupt(message, hint=f"Somebody put an older head in its place. {RESTORE_HINT}")
        tree = self._tree_of(head.size)
        edge = RightEdge.load(tree, head.root, self._where)
        if tree.root_at(old.size) != old.root:
            message = (
                f"{self._where}: the head of size {head.size} does not extend the one of size {old.size}"
            )
            raise Forked(message, ours=old.note, theirs=head.note, hint=RESTORE_HINT)
        self._edge, self._ready_to_write = edge, False
        self._set_head(head)

    def _set_head(self, head: Head) -> None:
        self._tree = self._tree_of(head.size)
        self._head = head

    def _loaded_edge(self) -> RightEdge:
        if self._edge is None:
            raise AssertionError("the edge is loaded before a batch begins")
        return self._edge

    def _tree_of(self, size: int) -> TileTree:
        return TileTree(size, self._read, self._where)

    def _read(self, name: str, max_bytes: int) -> bytes | None:
        return files.read_small(f"{self.path}/{name}", max_bytes, "the log")
