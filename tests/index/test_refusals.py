"""What must not count: each case a log or record bent in one way, and the reason that the index gives."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

import pytest

from ledger.core.errors import Corrupt, Unavailable
from ledger.core.merkle import CompactTree, leaf_hashes
from ledger.core.records import Resource
from ledger.index import Index
from tests.simulator import Party, World, digest_of


def verdicts(index: Index) -> list[tuple[str, str]]:
    """Return (verdict, reason) of every entry, oldest first."""
    return [(entry.verdict, entry.reason) for entry in reversed(index.entries(limit=1000)[0])]


def kinds(index: Index) -> list[str]:
    return sorted(finding.kind for finding in index.findings()[0])


def with_versions(world: World) -> Party:
    acme = world.party("acme", own=True)
    acme.register("acme/a")
    acme.version("acme/a", b"1")
    acme.version("acme/a", b"2")
    return acme


# --- logs that do not match their anchors


def flip(entries: list[bytes]) -> list[bytes]:
    entry = entries[1]
    return [entries[0], bytes([entry[0] ^ 1]) + entry[1:], *entries[2:]]


@pytest.mark.parametrize(
    "bend",
    [flip, lambda entries: [*entries[:1], entries[2], entries[1]], lambda entries: [b"", *entries[1:]]],
    ids=["flipped bit", "swapped entries", "emptied entry"],
)
def test_a_log_that_does_not_match_stops(
    world: World, open_index, bend: Callable[[list[bytes]], list[bytes]]
):
    acme = with_versions(world)
    acme.anchor()
    world.logs.shown[acme.log.id] = bend(acme.log.entries)
    index = open_index(world)
    assert index.entries() == ([], False)
    assert kinds(index) == ["log-mismatch"]
    log = index.log(acme.log.id)
    assert log is not None
    assert (log.problem, log.size, log.anchored) == ("log-mismatch", 0, 3)
    world.logs.shown.clear()
    assert index.sync(world.chain, world.logs).applied == 3
    assert kinds(index) == []


def test_a_dropped_tail_stops_at_the_anchor_before(world: World, open_index):
    acme = with_versions(world)
    acme.anchor()
    acme.version("acme/a", b"3")
    acme.anchor()
    world.logs.shown[acme.log.id] = acme.log.entries[:3]
    index = open_index(world)
    assert len(index.versions("acme/a")) == 2
    assert kinds(index) == ["log-unavailable"]


def test_a_true_root_with_a_wrong_size_is_no_anchor(world: World, open_index):
    """The contract can't see it: the consistency proof holds, and no honest continuation ever does."""
    acme = with_versions(world)
    world.chain.mine(acme.anchor_event(size=5, root=acme.log.root()))
    acme.version("acme/a", b"3")
    acme.version("acme/a", b"4")
    index = open_index(world)
    assert kinds(index) == ["log-mismatch"]
    assert index.entries(state="final") == ([], False)


def test_a_smaller_size_with_a_true_root_is_no_anchor(world: World, open_index):
    acme = with_versions(world)
    world.chain.mine(acme.anchor_event(size=2, root=acme.log.root()))
    assert kinds(open_index(world)) == ["log-mismatch"]


def test_an_absurd_size_is_just_not_there(world: World, open_index):
    acme = with_versions(world)
    world.chain.mine(acme.anchor_event(size=2**64 - 1, root=digest_of("root")))
    assert kinds(open_index(world)) == ["log-unavailable"]


def test_a_rewritten_log_stops_where_it_was_rewritten(world: World, open_index):
    acme = with_versions(world)
    acme.anchor()
    index = open_index(world)
    rewritten = [acme.log.entries[0], acme.log.entries[2], acme.log.entries[1]]
    acme.version("acme/a", b"3")
    tree = CompactTree()
    tree.extend(leaf_hashes([*rewritten, acme.log.entries[3]]))
    world.chain.mine(acme.anchor_event(root=tree.root()))
    world.logs.shown[acme.log.id] = [*rewritten, acme.log.entries[3]]
    index.sync(world.chain, world.logs)
    assert len(index.versions("acme/a")) == 2
    assert kinds(index) == ["log-mismatch"]


