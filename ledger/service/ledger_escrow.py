"""What `Ledger` offers about escrows: opened, funded, approved, paid out, refunded, withdrawn from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.service import results as r
from ledger.service.context import Context

if TYPE_CHECKING:
    from ledger.service.escrowing import Opening


class EscrowMethods:
    """What moves money. An escrow is named by its address, or by a settlement's record."""

    _context: Context

    def open_escrow(self, opening: Opening) -> r.EscrowState:
        """Create an escrow for an agreement; see `escrowing.open_escrow`."""
        from ledger.service import escrowing

        return escrowing.open_escrow(self._context, opening)

    def fund_escrow(self, escrow: str) -> r.EscrowState:
        """Put the whole amount in, as the payer."""
        from ledger.service import escrowing

        return escrowing.fund(self._context, escrow)

    def approve_escrow(
        self, record: str, out: Path | None = None, *, despite: bool = False
    ) -> r.EscrowApproval:
        """Sign what a recorded settlement says, for its escrow; see `escrow_approving.approve`."""
        from ledger.service import escrow_approving

        return escrow_approving.approve(self._context, record, out, despite=despite)

    def pay_escrow(
        self, record: str, approvals: Sequence[str] = (), *, despite: bool = False
    ) -> r.EscrowState:
        """Pay out what a recorded settlement says; see `escrow_approving.pay`."""
        from ledger.service import escrow_approving

        return escrow_approving.pay(self._context, record, approvals, despite=despite)

    def refund_escrow(self, escrow: str) -> r.EscrowState:
        """Give the payer everything back, from the deadline on."""
        from ledger.service import escrowing

        return escrowing.refund(self._context, escrow)

    def withdraw_escrow(self, escrow: str, to: str = "") -> r.EscrowState:
        """Take what this party is owed, to its own account or another one."""
        from ledger.service import escrowing

        return escrowing.withdraw(self._context, escrow, to)

    def escrow(self, escrow: str) -> r.EscrowState:
        """Say how an escrow stands, as the chain has it."""
        from ledger.service import escrowing

        return escrowing.show(self._context, escrow)
