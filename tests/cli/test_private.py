"""disclose, forget, import disclosed: shown before done, safe on a terminal, honest about what is final."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Cli

HOSTILE = "\x1b[2J\u202egnihtyreve\nsecond line"


@pytest.fixture
def hostile(story: Cli) -> Cli:
    """A run whose command line would clear the terminal and turn its text around."""
    story(
        "run",
        "-o",
        "haina/out=out.csv",
        "--",
        sys.executable,
        "-c",
        "open('out.csv', 'w').write('1')",
        HOSTILE,
    )
    return story


def test_without_yes_it_shows(steady: Cli) -> None:
    done = steady("disclose", "haina/demand")
    assert "to be disclosed: 1 private attachment, in evidence files made here" in done.out
    assert '{"command":[' in done.out
    assert "repeat with --yes" in done.out
    done = steady("forget", "haina/demand", "--json")
    assert (done.json["format"], done.json["action"]) == ("dataledger/disclosures/v1", "to-forget")
    assert steady("disclose", "--list").out.startswith("disclosed: 0 private attachments")


def test_the_whole_way(parties: Cli, tmp_path: Path) -> None:
    haina, jinlong = parties, parties.at("jinlong")
    jinlong("follow", "haina", "--from", "../haina/.dataledger/public")
    assert "withheld" in jinlong("show", "haina/demand@1").out
    assert "withheld" in jinlong.fails(2, "disclose", "haina/demand", "--yes").err
    assert haina("disclose", "haina/demand", "--yes").out.splitlines()[2].startswith("disclosed: 1 private")
    (listed,) = haina("disclose", "--list", "--json").json["attachments"]
    assert (listed["role"], listed["state"], listed["subject"]) == ("command", "disclosed", "haina/demand@1")
    done = haina("disclose", listed["digest"][:10], "-o", "../out", "--yes")
    assert "written: 1 private attachment, to ../out" in done.out
    (file,) = (tmp_path / "out").iterdir()
    assert "received: 1 private attachment" in jinlong("import", "disclosed", file).out
    assert "private" in jinlong("show", "haina/demand@1").out
    done = haina("disclose", "--withdraw", "haina/demand")
    assert "withdrawn: 1 private attachment" in done.out
    assert "stays handed out" in done.out
    done = haina("forget", "haina/demand", "--yes")
    assert "forgotten: 1 private attachment, for good" in done.out
    assert "copies elsewhere are not reached" in done.out
    assert "forgotten" in haina("show", "haina/demand@1").out
    assert "was forgotten on purpose" in haina("audit").out
    assert "forgotten here on purpose" in haina.fails(2, "import", "disclosed", file).err
    assert "private" in jinlong("show", "haina/demand@1").out  # what was handed out stays handed out


def test_what_it_holds_does_not_steer_the_terminal(hostile: Cli) -> None:
    for arguments in (
        ("disclose", "haina/out"),
        ("forget", "haina/out"),
        ("disclose", "haina/out", "--json"),
    ):
        out = hostile(*arguments).out
        assert "\x1b" not in out
        assert "\u202e" not in out
        assert len(out.splitlines()) <= 5


def test_raw_content_does_not_either(story: Cli, tmp_path: Path) -> None:
    """Not JSON, which escapes, but bytes as somebody sealed them: the preview is neutralised all the same."""
    from ledger.service.private import _first_line

    assert "\x1b" in _first_line(HOSTILE.encode())
    from ledger_cli.render.disclosing import disclosures

    from ledger.service.results.private import Disclosures, PrivateAttachment

    each = PrivateAttachment(
        digest="ab" * 32, state="private", size=3, preview=_first_line(HOSTILE.encode()), ours=True
    )
    lines = list(disclosures(Disclosures(action="to-disclose", attachments=[each])))
    assert not [line for line in lines if not line.isprintable()]
    assert r"\x1b[2J\u202egnihtyreve" in lines[1]


@pytest.mark.parametrize(
    "arguments",
    [
        ("disclose",),
        ("disclose", "--yes"),
        ("disclose", "--list", "haina/demand"),
        ("disclose", "--list", "--yes"),
        ("disclose", "--withdraw"),
        ("disclose", "--withdraw", "--yes", "haina/demand"),
        ("disclose", "--withdraw", "-o", "out", "haina/demand"),
        ("disclose", "haina/demand", "-o", "orders.csv", "--yes"),
        ("disclose", "haina/orders"),
        ("disclose", "haina/demand", "--role", "event"),
        ("disclose", "nothing like it"),
        ("forget",),
        ("forget", "haina/orders", "--yes"),
        ("import", "disclosed"),
        ("import", "disclosed", "nothing.sealed"),
        ("import", "disclosed", "sensors"),
    ],
    ids=" ".join,
)
def test_what_makes_no_sense(steady: Cli, arguments: tuple[str, ...]) -> None:
    steady.fails(2, *arguments)


def test_what_is_no_disclosure(steady: Cli) -> None:
    assert "tag, salt and length" in steady.fails(1, "import", "disclosed", "orders.csv").err


def test_damaged_marks_disclose_nothing(story: Cli) -> None:
    (story.home / "private" / "marks.json").write_text("{}")
    for arguments in (
        ("disclose", "--list"),
        ("disclose", "haina/demand", "--yes"),
        ("show", "haina/demand@1"),
    ):
        assert "marks.json" in story.fails(1, *arguments).err
