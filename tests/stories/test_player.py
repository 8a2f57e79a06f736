"""The player itself: it fails where the product departs from the story, and nothing leaks out of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from ledger_cli.stories import stage
from ledger_cli.stories.player import Departed, Event, Player
from ledger_cli.stories.results import StepPlayed
from ledger_cli.stories.stage import load_story, story_names
from ledger_cli.stories.story import Said, Scene, Twin

from ledger.core.errors import FormatError, NotFound

HEAD = "# T\n\n**Question.** Q\n\n**Answer.** A\n\n## One\n\nTold.\n\n"


def said(arguments: Sequence[str]) -> int:
    """Stands in for `dataledger`: says its arguments and where it is, and ends with the last of them."""
    print(*arguments, "in", Path.cwd().name)
    print("aside", file=sys.stderr)
    return int(arguments[-1])


@pytest.fixture
def tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Player]:
    """Put a story with these commands, and a twin's, among the stories, and return its player."""
    stories = tmp_path / "stories"
    monkeypatch.setattr(stage, "_folder", lambda: stories)

    def put(commands: str, twin: str = "", command: stage.Command = said) -> Player:
        text = HEAD + f"```console\n{commands}\n```\n"
        text += f"\n### Twin (a kind): Twin\n\n```console\n{twin}\n```\n" if twin else ""
        (stories / "tale" / "gz").mkdir(parents=True)
        (stories / "tale" / "gz" / "data.csv").write_text("a,b\n")
        (stories / "tale" / "story.md").write_text(text)
        assert story_names() == ["tale"]
        return Player(load_story("tale"), tmp_path / "stage", command)

    return put


def play(player: Player) -> list[Event]:
    return list(player.play())


def test_it_tells_and_does_in_order(tell):
    player = tell("gz$ dataledger x 0\nx 0 in gz\naside", twin="sky$ dataledger 'y z' 3\n...\n[3]")
    one, told, step, twin, twin_step = play(player)
    assert isinstance(one, Scene)
    assert isinstance(twin, Twin)
    assert told == Said("Told.")
    assert step == StepPlayed(
        scene="One",
        twin="",
        folder="gz",
        command="dataledger x 0",
        output=["x 0 in gz", "aside"],
        exit_code=0,
    )
    assert (twin_step.twin, twin_step.output[0], twin_step.exit_code) == ("twin", "y z 3 in sky", 3)
    assert len(list(player.__class__(player.story, player._folder / "again", said).play(twins=False))) == 3


@pytest.mark.parametrize(
    ("commands", "match"),
    [
        (
            "gz$ dataledger 0\n1 in gz\naside",
            r"line 12: gz\$ dataledger 0\nexpected: 1 in gz\nfound:\n  0 in gz",
        ),
        ("gz$ dataledger 0", "expected: nothing more\nfound:\n  0 in gz\n  aside"),
        ("gz$ dataledger 1\n...", "expected exit code 0, found 1"),
        ("gz$ dataledger 0\n...\n[1]", "expected exit code 1, found 0"),
        ("gz$ dataledger 2\nno\n[1]", "expected: no\nexpected exit code 1, found 2"),
        ("gz$ cat none.csv", "expected exit code 0, found 1"),
        ("gz$ no-such-program", "expected exit code 0, found 127\nfound:\n  no program 'no-such-program'"),
        ("gz$ true\nsomething", "expected: something\nfound:\n  nothing"),
    ],
)
def test_a_story_that_expects_something_else_fails(tell, commands, match):
    with pytest.raises(Departed, match=match) as failed:
        play(tell(commands))
    assert failed.value.exit_code == 1


def test_a_twin_that_departs_fails_too(tell):
    player = tell("gz$ dataledger 0\n...", twin="gz$ dataledger 1\n...")
    with pytest.raises(Departed, match="line 19"):
        play(player)


def test_what_is_captured_goes_on_and_never_out_of_a_twin(tell):
    commands = "gz$ dataledger 0\n{N} in {WHERE}\n..."
    player = tell(commands, twin="gz$ dataledger {N}\n{M} in {WHERE}\n...")
    assert player._names == {}
    assert play(player)[-1].command == "dataledger 0"
    assert player._names == {"N": "0", "WHERE": "gz"}


@pytest.mark.parametrize("command", ["dataledger {N}", "cat 'open"])
def test_a_command_that_can_not_be_read(tell, command):
    with pytest.raises(FormatError, match=r"stands in a command|No closing quotation"):
        play(tell(f"gz$ {command}"))


def test_a_twin_works_on_a_copy(tell):
    player = tell("gz$ cat data.csv\na,b", twin="gz$ rm data.csv\nother$ cp /dev/null new")
    play(player)
    stage_, copy = player._folder / "story", player._folder / "twin"
    assert (stage_ / "gz" / "data.csv").exists()
    assert not (copy / "gz" / "data.csv").exists()
    assert sorted(path.name for path in stage_.iterdir()) == ["gz"]


def test_programs_are_real_and_so_is_where_they_write(tell):
    script = 'import os, sys; os.write(1, b"one\\n"); os.write(2, b"two\\n"); print(sys.stdin.read())'
    player = tell(
        f"gz$ python3 -c '{script}'\none\ntwo\n\ngz$ cat data.csv > copy.csv\ngz$ cat copy.csv\na,b"
    )
    play(player)


def test_nothing_of_the_person_gets_in_or_is_changed(tell, monkeypatch, capfd):
    monkeypatch.setenv("DATALEDGER_HOME", "/nowhere")
    before, where, streams = dict(os.environ), Path.cwd(), (sys.stdin, sys.stdout, sys.stderr)

    def command(_: Sequence[str]) -> int:
        assert "DATALEDGER_HOME" not in os.environ
        os.environ["LEFT"] = "behind"
        print("héllo 你好")
        return 0

    play(tell("gz$ dataledger\nhéllo 你好", command=command))
    assert (dict(os.environ), Path.cwd(), (sys.stdin, sys.stdout, sys.stderr)) == (before, where, streams)
    print("after")
    assert capfd.readouterr() == ("after\n", "")


def test_what_goes_wrong_in_a_command_leaves_the_streams_as_they_were(tell):
    def command(_: Sequence[str]) -> int:
        raise RuntimeError("a defect")

    streams = (sys.stdin, sys.stdout, sys.stderr)
    with pytest.raises(RuntimeError, match="a defect"):
        play(tell("gz$ dataledger", command=command))
    assert (sys.stdin, sys.stdout, sys.stderr) == streams


def test_ctrl_c_ends_the_story(tell):
    with pytest.raises(KeyboardInterrupt):
        play(tell("gz$ dataledger 130\n...\n[130]"))


def test_a_story_that_is_not_there(tell):
    tell("gz$ true")
    with pytest.raises(NotFound, match="no story 'other'"):
        load_story("other")
