"""Every command, run for real: its answer in JSON has the shape it declares, and people get one too."""

from __future__ import annotations

import functools
import json
import operator
import shutil
import sys
from collections.abc import Iterator
from typing import Any

import click
import msgspec
import pytest
from ledger_cli.declare import Command
from ledger_cli.main import cli
from ledger_cli.stories import results as stories

from ledger.core import verdict
from ledger.formats import lineage_views
from ledger.service import results
from tests.cli.conftest import Cli

PARTY = "0x" + "12" * 20

EVENT = {
    "eventType": "COMPLETE",
    "eventTime": "2026-05-04T09:00:00Z",
    "producer": "https://example.org/etl",
    "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
    "run": {"runId": "0196b0e5-2f5c-7c55-a1d3-0d3c9a1e4f10"},
    "job": {"namespace": "etl", "name": "daily"},
    "inputs": [{"namespace": "postgres://db:5432", "name": "public.orders"}],
    "outputs": [{"namespace": "postgres://db:5432", "name": "public.report"}],
}

COMMANDS: list[list[str]] = [
    ["register", "haina/more", "orders.csv", "--title", "More", "--license", "CC-BY-4.0"],
    ["version", "haina/orders", "forecast.py"],
    ["transfer", "haina/orders", "jinlong"],
    ["grant", "haina/orders", "--to", "jinlong", "--rights", "use", "--until", "2099-12-31"],
    ["may", "haina", "operate", "haina/orders"],
    ["history", "haina/orders"],
    ["agree", "propose", "haina/orders", "--with", "jinlong", "--rights", "use", "-o", "deal.json"],
    ["agree", "offer", "haina/orders", "--with", "jinlong", "--rights", "use", "--free-for", "relief"],
    ["agree", "request", "haina/orders", "--with", "jinlong", "--rights", "hold"],
    ["agree", "show"],
    ["settle", "haina/demand", "--revenue", "100000.01", "--currency", "CNY"],
    ["settle", "record", "haina/demand", "--revenue", "100000.01", "--currency", "CNY"],
    ["settle", "statement"],
    ["import", "openlineage", "event.json"],
    ["trace", "haina/demand"],
    ["impact", "haina/orders"],
    ["impact", "haina/orders", "--parties"],
    ["party"],
    ["party", "jinlong", "--all"],
    ["duplicates"],
    ["disputes", "haina/orders"],
    ["attest", "haina/orders", "--kind", "review", "--outcome", "passed"],
    ["incident", "open", "haina/orders", "--topic", "breach", "--text", "a disk was stolen"],
    ["incident", "show"],
    ["demo", "list"],
    ["verify", "demand.csv"],
    ["evidence", "haina/demand"],
    ["trust"],
    ["audit"],
    ["status"],
    ["log"],
    ["log", "close", "--at", "1", "--successor", "new", "--yes"],
    ["show", "haina/orders"],
    ["search", "washing"],
    ["findings"],
    ["disclose", "haina/demand"],
    ["disclose", "haina/demand", "--yes"],
    ["disclose", "--list"],
    ["forget", "haina/demand"],
    ["forget", "haina/demand", "--yes"],
    ["sync", "--digest"],
    ["anchor"],
    ["follow"],
    ["serve-at", "https://data.haina.example/log"],
    ["key", "list"],
    ["key", "rotate"],
    ["namespace", "list"],
    ["namespace", "claim", "haina.europe"],
    ["namespace", "assign", "haina.parts", "jinlong"],
    ["namespace", "transfer", "haina", "jinlong"],
    ["delegate", "list"],
    ["delegate", "add", "anchor", PARTY, "--days", "30"],
]


def declared(arguments: list[str]) -> Command:
    """Return the command that these arguments begin with."""
    command: click.Command = cli
    for word in arguments:
        if not isinstance(command, click.Group) or word not in command.commands:
            break
        command = command.commands[word]
    assert isinstance(command, Command)
    return command


def check_shape(answer: str, shape: str) -> Any:
    """Decode an answer strictly as one of the Structs that its command declares."""
    names = [name.strip() for name in shape.split("|")]
    if "LineageGraph" in names and json.loads(answer)["format"] == lineage_views.JSON_FORMAT:
        return json.loads(answer)
    assert answer.count("\n") == 1
    places = (results, verdict, stories)
    shapes = [
        next(getattr(place, name) for place in places if hasattr(place, name))
        for name in names
        if name != "LineageGraph"
    ]
    return msgspec.json.decode(answer, type=functools.reduce(operator.or_, shapes), strict=True)


