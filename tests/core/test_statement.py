from __future__ import annotations

import json
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
            **{**HEAD, "logs": [LOG, LEDGER], "authors": [ALICE, BOB], "time": "2025-01-31T12:00:00.123456789Z"},
            title="Ürün \u2713",
            description="line one\nline two\ttabbed \"quoted\" back\\slash",
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
            **HEAD, number=7, previous="dd" * 32, size=0, media_type="text/csv", fields=[Field("a", "int"), Field("b")]
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
            inputs=[content("gz.weather/hourly@3"), content("acme/raw"), asset("acme/raw"), declared("acme/d@9")],
            edges=[Edge(0, 0, 1), Edge(0, 3, 7), Edge(1, 0, 4)],
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
]  # fmt: skip


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
        b'"ledger":"' + LEDGER.encode() + b'","logs":["' + LOG.encode() + b'"],"authors":["' + ALICE.encode() + b'"],'
        b'"time":"2025-01-31T12:00:00Z","number":1}}'
    )  # fmt: skip


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
    put("_type", "https://in-toto.io/Statement/v0.1"), drop("_type"), put("more", 1), drop("subject"),
    put("subject", []), put("subject", {}), drop("predicate"), put("predicate", None), put("predicateType", 1),
    drop("predicateType"), put("subject/0/uri", "x"), put("subject/0/digest", {}), drop("subject/0/digest"),
    put("subject/0/digest", {digests.FILE: DIGEST, digests.TREE: DIGEST}), put("subject/0/name", ""),
    put("subject/0/digest", {digests.FILE: DIGEST.upper()}), put("subject/0/digest", {digests.FILE: DIGEST[1:]}),
    put("subject/0/digest", {"sha512": DIGEST}), put("subject/0/digest", {digests.SEALED: DIGEST}),
    put("predicate/more", 1),
    drop("predicate/ledger"), put("predicate/ledger", "0x" + LEDGER), put("predicate/ledger", LEDGER.upper()),
    put("predicate/ledger", "\u0661" * 64), put("predicate/ledger", LEDGER[1:] + "\n"),
    drop("predicate/logs"), put("predicate/logs", []), put("predicate/logs", [LOG, LOG]), put("predicate/logs", LOG),
    put("predicate/logs", ["g" * 64]), put("predicate/logs", [f"{n:064x}" for n in range(17)]),
    drop("predicate/authors"), put("predicate/authors", []), put("predicate/authors", [ALICE, ALICE]),
    put("predicate/authors", [ALICE.upper()]), put("predicate/authors", [ALICE + "\n"]),
    put("predicate/authors", [ALICE.replace("0x539", "0x0539")]),
    put("predicate/authors", [f"did:ethr:0x1:0x{n:040x}" for n in range(17)]),
    drop("predicate/time"), put("predicate/time", ""), put("predicate/time", None),
    put("predicate/time", "2025-01-31T12:00:00"), put("predicate/time", "2025-01-31T12:00:00+00:00"),
    put("predicate/time", "2025-01-31 12:00:00Z"), put("predicate/time", "2025-01-31T12:00:00z"),
    put("predicate/time", "2025-02-29T12:00:00Z"), put("predicate/time", "2025-01-31T24:00:00Z"),
    put("predicate/time", "2025-01-31T12:00:60Z"), put("predicate/time", "2025-01-31T12:00:00.Z"),
    put("predicate/time", "2025-01-31T12:00:00.0123456789Z"), put("predicate/time", "0000-01-31T12:00:00Z"),
    put("predicate/time", "2025-01-31T12:00:00Z\n"), put("predicate/time", "\u06612025-01-31T12:00:00Z"),
    put("predicate/time", "2025-1-31T12:00:000Z"), put("predicate/time", 1738324800),
    put("predicate/attachments", [{"role": "r", "media_type": "m", "digest": {digests.TREE: DIGEST}}]),
    put("predicate/attachments", [{"role": "r", "media_type": "m", "digest": {digests.FILE: "z" * 64}}]),
    put("predicate/attachments", [{"role": "r", "media_type": "m", "digest": {digests.SEALED: DIGEST}, "size": 1}]),
    put("predicate/attachments", [{"role": "r", "media_type": "m", "digest": {digests.FILE: DIGEST}, "size": -1}]),
    put("predicate/attachments", [{"role": "", "media_type": "m", "digest": {digests.FILE: DIGEST}}]),
    put("predicate/attachments", [{"role": "r" * 129, "media_type": "m", "digest": {digests.FILE: DIGEST}}]),
    put("predicate/attachments", [{"role": "r", "media_type": "m", "digest": {}}]),
    put("predicate/attachments", [{"role": "r", "digest": {digests.FILE: DIGEST}}]),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(HEADER_FAULTS)))
