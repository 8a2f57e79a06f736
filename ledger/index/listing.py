"""Listings: entries of logs, findings, attachments, and how much there is of everything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ledger.core.errors import Usage
from ledger.core.identity import ADDRESS_SIZE
from ledger.index.database import Database, Row
from ledger.index.kinds import ACCEPTED, RECORD_TYPES, REJECTED, SEVERITIES, VERDICTS
from ledger.index.parties import missing_logs
from ledger.index.queries import final_block, state_of
from ledger.index.schema import PENDING, short
from ledger.index.subjects import subject
from ledger.index.views import AttachmentView, EntryView, FindingView, Summary


def entries(
    database: Database,
    *,
    party: bytes | None = None,
    asset: str | None = None,
    type: str | None = None,  # noqa: A002 - the record's own word
    state: str | None = None,
    limit: int = 100,
    before: int | None = None,
) -> tuple[list[EntryView], bool]:
    """Return entries, newest first, and whether `limit` cut the list. `before` a row it goes on.

    `state` is `pending`, `anchored`, `final`, `rejected` or `duplicate`; `asset` finds records of the asset,
    of its versions, of the activities that used or made them, of rights in them, and what takes these back.
    """
    conditions, params = ["1"], list[Any]()
    if party is not None:
        _check_address(party)
        conditions.append("e.party = (SELECT id FROM party WHERE address = ?)")
        params.append(party)
    source = "entry e"
    if asset is not None:
        source = "json_each(?) j CROSS JOIN entry e ON e.id = j.value"
        found = database.rows(_OF_ASSET, asset)
        params.insert(0, f"[{','.join(str(row[0]) for row in found)}]")
    if type is not None:
        conditions.append("e.kind = ?")
        params.append(_code(RECORD_TYPES, type, "type"))
    if state is not None:
        condition, values = _state(database, state)
        conditions.append(condition)
        params += values
    if before is not None:
        conditions.append("e.id < ?")
        params.append(before)
    query = f"{_entries(source)} WHERE {' AND '.join(conditions)} ORDER BY e.id DESC LIMIT ?"
    rows = database.rows(query, *params, limit + 1)
    final = final_block(database)
    return [_entry(database, row, final) for row in rows[:limit]], len(rows) > limit


def entries_of(database: Database, asset: str) -> list[EntryView]:
    """Return the accepted entries about an asset and its versions in the order in which they were judged."""
    rows = database.rows(
        f"{_entries('json_each(?) j CROSS JOIN entry e ON e.id = j.value')} "
        "WHERE e.verdict = ? ORDER BY e.id",
        f"[{','.join(str(row[0]) for row in database.rows(_OF_ASSET, asset))}]",
        ACCEPTED,
    )
    final = final_block(database)
    return [_entry(database, row, final) for row in rows]


def find_records(database: Database, prefix: str, *, limit: int = 20) -> list[EntryView]:
    """Return the entries whose record id begins with these hex digits (1 to 64); Usage for anything else."""
    digits = prefix.lower()
    if not 1 <= len(digits) <= 64 or digits.strip("0123456789abcdef"):
        raise Usage(f"record id: expected 1 to 64 hex digits, got {prefix[:80]!a}")
    low, high = (bytes.fromhex(digits.ljust(64, fill)) for fill in "0f")
    rows = database.rows(
        f"{_ENTRIES} WHERE e.short >= ? AND e.short <= ? AND e.record >= ? AND e.record <= ? "
        "ORDER BY +e.id LIMIT ?",
        short(low),
        short(high),
        low,
        high,
        limit,
    )
    final = final_block(database)
    return [_entry(database, row, final) for row in rows]


def entry_at(database: Database, log: bytes, idx: int) -> EntryView | None:
    """Return the entry at a position of a log."""
    place = "e.log = (SELECT id FROM log WHERE log = ?) AND e.idx = ?"
    row = database.one(f"{_ENTRIES} WHERE {place}", log, idx)
    return None if row is None else _entry(database, row, final_block(database))


def entry_of(database: Database, entry: int) -> EntryView:
    """Return an entry by its row, which must exist."""
    row = database.one(f"{_ENTRIES} WHERE e.id = ?", entry)
    assert row is not None
    return _entry(database, row, final_block(database))


def attachments(database: Database, entry: int) -> list[AttachmentView]:
    """Return what the record of an entry (its `row`) names by digest."""
    return [
        AttachmentView(
            role=role, media_type=media, alg=alg, digest=digest, size=size, state=state or "", text=text or ""
        )
        for role, media, alg, digest, size, state, text in database.rows(_ATTACHMENTS, entry)
    ]


def attachment_names(database: Database, log: bytes) -> Iterator[tuple[str, str, int]]:
    """Yield what the records of a log name by digest: the digest's name, its hex, and the entry's index."""
    for alg, digest, idx in database.stream(_ATTACHED_IN, log):
        yield alg, digest.hex(), idx


def findings(
    database: Database, *, kind: str | None = None, entry: int | None = None, limit: int = 100
) -> tuple[list[FindingView], bool]:
    """Return findings, newest first, and whether `limit` cut the list; missing attachments are among them."""
    conditions, params = ["1"], list[Any]()
    for column, value in (("kind", kind), ("entry", entry)):
        if value is not None:
            conditions.append(f"f.{column} = ?")
            params.append(value)
    query = (
        f"SELECT * FROM ({_FINDINGS}) f WHERE {' AND '.join(conditions)} "  # noqa: S608 - conditions of ours
        "ORDER BY f.block DESC, f.id DESC LIMIT ?"
    )
    rows = database.rows(query, *params, limit + 1)
    return [_finding(row) for row in rows[:limit]], len(rows) > limit


def summary(database: Database) -> Summary:
    """Return how much the index holds."""
    head = database.one("SELECT number, time FROM block ORDER BY number DESC LIMIT 1") or (-1, 0)

    def count(table: str) -> int:
        # rows are only ever appended and cut off at the end, so the last id is the number
        return int(database.scalar(f"SELECT ifnull(max(id), 0) FROM {table}"))  # noqa: S608 - a table of ours

    return Summary(
        head=head[0],
        head_time_unix_s=head[1],
        final=final_block(database),
        assets=count("registration"),
        versions=count("version"),
        activities=count("activity"),
        entries=count("entry"),
        rejected=database.scalar("SELECT count(*) FROM entry WHERE verdict = ? AND verdict <> 0", REJECTED),
        findings=count("finding")
        + database.scalar("SELECT count(*) FROM attachment_read WHERE state IN ('missing', 'invalid')"),
        logs=count("log"),
        missing_logs=len(missing_logs(database)),
    )


def _entry(database: Database, row: Row, final: int) -> EntryView:
    entry, record, kind, party, log, idx, claimed, block, time, verdict, reason, message, about, revoked = row
    return EntryView(
        row=entry,
        record=record,
        type=RECORD_TYPES[kind],
        subject=subject(database, kind, about, record, verdict),
        party=party,
        log=log,
        idx=idx,
        claimed=claimed or "",
        state=state_of(block, final),
        verdict=VERDICTS[verdict],
        block=None if block == PENDING else block,
        time_unix_s=time,
        reason=reason or "",
        message=message or "",
        revoked=bool(revoked),
    )


def _finding(row: Row) -> FindingView:
    _, kind, subject, text, block, log, idx, record, _ = row
    return FindingView(
        kind=kind,
        severity=SEVERITIES[kind],
        subject=subject,
        text=text,
        block=None if block == PENDING else block,
        log=log,
        idx=idx,
        record=record,
    )


def _state(database: Database, state: str) -> tuple[str, list[Any]]:
    final = final_block(database)
    if state in ("rejected", "duplicate"):
        # the second half lets SQLite use the index of what was refused
        return "e.verdict = ? AND e.verdict <> 0", [VERDICTS.index(state)]
    if state == "pending":
        return "e.block = ?", [PENDING]
    if state == "anchored":
        return "e.block > ? AND e.block < ?", [final, PENDING]
    if state == "final":
        return "e.block <= ?", [final]
    raise Usage(f"state: expected pending, anchored, final, rejected or duplicate, got {state!a}")


def _code(names: tuple[str, ...], name: str, what: str) -> int:
    if name not in names:
        raise Usage(f"{what}: expected one of {', '.join(names)}, got {name!a}")
    return names.index(name)


def _check_address(address: bytes) -> None:
    if len(address) != ADDRESS_SIZE:
        raise Usage(f"party: expected an address of {ADDRESS_SIZE} bytes, got {len(address)}")


def _entries(source: str = "entry e") -> str:
    """Return the query for entries out of `source`, which is the outer loop: so that a limit ends it."""
    return (
        "SELECT e.id, e.record, e.kind, p.address, l.log, e.idx, e.claimed, e.block, b.time, "  # noqa: S608
        "e.verdict, e.reason, e.message, e.about, "
        "e.verdict = 0 AND EXISTS (SELECT 1 FROM revoked x WHERE x.target = e.record) "
        f"FROM {source} CROSS JOIN log l ON l.id = e.log LEFT JOIN party p ON p.id = e.party "
        "LEFT JOIN block b ON b.number = e.block"
    )


_ENTRIES = _entries()

_OF_ASSET = """
WITH about(entry) AS (
SELECT r.entry FROM registration r JOIN asset a ON a.id = r.asset WHERE a.name = ?1
UNION SELECT v.entry FROM version v JOIN asset a ON a.id = v.asset WHERE a.name = ?1
UNION SELECT t.entry FROM transfer t JOIN asset a ON a.id = t.asset WHERE a.name = ?1
UNION SELECT s.entry FROM asset a JOIN node n ON n.asset = a.id JOIN edge d ON d.output = n.id
  JOIN step s ON s.activity = d.activity WHERE a.name = ?1 AND d.activity > 0
UNION SELECT s.entry FROM asset a JOIN node n ON n.asset = a.id JOIN edge d ON d.input = n.id
  JOIN step s ON s.activity = d.activity WHERE a.name = ?1 AND d.activity > 0
UNION SELECT g.entry FROM granted g JOIN asset a ON a.id = g.asset WHERE a.name = ?1
UNION SELECT t.entry FROM attested t JOIN asset a ON a.id = t.asset WHERE a.name = ?1
UNION SELECT t.entry FROM agreed t JOIN asset a ON a.id = t.asset WHERE a.name = ?1
UNION SELECT t.entry FROM delivered t JOIN asset a ON a.id = t.asset WHERE a.name = ?1
UNION SELECT t.entry FROM settled t JOIN asset a ON a.id = t.asset WHERE a.name = ?1
UNION SELECT o.entry FROM asset a JOIN node n ON n.asset = a.id JOIN loose o ON o.node = n.id
  WHERE a.name = ?1)
