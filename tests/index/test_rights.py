"""The facts about rights out of the tables: as of any block, with what can't be had, as the oracle says."""

from __future__ import annotations

import gc
import tempfile
from pathlib import Path
from typing import Any
from weakref import ref

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.core.errors import Unavailable
from ledger.core.records_rights import Condition, Terms
from ledger.core.rights import may
from ledger.core.rights_facts import CODES, Answer, Question
from ledger.index import Index, rights_said
from tests.rights_oracle import DAYS, PARTIES, Oracle, Said, Taken, questions, steps
from tests.simulator import START_UNIX_S, Party, World
from tests.simulator_rights import agreement, attestation, grant

SHARED = Terms(rights=["use", "operate"], sublicensable=True)


def ask(
    index: Index, who: Party, name: str = "acme/a", right: Any = "use", block: int | None = None, **asked: Any
) -> Answer:
    """Ask as of the end of a block, of the last one if none is named."""
    head = index.head
    assert head is not None
    at = asked.pop("at_ns", head.time_unix_s * 10**9 + 10**9 - 1)
    answer = may(
        Question(who.did, right, name, at, **asked), index.rights(head.number if block is None else block)
    )
    assert {reason.code for reason in answer.because} <= CODES.keys()
    return answer


def codes(answer: Answer) -> list[str]:
    return [reason.code for reason in answer.because]


@pytest.fixture
def acme(world: World) -> Party:
    acme = world.party("acme", own=True)
    acme.register("acme/a")
    acme.version("acme/a", b"1")
    acme.anchor()
    return acme


def test_what_was_remembered_is_freed_at_once(world: World, acme: Party, open_index) -> None:
    # a sync asks by the thousand, and runs without the garbage collector
    bolt = world.party("bolt")
    grant(acme, ["acme/a"], bolt)
    acme.anchor()
    facts = open_index(world).rights(world.chain.head().number)
    gc.disable()
    try:
        assert len(list(facts.grants("acme/a", bolt.did))) == 1
        alive = ref(facts)
        del facts
        assert alive() is None
    finally:
        gc.enable()


def test_as_of_each_block(world: World, acme: Party, open_index) -> None:
    bolt = world.party("bolt")
    record = grant(acme, ["acme/a"], bolt)
    granted = acme.anchor().number
    revocation = acme.revoke(record, [acme.asset_resource("acme/a")])
    acme.anchor()
    posted = acme.post_record(record, revocation).number
    index = open_index(world)
    verdicts = [ask(index, bolt, block=block).verdict for block in range(granted - 1, posted + 1)]
    assert verdicts == ["denied", "permitted", "permitted", "denied"]
    assert codes(ask(index, bolt)) == ["revoked"]
    with pytest.raises(Unavailable, match="was asked for"):
        index.rights(posted + 1)


