"""Who is owed what: parties with workspaces of their own on one chain, and each rule broken on purpose."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from ledger.core.errors import NotFound, Unavailable, Unsettled, Usage
from ledger.service import Ledger
from ledger.service.settlement_sale import Income, parse_period
from tests.service.conftest import kinds
from tests.service.market import (
    EXCHANGE,
    FIRM,
    OFFICE,
    PRODUCT,
    SURVEYOR,
    Market,
    agreed,
    delivered,
    derive,
    make,
    product,
    settlement,
    sold,
)

# splitting


def test_the_split_adds_up_and_names_its_grants(licensed: Market) -> None:
    found = licensed[FIRM].ledger.settle(sold())
    assert (found.verdict, found.seller, found.total) == ("settled", licensed.did(FIRM), 10_000_001)
    # 30 % and 10 % of 100,000.01, and of the 10 % the surveyor owes 30 % to the office
    assert licensed.dues(found) == {"firm": 6_000_001, "office": 3_300_000, "surveyor": 700_000}
    assert sum(due.amount for due in found.dues) == found.total
    assert [(due.exact, due.keeps) for due in found.dues] == [
        ("6000000.6", True),
        ("3300000.33", False),
        ("700000.07", False),
    ]
    assert sorted(
        (each.payer_name, each.payee_name, each.share_bps, *each.used) for each in found.shares
    ) == [
        ("Firm", "Office", 3000, "office/hourly@1"),
        ("Firm", "Surveyor", 1000, "surveyor/list@1"),
        ("Surveyor", "Office", 3000, "office/hourly@1"),
    ]
    assert {grant for due in found.dues for grant in due.grants} == {each.grant for each in found.shares}
    for name in (OFFICE, EXCHANGE):  # everybody computes the same
        other = licensed[name].ledger.settle(sold(at=str(found.as_of)))
        assert (other.dues, other.shares, other.at) == (found.dues, found.shares, found.at)


def test_sixty_thirty_ten_of_a_fen(licensed: Market) -> None:
    """What can't be divided goes to the largest remainder."""
    ledger = licensed[FIRM].ledger
    for fen, expected in {
        "0.01": {"firm": 1},
        "0.03": {"firm": 2, "office": 1},
        "0.00": {"firm": 0},
        "0.10": {"firm": 6, "office": 3, "surveyor": 1},
    }.items():
        assert licensed.dues(ledger.settle(sold(fen))) == expected, fen


@pytest.mark.slow
def test_the_past_is_split_by_what_counted_then(market: Market) -> None:
    market.grant(OFFICE, SURVEYOR, "office/hourly", "0%")
    market.grant(SURVEYOR, FIRM, "surveyor/list", "10%")
    head = market[FIRM].ledger.sync().to_block
    record = market.grant(OFFICE, FIRM, "office/hourly", "30%")
    ledger = market[FIRM].ledger
    now, then = ledger.settle(sold()), ledger.settle(sold(at=str(head)))
    assert (now.verdict, then.verdict) == ("settled", "unsettled")
    assert market.dues(then) == {"firm": 9_000_001, "surveyor": 1_000_000}
    market[OFFICE].ledger.revoke(record)
    assert ledger.settle(sold()).verdict == "unsettled"
    assert ledger.settle(sold(at=str(now.as_of))).dues == now.dues
    with pytest.raises(Unavailable, match="was asked for"):
        ledger.settle(sold(at="999999"))


def test_a_use_without_a_grant_is_named_and_not_recorded(market: Market) -> None:
    market.grant(OFFICE, SURVEYOR, "office/hourly", "30%")
    market.grant(SURVEYOR, FIRM, "surveyor/list", "10%")
    ledger = market[FIRM].ledger
    found = ledger.settle(sold())
    (use,) = found.ungranted
    assert (use.party_name, use.used, use.verdict, use.because) == (
        "Firm", "office/hourly@1", "denied", ["no-grant"],
    )  # fmt: skip
    assert (found.verdict, kinds(found.findings)) == ("unsettled", {"use-without-grant"})
    size = market[FIRM].context.log.size
    with pytest.raises(Unsettled, match="office/hourly@1"):
        ledger.record_settlement(sold())
    assert market[FIRM].context.log.size == size
    done = ledger.record_settlement(sold(), despite=True)
    assert ledger.check_settlement(done.records[0].record).verdict == "differs"  # said of it for good


