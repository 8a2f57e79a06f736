"""The facts about rights (`core.rights_facts`), out of the tables, as of the end of one block.

What is pending does not count, nor what is of a later block: the answer to a question about the past is the
one that was right then.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ledger.core.digests import ASSET, DECLARED, asset_digest, target_of_asset, target_of_record
from ledger.core.names import namespace_of
from ledger.core.records import Statement
from ledger.core.records_rights import Kind
from ledger.core.rights_facts import Given, Source, SourceKind, Taken
from ledger.index.database import Database
from ledger.index.kinds import ACCEPTED, ALGORITHMS, CLOSED, UNVERSIONED
from ledger.index.schema import short
from ledger.index.verification import decode_checked

Row = tuple[bytes, bytes, int, int, int, str, str]


class Rights:
    """Answers `RightsFacts` for the end of `block`; one object is for one question or a few."""

    def __init__(self, database: Database, block: int) -> None:
        self._database = database
        self._block = block
        self._assets: dict[str, int] = {}
        self._timelines: dict[str, list[tuple[int, bytes]]] = {}
        self._stopped: list[tuple[bytes, bytes]] | None = None

    # --- what was said

    def given(self, record_id: bytes) -> Given | None:
        """Return an accepted record about rights, or a registration with an arbiter."""
        rows = self._database.rows(_GIVEN, short(record_id), record_id, ACCEPTED, self._block)
        return _given(rows[0]) if rows else None

    def said(self, record_id: bytes) -> Statement | None:
        """Return what such a record says."""
        given = self.given(record_id)
        return None if given is None else given.statement

    def follower(self, record_id: bytes) -> bytes | None:
        """Return the step that follows another."""
        following: bytes | None = self._database.scalar(_FOLLOWER, record_id, self._block)
        return following

    def given_to(self, name: str, party: bytes) -> list[Given]:
        """Return the grants and agreements about a name to a party or to everybody, void ones too."""
        asset, number = self._split(name)
        rows = self._database.rows(_GRANTED, asset, party, number, self._block)
        found: dict[bytes, Given] = {}
        for given in map(_given, rows):  # a record that is void in one log may count in another
            known = found.get(given.record)
            if known is None or (known.void and not given.void):
                found[given.record] = given
        return list(found.values())

    def may_give(self, name: str) -> set[bytes]:
        """Return who ever held the asset, and who may pass on rights in the name."""
        asset, number = self._split(name)
        takers = self._database.rows(_TAKERS, asset, number, ACCEPTED, self._block)
        return {party for (party,) in takers} | self.holders(name.partition("@")[0])

    def attestations(self, kind: Kind, asset: str) -> list[Given]:
        """Return the attestations of a kind about an asset or its versions."""
        rows = self._database.rows(_ATTESTED, self._asset(asset), kind, self._block)
        return [_given(row) for row in rows]

    def answers(self, record_id: bytes) -> list[Given]:
        """Return the attestations about a record."""
        return [_given(row) for row in self._database.rows(_ANSWERS, record_id, self._block)]

    # --- what was taken back

    def revocations(self, record_id: bytes) -> list[Taken]:
        """Return the revocations of a record that took effect."""
        rows = self._database.rows(_REVOCATIONS, record_id, self._block)
        return [Taken(record, effective or "") for record, effective in rows]

    def posted_block(self, record_id: bytes, target: bytes, parties: Collection[bytes]) -> int | None:
        """Return the block in which one of these first posted a record against another."""
        rows = self._database.rows(_POSTS, target_of_record(target), self._block)
        return min(
            (block for by, record, block in rows if record == record_id and by in parties), default=None
        )

    def unknown_posts(self, target: bytes, parties: Collection[bytes]) -> list[bytes]:
        """Return what these posted against a record and is not known."""
        rows = self._database.rows(_POSTS, target_of_record(target), self._block)
        return [record for by, record, _ in rows if by in parties and not self._is_known(record)]

    def _is_known(self, record: bytes) -> bool:
        return self._database.one(_KNOWN, short(record), record, ACCEPTED, self._block) is not None

    # --- who holds it

    def holder(self, asset: str) -> bytes | None:
        """Return who holds an asset at the end of the block."""
        timeline = self._timeline(asset)
        return timeline[-1][1] if timeline else None

    def held_at(self, asset: str, block: int) -> bytes | None:
        """Return the holder for records anchored in a block: who had it from a transfer *before* it."""
        moved = [party for since, party in self._moves(asset) if since < block]
        if moved:
            return moved[-1]
        owned = [party for since, party in self._owners(asset) if since <= block]
        return owned[-1] if owned else None

    def holders(self, asset: str) -> set[bytes]:
        """Return who ever held an asset."""
        return {party for _, party in self._timeline(asset)}

    def is_holder_known(self, asset: str) -> bool:
        """Tell whether no holder posted what is not known, before or while it held the asset."""
        target = target_of_asset(asset_digest(self._database.ledger_id, asset))
        timeline = self._timeline(asset)
        ends = [*(since for since, _ in timeline[1:]), self._block + 1]
        for by, record, block in self._database.rows(_POSTS, target, self._block):
            held_on = any(party == by and block < end for (_, party), end in zip(timeline, ends, strict=True))
            if held_on and not self._is_known(record):
                return False
        return True

    def _timeline(self, asset: str) -> list[tuple[int, bytes]]:
        """Return who held an asset from which block on: a transfer outweighs the namespace's owner."""
        if asset not in self._timelines:
            moves, owners = self._moves(asset), self._owners(asset)
            until = moves[0][0] if moves else self._block + 1
            self._timelines[asset] = [each for each in owners if each[0] <= until] + moves
        return self._timelines[asset]

    def _moves(self, asset: str) -> list[tuple[int, bytes]]:
        return [(since, party) for since, party in self._database.rows(_MOVES, asset, self._block)]

    def _owners(self, asset: str) -> list[tuple[int, bytes]]:
        rows = self._database.rows(_OWNERS, namespace_of(asset), self._block)
        return [(since, party) for since, party in rows]

    # --- assets and what they were made from

    def registration(self, asset: str) -> bytes | None:
        """Return the record that registered an asset."""
        record: bytes | None = self._database.scalar(_REGISTRATION, asset, self._block)
        return record

    def content(self, version: str) -> tuple[str, str] | None:
        """Return the digest of a version."""
        asset, number = self._split(version)
        row = self._database.one(_CONTENT, asset, number, self._block)
        return None if row is None else (ALGORITHMS[row[0]], row[1].hex())

    def sources(self, name: str) -> list[Source]:
        """Return what a version, or any version of an asset, was made from."""
        asset, number = self._split(name)
        query = _SOURCES_OF_VERSION if number else _SOURCES_OF_ASSET
        rows = self._database.rows(query, asset, self._block, number)
        return [
            Source(
                f"{of}@{n}" if n else of, self._kind(of, ALGORITHMS[alg], n, bool(known), bool(registered))
            )
            for of, n, alg, known, registered in rows
        ]

    def _kind(self, asset: str, alg: str, number: int, known: bool, registered: bool) -> SourceKind:
        """Say what is known of an input: of one whose version nobody knows, whether its asset is recorded."""
        if known:
            return "declared" if alg == DECLARED else "observed"
        if number == UNVERSIONED and alg == ASSET and registered:
            return "observed"
        return "unknown" if self.missing_logs(self.holders(asset)) else "unregistered"

    # --- what can't be had

    def missing_logs(self, parties: Collection[bytes]) -> Sequence[bytes]:
        """Return the logs of these parties or of their record delegates that stop before their end."""
        if self._stopped is None:
            self._stopped = [(log, who) for log, who in self._database.rows(_STOPPED, CLOSED, self._block)]
        if not self._stopped:
            return []
        signers = set(parties)
        for party in parties:
            signers.update(who for (who,) in self._database.rows(_DELEGATES, party, self._block))
        return [log for log, who in self._stopped if who in signers]

    def _split(self, name: str) -> tuple[int, int]:
        asset, _, number = name.partition("@")
        return self._asset(asset), int(number) if number else UNVERSIONED

    def _asset(self, name: str) -> int:
        if name not in self._assets:
            self._assets[name] = self._database.scalar("SELECT id FROM asset WHERE name = ?", name) or 0
        return self._assets[name]


