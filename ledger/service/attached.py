"""Attachments of the own records: sealed private ones, and public ones beside the log."""

from __future__ import annotations

import secrets

from ledger.core import digests
from ledger.core.digests import FILE, SALT_SIZE, SEALED
from ledger.core.hashing import sha256
from ledger.core.records import Attachment
from ledger.service.context import Context
from ledger.store.attachments import PrivateAttachments, PublicAttachments, check_size


def private_attachments(context: Context) -> PrivateAttachments:
    """The workspace's sealed attachments."""
    return PrivateAttachments(context.workspace.private / "attachments")


def public_attachments(context: Context) -> PublicAttachments:
    """The attachments served beside the own log."""
    return PublicAttachments(context.workspace.public / "attachments")


def seal(context: Context, role: str, media_type: str, data: bytes) -> Attachment:
    """Keep one private attachment, salted, and return how a record names it."""
    return Attachment(role, media_type, {SEALED: private_attachments(context).put(data)})


def publish_attachment(
    context: Context, role: str, media_type: str, data: bytes, *, keep: bool = True
) -> Attachment:
    """Keep a public attachment beside the log and return how a record names it; without `keep`, only that."""
    digest = public_attachments(context).put(data) if keep else sha256(data).hex()
    return Attachment(role, media_type, {FILE: digest}, size=len(data))


class Sealing:
    """Private attachments of many records: sealed one by one, kept all at once, which is much faster."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._preimages: list[bytes] = []
        self.size = 0

    def __len__(self) -> int:
        return len(self._preimages)

    def seal(self, role: str, media_type: str, data: bytes) -> Attachment:
        """Seal `data` under a salt of its own and return how a record names it; Usage if it is too large."""
        check_size(data)
        digest, preimage = digests.seal(secrets.token_bytes(SALT_SIZE), data)
        self._preimages.append(preimage)
        self.size += len(preimage)
        return Attachment(role, media_type, {SEALED: digest})

    def shorten(self, count: int) -> None:
        """Forget what was sealed after the first `count`."""
        self.size -= sum(map(len, self._preimages[count:]))
        del self._preimages[count:]

    def flush(self) -> None:
        """Keep all that was sealed; it is on disk when this returns."""
        if self._preimages:
            private_attachments(self._context).put_sealed(self._preimages)

    def clear(self) -> None:
        """Begin anew."""
        self.shorten(0)
