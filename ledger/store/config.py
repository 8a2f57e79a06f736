"""The workspace's settings: `config.toml`, typed and strict.

A key that is not known is an error, not a wish that silently goes nowhere. The file is small, written as a
whole and atomically; comments that a user adds are lost when a command rewrites it, and the head of the
file says so. What the settings mean is decided by who uses them; secrets never stand here (see `keys`), but
an endpoint's URL may carry an access token, so the file is private.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct, field

from ledger.core.errors import Corrupt, FormatError
from ledger.store.files import PRIVATE_FILE, read_small, write_atomic

FORMAT = "dataledger/workspace/v1"
_MAX_BYTES = 1 << 20
_HEAD = (
    "# Settings of this dataledger workspace. Commands rewrite this file; comments do not survive that.\n\n"
)

Hex32 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
OptionalHex32 = Annotated[str, Meta(pattern="^([0-9a-f]{64})?$")]
OptionalDid = Annotated[str, Meta(pattern="^(did:ethr:0x[1-9a-f][0-9a-f]*:0x[0-9a-f]{40})?$")]
Did = Annotated[str, Meta(pattern="^did:ethr:0x[1-9a-f][0-9a-f]*:0x[0-9a-f]{40}$")]
Count = Annotated[int, Meta(ge=0, le=2**53 - 1)]


class ChainConfig(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Where the chain is: an `http(s)://` URL, or the embedded chain's file, relative to the workspace
    folder.

    `final_depth`: how many blocks on top make one final where the chain itself does not say so.
    """

    location: str = "chain.db"
    final_depth: Count | None = None

    @property
    def embedded(self) -> bool:
        """Whether the chain is a file of this program's own and not a node behind a URL."""
        return not self.location.startswith(("http://", "https://"))


class Followed(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A foreign log that is mirrored: its id (64 hex digits) and, where the user named one, a folder or URL.

    What the user named may be a folder or a private address; an address found on the chain may not.
    """

    log: Hex32
    location: str = ""
    label: str = ""


class Config(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """All settings of a workspace.

    `party`: the DID this workspace speaks for, empty until `init` has made one. `log_number`: the number of
    the party's log. `record_key`: the public key (64 hex digits) that signs. `trusted`: parties whose
    claims count in `verify`. `anchor`: whether commands anchor and sync by themselves.
    """

    format: Literal["dataledger/workspace/v1"] = field(default="dataledger/workspace/v1")
    party: OptionalDid = ""
    display_name: str = ""
    namespace: str = ""
    log_number: Count = 0
    record_key: OptionalHex32 = ""
    anchor: Literal["auto", "manual"] = "auto"
    trusted: list[Did] = field(default_factory=list)
    chain: ChainConfig = field(default_factory=ChainConfig)
    follow: list[Followed] = field(default_factory=list)


def parse_config(data: bytes, where: str = "config.toml") -> Config:
    """Return the settings in TOML bytes. Raises `FormatError` for anything that is not exactly them."""
    try:
        raw = tomllib.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise FormatError(f"{where}: expected TOML, found: {error}", hint="Mend the file by hand.") from None
    found = raw.get("format")
    if found != FORMAT:
        hint = "It was made by another version of dataledger, or is not a workspace."
        raise FormatError(f"{where}: expected format = {FORMAT!r}, found {found!r}", hint=hint)
    try:
        return msgspec.convert(raw, Config)
    except msgspec.ValidationError as error:
        raise FormatError(f"{where}: {error}", hint="Mend the file by hand.") from None


def format_config(config: Config) -> bytes:
    """Return `config` as TOML; `parse_config` reads it back to an equal value."""
    import tomli_w

    values = msgspec.to_builtins(config)
    return (_HEAD + tomli_w.dumps({"format": FORMAT, **values})).encode("utf-8")


def read_config(path: Path) -> Config:
    """Read the settings at `path`. Raises `Corrupt` where there are none."""
    data = read_small(path, _MAX_BYTES, "the workspace's settings")
    if data is None:
        hint = "Restore config.toml from a backup, or move the folder away and run `dataledger init` again."
        raise Corrupt(f"not a workspace, or a damaged one: it has no config.toml: {path.parent}", hint=hint)
    return parse_config(data, str(path))


def write_config(path: Path, config: Config) -> None:
    """Replace the settings at `path`, atomically; they are readable by their owner only."""
    write_atomic(path, format_config(config), "the workspace's settings", PRIVATE_FILE)
