"""Splitting an income over what a product is made of, and recording the split."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.core.authority_rights import check_settlement
from ledger.core.errors import Unauthorized, Unavailable, Unsettled, Usage
from ledger.core.findings import Finding
from ledger.core.identity import parse_did
from ledger.core.instants import NANOSECONDS
from ledger.core.records import Resource, Settlement, Statement
from ledger.core.records_rights import Payout
from ledger.core.rights_facts import CODES
from ledger.core.settlement import Flow
from ledger.core.settling import settlement_findings
from ledger.service.asking import asked
from ledger.service.assets import anchors
from ledger.service.batch import Batch, header
from ledger.service.context import Context
from ledger.service.escrow_payment import parse_escrow, require_fit
from ledger.service.giving import next_place, subject_of
from ledger.service.publishing import publish
from ledger.service.results import (
    BilledUse,
    Due,
    IncomeSplit,
    Problem,
    Receipt,
    Share,
    Ungranted,
)
from ledger.service.settlement_sale import Income, Sale, Splitting, sale_asked_for, split_sale
from ledger.service.syncing import fresh
from ledger.service.times import format_time

SETTLED, UNSETTLED, UNKNOWN = "settled", "unsettled", "unknown"

_FOLLOW = "if a log is not read here, dataledger follow PARTY reads it"
_MICRO = 10**6
_SEVERITY = {"price-not-comparable": "warning"}


def settle(context: Context, income: Income) -> IncomeSplit:
    """Split an income over the lineage of a product, by the shares in the grants; nothing is recorded.

    Raises Unsettled for what can't be split: a lineage in a circle, or more owed than there is.
    """
    index = fresh(context)
    sale = sale_asked_for(context, income)
    splitting = split_sale(context, sale)
    draft = Statement(subject_of(context, [sale.name]), _predicate(context, sale, splitting, ""))
    head = index.head
    improper = settlement_findings(draft, head.number + 1 if head else 0, index.steps())
    before = index.settled_before(draft)
    notes = [f"record {before.hex()} settles this income, or a part of it"] if before else []
    return told(context, sale, splitting, findings=list(improper), notes=notes)


_ALL_TIME = "without --period this is all the income with it, of all time: a later one would be settled twice"


def record(context: Context, income: Income, *, despite: bool = False, anchor: bool = True) -> Receipt:
    """Split this party's income and record the split, signed, in its log.

    Raises Usage where the rules would refuse it, where this income was settled before, and where it is not
    the bill of the agreement that it names; Unsettled where something was used without a grant, Unavailable
    where that is not known; Invalid for an escrow that can't pay it. A split that is not the bill, or is past
    a use without a grant, is recorded `despite` that, for everybody to see.
    """
    with context.writing():
        batch = Batch(context)
        sale = sale_asked_for(context, income, seller=context.party)
        splitting = split_sale(context, sale)
        if not despite:
            _check_granted(told(context, sale, splitting))
        subject = subject_of(context, [sale.name])
        with asked():
            predicate = _predicate(context, sale, splitting, parse_escrow(income.escrow))
            _check(context, subject, predicate, despite=despite)
            batch.say(subject, predicate)
        if predicate.escrow:
            require_fit(context, predicate)
        notes = [] if income.period or income.agreement else [_ALL_TIME]
        return publish(context, batch, anchor=anchors(context, anchor), notes=notes)


def told(
    context: Context,
    sale: Sale,
    splitting: Splitting,
    *,
    findings: list[Finding] | None = None,
    notes: list[str] | None = None,
) -> IncomeSplit:
    """Put a split in words; `findings` are further ones."""
    ungranted = [*_ungranted(context, splitting)]
    problems = [_problem(each, sale.block) for each in findings or []]
    problems += [_problem(each, sale.block) for each in ([] if sale.bill is None else sale.bill.findings)]
    problems += [
        Problem(
            kind="use-without-grant",
            severity="error",
            subject=each.used,
            text=f"{each.party_name or each.party}: {each.text}",
        )
        for each in ungranted
        if each.verdict == "denied"
    ]
    is_unknown = bool(splitting.unknown) or any(each.verdict != "denied" for each in ungranted)
    return IncomeSplit(
        verdict=UNSETTLED if problems else UNKNOWN if is_unknown else SETTLED,
        product=sale.name,
        seller=sale.seller,
        seller_name=_name(context, sale.seller),
        currency=sale.total.currency,
        total=sale.total.amount,
        as_of=sale.block,
        as_of_time=format_time(context.index.block_time(sale.block)),
        at=format_time(splitting.at_ns // NANOSECONDS),
        dues=[*_dues(context, sale, splitting)],
        shares=[_share(context, splitting, flow) for flow in splitting.split.flows],
        purpose=sale.purpose,
        region=sale.region,
        start=sale.start,
        until=sale.until,
        under=splitting.under,
        bill=_bill(context, sale),
        ungranted=ungranted,
        unknown=splitting.unknown,
        findings=problems,
        notes=notes or [],
    )


def _predicate(context: Context, sale: Sale, splitting: Splitting, escrow: str) -> Settlement:
    return Settlement(
        **(header(context) | {"authors": [sale.seller]}),
        payer=sale.seller,
        total=sale.total,
        payouts=[Payout(party, amount) for party, amount in splitting.split.payouts.items()],
        as_of=sale.block,
        under=splitting.under,
        agreement=sale.agreement,
        purpose=sale.purpose,
        region=sale.region,
        start=sale.start,
        until=sale.until,
        escrow=escrow,
    )


def _check(context: Context, subject: list[Resource], predicate: Settlement, *, despite: bool) -> None:
    """Refuse what the rules refuse, what was settled before, and what would be a finding."""
    place = next_place(context)
    try:
        check_settlement(subject, predicate, [context.address], place, context.index.facts())
    except Unauthorized as error:
        raise Usage(f"you can't settle that ({error.reason}): {context.named(error)}") from None
    draft = Statement(subject, predicate)
    before = context.index.settled_before(draft)
    if before is not None:
        raise Usage(
            f"this income of {subject[0].name}, or a part of it, was settled before: record {before.hex()}",
            hint="tell another income apart by its --period or --agreement; dataledger revoke takes back a"
            " settlement that is wrong",
        )
    found = [] if despite else settlement_findings(draft, place.block, context.index.steps())
    for finding in found:
        hint = "if that is how it was split all the same, record it with --despite-findings"
        raise Usage(f"this settlement would be {finding.kind}: {finding.text}", hint=hint)


def _check_granted(split: IncomeSplit) -> None:
    """Refuse to settle past somebody unawares."""
    hint = "dataledger settle shows all of it; --despite-findings records the split all the same"
    denied = [each for each in split.ungranted if each.verdict == "denied"]
    if denied:
        used = ", ".join(sorted({each.used for each in denied}))
        raise Unsettled(f"used without a grant to offer what was made of it: {used}", hint=hint)
    missing = [each.text for each in split.ungranted] + split.unknown
    if missing:
        problem = f"whether all uses are granted is not known: {missing[0]}"
        raise Unavailable(problem, hint=f"{_FOLLOW}; {hint}")


def _dues(context: Context, sale: Sale, splitting: Splitting) -> Iterator[Due]:
    """Yield what each party gets, the seller first, then by amount."""
    split = splitting.split
    grants: dict[str, dict[str, None]] = {}
    for flow in split.flows:
        grants.setdefault(flow.giver, {})[flow.grant] = None
    for party in sorted(split.payouts, key=lambda did: (did != sale.seller, -split.payouts[did], did)):
        yield Due(
            party=party,
            party_name=_name(context, party),
            amount=split.payouts[party],
            exact=_decimals(split.exact[party], split.denominator),
            grants=list(grants.get(party, {})),
            keeps=party == sale.seller,
        )


def _share(context: Context, splitting: Splitting, flow: Flow) -> Share:
    given = splitting.facts.given(flow.grant)
    assert given is not None, "only grants that were found are paid for"
    return Share(
        payer=flow.taker,
        payer_name=_name(context, flow.taker),
        payee=flow.giver,
        payee_name=_name(context, flow.giver),
        grant=flow.grant,
        share_bps=given.terms.share_bps,
        used=list(flow.nodes),
        exact=_decimals(flow.numerator, flow.denominator),
    )


def _ungranted(context: Context, splitting: Splitting) -> Iterator[Ungranted]:
    for (party, used), part in sorted(splitting.refused.items()):
        yield Ungranted(
            party=party,
            party_name=_name(context, party),
            used=used,
            verdict=part.verdict,
            because=[reason.code for reason in part.because],
            text="; ".join(
                f"{CODES[reason.code]}{f' ({reason.text})' if reason.text else ''}" for reason in part.because
            ),
        )


def _bill(context: Context, sale: Sale) -> BilledUse | None:
    if sale.bill is None:
        return None
    priced = context.index.steps().said(bytes.fromhex(sale.agreement))
    return BilledUse(
        agreement=sale.agreement,
        units=sale.bill.units,
        currency=sale.bill.currency,
        due=sale.bill.due,
        charged=sale.bill.charged,
        priced=priced is not None and getattr(priced.predicate, "unit_price", None) is not None,
    )


def _problem(finding: Finding, block: int) -> Problem:
    severity = _SEVERITY.get(finding.kind, "error")
    return Problem(
        kind=finding.kind, severity=severity, subject=finding.subject, text=finding.text, block=block
    )


def _decimals(numerator: int, denominator: int) -> str:
    """Write an exact amount with up to six decimals, cut off behind them."""
    whole, part = divmod(numerator * _MICRO // denominator, _MICRO)
    return f"{whole}.{part:06}".rstrip("0").rstrip(".")


def _name(context: Context, did: str) -> str:
    return context.index.party_name(parse_did(did)[1]) if did else ""
