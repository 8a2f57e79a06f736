"""What records say of rights, out of the tables, with what became of it: taken back, frozen, or in doubt."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final, Protocol
from weakref import proxy

from msgspec import Struct

from ledger.core.digests import asset_digest, target_of_asset, target_of_record
from ledger.core.identity import parse_did
from ledger.core.instants import instant_ns
from ledger.core.negotiation import negotiation_state
from ledger.core.postings import effective_block, posters
from ledger.core.records import Agreement, Attestation, Grant, Statement
from ledger.core.rights_facts import Attested, Given, Span, Standing, attested
from ledger.core.terms import giver_of, taker_of, terms_of
from ledger.index.database import Database, Row
from ledger.index.kinds import ACCEPTED, ALGORITHMS
from ledger.index.moments import moment_of
from ledger.index.schema import short
from ledger.index.verification import decode_checked

VOID_SHOWN: Final = 64
"""How many void grants of an asset to a party are looked at."""


class Chain(Protocol):
    """What is known beside the records (`rights.Rights`)."""

    def moment(self, block: int, /) -> int:
        """Give the moment of a block."""

    def posts(self, target: bytes, /) -> Iterable[tuple[bytes, bytes, int]]:
        """Give who posted what against a target, and the block."""

    def read_posts(self, targets: Sequence[bytes], /) -> None:
        """Be told of which targets the postings are going to be asked for."""

    def is_known(self, record: bytes, /) -> bool:
        """Tell whether a record was accepted."""

    def holders(self, asset: str, /) -> set[bytes]:
        """Give who ever held an asset."""


class Said(Struct, frozen=True, gc=False):
    """A record: where and since when it stands, what it says, why it was refused; whether anybody ever took
    it back.
    """

    record: bytes
    statement: Statement
    order: tuple[int, str, int]
    anchored_ns: int
    rejected: str
    is_revoked: bool


class SaidOfRights:
    """Reads grants and attestations as of the end of a block."""

    def __init__(self, database: Database, chain: Chain, block: int) -> None:
        self._database = database
        self._chain = proxy(chain)  # it owns this object: a circle would wait for the garbage collector
        self._block = block
        self._known: dict[bytes, Said | None] = {}
        self._given: dict[bytes, Given | None] = {}
        self._followers: dict[bytes, bytes | None] = {}

    def of(self, record: bytes) -> Said | None:
        """Return an accepted record about rights, or a registration that names an arbiter."""
        if record not in self._known:
            rows = self._database.rows(_OF, short(record), record, ACCEPTED, self._block)
            self._known[record] = _said(rows[0]) if rows else None
        return self._known[record]

    def said(self, record_id: bytes) -> Statement | None:
        """Return what such a record says: for `negotiation`."""
        found = self.of(record_id)
        return None if found is None else found.statement

    def follower(self, record_id: bytes) -> bytes | None:
        """Return the step that follows another: for `negotiation`."""
        if record_id not in self._followers:
            self._followers[record_id] = self._database.scalar(_FOLLOWER, record_id, self._block)
        return self._followers[record_id]

    # --- grants

    def grants(self, asset: str, party: bytes) -> list[Given]:
        """Return what gives a party, or everybody, rights in an asset or its versions.

        Of void ones, which anybody can write about any asset, the last few: they only say why not.
        """
        found: dict[bytes, Given] = {}
        asked = (asset, party, self._block, ACCEPTED)
        rows = [*self._database.rows(_GRANTED, *asked), *self._database.rows(_VOID, *asked, VOID_SHOWN)]
        granted = _each_once(rows)
        own = target_of_asset(asset_digest(self._database.ledger_id, asset))  # it is asked next
        self._chain.read_posts([own, *(target_of_record(said.record) for said in granted)])
        for said in granted:
            given = self._as_given(said)
            if given is None:
                continue
            known = found.get(said.record)
            if known is None or (known.rejected and not given.rejected):  # void in one log, good in another
                found[said.record] = given
        return list(found.values())

    def given(self, record: bytes) -> Given | None:
        """Return a grant or final agreement."""
        if record not in self._given:
            said = self.of(record)
            self._given[record] = None if said is None else self._as_given(said)
        return self._given[record]

    def _as_given(self, said: Said) -> Given | None:
        predicate, terms = said.statement.predicate, terms_of(said.statement.predicate)
        if terms is None or not isinstance(predicate, Grant | Agreement):
            return None
        since_ns = said.anchored_ns
        if isinstance(predicate, Agreement) and not said.rejected:
            if negotiation_state(said.record, self) != "FINALIZED":
                return None
            since_ns = self._last_step(said).anchored_ns
        return Given(
            record=said.record.hex(),
            giver=giver_of(predicate),
            taker=taker_of(predicate),
            names=tuple(self._names(said.statement)),
            terms=terms,
            order=said.order,
            since_ns=since_ns,
            under=predicate.under,
            rejected=said.rejected,
            revoked_ns=self._revoked_ns(said),
            frozen=tuple(self.freezes(said.record, terms.arbiter)) if terms.arbiter else (),
            doubt=self.doubt(said.record, self._who_may_end(said, terms.arbiter)),
        )

    def _last_step(self, said: Said) -> Said:
        """Return the last step that follows an agreement."""
        step: Said | None = said
        while step is not None:
            said = step
            following = self.follower(said.record)
            step = None if following is None else self.of(following)
        return said

    def _names(self, statement: Statement) -> Iterator[str]:
        """Yield what a grant is about; of versions those that have the content that it names."""
        for each in statement.subject:
            asset, _, number = each.name.partition("@")
            row = self._database.one(_CONTENT, asset, int(number), self._block) if number else None
            if row is None or each.digest.get(ALGORITHMS[row[0]]) == row[1].hex():
                yield each.name

    # --- attestations

    def attestations(self, asset: str) -> list[Attested]:
        """Return what is attested of an asset or its versions; freezes are told by `freezes`."""
        found = _each_once(self._database.rows(_ATTESTED, asset, self._block))
        said = [each for each in found if _outcome(each) not in ("frozen", "lifted")]
        self._chain.read_posts([target_of_record(each.record) for each in said])
        return [self._as_attested(each) for each in said]

    def _as_attested(self, said: Said) -> Attested:
        predicate = said.statement.predicate
        assert isinstance(predicate, Attestation)
        standing = Standing(said.order, said.anchored_ns, self._revoked_ns(said))
        doubt = self.doubt(said.record, [parse_did(each)[1] for each in predicate.authors])
        return attested(said.record, predicate, self._names(said.statement), standing, doubt)

    # --- what became of it

    def _revoked_ns(self, said: Said) -> int | None:
        return self.revoked_ns(said.record) if said.is_revoked else None

    def revoked_ns(self, record: bytes) -> int | None:
        """Return the moment from which a record is taken back: its effect, or the later one that it names."""
        moments = [
            max(self._chain.moment(block) + 1, instant_ns(effective) if effective else 0)
            for block, effective in self._database.rows(_REVOKED, record, self._block)
        ]
        return min(moments, default=None)

    def freezes(self, record: bytes, arbiter: str) -> list[Span]:
        """Return when a record was frozen by its arbiter: from a freeze's effect to the anchor of a lift."""
        by = parse_did(arbiter)[1]
        answers = [_said(row) for row in self._database.rows(_ANSWERS, record, self._block, by)]
        lifts = [each.order[0] for each in answers if _outcome(each) == "lifted"]
        spans = []
        for each in answers:
            predicate = each.statement.predicate
            if not isinstance(predicate, Attestation) or predicate.outcome != "frozen":
                continue
            since = effective_block(each.order[0], self._posted_block(each.record, record, predicate))
            if since is None:
                continue
            ends = [self._chain.moment(block) for block in lifts if block >= since]
            revoked = self._revoked_ns(each)
            ends += [] if revoked is None else [revoked]
            start = self._chain.moment(since)
            spans.append(Span(start, min(ends, default=None)))
        return spans

    def _posted_block(self, record: bytes, target: bytes, predicate: Attestation) -> int | None:
        authors = posters(predicate)
        posts = self._chain.posts(target_of_record(target))
        return min((block for by, posted, block in posts if posted == record and by in authors), default=None)

    def _who_may_end(self, said: Said, arbiter: str) -> set[bytes]:
        """Return who could take a grant back or freeze it."""
        predicate = said.statement.predicate
        parties = {parse_did(each)[1] for each in predicate.authors}
        if arbiter:
            parties.add(parse_did(arbiter)[1])
        if isinstance(predicate, Grant) and not predicate.under:
            for each in said.statement.subject:
                parties |= self._chain.holders(each.name.partition("@")[0])
        return parties

    def doubt(self, record: bytes, parties: Collection[bytes]) -> str:
        """Say what one of these posted against a record and is not known; empty if nothing."""
        for by, posted, _ in self._chain.posts(target_of_record(record)):
            if by in parties and not self._chain.is_known(posted):
                return f"{posted.hex()} was posted against it, and that record can't be had"
        return ""


