"""A party's workspace: the folder `.dataledger`, found from the current folder upwards, as git finds its own.

    .dataledger/
      config.toml  ledger.json  keys/  private/    the party's own (keys and private: mode 0700)
      chain.db                                     the embedded chain, if that is where it stands
      index.db  mirrors/                           derived; delete them and nothing is lost
      forks/                                       proofs that logs or chains contradicted themselves
      public/                                      what anyone may read: the log, public attachments
      public/logs/<n>/                             the party's log number n, once log 0 was closed
      public.lock                                  held while a batch is appended to the log
      .gitignore                                   keeps the private and the derived out of a repository

This module knows where things are; what is in them is the business of `config`, `keys`, `log`, `attachments`.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from ledger.core.errors import Corrupt, NotFound, Unavailable, Usage
from ledger.store.config import Config, read_config, write_config
from ledger.store.files import (
    PRIVATE_FOLDER,
    PUBLIC_FOLDER,
    make_folder,
    sync_folder,
    translating,
    write_atomic,
)

FOLDER = ".dataledger"
HOME_VARIABLE = "DATALEDGER_HOME"

_GITIGNORE = b"""\
# Written by dataledger: what must never leave this machine, and what can be made again.
/keys/
/private/
/config.toml
/chain.db*
/index.db*
/mirrors/
*.lock
*.tmp
"""


def below(number: int) -> str:
    """Return where a party's log `number` lies below the folder of its log 0 (docs/formats.md section 5)."""
    return f"logs/{number}" if number else ""


class Workspace:
    """The layout of the workspace folder `path` (the `.dataledger` itself). Making one touches no file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __repr__(self) -> str:
        return f"Workspace({str(self.path)!r})"

    @property
    def config_path(self) -> Path:
        """The settings, see `config`."""
        return self.path / "config.toml"

    @property
    def ledger_json(self) -> Path:
        """The descriptor of the ledger this workspace belongs to."""
        return self.path / "ledger.json"

    @property
    def keys(self) -> Path:
        """Folder of the key files, mode 0700."""
        return self.path / "keys"

    @property
    def private(self) -> Path:
        """Folder of what is handed only to whom it concerns, mode 0700."""
        return self.path / "private"

    @property
    def marks_path(self) -> Path:
        """Which private attachments are disclosed or forgotten, see `marks`."""
        return self.private / "marks.json"

    @property
    def public(self) -> Path:
        """Folder that a web server may serve: the party's log and public attachments."""
        return self.path / "public"

    def log_folder(self, number: int) -> Path:
        """Folder of the party's log `number`: `public` itself, later ones below it (`source.below`)."""
        return self.public / below(number)

    def log_lock(self, number: int) -> Path:
        """Lock file of that log; beside `public`, because that is served to the world."""
        return self.path / (f"public.{number}.lock" if number else "public.lock")

    @property
    def forks(self) -> Path:
        """Folder of the proofs that a log or the chain contradicted itself: never written over."""
        return self.path / "forks"

    @property
    def mirrors(self) -> Path:
        """Folder of verified copies of foreign logs, one folder a log id."""
        return self.path / "mirrors"

    @property
    def index_path(self) -> Path:
        """The index's SQLite file."""
        return self.path / "index.db"

    @property
    def chain_path(self) -> Path:
        """The embedded chain's SQLite file."""
        return self.path / "chain.db"

    @property
    def lock_path(self) -> Path:
        """Lock file for changes to the workspace as a whole (settings, keys, an `init` that is resumed)."""
        return self.path / "workspace.lock"

    def read_config(self) -> Config:
        """Read the settings. Raises `Corrupt` or `FormatError`."""
        return read_config(self.config_path)

    def write_config(self, config: Config) -> None:
        """Replace the settings, atomically."""
        write_config(self.config_path, config)

    def resolve(self, location: str) -> str:
        """Return a location from the settings as it is used: URLs as they are, paths relative to the
        workspace.
        """
        if location.startswith(("http://", "https://")):
            return location
        return os.path.normpath(self.path / Path(location).expanduser())


