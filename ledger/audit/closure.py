"""The lineage that the records of an evidence file make, and whether it is whole.

A version's sources are the inputs of the activities that made it, as their edges say. Every source has a
version record in the file, or is listed as outside it: so a branch that was left out shows. That there is no
further activity, and that a version without any was made from nothing, is claimed: logs prove no absence.

Where rights are asked for, what was said to be made under a version's name counts as well, whatever its
content (`by_name`), and of an asset whose version nobody named, all of its versions: as `may` asks an index.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from typing import NamedTuple

from ledger.audit.judging import Judged
from ledger.core.digests import ASSET, CONTENT_DIGESTS, DECLARED
from ledger.core.errors import EvidenceInvalid
from ledger.core.evidence import OutsideSource
from ledger.core.names import format_version, parse_version
from ledger.core.records import Activity, Registration, Resource, Transfer, Version
from ledger.core.verdict import Observation

NO_NUMBER = 0


class Node(NamedTuple):
    """A version, or content of an asset whose number nobody said (0); an asset itself, by its own digest."""

    asset: str
    number: int
    alg: str
    digest: str

    @property
    def label(self) -> str:
        """Its name as a record gives it."""
        return self.asset if self.number == NO_NUMBER else format_version(self.asset, self.number)

    @property
    def content(self) -> str:
        """Its digest, as `name:hex`; empty of an asset."""
        return "" if self.alg == ASSET else f"{self.alg}:{self.digest}"


class Made(NamedTuple):
    """One edge: `output` came from `input` by the activity whose record that is."""

    output: int
    input: int
    record: bytes
    basis: int


class Closure:
    """Collects accepted records; small enough for a hundred thousand of them."""

    def __init__(self, *, by_name: bool = False) -> None:
        self.by_name = by_name
        self.nodes: list[Node] = []
        self.version_of: dict[int, bytes] = {}
        """Position of a node -> the record of its version."""
        self.titles: dict[str, tuple[str, bytes]] = {}
        """Asset -> title and record of its registration."""
        self._made: list[Made] = []
        self._joined: dict[int, int] = {}
        self._ids: dict[Node, int] = {}
        self._content: dict[tuple[str, str, str], int] = {}
        self._about: list[tuple[bytes, str]] = []
        self._changed: list[tuple[bytes, int]] = []
        self._activities: dict[bytes, None] = {}

    def add(self, judged: Judged) -> None:
        """Take an accepted record."""
        predicate, subject = judged.statement.predicate, judged.statement.subject
        if isinstance(predicate, Version):
            node = self._id(_node(subject[0]))
            self.version_of[node] = judged.record
            self._content[self.nodes[node].asset, self.nodes[node].alg, self.nodes[node].digest] = node
            used_before = self._ids.get(self.nodes[node]._replace(number=NO_NUMBER))
            if used_before is not None:
                self._joined.setdefault(used_before, node)
        elif isinstance(predicate, Activity):
            self._activity(judged.record, subject, predicate)
        elif isinstance(predicate, Registration):
            self.titles[subject[0].name] = predicate.title, judged.record
        elif isinstance(predicate, Transfer):
            self._about.append((judged.record, subject[0].name))

    def _activity(self, record: bytes, subject: Sequence[Resource], predicate: Activity) -> None:
        outputs = [self._output(each) for each in subject]
        inputs = [self._input(each) for each in predicate.inputs]
        self._activities[record] = None
        for edge in predicate.edges:
            output = outputs[edge.output]
            if output is not None:
                self._made.append(Made(output, inputs[edge.input], record, edge.basis))
        self._changed += ((record, inputs[position]) for position in predicate.changed)

    def _output(self, resource: Resource) -> int | None:
        """Return the node of an output; None of a run, or of an asset of which no version was made."""
        ((alg, _),) = resource.digest.items()
        return self._id(_node(resource)) if alg in CONTENT_DIGESTS else None

    def _input(self, resource: Resource) -> int:
        node = _node(resource)
        if node.number == NO_NUMBER and node.alg != ASSET:
            known = self._content.get((node.asset, node.alg, node.digest))
            return self._id(node) if known is None else known
        return self._id(node)

    def _id(self, node: Node) -> int:
        position = self._ids.get(node)
        if position is None:
            position = self._ids[node] = len(self.nodes)
            self.nodes.append(node)
        return position

    @cached_property
    def edges(self) -> list[Made]:
        """All edges, once all records are known: what was used before its version was known leads to that."""
        if not self._joined:  # nearly always
            return self._made
        return [edge._replace(input=self._joined.get(edge.input, edge.input)) for edge in self._made]

    def roots(self, names: Iterable[str]) -> list[int]:
        """Return the nodes of the versions asked for; EvidenceInvalid if one has no record here."""
        named = {self.nodes[node].label: node for node in self.version_of}
        for name in names:
            if name not in named:
                raise EvidenceInvalid("root-missing", f"{name} was asked for, and there is no record of it")
        return [named[name] for name in names]

    def reached(self, roots: Iterable[int]) -> dict[int, None]:
        """Return all nodes that the roots are made from, the roots included, nearest first."""
        sources: dict[int, list[int]] = defaultdict(list)
        for edge in self.edges:
            sources[edge.output].append(edge.input)
        found = dict.fromkeys(roots)
        frontier = list(found)
        while frontier:
            made = [twin for node in frontier for twin in self.twins(node)]
            frontier = [each for node in made for each in sources.get(node, ()) if each not in found]
            found.update(dict.fromkeys(frontier))
            frontier = list(dict.fromkeys(frontier))
        return found

    def twins(self, node: int) -> list[int]:
        """Return the nodes whose sources are a node's: itself, and where names count, its namesakes."""
        if not self.by_name:
            return [node]
        named = self.nodes[node]
        if named.alg == ASSET:
            return self._namesakes[named.asset, NO_NUMBER]
        return self._namesakes[named.asset, named.number] if node in self.version_of else [node]

    @cached_property
    def _namesakes(self) -> dict[tuple[str, int], list[int]]:
        """The nodes of each version's name, and under no number all of an asset."""
        found: dict[tuple[str, int], list[int]] = defaultdict(list)
        for position, node in enumerate(self.nodes):
            found[node.asset, NO_NUMBER].append(position)
            if node.number != NO_NUMBER:
                found[node.asset, node.number].append(position)
        return found

    def name_of(self, node: int) -> str:
        """Return what rights know a node by: content that nobody recorded under its name, by its digest."""
        named = self.nodes[node]
        is_known = named.alg == ASSET or node in self.version_of
        return named.label if is_known else f"{named.asset}@{named.content}"

    def outside(self, reached: Iterable[int]) -> set[tuple[str, str, str]]:
        """Return name, digest name and digest of the sources of which there is no record here.

        An asset whose version nobody knows is inside if its registration is.
        """
        missing = (self.nodes[node] for node in reached if node not in self.version_of)
        return {
            (each.label, each.alg, each.digest)
            for each in missing
            if each.alg != ASSET or each.asset not in self.titles
        }

    def require_whole(self, reached: Iterable[int], listed: Iterable[OutsideSource]) -> None:
        """Raise unless exactly the sources without a record are listed as outside."""
        expected = self.outside(reached)
        given = {(each.name, *next(iter(each.digest.items()))) for each in listed}
        for name, alg, digest in sorted(expected - given):
            raise EvidenceInvalid(
                "lineage-incomplete",
                f"{name} ({alg}:{digest}) is a source, and neither here nor listed as outside",
            )
        for name, alg, digest in sorted(given - expected):
            raise EvidenceInvalid(
                "unneeded-outside", f"{name} ({alg}:{digest}) is listed as outside, and is not"
            )

    def require_needed(
        self, reached: dict[int, None], assets: Collection[str] = (), versions: Collection[str] = ()
    ) -> None:
        """Raise if there is a record that says nothing about what was asked for.

        `assets` and `versions` are those that grants name, beside those of the lineage.
        """
        needed = {self.nodes[node].asset for node in reached}.union(assets)
        spare = [
            record
            for node, record in self.version_of.items()
            if node not in reached and self.nodes[node].label not in versions
        ]
        made = {twin for node in reached for twin in self.twins(node)}
        used = {edge.record for edge in self.edges if edge.output in made}
        spare += [record for record in self._activities if record not in used]
        spare += [record for asset, (_, record) in self.titles.items() if asset not in needed]
        spare += [record for record, asset in self._about if asset not in needed]
        for record in spare:
            raise EvidenceInvalid("unneeded-record", f"record {record.hex()} is no part of the lineage")

    def findings(self, reached: dict[int, None]) -> list[Observation]:
        """List what is proper to no record but shows in them together."""
        found = []
        for edge in self.edges:
            if edge.output in reached and self.nodes[edge.output].alg not in (ASSET, DECLARED):
                source = self.nodes[edge.input]
                if source.alg == DECLARED:
                    text = "nobody hashed this input, but what was made from it"
                    found.append(_warning("declared-input", source.label, text, edge.record))
        for record, used in self._changed:
            node = self._joined.get(used, used)
            if node in reached:
                text = "it changed while the run read it"
                found.append(_warning("input-changed", self.nodes[node].label, text, record))
        found += self._mismatches(reached)
        return list(dict.fromkeys(found))

    def _mismatches(self, reached: dict[int, None]) -> list[Observation]:
        recorded = {self.nodes[node].label: self.nodes[node] for node in self.version_of}
        return [
            _warning(
                "input-digest-mismatch",
                source.label,
                f"recorded with {recorded[source.label].content}, used with {source.content}",
                edge.record,
            )
            for edge in self.edges
            if edge.output in reached and edge.input not in self.version_of
            for source in (self.nodes[edge.input],)
            if source.number != NO_NUMBER and source.label in recorded
        ]


def _warning(kind: str, subject: str, text: str, record: bytes) -> Observation:
    return Observation(kind=kind, severity="warning", subject=subject, text=text, record=record.hex())


def _node(resource: Resource) -> Node:
    ((alg, digest),) = resource.digest.items()
    if "@" in resource.name:
        asset, number = parse_version(resource.name)
        return Node(asset, number, alg, digest)
    return Node(resource.name, NO_NUMBER, alg, digest)