def test_what_is_not_known_is_no_gap_and_no_leave(licensed: Market) -> None:
    record = recorded(licensed)
    ledger = without_log_of(licensed, FIRM, SURVEYOR)
    found = ledger.settle(sold())
    assert found.verdict == "unknown"
    assert any("can't be had" in text for text in found.unknown)
    assert found.findings == []
    with pytest.raises(Unavailable, match="can't be had") as refused:
        ledger.record_settlement(sold())
    assert "dataledger follow" in refused.value.hint
    checked = ledger.check_settlement(record)
    assert checked.unknown
    assert ledger.settlement_statement().unknown


def without_log_of(market: Market, party: str, missing: str) -> Ledger:
    """Return a party's ledger that never had the log of another one."""
    market[party].ledger.unfollow(missing)
    market[party].close()
    (market[party].home / "index.db").unlink()
    shutil.rmtree(market[party].home / "mirrors")
    return market[party].reopen()


@pytest.mark.slow
def test_purpose_and_region_choose_the_grant(market: Market) -> None:
    market.grant(OFFICE, SURVEYOR, "office/hourly", "0%")
    market.grant(SURVEYOR, FIRM, "surveyor/list", "0%")
    market.grant(OFFICE, FIRM, "office/hourly", "5%", purposes=["research"], regions=["CN"])
    market.grant(OFFICE, FIRM, "office/hourly", "40%", purposes=["risk"])
    ledger = market[FIRM].ledger
    assert ledger.settle(sold()).verdict == "unknown"
    assert market.dues(ledger.settle(sold(purpose="risk"))) == {"firm": 6_000_001, "office": 4_000_000}
    research = sold("100", purpose="research", region="CN-44")
    assert market.dues(ledger.settle(research)) == {"firm": 9500, "office": 500}
    done = ledger.record_settlement(research)
    assert market[OFFICE].ledger.check_settlement(done.records[0].record).verdict == "good"
    with pytest.raises(Usage, match="region"):
        ledger.settle(sold(region="Mars"))


def test_an_operator_who_holds_nothing(licensed: Market) -> None:
    grant = licensed.grant(FIRM, EXCHANGE, PRODUCT, "75%")
    found = licensed[EXCHANGE].ledger.settle(sold("100"))
    assert (found.seller, found.under) == (licensed.did(EXCHANGE), grant)
    assert licensed.dues(found) == {"exchange": 2500, "firm": 4500, "office": 2475, "surveyor": 525}
    done = licensed[EXCHANGE].ledger.record_settlement(sold("100"))
    assert done.notes[0].startswith("without --period this is all the income")
    assert licensed[SURVEYOR].ledger.check_settlement(done.records[0].record).verdict == "good"
    seen = licensed[OFFICE].ledger.settle(sold("100"))  # who may not offer it asks for its holder
    assert seen.seller == licensed.did(FIRM)
    assert licensed[OFFICE].ledger.settle(sold("100", seller="exchange")).dues == found.dues
    with pytest.raises(Unsettled, match="used without a grant"):
        licensed[OFFICE].ledger.record_settlement(sold("100"))
    with pytest.raises(Usage, match="not-holder"):
        licensed[OFFICE].ledger.record_settlement(sold("100"), despite=True)