SELECT entry FROM about
UNION SELECT r.entry FROM about t JOIN entry e ON e.id = t.entry JOIN revocation r ON r.target = e.record
"""

_ATTACHED_IN = """
SELECT a.value, t.digest, e.idx FROM attachment t JOIN text a ON a.id = t.alg JOIN entry e ON e.id = t.entry
JOIN log l ON l.id = e.log WHERE l.log = ? ORDER BY t.id
"""
_ATTACHMENTS = """
SELECT r.value, t.media, g.value, t.digest, t.size, k.state, k.text
FROM attachment t JOIN text r ON r.id = t.role JOIN text g ON g.id = t.alg
LEFT JOIN attachment_read k ON k.attachment = t.id WHERE t.entry = ? ORDER BY t.id
"""

_FINDINGS = """
SELECT f.id, f.kind, f.subject, f.text, f.block, ifnull(l.log, m.log) AS log, e.idx, e.record, f.entry
FROM finding f LEFT JOIN log l ON l.id = f.log LEFT JOIN entry e ON e.id = f.entry
LEFT JOIN log m ON m.id = e.log
UNION ALL
SELECT k.id, 'attachment-' || k.state, r.value, k.text, k.block, m.log, e.idx, e.record, t.entry
FROM attachment_read k JOIN attachment t ON t.id = k.attachment JOIN text r ON r.id = t.role
JOIN entry e ON e.id = t.entry JOIN log m ON m.id = e.log WHERE k.state <> 'read'
"""
