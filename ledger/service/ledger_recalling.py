"""What `Ledger` offers about statements, incidents and parties: attest, recall, compare."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.service import results as r
from ledger.service.context import Context

if TYPE_CHECKING:
    from ledger.service.attesting import Assertion


class RecallMethods:
    """The part of `Ledger` that says something about data, and finds whom it concerns."""

    _context: Context

    def attest(self, assertion: Assertion, *, anchor: bool = True) -> r.Receipt:
        """Say something about assets, versions or a record; freeze, lift; see `attesting.attest`."""
        from ledger.service import attesting

        return attesting.attest(self._context, assertion, anchor=anchor)
