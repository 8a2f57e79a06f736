"""What a verified evidence file comes to, in words and figures: proven, claimed, declared, unknown.

Here the four are kept apart. *Proven* is what arithmetic leads from the block's hash to. *Claimed* is what a
proven signer says, and what no Merkle log can prove: that nothing was left out. *Declared* was hashed by
nobody. *Unknown* could not be told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

from msgspec.structs import replace as _replace

from ledger.audit.closure import NO_NUMBER, Closure, Node
from ledger.audit.judging import Judged
from ledger.audit.posted import Settled
from ledger.core.descriptor import LedgerDescriptor
from ledger.core.digests import ASSET, DECLARED, SEALED
from ledger.core.errors import EvidenceInvalid
from ledger.core.evidence import OutsideSource
from ledger.core.header import Header
from ledger.core.lineage import Kind, LineageEdge, LineageGraph, LineageNode
from ledger.core.records import Activity, Agreement, Attestation, Delivery, Grant, Version
from ledger.core.verdict import (
    AttachmentShown,
    AttachmentState,
    Conclusion,
    EvidenceView,
    JudgedRecord,
    Observation,
    Outside,
    PartyNamed,
    ProvenBlock,
    RightsVerdict,
    RootVerdict,
    Verdict,
)

_LISTED = 20


class Collected:
    """What is kept of the lines while they go by; of each record next to nothing, unless `everything` is."""

    def __init__(self, *, everything: bool) -> None:
        self.everything = everything
        self.roots: tuple[str, ...] = ()
        self.asked = ""
        self.trust_root = ""
        self.names: dict[str, str] = {}
        self.closed: dict[bytes, tuple[int, int]] = {}
        self.outside: list[OutsideSource] = []
        self.sealed: set[bytes] = set()
        self.bytes = 0
        self.digest = ""
        self.records: dict[bytes, JudgedRecord] = {}
        self.labels: dict[bytes, str] = {}
        self.attachments: list[AttachmentShown] = []
        self.authors: dict[str, None] = {}
        self.logs: set[bytes] = set()
        self.blocks: tuple[int, int] | None = None
        self.count = 0
        self.disowned: dict[bytes, int] = {}
        self.of_rights: set[bytes] = set()
        self._contents: dict[str, bytes] = {}
        self._forgotten: set[str] = set()

    def add(self, judged: Judged) -> None:
        """Keep what is to be said of a record."""
        self.count += 1
        block = judged.anchor.block
        self.blocks = (self.blocks[0] if self.blocks else block, block)
        self.logs.add(judged.log)
        predicate, subject = judged.statement.predicate, judged.statement.subject
        self.authors.update(dict.fromkeys(predicate.authors))
        self.sealed.update(
            bytes.fromhex(each.digest[SEALED]) for each in predicate.attachments if SEALED in each.digest
        )
        closed = self.closed.get(judged.log)
        if closed is not None and judged.anchor.n >= closed[1]:
            self.disowned[judged.log] = self.disowned.get(judged.log, 0) + 1
        if isinstance(predicate, Grant | Agreement | Delivery | Attestation):
            self.of_rights.add(judged.record)
        if self.everything or (isinstance(predicate, Version) and subject[0].name in self.roots):
            self.records[judged.record] = _shown(judged)
        if self.everything:
            if isinstance(predicate, Activity):
                outcome = "" if predicate.outcome == "completed" else f" ({predicate.outcome})"
                self.labels[judged.record] = predicate.component.name + outcome
            self.attachments += _attachments(judged)

    def disclosed(self, digest: str, content: bytes) -> None:
        """Keep the content of a private attachment, if it is to be shown."""
        self._contents[digest] = content if self.everything else b""

    def forgotten(self, digest: str) -> None:
        """Note that a private attachment was deleted."""
        self._forgotten.add(digest)

    def shown_attachments(self) -> Iterator[AttachmentShown]:
        """Yield the attachments with what became of them."""
        for each in self.attachments:
            name, _, digest = each.digest.partition(":")
            if name != SEALED:
                yield each
            elif digest in self._contents:
                yield _in_state(each, "disclosed", self._contents[digest])
            else:
                yield _in_state(each, "forgotten" if digest in self._forgotten else "withheld")

    def private(self) -> str:
        """Say in figures how many private attachments there are, and what became of them."""
        if not self.sealed:
            return ""
        disclosed, forgotten = len(self._contents), len(self._forgotten)
        withheld = len(self.sealed) - disclosed - forgotten
        return f"private attachments: {disclosed} disclosed, {withheld} withheld, {forgotten} forgotten"


def tell(
    told: Collected,
    descriptor: LedgerDescriptor,
    header: Header,
    closure: Closure,
    reached: dict[int, None],
    settled: Settled,
    rights: RightsVerdict | None = None,
) -> EvidenceView:
    """Say what it all comes to."""
    parties = sorted({*told.authors, *filter(None, [told.asked])})
    _require_named_authors(told, parties)
    roots = tuple(_roots(told, closure, settled))
    unknown = _unknown(told, settled)
    conclusion, reason = _conclude(roots, unknown, told.trust_root)
    verdict = Verdict(
        verdict=conclusion,
        reason=reason,
        trust_root=told.trust_root,
        ledger=descriptor.ledger_id.hex(),
        chain_id=descriptor.chain_id,
        block=ProvenBlock(
            number=header.number, hash=f"0x{header.hash.hex()}", time_unix_s=header.time_unix_s
        ),
        roots=roots,
        parties=tuple(PartyNamed(did=did, name=told.names.get(did, "")) for did in parties),
        records=told.count,
        logs=len(told.logs),
        proven=tuple(_proven(told, header, settled)),
        claimed=tuple(_claimed(told, descriptor)),
        declared=tuple(_declared(closure, reached)),
        unknown=unknown,
        findings=tuple(_findings(told, closure, reached, settled)),
        outside=tuple(_outside(told.outside)),
        attachments=tuple(told.shown_attachments()),
        bytes=told.bytes,
        digest=told.digest,
        notes=tuple(filter(None, [told.private()])),
        rights=rights,
    )
    if not told.everything:
        return EvidenceView(verdict=verdict, records=[], graph=_no_graph(told.roots))
    records = [_with_state(each, settled) for each in told.records.values()]
    return EvidenceView(verdict=verdict, records=records, graph=_graph(told, closure, reached, verdict))


def _require_named_authors(told: Collected, parties: Iterable[str]) -> None:
    for did in sorted(set(told.names) - set(parties)):
        raise EvidenceInvalid("unneeded-line", f"{did} is named, and signed nothing here")


def _conclude(
    roots: Iterable[RootVerdict], unknown: Sequence[str], trust_root: str
) -> tuple[Conclusion, str]:
    if not trust_root:  # on a chain that somebody made up, anything may have been taken back
        return "unconfirmed", "nothing says that this block is the chain's: give a trust root"
    for root in roots:
        if root.state == "revoked":
            return "revoked", f"{root.version}: its author took it back"
    return ("unknown", unknown[0]) if unknown else ("good", "")


def _proven(told: Collected, header: Header, settled: Settled) -> Iterator[str]:
    first, last = told.blocks or (0, 0)
    block = f"block {header.number} (0x{header.hash.hex()})"
    yield (
        f"{_count(told.count, 'record')} in {_count(len(told.logs), 'log')}: each is in its log, was anchored"
        f" before or in the block given (blocks {first} to {last}), and cannot have been changed since"
    )
    yield "each was signed by its authors, with keys that were valid at its anchor"
    right = "each author had the right to say it: owned the namespace or held the asset at its anchor"
    right += ", or had been given it" if told.of_rights else ""
    yield right + (" (but see what is unknown)" if settled.unknown else "")
    left = told.count - len(settled.revoked.keys() | settled.unknown.keys())
    yield f"{_count(left, 'record')} had not been taken back by their authors up to {block}"


def _claimed(told: Collected, descriptor: LedgerDescriptor) -> Iterator[str]:
    # on one chain anybody may begin a ledger of his own, in which the same names are his
    yield f"that this is the ledger you mean: compare its id, {descriptor.ledger_id.hex()}"
    yield "what was made from what: proven is who said so and by when, not that it is true"
    yield "that no earlier record claims the same name or version, and that no activity was left out"
    yield "times inside records; titles, names and descriptions"
    if told.names:
        yield "the parties' names: whoever made this file wrote them; what signed is the DID beside each"


def _declared(closure: Closure, reached: Iterable[int]) -> Iterator[str]:
    """Name the versions that nobody hashed, and assets of which nobody knows the version."""
    names = [closure.nodes[node].label for node in reached if closure.nodes[node].alg in (DECLARED, ASSET)]
    if names:
        yield f"{_count(len(names), 'source')} or product nobody hashed: {_some(sorted(names))}"


def _unknown(told: Collected, settled: Settled) -> tuple[str, ...]:
    texts = [
        f"record {record.hex()}: {text}"
        for record, text in settled.unknown.items()
        if record not in told.of_rights
    ]
    texts += [f"{each.name}: its log could not be had" for each in told.outside if each.why == "unavailable"]
    return tuple(texts)


def _findings(
    told: Collected, closure: Closure, reached: dict[int, None], settled: Settled
) -> Iterator[Observation]:
    for record, by in settled.revoked.items():
        text = f"its author took it back by record {by.hex()}"
        yield Observation(
            kind="revoked", severity="error", subject=record.hex(), text=text, record=record.hex()
        )
    for log, count in told.disowned.items():
        text = (
            f"{_count(count, 'record')} were anchored before their owner closed the log: disowned, not void"
        )
        yield Observation(kind="log-closed", severity="warning", subject=log.hex(), text=text)
    for each in told.outside:
        kind = {"unregistered": "input-unregistered", "unavailable": "log-unavailable"}
        yield Observation(kind=kind[each.why], severity="warning", subject=each.name, text=_WHY[each.why])
    yield from closure.findings(reached)


_WHY: Mapping[str, str] = {
    "unregistered": "no record of it is known",
    "unavailable": "its log could not be had",
}


def _roots(told: Collected, closure: Closure, settled: Settled) -> Iterator[RootVerdict]:
    for name, node in zip(told.roots, closure.roots(told.roots), strict=True):
        record = closure.version_of[node]
        shown = told.records[record]
        yield RootVerdict(
            version=name,
            digest=closure.nodes[node].content,
            record=record.hex(),
            authors=shown.authors,
            state=_state(record, settled),
            block=shown.block,
            time_unix_s=shown.time_unix_s,
            declared=closure.nodes[node].alg == DECLARED,
        )


def _state(record: bytes, settled: Settled) -> Literal["stands", "revoked", "unknown"]:
    if record in settled.revoked:
        return "revoked"
    return "unknown" if record in settled.unknown else "stands"


def _outside(lines: Iterable[OutsideSource]) -> Iterator[Outside]:
    for each in lines:
        ((alg, digest),) = each.digest.items()
        yield Outside(name=each.name, digest="" if alg == ASSET else f"{alg}:{digest}", why=each.why)


def _shown(judged: Judged) -> JudgedRecord:
    predicate, anchor = judged.statement.predicate, judged.anchor
    return JudgedRecord(
        record=judged.record.hex(),
        type=type(predicate).__name__.lower(),
        subjects=tuple(each.name for each in judged.statement.subject),
        authors=tuple(predicate.authors),
        keys=judged.keyids,
        log=judged.log.hex(),
        index=judged.index,
        checkpoint=anchor.n,
        size=anchor.size,
        block=anchor.block,
        time_unix_s=anchor.time_unix_s,
        claimed_time=predicate.time,
    )


def _with_state(shown: JudgedRecord, settled: Settled) -> JudgedRecord:
    state = _state(bytes.fromhex(shown.record), settled)
    return shown if state == "stands" else _replace(shown, state=state)


def _attachments(judged: Judged) -> Iterator[AttachmentShown]:
    for each in judged.statement.predicate.attachments:
        ((name, digest),) = each.digest.items()
        yield AttachmentShown(
            record=judged.record.hex(),
            role=each.role,
            media_type=each.media_type,
            digest=f"{name}:{digest}",
            state="withheld" if name == SEALED else "public",
        )


def _in_state(each: AttachmentShown, state: AttachmentState, content: bytes | None = None) -> AttachmentShown:
    return _replace(each, state=state, content=content)


def _no_graph(roots: tuple[str, ...]) -> LineageGraph:
    return LineageGraph(direction="sources", roots=roots, nodes=[], edges=[], columns=[])


def _graph(told: Collected, closure: Closure, reached: dict[int, None], verdict: Verdict) -> LineageGraph:
    """Draw the lineage as `ledger.core.lineage` has it."""
    labels = Counter(closure.nodes[node].label for node in reached)
    ids = {
        node: _node_id(closure.nodes[node], twin=labels[closure.nodes[node].label] > 1)
        if node not in closure.version_of
        else closure.nodes[node].label
        for node in reached
    }
    findings: dict[str, set[str]] = {}
    for each in verdict.findings:
        findings.setdefault(each.subject, set()).add(each.kind)
    return LineageGraph(
        direction="sources",
        roots=told.roots,
        nodes=[_lineage_node(told, closure, node, ids[node], findings) for node in reached],
        edges=[
            LineageEdge(
                output=ids[edge.output],
                input=ids[edge.input],
                activity=edge.record.hex(),
                label=told.labels[edge.record],
                basis=edge.basis,
            )
            for edge in dict.fromkeys(closure.edges)
            if edge.output in ids
        ],
        as_of_block=verdict.block.number,
    )


def _node_id(named: Node, *, twin: bool) -> str:
    """Name a node without a record so that no other has its name, as the index does (`index.tracing`)."""
    if named.alg == ASSET:
        return named.label
    if named.number == NO_NUMBER:
        return f"{named.asset}@{named.content}"
    return f"{named.label}#{named.content}" if twin else named.label


def _lineage_node(
    told: Collected, closure: Closure, node: int, node_id: str, findings: Mapping[str, set[str]]
) -> LineageNode:
    named, record = closure.nodes[node], closure.version_of.get(node)
    title, registration = closure.titles.get(named.asset, ("", None))
    if record is None and named.alg == ASSET:  # what was never recorded is nobody's word
        record = registration
    shown = told.records.get(record or b"")
    party = shown.authors[0] if shown else ""
    raised = findings.get(named.label, set()) | findings.get(shown.record if shown else "", set())
    return LineageNode(
        id=node_id,
        label=named.label,
        kind=_kind(told, named.label, named.alg, inside=shown is not None),
        digest=named.content,
        party=party,
        party_name=told.names.get(party, ""),
        title=title,
        state="anchored" if shown else "unknown",
        block=shown.block if shown else None,
        time=shown.claimed_time if shown else "",
        findings=tuple(sorted(raised)),
    )


def _kind(told: Collected, label: str, alg: str, *, inside: bool) -> Kind:
    if inside:
        return "declared" if alg in (DECLARED, ASSET) else "observed"
    why = next((each.why for each in told.outside if each.name == label), "unregistered")
    return "unregistered" if why == "unregistered" else "unknown"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _some(names: list[str]) -> str:
    rest = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {rest:,} more" if rest > 0 else "")
