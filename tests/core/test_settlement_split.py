"""Splitting income: by hand where a person can check it, by properties and a naive oracle where none can."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ledger.core.errors import Unsettled
from ledger.core.settlement import Licence, Use, round_exactly, split_income


class Lineage:
    """Nodes, uses and grants in dictionaries."""

    def __init__(
        self, parties: dict[str, str], uses: dict[str, list[Use]], licences: dict[str, Licence]
    ) -> None:
        self.parties, self.made, self.licences = parties, uses, licences

    def party(self, node: str) -> str:
        return self.parties[node]

    def uses(self, node: str) -> Iterable[Use]:
        return self.made.get(node, [])

    def licence(self, grant: str) -> Licence:
        return self.licences[grant]


def lineage(text: str, **licences: tuple[str, int] | tuple[str, int, str]) -> Lineage:
    """Read lines `party/node: node=grant, node=, node=?`; `=` is the party's own, `=?` was not granted."""
    parties, uses = {}, {}
    for line in text.strip().splitlines():
        head, _, tail = line.strip().partition(":")
        party, node = head.split("/")
        parties[node] = party
        made = [each.strip().split("=") for each in tail.split(",") if each.strip()]
        uses[node] = [Use(name, None if grant == "?" else grant) for name, grant in made]
    return Lineage(parties, uses, {name: Licence(*each) for name, each in licences.items()})


def test_sixty_thirty_ten_with_a_fen_that_can_not_be_divided() -> None:
    sold = lineage(
        """shop/p: a=ga, b=gb
        alice/a:
        bob/b:""",
        ga=("alice", 3000),
        gb=("bob", 1000),
    )
    # exactly 6,000,000.6, 3,000,000.3 and 1,000,000.1: the fen goes to the largest remainder
    assert split_income(10_000_001, "p", sold).payouts == {
        "alice": 3_000_000, "bob": 1_000_000, "shop": 6_000_001,
    }  # fmt: skip


def test_it_goes_on_by_steps() -> None:
    sold = lineage(
        """shop/p: a=ga
        alice/a: b=gb
        bob/b:""",
        ga=("alice", 5000),
        gb=("bob", 2000),
    )
    split = split_income(1000, "p", sold)
    assert split.payouts == {"shop": 500, "alice": 400, "bob": 100}
    assert [
        (f.taker, f.giver, f.grant, f.nodes, Fraction(f.numerator, f.denominator)) for f in split.flows
    ] == [
        ("shop", "alice", "ga", ("a",), 500),
        ("alice", "bob", "gb", ("b",), 100),
    ]


def test_what_one_passed_on_one_shares_with_the_giver() -> None:
    sold = lineage(
        """shop/p: a=second
        alice/a:""",
        first=("alice", 5000),
        second=("broker", 1000, "first"),
    )
    assert split_income(1000, "p", sold).payouts == {"shop": 900, "broker": 50, "alice": 50}


def test_a_diamond_pays_both_sides() -> None:
    sold = lineage(
        """shop/p: b=gb, c=gc
        bob/b: a=ab
        coil/c: a=ac
        alice/a:""",
        gb=("bob", 2000),
        gc=("coil", 4000),
        ab=("alice", 5000),
        ac=("alice", 2500),
    )
    assert split_income(1000, "p", sold).payouts == {"shop": 400, "bob": 100, "coil": 300, "alice": 200}


def test_ones_own_steps_do_not_make_shares_smaller() -> None:
    sold = lineage(
        """shop/p: mid=, x=gx
        shop/mid: x=gx, y=gy
        alice/x:
        bob/y:""",
        gx=("alice", 1000),
        gy=("bob", 500),
    )
    assert split_income(1000, "p", sold).payouts == {"shop": 850, "alice": 100, "bob": 50}


def test_two_versions_under_one_grant_are_paid_for_once() -> None:
    sold = lineage(
        """shop/p: x1=gx, x2=gx
        alice/x1: y=gy
        alice/x2: y=gy, z=gz
        bob/y:
        coil/z:""",
        gx=("alice", 1000),
        gy=("bob", 1000),
        gz=("coil", 1000),
    )
    assert split_income(1000, "p", sold).payouts == {"shop": 900, "alice": 80, "bob": 10, "coil": 10}


