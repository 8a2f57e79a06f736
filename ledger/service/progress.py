"""How use cases speak to a person while work goes on."""

from __future__ import annotations

from collections.abc import Callable

Notify = Callable[[str], None]
"""Tells a person something while work goes on."""

Progress = Callable[[str, int, int | None], None]
"""Says how far long work is: what, how much is done, out of how much (None: not known)."""


Confirm = Callable[[str], bool]
"""Asks whether to do something that can't be undone."""


def silent(_message: str) -> None:
    """Tell nobody."""


def no_progress(_what: str, _done: int, _total: int | None) -> None:
    """Show no progress."""


def refuse(_question: str) -> bool:
    """Do nothing that can't be undone."""
    return False
