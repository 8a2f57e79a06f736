"""Money on the command line: a trade from the agreement to the payout, what is printed, the exit codes."""

from __future__ import annotations

import click
import msgspec
import pytest

from ledger.service import results
from tests.cli.conftest import Cli

FAR = "2099-12-31"


@pytest.fixture
def shop(parties: Cli) -> Cli:
    """Haina makes its plan of Jinlong's parts, who has 10 % of what it earns; both follow each other."""
    other = parties.at("jinlong")
    parties("follow", "jinlong", "--from", "../jinlong/.dataledger/public")
    other("follow", "haina", "--from", "../haina/.dataledger/public")
    granted = ("grant", "jinlong/parts", "--to", "haina", "--rights", "use", "--rights", "operate")
    other(*granted, "--share", "10%")
    (parties.folder / "parts.csv").write_bytes((other.folder / "parts.csv").read_bytes())
    made = ("-o", "haina/plan=plan.csv", "--", "cp", "parts.csv", "plan.csv")
    parties("-q", "run", "-i", "jinlong/parts=parts.csv", *made)
    return parties


def text(done: object) -> str:
    """Return what was printed, without colours, and with single spaces."""
    return " ".join(click.unstyle(done.out).split())  # type: ignore[attr-defined]


def record_of(dl: Cli, *arguments: str) -> str:
    """Run a command that records something, and return the last record."""
    return str(dl(*arguments, "--json").json["records"][-1]["record"])


def test_a_split_a_record_a_check_and_a_statement(shop: Cli) -> None:
    income = ("haina/plan", "--revenue", "100000.01", "--currency", "CNY")
    shown = text(shop("settle", *income))
    assert shown.startswith("SETTLED: 100000.01 CNY of Haina Appliances (did:ethr:")
    assert "90000.01 CNY 90000.009 keeps" in shown
    assert "10000.00 CNY 10000.001" in shown
    record = record_of(shop, "settle", "record", *income, "--period", f"2026-01-01..{FAR}")
    assert "settled: 100000.01 CNY haina/plan Haina Appliances" in text(shop("history", "haina/plan"))
    other = shop.at("jinlong")
    assert text(other("settle", "check", record[:10])).startswith("GOOD: 100000.01 CNY of Haina")
    stated = text(other("settle", "statement"))
    assert "haina/plan" in stated
    assert "total: owed 10000.00 CNY, allotted 10000.00 CNY, of which paid through escrows 0.00 CNY" in stated
    assert "pays 100000.01 CNY haina/plan" in text(other("party", "haina"))
    line = other("settle", "statement", "--json").json["lines"][0]
    assert (line["record"], line["allotted"], line["owed"], line["until"]) == (
        record, 1_000_000, 1_000_000, "2100-01-01T00:00:00Z",
    )  # fmt: skip
    again = shop.fails(2, "settle", "record", *income)
    assert f"was settled before: record {record}" in again.err


def test_a_statement_without_all_logs_is_no_whole_one(parties: Cli) -> None:
    other = parties.at("jinlong")
    done = other.run("settle", "statement")
    assert (done.code, done.err) == (3, "")
    assert "no settlement that is known here names this party" in text(done)
    assert "what stands in 1 log not read here, of Haina Appliances (" in text(done)
    other("follow", "haina", "--from", "../haina/.dataledger/public")
    assert text(other("settle", "statement")).endswith("no settlement names this party")


def test_a_use_without_a_grant_is_loud(shop: Cli) -> None:
    other = shop.at("jinlong")
    granted = other("log", "--type", "grant", "--json").json["records"][0]["record"]
    other("revoke", granted)
    income = ("haina/plan", "--revenue", "1", "--currency", "CNY")
    done = shop.run("settle", *income)
    assert done.code == 1
    assert "UNSETTLED: Haina Appliances used jinlong/parts@1 without a grant; nothing is paid for it" in text(
        done
    )
    failed = shop.fails(1, "settle", "record", *income)
    assert "used without a grant" in failed.err
    assert "--despite-findings" in failed.err
    record = record_of(shop, "settle", "record", *income, "--despite-findings")
    checked = shop.run("settle", "check", record)
    assert checked.code == 1
    assert text(checked).startswith("DIFFERS")
    assert shop.run("settle", "statement").code == 1


