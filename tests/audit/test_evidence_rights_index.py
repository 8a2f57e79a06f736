"""What the index answers, evidence of it answers too: random stories about rights on real contracts.

Of every question asked, the product's writer makes evidence, whatever the answer. A yes of the index is a yes
of the file and the other way round, a no is a no; only where something was posted before it was anchored, or
was never anchored, the file may know less (or, of a payload that takes nothing away, more).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from fixtures.evidence_story import block_hash, real_world
from fixtures.forging import Forged, forge, write
from fixtures.onchain import RealWorld
from ledger.audit.evidence import verify_evidence
from ledger.core.digests import asset_digest, target_of_asset, target_of_record
from ledger.core.dsse import decode_envelope
from ledger.core.evidence import Asked, Log, Record, parse_line
from ledger.core.instants import NANOSECONDS
from ledger.core.postings import is_posted_type
from ledger.core.records import Resource
from ledger.core.records_rights import Condition, Terms
from ledger.core.region_rules import parse_region_rules
from ledger.core.rights import may
from ledger.core.rights_facts import Question
from ledger.core.statement import parse_statement
from ledger.core.trust import trust_block
from ledger.service.evidence_asking import Asking
from ledger.service.times import format_time
from tests.audit.conftest import Desk, outcome
from tests.simulator import Party, digest_of
from tests.simulator_rights import agreement, attestation, grant

ASSETS = ("ann/a", "ann/b", "bob/p")
RULES = (
    b'{"format":"dataledger/region-rules/v1","name":"export","version":"1","effective":"2020-01-01T00:00:00Z",'
    b'"rules":[{"from":["CN"],"levels":["core"],"verdict":"denied","why":"it stays"},'
    b'{"from":["CN"],"levels":["important"],"verdict":"needs","why":"looked at","needs":'
    b'{"kind":"certification","topic":"export","by":["%b"]}},{"verdict":"permitted","why":"all else"}]}'
)

KINDS = [
    *["grant"] * 5, *["pass_on"] * 4, *["agree"] * 3, *["attest"] * 4, *["classify"] * 2, *["revoke"] * 3,
    *["post"] * 5, *["anchor"] * 3, "transfer", "freeze", "lift", "namespace", "rotate", "again", "version",
]  # fmt: skip
small = st.integers(0, 7)
steps = st.lists(st.tuples(st.sampled_from(KINDS), small, small, small), min_size=4, max_size=16)
questions = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from(["use", "operate", "hold"]),
        st.sampled_from(["ann/a@1", "ann/b@1", "bob/p@1", "bob/p@1"]),
        st.sampled_from(["", "risk", "care"]),
        st.sampled_from(["", "CN", "SG"]),
        st.sampled_from([0, 0, 40_000_000]),
        st.booleans(),
    ),
    min_size=2,
    max_size=4,
)


class Tale:
    """Ann and Bob hold data, Cid and Dan want it, Eve arbitrates. What makes no sense is done too."""

    def __init__(self, world: RealWorld, desk: Desk) -> None:
        self.world = world
        self.desk = desk
        self.parties = [world.party("ann", own=True), world.party("bob")]
        self.parties += [world.party(name, namespace=False) for name in ("cid", "dan")]
        self.arbiter = world.party("eve", namespace=False)
        self.grants: list[tuple[bytes, list[str | Resource]]] = []
        self.deals: list[list[bytes]] = []
        self.attested: list[tuple[bytes, list[str | Resource], Party]] = []
        self.to_post: list[tuple[Party, bytes, bytes]] = []
        self.freezes: list[bytes] = []
        self.clock = itertools.count()
        ann, bob = self.parties[:2]
        self.registered = [ann.register("ann/a", arbiter=self.arbiter.did), ann.register("ann/b")]
        ann.version("ann/a", b"a")
        ann.version("ann/b", b"b")
        ann.anchor()
        bob.register("bob/p")
        bob.version("bob/p", b"p")
        made = [ann.resource("ann/a@1", b"a"), ann.asset_resource("ann/b")]
        bob.activity("r", [bob.resource("bob/p@1", b"p")], made)
        bob.anchor()

    @property
    def time(self) -> str:
        """A claimed time that moves on."""
        return format_time(1_700_000_000 + next(self.clock))

    def play(self, story: list[tuple[str, int, int, int]]) -> None:
        for what, who, which, detail in story:
            getattr(self, what)(self.parties[who % 4], which, detail)
        for party in (*self.parties, self.arbiter):
            self.anchor(party, 0, 0)
        self.desk.sync()

    def holder(self, asset: str) -> Party:
        self.desk.sync()
        held = self.desk.index.holder(asset)
        return next(each for each in self.parties if each.address == held)

    def names(self, which: int) -> list[str | Resource]:
        contents = {"ann/a": b"a", "ann/b": b"b", "bob/p": b"p"}
        asset = ASSETS[which % 3]
        one: str | Resource = asset
        if which == 3:
            one = self.parties[0].resource(f"{asset}@1", contents[asset])
        if which == 4:
            one = self.parties[0].resource(f"{asset}@1", b"something else")
        return [one, "ann/b"] if which == 6 else [one]

    def terms(self, detail: int) -> Terms:
        conditions = {
            1: [Condition("consent", "c", [self.parties[0].did])],
            2: [Condition("notice", "prices", every_days=300)],
            3: [Condition("certification", "t", [self.arbiter.did])],
        }
        return Terms(
            rights=["use", "operate"] if detail % 3 else ["use"],
            purposes=["risk"] if detail == 4 else [],
            regions=["CN"] if detail == 5 else [],
            level="important" if detail in (2, 6) else None,
            sublicensable=detail != 7,
            until="2024-06-01T00:00:00Z" if detail == 6 else "",
            conditions=conditions.get(detail, []),
            arbiter=self.arbiter.did if detail in (0, 3) else "",
        )

    def grant(self, party: Party, which: int, detail: int) -> None:
        names = self.names(which)
        asset = names[0] if isinstance(names[0], str) else names[0].name.partition("@")[0]
        giver = self.holder(asset) if detail else party
        taker = [*self.parties, None][(which + detail) % 5]
        if taker is not giver:
            record = grant(giver, names, taker, terms=self.terms(detail), time=self.time)
            self.grants.append((record, names))
            self.anchor(giver, 0, 0)

    def pass_on(self, party: Party, which: int, detail: int) -> None:
        if not self.grants:
            return
        under, names = self.grants[which % len(self.grants)]
        self.desk.sync()
        given = self.desk.index.rights(self.world.chain.head().number).given(under.hex())
        giver = next((each for each in self.parties if given and each.did == given.taker), party)
        taker = self.parties[detail % 4]
        terms = given.terms if given and detail % 2 else self.terms(detail)
        if taker is not giver:
            record = grant(giver, names, taker, terms=terms, under=under, time=self.time)
            self.grants.append((record, names))
            self.anchor(giver, 0, 0)

    def agree(self, party: Party, which: int, detail: int) -> None:
        """Begin a negotiation, or take its next step."""
        if detail % 2 or not self.deals:
            names = self.names(which % 3)
            giver = self.holder(str(names[0]))
            taker = self.parties[(self.parties.index(giver) + 1 + detail) % 4]
            if taker is not giver:
                state = "AGREED" if which % 2 else "FINALIZED"
                both = sorted([giver.log.id.hex(), taker.log.id.hex()])
                deal = agreement(
                    giver, names, giver, taker, state, giver, taker,
                    negotiation=f"n{len(self.deals)}", terms=self.terms(which), logs=both, time=self.time,
                )  # fmt: skip
                self.deals.append([deal])
                self.grants.append((deal, names))
                self.taken = (giver, taker, names)
                self.sides = getattr(self, "sides", {})
                self.sides[deal] = (giver, taker, names)
                self.anchor(giver, 0, 0)
            return
        steps = self.deals[which % len(self.deals)]
        giver, taker, names = self.sides[steps[0]]
        state = ("VERIFIED", "FINALIZED", "TERMINATED")[min(len(steps) - 1, 2) if detail < 6 else 2]
        signer = taker if state == "VERIFIED" else giver
        step = agreement(
            signer, names, giver, taker, state, previous=steps[-1],
            negotiation=f"n{self.deals.index(steps)}", time=self.time,
        )  # fmt: skip
        steps.append(step)
        self.anchor(signer, 0, 0)

    def attest(self, party: Party, which: int, detail: int) -> None:
        said: dict[str, Any] = [
            {"kind": "consent", "topic": "c", "purposes": ["risk", "care"]},
            {"kind": "notice", "topic": "prices"},
            {"kind": "certification", "topic": "t"},
            {"kind": "certification", "topic": "export"},
            {"kind": "review", "topic": "g", "outcome": "passed"},
            {"kind": "certification", "topic": "t", "until": "2023-12-01T00:00:00Z"},
        ][detail % 6]
        by = self.arbiter if said["kind"] == "certification" else (self.parties[0] if detail % 2 else party)
        names = self.names(which)
        record = attestation(by, names, **said, time=self.time)
        self.attested.append((record, names, by))

    def classify(self, party: Party, which: int, detail: int) -> None:
        names = self.names(which % 4)
        asset = names[0] if isinstance(names[0], str) else names[0].name.partition("@")[0]
        by = self.holder(asset) if detail else party
        level = ("general", "important", "core")[detail % 3]
        regions = ["CN"] if detail % 2 else ["SG"]
        record = attestation(by, names, "classification", level=level, regions=regions, time=self.time)
        self.attested.append((record, names, by))

    def revoke(self, party: Party, which: int, detail: int) -> None:
        """Take something back; posted at once, later, or before it is anchored."""
        if which % 2 and self.attested:
            target, names, by = self.attested[which % len(self.attested)]
        elif self.grants:
            target, names = self.grants[which % len(self.grants)]
            asset = names[0] if isinstance(names[0], str) else names[0].name.partition("@")[0]
            by = self.holder(asset) if detail % 2 else party
        else:
            return
        effective = {"effective": "2025-01-31T00:00:00Z"} if detail == 5 else {}
        subject = [by.asset_resource(each) if isinstance(each, str) else each for each in names]
        signers = [by]
        members: dict[str, Any] = {}
        if target in getattr(self, "sides", {}) and detail % 2:
            signers = list(self.sides[target][:2])
            by = signers[0]
            members["authors"] = [each.did for each in signers]
        record = by.revoke(target, subject, *signers, time=self.time, **effective, **members)
        if detail != 2:
            self.anchor(by, 0, 0)
        if detail % 3 != 1:
            by.post_record(target, record)
        else:
            self.to_post.append((by, target_of_record(target), record))

    def transfer(self, party: Party, which: int, detail: int) -> None:
        asset = ASSETS[which % 3]
        giver = self.holder(asset) if detail else party
        receiver = self.parties[detail % 4]
        if receiver is not giver:
            record = giver.transfer(asset, receiver, time=self.time)
            if detail != 3:
                self.anchor(giver, 0, 0)
            target = target_of_asset(asset_digest(self.world.ledger_id, asset))
            if detail % 2:
                self.world.chain.mine(giver.post_event(target, record))
            else:
                self.to_post.append((giver, target, record))

    def freeze(self, party: Party, which: int, detail: int) -> None:
        targets = [self.registered[0], *(record for record, _ in self.grants)]
        target = targets[which % len(targets)]
        said = {"description": "x", "target": target.hex(), "outcome": "frozen"}
        record = attestation(self.arbiter, ["ann/a"], "objection", **said, time=self.time)
        self.freezes.append(target)
        self.attested.append((record, ["ann/a"], self.arbiter))
        if detail != 2:
            self.anchor(self.arbiter, 0, 0)
        if detail % 3 != 1:
            self.arbiter.post_record(target, record)
        else:
            self.to_post.append((self.arbiter, target_of_record(target), record))

    def lift(self, party: Party, which: int, detail: int) -> None:
        if self.freezes:
            target = self.freezes[which % len(self.freezes)]
            said = {"description": "x", "target": target.hex(), "outcome": "lifted"}
            attestation(self.arbiter, ["ann/a"], "objection", **said, time=self.time)

    def post(self, party: Party, which: int, detail: int) -> None:
        if self.to_post:
            owner, target, record = self.to_post[which % len(self.to_post)]
            self.world.chain.mine((owner if detail else party).post_event(target, record))
        elif detail == 7 and self.grants:  # what nobody ever sees
            party.post_record(self.grants[0][0], digest_of("nothing"))

    def anchor(self, party: Party, which: int, detail: int) -> None:
        anchored = party.log.anchors[-1][0] if party.log.anchors else 0
        if len(party.log.entries) > anchored:
            party.anchor()

    def namespace(self, party: Party, which: int, detail: int) -> None:
        owner = self.world.name_owners["ann"]
        if party.address != owner and detail < 3:
            self.world.chain.mine(self.world.claim("ann", party))
            self.world.name_owners["ann"] = party.address

    def rotate(self, party: Party, which: int, detail: int) -> None:
        self.anchor(party, 0, 0)
        old = party.revoke_key_event()
        party.seed = digest_of(party.seed)
        self.world.chain.mine(party.key_event())
        self.world.chain.mine(old)

    def again(self, party: Party, which: int, detail: int) -> None:
        """Append an entry once more."""
        if party.log.entries:
            party.append(party.log.entries[which % len(party.log.entries)])

    def version(self, party: Party, which: int, detail: int) -> None:
        asset = ASSETS[which % 3]
        by = self.holder(asset)
        self.desk.sync()
        newest = self.desk.index.latest_version(asset)
        assert newest is not None
        by.latest[asset] = (newest.number, newest.record)
        by.version(asset, f"{asset}{detail}".encode(), time=self.time)
        self.anchor(by, 0, 0)


def has_open_questions(desk: Desk) -> bool:
    """Tell whether something was posted that is no accepted record, or was before its anchor."""
    blocks = {
        entry.record: entry.block
        for entry in desk.index.entries(limit=1000)[0]
        if entry.verdict == "accepted" and entry.block is not None
    }
    posts = desk.index.database.rows("SELECT record, block FROM posting")
    return any(record not in blocks or block < blocks[record] for record, block in posts)


def check(tale: Tale, desk: Desk, question: tuple[Any, ...]) -> None:
    who, right, name, purpose, region, later, has_rules = question
    head = tale.world.chain.head()
    at_s = head.time_unix_s + later
    party = tale.parties[who]
    rules = RULES % tale.arbiter.did.encode() if has_rules else b""
    asked = Asked(party=party.did, right=right, at=format_time(at_s), purpose=purpose, region=region)
    data = desk.write(name, asking=Asking(asked, rules))
    again = desk.write(name, asking=Asking(asked, rules))
    assert data == again
    trust = trust_block(block_hash(tale.world))
    found = verify_evidence(data.splitlines(keepends=True), trust).verdict.rights
    assert found is not None
    ours = may(
        Question(party.did, right, name, (at_s + 1) * NANOSECONDS - 1, purpose, region),
        desk.index.rights(head.number),
        parse_region_rules(rules) if rules else None,
    )
    event(f"{ours.verdict} -> {found.verdict}")
    if has_open_questions(desk):
        if found.verdict != "unknown":
            assert ours.verdict in (found.verdict, "unknown"), (ours, found)
        return
    assert found.verdict == ours.verdict, (ours.because, found.because, found.unknown)
    if found.verdict == "permitted":
        assert tuple(each.record for each in found.grants) == ours.grants
        assert (found.free, found.rules) == (ours.free, ours.rules)


def check_forged(tale: Tale, desk: Desk, question: tuple[Any, ...]) -> None:
    """Let a forger leave out what was posted, or show it where it stands again: that makes no yes of a no."""
    who, right, name, purpose, region, later, _ = question
    at = format_time(tale.world.chain.head().time_unix_s + later)
    asked = Asked(party=tale.parties[who].did, right=right, at=at, purpose=purpose, region=region)
    data = desk.write(name, asking=Asking(asked))
    trust = trust_block(block_hash(tale.world))
    if outcome(data.splitlines(keepends=True), trust).endswith("/permitted"):
        return
    entries = list(shown(tale, data))
    taking = [place for place in entries if is_taking(tale, place)]
    for place in taking:
        rest = [each for each in entries if each != place]
        for other in (rest, *([*rest, twin] for twin in twins_of(tale, place))):
            what = Forged(roots=[name], entries=other, asked=asked)
            try:
                forged = write(forge(tale.world, what))
            except (KeyError, AssertionError, StopIteration):
                continue  # nothing of the kind can be written
            found = outcome(forged.splitlines(keepends=True), trust)
            event(f"forged: {found}")
            assert not found.endswith("/permitted"), (question, place)


def shown(tale: Tale, data: bytes) -> Iterator[tuple[bytes, int]]:
    """Yield the places of the records in a file."""
    lines = [parse_line(line) for line in data.splitlines(keepends=True)]
    logs = [line for line in lines if isinstance(line, Log)]
    for line in lines:
        if isinstance(line, Record):
            log = logs[line.log]
            found = next(each for each in tale.world.all_logs.values() if owned(each, log))
            yield found.id, line.index


def owned(log: Any, line: Log) -> bool:
    return (f"0x{log.owner.hex()}", log.number) == (line.owner, line.number)


def is_taking(tale: Tale, place: tuple[bytes, int]) -> bool:
    """Tell whether a record counts from its posting."""
    payload = decode_envelope(tale.world.all_logs[place[0]].entries[place[1]]).payload
    return is_posted_type(parse_statement(payload).predicate)


def twins_of(tale: Tale, place: tuple[bytes, int]) -> list[tuple[bytes, int]]:
    """Return where the same entry stands again, anchored."""
    log = tale.world.all_logs[place[0]]
    size = log.anchors[-1][0]
    entry = log.entries[place[1]]
    return [(log.id, n) for n in range(place[1] + 1, size) if log.entries[n] == entry]


Make = Callable[..., Desk]


def retell(desk: Make, story: list[Any], asked: list[tuple[Any, ...]]) -> None:
    with real_world() as world:
        at = desk(world)
        tale = Tale(world, at)
        tale.play(story)
        for question in asked:
            check(tale, at, question)
            check_forged(tale, at, question)


@given(steps, questions)
@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_a_random_story_of_rights(desk: Make, story: list[Any], asked: list[Any]) -> None:
    retell(desk, story, asked)


@pytest.mark.slow
@given(steps, questions)
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_many_random_stories_of_rights(desk: Make, story: list[Any], asked: list[Any]) -> None:
    retell(desk, story, asked)
