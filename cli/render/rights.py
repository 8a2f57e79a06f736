"""Answers about rights, as text: the verdict, what was asked, and the grants or what stands against it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .layout import anchored, bad, good, notes, short, table, unsure, who

if TYPE_CHECKING:
    from ledger.service import results as r

_MARKS = {"permitted": good, "denied": bad}


def permission(found: r.Permission) -> Iterator[str]:
    """`may`."""
    mark = _MARKS.get(found.verdict, unsure)
    purpose = f" for {found.purpose}" if found.purpose else ""
    region = f" in {found.region}" if found.region else ""
    who_ = who(found.party_name, found.party)
    yield mark(found.verdict.upper(), f": {who_} may {found.right} {found.subject}{purpose}{region}?")
    yield f"  at {found.at}, as of {anchored(found.to_block, found.to_block_time)}"
    for cause in found.because:
        yield from _cause(cause)
    yield from _grants(found.grants)
    yield from _price(found)
    if found.level:
        yield f"  sensitivity: {found.level}"
    if found.rules:
        yield f"  border rules: {found.rules}"
    if any(cause.code == "facts-missing" for cause in found.because):
        yield "note: dataledger follow PARTY --from FOLDER|URL has a log read here"
    yield from notes(f"record {short(each)} objects; that decides nothing" for each in found.objections)


def _cause(cause: r.Cause) -> Iterator[str]:
    record = f" (record {short(cause.record)})" if cause.record else ""
    yield f"  {cause.subject}: {cause.meaning}{record}"
    if cause.text:
        yield f"    {cause.text}"


def _grants(grants: list[r.GrantUsed]) -> Iterator[str]:
    """The grants relied on, one a line."""
    head = ("  GRANT", "FROM", "TO", "ABOUT", "ENDS", "SHARE", "DEMANDS")
    rows = (
        (
            f"  {short(each.record)}",
            each.giver_name or each.giver,
            (each.taker_name or each.taker) if each.taker else "everybody",
            ", ".join(each.subject),
            each.until,
            f"{each.share_bps}bps" if each.share_bps else "",
            ", ".join(f"{condition.kind}:{condition.topic}" for condition in each.duties),
        )
        for each in grants
    )
    yield from table(head, rows)


def _price(found: r.Permission) -> Iterator[str]:
    if found.free:
        yield "  nothing may be asked for this purpose"
    for cap in found.caps:
        yield f"  at most {_amount(cap.amount, cap.currency)} may be asked for a unit"


def _amount(amount: int, currency: str) -> str:
    from ledger.core.money import EXPONENTS, format_amount

    return (
        f"{format_amount(amount, currency)} {currency}" if currency in EXPONENTS else f"{amount} {currency}"
    )
