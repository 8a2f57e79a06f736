"""What a record says of rights: grants, agreements, deliveries, settlements and attestations.

Rights and conditions have their equivalents in ODRL 2.2 (https://www.w3.org/TR/odrl-model/), states are the
Dataspace Protocol's (contract negotiation, transfer process; https://w3id.org/dspace) and spelled as there;
docs/formats.md section 4 has the table. Money is a whole number of the currency's minor unit (`money`),
shares are basis points (10,000 = all), no number here is a float. Half-open: `start` is the first moment that
counts, `until` the first that does not.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct, field

from ledger.core.record_parts import Header, Hex, Label, Number, Party, RunId, Size, Text, Time

CURRENCY_PATTERN = "^[A-Z]{3}$"
REGION_PATTERN = "^[A-Z]{2}(-[A-Z0-9]{1,3})?$"
ADDRESS_PATTERN = "^0x[0-9a-f]{40}$"
MAX_TERMS = 64
"""Most purposes, regions or conditions of one grant."""
ALL_BPS = 10_000
"""The whole, in basis points."""

Right = Literal["hold", "use", "operate"]
"""To keep a copy; to process and use it; to offer products of it to others. None of them contains another."""
Level = Literal["general", "important", "core"]
"""How sensitive data is, as GB/T 43697-2024 has it, mildest first."""
Kind = Literal[
    "review", "valuation", "quality", "certification", "objection", "consent", "incident", "notice",
    "acknowledgement", "classification",
]  # fmt: skip
"""What an attestation attests."""
NegotiationState = Literal[
    "REQUESTED", "OFFERED", "ACCEPTED", "AGREED", "VERIFIED", "FINALIZED", "TERMINATED"
]
TransferState = Literal["REQUESTED", "STARTED", "SUSPENDED", "COMPLETED", "TERMINATED"]

LEVELS: Final[tuple[Level, ...]] = ("general", "important", "core")

Bps = Annotated[int, Meta(ge=0, le=ALL_BPS)]
Days = Annotated[int, Meta(ge=1, le=36_600)]
Currency = Annotated[str, Meta(min_length=3, max_length=3, extra_json_schema={"pattern": CURRENCY_PATTERN})]
"""An ISO 4217 code."""
Region = Annotated[str, Meta(min_length=2, max_length=6, extra_json_schema={"pattern": REGION_PATTERN})]
"""ISO 3166-1 alpha-2 (`CN`), or a subdivision of ISO 3166-2 (`CN-44`), which lies in the former."""
Address = Annotated[str, Meta(min_length=42, max_length=42, extra_json_schema={"pattern": ADDRESS_PATTERN})]
"""20 bytes of a contract's address."""
_UNIQUE = {"uniqueItems": True}
Rights = Annotated[list[Right], Meta(min_length=1, max_length=3, extra_json_schema=_UNIQUE)]
Labels = Annotated[list[Label], Meta(max_length=MAX_TERMS, extra_json_schema=_UNIQUE)]
Regions = Annotated[list[Region], Meta(max_length=MAX_TERMS, extra_json_schema=_UNIQUE)]
Parties = Annotated[list[Party], Meta(max_length=MAX_TERMS, extra_json_schema=_UNIQUE)]


