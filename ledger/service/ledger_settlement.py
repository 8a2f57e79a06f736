"""What `Ledger` offers about money: income split, recorded, checked, stated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.service import results as r
from ledger.service.context import Context

if TYPE_CHECKING:
    from ledger.service.settlement_sale import Income


class SettlementMethods:
    """The part of `Ledger` that says who is owed what."""

    _context: Context

    def settle(self, income: Income) -> r.IncomeSplit:
        """Split an income over the lineage of a product; see `settling.settle`."""
        from ledger.service import settling

        return settling.settle(self._context, income)

    def record_settlement(self, income: Income, *, despite: bool = False, anchor: bool = True) -> r.Receipt:
        """Split this party's income and record the split; see `settling.record`."""
        from ledger.service import settling

        return settling.record(self._context, income, despite=despite, anchor=anchor)

    def check_settlement(self, record: str) -> r.SettlementCheck:
        """Recompute a recorded settlement and compare; see `settlement_checking.check`."""
        from ledger.service import settlement_checking

        return settlement_checking.check(self._context, record)

    def settlement_statement(self, party: str = "", *, period: str = "") -> r.SettlementStatement:
        """Say what a party is owed and was allotted; see `settlement_statement.statement`."""
        from ledger.service import settlement_statement

        return settlement_statement.statement(self._context, party, period=period)