# --- entries that are no records


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (b"", "bad-format"),
        (b"\xff" * 10, "bad-format"),
        (b"[" * 60000, "bad-format"),
        (
            b'{"payload":"","payload":"","payloadType":"application/vnd.in-toto+json","signatures":[]}',
            "bad-format",
        ),
        (b"x" * 70000, "bad-format"),
    ],
    ids=["empty", "not UTF-8", "deep", "duplicate member", "too long"],
)
def test_garbage_is_kept_and_shadows_nothing(world: World, open_index, entry: bytes, reason: str):
    acme = world.party("acme", own=True)
    acme.append(entry)
    acme.register("acme/a")
    acme.anchor()
    assert verdicts(open_index(world)) == [("rejected", reason), ("accepted", "")]


def test_a_signature_that_does_not_verify(world: World, open_index):
    acme = world.party("acme", own=True)
    acme.register("acme/a")
    good = acme.log.entries[0]
    position = good.index(b'"sig":"') + 10
    bad = good[:position] + (b"A" if good[position : position + 1] != b"A" else b"B") + good[position + 1 :]
    acme.log.entries[:] = [bad, good]
    acme.anchor()
    assert verdicts(open_index(world)) == [("rejected", "bad-signature"), ("accepted", "")]


def test_a_well_signed_payload_that_is_no_record(world: World, open_index):
    acme = world.party("acme", own=True)
    acme.append(acme.envelope(b"{}"))
    acme.append(acme.envelope(b'{"_type":"https://in-toto.io/Statement/v1"}'))
    acme.anchor()
    index = open_index(world)
    assert verdicts(index) == [("rejected", "bad-format")] * 2
    assert all(entry.record is not None for entry in index.entries()[0])


# --- records that don't belong here


def test_a_record_replayed_from_another_ledger(world: World, open_index):
    other = World(name="other")
    stranger, acme = other.party("acme"), world.party("acme", own=True)
    stranger.register("acme/a")
    acme.log.entries += stranger.log.entries
    acme.anchor()
    assert verdicts(open_index(world)) == [("rejected", "wrong-ledger")]


def test_a_record_replayed_in_another_log(world: World, open_index):
    acme, bolt = world.party("acme", own=True), world.party("bolt")
    acme.register("acme/a")
    bolt.log.entries += acme.log.entries
    bolt.anchor()
    index = open_index(world)
    assert ("rejected", "wrong-log") in verdicts(index)
    acme.anchor()  # the rejected copy, although earlier, shadows nothing
    index.sync(world.chain, world.logs)
    assert verdicts(index) == [("rejected", "wrong-log"), ("accepted", "")]


def test_a_second_copy_is_a_duplicate(world: World, open_index):
    acme = world.party("acme", own=True)
    acme.register("acme/a")
    acme.append(acme.log.entries[0])
    acme.anchor()
    acme.append(acme.log.entries[0])
    acme.anchor()
    index = open_index(world)
    assert verdicts(index) == [
        ("accepted", ""),
        ("duplicate", "duplicate-record"),
        ("duplicate", "duplicate-record"),
    ]
    assert [entry.subject for entry in index.entries()[0]] == ["acme/a"] * 3
    assert [entry.idx for entry in index.entries(state="duplicate")[0]] == [2, 1]


def test_of_a_record_in_two_logs_the_first_counts(world: World, open_index):
    acme, bolt = world.party("acme", own=True), world.party("bolt")
    acme.register("acme/a", logs=sorted([acme.log.id.hex(), bolt.log.id.hex()]))
    bolt.log.entries += acme.log.entries
    bolt.anchor()
    acme.anchor()
    index = open_index(world)
    assert [(entry.log, entry.verdict) for entry in index.entries()[0]] == [
        (acme.log.id, "duplicate"),
        (bolt.log.id, "accepted"),
    ]


