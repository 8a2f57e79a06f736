"""Answering with what was written: the exit code tells whether the rest of what was asked for is done too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .render import writing

if TYPE_CHECKING:
    from ledger.service.results import Receipt

    from .session import Session

UNAVAILABLE = 3
"""The exit code where records are kept, and what else was asked for could not be done now."""


def answer_receipt(session: Session, done: Receipt) -> int:
    """Print a receipt and return the exit code."""
    session.answer(done, writing.receipt)
    return code_of(done)


def code_of(done: Receipt | None) -> int:
    """Return the exit code of a receipt, if there is one."""
    return UNAVAILABLE if done is not None and done.problem else 0
