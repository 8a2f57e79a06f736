"""What is said about data: what a kind takes, who may say it, what conditions, freezes and consent do."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ledger.core import digests, signing
from ledger.core.dsse import record_id
from ledger.core.errors import NotFound, Unauthorized, Usage
from ledger.core.identity import format_keyid
from ledger.core.records import Attestation, Resource
from ledger.core.statement import build_statement
from ledger.service.attesting import Assertion
from ledger.service.envelopes import sign_records
from ledger.service.offers import Offer
from ledger.service.publishing import anchor_pending, append
from ledger.service.results import ConsentImpact, Permission, Receipt
from tests.service.conftest import Crowd, Party

TODAY = datetime.now(UTC).date()
TOMORROW, LATER = ((TODAY + timedelta(days=days)).isoformat() for days in (1, 400))


def say(party: Party, kind: Any, name: str = "haina/orders", **said: Any) -> Receipt:
    return party.ledger.attest(Assertion(**({"kind": kind, "names": [name] if name else []} | said)))


def statement(party: Party, record: str) -> dict[str, Any]:
    return json.loads(party.ledger.show(record).statement)["predicate"]


def ask(party: Party, who: str = "pear", right: Any = "use", name: str = "haina/orders", **asked: str) -> str:
    """The verdict and its first reason."""
    answer: Permission = party.reopen().may(who, right, name, **asked)
    return f"{answer.verdict}: {answer.because[0].code}"


# kinds

KINDS = [
    ("review", {"outcome": "passed", "topic": "guideline-v2", "sample": "5%"}, {"sample_bps": 500}),
    ("valuation", {"amount": "12.00 CNY"}, {"amount": {"currency": "CNY", "amount": 1200}}),
    ("quality", {"topic": "completeness", "score": "98.5%"}, {"score_bps": 9850}),
    ("certification", {"topic": "iso-8000", "until": "2028-12-31"}, {"until": "2029-01-01T00:00:00Z"}),
    ("objection", {"text": "these are our drawings"}, {"description": "these are our drawings"}),
    ("consent", {"purposes": ["service"], "regions": ["CN"]}, {"purposes": ["service"]}),
    ("classification", {"level": "important", "regions": ["CN-44"]}, {"level": "important"}),
    ("notice", {"topic": "prices", "due": "2027-01-31"}, {"due": "2027-02-01T00:00:00Z"}),
    ("incident", {"topic": "breach", "outcome": "open"}, {"outcome": "open"}),
]


def test_each_kind_is_said_with_what_it_needs(crowd: Crowd) -> None:
    for kind, said, there in KINDS:
        done = say(crowd.pear, kind, **said)
        assert [(each.type, each.subject) for each in done.records] == [("attestation", "haina/orders")]
        assert done.block is not None
        kept = statement(crowd.pear, done.records[0].record)
        assert kept["kind"] == kind
        assert there.items() <= kept.items()


REFUSED = [
    ("review", {}, "review: expected outcome"),
    ("review", {"outcome": "open"}, "open is no outcome"),
    ("valuation", {"score": "5%", "amount": "1.00 CNY"}, "score has no place"),
    ("valuation", {"amount": "1.001 CNY"}, "1.001"),
    ("quality", {"topic": "x"}, "expected score"),
    ("consent", {"level": "core"}, "expected purpose"),
    ("objection", {}, "expected text"),
    ("acknowledgement", {}, "expected about"),
    ("consent", {"purposes": ["a"], "start": "2027-02-01", "until": "2027-01-01"}, "`until` after"),
    ("classification", {"level": "core", "regions": ["China"]}, "ISO 3166"),
    ("review", {"outcome": "passed", "private": True}, "only a report"),
]


def test_what_a_kind_does_not_take_is_refused_and_leaves_nothing(crowd: Crowd) -> None:
    size = crowd.pear.context.log.size
    for kind, said, message in REFUSED:
        with pytest.raises(Usage, match=message):
            say(crowd.pear, kind, **said)
    assert crowd.pear.reopen().status().entries == size


def test_what_it_is_about(crowd: Crowd) -> None:
    with pytest.raises(NotFound, match="not registered"):
        say(crowd.pear, "review", "haina/nothing", outcome="passed")
    with pytest.raises(NotFound, match="no version"):
        say(crowd.pear, "review", "haina/orders@7", outcome="passed")
    with pytest.raises(Usage, match="what is it about"):
        say(crowd.pear, "review", "", outcome="passed")
    grant = crowd.haina.ledger.grant(Offer(names=["haina/orders@1"], rights=["use"], to="pear"))
    record = grant.records[0].record
    done = say(crowd.pear, "objection", "", about=record[:10], text="the term is too short")
    assert done.records[0].subject == "haina/orders@1"
    assert statement(crowd.pear, done.records[0].record)["target"] == record
    with pytest.raises(NotFound, match="no record that counts"):
        say(crowd.pear, "objection", "", about="ffff", text="x")


def test_a_report_goes_with_it(crowd: Crowd) -> None:
    report = crowd.pear.put("report.txt", "all is well\n")
    for private, algorithm in ((False, digests.FILE), (True, digests.SEALED)):
        done = say(crowd.pear, "review", outcome="passed", report=report, private=private)
        (attached,) = statement(crowd.pear, done.records[0].record)["attachments"]
        assert (attached["role"], attached["media_type"]) == ("report", "text/plain")
        assert list(attached["digest"]) == [algorithm]
    assert crowd.pear.reopen().audit().verdict == "good"
    with pytest.raises(NotFound, match="no such file"):
        say(crowd.pear, "review", outcome="passed", report=crowd.pear.folder / "none.txt")


# conditions


def test_a_condition_is_met_by_whom_it_names(crowd: Crowd) -> None:
    condition = ["certification:iso-8000,by=judge"]
    crowd.haina.ledger.grant(Offer(names=["haina/orders"], rights=["use"], to="pear", conditions=condition))
    assert ask(crowd.haina) == "denied: condition-unmet"
    say(crowd.pear, "certification", topic="iso-8000")
    assert ask(crowd.haina) == "denied: condition-unmet"  # not by the judge
    done = say(crowd.judge, "certification", topic="iso-8000", until=LATER)
    assert ask(crowd.haina) == "permitted: granted"
    assert ask(crowd.haina, at=(TODAY + timedelta(days=401)).isoformat()) == "denied: condition-unmet"
    crowd.judge.ledger.revoke(done.records[0].record, reason="issued in error")
    assert ask(crowd.haina) == "denied: condition-unmet"


def test_a_revoked_signer_meets_no_condition(crowd: Crowd) -> None:
    condition = ["certification:iso-8000,by=judge"]
    crowd.haina.ledger.grant(Offer(names=["haina/orders"], rights=["use"], to="pear", conditions=condition))
    key = crowd.judge.context.record_key.hex()
    seed = crowd.judge.context.record_seed
    crowd.judge.ledger.revoke_key(key)
    with pytest.raises(Unauthorized, match="revoked"):
        say(crowd.judge, "certification", topic="iso-8000")
    slip_in(crowd.judge, "haina/orders", {"kind": "certification", "topic": "iso-8000"}, seed)
    assert ask(crowd.haina) == "denied: condition-unmet"
    (line,) = rejected(crowd.haina)
    assert "revoked" in line.reason


# objections and freezes


def test_an_objection_flags_and_decides_nothing(crowd: Crowd) -> None:
    crowd.haina.ledger.grant(Offer(names=["haina/orders"], rights=["use"], to="pear"))
    done = say(crowd.jinlong, "objection", text="these are our orders")
    answer = crowd.pear.reopen().may("pear", "use", "haina/orders")
    assert (answer.verdict, answer.objections) == ("permitted", [done.records[0].record])


def test_frozen_is_denied_and_lifted_is_permitted_again(crowd: Crowd) -> None:
    crowd.haina.ledger.grant(Offer(names=["haina/orders"], rights=["use"], to="pear"))
    assert ask(crowd.pear) == "permitted: granted"
    done = say(crowd.judge, "objection", outcome="frozen", text="until the court has decided")
    assert done.block is not None
    for party in crowd.all:
        assert ask(party) == "denied: frozen"
        assert ask(party, "haina", "operate") == "denied: frozen"
    with pytest.raises(Usage, match="not-arbiter"):
        say(crowd.haina, "objection", outcome="lifted", text="enough")
    say(crowd.judge, "objection", outcome="lifted", text="settled")
    assert ask(crowd.pear) == "permitted: granted"
    assert ask(crowd.pear, at=str(done.block)) == "denied: frozen"
    with pytest.raises(Usage, match="not frozen"):
        say(crowd.judge, "objection", outcome="lifted", text="again")


def test_a_grant_is_frozen_alone(crowd: Crowd) -> None:
    give = crowd.haina.ledger.grant
    grant = give(Offer(names=["haina/orders"], rights=["use"], to="pear", arbiter="judge"))
    give(Offer(names=["haina/orders"], rights=["use"], to="jinlong"))
    record = grant.records[0].record
    say(crowd.judge, "objection", "", outcome="frozen", about=record, text="unpaid")
    assert ask(crowd.pear) == "denied: frozen"
    assert ask(crowd.pear, "jinlong") == "permitted: granted"
    say(crowd.judge, "objection", "", outcome="lifted", about=record, text="paid")
    assert ask(crowd.pear) == "permitted: granted"


def test_a_strangers_freeze_is_refused_before_it_is_signed(crowd: Crowd) -> None:
    size = crowd.pear.context.log.size
    with pytest.raises(Usage, match="not-arbiter"):
        say(crowd.pear, "objection", outcome="frozen", text="mine")
    with pytest.raises(Usage, match="names no arbiter"):
        say(crowd.judge, "objection", "jinlong/own", outcome="frozen", text="nobody asked")
    assert crowd.pear.reopen().status().entries == size


def test_a_strangers_freeze_in_a_log_is_rejected(crowd: Crowd) -> None:
    asset = crowd.haina.ledger.log(asset="haina/orders", type="registration").records[0]
    said = {"kind": "objection", "outcome": "frozen", "description": "mine", "target": asset.record}
    slip_in(crowd.pear, "haina/orders", said)
    assert ask(crowd.haina, "haina", "operate") == "permitted: holder"
    (line,) = rejected(crowd.haina)
    assert "arbiter" in line.reason


# consent


def consented(crowd: Crowd, **said: Any) -> str:
    """Pear consents to service; Haina's grant to Jinlong demands it."""
    condition = ["consent:home-data,by=pear"]
    crowd.haina.ledger.grant(
        Offer(names=["haina/orders"], rights=["use"], to="jinlong", conditions=condition)
    )
    done = say(crowd.pear, "consent", topic="home-data", purposes=["service"], **said)
    return done.records[0].record