# --- keys


def test_a_key_that_nobody_published(world: World, open_index):
    acme = world.party("acme", own=True)
    acme.seed = digest_of("another seed")
    acme.register("acme/a")
    acme.anchor()
    assert verdicts(open_index(world)) == [("rejected", "key-unknown")]


def test_a_key_counts_from_the_block_of_its_publication(world: World, open_index):
    acme = world.party("acme", own=True)
    acme.seed = digest_of("another seed")
    acme.register("acme/early")
    acme.anchor()
    acme.register("acme/same-block")
    anchored = acme.anchor_event()
    world.chain.mine(anchored, acme.key_event())  # the end of the block counts, not the order in it
    acme.register("acme/later")
    acme.anchor()
    index = open_index(world)
    assert verdicts(index) == [("rejected", "key-unknown"), ("accepted", ""), ("accepted", "")]


def test_a_revoked_key_counts_for_what_was_anchored_before(world: World, open_index):
    acme = world.party("acme", own=True)
    acme.register("acme/before")
    acme.anchor()
    acme.register("acme/same-block")
    world.chain.mine(acme.anchor_event(), acme.revoke_key_event())
    acme.register("acme/after")
    acme.anchor()
    assert verdicts(open_index(world)) == [
        ("accepted", ""),
        ("rejected", "key-revoked"),
        ("rejected", "key-revoked"),
    ]


def test_an_expired_key(world: World, open_index):
    acme = world.party("acme", own=True)
    seed = digest_of("short-lived")
    world.chain.mine(acme.key_event(seed=seed, valid_s=25))
    acme.seed = seed
    acme.register("acme/in-time")
    acme.anchor()
    acme.register("acme/late")
    world.chain.mine(acme.anchor_event(), seconds=60)
    assert verdicts(open_index(world)) == [("accepted", ""), ("rejected", "key-expired")]


def test_publishing_a_revoked_key_again_does_not_revive_it(world: World, open_index):
    acme = world.party("acme", own=True)
    world.chain.mine(acme.revoke_key_event())
    world.chain.mine(acme.key_event())  # the contract refuses this; a reader must not depend on it
    acme.register("acme/a")
    acme.anchor()
    index = open_index(world)
    assert verdicts(index) == [("rejected", "key-revoked")]
    state = index.key_state(acme.address, acme.key)
    assert state is not None
    assert (state.from_block, state.revoked_block) == (1, 3)


def test_a_deactivated_party(world: World, open_index):
    acme = world.party("acme", own=True)
    world.chain.mine(acme.deactivate_event())
    acme.register("acme/a")
    acme.anchor()
    assert verdicts(open_index(world)) == [("rejected", "identity-deactivated")]


def test_a_record_delegate_signs_until_it_is_revoked(world: World, open_index):
    acme, clerk = world.party("acme", own=True), world.party("clerk")
    acme.register("acme/none", clerk)
    acme.anchor()
    world.chain.mine(acme.delegate_event("record", clerk))
    acme.register("acme/allowed", clerk)
    acme.anchor()
    world.chain.mine(acme.delegate_event("record", clerk, valid_s=-100))
    acme.register("acme/revoked", clerk)
    acme.anchor()
    index = open_index(world)
    assert verdicts(index) == [
        ("rejected", "foreign-signature"),
        ("accepted", ""),
        ("rejected", "delegate-revoked"),
    ]
    delegate = index.delegates(acme.address)[0]
    assert (delegate.type, delegate.delegate, delegate.revoked_block > 0) == ("record", clerk.address, True)


def test_an_anchor_delegate_signs_nothing(world: World, open_index):
    acme, clerk = world.party("acme", own=True), world.party("clerk")
    world.chain.mine(acme.delegate_event("anchor", clerk))
    acme.register("acme/a", clerk)
    acme.anchor()
    assert verdicts(open_index(world)) == [("rejected", "foreign-signature")]


# --- names


