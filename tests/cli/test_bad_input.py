"""Bad input of every kind: a clear error, the right exit code, and nothing lost or changed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from ledger_cli import session


def brief(value: object) -> str:
    """Return a short name for a test, whatever the value."""
    return ascii(value)[:30]


# --- content that can't be had


def missing(folder: Path) -> None:
    """Leave no file there."""


def dangling(folder: Path) -> None:
    (folder / "x").symlink_to("nowhere")


def looping(folder: Path) -> None:
    (folder / "x").symlink_to("x")


def a_pipe(folder: Path) -> None:
    os.mkfifo(folder / "x")


def a_device(folder: Path) -> None:
    (folder / "x").symlink_to("/dev/zero")


def a_link_out(folder: Path) -> None:
    (folder / "x").mkdir()
    (folder / "x" / "out").symlink_to("../orders.csv")


def a_name_that_is_not_utf8(folder: Path) -> None:
    (folder / "x").mkdir()
    (folder / "x" / os.fsdecode(b"\xff\xfe")).write_text("x")


def a_folder_with_a_workspace(folder: Path) -> None:
    shutil.copytree(folder / ".dataledger", folder / "x" / ".dataledger")


def unreadable(folder: Path) -> None:
    """Even root can't read this one: the kernel fails the read itself."""
    (folder / "x").symlink_to("/proc/self/mem")


BAD_CONTENT: list[tuple[Callable[[Path], None], int, str]] = [
    (missing, 2, "no such file or folder: x"),
    (dangling, 2, "no such file or folder: x"),
    (looping, 3, "symbolic links"),
    (a_pipe, 2, "a device, pipe or socket can't be content"),
    (a_device, 2, "a device, pipe or socket can't be content"),
    (a_link_out, 2, "a symbolic link that leaves the folder can't be content"),
    (a_name_that_is_not_utf8, 2, "a name that is not UTF-8 can't be content"),
    (a_folder_with_a_workspace, 2, "a folder with a workspace in it can't be content"),
    (unreadable, 3, "Input/output error"),
]


@pytest.mark.parametrize(
    "command",
    [
        ("register", "haina/more", "x"),
        ("version", "haina/orders", "x"),
        ("verify", "x"),
        ("run", "-i", "haina/orders=x", "--", "true"),
    ],
    ids=lambda command: command[0],
)
@pytest.mark.parametrize(
    ("make", "code", "says"), BAD_CONTENT, ids=lambda value: getattr(value, "__name__", "")
)
def test_content_that_cannot_be_had(steady, make, code, says, command):
    if make is unreadable and not Path("/proc/self/mem").exists():
        pytest.skip("this system has no /proc")
    make(steady.folder)
    done = steady.fails(code, *command)
    assert says in done.err
    assert done.out == ""


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission(steady):
    (steady.folder / "x").write_text("x")
    (steady.folder / "x").chmod(0)
    assert "Permission denied" in steady.fails(3, "register", "haina/more", "x").err


def test_an_output_that_cannot_be_had_makes_the_run_a_failed_one(story):
    os.mkfifo(story.folder / "x")
    done = story.fails(1, "run", "-o", "haina/more=x", "--", "true")
    assert "failed: no inputs" in done.err
    assert "a device, pipe or socket can't be content" in done.err
    assert story("log", "--type", "version", "haina/demand", "--json").json["records"]
    story.fails(2, "show", "haina/more@1")


@pytest.mark.parametrize("make", [Path.touch, Path.mkdir], ids=["file", "folder"])
def test_empty_content_is_content(story, make):
    make(story.folder / "x")
    story("register", "haina/more", "x")
    assert story("verify", "x", "--json").json["verdict"] == "good"


def test_links_are_read_where_they_lead(story):
    (story.folder / "link").symlink_to("orders.csv")
    assert story("verify", "link", "--json").json["claims"][0]["version"] == "haina/orders@1"


def test_a_huge_file(story):
    """Sparse, so that only reading it takes time; it is read in pieces."""
    with (story.folder / "huge").open("wb") as file:
        file.truncate(300 << 20)
    story("register", "haina/huge", "huge")
    facts = dict(story("show", "haina/huge@1", "--json").json["facts"])
    assert facts["size"] == "314,572,800 bytes"


@pytest.mark.parametrize("change", ["grow", "touch", "replace", "remove"])
def test_a_file_that_changes_while_it_is_read(steady, monkeypatch, change):
    path = steady.folder / "x"
    path.write_bytes(bytes(64 << 20))

    def meddle(self: session.Session, what: str, done: int, total: int | None) -> None:
        if change == "grow":
            with path.open("ab") as file:
                file.write(b"more")
        elif change == "touch":
            os.utime(path, ns=(1, 1))
        elif change == "replace":
            path.with_name("y").write_bytes(bytes(64 << 20))
            path.with_name("y").replace(path)
        else:
            path.unlink(missing_ok=True)

    monkeypatch.setattr(session.Session, "progress", meddle)
    done = steady.run("register", "haina/more", "x")
    assert done.code == (2 if change == "remove" else 3)
    assert "no such file" in done.err if change == "remove" else "changed" in done.err


# --- names and words


BAD_NAMES = [
    "haina",
    "haina/",
    "/orders",
    "Haina/orders",
    "haina/Orders",
    "haina/a b",
    "haina//x",
    "haina/..",
    "-x/y",
]
BAD_NAMES += [
    "haina/é",
    "haina/x\x1b[2J",
    "haina./x",
    "haina/" + "x" * 300,
    "haina/x@1",
    "",
    "../x",
    "haina/x\n",
]


