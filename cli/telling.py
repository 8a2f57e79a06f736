"""Stories as text: what is told, what is typed and what the commands say to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

from .render.layout import prompt, strong, table
from .stories.story import Said, Scene, Story, Twin

if TYPE_CHECKING:
    from .stories.player import Event
    from .stories.results import Played, Stories

WIDTH = 100


def stories(found: Stories) -> Iterator[str]:
    """`demo` without a story."""
    yield from table(
        ("STORY", "TWINS", "ABOUT"), ((each.name, len(each.twins), each.title) for each in found.stories)
    )
    yield "dataledger demo STORY plays one"


def opening(story: Story) -> Iterator[str]:
    """Title and question."""
    yield strong(story.title)
    yield from _paragraph(f"Question: {story.question}")


def event(happened: Event) -> Iterator[str]:
    """What is told, what begins, what was done: a command, what it said, its exit code unless that is 0."""
    match happened:
        case Said():
            yield from _paragraph(happened.text)
        case Scene():
            yield from ("", strong(f"== {happened.title}"))
        case Twin():
            yield from ("", strong(f"-- twin ({happened.kind}): {happened.title}"))
        case _:
            yield prompt(f"{happened.folder}$", f" {happened.command}")
            yield from happened.output
            if happened.exit_code:
                yield f"[exit code {happened.exit_code}]"


def ending(played: Played) -> Iterator[str]:
    """The answer, and what is left."""
    yield from _paragraph(f"Answer: {played.story.answer}")
    kept = f"everything is left in {played.folder}" if played.folder else "the folder is gone"
    yield f"{len(played.steps)} commands did what the story says; {kept}"


def _paragraph(text: str) -> Sequence[str]:
    return ["", *wrap(text, WIDTH), ""]
