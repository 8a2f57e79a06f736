"""Wycheproof's Ed25519 cases: all as expected."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ledger.core.errors import SignatureInvalid
from ledger.core.signing import verify

pytestmark = pytest.mark.vectors


def test_all_as_expected(vectors: Path) -> None:
    content = json.loads((vectors / "ed25519" / "ed25519_test.json").read_text())
    wrong, count = [], 0
    for group in content["testGroups"]:
        key = bytes.fromhex(group["publicKey"]["pk"])
        for case in group["tests"]:
            count += 1
            try:
                verify(key, bytes.fromhex(case["sig"]), bytes.fromhex(case["msg"]))
                result = "valid"
            except SignatureInvalid:
                result = "invalid"
            if result != case["result"]:
                wrong.append((case["tcId"], case["comment"], case["result"], result))
    assert wrong == []
    assert count == content["numberOfTests"] == 151
