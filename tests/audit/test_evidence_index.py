"""The index and the offline verifier come to the same, whatever happens: random stories on real contracts.

Of every version that the index accepted, the product's writer makes evidence, and it verifies with the same
lineage. For no record that the index rejected can evidence be made, not even by a forger, as far as proofs
can reach: that there was nothing earlier is a claim.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures.evidence_story import block_hash, real_world
from fixtures.forging import Forged, forge, write
from fixtures.onchain import RealWorld
from ledger.audit.evidence import verify_evidence
from ledger.core.digests import asset_digest, target_of_asset, target_of_record
from ledger.core.dsse import decode_envelope
from ledger.core.lineage import LineageGraph
from ledger.core.names import format_version, parse_reference
from ledger.core.records import Version
from ledger.core.statement import parse_statement
from ledger.core.trust import trust_block
from tests.audit.conftest import Desk, outcome
from tests.simulator import Party, digest_of

CLAIMED = {"version-exists", "version-gap", "wrong-predecessor", "already-registered"}
"""Why an index rejects what evidence can't exclude: no log proves that nothing was there before."""

ASSETS = ("ann/a", "ann/b", "bob/c")

Step = tuple[str, int, int, int]
steps = st.lists(
    st.tuples(
        st.sampled_from(
            [
                *["version"] * 4, *["activity"] * 2, *["transfer"] * 2, *["post"] * 3, *["anchor"] * 3,
                "revoke", "rotate", "delegate", "namespace", "both",
            ]
        ),
        st.integers(0, 2),
        st.integers(0, 2),
        st.integers(0, 5),
    ),
    min_size=6,
    max_size=22,
)  # fmt: skip


class Tale:
    """Three parties do what the steps say; what makes no sense is done all the same."""

    def __init__(self, world: RealWorld, desk: Desk) -> None:
        self.world = world
        self.desk = desk
        self.parties = [world.party("ann", own=True), world.party("bob"), world.party("cid", namespace=False)]
        self.to_post: list[tuple[Party, bytes, bytes]] = []
        self.versions: list[tuple[bytes, Any]] = []
        self.contents: dict[str, list[Any]] = {asset: [] for asset in ASSETS}
        self.delegates: set[tuple[bytes, bytes]] = set()
        self.numbers: dict[str, tuple[int, bytes]] = {}
        self.runs = 0
        for asset, party in (("ann/a", 0), ("ann/b", 0), ("bob/c", 1)):
            self.parties[party].register(asset)
        for party in self.parties[:2]:
            party.anchor()

    def play(self, story: list[Step]) -> None:
        """Do every step, then anchor what is left."""
        for what, who, number, detail in story:
            party, asset = self.parties[who], ASSETS[number]
            if what in {"version", "activity", "transfer"} and detail >= 2:  # mostly who may
                self.desk.sync()
                holder = self.desk.index.holder(asset)
                party = next(each for each in self.parties if each.address == holder)
            getattr(self, what)(party, asset, detail)
        for party in self.parties:
            self.anchor(party, "", 0)

    def version(self, party: Party, asset: str, detail: int, *signers: Party, **members: Any) -> None:
        if detail % 2:  # go on from what counts so far; else from what was said last
            self.anchor(party, asset, 0)
            self.desk.sync()
            newest = self.desk.index.latest_version(asset)
            self.numbers[asset] = (newest.number, newest.record) if newest else (0, b"")
        party.latest = self.numbers
        record = party.version(asset, f"{asset}{detail % 3}".encode(), *signers, **members)
        number = self.numbers[asset][0]
        resource = party.resource(format_version(asset, number), f"{asset}{detail % 3}".encode())
        self.contents[asset].append(resource)
        self.versions.append((record, resource))

    def both(self, party: Party, asset: str, detail: int) -> None:
        other = self.parties[(detail + 1) % 3]
        if other is not party:
            logs = sorted([party.log.id.hex(), other.log.id.hex()])
            self.version(party, asset, detail, party, other, authors=[party.did, other.did], logs=logs)
            if detail % 2:
                other.append(party.log.entries[-1])

    def activity(self, party: Party, asset: str, detail: int) -> None:
        known = [each for resources in self.contents.values() for each in resources]
        outputs = self.contents[asset][-1:]
        named = {(each.name, *each.digest.values()): each for each in known[detail : detail + 2]}
        inputs = [each for each in named.values() if each not in outputs]
        if detail == 5:
            inputs.append(party.asset_resource("zed/unknown"))
        if outputs and inputs:
            self.runs += 1
            party.activity(f"run-{self.runs}", outputs, inputs)

    def transfer(self, party: Party, asset: str, detail: int) -> None:
        receiver = self.parties[detail % 3]
        if receiver is not party:
            before = {"anchor_before": self.world.chain.head().number + 2} if detail == 4 else {}
            record = party.transfer(asset, receiver, **before)
            digest = asset_digest(self.world.ledger_id, asset)
            self.to_post.append((party, target_of_asset(digest), record))
            if detail % 2:
                self.anchor(party, asset, 0)
                self.post(party, asset, -1)

    def revoke(self, party: Party, _: str, detail: int) -> None:
        if self.versions:
            target, resource = self.versions[detail % len(self.versions)]
            record = party.revoke(target, [resource])
            self.to_post.append((party, target_of_record(target), record))

    def post(self, party: Party, _: str, detail: int) -> None:
        """Post something that waits for it, by its own party or (nonsense) by another."""
        if self.to_post:
            owner, target, record = self.to_post[detail % len(self.to_post) if detail >= 0 else -1]
            poster = owner if detail != 3 else party
            self.world.chain.mine(poster.post_event(target, record))

    def anchor(self, party: Party, _: str, __: int) -> None:
        anchored = party.log.anchors[-1][0] if party.log.anchors else 0
        if len(party.log.entries) > anchored:
            party.anchor()

    def rotate(self, party: Party, _: str, detail: int) -> None:
        if detail % 2:
            self.anchor(party, "", 0)
        old = party.revoke_key_event()
        party.seed = digest_of(party.seed)
        self.world.chain.mine(party.key_event())
        self.world.chain.mine(old)

    def delegate(self, party: Party, asset: str, detail: int) -> None:
        other = self.parties[(detail + 1) % 3]
        if other is not party:
            if (party.address, other.address) not in self.delegates:
                self.delegates.add((party.address, other.address))
                self.world.chain.mine(party.delegate_event("record", other))
            self.version(party, asset, detail, other)

    def namespace(self, party: Party, _: str, detail: int) -> None:
        """Ann's namespace goes to whoever it is."""
        owner = self.world.name_owners["ann"]
        if party.address != owner and detail < 2:
            self.world.chain.mine(self.world.claim("ann", party))
            self.world.name_owners["ann"] = party.address


