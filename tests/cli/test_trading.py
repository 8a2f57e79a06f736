"""Trade on the command line: an agreement there and back as a file, deliveries, and what is refused."""

from __future__ import annotations

import shutil

import click
import pytest

from tests.cli.conftest import Cli
from tests.cli.test_answers import check_shape

TERMS = ("--rights", "use", "--purpose", "planning", "--price", "1.20 CNY", "--unit", "row")


@pytest.fixture
def pair(parties: Cli) -> tuple[Cli, Cli]:
    """Haina and Jinlong, each following the other."""
    jinlong = parties.at("jinlong")
    parties("follow", "jinlong", "--from", "../jinlong/.dataledger/public")
    jinlong("follow", "haina", "--from", "../haina/.dataledger/public")
    return parties, jinlong


def send(sender: Cli, receiver: Cli, name: str) -> None:
    shutil.copy(sender.folder / name, receiver.folder / name)


def test_the_short_way_deliveries_and_the_bill(pair) -> None:
    haina, jinlong = pair
    half = haina(
        "agree", "propose", "haina/orders", "--with", "jinlong", *TERMS, "--share", "6%",
        "--until", "2099-12-31", "--condition", "notice:use,every=365", "-o", "deal.json",
    )  # fmt: skip
    text = click.unstyle(half.out)
    assert text.startswith("HALF SIGNED: agreement about haina/orders, record ")
    assert "not signed yet by Jinlong Motors" in text
    send(haina, jinlong, "deal.json")
    text = click.unstyle(jinlong("agree", "show", "deal.json").out)
    assert text.startswith("PROPOSED: record ")
    for words in (
        "use for planning", "1.20 CNY for each row", "until 2100-01-01T00:00:00Z", "600bps of it",
        "notice use every 365 days", "signed by Haina Appliances", "not signed yet by Jinlong Motors",
    ):  # fmt: skip
        assert words in text
    text = click.unstyle(jinlong("agree", "sign", "deal.json").out)
    assert text.startswith("SIGNED BY ALL: ")
    assert "send the file back" in text
    send(jinlong, haina, "deal.json")
    check_shape(jinlong("agree", "show", "deal.json", "--json").out, "AgreementShown")
    signed = haina("agree", "sign", "deal.json", "--json").json
    check_shape(haina("agree", "sign", "deal.json", "--json").out, "Signed")
    assert (signed["format"], signed["complete"]) == ("dataledger/signed/v1", True)
    record = signed["record"]
    assert record[:12] in haina("agree", "show").out
    haina("deliver", record[:8], "haina/orders@1", "--units", "100", "--process", "p", "--more")
    sent = haina(
        "deliver", record[:8], "--process", "p", "--units", "20", "--charged", "24 CNY", "--json"
    ).json
    delivery = sent["records"][0]["record"]
    jinlong("acknowledge", delivery[:8], "--topic", "received")
    text = click.unstyle(haina("agree", "show", record).out)
    assert "120 units delivered: due 144.00 CNY, charged 24.00 CNY" in text
    assert "acknowledged by record" in text
    check_shape(haina("agree", "show", record, "--json").out, "AgreementShown")
    assert "1 earlier step" in haina("agree", "show", record, "--limit", "1").out
    found = haina("agree", "show", record, "--json").json
    assert [(each["state"], each["units"]) for each in found["deliveries"]] == [
        ("STARTED", 100),
        ("COMPLETED", 20),
    ]
    assert "delivered, COMPLETED" in haina("history", "haina/orders").out


def test_the_long_way(pair) -> None:
    haina, jinlong = pair
    asked = jinlong("agree", "request", "haina/orders", "--with", "haina", *TERMS, "--json").json
    record = asked["records"][0]["record"][:12]
    failed = haina.fails(2, "agree", "finalize", record)
    assert "FINALIZED can't follow REQUESTED, expected OFFERED or AGREED or TERMINATED" in failed.err
    haina("agree", "propose", "--previous", record, "-o", "deal.json")
    agreed = jinlong("agree", "sign", "../haina/deal.json", "-o", "signed.json", "--json").json["record"]
    verified = jinlong("agree", "verify", agreed, "--json").json["records"][0]["record"]
    assert "VERIFIED" in haina("agree", "show", record).out
    haina("agree", "finalize", verified)
    text = click.unstyle(haina("agree", "show", record).out)
    assert text.startswith(f"FINALIZED: record {agreed[:12]}")
    haina.fails(2, "agree", "terminate", verified)


