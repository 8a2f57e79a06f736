"""May I use it? Answered by a file: what it shows, what it proves, and what leaves a doubt."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from fixtures.evidence_story import block_hash, real_world
from fixtures.forging import Forged, forge, write
from fixtures.onchain import RealWorld
from ledger.audit.evidence import verify_evidence
from ledger.core.evidence import Asked
from ledger.core.records import Resource
from ledger.core.records_rights import Condition, Terms
from ledger.core.trust import trust_block
from ledger.core.verdict import RightsVerdict, Verdict
from ledger.service.times import format_time
from tests.audit.conftest import Desk
from tests.simulator import Party
from tests.simulator_rights import attestation, grant

Make = Callable[..., Desk]
SHARED = Terms(rights=["use", "operate"], sublicensable=True)


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


def test_a_product_brings_its_inputs(desk: Make, world: RealWorld, acme: Party) -> None:
    """Who offers it needs to be let operate what went into it; who made it and only uses it, to use that."""
    bolt = world.party("bolt")
    given = grant(acme, ["acme/a"], bolt, terms=Terms(rights=["use"]))
    acme.anchor()
    bolt.register("bolt/p")
    bolt.version("bolt/p", b"p")
    bolt.activity("r", [bolt.resource("bolt/p@1", b"p")], [bolt.resource("acme/a@1", b"1")])
    bolt.anchor()
    at = desk(world)
    used = rights(world, at.ask("bolt/p@1", bolt, "use"))
    assert (used.verdict, used.grants[0].record) == ("permitted", given.hex())
    sold = rights(world, at.ask("bolt/p@1", bolt, "operate"))
    assert (sold.verdict, codes(sold)) == ("denied", ["other-right"])
    assert sold.because[0].proven


def test_an_input_under_an_assets_name_brings_all_its_versions(
    desk: Make, world: RealWorld, acme: Party
) -> None:
    """As the index has it: what any version of it was made from counts, and other content of that name."""
    bolt, coil = world.party("bolt"), world.party("coil")
    coil.register("coil/c")
    coil.version("coil/c", b"c")
    coil.anchor()
    acme.activity("r1", [acme.resource("acme/a@1", b"other")], [coil.resource("coil/c@1", b"c")])
    acme.anchor()
    bolt.register("bolt/p")
    bolt.version("bolt/p", b"p")
    bolt.activity("r2", [bolt.resource("bolt/p@1", b"p")], [acme.asset_resource("acme/a")])
    bolt.anchor()
    grant(acme, ["acme/a"], bolt)
    acme.anchor()
    at = desk(world)
    found = rights(world, at.ask("bolt/p@1", bolt, "use"))
    assert (found.verdict, [each.subject for each in found.because]) == ("denied", ["coil/c@1"])
    grant(coil, ["coil/c"], acme, terms=SHARED)
    coil.anchor()
    at.sync()
    assert rights(world, at.ask("bolt/p@1", bolt, "use")).verdict == "permitted"


def test_content_that_was_used_before_its_version_was_known(
    desk: Make, world: RealWorld, acme: Party
) -> None:
    bolt = world.party("bolt")
    bolt.register("bolt/p")
    bolt.version("bolt/p", b"p")
    early = Resource("acme/a", acme.resource("acme/a@2", b"2").digest)
    bolt.activity("r", [bolt.resource("bolt/p@1", b"p")], [early])
    bolt.anchor()
    acme.version("acme/a", b"2")
    grant(acme, ["acme/a"], bolt)
    acme.anchor()
    at = desk(world)
    assert rights(world, at.ask("bolt/p@1", bolt)).verdict == "permitted"
    assert verify(world, at.write("bolt/p@1")).verdict == "good"


def test_frozen_by_the_arbiter_of_its_registration(desk: Make, world: RealWorld) -> None:
    judge, acme = world.party("judge", namespace=False), world.party("acme", own=True)
    record = acme.register("acme/a", arbiter=judge.did)
    acme.version("acme/a", b"1")
    acme.anchor()
    said = {"description": "x", "target": record.hex()}
    freeze = attestation(judge, ["acme/a"], "objection", outcome="frozen", **said)
    judge.anchor()
    at = desk(world)
    assert rights(world, at.ask("acme/a@1", acme)).verdict == "permitted"
    judge.post_record(record, freeze)
    at.sync()
    data = at.ask("acme/a@1", acme)
    assert codes(rights(world, data)) == ["frozen"]
    place = (judge.log.id, 0)
    what = Forged(roots=["acme/a@1"], entries=[(acme.log.id, 0), (acme.log.id, 1)], asked=asked(world, acme))
    hidden = rights(world, write(forge(world, what)))
    assert (hidden.verdict, codes(hidden)) == ("unknown", ["facts-missing"])
    shown = msgspec.structs.replace(what, entries=[*what.entries, place])
    assert write(forge(world, shown)) == data


def asked(world: RealWorld, party: Party, right: Any = "use") -> Asked:
    return Asked(party=party.did, right=right, at=format_time(world.chain.head().time_unix_s))


def test_a_log_that_can_not_be_had_is_named(desk: Make, world: RealWorld, acme: Party) -> None:
    """Coil might have passed it on to Dora: whoever lacks Coil's log says so, and the answer is unknown."""
    coil, dora = world.party("coil"), world.party("dora")
    grant(acme, ["acme/a"], coil, terms=SHARED)
    acme.anchor()
    coil.register("coil/c")
    coil.anchor()
    world.logs.withheld.add(coil.log.id)
    at = desk(world)
    data = at.ask("acme/a@1", dora)
    (line,) = lines(data, "unread")
    assert (line["asset"], line["owner"], line["party"]) == ("acme/a", f"0x{coil.address.hex()}", dora.did)
    assert rights(world, data).verdict == "unknown"
    # of what somebody was given there is no doubt
    given = at.ask("acme/a@1", coil)
    assert (lines(given, "unread"), rights(world, given).verdict) == ([], "permitted")


