"""What a well-formed record about rights looks like, beyond the types of its members.

Source: docs/formats.md section 4, as for `shapes`. Who may say it, and whether a step may follow the one
before, needs other records: `authority_rights` and `negotiation` judge that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from ledger.core import digests
from ledger.core.errors import FormatError
from ledger.core.identity import parse_did
from ledger.core.instants import instant_ns
from ledger.core.money import exponent_of
from ledger.core.record_parts import Resource
from ledger.core.records_rights import (
    ADDRESS_PATTERN,
    REGION_PATTERN,
    Agreement,
    Attestation,
    Delivery,
    Grant,
    Money,
    Settlement,
    Terms,
)
from ledger.core.shape_parts import check_asset_or_version, check_hex, check_unique, sole
from ledger.core.text import shown

_region = re.compile(REGION_PATTERN.strip("^$")).fullmatch
_address = re.compile(ADDRESS_PATTERN.strip("^$")).fullmatch

WITH_TERMS: Final = ("REQUESTED", "OFFERED", "AGREED")
"""States of a negotiation that always say the terms; FINALIZED does where it is the first step."""

MEMBERS: Final[dict[str, tuple[set[str], set[str]]]] = {
    "review": ({"outcome"}, {"topic", "sample_bps"}),
    "valuation": ({"amount"}, {"topic", "start", "until"}),
    "quality": ({"topic", "score_bps"}, {"outcome", "sample_bps", "start", "until"}),
    "certification": ({"topic"}, {"start", "until"}),
    "objection": ({"description"}, {"topic", "outcome"}),
    "consent": ({"purposes"}, {"topic", "regions", "start", "until"}),
    "incident": ({"topic", "outcome"}, {"start"}),
    "notice": ({"topic"}, {"to", "due"}),
    "acknowledgement": ({"target"}, {"topic"}),
    "classification": ({"level"}, {"topic", "regions"}),
}
"""The members that an attestation of a kind has, and those that it may have; `description` and `target` may
stand in all of them."""

_MEMBERS = ("topic", "description", "target", "outcome", "amount", "score_bps", "sample_bps", "level",
    "purposes", "regions", "start", "until", "to", "due")  # fmt: skip

OUTCOMES: Final[dict[str, tuple[str | None, ...]]] = {
    "review": ("passed", "failed"),
    "quality": (None, "passed", "failed"),
    "incident": ("open", "closed"),
    "objection": (None, "frozen", "lifted"),
}


def check_grant(subject: Sequence[Resource], predicate: Grant) -> None:
    """Refuse a grant whose grantor does not sign, or which gives to itself."""
    _check_subject(predicate.ledger, subject, "grant")
    _check_author(predicate.grantor, predicate.authors, "grantor")
    if predicate.grantee:
        _check_pair(predicate.grantor, predicate.grantee, "grantor and grantee")
    _check_terms(predicate.terms)
    _check_id(predicate.under, "under")


def check_agreement(subject: Sequence[Resource], predicate: Agreement) -> None:
    """Refuse a step signed by nobody it may come from, or with terms where there are none to say."""
    _check_subject(predicate.ledger, subject, "agreement")
    _check_pair(predicate.provider, predicate.consumer, "provider and consumer")
    _check_id(predicate.previous, "previous")
    _check_id(predicate.under, "under")
    state, first = predicate.state, not predicate.previous
    if first and state not in (*WITH_TERMS, "FINALIZED"):
        raise FormatError(f"agreement: {state} is no first step, expected `previous`")
    if (state in WITH_TERMS or first) != (predicate.terms is not None):
        raise FormatError(
            f"agreement: expected `terms` exactly where they are proposed or agreed, got {state}"
        )
    if predicate.terms is not None:
        _check_terms(predicate.terms)
    elif predicate.unit or predicate.unit_price or predicate.under:
        raise FormatError("agreement: expected `unit`, `unit_price` and `under` with `terms` only")
    _check_money(predicate.unit_price)
    if (predicate.unit_price is not None) > bool(predicate.unit):
        raise FormatError("agreement: expected `unit` beside `unit_price`")
    for signer in _signers(predicate):
        _check_author(signer, predicate.authors, f"{state}: party")
    if not {predicate.provider, predicate.consumer} & set(predicate.authors):
        raise FormatError("agreement: expected provider or consumer among the authors")


def _signers(step: Agreement) -> tuple[str, ...]:
    """Give who has to sign a step: what is agreed, both; a proposal or an answer, who makes it."""
    both = (step.provider, step.consumer)
    if step.state == "FINALIZED":
        return both if not step.previous else (step.provider,)
    return {
        "REQUESTED": (step.consumer,),
        "OFFERED": (step.provider,),
        "ACCEPTED": (step.consumer,),
        "AGREED": both,
        "VERIFIED": (step.consumer,),
    }.get(step.state, ())


def check_delivery(subject: Sequence[Resource], predicate: Delivery) -> None:
    """Refuse a delivery of what is no version, and a first step that can't be one."""
    _check_subject(predicate.ledger, subject, "delivery")
    check_hex(predicate.agreement, "agreement")
    _check_id(predicate.previous, "previous")
    state = predicate.state
    if not predicate.previous and state not in ("REQUESTED", "STARTED", "COMPLETED"):
        raise FormatError(f"delivery: {state} is no first step, expected `previous`")
    delivered = bool(predicate.units or predicate.charged)
    if delivered and state == "REQUESTED":
        raise FormatError("delivery: expected neither `units` nor `charged` of what is only requested")
    if (delivered or state == "COMPLETED") and any(digests.ASSET in each.digest for each in subject):
        raise FormatError("delivery: expected versions, which are what is delivered, got an asset")
    check_regions([predicate.region] if predicate.region else [])
    _check_money(predicate.charged)


