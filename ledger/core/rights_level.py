"""How sensitive data is and where it is from: what its holders say, and what it inherits from its inputs.

Data is as sensitive as its holder says, and at least as sensitive as the most sensitive of what went into it,
unless that input's own holder has signed a milder classification of this very result, after everything that
the holders said of the input and of what is in it. Both an asset and a version may be classified: the
stricter counts. Data is from wherever holders say that it, or anything in it, is from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from ledger.core.records_rights import LEVELS, Level
from ledger.core.rights_facts import Attested, RightsFacts
from ledger.core.terms import covers, rank

_NOTHING = (-1, "", 0)  # before every order


FEW: Final = 3
"""How many names are kept of what nobody classified, or said the origin of: enough to name some of it."""


class Nature(Struct, frozen=True):
    """The level of data, None where nobody classified it or anything in it; and the regions that it is from.

    `unclassified` and `unlocated` are what in it nobody classified, or said the origin of: the first `FEW`
    names, of which a large lineage has thousands. `since` is where the last word of a holder stands that
    bears on it. `is_circular`: the lineage says that something went into itself. `words` are the records of
    the classifications of it that count, `doubts` why some of these may have been taken back.
    """

    level: Level | None
    regions: frozenset[str]
    unclassified: frozenset[str] = frozenset()
    unlocated: frozenset[str] = frozenset()
    since: tuple[int, str, int] = _NOTHING
    is_circular: bool = False
    words: tuple[str, ...] = ()
    doubts: frozenset[str] = frozenset()


def natures(name: str, at_ns: int, facts: RightsFacts) -> dict[str, Nature]:
    """Give the nature of a version or asset and of all that went into it, inputs first."""
    known: dict[str, Nature] = {}
    for node, inputs, is_circular in _inputs_first(name, facts):
        sources = {each: known[each] for each in inputs if each in known}
        known[node] = _nature(node, sources, at_ns, facts, is_circular=is_circular)
    return known


def _nature(
    node: str, sources: Mapping[str, Nature], at_ns: int, facts: RightsFacts, *, is_circular: bool
) -> Nature:
    asset = node.partition("@")[0]
    said = _classifications(node, asset, at_ns, facts)
    by_holder = _signed_by_holder(said, asset, facts)
    own = [*_latest(by_holder, asset, node)]
    level = max((rank(each.level) for each in own), default=0)
    regions = {region for each in own for region in each.regions}
    unclassified = {node} if not own and not sources else set[str]()
    unlocated: set[str] = set()
    since = max((each.order for each in by_holder), default=_NOTHING)
    counted = list(own)
    doubts: set[str] = set()
    for source, nature in sources.items():
        since = max(since, nature.since)
        milder = [] if not said else _milder(said, node, source, nature, facts)
        if milder:
            counted.append(milder[-1])
            level = max(level, min(rank(nature.level) or len(LEVELS), rank(milder[-1].level)))
        else:
            level = max(level, rank(nature.level))
            unclassified |= nature.unclassified
        regions |= nature.regions
        unlocated |= nature.unlocated
        doubts |= nature.doubts
        is_circular = is_circular or nature.is_circular
    if not regions:
        unlocated.add(node)
    doubts |= {f"classification {each.record}: {each.doubt}" for each in counted if each.doubt}
    return Nature(
        LEVELS[level - 1] if level else None,
        frozenset(regions),
        _first_few(unclassified),
        _first_few(unlocated),
        since,
        is_circular,
        tuple(each.record for each in counted),
        _first_few(doubts),
    )


def _milder(
    said: list[Attested], node: str, source: str, nature: Nature, facts: RightsFacts
) -> list[Attested]:
    """Give what the holder of an input said of this very result, after all that bears on the input."""
    by_holder = _signed_by_holder(said, source.partition("@")[0], facts)
    return [each for each in by_holder if node in each.names and each.order > nature.since]


def _first_few(names: set[str]) -> frozenset[str]:
    return frozenset(names if len(names) <= FEW else sorted(names)[:FEW])


def _classifications(node: str, asset: str, at_ns: int, facts: RightsFacts) -> list[Attested]:
    """Give the classifications of a version or asset that are in force, in the order of their anchors."""
    said = [
        each
        for each in facts.attestations(asset)
        if each.kind == "classification" and each.anchored_ns <= at_ns and each.span.has(at_ns)
        if covers(each.names, node)
    ]
    return sorted(said, key=lambda each: each.order)


def _signed_by_holder(said: list[Attested], asset: str, facts: RightsFacts) -> list[Attested]:
    """Give the classifications that somebody signed who held this asset then: of the data, or of an input."""
    return [each for each in said if facts.holder(asset, each.anchored_ns) in each.authors]


def _latest(said: list[Attested], asset: str, node: str) -> Iterator[Attested]:
    """Give the last one that names the asset, and the last that names the version."""
    for name in {asset: None, node: None}:
        naming = [each for each in said if name in each.names]
        yield from naming[-1:]


def _inputs_first(name: str, facts: RightsFacts) -> Iterator[tuple[str, list[str], bool]]:
    """Walk a lineage depth first without recursing; give each node with its inputs, and say whether it leads
    back to itself.
    """
    closed: set[str] = set()
    circular: set[str] = set()
    inputs_of = {name: sorted(set(facts.inputs(name)))}  # of the nodes that are open
    path = [(name, iter(inputs_of[name]))]
    while path:
        node, inputs = path[-1]
        source = next(inputs, None)
        if source is None:
            path.pop()
            closed.add(node)
            yield node, inputs_of.pop(node), node in circular
        elif source in inputs_of:
            circular.add(node)
        elif source not in closed:
            inputs_of[source] = sorted(set(facts.inputs(source)))
            path.append((source, iter(inputs_of[source])))
