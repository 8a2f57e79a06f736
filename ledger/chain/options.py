"""How to talk to a chain."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct


def _silent(_: str) -> None:
    """Tell nobody."""


class Options(Struct, frozen=True):
    """Patience and finality.

    `wait_s`: how long to wait for another process's lock; `mined_s`: for a transaction to get into a block;
    `timeout_s`: for a node's answer. `confirmations`: how many blocks on top make one final; None: what the
    node calls finalized, or 12 if it does not know the tag. `on_wait` is told, in words, when something takes
    long.
    """

    wait_s: float = 60.0
    mined_s: float = 180.0
    timeout_s: float = 20.0
    confirmations: int | None = None
    on_wait: Callable[[str], None] = _silent


DEFAULTS = Options()
