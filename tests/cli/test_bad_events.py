"""Malformed and hostile events: refused one by one with reasons, the others imported."""

from __future__ import annotations

import json

import pytest

DEEP = '{"a":' * 100 + "1" + "}" * 100

BAD_EVENTS = {
    "nothing": b"",
    "not JSON": b"model,units\n",
    "half": b'{"eventType": "START"',
    "too deep": DEEP.encode(),
    "far too deep": b"[" * 200_000 + b"]" * 200_000,
    "a key twice": b'{"run": {}, "run": {}}',
    "a lone surrogate": b'{"eventType": "\\ud800"}',
    "NaN": b'{"eventType": NaN}',
    "not UTF-8": b'{"eventType": "\xff"}',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "another type": b'"text"',
    "empty object": b"{}",
    "zero bytes": bytes(1000),
    "one endless line": b'{"eventType": "' + b"x" * (20 << 20),
}


@pytest.mark.parametrize("name", BAD_EVENTS)
def test_events_that_are_refused(steady, name):
    (steady.folder / "events.json").write_bytes(BAD_EVENTS[name])
    done = steady.fails(1, "import", "openlineage", "events.json")
    assert done.out.startswith("0 events: 0 runs recorded, 0 known already, ")
    assert "refused events.json" in done.out
    assert all(len(line) < 1000 for line in done.out.splitlines())


def event(**other: object) -> bytes:
    """An event as a pipeline sends it."""
    return json.dumps(
        {
            "eventType": "COMPLETE",
            "eventTime": "2026-05-04T09:00:00Z",
            "producer": "https://example.org/etl",
            "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
            "run": {"runId": "0196b0e5-2f5c-7c55-a1d3-0d3c9a1e4f10"},
            "job": {"namespace": "etl", "name": "daily"},
            "inputs": [{"namespace": "db", "name": "orders"}],
            "outputs": [{"namespace": "db", "name": "report"}],
            **other,
        }
    ).encode()


def test_good_events_among_bad_ones_are_imported(story):
    lines = [BAD_EVENTS["half"], event(), BAD_EVENTS["a key twice"], BAD_EVENTS["another type"]]
    (story.folder / "events.ndjson").write_bytes(b"\n".join(lines) + b"\n")
    done = story.run("import", "openlineage", "events.ndjson", "--json")
    assert (done.code, done.json["runs"], done.json["refused_count"]) == (1, 1, 3)
    positions = [each["position"] for each in done.json["refused"]]
    assert positions == ["line 1", "line 3", "line 4"]
    again = story.run("import", "openlineage", "events.ndjson", "--json").json
    assert (again["runs"], again["runs_known"]) == (0, 1)
    assert story("audit", "--json").json["good"]


def test_a_dry_run_of_an_import_writes_nothing(steady):
    (steady.folder / "event.json").write_bytes(event())
    assert steady("import", "openlineage", "event.json", "--dry-run", "--json").json["runs"] == 1


def test_files_of_events_that_cannot_be_had(steady):
    assert "no such file: none.json" in steady.fails(2, "import", "openlineage", "none.json").err
    assert "is a folder" in steady.fails(2, "import", "openlineage", "sensors").err
