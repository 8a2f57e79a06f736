from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest

from ledger.core import digests, records
from ledger.core.errors import FormatError
from ledger.core.records import (
    Activity,
    Alias,
    Attachment,
    ColumnEdge,
    Component,
    Edge,
    Field,
    Predicate,
    Registration,
    Resource,
    Revocation,
    Transfer,
    Version,
)
from ledger.core.statement import UNKNOWN_TYPE, build_statement, parse_statement

LEDGER = "1a" * 32
LOG = "2b" * 32
ALICE = "did:ethr:0x539:0x" + "aa" * 20
BOB = "did:ethr:0x539:0x" + "bb" * 20
HEAD: dict[str, Any] = {"ledger": LEDGER, "logs": [LOG], "authors": [ALICE], "time": "2025-01-31T12:00:00Z"}
DIGEST = "c0" * 32


def asset(name: str = "acme/orders", ledger: str = LEDGER) -> Resource:
    return Resource(name, {digests.ASSET: digests.asset_digest(bytes.fromhex(ledger), name)})


def content(name: str = "acme/orders@1", digest: str = DIGEST, kind: str = digests.FILE) -> Resource:
    return Resource(name, {kind: digest})


def run(run_id: str = "r1", ledger: str = LEDGER) -> Resource:
    return Resource(f"run:{run_id}", {digests.RUN: digests.run_digest(bytes.fromhex(ledger), run_id)})


def declared(name: str = "acme/orders@1", text: str = "orders\n\tof 2025") -> Resource:
    return content(
        name, digests.declared_digest(bytes.fromhex(LEDGER), name.partition("@")[0], text), digests.DECLARED
    )


REGISTRATION = Registration(**HEAD, title="Orders", kind="table", license="CC-BY-4.0")
VERSION = Version(**HEAD, number=1)
TRANSFER = Transfer(**HEAD, giver=ALICE, receiver=BOB)
REVOCATION = Revocation(**HEAD, target="ee" * 32)
ACTIVITY = Activity(**HEAD, run_id="r1", component=Component("make.py"), outcome="completed")

GOOD: list[tuple[str, list[Resource], Predicate]] = [
    ("registration", [asset()], REGISTRATION),
    ("registration bare", [asset()], Registration(**HEAD)),
    (
        "registration with everything",
        [asset()],
        Registration(
            **{
                **HEAD,
                "logs": [LOG, LEDGER],
                "authors": [ALICE, BOB],
                "time": "2025-01-31T12:00:00.123456789Z",
            },
            title="Ürün \u2713",
            description='line one\nline two\ttabbed "quoted" back\\slash',
            aliases=[Alias("openlineage", "public.orders", "postgres://db"), Alias("doi", "10.1/x")],
            attachments=[
                Attachment("event", "application/json", {digests.SEALED: DIGEST}),
                Attachment("report", "text/plain", {digests.FILE: DIGEST}, 5),
            ],
        ),
    ),
    ("first version", [content()], VERSION),
    ("folder", [content(kind=digests.TREE)], VERSION),
    ("declared version", [declared()], Version(**HEAD, number=1, declared="orders\n\tof 2025")),
    (
        "later version",
        [content("acme/orders@7")],
        Version(
            **HEAD,
            number=7,
            previous="dd" * 32,
            size=0,
            media_type="text/csv",
            fields=[Field("a", "int"), Field("b")],
        ),
    ),
    ("transfer", [asset()], TRANSFER),
    (
        "transfer signed by both, until block 9",
        [asset()],
        Transfer(**{**HEAD, "authors": [BOB, ALICE]}, giver=ALICE, receiver=BOB, anchor_before=9),
    ),
    ("revocation", [asset()], REVOCATION),
    (
        "revocation with everything",
        [content(), content("acme/b@2"), run("x"), declared("acme/d@1")],
        Revocation(**HEAD, target="ee" * 32, reason="a\nb", effective="2024-02-29T23:59:59Z"),
    ),
    ("activity", [content()], ACTIVITY),
    (
        "activity with everything",
        [content(), declared("acme/b@3")],
        Activity(
            **HEAD,
            run_id="f3c1",
            component=Component("daily", "airflow", "2.1", {digests.FILE: DIGEST}),
            outcome="completed",
            inputs=[
                content("gz.weather/hourly@3"),
                content("acme/raw"),
                asset("acme/raw"),
                declared("acme/d@9"),
            ],
            edges=[Edge(0, 0, 1), Edge(0, 3, 7), Edge(1, 0, 4)],
            changed=[0, 3],
            columns=[ColumnEdge(0, "a", 0, "b", "DIRECT/IDENTITY"), ColumnEdge(1, "", 3, "")],
            started="2025-01-31T11:00:00Z",
            ended="2025-01-31T11:59:59.5Z",
            source="openlineage",
        ),
    ),
    ("run without outputs", [run()], ACTIVITY),
    ("failed run", [asset(), content("acme/b@1")], msgspec.structs.replace(ACTIVITY, outcome="failed")),
    ("aborted run", [asset()], msgspec.structs.replace(ACTIVITY, outcome="aborted")),
    ("running", [asset()], msgspec.structs.replace(ACTIVITY, outcome="running")),
]


