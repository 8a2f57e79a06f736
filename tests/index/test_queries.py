"""Listings, single things, search: what the index answers about a small ledger."""

from __future__ import annotations

import pytest

from ledger.core.errors import Unauthorized, Usage
from ledger.core.records import Alias, Field
from ledger.index import Index
from tests.simulator import Party, World


@pytest.fixture
def acme(world: World) -> Party:
    acme = world.party("acme", own=True)
    acme.register(
        "acme/orders",
        title="Washing-machine orders",
        description="Every order of a consumer.\nPersonal data removed; Müller stays.",
        aliases=[Alias("doi", "10.1000/182")],
    )
    acme.version("acme/orders", b"1", fields=[Field("unit_price", "decimal"), Field("region")], size=3)
    acme.register("acme/plan", title="Plan", license="MIT", kind="model")
    acme.anchor()
    acme.register("acme/zh", title="洗衣机订单", description="客户定制洗衣机")
    acme.version("acme/orders", b"2")
    return acme


@pytest.fixture
def index(world: World, acme: Party, open_index) -> Index:
    return open_index(world)


def test_entries_and_their_filters(index: Index, acme: Party, world: World):
    listed, cut = index.entries(limit=3)
    assert ([entry.subject for entry in listed], cut) == (["acme/orders@2", "acme/zh", "acme/plan"], True)
    rest, cut = index.entries(before=listed[-1].row)
    assert ([entry.subject for entry in rest], cut) == (["acme/orders@1", "acme/orders"], False)
    assert [e.subject for e in index.entries(type="version")[0]] == ["acme/orders@2", "acme/orders@1"]
    assert [e.subject for e in index.entries(asset="acme/plan")[0]] == ["acme/plan"]
    assert len(index.entries(state="pending")[0]) == 2
    assert len(index.entries(state="anchored")[0]) == 3
    assert index.entries(state="final") == ([], False)
    assert len(index.entries(party=acme.address)[0]) == 5
    assert index.entries(party=bytes(20)) == ([], False)
    assert index.entries(asset="acme/none", type="version", state="rejected") == ([], False)
    at = index.entry_at(acme.log.id, 1)
    assert at is not None
    assert (at.subject, at.claimed, at.time_unix_s) == (
        "acme/orders@1",
        "2025-01-31T12:00:00Z",
        world.chain.head().time_unix_s,
    )
    assert index.entry_at(acme.log.id, 99) is None


@pytest.mark.parametrize(
    "query",
    [{"type": "gossip"}, {"state": "asleep"}, {"party": b"short"}],
    ids=lambda query: next(iter(query)),
)
def test_filters_that_make_no_sense(index: Index, query: dict[str, object]):
    with pytest.raises(Usage, match="expected"):
        index.entries(**query)


def test_records_by_prefix(index: Index):
    for entry in index.entries()[0]:
        record = entry.record.hex()
        for length in (1, 7, 15, 16, 17, 64):
            assert entry in index.find_records(record[:length])
        assert index.find_records(record.upper()) == [entry]
    for wrong in ("", "xyz", "0" * 65):
        with pytest.raises(Usage, match="1 to 64 hex digits"):
            index.find_records(wrong)


def test_an_asset(index: Index, acme: Party):
    asset = index.asset("acme/orders")
    assert asset is not None
    assert (asset.title, asset.kind, asset.versions) == ("Washing-machine orders", "dataset", 2)
    assert (asset.holder, asset.registration.party) == (acme.address, acme.address)
    assert [(alias.scheme, alias.name) for alias in asset.aliases] == [("doi", "10.1000/182")]
    assert index.asset("acme/none") is None
    assert index.holder("acme/none") == acme.address
    assert index.holder("nobody/none") is None


def test_versions(index: Index):
    newest = index.latest_version("acme/orders")
    first = index.version("acme/orders", 1)
    assert newest is not None
    assert first is not None
    assert [newest, first] == index.versions("acme/orders")
    assert index.versions("acme/orders", limit=1) == [newest]
    assert (first.fields, first.size) == ([("unit_price", "decimal"), ("region", "")], 3)
    assert index.version("acme/orders", 3) is None
    assert index.latest_version("acme/none") is None
    assert index.version_by_digest("acme/orders", "sha256", first.digest.hex()) == first
    assert index.version_by_digest("acme/plan", "sha256", first.digest.hex()) is None
    assert index.version_by_digest("acme/orders", "dataledger-tree-v1", first.digest.hex()) is None
    assert index.version_by_digest("acme/orders", "md5", first.digest.hex()) is None
    assert index.find_by_digest("md5", first.digest) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("washing", ["acme/orders"]),
        ("WASH mach", ["acme/orders"]),
        ("consumer order", ["acme/orders"]),
        ("muller", ["acme/orders"]),
        ("unit_price", ["acme/orders"]),
        ("10.1000/182", ["acme/orders"]),
        ("acme", ["acme/orders", "acme/plan", "acme/zh"]),
        ("acme/plan", ["acme/plan"]),
        ("洗衣", ["acme/zh"]),
        ("定制洗衣机", ["acme/zh"]),
        ("washing AND NOT (", []),
        ('"', []),
        ("* OR *", ["acme/orders"]),
        ("", []),
        ("title:washing", []),
        ("100%", ["acme/orders"]),
    ],
)
def test_search(index: Index, text: str, expected: list[str]):
    hits, cut = index.search(text)
    assert (sorted(hit.asset for hit in hits), cut) == (expected, False)


