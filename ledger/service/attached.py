"""Attachments of the own records: sealed private ones, and public ones beside the log."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.core.records import Attachment
from ledger.service.context import Context
from ledger.store.attachments import PrivateAttachments, PublicAttachments


def private_attachments(context: Context) -> PrivateAttachments:
    """The workspace's sealed attachments."""
    return PrivateAttachments(context.workspace.private / "attachments")


def public_attachments(context: Context) -> PublicAttachments:
    """The attachments served beside the own log."""
    return PublicAttachments(context.workspace.public / "attachments")


def seal(context: Context, role: str, media_type: str, data: bytes) -> Attachment:
    """Keep one private attachment, salted, and return how a record names it."""
    return seal_many(context, role, media_type, [data])[0]


def seal_many(context: Context, role: str, media_type: str, contents: Sequence[bytes]) -> list[Attachment]:
    """Keep private attachments, each under a salt of its own, and return how records name them."""
    digests = private_attachments(context).put_many(contents)
    return [Attachment(role, media_type, {"dataledger-sealed-v1": digest}) for digest in digests]


def publish_attachment(context: Context, role: str, media_type: str, data: bytes) -> Attachment:
    """Keep a public attachment beside the log and return how a record names it."""
    digest = public_attachments(context).put(data)
    return Attachment(role, media_type, {"sha256": digest}, size=len(data))