@pytest.mark.parametrize("position", [0, 3, 7, 9, 11])
def test_faults_common_to_all(position: int, number: int) -> None:
    _, subject, predicate = GOOD[position]
    with pytest.raises(FormatError) as caught:
        parse_statement(document(subject, predicate, HEADER_FAULTS[number]))
    assert len(str(caught.value)) < 1000


def changed(predicate: Predicate, **changes: Any) -> Predicate:
    return msgspec.structs.replace(predicate, **changes)


FAULTS: list[tuple[str, list[Resource], Predicate]] = [
    ("two subjects", [asset(), asset("acme/b")], REGISTRATION),
    ("a version registered", [content()], REGISTRATION),
    ("an asset under a content digest", [content("acme/orders")], REGISTRATION),
    ("a version under the asset digest", [Resource("acme/orders@1", asset().digest)], REGISTRATION),
    ("the digest of another asset", [Resource("acme/orders", asset("acme/b").digest)], REGISTRATION),
    ("the digest of another ledger", [asset(ledger=LOG)], REGISTRATION),
    ("a name outside the grammar", [asset("acme/Orders")], REGISTRATION),
    ("an alias twice", [asset()], changed(REGISTRATION, aliases=[Alias("doi", "x"), Alias("doi", "x")])),
    ("an empty alias", [asset()], changed(REGISTRATION, aliases=[Alias("doi", "")])),
    ("a long title", [asset()], changed(REGISTRATION, title="x" * 2049)),
    ("a long description", [asset()], changed(REGISTRATION, description="x" * 16385)),
    ("a title of two lines", [asset()], changed(REGISTRATION, title="a\nb")),
    ("an empty kind", [asset()], changed(REGISTRATION, kind="")),
    ("two versions", [content(), content("acme/b@1")], VERSION),
    ("an asset as a version", [asset()], VERSION),
    ("no number in the name", [content("acme/orders")], VERSION),
    ("a version under the asset digest", [Resource("acme/orders@1", asset().digest)], VERSION),
    ("another number", [content("acme/orders@2")], VERSION),
    ("another number with a predecessor", [content("acme/orders@3")], changed(VERSION, number=2, previous=DIGEST)),
    ("number 0", [content("acme/orders@0")], changed(VERSION, number=0)),
    ("first with a predecessor", [content()], changed(VERSION, previous=DIGEST)),
    ("second without", [content("acme/orders@2")], changed(VERSION, number=2)),
    ("a predecessor not in hex", [content("acme/orders@2")], changed(VERSION, number=2, previous="z" * 64)),
    ("declared without description", [declared()], VERSION),
    ("described but hashed", [content()], changed(VERSION, declared="x")),
    ("another description", [declared()], changed(VERSION, declared="x")),
    ("a description of another asset", [Resource("acme/b@1", declared().digest)], changed(VERSION, declared="x")),
    ("a negative size", [content()], changed(VERSION, size=-1)),
    ("a size beyond doubles", [content()], changed(VERSION, size=2**53)),
    ("a size beyond 64 bits", [content()], changed(VERSION, size=2**70)),
    ("a field without name", [content()], changed(VERSION, fields=[Field("")])),
    ("a field with an escape", [content()], changed(VERSION, fields=[Field("\x1b[2J")])),
    ("a lone surrogate", [content()], changed(VERSION, media_type="\ud800")),
    ("transfer of a version", [content()], TRANSFER),
    ("giver is receiver", [asset()], changed(TRANSFER, receiver=ALICE)),
    ("giver is no author", [asset()], changed(TRANSFER, authors=[BOB])),
    ("no party receives", [asset()], changed(TRANSFER, receiver=BOB[:-1] + "G")),
    ("no party gives", [asset()], changed(TRANSFER, giver=ALICE[:-1] + "G")),
    ("void from the start", [asset()], changed(TRANSFER, anchor_before=0)),
    ("no target", [asset()], changed(REVOCATION, target="")),
    ("a target not in hex", [asset()], changed(REVOCATION, target="E" * 64)),
    ("no such day", [asset()], changed(REVOCATION, effective="2025-02-29T00:00:00Z")),
    ("a subject twice", [asset(), asset()], REVOCATION),
    ("not its digest", [Resource("acme/b", asset().digest)], REVOCATION),
    ("not its run digest", [Resource("run:a", run().digest)], REVOCATION),
    ("a run by another name", [Resource("ran:r1", run().digest)], REVOCATION),
    ("a sealed subject", [content(kind=digests.SEALED)], REVOCATION),
    ("an output twice", [content(), content(digest=LOG)], ACTIVITY),
    ("a planned output of a completed run", [asset()], ACTIVITY),
    ("a wrong planned output", [asset(ledger=LOG)], changed(ACTIVITY, outcome="failed")),
    ("an output without number", [content("acme/orders")], ACTIVITY),
    ("a sealed output", [content(kind=digests.SEALED)], ACTIVITY),
    ("another run", [run("r2")], ACTIVITY),
    ("a run of another ledger", [run(ledger=LOG)], ACTIVITY),
    ("a run under another digest", [content("run:r1")], ACTIVITY),
    ("a run and an output", [run(), content()], ACTIVITY),
    ("no run id", [content()], changed(ACTIVITY, run_id="")),
    ("a long run id", [content()], changed(ACTIVITY, run_id="x" * 257)),
    ("an outcome of its own", [content()], changed(ACTIVITY, outcome="splendid")),
    ("an input twice", [content()], changed(ACTIVITY, inputs=[content("acme/b@1"), content("acme/b@1")])),
    ("an input version with an asset digest", [content()],
     changed(ACTIVITY, inputs=[Resource("acme/orders@1", asset().digest)])),
    ("a declared input without version", [content()],
     changed(ACTIVITY, inputs=[Resource("acme/d", declared("acme/d@1").digest)])),
    ("an input under another asset's digest", [content()],
     changed(ACTIVITY, inputs=[Resource("acme/b", asset().digest)])),
    ("an input outside the grammar", [content()], changed(ACTIVITY, inputs=[content("s3://b")])),
    ("a global input", [content()], changed(ACTIVITY, inputs=[content(f"dataledger:{LOG}/acme/b@1")])),
    ("an input digest not in hex", [content()], changed(ACTIVITY, inputs=[content("acme/b@1", "z" * 64)])),
    ("an edge to no input", [content()], changed(ACTIVITY, edges=[Edge(0, 0, 1)])),
    ("an edge from no output", [content()],
     changed(ACTIVITY, inputs=[content("acme/b@1")], edges=[Edge(1, 0, 1)])),
    ("an edge from the run itself", [run()],
     changed(ACTIVITY, inputs=[content("acme/b@1")], edges=[Edge(0, 0, 1)])),
    ("an edge backwards", [content()],
     changed(ACTIVITY, inputs=[content("acme/b@1")], edges=[Edge(0, -1, 1)])),
    ("an edge twice", [content()],
     changed(ACTIVITY, inputs=[content("acme/b@1")], edges=[Edge(0, 0, 1), Edge(0, 0, 2)])),
    ("an edge without basis", [content()],
     changed(ACTIVITY, inputs=[content("acme/b@1")], edges=[Edge(0, 0, 0)])),
    ("an unknown basis", [content()],
     changed(ACTIVITY, inputs=[content("acme/b@1")], edges=[Edge(0, 0, 8)])),
    ("a column of no input", [content()], changed(ACTIVITY, columns=[ColumnEdge(0, "a", 0, "b")])),
    ("a column of no output", [content()],
     changed(ACTIVITY, inputs=[content("acme/b@1")], columns=[ColumnEdge(1, "a", 0, "b")])),
    ("an ending that is no time", [content()], changed(ACTIVITY, ended="2025-01-31T99:00:00Z")),
    ("a start that is no time", [content()], changed(ACTIVITY, started="yesterday, about noon")),
    ("a component by sealed digest", [content()],
     changed(ACTIVITY, component=Component("x", digest={digests.SEALED: DIGEST}))),
    ("a component digest not in hex", [content()],
     changed(ACTIVITY, component=Component("x", digest={digests.FILE: "z" * 64}))),
    ("a component without name", [content()], changed(ACTIVITY, component=Component(""))),
    ("no subject", [], ACTIVITY),
    ("too large", [content(f"acme/{n}@1") for n in range(1000)], ACTIVITY),
]  # fmt: skip


@pytest.mark.parametrize(
    ("subject", "predicate"), [case[1:] for case in FAULTS], ids=[case[0] for case in FAULTS]
)
def test_faults(subject: list[Resource], predicate: Predicate) -> None:
    with pytest.raises(FormatError) as caught:
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
        "https://dataledger.dev/predicate/grant/v1",
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
    [b"", b"{}", b"[]", b"null", b"1", b"\xff", b"\xef\xbb\xbf{}", b"[" * 60_000, b'{"a":' * 10_000, b" " * 65_536,
     b'{"_type":"https://in-toto.io/Statement/v1"}'],
)  # fmt: skip
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
