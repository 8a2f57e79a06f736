"""Walking up and down: levels, depth, limits, blocks, columns, references and aliases."""

from __future__ import annotations

import random
from hashlib import sha256
from pathlib import Path

import pytest

from ledger.core.errors import FormatError, NotFound, Unavailable, Usage, WrongLedger
from ledger.core.lineage import LineageGraph
from ledger.core.records import Alias, ColumnEdge
from ledger.index import Index
from ledger.index import lineage as walking
from ledger.index.database import Database, insert_sql, open_database
from ledger.index.lineage import links, walk
from tests.simulator import Party, World


@pytest.fixture
def washing(world: World, open_index) -> Index:
    """Orders and parts become a plan (twice), the plan a report."""
    acme, bolt = world.party("acme", own=True), world.party("bolt")
    world.chain.mine(acme.name_event("dataledger/name", "Acme"))
    bolt.register("bolt/parts", title="Parts", aliases=[Alias("doi", "10.1/parts")])
    bolt.version("bolt/parts", b"p1")
    bolt.anchor()
    for name in ("orders", "plan", "report"):
        acme.register(f"acme/{name}", aliases=[Alias("openlineage", name, "db")])
    acme.version("acme/orders", b"o1")
    acme.version("acme/plan", b"l1")
    made(acme, "plan@1", b"l1", ("acme/orders@1", b"o1"), ("bolt/parts@1", b"p1"))
    acme.anchor()
    acme.version("acme/orders", b"o2")
    acme.version("acme/plan", b"l2")
    made(acme, "plan@2", b"l2", ("acme/orders@2", b"o2"), ("bolt/parts@1", b"p1"), ("acme/plan@1", b"l1"))
    acme.anchor()
    acme.version("acme/report", b"r1")
    made(acme, "report@1", b"r1", ("acme/plan@2", b"l2"))
    return open_index(world)


def made(party: Party, name: str, content: bytes, *inputs: tuple[str, bytes]) -> bytes:
    output = party.resource(f"{party.name}/{name}", content)
    return party.activity(f"run {name}", [output], [party.resource(*each) for each in inputs])


def ids(graph: LineageGraph) -> list[str]:
    return [node.id for node in graph.nodes]


def pairs(graph: LineageGraph) -> set[tuple[str, str]]:
    return {(edge.output, edge.input) for edge in graph.edges}


def test_upstream_means_the_newest_version(washing: Index):
    graph = washing.lineage("acme/plan")
    assert graph.roots == ("acme/plan@2",)
    assert set(ids(graph)) == {"acme/plan@2", "acme/plan@1", "acme/orders@2", "acme/orders@1", "bolt/parts@1"}
    assert pairs(graph) == {
        ("acme/plan@2", "acme/orders@2"),
        ("acme/plan@2", "bolt/parts@1"),
        ("acme/plan@2", "acme/plan@1"),
        ("acme/plan@1", "acme/orders@1"),
        ("acme/plan@1", "bolt/parts@1"),
    }
    assert graph.direction == "sources"
    assert {node.party_name for node in graph.nodes} == {"Acme", ""}


def test_downstream_means_every_version(washing: Index):
    graph = washing.lineage("acme/orders", direction="downstream")
    assert set(graph.roots) == {"acme/orders@1", "acme/orders@2"}
    assert set(ids(graph)) == {*graph.roots, "acme/plan@1", "acme/plan@2", "acme/report@1"}
    assert graph.direction == "uses"
    assert set(ids(washing.lineage("acme/orders@2", direction="downstream"))) == {
        "acme/orders@2",
        "acme/plan@2",
        "acme/report@1",
    }


def test_states_of_nodes(washing: Index):
    states = {node.id: node.state for node in washing.lineage("acme/report").nodes}
    assert states["acme/report@1"] == "pending"
    assert states["acme/plan@2"] == "anchored"
    assert states["bolt/parts@1"] == "final"


def test_references_and_aliases(washing: Index, world: World):
    one = ids(washing.lineage("acme/plan@1"))
    digest = sha256(b"l1").hexdigest()
    assert ids(washing.lineage(f"acme/plan@sha256:{digest}")) == one
    assert ids(washing.lineage(f"dataledger:{world.ledger_id.hex()}/acme/plan@1")) == one
    assert ids(washing.lineage("acme/plan@latest")) == ids(washing.lineage("acme/plan@2"))
    assert ids(washing.lineage("openlineage:db#plan")) == ids(washing.lineage("acme/plan"))
    assert ids(washing.lineage("doi:10.1/parts")) == ["bolt/parts@1"]


