"""What versions and assets were made from, by name, for the rules of rights: a whole lineage read at once.

Content that was used before its version was known leads to that version; an input of which only the asset is
known, to whatever any version of it was made from.
"""

from __future__ import annotations

from collections.abc import Iterable

from ledger.core.digests import ASSET
from ledger.index.database import Database, Row
from ledger.index.kinds import ALGORITHMS, CODE
from ledger.index.lineage import hydrate, walk


class RightsLineage:
    """Answers from memory; what is not there yet is read with everything that went into it."""

    def __init__(self, database: Database, block: int) -> None:
        self._database = database
        self._block = block
        self._inputs: dict[str, list[str]] = {}
        self._algs: dict[str, int | None] = {}

    def inputs(self, name: str) -> list[str]:
        """Return what went directly into a version, or into any version of an asset; each once, sorted."""
        if name not in self._inputs:
            self._read(name)
        return self._inputs[name]

    def alg(self, name: str) -> int | None:
        """Return the code of the digest's name of a recorded version, None if there is no such version."""
        if name not in self._algs:
            asset, _, number = name.partition("@")
            self._algs[name] = self._database.scalar(_ALG, asset, int(number), self._block)
        return self._algs[name]

    def _read(self, name: str) -> None:
        asset, _, number = name.partition("@")
        if number and not number.isdecimal():
            self._inputs[name] = []  # content that nobody recorded
            return
        least, most = (int(number), int(number)) if number else (0, _MOST)
        start = self._database.rows(_START, asset, least, most, self._block)
        self._inputs[name] = []
        if any(is_made for _, is_made in start):
            self._read_lineage([node for node, _ in start], asset if not number else "")

    def _read_lineage(self, start: Iterable[int], asset: str) -> None:
        """Read everything behind these nodes; of `asset`, if named, they are all."""
        nodes = self._nodes(start)
        names = {node: _name(*row) for node, row in nodes.items()}
        sources = self._sources(list(nodes))
        whole = {row[0] for row in nodes.values() if row[2] == CODE[ASSET]} | {asset}
        made: dict[str, set[str]] = {}
        for node, (of, number, alg, _, known) in nodes.items():
            name = f"{of}@{number}"
            into = [names[source] for source in sources.get(node, ())]
            made.setdefault(name, set()).update(into)
            if of in whole:
                made.setdefault(of, set()).update(into)
            if known:
                self._algs[name] = alg
        self._inputs.update((name, sorted(into)) for name, into in made.items())

    def _nodes(self, start: Iterable[int]) -> dict[int, Row]:
        """Return what is behind these nodes, and behind others that the same names mean: asset, number, code
        of the digest's name, digest, and whether a version record speaks of it.
        """
        found: dict[int, Row] = {}
        new = list(start)
        while new:
            reached = walk(self._database, new, direction="upstream", block=self._block).ids
            rows = hydrate(self._database, _NODES, reached, self._block, CODE[ASSET], _MOST)
            named = {node: row for node, *row in rows}
            new = [node for node in named.keys() - set(reached) if node not in found]
            found |= named
        return found

    def _sources(self, nodes: list[int]) -> dict[int, list[int]]:
        """Return from which nodes each was made."""
        edges = hydrate(self._database, _EDGES, nodes, self._block)
        recorded_as = {row[0]: row[1] for row in edges if not row[2]}
        sources: dict[int, list[int]] = {}
        for output, source, activity in edges:
            if activity:
                version = recorded_as.get(source)
                sources.setdefault(output, []).append(source if version is None else version)
        return sources


def _name(asset: str, number: int, alg: int, digest: bytes, known: int) -> str:
    """Name a node; one whose content nobody recorded under its name, by its digest."""
    if known:
        return f"{asset}@{number}"
    return asset if ALGORITHMS[alg] == ASSET else f"{asset}@{ALGORITHMS[alg]}:{digest.hex()}"


_MOST = 2**62  # beyond every number of a version

_START = """
SELECT n.id, EXISTS (SELECT 1 FROM edge e WHERE e.output = n.id AND e.block <= ?4)
FROM asset a JOIN node n ON n.asset = a.id AND n.number BETWEEN ?2 AND ?3 WHERE a.name = ?1 AND n.block <= ?4
"""
# nodes, and those of the same asset and number; of an asset of unknown version, all of its nodes
_NODES = """
SELECT m.id, a.name, m.number, m.alg, m.digest,
  EXISTS (SELECT 1 FROM version w WHERE w.node = m.id AND w.block <= ?2)
FROM json_each(?1) j CROSS JOIN node n ON n.id = j.value
CROSS JOIN node m ON m.asset = n.asset
  AND m.number BETWEEN n.number AND iif(n.alg = ?3, ?4, n.number)
JOIN asset a ON a.id = m.asset WHERE m.block <= ?2
"""
_EDGES = """
SELECT e.output, e.input, e.activity FROM json_each(?) j CROSS JOIN edge e ON e.output = j.value
WHERE e.block <= ? ORDER BY e.id
"""
_ALG = """
SELECT n.alg FROM version v JOIN node n ON n.id = v.node JOIN asset a ON a.id = v.asset
WHERE a.name = ? AND v.number = ? AND v.block <= ?
"""
