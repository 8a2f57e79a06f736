"""What waits: notices to this party, and answers to its own."""

from __future__ import annotations

from ledger.service.context import Context
from ledger.service.incident_cases import (
    ACKNOWLEDGED,
    OPEN,
    OVERDUE,
    Case,
    answer_of,
    case_of,
    marked,
)
from ledger.service.results import AffectedParty, IncidentLine, NoticeLine
from ledger.service.times import format_time, is_past


def open_notices(context: Context, party: str = "") -> list[NoticeLine]:
    """List the notices that went to a party (DID, by default this one) by name and that it has not
    acknowledged.
    """
    did = party or context.party
    return [
        NoticeLine(
            record=each.entry.record.hex(),
            topic=each.said.topic,
            subject=list(each.names),
            party=context.did(each.entry.party) if each.entry.party else "",
            party_name=context.index.party_name(each.entry.party) if each.entry.party else "",
            about=each.said.target,
            due=each.said.due,
            overdue=is_past(each.said.due),
            text=each.said.description,
            block=each.entry.block,
            block_time=_time(each.entry.time_unix_s),
        )
        for each in context.index.notices_to(did)
        if each.entry.record and not each.entry.revoked
        if answer_of(context, each.entry.record, did) is None
    ]


def overdue_of_own(context: Context) -> list[tuple[bytes, int]]:
    """Return the open incidents of this party, with how many have not acknowledged a notice in time."""
    found = []
    for each in context.index.attested("incident"):
        if each.said.outcome == OPEN and context.party in each.said.authors:
            case = case_of(context, each)
            late = line(context, case).overdue
            if case.state == OPEN and late:
                found.append((case.record, late))
    return found


def line(context: Context, case: Case) -> IncidentLine:
    """Put an incident in a line."""
    opened = case.opened.entry
    states = [
        marked(case, AffectedParty(party=each, party_name="", roles={}, given=[])).state
        for each in case.told
        if each
    ]
    return IncidentLine(
        record=case.record.hex(),
        topic=case.opened.said.topic,
        state=case.state,
        subject=list(case.opened.names),
        party=context.did(opened.party) if opened.party else "",
        party_name=context.index.party_name(opened.party) if opened.party else "",
        block=opened.block,
        block_time=_time(opened.time_unix_s),
        told=len(states),
        acknowledged=states.count(ACKNOWLEDGED),
        overdue=states.count(OVERDUE),
    )


def _time(unix_s: int | None) -> str:
    return "" if unix_s is None else format_time(unix_s)
