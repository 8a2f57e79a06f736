"""What became of grants, attestations and registrations: taken back, frozen, lifted, and when.

A freeze is posted, a lift is not: that none was anchored no file proves. A lift that was said before the
freeze it would lift may be an old one that was appended again, and leaves a doubt.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Final

from ledger.audit.judging import Judge, Said
from ledger.audit.posted import Settled
from ledger.core.chain_facts import BlockRef
from ledger.core.identity import parse_did
from ledger.core.instants import NANOSECONDS, instant_ns
from ledger.core.postings import effective_block
from ledger.core.records import Attestation
from ledger.core.rights_facts import Span

_NOTHING: Final[Mapping[bytes, str]] = MappingProxyType({})


class Effects:
    """Answers from what was judged and settled, as of the end of a block."""

    def __init__(self, judge: Judge, settled: Settled, block: BlockRef) -> None:
        self._judge = judge
        self._settled = settled
        self._clock = _Clock(judge.times | {block.number: block.time_unix_s})

    def moment(self, block: int) -> int:
        """Return the moment of a block: see `_Clock`."""
        return self._clock.moment(block)

    def revoked_ns(self, record: bytes) -> int | None:
        """The moment from which a record is taken back."""
        posted = self._judge.posted
        moments = []
        for party, revocation, block in posted.against(record):
            seen = posted.takes_back(revocation, record, party)
            if seen is not None:
                since = self.moment(max(seen.block, block)) + 1
                moments.append(max(since, instant_ns(seen.effective) if seen.effective else 0))
        return min(moments, default=None)

    def freezes(self, record: bytes) -> list[Span]:
        """Return when a record was frozen."""
        return [
            span for freeze in self._answers(record, "frozen") for span in self._frozen_by(freeze, record)
        ]

    def _frozen_by(self, freeze: Said, record: bytes) -> Iterator[Span]:
        since = self._frozen_since(freeze, record)
        if since is not None:
            lift, revoked = self.lift_of(freeze, record), self.revoked_ns(freeze.record)
            ends = [revoked, None if lift is None else self.moment(lift.order[0])]
            yield Span(self.moment(since), min((end for end in ends if end is not None), default=None))

    def _frozen_since(self, freeze: Said, record: bytes) -> int | None:
        posts = self._judge.posted.against(record)
        by = [parse_did(author)[1] for author in freeze.statement.predicate.authors]
        blocks = [each.block for each in posts if each.record == freeze.record and each.party in by]
        return effective_block(freeze.order[0], min(blocks, default=None))

    def lift_of(self, freeze: Said, record: bytes) -> Said | None:
        """Return the lift that ended a freeze of a record: the first that stands behind its effect."""
        since = self._frozen_since(freeze, record)
        lifts = (each for each in self._answers(record, "lifted") if since and each.order[0] >= since)
        return min(lifts, key=lambda each: each.order, default=None)

    def _answers(self, record: bytes, outcome: str) -> list[Said]:
        """Return what an arbiter said about a record."""
        return self._arbitrations.get((outcome, record.hex()), [])

    @cached_property
    def _arbitrations(self) -> dict[tuple[str, str], list[Said]]:
        """The freezes and lifts, by what they are and of which record."""
        found: dict[tuple[str, str], list[Said]] = defaultdict(list)
        for said in self._judge.said_of.values():
            predicate = said.statement.predicate
            if isinstance(predicate, Attestation) and predicate.outcome in ("frozen", "lifted"):
                found[predicate.outcome, predicate.target].append(said)
        return dict(found)

    def freezes_of(self, record: bytes) -> list[Said]:
        """Return the posted freezes of a record, and the lifts that ended them."""
        freezes = self._answers(record, "frozen")
        posted = [each for each in freezes if self._frozen_since(each, record) is not None]
        lifts = [self.lift_of(each, record) for each in posted]
        return [*posted, *(each for each in lifts if each is not None)]

    def freeze_doubts(self, record: bytes, ends: Mapping[bytes, str] = _NOTHING) -> Iterator[str]:
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

    def late_revocations(self, said: Said, under: bytes) -> Iterator[str]:
        """Say which revocation of what a grant rests on may have been anchored before the grant, too."""
        posted = self._judge.posted
        for party, revocation, block in posted.against(under):
            seen = posted.takes_back(revocation, under, party)
            if seen is not None and block < said.order[0] <= seen.block:
                yield (
                    f"{revocation.hex()} was posted against what it rests on before its anchor at hand:"
                    " it may have been anchored earlier, too"
                )


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


def outcome_of(said: Said) -> str | None:
    """Return the outcome of an attestation, None of all else."""
    predicate = said.statement.predicate
    return predicate.outcome if isinstance(predicate, Attestation) else None


def _time(said: Said) -> int:
    """Return the time that a record claims."""
    return instant_ns(said.statement.predicate.time)