@pytest.mark.slow
def test_a_circle_and_more_than_all(licensed: Market) -> None:
    licensed.grant(FIRM, OFFICE, PRODUCT, "1%")
    derive(licensed, OFFICE, "office/hourly", 1, [PRODUCT])
    with pytest.raises(Unsettled, match="went into itself"):
        licensed[FIRM].ledger.settle(Income(product=PRODUCT, revenue="1", currency="CNY"))
    for asset, share in (("surveyor/greedy", "80%"), ("surveyor/more", "30%")):
        make(licensed, SURVEYOR, asset, [])
        licensed.grant(SURVEYOR, FIRM, asset, share)
    make(licensed, FIRM, "firm/bundle", ["surveyor/greedy", "surveyor/more"])
    with pytest.raises(Unsettled, match="11000 of 10000"):
        licensed[FIRM].ledger.settle(Income(product="firm/bundle@1", revenue="1", currency="CNY"))


def test_what_is_asked_has_to_make_sense(licensed: Market) -> None:
    ledger = licensed[FIRM].ledger
    for wrong, match in (
        (sold("0.001"), "decimals"),
        (sold(currency="XXX"), "ISO 4217"),
        (sold(currency=""), "currency"),
        (sold(""), "--revenue"),
        (sold(at="tomorrow"), "block"),
        (sold(period="2026"), "FROM..UNTIL"),
        (sold(period="2026-02-01..2026-01-01"), "begin"),
    ):
        with pytest.raises(Usage, match=match):
            ledger.settle(wrong)
    with pytest.raises(NotFound):
        ledger.settle(sold(product="firm/nothing"))
    with pytest.raises(NotFound):
        ledger.settle(sold(agreement="ffff"))
    assert parse_period("2026-01-01..2026-01-31") == ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z")
    assert parse_period("..2026-01-31") == ("", "2026-02-01T00:00:00Z")


# recording and checking


def recorded(market: Market, **more: Any) -> str:
    return market[FIRM].ledger.record_settlement(sold(**more)).records[0].record


def test_a_recorded_split_is_checked_by_everybody(licensed: Market) -> None:
    record = recorded(licensed)
    for name in (FIRM, OFFICE, SURVEYOR, EXCHANGE):
        found = licensed[name].ledger.check_settlement(record[:10])
        assert (found.verdict, found.differences, found.findings) == ("good", [], [])
    assert licensed[FIRM].finding_kinds() == []


@pytest.mark.slow
def test_what_comes_later_changes_no_recorded_split(licensed: Market) -> None:
    record = recorded(licensed)
    licensed.grant(OFFICE, FIRM, "office/hourly", "1%", purposes=["research"])
    make(licensed, FIRM, PRODUCT, ["office/hourly"])
    assert licensed[OFFICE].ledger.check_settlement(record).verdict == "good"


def test_a_changed_payout_is_named(licensed: Market) -> None:
    amounts = {FIRM: 6_000_001 + 100, OFFICE: 3_300_000 - 100, SURVEYOR: 700_000}
    record = licensed.say(FIRM, product(licensed), settlement(licensed, amounts))
    found = licensed[OFFICE].ledger.check_settlement(record)
    assert found.verdict == "differs"
    assert sorted((each.party_name, each.recorded, each.expected) for each in found.differences) == [
        ("Firm", 6_000_101, 6_000_001),
        ("Office", 3_299_900, 3_300_000),
    ]


@pytest.mark.slow
def test_an_audit_recomputes_every_settlement(licensed: Market) -> None:
    good = recorded(licensed, period="2026-01-01..2099-12-31")
    said = settlement(licensed, {FIRM: 70, OFFICE: 20, SURVEYOR: 10}, start="2100-01-01T00:00:00Z")
    false = licensed.say(FIRM, product(licensed), said)
    ledger = licensed[OFFICE].ledger
    assert ledger.audit().settlements is None
    report = ledger.audit(settlements=True)
    assert (report.settlements, report.good) == (2, True)  # what is stored is what was signed
    wrong = [each for each in report.findings if each.kind == "settlement-differs"]
    assert {each.subject for each in wrong} == {f"settlement {false[:12]}"}
    assert sorted(each.text for each in wrong) == [
        "Firm: recorded 70, expected 60",
        "Office: recorded 20, expected 33",
        "Surveyor: recorded 10, expected 7",
    ]
    licensed[FIRM].ledger.revoke(false)
    report = licensed[FIRM].ledger.audit(settlements=True)
    assert (report.settlements, report.findings) == (1, [])
    assert licensed[FIRM].ledger.check_settlement(good).verdict == "good"