def _given(row: tuple[object, ...]) -> Given:
    record, payload, block, time, verdict, reason, message = row
    assert isinstance(record, bytes)
    assert isinstance(payload, bytes)
    assert isinstance(block, int)
    assert isinstance(time, int)
    void = "" if verdict == ACCEPTED else f"{reason}: {message}"
    return Given(record, decode_checked(payload), block, time, void)


_COLUMNS = "e.record, s.payload, e.block, b.time, e.verdict, e.reason, e.message"
_JOINS = "JOIN said s ON s.entry = e.id JOIN block b ON b.number = e.block"
_GIVEN = f"""
SELECT {_COLUMNS} FROM entry e {_JOINS}
WHERE e.short = ? AND e.record = ? AND e.verdict = ? AND e.block <= ?
"""  # noqa: S608 - names of ours, here and below
_FOLLOWER = """
SELECT e.record FROM said s JOIN entry e ON e.id = s.entry WHERE s.previous = ? AND s.block <= ?
ORDER BY s.id LIMIT 1
"""
_GRANTED = f"""
SELECT {_COLUMNS} FROM granted g JOIN entry e ON e.id = g.entry {_JOINS}
WHERE g.asset = ?1 AND g.taker IN (0, (SELECT id FROM party WHERE address = ?2)) AND g.number IN (0, ?3)
  AND g.block <= ?4 ORDER BY g.id
"""  # noqa: S608
_TAKERS = """
SELECT DISTINCT p.address FROM granted g JOIN entry e ON e.id = g.entry JOIN party p ON p.id = g.taker
WHERE g.asset = ? AND g.onward = 1 AND g.number IN (0, ?) AND e.verdict = ? AND g.block <= ?
"""
_ATTESTED = f"""
SELECT DISTINCT {_COLUMNS} FROM attested a JOIN entry e ON e.id = a.entry {_JOINS}
WHERE a.asset = ? AND a.kind = ? AND a.block <= ? ORDER BY e.id
"""  # noqa: S608
_ANSWERS = f"""
SELECT DISTINCT {_COLUMNS} FROM attested a JOIN entry e ON e.id = a.entry {_JOINS}
WHERE a.target = ? AND a.block <= ? ORDER BY e.id
"""  # noqa: S608
_REVOCATIONS = """
SELECT e.record, r.effective
FROM revoked x JOIN revocation r ON r.entry = x.entry JOIN entry e ON e.id = x.entry
WHERE x.target = ? AND x.block <= ? ORDER BY x.id
"""
_POSTS = """
SELECT p.address, o.record, o.block FROM posting o JOIN party p ON p.id = o.party
WHERE o.target = ? AND o.block <= ? ORDER BY o.id
"""
_KNOWN = "SELECT 1 FROM entry WHERE short = ? AND record = ? AND verdict = ? AND block <= ?"
_MOVES = """
SELECT h.block, p.address FROM holder h JOIN asset a ON a.id = h.asset JOIN party p ON p.id = h.party
WHERE a.name = ? AND h.block <= ? ORDER BY h.id
"""
_OWNERS = """
SELECT n.block, p.address FROM namespace n JOIN party p ON p.id = n.party
WHERE n.name = ? AND n.block <= ? ORDER BY n.n
"""
_REGISTRATION = """
SELECT e.record FROM registration r JOIN asset a ON a.id = r.asset JOIN entry e ON e.id = r.entry
WHERE a.name = ? AND r.block <= ?
"""
_CONTENT = """
SELECT n.alg, n.digest FROM version v JOIN node n ON n.id = v.node
WHERE v.asset = ? AND v.number = ? AND v.block <= ?
"""
# what a node was made from; content that was used before its version was known leads to that version
_SOURCES = """
SELECT DISTINCT a.name, i.number, i.alg,
  EXISTS (SELECT 1 FROM version w WHERE w.node = i.id AND w.block <= ?2),
  EXISTS (SELECT 1 FROM registration r WHERE r.asset = i.asset AND r.block <= ?2)
FROM node n JOIN edge d ON d.output = n.id AND d.activity > 0 AND d.block <= ?2
LEFT JOIN edge z ON z.output = d.input AND z.activity = 0 AND z.block <= ?2
JOIN node i ON i.id = ifnull(z.input, d.input) JOIN asset a ON a.id = i.asset
WHERE n.asset = ?1 AND """
_SOURCES_OF_VERSION = f"{_SOURCES} n.number = ?3 ORDER BY a.name, i.number"
_SOURCES_OF_ASSET = f"{_SOURCES} ?3 = 0 ORDER BY a.name, i.number"
_STOPPED = """
SELECT DISTINCT l.log, p.address FROM stop t JOIN log l ON l.id = t.log JOIN party p ON p.id = l.party
WHERE t.reason <> ? AND t.block <= ? ORDER BY l.log
"""
_DELEGATES = """
SELECT d.delegate FROM delegate d JOIN party p ON p.id = d.party
WHERE p.address = ? AND d.type = 'record' AND d.block <= ?
"""
