"""The Dataspace Protocol's negotiation through the logs: each step signed by who takes it, in its own log.

What both sign, AGREED or a FINALIZED that was negotiated elsewhere, goes through all hands as a file first
(`countersigning`). Nothing is signed that the rules would refuse, or flag as out of turn.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Final, Literal

from ledger.core import dsse
from ledger.core.authority_rights import check_agreement
from ledger.core.errors import Unauthorized, Usage
from ledger.core.identity import parse_did
from ledger.core.negotiation import check_step
from ledger.core.records import Agreement, Resource, Statement
from ledger.core.records_rights import Terms
from ledger.core.statement import build_statement
from ledger.service.asking import asked
from ledger.service.assets import anchors
from ledger.service.batch import Batch, header
from ledger.service.context import Context
from ledger.service.deals import Deal
from ledger.service.giving import next_place, subject_of, under_for
from ledger.service.offers import parse_money, read_terms
from ledger.service.parties import party_address
from ledger.service.publishing import publish
from ledger.service.recorded import Recorded, recorded
from ledger.service.results import Receipt

Proposed = Literal["REQUESTED", "OFFERED"]
Answered = Literal["ACCEPTED", "VERIFIED", "FINALIZED", "TERMINATED"]

_SIDE: Final = {
    "REQUESTED": "consumer", "OFFERED": "provider", "ACCEPTED": "consumer", "VERIFIED": "consumer",
    "FINALIZED": "provider",
}  # fmt: skip
"""Whose step it is, where it is not either's."""


def propose_step(context: Context, state: Proposed, deal: Deal, *, anchor: bool = True) -> Receipt:
    """Ask a provider for something, or offer it to a consumer: with terms, first or in answer to `previous`.

    Raises Usage for a step that may not be taken, and for what the provider could not give.
    """
    with context.writing():
        batch = Batch(context)
        before = recorded(context, deal.previous, "agreement") if deal.previous else None
        with asked():
            statement = drafted(context, state, deal, before)
        return _say(context, batch, statement, anchor=anchor)


def answer(context: Context, state: Answered, digits: str, *, anchor: bool = True) -> Receipt:
    """Accept, verify, finalize or terminate: a step without terms, after the one with this record id.

    Raises Usage for a step that may not be taken.
    """
    with context.writing():
        batch = Batch(context)
        before = recorded(context, digits, "agreement")
        past = _agreement(before)
        predicate = Agreement(
            **header(context),
            negotiation=past.negotiation,
            provider=past.provider,
            consumer=past.consumer,
            state=state,
            previous=before.record.hex(),
        )
        return _say(context, batch, Statement(before.statement.subject, predicate), anchor=anchor)


def drafted(
    context: Context, state: str, deal: Deal, before: Recorded | None, like: Agreement | None = None
) -> Statement:
    """Return the step with terms that a deal means, or one on the terms of the step `like`.

    Signed by this party, in its own log, unless it is changed. It is checked by who signs it.
    """
    past = None if before is None else _agreement(before)
    subject = subject_of(context, deal.names) or ([] if before is None else before.statement.subject)
    provider, consumer = _parties(context, deal) if past is None else (past.provider, past.consumer)
    terms = read_terms(context, deal) if like is None or like.terms is None else like.terms
    price = parse_money(deal.price) if deal.price else None
    if price is not None and not deal.unit:
        raise Usage("a price is that of a unit: say what is counted", hint="for example: --unit row")
    under = like.under if like is not None and not deal.under else ""
    predicate = Agreement(
        **header(context),
        negotiation=past.negotiation if past else deal.negotiation or uuid.uuid4().urn,
        provider=provider,
        consumer=consumer,
        state=state,  # type: ignore[arg-type] # a state with terms
        previous="" if before is None else before.record.hex(),
        terms=terms,
        under=under or _under(context, state, provider, subject, terms, deal.under),
        unit=deal.unit if like is None else like.unit,
        unit_price=price if like is None else like.unit_price,
    )
    return Statement(subject, predicate)


def check_agreed(context: Context, statement: Statement) -> None:
    """Raise Unauthorized for a step that the rules would refuse if the next block anchored it, or flag as
    out of turn.
    """
    step = statement.predicate
    assert isinstance(step, Agreement)
    place, facts = next_place(context), context.index.facts()
    record = dsse.record_id(build_statement(statement.subject, step))
    check_step(statement, record, facts)
    check_agreement(statement.subject, step, [parse_did(each)[1] for each in step.authors], place, facts)
    if step.state != "TERMINATED":
        _check_contents(context, statement.subject)


def check_proposed(context: Context, statement: Statement) -> None:
    """Raise Usage for what this party is about to sign and `check_agreed` refuses."""
    try:
        check_agreed(context, statement)
    except Unauthorized as error:
        hint = error.hint or "dataledger agree show says where it stands, dataledger may what you were given"
        raise Usage(f"that can't be agreed ({error.reason}): {context.named(error)}", hint=hint) from None


def _check_contents(context: Context, subject: Sequence[Resource]) -> None:
    """Raise Usage for a version with other content than is recorded: whoever signs sees its name alone."""
    head = context.index.head
    facts = None if head is None else context.index.rights(head.number)
    for each in subject:
        asset, _, number = each.name.partition("@")
        known = facts.content(asset, int(number)) if facts is not None and number else None
        if known is not None and each.digest.get(known[0]) != known[1]:
            raise Usage(f"{each.name}: recorded with {known[0]}:{known[1]}, and named with other content")


def _say(context: Context, batch: Batch, statement: Statement, *, anchor: bool) -> Receipt:
    step = statement.predicate
    assert isinstance(step, Agreement)
    _check_side(context, step)
    check_proposed(context, statement)
    with asked():
        record = batch.say(statement.subject, step)
    if context.index.facts().said(record) is not None:
        raise Usage(f"you took that step already, with record {record.hex()[:12]}")
    return publish(context, batch, anchor=anchors(context, anchor))


def _check_side(context: Context, step: Agreement) -> None:
    """Refuse a step that is the other side's to take."""
    sides = {"provider": step.provider, "consumer": step.consumer}
    wanted = [sides[_SIDE[step.state]]] if step.state in _SIDE else list(sides.values())
    if context.party not in wanted:
        who = " or ".join(context.describe(parse_did(each)[1]) for each in wanted)
        raise Usage(f"{step.state} is a step of {who}, not yours")


def _agreement(found: Recorded) -> Agreement:
    assert isinstance(found.statement.predicate, Agreement), "only agreements were asked for"
    return found.statement.predicate


def _parties(context: Context, deal: Deal) -> tuple[str, str]:
    """Return provider and consumer of a negotiation that begins."""
    if not deal.to:
        raise Usage("with whom? Name the other party, or the step before")
    other = context.did(party_address(context, deal.to))
    if other == context.party:
        raise Usage("provider and consumer are one party: that is you", hint="name the other party")
    return (context.party, other) if deal.side == "provider" else (other, context.party)


def _under(
    context: Context, state: str, provider: str, subject: list[Resource], terms: Terms, named: str
) -> str:
    """Return on what the provider's right rests; a consumer who asks leaves that to the provider."""
    if state == "REQUESTED" and not named:
        return ""
    return under_for(context, parse_did(provider)[1], subject, terms, named)
