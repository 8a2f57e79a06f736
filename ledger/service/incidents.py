"""An incident from its opening to its end: what is affected, who is told, who has acknowledged it.

All of it are attestations in logs: the incident, the notices that answer it, the acknowledgements that answer
those, and the closing (`incident_cases`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from msgspec import structs

from ledger.core.records import Resource
from ledger.core.records_rights import MAX_TERMS
from ledger.index.attested import AttestedView
from ledger.service.assets import anchors
from ledger.service.attesting import Assertion, add_attestation, attest, read_assertion
from ledger.service.batch import Batch
from ledger.service.context import Context
from ledger.service.incident_cases import (
    ACKNOWLEDGED,
    CLOSED,
    NOT_TOLD,
    OPEN,
    OVERDUE,
    TOLD,
    Case,
    answer_of,
    case_called,
    case_of,
    marked,
    notices_meant,
    own_case,
)
from ledger.service.notices import line, open_notices
from ledger.service.parties import party_address
from ledger.service.publishing import publish, receipt
from ledger.service.recalling import recall_of
from ledger.service.results import (
    AffectedParty,
    Incident,
    Incidents,
    Recall,
    Receipt,
)
from ledger.service.syncing import fresh
from ledger.service.times import format_time, is_past

_ROOM = 48_000
"""Bytes that a payload may have: as base64 in an envelope of 65,535."""


# --- what is done


def open_incident(
    context: Context,
    names: Sequence[str],
    *,
    topic: str,
    text: str = "",
    since: str = "",
    anchor: bool = True,
) -> Receipt:
    """Say that something is wrong with assets or versions; `since` when, a date or time.

    With `since`, of an asset only those versions are affected that were not on record before.
    """
    said = Assertion(kind="incident", names=names, topic=topic, outcome=OPEN, start=since, text=text)
    return attest(context, said, anchor=anchor)


def notify(
    context: Context,
    what: str,
    *,
    to: Sequence[str] = (),
    due: str = "",
    text: str = "",
    anchor: bool = True,
) -> Receipt:
    """Tell those whom an incident of this party concerns and who were not told yet, or whom `to` names.

    One notice has up to 64 parties; more are told by several, recorded together. `due` is a date or time by
    which they are to acknowledge it. The receipt has a problem where not everybody is known.
    """
    with context.writing():
        batch = Batch(context)
        case = own_case(context, what)
        known = _with_told(case, _recall(context, case))
        before = sum(each.state in (TOLD, OVERDUE, ACKNOWLEDGED) for each in known.parties)
        if to:
            parties = list(dict.fromkeys(context.did(party_address(context, each)) for each in to))
        else:
            parties = [each.party for each in known.parties if each.state == NOT_TOLD]
        subject = _subject(context, case.opened)
        said = Assertion(kind="notice", topic=case.opened.said.topic, due=due, text=text)
        members = read_assertion(context, said) | {"target": case.record.hex()}
        for some in _portions(parties, subject, text):
            add_attestation(context, batch, subject, members | {"to": some})
        notes = [f"{due} is past: it is overdue at once"] if is_past(members.get("due", "")) else []
        notes += [f"{len(parties)} told, {before} had been told before"]
        if not parties:
            return receipt(context, [], context.log.size, None, notes=["everybody known was told already"])
        done = publish(context, batch, anchor=anchors(context, anchor), notes=notes)
    return done if to else structs.replace(done, problem=done.problem or _doubt(known))


def acknowledge(context: Context, what: str, *, text: str = "", anchor: bool = True) -> Receipt:
    """Acknowledge a notice, or all those of an incident, that went to this party."""
    with context.writing():
        batch = Batch(context)
        done = []
        for notice in notices_meant(context, what):
            record = notice.entry.record
            assert record is not None
            if answer_of(context, record, context.party) is not None:
                done.append(f"notice {record.hex()[:12]} was acknowledged already")
                continue
            said = {"kind": "acknowledgement", "topic": notice.said.topic, "description": text}
            add_attestation(context, batch, _subject(context, notice), said | {"target": record.hex()})
        if not len(batch):
            return receipt(context, [], context.log.size, None, notes=done)
        return publish(context, batch, anchor=anchors(context, anchor), notes=done)


def close(context: Context, what: str, *, text: str = "", anchor: bool = True) -> Receipt:
    """Say that an incident of this party is over; the receipt notes what is outstanding all the same."""
    with context.writing():
        batch = Batch(context)
        case = own_case(context, what)
        said = {"kind": "incident", "topic": case.opened.said.topic, "outcome": CLOSED}
        members = said | {"target": case.record.hex(), "description": text}
        add_attestation(context, batch, _subject(context, case.opened), members)
        known = _with_told(case, _recall(context, case))
        return publish(context, batch, anchor=anchors(context, anchor), notes=_outstanding(known))


# --- what is asked


def show(context: Context, what: str) -> Incident:
    """Say all that is known of an incident."""
    index = fresh(context)
    case = case_called(context, what)
    known = _with_told(case, _recall(context, case))
    opened, closing = case.opened.entry, case.closing
    states = [each.state for each in known.parties]
    concerned = {each.party for each in known.parties}
    others = [_other(context, case, each) for each in case.told if each and each not in concerned]
    return Incident(
        record=case.record.hex(),
        topic=case.opened.said.topic,
        text=case.opened.said.description,
        state=case.state,
        party=context.did(opened.party) if opened.party else "",
        party_name=index.party_name(opened.party) if opened.party else "",
        claimed_time=opened.claimed,
        block=opened.block,
        block_time=_time(opened.time_unix_s),
        recall=known,
        notices=[each.entry.record.hex() for each in case.notices if each.entry.record],
        others_told=others,
        told_everybody="" in case.told,
        not_told=states.count(NOT_TOLD),
        unacknowledged=states.count(TOLD) + states.count(OVERDUE),
        overdue=states.count(OVERDUE) + sum(each.state == OVERDUE for each in others),
        complete=known.complete,
        closed=closing.entry.record.hex() if closing and closing.entry.record else "",
        closed_block=closing.entry.block if closing else None,
        closed_text=closing.said.description if closing else "",
    )


def incidents(context: Context) -> Incidents:
    """List the incidents that are known, newest first, and what this party has to acknowledge."""
    index = fresh(context)
    cases = [case_of(context, each) for each in index.attested("incident") if each.said.outcome == OPEN]
    return Incidents(
        incidents=[line(context, case) for case in reversed(cases)],
        notices=open_notices(context),
        to_block=index.summary().head,
    )


# --- how it is written


def _subject(context: Context, view: AttestedView) -> list[Resource]:
    """Return the subject of a record, as its answers repeat it."""
    assert view.entry.record is not None
    found = context.index.said(view.entry.record)
    assert found is not None
    return list(found.statement.subject)


def _portions(parties: Sequence[str], subject: Sequence[Resource], text: str) -> Iterator[list[str]]:
    """Yield the parties in portions of which each fits into a notice."""
    room = _ROOM - len(msgspec.json.encode(subject)) - len(text.encode()) - 1000
    most = max(1, min(MAX_TERMS, room // 72))
    for at in range(0, len(parties), most):
        yield list(parties[at : at + most])


# --- in words


def _recall(context: Context, case: Case) -> Recall:
    return recall_of(context, case.opened.names, since=case.opened.said.start)


def _with_told(case: Case, found: Recall) -> Recall:
    """Add to each party of a recall whether it was told."""
    return structs.replace(found, parties=[marked(case, each) for each in found.parties])


def _other(context: Context, case: Case, party: str) -> AffectedParty:
    name = context.index.party_name(party_address(context, party))
    return marked(case, AffectedParty(party=party, party_name=name, roles={}, given=[]))


def _outstanding(known: Recall) -> list[str]:
    """Say what is left to do when an incident is closed."""
    states = [each.state for each in known.parties]
    left = (
        (states.count(NOT_TOLD), "whom it concerns were not told"),
        (states.count(TOLD) + states.count(OVERDUE), "have not acknowledged it"),
    )
    notes = [f"outstanding: {number} {what}" for number, what in left if number]
    doubt = _doubt(known)
    return [*notes, f"outstanding: {doubt}"] if doubt else notes or ["nothing is outstanding"]


def _doubt(known: Recall) -> str:
    """Say what is missing to know everybody; empty if nothing is."""
    if known.complete:
        return ""
    logs = ", ".join(f"{each.party_name or each.party} ({each.log[:12]})" for each in known.missing_logs[:4])
    number = len(known.missing_logs)
    return f"{number} log{'s' * (number > 1)} can't be had, so more may be affected: of {logs}"


def _time(unix_s: int | None) -> str:
    return "" if unix_s is None else format_time(unix_s)
