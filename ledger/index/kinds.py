"""The codes that the tables hold, and what the findings mean."""

from __future__ import annotations

from typing import Final

ACCEPTED, REJECTED, DUPLICATE = 0, 1, 2
VERDICTS: Final = ("accepted", "rejected", "duplicate")

RECORD_TYPES: Final = (
    "unknown", "registration", "version", "transfer", "activity", "revocation",
    "grant", "agreement", "delivery", "settlement", "attestation",
)  # fmt: skip
"""By the code in `entry.kind`; 0 where the entry could not be read."""

OUTCOMES: Final = ("running", "completed", "failed", "aborted")

ALGORITHMS: Final = ("sha256", "dataledger-tree-v1", "dataledger-declared-v1", "dataledger-asset-v1")
"""The digest names that a node may have; their places are the codes in the table."""

CODE: Final = {name: code for code, name in enumerate(ALGORITHMS)}
UNVERSIONED = 0
"""The `number` of a node whose version nobody knows."""

UNAVAILABLE, MISMATCH, CLOSED = "log-unavailable", "log-mismatch", "log-closed"
"""Why a log stops, and the findings that say so."""

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
    "illegal-transition": "warning",
    "delivery-not-covered": "warning",
    "delivery-outside-term": "warning",
    "delivery-taken-back": "warning",
    "delivery-frozen": "warning",
    "overcharged": "warning",
    "above-price-cap": "warning",
    "price-for-free-use": "warning",
    "price-not-comparable": "info",
    "several-currencies": "warning",
    "settlement-replayed": "error",
    "settlement-other-subject": "warning",
    "settlement-not-final": "warning",
    "settlement-not-billed": "error",
    "settlement-basis-later": "warning",
}
"""Every kind of finding and how bad it is: the stable codes that users and other programs see."""
