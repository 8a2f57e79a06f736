"""What is to be agreed or delivered, as it was asked for; texts are read by who does it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from msgspec import Struct

from ledger.service.offers import Offer

Side = Literal["provider", "consumer"]
WITHIN_BLOCKS: Final = 50_400
"""How many blocks everybody has to sign: a week of twelve-second blocks."""


class Deal(Offer, frozen=True, kw_only=True):
    """An offer (`to` is the other party) with its price, and which side this party is on.

    `price` is an amount and a currency for one `unit`. `previous` is the record of the step before: parties
    and subject are then its own, and where no rights are named the terms too. `negotiation` is the
    name by which both know it (default: a new one). What is signed by both is void `within` so many blocks.
    """

    names: Sequence[str] = ()
    rights: Sequence[Literal["hold", "use", "operate"]] = ()
    side: Side = "provider"
    price: str = ""
    unit: str = ""
    previous: str = ""
    negotiation: str = ""
    within: int = WITHIN_BLOCKS


class Handover(Struct, frozen=True, kw_only=True):
    """What was delivered under an agreement (a record, or its first digits).

    `charged` is an amount and a currency for all `units`. `process` names the transfer: a new one unless a
    step of it is recorded, which then goes on. `state` is what the transfer comes to with this step.
    """

    agreement: str
    versions: Sequence[str] = ()
    units: int = 0
    charged: str = ""
    purpose: str = ""
    region: str = ""
    process: str = ""
    state: Literal["REQUESTED", "STARTED", "SUSPENDED", "COMPLETED", "TERMINATED"] = "COMPLETED"
