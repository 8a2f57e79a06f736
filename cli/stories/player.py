"""Playing a story: each command is run for real, and what it says is held against what the story expects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from ledger.core.errors import FormatError, Invalid

from .results import StepPlayed
from .stage import Command, Stage
from .story import Part, Said, Scene, Step, Story, Twin
from .transcript import Difference, compare, dated, filled

MAIN = "story"
"""The folder of the story itself; each twin has one of its own beside it, of its name."""

Event = Scene | Twin | Said | StepPlayed
"""What a performance consists of: headings, narration, commands."""


class Departed(Invalid):
    """The product did something else than the story says."""


class Player:
    """Plays the scenes of a story in order, and their twins on copies, below an empty folder."""

    def __init__(self, story: Story, folder: Path, command: Command) -> None:
        self.story = story
        self._folder = folder
        self._stage = Stage(folder / MAIN, command)
        self._names: dict[str, str] = {}
        self._today = datetime.now(UTC).date()
        self._stage.furnish(story)

    def play(self, *, twins: bool = True) -> Iterator[Event]:
        """Play everything in order, each scene and twin announced. Raises Departed, FormatError."""
        for scene in self.story.scenes:
            yield scene
            yield from self.scene(scene)
            for twin in scene.twins if twins else ():
                yield twin
                yield from self.twin(twin, scene)

    def scene(self, scene: Scene) -> Iterator[Said | StepPlayed]:
        """Play a scene, from where the one before it ended."""
        return self._parts(scene.parts, self._stage, self._names, scene.title)

    def twin(self, twin: Twin, scene: Scene) -> Iterator[Said | StepPlayed]:
        """Play a twin of the scene that was just played; the story does not notice."""
        stage = self._stage.copy(self._folder / twin.name)
        return self._parts(twin.parts, stage, dict(self._names), scene.title, twin.name)

    def _parts(
        self, parts: Iterable[Part], stage: Stage, names: dict[str, str], scene: str, twin: str = ""
    ) -> Iterator[Said | StepPlayed]:
        """Play one after the other; `names` is what was captured so far, and is added to."""
        for part in parts:
            if isinstance(part, Said):
                yield part
                continue
            command, expected = self._prepared(part, names)
            code, output = stage.run(part.folder, command)
            compared = compare(expected, output, names)
            if isinstance(compared, Difference) or code != part.code:
                raise self._departed(part, command, compared, output, code)
            names.update(compared)
            yield StepPlayed(
                scene=scene, twin=twin, folder=part.folder, command=command, output=output, exit_code=code
            )

    def _prepared(self, step: Step, names: dict[str, str]) -> tuple[str, list[str]]:
        """Return command and expectation of this performance: with its dates, and with what was captured."""
        try:
            command = filled(dated(step.command, self._today), names)
        except FormatError as error:
            raise FormatError(f"story {self.story.name}, line {step.line}: {error}") from None
        return command, [dated(line, self._today) for line in step.expected]

    def _departed(
        self, step: Step, command: str, compared: dict[str, str] | Difference, found: list[str], code: int
    ) -> Departed:
        lines = [f"story {self.story.name}, line {step.line}: {step.folder}$ {command}"]
        if isinstance(compared, Difference):
            lines.append(f"expected: {compared.expected or 'nothing more'}")
        if code != step.code:
            lines.append(f"expected exit code {step.code}, found {code}")
        return Departed("\n".join([*lines, "found:", *(f"  {line}" for line in found or ["nothing"])]))