def test_a_holders_log_that_can_not_be_had(desk: Make, world: RealWorld, acme: Party) -> None:
    bolt = world.party("bolt")
    grant(acme, ["acme/a"], bolt)
    acme.anchor()
    second = acme.new_log(1)
    acme.log, first = second, acme.log
    acme.register("acme/z")
    acme.anchor()
    world.logs.withheld.add(second.id)
    assert first.id not in world.logs.withheld
    found = desk(world).ask("acme/a@1", bolt)
    assert [each["number"] for each in lines(found, "unread")] == [1]
    assert rights(world, found).verdict == "unknown"


def test_what_a_block_knew(desk: Make, world: RealWorld, acme: Party) -> None:
    """Evidence of an earlier block does not have what was posted later, and says which block it is of."""
    bolt = world.party("bolt")
    given = grant(acme, ["acme/a"], bolt)
    before = acme.anchor()
    taken = acme.revoke(given, [acme.asset_resource("acme/a")])
    acme.anchor()
    acme.post_record(given, taken)
    at = desk(world)
    data = at.ask("acme/a@1", bolt, block=before)
    trust = trust_block(f"0x{before.hash.hex()}")
    found = verify_evidence(data.splitlines(keepends=True), trust).verdict
    assert found.rights is not None
    assert (found.rights.verdict, found.block.number) == ("permitted", before.number)
    later = verify_evidence(
        at.ask("acme/a@1", bolt, block=before, at="2030-01-01T00:00:00Z").splitlines(keepends=True), trust
    ).verdict.rights
    assert later is not None
    assert any("since block" in text for text in later.claimed)
    assert codes(rights(world, at.ask("acme/a@1", bolt))) == ["revoked"]


def test_a_revocation_from_a_later_day_on(desk: Make, world: RealWorld, acme: Party) -> None:
    bolt = world.party("bolt")
    given = grant(acme, ["acme/a"], bolt)
    taken = acme.revoke(given, [acme.asset_resource("acme/a")], effective="2025-02-01T00:00:00Z")
    acme.anchor()
    acme.post_record(given, taken)
    at = desk(world)
    days = ("2025-01-31T23:59:59Z", "2025-02-01T00:00:00Z")
    verdicts = [rights(world, at.ask("acme/a@1", bolt, at=day)).verdict for day in days]
    assert verdicts == ["permitted", "denied"]


