"""Verdicts to make reports of: a washing-machine story, a hundred records, everything hostile, too much."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

from ledger.core.lineage import LineageColumn, LineageEdge, LineageGraph, LineageNode
from ledger.core.records import BASIS_COLUMNS, BASIS_INPUTS, BASIS_STATED
from ledger.core.verdict import (
    AttachmentShown,
    EvidenceView,
    FileCheck,
    JudgedRecord,
    Observation,
    Outside,
    PartyNamed,
    ProvenBlock,
    RootVerdict,
    Verdict,
)

START = 1_770_000_000
HAINA = "did:ethr:0xdf46f59924fcb:0x5c14a6da9950149b2a099f42dc7fb9cc5ade2264"
WEATHER = "did:ethr:0xdf46f59924fcb:0x1f98431c8ad98523631ae4a59f267346ea31f984"
SHOP = "did:ethr:0xdf46f59924fcb:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
LOGS = {did: hashlib.sha256(did.encode()).hexdigest() for did in (HAINA, WEATHER, SHOP)}


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def file_digest(text: str) -> str:
    return f"sha256:{sha(text)}"


LOST = f"haina/old-stock#{file_digest('lost')}"
"""The id of a node that has no record: its name and its digest."""


def record(
    number: int, kind: str, subjects: tuple[str, ...], author: str = HAINA, **fields: Any
) -> JudgedRecord:
    given: dict[str, Any] = {
        "record": sha(f"record {number}"),
        "type": kind,
        "subjects": subjects,
        "authors": (author,),
        "keys": (f"{author}#{sha(author)}",),
        "log": LOGS.get(author, sha(author)),
        "index": number,
        "checkpoint": number // 3 + 1,
        "size": number + 3,
        "block": 40 + number // 3,
        "time_unix_s": START + number * 600,
        "claimed_time": f"2026-02-02T0{number % 10}:{number % 60:02}:10Z",
    }
    return JudgedRecord(**{**given, **fields})


def node(name_at: str, party: str = HAINA, name: str = "Haina Appliances", **fields: Any) -> LineageNode:
    given: dict[str, Any] = {
        "label": name_at,
        "digest": file_digest(name_at),
        "party": party,
        "party_name": name,
        "state": "final",
        "block": 42,
        "time": "2026-02-02T05:00:10Z",
    }
    return LineageNode(id=name_at, **{**given, **fields})


def washing_machine() -> EvidenceView:
    """Three parties, four steps, one source of each kind, an attachment of each state, findings, a file."""
    records = [
        record(0, "registration", ("haina/orders",)),
        record(1, "version", ("haina/orders@1",)),
        record(2, "version", ("haina/orders@2",)),
        record(3, "registration", ("haina/sensors",)),
        record(4, "version", ("haina/sensors@7",)),
        record(5, "version", ("gz.weather/hourly@31",), WEATHER),
        record(6, "version", ("shop.retail/returns@4",), SHOP, state="revoked"),
        record(7, "activity", ("haina/clean-orders@2",)),
        record(8, "version", ("haina/clean-orders@2",)),
        record(9, "activity", ("haina/demand@2", "haina/demand-report@2")),
        record(10, "version", ("haina/demand@2",)),
        record(11, "version", ("haina/demand-report@2",)),
    ]
    nodes = [
        node("haina/demand@2", title="Demand for washing machines, next month"),
        node("haina/demand-report@2", title="The same as a report"),
        node("haina/clean-orders@2", title="Orders without duplicates and test orders"),
        node("haina/orders@2", title="Washing-machine orders"),
        node(
            "haina/sensors@7",
            title="Assembly-line counters",
            digest=f"dataledger-tree-v1:{sha('sensors')}",
            findings=("input-changed",),
        ),
        node("gz.weather/hourly@31", WEATHER, "Guangzhou Weather Service", title="Hourly temperatures"),
        node("shop.retail/returns@4", SHOP, "Shop & Co.", title="Returns, by model"),
        node(
            "haina/warehouse.stock",
            kind="declared",
            digest=f"dataledger-declared-v1:{sha('stock')}",
            block=None,
        ),
        node(LOST, "", "", kind="unregistered", label="haina/old-stock", digest=file_digest("lost"), time=""),
        node("old.archive/prices@1", "", "", kind="unknown", digest="", time="", block=None),
        node("census/households@2020", "", "", kind="unregistered", time=""),
    ]
    step = records[9].record
    clean = records[7].record
    made_from = [
        ("haina/clean-orders@2", "haina/orders@2", clean, "clean_orders.py", BASIS_STATED | BASIS_COLUMNS),
        ("haina/clean-orders@2", "shop.retail/returns@4", clean, "clean_orders.py", BASIS_INPUTS),
        *(
            ("haina/demand@2", source, step, "forecast.py", BASIS_INPUTS)
            for source in (
                "haina/clean-orders@2",
                "haina/sensors@7",
                "gz.weather/hourly@31",
                "haina/warehouse.stock",
                "census/households@2020",
            )
        ),
        ("haina/demand-report@2", "haina/demand@2", step, "forecast.py", BASIS_STATED),
        ("haina/warehouse.stock", LOST, "", "the same content", 0),
        ("haina/warehouse.stock", "old.archive/prices@1", "", "", BASIS_INPUTS),
    ]
    graph = LineageGraph(
        direction="sources",
        roots=("haina/demand@2", "haina/demand-report@2"),
        nodes=nodes,
        edges=[
            LineageEdge(output=out, input=inp, activity=run, label=label, basis=basis)
            for out, inp, run, label, basis in made_from
        ],
        columns=[
            LineageColumn(
                output="haina/clean-orders@2",
                output_field="units",
                input="haina/orders@2",
                input_field="units",
                how="DIRECT/TRANSFORMATION",
                activity=clean,
            ),
            LineageColumn(
                output="haina/clean-orders@2",
                output_field="",
                input="shop.retail/returns@4",
                input_field="order_id",
                how="INDIRECT/FILTER",
                activity=clean,
            ),
        ],
        as_of_block=61,
    )
    roots = tuple(
        RootVerdict(
            version=name,
            digest=file_digest(name),
            record=records[at].record,
            authors=(HAINA,),
            state="stands",
            block=43,
            time_unix_s=START + at * 600,
        )
        for name, at in (("haina/demand@2", 10), ("haina/demand-report@2", 11))
    )
    verdict = Verdict(
        verdict="good",
        trust_root=f"--block 0x{sha('block 61')}",
        ledger=sha("ledger"),
        chain_id=3_928_475_610_243,
        block=ProvenBlock(number=61, hash=f"0x{sha('block 61')}", time_unix_s=START + 86_400),
        roots=roots,
        parties=(
            PartyNamed(did=HAINA, name="Haina Appliances"),
            PartyNamed(did=WEATHER, name="Guangzhou Weather Service"),
            PartyNamed(did=SHOP, name="Shop & Co."),
        ),
        records=len(records),
        logs=3,
        proven=(
            "12 records are signed by keys that were valid at their anchors' blocks, and stand in 3 logs.",
            "haina/demand@2 has the digest below, and existed when block 43 was made.",
            "No revocation of haina/demand@2 by its author is posted up to block 61.",
        ),
        claimed=(
            "That haina/demand@2 was made from its sources is the word of Haina Appliances.",
            "That no earlier entry claims the name haina/demand@2.",
        ),
        declared=("haina/warehouse.stock is named as a source; nobody hashed its content.",),
        unknown=("What old.archive/prices@1 is: its log is missing.",),
        findings=(
            Observation(
                kind="declared-input",
                severity="note",
                subject="haina/warehouse.stock",
                text="nobody hashed this input, but what was made from it",
                record=step,
            ),
            Observation(
                kind="input-revoked",
                severity="error",
                subject="shop.retail/returns@4",
                text="a source of haina/clean-orders@2 was revoked by its author in block 58",
                record=records[6].record,
            ),
            Observation(
                kind="input-changed",
                severity="warning",
                subject="haina/sensors@7",
                text="the input changed while the step ran",
                record=step,
            ),
        ),
        outside=(
            Outside(
                name="census/households@2020",
                digest=file_digest("census/households@2020"),
                why="unregistered",
            ),
            Outside(name="old.archive/prices@1", digest="", why="unavailable"),
            Outside(name="haina/old-stock", digest=file_digest("lost"), why="unregistered"),
        ),
        attachments=(
            AttachmentShown(
                record=step,
                role="openlineage",
                media_type="application/json",
                digest=file_digest("event"),
                state="public",
            ),
            AttachmentShown(
                record=step,
                role="command",
                media_type="text/plain",
                digest=file_digest("command"),
                state="disclosed",
                content=b"python forecast.py --months 1 \\\n  --model seasonal\n\tworkers=4\n",
            ),
            AttachmentShown(
                record=step,
                role="parameters",
                media_type="application/json",
                digest=file_digest("parameters"),
                state="withheld",
            ),
            AttachmentShown(
                record=clean,
                role="operator",
                media_type="text/plain",
                digest=file_digest("operator"),
                state="forgotten",
            ),
        ),
        file=FileCheck(path="demand.csv", digest=file_digest("haina/demand@2"), version="haina/demand@2"),
        bytes=48_211,
        digest=sha("evidence"),
    )
    return EvidenceView(verdict=verdict, records=records, graph=graph)


def with_verdict(view: EvidenceView, **changes: Any) -> EvidenceView:
    return msgspec.structs.replace(view, verdict=msgspec.structs.replace(view.verdict, **changes))


def unconfirmed() -> EvidenceView:
    """The same without a trust root and without a file."""
    return with_verdict(washing_machine(), verdict="unconfirmed", trust_root="", file=None)


def hundred() -> EvidenceView:
    """A hundred records: twenty days of orders and sensors, each day's forecast made from both."""
    base = washing_machine().verdict
    records, nodes, edges = [], [], []
    for day in range(20):
        names = [f"haina/orders@{day + 1}", f"haina/sensors@{day + 1}", f"haina/demand@{day + 1}"]
        for at, name in enumerate(names):
            records.append(record(5 * day + at, "version", (name,)))
            nodes.append(node(name, title=f"Day {day + 1}"))
        step = record(5 * day + 3, "activity", (names[2],))
        records += [step, record(5 * day + 4, "version", (f"haina/log@{day + 1}",), WEATHER)]
        sources = [*names[:2], *([f"haina/demand@{day}"] if day else [])]
        edges += [
            LineageEdge(
                output=names[2], input=source, activity=step.record, label="forecast.py", basis=BASIS_INPUTS
            )
            for source in sources
        ]
    graph = LineageGraph(direction="sources", roots=("haina/demand@20",), nodes=nodes, edges=edges)
    verdict = msgspec.structs.replace(
        base, records=100, logs=2, outside=(), attachments=(), findings=(), roots=base.roots[:1], file=None
    )
    return EvidenceView(verdict=verdict, records=records, graph=graph)