@pytest.mark.parametrize(
    ("reference", "error"),
    [
        ("acme/nothing", NotFound),
        ("acme/plan@9", NotFound),
        ("acme/plan@sha256:" + "0" * 64, NotFound),
        ("doi:10.1/none", NotFound),
        ("Acme/Plan", FormatError),
        ("acme", FormatError),
        ("dataledger:" + "0" * 64 + "/acme/plan", WrongLedger),
    ],
)
def test_references_to_nothing(washing: Index, reference: str, error: type[Exception]):
    with pytest.raises(error):
        washing.lineage(reference)


def test_a_registered_asset_without_versions(world: World, open_index):
    acme = world.party("acme", own=True)
    acme.register("acme/a")
    acme.anchor()
    with pytest.raises(NotFound, match="no version"):
        open_index(world).lineage("acme/a")
    assert ids(open_index(world).lineage("acme/a", level="asset")) == ["acme/a"]


def test_assets(washing: Index):
    graph = washing.lineage("acme/report", level="asset")
    assert ids(graph) == ["acme/report", "acme/plan", "bolt/parts", "acme/orders"]
    assert pairs(graph) == {
        ("acme/report", "acme/plan"),
        ("acme/plan", "acme/plan"),
        ("acme/plan", "bolt/parts"),
        ("acme/plan", "acme/orders"),
    }
    assert {node.kind for node in graph.nodes} == {"observed"}


def test_depth_says_that_there_is_more(washing: Index):
    graph = washing.lineage("acme/report", depth=1)
    assert (ids(graph), graph.truncated) == (["acme/report@1", "acme/plan@2"], "depth 1")
    assert washing.lineage("acme/report", depth=3).truncated == ""
    assert washing.lineage("acme/report", depth=0).truncated == "depth 0"
    assert washing.lineage("bolt/parts", depth=1).truncated == ""


def test_a_limit_says_that_there_is_more(washing: Index):
    graph = washing.lineage("acme/report", limit=2)
    assert (ids(graph), graph.truncated) == (["acme/report@1", "acme/plan@2"], "limit 2")
    assert washing.lineage("acme/report", limit=6).truncated == ""


def test_as_of_a_block(washing: Index, world: World):
    blocks = {ref.number: ref for ref, _ in world.chain.blocks}
    anchored = [number for number, (_, bodies) in enumerate(world.chain.blocks) if bodies][-2:]
    before = washing.lineage("acme/plan", as_of=anchored[0])
    assert (ids(before)[0], before.as_of_block) == ("acme/plan@1", anchored[0])
    by_time = washing.lineage("acme/plan", as_of_time_unix_s=blocks[anchored[0]].time_unix_s + 5)
    assert by_time == before
    with pytest.raises(NotFound):
        washing.lineage("acme/plan", as_of=anchored[0] - 1)
    with pytest.raises(NotFound):
        washing.lineage("acme/report", as_of=anchored[1])
    with pytest.raises(Unavailable, match="the index is at block"):
        washing.lineage("acme/plan", as_of=10_000)
    with pytest.raises(NotFound, match="as old as that"):
        washing.lineage("acme/plan", as_of_time_unix_s=1)


def test_what_makes_no_sense(washing: Index):
    with pytest.raises(Usage):
        washing.lineage("acme/plan", as_of=1, as_of_time_unix_s=1)
    with pytest.raises(Usage):
        washing.lineage("acme/plan", level="asset", column="x")
    with pytest.raises(Usage):
        washing.lineage("acme/plan", limit=0)
    with pytest.raises(Usage):
        washing.lineage("acme/plan", depth=-1)