def test_what_is_refused_has_an_exit_code_and_a_hint(pair) -> None:
    haina, jinlong = pair
    haina.fails(2, "agree", "propose", "haina/orders", "-o", "deal.json")
    haina.fails(2, "agree", "request", "haina/orders", "--rights", "use")
    haina.fails(2, "agree", "sign", "none.json")
    haina("agree", "propose", "haina/orders", "--with", "jinlong", *TERMS, "-o", "deal.json")
    (jinlong.folder / "deal.json").write_bytes((haina.folder / "deal.json").read_bytes()[:-9])
    failed = jinlong.fails(1, "agree", "sign", "deal.json", "--json")
    assert (failed.error["error"], failed.error["exit_code"]) == ("FormatError", 1)
    assert "ask the other party for the file again" in failed.error["hint"]
    send(haina, jinlong, "deal.json")
    record = jinlong("agree", "sign", "deal.json", "--json").json["record"]
    haina("sync")
    failed = haina.fails(2, "deliver", record, "haina/orders@1", "--units", "1", "--charged", "5 CNY")
    assert "overcharged" in failed.err
    assert "--despite-findings" in failed.err
    done = haina(
        "deliver", record, "haina/orders@1", "--units", "1", "--charged", "5 CNY", "--despite-findings"
    )
    assert "finding overcharged" in done.out
    assert "overcharged" in haina("findings").out
    failed = haina.fails(2, "revoke", record)
    assert "dataledger agree end" in failed.err
    haina("agree", "end", record, "--from", "2090-01-01", "--reason", "over", "-o", "end.json")
    send(haina, jinlong, "end.json")
    assert "takes it back from 2090-01-01T00:00:00Z on, over" in jinlong("agree", "show", "end.json").out
    jinlong("agree", "sign", "end.json")
    assert "taken back 2090-01-01" in haina("agree", "show").out


def test_a_log_that_is_not_here_is_named_instead_of_the_asset_denied(parties) -> None:
    jinlong = parties.at("jinlong")
    parties("agree", "propose", "haina/orders", "--with", "jinlong", *TERMS, "-o", "deal.json")
    send(parties, jinlong, "deal.json")
    shown = jinlong("agree", "show", "deal.json").out
    assert "dataledger follow haina" in shown
    assert "is not registered" not in shown
    for command in (
        ("agree", "sign", "deal.json"),
        ("grant", "haina/orders", "--to-everybody", "--rights", "use"),
        ("settle", "haina/orders", "--revenue", "1", "--currency", "CNY"),
    ):
        failed = jinlong.fails(3, *command)
        assert "whether haina/orders is registered can't be told" in failed.err
        assert "dataledger follow haina" in failed.err
    jinlong("follow", "haina", "--from", "../haina/.dataledger/public")
    assert (
        "haina/nothing is not registered"
        in jinlong.fails(2, "grant", "haina/nothing", "--to-everybody", "--rights", "use").err
    )
    jinlong("agree", "sign", "deal.json")


def test_refusals_name_the_party_and_no_asset_is_owned(pair) -> None:
    haina, jinlong = pair
    terms = ("--with", "jinlong", "--rights", "use", "-o", "deal.json")
    failed = haina.fails(2, "agree", "propose", "haina/orders", "--as", "consumer", *terms)
    assert "haina/orders: it is held by Haina Appliances (did:ethr:" in failed.err
    assert "belongs" not in failed.err
    failed = haina.fails(2, "agree", "propose", "haina/orders", *terms, "--price", "1.20 CNY")
    assert "--unit row" in failed.err
    failed = haina.fails(
        2, "agree", "propose", "haina/orders", *terms, "--price", "CNY 1.20", "--unit", "row"
    )
    assert "such as '5.00 CNY'" in failed.err
    haina("agree", "propose", "haina/orders", *terms)
    send(haina, jinlong, "deal.json")
    record = jinlong("agree", "sign", "deal.json", "--json").json["record"]
    failed = jinlong.fails(2, "deliver", record, "haina/orders@1")
    assert "expected Haina Appliances (did:ethr:" in failed.err
