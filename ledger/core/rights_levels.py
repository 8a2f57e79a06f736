"""How sensitive data is, and where it is from, through its lineage.

A classification counts where one of its authors held the asset when it was anchored; the last one counts.
Data is as sensitive as the strictest of what it was made from, whatever its own classification says, unless
that was signed by the holder of the input too (docs/formats.md section 4): nobody else is entitled to call
milder what is made of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from msgspec import Struct

from ledger.core.records import Attestation
from ledger.core.records_rights import LEVELS, Level
from ledger.core.rights_facts import Given, RightsFacts
from ledger.core.rights_standing import addresses, is_revoked
from ledger.core.terms import covers, rank

Downgrades = frozenset[tuple[bytes, ...]]
"""The classifications (record ids) of each thing on the way from a product to an input."""
MOST = 100_000
"""Nodes of a lineage that are looked at."""


class Sensitivity(Struct, frozen=True):
    """The level of a name (None: nobody classified it), its regions of origin, and why that may be wrong."""

    level: Level | None
    origins: tuple[str, ...]
    doubt: str = ""


class Levels:
    """Answers for one moment; what was found out about an asset's classifications is remembered."""

    def __init__(self, facts: RightsFacts, at_ns: int) -> None:
        self._facts = facts
        self._at_ns = at_ns
        self._known: dict[str, Sensitivity] = {}
        self._classified: dict[tuple[bytes, ...], list[Given]] = {}

    def of(self, name: str) -> Sensitivity:
        """Give level and origins of an asset or version."""
        if name not in self._known:
            self._known[name] = self._walk(name)
        return self._known[name]

    def _walk(self, name: str) -> Sensitivity:
        """Collect what is said of a name and of all that it was made from, each as far as it binds here."""
        level, origins, doubt = 0, dict[str, None](), ""
        first: tuple[str, Downgrades] = (name, frozenset())
        waiting, seen = deque([first]), {first}
        while waiting:
            node, downgrades = waiting.popleft()
            own = list(self._counted(node))
            doubt = doubt or self._doubt(node)
            for each in own:
                said = each.statement.predicate
                if isinstance(said, Attestation) and not self._is_freed(node, downgrades):
                    level = max(level, rank(said.level))
                    origins.update(dict.fromkeys(said.regions))
            after = downgrades | self._downgrade(node, own)
            for source in self._facts.sources(node):
                if source.kind == "unknown":
                    doubt = doubt or f"what is said of {source.name} can't be had"
                step = (source.name, after)
                if step not in seen:
                    seen.add(step)
                    waiting.append(step)
            if len(seen) > MOST:
                return Sensitivity(None, (), f"{name} was made from more than {MOST:,} things")
        return Sensitivity(LEVELS[level - 1] if level else None, tuple(sorted(origins)), doubt)

    def _downgrade(self, name: str, own: list[Given]) -> Downgrades:
        """Note the classifications of a whole name; those of some versions of an asset free nothing."""
        if not own or not covers(own[0].statement.subject, name):
            return frozenset()
        group = tuple(each.record for each in own)
        self._classified[group] = own
        return frozenset([group])

    def _counted(self, name: str) -> Iterator[Given]:
        """Yield the classifications that count: of a version the last; of an asset also those of versions
        that came after it.
        """
        asset, _, number = name.partition("@")
        last: list[Given] = []
        for each in self._facts.attestations("classification", asset):
            subjects = {resource.name for resource in each.statement.subject}
            whole = asset in subjects
            if not (whole or name in subjects or not number):
                continue
            holder = self._facts.held_at(asset, each.block)
            if holder not in addresses(each.statement.predicate.authors):
                continue
            if not is_revoked(each.record, self._at_ns, self._facts):
                last = [each] if whole or number else [*last, each]
        yield from last

    def _is_freed(self, name: str, downgrades: Downgrades) -> bool:
        """Tell whether one who held this input signed all classifications of something made from it."""
        asset = name.partition("@")[0]
        return any(
            all(
                self._facts.held_at(asset, each.block) in addresses(each.statement.predicate.authors)
                for each in self._classified[group]
            )
            for group in downgrades
        )

    def _doubt(self, name: str) -> str:
        """Say why a stricter classification may be hidden."""
        asset = name.partition("@")[0]
        missing = self._facts.missing_logs(self._facts.holders(asset))
        return f"log {missing[0].hex()}, of who held {asset}, can't be had" if missing else ""
