"""How sensitive data is and where it is from: what its holders say, and what it inherits from its inputs.

Data is as sensitive as its holder says, and at least as sensitive as the most sensitive of what went into it,
unless that input's own holder has signed a milder classification of this very result, after everything that
the holders said of the input and of what is in it. Both an asset and a version may be classified: the
stricter counts. Data is from wherever holders say that it, or anything in it, is from.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from ledger.core.records_rights import LEVELS, Level
from ledger.core.rights_facts import Attested, RightsFacts
from ledger.core.terms import covers, rank

_NOTHING = (-1, "", 0)  # before every order


class Nature(Struct, frozen=True):
    """The level of data, None where nobody classified it or anything in it; and the regions that it is from.

    `unclassified` and `unlocated` are what in it nobody classified, or said the origin of. `since` is where
    the last word of a holder stands that bears on it. `is_circular`: the lineage says that something went
    into itself. `words` are the records of the classifications of it that count.
    """

    level: Level | None
    regions: frozenset[str]
    unclassified: frozenset[str] = frozenset()
    unlocated: frozenset[str] = frozenset()
    since: tuple[int, str, int] = _NOTHING
    is_circular: bool = False
    words: tuple[str, ...] = ()


def natures(name: str, at_ns: int, facts: RightsFacts) -> dict[str, Nature]:
    """Give the nature of a version or asset and of all that went into it, inputs first."""
    known: dict[str, Nature] = {}
    for node, is_circular in _inputs_first(name, facts):
        known[node] = _nature(node, at_ns, facts, known, is_circular=is_circular)
    return known


def _nature(
    node: str, at_ns: int, facts: RightsFacts, known: dict[str, Nature], *, is_circular: bool
) -> Nature:
    asset = node.partition("@")[0]
    said = sorted(
        (
            each
            for each in facts.attestations(asset)
            if each.kind == "classification" and each.anchored_ns <= at_ns and each.span.has(at_ns)
            if covers(each.names, node)
        ),
        key=lambda each: each.order,
    )
    by_holder = _signed_by_holder(said, asset, facts)
    own = [*_latest(by_holder, asset, node)]
    sources = [each for each in sorted(set(facts.inputs(node))) if each in known]
    level = max((rank(each.level) for each in own), default=0)
    regions = {region for each in own for region in each.regions}
    unclassified = {node} if not own and not sources else set[str]()
    unlocated: set[str] = set()
    since = max((each.order for each in by_holder), default=_NOTHING)
    words = [each.record for each in own]
    for source in sources:
        nature = known[source]
        since = max(since, nature.since)
        milder = [
            each
            for each in _signed_by_holder(said, source.partition("@")[0], facts)
            if node in each.names and each.order > nature.since
        ]
        if milder:
            words.append(milder[-1].record)
            level = max(level, min(rank(nature.level) or len(LEVELS), rank(milder[-1].level)))
        else:
            level = max(level, rank(nature.level))
            unclassified |= nature.unclassified
        regions |= nature.regions
        unlocated |= nature.unlocated
        is_circular = is_circular or nature.is_circular
    if not regions:
        unlocated.add(node)
    return Nature(
        LEVELS[level - 1] if level else None,
        frozenset(regions),
        frozenset(unclassified),
        frozenset(unlocated),
        since,
        is_circular,
        tuple(words),
    )


def _signed_by_holder(said: list[Attested], asset: str, facts: RightsFacts) -> list[Attested]:
    """Give the classifications that somebody signed who held this asset then: of the data, or of an input."""
    return [each for each in said if facts.holder(asset, each.anchored_ns) in each.authors]


def _latest(said: list[Attested], asset: str, node: str) -> Iterator[Attested]:
    """Give the last one that names the asset, and the last that names the version."""
    for name in {asset: None, node: None}:
        naming = [each for each in said if name in each.names]
        yield from naming[-1:]


def _inputs_first(name: str, facts: RightsFacts) -> Iterator[tuple[str, bool]]:
    """Walk a lineage depth first without recursing; say of each node whether it leads back to itself."""
    closed: set[str] = set()
    circular: set[str] = set()
    opened = {name}
    path = [(name, iter(sorted(set(facts.inputs(name)))))]
    while path:
        node, inputs = path[-1]
        source = next(inputs, None)
        if source is None:
            path.pop()
            opened.discard(node)
            closed.add(node)
            yield node, node in circular
        elif source in opened:
            circular.add(node)
        elif source not in closed:
            opened.add(source)
            path.append((source, iter(sorted(set(facts.inputs(source))))))