def test_what_nobody_granted_is_told() -> None:
    sold = lineage(
        """shop/p: x=?, y=gy
        alice/x:
        bob/y:""",
        gy=("bob", 1),
    )
    split = split_income(5, "p", sold)
    assert (split.payouts, split.ungranted) == ({"shop": 5}, ("x",))


def test_nothing_earned() -> None:
    assert split_income(0, "p", lineage("shop/p:")).payouts == {"shop": 0}


def test_everything_is_owed_and_not_more() -> None:
    sold = lineage("shop/p: x=gx, y=gy\nalice/x:\nbob/y:", gx=("alice", 6000), gy=("bob", 4000))
    assert split_income(10, "p", sold).payouts == {"shop": 0, "alice": 6, "bob": 4}
    sold.licences["gy"] = Licence("bob", 4001)
    with pytest.raises(Unsettled, match="shop owes 10001 of 10000"):
        split_income(10, "p", sold)


@pytest.mark.parametrize(
    "text", ["shop/p: p=", "shop/p: x=g\nalice/x: y=g\nbob/y: x=g", "shop/p: x=\nshop/x: p=", "shop/p: p=?"]
)
def test_cycles(text: str) -> None:
    with pytest.raises(Unsettled, match="went into itself"):
        split_income(10, "p", lineage(text, g=("alice", 1)))


def test_a_circle_of_grants() -> None:
    sold = lineage("shop/p: x=g\nalice/x:", g=("a", 1, "h"), h=("b", 1, "g"))
    with pytest.raises(Unsettled, match="in a circle"):
        split_income(10, "p", sold)