def has_open_questions(tale: Tale, desk: Desk) -> bool:
    """Tell whether something was posted that is no accepted record, or was before its anchor."""
    blocks = {
        entry.record: entry.block
        for entry in desk.index.entries(limit=1000)[0]
        if entry.verdict == "accepted" and entry.block is not None
    }
    posts = desk.index.database.rows("SELECT record, block FROM posting")
    return any(record not in blocks or block < blocks[record] for record, block in posts)


def check_accepted(tale: Tale, desk: Desk) -> int:
    """Check the evidence of every accepted version against the index; return how many there are."""
    trust = trust_block(block_hash(tale.world))
    open_questions = has_open_questions(tale, desk)
    count = 0
    for asset in ASSETS:
        for view in desk.index.versions(asset):
            name = format_version(view.asset, view.number)
            data = desk.write(name)
            found = verify_evidence(data.splitlines(keepends=True), trust, everything=True)
            expected = "revoked" if view.revoked else "good"
            if found.verdict.verdict != expected:
                assert (found.verdict.verdict, open_questions) == ("unknown", True), found.verdict.reason
            ours = desk.index.lineage(parse_reference(name), direction="upstream")
            theirs = found.graph
            assert drawn(ours) == drawn(theirs)
            count += 1
    return count


def drawn(graph: LineageGraph) -> tuple[object, ...]:
    """Return what a lineage shows: nodes, edges, and what they rest on."""
    nodes = {node.id: (node.label, node.digest, node.kind, node.party) for node in graph.nodes}
    assert len(nodes) == len(graph.nodes)
    edges = {(nodes[edge.output], nodes[edge.input], edge.basis) for edge in graph.edges}
    return set(nodes.values()), edges


def check_rejected(tale: Tale, desk: Desk) -> int:
    """Let a forger make evidence of every rejected version; return how many there are."""
    trust = trust_block(block_hash(tale.world))
    listed = desk.index.entries(limit=1000)[0]
    accepted = [(each.log, each.idx) for each in listed if each.verdict == "accepted"]
    count = 0
    for entry in listed:
        payload = decode_envelope(tale.world.all_logs[entry.log].entries[entry.idx]).payload
        statement = parse_statement(payload)
        if (
            entry.verdict != "rejected"
            or entry.reason in CLAIMED
            or not isinstance(statement.predicate, Version)
        ):
            continue
        name = statement.subject[0].name
        asset = name.partition("@")[0]
        helpers = [place for place in accepted if _is_about(tale, place, asset)]
        what = Forged(roots=[name], entries=[*helpers, (entry.log, entry.idx)])
        assert outcome(write(forge(tale.world, what)).splitlines(keepends=True), trust) != "verdict:good", (
            entry
        )
        count += 1
    return count


def _is_about(tale: Tale, place: tuple[bytes, int], asset: str) -> bool:
    """Tell whether an entry is the registration or a transfer of an asset."""
    payload = decode_envelope(tale.world.all_logs[place[0]].entries[place[1]]).payload
    return any(each.name == asset for each in parse_statement(payload).subject)


Make = Callable[..., Desk]


def retell(desk: Make, story: list[Step]) -> tuple[int, int]:
    """Play a story and check all that it came to; return how many versions were accepted and rejected."""
    with real_world() as world:
        at = desk(world)
        tale = Tale(world, at)
        tale.play(story)
        at.sync()
        return check_accepted(tale, at), check_rejected(tale, at)


@given(steps)
@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_a_random_story(desk: Make, story: list[Step]) -> None:
    retell(desk, story)


@pytest.mark.slow
@given(steps)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_many_random_stories(desk: Make, story: list[Step]) -> None:
    retell(desk, story)
