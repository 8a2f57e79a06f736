"""An incident as it is known: its record, what answers it, who was told and who has acknowledged it.

Only notices of who opened the incident count: nobody else can make somebody look as if he had been told.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct, structs

from ledger.core.errors import NotFound, Usage
from ledger.core.records_rights import Attestation
from ledger.index.attested import AttestedView
from ledger.service.context import Context
from ledger.service.recorded import record_id
from ledger.service.results import AffectedParty
from ledger.service.times import is_past

OPEN, CLOSED = "open", "closed"
NOT_TOLD, TOLD, OVERDUE, ACKNOWLEDGED, AUTHOR = "not told", "told", "overdue", "acknowledged", "opened it"


class Told(Struct, frozen=True):
    """The last notice that went to a party, and its acknowledgement of any."""

    notice: AttestedView
    answer: AttestedView | None = None


class Case(Struct, frozen=True):
    """An incident: its record, what was said of it since, and who was told (DIDs; the empty: everybody)."""

    record: bytes
    opened: AttestedView
    closing: AttestedView | None
    notices: list[AttestedView]
    told: dict[str, Told]

    @property
    def state(self) -> str:
        """`open`, `closed` or `taken back`."""
        if self.opened.entry.revoked:
            return "taken back"
        return OPEN if self.closing is None else CLOSED

    def of(self, party: str) -> Told | None:
        """Return how a party (DID) was told, None if it was not."""
        return self.told.get(party) or self.told.get("")


def case_called(context: Context, what: str) -> Case:
    """Return the incident whose record id begins so; NotFound if it is none."""
    record = record_id(context, what)
    found = context.index.said(record)
    said = None if found is None else found.statement.predicate
    if found is None or not isinstance(said, Attestation) or said.outcome != OPEN:
        raise NotFound(
            f"record {record.hex()[:12]} opens no incident", hint="dataledger incident show lists them"
        )
    names = tuple(each.name for each in found.statement.subject)
    return case_of(context, AttestedView(found.entry, names, said))


def own_case(context: Context, what: str) -> Case:
    """Return an incident that this party opened and that is not over; Usage for any other."""
    case = case_called(context, what)
    short = case.record.hex()[:12]
    if context.party not in case.opened.said.authors:
        raise Usage(
            f"incident {short} is not yours, but of {context.named(', '.join(case.opened.said.authors))}",
            hint="dataledger attest --kind notice --about RECORD tells others of what somebody else found",
        )
    if case.state != OPEN:
        raise Usage(f"incident {short} is {case.state} already")
    return case


def case_of(context: Context, opened: AttestedView) -> Case:
    """Return the incident that this record opens."""
    record = opened.entry.record
    assert record is not None
    authors = set(opened.said.authors)
    answers = [
        each
        for each in context.index.answers(record, "notice", "incident")
        if authors & set(each.said.authors) and not each.entry.revoked
    ]
    notices = [each for each in answers if each.said.kind == "notice"]
    closing = next((each for each in answers if each.said.outcome == CLOSED), None)
    return Case(record, opened, closing, notices, _told(context, notices))


def _told(context: Context, notices: Iterable[AttestedView]) -> dict[str, Told]:
    """Return who was told, by the last notice to each, with its acknowledgement of any."""
    told: dict[str, Told] = {}
    for notice in notices:
        assert notice.entry.record is not None
        answers = _answers(context, notice.entry.record)
        for party in notice.said.to or [""]:
            before = told.get(party)
            told[party] = Told(notice, answers.get(party) or (before.answer if before else None))
        for party, answer in answers.items():
            if not notice.said.to:
                told[party] = Told(notice, answer)
    return told


def _answers(context: Context, notice: bytes) -> dict[str, AttestedView]:
    """Return the acknowledgements of a notice, by who acknowledged it."""
    found: dict[str, AttestedView] = {}
    for each in context.index.answers(notice, "acknowledgement"):
        if not each.entry.revoked:
            for author in each.said.authors:
                found.setdefault(author, each)
    return found


def answer_of(context: Context, notice: bytes, party: str) -> AttestedView | None:
    """Return the acknowledgement of a notice by a party (DID), None while there is none."""
    return _answers(context, notice).get(party)


def notices_meant(context: Context, what: str) -> list[AttestedView]:
    """Return the notice that is meant, or those of the incident that is meant which went to this party."""
    record = record_id(context, what)
    found = context.index.said(record)
    said = None if found is None else found.statement.predicate
    if found is not None and isinstance(said, Attestation):
        names = tuple(each.name for each in found.statement.subject)
        view = AttestedView(found.entry, names, said)
        if said.kind == "notice":
            return [view]
        if said.outcome == OPEN:
            ours = [each for each in case_of(context, view).notices if context.party in each.said.to]
            if ours:
                return ours
            raise NotFound(f"no notice of incident {record.hex()[:12]} went to you")
    raise NotFound(
        f"record {record.hex()[:12]} is no notice", hint="dataledger incident show lists those to you"
    )


def marked(case: Case, party: AffectedParty) -> AffectedParty:
    """Return a party with how it was told."""
    told = case.of(party.party)
    if party.party in case.opened.said.authors:
        return structs.replace(party, state=AUTHOR)
    if told is None:
        return structs.replace(party, state=NOT_TOLD)
    notice, answer = told.notice, told.answer
    late = is_past(notice.said.due)
    return structs.replace(
        party,
        state=ACKNOWLEDGED if answer else OVERDUE if late else TOLD,
        notice=notice.entry.record.hex() if notice.entry.record else "",
        notice_block=notice.entry.block,
        due=notice.said.due,
        acknowledged=answer.entry.record.hex() if answer and answer.entry.record else "",
        acknowledged_block=answer.entry.block if answer else None,
    )
