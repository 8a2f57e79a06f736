"""The party's own log on disk: a tlog-tiles folder (see `folder`) committed by its signed checkpoint.

    public/
      checkpoint             signed note: size and root
      tile/…                 hash tiles and entry bundles
      checkpoints/<size>     each anchored checkpoint, immutable

Source: C2SP tlog-tiles, tlog-checkpoint. The very first batch is preceded by a checkpoint of size 0, so tiles
without a checkpoint always mean damage.

A folder restored whole to an older state looks sound by itself; it is recognised by the anchored
checkpoints kept in it, and by `require_extends`, which its user calls with the head on the chain before it
appends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from ledger.core import tiles
from ledger.core.checkpoint import log_origin, open_checkpoint, parse_checkpoint, sign_checkpoint
from ledger.core.errors import Corrupt, Forked, FormatError, LedgerError, NotFound, Usage
from ledger.core.merkle import EMPTY_ROOT
from ledger.core.note import MAX_NOTE, parse_note
from ledger.core.signing import Signer
from ledger.store import files
from ledger.store.folder import KEPT, RESTORE_HINT, Head, TileFolder
from ledger.store.lock import DEFAULT_WAIT_S, exclusive

CHECKPOINT = "checkpoint"


class LogFolder(TileFolder):
    """The party's log. Opening it verifies the checkpoint's signature, and its root against the tiles.

    `keys` are the public keys (32 bytes each) one of which must have signed the checkpoint; None leaves
    signatures unchecked. Raises `Corrupt` for a log that was damaged or put back to an older state, `Forked`
    where it does not extend the last checkpoint that was kept; without `compare_kept`, which is for looking
    at what is wrong, that is not compared.
    """

    def __init__(
        self,
        path: Path,
        log_id: bytes,
        *,
        keys: Iterable[bytes] | None = None,
        lock_path: Path | None = None,
        compare_kept: bool = True,
    ) -> None:
        super().__init__(path, log_id, lock_path)
        self._keys = None if keys is None else list(keys)
        self._signer: Signer | None = None
        newest = max(self.kept_sizes(), default=0) if compare_kept else 0
        self.refresh()
        if newest:  # looked for before the head was read: others may append and keep meanwhile
            self.require_extends(newest, self.kept_checkpoint(newest).root)

    @property
    def checkpoint(self) -> bytes:
        """The signed note; empty for a log that nothing was written to."""
        return self._head.note

    def append(
        self,
        entries: Sequence[bytes],
        signer: Signer,
        *,
        wait_s: float = DEFAULT_WAIT_S,
        on_wait: Callable[[str], None] | None = None,
    ) -> tuple[int, int]:
        """Append entries (1 to 65,535 bytes each) as one batch and return their half-open range.

        When this returns, all of them are on disk under a signed checkpoint; when it raises, none are,
        except that an error or Ctrl-C after the commit leaves them in. Raises `Locked` after `wait_s`
        seconds behind another writer, `Unavailable` for a full disk, `Corrupt` for a damaged log; the log
        can go on after any of them but the last.
        """
        if any(not 0 < len(entry) <= tiles.MAX_ENTRY for entry in entries):
            raise Usage(f"an entry has 1 to {tiles.MAX_ENTRY:,} bytes")
        if self._keys is not None and signer.public_key not in self._keys:
            raise Usage(f"{self._where}: key {signer.public_key.hex()} is none of the party's record keys")
        files.make_folder(self.path)
        with self._mutex, exclusive(self._lock_path, "the log", wait_s, on_wait):
            self._signer = signer
            if self._read_head() is None:
                self._write_head(0, EMPTY_ROOT)
            self._prepare()
            start = self.size
            if entries:
                with self._batch() as (grow, _):
                    grow(entries)
            return start, start + len(entries)

    def keep_checkpoint(self) -> Head:
        """Keep the current checkpoint for good, as `checkpoints/<size>`, and return it; call this before
        anchoring.

        One that was kept at this size before stands, and is returned. An empty log has nothing to keep:
        `Usage`.
        """
        head = self.head
        if head.size == 0:
            raise Usage(f"{self._where}: it is empty")
        folder = self.path / KEPT
        files.make_folder(folder)
        if files.write_once(folder / str(head.size), head.note, "a checkpoint"):
            return head
        kept = self.kept_checkpoint(head.size)
        if kept.root != head.root:
            raise Forked(
                f"{self._where}: two checkpoints of size {head.size}", ours=head.note, theirs=kept.note
            )
        return kept

    def kept_checkpoint(self, size: int) -> Head:
        """Return the checkpoint kept at `size`. Raises `NotFound`."""
        note = self._read(f"{KEPT}/{size}", MAX_NOTE)
        if note is None:
            raise NotFound(f"{self._where}: no checkpoint of size {size} was kept")
        kept = self._parse_head(note)
        if kept.size != size:
            raise Corrupt(f"{self._where}: checkpoints/{size} is one of size {kept.size}", hint=RESTORE_HINT)
        return kept

    def kept_sizes(self) -> list[int]:
        """Return the sizes at which checkpoints were kept, ascending."""
        folder = self.path / KEPT
        with files.translating("listing the checkpoints", folder):
            try:
                names = [entry.name for entry in folder.iterdir()]
            except FileNotFoundError:
                return []
        return sorted(int(name) for name in names if name.isascii() and name.isdigit())

    def _read_head(self) -> bytes | None:
        note = self._read(CHECKPOINT, MAX_NOTE)
        if note is None and ((self.path / "tile").exists() or self.kept_sizes()):
            note = self._read(CHECKPOINT, MAX_NOTE)  # it comes before the first tile, so look again
            if note is None:
                raise Corrupt(f"{self._where}: it has entries and no checkpoint", hint=RESTORE_HINT)
        return note

    def _parse_head(self, note: bytes) -> Head:
        try:
            if self._keys is not None:
                _, size, root = open_checkpoint(note, self.log_id, self._keys)
            else:
                size, root = parse_unverified(note, self.log_id)
        except LedgerError as error:
            raise Corrupt(f"{self._where}: checkpoint: {error}", hint=RESTORE_HINT) from None
        return Head(size, root, note)

    def _write_head(self, size: int, root: bytes) -> Head:
        if self._signer is None:
            raise AssertionError("append sets the signer")
        note = sign_checkpoint(self.log_id, size, root, self._signer)
        files.write_atomic(self.path / CHECKPOINT, note, "the log's checkpoint")
        return Head(size, root, note)


def parse_unverified(note: bytes, log_id: bytes) -> tuple[int, bytes]:
    """Return size and root in a checkpoint of the log, whoever signed it. Raises `FormatError`."""
    origin, size, root = parse_checkpoint(parse_note(note).text)
    if origin != log_origin(log_id):
        raise FormatError(f"expected the origin {log_origin(log_id)}, got {origin[:200]!a}")
    return size, root