def test_tiers_of_parties_that_use_more_and_more_sets_of_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under each of two grants a tier uses another half of the tier below: the sets double."""
    monkeypatch.setattr("ledger.core.settlement.MAX_POSITIONS", 1_000)
    shuffled = random.Random(1)
    width, above = 16, ["p"]
    parties, uses, licences = {"p": "shop"}, {}, {"start": Licence("party0", 100)}
    for tier in range(12):
        nodes = [f"n{tier}-{at}" for at in range(width)]
        parties |= dict.fromkeys(nodes, f"party{tier}")
        if tier == 0:
            uses["p"] = [Use(node, "start") for node in nodes[: width // 2]]
        for grant in (f"a{tier}", f"b{tier}"):
            licences[grant] = Licence(f"party{tier}", 100)
            for node, source in zip(above, shuffled.sample(nodes, width), strict=tier > 0):
                uses.setdefault(node, []).extend([Use(source, grant)] if tier else [])
        above = nodes
    with pytest.raises(Unsettled, match="more than 1,000 sets"):
        split_income(100, "p", Lineage(parties, uses, licences))


def test_equal_remainders_go_by_name() -> None:
    assert round_exactly(2, {"c": 2, "b": 2, "a": 2}, 3) == {"a": 1, "b": 1, "c": 0}


# any lineage


@st.composite
def lineages(draw: st.DrawFn) -> Lineage:
    count = draw(st.integers(1, 8))
    parties = {f"n{n}": draw(st.sampled_from("abc")) for n in range(count)}
    licences = {}
    uses: dict[str, list[Use]] = {}
    for n in range(count):
        uses[f"n{n}"] = []
        for source in draw(st.sets(st.integers(n + 1, count - 1))) if n + 1 < count else ():
            giver, taker = parties[f"n{source}"], parties[f"n{n}"]
            grant: str | None = draw(st.sampled_from([f"{giver}>{taker}", f"{n}>{source}"]))
            if giver == taker:
                grant = ""
            elif draw(st.integers(0, 9)) == 0:
                grant = None
            elif draw(st.booleans()):
                licences[f"{giver}>broker"] = Licence(giver, draw(st.integers(0, 1500)))
                licences[f"broker>{n}"] = Licence("broker", draw(st.integers(0, 1500)), f"{giver}>broker")
                grant = f"broker>{n}"
            else:
                licences[grant] = Licence(giver, draw(st.integers(0, 1500)))
            uses[f"n{n}"].append(Use(f"n{source}", grant))
    for grants in {each.grant for made in uses.values() for each in made if each.grant}:
        assume(grants in licences)
    return Lineage(parties, uses, licences)


def naive(
    total: Fraction, party: str, under: str, nodes: frozenset[str], sold: Lineage
) -> dict[str, Fraction]:
    """What everybody has of `total`: by recursion, as the rule says it, one path after another."""
    groups: dict[str, set[str]] = {}
    if under:
        groups[under] = set(nodes)
    else:
        for node in nodes:
            collect(node, groups, sold)
    got = {party: total}
    for grant, used in groups.items():
        licence = sold.licences[grant]
        share = total * licence.share_bps / 10_000
        got[party] -= share
        for each, amount in naive(share, licence.giver, licence.under, frozenset(used), sold).items():
            got[each] = got.get(each, Fraction(0)) + amount
    return got


def collect(node: str, groups: dict[str, set[str]], sold: Lineage) -> None:
    for use in sold.uses(node):
        if use.grant == "":
            collect(use.node, groups, sold)
        elif use.grant is not None:
            groups.setdefault(use.grant, set()).add(use.node)


totals = st.integers(0, 10**4) | st.integers(0, 2**53 - 1)


@given(lineages(), totals)
def test_it_is_what_the_rule_says(sold: Lineage, total: int) -> None:
    exact = naive(Fraction(total), sold.party("n0"), "", frozenset(["n0"]), sold)
    assert sum(exact.values()) == total
    payouts = split_income(total, "n0", sold).payouts
    assert sum(payouts.values()) == total
    assert payouts.keys() <= exact.keys()
    for party, amount in exact.items():
        assert abs(payouts.get(party, 0) - amount) < 1
        assert payouts.get(party, 0) >= 0
    down = {party: int(amount) for party, amount in exact.items()}
    order = sorted(exact, key=lambda party: (down[party] - exact[party], party))
    for party in order[: total - sum(down.values())]:
        down[party] += 1
    assert {party: amount for party, amount in payouts.items() if amount} == {
        party: amount for party, amount in down.items() if amount
    }


@given(lineages(), totals, st.randoms())
def test_the_order_of_what_is_known_does_not_matter(sold: Lineage, total: int, random: object) -> None:
    def shuffled(items: Iterable[object]) -> list:  # type: ignore[type-arg]
        listed = list(items)
        random.shuffle(listed)  # type: ignore[attr-defined]
        return listed

    other = Lineage(
        dict(shuffled(sold.parties.items())),
        {node: shuffled(made) + made[:1] for node, made in shuffled(sold.made.items())},  # one said twice
        dict(shuffled(sold.licences.items())),
    )
    ours, theirs = split_income(total, "n0", sold), split_income(total, "n0", other)
    assert list(ours.payouts.items()) == list(theirs.payouts.items())
    assert sorted(ours.flows) == sorted(theirs.flows)


@given(lineages(), totals, st.permutations("abc"))
def test_other_names_of_nodes_and_grants_change_nothing(sold: Lineage, total: int, names: list[str]) -> None:
    other = Lineage(
        {f"x{n}": party for n, party in sold.parties.items()},
        {
            f"x{n}": [Use(f"x{u.node}", u.grant and f"y{u.grant}") for u in made]
            for n, made in sold.made.items()
        },
        {
            f"y{g}": Licence(each.giver, each.share_bps, each.under and f"y{each.under}")
            for g, each in sold.licences.items()
        },
    )
    assert split_income(total, "xn0", other).payouts == split_income(total, "n0", sold).payouts
    assert names


def layers(depth: int, width: int) -> Lineage:
    """Each node from two of the layer below, every layer another party's: 2^depth paths."""
    parties, uses, licences = {"p": "shop"}, {"p": [Use("0.0", "g0")]}, {}
    for level in range(depth):
        licences[f"g{level}"] = Licence(f"party{level % 50}", 100 + level % 700)
        for n in range(width):
            parties[f"{level}.{n}"] = f"party{level % 50}"
            below = [f"{level + 1}.{n}", f"{level + 1}.{(n + 1) % width}"] if level + 1 < depth else []
            uses[f"{level}.{n}"] = [Use(each, f"g{level + 1}") for each in below]
    return Lineage(parties, uses, licences)


@pytest.mark.parametrize(("depth", "width"), [(100, 100), (1000, 10), (2500, 4)])
def test_ten_thousand_nodes(depth: int, width: int) -> None:
    sold = layers(depth, width)
    assert len(sold.parties) > 10_000
    began = time.perf_counter()
    payouts = split_income(10**15 + 1, "p", sold).payouts
    took = time.perf_counter() - began
    assert sum(payouts.values()) == 10**15 + 1
    assert took < 10  # 0.1 to 0.6 s where this was written, the deepest taking longest
