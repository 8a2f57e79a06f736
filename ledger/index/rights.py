"""The facts about rights (`core.rights_facts`), out of the tables, as of the end of one block.

What is pending does not count, nor what is of a later block: the answer to a question about the past is the
one that was right then. Blocks of the same second are told apart by nanoseconds, and what takes effect with a
block comes one nanosecond after what is anchored in it: so that moments order things as the rules do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from ledger.core.digests import DECLARED, asset_digest, target_of_asset
from ledger.core.identity import format_did, parse_did
from ledger.core.names import namespace_of
from ledger.core.records import Registration, Statement
from ledger.core.rights_facts import Attested, Given, Span
from ledger.index.database import Database
from ledger.index.kinds import ACCEPTED, ALGORITHMS, CLOSED, CODE
from ledger.index.moments import moment_of
from ledger.index.rights_lineage import RightsLineage
from ledger.index.rights_said import SaidOfRights
from ledger.index.schema import short
from ledger.index.verification import decode_checked


class _Registered(NamedTuple):
    """What there is of an asset: the record that registered it and the arbiter (DID) that it names, both
    empty where there is none; and whether it ever changed hands.
    """

    record: bytes
    arbiter: str
    moved: bool


class Rights:
    """Answers `RightsFacts` for the end of `block`; one object is for one question or a few."""

    def __init__(self, database: Database, chain_id: int, block: int) -> None:
        self._database = database
        self._chain_id = chain_id
        self._block = block
        self._said = SaidOfRights(database, self, block)
        self._lineage = RightsLineage(database, block)
        self._moments: dict[int, int] = {}
        self._registered: dict[str, _Registered] = {}
        self._owners: dict[str, list[tuple[int, bytes]]] = {}
        self._timelines: dict[str, list[tuple[int, bytes]]] = {}
        self._held: dict[tuple[str, int], str | None] = {}
        self._grants: dict[tuple[str, str], list[Given]] = {}
        self._attested: dict[str, list[Attested]] = {}
        self._contents: dict[tuple[str, int], tuple[str, str] | None] = {}
        self._frozen: dict[str, list[Span]] = {}
        self._doubts: dict[str, list[str]] = {}
        self._posted: dict[bytes, list[tuple[bytes, bytes, int]]] = {}
        self._stopped: list[tuple[bytes, bytes]] | None = None

    def moment(self, block: int) -> int:
        """Return when a block was, in nanoseconds; records of it are anchored then."""
        if block not in self._moments:
            self._moments[block] = self._database.scalar(_MOMENT, block)
        return self._moments[block]

    # --- grants and attestations

    def grants(self, asset: str, party: str) -> list[Given]:
        """Return the grants and final agreements about an asset to a party or to everybody, void ones too."""
        if (asset, party) not in self._grants:
            self._grants[asset, party] = self._said.grants(asset, parse_did(party)[1])
        return self._grants[asset, party]

    def given(self, record: str) -> Given | None:
        """Return a grant or final agreement."""
        return self._said.given(bytes.fromhex(record))

    def said(self, record_id: bytes) -> Statement | None:
        """Return what an accepted record about rights says."""
        return self._said.said(record_id)

    def content(self, asset: str, number: int) -> tuple[str, str] | None:
        """Return digest name and hex digest of a recorded version."""
        if (asset, number) not in self._contents:
            row = self._database.one(_CONTENT, asset, number, self._block)
            self._contents[asset, number] = None if row is None else (ALGORITHMS[row[0]], row[1].hex())
        return self._contents[asset, number]

    def attestations(self, asset: str) -> list[Attested]:
        """Return what is attested of an asset or its versions."""
        if asset not in self._attested:
            self._attested[asset] = self._said.attestations(asset)
        return self._attested[asset]

    def frozen(self, asset: str) -> list[Span]:
        """Return when the arbiter named in the registration had the asset frozen."""
        if asset not in self._frozen:
            known = self._registration(asset)
            self._frozen[asset] = self._said.freezes(known.record, known.arbiter) if known.arbiter else []
        return self._frozen[asset]

    def revoked_ns(self, record: bytes) -> int | None:
        """Return the moment from which a record is taken back, None if it is not."""
        return self._said.revoked_ns(record)

    # --- who holds it

    def holder(self, asset: str, at_ns: int) -> str | None:
        """Return who held a registered asset at a moment."""
        if (asset, at_ns) not in self._held:
            self._held[asset, at_ns] = self._holder(asset, at_ns)
        return self._held[asset, at_ns]

    def _holder(self, asset: str, at_ns: int) -> str | None:
        if not self._registration(asset).record:
            return None
        held = [party for since, party in self._timeline(asset) if since <= at_ns]
        return format_did(self._chain_id, held[-1]) if held else None

    def holders(self, asset: str) -> set[bytes]:
        """Return who ever held an asset, registered or not."""
        return {party for _, party in self._timeline(asset)}

    def _timeline(self, asset: str) -> list[tuple[int, bytes]]:
        """Return from which moment on who held an asset: a transfer outweighs the namespace's owner."""
        if asset not in self._timelines:
            moved = self._registration(asset).moved
            rows = self._database.rows(_MOVES, asset, self._block) if moved else []
            moves = [(since + 1, who) for since, who in rows]
            owners = self._owners_of(namespace_of(asset))
            self._timelines[asset] = [each for each in owners if not moves or each < moves[0]] + moves
        return self._timelines[asset]

    def _owners_of(self, namespace: str) -> list[tuple[int, bytes]]:
        if namespace not in self._owners:
            rows = self._database.rows(_OWNERS, namespace, self._block)
            self._owners[namespace] = [(since, who) for since, who in rows]
        return self._owners[namespace]

    # --- lineage

    def inputs(self, name: str) -> list[str]:
        """Return what a version, or any version of an asset, was made from."""
        return self._lineage.inputs(name)

    def unproven(self, name: str, maker: str) -> str:
        """Say why nothing can be told of an input, if the maker does not hold it."""
        asset, _, number = name.partition("@")
        if maker and parse_did(maker)[1] == next((who for _, who in reversed(self._timeline(asset))), None):
            return ""
        if not self._registration(asset).record:
            return "nobody recorded it"
        if not number:
            return ""
        if not number.isdecimal():
            return "nobody recorded this content"
        return "it was named, nobody hashed it" if self._lineage.alg(name) == CODE[DECLARED] else ""

    def _registration(self, asset: str) -> _Registered:
        if asset not in self._registered:
            row = self._database.one(_REGISTRATION, asset, self._block)
            record, payload, moved = row or (None, None, False)
            predicate = None if payload is None else decode_checked(payload).predicate
            arbiter = predicate.arbiter if isinstance(predicate, Registration) else ""
            self._registered[asset] = _Registered(record or b"", arbiter, bool(moved))
        return self._registered[asset]

    # --- what can't be had

    def doubts(self, asset: str) -> list[str]:
        """Say what of its holders could not be had: a log, or the record of something they posted."""
        if asset not in self._doubts:
            self._doubts[asset] = [*self._doubts_of(asset)]
        return self._doubts[asset]

    def _doubts_of(self, asset: str) -> Iterator[str]:
        for log in self._missing(self.holders(asset)):
            yield f"log {log.hex()}, of who held {asset}, can't be had"
        for record in self._open_posts(asset):
            yield f"a holder of {asset} posted {record.hex()}, which can't be had"
        known = self._registration(asset)
        doubt = self._said.doubt(known.record, [parse_did(known.arbiter)[1]]) if known.arbiter else ""
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

    def posts(self, target: bytes) -> Sequence[tuple[bytes, bytes, int]]:
        """Return who posted what against a target, and the block."""
        if target not in self._posted:
            self.read_posts([target])
        return self._posted[target]

    def read_posts(self, targets: Sequence[bytes]) -> None:
        """Look up at once what was posted against these targets."""
        for at in range(0, len(targets), _PORTION):
            portion = targets[at : at + _PORTION]
            self._posted.update((target, []) for target in portion)
            query = _POSTS.format(", ".join("?" * len(portion)))
            for target, by, record, block in self._database.rows(query, *portion, self._block):
                self._posted[target].append((by, record, block))

    def is_known(self, record: bytes) -> bool:
        """Tell whether a record was accepted by then."""
        return self._database.one(_KNOWN, short(record), record, ACCEPTED, self._block) is not None


