"""The lineage of a product and the grants behind it, as `settlement` wants them: who earns, by whose leave.

A use is covered by the grant that `rights` would name: the first anchored that lets the maker operate its
input at the time, for the purpose and in the region of the sale. A use that no grant covers, or of which that
is unknown, is told apart, so that nobody settles past it unawares.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import structs

from ledger.core.rights import Part, right_to
from ledger.core.rights_facts import Question, RightsFacts
from ledger.core.rights_level import Nature, natures
from ledger.core.settlement import Licence, Use


class RightsEarnings:
    """Answers `settlement.Earnings` for the sale of one product by `sale.party`, who operates it.

    `sale` is the question whether that is allowed: `name` is the product, its right `operate`.
    """

    def __init__(self, sale: Question, facts: RightsFacts) -> None:
        self._sale = structs.replace(sale, right="operate")
        self._facts = facts
        self._natures = natures(sale.name, sale.at_ns, facts)
        self._used: dict[str, list[Use]] = {}
        self._granted: dict[tuple[object, ...], str] = {}
        self._by_asset: dict[tuple[str, str], bool] = {}
        self.refused: dict[tuple[str, str], Part] = {}
        """Who was found to have used what without a grant, and why there is none."""

    def doubts(self) -> set[str]:
        """Say what could not be had and bears on who holds what is in the product."""
        assets = {node.partition("@")[0] for node in self._natures}
        return {doubt for asset in assets for doubt in self._facts.doubts(asset)}

    def party(self, node: str) -> str:
        """Give who earns with a node: the seller with the product, the holder with all else."""
        return self._sale.party if node == self._sale.name else self._holder(node)

    def uses(self, node: str) -> list[Use]:
        """Give what went into a node and by which grant.

        A seller who does not hold the product made it of nothing but what its holder has.
        """
        if node not in self._used:
            self._used[node] = list(self._uses(node))
        return self._used[node]

    def _uses(self, node: str) -> Iterator[Use]:
        if node == self._sale.name and self._holder(node) != self._sale.party:
            yield Use(f"{node}{HELD}", self._grant(self._sale.party, node))
            return
        held = node.removesuffix(HELD)
        maker = self._holder(held)
        for source in sorted(set(self._facts.inputs(held))):
            is_own = self._holder(source) == maker != ""
            yield Use(source, "" if is_own else self._grant(maker, source) if maker else None)

    def licence(self, grant: str) -> Licence:
        """Give what a grant demands."""
        given = self._facts.given(grant)
        assert given is not None, "only grants that were found are asked for"
        return Licence(given.giver, given.terms.share_bps, given.under)

    def _holder(self, node: str) -> str:
        asset = node.removesuffix(HELD).partition("@")[0]
        return self._facts.holder(asset, self._sale.at_ns) or ""

    def _grant(self, party: str, source: str) -> str | None:
        """Name the grant by which a party offers what it made of this; None: none, or it is unknown."""
        nature = self._natures.get(source, Nature(None, frozenset()))
        alike = self._alike(party, source, nature)
        if alike in self._granted:
            return self._granted[alike]
        asked = structs.replace(self._sale, party=party, name=source)
        part = right_to(asked, self._facts, nature)
        if part.verdict != "permitted" or part.chain is None:
            self.refused[party, source] = part
            return None
        return self._granted.setdefault(alike, part.chain.links[0].record)

    def _alike(self, party: str, source: str, nature: Nature) -> tuple[object, ...]:
        """Tell versions apart only where a grant to the party, or an attestation, does: thousands of one
        asset are otherwise alike.
        """
        asset = source.partition("@")[0]
        if (party, asset) not in self._by_asset:
            named = [each.names for each in self._facts.grants(asset, party)]
            named += [each.names for each in self._facts.attestations(asset)]
            self._by_asset[party, asset] = not any("@" in name for names in named for name in names)
        name = asset if self._by_asset[party, asset] else source
        return party, name, nature.level, bool(nature.unclassified)


HELD = " as held"
"""Behind the name of a product that somebody operates who does not hold it: the holder's side of it."""
