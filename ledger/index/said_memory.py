"""What a sync remembers of records about rights, so that a record that rests on others costs no query.

A grant rests on a grant, a delivery on an agreement and on the delivery before. As with the other parts of
`memory`: a batch tells in advance what it will ask, and what was not flushed is always here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from ledger.core.records import Agreement, Attestation, Delivery, Grant, Revocation, Settlement, Statement
from ledger.index.kinds import ACCEPTED
from ledger.index.schema import short
from ledger.index.verification import decode_checked
from ledger.index.writer import Writer, listed

_REMEMBERED = 10_000  # records: about 30 MB


class Known(Struct, gc=False):
    """What a record says and its entry (row id), the first step that follows it, and the block in which it
    was taken back.
    """

    statement: Statement | None = None
    row: int = 0
    follower: bytes | None = None
    revoked: int | None = None


class SaidMemory:
    """Accepted records about rights, and registrations that name an arbiter, by record id (32 bytes)."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._known: dict[bytes, Known] = {}

    def get(self, record: bytes) -> Known:
        """Return what is known of a record; without a statement if it is none that is kept."""
        if record not in self._known:
            self.prefetch((record,))
        return self._known[record]

    def note(self, record: bytes, row: int, statement: Statement, follows: bytes | None) -> None:
        """Note a record that was accepted now, and which step it follows."""
        self._known[record] = Known(statement, row)
        if follows is not None:
            before = self.get(follows)
            before.follower = before.follower or record

    def note_revoked(self, record: bytes, block: int) -> None:
        """Note that a record was taken back in this block."""
        known = self.get(record)
        known.revoked = block if known.revoked is None else known.revoked

    def prefetch(self, records: Iterable[bytes]) -> None:
        """Look up many records with one query."""
        missing = [record for record in records if record not in self._known]
        if not missing:
            return
        wanted = {record: Known() for record in missing}
        database = self._writer.database
        keys = listed([short(record) for record in wanted])
        for record, row, payload, follower, revoked in database.rows(_KNOWN, keys, ACCEPTED):
            if record in wanted:
                said = None if payload is None else decode_checked(payload)
                wanted[record] = Known(said, row, follower, revoked)
        self._known.update(wanted)

    def forget(self, *, everything: bool = False) -> None:
        """Bound the memory; only right after a flush."""
        if everything or len(self._known) > _REMEMBERED:
            self._known.clear()


def rests_on(statement: Statement) -> Iterator[bytes]:
    """Yield the ids of the records that the rules will ask for when they judge this one."""
    predicate = statement.predicate
    named: tuple[str, ...] = ()
    if isinstance(predicate, Delivery):
        named = (predicate.agreement, predicate.previous)
    elif isinstance(predicate, Grant):
        named = (predicate.under,)
    elif isinstance(predicate, Agreement):
        named = (predicate.under, predicate.previous)
    elif isinstance(predicate, Settlement):
        named = (predicate.under, predicate.agreement)
    elif isinstance(predicate, Attestation | Revocation):
        named = (predicate.target,)
    for record in named:
        if record:
            yield bytes.fromhex(record)


_KNOWN = """
SELECT e.record, e.id, s.payload,
  (SELECT f.record FROM said n JOIN entry f ON f.id = n.entry WHERE n.previous = e.record
   ORDER BY n.id LIMIT 1),
  (SELECT min(x.block) FROM revoked x WHERE x.target = e.record)
FROM json_each(?) j CROSS JOIN entry e ON e.short = j.value LEFT JOIN said s ON s.entry = e.id
WHERE e.verdict = ?
"""
