"""One hierarchy of errors for the whole product.

Two families are kept apart because their consequences differ: `Invalid` says that something was checked and
found wrong (exit code 1), `Unavailable` that it could not be checked (exit code 3). `Usage` is the caller's
mistake (exit code 2). A message says what was expected, what was found, and what to do next.
"""

from __future__ import annotations


class LedgerError(Exception):
    """Base of every error this product raises on purpose.

    `hint` is one sentence that says what to do next; it may be empty.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class Invalid(LedgerError):
    """Checked, and found wrong."""

    exit_code = 1


class FormatError(Invalid):
    """Bytes from outside that do not follow their format: raised by every parser, and nothing else."""


class SignatureInvalid(Invalid):
    """A signature that does not verify, or a key that can't be one."""


class ProofInvalid(Invalid):
    """A Merkle or storage proof that does not lead to the root it should."""


class Corrupt(Invalid):
    """Stored bytes that contradict each other: a flipped bit, a dropped tail, an edited index."""


class Forked(Invalid):
    """Two signed or anchored heads of one log that cannot both be true.

    `ours` and `theirs` are the two heads as they were signed or anchored.
    """

    def __init__(self, message: str, *, ours: bytes = b"", theirs: bytes = b"", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.ours = ours
        self.theirs = theirs


class Unauthorized(Invalid):
    """A signer, sender or key that had no authority for this at that block.

    `reason` is the stable, lower-case, hyphenated code that the index stores for a rejected entry.
    """

    def __init__(self, reason: str, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.reason = reason


class EvidenceInvalid(Invalid):
    """An evidence file that does not hold; `reason` is a stable, lower-case, hyphenated code."""

    def __init__(self, reason: str, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.reason = reason


class WrongLedger(Invalid):
    """A chain, contract, record or log that belongs to another ledger."""


class Unsettled(Invalid):
    """Shares or a lineage by which no income can be split."""


class Rejected(Invalid):
    """A transaction that the contract refused; the message carries the contract's reason."""


class Usage(LedgerError):
    """The caller asked for something that makes no sense; nothing was done."""

    exit_code = 2


class NotFound(Usage):
    """A name, version, record, file or workspace that is not known here."""


class Unavailable(LedgerError):
    """Could not be checked or done now: chain, log, lock, funds, trust root."""

    exit_code = 3


class Locked(Unavailable):
    """Another process holds the lock, and waiting took too long."""


class Unconfirmed(Unavailable):
    """Consistent as far as it goes, but without the trust root that would prove it."""


class Unfunded(Unavailable):
    """The account can't pay for the transaction.

    `address` is the account, 0x-prefixed; `needed_wei` what it lacks.
    """

    def __init__(self, message: str, *, address: str, needed_wei: int, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.address = address
        self.needed_wei = needed_wei