HOSTILE = (
    '</style><script>alert("x")</script>',
    "</title><img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "javascript:alert(1)",
    "https://evil.example/?q=1",
    "' onmouseover='alert(1)",
    "]]><!-- --><!DOCTYPE html>",
    "haina/demand@2\u202e@vidence\u202c",
    "a\u200bb\u200dc\ufeffd\u2066e",
    "line\nbreak\ttab\x00nul\x1b[31mred\x85\u2028",
    "\U0001f469\u200d\U0001f680 \U0001f9fa washing \u6d17\u8863\u673a \u063a\u0633\u0627\u0644\u0629",
    "z" + "\u0301" * 300,
    "w" * 2_048,
    "very/long/" * 200,
    "{{7*7}} ${x} %s %n \\",
    "&lt;b&gt;&amp;",
    "url(https://evil.example/a.png)",
    "",
)
"""What signers might write: markup, addresses, escapes, overrides of direction, far too much."""


def hostile(texts: Sequence[str] = HOSTILE) -> EvidenceView:
    """Every text of a view hostile, each in turn, even those that the verifier computes itself."""
    records, nodes, edges = [], [], []
    for number, text in enumerate(texts):
        records.append(
            record(
                number,
                text,
                (text, f"{text}@1"),
                f"did:{text}",
                keys=(f"{text}#{text}",),
                log=text,
                claimed_time=text,
            )
        )
        nodes.append(
            LineageNode(
                id=f"{number}{text}",
                label=text,
                kind=("observed", "declared", "unregistered", "unknown")[number % 4],
                digest=text,
                party=text,
                party_name=text,
                title=text,
                time=text,
                findings=(text,),
            )
        )
        if number:
            edges.append(
                LineageEdge(
                    output=nodes[0].id, input=nodes[number].id, activity=text, label=text, basis=BASIS_INPUTS
                )
            )
    columns = [
        LineageColumn(
            output=nodes[0].id,
            output_field=text,
            input=nodes[1].id,
            input_field=text,
            how=text,
            activity=text,
        )
        for text in texts
    ]
    graph = LineageGraph(
        direction="sources",
        roots=(nodes[0].id,),
        nodes=nodes,
        edges=edges,
        columns=columns,
        truncated=texts[0],
    )
    verdict = Verdict(
        verdict="unconfirmed",
        reason=texts[0],
        ledger=texts[-1],
        chain_id=1,
        block=ProvenBlock(number=2**63, hash=texts[0], time_unix_s=2**63),
        roots=tuple(
            RootVerdict(
                version=text,
                digest=text,
                record=text,
                authors=(text,),
                state="unknown",
                block=1,
                time_unix_s=-1,
                declared=True,
            )
            for text in texts
        ),
        parties=tuple(PartyNamed(did=f"did:{text}", name=text) for text in texts),
        records=len(records),
        logs=len(texts),
        proven=tuple(texts),
        claimed=tuple(texts),
        declared=tuple(texts),
        unknown=tuple(texts),
        findings=tuple(
            Observation(kind=text, severity="error", subject=text, text=text, record=text) for text in texts
        ),
        outside=tuple(Outside(name=text, digest=text, why="unregistered") for text in texts),
        attachments=tuple(
            AttachmentShown(
                record=text,
                role=text,
                media_type=text,
                digest=text,
                state="disclosed",
                content=text.encode() if at % 2 else b"\xff\xfe" + text.encode(),
            )
            for at, text in enumerate(texts)
        ),
        file=FileCheck(path=texts[0], digest=texts[-1], version=texts[0]),
        bytes=2**40,
        digest=texts[0],
        notes=tuple(texts),
    )
    return EvidenceView(verdict=verdict, records=records, graph=graph)


def many(count: int) -> EvidenceView:
    """So many versions of a thousand assets in a chain of steps, with a record each."""
    names = [f"plant/line-{at % 1_000}@{at // 1_000 + 1}" for at in range(count)]
    records = [record(at, "version", (name,)) for at, name in enumerate(names)]
    edges = [
        LineageEdge(output=names[at], input=names[at + near], label=f"step-{at % 7}", basis=BASIS_INPUTS)
        for at in range(count)
        for near in (1, 13)
        if at + near < count
    ]
    nodes = [LineageNode(id=name, label=name, digest=file_digest(name)) for name in names]
    graph = LineageGraph(direction="sources", roots=(names[0],), nodes=nodes, edges=edges)
    base = washing_machine().verdict
    root = RootVerdict(
        version=names[0],
        digest=nodes[0].digest,
        record=records[0].record,
        authors=(HAINA,),
        state="stands",
        block=40,
        time_unix_s=START,
    )
    verdict = msgspec.structs.replace(
        base, roots=(root,), records=count, logs=1, findings=(), outside=(), file=None
    )
    return EvidenceView(verdict=verdict, records=records, graph=graph)