def test_somebody_elses_namespace(world: World, open_index):
    world.party("acme", own=True)
    bolt = world.party("bolt", own=True)
    bolt.register("acme/a")
    bolt.register("nobody/a")
    bolt.anchor()
    index = open_index(world)
    assert verdicts(index) == [("rejected", "not-namespace-owner")] * 2
    assert not index.registered("acme/a")


def test_a_second_registration(world: World, open_index):
    acme = world.party("acme", own=True)
    acme.register("acme/a", title="first")
    acme.register("acme/a", title="second")
    acme.anchor()
    acme.register("acme/a", title="third")
    acme.anchor()
    index = open_index(world)
    assert verdicts(index) == [("accepted", ""), *[("rejected", "already-registered")] * 2]
    asset = index.asset("acme/a")
    assert asset is not None
    assert asset.title == "first"


def test_versions_form_a_chain(world: World, open_index):
    acme = with_versions(world)
    second = acme.latest["acme/a"]
    acme.version("acme/a", b"again", number=2)
    acme.latest["acme/a"] = second
    acme.version("acme/a", b"gap", number=4)
    acme.latest["acme/a"] = (2, digest_of("another record"))
    acme.version("acme/a", b"3")
    acme.latest["acme/a"] = second
    acme.version("acme/a", b"3")
    acme.latest["acme/b"] = (0, b"")
    acme.version("acme/b", b"1")
    acme.anchor()
    index = open_index(world)
    assert [reason for _, reason in verdicts(index)] == [
        "",
        "",
        "",
        "version-exists",
        "version-gap",
        "wrong-predecessor",
        "",
        "asset-unknown",
    ]
    assert [version.number for version in index.versions("acme/a")] == [3, 2, 1]


def test_versions_by_others(world: World, open_index):
    acme, bolt = with_versions(world), world.party("bolt", own=True)
    world.chain.mine(acme.anchor_event())
    bolt.latest["acme/a"] = acme.latest["acme/a"]
    bolt.version("acme/a", b"3")
    bolt.anchor()
    assert verdicts(open_index(world))[-1] == ("rejected", "not-holder")


def test_a_namespace_that_changes_hands(world: World, open_index):
    """Assets that were not transferred go with the namespace, from the block on in which it changes."""
    acme, bolt = with_versions(world), world.party("bolt", own=True)
    acme.anchor()
    acme.version("acme/a", b"3")
    bolt.latest["acme/a"] = (2, acme.latest["acme/a"][1])
    world.chain.mine(acme.anchor_event(), world.claim("acme", bolt))
    index = open_index(world)
    assert verdicts(index)[-1] == ("rejected", "not-holder")
    assert index.holder("acme/a") == bolt.address
    assert index.namespace_owner("acme") == bolt.address
    assert index.namespaces(acme.address) == []


def test_outputs_of_others(world: World, open_index):
    acme, bolt = with_versions(world), world.party("bolt", own=True)
    acme.anchor()
    bolt.activity("r", [acme.resource("acme/a@2", b"2")], [])
    bolt.anchor()
    assert verdicts(open_index(world))[-1] == ("rejected", "not-holder")


# --- logs that can't be had


def test_a_withheld_log_stops_nobody_else(world: World, open_index):
    acme, bolt = with_versions(world), world.party("bolt")
    bolt.register("bolt/parts")
    bolt.version("bolt/parts", b"p")
    acme.activity("r", [acme.resource("acme/a@2", b"2")], [acme.resource("bolt/parts@1", b"p")])
    world.chain.mine(acme.anchor_event(), bolt.anchor_event())
    world.logs.withheld.add(bolt.log.id)
    index = open_index(world)
    assert len(verdicts(index)) == 4
    assert kinds(index) == ["input-unregistered", "log-unavailable"]
    assert index.missing_logs() == [bolt.log.id]
    assert index.missing_logs(acme.address) == [bolt.log.id]
    assert index.missing_logs(digest_of("somebody else")[:20]) == []
    graph = index.lineage("acme/a")
    assert {node.id: node.kind for node in graph.nodes} == {"acme/a@2": "observed", "bolt/parts@1": "unknown"}
    world.logs.withheld.clear()
    report = index.sync(world.chain, world.logs)
    assert report.rewound_to is not None
    assert kinds(index) == []
    assert index.missing_logs() == []


