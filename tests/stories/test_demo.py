"""`dataledger demo`: lists, plays, keeps, and fails when the product does something else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from ledger_cli import main
from ledger_cli.stories import stage

STORY = """\
# A short one

**Question.** Who?

**Answer.** Somebody.

## One

Told.

```console
gz$ dataledger -q init gz --name Somebody
Started a ledger
...
gz$ dataledger status --none
error: no such option --none
...
[2]
```

### Twin (a kind): What if

```console
gz$ dataledger trace gz/x
...
[2]
```
"""


@pytest.fixture
def story(tmp_path, monkeypatch):
    """One short story is all there is; returns its file."""
    file = tmp_path / "stories" / "short" / "story.md"
    file.parent.mkdir(parents=True)
    file.write_text(STORY)
    monkeypatch.setattr(stage, "_folder", lambda: tmp_path / "stories")
    monkeypatch.chdir(tmp_path)
    return file


def test_it_lists(story, capsys):
    assert main.run(["demo"]) == main.run(["demo", "list"]) == 0
    once, again = capsys.readouterr().out.split("dataledger demo STORY plays one\n")[:2]
    assert once == again
    assert "short  1      A short one" in once
    assert main.run(["demo", "--json"]) == 0
    (listed,) = json.loads(capsys.readouterr().out)["stories"]
    assert (listed["name"], listed["question"]) == ("short", "Who?")
    assert listed["twins"] == [{"name": "what-if", "kind": "a kind", "title": "What if"}]


def test_it_plays_for_a_person(story, capsys, tmp_path):
    assert main.run(["demo", "short"]) == 0
    out = capsys.readouterr().out
    parts = [
        "A short one\n", "Question: Who?", "== One", "Told.", "gz$ dataledger -q init gz --name Somebody",
        "Started a ledger", "party      Somebody (did:ethr:", "gz$ dataledger status --none",
        "error: no such option --none", "[exit code 2]", "-- twin (a kind): What if", "Answer: Somebody.",
        "3 commands did what the story says; the folder is gone",
    ]  # fmt: skip
    places = [out.index(part) for part in parts]
    assert places == sorted(places)
    assert main.run(["demo", "short", "--no-twins"]) == 0
    assert "twin" not in capsys.readouterr().out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["stories"]


def test_what_is_kept(story, capsys, tmp_path):
    assert main.run(["demo", "short", "--keep", "kept/here", "--json"]) == 0
    played = json.loads(capsys.readouterr().out)
    assert played["folder"] == str(tmp_path / "kept" / "here")
    assert [(step["twin"], step["exit_code"]) for step in played["steps"]] == [
        ("", 0),
        ("", 2),
        ("what-if", 2),
    ]
    assert (tmp_path / "kept" / "here" / "story" / "gz" / ".dataledger" / "config.toml").exists()
    assert (tmp_path / "kept" / "here" / "what-if" / "gz" / ".dataledger" / "config.toml").exists()
    assert main.run(["demo", "short", "--keep", "kept"]) == 2
    assert "the folder is not empty" in capsys.readouterr().err


def test_it_stops_where_the_product_does_something_else(story, capsys, tmp_path):
    story.write_text(STORY.replace("Started a ledger", "Ended a ledger"))
    assert main.run(["demo", "short"]) == 1
    err = capsys.readouterr().err
    assert "error: story short, line 12: gz$ dataledger -q init gz --name Somebody" in err
    assert "expected: Ended a ledger" in err
    assert "Started a ledger" in err
    assert main.run(["demo", "short", "--json"]) == 1
    assert json.loads(capsys.readouterr().err)["error"] == "Departed"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["stories"]


def test_a_story_that_is_not_known(story, capsys):
    assert main.run(["demo", "shrt"]) == 2
    assert "there is no story 'shrt'" in capsys.readouterr().err


@pytest.mark.slow
def test_ctrl_c_leaves_no_folder(tmp_path):
    """Really interrupted, while a story plays."""
    import signal
    import time

    command = [sys.executable, "-m", "ledger_cli", "demo", "weather"]
    env = {"PATH": "", "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as playing:
        assert playing.stdout is not None
        assert playing.stdout.readline()
        while not any(tmp_path.glob("dataledger-demo-*/story/gz/.dataledger")):
            time.sleep(0.05)
        playing.send_signal(signal.SIGINT)
        _, err = playing.communicate(timeout=60)
    assert playing.returncode == 130
    assert b"interrupted" in err
    assert list(Path(tmp_path).iterdir()) == []
