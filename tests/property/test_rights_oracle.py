"""Chains of grants against an oracle that knows nothing of the rules' code: plain sets of points.

A point is (right, purpose, region, day). What a grant gives is the set of points that it says, cut down to
what its giver's own grant gives; it is void if it says more. A party may do something on a day if some grant
that stands gives it every point that is meant.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.core.records_rights import Terms
from ledger.core.rights import may
from ledger.core.rights_facts import Question
from tests.book import CHAIN_ID, Book, at, day, party

PARTIES = ("hold", "ann", "bea", "cem")
RIGHTS = ("hold", "use", "operate")
PURPOSES = ("risk", "care", "anything else")
PLACES = {"CN": ("CN-44", "CN-31", "CN-rest"), "CN-44": ("CN-44",), "US": ("US-rest",)}
POINTS = sorted({place for places in PLACES.values() for place in places} | {"elsewhere"})
DAYS = range(31)
Points = frozenset[tuple[str, str, str, int]]


class Said(NamedTuple):
    """A grant as it is drawn: `under` counts back from the last grant, 0 means none; giver 4 is whoever may
    give it: to whom that one was given, or the holder.
    """

    giver: int
    taker: int
    rights: frozenset[str]
    purposes: frozenset[str]
    regions: frozenset[str]
    start: int | None
    until: int | None
    onward: bool
    under: int


class Taken(NamedTuple):
    """A revocation: of which grant (counting back), from which day on, and whether it was posted."""

    grant: int
    effective: int | None
    posted: bool


def subsets(values: tuple[str, ...], least: int = 0) -> st.SearchStrategy[frozenset[str]]:
    return st.frozensets(st.sampled_from(values), min_size=least)


grants = st.builds(
    Said,
    giver=st.sampled_from([0, 1, 2, 3, 4, 4, 4, 4]),
    taker=st.integers(0, 4),
    rights=st.one_of(st.just(frozenset(RIGHTS)), subsets(RIGHTS, 1)),
    purposes=st.one_of(st.just(frozenset()), subsets(PURPOSES[:2])),
    regions=st.one_of(st.just(frozenset()), subsets(("CN", "CN-44", "US"))),
    start=st.one_of(st.none(), st.integers(1, 12)),
    until=st.one_of(st.none(), st.integers(13, 29)),
    onward=st.sampled_from([True, True, False]),
    under=st.integers(0, 3),
)
steps = st.lists(
    st.one_of(
        grants,
        grants,
        st.builds(Taken, st.integers(1, 4), st.one_of(st.none(), st.integers(0, 30)), st.booleans()),
    ),
    min_size=1,
    max_size=9,
)
questions = st.tuples(
    st.sampled_from(PARTIES),
    st.sampled_from(RIGHTS),
    st.sampled_from(["", "risk", "care"]),
    st.sampled_from(["", "CN", "CN-44", "US"]),
    st.integers(12, 30),
)


class Oracle:
    """Grants as sets of points, in the order in which they were said."""

    def __init__(self) -> None:
        self.points: list[Points | None] = []  # None: void
        self.said: list[Said] = []
        self.parents: list[int | None] = []
        self.revoked: dict[int, list[tuple[int, int]]] = {}  # grant -> (block, from which day on)

    def grant(self, said: Said, block: int) -> None:
        index = len(self.said)
        parent = index - said.under if 0 < said.under <= index else None
        own = _points(said, self.said[parent].start if parent is not None else None)
        self.said.append(said)
        self.parents.append(parent)
        self.points.append(own if self._counts(said, own, parent, block) else None)

    def _counts(self, said: Said, own: Points, parent: int | None, block: int) -> bool:
        if parent is None:
            return said.giver == 0
        above = self.points[parent]
        if above is None or self.said[parent].taker != said.giver or not self.said[parent].onward:
            return False
        if any(since < block for since, _ in self.revoked.get(parent, ())):
            return False
        return own <= _points(self.said[parent], None)

    def gives(self, index: int, today: int) -> Points:
        """What this grant gives on a day, once all above it had its say."""
        points = self.points[index]
        if points is None or any(since <= today for _, since in self.revoked.get(index, ())):
            return frozenset()
        parent = self.parents[index]
        return points if parent is None else points & self.gives(parent, today)

    def may(self, who: str, right: str, purpose: str, region: str, today: int) -> bool:
        if who == "hold":
            return True
        wanted = set(
            product(
                [right],
                [purpose] if purpose else PURPOSES,
                PLACES[region] if region else POINTS,
                [today],
            )
        )
        return any(
            wanted <= self.gives(index, today)
            for index, said in enumerate(self.said)
            if said.taker in (PARTIES.index(who), 4)
        )


def _points(said: Said, start_above: int | None) -> Points:
    """All points that a grant says; one without a beginning begins no earlier than the one above it."""
    start = start_above if said.start is None and start_above is not None else said.start
    places = {place for region in said.regions for place in PLACES[region]} or POINTS
    days = [d for d in DAYS if (start is None or start <= d) and (said.until is None or d < said.until)]
    return frozenset(product(said.rights, said.purposes or PURPOSES, places, days))


def write(book: Book, said: Said, records: list[bytes]) -> None:
    under = records[len(records) - said.under] if 0 < said.under <= len(records) else b""
    terms = Terms(
        rights=sorted(said.rights),  # type: ignore[arg-type]
        purposes=sorted(said.purposes),
        regions=sorted(said.regions),
        start="" if said.start is None else day(said.start),
        until="" if said.until is None else day(said.until),
        sublicensable=said.onward,
    )
    taker = "" if said.taker == 4 else PARTIES[said.taker]
    records.append(book.grant(PARTIES[said.giver], taker, under=under, terms=terms))


def replay(drawn: list[Said | Taken]) -> tuple[Book, Oracle]:
    """Tell both of them the same story; one step a block."""
    book, oracle = Book(), Oracle()
    book.register("hold/a", "hold")
    records: list[bytes] = []
    for step in drawn:
        book.next()
        if isinstance(step, Said):
            above = oracle.said[-step.under].taker if 0 < step.under <= len(records) else 0
            said = step._replace(giver=above % 4) if step.giver == 4 else step
            if said.giver != said.taker:
                oracle.grant(said, book.block)
                write(book, said, records)
        elif step.grant <= len(records):
            index = len(records) - step.grant
            by = PARTIES[oracle.said[index].giver]
            effective = "" if step.effective is None else day(step.effective)
            void = oracle.points[index] is None
            book.revoke(by, records[index], effective=effective, posted=step.posted)
            if step.posted and not void:
                entry = (book.block, -1 if step.effective is None else step.effective)
                oracle.revoked.setdefault(index, []).append(entry)
    return book, oracle


@pytest.mark.parametrize("examples", [200, pytest.param(10_000, marks=pytest.mark.slow)])
def test_as_the_oracle_says(examples: int) -> None:
    seen = {"permitted": 0, "denied": 0}

    @settings(max_examples=examples, deadline=None)
    @given(steps, st.lists(questions, min_size=1, max_size=8))
    def check(drawn: list[Said | Taken], asked: list[tuple[str, str, str, str, int]]) -> None:
        book, oracle = replay(drawn)
        for who, right, purpose, region, today in asked:
            question = Question(
                party=party(who),
                right=right,  # type: ignore[arg-type]
                name="hold/a",
                at_ns=at(today),
                purpose=purpose,
                region=region,
            )
            answer = may(question, book, CHAIN_ID)
            expected = oracle.may(who, right, purpose, region, today)
            assert answer.verdict == ("permitted" if expected else "denied"), answer
            assert bool(answer.grounds[0].reasons) is not expected
            if who != "hold":
                seen[answer.verdict] += 1

    check()
    assert min(seen.values()) > examples // 20, seen
