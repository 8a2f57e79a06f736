"""Attachments: what is too large or too private for a record, kept by digest.

    public/attachments/<sha256>       served beside the log, mode 0644
    private/attachments/<digest>      the sealed preimage (docs/formats.md section 3), mode 0600

A file is named by the digest of its bytes, so it is written once, its path follows from the record, and
whatever is read back is checked against its name. Deleting a private one forgets salt and content for good;
the record that names it still proves that it was there. A missing attachment is None, never an error:
whoever asks decides.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from ledger.core.digests import SALT_SIZE, seal, unseal
from ledger.core.encoding import unhex
from ledger.core.errors import Corrupt, Usage
from ledger.core.hashing import sha256
from ledger.store import files

MAX_ATTACHMENT = 1 << 26
"""The most bytes of one attachment: it is read as a whole, by every reader."""

MAX_SEALED = 2 * MAX_ATTACHMENT + 4096
"""The most bytes of a preimage: the content is padded to a power of two."""


class _DigestFolder:
    """Files named by the SHA-256 of their bytes."""

    def __init__(self, folder: Path, max_bytes: int, file_mode: int, folder_mode: int) -> None:
        self.folder = folder
        self._max_bytes = max_bytes
        self._file_mode = file_mode
        self._folder_mode = folder_mode

    def path(self, digest: str) -> Path:
        """Return where the bytes of a digest (64 hex digits) are kept. Raises `FormatError` for anything
        else.
        """
        unhex(digest, 32, "attachment digest")
        return self.folder / digest

    def has(self, digest: str) -> bool:
        """Say whether there is a file for the digest; its bytes are checked only when read."""
        return self.path(digest).exists()

    def digests(self) -> list[str]:
        """Return the digests of everything that is kept here, sorted."""
        with files.translating("listing the attachments", self.folder):
            try:
                names = [file.name for file in self.folder.iterdir()]
            except FileNotFoundError:
                return []
        return sorted(name for name in names if len(name) == 64 and not set(name) - set("0123456789abcdef"))

    def _put(self, items: Iterable[tuple[str, bytes]]) -> None:
        new = {digest: data for digest, data in items if self._read(digest) != data}
        if new:
            files.make_folder(self.folder, self._folder_mode)
            files.write_batch(self.folder, new.items(), "an attachment", self._file_mode)

    def _get(self, digest: str) -> bytes | None:
        data = self._read(digest)
        if data is not None and sha256(data).hex() != digest:
            hint = "Restore it from a backup or from somebody who has it."
            raise Corrupt(f"attachment {digest}: its bytes have digest {sha256(data).hex()}", hint=hint)
        return data

    def _read(self, digest: str) -> bytes | None:
        return files.read_small(self.path(digest), self._max_bytes, "an attachment")


class PublicAttachments(_DigestFolder):
    """Attachments that everybody may read, named by `sha256`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, MAX_ATTACHMENT, files.PUBLIC_FILE, files.PUBLIC_FOLDER)

    def put(self, data: bytes) -> str:
        """Keep `data` and return its digest (hex); it is on disk when this returns."""
        return self.put_many([data])[0]

    def put_many(self, contents: Sequence[bytes]) -> list[str]:
        """Keep many at once, much faster than one by one, and return their digests in order."""
        for content in contents:
            check_size(content)
        digests = [sha256(data).hex() for data in contents]
        self._put(zip(digests, contents, strict=True))
        return digests

    def get(self, digest: str) -> bytes | None:
        """Return the bytes of a digest, or None. Raises `Corrupt` where they are not what the name says."""
        return self._get(digest)


class PrivateAttachments(_DigestFolder):
    """Attachments for whom they concern, named by `dataledger-sealed-v1`: salted, padded, and 0600."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, MAX_SEALED, files.PRIVATE_FILE, files.PRIVATE_FOLDER)

    def put(self, content: bytes, salt: bytes | None = None) -> str:
        """Seal `content` under a salt (32 bytes; random if None), keep it, and return its digest (hex)."""
        check_size(content)
        return self._put_sealed([seal(salt or secrets.token_bytes(SALT_SIZE), content)])[0]

    def put_many(self, contents: Sequence[bytes]) -> list[str]:
        """Seal and keep many at once, each under a random salt of its own, and return their digests in
        order.
        """
        for content in contents:
            check_size(content)
        return self._put_sealed([seal(secrets.token_bytes(SALT_SIZE), content) for content in contents])

    def put_sealed(self, preimages: Sequence[bytes]) -> list[str]:
        """Keep what was sealed before, here or by somebody who handed it over, all at once, and return the
        digests in order. Raises `FormatError` for anything but a preimage.
        """
        for preimage in preimages:
            check_size(unseal(preimage))
        return self._put_sealed([(sha256(preimage).hex(), preimage) for preimage in preimages])

    def get(self, digest: str) -> bytes | None:
        """Return the content of a digest, or None. Raises `Corrupt` or `FormatError` for damaged bytes."""
        preimage = self._get(digest)
        return None if preimage is None else unseal(preimage)

    def get_sealed(self, digest: str) -> bytes | None:
        """Return the preimage of a digest, to be handed to whom it concerns, or None."""
        return self._get(digest)

    def forget(self, digests: Collection[str]) -> None:
        """Delete salt and content of these digests for good; durable when this returns.

        What a crash left of unfinished writes goes first: once a file is gone, nothing of it is left.
        """
        paths = [self.path(digest) for digest in digests]
        if not self.folder.exists():
            return
        with files.translating("deleting attachments", self.folder):
            for leftover in self.folder.glob(".*.tmp"):
                if leftover.name[1:65] in digests:
                    leftover.unlink(missing_ok=True)
            files.sync_folder(self.folder)
            for path in paths:
                path.unlink(missing_ok=True)
            files.sync_folder(self.folder)

    def _put_sealed(self, sealed: list[tuple[str, bytes]]) -> list[str]:
        self._put(sealed)
        return [digest for digest, _ in sealed]


def check_size(content: bytes) -> None:
    """Raise `Usage` for content that is too large to be attached."""
    if len(content) > MAX_ATTACHMENT:
        raise Usage(f"an attachment has at most {MAX_ATTACHMENT:,} bytes, this one has {len(content):,}")
