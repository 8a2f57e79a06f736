from __future__ import annotations

from typing import Any

import pytest

from ledger.core import digests
from ledger.core.findings import FINDINGS, activity_findings
from ledger.core.records import Activity, Component, Registration, Resource, Statement

LEDGER = "1a" * 32
HEAD: dict[str, Any] = {
    "ledger": LEDGER,
    "logs": ["2b" * 32],
    "authors": ["did:ethr:0x1:0x" + "aa" * 20],
    "time": "2025-01-31T12:00:00Z",
}
ONE, TWO = "11" * 32, "22" * 32


VERSIONS = {
    ("acme/a", 1): (digests.FILE, ONE),
    ("acme/b", 1): (digests.TREE, ONE),
    ("acme/d", 1): (digests.DECLARED, ONE),
}


class Known:
    def asset(self, asset: str) -> bytes | None:
        return b"\x01" * 32 if (asset, 1) in VERSIONS else None

    def content(self, asset: str, number: int) -> tuple[str, str] | None:
        return VERSIONS.get((asset, number))

    def has_content(self, asset: str, name: str, digest: str) -> bool:
        return VERSIONS.get((asset, 1)) == (name, digest)


def resource(name: str, kind: str = digests.FILE, digest: str = ONE) -> Resource:
    return Resource(name, {kind: digest})


def kinds(outputs: list[Resource], *inputs: Resource) -> list[tuple[str, str]]:
    activity = Activity(
        **HEAD, run_id="r", component=Component("x"), outcome="completed", inputs=list(inputs)
    )
    found = activity_findings(Statement(outputs, activity), Known())
    assert all(each.kind in FINDINGS and each.text for each in found)
    return [(each.kind, each.subject) for each in found]


FILE = resource("acme/a@1")
TREE = resource("acme/b@1", digests.TREE)
DECLARED = resource("acme/d@1", digests.DECLARED)
RUN = resource("run:a@b", digests.RUN)


def test_nothing_to_find() -> None:
    assert kinds([FILE, TREE], TREE, resource("acme/a"), resource("acme/a", digests.ASSET)) == []
    assert kinds([RUN], FILE) == []
    assert kinds([resource("acme/z", digests.ASSET)], FILE) == []
    assert activity_findings(Statement([FILE], Registration(**HEAD)), Known()) == []


@pytest.mark.parametrize(
    "output",
    [resource("acme/a@2"), resource("acme/z@1"), resource("acme/a@1", digest=TWO), resource("acme/b@1")],
)
def test_outputs(output: Resource) -> None:
    assert kinds([output], FILE) == [("output-unregistered", output.name)]


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        (resource("acme/a@2"), "input-unregistered"),
        (resource("acme/z", digests.ASSET), "input-unregistered"),
        (resource("acme/a", digest=TWO), "input-unregistered"),
        (resource("acme/b"), "input-unregistered"),
        (resource("acme/a@1", digest=TWO), "input-digest-mismatch"),
        (resource("acme/b@1"), "input-digest-mismatch"),
    ],
)
def test_inputs(source: Resource, kind: str) -> None:
    assert kinds([FILE], source) == [(kind, source.name)]


def test_declared_inputs_of_observed_outputs() -> None:
    assert kinds([FILE], DECLARED) == [("declared-input", "acme/d@1")]
    assert kinds([TREE], DECLARED) == [("declared-input", "acme/d@1")]
    assert kinds([DECLARED], DECLARED) == []
    assert kinds([RUN], DECLARED) == []
