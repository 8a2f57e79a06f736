"""The codes that the tables hold, and what the findings mean."""

from __future__ import annotations

from typing import Final

from ledger.core.records import (
    Activity,
    Predicate,
    Registration,
    Revocation,
    Transfer,
    Version,
)

ACCEPTED, REJECTED, DUPLICATE = 0, 1, 2
VERDICTS: Final = ("accepted", "rejected", "duplicate")

RECORD_TYPES: Final = ("unknown", "registration", "version", "transfer", "activity", "revocation")
"""By the code in `entry.kind`; 0 where the entry could not be read."""

TYPE_CODE: Final[dict[type[Predicate], int]] = {
    Registration: 1,
    Version: 2,
    Transfer: 3,
    Activity: 4,
    Revocation: 5,
}

TYPES: Final = {code: kind for kind, code in TYPE_CODE.items()}

OUTCOMES: Final = ("running", "completed", "failed", "aborted")

INPUT, OUTPUT = 0, 1
"""`loose.role`: an input or output of an activity that no edge mentions."""

SEVERITIES: Final = {
    "log-mismatch": "error",
    "log-unavailable": "warning",
    "log-closed": "warning",
    "input-digest-mismatch": "error",
    "input-unregistered": "warning",
    "output-unregistered": "warning",
    "input-changed": "warning",
    "declared-input": "info",
    "same-content-other-claimant": "info",
    "attachment-missing": "warning",
    "attachment-invalid": "error",
    "not-posted": "info",
    "not-effective": "warning",
    "run-id-reused": "warning",
}
"""Every kind of finding and how bad it is: the stable codes that users and other programs see."""
