"""Statements and incidents on the command line: what is printed, asked for as JSON, and the exit codes."""

from __future__ import annotations

import click

from tests.cli.conftest import Cli


def followed(parties: Cli) -> Cli:
    """Return the other party; both follow each other."""
    other = parties.at("jinlong")
    parties("follow", "jinlong", "--from", "../jinlong/.dataledger/public")
    other("follow", "haina", "--from", "../haina/.dataledger/public")
    return other


def record_of(done) -> str:
    return done.json["records"][0]["record"]


def test_attest_says_what_was_written_and_what_a_kind_needs(parties):
    other = followed(parties)
    done = other("attest", "haina/orders@1", "--kind", "review", "--outcome", "passed", "--sample", "5%")
    assert done.out.startswith("attestation  haina/orders@1  record ")
    failed = other.fails(2, "attest", "haina/orders", "--kind", "quality", "--score", "98.5%")
    assert "quality: expected topic" in failed.err
    assert "it needs score, topic and may have" in failed.err
    assert "--kind" in other.fails(2, "attest", "haina/orders").err
    assert "not both" in other.fails(2, "attest", "haina/orders", "--freeze", "--lift").err
    assert "objection" in other.fails(2, "attest", "haina/orders", "--freeze", "--kind", "review").err


def test_frozen_by_the_arbiter_and_lifted_again(parties):
    other = followed(parties)
    (parties.folder / "plan.csv").write_text("x\n")
    parties("register", "haina/plan", "plan.csv", "--arbiter", "jinlong")
    parties("may", "haina", "operate", "haina/plan")
    assert "not-arbiter" in parties.fails(2, "attest", "haina/plan", "--freeze", "--text", "mine").err
    freeze = record_of(other("attest", "haina/plan", "--freeze", "--text", "until it is decided", "--json"))
    frozen = parties.run("may", "haina", "operate", "haina/plan")
    assert (frozen.code, "an arbiter has frozen it" in frozen.out) == (1, True)
    other("attest", "haina/plan", "--lift", "--text", "decided")
    parties("may", "haina", "operate", "haina/plan")
    other("attest", "haina/plan", "--freeze", "--text", "and again")
    assert parties.run("may", "haina", "operate", "haina/plan").code == 1
    other("attest", "--about", freeze[:12], "--lift", "--text", "named by the freeze")
    parties("may", "haina", "operate", "haina/plan")


def test_a_name_that_nobody_mentioned_is_no_answer(parties):
    followed(parties)
    for command in (("impact", "haina/order", "--parties"), ("duplicates", "haina/order")):
        assert "nothing is known of haina/order" in parties.fails(2, *command).err


def test_an_incident_from_its_opening_to_its_end(parties):
    other = followed(parties)
    parties("grant", "haina/orders", "--to", "jinlong", "--rights", "use")
    opened = parties("incident", "open", "haina/orders", "--topic", "breach", "--text", "copied", "--json")
    record = record_of(opened)
    shown = click.unstyle(parties("incident", "show", record[:10]).out)
    assert shown.startswith("OPEN: breach, in haina/orders")
    assert "Jinlong Motors" in shown
    assert "COMPLETE: to block" in shown
    notice = record_of(parties("incident", "notify", record, "--due", "2099-01-31", "--json"))
    assert f"dataledger incident acknowledge {notice[:12]}" in other("status").out
    assert notice[:12] in other("incident", "show").out
    other("incident", "acknowledge", notice[:12])
    shown = parties("incident", "show", record, "--json").json
    assert (shown["format"], shown["unacknowledged"], shown["complete"]) == (
        "dataledger/incident/v1",
        0,
        True,
    )
    done = parties("incident", "close", record, "--text", "all copies deleted")
    assert "nothing is outstanding" in done.out
    assert "closed" in parties("incident", "show").out


def test_impact_with_parties_is_complete_or_exits_with_3(parties):
    parties("grant", "haina/orders", "--to", "jinlong", "--rights", "use")
    missing = parties.run("impact", "haina/orders", "--parties")
    assert missing.code == 3
    assert "INCOMPLETE" in click.unstyle(missing.out)
    assert "dataledger follow" in missing.out
    followed(parties)
    found = parties("impact", "haina/orders", "--parties", "--json").json
    assert (found["format"], found["complete"]) == ("dataledger/recall/v1", True)
    assert [each["name"] for each in found["versions"]] == ["haina/orders@1", "haina/demand@1"]
    assert "only --at" in parties.fails(2, "impact", "haina/orders", "--parties", "--depth", "1").err