def answer(dl: Cli, *arguments: str) -> Any:
    """Run a command, check its answer and return it: the record id of a receipt, of all else everything."""
    found = check_shape(dl(*arguments, "--json").out, declared([*arguments]).answers)
    return found.records[-1].record if isinstance(found, results.Receipt) else found


def follow_first(parties: Cli, arguments: list[str]) -> None:
    """Follow the other party for what is incomplete without its log."""
    if arguments[0] in {"impact", "duplicates", "disputes", "settle"}:
        parties("follow", "jinlong", "--from", "../jinlong/.dataledger/public")


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda arguments: " ".join(arguments[:2]))
def test_answers_in_json(parties, arguments):
    follow_first(parties, arguments)
    (parties.folder / "event.json").write_text(json.dumps(EVENT))
    done = parties(*arguments, "--json")
    check_shape(done.out, declared(arguments).answers)
    assert done.err == ""


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda arguments: " ".join(arguments[:2]))
def test_answers_in_text(parties, arguments):
    follow_first(parties, arguments)
    (parties.folder / "event.json").write_text(json.dumps(EVENT))
    done = parties("-q", *arguments)
    assert done.out.strip()
    assert done.err == ""


CHAINED = {
    "agree sign", "agree accept", "agree verify", "agree finalize", "agree terminate", "agree end", "deliver",
    "acknowledge", "incident notify", "incident acknowledge", "incident close",
}  # fmt: skip
"""Commands that need what others made, in the two tests below."""

ELSEWHERE = {
    "init", "run", "revoke", "report", "import disclosed", "key revoke", "delegate revoke", "settle check",
    "settle escrow open", "settle escrow fund", "settle escrow approve", "settle escrow pay",
    "settle escrow show", "settle escrow withdraw", "settle escrow refund",
}  # fmt: skip
"""Further below, in test_session, in test_private and in test_settling."""


def test_every_command_is_among_those_tested():
    tested = {" ".join(path) for path in map(path_of, COMMANDS)}
    assert tested | CHAINED | ELSEWHERE == {" ".join(path) for path in leaves(cli, ())}


def path_of(arguments: list[str]) -> list[str]:
    """Return the words of a command line that name the command."""
    command: click.Command = cli
    for at, word in enumerate(arguments):
        if not isinstance(command, click.Group) or word not in command.commands:
            return arguments[:at]
        command = command.commands[word]
    return arguments