def test_from_the_agreement_to_the_payout(shop: Cli) -> None:
    """With the commands that people have: agree, deliver, settle, escrow."""
    other = shop.at("jinlong")
    shop(
        "agree", "propose", "haina/plan", "--with", "jinlong", "--rights", "use",
        "--price", "1.20 CNY", "--unit", "row", "-o", "deal.json",
    )  # fmt: skip
    deal = shop.folder / "deal.json"
    other("agree", "sign", deal)
    shop("agree", "sign", deal)
    agreement = shop("agree", "show", "--json").json["agreements"][0]["record"]
    shop("deliver", agreement, "haina/plan@1", "--units", "10001", "--charged", "12001.20 CNY")
    opened = other(
        "settle", "escrow", "open", agreement, "--payee", "haina", "--payee", "jinlong",
        "--amount", "12001.20 CNY", "--deadline", FAR, "--json",
    ).json  # fmt: skip
    escrow = opened["escrow"]
    record = record_of(shop, "settle", "record", "haina/plan", "--agreement", agreement, "--escrow", escrow)
    other("settle", "escrow", "fund", record)
    checked = shop("settle", "check", record)
    assert f"escrow {escrow}: funded, not paid" in text(checked)
    signed = text(shop("settle", "escrow", "approve", record, "-o", "haina.approval"))
    assert signed.startswith(f"approved for escrow {escrow}")
    kept = (shop.folder / "haina.approval").read_text()
    assert kept.startswith('{"format":"dataledger/escrow-approval/v1"')
    lacking = shop.fails(2, "settle", "escrow", "pay", record)
    assert "two of three sides have to approve" in lacking.err
    paid = text(other("settle", "escrow", "pay", record, "--approval", shop.folder / "haina.approval"))
    assert paid.startswith("paid out, block ")
    assert "Haina Appliances 1,080,108 1,080,108 0" in paid
    assert "paid exactly this split" in text(shop("settle", "check", record))
    for shape, *asked in (
        (results.SettlementCheck, "check", record),
        (results.SettlementStatement, "statement"),
        (results.EscrowState, "escrow", "show", escrow),
        (results.EscrowApproval, "escrow", "approve", record),
    ):
        msgspec.json.decode(shop("settle", *asked, "--json").out, type=shape, strict=True)
    shop("settle", "escrow", "withdraw", record)
    shown = text(other("settle", "escrow", "show", escrow))
    assert "Haina Appliances 1,080,108 0 1,080,108" in shown
    total = shop("settle", "statement", "--json").json["totals"][0]
    assert (total["allotted"], total["paid"]) == (1_080_108, 1_080_108)
    early = other.fails(1, "settle", "escrow", "refund", record)
    assert "not funded" in early.err


def test_what_is_wrong_with_a_question(story: Cli) -> None:
    for code, *arguments in (
        (2, "haina/demand"),
        (2, "haina/demand", "--revenue", "1"),
        (2, "haina/demand", "--revenue", "one", "--currency", "CNY"),
        (2, "haina/nothing", "--revenue", "1", "--currency", "CNY"),
        (2, "haina/demand", "--revenue", "1", "--currency", "CNY", "--at", "soon"),
        (3, "haina/demand", "--revenue", "1", "--currency", "CNY", "--at", "99999"),
    ):
        story.fails(int(code), "settle", *map(str, arguments))
    for wrong in ("ffff", "0x" + "11" * 20):
        story.fails(2, "settle", "escrow", "show", wrong)
    story.fails(2, "settle", "check", "ffff")