def test_a_log_that_nobody_needs_is_not_missing(world: World, open_index):
    with_versions(world).anchor()
    stranger = world.party("stranger")
    stranger.register("stranger/x")
    stranger.anchor()
    world.logs.withheld.add(stranger.log.id)
    index = open_index(world)
    assert index.missing_logs() == []
    assert kinds(index) == ["log-unavailable"]


def test_a_feed_that_fails_while_reading(world: World, open_index):
    acme = with_versions(world)
    acme.anchor()
    entries = world.logs.entries

    def failing(log_id: bytes, start: int, stop: int):
        yield from entries(log_id, start, stop - 1)
        raise Unavailable("the line went dead")

    world.logs.entries = failing
    index = open_index(world)
    found, _ = index.findings()
    assert [(finding.kind, finding.text) for finding in found] == [("log-unavailable", "the line went dead")]


# --- closed logs


def test_a_closed_log_keeps_what_was_anchored_before(world: World, open_index):
    acme = with_versions(world)
    acme.anchor()
    acme.version("acme/a", b"stolen")
    acme.anchor()
    world.chain.mine(acme.close_event(1))
    acme.version("acme/a", b"late")
    acme.anchor()  # the contract refuses this; a reader must not depend on it
    index = open_index(world)
    assert [version.number for version in index.versions("acme/a")] == [3, 2, 1]
    found, _ = index.findings()
    assert [finding.kind for finding in found] == ["log-closed", "log-closed"]
    assert "disowned" in found[1].text
    log = index.log(acme.log.id)
    assert log is not None
    assert (log.closed_block, log.problem, log.size) == (5, "log-closed", 4)


def test_a_log_closed_in_the_block_of_its_anchor(world: World, open_index):
    acme = with_versions(world)
    world.chain.mine(acme.anchor_event(), acme.close_event(0))
    index = open_index(world)
    assert index.versions("acme/a") == []


# --- findings about activities


def test_findings_about_inputs_and_outputs(world: World, open_index):
    acme, bolt = with_versions(world), world.party("bolt", own=True)
    bolt.register("bolt/parts")
    bolt.version("bolt/parts", b"p")
    bolt.register("bolt/list")
    bolt.version("bolt/list", "a list that nobody hashed")
    acme.activity(
        "r",
        [acme.resource("acme/a@2", b"2"), acme.resource("acme/a@9", b"9")],
        [
            acme.resource("bolt/parts@1", b"other"),
            acme.resource("bolt/parts@2", b"p2"),
            acme.resource("bolt/parts", b"p"),
            acme.resource("bolt/parts", b"unseen"),
            acme.resource("bolt/list@1", "a list that nobody hashed"),
            acme.resource("nobody/x"),
            acme.resource("bolt/parts"),
        ],
        changed=[2],
    )
    world.chain.mine(acme.anchor_event(), bolt.anchor_event())
    index = open_index(world)
    found = sorted((finding.kind, finding.subject) for finding in index.findings()[0])
    assert found == [
        ("declared-input", "bolt/list@1"),
        ("input-changed", "bolt/parts"),
        ("input-digest-mismatch", "bolt/parts@1"),
        ("input-unregistered", "bolt/parts"),
        ("input-unregistered", "bolt/parts@2"),
        ("input-unregistered", "nobody/x"),
        ("output-unregistered", "acme/a@9"),
    ]


