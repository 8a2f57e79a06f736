"""Who is owed how much of an income: split over the lineage of what was sold, by the shares in the grants.

Each giver of a right has `share_bps` of what the taker earns with what is made of the data, and of that owes
its own givers in turn. Shares are counted once for a grant, however often the data went into the product;
versions that a party made from its own are one with what they were made from. So a diamond pays both of its
sides, and nobody twice for the same grant.

All arithmetic is on whole numbers: exact until the end, where every party gets its amount rounded down and
the units that are left go to the largest remainders, among equals in the order of the parties' names. The
payouts therefore add up to the total, differ from the exact amounts by less than one unit, and depend on
nothing but the lineage and the grants. Which grant covers which use is for `rights`; that a lineage is
the claim of whoever recorded it, no arithmetic can mend.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple, Protocol

from msgspec import Struct

from ledger.core.errors import Unsettled
from ledger.core.records_rights import ALL_BPS

MAX_POSITIONS: Final = 200_000
"""Most sets of versions that somebody earns with: from tier to tier of parties they may double."""


class Use(NamedTuple):
    """What went into a node: another node, and the grant by which it might.

    An empty grant: the node is the party's own. None: nobody granted it.
    """

    node: str
    grant: str | None


class Licence(Struct, frozen=True, gc=False):
    """Who gave a right for which share; `under` is the grant by which a giver who holds nothing had it."""

    giver: str
    share_bps: int
    under: str = ""


class Earnings(Protocol):
    """What has to be known of nodes (asset versions) and grants; both are named by any text."""

    def party(self, node: str, /) -> str:
        """Give the party that earns with a node: its holder, of the product its operator."""

    def uses(self, node: str, /) -> Iterable[Use]:
        """Give what went directly into a node."""

    def licence(self, grant: str, /) -> Licence:
        """Give the share that a grant demands."""


class Flow(NamedTuple):
    """`taker` owes `giver` exactly numerator / denominator smallest units for `nodes`, used under `grant`."""

    taker: str
    giver: str
    grant: str
    nodes: tuple[str, ...]
    numerator: int
    denominator: int


class Split(NamedTuple):
    """The payouts by party, whole and together the total; how they come about; what nobody granted.

    `payouts` has the parties that get something, and who earns with the product in any case. Before it was
    rounded, a party's part was exactly exact[party] / denominator units.
    """

    payouts: dict[str, int]
    flows: list[Flow]
    ungranted: tuple[str, ...]
    exact: dict[str, int]
    denominator: int


class _Position(Struct, eq=False):
    """A party that earns with some nodes: as their holder, or under a grant that it has passed on.

    Each is one object (`_Positions`) and stands for itself: to hash thousands of nodes at every step would be
    most of the work.
    """

    party: str
    under: str
    nodes: tuple[str, ...]


class _Positions:
    """The positions met, each made once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, tuple[str, ...]], _Position] = {}

    def at(self, party: str, under: str, nodes: tuple[str, ...]) -> _Position:
        """Give the position of a party with these nodes, under this grant or as their holder."""
        key = (party, under, nodes)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = _Position(*key)
        return known


class _Debt(NamedTuple):
    grant: str
    share_bps: int
    to: _Position


def split_income(total: int, product: str, earnings: Earnings) -> Split:
    """Split `total` smallest units, at least 0, that were earned with `product`.

    Raises Unsettled if the lineage has a cycle, grants rest on one another in a circle, or somebody owes more
    than all it has.
    """
    _check_acyclic(product, earnings)
    positions = _Positions()
    first = positions.at(earnings.party(product), "", (product,))
    ungranted: set[str] = set()
    debts = _expand(first, positions, earnings, ungranted)
    order = list(_in_order(first, debts))
    level = _levels(order, debts)
    # What a position has is income[position] / ALL_BPS**level[position] units. `kept` is in the last level's.
    scale = [ALL_BPS**each for each in range(max(level.values()) + 2)]
    income = dict.fromkeys(order, 0) | {first: total}
    kept: dict[str, int] = {}
    flows = []
    for position in order:
        had, below = income[position], level[position] + 1
        for debt in debts[position]:
            owed = had * debt.share_bps
            income[debt.to] += owed * scale[level[debt.to] - below]
            flows.append(Flow(position.party, debt.to.party, debt.grant, debt.to.nodes, owed, scale[below]))
        kept[position.party] = kept.get(position.party, 0) + (
            had * _kept_bps(position, debts[position]) * scale[len(scale) - 1 - below]
        )
    payouts = round_exactly(total, kept, scale[-1])
    paid = {party: amount for party, amount in payouts.items() if amount or party == first.party}
    return Split(paid, flows, tuple(sorted(ungranted)), kept, scale[-1])


