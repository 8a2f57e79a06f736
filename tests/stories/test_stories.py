"""The twelve stories and their twins: every command says, word for word, what the story says that it does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ledger_cli.stories.stage import load_story, story_names

from tests.stories.conftest import QUICK

STORIES = [load_story(name) for name in story_names()]


def marked(*values: str) -> Any:
    """Return parameters of a test about the story that is named first."""
    return pytest.param(*values, id="-".join(values), marks=[] if values[0] in QUICK else [pytest.mark.slow])


def twins() -> Iterator[Any]:
    for story in STORIES:
        yield from (marked(story.name, twin.name) for twin in story.twins)


@pytest.mark.parametrize("name", [marked(story.name) for story in STORIES])
def test_story(performance, name):
    fault = performance(name).fault
    if fault is not None:
        raise fault


@pytest.mark.parametrize(("name", "twin"), list(twins()))
def test_twin(performance, name, twin):
    played = performance(name)
    if twin not in played.faults:
        pytest.fail(f"the story stopped before it: {played.fault}")
    fault = played.faults[twin]
    if fault is not None:
        raise fault