def find_workspace(start: Path, env: Mapping[str, str]) -> Path:
    """Return the workspace folder for `start`: the one DATALEDGER_HOME names, else the nearest at or above
    it.

    DATALEDGER_HOME may name the `.dataledger` folder or the folder it is in. Raises `NotFound` where there
    is none, `Corrupt` where it has no settings, and `Unavailable` for one found above `start` that belongs
    to another user: its settings would decide what this user's commands do.
    """
    home = env.get(HOME_VARIABLE)
    if home:
        with translating("looking for the workspace", home):
            return _named_workspace(Path(home))
    with translating("looking for the workspace", start):
        start = start.resolve(strict=True)
        for folder in (start, *start.parents):
            candidate = folder / FOLDER
            if candidate.is_dir():
                _check_owner(candidate)
                return _check_settings(candidate)
    hint = f"Run `dataledger init NAME` where your data is, or set {HOME_VARIABLE}."
    raise NotFound(f"no workspace here or in any folder above: {start}", hint=hint)


def open_workspace(start: Path, env: Mapping[str, str]) -> Workspace:
    """Return the workspace that `find_workspace` finds."""
    return Workspace(find_workspace(start, env))


def new_workspace_path(start: Path, env: Mapping[str, str]) -> Path:
    """Return where `create_workspace` is to make a new workspace: in DATALEDGER_HOME if set, else in
    `start`.
    """
    home = env.get(HOME_VARIABLE)
    path = Path(home) if home else start
    return path if path.name == FOLDER else path / FOLDER


def create_workspace(path: Path, config: Config) -> Workspace:
    """Create the workspace folder `path` with `config` in it, all at once or not at all.

    Raises `Usage` where something of that name exists already, `NotFound` where the folder for it is missing.
    """
    if os.path.lexists(path):
        raise Usage(f"there is a workspace already: {path}", hint="Move it away, or go on with it.")
    if not path.parent.is_dir():
        raise NotFound(f"expected a folder to put the workspace in, found none: {path.parent}")
    building = Workspace(path.with_name(f"{path.name}.{os.getpid()}.tmp"))
    with translating("creating the workspace", path):
        try:
            _fill(building, config)
            building.path.rename(path)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
                raise
            raise Usage(f"there is a workspace already: {path}") from None
        finally:
            shutil.rmtree(building.path, ignore_errors=True)
        sync_folder(path.parent)
    return Workspace(path)


def _fill(workspace: Workspace, config: Config) -> None:
    make_folder(workspace.path)
    for folder in (workspace.keys, workspace.private):
        make_folder(folder, PRIVATE_FOLDER)
    for folder in (workspace.public, workspace.mirrors):
        make_folder(folder, PUBLIC_FOLDER)
    write_atomic(workspace.path / ".gitignore", _GITIGNORE, "the workspace's .gitignore")
    workspace.write_config(config)


def _named_workspace(home: Path) -> Path:
    for candidate in (home, home / FOLDER):
        if (candidate / "config.toml").exists() or candidate.name == FOLDER:
            if not candidate.is_dir():
                continue
            return _check_settings(candidate)
    hint = "Run `dataledger init NAME` to make one there."
    raise NotFound(f"expected a workspace in {HOME_VARIABLE}, found none: {home}", hint=hint)


def _check_settings(path: Path) -> Path:
    if not (path / "config.toml").is_file():
        hint = "Restore config.toml from a backup, or move the folder away and run `dataledger init` again."
        raise Corrupt(f"not a workspace, or a damaged one: it has no config.toml: {path}", hint=hint)
    return path


def _check_owner(path: Path) -> None:
    owner, me = path.stat().st_uid, os.geteuid()
    if owner != me:
        hint = f"If you trust it, name it: {HOME_VARIABLE}={path}"
        raise Unavailable(
            f"this workspace belongs to another user (uid {owner}, you are {me}): {path}", hint=hint
        )
