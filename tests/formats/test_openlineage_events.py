"""One event: what is read of it, what is refused and why, what is only listed."""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.errors import FormatError
from ledger.core.records import Field
from ledger.formats.openlineage_events import (
    MAX_EVENT_BYTES,
    Event,
    check_event,
    decode_event,
)
from ledger.formats.openlineage_facets import Identity
from ledger.formats.openlineage_read import ReadEvent, Refusal, read_events

Json = dict[str, Any]


def decode(event: Json) -> Event:
    data = json.dumps(event).encode()
    check_event(data)
    return decode_event(data)


def refused(data: bytes) -> str:
    (found,) = read_events("file", [data])
    assert isinstance(found, Refusal), found
    return found.reason


def test_what_is_read(make: ModuleType) -> None:
    nested = {
        "name": "address",
        "type": "struct",
        "fields": [{"name": "city", "type": "text"}, {"name": "zip"}],
    }
    out = make.dataset(
        "out",
        schema=make.facet("Schema", fields=[nested]),
        version=make.facet("DatasetVersion", datasetVersion=7),
        ownership=make.facet("Ownership", owners=[{"name": "user:a", "type": None}]),
        columnLineage=make.facet(
            "ColumnLineage",
            fields={
                "x": {"inputFields": [{**make.dataset("in"), "field": "a"}], "transformationType": "MASKED"},
                "y": {
                    "inputFields": [
                        {
                            **make.dataset("in"),
                            "field": "b",
                            "transformations": [
                                {"type": "INDIRECT", "subtype": "FILTER"},
                                {"type": "DIRECT", "subtype": "IDENTITY", "masking": True},
                            ],
                        }
                    ]
                },
            },
            dataset=[{**make.dataset("in"), "field": "c", "transformations": [{"type": "INDIRECT"}]}],
        ),
    )
    above = make.facet(
        "Parent",
        run={"runId": "p"},
        job={"namespace": "ns", "name": "p"},
        root={"run": {"runId": "r"}, "job": {"namespace": "ns", "name": "r"}},
    )
    job = {"sourceCodeLocation": make.facet("SourceCodeLocation", type="git", url="u", version="abc123")}
    event = decode(make.event("COMPLETE", "job", "00:00:00", outputs=[out], run={"parent": above}, job=job))
    (named,) = event.outputs
    assert named.identity == Identity("postgres://warehouse:5432", "out")
    assert named.fields == (Field("address", "struct"), Field("address.city", "text"), Field("address.zip"))
    assert named.version == "7"
    assert named.owners is not None
    assert [owner.name for owner in named.owners] == ["user:a"]
    assert named.columns is not None
    assert [(c.field, c.source.name, c.source_field, c.how) for c in named.columns] == [
        ("x", "in", "a", "MASKED"),
        ("y", "in", "b", "DIRECT/IDENTITY/MASKING, INDIRECT/FILTER"),
        ("", "in", "c", "INDIRECT"),
    ]
    assert event.parent is not None
    assert (event.parent.run_id, event.parent.root_run_id) == ("p", "r")
    assert event.job_version == "abc123"
    assert event.unkept == ()


def test_null_is_nothing(make: ModuleType) -> None:
    event = make.event("START", "job", "00:00:00")
    event.update(
        {
            "dataset": None,
            "inputs": None,
            "outputs": [{**make.dataset("o"), "facets": None}],
            "eventType": None,
        }
    )
    event["outputs"][0]["facets"] = {"columnLineage": None, "schema": None, "version": None, "symlinks": None}
    read = decode(event)
    assert (read.type, read.inputs) == ("OTHER", ())
    assert (read.outputs[0].columns, read.outputs[0].fields, read.outputs[0].version) == (None, None, None)


def test_a_deleted_facet_says_nothing(make: ModuleType) -> None:
    gone = {"_deleted": True, "_producer": "p", "_schemaURL": "u"}
    out = make.dataset("o", columnLineage=gone, version=gone, schema=gone, ownership=gone, lineage=gone)
    (named,) = decode(make.event("COMPLETE", "job", "00:00:00", outputs=[out])).outputs
    assert (named.columns, named.version, named.fields, named.owners, named.stated) == ((), "", (), (), None)


def test_what_has_no_place_is_listed(make: ModuleType) -> None:
    out = {
        **make.dataset("o", dataSource=make.facet("DataSource"), schema={"fields": "?"}),
        "outputFacets": {"outputStatistics": {}},
    }
    source = {**make.dataset("i", columnLineage=make.facet("C", fields={})), "inputFacets": {"dq": {}}}
    event = make.event("COMPLETE", "job", "00:00:00", inputs=[source], outputs=[out],
                       run={"nominalTime": {}, "e\x1bvil": {}}, job={"sql": {}})  # fmt: skip
    event["eventTime"] = "2026-03-01T00:00:00"
    assert sorted(decode(event).unkept) == [
        "eventTime without offset, read as UTC",
        "input.columnLineage",
        "inputFacets.dq",
        "job.sql",
        "output.dataSource",
        "output.schema (unreadable)",
        "outputFacets.outputStatistics",
        "run.e\\x1bvil",
        "run.nominalTime",
    ]


