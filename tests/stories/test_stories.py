"""The twelve stories and their twins: every command says, word for word, what the story says that it does."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from ledger_cli.stories.stage import load_story, story_names
from ledger_cli.stories.story import Scene, Step, Twin

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


# what the stories are, all together

TWELVE = {
    "border", "breach", "component", "consent", "double-listing", "exchange", "price-cap", "region",
    "training-set", "valuation", "washing-machine", "weather",
}  # fmt: skip
KINDS = {"altered past record", "dropped tail", "revoked signer", "replayed settlement", "backdated consent"}
REFUSED = ("duplicate", "rejected", "FINDING", "DENIED", "UNKNOWN")


def steps(*bodies: Scene | Twin) -> list[Step]:
    return [part for body in bodies for part in body.parts if isinstance(part, Step)]


def test_there_are_twelve():
    assert {story.name for story in STORIES} == TWELVE


def test_every_kind_of_attack_is_there_several_times():
    kinds = Counter(twin.kind for story in STORIES for twin in story.twins)
    assert all(kinds[kind] >= 2 for kind in KINDS), kinds


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_story_has_parties_questions_and_twins(story):
    told = steps(*story.scenes)
    assert len({step.folder for step in told}) >= 4
    asked = {step.command.split()[1] for step in told if step.command.startswith("dataledger ")}
    assert {"grant", "follow", "may", "audit"} <= asked
    assert asked & {"history", "trace", "impact", "settle", "incident", "duplicates"}
    assert len(story.twins) >= 3
    assert len({twin.kind for twin in story.twins}) >= 2
    assert any("claimed by" in line.lower() for step in told for line in step.expected)


@pytest.mark.parametrize(
    "twin", [pytest.param(twin, id=twin.name) for story in STORIES for twin in story.twins]
)
def test_a_twin_ends_in_a_refusal(twin):
    """Somebody is told: by an exit code, or by a word."""
    said = [line for step in steps(twin) for line in step.expected]
    assert any(step.code for step in steps(twin)) or any(word in line for line in said for word in REFUSED)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_story_does_not_rot(story):
    """No expectation names a day near the day it was written on, nor an id, a path or a digest."""
    bodies = [*story.scenes, *story.twins]
    for step in steps(*bodies):
        for line in step.expected:
            assert not re.search(r"\b20(2[6-9])-\d\d-\d\d", line), (step.line, line)
            assert not re.search(r"\b[0-9a-f]{12,}\b|0x[0-9a-f]{8}|/tmp/", line), (step.line, line)
            assert "Traceback" not in line, (step.line, line)
