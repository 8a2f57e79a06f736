"""The facts about rights (`core.rights_facts`), out of the tables, as of the end of one block.

What is pending does not count, nor what is of a later block: the answer to a question about the past is the
one that was right then. Blocks of the same second are told apart by nanoseconds, and what takes effect with a
block comes one nanosecond after what is anchored in it: so that moments order things as the rules do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import pairwise

from ledger.core.digests import ASSET, DECLARED, asset_digest, target_of_asset
from ledger.core.identity import format_did, parse_did
from ledger.core.instants import NANOSECONDS
from ledger.core.names import namespace_of
from ledger.core.records import Registration, Statement
from ledger.core.rights_facts import Attested, Given, Span
from ledger.index.database import Database
from ledger.index.kinds import ACCEPTED, ALGORITHMS, CLOSED, CODE
from ledger.index.rights_said import SaidOfRights
from ledger.index.schema import short


class Rights:
    """Answers `RightsFacts` for the end of `block`; one object is for one question or a few."""

    def __init__(self, database: Database, chain_id: int, block: int) -> None:
        self._database = database
        self._chain_id = chain_id
        self._block = block
        self._said = SaidOfRights(database, self, block)
        self._moments: dict[int, int] = {}
        self._registered: dict[str, bytes | None] = {}
        self._timelines: dict[str, list[tuple[int, bytes]]] = {}
        self._attested: dict[str, list[Attested]] = {}
        self._stopped: list[tuple[bytes, bytes]] | None = None

    def moment(self, block: int) -> int:
        """Return when a block was, in nanoseconds; records of it are anchored then."""
        if block not in self._moments:
            time, before = self._database.one(_MOMENT, block) or (0, 0)
            self._moments[block] = time * NANOSECONDS + 2 * before
        return self._moments[block]

    # --- grants and attestations

    def grants(self, asset: str, party: str) -> list[Given]:
        """Return the grants and final agreements about an asset to a party or to everybody, void ones too."""
        return self._said.grants(asset, parse_did(party)[1])

    def given(self, record: str) -> Given | None:
        """Return a grant or final agreement."""
        return self._said.given(bytes.fromhex(record))

    def said(self, record_id: bytes) -> Statement | None:
        """Return what an accepted record about rights says."""
        return self._said.said(record_id)

    def content(self, asset: str, number: int) -> tuple[str, str] | None:
        """Return digest name and hex digest of a recorded version."""
        row = self._database.one(_CONTENT, asset, number, self._block)
        return None if row is None else (ALGORITHMS[row[0]], row[1].hex())

    def attestations(self, asset: str) -> list[Attested]:
        """Return what is attested of an asset or its versions."""
        if asset not in self._attested:
            self._attested[asset] = self._said.attestations(asset)
        return self._attested[asset]

    def frozen(self, asset: str) -> list[Span]:
        """Return when the arbiter named in the registration had the asset frozen."""
        record = self._registration(asset)
        said = None if record is None else self._said.of(record)
        return [] if said is None else self._said.freezes(said.record)

    def revoked_ns(self, record: bytes) -> int | None:
        """Return the moment from which a record is taken back, None if it is not."""
        return self._said.revoked_ns(record)

    # --- who holds it

    def holder(self, asset: str, at_ns: int) -> str | None:
        """Return who held a registered asset at a moment."""
        if self._registration(asset) is None:
            return None
        held = [party for since, party in self._timeline(asset) if since <= at_ns]
        return format_did(self._chain_id, held[-1]) if held else None

    def holders(self, asset: str) -> set[bytes]:
        """Return who ever held an asset, registered or not."""
        return {party for _, party in self._timeline(asset)}

    def _timeline(self, asset: str) -> list[tuple[int, bytes]]:
        """Return from which moment on who held an asset: a transfer outweighs the namespace's owner."""
        if asset not in self._timelines:
            rows = self._database.rows
            moves = [(self.moment(b) + 1, who) for b, who in rows(_MOVES, asset, self._block)]
            owners = [(self.moment(b), who) for b, who in rows(_OWNERS, namespace_of(asset), self._block)]
            self._timelines[asset] = [each for each in owners if not moves or each < moves[0]] + moves
        return self._timelines[asset]

    # --- lineage

    def inputs(self, name: str) -> list[str]:
        """Return what a version, or any version of an asset, was made from."""
        asset, _, number = name.partition("@")
        if not number:
            rows = self._database.rows(_INPUTS, asset, self._block)
        elif number.isdecimal():
            rows = self._database.rows(_INPUTS_OF_VERSION, asset, self._block, int(number))
        else:
            return []  # content that nobody recorded
        return [_name(*row) for row in rows]

    def unproven(self, name: str, maker: str) -> str:
        """Say why nothing can be told of an input, if the maker does not hold it."""
        asset, _, number = name.partition("@")
        if maker and parse_did(maker)[1] == next((who for _, who in reversed(self._timeline(asset))), None):
            return ""
        if self._registration(asset) is None:
            return "nobody recorded it"
        if not number:
            return ""
        if not number.isdecimal():
            return "nobody recorded this content"
        alg = self._database.scalar(_DIGEST_NAME, asset, int(number), self._block)
        return "it was named, nobody hashed it" if alg == CODE[DECLARED] else ""

    def _registration(self, asset: str) -> bytes | None:
        if asset not in self._registered:
            self._registered[asset] = self._database.scalar(_REGISTRATION, asset, self._block)
        return self._registered[asset]

    # --- what can't be had

    def doubts(self, asset: str) -> Iterator[str]:
        """Say what of its holders could not be had: a log, or the record of something they posted."""
        for log in self._missing(self.holders(asset)):
            yield f"log {log.hex()}, of who held {asset}, can't be had"
        for record in self._open_posts(asset):
            yield f"a holder of {asset} posted {record.hex()}, which can't be had"
        registration = self._registration(asset)
        said = None if registration is None else self._said.of(registration)
        if said is not None and isinstance(said.statement.predicate, Registration):
            doubt = self._said.doubt(said, [parse_did(said.statement.predicate.arbiter)[1]])
            if doubt:
                yield f"the registration of {asset}: {doubt}"

    def hidden(self, asset: str, party: str) -> Iterator[str]:
        """Say which logs of those who may pass on rights in the asset, and of the party, can't be had."""
        if not self._stops():
            return
        takers = self._database.rows(_TAKERS, asset, ACCEPTED, self._block)
        for log in self._missing({parse_did(party)[1], *(who for (who,) in takers)}):
            yield f"log {log.hex()} may say more, and can't be had"

    def missing(self, asset: str, party: str = "") -> list[bytes]:
        """Return the logs that can't be had of an asset's holders; or of who may have given `party` one."""
        if not party:
            return self._missing(self.holders(asset))
        takers = self._database.rows(_TAKERS, asset, ACCEPTED, self._block) if self._stops() else []
        return self._missing({parse_did(party)[1], *(who for (who,) in takers)})

    def _missing(self, parties: Collection[bytes]) -> list[bytes]:
        """Return the logs of these parties, or of who may sign for them, that stop before their end."""
        if not self._stops():
            return []
        signers = set(parties)
        for party in parties:
            signers.update(who for (who,) in self._database.rows(_DELEGATES, party, self._block))
        return [log for log, who in self._stops() if who in signers]

    def _stops(self) -> list[tuple[bytes, bytes]]:
        """Return the logs that stop before their end, and whose they are."""
        if self._stopped is None:
            self._stopped = [(log, who) for log, who in self._database.rows(_STOPPED, CLOSED, self._block)]
        return self._stopped

    def _open_posts(self, asset: str) -> Iterator[bytes]:
        """Yield the ids posted by who held the asset then or later, and whose records are not known."""
        target = target_of_asset(asset_digest(self._database.ledger_id, asset))
        spans = [*self._timeline(asset), (self.moment(self._block) + 2, b"")]
        for by, record, block in self.posts(target):
            moment = self.moment(block)
            held = any(who == by and moment < end for (_, who), (end, _) in pairwise(spans))
            if held and not self.is_known(record):
                yield record

    def posts(self, target: bytes) -> Iterable[tuple[bytes, bytes, int]]:
        """Return who posted what against a target, and the block."""
        return ((by, record, block) for by, record, block in self._database.rows(_POSTS, target, self._block))

    def is_known(self, record: bytes) -> bool:
        """Tell whether a record was accepted by then."""
        return self._database.one(_KNOWN, short(record), record, ACCEPTED, self._block) is not None