def round_exactly(total: int, parts: Mapping[str, int], denominator: int) -> dict[str, int]:
    """Round amounts (parts / denominator) that add up to `total` so that they still do.

    The method of the largest remainder: parties are in the order of their names, of equal remainders the
    first ones are rounded up.
    """
    rounded, remainder = {}, {}
    for party in sorted(parts):
        rounded[party], remainder[party] = divmod(parts[party], denominator)
    left = total - sum(rounded.values())
    for party in sorted(rounded, key=lambda party: (-remainder[party], party))[:left]:
        rounded[party] += 1
    return rounded


def _kept_bps(position: _Position, owed: Iterable[_Debt]) -> int:
    """Give what a position keeps of what it has, in basis points."""
    due = sum(debt.share_bps for debt in owed)
    if due > ALL_BPS:
        raise Unsettled(
            f"{position.party} owes {due} of {ALL_BPS} basis points of what it earns with "
            f"{', '.join(position.nodes[:3])}"
        )
    return ALL_BPS - due


def _levels(order: Iterable[_Position], debts: Mapping[_Position, list[_Debt]]) -> dict[_Position, int]:
    """Give the longest way from the first position to each, in debts."""
    level: dict[_Position, int] = {}
    for position in order:
        below = level.setdefault(position, 0) + 1
        for debt in debts[position]:
            level[debt.to] = max(level.get(debt.to, 0), below)
    return level


def _expand(
    first: _Position, positions: _Positions, earnings: Earnings, ungranted: set[str]
) -> dict[_Position, list[_Debt]]:
    """Find every position that something flows to, and what each owes."""
    debts: dict[_Position, list[_Debt]] = {}
    waiting = [first]
    while waiting:
        position = waiting.pop()
        if position in debts:
            continue
        if len(debts) == MAX_POSITIONS:
            raise Unsettled(
                f"more than {MAX_POSITIONS:,} sets of versions are earned with: too many to be told"
            )
        debts[position] = owed = list(_debts(position, positions, earnings, ungranted))
        waiting += [debt.to for debt in owed]
    return debts


def _debts(
    position: _Position, positions: _Positions, earnings: Earnings, ungranted: set[str]
) -> Iterator[_Debt]:
    if position.under:
        yield _debt(position.under, position.nodes, positions, earnings)
        return
    used: dict[str, set[str]] = {}
    for use in _foreign(position.nodes, earnings):
        if use.grant is None:
            ungranted.add(use.node)
        else:
            used.setdefault(use.grant, set()).add(use.node)
    for grant in sorted(used):
        yield _debt(grant, tuple(sorted(used[grant])), positions, earnings)


def _debt(grant: str, nodes: tuple[str, ...], positions: _Positions, earnings: Earnings) -> _Debt:
    licence = earnings.licence(grant)
    return _Debt(grant, licence.share_bps, positions.at(licence.giver, licence.under, nodes))


def _foreign(nodes: Iterable[str], earnings: Earnings) -> Iterator[Use]:
    """Give what others' data went into these nodes, directly or by way of the party's own."""
    waiting = list(nodes)
    seen = set(waiting)
    while waiting:
        for use in earnings.uses(waiting.pop()):
            if use.grant != "":
                yield use
            elif use.node not in seen:
                seen.add(use.node)
                waiting.append(use.node)


def _in_order(first: _Position, debts: Mapping[_Position, list[_Debt]]) -> Iterator[_Position]:
    """Give the positions so that all who pay one come before it; Unsettled if there is a circle of grants."""
    payers = dict.fromkeys(debts, 0)
    for owed in debts.values():
        for debt in owed:
            payers[debt.to] += 1
    ready = [first]
    done = 0
    while ready:
        position = ready.pop()
        yield position
        done += 1
        for debt in debts[position]:
            payers[debt.to] -= 1
            if not payers[debt.to]:
                ready.append(debt.to)
    if done < len(debts):
        raise Unsettled("grants rest on one another in a circle, so that no share of them can be told")


def _check_acyclic(product: str, earnings: Earnings) -> None:
    """Refuse a lineage in which something went into itself: walked depth first, without recursing."""
    open_nodes: set[str] = set()
    closed: set[str] = set()
    path = [(product, iter(list(earnings.uses(product))))]
    open_nodes.add(product)
    while path:
        node, uses = path[-1]
        use = next(uses, None)
        if use is None:
            path.pop()
            open_nodes.discard(node)
            closed.add(node)
        elif use.node in open_nodes:
            raise Unsettled(f"{use.node} went into itself, by way of {node}: this lineage can't be settled")
        elif use.node not in closed:
            open_nodes.add(use.node)
            path.append((use.node, iter(list(earnings.uses(use.node)))))
