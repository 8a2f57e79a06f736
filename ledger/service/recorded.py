"""Which record about rights is meant: by its id, or by the first digits of it."""

from __future__ import annotations

from msgspec import Struct

from ledger.core.errors import NotFound, Usage
from ledger.core.records import Statement
from ledger.index.views import EntryView
from ledger.service.context import Context


class Recorded(Struct, frozen=True):
    """A record that counts: its id (32 bytes), where it stands, and what it says."""

    record: bytes
    row: EntryView
    statement: Statement


def record_id(context: Context, digits: str) -> bytes:
    """Return the id of the record that counts and begins with these hex digits; raises NotFound, Usage."""
    row = counting(context, digits)
    assert row.record is not None, "what counts has an id"
    return row.record


def recorded(context: Context, digits: str, *types: str) -> Recorded:
    """Return a record about rights of one of these types (`agreement`, ...); raises NotFound, Usage."""
    row = counting(context, digits)
    wanted = " or ".join(types)
    statement = context.index.facts().said(row.record) if row.record and row.type in types else None
    if row.record is None or statement is None:
        raise Usage(f"record {digits}: expected a record of type {wanted}, got one of type {row.type}")
    return Recorded(row.record, row, statement)


def counting(context: Context, digits: str) -> EntryView:
    """Return the first entry of the record that counts and begins with these hex digits; raises NotFound."""
    rows = [row for row in context.index.find_records(digits) if row.verdict == "accepted" and row.record]
    found = len({row.record for row in rows})
    if found != 1:
        raise NotFound(
            f"{found} records that count begin with {digits}"
            if found
            else f"no record that counts begins with {digits}",
            hint="dataledger log lists them; what stands in a log that is not read here is found once it is"
            " followed: dataledger follow",
        )
    return rows[0]
