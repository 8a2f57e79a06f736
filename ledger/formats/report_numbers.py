"""What things on a report are called: records, versions, parties and logs are numbered, numbers are links.

Names from outside never become part of an anchor. A party is named by its number, because a display name is
a claim that two parties may make; the same number stands wherever it signs.

A page is for people, so each part of it has a limit, and says so. Which rows are left out is decided here:
roots stay, what is revoked, unknown or has a finding stays, then what stands nearest to the roots.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import islice

from ledger.core.lineage import LineageGraph, LineageNode
from ledger.core.verdict import EvidenceView, JudgedRecord
from ledger.formats.report_html import Markup, element, link, name, said
from ledger.formats.report_table import many

MARKS = ("asked for", "revoked", "unknown", "outside")
"""What else than its kind must catch the eye of a version; that there are findings is counted."""

RECORDS = 500
"""Rows of the table of records."""

VERSIONS = 500
"""Rows of the table of versions."""

PARTIES = 300
LOGS = 300


class Numbers:
    """The numbers of a view's parts, counted from 1, and which of its rows are on the page."""

    def __init__(self, view: EvidenceView) -> None:
        self.versions: list[LineageNode] = nearest_first(view.graph)
        self.version_of = {node.id: at for at, node in enumerate(self.versions, 1)}
        """Number of a version, by the id of its node; a version that has a record is found by its name."""
        self.party_of = _counted(
            did
            for dids in (
                (party.did for party in view.verdict.parties),
                *(record.authors for record in view.records),
            )
            for did in dids
        )
        self.party_name = {party.did: party.name for party in view.verdict.parties}
        self.log_of = _counted(record.log for record in view.records)
        self.record_of: dict[str, int] = {}
        self.about: dict[str, list[int]] = {}
        for number, record in enumerate(view.records, 1):
            self.record_of.setdefault(record.record, number)
            for subject in record.subjects:
                self.about.setdefault(subject, []).append(number)
        self._roots = set(view.graph.roots)
        self._outside = {(each.name, each.digest) for each in view.verdict.outside}
        self._states = [record.state for record in view.records]
        self.records = _chosen(view, self.version_of)
        self._shown = {number for number, _ in self.records}
        self._types = [record.type for record in view.records]

    def record(self, identity: str) -> Markup | None:
        """Return a link to the row of a record (hex); None if the file does not have it."""
        number = self.record_of.get(identity)
        return None if number is None else self.record_row(number)

    def record_row(self, number: int) -> Markup:
        """Return a link to the row of a record, its bare name if that row was left out."""
        words = f"record {number}"
        if number in self._shown:
            return link(f"record-{number}", words, class_="nowrap")
        return element("span", words, class_="nowrap")

    def log(self, identity: str) -> Markup:
        """Return a link to the row of a log (hex)."""
        number = self.log_of[identity]
        return link(f"log-{number}", f"log {number}") if number <= LOGS else said(f"log {number}")

    def version(self, identity: str) -> Markup:
        """Return a link to the row of a version, or its name if it has no row."""
        number = self.version_of.get(identity)
        if number is None or number > VERSIONS:
            return name(identity)
        return link(f"version-{number}", name(self.versions[number - 1].label))

    def party(self, did: str) -> Markup:
        """Return a party: its number as a link, and the name that it gave itself."""
        number = self.party_of.get(did)
        shown = said(self.party_name.get(did) or short(did), 60)
        if number is None or number > PARTIES:
            return shown
        return link(f"party-{number}", f"P{number} ", shown)

    def records_of(self, node: LineageNode) -> list[int]:
        """List the records about a version, those that made it a version first."""
        first = {"version": 0, "registration": 1}
        found = self.about.get(node.id, ())
        return sorted(found, key=lambda number: (first.get(self._types[number - 1], 2), number))

    def marks(self, node: LineageNode) -> tuple[str, ...]:
        """List what must catch the eye: asked for, a record does not stand, no record here, findings."""
        states = {self._states[number - 1] for number in self.records_of(node)}
        present = {
            "asked for": node.id in self._roots,
            "revoked": "revoked" in states,
            "unknown": "unknown" in states and node.kind != "unknown",
            "outside": (node.label, node.digest) in self._outside,
        }
        findings = (many(len(node.findings), "finding"),) if node.findings else ()
        return (*(mark for mark in MARKS if present[mark]), *findings)


def short(did: str) -> str:
    """Return the end of a DID that tells it from others at a glance; the whole is in the table of parties."""
    address = did.rpartition(":")[2]
    return address if len(address) < 20 else f"{address[:8]}…{address[-6:]}"


def nearest_first(graph: LineageGraph) -> list[LineageNode]:
    """List the nodes by their distance from the roots, roots first as given, equally far ones by id."""
    nodes = {node.id: node for node in graph.nodes}
    near: dict[str, list[str]] = {}
    for edge in graph.edges:
        at, to = (edge.output, edge.input) if graph.direction == "sources" else (edge.input, edge.output)
        near.setdefault(at, []).append(to)
    order = {root: at for at, root in enumerate(graph.roots)}
    distance = {root: 0 for root in order if root in nodes}
    waiting = deque(distance)
    while waiting:
        at = waiting.popleft()
        for to in near.get(at, ()):
            if to in nodes and to not in distance:
                distance[to] = distance[at] + 1
                waiting.append(to)

    def place(node: LineageNode) -> tuple[int, int, str]:
        return distance.get(node.id, len(nodes)), order.get(node.id, 0), node.id

    return sorted(nodes.values(), key=place)


def _chosen(view: EvidenceView, versions: dict[str, int]) -> list[tuple[int, JudgedRecord]]:
    """Choose the records that get a row, in the order of the file."""
    numbered = list(enumerate(view.records, 1))
    if len(numbered) <= RECORDS:
        return numbered
    asked_for = {root.record for root in view.verdict.roots}
    found = {finding.record for finding in view.verdict.findings}

    def importance(row: tuple[int, JudgedRecord]) -> tuple[int, int, int]:
        number, record = row
        away = min((versions.get(subject, len(versions) + 1) for subject in record.subjects), default=0)
        if record.record in asked_for:
            return 0, 0, number
        return (1 if record.state != "stands" or record.record in found else 2), away, number

    return sorted(islice(sorted(numbered, key=importance), RECORDS))


def _counted(values: Iterable[str]) -> dict[str, int]:
    return {value: number for number, value in enumerate(dict.fromkeys(values), 1)}
