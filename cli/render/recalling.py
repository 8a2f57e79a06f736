"""Recalls and incidents, as text: what is affected, whom it concerns, who was told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from .layout import anchored, bad, count, good, notes, pairs, short, table, unsure, who

if TYPE_CHECKING:
    from ledger.service import results as r

SHOWN_VERSIONS = 40
"""How many affected versions are written out; `--json` has all."""

_HOW = {"named": "", "derived": "made from it", "same-content": "the same content"}
_MARKS = {"overdue": bad, "not told": unsure}


def recall(found: r.Recall) -> Iterator[str]:
    """`impact --parties`."""
    yield _extent(found)
    yield from _versions(found.versions)
    yield from _parties(found.parties)
    yield from _rest(found)


def consent(found: r.ConsentImpact) -> Iterator[str]:
    """`impact CONSENT --parties`."""
    about = f"{', '.join(found.subject)}, for {', '.join(found.purposes)}"
    word = "ENDED" if not found.stands else "ENDING" if found.ends else "STANDS"
    mark = good if word == "STANDS" else bad if word == "ENDED" else unsure
    yield mark(word, f": consent of {who(found.party_name, found.party)} to {about}")
    ends = f"{found.ends} ({'withdrawn' if found.withdrawn else 'as it says itself'})" if found.ends else ""
    yield from pairs(
        [
            ("topic", found.topic),
            ("proven", anchored(found.block, found.block_time)),
            ("counts until", ends),
        ],
        indent="  ",
    )
    rows = (
        (
            f"  {short(each.record)}",
            (each.taker_name or each.taker) if each.taker else "everybody",
            each.giver_name or each.giver,
            ", ".join(each.subject),
            ", ".join(each.purposes),
            f"{each.state} from {found.ends}" if each.state == "must stop" else each.state,
        )
        for each in found.grants
    )
    yield from table(("  GRANT", "TO", "FROM", "ABOUT", "FOR", "AND"), rows)
    if not found.grants:
        yield "  no grant demands it"
    made = (
        (
            f"  {each.name}",
            each.party_name or each.party,
            "" if each.block is None else f"block {each.block:,}",
            "stays lawful: made while it stood" if each.lawful else "made after it ended",
        )
        for each in found.products[:SHOWN_VERSIONS]
    )
    yield from table(("  PRODUCT", "BY", "EXISTED BY", "AND"), made)
    if len(found.products) > SHOWN_VERSIONS:
        yield f"  ... and {len(found.products) - SHOWN_VERSIONS:,} more: --json has all"
    yield from _parties(found.recall.parties)
    yield from _rest(found.recall)


def incident(found: r.Incident) -> Iterator[str]:
    """`incident show INCIDENT`."""
    mark = {"open": bad, "closed": good}.get(found.state, unsure)
    yield mark(found.state.upper(), f": {found.topic}, in {', '.join(found.recall.subject)}")
    yield from pairs(
        [
            ("claimed by", who(found.party_name, found.party)),
            ("said", found.text),
            ("since", found.recall.since),
            ("record", short(found.record)),
            ("proven", "" if found.block is None else anchored(found.block, found.block_time)),
            ("closed", f"record {short(found.closed)}" if found.closed else ""),
            ("said then", found.closed_text),
        ],
        indent="  ",
    )
    yield _extent(found.recall)
    yield from _versions(found.recall.versions)
    yield from _parties([*found.recall.parties, *found.others_told])
    yield _told(found)
    yield from _rest(found.recall)


def incidents(found: r.Incidents) -> Iterator[str]:
    """`incident show`."""
    rows = (
        (
            short(each.record),
            each.state,
            each.topic,
            ", ".join(each.subject),
            each.party_name or each.party,
            "" if each.block is None else anchored(each.block, each.block_time),
            f"{each.acknowledged} of {each.told} acknowledged" if each.told else "nobody told",
            f"{each.overdue} overdue" if each.overdue else "",
        )
        for each in found.incidents
    )
    head = ("INCIDENT", "STATE", "WHAT", "IN", "CLAIMED BY", "ANCHORED IN", "NOTICES", "")
    yield from table(head, rows)
    if not found.incidents:
        yield "no incidents"
    if found.notices:
        yield ""
        yield "notices to you that you have not acknowledged"
    yield from _notices(found.notices)


def _notices(found: Sequence[r.NoticeLine]) -> Iterator[str]:
    rows = (
        (
            short(each.record),
            each.topic,
            ", ".join(each.subject),
            each.party_name or each.party,
            f"{each.due} (overdue)" if each.overdue else each.due,
            each.text,
        )
        for each in found
    )
    yield from table(("NOTICE", "WHAT", "ABOUT", "CLAIMED BY", "DUE", "SAYS"), rows)


def _extent(found: r.Recall) -> str:
    named = sum(each.how == "named" for each in found.versions)
    more = count(len(found.versions) - named, "further version")
    assets, parties = count(found.assets, "asset"), count(len(found.parties), "party", "parties")
    return f"affected: {count(named, 'version')} named, {more}, of {assets}; it concerns {parties}"


def _versions(found: Sequence[r.AffectedVersion]) -> Iterator[str]:
    rows = (
        (
            f"  {each.name}",
            _HOW.get(each.how, each.how),
            each.state,
            f"block {each.block:,}" if each.block is not None else "",
            short(each.record),
        )
        for each in found[:SHOWN_VERSIONS]
    )
    yield from table(("  VERSION", "HOW", "STATE", "SINCE", "RECORD"), rows)
    if len(found) > SHOWN_VERSIONS:
        yield f"  ... and {len(found) - SHOWN_VERSIONS:,} more: --json has all"


def _parties(found: Sequence[r.AffectedParty]) -> Iterator[str]:
    rows = (
        (
            f"  {each.party_name or each.party}",
            ", ".join(each.roles) or "named in a notice",
            ", ".join(dict.fromkeys(f"{given.kind} {short(given.record)}" for given in each.given[:3]))
            + (f" and {len(each.given) - 3} more" if len(each.given) > 3 else ""),
            each.state,
            f"notice {short(each.notice)}" if each.notice else "",
            each.due,
            "its log can't be had" if each.log_missing else "",
        )
        for each in found
    )
    yield from table(("  CONCERNS", "AS", "BY", "STATE", "BY NOTICE", "DUE", ""), rows)


def _told(found: r.Incident) -> str:
    counts = f"{found.not_told} not told, {found.unacknowledged} not acknowledged, {found.overdue} overdue"
    if found.overdue:
        return bad("OVERDUE", f": {counts}")
    if found.not_told or found.unacknowledged:
        return unsure("WAITING", f": {counts}")
    return good("DONE", ": everybody known has acknowledged it")


def _rest(found: r.Recall) -> Iterator[str]:
    """What was given to everybody, and how far the answer goes."""
    if found.records_listed < found.records:
        yield f"of {found.records:,} records that gave it to somebody, {found.records_listed:,} are listed"
    given = [f"{each.kind} {short(each.record)} gives it to everybody" for each in found.public]
    yield from notes(f"{each}: who used it can't be told" for each in given)
    at = anchored(found.to_block, found.to_block_time)
    if found.complete:
        yield good("COMPLETE", f": to {at}; every log was read")
        return
    yield unsure("INCOMPLETE", f": at {at}, {count(len(found.missing_logs), 'log')} can't be had")
    rows = (
        (
            f"  {short(each.log)}",
            each.party_name or each.party,
            each.reason,
            "concerned" if each.concerned else "",
        )
        for each in sorted(found.missing_logs, key=lambda each: not each.concerned)
    )
    yield from table(("  LOG", "OF", "WHY", ""), rows)
    yield "note: dataledger follow PARTY --from FOLDER|URL has a log read here"