def test_aliases_belong_to_parties(world: World, open_index):
    acme, bolt = world.party("acme", own=True), world.party("bolt", own=True)
    for party in (acme, bolt):
        party.register(
            f"{party.name}/orders", aliases=[Alias("openlineage", "public.orders", "postgres://a#b")]
        )
        party.anchor()
    index = open_index(world)
    text = "openlineage:postgres://a#b#public.orders"
    assert index.resolve_alias(text, acme.address) == "acme/orders"
    assert index.resolve_alias(text, bolt.address) == "bolt/orders"
    assert index.alias_of(bolt.address, "openlineage", "postgres://a#b", "public.orders") == "bolt/orders"
    assert index.alias_of(bolt.address, "openlineage", "", "public.orders") is None
    with pytest.raises(Usage, match="several assets: acme/orders, bolt/orders"):
        index.resolve(text)
    assert [alias.party for alias in index.aliases("acme/orders")] == [acme.address]


def test_impact_in_figures(washing: Index, world: World):
    found = washing.impact("bolt/parts")
    assert [(each.asset, each.versions) for each in found.assets] == [
        ("acme/plan", ["acme/plan@1", "acme/plan@2"]),
        ("acme/report", ["acme/report@1"]),
    ]
    assert (found.versions, found.uncertain, found.truncated) == (3, [], "")
    (party,) = found.parties.items()
    assert (party[1], found.assets[0].party_name) == (2, "Acme")
    assert washing.impact("bolt/parts", depth=1).truncated == "depth 1"


def test_impact_says_what_is_uncertain(world: World, open_index):
    acme = world.party("acme", own=True)
    acme.register("acme/a")
    acme.version("acme/a", b"1")
    acme.activity("r", [acme.resource("acme/b@1", b"2")], [acme.resource("acme/a@1", b"1")])
    acme.anchor()
    assert open_index(world).impact("acme/a").uncertain == ["acme/b@1"]


# --- columns


def columned(world: World, *, attached: bool = False) -> Party:
    acme = world.party("acme", own=True)
    for name in ("a", "b", "c"):
        acme.register(f"acme/{name}")
        acme.version(f"acme/{name}", name.encode())
    edges = [ColumnEdge(0, "total", 0, "price", "DIRECT"), ColumnEdge(0, "", 0, "region", "INDIRECT/FILTER")]
    said: dict[str, object] = {"columns": edges}
    if attached:
        from ledger.core.encoding import encode_json
        from ledger.core.records import Attachment

        data = encode_json(edges)
        digest = sha256(data).hexdigest()
        world.logs.attachments[digest] = data
        said = {"attachments": [Attachment("columns", "application/json", {"sha256": digest}, len(data))]}
    acme.activity("ab", [acme.resource("acme/b@1", b"b")], [acme.resource("acme/a@1", b"a")], **said)
    acme.activity(
        "bc",
        [acme.resource("acme/c@1", b"c")],
        [acme.resource("acme/b@1", b"b")],
        columns=[ColumnEdge(0, "sum", 0, "total"), ColumnEdge(0, "n", 0, "")],
    )
    acme.anchor()
    return acme


def column_pairs(graph: LineageGraph) -> set[str]:
    return {f"{e.output}.{e.output_field} < {e.input}.{e.input_field}" for e in graph.columns}


@pytest.mark.parametrize("attached", [False, True])
def test_one_column_up(world: World, open_index, attached: bool):
    columned(world, attached=attached)
    index = open_index(world)
    graph = index.lineage("acme/c", column="sum")
    assert column_pairs(graph) == {
        "acme/c@1.sum < acme/b@1.total",
        "acme/b@1.total < acme/a@1.price",
        "acme/b@1. < acme/a@1.region",
    }
    assert ids(graph) == ["acme/c@1", "acme/b@1", "acme/a@1"]
    assert pairs(graph) == {("acme/c@1", "acme/b@1"), ("acme/b@1", "acme/a@1")}
    assert column_pairs(index.lineage("acme/c", column="n")) >= {"acme/c@1.n < acme/b@1."}


def test_one_column_down(world: World, open_index):
    columned(world)
    index = open_index(world)
    graph = index.lineage("acme/a", direction="downstream", column="price")
    assert column_pairs(graph) == {
        "acme/b@1.total < acme/a@1.price",
        "acme/c@1.sum < acme/b@1.total",
        "acme/c@1.n < acme/b@1.",
    }
    assert index.lineage("acme/a", direction="downstream", column="price", depth=1).truncated == "depth 1"
    assert index.lineage("acme/a", direction="downstream", column="price", limit=1).truncated == "limit 1"
    with pytest.raises(NotFound, match="no column lineage"):
        index.lineage("acme/a", direction="downstream", column="colour")