def test_informative_text_is_made_fit_for_a_record(make: ModuleType) -> None:
    out = make.dataset(
        "o", schema=make.facet("S", fields=[{"name": "a\nb", "type": "t" * 5000}, {"name": ""}])
    )
    (named,) = decode(make.event("COMPLETE", "j", "00:00:00", outputs=[out])).outputs
    assert named.fields is not None
    assert [(len(field.type), field.name) for field in named.fields] == [(2048, "a\\x0ab")]


def test_the_digest_is_of_what_an_event_says(make: ModuleType) -> None:
    event = make.event("COMPLETE", "job", "00:00:00", inputs=[make.dataset("é")])
    turned = dict(reversed(event.items()))
    digest = check_event(json.dumps(event).encode())
    assert check_event(json.dumps(turned, indent=3, ensure_ascii=False).encode()) == digest
    event["inputs"][0]["name"] = "e"
    assert check_event(json.dumps(event).encode()) != digest


GOOD = json.dumps(
    {"eventTime": "2026-01-01T00:00:00Z", "producer": "p", "schemaURL": "u", "run": {"runId": "r"},
     "job": {"namespace": "n", "name": "j"}}
).encode()  # fmt: skip


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}", "at most 128 deep"),
        (b'{"a":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001, "at most 128 deep"),
        (GOOD.replace(b'"run"', b'"producer": "q", "run"'), "duplicate"),
        (GOOD.replace(b'"r"', b'"\\udc00"'), "surrogate"),
        (GOOD.replace(b'"r"', b'"\xff"'), "utf-8"),
        (b"\xef\xbb\xbf" + GOOD, "byte order mark"),
        (GOOD.replace(b'"r"', b"1"), "Expected `str`"),
        (GOOD.replace(b'"r"', b'""'), "run.runId"),
        (GOOD.replace(b'"r"', b'"r", "n": 1e999'), "finite"),
        (GOOD.replace(b'"r"', b'"r", "n": ' + b"9" * 21), "64 bits"),
        (GOOD.replace(b'{"namespace": "n", "name": "j"}', b"[]"), "Expected `object | null`"),
        (b'{"eventTime":"2026-01-01T00:00:00Z","producer":"p","schemaURL":"u"}', "expected one of"),
        (b"{}", "missing required field `eventTime`"),
    ],
)
def test_hostile_and_wrong(data: bytes, reason: str) -> None:
    assert reason in refused(data)


def test_too_large() -> None:
    huge = GOOD.replace(b'"r"', b'"r", "n": "' + b"x" * MAX_EVENT_BYTES + b'"')
    assert "at most" in refused(huge)


def test_reasons_are_safe_to_print() -> None:
    data = GOOD.replace(b'"run"', b'"eventType": "\\u001b[2J", "run"')
    assert refused(data).isprintable()


def test_large_integers_are_not_our_business() -> None:
    (found,) = read_events("file", [GOOD.replace(b'"r"', b'"r", "snapshot": 3051729675574597004')])
    assert isinstance(found, ReadEvent)


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    assert all(isinstance(found, Refusal) for found in read_events("file", [data]))


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
FACETS = [
    "columnLineage",
    "lineage",
    "symlinks",
    "version",
    "schema",
    "ownership",
    "lifecycleStateChange",
    "parent",
]
PLACES = [
    (),
    ("run",),
    ("job",),
    ("inputs",),
    ("outputs",),
    ("run", "facets"),
    ("job", "facets"),
    ("dataset",),
]


@given(
    ANY_JSON,
    st.sampled_from(PLACES),
    st.sampled_from([*FACETS, "name", "runId", "eventTime", "facets", "type"]),
)
def test_anything_anywhere(value: Any, place: tuple[str, ...], name: str) -> None:
    event = json.loads(GOOD)
    at = event
    for step in place:
        at = at.setdefault(step, {})
    at[name] = value
    check(event)


@given(
    ANY_JSON,
    st.sampled_from(FACETS),
    st.sampled_from(["entries", "fields", "inputs", "identifiers", "dataset"]),
)
def test_anything_in_a_facet(value: Any, facet: str, member: str) -> None:
    event = json.loads(GOOD)
    event["outputs"] = [{"namespace": "n", "name": "o", "facets": {facet: {member: value}}}]
    event["run"]["facets"] = {"lineage": {member: [value]}, "parent": value}
    event["job"]["facets"] = {"lineage": {member: value}, "ownership": value}
    check(event)


def check(event: Json) -> None:
    """Refuse or decode; nothing else may happen."""
    (found,) = read_events("file", [json.dumps(event).encode("utf-8", "surrogatepass")])
    if isinstance(found, ReadEvent):
        assert found.event.time == 1767225600 * 10**6 or "eventTime" in event
    else:
        assert found.reason


def test_decode_alone_raises_only_format_errors() -> None:
    for data in (b"", b"{", b"\xff", b"[" * 100_000, b'{"eventTime": 1}'):
        with pytest.raises(FormatError):
            decode_event(data)