def _name(asset: str, number: int, alg: int, digest: bytes, known: int) -> str:
    """Name an input; one whose content nobody recorded under its name, by its digest."""
    if known:
        return f"{asset}@{number}"
    return asset if ALGORITHMS[alg] == ASSET else f"{asset}@{ALGORITHMS[alg]}:{digest.hex()}"


_MOMENT = """
SELECT b.time, (SELECT count(*) FROM block c WHERE c.number < b.number AND c.number > ifnull(
  (SELECT d.number FROM block d WHERE d.number < b.number AND d.time < b.time ORDER BY d.number DESC LIMIT 1),
  -1)) FROM block b WHERE b.number = ?
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
SELECT n.alg, n.digest FROM version v JOIN node n ON n.id = v.node JOIN asset a ON a.id = v.asset
WHERE a.name = ? AND v.number = ? AND v.block <= ?
"""
_DIGEST_NAME = """
SELECT n.alg FROM version v JOIN node n ON n.id = v.node JOIN asset a ON a.id = v.asset
WHERE a.name = ? AND v.number = ? AND v.block <= ?
"""
# what nodes were made from; content that was used before its version was known leads to that version
_INPUTS = """
SELECT DISTINCT b.name, i.number, i.alg, i.digest,
  EXISTS (SELECT 1 FROM version w WHERE w.node = i.id AND w.block <= ?2)
FROM asset a JOIN node n ON n.asset = a.id
JOIN edge d ON d.output = n.id AND d.activity > 0 AND d.block <= ?2
LEFT JOIN edge z ON z.output = d.input AND z.activity = 0 AND z.block <= ?2
JOIN node i ON i.id = ifnull(z.input, d.input) JOIN asset b ON b.id = i.asset
WHERE a.name = ?1"""
_INPUTS_OF_VERSION = f"{_INPUTS} AND n.number = ?3"
_TAKERS = """
SELECT DISTINCT p.address FROM granted g JOIN asset a ON a.id = g.asset JOIN entry e ON e.id = g.entry
JOIN party p ON p.id = g.taker WHERE a.name = ? AND g.onward = 1 AND e.verdict = ? AND g.block <= ?
"""
_STOPPED = """
SELECT DISTINCT l.log, p.address FROM stop t JOIN log l ON l.id = t.log JOIN party p ON p.id = l.party
WHERE t.reason <> ? AND t.block <= ? ORDER BY l.log
"""
_DELEGATES = """
SELECT d.delegate FROM delegate d JOIN party p ON p.id = d.party
WHERE p.address = ? AND d.type = 'record' AND d.block <= ?
"""