def check_settlement(subject: Sequence[Resource], predicate: Settlement) -> None:
    """Refuse a settlement whose payouts are not, to the smallest unit, the whole."""
    sole(subject, "settlement")
    _check_subject(predicate.ledger, subject, "settlement")
    _check_author(predicate.payer, predicate.authors, "payer")
    _check_money(predicate.total)
    check_unique([each.party for each in predicate.payouts], "settlement: payouts")
    for payout in predicate.payouts:
        parse_did(payout.party)
    paid = sum(payout.amount for payout in predicate.payouts)
    if paid != predicate.total.amount:
        raise FormatError(f"settlement: expected payouts of {predicate.total.amount} in all, got {paid}")
    _check_id(predicate.under, "under")
    _check_id(predicate.agreement, "agreement")
    check_regions([predicate.region] if predicate.region else [])
    _check_span(predicate.start, predicate.until)
    if predicate.escrow and _address(predicate.escrow) is None:
        raise FormatError(f"escrow: expected 0x and 40 lower-case hex digits, got {shown(predicate.escrow)}")


def check_attestation(subject: Sequence[Resource], predicate: Attestation) -> None:
    """Refuse members that an attestation of this kind has no use for, or the lack of one that it needs."""
    kind = predicate.kind
    _check_subject(predicate.ledger, subject, "attestation")
    there = {name for name in _MEMBERS if getattr(predicate, name) not in (None, "", [])}
    needed, possible = MEMBERS[kind]
    if needed - there:
        raise FormatError(f"{kind}: expected {', '.join(sorted(needed - there))}")
    if strange := there - needed - possible - {"description", "target"}:
        raise FormatError(f"{kind}: expected no {', '.join(sorted(strange))}")
    if kind in OUTCOMES and predicate.outcome not in OUTCOMES[kind]:
        raise FormatError(f"{kind}: {predicate.outcome} is no outcome of it")
    if predicate.outcome in ("closed", "frozen", "lifted") and not predicate.target:
        raise FormatError(f"{kind}: expected `target`, the record that is {predicate.outcome}")
    _check_id(predicate.target, "target")
    _check_money(predicate.amount)
    _check_parties(predicate.to)
    check_unique(predicate.purposes, "purposes")
    check_regions(predicate.regions)
    _check_span(predicate.start, predicate.until)
    if predicate.due:
        instant_ns(predicate.due)


def _check_terms(terms: Terms) -> None:
    check_unique(terms.rights, "rights")
    check_unique(terms.purposes, "purposes")
    check_unique(terms.free_for, "free_for")
    check_regions(terms.regions)
    _check_span(terms.start, terms.until)
    _check_money(terms.price_cap)
    for condition in terms.conditions:
        _check_parties(condition.by)
    if terms.arbiter:
        parse_did(terms.arbiter)


def _check_subject(ledger: str, subject: Sequence[Resource], what: str) -> None:
    for each in subject:
        check_asset_or_version(ledger, each)
    check_unique([each.name for each in subject], f"{what}: subject")


def _check_author(party: str, authors: Sequence[str], what: str) -> None:
    parse_did(party)
    if party not in authors:
        raise FormatError(f"{what}: expected {party} among the authors")


def _check_pair(giver: str, taker: str, what: str) -> None:
    if giver == taker:
        raise FormatError(f"{what}: expected two parties, got the same twice")
    if not any(parse_did(giver)[1]) or not any(parse_did(taker)[1]):
        raise FormatError(f"{what}: the zero address is no party")


def _check_parties(parties: Sequence[str]) -> None:
    check_unique(parties, "parties")
    for party in parties:
        parse_did(party)


def _check_id(record: str, what: str) -> None:
    if record:
        check_hex(record, what)


def _check_money(money: Money | None) -> None:
    if money is not None:
        exponent_of(money.currency)


def check_regions(regions: Iterable[str]) -> None:
    """Refuse anything but ISO 3166 codes, each once."""
    check_unique(list(regions), "regions")
    for region in regions:
        if _region(region) is None:
            raise FormatError(f"region: expected an ISO 3166 code such as CN or CN-44, got {shown(region)}")


def _check_span(start: str, until: str) -> None:
    first = instant_ns(start) if start else None
    end = instant_ns(until) if until else None
    if first is not None and end is not None and end <= first:
        raise FormatError(f"expected `until` after `start`, got {start} and {until}")
