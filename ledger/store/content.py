"""Content digests of files and folders on disk: docs/formats.md section 3.

What is digested must hold still: a file whose size, time or inode differ before and after it was read gives
an error and no digest. (A write that keeps the size, within one tick of the file system's clock, can't be
seen.) The argument itself may be a symbolic link and is followed; inside a folder links are entries and
never followed. The bytes of a manifest are the business of `core.digests`; this module walks, reads and
hashes.
"""

from __future__ import annotations

import collections
import errno
import os
import stat
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

from msgspec import Struct

from ledger.core.digests import ManifestEntry, encode_manifest, tree_digest
from ledger.core.errors import LedgerError, NotFound, Unavailable, Usage
from ledger.store.files import os_error
from ledger.store.workspace import FOLDER

Progress = Callable[[int, int], None]
"""Told now and then, from any thread but one at a time: bytes done, bytes there are (0 while nobody
knows).
"""

_BUFFER = 1 << 18  # as hashlib.file_digest: larger falls out of the cache
_REPORT_BYTES = 1 << 24  # how often progress is told
_THREADED = 8  # files from which a second thread pays
_EMPTY = sha256(b"").hexdigest()


class Content(Struct, frozen=True):
    """What was digested: the digest's name (`sha256` or `dataledger-tree-v1`) and 64 hex digits, the size
    in bytes (of a folder, of all its files), and of a folder its manifest's entries.
    """

    name: str
    digest: str
    size: int
    entries: tuple[ManifestEntry, ...] = ()

    def manifest(self) -> bytes:
        """Return the manifest's bytes of a folder; nothing for a file."""
        return encode_manifest(self.entries)


def digest_path(path: Path | str, progress: Progress | None = None) -> Content:
    """Digest a file or a folder. Raises `NotFound`, `Usage` for what can't be content, `Unavailable` for
    what can't be read or does not hold still.
    """
    mode = _stat(str(path)).st_mode
    if stat.S_ISDIR(mode):
        return digest_folder(path, progress)
    return digest_file(path, progress)


def digest_file(path: Path | str, progress: Progress | None = None) -> Content:
    """Digest a file: SHA-256 of its bytes. Errors as `digest_path`."""
    name = str(path)
    before = _stat(name)
    _refuse_special(before, name)
    meter = _Meter(before.st_size, progress)
    digest, size = _Reader(meter, follow=True).digest(name)
    if _identity(_stat(name)) != _identity(before):  # the name may have got another file meanwhile
        raise _changed(name)
    meter.finish(size)
    return Content("sha256", digest, size)


def digest_folder(path: Path | str, progress: Progress | None = None) -> Content:
    """Digest a folder: by the manifest of all that is in it. Errors as `digest_path`.

    A folder with a workspace in it is refused: it holds keys, and it changes with every record about it.
    """
    root = str(path)
    found = _walk(root)
    meter = _Meter(0, progress)
    entries = [*_digest_all(root, found.files, meter), *found.others]
    for folder, before in found.folders.items():
        if _identity(_stat(folder)) != before:
            raise _changed(folder)
    size = sum(entry.size for entry in entries if entry.kind == "f")
    meter.finish(size)
    entries.sort(key=lambda entry: entry.path.encode())
    return Content("dataledger-tree-v1", tree_digest(entries), size, tuple(entries))


class _Found(Struct, frozen=True):
    """What a walk found: files by their path in the folder, folders as they were, links and empty ones."""

    files: list[str]
    folders: dict[str, tuple[int, ...]]
    others: list[ManifestEntry]


