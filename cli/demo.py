"""`demo`: plays a story with the real commands, for a person to read."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger.core.errors import Usage

from .declare import command, pass_session
from .render.layout import shown
from .session import Session

if TYPE_CHECKING:
    from .stories.results import StepPlayed
    from .stories.story import Story


@command(
    answers="Played | Stories",
    example="dataledger demo\ndataledger demo washing-machine\ndataledger demo weather --keep ../weather",
)
@click.argument("story", default="list", metavar="[LIST|STORY]")
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Play in this new folder, and leave everything there. Default: a temporary one.",
)
@click.option("--twins/--no-twins", default=True, help="Play what somebody might do, too. Default: yes.")
@pass_session
def demo(session: Session, story: str, keep: Path | None, twins: bool) -> None:
    """Play a story step by step, with the real commands.

    Without a STORY they are listed. Each has several parties, with folder, keys and log of their own, on an
    embedded chain, a question and an answer; and twins: what somebody might do at some point of it (alter a
    past record, drop a log's tail, date a consent back, sign with a revoked key, settle twice), and what
    comes of that, each on a copy. Exits with 1 if a command says anything else than the story expects.
    """
    from . import telling
    from .stories.results import Stories, listed
    from .stories.stage import load_story, story_names

    if story.lower() == "list":
        found = Stories(stories=[listed(load_story(each)) for each in story_names()])
        session.answer(found, telling.stories)
        return
    _play(session, load_story(story), keep, twins)


def _play(session: Session, story: Story, keep: Path | None, twins: bool) -> None:
    """Play in a folder, and print each step when it is done; as JSON, all of them in the end."""
    from . import telling
    from .stories.results import Played, listed

    with _folder(keep) as folder:
        if not session.as_json:
            session.print(map(shown, telling.opening(story)))
        steps = list(_steps(session, story, folder, twins))
    where = str(keep.absolute()) if keep else ""
    session.answer(Played(story=listed(story), steps=steps, folder=where), telling.ending)


def _steps(session: Session, story: Story, folder: Path, twins: bool) -> Iterator[StepPlayed]:
    """Play, and tell a person meanwhile; yield the commands that were run."""
    from . import telling
    from .main import run
    from .stories.player import Player
    from .stories.results import StepPlayed

    done, total = 0, story.count(twins=twins)
    for event in Player(story, folder, run).play(twins=twins):
        if not session.as_json:
            session.print(map(shown, telling.event(event)))
        if isinstance(event, StepPlayed):
            yield event
            done += 1
        session.progress(f"playing {story.name}", done, total)


@contextlib.contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """A folder to play in: the one to keep, which must be new or empty, or one that is gone afterwards."""
    import tempfile

    if keep is None:
        with tempfile.TemporaryDirectory(prefix="dataledger-demo-") as name:
            yield Path(name)
        return
    if keep.exists() and any(keep.iterdir()):
        raise Usage(f"the folder is not empty: {keep}", hint="name a new one")
    keep.mkdir(parents=True, exist_ok=True)
    yield keep.absolute()
