"""Where each asset's content was last seen on this machine: private to the workspace, never in a record.

Kept in `private/paths.json`, paths relative to the folder that holds the workspace. It is a convenience:
losing it means that a path has to be named again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from ledger.core.encoding import decode_json
from ledger.core.errors import LedgerError, NotFound
from ledger.store.files import PRIVATE_FILE, read_small, write_atomic
from ledger.store.workspace import Workspace

_MAX_BYTES = 1 << 24
_WHAT = "the list of paths"


class Paths:
    """The paths of assets, by asset name."""

    def __init__(self, workspace: Workspace) -> None:
        self._file = workspace.private / "paths.json"
        self._base = workspace.path.parent
        data = read_small(self._file, _MAX_BYTES, _WHAT)
        self._known: dict[str, str] = {} if data is None else decode_json(data, dict[str, str], what=_WHAT)

    def get(self, asset: str) -> Path | None:
        """Return where the asset's content was last, None if that is not known."""
        known = self._known.get(asset)
        return None if known is None else self._base / known

    def require(self, asset: str, given: Path | None) -> Path:
        """Return `given`, else the path known for the asset; raises NotFound if there is neither."""
        path = given or self.get(asset)
        if path is None:
            raise NotFound(
                f"where {asset} is on this machine is not known",
                hint=f"name it: {asset}=PATH, or PATH behind {asset}",
            )
        return path

    def remember(self, found: Mapping[str, Path]) -> None:
        """Keep where these assets are; the caller made this object while it holds `Context.writing`."""
        new = {asset: os.path.relpath(path.absolute(), self._base) for asset, path in found.items()}
        new = {asset: path for asset, path in new.items() if _is_text(path)}
        if all(self._known.get(asset) == path for asset, path in new.items()):
            return
        self._known |= new
        data = msgspec.json.format(msgspec.json.encode(dict(sorted(self._known.items()))), indent=1)
        write_atomic(self._file, data, _WHAT, PRIVATE_FILE)

    def items(self) -> list[tuple[str, Path]]:
        """Return all assets and paths."""
        return [(asset, self._base / path) for asset, path in self._known.items()]


def remember(workspace: Workspace, found: Mapping[str, Path], notify: Callable[[str], None]) -> None:
    """Keep where these assets are, once they are recorded; that this fails is said, and no reason to fail."""
    try:
        Paths(workspace).remember(found)
    except LedgerError as error:
        notify(f"where the content is was not kept, it has to be named again: {error}")


def _is_text(path: str) -> bool:
    """Tell whether a path is UTF-8, as JSON has to be; one that is not has to be named each time."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
