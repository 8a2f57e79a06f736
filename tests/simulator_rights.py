"""Records about rights, by the parties of `simulator`: each function appends one and returns its id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ledger.core.records import Agreement, Attestation, Delivery, Grant, Resource, Settlement
from ledger.core.records_rights import Money, Payout, Terms
from tests.simulator import Party


def subject_of(party: Party, names: Sequence[str | Resource]) -> list[Resource]:
    """Return assets by name; versions are given as resources."""
    return [party.asset_resource(each) if isinstance(each, str) else each for each in names]


def grant(
    party: Party,
    names: Sequence[str | Resource],
    grantee: Party | None,
    *signers: Party,
    terms: Terms | None = None,
    under: bytes = b"",
    **members: Any,
) -> bytes:
    """Grant rights (by default to use) to somebody, or with None to everybody."""
    said = {
        "grantor": party.did,
        "grantee": "" if grantee is None else grantee.did,
        "terms": terms or Terms(rights=["use"]),
        "under": under.hex(),
    }
    return party.record(subject_of(party, names), Grant(**(party.header() | said | members)), *signers)


def agreement(
    party: Party,
    names: Sequence[str | Resource],
    provider: Party,
    consumer: Party,
    state: str,
    *signers: Party,
    previous: bytes = b"",
    **members: Any,
) -> bytes:
    """Take a step of a negotiation in the party's log, signed by it unless others are named."""
    said = {
        "negotiation": "n1",
        "provider": provider.did,
        "consumer": consumer.did,
        "state": state,
        "previous": previous.hex(),
        "authors": [each.did for each in signers or (party,)],
    }
    if not previous or state in ("REQUESTED", "OFFERED", "AGREED"):
        said["terms"] = Terms(rights=["use"])
    predicate = Agreement(**(party.header() | said | members))
    return party.record(subject_of(party, names), predicate, *signers)


def delivery(
    party: Party,
    versions: Sequence[str | Resource],
    under: bytes,
    state: str = "COMPLETED",
    previous: bytes = b"",
    **members: Any,
) -> bytes:
    """Take a step of a transfer."""
    said = {"process": "p1", "agreement": under.hex(), "state": state, "previous": previous.hex()}
    return party.record(subject_of(party, versions), Delivery(**(party.header() | said | members)))


def settlement(
    party: Party, name: str | Resource, payouts: Sequence[tuple[Party, int]], **members: Any
) -> bytes:
    """Record how income was split, in fen."""
    said = {
        "payer": party.did,
        "total": Money("CNY", sum(amount for _, amount in payouts)),
        "payouts": [Payout(each.did, amount) for each, amount in payouts],
        "as_of": 0,
    }
    return party.record(subject_of(party, [name]), Settlement(**(party.header() | said | members)))


def attestation(party: Party, names: Sequence[str | Resource], kind: str, **members: Any) -> bytes:
    """Attest something."""
    predicate = Attestation(**(party.header() | {"kind": kind} | members))
    return party.record(subject_of(party, names), predicate)
