from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import msgspec
import pytest

from ledger.core import digests
from ledger.core.records import (
    PREDICATE_BASE,
    PREDICATE_TYPES,
    Activity,
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
from ledger.core.statement import build_statement, json_schemas

ROOT = Path(__file__).resolve().parents[2]
LEDGER = "1a" * 32
DIGEST = "c0" * 32
ALICE = "did:ethr:0x539:0x" + "aa" * 20
BOB = "did:ethr:0x539:0x" + "bb" * 20
HEAD: dict[str, Any] = {
    "ledger": LEDGER,
    "logs": ["2b" * 32],
    "authors": [ALICE],
    "time": "2025-01-31T12:00:00Z",
}
ASSET = Resource("acme/orders", {digests.ASSET: digests.asset_digest(bytes.fromhex(LEDGER), "acme/orders")})
OUTPUT = Resource("acme/orders@2", {digests.FILE: DIGEST})

EXAMPLES: list[tuple[str, Resource, Predicate]] = [
    ("registration", ASSET, Registration(**HEAD, title="Ürün", description="a\n\tb")),
    ("version", OUTPUT, Version(**HEAD, number=2, previous=DIGEST, size=3, fields=[Field("a", "int")])),
    ("transfer", ASSET, Transfer(**HEAD, giver=ALICE, receiver=BOB)),
    ("revocation", OUTPUT, Revocation(**HEAD, target=DIGEST, reason="x")),
    (
        "activity",
        OUTPUT,
        Activity(
            **HEAD,
            run_id="r",
            component=Component("x"),
            outcome="failed",
            inputs=[ASSET],
            edges=[Edge(0, 0, 1)],
            columns=[ColumnEdge(0, "a", 0, "")],
        ),
    ),
]


def exporter() -> ModuleType:
    spec = importlib.util.spec_from_file_location("export_schemas", ROOT / "fixtures" / "export_schemas.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_schemas_are_as_the_types_are() -> None:
    assert exporter().differing(ROOT / "ledger" / "core" / "schemas") == []


def test_the_script_writes_and_compares(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = exporter()
    monkeypatch.setattr(script, "FOLDER", tmp_path / "schemas")
    assert script.main(["--check"]) == 1
    assert script.main([]) == 0
    assert script.main(["--check"]) == 0
    (tmp_path / "schemas" / "stray.v1.json").write_text("{}")
    assert script.main(["--check"]) == 1
    assert script.main([]) == 0
    assert script.main(["--check"]) == 0


@pytest.mark.parametrize(("short", "subject", "predicate"), EXAMPLES, ids=[case[0] for case in EXAMPLES])
def test_examples(short: str, subject: Resource, predicate: Predicate) -> None:
    schemas = json_schemas()
    assert len(schemas) == len(PREDICATE_TYPES)
    schema = schemas[f"{short}.v1.json"]
    assert schema["$id"].startswith(PREDICATE_BASE)
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    made = json.loads(build_statement([subject], predicate))
    validator.validate(made)
    for path, value in [
        (("more",), 1),
        (("_type",), "x"),
        (("predicateType",), "x"),
        (("subject",), []),
        (("predicate", "more"), 1),
        (("predicate", "ledger"), LEDGER.upper()),
        (("predicate", "ledger"), LEDGER[1:] + "\n"),
        (("predicate", "authors"), []),
        (("predicate", "authors"), [ALICE, ALICE]),
        (("predicate", "authors"), [ALICE + "0"]),
        (("predicate", "time"), "yesterday, about noon"),
        (("predicate", "attachments"), [{}]),
    ]:
        bad = msgspec.json.decode(json.dumps(made))
        place = bad
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
        assert not validator.is_valid(bad), path


def test_human_text_in_schemas() -> None:
    validator = jsonschema.Draft202012Validator(json_schemas()["registration.v1.json"])
    made = json.loads(build_statement([ASSET], Registration(**HEAD, title="x", description="x")))
    for title, description, good in [
        ("a b", "a\nb\n", True),
        ("a\nb", "x", False),
        ("a\n", "x", False),
        ("a\x1b", "x", False),
        ("a", "x\x1b", False),
        ("a", "x\u202e\n", False),
        ("", "x", False),
    ]:
        made["predicate"] |= {"title": title, "description": description}
        assert validator.is_valid(made) is good
