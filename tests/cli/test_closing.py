"""`log` lists as ever, and `log close` ends a log: not without being told twice."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Cli


def anchored(dl: Cli) -> int:
    (log,) = dl("audit", "--json").json["logs"]
    return log["checkpoints"]


def test_log_lists_as_ever(story):
    everything = story("log").out
    assert "haina/demand@1" in everything
    assert story("log", "haina/orders", "--type", "version").out.count("haina/orders@1") == 1
    assert story("log", "--json").json["format"] == "dataledger/log/v1"
    story.fails(2, "log", "haina/orders", "close")
    story.fails(2, "log", "closed")


def test_closing_and_going_on(parties):
    jinlong = parties.at("jinlong")
    jinlong("follow", "haina", "--from", "../haina")
    at = anchored(parties)
    done = parties(
        "log", "close", "--at", str(at), "--successor", "new", "--reason", "a laptop was stolen", "--yes"
    )
    assert f"closed log 0 at checkpoint {at} of {at}; records go to log 1 from now on, block" in done.out
    parties("register", "haina/more", "orders.csv")
    first, second = parties("audit", "--json").json["logs"]
    assert (first["closed_at"], first["successor"]) == (at, second["log"])
    said = parties("audit").out
    assert said.startswith("GOOD")
    assert "was closed in block" in said
    assert "log-closed" in said
    assert "haina/more" in jinlong("show", "haina/more").out
    assert "closed in block" in jinlong("follow").out
    parties("follow", "jinlong", "--from", "../jinlong")
    assert (
        parties("sync", "--digest", "--json").json["state_digest"]
        == (jinlong("sync", "--digest", "--json").json["state_digest"])
    )


@pytest.mark.parametrize(
    "arguments", [(), ("--at", "1"), ("--successor", "new"), ("--at", "x"), ("--at", "-1")]
)
def test_what_is_missing_is_asked_for(story, arguments):
    story.fails(2, "log", "close", *arguments)


def test_nothing_is_closed_without_being_told(steady):
    """No person sits at this terminal: nobody can be asked, so it has to be said."""
    done = steady.fails(2, "log", "close", "--at", "1", "--successor", "new")
    assert "nothing was done" in done.err
    assert "--yes" in done.err


def test_a_person_is_asked(story, monkeypatch):
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    for answer, code in (("n\n", 2), ("y\n", 0)):
        asked = []

        def confirm(text, err, answer=answer, asked=asked):
            asked.append(text)
            return answer == "y\n"

        monkeypatch.setattr("click.confirm", confirm)
        done = story.run("log", "close", "--at", "1", "--successor", "new")
        assert done.code == code, done
        assert "for good?" in asked[0]
        assert "keep their effect" in asked[0]
