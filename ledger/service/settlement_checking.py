"""Holding a recorded settlement against what lineage, grants and deliveries lead to, as of its own block."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.core.errors import NotFound, Unavailable, Unsettled, Usage
from ledger.core.identity import parse_did
from ledger.core.records import Settlement
from ledger.index.settled import SettledView
from ledger.service.context import Context
from ledger.service.escrow_payment import payment
from ledger.service.recorded import record_id
from ledger.service.results import Difference, EscrowPayment, IncomeSplit, Problem, SettlementCheck
from ledger.service.settlement_sale import sale_recorded, split_sale
from ledger.service.settling import told
from ledger.service.syncing import fresh

GOOD, DIFFERS, UNKNOWN = "good", "differs", "unknown"

FINDINGS = {
    "use-without-grant": "something was used without a grant to offer what was made of it",
    "settlement-impossible": "by lineage and grants this income can't be split at all",
    "settlement-other-basis": "it names another grant by which its payer offers the product",
    "settlement-revoked": "it was taken back",
}
"""What only recomputing shows, beside `core.settling`, `core.metering` and `escrow_payment`."""


def check(context: Context, digits: str) -> SettlementCheck:
    """Recompute a recorded settlement, named by its id or the first digits of it, and compare."""
    fresh(context)
    record = record_id(context, digits)
    found = list(context.index.settlements(record=record))
    if not found:
        raise Usage(f"record {digits} is no settlement", hint="dataledger log --type settlement lists them")
    return recheck(context, found[0])


def recheck(context: Context, settled: SettledView) -> SettlementCheck:
    """Recompute a settlement that the index knows."""
    said = settled.statement.predicate
    assert isinstance(said, Settlement)
    findings, unknown = [*_noted(context, settled)], []
    expected: IncomeSplit | None = None
    try:
        sale = sale_recorded(context, settled.statement)
        splitting = split_sale(context, sale)
        expected = told(context, sale, splitting)
    except Unsettled as error:
        findings.append(_problem("settlement-impossible", settled, str(error)))
    except (Unavailable, NotFound) as error:
        unknown.append(str(error))
    differences: list[Difference] = []
    if expected is not None:
        differences = [*_differences(context, said, splitting.split.payouts)]
        findings += expected.findings
        unknown += expected.unknown + [each.text for each in expected.ungranted if each.verdict != "denied"]
        if said.under != splitting.under:
            text = f"it names grant {said.under or 'none'}, and rests on {splitting.under or 'none'}"
            findings.append(_problem("settlement-other-basis", settled, text))
    paid = _paid(context, settled, findings, unknown)
    return SettlementCheck(
        verdict=DIFFERS if differences or findings else UNKNOWN if unknown else GOOD,
        record=settled.record.hex(),
        payer=said.payer,
        payer_name=context.index.party_name(parse_did(said.payer)[1]),
        product=settled.statement.subject[0].name,
        currency=said.total.currency,
        total=said.total.amount,
        as_of=said.as_of,
        state=context.index.entry(settled.row).state,
        differences=differences,
        expected=expected,
        payment=paid,
        findings=findings,
        unknown=unknown,
    )


def _paid(
    context: Context, settled: SettledView, findings: list[Problem], unknown: list[str]
) -> EscrowPayment | None:
    """Say what became of the money, and note what is wrong with that or could not be had."""
    try:
        paid, wrong = payment(context, settled)
    except Unavailable as error:
        unknown.append(f"the escrow can't be asked: {error}")
        return None
    findings += [_problem(each.kind, settled, each.text) for each in wrong]
    return paid


def _differences(context: Context, said: Settlement, expected: dict[str, int]) -> Iterator[Difference]:
    """Yield the parties of whom the record says something else; to be allotted nothing is to be left out."""
    recorded = {payout.party: payout.amount for payout in said.payouts}
    for party in sorted(recorded.keys() | expected.keys()):
        if recorded.get(party, 0) != expected.get(party, 0):
            yield Difference(
                party=party,
                party_name=context.index.party_name(parse_did(party)[1]),
                recorded=recorded.get(party),
                expected=expected.get(party),
            )


def _noted(context: Context, settled: SettledView) -> Iterator[Problem]:
    """Yield the findings that were raised when the record was applied, and whether it was taken back."""
    entry = context.index.entry(settled.row)
    for each in context.index.findings(entry=entry)[0]:
        yield Problem(
            kind=each.kind,
            severity=each.severity,
            subject=each.subject,
            text=each.text,
            block=each.block,
            log=settled.log.hex(),
            entry=settled.index,
        )
    if settled.revoked_block is not None:
        yield _problem("settlement-revoked", settled, f"it was taken back in block {settled.revoked_block}")


def _problem(kind: str, settled: SettledView, text: str) -> Problem:
    return Problem(
        kind=kind,
        severity="error",
        subject=settled.statement.subject[0].name,
        text=text,
        block=settled.block,
        log=settled.log.hex(),
        entry=settled.index,
    )
