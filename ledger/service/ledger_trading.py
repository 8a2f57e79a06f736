"""The part of `Ledger` that agrees with others and delivers; see there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ledger.service import results as r
from ledger.service.context import Context

if TYPE_CHECKING:
    from ledger.service.deals import Deal, Handover
    from ledger.service.negotiating import Answered, Proposed


class TradingMethods:
    """Agreements, from the first step to the last, and deliveries under them."""

    _context: Context

    def propose(self, deal: Deal, out: Path) -> r.Signed:
        """Sign what both are to sign, and write it to a file; see `countersigning.propose`."""
        from ledger.service import countersigning

        return countersigning.propose(self._context, deal, out)

    def sign(self, path: Path, out: Path | None = None, *, anchor: bool = True) -> r.Signed:
        """Sign what is in a file, and keep it once everybody has signed; see `countersigning.sign`."""
        from ledger.service import countersigning

        return countersigning.sign(self._context, path, out, anchor=anchor)

    def end_agreement(self, record: str, out: Path, *, reason: str = "", since: str = "") -> r.Signed:
        """Sign that an agreement is taken back, and write it to a file; see `countersigning.end`."""
        from ledger.service import countersigning

        return countersigning.end(self._context, record, out, reason=reason, since=since)

    def negotiate(self, state: Proposed, deal: Deal, *, anchor: bool = True) -> r.Receipt:
        """Ask for something or offer it, with terms; see `negotiating.propose_step`."""
        from ledger.service import negotiating

        return negotiating.propose_step(self._context, state, deal, anchor=anchor)

    def answer(self, state: Answered, record: str, *, anchor: bool = True) -> r.Receipt:
        """Accept, verify, finalize or terminate; see `negotiating.answer`."""
        from ledger.service import negotiating

        return negotiating.answer(self._context, state, record, anchor=anchor)

    def agreement(self, what: str, *, limit: int = 100) -> r.AgreementShown:
        """Show the agreement in a file, or that of a record; see `negotiating_shown.show`."""
        from ledger.service import negotiating_shown

        return negotiating_shown.show(self._context, what, limit=limit)

    def agreements(self) -> r.Agreements:
        """List the agreements that this party is in."""
        from ledger.service import negotiating_shown

        return negotiating_shown.agreements(self._context)

    def deliver(self, handover: Handover, *, despite: bool = False, anchor: bool = True) -> r.Receipt:
        """Record what was delivered under an agreement; see `delivering.deliver`."""
        from ledger.service import delivering

        return delivering.deliver(self._context, handover, despite=despite, anchor=anchor)

    def acknowledge(self, record: str, *, topic: str = "", text: str = "", anchor: bool = True) -> r.Receipt:
        """Say that a delivery or notice arrived; see `acknowledging.acknowledge`."""
        from ledger.service import acknowledging

        return acknowledging.acknowledge(self._context, record, topic=topic, text=text, anchor=anchor)
