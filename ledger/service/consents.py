"""What a consent carries, and what has to stop when it is withdrawn."""

from __future__ import annotations

from datetime import UTC, datetime

from ledger.core.errors import Usage
from ledger.core.identity import parse_did
from ledger.core.instants import NANOSECONDS
from ledger.core.records_rights import Attestation
from ledger.index.attested import AttestedView
from ledger.index.consents import Consent, Dependent
from ledger.service.context import Context
from ledger.service.recalling import in_words, recall_of
from ledger.service.recorded import record_id
from ledger.service.results import ConsentImpact, ConsentProduct, Recall, RestsOnConsent
from ledger.service.syncing import fresh
from ledger.service.times import format_time

MUST_STOP, GOES_ON, RESTS = "must stop", "another consent stands", "rests on it"


def impact_of_record(context: Context, digits: str) -> ConsentImpact | Recall:
    """Say what a consent carries, or what an incident affects; Usage for any other record."""
    index = fresh(context)
    record = record_id(context, digits)
    found = index.said(record)
    said = None if found is None else found.statement.predicate
    if found is not None and isinstance(said, Attestation):
        names = tuple(each.name for each in found.statement.subject)
        if said.kind == "consent":
            return _consent(context, AttestedView(found.entry, names, said))
        if said.kind == "incident":
            return recall_of(context, names, since=said.start)
    raise Usage(
        f"record {record.hex()[:12]} is neither a consent nor an incident",
        hint="name an asset or a version: dataledger impact ASSET --parties",
    )


def _consent(context: Context, view: AttestedView) -> ConsentImpact:
    index, head = context.index, context.index.head
    record = view.entry.record
    if record is None or head is None or view.entry.block is None:
        raise Usage("the consent is not anchored yet: nothing rests on it", hint="dataledger anchor")
    now_ns = max(int(datetime.now(UTC).timestamp()), head.time_unix_s) * NANOSECONDS + NANOSECONDS - 1
    found = index.consent(record, view.names, now_ns)
    end_ns = found.said.span.until_ns
    withdrawn = found.withdrawn_ns is not None and found.withdrawn_ns == end_ns
    return ConsentImpact(
        record=record.hex(),
        party=view.said.authors[0],
        party_name=index.party_name(parse_did(view.said.authors[0])[1]),
        topic=view.said.topic,
        subject=list(view.names),
        purposes=list(view.said.purposes),
        regions=list(view.said.regions),
        block=view.entry.block,
        block_time=format_time(view.entry.time_unix_s or 0),
        stands=found.said.span.has(now_ns),
        ends="" if end_ns is None else format_time(-(-end_ns // NANOSECONDS)),
        withdrawn=withdrawn,
        grants=[_grant(context, each, end_ns, now_ns) for each in found.dependents],
        products=_products(context, found),
        recall=in_words(context, found.affected, view.names),
        complete=not found.affected.missing,
    )


def _grant(context: Context, each: Dependent, end_ns: int | None, now_ns: int) -> RestsOnConsent:
    given = each.given
    if each.ended_ns is not None and each.ended_ns <= now_ns:
        state = "ended already"
    elif each.others:
        state = GOES_ON
    else:
        state = RESTS if end_ns is None else MUST_STOP
    return RestsOnConsent(
        record=given.record,
        giver=given.giver,
        giver_name=_name(context, given.giver),
        taker=given.taker,
        taker_name=_name(context, given.taker),
        subject=list(given.names),
        purposes=list(each.purposes),
        state=state,
        others=list(each.others),
    )


def _products(context: Context, found: Consent) -> list[ConsentProduct]:
    """Return what was made of the data, and whether that was before the consent ended."""
    return [
        ConsentProduct(
            name=each.name,
            party=context.did(each.party) if each.party else "",
            party_name=context.index.party_name(each.party) if each.party else "",
            record=each.record.hex() if each.record else "",
            block=None if each.block > context.index.database.top() else each.block,
            lawful=each.node not in found.late,
        )
        for each in found.affected.affected
        if each.how == "derived"
    ]


def _name(context: Context, did: str) -> str:
    return context.index.party_name(parse_did(did)[1]) if did else ""
