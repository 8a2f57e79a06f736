"""What the use cases of agreements and deliveries answer; see `results`, which offers these shapes too."""

from __future__ import annotations

from msgspec import Struct

from ledger.service.results.rights import Duty
from ledger.service.results.writing import Receipt


class Price(Struct, frozen=True, kw_only=True):
    """An amount in the currency's minor unit."""

    currency: str
    amount: int


class Signatory(Struct, frozen=True, kw_only=True):
    """A party that has to sign, and whether it has."""

    party: str
    party_name: str
    signed: bool


class AgreedTerms(Struct, frozen=True, kw_only=True):
    """What may be done, and under which conditions. No purposes or regions: it is not limited.

    `start` is the first moment that counts, `until` the first that does not. `share_bps` is the part of the
    income due to the provider, `price_cap` the most that may be asked for a unit.
    """

    rights: list[str]
    purposes: list[str] = []
    regions: list[str] = []
    start: str = ""
    until: str = ""
    level: str = ""
    share_bps: int = 0
    sublicensable: bool = False
    price_cap: Price | None = None
    free_for: list[str] = []
    conditions: list[Duty] = []
    arbiter: str = ""


class NegotiationStep(Struct, frozen=True, kw_only=True):
    """A step of a negotiation. `counts` is false for one that was not allowed: it changes no state."""

    record: str
    state: str
    parties: list[str]
    party_names: list[str]
    anchored: str
    block: int | None
    block_time: str
    counts: bool = True


class DeliveryStep(Struct, frozen=True, kw_only=True):
    """A step of a transfer: what was delivered since the one before, and what was charged for all of it.

    `acknowledged` is the record by which the consumer says that it arrived. `counts` is false for a step that
    was not allowed; `findings` say what else is improper.
    """

    record: str
    process: str
    state: str
    subject: list[str]
    units: int
    charged: Price | None
    purpose: str
    region: str
    anchored: str
    block: int | None
    block_time: str
    acknowledged: str = ""
    counts: bool = True
    findings: list[str] = []


class Billed(Struct, frozen=True, kw_only=True):
    """The bill, recomputed from the deliveries that count: `due` by the price agreed, `charged` as recorded,
    both in the currency's minor unit.
    """

    units: int
    currency: str
    due: int
    charged: int
    findings: list[str] = []


class AgreementShown(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/agreement/v1"):
    """An agreement, out of a file (`path`) or out of the logs.

    `record` is the step that says the terms; `state` is where the negotiation stands (of a file that is not
    complete: what it is to become), `next` what may follow. `problem` is why a file would be refused now,
    `improper` is what everybody finds improper in its price, `ends` how it takes the agreement back. `ended`
    says since when the agreement is taken back. `deliveries` lists the last of `deliveries_count`; the bill
    is of all.
    """

    record: str
    negotiation: str
    state: str
    next: list[str]
    provider: str
    provider_name: str
    consumer: str
    consumer_name: str
    subject: list[str]
    terms: AgreedTerms
    unit: str = ""
    unit_price: Price | None = None
    under: str = ""
    anchor_before: int | None = None
    path: str = ""
    signatories: list[Signatory] = []
    complete: bool = True
    problem: str = ""
    improper: list[str] = []
    ends: str = ""
    ended: str = ""
    steps: list[NegotiationStep] = []
    deliveries: list[DeliveryStep] = []
    deliveries_count: int = 0
    bill: Billed | None = None
    findings: list[str] = []
    to_block: int = 0


class Signed(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/signed/v1"):
    """A file that goes through the hands of all who sign it.

    Until everybody has signed it is in no log, and `receipt` is null. `what` is `agreement` or `end of an
    agreement`; `agreement` is the one that is made or taken back. It has to be anchored before the block
    `anchor_before`.
    """

    path: str
    record: str
    what: str
    agreement: AgreementShown
    signatories: list[Signatory]
    complete: bool
    anchor_before: int | None = None
    receipt: Receipt | None = None


class AgreementLine(Struct, frozen=True, kw_only=True):
    """One agreement in a list: which side this party is on, with whom, about what, and where it stands."""

    record: str
    state: str
    side: str
    other: str
    other_name: str
    subject: list[str]
    until: str
    ended: str = ""


class Agreements(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/agreements/v1"):
    """The agreements that this party is in, those begun last first; `truncated` says that there are more."""

    agreements: list[AgreementLine]
    truncated: bool
    to_block: int
