"""Comparing what somebody serves of a log with what is known of it: here a fork is met first.

The checkpoint that is served is a signed statement: if it is by a key of the party and contradicts a head
that was anchored, or another one that the party signed, the party kept two logs under one id. What is served
may also just lag behind, or be damaged on the way: that proves nothing, and is not said of anybody.

The last checkpoint that was served is kept beside the copy (`mirrors/<log id>/seen`), so that the next one
can be held against it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec import Struct

from ledger.core.chain_facts import Checkpoint
from ledger.core.checkpoint import TreeHead, open_checkpoint
from ledger.core.errors import LedgerError
from ledger.core.note import MAX_NOTE
from ledger.service.context import Context
from ledger.service.forks import anchored, log_fork, signed
from ledger.service.results import Fork, ForkHead
from ledger.store.files import read_small, write_atomic
from ledger.store.folder import TileFolder
from ledger.store.log import LogFolder
from ledger.store.source import LogSource

SEEN = "seen"

RootAt = Callable[[int], bytes]


class Served(Struct, frozen=True):
    """A checkpoint that is served: the signed note, what it says, and where it was found."""

    note: bytes
    size: int
    root: bytes
    where: str

    @property
    def head(self) -> ForkHead:
        """The same as one side of a contradiction."""
        return signed(f"signed, served at {self.where}", self.note, self.size, self.root)


def read_served(context: Context, party: bytes, log_id: bytes, source: LogSource) -> Served | None:
    """Return the checkpoint that a source serves, None if it is none by a key of that party (20 bytes).

    Raises Unavailable where nothing is served.
    """
    note = source.checkpoint()
    head = _opened(context, party, log_id, note)
    return None if head is None else Served(note, head.size, head.root, source.where)


def contradictions(
    context: Context,
    party: bytes,
    folder: TileFolder,
    served: Served,
    source: LogSource,
    known: Checkpoint | None,
) -> Iterator[Fork]:
    """Yield where a served checkpoint contradicts what is known: the anchored head `known`, what is stored in
    `folder`, and what was served before.
    """
    root_at = _served_roots(source, served)
    for head, extends in _known_heads(context, party, folder, known):
        if head.root == served.root.hex():
            continue  # at another size: a true root under a wrong one, which is no second log
        if _contradicts(head, served, root_at, folder if extends else None):
            yield log_fork(folder.log_id, context.did(party), head, served.head)
            return  # one proof is enough


def remember(path: Path, served: Served, before: int) -> None:
    """Keep the checkpoint that is served, unless one of as many entries was kept before."""
    if served.size > before and path.is_dir():
        write_atomic(path / SEEN, served.note, "a checkpoint that was served")


def seen(context: Context, party: bytes, log_id: bytes, path: Path) -> Served | None:
    """Return the checkpoint that was served before, None if there was none."""
    note = read_small(path / SEEN, MAX_NOTE, "a checkpoint that was served")
    head = None if note is None else _opened(context, party, log_id, note)
    return None if note is None or head is None else Served(note, head.size, head.root, "before")


def _opened(context: Context, party: bytes, log_id: bytes, note: bytes) -> TreeHead | None:
    keys = [row.key for row in context.index.keys(party)]
    try:
        return open_checkpoint(note, log_id, keys)
    except LedgerError:
        return None


def _known_heads(
    context: Context, party: bytes, folder: TileFolder, known: Checkpoint | None
) -> Iterator[tuple[ForkHead, bool]]:
    """Yield what must agree with a served checkpoint, and whether it extends what is stored: signed heads
    first, they are the better proof.
    """
    before = seen(context, party, folder.log_id, folder.path)
    if before is not None:
        extends = before.size <= folder.size and folder.root_at(before.size) == before.root
        yield signed("signed, served before", before.note, before.size, before.root), extends
    if isinstance(folder, LogFolder) and folder.size:
        yield signed("signed, your own log", folder.checkpoint, folder.size, folder.root), True
    if known is not None:
        yield anchored(known), True
    if folder.size:
        yield ForkHead(source="the verified copy here", size=folder.size, root=folder.root.hex()), True


def _contradicts(head: ForkHead, served: Served, root_at: RootAt, folder: TileFolder | None) -> bool:
    """Tell whether a served checkpoint and a head can't both be true, as far as their roots at the smaller
    size can be had: from what is served, or from the `folder` that the head extends.
    """
    assert head.size is not None
    if head.size <= served.size:
        found = root_at(head.size)
        return bool(found) and found.hex() != head.root
    if folder is not None and served.size <= folder.size:
        return folder.root_at(served.size) != served.root
    return False


def _served_roots(source: LogSource, served: Served) -> RootAt:
    """Return what gives the root of the served log at a size, from its tiles; empty where they don't fit the
    checkpoint that is served with them.
    """
    tree = source.tree(served.size)
    fits: list[bool] = []

    def root_at(size: int) -> bytes:
        if size == served.size:
            return served.root
        try:
            if not fits:
                fits.append(tree.root_at(served.size) == served.root)
            return tree.root_at(size) if fits[0] else b""
        except LedgerError:
            return b""

    return root_at
