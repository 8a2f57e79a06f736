"""Money that is really paid: an escrow on a chain, the consent of its sides, what recorded and paid differ.

The exchange buys of the firm; what it pays is split among the firm, the office and the surveyor. Each attack
is made on purpose and refused, or found.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from msgspec import structs

from ledger.chain import escrow as escrows
from ledger.chain.artifacts import load
from ledger.chain.embedded.chain import EmbeddedChain
from ledger.chain.escrow import Escrow, read_escrow
from ledger.chain.interface import Call
from ledger.chain.transactions import created_address, sign_digest
from ledger.core.errors import Invalid, NotFound, Rejected, Usage, WrongLedger
from ledger.core.escrow import recorded_split_hash
from ledger.core.identity import parse_did
from ledger.service.escrowing import Opening
from ledger.service.results import EscrowState, SettlementCheck
from ledger.service.settlement_sale import Income
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
    make,
    product,
    settlement,
    sold,
)

pytestmark = pytest.mark.slow  # tests/cli/test_settling.py pays through an escrow by default

LATER = "2099-12-31"
PAYEES = (FIRM, OFFICE, SURVEYOR)


class Deal(NamedTuple):
    """An agreement with what was delivered under it, an escrow opened by the buyer, a settlement recorded."""

    market: Market
    agreement: str
    escrow: str
    record: str

    def fund(self) -> None:
        self.market[EXCHANGE].ledger.fund_escrow(self.escrow)

    def approvals(self, *names: str) -> list[str]:
        """The signatures of these parties, in hex."""
        return [self.market[name].ledger.approve_escrow(self.record).signature for name in names]

    def pay(self, *approvals: str) -> EscrowState:
        return self.market[EXCHANGE].ledger.pay_escrow(self.record, approvals)

    def check(self, name: str = SURVEYOR) -> SettlementCheck:
        return self.market[name].ledger.check_settlement(self.record)

    def paid(self) -> str:
        """What became of the money."""
        payment = self.check().payment
        assert payment is not None
        return payment.paid


def terms(agreement: str, **more: Any) -> Opening:
    """The escrow of the deal, or one with other terms."""
    asked = {"agreement": agreement, "payees": PAYEES, "amount": "12001.20 CNY", "deadline": LATER}
    return Opening(**(asked | {"payer": "exchange"} | more))


@pytest.fixture(scope="session")
def _deal(_licensed: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str, str]:
    """The deal, made once."""
    path = tmp_path_factory.mktemp("deal") / "market"
    shutil.copytree(_licensed, path)
    market = Market(path)
    agreement = agreed(market)
    delivered(market, agreement, "p1", 10_001, 1_200_120)
    escrow = market[EXCHANGE].ledger.open_escrow(terms(agreement)).escrow
    income = Income(product=PRODUCT, agreement=agreement, escrow=escrow)
    record = market[FIRM].ledger.record_settlement(income).records[0].record
    market.close()
    return path, agreement, escrow, record


@pytest.fixture
def deal(_deal: tuple[Path, str, str, str], tmp_path: Path) -> Iterator[Deal]:
    """A copy of it."""
    path, *rest = _deal
    shutil.copytree(path, tmp_path / "market")
    market = Market(tmp_path / "market")
    yield Deal(market, *rest)
    market.close()


@pytest.fixture
def years(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let this many years pass for whoever makes blocks."""

    def pass_years(count: int) -> None:
        clock = {"clock": lambda: time.time() + count * 366 * 86_400}
        defaults = EmbeddedChain.__init__.__kwdefaults__
        monkeypatch.setattr(EmbeddedChain.__init__, "__kwdefaults__", defaults | clock)

    return pass_years


def amounts(market: Market, **given: int) -> dict[str, int]:
    return {market.did(name): amount for name, amount in given.items()}


# the whole way


