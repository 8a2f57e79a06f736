"""Agreements for people: one out of a file or out of the logs, or all that this party is in."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from msgspec import structs

from ledger.core.deliveries import links_of
from ledger.core.identity import parse_did
from ledger.core.instants import NANOSECONDS
from ledger.core.metering import bill
from ledger.core.records import Agreement, Delivery, Revocation
from ledger.index.trade import TradeRow
from ledger.index.views import EntryView
from ledger.service.acknowledging import acknowledged_by
from ledger.service.context import Context
from ledger.service.countersigning import check_ledger, ends_shown, problem_of, signatories
from ledger.service.countersigning_file import Draft, read_draft
from ledger.service.negotiated import Step, agreed_step, steps_of
from ledger.service.negotiating_words import name_of, price_shown, step_shown
from ledger.service.recorded import Recorded, recorded
from ledger.service.results import (
    AgreementLine,
    Agreements,
    AgreementShown,
    Billed,
    DeliveryStep,
    NegotiationStep,
)
from ledger.service.syncing import fresh
from ledger.service.times import format_time

SHOWN: Final = 100
"""How many deliveries are listed unless it is said."""

_digits = re.compile("[0-9a-f]{4,64}").fullmatch


def show(context: Context, what: str, *, limit: int = SHOWN) -> AgreementShown:
    """Show the agreement in a file, or the negotiation to which a record belongs, with what came of it.

    Of the deliveries the last `limit` are listed; the bill is of all.
    """
    fresh(context)
    path = Path(what)
    if not path.exists() and _digits(what):
        return _recorded(context, recorded(context, what, "agreement"), limit)
    draft = read_draft(path)
    return _drafted(context, draft, path, limit)


def agreements(context: Context, *, limit: int = SHOWN) -> Agreements:
    """List the agreements and negotiations that this party is in, those begun last first."""
    index = fresh(context)
    first = index.trade().negotiations_of(context.address, limit + 1)
    found = [recorded(context, record.hex(), "agreement") for record in first[:limit]]
    facts = index.facts()
    return Agreements(
        agreements=[_line(context, steps_of(each, facts)) for each in found],
        truncated=len(first) > limit,
        to_block=index.summary().head,
    )


def _line(context: Context, chain: list[Step]) -> AgreementLine:
    agreed = agreed_step(chain)
    is_provider = agreed.said.provider == context.party
    other = agreed.said.consumer if is_provider else agreed.said.provider
    return AgreementLine(
        record=agreed.record.hex(),
        state=chain[-1].said.state,
        side="provider" if is_provider else "consumer",
        other=other,
        other_name=name_of(context, other),
        subject=[each.name for each in agreed.statement.subject],
        until=agreed.said.terms.until if agreed.said.terms else "",
        ended=_ended(context, agreed.record),
    )


def _drafted(context: Context, draft: Draft, path: Path, limit: int) -> AgreementShown:
    """Show a file; one that takes an agreement back shows that agreement."""
    check_ledger(context, draft)
    said, signers = draft.statement.predicate, signatories(context, draft)
    of_file = {
        "path": str(path),
        "signatories": signers,
        "complete": all(each.signed for each in signers),
        "problem": problem_of(context, draft),
    }
    if isinstance(said, Revocation):
        shown = _recorded(context, recorded(context, said.target, "agreement"), limit)
        return structs.replace(shown, **of_file, ends=ends_shown(said))
    assert isinstance(said, Agreement)
    if context.index.facts().said(draft.record) is not None:
        shown = _recorded(context, recorded(context, draft.record.hex(), "agreement"), limit)
        return structs.replace(shown, **of_file)
    shown = step_shown(context, Step(draft.record, draft.statement, said), said.state)
    return structs.replace(shown, **of_file)


def _recorded(context: Context, found: Recorded, limit: int) -> AgreementShown:
    """Show a negotiation out of the logs."""
    chain = steps_of(found, context.index.facts())
    agreed = agreed_step(chain)
    rows = context.index.trade().deliveries_under(agreed.record)
    return structs.replace(
        step_shown(context, agreed, chain[-1].said.state),
        ended=_ended(context, agreed.record),
        steps=_steps(context, agreed.said, chain),
        deliveries=[_delivery(context, agreed.said.consumer, row) for row in rows[-limit:]],
        deliveries_count=len(rows),
        bill=_bill(context, agreed, [row for row in rows if row.counts]),
        findings=context.index.trade().findings(agreed.record),
    )


def _steps(context: Context, agreed: Agreement, chain: list[Step]) -> list[NegotiationStep]:
    """List the steps of a negotiation, those that were not allowed among them, as they were judged."""
    allowed = {step.record for step in chain}
    facts = context.index.facts()
    parties = parse_did(agreed.provider)[1], parse_did(agreed.consumer)[1]
    steps = []
    for row in context.index.trade().steps_between(*parties):
        said = facts.said(row.record)
        step = None if said is None else said.predicate
        if not isinstance(step, Agreement) or step.negotiation != agreed.negotiation:
            continue
        place = _place(context.index.entry(row.entry))
        names = [name_of(context, each) for each in step.authors]
        steps.append(
            NegotiationStep(
                record=row.record.hex(),
                state=step.state,
                parties=list(step.authors),
                party_names=names,
                counts=row.record in allowed,
                **place,
            )
        )
    return steps


def _delivery(context: Context, consumer: str, row: TradeRow) -> DeliveryStep:
    said = context.index.facts().said(row.record)
    assert said is not None, "what was delivered is kept as it was said"
    step = said.predicate
    assert isinstance(step, Delivery)
    return DeliveryStep(
        record=row.record.hex(),
        process=step.process,
        state=step.state,
        subject=[each.name for each in said.subject],
        units=step.units,
        charged=price_shown(step.charged),
        purpose=step.purpose,
        region=step.region,
        acknowledged=acknowledged_by(context, row.record, consumer),
        counts=row.counts,
        findings=row.findings,
        **_place(context.index.entry(row.entry)),
    )


def _bill(context: Context, agreed: Step, rows: list[TradeRow]) -> Billed | None:
    """Recompute the bill from the deliveries that count; None as long as nothing is agreed for good."""
    head, facts = context.index.head, context.index.facts()
    links = [] if head is None else links_of(agreed.record.hex(), context.index.rights(head.number))
    if not links:
        return None
    said = [statement.predicate for row in rows if (statement := facts.said(row.record)) is not None]
    deliveries = [each for each in said if isinstance(each, Delivery)]
    found = bill([link.terms for link in links], agreed.said.unit_price, deliveries)
    return Billed(
        units=found.units,
        currency=found.currency,
        due=found.due,
        charged=found.charged,
        findings=[f"{each.kind}: {each.subject}: {each.text}" for each in found.findings],
    )


def _ended(context: Context, record: bytes) -> str:
    """Say since when an agreement is taken back, empty if it is not."""
    head = context.index.head
    given = None if head is None else context.index.rights(head.number).given(record.hex())
    if given is None or given.revoked_ns is None:
        return ""
    return format_time(given.revoked_ns // NANOSECONDS)


def _place(row: EntryView) -> dict[str, Any]:
    return {
        "anchored": row.state,
        "block": row.block,
        "block_time": format_time(row.time_unix_s) if row.time_unix_s is not None else "",
    }
