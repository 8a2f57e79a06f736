"""What a record speaks of, in a few words for a listing."""

from __future__ import annotations

from typing import Final

from ledger.index.database import Database
from ledger.index.kinds import DUPLICATE
from ledger.index.schema import short
from ledger.index.verification import decode_checked

ABOUT: Final = ("", "registration", "version", "transfer", "step", "revocation", *("said",) * 5)
"""The table whose row `entry.about` names, by the code in `entry.kind`."""

_MOST = 3


def subject(database: Database, kind: int, about: int | None, record: bytes | None, verdict: int) -> str:
    """Return what an entry speaks of; of a rejected one the index keeps nothing."""
    if verdict == DUPLICATE and record is not None:
        about = database.scalar(_ACCEPTED, short(record), record)
    if about is None:
        return ""
    rows = database.rows(_SUBJECTS[ABOUT[kind]], about)
    names = [name for (found,) in rows for name in (_named(found) if ABOUT[kind] == "said" else [found])]
    more = len(names) - _MOST
    return ", ".join(names[:_MOST]) + (f" and {more} more" if more > 0 else "")


def _named(payload: bytes) -> list[str]:
    """Return the names that a record is about; read, not searched: JSON has many spellings."""
    return [each.name for each in decode_checked(payload).subject]


_ACCEPTED = "SELECT about FROM entry WHERE short = ? AND record = ? AND verdict = 0"
_SUBJECTS = {
    "registration": "SELECT a.name FROM registration r JOIN asset a ON a.id = r.asset WHERE r.id = ?",
    "version": "SELECT a.name || '@' || v.number FROM version v JOIN asset a ON a.id = v.asset "
    "WHERE v.id = ?",
    "transfer": "SELECT a.name FROM transfer t JOIN asset a ON a.id = t.asset WHERE t.id = ?",
    "revocation": "SELECT lower(hex(r.target)) FROM revocation r WHERE r.id = ?",
    "said": "SELECT s.payload FROM said s WHERE s.id = ?",
    # its outputs, those too that it was only to make; without any, the run
    "step": """
        WITH made(node) AS (
          SELECT d.output FROM step s JOIN edge d ON d.id >= s.first_edge AND d.id < s.next_edge
          WHERE s.id = ?1
          UNION SELECT o.node FROM step s JOIN loose o ON o.activity = s.activity AND o.entry = s.entry
          WHERE s.id = ?1 AND o.role = 1)
        SELECT * FROM (
          SELECT a.name || CASE n.number WHEN 0 THEN '' ELSE '@' || n.number END AS name
          FROM made JOIN node n ON n.id = made.node JOIN asset a ON a.id = n.asset ORDER BY name)
        UNION ALL SELECT 'run:' || v.run FROM step s JOIN activity v ON v.id = s.activity
        WHERE s.id = ?1 AND NOT EXISTS (SELECT 1 FROM made)
    """,
}