@pytest.mark.parametrize(
    ("subject", "predicate"), [case[1:] for case in GOOD], ids=[case[0] for case in GOOD]
)
def test_both_ways(subject: list[Resource], predicate: Predicate) -> None:
    payload = build_statement(subject, predicate)
    statement = parse_statement(payload)
    assert statement.subject == subject
    assert statement.predicate == predicate
    assert type(statement.predicate) is type(predicate)
    assert build_statement(statement.subject, statement.predicate) == payload
    assert build_statement(tuple(subject), predicate) == payload


def test_bytes_are_these() -> None:
    assert build_statement([content()], VERSION) == (
        b'{"_type":"https://in-toto.io/Statement/v1",'
        b'"subject":[{"name":"acme/orders@1","digest":{"sha256":"' + DIGEST.encode() + b'"}}],'
        b'"predicateType":"https://dataledger.dev/predicate/version/v1","predicate":{'
        b'"ledger":"'
        + LEDGER.encode()
        + b'","logs":["'
        + LOG.encode()
        + b'"],"authors":["'
        + ALICE.encode()
        + b'"],'
        b'"time":"2025-01-31T12:00:00Z","number":1}}'
    )


def test_other_spellings_are_read_alike() -> None:
    payload = build_statement([content()], VERSION)
    indented = json.dumps(dict(reversed(json.loads(payload).items())), indent=3).encode()
    assert parse_statement(indented) == parse_statement(payload)
    assert parse_statement(payload.replace(b"acme/orders", b"acme\\u002forders")) == parse_statement(payload)
    assert parse_statement(payload.replace(b"acme/orders", b"acme\\/orders")) == parse_statement(payload)


Change = Callable[[dict[str, Any]], object]


def document(subject: Sequence[Resource], predicate: Predicate, change: Change) -> bytes:
    made = json.loads(build_statement(subject, predicate))
    change(made)
    return json.dumps(made).encode()


def put(path: str, value: Any) -> Change:
    """Set the member at `path` of a document."""
    *heads, last = path.split("/")

    def change(made: dict[str, Any]) -> None:
        place: Any = made
        for head in heads:
            place = place[int(head) if isinstance(place, list) else head]
        place[int(last) if isinstance(place, list) else last] = value

    return change


def drop(path: str) -> Change:
    *heads, last = path.split("/")

    def change(made: dict[str, Any]) -> None:
        place: Any = made
        for head in heads:
            place = place[int(head) if isinstance(place, list) else head]
        del place[last]

    return change