def test_search_says_where_and_when_it_was_cut(index: Index, acme: Party):
    hits, cut = index.search("acme", limit=2)
    assert (len(hits), cut) == (2, True)
    (hit,), _ = index.search("consumer")
    assert (hit.title, hit.latest, hit.holder) == ("Washing-machine orders", 2, acme.address)
    assert "consumer" in hit.snippet


def test_parties_and_their_words(index: Index, acme: Party, world: World):
    assert index.parties() == [acme.address]
    assert index.party_name(acme.address) == ""
    world.chain.mine(
        acme.name_event("dataledger/name", "Acme\x1b[31m Inc.\n"),
        acme.name_event("did/svc/TlogTiles", "https://one.example/#1"),
        acme.name_event("did/svc/TlogTiles", "https://zero.example/"),
    )
    acme.anchor()
    index.sync(world.chain, world.logs)
    assert index.party_name(acme.address) == "Acme[31m Inc."
    assert index.log_location(acme.log.id) == "https://zero.example/"
    assert index.log_location(bytes(32)) == ""
    assert index.logs_of(acme.address) == [acme.log.id]
    assert index.party_of_log(acme.log.id) == acme.address
    second = acme.new_log(1)
    acme.log = second
    acme.anchor()
    index.sync(world.chain, world.logs)
    assert index.log_location(second.id) == "https://one.example/"
    assert [log.number for log in index.logs()] == [0, 1]


def test_an_attribute_taken_back(index: Index, acme: Party, world: World):
    import msgspec

    said = [acme.name_event("dataledger/name", name) for name in ("First", "Second")]
    world.chain.mine(*said)
    world.chain.mine(msgspec.structs.replace(said[1], valid_to_unix_s=0))
    index.sync(world.chain, world.logs)
    assert index.party_name(acme.address) == "First"


def test_keys(index: Index, acme: Party):
    (key,) = index.keys(acme.address)
    assert (key.key, key.from_block, key.revoked_block) == (acme.key, 1, 0)
    assert index.key_state(acme.address, acme.key).valid_to_unix_s == key.valid_to_unix_s
    assert index.key_state(acme.address, bytes(32)) is None
    assert index.delegates(acme.address) == []


def test_facts_are_what_the_next_record_is_judged_by(index: Index, acme: Party, world: World):
    from ledger.core.authority import Place, authorize
    from ledger.core.dsse import decode_envelope
    from ledger.core.statement import parse_statement

    acme.register("acme/orders")
    head = world.chain.head()
    place = Place(world.ledger_id.hex(), 1337, acme.log.id.hex(), head.number + 1, head.time_unix_s)
    for entry, reason in (
        (acme.log.entries[0], "already-registered"),
        (acme.log.entries[-1], "already-registered"),
    ):
        envelope = decode_envelope(entry)
        with pytest.raises(Unauthorized) as caught:
            authorize(
                parse_statement(envelope.payload),
                [signature.keyid for signature in envelope.signatures],
                place,
                index.facts(),
            )
        assert caught.value.reason == reason
    facts = index.facts()
    assert facts.version("acme/orders", 1) == index.version("acme/orders", 1).record
    assert facts.record(index.version("acme/orders", 1).record).authors == [acme.address]
    assert facts.record(bytes(32)) is None


def test_activity_sources(index: Index, acme: Party, world: World):
    acme.activity("run-1", [], [], source="openlineage:abc")
    index.sync(world.chain, world.logs)
    assert index.activity_source(acme.address, "run-1", "openlineage:abc")
    assert not index.activity_source(acme.address, "run-1", "openlineage:abd")
    assert not index.activity_source(acme.address, "run-2", "openlineage:abc")
    assert [entry.subject for entry in index.entries(type="activity")[0]] == ["run:run-1"]
    assert index.activity(bytes(32)) is None