def test_a_missing_attachment_is_shown_and_found_later(world: World, open_index, tmp_path: Path):
    columned(world, attached=True)
    served = dict(world.logs.attachments)
    world.logs.attachments.clear()
    index = open_index(world)
    (finding,), _ = index.findings(kind="attachment-missing")
    assert (finding.subject, finding.record is not None) == ("columns", True)
    assert column_pairs(index.lineage("acme/c", column="sum")) == {"acme/c@1.sum < acme/b@1.total"}
    before = index.state(index.head.number)
    world.logs.attachments.update(served)
    index.sync(world.chain, world.logs)
    assert index.findings(kind="attachment-missing") == ([], False)
    assert len(column_pairs(index.lineage("acme/c", column="sum"))) == 3
    assert index.state(index.head.number) == before
    entry = index.entries(type="activity")[0][-1]
    assert [each.state for each in index.attachments(entry)] == ["read"]
    world.chain.fork(world.chain.head().number - 1)
    world.chain.mine()
    index.sync(world.chain, world.logs)
    assert len(column_pairs(index.lineage("acme/c", column="sum"))) == 3  # pending now, and read again


@pytest.mark.parametrize(
    "data", [b"[", b"[[9,'x',0,'y']]", b'[[9,"x",0,"y"]]', b'[[0,"x",0]]', b'{"a":1}'], ids=str
)
def test_a_wrong_attachment_is_reported(world: World, open_index, data: bytes):
    columned(world, attached=True)
    (digest,) = world.logs.attachments
    world.logs.attachments[digest] = data
    index = open_index(world)
    (finding,), _ = index.findings(kind="attachment-invalid")
    assert "expected SHA-256" in finding.text


# --- the walk itself, on graphs without records


@pytest.fixture
def graph_file(tmp_path: Path) -> Database:
    database = open_database(tmp_path / "graph.db", bytes(32), write=True)
    yield database
    database.close()


def fill(database: Database, edges: list[tuple[int, int, int]]) -> None:
    rows = [(i, output, source, i, 2, block) for i, (output, source, block) in enumerate(edges, 1)]
    database.begin()
    database.write(insert_sql("edge"), rows)
    database.commit()


def test_a_long_chain_and_cycles(graph_file: Database):
    fill(graph_file, [(n + 1, n, 1) for n in range(1, 5000)] + [(1, 5000, 1)])
    walked = walk(graph_file, [5000], direction="upstream")
    assert walked.ids == list(range(5000, 0, -1))
    assert walk(graph_file, [5000], direction="upstream", limit=3000).ids == list(range(5000, 2000, -1))
    assert len(links(graph_file, walked)) == 5000


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("few", [5, 1000])
def test_walks_agree_with_a_plain_search(
    graph_file: Database, monkeypatch: pytest.MonkeyPatch, seed: int, few: int
):
    monkeypatch.setattr(walking, "_FEW", few)
    monkeypatch.setattr(walking, "_DEEP", 6)
    monkeypatch.setattr(walking, "_PORTION", 7)
    chance = random.Random(seed)
    edges = [(chance.randint(1, 60), chance.randint(1, 60), chance.randint(1, 3)) for _ in range(90)]
    fill(graph_file, edges)
    for direction, (near, far) in {"upstream": (0, 1), "downstream": (1, 0)}.items():
        for block in (1, 2, 3):
            for depth in (None, 0, 1, 2, 5):
                distance = {7: 0}
                frontier = [7]
                while frontier and (depth is None or distance[frontier[0]] < depth):
                    nodes = [e[far] for n in frontier for e in edges if e[near] == n and e[2] <= block]
                    nodes = [n for n in dict.fromkeys(nodes) if n not in distance]
                    distance |= dict.fromkeys(nodes, distance[frontier[0]] + 1)
                    frontier = nodes
                walked = walk(graph_file, [7], direction=direction, depth=depth, block=block)
                assert set(walked.ids) == set(distance)
                assert [distance[n] for n in walked.ids] == sorted(distance.values())
                shown = {(link.output, link.input) for link in links(graph_file, walked)}
                inside = {(o, i) for o, i, b in edges if b <= block and o in distance and i in distance}
                assert shown == inside
