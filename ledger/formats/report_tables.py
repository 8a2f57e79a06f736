"""The tables of a report: records, findings, sources outside, attachments, parties, logs.

What is proven of a record (its entry, its checkpoint, the block and its time) and what it claims (its time)
stand in columns of their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ledger.core.verdict import (
    AttachmentShown,
    AttachmentState,
    EvidenceView,
    JudgedRecord,
    Observation,
    Outside,
)
from ledger.formats.report_html import WHOLE, Markup, code, digest, element, lines, name, said
from ledger.formats.report_numbers import LOGS, PARTIES, Numbers
from ledger.formats.report_table import (
    Row,
    badge,
    claimed,
    cut,
    many,
    moment,
    quiet,
    section,
    size,
    stack,
    table,
)

FINDINGS, OUTSIDE, ATTACHMENTS = 300, 300, 200
SUBJECTS = 10
TEXT = 600
"""Characters of a finding's text that are shown."""
CONTENT = 4_000
"""Characters of a disclosed content that are shown; `CONTENTS` of all together."""
CONTENTS = 100_000
HEX = 256
"""Bytes of a disclosed content that are shown if it is no text."""
LINES = 80

STATES: dict[AttachmentState, str] = {
    "public": "anybody may fetch it, by its digest",
    "disclosed": "private, shown here by choice",
    "withheld": "private, not in this file",
    "forgotten": "deleted, says its keeper",
}
WHY = {
    "unregistered": "no record of it is known",
    "unavailable": "its log could not be had",
}


def records(view: EvidenceView, numbers: Numbers) -> Markup:
    """Return the table of records."""
    rows = [Row(_record(numbers, number, record), f"record-{number}") for number, record in numbers.records]
    which = "those asked for, those that do not stand or have findings, then the nearest"
    explained = (
        "Proven is that a record was there when its block was made, at this place in its log; "
        "the time that it claims is its signer's word."
    )
    columns = ("Record", "About", "Signed by", "Proven", "Claimed time")
    return section(
        "records",
        "Records",
        element("p", explained),
        table("records", columns, rows, cut(len(rows), len(view.records), "record", which)),
    )


def _record(numbers: Numbers, number: int, record: JudgedRecord) -> tuple[str | None, ...]:
    subjects = [numbers.version(subject) for subject in record.subjects[:SUBJECTS]]
    if len(record.subjects) > SUBJECTS:
        subjects.append(quiet(f"and {len(record.subjects) - SUBJECTS:,} more"))
    state = badge(record.state, record.state) if record.state != "stands" else None
    keys = [quiet("key ", said(key.rpartition("#")[2], 14)) for key in record.keys]
    return (
        stack(
            element("span", f"{number:,} · ", said(record.type, 40), class_="name"),
            state,
            digest(record.record),
        ),
        stack(*subjects),
        stack(*map(numbers.party, record.authors), *keys),
        stack(
            moment(record.time_unix_s),
            f"block {record.block:,}, checkpoint {record.checkpoint:,} (size {record.size:,})",
            element("span", numbers.log(record.log), f", entry {record.index:,}"),
        ),
        claimed(record.claimed_time) if record.claimed_time else None,
    )


def findings(found: Sequence[Observation], numbers: Numbers) -> Markup:
    """Return the findings, the most serious ones first."""
    if not found:
        return section("findings", "Findings", element("p", "None.", class_="none"))
    order = {"error": 0, "warning": 1, "note": 2}
    chosen = sorted(found, key=lambda each: order[each.severity])[:FINDINGS]
    rows = [
        Row((badge(each.severity, each.severity), code(each.kind), name(each.subject), said(each.text, TEXT),
             numbers.record(each.record) or (code(each.record) if each.record else None)))
        for each in chosen
    ]  # fmt: skip
    columns = ("Severity", "Code", "About", "What was found", "Record")
    caption = cut(len(rows), len(found), "finding", "the most serious")
    return section("findings", "Findings", table("findings", columns, rows, caption))


