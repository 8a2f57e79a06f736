"""What is known about a party, with the records that say so."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from ledger.core.errors import NotFound
from ledger.core.instants import NANOSECONDS, instant_ns
from ledger.core.terms import terms_of
from ledger.index.involved import Involved, held, involved, word_of
from ledger.index.views import FindingView
from ledger.service.browsing import problem
from ledger.service.context import Context
from ledger.service.identity import delegates_of, keys, namespaces
from ledger.service.notices import open_notices
from ledger.service.parties import party_address
from ledger.service.results import HeldAsset, PartyLog, PartyRecord, PartySheet, Problem
from ledger.service.syncing import fresh

_UNREAD = ("log-unavailable", "log-mismatch")
_MOST_FINDINGS = 10_000_000


def party(context: Context, who: str = "") -> PartySheet:
    """Say what is known of a party, by default this workspace's own; NotFound where nothing is."""
    index = fresh(context)
    address = party_address(context, who) if who else context.address
    did = context.did(address)
    records = [_record(context, each) for each in involved(index.database, address)]
    logs = [_log(context, log_id) for log_id in index.logs_of(address)]
    sheet = PartySheet(
        party=did,
        name=index.party_name(address),
        ours=address == context.address,
        trusted=did in context.config.trusted,
        namespaces=[each for each in namespaces(context).namespaces if each.owner == did],
        keys=keys(context, did).keys,
        delegates=delegates_of(context, address),
        logs=logs,
        assets=[_asset(context, name) for name in held(index.database, address)],
        counts=dict(Counter(each.relation for each in records)),
        records=records,
        notices=open_notices(context, did),
        findings=_findings(context, {each.log for each in logs}),
        missing_logs=[log.log.hex() for log in index.logs() if log.problem in _UNREAD],
        to_block=index.summary().head,
    )
    if not (sheet.namespaces or sheet.keys or logs or records):
        raise NotFound(f"nothing is known of {did}", hint="dataledger namespace list shows who has a name")
    return sheet


def _log(context: Context, log_id: bytes) -> PartyLog:
    view = context.index.log_progress(log_id)
    return PartyLog(
        log=log_id.hex(),
        number=view.number,
        anchored=view.anchored,
        read=view.size,
        served_at=context.index.log_location(log_id),
        problem=view.problem,
        closed_block=view.closed_block,
    )


def _asset(context: Context, name: str) -> HeldAsset:
    view = context.index.asset(name)
    where = None if view is None else view.registration
    return HeldAsset(
        asset=name,
        title=view.title if view else "",
        record=where.record.hex() if where else "",
        claimed_by=context.did(where.party) if where else "",
        block=where.block if where else None,
    )


def _record(context: Context, each: Involved) -> PartyRecord:
    entry = each.said.entry
    return PartyRecord(
        relation=each.relation,
        record=entry.record.hex() if entry.record else "",
        what=word_of(each.said.statement),
        subject=", ".join(resource.name for resource in each.said.statement.subject),
        other=context.did(each.other) if each.other else "",
        other_name=context.index.party_name(each.other) if each.other else "",
        state=_state(each),
        block=entry.block,
    )


def _state(each: Involved) -> str:
    """Say whether a record still counts."""
    entry, terms = each.said.entry, terms_of(each.said.statement.predicate)
    if entry.verdict != "accepted":
        return f"void: {entry.reason}"
    if entry.revoked:
        return "taken back"
    now_ns = int(datetime.now(UTC).timestamp()) * NANOSECONDS
    if terms is not None and terms.until and instant_ns(terms.until) <= now_ns:
        return "ended"
    return "in force" if entry.type == "grant" and entry.block is not None else entry.state


def _findings(context: Context, logs: set[str]) -> list[Problem]:
    """Return what was found in the logs of a party."""
    found: list[FindingView]
    found, _ = context.index.findings(limit=_MOST_FINDINGS)
    return [problem(each) for each in found if each.log and each.log.hex() in logs]
