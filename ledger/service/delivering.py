"""Recording what was delivered under an agreement: what it counts, what it was for, what was charged.

Each transfer is a chain of steps in the states of the Dataspace Protocol. A step that may not be taken is
refused. What is improper, a version that was not agreed or a price above the one agreed, is told before it
is signed; but what happened can be recorded all the same (`despite`), for everybody to see.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from ledger.core import dsse
from ledger.core.authority_rights import check_delivery
from ledger.core.deliveries import delivery_findings
from ledger.core.errors import Unauthorized, Unconfirmed, Usage
from ledger.core.findings import Finding
from ledger.core.instants import NANOSECONDS
from ledger.core.negotiation import check_step
from ledger.core.records import Delivery, Resource, Statement
from ledger.core.statement import build_statement
from ledger.service.asking import asked
from ledger.service.assets import anchors
from ledger.service.batch import Batch, header
from ledger.service.context import Context
from ledger.service.deals import Handover
from ledger.service.giving import next_place, subject_of
from ledger.service.negotiated import Step, agreed_step, steps_of
from ledger.service.offers import parse_money
from ledger.service.publishing import publish
from ledger.service.recorded import recorded
from ledger.service.results import Receipt


def deliver(context: Context, handover: Handover, *, despite: bool = False, anchor: bool = True) -> Receipt:
    """Record a step of a transfer: what was delivered since the last one.

    Raises Usage for a step that is not this party's or may not be taken, and, unless `despite`, for what
    would be a finding; Unconfirmed where the agreement is not anchored yet.
    """
    with context.writing():
        batch = Batch(context)
        found = recorded(context, handover.agreement, "agreement")
        agreed = agreed_step(steps_of(found, context.index.facts()))
        with asked():
            statement = _step(context, handover, agreed)
            payload = build_statement(statement.subject, statement.predicate)
        _check(context, statement, dsse.record_id(payload))
        improper = _improper(context, statement)
        if improper and not despite:
            lines = "".join(f"\n{_told(each)}" for each in improper)
            raise Usage(
                f"that would be improper, and found so by everybody:{lines}",
                hint="if it happened all the same, record it with --despite-findings",
            )
        batch.say(statement.subject, statement.predicate)
        notes = [f"finding {_told(each)}" for each in improper]
        return publish(context, batch, anchor=anchors(context, anchor), notes=notes)


def _step(context: Context, handover: Handover, agreed: Step) -> Statement:
    """Return the step that is meant: the next one of its process, or the first one of a new one."""
    last = _last_step(context, agreed.record, handover.process) if handover.process else None
    subject = _versions(context, handover)
    if not subject and last is None:
        raise Usage("what was delivered? Name the versions: ASSET@N, or ASSET@latest")
    predicate = Delivery(
        **header(context),
        process=handover.process or uuid.uuid4().urn,
        agreement=agreed.record.hex(),
        state=handover.state,
        previous="" if last is None else last[0].hex(),
        units=handover.units,
        purpose=handover.purpose,
        region=handover.region,
        charged=parse_money(handover.charged) if handover.charged else None,
    )
    return Statement(subject or (last[1].subject if last else []), predicate)


def _versions(context: Context, handover: Handover) -> list[Resource]:
    for name in handover.versions:
        if handover.state != "REQUESTED" and "@" not in name:
            raise Usage(f"{name}: what is delivered are versions: name {name}@N, or {name}@latest")
    return subject_of(context, handover.versions)


def _last_step(context: Context, agreement: bytes, process: str) -> tuple[bytes, Statement] | None:
    """Return the last step that was allowed of a transfer under an agreement, None before the first."""
    last = None
    facts = context.index.facts()
    for row in context.index.trade().deliveries_under(agreement):
        said = facts.said(row.record)
        step = None if said is None else said.predicate
        if said is not None and isinstance(step, Delivery) and step.process == process and row.counts:
            last = (row.record, said)
    return last


def _check(context: Context, statement: Statement, record: bytes) -> None:
    """Refuse a step that is not this party's to take, or not now."""
    facts, step = context.index.facts(), statement.predicate
    assert isinstance(step, Delivery)
    try:
        check_delivery(statement.subject, step, [context.address], next_place(context), facts)
        check_step(statement, record, facts)
    except Unauthorized as error:
        hint = f"dataledger agree show {step.agreement[:12]} says where it stands"
        raise Usage(f"that can't be delivered ({error.reason}): {context.named(error)}", hint=hint) from None


def _improper(context: Context, statement: Statement) -> list[Finding]:
    """Return what will be found improper in a delivery, if it is anchored now."""
    head, delivery = context.index.head, statement.predicate
    assert head is not None, "an agreement was found"
    assert isinstance(delivery, Delivery)
    facts = context.index.rights(head.number)
    if facts.given(delivery.agreement) is None:
        raise Unconfirmed(
            f"agreement {delivery.agreement[:12]} is not anchored yet", hint="dataledger anchor does it"
        )
    now_s = max(int(datetime.now(UTC).timestamp()), head.time_unix_s)
    return delivery_findings(statement, (now_s + 1) * NANOSECONDS - 1, facts)


def _told(finding: Finding) -> str:
    return f"{finding.kind}: {finding.subject}: {finding.text}"
