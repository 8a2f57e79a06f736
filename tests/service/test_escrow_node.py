"""A trade on a real node: agreed, delivered, settled, paid out by an escrow that both parties check there."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.core.errors import Invalid, Rejected
from ledger.service import Ledger
from ledger.service.deals import Deal, Handover
from ledger.service.escrowing import Opening
from ledger.service.offers import Offer
from ledger.service.settlement_sale import Income
from tests.chain.conftest import running_anvil
from tests.service.market import make
from tests.service.test_evidence_node import begin

pytestmark = [pytest.mark.anvil, pytest.mark.slow]


class Two:
    """Stands for a market of two: what `make` and `derive` want of one."""

    def __init__(self, **ledgers: Ledger) -> None:
        self._ledgers = ledgers

    def __getitem__(self, name: str) -> Two:
        self.ledger = self._ledgers[name]
        return self

    @property
    def context(self) -> object:
        return self.ledger._context


def test_a_trade_on_a_node(tmp_path: Path) -> None:
    with running_anvil() as url, begin(tmp_path / "firm", url, "firm") as firm:
        home = tmp_path / "firm" / ".dataledger"
        with begin(tmp_path / "office", url, "office", home / "ledger.json") as office:
            both = Two(firm=firm, office=office)
            make(both, "office", "office/hourly", [])  # type: ignore[arg-type]
            firm.follow("office", source=str(tmp_path / "office"))
            make(both, "firm", "firm/forecast", ["office/hourly"])  # type: ignore[arg-type]
            office.follow("firm", source=str(tmp_path / "firm"))
            office.grant(Offer(names=["office/hourly"], rights=["use", "operate"], to="firm", share="33.33%"))
            firm.sync()
            file = tmp_path / "deal.json"
            firm.propose(
                Deal(names=["firm/forecast"], rights=["use"], to="office", price="1.20 CNY", unit="row"), file
            )
            office.sign(file)
            firm.sign(file)
            (deal,) = firm.agreements().agreements
            handover = Handover(agreement=deal.record, versions=["firm/forecast@1"], units=10_001)
            firm.deliver(handover)
            office.sync()
            opening = Opening(
                agreement=deal.record, payees=["firm", "office"], amount="12001.20 CNY", deadline="2099-12-31"
            )
            escrow = office.open_escrow(opening).escrow
            assert office.open_escrow(opening).what == "was open already"
            income = Income(product="firm/forecast", agreement=deal.record, escrow=escrow)
            record = firm.record_settlement(income).records[0].record
            office.sync()
            checked = office.check_settlement(record)
            assert (checked.verdict, checked.payment.paid) == ("good", "unpaid")  # type: ignore[union-attr]
            assert office.fund_escrow(escrow).state == "funded"
            with pytest.raises(Rejected, match="deadline has not passed"):
                office.refund_escrow(escrow)
            approval = firm.approve_escrow(record)
            with pytest.raises(Invalid, match="no side of the escrow"):
                office.pay_escrow(record, [approval.signature[:-4] + "ff1b"])
            paid = office.pay_escrow(record, [approval.signature])
            assert (paid.state, paid.record) == ("settled", record)
            assert sorted(each.given or 0 for each in paid.payees) == [400_000, 800_120]
            for ledger in (firm, office):
                found = ledger.check_settlement(record)
                assert (found.verdict, found.payment.paid) == ("good", "paid")  # type: ignore[union-attr]
            taken = firm.withdraw_escrow(record)
            assert sorted(each.withdrawn for each in taken.payees) == [0, 800_120]
            (total,) = firm.settlement_statement().totals
            assert (total.allotted, total.paid) == (800_120, 800_120)
