r"""A story as one readable Markdown file: what was asked, who did what, and what the commands said.

    # Title

    **Question.** What somebody wants to know.

    **Answer.** What the records say.

    ## A scene

    Narration, in paragraphs.

    ```console
    gz$ dataledger grant gz/hourly --to sky --rights operate
    grant  gz/hourly  record {GRANT}
    ...
    sky$ dataledger may sky operate gz/radar
    DENIED: ...
    [1]
    ```

    ### Twin (altered past record): What if somebody ...

A prompt names the folder of the party that types; a command that ends with `\` goes on in the next line. What
stands below it is what it says, `transcript` says how exactly, and `[1]` its exit code where that is not 0. A
twin starts from where the scene above it ended, on a copy: the story goes on as if it had not happened.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ledger.core.errors import FormatError

FENCE = "```"

_prompt = re.compile(r"(?P<folder>[a-z][a-z0-9-]*)\$ (?P<command>\S.*)").fullmatch
_twin = re.compile(r"### Twin \((?P<kind>[a-z ]+)\): (?P<title>\S.*)").fullmatch
_code = re.compile(r"\[(?P<code>[1-9][0-9]{0,2})\]").fullmatch
_lead = re.compile(r"\*\*(?P<what>Question|Answer)\.\*\* (?P<text>\S.*)").fullmatch
_slug = re.compile(r"[^a-z0-9]+").sub


@dataclass(frozen=True)
class Said:
    """A paragraph of narration."""

    text: str


@dataclass(frozen=True)
class Step:
    """A command typed in a folder, what it says, its exit code; `line` is where it stands, from 1."""

    line: int
    folder: str
    command: str
    expected: tuple[str, ...]
    code: int


Part = Said | Step


@dataclass(frozen=True)
class Twin:
    """What somebody might do to the state at the end of a scene, and what comes of it. `kind` says what it
    tries, `name` is its title in one word.
    """

    kind: str
    title: str
    parts: tuple[Part, ...]

    @property
    def name(self) -> str:
        """The title as one word."""
        return _slug("-", self.title.lower()).strip("-")


@dataclass(frozen=True)
class Scene:
    """A part of the story, and the twins that start where it ends."""

    title: str
    parts: tuple[Part, ...]
    twins: tuple[Twin, ...]


@dataclass(frozen=True)
class Story:
    """A whole story; `name` is that of its folder."""

    name: str
    title: str
    question: str
    answer: str
    scenes: tuple[Scene, ...]

    @property
    def twins(self) -> tuple[Twin, ...]:
        """All twins, in order."""
        return tuple(twin for scene in self.scenes for twin in scene.twins)

    def count(self, *, twins: bool) -> int:
        """Return how many commands there are."""
        bodies: list[Scene | Twin] = [*self.scenes, *(self.twins if twins else ())]
        return sum(isinstance(part, Step) for body in bodies for part in body.parts)


@dataclass
class _Section:
    """What stands below one heading. `number` is the heading's line."""

    number: int
    heading: str
    parts: list[Part] = field(default_factory=list)


def parse_story(name: str, text: str) -> Story:
    """Read a story; raises FormatError, with the line, for what is none."""
    head, *rest = _Reader(name, text).sections()
    lead = dict(_leading(name, head))
    if not head.heading.startswith("# ") or lead.keys() != {"Question", "Answer"}:
        raise FormatError(
            f"story {name}: expected a '# Title', then **Question.** and **Answer.** paragraphs first"
        )
    scenes = tuple(_scenes(name, rest))
    if not scenes:
        raise FormatError(f"story {name}: it has no '## Scene'")
    found = Story(name, head.heading[2:].strip(), lead["Question"], lead["Answer"], scenes)
    names = [twin.name for twin in found.twins]
    if len(set(names)) != len(names):
        raise FormatError(f"story {name}: two of its twins have one title")
    return found


def _leading(name: str, head: _Section) -> Iterator[tuple[str, str]]:
    for part in head.parts:
        found = _lead(part.text) if isinstance(part, Said) else None
        if found is None:
            raise FormatError(f"story {name}: only a question and an answer stand before the first scene")
        yield found["what"], found["text"]


def _scenes(name: str, sections: Sequence[_Section]) -> Iterator[Scene]:
    """Put twins to the scenes that they follow."""
    at = 0
    while at < len(sections):
        scene = sections[at]
        if not scene.heading.startswith("## ") or not any(isinstance(part, Step) for part in scene.parts):
            raise _wrong(name, scene.number, "expected a '## Scene' with commands", scene.heading)
        at += 1
        twins = []
        while at < len(sections) and (found := _twin(sections[at].heading)):
            twins.append(Twin(found["kind"], found["title"], tuple(sections[at].parts)))
            at += 1
        yield Scene(scene.heading[3:].strip(), tuple(scene.parts), tuple(twins))


class _Reader:
    """Goes through the lines once. Fenced lines are commands, others narration."""

    def __init__(self, name: str, text: str) -> None:
        self._name = name
        self._lines = list(enumerate(text.split("\n"), 1))
        self._at = 0

    def sections(self) -> list[_Section]:
        found: list[_Section] = []
        for number, line in self._rest():
            if line.startswith("#"):
                found.append(_Section(number, line))
            elif line.startswith(FENCE):
                if not found or line != f"{FENCE}console":
                    raise _wrong(self._name, number, f"expected {FENCE}console, below a heading", line)
                found[-1].parts += self._steps(number)
            elif line.strip():
                if not found:
                    raise _wrong(self._name, number, "expected '# Title' first", line)
                found[-1].parts.append(Said(" ".join([line.strip(), *self._paragraph()])))
        return found or [_Section(1, "")]

    def _rest(self) -> Iterator[tuple[int, str]]:
        while self._at < len(self._lines):
            self._at += 1
            yield self._lines[self._at - 1]

    def _paragraph(self) -> Iterator[str]:
        """Yield the further lines of a paragraph; what ends it is left."""
        for _, line in self._rest():
            if not line.strip() or line.startswith(("#", FENCE)):
                self._at -= 1
                return
            yield line.strip()

    def _steps(self, opened: int) -> list[Step]:
        """Read a fenced block to its end."""
        block: list[tuple[int, str]] = []
        for number, line in self._rest():
            if line == FENCE:
                return list(_steps(self._name, block))
            block.append((number, line.rstrip()))
        raise _wrong(
            self._name, opened, f"expected {FENCE} at the end of the commands", "the end of the file"
        )


def _steps(name: str, block: Sequence[tuple[int, str]]) -> Iterator[Step]:
    """Cut a block at its prompts."""
    starts = [at for at, (_, line) in enumerate(block) if _prompt(line)]
    if not starts or starts[0] != 0:
        number, line = block[0] if block else (0, "")
        raise _wrong(name, number, "expected FOLDER$ COMMAND", line)
    for start, end in zip(starts, [*starts[1:], len(block)], strict=True):
        number, line = block[start]
        found = _prompt(line)
        assert found is not None
        command, below = found["command"], [text for _, text in block[start + 1 : end]]
        while command.endswith("\\") and below:
            command = f"{command[:-1].rstrip()} {below.pop(0).strip()}"
        code = _code(below[-1]) if below else None
        expected = below[:-1] if code else below
        yield Step(number, found["folder"], command, tuple(expected), int(code["code"]) if code else 0)


def _wrong(name: str, line: int, expected: str, found: str) -> FormatError:
    return FormatError(f"story {name}, line {line}: {expected}, found {found[:80]!r}")
