"""What `demo` answers with --json."""

from __future__ import annotations

from msgspec import Struct

from .story import Story


class TwinListed(Struct, frozen=True, kw_only=True):
    """What somebody might do in a story, and what kind of attack that is."""

    name: str
    kind: str
    title: str


class StoryListed(Struct, frozen=True, kw_only=True):
    """A story: the question it is about, and the answer that the records give."""

    name: str
    title: str
    question: str
    answer: str
    twins: list[TwinListed]


class Stories(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/stories/v1"):
    """All stories that there are."""

    stories: list[StoryListed]


class StepPlayed(Struct, frozen=True, kw_only=True):
    """A command that was run in the folder of a party, what it printed, line by line, and its exit code.

    `twin` is the name of the twin that it belongs to, empty in the story itself.
    """

    scene: str
    twin: str
    folder: str
    command: str
    output: list[str]
    exit_code: int


class Played(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/demo/v1"):
    """A story that was played to its end: every command said what the story says that it does.

    `folder` is where everything was left, empty if it was not asked to be kept.
    """

    story: StoryListed
    steps: list[StepPlayed]
    folder: str


def listed(story: Story) -> StoryListed:
    """Return a story as it is listed."""
    twins = [TwinListed(name=each.name, kind=each.kind, title=each.title) for each in story.twins]
    return StoryListed(
        name=story.name, title=story.title, question=story.question, answer=story.answer, twins=twins
    )