_PORTION = 500  # targets of one query
_MOMENT = f"SELECT {moment_of('?')}"
_POSTS = """
SELECT o.target, p.address, o.record, o.block FROM posting o JOIN party p ON p.id = o.party
WHERE o.target IN ({}) AND o.block <= ? ORDER BY o.id
"""
_KNOWN = "SELECT 1 FROM entry WHERE short = ? AND record = ? AND verdict = ? AND block <= ?"
_MOVES = f"""
SELECT {moment_of("h.block")}, p.address
FROM holder h JOIN asset a ON a.id = h.asset JOIN party p ON p.id = h.party
WHERE a.name = ? AND h.block <= ? ORDER BY h.id
"""  # noqa: S608 - an expression of ours, here and below
_OWNERS = f"""
SELECT {moment_of("n.block")}, p.address FROM namespace n JOIN party p ON p.id = n.party
WHERE n.name = ? AND n.block <= ? ORDER BY n.n
"""  # noqa: S608
_REGISTRATION = """
SELECT e.record, s.payload, EXISTS (SELECT 1 FROM holder h WHERE h.asset = a.id)
FROM asset a LEFT JOIN registration r ON r.asset = a.id AND r.block <= ?2
LEFT JOIN entry e ON e.id = r.entry LEFT JOIN said s ON s.entry = e.id WHERE a.name = ?1
"""
_CONTENT = """
SELECT n.alg, n.digest FROM version v JOIN node n ON n.id = v.node JOIN asset a ON a.id = v.asset
WHERE a.name = ? AND v.number = ? AND v.block <= ?
"""
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