def leaves(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield the paths of all commands that answer."""
    if isinstance(command, Command):
        yield path
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from leaves(inner, (*path, name))


TERMS = ("haina/demand", "--rights", "use", "--price", "12.00 CNY", "--unit", "copy")


def test_a_trade_answers_at_every_step(parties):
    jinlong = parties.at("jinlong")
    parties("follow", "jinlong", "--from", "../jinlong/.dataledger/public")
    jinlong("follow", "haina", "--from", "../haina/.dataledger/public")
    step = answer(jinlong, "agree", "request", *TERMS, "--with", "haina")
    step = answer(parties, "agree", "offer", *TERMS, "--previous", step)
    step = answer(jinlong, "agree", "accept", step)
    answer(parties, "agree", "propose", "--previous", step, "-o", "deal.json")
    deal = answer(jinlong, "agree", "sign", "../haina/deal.json").record
    answer(parties, "agree", "sign", "deal.json")
    answer(parties, "agree", "finalize", answer(jinlong, "agree", "verify", deal))
    broken_off = answer(parties, "agree", "offer", *TERMS, "--with", "jinlong")
    answer(jinlong, "agree", "terminate", broken_off)
    delivered = answer(parties, "deliver", deal, "haina/demand@1", "--units", "2", "--charged", "24.00 CNY")
    answer(jinlong, "acknowledge", delivered)
    shown = answer(parties, "agree", "show", deal)
    assert (shown.state, shown.bill.due, shown.bill.charged) == ("FINALIZED", 2400, 2400)
    answer(parties, "agree", "end", deal, "-o", "end.json")


def test_an_incident_answers_at_every_step(parties):
    jinlong = parties.at("jinlong")
    jinlong("follow", "haina", "--from", "../haina/.dataledger/public")
    parties("follow", "jinlong", "--from", "../jinlong/.dataledger/public")
    answer(parties, "grant", "haina/demand", "--to", "jinlong", "--rights", "use")
    opened = answer(
        parties, "incident", "open", "haina/orders", "--topic", "breach", "--text", "a stolen disk"
    )
    answer(parties, "incident", "notify", opened, "--due", "2099-01-31")
    answer(jinlong, "incident", "acknowledge", opened)
    answer(parties, "incident", "close", opened, "--text", "all copies deleted")
    shown = answer(jinlong, "incident", "show", opened)
    assert shown.complete


def test_verify_answers_on_evidence(parties):
    made = check_shape(parties("evidence", "haina/demand", "--json").out, "EvidenceMade")
    arguments = ("verify", made.path, "--block", made.block_hash, "--json")
    answer = check_shape(parties(*arguments).out, "FileVerdict | Verdict")
    assert (answer.verdict, answer.digest) == ("good", made.sha256)


def test_report_answers_with_what_it_wrote(parties):
    made = check_shape(parties("evidence", "haina/demand", "--json").out, "EvidenceMade")
    arguments = ("report", made.path, "--block", made.block_hash)
    answer = check_shape(parties(*arguments, "--json").out, "ReportMade")
    assert (answer.verdict, answer.path, answer.evidence) == ("good", "demand.html", "demand.evidence")
    assert (parties.folder / "demand.html").stat().st_size == answer.bytes
    assert f"wrote demand.html: {answer.bytes:,} bytes" in parties("-q", *arguments).out
    unconfirmed = check_shape(parties.fails(3, "report", made.path, "--json").out, "ReportMade")
    assert (unconfirmed.verdict, unconfirmed.trust_root) == ("unconfirmed", "")


def test_run_answers_on_stderr(story, capfd):
    """Its stdout belongs to the program, and with --json its stderr has nothing of ours but the answer."""
    done = story("run", "--json", "-i", "haina/orders", "--", sys.executable, "-c", "print('out')")
    answer = check_shape(done.err, "RunReceipt")
    assert (answer.outcome, answer.inputs, done.out) == ("completed", ["haina/orders@1"], "")
    assert capfd.readouterr().out == "out\n"


def test_init_answers_with_what_there_is(empty):
    done = empty("init", "haina", "--json")
    answer = check_shape(done.out, "Setup")
    assert (answer.namespace, answer.namespace_claimed, answer.embedded) == ("haina", True, True)
    assert done.err == ""
    keys = check_shape(empty("key", "list", "--json").out, "Keys")
    assert [key.key for key in keys.keys] == [answer.key]


@pytest.mark.parametrize("view", ["tree", "table", "json", "dot", "mermaid"])
def test_every_view_of_a_lineage(story, view):
    for command in ("trace", "impact"):
        out = story(command, "haina/orders", "--format", view).out
        assert "haina/demand" in out or command == "trace"
    assert json.loads(story("trace", "haina/demand", "--format", "dot", "--json").out)["roots"]


@pytest.mark.parametrize(
    "options", [["--level", "asset"], ["--depth", "1"], ["--at", "6"], ["--limit", "1"]], ids=str
)
def test_lineage_within_limits(story, options):
    data = story("trace", "haina/demand", *options, "--json").json
    assert data["format"] == "dataledger/lineage/v1"
    assert bool(data["truncated"]) is (options[0] == "--limit")


# --- which workspace


def test_from_a_folder_below(story):
    (story.folder / "a" / "b").mkdir(parents=True)
    assert story.at("haina/a/b")("status", "--json").json["workspace"] == str(story.home)


def test_started_in_another_folder(story):
    outside = story.at(".")
    assert outside("-C", "haina", "verify", "demand.csv", "--json").json["verdict"] == "good"
    outside("-C", story.folder, "register", "haina/more", "orders.csv")
    outside.fails(2, "status")


@pytest.mark.parametrize("name", ["haina", "haina/.dataledger"])
def test_named_by_the_environment(story, monkeypatch, name):
    monkeypatch.setenv("DATALEDGER_HOME", str(story.folder.parent / name))
    outside = story.at(".")
    assert outside("status", "--json").json["workspace"] == str(story.home)
    assert outside("verify", "haina/demand.csv", "--json").json["verdict"] == "good"


def test_init_where_the_environment_says(empty, monkeypatch):
    elsewhere = empty.folder.parent / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setenv("DATALEDGER_HOME", str(elsewhere))
    empty("init", "haina")
    assert (elsewhere / ".dataledger" / "config.toml").exists()
    assert not empty.home.exists()


def test_a_workspace_moves_with_its_folder(story):
    moved = story.at("moved")
    shutil.move(story.folder, moved.folder)
    assert moved("verify", "demand.csv", "--json").json["verdict"] == "good"
    moved("version", "haina/orders", "forecast.py")
    assert moved("audit", "--json").json["good"]
