"""A record as people name it: by the first digits of its id."""

from __future__ import annotations

from ledger.core.errors import NotFound, Usage
from ledger.index.views import EntryView
from ledger.service.context import Context


def recorded(context: Context, prefix: str) -> tuple[EntryView, bytes]:
    """Return the record that counts whose id begins so, and its id; raises NotFound, Usage."""
    rows = [row for row in context.index.find_records(prefix) if row.verdict == "accepted"]
    ids = {row.record for row in rows if row.record is not None}
    if len(ids) > 1:
        raise Usage(f"{len(ids)} records begin with {prefix}", hint="name more digits")
    if not ids:
        raise NotFound(f"no record that counts begins with {prefix}", hint="dataledger log lists records")
    return rows[0], ids.pop()
