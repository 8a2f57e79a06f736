"""What is improper in a recorded settlement and can be told without its lineage: period, agreement, bill.

Pure; docs/formats.md sections 4 and 13. Whether the split is the one that lineage and grants lead to is
recomputed by `settlement.split_income`; what of it was paid, only an escrow knows (`escrow`). An income is
that of one payer with one subject, of one agreement or of none, in a period; of a part of it and of a version
of it as well. It is settled once: two incomes that are not the same have to name their periods, or their
agreements.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple, Protocol

from ledger.core.findings import Finding
from ledger.core.instants import instant_ns
from ledger.core.metering import Bill, bill
from ledger.core.money import EXPONENTS, format_amount
from ledger.core.negotiation import Steps, negotiation_state
from ledger.core.records import Agreement, Delivery, Grant, Settlement, Statement
from ledger.core.records_rights import Money, Terms
from ledger.core.terms import covers, terms_of

FINDINGS: Final = {
    "settlement-replayed": "this income, or a part of it, was settled before",
    "settlement-other-subject": "it names an agreement that is not about what it settles",
    "settlement-not-final": "the agreement that it names is not FINALIZED",
    "settlement-not-billed": "its total is another than the bill of its agreement",
    "settlement-basis-later": "the block that it names as its basis is not older than itself",
}
"""Stable codes and what they say."""

_FIRST, _LAST = -(2**63), 2**63 - 1


class Period(NamedTuple):
    """From a moment until another one, in nanoseconds since 1970, clipped to 64 bits; without bounds, all."""

    start_ns: int
    until_ns: int


class Deliveries(Steps, Protocol):
    """The steps of agreements and deliveries, and which deliveries count."""

    def delivered(self, agreement: bytes, block: int, period: Period, /) -> Iterable[Delivery]:
        """Give the steps in their turn under an agreement (32-byte id) that no revocation took back, anchored
        by the end of this block, in a block with a time in the period.
        """


def period_of(start: str, until: str) -> Period:
    """Read the bounds of a period as records state them; what is left out does not bound.

    A period all before 1677 or after 2262 becomes the first or the last nanosecond: never empty, since it has
    itself in common with the same period.
    """
    return Period(
        min(max(instant_ns(start), _FIRST), _LAST - 1) if start else _FIRST,
        max(min(instant_ns(until), _LAST), _FIRST + 1) if until else _LAST,
    )


def overlap(one: Period, other: Period) -> bool:
    """Tell whether two periods have a moment in common."""
    return one.start_ns < other.until_ns and other.start_ns < one.until_ns


def agreement_bill(agreement: bytes, block: int, period: Period, known: Deliveries) -> Bill:
    """Add up what was delivered under an agreement (32-byte id) in a period, as of the end of a block."""
    said = known.said(agreement)
    assert said is not None, "only agreements that are known are billed"
    assert isinstance(said.predicate, Agreement)
    terms = _terms_chain(said, known)
    return bill(list(terms), said.predicate.unit_price, known.delivered(agreement, block, period))


def income_of(agreement: bytes, found: Bill, known: Deliveries) -> Money | None:
    """Give the income that a bill comes to: what is due at the price agreed, else what was charged.

    None where the records do not say: no price was agreed in them and nothing was charged.
    """
    said = known.said(agreement)
    has_price = (
        said is not None and isinstance(said.predicate, Agreement) and said.predicate.unit_price is not None
    )
    if not found.currency:
        return None
    return Money(found.currency, found.due if has_price else found.charged)


def settlement_findings(statement: Statement, block: int, known: Deliveries) -> Iterator[Finding]:
    """List what is improper in a settlement that is anchored in `block`, but for a replay."""
    settlement, name = statement.predicate, statement.subject[0].name
    assert isinstance(settlement, Settlement)
    is_later = settlement.as_of >= block
    if is_later:
        text = f"it rests on block {settlement.as_of} and is anchored in block {block}"
        yield Finding("settlement-basis-later", name, text)
    if not settlement.agreement:
        return
    record = bytes.fromhex(settlement.agreement)
    said = known.said(record)
    assert said is not None, "a settlement of an agreement that is not known is refused"
    if not covers([each.name for each in said.subject], name):
        text = f"agreement {settlement.agreement} is about {', '.join(each.name for each in said.subject)}"
        yield Finding("settlement-other-subject", name, text)
    state = negotiation_state(record, known)
    if state != "FINALIZED":
        yield Finding("settlement-not-final", name, f"agreement {settlement.agreement} is {state}")
    if not is_later:
        yield from _bill_findings(settlement, name, record, known)


def _bill_findings(
    settlement: Settlement, name: str, agreement: bytes, known: Deliveries
) -> Iterator[Finding]:
    period = period_of(settlement.start, settlement.until)
    found = agreement_bill(agreement, settlement.as_of, period, known)
    income = income_of(agreement, found, known)
    others = [each.text for each in found.findings if each.kind == "several-currencies"]
    if others:
        yield Finding("settlement-not-billed", name, f"charges in several currencies: {others[0]}")
    elif income is not None and income != settlement.total:
        text = (
            f"it splits {shown_money(settlement.total)}, and {found.units} units were delivered, "
            f"which come to {shown_money(income)}"
        )
        yield Finding("settlement-not-billed", name, text)


def shown_money(money: Money) -> str:
    """Write an amount with its currency; in minor units where the currency is none of ISO 4217."""
    amount = format_amount(money.amount, money.currency) if money.currency in EXPONENTS else money.amount
    return f"{amount} {money.currency}"


def _terms_chain(said: Statement, known: Steps) -> Iterator[Terms]:
    """Yield the terms of an agreement and of everything that it rests on."""
    seen: set[str] = set()
    above: Statement | None = said
    while above is not None and isinstance(above.predicate, Grant | Agreement):
        terms = terms_of(above.predicate)
        if terms is not None:
            yield terms
        under = above.predicate.under
        if not under or under in seen:
            return
        seen.add(under)
        above = known.said(bytes.fromhex(under))
