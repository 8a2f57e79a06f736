"""Blocks of the same second keep their order in the moments that rights go by."""

from __future__ import annotations

from itertools import pairwise

from ledger.index.rights import Rights
from tests.simulator import World


def test_moments_order_as_blocks_do(world: World, open_index) -> None:
    acme = world.party("acme")
    blocks = [
        world.chain.mine(world.claim(f"acme.n{n}", acme), seconds=seconds)
        for n, seconds in enumerate((10, 0, 0, 1, 0))
    ]
    index = open_index(world)
    rights = Rights(index.database, index.descriptor.chain_id, world.chain.head().number)
    moments = [rights.moment(block.number) for block in blocks]
    assert [moment - block.time_unix_s * 10**9 for moment, block in zip(moments, blocks, strict=True)] == [
        0, 2, 4, 0, 2,
    ]  # fmt: skip
    assert all(before + 1 < after for before, after in pairwise(moments))