HEADER_FAULTS: list[Change] = [
    put("_type", "https://in-toto.io/Statement/v0.1"),
    drop("_type"),
    put("more", 1),
    drop("subject"),
    put("subject", []),
    put("subject", {}),
    drop("predicate"),
    put("predicate", None),
    put("predicateType", 1),
    drop("predicateType"),
    put("subject/0/uri", "x"),
    put("subject/0/digest", {}),
    drop("subject/0/digest"),
    put("subject/0/digest", {digests.FILE: DIGEST, digests.TREE: DIGEST}),
    put("subject/0/name", ""),
    put("subject/0/digest", {digests.FILE: DIGEST.upper()}),
    put("subject/0/digest", {digests.FILE: DIGEST[1:]}),
    put("subject/0/digest", {"sha512": DIGEST}),
    put("subject/0/digest", {digests.SEALED: DIGEST}),
    put("predicate/more", 1),
    drop("predicate/ledger"),
    put("predicate/ledger", "0x" + LEDGER),
    put("predicate/ledger", LEDGER.upper()),
    put("predicate/ledger", "\u0661" * 64),
    put("predicate/ledger", LEDGER[1:] + "\n"),
    drop("predicate/logs"),
    put("predicate/logs", []),
    put("predicate/logs", [LOG, LOG]),
    put("predicate/logs", LOG),
    put("predicate/logs", ["g" * 64]),
    put("predicate/logs", [f"{n:064x}" for n in range(17)]),
    drop("predicate/authors"),
    put("predicate/authors", []),
    put("predicate/authors", [ALICE, ALICE]),
    put("predicate/authors", [ALICE.upper()]),
    put("predicate/authors", [ALICE + "\n"]),
    put("predicate/authors", [ALICE.replace("0x539", "0x0539")]),
    put("predicate/authors", [f"did:ethr:0x1:0x{n:040x}" for n in range(17)]),
    drop("predicate/time"),
    put("predicate/time", ""),
    put("predicate/time", None),
    put("predicate/time", "2025-01-31T12:00:00"),
    put("predicate/time", "2025-01-31T12:00:00+00:00"),
    put("predicate/time", "2025-01-31 12:00:00Z"),
    put("predicate/time", "2025-01-31T12:00:00z"),
    put("predicate/time", "2025-02-29T12:00:00Z"),
    put("predicate/time", "2025-01-31T24:00:00Z"),
    put("predicate/time", "2025-01-31T12:00:60Z"),
    put("predicate/time", "2025-01-31T12:00:00.Z"),
    put("predicate/time", "2025-01-31T12:00:00.0123456789Z"),
    put("predicate/time", "0000-01-31T12:00:00Z"),
    put("predicate/time", "2025-01-31T12:00:00Z\n"),
    put("predicate/time", "\u06612025-01-31T12:00:00Z"),
    put("predicate/time", "2025-1-31T12:00:000Z"),
    put("predicate/time", 1738324800),
    put("predicate/attachments", [{"role": "r", "media_type": "m", "digest": {digests.TREE: DIGEST}}]),
    put("predicate/attachments", [{"role": "r", "media_type": "m", "digest": {digests.FILE: "z" * 64}}]),
    put(
        "predicate/attachments",
        [{"role": "r", "media_type": "m", "digest": {digests.SEALED: DIGEST}, "size": 1}],
    ),
    put(
        "predicate/attachments",
        [{"role": "r", "media_type": "m", "digest": {digests.FILE: DIGEST}, "size": -1}],
    ),
    put("predicate/attachments", [{"role": "", "media_type": "m", "digest": {digests.FILE: DIGEST}}]),
    put("predicate/attachments", [{"role": "r" * 129, "media_type": "m", "digest": {digests.FILE: DIGEST}}]),
    put("predicate/attachments", [{"role": "r", "media_type": "m", "digest": {}}]),
    put("predicate/attachments", [{"role": "r", "digest": {digests.FILE: DIGEST}}]),
]


@pytest.mark.parametrize("number", range(len(HEADER_FAULTS)))
@pytest.mark.parametrize("position", [0, 3, 7, 9, 11])
def test_faults_common_to_all(position: int, number: int) -> None:
    _, subject, predicate = GOOD[position]
    with pytest.raises(FormatError) as caught:
        parse_statement(document(subject, predicate, HEADER_FAULTS[number]))
    assert len(str(caught.value)) < 1000


def changed(predicate: Predicate, **changes: Any) -> Predicate:
    return msgspec.structs.replace(predicate, **changes)


