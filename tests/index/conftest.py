"""What the tests of the index share: worlds, and indexes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledger.index import Index
from tests.simulator import Logs, World

OpenIndex = Callable[..., Index]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def open_index(tmp_path: Path) -> Iterator[OpenIndex]:
    """Return a function that makes an index of a world and syncs it with some view of its logs."""
    opened: list[Index] = []

    def make(world: World, logs: Logs | None = None, name: str = "index") -> Index:
        index = Index.open(tmp_path / f"{name}.db", world.descriptor)
        opened.append(index)
        index.sync(world.chain, world.logs if logs is None else logs, workers=0)
        return index

    yield make
    for index in opened:
        index.close()
