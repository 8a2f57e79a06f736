"""The use cases, and `Ledger`, the public Python API that lists them."""

from ledger.service.ledger import InitRequest, Ledger

__all__ = ["InitRequest", "Ledger"]
