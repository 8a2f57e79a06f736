"""What the tests of the index share: worlds, and indexes of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledger.index import Index
from ledger.index.database import open_database
from tests.simulator import Logs, World

OpenIndex = Callable[..., Index]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.index.database._SYNCHRONOUS", "OFF")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an index without blocks: making the tables takes longer than most tests."""
    path = tmp_path_factory.mktemp("template") / "index.db"
    open_database(path, World().ledger_id, write=True).close()
    return path


@pytest.fixture
def open_index(tmp_path: Path, template: Path) -> Iterator[OpenIndex]:
    """Return a function that makes an index of a world and syncs it with some view of its logs."""
    opened: list[Index] = []

    def make(world: World, logs: Logs | None = None, name: str = "index") -> Index:
        index = Index.open(tmp_path / f"{name}.db", world.descriptor)
        if not index.path.exists() and world.ledger_id == World().ledger_id:
            shutil.copy(template, index.path)
        opened.append(index)
        index.sync(world.chain, world.logs if logs is None else logs, workers=0)
        return index

    yield make
    for index in opened:
        index.close()
