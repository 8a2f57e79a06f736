"""Saying that something arrived: a delivery, by its consumer, or a notice, by one of those it went to."""

from __future__ import annotations

from ledger.core.authority_rights import check_attestation
from ledger.core.errors import Unauthorized, Usage
from ledger.core.records import Attestation
from ledger.service.asking import asked
from ledger.service.assets import anchors
from ledger.service.batch import Batch, header
from ledger.service.context import Context
from ledger.service.giving import next_place
from ledger.service.incident_cases import answer_of
from ledger.service.publishing import publish
from ledger.service.recorded import recorded
from ledger.service.results import Receipt


def acknowledge(
    context: Context, digits: str, *, topic: str = "", text: str = "", anchor: bool = True
) -> Receipt:
    """Acknowledge a delivery or a notice, named by its record id or the first digits of it.

    Raises Usage where it did not go to this party, or was acknowledged by it before.
    """
    with context.writing():
        batch = Batch(context)
        found = recorded(context, digits, "delivery", "attestation")
        predicate = Attestation(
            **header(context),
            kind="acknowledgement",
            target=found.record.hex(),
            topic=topic,
            description=text,
        )
        subject = found.statement.subject
        try:
            check_attestation(
                subject, predicate, [context.address], next_place(context), context.index.facts()
            )
        except Unauthorized as error:
            raise Usage(f"you can't acknowledge that ({error.reason}): {context.named(error)}") from None
        before = acknowledged_by(context, found.record, context.party)
        if before:
            raise Usage(f"you acknowledged it before, by record {before[:12]}")
        with asked():
            batch.say(subject, predicate)
        return publish(context, batch, anchor=anchors(context, anchor))


def acknowledged_by(context: Context, record: bytes, party: str) -> str:
    """Return the record by which a party (DID) acknowledged a delivery or notice, empty if it did not."""
    found = answer_of(context, record, party)
    return found.entry.record.hex() if found is not None and found.entry.record is not None else ""
