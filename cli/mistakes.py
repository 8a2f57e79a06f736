"""Mistakes that people make, met with the command they meant: a file for a name, and the reverse."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.core.errors import NotFound, Usage


@contextmanager
def perhaps_a_file(name: str) -> Iterator[None]:
    """Say how to ask about a file where a name was expected, is not known, and a file has it."""
    try:
        yield
    except Usage as error:
        if not os.path.lexists(name):
            raise
        hint = f"{name} is a file here: dataledger verify {shlex.quote(name)} says which version it is"
        raise type(error)(str(error), hint=hint) from None


@contextmanager
def perhaps_an_asset(path: Path) -> Iterator[None]:
    """Say how to ask about an asset where a file was expected and the name could be an asset's."""
    try:
        yield
    except NotFound as error:
        from ledger.core.names import is_asset

        if error.hint or os.path.lexists(path) or not is_asset(str(path).partition("@")[0]):
            raise
        hint = f"a file or folder is expected; of the asset {path}: dataledger show {path}"
        raise NotFound(str(error), hint=hint) from None
