"""Recall against a naive oracle: everything that is affected, everybody whom it concerns, none missed."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.core.dsse import decode_envelope, record_id
from ledger.core.records import Resource
from ledger.core.records_rights import Terms
from ledger.index import Index
from ledger.index.recall import Recall
from tests.simulator import Party, World
from tests.simulator_rights import agreement, delivery, grant

NAMES = ("acme", "bolt", "coil", "dora")
Version = tuple[int, int]
"""Whose asset (`NAMES[n]/a`), and the number."""


class Made(NamedTuple):
    """The next version of a party's asset, with this content, out of versions (modulo how many there are)."""

    who: int
    content: int
    sources: list[int]


class Read(NamedTuple):
    """A run that only reads a version."""

    who: int
    source: int


class Granted(NamedTuple):
    """A grant (to 4: everybody) in an asset, or in the version."""

    to: int
    source: int
    whole: bool


class Sold(NamedTuple):
    """An agreement on an asset or the version, final or not, and a delivery of the version."""

    to: int
    source: int
    whole: bool
    final: bool
    delivered: bool


who = st.integers(0, 3)
some = st.integers(0, 20)
steps = st.lists(
    st.one_of(
        st.builds(Made, who, st.integers(0, 3), st.lists(some, max_size=2)),
        st.builds(Read, who, some),
        st.builds(Granted, st.integers(0, 4), some, st.booleans()),
        st.builds(Sold, who, some, st.booleans(), st.booleans(), st.booleans()),
    ),
    max_size=14,
)
Step = Made | Read | Granted | Sold


class Oracle:
    """Keeps what was said in plain sets, and follows it until nothing more is found."""

    def __init__(self) -> None:
        self.contents: dict[Version, int] = {}
        self.edges: set[tuple[Version, Version]] = set()
        self.runs: set[tuple[int, Version]] = set()
        self.given: set[tuple[str, int, int, int]] = set()

    def affected(self, roots: set[Version]) -> set[Version]:
        found = set(roots)
        while True:
            more = {made for source, made in self.edges if source in found}
            shared = {self.contents[each] for each in found} - {0}  # 0 is empty: everybody has that
            more |= {each for each, content in self.contents.items() if content in shared}
            if more <= found:
                return found
            found |= more

    def roles(self, named: set[int], roots: set[Version]) -> dict[int, set[str]]:
        found = self.affected(roots)
        out: dict[int, set[str]] = {}
        derived = {made for source, made in self.edges if source in found}
        for each in found:
            role = "author" if each in roots or each in derived else "claimant"
            out.setdefault(each[0], set()).add(role)
        for asset in named | {asset for asset, _ in found}:
            out.setdefault(asset, set()).add("holder")
        for runner, source in self.runs:
            if source in found:
                out.setdefault(runner, set()).add("processor")
        for role, to, asset, number in self.given:
            known = number == 0 and asset in named | {owner for owner, _ in found}
            if to < 4 and (known or (asset, number) in found):
                out.setdefault(to, set()).add(role)
        return out


