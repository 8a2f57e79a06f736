"""The types of records and their codes, for those who write the tables; readers need only their names."""

from __future__ import annotations

from typing import Final

from ledger.core.records import (
    Activity,
    Agreement,
    Attestation,
    Delivery,
    Grant,
    Predicate,
    Registration,
    Revocation,
    Settlement,
    Transfer,
    Version,
)

TYPE_CODE: Final[dict[type[Predicate], int]] = {
    Registration: 1,
    Version: 2,
    Transfer: 3,
    Activity: 4,
    Revocation: 5,
    Grant: 6,
    Agreement: 7,
    Delivery: 8,
    Settlement: 9,
    Attestation: 10,
}

TYPES: Final = {code: kind for kind, code in TYPE_CODE.items()}
