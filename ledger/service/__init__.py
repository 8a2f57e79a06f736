"""The use cases, and `Ledger`, the public Python API that lists them.

`Ledger` is imported when it is first asked for: verifying evidence needs neither chain nor index nor keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ledger.service.ledger import Ledger
    from ledger.service.request import InitRequest

__all__ = ["InitRequest", "Ledger"]


def __getattr__(name: str) -> Any:
    if name == "Ledger":
        from ledger.service.ledger import Ledger

        return Ledger
    if name == "InitRequest":
        from ledger.service.request import InitRequest

        return InitRequest
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
