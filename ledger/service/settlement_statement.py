"""What a party is owed and was allotted: every settlement that names it, recomputed, and the sums."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ledger.core.records import Settlement
from ledger.core.settling import Period, overlap, period_of
from ledger.index.settled import SettledView, covers_moment
from ledger.index.views import LogView
from ledger.service.context import Context
from ledger.service.parties import party_address
from ledger.service.results import (
    SettlementCheck,
    SettlementStatement,
    StatementLine,
    StatementTotal,
)
from ledger.service.settlement_checking import DIFFERS, GOOD, UNKNOWN, recheck
from ledger.service.settlement_sale import parse_period
from ledger.service.syncing import UNREADABLE, fresh
from ledger.service.times import format_time

_NAMED = 4
"""How many logs that can't be had are named."""


def statement(context: Context, party: str = "", *, period: str = "") -> SettlementStatement:
    """List the settlements that pay a party or that it made, by default this one, and add them up.

    `period` is `FROM..UNTIL`: those whose own period has a moment in it, or, without one, that were anchored
    in it.
    """
    start, until = parse_period(period)
    index = fresh(context)
    address = party_address(context, party) if party else context.address
    did = context.did(address)
    found = [
        each for each in index.settlements(party=address) if _is_in(each, period_of(start, until), period)
    ]
    lines, checks = [], []
    for done, each in enumerate(found, 1):
        checked = recheck(context, each)
        checks.append(checked)
        lines.append(_line(each, checked, did))
        context.progress("recomputing settlements", done, len(found))
    unread = _unread(context)
    verdicts = {line.verdict for line in checks} | ({UNKNOWN} if unread else set())
    head = index.head
    return SettlementStatement(
        verdict=DIFFERS if DIFFERS in verdicts else UNKNOWN if UNKNOWN in verdicts else GOOD,
        party=did,
        party_name=index.party_name(address),
        start=start,
        until=until,
        lines=lines,
        totals=[*_totals(lines)],
        to_block=0 if head is None else head.number,
        unknown=[*sorted({text for each in checks for text in each.unknown}), *unread],
    )


def _unread(context: Context) -> list[str]:
    """Say which logs can't be had: in any of them a settlement with this party may stand."""
    logs = [each for each in context.index.logs() if each.problem in UNREADABLE]
    if not logs:
        return []
    named = ", ".join(f"{_owner(context, each)} ({each.log.hex()[:12]})" for each in logs[:_NAMED])
    unread = f"{len(logs)} log{'s' * (len(logs) > 1)} not read here, of {named}"
    return [f"what stands in {unread}; dataledger follow reads them"]


def _owner(context: Context, log: LogView) -> str:
    if log.party is None:
        return "nobody known"
    return context.index.party_name(log.party) or context.did(log.party)


def _is_in(settled: SettledView, asked: Period, period: str) -> bool:
    said = settled.statement.predicate
    assert isinstance(said, Settlement)
    if not period:
        return True
    if said.start or said.until:
        return overlap(period_of(said.start, said.until), asked)
    return settled.time_unix_s is None or covers_moment(asked, settled.time_unix_s)


def _line(settled: SettledView, checked: SettlementCheck, did: str) -> StatementLine:
    said = settled.statement.predicate
    assert isinstance(said, Settlement)
    owed = None
    if checked.expected is not None:
        owed = sum(due.amount for due in checked.expected.dues if due.party == did)
    return StatementLine(
        record=checked.record,
        product=checked.product,
        payer=said.payer,
        payer_name=checked.payer_name,
        agreement=said.agreement,
        start=said.start,
        until=said.until,
        block=settled.block,
        block_time="" if settled.time_unix_s is None else format_time(settled.time_unix_s),
        currency=said.total.currency,
        total=said.total.amount,
        allotted=sum(payout.amount for payout in said.payouts if payout.party == did),
        owed=owed,
        escrow=said.escrow,
        paid="" if checked.payment is None else checked.payment.paid,
        revoked=settled.revoked_block is not None,
        findings=[*_but(checked)],
    )


def _but(checked: SettlementCheck) -> Iterator[str]:
    """Yield the codes of what is wrong with a settlement."""
    if checked.differences:
        yield "split-differs"
    yield from sorted({each.kind for each in checked.findings})


def _totals(lines: Iterable[StatementLine]) -> Iterator[StatementTotal]:
    """Add up by currency: what was taken back is owed by nobody, what was settled twice is owed once."""
    known = list(lines)
    for currency in sorted({line.currency for line in known}):
        mine = [line for line in known if line.currency == currency]
        counted = [line for line in mine if not line.revoked and "settlement-replayed" not in line.findings]
        yield StatementTotal(
            currency=currency,
            owed=sum(line.owed or 0 for line in counted),
            allotted=sum(line.allotted for line in counted),
            paid=sum(line.allotted for line in mine if line.paid == "paid"),
        )
