"""Answers about money, as text: who gets what and why, what differs, what was paid."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from .layout import anchored, bad, count, good, money, notes, pairs, short, table, unsure, who

if TYPE_CHECKING:
    from ledger.service import results as r

_MARKS = {"settled": good, "good": good, "unsettled": bad, "differs": bad}


def split(found: r.IncomeSplit) -> Iterator[str]:
    """`settle`."""
    mark = _MARKS.get(found.verdict, unsure)
    seller = who(found.seller_name, found.seller)
    yield mark(
        found.verdict.upper(), f": {money(found.total, found.currency)} of {seller} with {found.product}"
    )
    yield f"  as of {anchored(found.as_of, found.as_of_time)}, by the grants at {found.at}{_sale(found)}"
    yield from _bill(found)
    rows = (
        (
            f"  {due.party_name or due.party}",
            money(due.amount, found.currency),
            _exact(due.exact, found.currency) if "." in due.exact else "",
            "keeps" if due.keeps else ", ".join(map(short, due.grants)),
        )
        for due in found.dues
    )
    yield from table(("  PARTY", "GETS", "EXACTLY", "BY GRANT"), rows)
    yield from _shares(found)
    yield from _ungranted(found)
    yield from _findings(each for each in found.findings if each.kind != "use-without-grant")
    yield from _unknown(found.unknown)
    yield from notes(found.notes)


def check(found: r.SettlementCheck) -> Iterator[str]:
    """`settle check`."""
    mark = _MARKS.get(found.verdict, unsure)
    payer = who(found.payer_name, found.payer)
    yield mark(
        found.verdict.upper(), f": {money(found.total, found.currency)} of {payer} with {found.product}"
    )
    yield f"  record {short(found.record)} ({found.state}), recomputed as of block {found.as_of:,}"
    rows = (
        (
            f"  {each.party_name or each.party}",
            "nothing" if each.recorded is None else money(each.recorded, found.currency),
            "nothing" if each.expected is None else money(each.expected, found.currency),
        )
        for each in found.differences
    )
    yield from table(("  PARTY", "RECORDED", "EXPECTED"), rows)
    if found.payment is not None:
        yield f"  escrow {found.payment.escrow}: {found.payment.text}"
    yield from _findings(found.findings)
    yield from _unknown(found.unknown)


def statement(found: r.SettlementStatement) -> Iterator[str]:
    """`settle statement`."""
    period = _span(found.start, found.until)
    party = who(found.party_name, found.party)
    yield f"{party}, as of block {found.to_block:,}{', ' if period else ''}{period}"
    rows = (
        (
            each.product,
            each.payer_name or each.payer,
            _span(each.start, each.until),
            "unknown" if each.owed is None else money(each.owed, each.currency),
            money(each.allotted, each.currency),
            each.paid,
            short(each.record),
            ", ".join([*(["taken back"] if each.revoked else []), *each.findings]),
        )
        for each in found.lines
    )
    yield from table(("PRODUCT", "SOLD BY", "PERIOD", "OWED", "ALLOTTED", "ESCROW", "RECORD", "BUT"), rows)
    for total in found.totals:
        owed, allotted, paid = (
            money(amount, total.currency) for amount in (total.owed, total.allotted, total.paid)
        )
        yield f"total: owed {owed}, allotted {allotted}, of which paid through escrows {paid}"
    if not found.lines:
        yield f"no settlement {'' if found.verdict == 'good' else 'that is known here '}names this party"
    if found.verdict == "differs":
        yield bad("DIFFERS", ": `dataledger settle check RECORD` says in what")
    yield from _unknown(found.unknown)


def _exact(text: str, currency: str) -> str:
    """Write what an amount was before it was rounded."""
    whole, _, decimals = text.partition(".")
    if not whole.isdecimal():
        return text
    amount = money(int(whole), currency).partition(" ")[0]
    return f"{amount}{'' if '.' in amount else '.'}{decimals}" if decimals else amount


def _sale(found: r.IncomeSplit) -> str:
    purpose = f", for {found.purpose}" if found.purpose else ""
    region = f", in {found.region}" if found.region else ""
    period = _span(found.start, found.until)
    return f"{purpose}{region}{', earned ' if period else ''}{period}"


def _span(start: str, until: str) -> str:
    """Write a period, empty where it has no bounds."""
    return " ".join((*(["from", start] if start else []), *(["until", until] if until else [])))


def _bill(found: r.IncomeSplit) -> Iterator[str]:
    bill = found.bill
    if bill is not None:
        due = f", due {money(bill.due, bill.currency)}" if bill.priced else ""
        charged = f", charged {money(bill.charged, bill.currency)}" if bill.currency else ""
        yield f"  agreement {short(bill.agreement)}: {count(bill.units, 'unit')} delivered{due}{charged}"


def _shares(found: r.IncomeSplit) -> Iterator[str]:
    rows = (
        (
            f"  {each.payer_name or each.payer}",
            each.payee_name or each.payee,
            f"{each.share_bps}bps",
            _exact(each.exact, found.currency),
            short(each.grant),
            ", ".join(each.used),
        )
        for each in found.shares
    )
    yield from table(("  WHO OWES", "TO", "SHARE", "EXACTLY", "GRANT", "FOR"), rows)


def _ungranted(found: r.IncomeSplit) -> Iterator[str]:
    for each in found.ungranted:
        party = each.party_name or each.party
        if each.verdict == "denied":
            yield bad("UNSETTLED", f": {party} used {each.used} without a grant; nothing is paid for it")
        else:
            yield unsure("UNKNOWN", f": whether {party} may offer what it made of {each.used}")
        yield f"  {each.text}"


def _findings(findings: Iterable[r.Problem]) -> Iterator[str]:
    for each in findings:
        yield bad(each.kind, f": {each.subject}: {each.text}")


def _unknown(unknown: Iterable[str]) -> Iterator[str]:
    for text in unknown:
        yield unsure("unknown", f": {text}")


def escrow(found: r.EscrowState) -> Iterator[str]:
    """`settle escrow`, all but `approve`."""
    if found.what:
        place = f", {anchored(found.block, found.block_time)}" if found.block is not None else ""
        yield f"{found.what}{place}"
    yield from pairs(
        [
            ("escrow", found.escrow),
            ("state", f"{found.state}, as of block {found.to_block:,}"),
            ("agreement", short(found.agreement)),
            ("holds", f"{found.amount:,} of {f'token {found.token}' if found.token else 'wei'}"),
            ("payer", who(found.payer_name, found.payer)),
            ("arbiter", who(found.arbiter_name, found.arbiter) if found.arbiter else "nobody"),
            ("deadline", found.deadline),
            ("paid for", f"record {short(found.record)}, split 0x{found.split_hash}" if found.record else ""),
            ("payer may take", f"{found.payer_owed:,}" if found.state == "refunded" else ""),
        ]
    )
    rows = (
        (
            each.party_name or each.party,
            "" if each.given is None else f"{each.given:,}",
            f"{each.owed:,}" if found.state == "settled" else "",
            f"{each.withdrawn:,}" if found.state == "settled" else "",
        )
        for each in found.payees
    )
    yield from table(("PAYEE", "GIVEN", "MAY TAKE", "TOOK"), rows)
    yield from notes(found.notes)


def approval(found: r.EscrowApproval) -> Iterator[str]:
    """`settle escrow approve`."""
    yield f"approved for escrow {found.escrow}: what record {short(found.record)} says"
    yield found.signature
