"""The facts about rights (`core.rights_facts`), out of the records of an evidence file and of storage.

As of the end of the file's block, and for a moment not before it. Storage tells in which block something was
posted, not when: the moments of blocks are therefore numbers that keep their order, and only those of
anchors, whose times are proven, are the true ones. That is enough, since everything that took effect by the
block did so before the moment asked for.

What casts doubt here, beyond what does in an index: a transfer, revocation or lift that was posted or said
before the anchor at hand, where an earlier one would change the answer. No log proves that an entry is the
first.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cached_property

from msgspec import Struct

from ledger.audit.chain_view import ChainView
from ledger.audit.closure import Closure
from ledger.audit.holders import holding
from ledger.audit.judging import Judge, Said, arbiter_of
from ledger.audit.posted import Settled
from ledger.core.chain_facts import BlockRef
from ledger.core.descriptor import LedgerDescriptor
from ledger.core.digests import ASSET, DECLARED
from ledger.core.evidence import OutsideSource, Unread
from ledger.core.identity import format_did, parse_did
from ledger.core.instants import NANOSECONDS, instant_ns
from ledger.core.names import format_version
from ledger.core.negotiation import negotiation_state
from ledger.core.postings import effective_block
from ledger.core.records import Agreement, Attestation, Grant, Resource, Statement
from ledger.core.rights_facts import Attested, Given, Span
from ledger.core.terms import giver_of, taker_of, terms_of


class Shown(Struct, frozen=True):
    """What a file shows, once all records are judged (`Judge.conclude`) and settled."""

    descriptor: LedgerDescriptor
    block: BlockRef
    chain: ChainView
    judge: Judge
    closure: Closure
    settled: Settled


class EvidenceFacts:
    """Answers `RightsFacts` out of what is shown, what lies outside, and logs that could not be had."""

    def __init__(
        self, shown: Shown, outside: Sequence[OutsideSource] = (), unread: Sequence[Unread] = ()
    ) -> None:
        self._descriptor = shown.descriptor
        self._chain = shown.chain
        self._block = shown.block.number
        self._judge = shown.judge
        self._closure = shown.closure
        self._settled = shown.settled
        self._outside = outside
        self._unread = unread
        self._clock = _Clock(shown.judge.times | {self._block: shown.block.time_unix_s})
        self._anchored_in: dict[int, int] = {}
        self._given: dict[bytes, Given | None] = {}
        self._attested: dict[str, list[Attested]] = {}
        self.consulted: set[tuple[str, str]] = set()
        """Assets whose doubts mattered, and with whom: what could not be had is needed of these only."""
        self._doubtful: dict[str, dict[str, None]] = defaultdict(dict)

    # --- grants

    def grants(self, asset: str, party: str) -> list[Given]:  # noqa: ARG002 - all that are here, as is allowed
        """The grants and final agreements about an asset that are at hand."""
        found = (self.given(said.record.hex()) for said in self._about.get(asset, ()))
        return [each for each in found if each is not None]

    def given(self, record: str) -> Given | None:
        """A grant or final agreement at hand."""
        key = bytes.fromhex(record)
        if key not in self._given:
            said = self._judge.said_of.get(key)
            self._given[key] = None if said is None else self._as_given(said)
        return self._given[key]

    def _as_given(self, said: Said) -> Given | None:
        predicate, terms = said.statement.predicate, terms_of(said.statement.predicate)
        if terms is None or not isinstance(predicate, Grant | Agreement):
            return None
        since = said.order[0]
        if isinstance(predicate, Agreement):
            if negotiation_state(said.record, self._judge) != "FINALIZED":
                return None
            since = self.steps(said.record)[-1].order[0]
        return Given(
            record=said.record.hex(),
            giver=giver_of(predicate),
            taker=taker_of(predicate),
            names=tuple(self._names(said.statement)),
            terms=terms,
            order=said.order,
            since_ns=self._clock.moment(since),
            under=predicate.under,
            revoked_ns=self._revoked_ns(said.record),
            frozen=tuple(self._freezes(said.record)) if terms.arbiter else (),
            doubt=self._doubt(said, predicate.under),
        )

    def steps(self, record: bytes) -> list[Said]:
        """Return a step of a negotiation and those that follow it."""
        found = [self._judge.said_of[record]]
        while (following := self._judge.follower(found[-1].record)) is not None:
            found.append(self._judge.said_of[following])
        return found

    def is_negotiated(self, record: str) -> bool:
        """Tell whether a right comes out of a negotiation of more than one step."""
        key = bytes.fromhex(record)
        said = self._judge.said_of[key]
        return isinstance(said.statement.predicate, Agreement) and len(self.steps(key)) > 1

    def _names(self, statement: Statement) -> Iterator[str]:
        """Yield what a record is about: of versions at hand, those with that content.

        A version that is not at hand is named with its content, so that none is taken for another.
        """
        for each in statement.subject:
            known = self._contents.get(each.name)
            if "@" not in each.name or known == _content(each):
                yield each.name
            elif known is None:
                yield f"{each.name}#{_content(each)}"

    @cached_property
    def _contents(self) -> dict[str, str]:
        """The versions at hand and their content."""
        nodes = (self._closure.nodes[node] for node in self._closure.version_of)
        return {format_version(each.asset, each.number): each.content for each in nodes}

    @cached_property
    def _about(self) -> dict[str, list[Said]]:
        """The records about rights by the assets that they are about."""
        found: dict[str, list[Said]] = defaultdict(list)
        for said in self._judge.said_of.values():
            for asset in {each.name.partition("@")[0]: None for each in said.statement.subject}:
                found[asset].append(said)
        return found

    # --- attestations

    def attestations(self, asset: str) -> list[Attested]:
        """What is attested of an asset or its versions."""
        if asset not in self._attested:
            about = self._about.get(asset, ())
            self._attested[asset] = [self._as_attested(said) for said in about if is_attested(said)]
        return self._attested[asset]

    def _as_attested(self, said: Said) -> Attested:
        predicate = said.statement.predicate
        assert isinstance(predicate, Attestation)
        anchored = self._clock.moment(said.order[0])
        self._anchored_in[anchored] = said.order[0]
        ends = [self._revoked_ns(said.record), instant_ns(predicate.until) if predicate.until else None]
        return Attested(
            record=said.record.hex(),
            kind=predicate.kind,
            authors=tuple(predicate.authors),
            names=tuple(self._names(said.statement)),
            order=said.order,
            anchored_ns=anchored,
            span=Span(
                instant_ns(predicate.start) if predicate.start else anchored,
                min((end for end in ends if end is not None), default=None),
            ),
            topic=predicate.topic,
            failed=predicate.outcome == "failed",
            level=predicate.level,
            purposes=tuple(predicate.purposes),
            regions=tuple(predicate.regions),
        )

    # --- what became of it

    def _revoked_ns(self, record: bytes) -> int | None:
        """The moment from which a record is taken back."""
        posted = self._judge.posted
        moments = []
        for party, revocation, block in posted.against(record):
            seen = posted.takes_back(revocation, record, party)
            if seen is not None:
                since = self._clock.moment(max(seen.block, block)) + 1
                moments.append(max(since, instant_ns(seen.effective) if seen.effective else 0))
        return min(moments, default=None)

    def frozen(self, asset: str) -> list[Span]:
        """When the arbiter named in the registration had the asset frozen."""
        said = self._registration(asset)
        return [] if said is None else self._freezes(said.record)

    def _freezes(self, record: bytes) -> list[Span]:
        return [
            span for freeze in self._answers(record, "frozen") for span in self._frozen_by(freeze, record)
        ]

    def _frozen_by(self, freeze: Said, record: bytes) -> Iterator[Span]:
        since = self._frozen_since(freeze, record)
        if since is not None:
            lift, revoked = self.lift_of(freeze, record), self._revoked_ns(freeze.record)
            ends = [revoked, None if lift is None else self._clock.moment(lift.order[0])]
            yield Span(self._clock.moment(since), min((end for end in ends if end is not None), default=None))

    def _frozen_since(self, freeze: Said, record: bytes) -> int | None:
        blocks = [each.block for each in self._judge.posted.against(record) if each.record == freeze.record]
        return effective_block(freeze.order[0], min(blocks, default=None))

    def lift_of(self, freeze: Said, record: bytes) -> Said | None:
        """Return the lift that ended a freeze of a record: the first that stands behind its effect."""
        since = self._frozen_since(freeze, record)
        lifts = (each for each in self._answers(record, "lifted") if since and each.order[0] >= since)
        return min(lifts, key=lambda each: each.order, default=None)

    def _answers(self, record: bytes, outcome: str) -> list[Said]:
        """Return what an arbiter said about a record."""
        return [
            each
            for each in self._arbitrations
            if isinstance(predicate := each.statement.predicate, Attestation)
            and (predicate.outcome, predicate.target) == (outcome, record.hex())
        ]

    @cached_property
    def _arbitrations(self) -> list[Said]:
        return [each for each in self._judge.said_of.values() if _outcome(each) in ("frozen", "lifted")]

    def freezes_of(self, record: bytes) -> list[Said]:
        """Return the posted freezes of a record, and the lifts that ended them."""
        freezes = self._answers(record, "frozen")
        posted = [each for each in freezes if self._frozen_since(each, record) is not None]
        lifts = [self.lift_of(each, record) for each in posted]
        return [*posted, *(each for each in lifts if each is not None)]

    # --- who holds it

    def holder(self, asset: str, at_ns: int) -> str | None:
        """Who held a registered asset at a moment: that of an anchor, or one behind the file's block."""
        if asset not in self._closure.titles:
            return None
        block = self._anchored_in.get(at_ns, self._block + 1)
        transfers = self._judge.posted.transfers.get(asset, ())
        found = holding(self._chain, self._descriptor.ledger_id, asset, block, transfers)
        for party, posted in found.doubts:
            text = self._judge.posted.doubt_of(asset, party, posted)
            if text:
                self._doubtful[asset][text] = None
        return None if found.holder is None else format_did(self._descriptor.chain_id, found.holder)

    # --- lineage

    def inputs(self, name: str) -> list[str]:
        """What a version, or any version of an asset, was made from."""
        if "@" in name and name not in self._contents:
            return []  # content that nobody recorded
        made = [twin for node in self._by_name.get(name, ()) for twin in self._closure.twins(node)]
        return [self._closure.name_of(source) for node in made for source in self._sources.get(node, ())]

    @cached_property
    def _by_name(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = defaultdict(list)
        for node in range(len(self._closure.nodes)):
            found[self._closure.name_of(node)].append(node)
        return found

    @cached_property
    def _sources(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = defaultdict(list)
        for edge in self._closure.edges:
            found[edge.output].append(edge.input)
        return found

    def unproven(self, name: str, maker: str) -> str:
        """Why nothing can be told of an input, if the maker does not hold it."""
        asset, _, number = name.partition("@")
        if maker and parse_did(maker)[1] == self._last_holder(asset):
            return ""
        if asset not in self._closure.titles:
            return "nobody recorded it"
        if not number:
            return ""
        if not number.isdecimal():
            return "nobody recorded this content"
        is_declared = self._contents.get(name, "").startswith(f"{DECLARED}:")
        return "it was named, nobody hashed it" if is_declared else ""

    def _last_holder(self, asset: str) -> bytes | None:
        transfers = self._judge.posted.transfers.get(asset, ())
        return holding(self._chain, self._descriptor.ledger_id, asset, self._block + 1, transfers).holder

    # --- what can't be told

    def doubts(self, asset: str) -> list[str]:
        """What leaves every answer about an asset open."""
        self.consulted.add((asset, ""))
        self.holder(asset, -1)
        found = [*self._doubtful[asset]]
        if asset in self._settled.held:
            found.append(self._settled.held[asset])
        found += [
            f"log {each.number} of {each.owner}, of who held {asset}, could not be had"
            for each in self._unread
            if (each.asset, each.party) == (asset, "")
        ]
        found += [
            f"{each.name}: its log could not be had"
            for each in self._outside
            if each.why == "unavailable" and each.name.partition("@")[0] == asset
        ]
        found += [text for said in self._about.get(asset, ()) for text in self._doubts_of(said)]
        registration = self._registration(asset)
        if registration is not None:
            found += self._freeze_doubts(registration.record, self._settled.open_ends)
        return list(dict.fromkeys(found))

    def _doubts_of(self, said: Said) -> Iterator[str]:
        """Say why an attestation about an asset may not count."""
        if is_attested(said) and said.record in self._settled.unknown:
            yield f"attestation {said.record.hex()}: {self._settled.unknown[said.record]}"

    def _freeze_doubts(self, record: bytes, ends: dict[bytes, str]) -> Iterator[str]:
        """Say what leaves open whether a record is frozen."""
        if record in ends:
            yield f"record {record.hex()}: {ends[record]}"
        for freeze in self._answers(record, "frozen"):
            if freeze.record in self._settled.unknown:
                yield f"freeze {freeze.record.hex()}: {self._settled.unknown[freeze.record]}"
            lift = self.lift_of(freeze, record)
            if lift is not None and _time(lift) < _time(freeze):
                yield (
                    f"lift {lift.record.hex()} was said before what it lifts: it may have been anchored"
                    " earlier, too"
                )

    def _doubt(self, said: Said, under: str) -> str:
        """Say why it can't be told whether a grant stands; empty if it can."""
        settled = self._settled
        doubts = [*filter(None, [settled.unknown.get(said.record), settled.open_ends.get(said.record)])]
        doubts += self._freeze_doubts(said.record, {})
        doubts += self._late_revocations(said, bytes.fromhex(under))
        return doubts[0] if doubts else ""

    def _late_revocations(self, said: Said, under: bytes) -> Iterator[str]:
        """Say which revocation of what a grant rests on may have been anchored before the grant, too."""
        posted = self._judge.posted
        for party, revocation, block in posted.against(under):
            seen = posted.takes_back(revocation, under, party)
            if seen is not None and block < said.order[0] <= seen.block:
                yield (
                    f"{revocation.hex()} was posted against what it rests on before its anchor at hand:"
                    " it may have been anchored earlier, too"
                )

    def hidden(self, asset: str, party: str) -> list[str]:
        """Which logs that could not be had may say that this party was given something."""
        self.consulted.add((asset, party))
        return [
            f"log {each.number} of {each.owner} may say more, and could not be had"
            for each in self._unread
            if (each.asset, each.party) == (asset, party)
        ]

    def _registration(self, asset: str) -> Said | None:
        """The registration of an asset, if it names an arbiter."""
        _, record = self._closure.titles.get(asset, ("", b""))
        said = self._judge.said_of.get(record)
        return said if said is not None and arbiter_of(said.statement.predicate) else None


class _Clock:
    """Moments of blocks, in nanoseconds, in the order of the blocks; exact where a block's time is known."""

    def __init__(self, times: dict[int, int]) -> None:
        self._blocks = sorted(times)
        self._times = times
        self._first: dict[int, int] = {}  # time -> first block that is known to have it
        for block in self._blocks:
            self._first.setdefault(times[block], block)

    def moment(self, block: int) -> int:
        """Return a block's moment; where its time is not known, one behind that of the last known before."""
        at = max(bisect_right(self._blocks, block) - 1, 0)
        time = self._times[self._blocks[at]]
        return time * NANOSECONDS + 2 * (block - self._first[time])


def is_attested(said: Said) -> bool:
    """Tell whether a record is an attestation, and no freeze or lift."""
    return isinstance(said.statement.predicate, Attestation) and _outcome(said) not in ("frozen", "lifted")


def _outcome(said: Said) -> str | None:
    predicate = said.statement.predicate
    return predicate.outcome if isinstance(predicate, Attestation) else None


def _time(said: Said) -> int:
    """Return the time that a record claims."""
    return instant_ns(said.statement.predicate.time)


def _content(resource: Resource) -> str:
    ((alg, digest),) = resource.digest.items()
    return "" if alg == ASSET else f"{alg}:{digest}"
