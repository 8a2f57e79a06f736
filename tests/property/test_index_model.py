"""The index against a model: a plain replay of chain and logs by the rules of core, without SQL.

Hypothesis makes parties do random things, proper and improper; the index reads along at random moments, with
logs withheld and blocks reorganised in between. What it ends with must be what the model says, and row for
row what an index made at once has.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.core import digests
from ledger.core.authority import Accepted, KeyState, Place, authorize
from ledger.core.chain_facts import (
    Anchored,
    AttributeChanged,
    BlockRef,
    EventBody,
    NamespaceChanged,
    OwnerChanged,
    Posted,
)
from ledger.core.dsse import record_id, verify_envelope
from ledger.core.errors import FormatError, SignatureInvalid, Unauthorized
from ledger.core.findings import activity_findings
from ledger.core.names import namespace_of
from ledger.core.postings import Offer, binding_offer, posters, posting_target
from ledger.core.records import Grant, Registration, Revocation, Statement, Transfer, Version
from ledger.core.records_rights import Terms
from ledger.core.statement import parse_statement
from ledger.index import Index
from tests.simulator import Logs, Party, World, digest_of
from tests.simulator_rights import grant

NAMES = ("acme", "bolt", "carol")
ASSETS = ("acme/a", "acme/b", "bolt/a", "carol/x")


class Model:
    """A reader that remembers everything in plain dicts, and starts anew for every answer."""

    def __init__(self, world: World, logs: Logs) -> None:
        self._world = world
        self._keys: dict[tuple[bytes, bytes], KeyState] = {}
        self._deactivated: dict[bytes, int] = {}
        self._namespaces: dict[str, bytes] = {}
        self._assets: dict[str, bytes] = {}
        self._versions: dict[tuple[str, int], tuple[bytes, tuple[str, str]]] = {}
        self._records: dict[bytes, Any] = {}
        self._posts: list[Posted] = []
        self.holders: dict[str, bytes] = {}
        self.revoked: set[bytes] = set()
        self._revoked_blocks: dict[bytes, int] = {}
        self.verdicts: list[tuple[bytes, int, str]] = []
        self.findings: set[tuple[str, str]] = set()
        sizes: dict[bytes, int] = {}
        stopped: set[bytes] = set()
        for ref, bodies in world.chain.blocks:
            for body in bodies:
                self._event(ref, body)
            taken = []
            for body in sorted((b for b in bodies if isinstance(b, Anchored)), key=lambda b: b.log):
                if body.log in stopped or not logs.available(body.log):
                    stopped.add(body.log)
                    continue
                start = sizes.get(body.log, 0)
                for index, entry in enumerate(logs.entries(body.log, start, body.size), start):
                    statement = self._entry(ref, body.log, index, entry)
                    if statement is not None:
                        taken.append(statement)
                sizes[body.log] = body.size
            self._end(taken, ref.number)

    def _event(self, ref: BlockRef, body: EventBody) -> None:
        if isinstance(body, AttributeChanged):
            place = (body.identity, body.content)
            known = self._keys.get(place)
            if body.valid_to_unix_s > ref.time_unix_s and known is None:
                self._keys[place] = KeyState(ref.number, 0, body.valid_to_unix_s)
            elif known is not None and not known.revoked_block:
                self._keys[place] = KeyState(known.from_block, ref.number, known.valid_to_unix_s)
        elif isinstance(body, NamespaceChanged):
            self._namespaces[body.name] = body.owner
        elif isinstance(body, OwnerChanged):
            self._deactivated.setdefault(body.identity, ref.number)
        elif isinstance(body, Posted):
            self._posts.append(body)

    def _entry(self, ref: BlockRef, log: bytes, index: int, entry: bytes) -> Any:
        reason = ""
        statement = None
        try:
            envelope = verify_envelope(entry)
            record = record_id(envelope.payload)
            statement = parse_statement(envelope.payload)
            place = Place(self._world.ledger_id.hex(), 1337, log.hex(), ref.number, ref.time_unix_s)
            if record in self._records:
                reason = "duplicate-record"
            else:
                authorize(statement, [each.keyid for each in envelope.signatures], place, self)
        except SignatureInvalid:
            reason = "bad-signature"
        except FormatError:
            reason = "bad-format"
        except Unauthorized as error:
            reason = error.reason
        self.verdicts.append((log, index, reason))
        if reason or statement is None:
            return None
        self._records[record] = statement
        predicate = statement.predicate
        if isinstance(predicate, Registration):
            self._assets[statement.subject[0].name] = record
        elif isinstance(predicate, Version):
            (content,) = statement.subject[0].digest.items()
            asset = statement.subject[0].name.partition("@")[0]
            self._versions[asset, predicate.number] = (record, content)
        return statement

    def _end(self, taken: Sequence[Any], block: int) -> None:
        """Judge what the block as a whole shows, then let its postings take effect."""
        for statement in taken:
            for finding in activity_findings(statement, self):
                self.findings.add((finding.kind, finding.subject))
        offers: dict[str, list[Offer]] = {}
        done = getattr(self, "_done", set())
        for record, statement in self._records.items():
            predicate = statement.predicate
            if record in done or not isinstance(predicate, Transfer | Revocation):
                continue
            target = posting_target(statement)
            posts = [p for p in self._posts if p.record == record and p.target == target]
            posts = [p for p in posts if p.author in posters(predicate)]
            if posts and isinstance(predicate, Revocation):
                self.revoked.add(bytes.fromhex(predicate.target))
                self._revoked_blocks.setdefault(bytes.fromhex(predicate.target), block)
                done.add(record)
            elif posts:
                receiver = bytes.fromhex(predicate.receiver[-40:])
                offer = Offer(record, posts[0].author, receiver, min(p.n for p in posts))
                offers.setdefault(statement.subject[0].name, []).append(offer)
                done.add(record)
        self._done = done
        for asset, each in offers.items():
            binding = binding_offer(each, self.holder(asset, 0))
            if binding is not None:
                self.holders[asset] = binding.receiver

    def grants(self) -> set[bytes]:
        return {record for record, said in self._records.items() if isinstance(said.predicate, Grant)}

    # what authority and findings ask

    def key(self, identity: bytes, key: bytes) -> KeyState | None:
        return self._keys.get((identity, key))

    def delegate(self, identity: bytes, kind: str, delegate: bytes) -> KeyState | None:
        return None

    def deactivated_block(self, identity: bytes) -> int:
        return self._deactivated.get(identity, 0)

    def namespace_owner(self, name: str, block: int) -> bytes | None:
        return self._namespaces.get(name)

    def holder(self, asset: str, block: int) -> bytes | None:
        return self.holders.get(asset) or self._namespaces.get(namespace_of(asset))

    def asset(self, asset: str) -> bytes | None:
        return self._assets.get(asset)

    def version(self, asset: str, number: int) -> bytes | None:
        return self._versions.get((asset, number), (None,))[0]

    def record(self, record: bytes) -> Accepted | None:
        statement = self._records.get(record)
        if statement is None:
            return None
        authors = [bytes.fromhex(author[-40:]) for author in statement.predicate.authors]
        return Accepted(type(statement.predicate), authors)

    def said(self, record: bytes) -> Statement | None:
        statement = self._records.get(record)
        return statement if statement is not None and isinstance(statement.predicate, Grant) else None

    def follower(self, record: bytes) -> bytes | None:
        return None

    def revoked_block(self, record: bytes) -> int | None:
        return self._revoked_blocks.get(record)

    def content(self, asset: str, number: int) -> tuple[str, str] | None:
        found = self._versions.get((asset, number))
        return None if found is None else found[1]

    def has_content(self, asset: str, name: str, digest: str) -> bool:
        return any(
            a == asset and content == (name, digest) for (a, _), (_, content) in self._versions.items()
        )


party_names = st.sampled_from(NAMES)
asset_names = st.sampled_from(ASSETS)
contents = st.sampled_from([b"1", b"2", b"3", "declared"])
version_names = st.builds("{}@{}".format, asset_names, st.integers(1, 3))
resources = st.one_of(
    st.tuples(version_names, contents),
    st.tuples(asset_names, st.sampled_from([b"1", b"2", None])),
)
proper = st.sampled_from([True, True, True, False])
often = [
    st.tuples(st.just("version"), party_names, asset_names, contents, st.integers(0, 9), proper),
    st.tuples(
        st.just("activity"),
        party_names,
        st.lists(st.tuples(version_names, contents), max_size=2, unique_by=lambda each: each[0]),
        st.lists(resources, max_size=3, unique=True),
        st.integers(0, 4),
        proper,
    ),
    st.tuples(st.just("transfer"), party_names, asset_names, party_names, proper),
    st.tuples(st.just("grant"), party_names, asset_names, party_names, st.integers(0, 3), proper),
    st.tuples(st.just("revoke"), party_names, st.integers(0, 30), proper),
    st.tuples(st.just("post"), party_names, st.integers(0, 30), proper),
    st.tuples(st.just("anchor"), st.lists(party_names, min_size=1, max_size=3, unique=True)),
    st.tuples(st.just("anchor"), st.just(list(NAMES))),
    st.tuples(st.just("sync")),
]
seldom = [
    st.tuples(st.just("register"), party_names, asset_names),
    st.tuples(st.just("garbage"), party_names),
    st.tuples(st.just("copy"), party_names, party_names),
    st.tuples(st.just("revoke key"), party_names),
    st.tuples(st.just("namespace"), party_names, party_names),
    st.tuples(st.just("deactivate"), party_names),
    st.tuples(st.just("withhold"), party_names),
    st.tuples(st.just("show"), party_names),
    st.tuples(st.just("reorganise"), st.integers(1, 4)),
]
operations = st.one_of(*often, *often, *often, *seldom)


class Story:
    """Parties that do what the operations say."""

    def __init__(self) -> None:
        self.world = World()
        self.parties = {name: self.world.party(name, own=name == "acme") for name in NAMES}
        self.made: list[tuple[bytes, Party, str, Any]] = []
        self._latest: dict[str, tuple[int, bytes]] = {}
        self._granted: list[tuple[bytes, str, str]] = []
        self._serial = 0
        for asset in ASSETS:
            self.register(namespace_of(asset), asset)
            self.version(namespace_of(asset), asset, b"1", 9, True)
        self.anchor(list(NAMES))

    def _by(self, party: str, right: str, proper: bool) -> Party:
        return self.parties[right if proper else party]

    def do(self, name: str, *values: Any) -> None:
        getattr(self, name.replace(" ", "_"))(*values)

    def _time(self) -> str:
        self._serial += 1
        return f"2025-01-01T{self._serial // 60:02}:{self._serial % 60:02}:00Z"

    def register(self, party: str, asset: str) -> None:
        by = self.parties[party]
        self.made.append((by.register(asset, time=self._time()), by, asset, by.asset_resource(asset)))

    def version(self, party: str, asset: str, content: bytes | str, wrong: int, proper: bool) -> None:
        by = self._by(party, namespace_of(asset), proper)
        last = self._latest.get(asset, (0, b""))
        previous = last[1] if wrong and last[1] else digest_of("wrong")
        by.latest[asset] = (last[0], previous)
        number = last[0] + (2 if wrong == 1 else 1)
        resource = by.resource(f"{asset}@{number}", content)
        record = by.version(asset, content, number=number, time=self._time())
        self.made.append((record, by, asset, resource))
        if wrong > 1 and by.name == namespace_of(asset):
            self._latest[asset] = by.latest[asset]

    def activity(self, party: str, outputs: Any, inputs: Any, run: int, proper: bool) -> None:
        by = self._by(party, namespace_of(outputs[0][0]) if outputs else party, proper)
        made = [by.resource(*each) for each in outputs]
        record = by.activity(f"r{run}", made, [by.resource(*each) for each in inputs], time=self._time())
        subject = made or [_run(by, f"r{run}")]
        self.made.append((record, by, f"r{run}", subject[0]))

    def transfer(self, party: str, asset: str, receiver: str, proper: bool) -> None:
        by = self._by(party, namespace_of(asset), proper)
        if by.name != receiver:
            record = by.transfer(asset, self.parties[receiver], time=self._time())
            self.made.append((record, by, f"post:{asset}", by.asset_resource(asset)))

    def revoke(self, party: str, which: int, proper: bool) -> None:
        if self.made:
            target, author, _, resource = self.made[which % len(self.made)]
            by = self._by(party, author.name, proper)
            record = by.revoke(target, [resource], time=self._time())
            self.made.append((record, by, f"post:{target.hex()}", resource))

    def grant(self, party: str, asset: str, taker: str, under: int, proper: bool) -> None:
        """Grant what one holds, or what one of the last three grants gave."""
        above = self._granted[-under] if 0 < under <= len(self._granted) else None
        by = self._by(party, above[1] if above else namespace_of(asset), proper)
        if by.name == taker:
            return
        terms = Terms(rights=["use"], sublicensable=proper)
        names = [above[2] if above else asset]
        record = grant(
            by,
            list(names),
            self.parties[taker],
            terms=terms,
            under=above[0] if above else b"",
            time=self._time(),
        )
        self._granted.append((record, taker, names[0]))
        self.made.append((record, by, names[0], by.asset_resource(names[0])))

    def garbage(self, party: str) -> None:
        self.parties[party].append(b"garbage")

    def copy(self, party: str, source: str) -> None:
        entries = self.parties[source].log.entries
        if entries:
            self.parties[party].append(entries[0])

    def anchor(self, parties: list[str]) -> None:
        grown = [by for by in map(self.parties.__getitem__, parties) if _grown(by)]
        self.world.chain.mine(*(by.anchor_event() for by in grown))

    def post(self, party: str, which: int, proper: bool) -> None:
        posted = [each for each in self.made if each[2].startswith("post:") or not proper]
        if posted:
            record, author, about, _ = posted[-1 - which % min(len(posted), 4)]
            about = about.removeprefix("post:")
            by = self._by(party, author.name, proper)
            if len(about) != 64:
                by.post_asset(about, record)
            else:
                by.post_record(bytes.fromhex(about), record)

    def revoke_key(self, party: str) -> None:
        self.world.chain.mine(self.parties[party].revoke_key_event())

    def namespace(self, name: str, party: str) -> None:
        self.world.chain.mine(self.world.claim(name, self.parties[party]))

    def deactivate(self, party: str) -> None:
        self.world.chain.mine(self.parties[party].deactivate_event())

    def withhold(self, party: str) -> None:
        self.world.logs.withheld.add(self.parties[party].log.id)

    def show(self, party: str) -> None:
        self.world.logs.withheld.discard(self.parties[party].log.id)

    def reorganise(self, depth: int) -> None:
        chain = self.world.chain
        gone = chain.fork(max(7, chain.head().number - depth), salt=self._time())
        for bodies in gone:
            chain.mine(*bodies)


def _grown(party: Party) -> bool:
    anchored = party.log.anchors[-1][0] if party.log.anchors else 0
    return len(party.log.entries) > anchored


def _run(party: Party, run: str) -> Any:
    from ledger.core.records import Resource

    return Resource(f"run:{run}", {digests.RUN: digests.run_digest(party.world.ledger_id, run)})


def agree(index: Index, model: Model, world: World) -> None:
    """Assert that index and model say the same."""
    rows = index.database.rows(
        "SELECT l.log, e.idx, ifnull(e.reason, '') FROM entry e JOIN log l ON l.id = e.log "
        "WHERE e.block < 1000000 ORDER BY e.id"
    )
    assert rows == model.verdicts
    kinds = ("output-unregistered", "input-unregistered", "input-digest-mismatch", "declared-input")
    found = index.database.rows("SELECT kind, subject FROM finding WHERE block < 1000000")
    assert {row for row in found if row[0] in kinds} == model.findings
    revoked = index.database.rows("SELECT target FROM revoked")
    assert {row[0] for row in revoked} == model.revoked
    held = index.database.rows("SELECT a.name FROM holder h JOIN asset a ON a.id = h.asset")
    assert {row[0] for row in held} == set(model.holders)
    for asset in ASSETS:
        assert index.holder(asset) == model.holder(asset, 0)
    granted = index.database.rows(
        "SELECT e.record FROM granted g JOIN entry e ON e.id = g.entry "
        "WHERE e.verdict = 0 AND g.block < 1000000"
    )
    assert {row[0] for row in granted} == model.grants()


@pytest.mark.parametrize("examples", [25, pytest.param(600, marks=pytest.mark.slow)])
def test_however_it_came_about(examples: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.index.database._SYNCHRONOUS", "OFF")

    @settings(
        max_examples=examples,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(st.lists(operations, min_size=8, max_size=50))
    def check(steps: list[tuple[Any, ...]]) -> None:
        story = Story()
        world = story.world
        with (
            tempfile.TemporaryDirectory() as folder,
            Index.open(Path(folder) / "i.db", world.descriptor) as index,
        ):
            for step in steps:
                if step[0] == "sync":
                    index.sync(world.chain, world.logs, workers=0)
                    agree_where_read(index, world)
                else:
                    story.do(*step)
            world.logs.withheld.clear()
            index.sync(world.chain, world.logs, workers=0)
            model = Model(world, world.logs)
            agree(index, model, world)
            assert index.audit(world.chain, world.logs, Path(folder) / "scratch.db") == []

    check()


def _index(folder: str, world: World) -> Index:
    return Index.open(Path(folder) / "index.db", world.descriptor)


def agree_where_read(index: Index, world: World) -> None:
    """Compare, unless a log that was read is withheld now: the index knows more than the model can see."""
    if not world.logs.withheld:
        agree(index, Model(world, world.logs), world)