class Replay:
    """A world in which what was drawn is said in records, and the oracle that is told the same."""

    def __init__(self, drawn: Sequence[Step]) -> None:
        self.world, self.oracle = World(), Oracle()
        self.parties = [self.world.party(name) for name in NAMES]
        self.versions: list[Version] = []
        for party in self.parties:
            party.register(f"{party.name}/a")
        self.make(Made(0, 1, []), "first")
        for count, step in enumerate(drawn):
            version = self.versions[step.source % len(self.versions)] if not isinstance(step, Made) else None
            if isinstance(step, Made):
                self.make(step, f"r{count}")
            elif isinstance(step, Read):
                self.read(step, version, f"r{count}")
            elif step.to != version[0]:
                self.give(step, version, count)

    def resource(self, version: Version) -> Resource:
        owner, number = version
        content = self.oracle.contents[version]
        name = f"{NAMES[owner]}/a@{number}"
        return self.parties[owner].resource(name, b"content %d" % content if content else b"")

    def make(self, said: Made, run: str) -> None:
        party, number = self.parties[said.who], sum(owner == said.who for owner, _ in self.versions) + 1
        version = (said.who, number)
        sources = {self.versions[each % len(self.versions)] for each in said.sources}
        self.oracle.contents[version] = said.content
        party.version(f"{party.name}/a", b"content %d" % said.content if said.content else b"")
        if sources:
            party.activity(run, [self.resource(version)], [self.resource(each) for each in sorted(sources)])
            self.oracle.edges |= {(source, version) for source in sources}
            self.oracle.runs |= {(said.who, source) for source in sources}
        self.versions.append(version)
        party.anchor()

    def read(self, step: Read, version: Version, run: str) -> None:
        party = self.parties[step.who]
        party.activity(run, [], [self.resource(version)], edges=[])
        self.oracle.runs.add((step.who, version))
        party.anchor()

    def give(self, step: Granted | Sold, version: Version, count: int) -> None:
        owner = self.parties[version[0]]
        about = owner.asset_resource(f"{owner.name}/a") if step.whole else self.resource(version)
        number = 0 if step.whole else version[1]
        given = self.oracle.given
        if isinstance(step, Granted):
            to = self.parties[step.to] if step.to < 4 else None
            grant(owner, [about], to, time=f"2025-01-01T00:00:{count:02}Z")
            given.add(("grantee", step.to, version[0], number))
        else:
            taker = self.parties[step.to]
            state = "FINALIZED" if step.final else "AGREED"
            said = {"negotiation": f"n{count}", "terms": Terms(rights=["use"])}
            deal = agreement(owner, [about], owner, taker, state, owner, taker, **said)
            if step.final:
                given.add(("buyer", step.to, version[0], number))
            if step.delivered:
                delivery(owner, [self.resource(version)], deal, process=f"p{count}")
                given.add(("recipient", step.to, *version))
        owner.anchor()


def roles_of(found: Recall, parties: list[Party]) -> dict[int, set[str]]:
    numbers = {party.address: number for number, party in enumerate(parties)}
    return {numbers[each.party]: set(each.roles) for each in found.concerned}


