"""Answers about rights, as text: the verdict, what was asked, and the grants or what stands against it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .layout import anchored, bad, good, money, notes, short, table, unsure, who

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


def history(found: r.History) -> Iterator[str]:
    """`history`."""
    yield f"{found.asset}, held by {who(found.holder_name, found.holder) or 'nobody'}"
    rows = (
        (
            anchored(each.block, each.block_time) if each.block is not None else each.state,
            each.what,
            each.subject,
            each.party_name or each.party,
            each.to_name or each.to,
            f"{each.units:,}" if each.units else "",
            short(each.record),
            _further(each),
        )
        for each in found.events
    )
    yield from table(("ANCHORED IN", "WHAT", "ABOUT", "CLAIMED BY", "TO", "UNITS", "RECORD", "AND"), rows)
    if not found.complete:
        yield unsure("INCOMPLETE", ": a log that could say more can't be had; dataledger follow fetches it")


def _further(each: r.Happened) -> str:
    """Say what else there is to a record: what it is about, since when it binds, whether it still counts."""
    about = f"record {short(each.about)}" if each.about else ""
    late = each.binds_from is not None and each.binds_from != each.block
    binds = f"binds from block {each.binds_from:,}" if late and each.binds_from is not None else ""
    waits = each.state if each.block is not None and each.state.startswith("waits") else ""
    return ", ".join(filter(None, (about, binds, waits, "taken back later" if each.revoked else "")))


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
        yield f"  at most {money(cap.amount, cap.currency)} may be asked for a unit"
