"""Records about rights: what is well-formed, and beside it what is refused and why."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import msgspec
import pytest

from ledger.core import digests
from ledger.core.errors import FormatError
from ledger.core.records import (
    Agreement,
    Attestation,
    Delivery,
    Grant,
    Predicate,
    Registration,
    Resource,
    Settlement,
)
from ledger.core.records_rights import Condition, Kind, Money, Payout, Terms
from ledger.core.shapes_rights import MEMBERS
from ledger.core.statement import build_statement, json_schemas, parse_statement

LEDGER = "1a" * 32
ALICE, BOB, CAROL = ("did:ethr:0x539:0x" + each * 20 for each in ("aa", "bb", "cc"))
ZERO = "did:ethr:0x539:0x" + "00" * 20
HEAD: dict[str, Any] = {
    "ledger": LEDGER,
    "logs": ["2b" * 32],
    "authors": [ALICE],
    "time": "2025-01-31T12:00:00Z",
}
BOTH = HEAD | {"authors": [ALICE, BOB]}
BY_BOB = HEAD | {"authors": [BOB]}
ID, OTHER = "ee" * 32, "dd" * 32
FROM, UNTIL = "2025-01-01T00:00:00Z", "2027-06-30T00:00:00Z"


def asset(name: str = "acme/orders") -> Resource:
    return Resource(name, {digests.ASSET: digests.asset_digest(bytes.fromhex(LEDGER), name)})


def content(name: str = "acme/orders@1") -> Resource:
    return Resource(name, {digests.FILE: "c0" * 32})


USE = Terms(rights=["use"])
FULL = Terms(
    rights=["hold", "use", "operate"],
    purposes=["risk-pricing", "research"],
    regions=["CN", "DE-BY"],
    start=FROM,
    until=UNTIL,
    level="important",
    share_bps=10_000,
    sublicensable=True,
    price_cap=Money("CNY", 0),
    free_for=["welfare"],
    conditions=[
        Condition("certification", "iso27001", [CAROL]),
        Condition("notice", "prices", every_days=366),
    ],
    arbiter=CAROL,
)
GRANT = Grant(**HEAD, grantor=ALICE, grantee=BOB, terms=USE)
OFFER = Agreement(**HEAD, negotiation="n", provider=ALICE, consumer=BOB, state="OFFERED", terms=USE)
AGREED = Agreement(
    **BOTH, negotiation="n", provider=ALICE, consumer=BOB, state="AGREED", terms=USE, previous=ID
)
DELIVERY = Delivery(**HEAD, process="p", agreement=ID, state="COMPLETED", units=12_000)
SETTLEMENT = Settlement(
    **HEAD, payer=ALICE, total=Money("CNY", 100), payouts=[Payout(ALICE, 60), Payout(BOB, 40)], as_of=7
)
REVIEW = Attestation(**HEAD, kind="review", outcome="passed")


def changed(predicate: Predicate, **changes: Any) -> Predicate:
    return msgspec.structs.replace(predicate, **changes)


GOOD: list[tuple[str, list[Resource], Predicate]] = [
    ("grant", [asset()], GRANT),
    ("grant to everybody, of versions", [content(), content("acme/b@2")], changed(GRANT, grantee="")),
    (
        "grant with everything",
        [asset(), content("acme/b@2")],
        Grant(**BOTH, grantor=ALICE, grantee=BOB, terms=FULL, under=ID, anchor_before=99),
    ),
    ("offer", [asset()], OFFER),
    ("request", [asset()], changed(OFFER, authors=[BOB], state="REQUESTED")),
    ("accepted", [asset()], changed(OFFER, authors=[BOB], state="ACCEPTED", previous=ID, terms=None)),
    (
        "agreed",
        [asset()],
        changed(AGREED, unit="row", unit_price=Money("JPY", 3), anchor_before=9, under=OTHER),
    ),
    ("agreed elsewhere", [asset()], changed(AGREED, state="FINALIZED", previous="")),
    ("verified", [asset()], changed(OFFER, authors=[BOB], state="VERIFIED", previous=ID, terms=None)),
    ("finalized", [asset()], changed(OFFER, state="FINALIZED", previous=ID, terms=None)),
    (
        "terminated by one",
        [asset()],
        changed(OFFER, authors=[BOB], state="TERMINATED", previous=ID, terms=None),
    ),
    ("delivery", [content()], DELIVERY),
    ("request for an asset", [asset()], changed(DELIVERY, state="REQUESTED", units=0)),
    (
        "delivery with everything",
        [content(), content("acme/b@2")],
        changed(DELIVERY, previous=OTHER, purpose="welfare", region="CN-44", charged=Money("KWD", 1)),
    ),
    ("settlement", [asset()], SETTLEMENT),
    (
        "settlement with everything",
        [content()],
        changed(SETTLEMENT, under=ID, agreement=OTHER, start=FROM, until=UNTIL, escrow="0x" + "0a" * 20),
    ),
    (
        "settlement of nothing",
        [asset()],
        changed(SETTLEMENT, total=Money("CNY", 0), payouts=[Payout(BOB, 0)]),
    ),
    ("review", [asset()], REVIEW),
    (
        "review of a part",
        [content()],
        changed(REVIEW, topic="guideline v2", sample_bps=500, description="a\nb"),
    ),
    ("valuation", [asset()], Attestation(**HEAD, kind="valuation", amount=Money("CNY", 5), until=UNTIL)),
    ("quality", [content()], Attestation(**HEAD, kind="quality", topic="completeness", score_bps=0)),
    (
        "certification",
        [asset()],
        Attestation(**HEAD, kind="certification", topic="t", start=FROM, until=UNTIL),
    ),
    ("objection", [asset()], Attestation(**HEAD, kind="objection", description="mine")),
    (
        "freeze",
        [asset()],
        Attestation(**HEAD, kind="objection", description="x", outcome="frozen", target=ID),
    ),
    ("consent", [asset()], Attestation(**HEAD, kind="consent", purposes=["research"], regions=["CN"])),
    (
        "incident",
        [content()],
        Attestation(**HEAD, kind="incident", topic="breach", outcome="open", start=FROM),
    ),
    (
        "incident closed",
        [content()],
        Attestation(**HEAD, kind="incident", topic="breach", outcome="closed", target=ID),
    ),
    ("notice", [asset()], Attestation(**HEAD, kind="notice", topic="recall", to=[BOB], due=UNTIL, target=ID)),
    ("notice to all", [asset()], Attestation(**HEAD, kind="notice", topic="prices")),
    ("acknowledgement", [asset()], Attestation(**HEAD, kind="acknowledgement", target=ID)),
    ("classification", [asset()], Attestation(**HEAD, kind="classification", level="core", regions=["CN"])),
    ("registration with an arbiter", [asset()], Registration(**HEAD, arbiter=CAROL)),
]


@pytest.mark.parametrize(
    ("subject", "predicate"), [case[1:] for case in GOOD], ids=[case[0] for case in GOOD]
)
def test_both_ways(subject: list[Resource], predicate: Predicate) -> None:
    payload = build_statement(subject, predicate)
    statement = parse_statement(payload)
    assert (statement.subject, statement.predicate) == (subject, predicate)
    assert build_statement(statement.subject, statement.predicate) == payload
    made = json.loads(payload)
    name = made["predicateType"].removeprefix("https://dataledger.dev/predicate/").replace("/", ".")
    jsonschema.Draft202012Validator(json_schemas()[f"{name}.json"]).validate(made)


def terms(**changes: Any) -> Predicate:
    return changed(GRANT, terms=msgspec.structs.replace(USE, **changes))


def attested(kind: Kind, **members: Any) -> Attestation:
    return Attestation(**HEAD, kind=kind, **members)


FAULTS: list[tuple[str, str, list[Resource], Predicate]] = [
    ("grantor does not sign", "grantor: expected", [asset()], changed(GRANT, authors=[BOB])),
    ("grant to oneself", "got the same twice", [asset()], changed(GRANT, grantee=ALICE)),
    ("grant to zero", "the zero address", [asset()], changed(GRANT, grantee=ZERO)),
    ("subject twice", "grant: subject: expected each once", [asset(), asset()], GRANT),
    ("subject is a run", "expected NAMESPACE/PATH", [Resource("run:x", {digests.RUN: ID})], GRANT),
    ("asset with a content digest", "expected", [Resource("acme/orders", {digests.FILE: ID})], GRANT),
    ("under is no id", "under: expected 64", [asset()], changed(GRANT, under="E" * 64)),
    ("no right", "length >= 1", [asset()], terms(rights=[])),
    ("a right twice", "rights: expected each once", [asset()], terms(rights=["use", "use"])),
    ("an unknown right", "Invalid enum value", [asset()], terms(rights=["own"])),
    ("a purpose twice", "purposes: expected each once", [asset()], terms(purposes=["a", "a"])),
    ("a free purpose twice", "free_for: expected each once", [asset()], terms(free_for=["a", "a"])),
    ("65 purposes", "length <= 64", [asset()], terms(purposes=[str(n) for n in range(65)])),
    ("a region in small letters", "region: expected an ISO 3166 code", [asset()], terms(regions=["cn"])),
    ("a region twice", "regions: expected each once", [asset()], terms(regions=["CN", "CN"])),
    ("an empty term", "expected `until` after `start`", [asset()], terms(start=UNTIL, until=UNTIL)),
    ("no such day", "time: expected", [asset()], terms(until="2025-02-30T00:00:00Z")),
    ("more than all", "<= 10000", [asset()], terms(share_bps=10_001)),
    ("less than nothing", ">= 0", [asset()], terms(share_bps=-1)),
    ("no such currency", "currency: expected an ISO 4217 code", [asset()], terms(price_cap=Money("CNX", 1))),
    ("a float", "Expected `int`", [asset()], terms(price_cap=Money("CNY", 0.5))),  # type: ignore[arg-type]
    ("beyond 2^53", "Expected `int` <= 9007199254740991", [asset()], terms(price_cap=Money("CNY", 2**53))),
    ("an unknown level", "Invalid enum value", [asset()], terms(level="secret")),
    ("a strange arbiter", "party: expected", [asset()], terms(arbiter="x" * 60)),
    (
        "a condition by nobody",
        "party: expected",
        [asset()],
        terms(conditions=[Condition("review", "x", ["d" * 60])]),
    ),
    (
        "a condition by one twice",
        "parties: expected each once",
        [asset()],
        terms(conditions=[Condition("review", "x", [BOB, BOB])]),
    ),
    ("never", ">= 1", [asset()], terms(conditions=[Condition("notice", "x", every_days=0)])),
    ("provider is consumer", "got the same twice", [asset()], changed(OFFER, consumer=ALICE)),
    ("offer by the consumer", "OFFERED: party: expected", [asset()], changed(OFFER, authors=[BOB])),
    ("request by the provider", "REQUESTED: party: expected", [asset()], changed(OFFER, state="REQUESTED")),
    ("agreed by one", "AGREED: party: expected", [asset()], changed(AGREED, authors=[ALICE])),
    (
        "agreed elsewhere by one",
        "FINALIZED: party: expected",
        [asset()],
        changed(AGREED, authors=[BOB], state="FINALIZED", previous=""),
    ),
    (
        "verified by the provider",
        "VERIFIED: party: expected",
        [asset()],
        changed(OFFER, state="VERIFIED", previous=ID, terms=None),
    ),
    (
        "finalized by the consumer",
        "FINALIZED: party: expected",
        [asset()],
        changed(OFFER, authors=[BOB], state="FINALIZED", previous=ID, terms=None),
    ),
    (
        "terminated by a stranger",
        "expected provider or consumer",
        [asset()],
        changed(OFFER, authors=[CAROL], state="TERMINATED", previous=ID, terms=None),
    ),
    (
        "acceptance first",
        "ACCEPTED is no first step",
        [asset()],
        changed(OFFER, authors=[BOB], state="ACCEPTED"),
    ),
    ("offer without terms", "expected `terms` exactly", [asset()], changed(OFFER, terms=None)),
    (
        "acceptance with terms",
        "expected `terms` exactly",
        [asset()],
        changed(OFFER, authors=[BOB], state="ACCEPTED", previous=ID),
    ),
    (
        "first without terms",
        "expected `terms` exactly",
        [asset()],
        changed(AGREED, state="FINALIZED", previous="", terms=None),
    ),
    (
        "a price alone",
        "with `terms` only",
        [asset()],
        changed(OFFER, state="FINALIZED", previous=ID, terms=None, unit="row"),
    ),
    ("a price of nothing", "expected `unit` beside", [asset()], changed(OFFER, unit_price=Money("CNY", 1))),
    ("an unknown state", "Invalid enum value", [asset()], changed(OFFER, state="DONE")),
    ("suspended first", "SUSPENDED is no first step", [content()], changed(DELIVERY, state="SUSPENDED")),
    ("delivery of an asset", "delivery: expected versions", [asset()], DELIVERY),
    ("completed with an asset", "delivery: expected versions", [asset()], changed(DELIVERY, units=0)),
    (
        "units of a request",
        "neither `units` nor `charged`",
        [content()],
        changed(DELIVERY, state="REQUESTED"),
    ),
    ("delivery to nowhere", "region: expected", [content()], changed(DELIVERY, region="CN-")),
    ("two products", "settlement: expected one subject", [asset(), content()], SETTLEMENT),
    ("payer does not sign", "payer: expected", [asset()], changed(SETTLEMENT, payer=BOB)),
    (
        "one fen too little",
        "expected payouts of 101 in all, got 100",
        [asset()],
        changed(SETTLEMENT, total=Money("CNY", 101)),
    ),
    (
        "one fen too much",
        "expected payouts of 99 in all, got 100",
        [asset()],
        changed(SETTLEMENT, total=Money("CNY", 99)),
    ),
    ("nobody is paid", "length >= 1", [asset()], changed(SETTLEMENT, total=Money("CNY", 0), payouts=[])),
    (
        "one is paid twice",
        "payouts: expected each once",
        [asset()],
        changed(SETTLEMENT, payouts=[Payout(BOB, 50), Payout(BOB, 50)]),
    ),
    ("a debt", ">= 0", [asset()], changed(SETTLEMENT, payouts=[Payout(BOB, 101), Payout(ALICE, -1)])),
    ("an escrow in capitals", "escrow: expected", [asset()], changed(SETTLEMENT, escrow="0x" + "0A" * 20)),
    ("review without outcome", "review: expected outcome", [asset()], attested("review")),
    ("review with a price", "review: expected no amount", [asset()], changed(REVIEW, amount=Money("CNY", 1))),
    ("review that is open", "review: open is no outcome", [asset()], changed(REVIEW, outcome="open")),
    ("incident without outcome", "incident: expected outcome", [asset()], attested("incident", topic="x")),
    (
        "incident that passed",
        "incident: passed is no outcome",
        [asset()],
        attested("incident", topic="x", outcome="passed"),
    ),
    (
        "closed without target",
        "expected `target`",
        [asset()],
        attested("incident", topic="x", outcome="closed"),
    ),
    (
        "freeze without target",
        "expected `target`",
        [asset()],
        attested("objection", description="x", outcome="frozen"),
    ),
    (
        "notice to one twice",
        "parties: expected each once",
        [asset()],
        attested("notice", topic="x", to=[BOB, BOB]),
    ),
    (
        "due some day",
        "time: expected",
        [asset()],
        attested("notice", topic="x", to=[BOB], due="9999-99-99T00:00:00Z"),
    ),
    ("a target that is none", "target: expected 64", [asset()], attested("acknowledgement", target="g" * 64)),
    (
        "a certificate that ends first",
        "expected `until` after",
        [asset()],
        attested("certification", topic="x", start=UNTIL, until=FROM),
    ),
    ("a strange arbiter of an asset", "party: expected", [asset()], Registration(**HEAD, arbiter="x" * 60)),
]


@pytest.mark.parametrize(
    ("message", "subject", "predicate"), [case[1:] for case in FAULTS], ids=[case[0] for case in FAULTS]
)
def test_faults(message: str, subject: list[Resource], predicate: Predicate) -> None:
    with pytest.raises(FormatError) as caught:
        build_statement(subject, predicate)
    assert message in str(caught.value)
    assert len(str(caught.value)) < 500


def example(kind: str) -> Attestation:
    found = [each for _, _, each in GOOD if isinstance(each, Attestation) and each.kind == kind]
    return found[0]


@pytest.mark.parametrize("kind", MEMBERS)
def test_each_kind_needs_its_members_and_takes_no_others(kind: str) -> None:
    good = example(kind)
    needed, possible = MEMBERS[kind]
    blank = {
        "topic": "",
        "description": "",
        "target": "",
        "outcome": None,
        "amount": None,
        "score_bps": None,
        "sample_bps": None,
        "level": None,
        "purposes": [],
        "regions": [],
        "start": "",
        "until": "",
        "to": [],
        "due": "",
    }
    filled = {
        "topic": "x",
        "outcome": "passed",
        "amount": Money("CNY", 1),
        "score_bps": 1,
        "sample_bps": 1,
        "level": "core",
        "purposes": ["x"],
        "regions": ["CN"],
        "start": FROM,
        "until": UNTIL,
        "to": [BOB],
        "due": UNTIL,
    }
    for member in needed:
        with pytest.raises(FormatError, match=rf"{kind}: expected (?!no).*{member}"):
            build_statement([asset()], changed(good, **{member: blank[member]}))
    for member in filled.keys() - needed - possible:
        with pytest.raises(FormatError, match=rf"{kind}: expected no .*{member}"):
            build_statement([asset()], changed(good, **{member: filled[member]}))


def test_defaults_are_left_out() -> None:
    assert json.loads(build_statement([asset()], GRANT))["predicate"].keys() == {
        "ledger", "logs", "authors", "time", "grantor", "grantee", "terms",
    }  # fmt: skip
    assert json.loads(build_statement([asset()], GRANT))["predicate"]["terms"] == {"rights": ["use"]}
