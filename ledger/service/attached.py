"""Attachments of the own records: sealed private ones, and public ones beside the log."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from ledger.core import digests
from ledger.core.digests import FILE, SALT_SIZE, SEALED
from ledger.core.hashing import sha256
from ledger.core.records import Attachment
from ledger.service.context import Context
from ledger.store.attachments import PrivateAttachments, PublicAttachments, check_size

JSON = "application/json"


def private_attachments(context: Context) -> PrivateAttachments:
    """The workspace's sealed attachments."""
    return PrivateAttachments(context.workspace.private / "attachments")


def public_attachments(context: Context, log_id: bytes | None = None) -> PublicAttachments:
    """The attachments served beside an own log, by default the one that records go to."""
    number = context.config.log_number if log_id is None else context.own_logs[log_id]
    return PublicAttachments(context.workspace.log_folder(number) / "attachments")


class Sealing:
    """Attachments of records in the making: named one by one, and kept all at once by `flush`.

    That is much faster, and what is not wanted after all leaves no trace.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._sealed: list[bytes] = []
        self._public: list[bytes] = []
        self.size = 0

    def seal(self, role: str, media_type: str, data: bytes) -> Attachment:
        """Seal `data` under a salt of its own; return how a record names it. Usage if it is too large."""
        check_size(data)
        digest, preimage = digests.seal(secrets.token_bytes(SALT_SIZE), data)
        self._sealed.append(preimage)
        self.size += len(preimage)
        return Attachment(role, media_type, {SEALED: digest})

    def publish(self, role: str, media_type: str, data: bytes) -> Attachment:
        """Have `data` served beside the log; return how a record names it. Usage if it is too large."""
        check_size(data)
        self._public.append(data)
        self.size += len(data)
        return Attachment(role, media_type, {FILE: sha256(data).hex()}, size=len(data))

    @contextmanager
    def all_or_none(self) -> Iterator[None]:
        """Forget what the body attached, if it raises."""
        sealed, public = len(self._sealed), len(self._public)
        try:
            yield
        except BaseException:
            self._shorten(sealed, public)
            raise

    def flush(self) -> None:
        """Keep everything; it is on disk when this returns."""
        if self._public:
            public_attachments(self._context).put_many(self._public)
        if self._sealed:
            private_attachments(self._context).put_sealed(self._sealed)
        self.clear()

    def clear(self) -> None:
        """Begin anew."""
        self._shorten(0, 0)

    def _shorten(self, sealed: int, public: int) -> None:
        self.size -= sum(map(len, self._sealed[sealed:])) + sum(map(len, self._public[public:]))
        del self._sealed[sealed:], self._public[public:]