def _outcome(said: Said) -> str | None:
    predicate = said.statement.predicate
    return predicate.outcome if isinstance(predicate, Attestation) else None


def _said(row: Row) -> Said:
    record, payload, block, log, index, verdict, reason, message, anchored_ns, is_revoked = row
    rejected = "" if verdict == ACCEPTED else f"{reason}: {message}"
    place = (block, log.hex(), index)
    return Said(record, decode_checked(payload), place, anchored_ns, rejected, bool(is_revoked))


def _each_once(rows: Iterable[Row]) -> list[Said]:
    """Read records, each once that stands there for several versions of an asset."""
    return [_said(row) for row in {row[2:5]: row for row in rows}.values()]


_COLUMNS = f"""e.record, s.payload, e.block, l.log, e.idx, e.verdict, e.reason, e.message,
  {moment_of("e.block")}, EXISTS (SELECT 1 FROM revoked y WHERE y.target = e.record)"""  # noqa: S608
_JOINS = "JOIN said s ON s.entry = e.id JOIN log l ON l.id = e.log"
_OF = f"""
SELECT {_COLUMNS} FROM entry e {_JOINS}
WHERE e.short = ? AND e.record = ? AND e.verdict = ? AND e.block <= ?
"""  # noqa: S608 - names of ours, here and below
_FOLLOWER = """
SELECT e.record FROM said s JOIN entry e ON e.id = s.entry WHERE s.previous = ? AND s.block <= ?
ORDER BY s.id LIMIT 1
"""
_ABOUT = f"""
{_COLUMNS} FROM asset a CROSS JOIN granted g ON g.asset = a.id
  AND g.taker IN (0, (SELECT id FROM party WHERE address = ?2))
JOIN entry e ON e.id = g.entry {_JOINS} WHERE a.name = ?1 AND g.block <= ?3
"""  # noqa: S608
_GRANTED = f"SELECT {_ABOUT} AND e.verdict = ?4 ORDER BY e.id"
_VOID = f"SELECT DISTINCT {_ABOUT} AND e.verdict <> ?4 ORDER BY e.id DESC LIMIT ?5"
_ATTESTED = f"""
SELECT {_COLUMNS} FROM asset a CROSS JOIN attested t ON t.asset = a.id
JOIN entry e ON e.id = t.entry {_JOINS} WHERE a.name = ? AND t.block <= ? ORDER BY e.id
"""  # noqa: S608
_ANSWERS = f"""
SELECT DISTINCT {_COLUMNS} FROM attested t JOIN entry e ON e.id = t.entry {_JOINS}
WHERE t.target = ? AND t.kind = 'objection' AND t.block <= ?
  AND e.party = (SELECT id FROM party WHERE address = ?) ORDER BY e.id
"""  # noqa: S608
_REVOKED = """
SELECT x.block, r.effective FROM revoked x JOIN revocation r ON r.entry = x.entry
WHERE x.target = ? AND x.block <= ? ORDER BY x.id
"""
_CONTENT = """
SELECT n.alg, n.digest FROM version v JOIN node n ON n.id = v.node JOIN asset a ON a.id = v.asset
WHERE a.name = ? AND v.number = ? AND v.block <= ?
"""
