"""An oracle for chains of grants that knows nothing of the rules' code: plain sets of points.

A point is (right, purpose, region, day). What a grant gives is the set of points that it says, cut down to
what its giver's own grant gives; it is void if it says more. A party may do something on a day if some grant
that stands gives it every point that is meant.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

from hypothesis import strategies as st

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