FAULTS: list[tuple[str, str, list[Resource], Predicate]] = [
    ("two subjects", "registration: expected one subject", [asset(), asset("acme/b")], REGISTRATION),
    ("a version registered", "expected an asset with digest", [content()], REGISTRATION),
    (
        "an asset under a content digest",
        "expected an asset with digest",
        [content("acme/orders")],
        REGISTRATION,
    ),
    (
        "a version under the asset digest",
        "expected an asset with digest",
        [Resource("acme/orders@1", asset().digest)],
        REGISTRATION,
    ),
    (
        "the digest of another asset",
        "acme/orders: expected dataledger-asset-v1",
        [Resource("acme/orders", asset("acme/b").digest)],
        REGISTRATION,
    ),
    (
        "the digest of another ledger",
        "acme/orders: expected dataledger-asset-v1",
        [asset(ledger=LOG)],
        REGISTRATION,
    ),
    ("a name outside the grammar", "expected an asset with digest", [asset("acme/Orders")], REGISTRATION),
    (
        "an alias twice",
        "registration: expected each alias once",
        [asset()],
        changed(REGISTRATION, aliases=[Alias("doi", "x"), Alias("doi", "x")]),
    ),
    (
        "an empty alias",
        ">= 1 - at `$.aliases[0].name`",
        [asset()],
        changed(REGISTRATION, aliases=[Alias("doi", "")]),
    ),
    ("a long title", "<= 2048 - at `$.title`", [asset()], changed(REGISTRATION, title="x" * 2049)),
    (
        "a long description",
        "<= 16384 - at `$.description`",
        [asset()],
        changed(REGISTRATION, description="x" * 16385),
    ),
    (
        "a title of two lines",
        "title: control characters are not allowed",
        [asset()],
        changed(REGISTRATION, title="a\nb"),
    ),
    ("an empty kind", ">= 1 - at `$.kind`", [asset()], changed(REGISTRATION, kind="")),
    ("two versions", "version: expected one subject", [content(), content("acme/b@1")], VERSION),
    ("an asset as a version", "version: expected NAMESPACE/PATH@NUMBER", [asset()], VERSION),
    ("no number in the name", "version: expected NAMESPACE/PATH@NUMBER", [content("acme/orders")], VERSION),
    (
        "a version under the asset digest",
        "'acme/orders@1': expected one of sha256,",
        [Resource("acme/orders@1", asset().digest)],
        VERSION,
    ),
    ("another number", "version: the subject is number 2, the", [content("acme/orders@2")], VERSION),
    (
        "another number with a predecessor",
        "version: the subject is number 3, the",
        [content("acme/orders@3")],
        changed(VERSION, number=2, previous=DIGEST),
    ),
    ("number 0", ">= 1 - at `$.number`", [content("acme/orders@0")], changed(VERSION, number=0)),
    (
        "first with a predecessor",
        "version 1: expected `previous` exactly from",
        [content()],
        changed(VERSION, previous=DIGEST),
    ),
    (
        "second without",
        "version 2: expected `previous` exactly from",
        [content("acme/orders@2")],
        changed(VERSION, number=2),
    ),
    (
        "a predecessor not in hex",
        "previous: expected 64 lower-case hex digits",
        [content("acme/orders@2")],
        changed(VERSION, number=2, previous="z" * 64),
    ),
    ("declared without description", "version: expected `declared` exactly with", [declared()], VERSION),
    (
        "described but hashed",
        "version: expected `declared` exactly with",
        [content()],
        changed(VERSION, declared="x"),
    ),
    ("another description", "acme/orders@1: expected", [declared()], changed(VERSION, declared="x")),
    (
        "a description of another asset",
        "acme/b@1: expected dataledger-declared-v1",
        [Resource("acme/b@1", declared().digest)],
        changed(VERSION, declared="x"),
    ),
    ("a negative size", ">= 0 - at `$.size`", [content()], changed(VERSION, size=-1)),
    ("a size beyond doubles", "<= 9007199254740991 - at `$.size`", [content()], changed(VERSION, size=2**53)),
    ("a size beyond 64 bits", "<= 9007199254740991 - at `$.size`", [content()], changed(VERSION, size=2**70)),
    (
        "a field without name",
        ">= 1 - at `$.fields[0].name`",
        [content()],
        changed(VERSION, fields=[Field("")]),
    ),
    (
        "a field with an escape",
        "name: control characters are not allowed",
        [content()],
        changed(VERSION, fields=[Field("\x1b[2J")]),
    ),
    (
        "a lone surrogate",
        "record: 'utf-8' codec can't encode characte",
        [content()],
        changed(VERSION, media_type="\ud800"),
    ),
    ("transfer of a version", "expected an asset with digest", [content()], TRANSFER),
    (
        "giver is receiver",
        "transfer: giver and receiver are the same",
        [asset()],
        changed(TRANSFER, receiver=ALICE),
    ),
    (
        "giver is no author",
        "transfer: expected the giver among the",
        [asset()],
        changed(TRANSFER, authors=[BOB]),
    ),
    (
        "the zero address receives",
        "the zero address is no party",
        [asset()],
        changed(TRANSFER, receiver=BOB[:-40] + "0" * 40),
    ),
    ("a change of no input", "`changed` names", [content()], changed(ACTIVITY, changed=[0])),
    (
        "a change twice",
        "`changed` names",
        [content()],
        changed(ACTIVITY, inputs=[content("acme/b@1")], changed=[0, 0]),
    ),
    (
        "no party receives",
        "party: expected did:ethr:0x<chain id in",
        [asset()],
        changed(TRANSFER, receiver=BOB[:-1] + "G"),
    ),
    (
        "no party gives",
        "party: expected did:ethr:0x<chain id in",
        [asset()],
        changed(TRANSFER, giver=ALICE[:-1] + "G"),
    ),
    ("void from the start", ">= 1 - at `$.anchor_before`", [asset()], changed(TRANSFER, anchor_before=0)),
    ("no target", ">= 64 - at `$.target`", [asset()], changed(REVOCATION, target="")),
    (
        "a target not in hex",
        "target: expected 64 lower-case hex digits",
        [asset()],
        changed(REVOCATION, target="E" * 64),
    ),
    (
        "no such day",
        "effective: expected a time such as",
        [asset()],
        changed(REVOCATION, effective="2025-02-29T00:00:00Z"),
    ),
    ("a subject twice", "revocation: expected each subject once", [asset(), asset()], REVOCATION),
    (
        "not its digest",
        "acme/b: expected dataledger-asset-v1",
        [Resource("acme/b", asset().digest)],
        REVOCATION,
    ),
    (
        "not its run digest",
        "'run:a': expected dataledger-run-v1",
        [Resource("run:a", run().digest)],
        REVOCATION,
    ),
    (
        "a run by another name",
        "run: expected 'run:ran:r1' with",
        [Resource("ran:r1", run().digest)],
        REVOCATION,
    ),
    (
        "a sealed subject",
        "'acme/orders@1': expected one of sha256,",
        [content(kind=digests.SEALED)],
        REVOCATION,
    ),
    ("an output twice", "activity: expected each output once", [content(), content(digest=LOG)], ACTIVITY),
    (
        "a wrong planned output",
        "acme/orders: expected dataledger-asset-v1",
        [asset(ledger=LOG)],
        changed(ACTIVITY, outcome="failed"),
    ),
    (
        "an output without number",
        "version: expected NAMESPACE/PATH@NUMBER",
        [content("acme/orders")],
        ACTIVITY,
    ),
    ("a sealed output", "'acme/orders@1': expected one of sha256,", [content(kind=digests.SEALED)], ACTIVITY),
    ("another run", "run: expected 'run:r1' with dataledger-run-v1", [run("r2")], ACTIVITY),
    ("a run of another ledger", "'run:r1': expected dataledger-run-v1", [run(ledger=LOG)], ACTIVITY),
    (
        "a run under another digest",
        "run: expected 'run:r1' with dataledger-run-v1",
        [content("run:r1")],
        ACTIVITY,
    ),
    ("a run and an output", "version: expected NAMESPACE/PATH@NUMBER", [run(), content()], ACTIVITY),
    ("no run id", ">= 1 - at `$.run_id`", [content()], changed(ACTIVITY, run_id="")),
    ("a long run id", "<= 256 - at `$.run_id`", [content()], changed(ACTIVITY, run_id="x" * 257)),
    (
        "an outcome of its own",
        "record: Invalid enum value 'splendid' - at",
        [content()],
        changed(ACTIVITY, outcome="splendid"),
    ),
    (
        "an input twice",
        "activity: expected each input once",
        [content()],
        changed(ACTIVITY, inputs=[content("acme/b@1"), content("acme/b@1")]),
    ),
    (
        "an input version with an asset digest",
        "'acme/orders@1': expected one of sha256,",
        [content()],
        changed(ACTIVITY, inputs=[Resource("acme/orders@1", asset().digest)]),
    ),
    (
        "a declared input without version",
        "expected an asset with digest",
        [content()],
        changed(ACTIVITY, inputs=[Resource("acme/d", declared("acme/d@1").digest)]),
    ),
    (
        "an input under another asset's digest",
        "acme/b: expected dataledger-asset-v1",
        [content()],
        changed(ACTIVITY, inputs=[Resource("acme/b", asset().digest)]),
    ),
    (
        "an input outside the grammar",
        "expected an asset with digest",
        [content()],
        changed(ACTIVITY, inputs=[content("s3://b")]),
    ),
    (
        "a global input",
        "asset: expected NAMESPACE/PATH in lower-case",
        [content()],
        changed(ACTIVITY, inputs=[content(f"dataledger:{LOG}/acme/b@1")]),
    ),
    (
        "an input digest not in hex",
        "input digest: expected 64 lower-case hex",
        [content()],
        changed(ACTIVITY, inputs=[content("acme/b@1", "z" * 64)]),
    ),
    (
        "an edge to no input",
        "activity: edge 0 <- 0 is out of range, there",
        [content()],
        changed(ACTIVITY, edges=[Edge(0, 0, 1)]),
    ),
    (
        "an edge from no output",
        "activity: edge 1 <- 0 is out of range, there",
        [content()],
        changed(ACTIVITY, inputs=[content("acme/b@1")], edges=[Edge(1, 0, 1)]),
    ),
    (
        "an edge from the run itself",
        "activity: edge 0 <- 0 is out of range, there",
        [run()],
        changed(ACTIVITY, inputs=[content("acme/b@1")], edges=[Edge(0, 0, 1)]),
    ),
    (
        "an edge backwards",
        ">= 0 - at `$.edges[0][1]`",
        [content()],
        changed(ACTIVITY, inputs=[content("acme/b@1")], edges=[Edge(0, -1, 1)]),
    ),
    (
        "an edge twice",
        "activity: expected each edge once",
        [content()],
        changed(ACTIVITY, inputs=[content("acme/b@1")], edges=[Edge(0, 0, 1), Edge(0, 0, 2)]),
    ),
    (
        "an edge without basis",
        ">= 1 - at `$.edges[0][2]`",
        [content()],
        changed(ACTIVITY, inputs=[content("acme/b@1")], edges=[Edge(0, 0, 0)]),
    ),
    (
        "an unknown basis",
        "<= 7 - at `$.edges[0][2]`",
        [content()],
        changed(ACTIVITY, inputs=[content("acme/b@1")], edges=[Edge(0, 0, 8)]),
    ),
    (
        "a column of no input",
        "activity: edge 0 <- 0 is out of",
        [content()],
        changed(ACTIVITY, columns=[ColumnEdge(0, "a", 0, "b")]),
    ),
    (
        "a column of no output",
        "activity: edge 1 <- 0 is out of",
        [content()],
        changed(ACTIVITY, inputs=[content("acme/b@1")], columns=[ColumnEdge(1, "a", 0, "b")]),
    ),
    (
        "an ending that is no time",
        "ended: expected a time such as",
        [content()],
        changed(ACTIVITY, ended="2025-01-31T99:00:00Z"),
    ),
    (
        "a start that is no time",
        "started: expected a time such as",
        [content()],
        changed(ACTIVITY, started="yesterday, about noon"),
    ),
    (
        "a component by sealed digest",
        "component: expected digest sha256 o",
        [content()],
        changed(ACTIVITY, component=Component("x", digest={digests.SEALED: DIGEST})),
    ),
    (
        "a component digest not in hex",
        "component digest: expected 64 lower-case hex",
        [content()],
        changed(ACTIVITY, component=Component("x", digest={digests.FILE: "z" * 64})),
    ),
    (
        "a component without name",
        ">= 1 - at `$.component.name`",
        [content()],
        changed(ACTIVITY, component=Component("")),
    ),
    ("no subject", ">= 1 - at `$.subject`", [], ACTIVITY),
    (
        "too large",
        "record: expected at most 65535 bytes",
        [content(f"acme/{n}@1") for n in range(1000)],
        ACTIVITY,
    ),
]