def outside(sources: Sequence[Outside]) -> Markup | None:
    """Return the sources that the file does not follow further."""
    if not sources:
        return None
    rows = [
        Row((name(each.name) if each.name else "without a name", digest(each.digest) if each.digest else None,
             stack(badge(each.why, "warning"), WHY[each.why])))
        for each in sources[:OUTSIDE]
    ]  # fmt: skip
    explained = (
        "Sources of which this file has no record: what these are, and are made from, is not proven here."
    )
    caption = cut(len(rows), len(sources), "source")
    return section(
        "outside", "Sources outside this file", element("p", explained),
        table("outside", ("Source", "Digest", "Why"), rows, caption),
    )  # fmt: skip


def attachments(attached: Sequence[AttachmentShown], numbers: Numbers) -> Markup | None:
    """Return the attachments by digest, and the contents of those that were disclosed, as text."""
    if not attached:
        return None
    counts = Counter(each.state for each in attached)
    said_all = ", ".join(f"{counts[state]:,} {state}" for state in STATES if state in counts)
    room = CONTENTS
    rows = []
    for each in attached[:ATTACHMENTS]:
        shown = _content(each.content, min(room, CONTENT)) if each.content is not None else None
        room -= min(room, CONTENT, len(each.content or b""))
        rows.append(Row(_attachment(each, numbers, shown)))
    columns = ("Attachment", "State", "Digest", "Record", "Content")
    caption = cut(len(rows), len(attached), "attachment")
    return section("attachments", "Attachments", element("p", f"{said_all}."),
                   table("attachments", columns, rows, caption))  # fmt: skip


def _attachment(each: AttachmentShown, numbers: Numbers, shown: Markup | None) -> tuple[str | None, ...]:
    return (
        stack(element("span", said(each.role, 60), class_="name"), code(each.media_type, 80)),
        stack(badge(each.state, each.state), quiet(STATES[each.state])),
        digest(each.digest),
        numbers.record(each.record) or code(each.record),
        shown,
    )


def _content(content: bytes, room: int) -> Markup:
    """Show a content as text if it is text, as hexadecimal digits if not, cut at `room` characters."""
    if not content:
        return quiet("empty")
    if room <= 0:
        return quiet(f"{size(len(content))}, not shown: the page has enough contents.")
    kind, shown, whole = _start_of(content, room)
    note = f"{size(len(content))} of {kind}{'' if whole else ', the start of it'}"
    return element("div", quiet(note), element("pre", lines(shown if whole else f"{shown}…"), tabindex="0"))


def _start_of(content: bytes, room: int) -> tuple[str, str, bool]:
    """Return what a content is, as much of it as there is room for, and whether that is all."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        start = content[: min(room, HEX)]
        return "bytes", start.hex(" "), len(start) == len(content)
    shown = "\n".join(text[:room].split("\n")[:LINES])
    return "text", shown, shown == text


def parties(numbers: Numbers) -> Markup | None:
    """Return the parties that signed, with their whole DIDs and the names that they gave themselves."""
    if not numbers.party_of:
        return None
    rows = [
        Row(
            (f"P{number}", said(numbers.party_name.get(did) or "no name given"), code(did, WHOLE)),
            f"party-{number}",
        )
        for did, number in list(numbers.party_of.items())[:PARTIES]
    ]
    explained = "Proven is that the holder of this DID signed. The name is what it calls itself."
    caption = cut(len(rows), len(numbers.party_of), "party")
    return section(
        "parties",
        "Parties",
        element("p", explained),
        table("parties", ("Party", "Calls itself", "DID"), rows, caption),
    )


def logs(view: EvidenceView, numbers: Numbers) -> Markup | None:
    """Return the logs that the records stand in."""
    if not numbers.log_of:
        return None
    counts = Counter(record.log for record in view.records)
    rows = [
        Row((f"log {number}", digest(log), many(counts[log], "record")), f"log-{number}")
        for log, number in list(numbers.log_of.items())[:LOGS]
    ]
    caption = cut(len(rows), len(numbers.log_of), "log")
    return section("logs", "Logs", table("logs", ("Log", "Id", "Here"), rows, caption))
