"""What is affected if something is bad, counted up: by asset, and by the party that has to be told."""

from __future__ import annotations

from msgspec import Struct

from ledger.core.lineage import LineageGraph


class AffectedAsset(Struct, frozen=True):
    """An asset with the versions of it that were reached, and the DID of the party behind them, if known."""

    asset: str
    versions: list[str]
    party: str
    party_name: str


class Impact(Struct, frozen=True):
    """The graph in figures. `assets` leaves out the roots; `parties` are DIDs with how many assets of theirs.

    `uncertain` are nodes of which nobody knows the version, or whose log is missing: they may be affected,
    and so may more behind them. `truncated` is the graph's: there may be more.
    """

    assets: list[AffectedAsset]
    versions: int
    parties: dict[str, int]
    uncertain: list[str]
    truncated: str


def impact(graph: LineageGraph) -> Impact:
    """Group the nodes of a downstream graph."""
    assets: dict[str, AffectedAsset] = {}
    uncertain = []
    reached = 0
    roots = set(graph.roots)
    for node in graph.nodes:
        if node.id in roots:
            continue
        name, at, _ = node.label.partition("@")
        reached += bool(at)
        if not at or node.kind in ("unknown", "unregistered"):
            uncertain.append(node.id)
        known = assets.setdefault(name, AffectedAsset(name, [], node.party, node.party_name))
        known.versions.append(node.id)
    parties: dict[str, int] = {}
    for asset in assets.values():
        if asset.party:
            parties[asset.party] = parties.get(asset.party, 0) + 1
    return Impact(list(assets.values()), reached, parties, uncertain, graph.truncated)