def test_what_strangers_write_about_it_is_not_read(
    world: World, acme: Party, open_index, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anybody may object to a grant, and write void grants of any asset: an answer costs no more for it."""
    bolt, judge, mallory = world.party("bolt"), world.party("judge"), world.party("mallory")
    terms = Terms(rights=["use"], arbiter=judge.did)
    record = grant(acme, ["acme/a"], bolt, terms=terms)
    acme.anchor()
    for n in range(100):
        attestation(mallory, ["acme/a"], "objection", target=record.hex(), description=f"no {n}")
        grant(
            mallory, ["acme/a"], None, terms=Terms(rights=["use"], start=f"2025-01-01T00:{n % 60:02}:00.{n}Z")
        )
    mallory.anchor()
    index, read = open_index(world), []
    decode = rights_said.decode_checked
    monkeypatch.setattr(
        rights_said, "decode_checked", lambda payload: read.append(payload) or decode(payload)
    )
    facts = index.rights(index.head.number)
    assert facts.given(record.hex()).frozen == ()
    assert len(read) == 1
    answer = ask(index, world.party("coil"))
    assert (answer.verdict, codes(answer)) == ("denied", ["rejected"] * rights_said.VOID_SHOWN)
    answer = ask(index, bolt)
    assert (answer.verdict, answer.grants) == ("permitted", (record.hex(),))


def test_a_revocation_from_a_date_on(world: World, acme: Party, open_index) -> None:
    bolt = world.party("bolt")
    record = grant(acme, ["acme/a"], bolt)
    revocation = acme.revoke(record, [acme.asset_resource("acme/a")], effective="2025-02-01T00:00:00Z")
    acme.anchor()
    acme.post_record(record, revocation)
    index = open_index(world)
    at = 1_738_368_000 * 10**9  # 2025-02-01
    assert [ask(index, bolt, at_ns=at + each).verdict for each in (-1, 0)] == ["permitted", "denied"]


def test_what_is_pending_gives_nothing(world: World, acme: Party, open_index) -> None:
    bolt = world.party("bolt")
    grant(acme, ["acme/a"], bolt)
    index = open_index(world)
    assert codes(ask(index, bolt)) == ["no-grant"]
    acme.anchor()
    index.sync(world.chain, world.logs, workers=0)
    assert ask(index, bolt).verdict == "permitted"


def test_void_grants_are_told_with_their_link(world: World, acme: Party, open_index) -> None:
    bolt, coil = world.party("bolt"), world.party("coil")
    first = grant(acme, ["acme/a"], bolt, terms=SHARED)
    acme.anchor()
    second = grant(bolt, ["acme/a"], coil, terms=Terms(rights=["hold"]), under=first)
    bolt.anchor()
    (reason,) = ask(open_index(world), coil).because
    assert (reason.code, reason.record) == ("beyond-grant", second.hex())
    assert first.hex() in reason.text


def test_somebody_elses_grant_in_my_name_is_not_kept(world: World, acme: Party, open_index) -> None:
    """Badly signed, it says nothing about anybody."""
    bolt, coil = world.party("bolt"), world.party("coil")
    grant(bolt, ["acme/a"], coil, grantor=acme.did, authors=[acme.did])
    bolt.anchor()
    index = open_index(world)
    assert codes(ask(index, coil)) == ["no-grant"]
    assert index.database.scalar("SELECT count(*) FROM granted") == 0


def test_void_in_one_log_and_good_in_another(world: World, acme: Party, open_index) -> None:
    bolt = world.party("bolt")
    logs = [bolt.log.id.hex(), acme.log.id.hex()]
    grant(bolt, ["acme/a"], acme, logs=logs)
    bolt.anchor()
    acme.append(bolt.log.entries[-1])
    world.chain.mine(acme.post_event(b"x" * 32, b"y" * 32))
    transfer = acme.transfer("acme/a", bolt)
    acme.anchor()
    acme.post_asset("acme/a", transfer)
    index = open_index(world)
    assert codes(ask(index, acme)) == ["rejected"]
    bolt.append(acme.log.entries[2])  # once more, where the giver holds it by now
    world.chain.mine(bolt.anchor_event())
    index.sync(world.chain, world.logs, workers=0)
    assert ask(index, acme).verdict == "permitted"


def test_a_log_that_can_not_be_had(world: World, acme: Party, open_index) -> None:
    bolt, coil, dora = world.party("bolt"), world.party("coil"), world.party("dora")
    first = grant(acme, ["acme/a"], bolt, terms=SHARED)
    acme.anchor()
    grant(bolt, ["acme/a"], coil, under=first)
    bolt.anchor()
    world.logs.withheld.add(bolt.log.id)
    index = open_index(world)
    answer = ask(index, dora)  # bolt may have given it something
    assert (answer.verdict, codes(answer)) == ("unknown", ["facts-missing"])
    assert bolt.log.id.hex() in answer.because[0].text
    assert ask(index, bolt).verdict == "permitted"
    world.logs.withheld.clear()
    index.sync(world.chain, world.logs, workers=0)
    assert (ask(index, coil).verdict, codes(ask(index, dora))) == ("permitted", ["no-grant"])


def test_a_strangers_log_that_can_not_be_had_is_no_doubt(world: World, acme: Party, open_index) -> None:
    bolt, coil = world.party("bolt"), world.party("coil")
    coil.append(b"anything")
    coil.anchor()
    world.logs.withheld.add(coil.log.id)
    index = open_index(world)
    assert codes(ask(index, bolt)) == ["no-grant"]
    world.chain.mine(acme.delegate_event("record", coil))  # from now on it may sign for acme
    index.sync(world.chain, world.logs, workers=0)
    assert codes(ask(index, bolt)) == ["facts-missing"]


def test_a_delegate_grants_for_its_principal(world: World, acme: Party, open_index) -> None:
    bolt, coil = world.party("bolt"), world.party("coil")
    world.chain.mine(acme.delegate_event("record", coil))
    grant(acme, ["acme/a"], bolt, coil)
    acme.anchor()
    assert ask(open_index(world), bolt).because[0].text == f"by {acme.did}"


def test_a_posted_id_that_is_not_known(world: World, acme: Party, open_index) -> None:
    bolt = world.party("bolt")
    record = grant(acme, ["acme/a"], bolt)
    acme.anchor()
    bolt.post_record(record, b"?" * 32)  # not an author
    index = open_index(world)
    assert ask(index, bolt).verdict == "permitted"
    acme.post_record(record, b"?" * 32)
    index.sync(world.chain, world.logs, workers=0)
    assert codes(ask(index, bolt)) == ["revocation-missing"]


def test_a_posted_id_that_says_something_else_takes_nothing(world: World, acme: Party, open_index) -> None:
    bolt = world.party("bolt")
    record = grant(acme, ["acme/a"], bolt)
    acme.anchor()
    acme.post_record(record, acme.latest["acme/a"][1])
    assert ask(open_index(world), bolt).verdict == "permitted"


def test_handing_over(world: World, acme: Party, open_index) -> None:
    bolt, coil = world.party("bolt"), world.party("coil")
    record = grant(acme, ["acme/a"], coil)
    transfer = acme.transfer("acme/a", bolt)
    acme.anchor()
    moved = acme.post_asset("acme/a", transfer).number
    index = open_index(world)
    assert [ask(index, acme, block=block).verdict for block in (moved - 1, moved)] == ["permitted", "denied"]
    assert [ask(index, bolt, block=block).verdict for block in (moved - 1, moved)] == ["denied", "permitted"]
    assert ask(index, coil).verdict == "permitted"  # it binds the asset
    revocation = bolt.revoke(record, [bolt.asset_resource("acme/a")])
    bolt.anchor()
    bolt.post_record(record, revocation)
    index.sync(world.chain, world.logs, workers=0)
    assert codes(ask(index, coil)) == ["revoked"]


def test_who_holds_it_can_not_be_told(world: World, acme: Party, open_index) -> None:
    bolt = world.party("bolt")
    acme.post_asset("acme/a", b"?" * 32)
    index = open_index(world)
    assert codes(ask(index, acme)) == codes(ask(index, bolt)) == ["facts-missing"]


def test_who_once_held_it_raises_no_doubt_any_more(world: World, acme: Party, open_index) -> None:
    bolt = world.party("bolt")
    transfer = acme.transfer("acme/a", bolt)
    acme.anchor()
    acme.post_asset("acme/a", transfer)
    acme.post_asset("acme/a", b"?" * 32)
    assert ask(open_index(world), bolt).verdict == "permitted"


def test_frozen_and_lifted(world: World, acme: Party, open_index) -> None:
    judge = world.party("judge")
    record = acme.register("acme/b", arbiter=judge.did)
    acme.anchor()
    said = {"description": "x", "target": record.hex()}
    freeze = attestation(judge, ["acme/b"], "objection", outcome="frozen", **said)
    anchored = judge.anchor().number
    posted = judge.post_record(record, freeze).number
    attestation(judge, ["acme/b"], "objection", outcome="lifted", **said)
    lifted = judge.anchor().number
    index = open_index(world)
    verdicts = [ask(index, acme, "acme/b", block=block).verdict for block in (anchored, posted, lifted)]
    assert verdicts == ["permitted", "denied", "permitted"]


def test_a_lift_before_the_freeze_lifts_nothing(world: World, acme: Party, open_index) -> None:
    judge = world.party("judge")
    record = acme.register("acme/b", arbiter=judge.did)
    acme.anchor()
    said = {"description": "x", "target": record.hex()}
    freeze = attestation(judge, ["acme/b"], "objection", outcome="frozen", **said)
    attestation(judge, ["acme/b"], "objection", outcome="lifted", **said)
    judge.anchor()
    judge.post_record(record, freeze)
    assert codes(ask(open_index(world), acme, "acme/b")) == ["frozen"]


def test_what_was_posted_against_an_attestation_and_is_not_known(
    world: World, acme: Party, open_index
) -> None:
    """A consent, a certificate or a classification that may have been withdrawn is none to rely on."""
    bolt, judge = world.party("bolt"), world.party("judge")
    duty = Condition(kind="certification", topic="iso", by=[judge.did])
    grant(acme, ["acme/a"], bolt, terms=Terms(rights=["use"], level="important", conditions=[duty]))
    level = attestation(acme, ["acme/a"], "classification", level="general")
    acme.anchor()
    first = attestation(judge, ["acme/a"], "certification", topic="iso")
    judge.anchor()
    bolt.post_record(first, b"?" * 32)  # not an author: nobody has to care
    index = open_index(world)
    assert ask(index, bolt).verdict == "permitted"
    judge.post_record(first, b"?" * 32)
    index.sync(world.chain, world.logs, workers=0)
    answer = ask(index, bolt)
    assert (answer.verdict, codes(answer)) == ("unknown", ["revocation-missing"])
    attestation(judge, ["acme/a"], "certification", topic="iso", description="anew")
    judge.anchor()
    index.sync(world.chain, world.logs, workers=0)
    assert ask(index, bolt).verdict == "permitted"  # by the one that stands without doubt
    acme.post_record(level, b"!" * 32)
    index.sync(world.chain, world.logs, workers=0)
    answer = ask(index, bolt)
    assert (answer.verdict, codes(answer)) == ("unknown", ["revocation-missing"])
    assert "classification" in answer.because[0].text


def test_what_a_later_holder_posted_and_nobody_knows(world: World, acme: Party, open_index) -> None:
    bolt, coil = world.party("bolt"), world.party("coil")
    record = grant(acme, ["acme/a"], coil)
    transfer = acme.transfer("acme/a", bolt)
    acme.anchor()
    acme.post_asset("acme/a", transfer)
    bolt.post_record(record, b"?" * 32)
    assert codes(ask(open_index(world), coil)) == ["revocation-missing"]


def test_an_agreement_from_its_last_step_on(world: World, acme: Party, open_index) -> None:
    bolt = world.party("bolt")
    deal = agreement(acme, ["acme/a"], acme, bolt, "AGREED", acme, bolt)
    agreed = acme.anchor().number
    verified = agreement(bolt, ["acme/a"], acme, bolt, "VERIFIED", previous=deal)
    bolt.anchor()
    agreement(acme, ["acme/a"], acme, bolt, "FINALIZED", previous=verified)
    acme.anchor()
    index = open_index(world)
    assert codes(ask(index, bolt, block=agreed)) == ["no-grant"]
    assert ask(index, bolt).grants == (deal.hex(),)


def test_grants_of_versions(world: World, acme: Party, open_index) -> None:
    bolt, coil = world.party("bolt"), world.party("coil")
    grant(acme, [acme.resource("acme/a@1", b"1")], bolt)
    grant(acme, [acme.resource("acme/a@1", b"other content")], coil)
    acme.anchor()
    index = open_index(world)
    assert ask(index, bolt, "acme/a@1").verdict == "permitted"
    assert codes(ask(index, coil, "acme/a@1")) == ["other-subject"]
    assert codes(ask(index, bolt, "acme/a")) == codes(ask(index, bolt, "acme/a@2")) == ["other-subject"]


def test_conditions_and_levels(world: World, acme: Party, open_index) -> None:
    bolt = world.party("bolt")
    grant(acme, ["acme/a"], bolt, terms=Terms(rights=["use"], level="general"))
    acme.anchor()
    index = open_index(world)
    assert codes(ask(index, bolt)) == ["unclassified"]
    attestation(acme, ["acme/a"], "classification", level="core")
    acme.anchor()
    index.sync(world.chain, world.logs, workers=0)
    assert codes(ask(index, bolt)) == ["above-level"]


# lineage


@pytest.fixture
def made(world: World, acme: Party) -> Party:
    """`bolt/p@1` is made from `acme/a@1`."""
    bolt = world.party("bolt")
    bolt.register("bolt/p")
    bolt.version("bolt/p", b"p")
    bolt.activity("r", [bolt.resource("bolt/p@1", b"p")], [bolt.resource("acme/a@1", b"1")])
    bolt.anchor()
    return bolt


def test_through_the_lineage(world: World, acme: Party, made: Party, open_index) -> None:
    index = open_index(world)
    for name in ("bolt/p@1", "bolt/p"):
        answer = ask(index, made, name, "operate")
        assert (answer.verdict, codes(answer)) == ("denied", ["no-grant"])
        assert answer.because[0].name == "acme/a@1"
    grant(acme, ["acme/a"], made, terms=SHARED)
    acme.anchor()
    index.sync(world.chain, world.logs, workers=0)
    assert ask(index, made, "bolt/p", "operate").verdict == "permitted"


@pytest.mark.parametrize(
    ("used", "code"),
    [
        (("zeta/q", None), "input-unproven"),
        (("acme/a@1", b"not what was recorded"), "input-unproven"),
        (("acme/a@7", b"no such version"), "input-unproven"),
        (("acme/a", b"no such content"), "input-unproven"),
        (("acme/d@1", "declared"), "input-unproven"),
        (("acme/a", None), "no-grant"),
        (("acme/a", b"1"), "no-grant"),
    ],
)
def test_inputs_of_all_kinds(world: World, acme: Party, open_index, used: Any, code: str) -> None:
    bolt = world.party("bolt")
    acme.register("acme/d")
    acme.version("acme/d", "declared")
    acme.anchor()
    bolt.register("bolt/p")
    bolt.version("bolt/p", b"p")
    bolt.activity("r", [bolt.resource("bolt/p@1", b"p")], [bolt.resource(*used)])
    bolt.anchor()
    answer = ask(open_index(world), bolt, "bolt/p@1")
    assert (answer.verdict, codes(answer)) == ("denied" if code == "no-grant" else "unknown", [code])


def test_an_input_whose_log_can_not_be_had(world: World, acme: Party, made: Party, open_index) -> None:
    world.logs.withheld.add(acme.log.id)
    answer = ask(open_index(world), made, "bolt/p@1")
    assert answer.verdict == "unknown"
    assert "input-unproven" in codes(answer)


def test_content_used_before_its_version_was_known(world: World, open_index) -> None:
    acme, bolt = world.party("acme"), world.party("bolt")
    bolt.register("bolt/p")
    bolt.version("bolt/p", b"p")
    bolt.activity("r", [bolt.resource("bolt/p@1", b"p")], [bolt.resource("acme/a", b"1")])
    used = bolt.anchor().number
    acme.register("acme/a")
    acme.version("acme/a", b"1")
    grant(acme, ["acme/a"], bolt)
    acme.anchor()
    index = open_index(world)
    assert codes(ask(index, bolt, "bolt/p", block=used)) == ["input-unproven"]
    answer = ask(index, bolt, "bolt/p")
    assert (answer.verdict, answer.because[1].name) == ("permitted", "acme/a@1")


# the oracle again, with chain, logs, signatures and tables between


def replay(drawn: list[Said | Taken]) -> tuple[World, dict[str, Party], Oracle]:
    world, oracle = World(), Oracle()
    parties = {name: world.party(name) for name in PARTIES}
    hold = parties["hold"]
    hold.register("hold/a")
    hold.anchor()
    records: list[bytes] = []
    for step in drawn:
        if isinstance(step, Said):
            above = oracle.said[-step.under].taker if 0 < step.under <= len(records) else 0
            said = step._replace(giver=above % 4) if step.giver == 4 else step
            if said.giver == said.taker:
                continue
            by = parties[PARTIES[said.giver]]
            under = records[-said.under] if 0 < said.under <= len(records) else b""
            to = None if said.taker == 4 else parties[PARTIES[said.taker]]
            time = f"2025-01-01T00:00:{len(records):02}Z"
            records.append(grant(by, ["hold/a"], to, terms=_terms(said), under=under, time=time))
            oracle.grant(said, by.anchor().number)
        elif step.grant <= len(records):
            index = len(records) - step.grant
            by = parties[PARTIES[oracle.said[index].giver]]
            effective = "" if step.effective is None else _day(step.effective)
            subject = [by.asset_resource("hold/a")]
            record = by.revoke(records[index], subject, effective=effective)
            by.anchor()
            if step.posted:
                block = by.post_record(records[index], record).number
                if oracle.points[index] is not None:
                    since = -1 if step.effective is None else step.effective
                    oracle.revoked.setdefault(index, []).append((block, since))
    return world, parties, oracle


def _day(number: int) -> str:
    return f"2027-01-{number + 1:02}T00:00:00Z"


def _terms(said: Said) -> Terms:
    return Terms(
        rights=sorted(said.rights),  # type: ignore[arg-type]
        purposes=sorted(said.purposes),
        regions=sorted(said.regions),
        start="" if said.start is None else _day(said.start),
        until="" if said.until is None else _day(said.until),
        sublicensable=said.onward,
    )


@pytest.mark.parametrize("examples", [25, pytest.param(500, marks=pytest.mark.slow)])
def test_the_tables_say_what_the_oracle_says(examples: int, template: Path) -> None:
    day_ns, start_ns = 86_400 * 10**9, 1_798_761_600 * 10**9  # 2027-01-01, after every block

    @settings(max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(steps, st.lists(questions, min_size=1, max_size=8))
    def check(drawn: list[Said | Taken], asked: list[tuple[str, Any, str, str, int]]) -> None:
        world, parties, oracle = replay(drawn)
        assert start_ns // 10**9 > START_UNIX_S
        with (
            tempfile.TemporaryDirectory() as folder,
            Index.open(Path(folder) / "i.db", world.descriptor) as index,
        ):
            (Path(folder) / "i.db").write_bytes(template.read_bytes())
            index.sync(world.chain, world.logs, workers=0)
            for who, right, purpose, region, today in asked:
                assert today in DAYS
                at = start_ns + today * day_ns
                said = {"purpose": purpose, "region": region, "at_ns": at}
                answer = ask(index, parties[who], "hold/a", right, **said)
                expected = oracle.may(who, right, purpose, region, today)
                assert (answer.verdict == "permitted") is expected, answer
                unsaid = not purpose or not region  # what was not said may be what is allowed
                assert expected or unsaid or answer.verdict == "denied", answer

    check()
