"""Giving rights in data to others: a grant, checked by the rules of authority before it is signed."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.core.authority import Place
from ledger.core.authority_rights import check_grant
from ledger.core.errors import NotFound, Unauthorized, Usage
from ledger.core.records import Grant, Resource
from ledger.core.records_rights import Terms
from ledger.core.terms import Gift, link_fault
from ledger.service.asking import asked
from ledger.service.assets import anchors
from ledger.service.batch import Batch
from ledger.service.context import Context
from ledger.service.offers import Offer, read_terms
from ledger.service.parties import party_address
from ledger.service.publishing import publish
from ledger.service.results import Receipt
from ledger.service.subjects import resource


def grant(context: Context, offer: Offer, *, anchor: bool = True) -> Receipt:
    """Grant rights in assets or versions that this party holds, or may pass on.

    Where it does not hold them, the grant rests on `under`, or on the first that was given to this party and
    reaches as far. Raises Usage where it has not what it would give.
    """
    terms = read_terms(context, offer)
    with context.writing():
        batch = Batch(context)
        subject = [resource(context, batch, name) for name in offer.names]
        to = context.did(party_address(context, offer.to)) if offer.to else ""
        under = _under(context, subject, terms, offer.under)
        with asked():
            predicate = batch.grant(subject, to, terms, under)
        _check(context, subject, predicate)
        return publish(context, batch, anchor=anchors(context, anchor))


def _under(context: Context, subject: Sequence[Resource], terms: Terms, named: str) -> str:
    """Return the record on which the grant is to rest: none for what this party holds."""
    if named:
        rows = [row for row in context.index.find_records(named) if row.verdict == "accepted" and row.record]
        if len({row.record for row in rows}) != 1:
            raise NotFound(
                f"{len(rows)} records that count begin with {named}", hint="dataledger log lists them"
            )
        return rows[0].record.hex() if rows[0].record else ""
    if all(context.known.holds(each.name.partition("@")[0]) for each in subject):
        return ""
    head = context.index.head
    facts = None if head is None else context.index.rights(head.number)
    gift = Gift([each.name for each in subject], terms)
    for given in [] if facts is None else facts.grants(subject[0].name.partition("@")[0], context.party):
        stands = not given.rejected and given.revoked_ns is None and given.taker == context.party
        if stands and link_fault(context.party, gift, given.taker, Gift(given.names, given.terms)) is None:
            return given.record
    return ""


def _check(context: Context, subject: Sequence[Resource], predicate: Grant) -> None:
    """Refuse what the rules would refuse once it is anchored."""
    head = context.index.head
    place = Place(
        context.ledger_id.hex(),
        context.descriptor.chain_id,
        context.log_id.hex(),
        0 if head is None else head.number + 1,
        0 if head is None else head.time_unix_s,
    )
    try:
        check_grant(subject, predicate, [context.address], place, context.index.facts())
    except Unauthorized as error:
        hint = "dataledger may says what you were given; only what is sublicensable may be passed on"
        raise Usage(f"you can't grant that ({error.reason}): {error}", hint=hint) from None