class Money(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """`amount` of the currency's minor unit: 1 yuan is CNY 100, 1 yen JPY 1, 1 Kuwaiti dinar KWD 1000."""

    currency: Currency
    amount: Size


class Condition(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """What has to be attested for a right to be had: an attestation of this kind and topic by one of `by`.

    An empty `by` means the grantee itself. With `every_days` the duty recurs (a yearly disclosure of prices):
    the youngest such attestation is no older, or the grant itself is not. Without, one is in force now.
    """

    kind: Kind
    topic: Label
    by: Parties = field(default_factory=list)
    every_days: Days | None = None


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """What may be done, and under which conditions. An empty list of purposes or regions does not limit.

    `level` is the most sensitive data that is meant. `share_bps` is the part of the income from what is made
    of the data that is due to the giver. `price_cap` bounds what the taker may ask for a unit, and for a
    purpose in `free_for` it may ask nothing. `sublicensable` lets the taker grant on, never more than it has.
    `arbiter` alone may freeze it.
    """

    rights: Rights
    purposes: Labels = field(default_factory=list)
    regions: Regions = field(default_factory=list)
    start: Time = ""
    until: Time = ""
    level: Level | None = None
    share_bps: Bps = 0
    sublicensable: bool = False
    price_cap: Money | None = None
    free_for: Labels = field(default_factory=list)
    conditions: Annotated[list[Condition], Meta(max_length=MAX_TERMS)] = field(default_factory=list)
    arbiter: Party = ""


class Grant(Header, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """`grantor` gives `grantee` (DIDs; nobody named: everybody) rights in the subject: assets or versions.

    `under` is the record id of the grant or agreement by which the grantor has what it passes on; without it
    the grantor holds the asset. `anchor_before` is a block number, as in a transfer.
    """

    grantor: Party
    terms: Terms
    grantee: Party = ""
    under: Hex = ""
    anchor_before: Number | None = None


class Agreement(Header, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """A step in the negotiation of `provider` and `consumer` about the subject: assets or versions.

    `previous` is the record id of the step before, absent in the first; `terms` are there in the steps that
    propose or agree something. What both sign may begin with AGREED or FINALIZED: it was negotiated
    elsewhere. Finalized, the terms are a grant of the provider's; `unit_price` is for one `unit` delivered.
    """

    negotiation: RunId
    provider: Party
    consumer: Party
    state: NegotiationState
    previous: Hex = ""
    terms: Terms | None = None
    under: Hex = ""
    unit: Label = ""
    unit_price: Money | None = None
    anchor_before: Number | None = None


class Delivery(Header, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """A step in a transfer under `agreement` (id of the record with its terms). Subject: what is transferred.

    `units` were delivered since the step before, for `purpose`, to `region`, and `charged` is what was asked
    for all of them.
    """

    process: RunId
    agreement: Hex
    state: TransferState
    previous: Hex = ""
    units: Size = 0
    purpose: Label = ""
    region: Region = ""
    charged: Money | None = None


class Payout(Struct, frozen=True, forbid_unknown_fields=True, array_like=True, gc=False):
    """`amount`, in the settlement's minor unit, goes to `party` (DID)."""

    party: Party
    amount: Size


class Settlement(Header, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """Income of `payer` from the subject (one asset or version) and how it is split, to the smallest unit.

    `as_of` is the block whose lineage and grants were the basis. `under` is the right by which a payer offers
    who does not hold the asset, `agreement` is named where the income is that of one agreement alone,
    `escrow` is the Settlement contract that pays it out. `purpose` and `region` are those of the sale, which
    choose the grants.
    """

    payer: Party
    total: Money
    payouts: Annotated[list[Payout], Meta(min_length=1)]
    as_of: Size
    under: Hex = ""
    agreement: Hex = ""
    purpose: Label = ""
    region: Region = ""
    start: Time = ""
    until: Time = ""
    escrow: Address = ""


class Attestation(
    Header, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, gc=False
):
    """The authors say something about the subject: assets or versions, or about record `target` (hex id).

    Which members a kind has is said in docs/formats.md. `to` are those whom a notice concerns (DIDs), `due`
    is when they are to have acknowledged it.
    """

    kind: Kind
    topic: Label = ""
    description: Text = ""
    target: Hex = ""
    outcome: Literal["passed", "failed", "open", "closed", "frozen", "lifted"] | None = None
    amount: Money | None = None
    score_bps: Bps | None = None
    sample_bps: Bps | None = None
    level: Level | None = None
    purposes: Labels = field(default_factory=list)
    regions: Regions = field(default_factory=list)
    start: Time = ""
    until: Time = ""
    to: Parties = field(default_factory=list)
    due: Time = ""
