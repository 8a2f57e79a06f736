"""What an agreement says, as plain values for people and programs."""

from __future__ import annotations

from ledger.core.deliveries import agreement_findings
from ledger.core.identity import parse_did
from ledger.core.negotiation import NEXT
from ledger.core.records_rights import Money, Terms
from ledger.service.context import Context
from ledger.service.negotiated import Step
from ledger.service.results import AgreedTerms, AgreementShown, Duty, Price


def step_shown(context: Context, agreed: Step, state: str) -> AgreementShown:
    """Return what the step with the terms says, of a negotiation in this state."""
    said = agreed.said
    assert said.terms is not None, "it is the step with the terms"
    return AgreementShown(
        record=agreed.record.hex(),
        negotiation=said.negotiation,
        state=state,
        next=list(NEXT[state]),
        provider=said.provider,
        provider_name=name_of(context, said.provider),
        consumer=said.consumer,
        consumer_name=name_of(context, said.consumer),
        subject=[each.name for each in agreed.statement.subject],
        terms=terms_shown(said.terms),
        unit=said.unit,
        unit_price=price_shown(said.unit_price),
        under=said.under,
        anchor_before=said.anchor_before,
        improper=_improper(context, agreed),
        to_block=context.index.summary().head,
    )


def _improper(context: Context, agreed: Step) -> list[str]:
    """Say what is improper in the price that is agreed, or that would be."""
    head = context.index.head
    found = [] if head is None else agreement_findings(agreed.statement, context.index.rights(head.number))
    return [f"{each.kind}: {each.text}" for each in found]


def terms_shown(terms: Terms) -> AgreedTerms:
    """Put terms in plain values."""
    return AgreedTerms(
        rights=list(terms.rights),
        purposes=terms.purposes,
        regions=terms.regions,
        start=terms.start,
        until=terms.until,
        level=terms.level or "",
        share_bps=terms.share_bps,
        sublicensable=terms.sublicensable,
        price_cap=price_shown(terms.price_cap),
        free_for=terms.free_for,
        conditions=[
            Duty(kind=each.kind, topic=each.topic, by=each.by, every_days=each.every_days)
            for each in terms.conditions
        ],
        arbiter=terms.arbiter,
    )


def price_shown(money: Money | None) -> Price | None:
    """Return an amount of money, if there is any."""
    return None if money is None else Price(currency=money.currency, amount=money.amount)


def name_of(context: Context, did: str) -> str:
    """Return the name that a party (DID) claims."""
    return context.index.party_name(parse_did(did)[1])