def test_versions_later_in_the_block_are_known(world: World, open_index):
    """An activity before its outputs' versions, and before the other log's: the block as a whole counts."""
    acme, bolt = world.party("acme", own=True), world.party("bolt")
    acme.activity("r", [acme.resource("acme/a@1", b"1")], [acme.resource("bolt/parts@1", b"p")])
    acme.register("acme/a")
    acme.version("acme/a", b"1")
    bolt.activity("r", [bolt.resource("bolt/parts@1", b"p")], [bolt.resource("acme/a@1", b"1")])
    bolt.register("bolt/parts")
    bolt.version("bolt/parts", b"p")
    world.chain.mine(acme.anchor_event(), bolt.anchor_event())
    assert kinds(open_index(world)) == []


def test_the_same_content_claimed_by_another(world: World, open_index):
    acme, bolt = with_versions(world), world.party("bolt", own=True)
    acme.version("acme/a", b"1")  # the own content again is nothing to tell
    acme.anchor()
    bolt.register("bolt/copy")
    bolt.version("bolt/copy", b"1")
    bolt.anchor()
    index = open_index(world)
    found, _ = index.findings()
    assert [(each.kind, each.subject, each.text) for each in found] == [
        ("same-content-other-claimant", "bolt/copy@1", "the same content was claimed before, as acme/a@1")
    ]
    digest = sha256(b"1").digest()
    claims = [(each.asset, each.number, each.party) for each in index.find_by_digest("sha256", digest)]
    assert claims == [
        ("acme/a", 1, acme.address),
        ("acme/a", 3, acme.address),
        ("bolt/copy", 1, bolt.address),
    ]


def test_content_seen_before_its_version_is_joined_to_it(world: World, open_index):
    acme, bolt = world.party("acme", own=True), world.party("bolt", own=True)
    acme.register("acme/a")
    acme.version("acme/a", b"1")
    acme.activity("r", [acme.resource("acme/a@1", b"1")], [acme.resource("bolt/parts", b"p")])
    acme.anchor()
    bolt.register("bolt/raw")
    bolt.version("bolt/raw", b"r")
    bolt.register("bolt/parts")
    bolt.version("bolt/parts", b"p")
    bolt.activity("r", [bolt.resource("bolt/parts@1", b"p")], [bolt.resource("bolt/raw@1", b"r")])
    bolt.version("bolt/parts", b"p")
    bolt.anchor()
    index = open_index(world)
    seen = Resource("bolt/parts", {"sha256": sha256(b"p").hexdigest()})
    graph = index.lineage("acme/a")
    assert [node.id for node in graph.nodes] == [
        "acme/a@1",
        f"bolt/parts@sha256:{seen.digest['sha256']}",
        "bolt/parts@1",
        "bolt/raw@1",
    ]
    assert [edge.label for edge in graph.edges if edge.input == "bolt/parts@1"] == ["the same content"]


def test_a_feed_that_gives_too_few_entries(world: World, open_index):
    acme = with_versions(world)
    acme.anchor()
    entries = world.logs.entries
    world.logs.entries = lambda log, start, stop: list(entries(log, start, stop))[:-1]
    (finding,), _ = open_index(world).findings()
    assert (finding.kind, finding.text) == (
        "log-unavailable",
        "the anchor covers 3 entries, only 2 are there",
    )


def test_a_feed_that_finds_its_log_damaged(world: World, open_index):
    acme = with_versions(world)
    acme.anchor()

    def damaged(log_id: bytes, start: int, stop: int):
        raise Corrupt("entry bundle 0: a flipped bit")

    world.logs.entries = damaged
    index = open_index(world)
    (finding,), _ = index.findings()
    assert (finding.kind, finding.severity, finding.text) == (
        "log-mismatch",
        "error",
        "entry bundle 0: a flipped bit",
    )
    assert index.sync(world.chain, world.logs).rewound_to is None


def test_a_chain_that_loses_a_block_while_it_is_read(world: World, open_index):
    with_versions(world).anchor()
    chain, block = world.chain, world.chain.block
    gone = iter([True])
    chain.block = lambda number: None if next(gone, False) else block(number)  # type: ignore[method-assign]
    assert len(verdicts(open_index(world))) == 3
