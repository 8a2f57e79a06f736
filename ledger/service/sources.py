"""Files of events, to be read more than once: what can't be read twice is copied aside first."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from ledger.core.errors import NotFound, Unavailable, Usage

_PIECE = 1 << 20


class FileSource:
    """A file of events (formats.openlineage_table.EventSource)."""

    def __init__(self, name: str, file: BinaryIO) -> None:
        self.name = name
        self._file = file

    def chunks(self) -> Iterator[bytes]:
        """Give all bytes from the start."""
        self._file.seek(0)
        while piece := self._read(_PIECE):
            yield piece

    def read(self, offset: int, length: int) -> bytes:
        """Give `length` bytes from `offset`."""
        self._file.seek(offset)
        data = self._read(length)
        if len(data) != length:
            raise Unavailable(
                f"{self.name} was cut while it was read", hint="import it when nobody writes to it"
            )
        return data

    def _read(self, length: int) -> bytes:
        try:
            return self._file.read(length)
        except OSError as error:
            raise Unavailable(f"{self.name} can't be read: {error.strerror}") from None


@contextmanager
def open_events(paths: Sequence[Path], stdin: BinaryIO) -> Iterator[list[FileSource]]:
    """Open every file (`-`: `stdin`, by way of a temporary file), and close them at the end."""
    with ExitStack() as stack:
        yield [_open(stack, path, stdin) for path in paths]


def _open(stack: ExitStack, path: Path, stdin: BinaryIO) -> FileSource:
    if str(path) == "-":
        copy = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - the stack closes it
        shutil.copyfileobj(stdin, copy)
        return FileSource("standard input", copy)
    try:
        if path.is_dir():
            raise Usage(f"{path} is a folder", hint=f"name the files in it: {path}/*.json")
        return FileSource(str(path), stack.enter_context(path.open("rb")))
    except FileNotFoundError:
        raise NotFound(f"no such file: {path}") from None
    except OSError as error:
        raise Unavailable(f"{path} can't be read: {error.strerror}") from None