def test_consent_is_for_its_purposes_and_never_backdated(crowd: Crowd) -> None:
    before = crowd.haina.ledger.status().index_block
    consented(crowd, start="2001-01-01")
    service = {"purpose": "service"}
    assert ask(crowd.haina, "jinlong", **service) == "permitted: granted"
    assert ask(crowd.haina, "jinlong", purpose="advertising") == "denied: condition-unmet"
    grant_only = str(before + 1)
    assert ask(crowd.haina, "jinlong", at=grant_only, **service) == "denied: condition-unmet"


def test_consent_is_withdrawn_from_a_day_on_and_never_for_the_past(crowd: Crowd) -> None:
    record = consented(crowd)
    crowd.pear.ledger.revoke(record, since=TOMORROW, reason="moved")
    asked = {"purpose": "service"}
    assert ask(crowd.haina, "jinlong", **asked) == "permitted: granted"
    assert ask(crowd.haina, "jinlong", at=TOMORROW, **asked) == "denied: condition-unmet"


def test_consent_that_is_withdrawn_for_the_past_ends_with_its_posting(crowd: Crowd) -> None:
    record = consented(crowd)
    stood = crowd.haina.reopen().status().index_block
    done = crowd.pear.ledger.revoke(record, since="2001-01-01")
    assert "it binds from its posting on, not from 2001-01-01T00:00:00Z" in done.notes
    assert ask(crowd.haina, "jinlong", purpose="service") == "denied: condition-unmet"
    assert ask(crowd.haina, "jinlong", at=str(stood), purpose="service") == "permitted: granted"