def test_an_income_is_settled_once(licensed: Market) -> None:
    ledger = licensed[FIRM].ledger
    year = recorded(licensed, period="2026-01-01..2099-12-31")
    with pytest.raises(Usage, match=f"settled before: record {year}"):
        ledger.record_settlement(sold("5", period="2099-12-31..2100-01-01"))
    with pytest.raises(Usage, match="settled before"):
        ledger.record_settlement(sold("5", product=f"{PRODUCT}@1"), despite=True)  # a version, at any time
    recorded(licensed, revenue="5", period="2100-01-01..2100-12-31")
    assert ledger.settle(sold()).notes == [f"record {year} settles this income, or a part of it"]
    ledger.revoke(year)
    again = recorded(licensed, period="2026-01-01..2099-12-31", revenue="4")
    assert ledger.check_settlement(again).verdict == "good"
    assert kinds(ledger.check_settlement(year).findings) == {"settlement-revoked"}


def test_what_is_pending_was_settled_as_well(licensed: Market) -> None:
    ledger = licensed[FIRM].ledger
    ledger.record_settlement(sold(), anchor=False)
    with pytest.raises(Usage, match="settled before"):
        ledger.record_settlement(sold())


def test_a_replay_is_found_in_anchor_order(licensed: Market) -> None:
    first = recorded(licensed)
    amounts = {FIRM: 6_000_001, OFFICE: 3_300_000, SURVEYOR: 700_000}
    second = licensed.say(FIRM, product(licensed), settlement(licensed, amounts))
    found = licensed[SURVEYOR].ledger.check_settlement(second)
    assert (found.verdict, found.differences) == ("differs", [])
    assert [(each.kind, each.text) for each in found.findings] == [
        ("settlement-replayed", f"record {first} settles it")
    ]
    assert licensed[SURVEYOR].ledger.check_settlement(first).verdict == "good"
    assert licensed[EXCHANGE].finding_kinds() == ["settlement-replayed"]
    found_by_office = licensed[OFFICE].ledger.settlement_statement()
    assert [line.findings for line in found_by_office.lines] == [[], ["settlement-replayed"]]
    assert [total.owed for total in found_by_office.totals] == [3_300_000]  # once


# agreements and what was delivered


def test_the_income_of_an_agreement_is_its_bill(licensed: Market) -> None:
    deal = agreed(licensed)
    ledger = licensed[FIRM].ledger
    delivered(licensed, deal, "p1", 10_000, 1_200_000)
    delivered(licensed, deal, "p2", 2000, 240_000)
    found = ledger.settle(Income(product=PRODUCT, agreement=deal[:10]))
    assert found.bill is not None
    assert (found.total, found.bill.units, found.bill.due, found.bill.charged) == (
        1_440_000, 12_000, 1_440_000, 1_440_000,
    )  # fmt: skip
    assert licensed.dues(found) == {"firm": 864_000, "office": 475_200, "surveyor": 100_800}
    with pytest.raises(Usage, match=r"settlement-not-billed: it splits 14400\.01 CNY, and 12000 units"):
        ledger.record_settlement(sold("14400.01", agreement=deal))
    done = ledger.record_settlement(Income(product=PRODUCT, agreement=deal))
    assert licensed[OFFICE].ledger.check_settlement(done.records[0].record).verdict == "good"
    recorded(licensed)  # other income is not that of the agreement


