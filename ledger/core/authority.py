"""Who may say what: the rules that decide whether a record counts.

Pure rules (docs/formats.md sections 4, 7 and 8) over `Facts`, which an index answers from its tables and an
auditor from an evidence file: both reach the same verdict. Everything is judged at the record's anchor, the
first checkpoint that covers it, never by today, and facts of the chain hold as of the *end* of the anchor's
block. What no rule allows is refused with `Unauthorized` and one of `REASONS`.

Before these rules: the signatures verify (`dsse.verify_envelope`), the payload is well-formed
(`statement.parse_statement`), and no accepted entry has the same record id. Entries are judged in the order
of (block, log id, index), so that facts from records are those of the entries before. After these rules:
what is authentic but improper is applied and flagged (`findings`), and transfers and revocations wait for
their posting (`postings`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ledger.core.authority_facts import (
    REASONS,
    RULES_VERSION,
    Accepted,
    Facts,
    Identities,
    KeyState,
    Place,
    address_of,
    belongs,
    check_active,
    check_holder,
)
from ledger.core.authority_rights import (
    check_agreement,
    check_attestation,
    check_delivery,
    check_grant,
    check_in_time,
    check_revocation,
    check_settlement,
)
from ledger.core.authority_signers import check_signers
from ledger.core.errors import Unauthorized
from ledger.core.names import namespace_of
from ledger.core.records import (
    Activity,
    Agreement,
    Attestation,
    Delivery,
    Grant,
    Predicate,
    Registration,
    Resource,
    Revocation,
    Settlement,
    Statement,
    Transfer,
    Version,
)
from ledger.core.shapes import RUN_PREFIX

__all__ = [
    "REASONS", "RULES_VERSION", "Accepted", "Facts", "Identities", "KeyState", "Place", "authorize",
    "check_signers",
]  # fmt: skip


def authorize(statement: Statement, keyids: Sequence[str], place: Place, facts: Facts) -> None:
    """Return if the record counts in this place; raise Unauthorized if it does not.

    `keyids` are those of the envelope's signatures, all of which have been verified.
    """
    authors = check_signers(statement, keyids, place, facts)
    _RULES[type(statement.predicate)](statement.subject, statement.predicate, authors, place, facts)


# Rules by type ---------------------------------------------------------------------------------------------


def _check_registration(
    subject: Sequence[Resource], _: Registration, authors: list[bytes], place: Place, facts: Facts
) -> None:
    asset = subject[0].name
    namespace = namespace_of(asset)
    owner = facts.namespace_owner(namespace, place.block)
    if owner not in authors:
        raise Unauthorized("not-namespace-owner", f"{namespace}: {belongs(owner)}")
    if facts.asset(asset) is not None:
        raise Unauthorized("already-registered", f"{asset} is registered already")


def _check_version(
    subject: Sequence[Resource], predicate: Version, authors: list[bytes], place: Place, facts: Facts
) -> None:
    asset = subject[0].name.partition("@")[0]
    number = predicate.number
    if facts.asset(asset) is None:
        raise Unauthorized("asset-unknown", f"{asset} is not registered")
    check_holder(asset, authors, place, facts)
    if facts.version(asset, number) is not None:
        raise Unauthorized("version-exists", f"{asset}@{number} is recorded already")
    if number == 1:
        return
    previous = facts.version(asset, number - 1)
    if previous is None:
        raise Unauthorized("version-gap", f"{asset}@{number}: version {number - 1} is not recorded")
    if previous.hex() != predicate.previous:
        raise Unauthorized(
            "wrong-predecessor",
            f"{asset}@{number}: expected predecessor {previous.hex()}, got {predicate.previous}",
        )


def _check_activity(
    subject: Sequence[Resource], _: Activity, authors: list[bytes], place: Place, facts: Facts
) -> None:
    for resource in subject:
        if not resource.name.startswith(RUN_PREFIX):  # of its own run anybody may speak
            check_holder(resource.name.partition("@")[0], authors, place, facts)


def _check_transfer(
    subject: Sequence[Resource], predicate: Transfer, _: list[bytes], place: Place, facts: Facts
) -> None:
    asset = subject[0].name
    check_in_time(asset, predicate.anchor_before, place)
    if facts.asset(asset) is None:
        raise Unauthorized("asset-unknown", f"{asset} is not registered")
    check_active(address_of(predicate.receiver, place), place, facts)
    check_holder(
        asset, [address_of(predicate.giver, place)], place, facts
    )  # the giver is an author: `shapes`


_RULES: dict[type[Predicate], Callable[[Sequence[Resource], Any, list[bytes], Place, Facts], None]] = {
    Registration: _check_registration,
    Version: _check_version,
    Activity: _check_activity,
    Transfer: _check_transfer,
    Revocation: check_revocation,
    Grant: check_grant,
    Agreement: check_agreement,
    Delivery: check_delivery,
    Settlement: check_settlement,
    Attestation: check_attestation,
}