class _Meter:
    """Adds up what threads report and tells `progress`, at most once per `_REPORT_BYTES`."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self._total = total
        self._progress = progress
        self._lock = threading.Lock()
        self._done = self._told = 0

    def add(self, size: int) -> None:
        if self._progress is None:
            return
        with self._lock:
            self._done += size
            if self._done - self._told >= _REPORT_BYTES:
                self._told = self._done
                self._progress(self._done, self._total)

    def finish(self, size: int) -> None:
        if self._progress is not None:
            self._progress(size, size)


def _walk(root: str) -> _Found:
    found = _Found([], {}, [])
    todo = [""]
    while todo:
        prefix = todo.pop()
        folder = f"{root}/{prefix}" if prefix else root
        found.folders[folder] = _identity(_stat(folder))
        try:
            _read_folder(folder, prefix, found, todo)
        except OSError as error:
            if error.errno == errno.ENOENT:
                raise _changed(folder) from error
            raise os_error(error, "reading a folder", folder) from error
    return found


def _read_folder(folder: str, prefix: str, found: _Found, todo: list[str]) -> None:
    with os.scandir(folder) as entries:
        children = list(entries)
    if not children and prefix:
        found.others.append(ManifestEntry("d", _EMPTY, 0, prefix[:-1]))
    for child in children:
        _check_name(child)
        if child.is_file(follow_symlinks=False):
            found.files.append(prefix + child.name)
        else:
            _take_other(child, prefix, found, todo)


def _take_other(child: os.DirEntry[str], prefix: str, found: _Found, todo: list[str]) -> None:
    path = prefix + child.name
    if child.is_dir(follow_symlinks=False):
        if child.name == FOLDER:
            hint = "Register a folder that the workspace is not in."
            raise Usage(f"a folder with a workspace in it can't be content: {child.path}", hint=hint)
        todo.append(path + "/")
    elif child.is_symlink():
        found.others.append(_link(path, str(Path(child.path).readlink()), child.path))
    else:
        _refuse_special(child.stat(follow_symlinks=False), child.path)


def _check_name(child: os.DirEntry[str]) -> None:
    if child.name.isascii():
        return
    try:
        child.name.encode("utf-8")
    except UnicodeEncodeError:
        shown = os.fsencode(child.path).decode("utf-8", "backslashreplace")
        raise Usage(f"a name that is not UTF-8 can't be content: {shown}", hint="Rename it.") from None


def _link(path: str, target: str, shown: str) -> ManifestEntry:
    try:
        text = target.encode("utf-8")
    except UnicodeEncodeError:
        raise Usage(f"a symbolic link whose target is not UTF-8 can't be content: {shown}") from None
    if leaves_folder(path, target):
        hint = "Replace the link by what it points to."
        raise Usage(
            f"a symbolic link that leaves the folder can't be content: {shown} -> {target}", hint=hint
        )
    return ManifestEntry("l", sha256(text).hexdigest(), len(text), path)


def leaves_folder(path: str, target: str) -> bool:
    """Say whether a link at `path` (relative, separated by `/`) with this target leaves the folder, as text
    reads.
    """
    if target.startswith("/"):
        return True
    depth = path.count("/")
    for part in target.split("/"):
        if part == "..":
            depth -= 1
        elif part not in ("", "."):
            depth += 1
        if depth < 0:
            return True
    return False


def _digest_all(root: str, files: list[str], meter: _Meter) -> list[ManifestEntry]:
    """Digest files, in any order. Two threads help: reading and hashing let go of the interpreter."""
    rest = iter(files)  # taken from by both
    if len(files) < _THREADED:
        return _digest_some(root, rest, meter)
    with ThreadPoolExecutor(1, "digest") as pool:
        second = pool.submit(_digest_some, root, rest, meter)
        return _digest_some(root, rest, meter) + second.result()


def _digest_some(root: str, files: Iterator[str], meter: _Meter) -> list[ManifestEntry]:
    reader = _Reader(meter)
    try:
        return [ManifestEntry("f", *reader.digest(f"{root}/{path}"), path) for path in files]
    finally:
        collections.deque(files, 0)  # after an error, or Ctrl-C, nothing is left for the other thread


class _Reader:
    """Reads and hashes files one after another; one of these a thread."""

    def __init__(self, meter: _Meter, *, follow: bool = False) -> None:
        self._meter = meter
        self._buffer = memoryview(bytearray(_BUFFER))
        self._buffers = (self._buffer,)
        self._flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)

    def digest(self, name: str) -> tuple[str, int]:
        """Return the SHA-256 (hex) and the size of the file `name`, if it does not change meanwhile."""
        try:
            fd = os.open(name, self._flags)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ELOOP, errno.ENXIO):
                raise _changed(name) from error
            raise os_error(error, "reading", name) from error
        try:
            before = os.fstat(fd)
            digest = self._hash(fd, before.st_size)
            after = os.fstat(fd)
        except OSError as error:
            raise os_error(error, "reading", name) from error
        finally:
            os.close(fd)
        still = after.st_size == before.st_size and after.st_mtime_ns == before.st_mtime_ns
        if not still or not stat.S_ISREG(after.st_mode):
            raise _changed(name)
        return digest, before.st_size

    def _hash(self, fd: int, size: int) -> str:
        """Hash what is there, or a little more than `size` bytes: a file that always grows ends, too."""
        count = os.readv(fd, self._buffers)
        self._meter.add(count)
        if count == size < _BUFFER:  # all of a small file: whether it has grown, its size will tell
            return sha256(self._buffer[:count]).hexdigest()
        hasher = sha256()
        done = 0
        while count and done <= size:
            hasher.update(self._buffer[:count])
            done += count
            count = os.readv(fd, self._buffers)
            self._meter.add(count)
        return hasher.hexdigest()


def _identity(status: os.stat_result) -> tuple[int, ...]:
    """What differs when a file or folder was changed, or another one put in its place."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _stat(name: str) -> os.stat_result:
    try:
        return Path(name).stat()
    except OSError as error:
        if error.errno == errno.ENOENT:
            raise NotFound(f"no such file or folder: {name}") from error
        raise os_error(error, "reading", name) from error


def _refuse_special(status: os.stat_result, name: str) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise Usage(f"expected a file, found a folder: {name}")
    if not stat.S_ISREG(status.st_mode):
        raise Usage(f"a device, pipe or socket can't be content: {name}")


def _changed(name: str) -> LedgerError:
    hint = "Repeat once nothing writes to it any more."
    return Unavailable(f"it changed while it was read: {name}", hint=hint)
