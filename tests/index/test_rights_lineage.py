"""A lineage read at once, for the rules of rights: what one query for each name says, as of any block."""

from __future__ import annotations

import random

import pytest

from ledger.core import digests
from ledger.core.records import Resource
from ledger.index.kinds import ALGORITHMS
from ledger.index.rights import Rights
from ledger.index.rights_lineage import RightsLineage
from tests.simulator import Party, World, digest_of

# one name at a time: what its nodes were made from; content used before its version was known leads to that
ONE_NAME = """
SELECT DISTINCT b.name, i.number, i.alg, i.digest,
  EXISTS (SELECT 1 FROM version w WHERE w.node = i.id AND w.block <= ?2)
FROM asset a JOIN node n ON n.asset = a.id
JOIN edge d ON d.output = n.id AND d.activity > 0 AND d.block <= ?2
LEFT JOIN edge z ON z.output = d.input AND z.activity = 0 AND z.block <= ?2
JOIN node i ON i.id = ifnull(z.input, d.input) JOIN asset b ON b.id = i.asset
WHERE a.name = ?1 AND (?3 IS NULL OR n.number = ?3)"""

ASSETS = ("acme/a", "acme/b", "bolt/c")
CONTENTS = [b"%d" % number for number in range(6)]


def expected(rights: Rights, block: int, name: str) -> list[str]:
    asset, _, number = name.partition("@")
    rows = rights._database.rows(ONE_NAME, asset, block, int(number) if number else None)
    found = set()
    for of, version, alg, digest, known in rows:
        if known:
            found.add(f"{of}@{version}")
        else:
            content = f"{of}@{ALGORITHMS[alg]}:{digest.hex()}"
            found.add(of if ALGORITHMS[alg] == digests.ASSET else content)
    return sorted(found)


class Worker:
    """Somebody who makes things of things, with gaps in what is recorded."""

    def __init__(self, world: World, chance: random.Random) -> None:
        self.parties = {name: world.party(name) for name in ("acme", "bolt")}
        self.chance = chance
        self.versions: list[Resource] = []
        for asset in ASSETS:
            self.party_of(asset).register(asset)

    def party_of(self, asset: str) -> Party:
        return self.parties[asset.partition("/")[0]]

    def resource(self, asset: str, *, is_output: bool) -> Resource:
        """A version that is known, one that is not (yet), an asset, or content without a version."""
        party, kind = self.party_of(asset), self.chance.randrange(8)
        known = [each for each in self.versions if each.name.startswith(asset)]
        if kind == 0:
            return party.resource(f"{asset}@{self.chance.randint(1, 9)}", self.chance.choice(CONTENTS))
        if kind == 1 and not is_output:
            return party.asset_resource(asset)
        if kind == 2 and not is_output:
            return Resource(asset, party.resource(asset, self.chance.choice(CONTENTS)).digest)
        return self.chance.choice(known) if known else party.asset_resource(asset)

    def step(self, number: int) -> None:
        asset = self.chance.choice(ASSETS)
        party = self.party_of(asset)
        if self.chance.random() < 0.5:
            content = self.chance.choice(CONTENTS)
            party.version(asset, content)
            self.versions.append(party.resource(f"{asset}@{party.latest[asset][0]}", content))
        else:
            output = self.resource(asset, is_output=True)
            drawn = [self.resource(self.chance.choice(ASSETS), is_output=False) for _ in range(3)]
            inputs = {str(each): each for each in drawn}
            party.activity(f"run-{number}", [output], list(inputs.values()))
        if self.chance.random() < 0.4:
            party.anchor()


@pytest.mark.parametrize("seed", range(12))
def test_a_lineage_at_once_is_what_each_name_says(world: World, open_index, seed: int) -> None:
    worker = Worker(world, random.Random(seed))
    for number in range(40):
        worker.step(number)
    for party in worker.parties.values():
        party.anchor()
    index = open_index(world)
    head = world.chain.head().number
    names = [*ASSETS, *(f"{asset}@{number}" for asset in ASSETS for number in range(1, 12))]
    compared = 0
    for block in range(4, head + 1, 3):
        rights = Rights(index.database, world.descriptor.chain_id, block)
        for first in random.Random(block).sample(names, 6):
            lineage = RightsLineage(index.database, block)  # what is read first decides what is remembered
            for name in (first, *names):
                assert lineage.inputs(name) == expected(rights, block, name), (block, first, name)
                compared += len(lineage.inputs(name))
    assert compared > 100


def test_what_nobody_recorded_was_made_from_nothing_known(world: World, open_index) -> None:
    worker = Worker(world, random.Random(1))
    worker.parties["acme"].anchor()
    index = open_index(world)
    lineage = RightsLineage(index.database, world.chain.head().number)
    content = digest_of("content").hex()
    for name in ("acme/a", "acme/a@7", f"acme/a@sha256:{content}", "no/such"):
        assert lineage.inputs(name) == []
    assert lineage.alg("acme/a@7") is None