@pytest.mark.parametrize(
    ("message", "subject", "predicate"), [case[1:] for case in FAULTS], ids=[case[0] for case in FAULTS]
)
def test_faults(message: str, subject: list[Resource], predicate: Predicate) -> None:
    with pytest.raises(FormatError, match=re.escape(message)) as caught:
        build_statement(subject, predicate)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("name", ["_type", "subject", "predicateType", "predicate"])
def test_duplicate_members(name: str) -> None:
    made = json.loads(build_statement([content()], VERSION))
    doubled = json.dumps(made)[:-1] + f", {json.dumps(name)}: {json.dumps(made[name])}}}"
    with pytest.raises(FormatError, match="duplicate"):
        parse_statement(doubled.encode())


def test_duplicate_members_within() -> None:
    payload = build_statement([content()], VERSION)
    for bad in (
        payload.replace(b'"number":1', b'"number":1,"number":1'),
        payload.replace(b'"digest":{', b'"digest":{"sha256":"' + LOG.encode() + b'",'),
        payload.replace(b'"name":', b'"name":"acme/other@1","name":'),
    ):
        with pytest.raises(FormatError, match="duplicate"):
            parse_statement(bad)


@pytest.mark.parametrize(
    "hidden", ["\0", "\x1b", "\r", "\x7f", "\x85", "\u2028", "\u202e", "\u2069", "\ufeff"]
)
@pytest.mark.parametrize("ascii_only", [True, False])
def test_hidden_characters(hidden: str, ascii_only: bool) -> None:
    for path in ("title", "description", "kind"):
        made = json.loads(build_statement([asset()], REGISTRATION))
        made["predicate"][path] = f"a{hidden}b"
        with pytest.raises(FormatError, match="control characters") as caught:
            parse_statement(json.dumps(made, ensure_ascii=ascii_only).encode())
        assert str(caught.value).isprintable()