@pytest.mark.parametrize("examples", [40, pytest.param(1000, marks=pytest.mark.slow)])
def test_everything_and_everybody_is_found(examples: int, template: Path) -> None:
    @settings(max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(steps)
    def check(drawn: list[Step]) -> None:
        played = Replay(drawn)
        world, parties, oracle = played.world, played.parties, played.oracle
        with (
            tempfile.TemporaryDirectory() as folder,
            Index.open(Path(folder) / "i.db", world.descriptor) as index,
        ):
            (Path(folder) / "i.db").write_bytes(template.read_bytes())
            index.sync(world.chain, world.logs, workers=0)
            of_first = {each for each in oracle.contents if each[0] == 0}
            for names, roots in (["acme/a"], of_first), (["acme/a@1"], {(0, 1)}):
                found = index.recall(names)
                expected = {f"{NAMES[owner]}/a@{number}" for owner, number in oracle.affected(roots)}
                assert sorted(each.name for each in found.affected) == sorted(expected)
                assert roles_of(found, parties) == oracle.roles({0}, roots)
                assert found.missing == []

    check()


# what a world of its own shows


@pytest.fixture
def acme(world: World) -> Party:
    acme = world.party("acme", own=True)
    acme.register("acme/a")
    acme.version("acme/a", b"1")
    acme.anchor()
    return acme


def names(found: Recall) -> dict[str, str]:
    return {each.name: each.how for each in found.affected}


def test_a_log_that_can_not_be_had_is_missing(world: World, acme: Party, open_index) -> None:
    bolt = world.party("bolt")
    bolt.register("bolt/p")
    bolt.anchor()
    world.logs.withheld.add(bolt.log.id)
    index = open_index(world)
    (missing,) = index.recall(["acme/a"]).missing
    assert (missing.log, missing.party, missing.reason) == (bolt.log.id, bolt.address, "log-unavailable")
    world.logs.withheld.clear()
    index.sync(world.chain, world.logs, workers=0)
    assert index.recall(["acme/a"]).missing == []


def test_a_log_with_other_bytes_is_missing(world: World, acme: Party, open_index) -> None:
    bolt = world.party("bolt")
    bolt.register("bolt/p")
    bolt.register("bolt/q")
    bolt.anchor()
    world.logs.shown[bolt.log.id] = bolt.log.entries[::-1]
    (missing,) = open_index(world).recall(["acme/a"]).missing
    assert missing.reason == "log-mismatch"


def test_only_what_was_not_on_record_before(world: World, acme: Party, open_index) -> None:
    """A version that was anchored before holds nothing that came later."""
    since = acme.anchor().time_unix_s + 1
    acme.version("acme/a", b"2")
    acme.anchor()
    index = open_index(world)
    assert names(index.recall(["acme/a"], since_unix_s=since)) == {"acme/a@2": "named"}
    assert names(index.recall(["acme/a@1"], since_unix_s=since)) == {"acme/a@1": "named"}
    assert names(index.recall(["acme/a"], since_unix_s=since + 10**6)) == {}


def test_use_of_a_version_that_nobody_named_is_in_it(world: World, acme: Party, open_index) -> None:
    bolt = world.party("bolt")
    bolt.register("bolt/p")
    bolt.version("bolt/p", b"p")
    bolt.activity("r", [bolt.resource("bolt/p@1", b"p")], [bolt.resource("acme/a")])
    bolt.anchor()
    found = open_index(world).recall(["acme/a"], since_unix_s=world.chain.head().time_unix_s + 1)
    assert names(found) == {"acme/a": "named", "bolt/p@1": "derived"}


def test_declared_versions_are_no_content(world: World, acme: Party, open_index) -> None:
    acme.version("acme/a", "a table")
    acme.register("acme/b")
    acme.version("acme/b", "a table")
    acme.anchor()
    assert names(open_index(world).recall(["acme/a@2"])) == {"acme/a@2": "named"}


def test_who_handed_it_over_had_it(world: World, acme: Party, open_index) -> None:
    bolt = world.party("bolt")
    transfer = acme.transfer("acme/a", bolt)
    acme.anchor()
    acme.post_asset("acme/a", transfer)
    found = open_index(world).recall(["acme/a"])
    assert roles_of(found, [acme, bolt]) == {0: {"author"}, 1: {"holder"}}


def test_a_void_grant_gives_nobody_anything(world: World, acme: Party, open_index) -> None:
    bolt, coil = world.party("bolt"), world.party("coil")
    grant(bolt, ["acme/a"], coil)
    bolt.anchor()
    assert roles_of(open_index(world).recall(["acme/a"]), [acme, bolt, coil]) == {0: {"author", "holder"}}


def test_as_of_a_block(world: World, acme: Party, open_index) -> None:
    bolt = world.party("bolt")
    before = world.chain.head().number
    grant(acme, ["acme/a"], bolt)
    acme.version("acme/a", b"2")
    acme.anchor()
    index = open_index(world)
    assert roles_of(index.recall(["acme/a"], block=before), [acme]) == {0: {"author", "holder"}}
    assert len(index.recall(["acme/a"]).affected) == 2


def test_content_that_everybody_has_is_nobodys(world: World, acme: Party, open_index) -> None:
    bolt = world.party("bolt")
    for party, asset in ((acme, "acme/a"), (bolt, "bolt/p")):
        if party is bolt:
            party.register(asset)
        party.version(asset, b"")
        party.version(asset, b"same")
        party.anchor()
    found = open_index(world).recall(["acme/a"])
    assert names(found) == {
        "acme/a@1": "named",
        "acme/a@2": "named",
        "acme/a@3": "named",
        "bolt/p@2": "same-content",
    }


def test_nobody_hides_by_spelling(world: World, acme: Party, open_index) -> None:
    """JSON has many ways to spell a member's name: a buyer is found whichever both sides agreed to use."""
    bolt = world.party("bolt")
    until = Terms(rights=["use"], until="2020-01-01T00:00:00Z")
    agreement(acme, ["acme/a"], acme, bolt, "FINALIZED", acme, bolt, terms=until)
    payload = decode_envelope(acme.log.entries[-1]).payload
    for name in (b"state", b"until", b"subject", b"name"):
        assert b'"%s"' % name in payload
        payload = payload.replace(b'"%s"' % name, b'"\\u%04x%s"' % (name[0], name[1:]))
    acme.log.entries[-1] = acme.envelope(payload, acme, bolt)
    acme.anchor()
    index = open_index(world)
    found = index.recall(["acme/a"])
    assert roles_of(found, [acme, bolt])[1] == {"buyer"}
    (given,) = (given for each in found.concerned for given in each.given)
    assert given.until == "2020-01-01T00:00:00Z"
    (entry,) = index.find_records(record_id(payload).hex())
    assert entry.subject == "acme/a"
