"""Terms of a grant as people write them: dates, shares, amounts, conditions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, get_args

from msgspec import Struct

from ledger.core.errors import Usage
from ledger.core.money import parse_amount
from ledger.core.records_rights import ALL_BPS, Condition, Kind, Level, Money, Right, Terms
from ledger.service.asking import asked
from ledger.service.context import Context
from ledger.service.parties import party_address
from ledger.service.times import end_of, start_of

KINDS: Final = get_args(Kind)

_share = re.compile(r"(?P<bps>[0-9]{1,5})bps|(?P<whole>[0-9]{1,3})(?:\.(?P<part>[0-9]{1,2}))?%").fullmatch
_MOST_DAYS = 36_600
_days = re.compile("[1-9][0-9]{0,4}").fullmatch


class Offer(Struct, frozen=True, kw_only=True):
    """What is to be granted, as it was asked for; texts are read by `read_terms`.

    `to` names a party, empty: everybody. `start` is a date or time, `until` too, a date meaning its end.
    `share` is `600bps` or `6%`, `price_cap` an amount and a currency, each condition
    `KIND:TOPIC[,by=PARTY]...[,every=DAYS]`. `under` is the record that this grant is to rest on.
    """

    names: Sequence[str]
    rights: Sequence[Right]
    to: str = ""
    purposes: Sequence[str] = ()
    regions: Sequence[str] = ()
    start: str = ""
    until: str = ""
    level: Level | None = None
    share: str = ""
    sublicensable: bool = False
    price_cap: str = ""
    free_for: Sequence[str] = ()
    conditions: Sequence[str] = ()
    arbiter: str = ""
    under: str = ""


def read_terms(context: Context, offer: Offer) -> Terms:
    """Read the terms of an offer."""
    with asked():
        return Terms(
            rights=list(dict.fromkeys(offer.rights)),
            purposes=list(offer.purposes),
            regions=list(offer.regions),
            start=start_of(offer.start) if offer.start else "",
            until=end_of(offer.until) if offer.until else "",
            level=offer.level,
            share_bps=parse_share(offer.share) if offer.share else 0,
            sublicensable=offer.sublicensable,
            price_cap=parse_money(offer.price_cap) if offer.price_cap else None,
            free_for=list(offer.free_for),
            conditions=[_condition(context, text) for text in offer.conditions],
            arbiter=context.did(party_address(context, offer.arbiter)) if offer.arbiter else "",
        )


def parse_share(text: str) -> int:
    """Read a share, `600bps` or `6.5%`, as basis points; raises Usage."""
    found = _share(text)
    if found is None:
        raise Usage(f"share {text!r}: expected basis points or percent, such as 600bps or 6.5%")
    bps = int(found["bps"] or 0) + 100 * int(found["whole"] or 0) + int((found["part"] or "").ljust(2, "0"))
    if bps > ALL_BPS:
        raise Usage(f"share {text!r}: expected at most {ALL_BPS}bps, which is all of it")
    return bps


def parse_money(text: str) -> Money:
    """Read an amount and its currency, `5.00 CNY`; raises Usage or FormatError."""
    amount, _, currency = text.strip().partition(" ")
    if not currency or amount.isalpha():
        raise Usage(f"amount {text!r}: expected an amount and a currency, such as '5.00 CNY'")
    return Money(currency, parse_amount(amount, currency))


def _condition(context: Context, text: str) -> Condition:
    """Read `KIND:TOPIC[,by=PARTY]...[,every=DAYS]`."""
    head, *options = text.split(",")
    kind, _, topic = head.partition(":")
    if kind not in KINDS or not topic:
        raise Usage(
            f"condition {text!r}: expected KIND:TOPIC, then ,by=PARTY or ,every=DAYS",
            hint=f"KIND is one of {', '.join(KINDS)}",
        )
    by: list[str] = []
    every: int | None = None
    for option in options:
        name, _, value = option.partition("=")
        if name == "by" and value:
            by.append(context.did(party_address(context, value)))
        elif name == "every" and _days(value) and int(value) <= _MOST_DAYS:
            every = int(value)
        else:
            raise Usage(f"condition {text!r}: expected by=PARTY or every=DAYS (1 to 36600), got {option!r}")
    return Condition(kind=kind, topic=topic, by=by, every_days=every)  # type: ignore[arg-type] # one of KINDS