def test_tabs_only_in_long_texts() -> None:
    payload = build_statement([asset()], changed(REGISTRATION, description="a\tb", title="x"))
    with pytest.raises(FormatError, match="title: control characters"):
        parse_statement(payload.replace(b'"title":"x"', b'"title":"x\\t"'))


@pytest.mark.parametrize(
    "name",
    [
        "https://dataledger.dev/predicate/version/v2",
        "https://dataledger.dev/predicate/ownership/v1",
        "",
        "\x1b" * 5000,
    ],
)
def test_unknown_types_are_told_apart(name: str) -> None:
    made = json.loads(build_statement([content()], VERSION))
    made["predicateType"] = name
    made["predicate"] = {"whatever": [1, 2, {"x": None}]}
    with pytest.raises(FormatError) as caught:
        parse_statement(json.dumps(made).encode())
    assert str(caught.value).startswith(UNKNOWN_TYPE)
    assert len(str(caught.value)) < 200


def test_unknown_types_are_still_strict_json() -> None:
    payload = build_statement([content()], VERSION).replace(b"version/v1", b"version/v2")
    with pytest.raises(FormatError, match="duplicate"):
        parse_statement(payload.replace(b'"number":1', b'"number":1,"number":1'))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"1",
        b"\xff",
        b"\xef\xbb\xbf{}",
        b"[" * 60_000,
        b'{"a":' * 10_000,
        b" " * 65_536,
        b'{"_type":"https://in-toto.io/Statement/v1"}',
    ],
)
def test_no_statements(payload: bytes) -> None:
    with pytest.raises(FormatError):
        parse_statement(payload)


def test_trailing_bytes() -> None:
    payload = build_statement([content()], VERSION)
    assert parse_statement(payload + b"\n") == parse_statement(payload)
    for tail in (b"x", b"{}", b"\0", b"\xc2\xa0"):
        with pytest.raises(FormatError):
            parse_statement(payload + tail)


def test_numbers_have_one_reading() -> None:
    payload = build_statement([content()], VERSION)
    for number in (b"1.0", b"1e0", b"01", b"+1", b'"1"', b"true", b"NaN", b"1" + b"0" * 400):
        with pytest.raises(FormatError):
            parse_statement(payload.replace(b'"number":1', b'"number":' + number))


def test_every_type_is_listed_once() -> None:
    assert {records.TYPE_OF[kind] for kind in records.PREDICATE_TYPES.values()} == set(
        records.PREDICATE_TYPES
    )
    assert all(type(case[2]) in records.TYPE_OF for case in GOOD)
