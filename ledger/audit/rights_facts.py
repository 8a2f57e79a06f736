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

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cached_property

from msgspec import Struct

from ledger.audit.chain_view import ChainView
from ledger.audit.closure import Closure
from ledger.audit.holders import Holding, holding
from ledger.audit.judging import Judge, Said, arbiter_of
from ledger.audit.posted import Settled
from ledger.audit.rights_effects import Effects, outcome_of
from ledger.core.chain_facts import BlockRef
from ledger.core.descriptor import LedgerDescriptor
from ledger.core.digests import ASSET, DECLARED
from ledger.core.evidence import OutsideSource, Unread
from ledger.core.identity import format_did, parse_did
from ledger.core.names import format_version
from ledger.core.negotiation import negotiation_state
from ledger.core.records import Agreement, Attestation, Grant, Resource, Statement
from ledger.core.rights_facts import Attested, Given, Span, Standing, attested
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
        self._unread: dict[tuple[str, str], list[str]] = defaultdict(list)
        for each in unread:
            self._unread[each.asset, each.party].append(f"log {each.number} of {each.owner}")
        self._unavailable: dict[str, list[str]] = defaultdict(list)
        for source in outside:
            if source.why == "unavailable":
                self._unavailable[source.name.partition("@")[0]].append(source.name)
        self.effects = Effects(shown.judge, shown.settled, shown.block)
        self._anchored_in: dict[int, int] = {}
        self._given: dict[bytes, Given | None] = {}
        self._holdings: dict[tuple[str, int], Holding] = {}
        self._doubts_known: dict[str, tuple[int, list[str]]] = {}
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
            since_ns=self.effects.moment(since),
            under=predicate.under,
            revoked_ns=self.effects.revoked_ns(said.record),
            frozen=tuple(self.effects.freezes(said.record)) if terms.arbiter else (),
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
        anchored = self.effects.moment(said.order[0])
        self._anchored_in[anchored] = said.order[0]
        standing = Standing(said.order, anchored, self.effects.revoked_ns(said.record))
        return attested(said.record, predicate, self._names(said.statement), standing)

    # --- what became of it

    def frozen(self, asset: str) -> list[Span]:
        """When the arbiter named in the registration had the asset frozen."""
        said = self._registration(asset)
        return [] if said is None else self.effects.freezes(said.record)

    # --- who holds it

    def holder(self, asset: str, at_ns: int) -> str | None:
        """Who held a registered asset at a moment: that of an anchor, or one behind the file's block."""
        if asset not in self._closure.titles:
            return None
        block = self._anchored_in.get(at_ns, self._block + 1)
        found = self._holding(asset, block)
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
        if maker and parse_did(maker)[1] == self._holding(asset, self._block + 1).holder:
            return ""
        if asset not in self._closure.titles:
            return "nobody recorded it"
        if not number:
            return ""
        if not number.isdecimal():
            return "nobody recorded this content"
        is_declared = self._contents.get(name, "").startswith(f"{DECLARED}:")
        return "it was named, nobody hashed it" if is_declared else ""

    def _holding(self, asset: str, block: int) -> Holding:
        """Find who held an asset for records of a block."""
        if (asset, block) not in self._holdings:
            transfers = self._judge.posted.transfers.get(asset, ())
            found = holding(self._chain, self._descriptor.ledger_id, asset, block, transfers)
            self._holdings[asset, block] = found
        return self._holdings[asset, block]

    # --- what can't be told

    def doubts(self, asset: str) -> list[str]:
        """What leaves every answer about an asset open."""
        self.consulted.add((asset, ""))
        self.holder(asset, -1)
        seen = len(self._doubtful[asset])  # more may be found of an earlier moment
        if self._doubts_known.get(asset, (-1, []))[0] != seen:
            self._doubts_known[asset] = seen, self._find_doubts(asset)
        return self._doubts_known[asset][1]

    def _find_doubts(self, asset: str) -> list[str]:
        found = [*self._doubtful[asset]]
        if asset in self._settled.held:
            found.append(self._settled.held[asset])
        logs = self._unread.get((asset, ""), ())
        found += [f"{log}, of who held {asset}, could not be had" for log in logs]
        found += [f"{name}: its log could not be had" for name in self._unavailable.get(asset, ())]
        found += [text for said in self._about.get(asset, ()) for text in self._doubts_of(said)]
        registration = self._registration(asset)
        if registration is not None:
            found += self.effects.freeze_doubts(registration.record, self._settled.open_ends)
        return list(dict.fromkeys(found))

    def _doubts_of(self, said: Said) -> Iterator[str]:
        """Say why an attestation about an asset may not count."""
        if is_attested(said) and said.record in self._settled.unknown:
            yield f"attestation {said.record.hex()}: {self._settled.unknown[said.record]}"

    def _doubt(self, said: Said, under: str) -> str:
        """Say why it can't be told whether a grant stands; empty if it can."""
        settled = self._settled
        doubts = [*filter(None, [settled.unknown.get(said.record), settled.open_ends.get(said.record)])]
        doubts += self.effects.freeze_doubts(said.record)
        doubts += self.effects.late_revocations(said, bytes.fromhex(under))
        return doubts[0] if doubts else ""

    def hidden(self, asset: str, party: str) -> list[str]:
        """Which logs that could not be had may say that this party was given something."""
        self.consulted.add((asset, party))
        logs = self._unread.get((asset, party), ())
        return [f"{log} may say more, and could not be had" for log in logs]

    def _registration(self, asset: str) -> Said | None:
        """The registration of an asset, if it names an arbiter."""
        _, record = self._closure.titles.get(asset, ("", b""))
        said = self._judge.said_of.get(record)
        return said if said is not None and arbiter_of(said.statement.predicate) else None


def is_attested(said: Said) -> bool:
    """Tell whether a record is an attestation, and no freeze or lift."""
    return isinstance(said.statement.predicate, Attestation) and outcome_of(said) not in ("frozen", "lifted")


def _content(resource: Resource) -> str:
    ((alg, digest),) = resource.digest.items()
    return "" if alg == ASSET else f"{alg}:{digest}"
