"""Rights on the command line: what is granted, what is answered, and the exit codes of the three answers."""

from __future__ import annotations

import click

from tests.cli.conftest import Cli, Result


def answers(dl: Cli, code: int, *arguments: str) -> Result:
    """Run a command that answers, whatever its verdict, and ends with this exit code."""
    done = dl.run(*arguments)
    assert (done.code, done.err) == (code, "")
    return done


def test_permitted_denied_and_unknown_have_exit_codes_of_their_own(parties):
    parties("follow", "jinlong", "--from", "../jinlong/.dataledger/public")
    granted = parties(
        "grant", "haina/orders", "--to", "jinlong", "--rights", "use", "--purpose", "planning",
        "--share", "6%",
        "--until", "2099-12-31", "--price-cap", "5.00 CNY", "--json",
    ).json  # fmt: skip
    record = granted["records"][0]["record"]
    done = parties("may", "jinlong", "use", "haina/orders", "--for", "planning")
    text = click.unstyle(done.out)
    assert text.startswith("PERMITTED: Jinlong Motors (did:ethr:")
    assert "may use haina/orders for planning?" in text
    assert record[:12] in text
    assert "600bps" in text
    assert "at most 5.00 CNY may be asked for a unit" in text
    denied = answers(parties, 1, "may", "jinlong", "operate", "haina/orders", "--for", "planning")
    assert click.unstyle(denied.out).startswith("DENIED: ")
    assert "it is to use" in denied.out
    answer = answers(parties, 3, "may", "jinlong", "use", "haina/orders", "--json").json
    assert (answer["verdict"], answer["because"][0]["code"]) == ("unknown", "purpose-unsaid")
    assert answer["because"][0]["record"] == record


def test_a_log_that_is_not_here_is_unknown_and_never_yes(parties):
    parties("grant", "haina/orders", "--to", "jinlong", "--rights", "use")
    other = parties.at("jinlong")
    text = click.unstyle(answers(other, 3, "may", "jinlong", "use", "haina/orders").out)
    assert text.startswith("UNKNOWN: ")
    assert "dataledger follow" in text
    other("follow", "haina", "--from", "../haina/.dataledger/public")
    assert click.unstyle(other("may", "jinlong", "use", "haina/orders").out).startswith("PERMITTED")


def test_a_grant_is_to_somebody_or_to_everybody(parties):
    for wrong in ([], ["--to", "jinlong", "--to-everybody"]):
        failed = parties.fails(2, "grant", "haina/orders", *wrong, "--rights", "use")
        assert "--to-everybody" in failed.err
    parties("grant", "haina/orders", "--to-everybody", "--rights", "use")
    assert "everybody" in parties("may", "jinlong", "use", "haina/orders").out


def test_taken_back_from_a_date_on(parties):
    parties("follow", "jinlong", "--from", "../jinlong/.dataledger/public")
    done = parties("grant", "haina/orders", "--to", "jinlong", "--rights", "use", "--json").json
    record = done["records"][0]["record"]
    parties("revoke", record[:10], "--from", "2090-01-01", "--reason", "the contract ends")
    parties("may", "jinlong", "use", "haina/orders")
    parties("may", "jinlong", "use", "haina/orders", "--at", "2089-12-31")
    late = answers(parties, 1, "may", "jinlong", "use", "haina/orders", "--at", "2090-01-01")
    assert "the grant had been taken back" in late.out
    listed = parties("log", "haina/orders", "--type", "grant", "--json").json["records"]
    assert [each["record"] for each in listed] == [record]


def test_parties_are_named_and_a_rule_list_that_is_none(parties):
    parties("follow", "jinlong", "--from", "../jinlong/.dataledger/public")
    denied = answers(parties, 1, "may", "jinlong", "use", "haina/orders")
    assert "held by Haina Appliances (did:ethr:" in denied.out
    parties("grant", "haina/orders", "--to", "jinlong", "--rights", "use")
    assert "by Haina Appliances (did:ethr:" in parties("may", "jinlong", "use", "haina/orders").out
    for content in ("", "model,units\n", "{}"):
        (parties.folder / "rules.json").write_text(content)
        failed = parties.fails(1, "may", "jinlong", "use", "haina/orders", "--rules", "rules.json")
        assert "rules.json: expected a list of border rules" in failed.err
