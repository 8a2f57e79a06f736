"""May I use it? Answered by a file: what it shows, what it proves, and what leaves a doubt."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fixtures.evidence_story import block_hash, real_world
from fixtures.onchain import RealWorld
from ledger.audit.evidence import verify_evidence
from ledger.core.records_rights import Terms
from ledger.core.trust import trust_block
from ledger.core.verdict import RightsVerdict, Verdict
from tests.audit.conftest import Desk
from tests.simulator import Party
from tests.simulator_rights import grant

Make = Callable[..., Desk]
SHARED = Terms(rights=["use", "operate"], sublicensable=True)
ANY = [{"verdict": "permitted", "why": "all of it"}]


@pytest.fixture
def world() -> Iterator[RealWorld]:
    with real_world() as world:
        yield world


@pytest.fixture
def acme(world: RealWorld) -> Party:
    acme = world.party("acme", own=True)
    acme.register("acme/a")
    acme.version("acme/a", b"1")
    acme.anchor()
    return acme


def verify(world: RealWorld, data: bytes) -> Verdict:
    return verify_evidence(data.splitlines(keepends=True), trust_block(block_hash(world))).verdict


def rights(world: RealWorld, data: bytes) -> RightsVerdict:
    found = verify(world, data).rights
    assert found is not None
    return found


def lines(data: bytes, kind: str) -> list[dict[str, Any]]:
    return [each for each in map(json.loads, data.splitlines()) if each["line"] == kind]


def codes(found: RightsVerdict) -> list[str]:
    return [each.code for each in found.because]


def test_a_chain_of_grants(desk: Make, world: RealWorld, acme: Party) -> None:
    bolt, coil = world.party("bolt"), world.party("coil")
    first = grant(acme, ["acme/a"], bolt, terms=SHARED)
    grant(acme, ["acme/a"], coil, terms=Terms(rights=["hold"]))
    acme.anchor()
    second = grant(bolt, ["acme/a"], coil, under=first)
    bolt.anchor()
    data = desk(world).ask("acme/a@1", coil)
    found = verify(world, data)
    assert found.verdict == "good"
    assert found.rights is not None
    assert (found.rights.verdict, codes(found.rights)) == ("permitted", ["granted"])
    assert [each.record for each in found.rights.grants] == [second.hex(), first.hex()]
    assert len(lines(data, "record")) == 4  # the grant to hold is no part of the answer
    assert verify_evidence(data.splitlines(keepends=True)).verdict.rights.verdict == "unconfirmed"


def test_nobody_granted_it(desk: Make, world: RealWorld, acme: Party) -> None:
    bolt = world.party("bolt")
    found = rights(world, desk(world).ask("acme/a@1", bolt))
    assert (found.verdict, codes(found)) == ("denied", ["no-grant"])
    assert not found.because[0].proven
    assert any("only as complete" in text for text in found.claimed)


def test_the_holder(desk: Make, world: RealWorld, acme: Party) -> None:
    found = rights(world, desk(world).ask("acme/a@1", acme, "operate"))
    assert (found.verdict, codes(found)) == ("permitted", ["holder"])
    assert found.because[0].proven
