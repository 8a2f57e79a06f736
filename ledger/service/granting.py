"""Giving rights in data to others: a grant, checked by the rules of authority before it is signed."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.core.authority_rights import check_grant
from ledger.core.errors import Unauthorized, Usage
from ledger.core.records import Grant, Resource
from ledger.service.asking import asked
from ledger.service.assets import anchors
from ledger.service.batch import Batch
from ledger.service.context import Context
from ledger.service.giving import next_place, subject_of, under_for
from ledger.service.offers import Offer, read_terms
from ledger.service.parties import party_address
from ledger.service.publishing import publish
from ledger.service.results import Receipt


def grant(context: Context, offer: Offer, *, anchor: bool = True) -> Receipt:
    """Grant rights in assets or versions that this party holds, or may pass on.

    Where it does not hold them, the grant rests on `under`, or on the first that was given to this party and
    reaches as far. Raises Usage where it has not what it would give.
    """
    terms = read_terms(context, offer)
    with context.writing():
        batch = Batch(context)
        subject = subject_of(context, offer.names)
        to = context.did(party_address(context, offer.to)) if offer.to else ""
        under = under_for(context, context.address, subject, terms, offer.under)
        with asked():
            predicate = batch.grant(subject, to, terms, under)
        _check(context, subject, predicate)
        return publish(context, batch, anchor=anchors(context, anchor))


def _check(context: Context, subject: Sequence[Resource], predicate: Grant) -> None:
    """Refuse what the rules would refuse once it is anchored."""
    try:
        check_grant(subject, predicate, [context.address], next_place(context), context.index.facts())
    except Unauthorized as error:
        hint = "dataledger may says what you were given; only what is sublicensable may be passed on"
        raise Usage(f"you can't grant that ({error.reason}): {context.named(error)}", hint=hint) from None
