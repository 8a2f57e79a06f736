"""The shape of an error in JSON. A module of its own, because msgspec is not imported before it is needed."""

from __future__ import annotations

from msgspec import Struct


class Failure(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/error/v1"):
    """Why a command failed, on stderr in one line. `exit_code` is that of the process.

    `error` is the kind of error: `Usage`, `NotFound`, `FormatError`, `SignatureInvalid`, `ProofInvalid`,
    `Corrupt`, `Forked`, `Unauthorized`, `EvidenceInvalid`, `WrongLedger`, `Rejected`, `Unavailable`,
    `Locked`, `Unconfirmed`, `Unfunded`, `Departed` (`demo`: not what the story says), `Interrupted` or
    `Internal`. `reason` is the stable code of an `Unauthorized` or `EvidenceInvalid` one, else empty. `hint`
    says what to do next and may be empty.
    """

    error: str
    message: str
    hint: str
    reason: str
    exit_code: int
