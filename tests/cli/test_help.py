"""The command explains itself: help with an example everywhere, near misses, and a start without ballast."""

from __future__ import annotations

import resource
import shlex
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from ledger_cli import assets
from ledger_cli.declare import Command, Group
from ledger_cli.main import cli

FIRST_USE = [
    "demo",
    "init",
    "register",
    "run",
    "version",
    "transfer",
    "revoke",
    "import",
    "trace",
    "impact",
    "verify",
    "audit",
]


def paths(group: click.Group = cli, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of every command, groups too."""
    for name, command in group.commands.items():
        yield (*before, name)
        if isinstance(command, click.Group):
            yield from paths(command, (*before, name))


def command_at(path: tuple[str, ...]) -> click.Command:
    command: click.Command = cli
    for name in path:
        assert isinstance(command, click.Group)
        command = command.commands[name]
    return command


every_command = pytest.mark.parametrize("path", list(paths()), ids=" ".join)
every_leaf = pytest.mark.parametrize(
    "path", [path for path in paths() if not isinstance(command_at(path), click.Group)], ids=" ".join
)


@every_command
def test_help_says_what_it_is(empty, path):
    done = empty(*path, "--help")
    assert done.out.startswith(f"Usage: dataledger {' '.join(path)} ")
    assert done.err == ""
    assert done.out == empty(*path, "-h").out


@every_leaf
def test_help_ends_with_an_example_of_this_command(empty, path):
    _, _, example = empty(*path, "--help").out.partition("\nExample:\n")
    lines = [line.strip() for line in example.strip().splitlines()]
    assert lines
    for line in lines:
        assert shlex.split(line)[: len(path) + 1] == ["dataledger", *path]


@every_leaf
def test_examples_parse(path):
    """Every example is accepted by the command it belongs to, as far as options and arguments go."""
    command = command_at(path)
    assert isinstance(command, Command)
    for line in command.example.splitlines():
        arguments = shlex.split(line)[len(path) + 1 :]
        with command.make_context(" ".join(path), arguments):
            pass


@every_leaf
def test_every_command_answers_in_json(path):
    command = command_at(path)
    assert isinstance(command, Command)
    assert command.answers
    assert any("--json" in option.opts for option in command.params)


@every_leaf
def test_every_option_is_explained(path):
    for option in command_at(path).params:
        if isinstance(option, click.Option):
            assert option.help, f"{path} {option.opts}"


@pytest.mark.parametrize("group", [(), ("key",), ("namespace",), ("delegate",), ("import",)], ids=str)
def test_short_help_is_never_cut(empty, group):
    lines = empty(*group, "--help").out.splitlines()[1:]
    assert not [line for line in lines if line.endswith("...")]


def test_commands_stand_in_order_of_first_use():
    assert list(cli.commands)[: len(FIRST_USE)] == FIRST_USE
    assert [name for _, names in cli.sections for name in names] == list(cli.commands)


def test_every_command_is_listed_in_the_help(empty):
    listed = {line.split()[0] for line in empty("--help").out.splitlines() if line.startswith("  ")}
    assert set(cli.commands) <= listed


def test_without_a_command_help_is_printed(empty):
    done = empty.fails(2)
    assert done.err.startswith("Usage: dataledger")
    assert empty.fails(2, "key").err.startswith("Usage: dataledger key")


def test_version_of_the_tool(empty):
    assert empty("--version").out.startswith("dataledger, version ")


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        (["tarce", "x"], "did you mean trace?"),
        (["Trace", "x"], "did you mean trace?"),
        (["staus"], "did you mean status?"),
        (["add", "haina/x"], "did you mean register?"),
        (["lineage", "x"], "did you mean trace?"),
        (["permit"], "did you mean grant?"),
        (["help"], "did you mean --help?"),
        (["key", "lst"], "did you mean list?"),
        (["delegate", "remove"], "did you mean revoke?"),
        (["namespace", "create"], "no such command 'create'"),
        (["register", "x", "--titel", "y"], "no such option --titel; did you mean --title?"),
        (["run", "--inputs", "x", "--", "ls"], "no such option --inputs; did you mean --input?"),
        (["--quite", "status"], "did you mean --quiet?"),
    ],
    ids=" ".join,
)
def test_a_wrong_spelling_is_met_with_the_right_one(empty, wrong, meant):
    done = empty.fails(2, *wrong)
    assert meant in done.err
    assert "see dataledger" in done.err
    assert done.out == ""


def test_nothing_near_means_no_suggestion(empty):
    assert "did you mean" not in empty.fails(2, "xyzzy").err


@pytest.mark.parametrize(
    "wrong", [["register"], ["log", "--limit", "0"], ["log", "--limit", "\u0661"], ["log", "a", "b"]]
)
def test_wrong_arguments_name_the_help_of_their_command(empty, wrong):
    err = empty.fails(2, *wrong).err
    assert f"hint: dataledger {wrong[0]} [OPTIONS] " in err
    assert f"see dataledger {wrong[0]} --help" in err


def test_what_stands_before_the_command_is_said_to(empty):
    done = empty.fails(2, "status", "-q")
    assert "no such option -q: it stands before the command, as in dataledger -q status" in done.err


def test_a_group_of_few_names_them_all(empty):
    assert "did you mean openlineage or disclosed?" in empty.fails(2, "import", "events").err
    assert "did you mean list or claim or assign or transfer?" in empty.fails(2, "namespace", "x").err


def test_a_file_where_a_name_belongs(story):
    for command in ("trace", "impact", "show"):
        done = story.fails(2, command, "demand.csv")
        assert "hint: demand.csv is a file here: dataledger verify demand.csv says which" in done.err
    assert "is a file here" not in story.fails(2, "trace", "other.csv").err


def test_a_name_where_a_file_belongs(story):
    assert "dataledger show haina/demand" in story.fails(2, "verify", "haina/demand").err
    assert "dataledger show" not in story.fails(2, "verify", "none.csv").err


def test_options_of_the_program_are_its_own(empty):
    """What stands behind the program's name belongs to it, with and without `--`."""
    for arguments in (["python", "x.py", "-i", "--json"], ["--", "python", "x.py", "-i", "--json"]):
        with assets.run.make_context("run", list(arguments)) as context:
            assert context.params["program"] == ("python", "x.py", "-i", "--json")
            assert context.params["inputs"] == ()
            assert not context.params["as_json"]


def test_groups_are_ours():
    assert all(isinstance(command_at(path), Command | Group) for path in paths())


HEAVY = (
    "web3",
    "eth",
    "eth_account",
    "msgspec",
    "sqlite3",
    "importlib.metadata",
    "cryptography",
    "ledger.service",
)


def test_help_imports_nothing_heavy():
    code = f"""
import sys
import ledger_cli.main
assert ledger_cli.main.run(["--help"]) == 0
found = [name for name in {HEAVY!r} if name in sys.modules]
assert not found, found
"""
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_help_starts_fast():
    """0.15 s where Python itself starts in 0.03: told as a ratio, because machines are slow and busy; a core
    that two programs share is slower for the larger one.
    """

    def seconds(*arguments: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    bare = min(seconds("-c", "pass") for _ in range(5))
    assert min(seconds("-m", "ledger_cli", "--help") for _ in range(5)) < 6 * bare
