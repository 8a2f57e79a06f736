"""The facts that the rules of authority ask for, out of the tables.

During a sync they hold as of the end of the block that is being applied: its events are in the tables before
its records are judged, and nothing later is. What the records of the same block say is in the sync's memory.
"""

from __future__ import annotations

from ledger.core.authority import Accepted, KeyState
from ledger.core.names import namespace_of
from ledger.core.records import Statement
from ledger.index.kinds import ACCEPTED
from ledger.index.memory import Assets
from ledger.index.record_types import TYPES
from ledger.index.said_memory import SaidMemory
from ledger.index.schema import short
from ledger.index.writer import Writer

_REMEMBERED = 50_000


class Facts:
    """Answers for the block being applied; call `refresh` when the tables of chain facts changed."""

    def __init__(self, writer: Writer, assets: Assets, said: SaidMemory | None = None) -> None:
        self._writer = writer
        self._database = writer.database
        self._assets = assets
        self._said = said or SaidMemory(writer)
        self._keys: dict[tuple[bytes, bytes], KeyState | None] = {}
        self._delegates: dict[tuple[bytes, str, bytes], KeyState | None] = {}
        self._deactivated: dict[bytes, int] = {}
        self._owners: dict[str, bytes | None] = {}

    def refresh(self) -> None:
        """Forget what was remembered of the chain."""
        for known in (self._keys, self._delegates, self._deactivated, self._owners):
            known.clear()

    def bound(self) -> None:
        """Keep the memory small."""
        known = len(self._keys) + len(self._delegates) + len(self._deactivated) + len(self._owners)
        if known > _REMEMBERED:
            self.refresh()

    def key(self, identity: bytes, key: bytes) -> KeyState | None:
        """Return the slot of a record key (32 bytes) of an identity, None if it was never published."""
        place = (identity, key)
        if place not in self._keys:
            row = self._database.one(_KEY, identity, key)
            self._keys[place] = None if row is None else KeyState(*row)
        return self._keys[place]

    def delegate(self, identity: bytes, kind: str, delegate: bytes) -> KeyState | None:
        """Return the slot of a delegate (20 bytes) of this type, None if it was never added."""
        place = (identity, kind, delegate)
        if place not in self._delegates:
            row = self._database.one(_DELEGATE, identity, kind, delegate)
            self._delegates[place] = None if row is None else KeyState(*row)
        return self._delegates[place]

    def deactivated_block(self, identity: bytes) -> int:
        """Return the block in which the identity was deactivated, 0 if it was not."""
        if identity not in self._deactivated:
            self._deactivated[identity] = self._database.scalar(_DEACTIVATED, identity, bytes(20)) or 0
        return self._deactivated[identity]

    def namespace_owner(self, name: str, block: int) -> bytes | None:  # noqa: ARG002 - one block at a time
        """Return the party (20 bytes) that owns a namespace, None if nobody claimed it."""
        if name not in self._owners:
            self._owners[name] = self._database.scalar(_OWNER, name)
        return self._owners[name]

    def holder(self, asset: str, block: int) -> bytes | None:
        """Return the holder: to whom it was transferred before this block, else its namespace's owner."""
        known = self._assets.get(asset)
        if known is not None and known.holder is not None:
            return known.holder
        return self.namespace_owner(namespace_of(asset), block)

    def asset(self, asset: str) -> bytes | None:
        """Return the id of the record that registered the asset, None if nobody did."""
        known = self._assets.get(asset)
        return None if known is None else known.registration

    def version(self, asset: str, number: int) -> bytes | None:
        """Return the id of the record of this version, None if there is none."""
        known = self._assets.get(asset)
        if known is None or number > known.number:
            return None
        if number == known.number:
            return known.record
        self._writer.flush()
        record: bytes | None = self._database.scalar(_VERSION, known.id, number)
        return record

    def record(self, record_id: bytes) -> Accepted | None:
        """Return the type and the authors of an accepted record, None if there is none."""
        self._writer.flush()
        row = self._database.one(_RECORD, short(record_id), record_id, ACCEPTED)
        if row is None:
            return None
        entry, kind, author = row
        others = self._database.rows(_COAUTHORS, entry)
        return Accepted(TYPES[kind], [author, *(address for (address,) in others)])

    def said(self, record_id: bytes) -> Statement | None:
        """Return what an accepted record about rights says, or a registration that names an arbiter."""
        return self._said.get(record_id).statement

    def follower(self, record_id: bytes) -> bytes | None:
        """Return the first step that names this one as the step before and might follow it."""
        return self._said.get(record_id).follower

    def revoked_block(self, record_id: bytes) -> int | None:
        """Return the block in which the record was taken back, None if it was not."""
        return self._said.get(record_id).revoked


_RECORD = """
SELECT e.id, e.kind, p.address FROM entry e JOIN party p ON p.id = e.party
WHERE e.short = ? AND e.record = ? AND e.verdict = ?
"""
_COAUTHORS = "SELECT p.address FROM coauthor c JOIN party p ON p.id = c.party WHERE c.entry = ? ORDER BY c.id"
_KEY = """
SELECT k.block, ifnull((SELECT min(r.block) FROM key_revoked r WHERE r.key = k.id), 0), k.valid_to
FROM party p JOIN key k ON k.party = p.id WHERE p.address = ? AND k.key = ?
"""
_DELEGATE = """
SELECT d.block, ifnull((SELECT min(r.block) FROM delegate_revoked r WHERE r.delegate = d.id), 0), d.valid_to
FROM party p JOIN delegate d ON d.party = p.id WHERE p.address = ? AND d.type = ? AND d.delegate = ?
"""
_DEACTIVATED = """
SELECT min(o.block) FROM party p JOIN owner o ON o.party = p.id WHERE p.address = ? AND o.owner = ?
"""
_OWNER = """
SELECT p.address FROM namespace n JOIN party p ON p.id = n.party WHERE n.name = ? ORDER BY n.n DESC LIMIT 1
"""
_VERSION = """
SELECT e.record FROM version v JOIN entry e ON e.id = v.entry WHERE v.asset = ? AND v.number = ?
"""
