"""Where the passphrase of the keys comes from: the environment, a file, or a person at a terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from ledger.core.errors import FormatError, NotFound, Unavailable
from ledger.store.files import read_small

PASSPHRASE_VARIABLE = "DATALEDGER_PASSPHRASE"  # noqa: S105 - the name of a variable, not a secret
PASSPHRASE_FILE_VARIABLE = "DATALEDGER_PASSPHRASE_FILE"  # noqa: S105 - the same
HOW_TO_GIVE = f"Set {PASSPHRASE_VARIABLE} or {PASSPHRASE_FILE_VARIABLE}, or run this at a terminal."

Prompt = Callable[[str, bool], str]
"""Asks a person: what the passphrase is for, and whether to ask twice because a new one is chosen."""

Passphrase = Callable[[str, bool], str]
"""Gives the passphrase: what it is for, and whether it is new. Raises `Unavailable` if there is none."""

_MAX_BYTES = 1 << 16


def passphrase_from(env: Mapping[str, str], prompt: Prompt | None) -> Passphrase:
    """Return a source of the passphrase: DATALEDGER_PASSPHRASE, else the first line of the file that
    DATALEDGER_PASSPHRASE_FILE names, else `prompt`. An empty variable counts as absent.
    """

    def passphrase(what: str, new: bool) -> str:
        if env.get(PASSPHRASE_VARIABLE):
            return env[PASSPHRASE_VARIABLE]
        if env.get(PASSPHRASE_FILE_VARIABLE):
            return _passphrase_in(Path(env[PASSPHRASE_FILE_VARIABLE]))
        if prompt is not None:
            return prompt(what, new)
        raise Unavailable(f"no passphrase for {what}", hint=HOW_TO_GIVE)

    return passphrase


def _passphrase_in(path: Path) -> str:
    data = read_small(path, _MAX_BYTES, "the passphrase file")
    if data is None:
        raise NotFound(
            f"expected the passphrase file that {PASSPHRASE_FILE_VARIABLE} names, found none: {path}"
        )
    try:
        line = data.decode("utf-8").split("\n", 1)[0].removesuffix("\r")
    except UnicodeDecodeError:
        raise FormatError(f"passphrase file: expected UTF-8 text: {path}") from None
    if not line:
        raise FormatError(f"passphrase file: its first line is empty: {path}")
    return line