# what a party writes that does not go through the checks


def slip_in(party: Party, name: str, said: dict[str, Any], seed: bytes = b"") -> bytes:
    """Append and anchor a record as an attacker would: signed, and not checked by anybody."""
    context = party.context
    header = {
        "ledger": context.ledger_id.hex(),
        "logs": [context.log_id.hex()],
        "authors": [context.party],
        "time": "2025-01-31T12:00:00Z",
    }
    digest = {digests.ASSET: digests.asset_digest(context.ledger_id, name)}
    payload = build_statement([Resource(name, digest)], Attestation(**(header | said)))
    key = signing.public_key(seed or context.record_seed)
    sign = signing.signer(seed or context.record_seed)
    entries = sign_records([payload], format_keyid(context.party, key), sign)
    with context.writing():
        append(context, entries)
        anchor_pending(context)
    return record_id(payload)


def rejected(party: Party) -> list[Any]:
    return party.reopen().log(state="rejected").records


def test_what_must_stop_and_what_stays_lawful(crowd: Crowd) -> None:
    """Jinlong may use the orders while Pear consents, and passes that on; a plan before, one after."""
    condition = ["consent:home-data,by=pear"]
    offer = Offer(
        names=["haina/orders"], rights=["use"], to="jinlong", conditions=condition, sublicensable=True
    )
    crowd.haina.ledger.grant(offer)
    crowd.jinlong.reopen().grant(Offer(names=["haina/orders"], rights=["use"], to="judge"))
    record = say(crowd.pear, "consent", topic="home-data", purposes=["service"]).records[0].record
    plan(crowd.jinlong, "before")
    found = crowd.pear.reopen().impact_of_record(record)
    assert isinstance(found, ConsentImpact)
    assert (found.stands, found.ends, [each.state for each in found.grants]) == (
        True,
        "",
        ["rests on it"] * 2,
    )
    crowd.pear.ledger.revoke(record, reason="moved")
    plan(crowd.jinlong, "after")
    found = crowd.pear.reopen().impact_of_record(record[:10])
    assert isinstance(found, ConsentImpact)
    assert (found.stands, found.withdrawn) == (False, True)
    assert [(each.taker_name, each.state) for each in found.grants] == [
        ("Jinlong", "must stop"),
        ("The Judge", "must stop"),
    ]
    assert [(each.name, each.lawful) for each in found.products] == [
        ("jinlong/plan@1", True),
        ("jinlong/plan@2", False),
    ]
    asked = {"purpose": "service", "right": "use"}
    assert ask(crowd.haina, "jinlong", **asked) == "denied: condition-unmet"
    (made,) = crowd.haina.ledger.log(asset="jinlong/plan@1", type="version", limit=2).records[1:]
    assert ask(crowd.haina, "jinlong", at=str(made.block), **asked) == "permitted: granted"
    say(crowd.pear, "consent", topic="home-data", purposes=["service", "research"])
    found = crowd.pear.reopen().impact_of_record(record)
    assert isinstance(found, ConsentImpact)
    assert {each.state for each in found.grants} == {"another consent stands"}
    with pytest.raises(Usage, match="neither a consent nor an incident"):
        crowd.pear.ledger.impact_of_record(crowd.pear.ledger.log(type="grant").records[0].record)


def plan(party: Party, what: str) -> None:
    """Make a plan out of the orders, by a real program."""
    out, data = party.folder / "plan.csv", party.put("orders.csv", "machine,count\nA,3\n")
    program = [sys.executable, "-c", f"open({str(out)!r}, 'w').write({what!r})"]
    party.reopen().run(program, inputs=[f"haina/orders={data}"], outputs=[f"jinlong/plan={out}"])
