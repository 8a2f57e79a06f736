"""What is authentic and yet improper in a delivery, or in a price agreed: it counts, and everyone is told.

Pure rules (docs/formats.md section 13) over the grants and agreements as of the end of the block that anchors
the record. Whether a step may follow the one before is for `negotiation`, what may be charged for
`metering`; this module says what was agreed, and whether it still stood. What is not said, such as the
purpose of a delivery, is no fault.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Protocol

from ledger.core.findings import Finding
from ledger.core.instants import instant_ns
from ledger.core.metering import bill, price_findings
from ledger.core.money import format_amount
from ledger.core.names import parse_version
from ledger.core.records import Agreement, Delivery, Resource, Statement
from ledger.core.rights_facts import Given
from ledger.core.terms import covers, regions_cover, terms_of

FINDINGS: Final = {
    "delivery-not-covered": "the agreement is not about this content, purpose or region",
    "delivery-outside-term": "the agreement, or what it rests on, had not begun or was over",
    "delivery-taken-back": "the agreement, or what it rests on, had been taken back",
    "delivery-frozen": "an arbiter had frozen the agreement, or what it rests on",
}
"""Stable codes and what they say; those about prices are `metering`'s."""


class TradeFacts(Protocol):
    """What is known of agreements as of the end of a block."""

    def given(self, record: str, /) -> Given | None:
        """Give a grant or final agreement by its record id (hex)."""

    def said(self, record_id: bytes, /) -> Statement | None:
        """Give what an accepted agreement says, by its record id (32 bytes)."""

    def content(self, asset: str, number: int, /) -> tuple[str, str] | None:
        """Give digest name and hex digest of an accepted version, None if there is none."""


def links_of(record: str, facts: TradeFacts) -> list[Given]:
    """Give a grant or final agreement (hex id) and what it rests on, nearest first; none if it is neither."""
    links: list[Given] = []
    while record and record not in {link.record for link in links}:
        given = facts.given(record)
        if given is None:
            break
        links.append(given)
        record = given.under
    return links


def is_sent(delivery: Delivery) -> bool:
    """Tell whether a step says that something went out: all do but a request, and an end without units."""
    if delivery.state in ("STARTED", "COMPLETED"):
        return True
    return bool(delivery.units or delivery.charged)


def delivery_findings(statement: Statement, at_ns: int, facts: TradeFacts) -> list[Finding]:
    """List what is improper in an accepted delivery that was anchored at this moment; nothing for all else.

    Of one whose agreement is not final there is nothing to be said here: `negotiation` does.
    """
    delivery = statement.predicate
    if not isinstance(delivery, Delivery) or not is_sent(delivery):
        return []
    links = links_of(delivery.agreement, facts)
    agreed = facts.said(bytes.fromhex(delivery.agreement))
    if not links or agreed is None or not isinstance(agreed.predicate, Agreement):
        return []
    name = statement.subject[0].name
    found = [finding for each in statement.subject for finding in _content_faults(each, links[0], facts)]
    found += _use_faults(name, delivery, links)
    found += _standing_faults(name, links, at_ns)
    charged = bill([link.terms for link in links], agreed.predicate.unit_price, [delivery])
    return found + [Finding(each.kind, name, each.text) for each in charged.findings]


def agreement_findings(statement: Statement, facts: TradeFacts) -> list[Finding]:
    """List what is improper in the price of an accepted agreement that binds both; nothing for all else."""
    agreement, terms = statement.predicate, terms_of(statement.predicate)
    if not isinstance(agreement, Agreement) or terms is None or agreement.unit_price is None:
        return []
    name, price = statement.subject[0].name, agreement.unit_price
    binding = [terms, *(link.terms for link in links_of(agreement.under, facts))]
    free = {purpose for each in binding for purpose in each.free_for}
    found = [Finding(each.kind, name, each.text) for each in price_findings(binding, price)]
    if price.amount and terms.purposes and set(terms.purposes) <= free:
        shown = f"{price.currency} {format_amount(price.amount, price.currency)}"
        text = f"{shown} for each {agreement.unit}, for {', '.join(terms.purposes)}, which is free"
        found.append(Finding("price-for-free-use", name, text))
    return found


def _content_faults(resource: Resource, agreement: Given, facts: TradeFacts) -> Iterator[Finding]:
    if not covers(agreement.names, resource.name):
        about = ", ".join(agreement.names[:3])
        yield Finding("delivery-not-covered", resource.name, f"the agreement is about {about}")
    if "@" not in resource.name:
        return
    known = facts.content(*parse_version(resource.name))
    ((alg, digest),) = resource.digest.items()
    if known is None:
        yield Finding("delivery-not-covered", resource.name, "no such version is recorded")
    elif known != (alg, digest):
        text = f"recorded with {known[0]}:{known[1]}, delivered with {alg}:{digest}"
        yield Finding("delivery-not-covered", resource.name, text)


def _use_faults(name: str, delivery: Delivery, links: Sequence[Given]) -> Iterator[Finding]:
    for link in links:
        purposes, regions = link.terms.purposes, link.terms.regions
        if purposes and delivery.purpose and delivery.purpose not in purposes:
            text = f"for {delivery.purpose}; record {link.record} is for {', '.join(purposes)}"
            yield Finding("delivery-not-covered", name, text)
        if delivery.region and not regions_cover(regions, delivery.region):
            text = f"to {delivery.region}; record {link.record} is for {', '.join(regions)}"
            yield Finding("delivery-not-covered", name, text)


def _standing_faults(name: str, links: Sequence[Given], at_ns: int) -> Iterator[Finding]:
    for link in links:
        start, until, of = link.terms.start, link.terms.until, f"record {link.record}"
        if start and at_ns < instant_ns(start):
            yield Finding("delivery-outside-term", name, f"{of} begins {start}")
        if until and at_ns >= instant_ns(until):
            yield Finding("delivery-outside-term", name, f"{of} ended {until}")
        if link.revoked_ns is not None and at_ns >= link.revoked_ns:
            yield Finding("delivery-taken-back", name, f"{of} was taken back before that")
        if any(span.has(at_ns) for span in link.frozen):
            yield Finding("delivery-frozen", name, f"{of} was frozen then")
