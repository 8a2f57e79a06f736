"""Stories as tests: each is played once, its twins where they stand in it, and each of them is one test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ledger_cli.main import run
from ledger_cli.stories.player import Player
from ledger_cli.stories.stage import load_story

from ledger.core.errors import LedgerError

QUICK = ("weather",)
"""Story that the default tests play; the others are slow, all together."""


class Performance:
    """What came of playing a story: what went wrong in it, and in each twin; None where nothing did."""

    def __init__(self, name: str, folder: Path) -> None:
        self.story = load_story(name)
        self.fault: LedgerError | None = None
        self.faults: dict[str, LedgerError | None] = {}
        player = Player(self.story, folder, run)
        try:
            for scene in self.story.scenes:
                list(player.scene(scene))
                for twin in scene.twins:
                    self.faults[twin.name] = _fault(player.twin(twin, scene))
        except LedgerError as error:
            self.fault = error


def _fault(playing: Iterator[object]) -> LedgerError | None:
    try:
        list(playing)
    except LedgerError as error:
        return error
    return None


@pytest.fixture(scope="session")
def performance(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Performance]:
    """Return a story that was played, once for all tests."""
    played: dict[str, Performance] = {}

    def play(name: str) -> Performance:
        if name not in played:
            played[name] = Performance(name, tmp_path_factory.mktemp(name))
        return played[name]

    return play