def test_a_duty_that_recurs(desk: Make, world: RealWorld, acme: Party) -> None:
    bolt = world.party("bolt")
    grant(
        acme,
        ["acme/a"],
        bolt,
        terms=Terms(rights=["use"], conditions=[Condition("notice", "prices", every_days=300)]),
    )
    acme.anchor()
    at = desk(world)
    found = rights(world, at.ask("acme/a@1", bolt))
    assert found.verdict == "permitted"
    assert any("every so many days" in text for text in found.claimed)
    assert codes(rights(world, at.ask("acme/a@1", bolt, at="2025-06-01T00:00:00Z"))) == ["condition-unmet"]
    attestation(bolt, ["acme/a"], "notice", topic="prices")
    world.chain.mine(bolt.anchor_event(), seconds=40_000_000)
    at.sync()
    data = at.ask("acme/a@1", bolt)
    assert rights(world, data).verdict == "permitted"
    assert len(lines(data, "record")) == 4


def test_versions_that_a_grant_names(desk: Make, world: RealWorld, acme: Party) -> None:
    """All of them are in the file: what a link covers depends on what content they have."""
    bolt, coil = world.party("bolt"), world.party("coil")
    acme.version("acme/a", b"2")
    acme.anchor()
    both = [acme.resource("acme/a@1", b"1"), acme.resource("acme/a@2", b"other")]
    first = grant(acme, both, bolt, terms=SHARED)
    acme.anchor()
    fitting = [acme.resource("acme/a@1", b"1"), acme.resource("acme/a@2", b"2")]
    grant(bolt, fitting, coil, under=first)
    bolt.anchor()
    at = desk(world)
    data = at.ask("acme/a@1", coil)
    assert codes(rights(world, data)) == ["beyond-grant"]
    # a forger who leaves the second version out comes to no more
    entries = [(acme.log.id, 0), (acme.log.id, 1), (acme.log.id, 3), (bolt.log.id, 0)]
    forged = Forged(roots=["acme/a@1"], entries=entries, asked=asked(world, coil))
    assert codes(rights(world, write(forge(world, forged)))) == ["beyond-grant"]


def test_an_acknowledged_notice_as_a_condition(desk: Make, world: RealWorld, acme: Party) -> None:
    """What an acknowledgement is about comes along: without it, it would not count."""
    bolt = world.party("bolt")
    grant(
        acme,
        ["acme/a"],
        bolt,
        terms=Terms(rights=["use"], conditions=[Condition("acknowledgement", "rules")]),
    )
    notice = attestation(acme, ["acme/a"], "notice", topic="rules", to=[bolt.did])
    acme.anchor()
    attestation(bolt, ["acme/a"], "acknowledgement", topic="rules", target=notice.hex())
    bolt.anchor()
    data = desk(world).ask("acme/a@1", bolt)
    assert (rights(world, data).verdict, len(lines(data, "record"))) == ("permitted", 5)


def test_nothing_changes_where_nothing_is_asked(desk: Make, world: RealWorld, acme: Party) -> None:
    before = desk(world).write("acme/a@1", block=world.chain.head())
    block = world.chain.head()
    bolt = world.party("bolt")
    record = grant(acme, ["acme/a"], bolt)
    acme.anchor()
    acme.post_record(record, acme.revoke(record, [acme.asset_resource("acme/a")]))
    acme.anchor()
    assert desk(world).write("acme/a@1", block=block) == before
    assert verify(world, desk(world).write("acme/a@1")).verdict == "good"


def test_made_by_whoever_read_the_same_logs(desk: Make, world: RealWorld, acme: Party) -> None:
    bolt = world.party("bolt")
    first = grant(acme, ["acme/a"], bolt, terms=SHARED)
    acme.anchor()
    made = [desk(world, None, world.view(each)).ask("acme/a@1", bolt) for each in (acme, bolt)]
    assert made[0] == made[1]
    assert rights(world, made[0]).grants[0].record == first.hex()
