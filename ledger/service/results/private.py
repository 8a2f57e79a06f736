"""What the use cases of private attachments answer; see `results`, which offers these shapes too."""

from __future__ import annotations

from msgspec import Struct


class PrivateAttachment(Struct, frozen=True, kw_only=True):
    """A private attachment: which record names it, and what there is of it here.

    `state` is `private` (kept here), `disclosed` (kept, and goes into evidence files made here), `forgotten`
    (deleted on purpose), `half-forgotten` (marked as forgotten and still here: forget it again), `missing`
    (lost), `withheld` (its author keeps it) or `damaged`. `size` in bytes and `preview`, the first line, are
    those of the content, where it was looked at. Role, record and what follows are empty where no accepted
    record names it.
    """

    digest: str
    state: str
    size: int | None
    preview: str
    role: str = ""
    media_type: str = ""
    record: str = ""
    type: str = ""
    subject: str = ""
    party: str = ""
    party_name: str = ""
    ours: bool


class Disclosures(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/disclosures/v1"):
    """Private attachments, and what was done to them or would be.

    `action` is `listed`, `to-disclose`, `disclosed`, `withdrawn`, `to-hand-out`, `handed-out`, `received`,
    `to-forget` or `forgotten`; those that begin with `to-` changed nothing. `folder` is where files were
    written.
    """

    action: str
    attachments: list[PrivateAttachment]
    folder: str = ""
    notes: list[str] = []
