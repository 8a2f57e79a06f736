"""The use cases, and `Ledger`, the public Python API that lists them."""

from ledger.service.ledger import Ledger
from ledger.service.request import InitRequest

__all__ = ["InitRequest", "Ledger"]
