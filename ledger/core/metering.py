"""What was delivered and what may be asked for it: a bill that anybody recomputes from the delivery records.

Pure: the caller gives the terms that bind (those of the agreement and of everything that it rests on), the
price agreed, and the delivery records that count. The order of deliveries does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from ledger.core.findings import Finding
from ledger.core.money import format_amount
from ledger.core.records import Delivery
from ledger.core.records_rights import Money, Terms

FINDINGS: Final = {
    "overcharged": "more was charged than the units delivered cost at the agreed price",
    "above-price-cap": "more was asked for a unit than a price cap allows",
    "price-for-free-use": "something was asked for a purpose that is free",
    "price-not-comparable": "a price is in another currency than the agreement or the cap that binds it",
    "several-currencies": "there is no price agreed, and charges in several currencies make no sum",
}
"""Stable codes and what they say."""


class Bill(NamedTuple):
    """Units delivered, what they cost and what was charged, in the smallest unit of `currency`.

    Without a price agreed, nothing is due by this reckoning, and the currency is the first by name of those
    charged. Charges in other currencies are in no sum.
    """

    units: int
    currency: str
    due: int
    charged: int
    findings: list[Finding]


def bill(terms: Sequence[Terms], unit_price: Money | None, deliveries: Iterable[Delivery]) -> Bill:
    """Add up deliveries under one agreement. `terms` are its own and those of all that it rests on."""
    free = {purpose for each in terms for purpose in each.free_for}
    caps = [each.price_cap for each in terms if each.price_cap is not None]
    counted = list(deliveries)
    currency = min({each.charged.currency for each in counted if each.charged}, default="")
    if unit_price is not None:
        currency = unit_price.currency
    units = due = charged = 0
    findings = []
    for delivery in counted:
        price = None if delivery.purpose in free else unit_price
        units += delivery.units
        due += 0 if price is None else price.amount * delivery.units
        if delivery.charged is not None and delivery.charged.currency == currency:
            charged += delivery.charged.amount
        elif delivery.charged is not None and delivery.charged.amount and unit_price is None:
            text = f"{_shown(delivery.charged)} is in no sum: the sum is of charges in {currency}"
            findings.append(Finding("several-currencies", f"delivery {delivery.process}", text))
        findings += _findings(delivery, unit_price, caps, delivery.purpose in free)
    findings.sort(key=lambda each: (each.kind, each.subject, each.text))
    return Bill(units, currency, due, charged, findings)


def price_findings(terms: Sequence[Terms], unit_price: Money | None) -> list[Finding]:
    """List what is wrong with a price before anything is delivered."""
    caps = [each.price_cap for each in terms if each.price_cap is not None]
    return [] if unit_price is None else _over(unit_price, 1, caps, "price")


def _findings(
    delivery: Delivery, unit_price: Money | None, caps: Sequence[Money], is_free: bool
) -> list[Finding]:
    charged, what = delivery.charged, f"delivery {delivery.process}"
    if charged is None or not charged.amount:
        return []
    if is_free:
        text = f"{_shown(charged)} for {delivery.purpose}, which is free"
        return [Finding("price-for-free-use", what, text)]
    found = _over(charged, delivery.units, caps, what)
    if unit_price is None:
        return found
    if unit_price.currency != charged.currency:
        text = f"{_shown(charged)}, where {unit_price.currency} was agreed"
        return [*found, Finding("price-not-comparable", what, text)]
    due = unit_price.amount * delivery.units
    if charged.amount > due:
        text = (
            f"{_shown(charged)} for {delivery.units} units, which cost {_shown(Money(charged.currency, due))}"
        )
        found.append(Finding("overcharged", what, text))
    return found


def _over(charged: Money, units: int, caps: Sequence[Money], what: str) -> list[Finding]:
    found = []
    for cap in caps:
        if cap.currency != charged.currency:
            text = f"{_shown(charged)}, where the cap is {_shown(cap)}"
            found.append(Finding("price-not-comparable", what, text))
        elif charged.amount > cap.amount * units:
            text = f"{_shown(charged)} for {units} units, where the cap is {_shown(cap)} each"
            found.append(Finding("above-price-cap", what, text))
    return found


def _shown(money: Money) -> str:
    return f"{money.currency} {format_amount(money.amount, money.currency)}"
