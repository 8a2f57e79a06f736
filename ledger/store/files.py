"""Files that survive a crash: what every part of the store writes and reads with.

A file is either replaced as a whole (`write_atomic`), created once and never changed (`write_once`), or
written where nobody looks yet (`DurableWriter`, for what lies beyond a log's checkpoint). "Durable" means
that the data, and the directory entry that names it, were flushed with fsync before the function returned.
See rename(2), fsync(2). Every OSError leaves here as one of our own errors: a full disk is `Unavailable`,
never a traceback.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Self

from ledger.core.errors import Corrupt, LedgerError, NotFound, Unavailable

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700
PUBLIC_FILE = 0o644
PUBLIC_FOLDER = 0o755

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_MAX_PENDING = 64  # open files a DurableWriter holds before it flushes them
_temp_numbers = itertools.count()


def os_error(error: OSError, what: str, path: Path | str) -> LedgerError:
    """Our error for `error`, met while doing `what` (a phrase such as `writing the checkpoint`) to `path`."""
    reason = error.strerror or str(error)
    message = f"{what}: {reason}: {path}"
    if error.errno in _FULL:
        hint = "Free some space and repeat. Whatever was reported as done is safe."
        return Unavailable(message, hint=hint)
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return NotFound(message)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return Unavailable(message, hint="Check who owns it and what its permissions are.")
    return Unavailable(message)


@contextlib.contextmanager
def translating(what: str, path: Path | str) -> Iterator[None]:
    """Turn any OSError of the body into one of our errors (see `os_error`)."""
    try:
        yield
    except OSError as error:
        raise os_error(error, what, path) from error


def write_all(fd: int, data: bytes) -> None:
    """Write every byte of `data`: a single write(2) may stop early, notably when the disk fills."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def sync_folder(path: Path | str) -> None:
    """Make the entries of a folder durable. Raises OSError, except where the file system can't do it."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):
            raise
    finally:
        os.close(fd)


def make_folder(path: Path, mode: int = PUBLIC_FOLDER) -> None:
    """Create `path` and what is missing above it, durably. An existing folder keeps its mode.

    The umask applies, so a private mode must be asked for as such: `PRIVATE_FOLDER` loses nothing to a umask.
    """
    with translating("creating a folder", path):
        missing = []
        while not path.is_dir():
            missing.append(path)
            path = path.parent
        for folder in reversed(missing):
            with contextlib.suppress(FileExistsError):
                folder.mkdir(mode)
            sync_folder(folder.parent)


def remove_temps(folder: Path, name: str = "*") -> None:
    """Remove what a crash left of unfinished writes of the file `name`; only while nobody else writes it."""
    with contextlib.suppress(OSError):
        for leftover in folder.glob(f".{name}.*.tmp"):
            leftover.unlink(missing_ok=True)


def _open_temp(path: Path, mode: int, access: int = os.O_WRONLY) -> tuple[int, Path]:
    temp = path.with_name(f".{path.name}.{os.getpid()}-{next(_temp_numbers)}.tmp")
    return os.open(temp, access | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode), temp


def _write_temp(path: Path, data: bytes, mode: int) -> Path:
    fd, temp = _open_temp(path, mode)
    try:
        write_all(fd, data)
        os.fsync(fd)
    except BaseException:
        temp.unlink(missing_ok=True)
        raise
    finally:
        os.close(fd)
    return temp


def write_atomic(path: Path, data: bytes, what: str, mode: int = PUBLIC_FILE) -> None:
    """Replace `path` by `data`, durably: at any time, even after a power cut, it holds the old bytes or the
    new.
    """
    with translating(f"writing {what}", path):
        temp = _write_temp(path, data, mode)
        try:
            temp.replace(path)
        except BaseException:
            temp.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


@contextlib.contextmanager
def replacing(path: Path, what: str, mode: int = PUBLIC_FILE) -> Iterator[BinaryIO]:
    """Give a file to write and read; when the body ends well, it becomes `path`, durably, else it is gone."""
    with translating(f"writing {what}", path):
        fd, temp = _open_temp(path, mode, os.O_RDWR)
        try:
            with os.fdopen(fd, "w+b") as file:
                yield file
                file.flush()
                os.fsync(fd)
                temp.replace(path)
        except BaseException:
            temp.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


def write_once(path: Path, data: bytes, what: str, mode: int = PUBLIC_FILE) -> bool:
    """Create `path` with `data`, durably and whole, or return False where something of that name exists
    already.
    """
    with translating(f"writing {what}", path):
        temp = _write_temp(path, data, mode)
        try:
            try:
                os.link(temp, path)
            except FileExistsError:
                return False
            except OSError as error:
                if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK):
                    raise
                if (
                    path.exists()
                ):  # a file system without hard links: a race would need two writers of one name
                    return False
                temp.replace(path)
        finally:
            temp.unlink(missing_ok=True)
        sync_folder(path.parent)
        return True


def write_batch(folder: Path, items: Iterable[tuple[str, bytes]], what: str, mode: int = PUBLIC_FILE) -> None:
    """Replace many files of a folder, each atomically, and all durably when this returns."""
    with translating(f"writing {what}", folder):
        for chunk in _chunks(items, _MAX_PENDING):
            _replace_all(folder, chunk, mode)
        sync_folder(folder)


def _chunks(items: Iterable[tuple[str, bytes]], size: int) -> Iterator[list[tuple[str, bytes]]]:
    rest = iter(items)
    while chunk := list(itertools.islice(rest, size)):
        yield chunk


def _replace_all(folder: Path, items: list[tuple[str, bytes]], mode: int) -> None:
    with contextlib.ExitStack() as cleanup:
        opened = []
        for name, data in items:
            path = folder / name
            fd, temp = _open_temp(path, mode)
            cleanup.callback(temp.unlink, missing_ok=True)
            cleanup.callback(os.close, fd)
            opened.append((fd, temp, path))
            write_all(fd, data)
        for fd, _, _ in opened:
            os.fsync(fd)
        for _, temp, path in opened:
            temp.replace(path)


def open_regular(path: Path | str) -> int:
    """Open a file for reading and return its descriptor; refuses (ValueError) what isn't a regular file.

    Opening never blocks: a pipe somebody put there is refused instead of waited for.
    """
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise ValueError("not a regular file")
    return fd


def read_up_to(fd: int, max_bytes: int) -> bytes:
    """Read at most `max_bytes` from the descriptor of a regular file, fewer only at its end."""
    parts = []
    at_once = min(os.fstat(fd).st_size + 1, 1 << 24)  # room for more would be made, and given back, each time
    while max_bytes > 0:
        part = os.read(fd, min(max_bytes, at_once))
        if not part:
            break
        parts.append(part)
        max_bytes -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def read_small(path: Path | str, max_bytes: int, what: str) -> bytes | None:
    """Return the bytes of a file of at most `max_bytes`, or None where there is none.

    Raises `Corrupt` for a larger or special file, `Unavailable` where it can't be read.
    """
    with translating(f"reading {what}", path):
        try:
            fd = open_regular(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except ValueError:
            raise Corrupt(f"{what}: expected a file, found something else: {path}") from None
        try:
            data = read_up_to(fd, max_bytes + 1)
        finally:
            os.close(fd)
    if len(data) > max_bytes:
        raise Corrupt(f"{what}: expected at most {max_bytes:,} bytes, found more: {path}")
    return data


class DurableWriter:
    """Writes many files in place and makes all of them durable at once, in `flush`.

    For names that nobody reads before a later, atomic step: what a crash left under such a name is
    overwritten. Close it in any case (it is a context manager); leaving it without `flush` promises
    nothing. Raises OSError: its user knows what is being written, and translates.
    """

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        self._pending: list[int] = []
        self._folders: set[str] = set()
        self._known: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close_pending()

    def write(self, name: str, data: bytes) -> None:
        """Write `data` to the file `name` (relative to the root, separated by `/`), creating its folders."""
        folder = self._ensure_folder(f"{self._root}/{name}".rpartition("/")[0])
        fd = os.open(
            f"{self._root}/{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, PUBLIC_FILE
        )
        self._pending.append(fd)
        self._folders.add(folder)
        write_all(fd, data)
        if len(self._pending) >= _MAX_PENDING:
            self._sync_pending()

    def remove(self, name: str) -> None:
        """Remove the file `name`, if there is one."""
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            Path(f"{self._root}/{name}").unlink()

    def flush(self) -> None:
        """Return once everything written so far, and the folders that name it, is on disk."""
        self._sync_pending()
        for folder in self._folders:
            sync_folder(folder)
        self._folders.clear()

    def _ensure_folder(self, folder: str) -> str:
        if folder not in self._known and not Path(folder).is_dir():
            parent = self._ensure_folder(folder.rpartition("/")[0])
            with contextlib.suppress(FileExistsError):
                Path(folder).mkdir(PUBLIC_FOLDER)
            self._folders.add(parent)
        self._known.add(folder)
        return folder

    def _sync_pending(self) -> None:
        for fd in self._pending:
            os.fsync(fd)
        self._close_pending()

    def _close_pending(self) -> None:
        pending, self._pending = self._pending, []
        for fd in pending:
            os.close(fd)
