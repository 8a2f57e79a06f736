"""Where the chain of a new workspace is: as asked, else as the ledger that is joined hints, else in the
workspace.
"""

from __future__ import annotations

import os
from pathlib import Path

from ledger.chain.connect import is_url
from ledger.core.descriptor import LedgerDescriptor
from ledger.core.errors import NotFound, Usage


class Joining:
    """A ledger to be joined: its description, and the file that it was read from."""

    def __init__(self, path: Path, descriptor: LedgerDescriptor) -> None:
        self.path = path
        self.descriptor = descriptor


def choose_location(asked_for: str | None, joining: Joining | None, workspace: Path, folder: Path) -> str:
    """Return a URL, or a path relative to the workspace; raises NotFound where nothing is to be joined,
    Usage.

    `asked_for` is a URL, or a path relative to `folder`.
    """
    if asked_for is not None:
        return asked_for if is_url(asked_for) else _asked_path(asked_for, joining, workspace, folder)
    if joining is None:
        return "chain.db"
    if is_url(joining.descriptor.hints.endpoint):
        return joining.descriptor.hints.endpoint
    beside = joining.path.parent / "chain.db"
    if not beside.exists():
        raise Usage("joining needs to know where the chain is", hint="add --chain PATH or --chain URL")
    return _relative(beside, workspace)


def _asked_path(asked_for: str, joining: Joining | None, workspace: Path, folder: Path) -> str:
    path = folder / Path(asked_for).expanduser()
    if joining is not None and not path.exists():
        raise NotFound(
            f"no chain to join: {path}",
            hint="--chain names the chain.db of the party that started the ledger, or a node's URL",
        )
    return _relative(path, workspace)


def _relative(path: Path, workspace: Path) -> str:
    return os.path.relpath(path.resolve(), workspace.resolve())