@pytest.mark.parametrize("name", BAD_NAMES, ids=brief)
def test_names_outside_the_grammar(steady, name):
    for command in (("register",), ("version",)):
        done = steady.fails(2, *command, "--", name, "orders.csv")
        assert done.err.startswith("error: asset: expected NAMESPACE/PATH")
        assert done.err.isascii()


@pytest.mark.parametrize(
    "name", ["", "Haina", "haina..x", "haina/x", "x" * 64, "ha ina", "-haina", "हैना"], ids=repr
)
def test_namespaces_outside_the_grammar(steady, name):
    for command in ("claim",), ("assign",), ("transfer",):
        party = () if command == ("claim",) else ("haina",)
        assert "namespace: expected" in steady.fails(2, "namespace", *command, "--", name, *party).err


@pytest.mark.parametrize(
    "text", ["haina/orders@0", "haina/orders@01", "haina/orders@-1", "haina/orders@9007199254740992"]
)
def test_versions_outside_the_grammar(steady, text):
    for command in ("trace", "impact", "show"):
        assert steady.fails(2, command, text).err.startswith("error: ")


@pytest.mark.parametrize(
    "text", ["haina/orders@2", "haina/orders@sha256:" + "0" * 64, "haina/none", "haina/none@1"]
)
def test_assets_and_versions_that_are_not_known(steady, text):
    for command in ("trace", "impact", "show"):
        done = steady.fails(2, command, text)
        assert "haina/" in done.err
        assert "hint: dataledger" in done.err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--at", "yesterday"], "expected a block number"),
        (["--at", "\u0662"], "expected a block number"),
        (["--at", ""], "expected a block number"),
        (["--at", "99999"], "block 99999 was asked for"),
        (["--at", "9" * 40], "expected a block number"),
        (["--at", "2"], "nothing is known of haina/demand"),
        (["--column", "none"], "no column lineage"),
        (["--column", "x", "--level", "asset"], "columns"),
        (["--limit", "0"], "--limit"),
        (["--depth", "-1"], "--depth"),
        (["--format", "pdf"], "--format"),
    ],
    ids=brief,
)
def test_questions_that_make_no_sense(steady, options, says):
    done = steady.run("trace", "haina/demand", *options)
    assert done.code in (2, 3)
    assert says in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    "options",
    [
        ["--title", "a\x1b[31mb"],
        ["--title", "x" * 10_000],
        ["--title", "two\nlines"],
        ["--description", "\ud800"],
        ["--kind", ""],
        ["--license", "x" * 5_000],
        ["--alias", "noscheme"],
        ["--alias", ":name"],
        ["--alias", "doi:"],
    ],
    ids=brief,
)
def test_words_that_no_record_takes(steady, options):
    done = steady.fails(2, "register", "haina/more", "orders.csv", *options)
    assert done.err.startswith("error: ")
    assert done.err.rstrip("\n").replace("\n", "").isprintable()


@pytest.mark.parametrize(
    "options", [["--name", "a\nb"], ["--title", "x\x00y"], ["--name", "x" * 10_000]], ids=repr
)
def test_a_run_whose_record_could_not_be_written_does_not_start(steady, options):
    steady.fails(2, "run", *options, "-o", "haina/more=made.csv", "--", "touch", "made.csv")
    assert not (steady.folder / "made.csv").exists()


@pytest.mark.parametrize(
    "query", ["", '"', "*", "a AND", "NEAR(", "(", "-", "col:x", "\x00", "洗", "a" * 5_000], ids=repr
)
def test_any_words_can_be_searched_for(steady, query):
    assert steady("search", "--", query).out


def test_a_second_registration(steady):
    done = steady.fails(2, "register", "haina/orders", "forecast.py")
    assert "haina/orders is registered already" in done.err
    assert "hint: record a new version of it: dataledger version haina/orders PATH" in done.err


def test_namespaces_of_nobody(steady):
    done = steady.fails(2, "register", "nobody/x", "orders.csv")
    assert "nobody owns the namespace nobody" in done.err
    assert "nobody owns the namespace" in steady.fails(2, "transfer", "haina/orders", "nobody").err
    assert "nobody owns the namespace" in steady.fails(2, "follow", "nobody").err


def test_giving_to_oneself(steady):
    steady.fails(2, "transfer", "haina/orders", "haina")
    steady.fails(2, "delegate", "add", "record", "haina")
    steady.fails(2, "follow", "haina")
    steady.fails(2, "namespace", "claim", "haina")
    steady.fails(2, "transfer", "haina/none", "haina")


@pytest.mark.parametrize(
    "party", ["did:ethr:0x1:0x" + "0" * 40, "did:web:example.org", "0x12", "did:", "0x" + "g" * 40]
)
def test_parties_that_are_none(steady, party):
    done = steady.run("follow", party, "--from", "sensors")
    assert done.code in (1, 2)
    assert done.err.startswith("error: ")


def test_runs_that_make_no_sense(steady):
    for wrong in (
        ["run"],
        ["run", "--", "no-such-program"],
        ["run", "--", "./orders.csv"],
        ["run", "-i", "haina/none", "--", "true"],
        ["run", "-i", "haina/orders=", "--", "true"],
        ["run", "-o", "haina/none", "--", "true"],
        ["run", "-o", "haina/demand@2=demand.csv", "--", "true"],
        ["run", "-o", "nobody/x=x", "--", "true"],
        ["run", "-i", "haina/orders@7", "--", "true"],
    ):
        steady.fails(2, *wrong)