@pytest.mark.slow
def test_another_total_than_the_bill_is_found(licensed: Market) -> None:
    deal = agreed(licensed)
    delivered(licensed, deal, "p1", 100, 12_000)
    amounts = {FIRM: 6, OFFICE: 3, SURVEYOR: 1}
    said = settlement(licensed, amounts, agreement=deal)
    record = licensed.say(FIRM, product(licensed), said)
    found = licensed[OFFICE].ledger.check_settlement(record)
    assert kinds(found.findings) == {"settlement-not-billed"}
    assert licensed[OFFICE].finding_kinds() == ["settlement-not-billed"]
    licensed[FIRM].ledger.revoke(record)
    income = sold("120.01", agreement=deal)
    with pytest.raises(Usage, match="settlement-not-billed"):
        licensed[FIRM].ledger.record_settlement(income)
    again = licensed[FIRM].ledger.record_settlement(income, despite=True).records[0].record
    found = licensed[OFFICE].ledger.check_settlement(again)
    assert (kinds(found.findings), found.differences) == ({"settlement-not-billed"}, [])


@pytest.mark.slow
def test_only_the_deliveries_of_the_period_are_billed(licensed: Market) -> None:
    deal = agreed(licensed)
    delivered(licensed, deal, "p1", 100, 12_000)
    ledger = licensed[FIRM].ledger
    past = ledger.settle(Income(product=PRODUCT, agreement=deal, period="2020-01-01..2020-12-31"))
    assert past.bill is not None
    assert (past.bill.units, past.total, past.verdict) == (0, 0, "unsettled")  # nobody held it then
    assert (
        ledger.settle(Income(product=PRODUCT, agreement=deal, period="2020-01-01..2099-12-31")).total
        == 12_000
    )


@pytest.mark.slow
def test_an_overcharge_and_a_broken_cap_are_findings(licensed: Market) -> None:
    deal = agreed(licensed)
    delivered(licensed, deal, "p1", 100, 20_000)
    found = licensed[FIRM].ledger.settle(Income(product=PRODUCT, agreement=deal))
    assert (found.total, found.verdict) == (12_000, "unsettled")
    assert kinds(found.findings) == {"overcharged", "above-price-cap"}


@pytest.mark.slow
def test_an_agreement_about_something_else(licensed: Market) -> None:
    make(licensed, FIRM, "firm/other", [])
    deal = agreed(licensed)
    delivered(licensed, deal, "p1", 100, 12_000)
    income = Income(product="firm/other", agreement=deal)
    with pytest.raises(Usage, match="settlement-other-subject"):
        licensed[FIRM].ledger.record_settlement(income)
    with pytest.raises(Usage, match="expected a record of type agreement"):
        licensed[FIRM].ledger.settle(Income(product=PRODUCT, agreement=recorded(licensed)))


# statements


def test_a_statement_adds_up(licensed: Market) -> None:
    first = recorded(licensed, period="2026-01-01..2099-12-31")
    second = recorded(licensed, revenue="10", period="2100-01-01..2100-12-31")
    found = licensed[OFFICE].ledger.settlement_statement()
    assert (found.verdict, found.party) == ("good", licensed.did(OFFICE))
    assert [(line.record, line.allotted, line.owed, line.payer_name) for line in found.lines] == [
        (first, 3_300_000, 3_300_000, "Firm"),
        (second, 330, 330, "Firm"),
    ]
    assert [(total.currency, total.owed, total.allotted, total.paid) for total in found.totals] == [
        ("CNY", 3_300_330, 3_300_330, 0)
    ]
    part = licensed[EXCHANGE].ledger.settlement_statement("office", period="2100-06-01..")
    assert [line.record for line in part.lines] == [second]
    assert licensed[OFFICE].ledger.settlement_statement("exchange").lines == []
    licensed[FIRM].ledger.revoke(second)
    (total,) = licensed[OFFICE].ledger.settlement_statement().totals
    assert total.allotted == 3_300_000


@pytest.mark.slow
def test_a_statement_shows_who_was_cut_short(licensed: Market) -> None:
    licensed.say(FIRM, product(licensed), settlement(licensed, {FIRM: 7, OFFICE: 2, SURVEYOR: 1}))
    found = licensed[OFFICE].ledger.settlement_statement()
    (line,) = found.lines
    assert (found.verdict, line.allotted, line.owed, line.findings) == ("differs", 2, 3, ["split-differs"])