def test_from_opening_to_withdrawing(deal: Deal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    market = deal.market
    opened = market[OFFICE].ledger.escrow(deal.escrow)
    assert (opened.state, opened.payer) == ("created", market.did(EXCHANGE))
    assert (opened.amount, opened.agreement) == (1_200_120, deal.agreement)
    assert (deal.check().verdict, deal.paid()) == ("good", "unpaid")
    deal.fund()
    funded = market[OFFICE].ledger.escrow(deal.record)
    assert (funded.state, funded.escrow) == ("funded", deal.escrow)
    assert deal.paid() == "unpaid"

    files = [tmp_path / f"{name}.approval" for name in PAYEES]
    for name, file in zip(PAYEES, files, strict=True):
        market[name].ledger.approve_escrow(deal.record[:12], file)
    done = deal.pay(*map(str, files))  # the buyer approves by paying
    assert (done.state, done.record) == ("settled", deal.record)
    assert {each.party: each.given for each in done.payees} == amounts(
        market, firm=720_072, office=396_040, surveyor=84_008
    )
    assert (deal.check().verdict, deal.paid()) == ("good", "paid")

    account = parse_did(market.did(SURVEYOR))[1]
    before = market[SURVEYOR].context.reader.balance_wei(account)
    elsewhere = "0x" + "77" * 20
    taken = market[SURVEYOR].ledger.withdraw_escrow(deal.escrow, elsewhere)
    (mine,) = [each for each in taken.payees if each.party == market.did(SURVEYOR)]
    assert (mine.given, mine.owed, mine.withdrawn) == (84_008, 0, 84_008)
    assert market[SURVEYOR].context.reader.balance_wei(bytes.fromhex(elsewhere[2:])) == 84_008
    assert market[SURVEYOR].context.reader.balance_wei(account) < before
    with pytest.raises(Rejected, match="nothing is owed"):
        market[SURVEYOR].ledger.withdraw_escrow(deal.escrow)
    assert deal.paid() == "paid"

    (line,) = market[OFFICE].ledger.settlement_statement().lines
    assert (line.paid, line.escrow, line.allotted) == ("paid", deal.escrow, 396_040)
    (total,) = market[OFFICE].ledger.settlement_statement().totals
    assert (total.owed, total.allotted, total.paid) == (396_040, 396_040, 396_040)

    def in_tokens(*args: Any, **options: Any) -> Escrow:
        found = read_escrow(*args, **options)
        return structs.replace(found, terms=structs.replace(found.terms, token=b"\7" * 20))

    monkeypatch.setattr("ledger.service.escrow_payment.read_escrow", in_tokens)
    payment = deal.check().payment
    assert payment is not None
    assert payment.text == f"paid exactly this split, in tokens of 0x{'07' * 20}"


@pytest.mark.slow
def test_the_same_terms_are_the_same_escrow(deal: Deal) -> None:
    again = deal.market[OFFICE].ledger.open_escrow(terms(deal.agreement, payees=PAYEES[::-1]))
    assert (again.escrow, again.what, again.block) == (deal.escrow, "was open already", None)
    other = deal.market[OFFICE].ledger.open_escrow(terms(deal.agreement, payees=PAYEES[:2]))
    assert other.what == "opened"
    assert other.escrow != deal.escrow


@pytest.mark.slow
def test_the_arbiter_stands_in_for_the_buyer(market: Market) -> None:
    market.grant(OFFICE, FIRM, "office/hourly", "30%")
    make(market, FIRM, "firm/simple", ["office/hourly"])
    deal = agreed(market, "firm/simple", unit_price=None)  # a price of its own, in no record
    opening = terms(deal, payees=["firm", "office"], amount="100.01 CNY", arbiter="surveyor")
    escrow = market[FIRM].ledger.open_escrow(opening).escrow
    income = Income(product="firm/simple", revenue="100.01", currency="CNY", escrow=escrow, agreement=deal)
    record = market[FIRM].ledger.record_settlement(income).records[0].record
    market[EXCHANGE].ledger.fund_escrow(escrow)
    given = [market[name].ledger.approve_escrow(record).signature for name in (OFFICE, SURVEYOR)]
    done = market[FIRM].ledger.pay_escrow(record, given)  # the buyer never signs
    assert {each.party: each.given for each in done.payees} == amounts(market, firm=7001, office=3000)
    assert market[OFFICE].ledger.check_settlement(record).verdict == "good"


# consent


def test_two_of_three_sides_have_to_sign(deal: Deal) -> None:
    deal.fund()
    two = deal.approvals(FIRM, OFFICE)
    with pytest.raises(Usage, match=r"all payees \(missing Surveyor"):
        deal.pay(*two)
    with pytest.raises(Usage, match="the payer Exchange"):
        deal.market[FIRM].ledger.pay_escrow(deal.record, [*deal.approvals(OFFICE, SURVEYOR)])
    # whoever has the signatures may send them
    everybody = deal.approvals(FIRM, OFFICE, SURVEYOR, EXCHANGE)
    assert deal.market[SURVEYOR].ledger.pay_escrow(deal.record, everybody).state == "settled"


@pytest.mark.slow
def test_before_it_is_funded_and_twice(deal: Deal) -> None:
    given = deal.approvals(FIRM, OFFICE, SURVEYOR)
    with pytest.raises(Rejected, match="not funded"):
        deal.pay(*given)
    with pytest.raises(Usage, match="is funded by Exchange"):
        deal.market[FIRM].ledger.fund_escrow(deal.escrow)
    deal.fund()
    with pytest.raises(Rejected, match="funded already"):
        deal.fund()
    deal.pay(*given)
    with pytest.raises(Rejected, match="not funded"):
        deal.pay(*given)


def test_a_strangers_approval(deal: Deal) -> None:
    stranger = deal.approvals(SURVEYOR)[0]
    changed = f"{stranger[:20]}{'0' if stranger[20] != '0' else '1'}{stranger[21:]}"
    for wrong in (changed, "0x" + "00" * 65, "0x" + "ff" * 65):
        with pytest.raises(Invalid, match="no side of the escrow"):
            deal.pay(wrong)
    with pytest.raises(NotFound, match="no such file"):
        deal.pay("0x1234")


@pytest.mark.slow
def test_one_who_takes_no_part_can_not_approve(deal: Deal) -> None:
    market = deal.market
    escrow = market[FIRM].ledger.open_escrow(terms(deal.agreement, payer="firm")).escrow
    market[FIRM].ledger.revoke(deal.record)
    income = Income(product=PRODUCT, agreement=deal.agreement, escrow=escrow)
    record = market[FIRM].ledger.record_settlement(income).records[0].record
    with pytest.raises(Usage, match="neither payer nor payee nor arbiter"):
        market[EXCHANGE].ledger.approve_escrow(record)
    other = market[EXCHANGE].ledger.approve_escrow(deal.record, despite=True).signature
    with pytest.raises(Invalid, match="no side of the escrow"):  # it was for the other escrow
        market[FIRM].ledger.pay_escrow(record, [other])


def test_an_approval_for_something_else(deal: Deal, tmp_path: Path) -> None:
    made = deal.market[OFFICE].ledger.approve_escrow(deal.record)
    file = tmp_path / "a.json"
    for member, value, match in (
        ("chain_id", 1, "chain_id: expected"),
        ("escrow", "0x" + "11" * 20, "escrow: expected"),
        ("record", "22" * 32, "record: expected"),
        ("split_hash", "33" * 32, "split_hash: expected"),
        ("signature", "0x12", "65 bytes"),
    ):
        file.write_bytes(msgspec.json.encode(msgspec.structs.replace(made, **{member: value})))
        with pytest.raises(Invalid, match=match):
            deal.pay(str(file))
    for garbage in (b"", b"{}", b"\xff", b"[1]", b'{"format":"other"}', b"{" * 5000):
        file.write_bytes(garbage)
        with pytest.raises(Invalid):
            deal.pay(str(file))


def test_a_signature_for_another_chain_is_a_strangers(deal: Deal) -> None:
    """The hash binds the chain id: what was signed elsewhere is recovered as nobody here."""
    market = deal.market
    context = market[OFFICE].context
    market[OFFICE].ledger.sync()
    (settled,) = context.index.settlements(record=bytes.fromhex(deal.record))
    found = escrows.read_escrow(context.reader, bytes.fromhex(deal.escrow[2:]))
    digest = recorded_split_hash(
        settled.statement.predicate,  # type: ignore[arg-type]
        settled.record,
        context.descriptor.chain_id + 1,
        found.terms.payees,
    )
    with pytest.raises(Invalid, match="another split, escrow or chain"):
        deal.pay(sign_digest(digest, context.account_key).hex())


# the recorded and the paid


def test_a_true_split_that_was_paid_differently(deal: Deal) -> None:
    """The sides agree on another split, past the records: nobody can forbid that, everybody sees it."""
    market = deal.market
    deal.fund()
    false = market.say(
        FIRM,
        product(market),
        settlement(
            market,
            {FIRM: 720_073, OFFICE: 396_039, SURVEYOR: 84_008},
            agreement=deal.agreement,
            escrow=deal.escrow,
        ),
    )
    with pytest.raises(Invalid, match="not the split that lineage and grants lead to"):
        market[OFFICE].ledger.approve_escrow(false)
    given = [
        market[name].ledger.approve_escrow(false, despite=True).signature for name in (FIRM, OFFICE, SURVEYOR)
    ]
    with pytest.raises(Invalid, match="not the split"):
        market[EXCHANGE].ledger.pay_escrow(false, given)
    market[EXCHANGE].ledger.pay_escrow(false, given, despite=True)
    checked = deal.check()
    assert (checked.verdict, checked.differences) == ("differs", [])
    assert checked.payment is not None
    assert checked.payment.paid == "other-split"
    assert kinds(checked.findings) == {"paid-otherwise"}
    assert "Office got 396039, not 396040" in checked.payment.text
    assert f"it was paid for record {false}" in checked.payment.text
    found = market[OFFICE].ledger.settlement_statement()
    assert found.verdict == "differs"
    assert [(line.paid, "paid-otherwise" in line.findings) for line in found.lines] == [
        ("other-split", True),
        ("paid", False),
    ]


def income_with(deal: Deal, escrow: str) -> Income:
    return Income(product=PRODUCT, agreement=deal.agreement, escrow=escrow)


def said_with(deal: Deal, escrow: str) -> str:
    """The true split, recorded with an escrow that no command would let in."""
    due = {FIRM: 720_072, OFFICE: 396_040, SURVEYOR: 84_008}
    said = settlement(deal.market, due, agreement=deal.agreement, escrow=escrow)
    return deal.market.say(FIRM, product(deal.market), said)


@pytest.mark.slow
def test_an_escrow_that_does_not_fit_the_record(deal: Deal) -> None:
    market = deal.market
    ledger = market[EXCHANGE].ledger
    less = ledger.open_escrow(terms(deal.agreement, amount="12001.19 CNY")).escrow
    fewer = ledger.open_escrow(terms(deal.agreement, payees=PAYEES[:2])).escrow
    market[FIRM].ledger.revoke(deal.record)
    for escrow, text in ((less, "1200119 smallest units, not 1200120"), (fewer, "none of its payees")):
        with pytest.raises(Invalid, match=text):
            market[FIRM].ledger.record_settlement(income_with(deal, escrow))
        record = said_with(deal, escrow)
        checked = market[OFFICE].ledger.check_settlement(record)
        assert (checked.verdict, kinds(checked.findings)) == ("differs", {"escrow-misfit"})
        with pytest.raises(Invalid, match=text):
            market[OFFICE].ledger.approve_escrow(record)
        market[FIRM].ledger.revoke(record)


def test_what_a_record_names_is_not_funded_unless_it_can_pay_the_record(deal: Deal) -> None:
    """Whoever records a settlement chooses the escrow: another's money is not lured into one that is his."""
    market = deal.market
    lure = terms(deal.agreement, payees=[FIRM], amount="99999999.00 CNY")
    escrow = market[FIRM].ledger.open_escrow(lure).escrow
    record = said_with(deal, escrow)
    with pytest.raises(Invalid, match=r"can't pay record .*9999999900 smallest units"):
        market[EXCHANGE].ledger.fund_escrow(record)
    assert market[EXCHANGE].ledger.escrow(escrow).state == "created"


@pytest.mark.slow
def test_a_contract_of_other_code_is_no_escrow(deal: Deal) -> None:
    market = deal.market
    with pytest.raises(NotFound, match="no escrow stands at"):
        market[OFFICE].ledger.escrow("0x" + "99" * 20)
    anchors = f"0x{market[OFFICE].context.descriptor.address('Anchors').hex()}"
    with pytest.raises(WrongLedger, match="expected code that some release shipped"):
        market[OFFICE].ledger.escrow(anchors)
    market[FIRM].ledger.revoke(deal.record)
    with pytest.raises(WrongLedger, match="expected code that some release shipped"):
        market[FIRM].ledger.record_settlement(income_with(deal, anchors))
    with pytest.raises(Usage, match="expected an address"):
        market[FIRM].ledger.record_settlement(income_with(deal, "0x12"))
    record = said_with(deal, anchors)
    checked = market[OFFICE].ledger.check_settlement(record)
    assert (checked.verdict, kinds(checked.findings)) == ("differs", {"escrow-refused"})


@pytest.mark.slow
def test_shipped_code_that_somebody_else_created_is_no_escrow(deal: Deal) -> None:
    """The code is right, and its address commits to nothing: what it was created with can't be told."""
    context = deal.market[FIRM].context
    terms = escrows.read_escrow(context.reader, bytes.fromhex(deal.escrow[2:])).terms
    code = load("Settlement").init_code + escrows._arguments(terms)
    with context.client() as client:
        nonce = client._sender.transaction_count(context.address)  # type: ignore[attr-defined]
        client.send(Call(to=b"", data=code, label="a plain creation"), context.account_key)
    address = created_address(context.address, nonce)
    with pytest.raises(WrongLedger, match="does not follow from its terms"):
        deal.market[FIRM].ledger.escrow(f"0x{address.hex()}")


# the deadline


def test_a_refund_comes_with_the_deadline_and_not_before(deal: Deal, years: Callable[[int], None]) -> None:
    market = deal.market
    deal.fund()
    given = deal.approvals(FIRM, OFFICE, SURVEYOR)
    with pytest.raises(Rejected, match="deadline has not passed"):
        market[EXCHANGE].ledger.refund_escrow(deal.escrow)
    years(100)
    with pytest.raises(Rejected, match="deadline has passed"):
        deal.pay(*given)
    done = market[OFFICE].ledger.refund_escrow(deal.escrow)
    assert (done.state, done.payer_owed) == ("refunded", 1_200_120)
    assert (deal.check().verdict, deal.paid()) == ("good", "refunded")
    back = market[EXCHANGE].ledger.withdraw_escrow(deal.escrow)
    assert (back.state, back.payer_owed) == ("refunded", 0)
    with pytest.raises(Rejected, match="not funded"):
        deal.pay(*given)


@pytest.mark.slow
def test_what_is_asked_has_to_make_sense(deal: Deal) -> None:
    ledger = deal.market[EXCHANGE].ledger
    for wrong, match in (
        ({"payees": ()}, "1 to 64 payees"),
        ({"arbiter": "firm"}, "neither payer nor payee"),
        ({"amount": "0 CNY"}, "above zero"),
        ({"amount": "1"}, "amount and a currency"),
        ({"deadline": "2020-01-01"}, "last block's time"),
        ({"token": "gold"}, "ERC-20"),
        ({"agreement": deal.record}, "type agreement"),
    ):
        with pytest.raises(Usage, match=match):
            ledger.open_escrow(terms(**({"agreement": deal.agreement} | wrong)))
    with pytest.raises(Usage, match="type settlement"):
        ledger.escrow(deal.agreement)
    plain = deal.market[FIRM].ledger.record_settlement(sold()).records[0].record
    with pytest.raises(NotFound, match="names no escrow"):
        ledger.escrow(plain)
