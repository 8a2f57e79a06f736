"""Parties, duplicates and disputes on the command line."""

from __future__ import annotations

import click


def followed(parties):
    """Return the other party; both follow each other."""
    other = parties.at("jinlong")
    parties("follow", "jinlong", "--from", "../jinlong/.dataledger/public")
    other("follow", "haina", "--from", "../haina/.dataledger/public")
    return other


def test_party_counts_first_and_lists_all_on_demand(parties):
    other = followed(parties)
    for number in range(6):
        parties("grant", "haina/orders", "--to", "jinlong", "--rights", "use", "--purpose", f"p{number}")
    shown = other("party", "haina").out
    assert "6 gives" in shown
    assert "... there is more: --all" in shown
    every = other("party", "haina", "--all").out
    assert "there is more" not in every
    assert every.count("Jinlong Motors") == 6
    found = other("party", "haina", "--json").json
    assert (found["format"], len(found["records"])) == ("dataledger/party/v1", 6)
    assert "this workspace" in other("party").out
    assert "nobody owns" in other.fails(2, "party", "nobody").err


def test_duplicates_are_shown_side_by_side_or_it_says_that_logs_are_missing(parties):
    other = parties.at("jinlong")
    alone = other.run("duplicates")
    assert alone.code == 3
    assert "INCOMPLETE" in click.unstyle(alone.out)
    followed(parties)
    (other.folder / "orders.csv").write_bytes((parties.folder / "orders.csv").read_bytes())
    other("register", "jinlong/orders", "orders.csv")
    for what in ([], ["haina/orders"], ["orders.csv"]):
        shown = click.unstyle(other("duplicates", *what).out)
        assert shown.startswith("the same content: sha256:")
        assert shown.index("haina/orders@1") < shown.index("jinlong/orders@1")
        assert "a claim is no title" in shown
        assert "owner" not in shown
    assert "nobody else claims" in other("duplicates", "jinlong/parts").out


def test_disputes_show_both_sides(parties):
    other = followed(parties)
    assert parties("disputes").out == "no disputes\n"
    other("attest", "haina/orders", "--kind", "objection", "--text", "these are our orders")
    shown = click.unstyle(parties("disputes", "haina/orders").out)
    assert shown.startswith("DISPUTED: haina/orders, claimed by Haina Appliances")
    assert "nobody: it can't be frozen" in shown
    assert "these are our orders" in shown
    assert "1 objection" in parties("search", "orders").out
    assert "objects" in parties("may", "haina", "use", "haina/orders").out


def test_what_a_consent_carries(parties):
    other = followed(parties)
    parties(
        "grant", "haina/orders", "--to", "jinlong", "--rights", "use",
        "--condition", "consent:home-data,by=jinlong",
    )  # fmt: skip
    said = ("--topic", "home-data", "--purpose", "service", "--json")
    record = other("attest", "haina/orders", "--kind", "consent", *said).json["records"][0]["record"]
    assert click.unstyle(other("impact", record[:10], "--parties").out).startswith(
        "STANDS: consent of Jinlong"
    )
    other("revoke", record, "--reason", "moved")
    shown = click.unstyle(parties("impact", record[:10], "--parties").out)
    assert shown.startswith("ENDED: consent of Jinlong")
    assert "must stop from" in shown
    assert "stays lawful: made while it stood" in shown
