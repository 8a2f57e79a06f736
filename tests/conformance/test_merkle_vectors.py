"""RFC 6962 proof cases of transparency-dev/merkle: every good one passes, every bad one is refused."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from ledger.core.errors import ProofInvalid
from ledger.core.merkle import verify_consistency, verify_inclusion

pytestmark = pytest.mark.vectors


def cases(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def hash_of(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def outcome(case: dict[str, Any], verify: Any, *arguments: Any) -> str | None:
    """Return how a case went against what it says, None if as it says."""
    try:
        verify(*arguments)
    except ProofInvalid as error:
        return None if case["wantErr"] else f"{case['case']}: refused: {error}"
    return f"{case['case']}: accepted" if case["wantErr"] else None


def test_inclusion(vectors: Path) -> None:
    found = cases(vectors / "merkle" / "inclusion.jsonl")
    assert (len(found), sum(case["wantErr"] for case in found)) == (98, 92)
    wrong = [
        outcome(
            case,
            verify_inclusion,
            hash_of(case["leafHash"]),
            case["leafIdx"],
            case["treeSize"],
            [hash_of(each) for each in case["proof"] or []],
            hash_of(case["root"]),
        )
        for case in found
    ]
    assert [each for each in wrong if each] == []


def test_consistency(vectors: Path) -> None:
    found = cases(vectors / "merkle" / "consistency.jsonl")
    assert (len(found), sum(case["wantErr"] for case in found)) == (98, 92)
    wrong = [
        outcome(
            case,
            verify_consistency,
            case["size1"],
            case["size2"],
            [hash_of(each) for each in case["proof"] or []],
            hash_of(case["root1"]),
            hash_of(case["root2"]),
        )
        for case in found
    ]
    assert [each for each in wrong if each] == []
