"""What the use cases of settlement answer; see `results`, which offers these shapes too.

Amounts are whole numbers of the currency's minor unit. `exact` is what an amount was before it was rounded:
minor units with up to six decimals, the rest cut off.
"""

from __future__ import annotations

from msgspec import Struct

from ledger.service.results.auditing import Problem


class Due(Struct, frozen=True, kw_only=True):
    """What a party gets of an income, and the grants by which it is owed that. `keeps`: it is the seller."""

    party: str
    party_name: str
    amount: int
    exact: str
    grants: list[str]
    keeps: bool = False


class Share(Struct, frozen=True, kw_only=True):
    """One step on the way of the money: `payer` owes `payee` so much of what it has, for `used`, by a grant.

    `share_bps` is the payee's part of what the payer has with these nodes, in basis points.
    """

    payer: str
    payer_name: str
    payee: str
    payee_name: str
    grant: str
    share_bps: int
    used: list[str]
    exact: str


class Ungranted(Struct, frozen=True, kw_only=True):
    """What somebody used without a grant to offer what it made of it: nothing is paid for it.

    `verdict` is `denied`, or `unknown` where something could not be had; `because` are codes as `may` gives
    them.
    """

    party: str
    party_name: str
    used: str
    verdict: str
    because: list[str]
    text: str


class BilledUse(Struct, frozen=True, kw_only=True):
    """What was delivered under an agreement: `due` at the price agreed (`priced`), and `charged`."""

    agreement: str
    units: int
    currency: str
    due: int
    charged: int
    priced: bool


class IncomeSplit(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/settle/v1"):
    """Who is owed what of an income, as of the end of block `as_of`, by the grants that counted at `at`.

    `verdict` is `settled`; `unsettled` if there is a use without a grant, or another finding; `unknown` if
    something that may matter could not be had. `dues` add up to `total`.
    """

    verdict: str
    product: str
    seller: str
    seller_name: str
    currency: str
    total: int
    as_of: int
    as_of_time: str
    at: str
    dues: list[Due]
    shares: list[Share]
    purpose: str = ""
    region: str = ""
    start: str = ""
    until: str = ""
    under: str = ""
    bill: BilledUse | None = None
    ungranted: list[Ungranted] = []
    unknown: list[str] = []
    findings: list[Problem] = []
    notes: list[str] = []


class Difference(Struct, frozen=True, kw_only=True):
    """What a record says of one party, and what it should say; null: nothing of it."""

    party: str
    party_name: str
    recorded: int | None
    expected: int | None


class EscrowPayment(Struct, frozen=True, kw_only=True):
    """What became of the money of a recorded settlement that names an escrow.

    `paid` is `paid` (this split), `other-split` (another one), `unpaid` (may still be), `refunded`, or
    `refused`: the address holds no escrow that fits the record.
    """

    escrow: str
    paid: str
    text: str


class SettlementCheck(
    Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/settlement-check/v1"
):
    """A recorded settlement, recomputed as of its own block.

    `verdict` is `good`, `differs` (the split, or what was paid, or a finding), or `unknown`. `expected` is
    null where the income can't be split at all, which a finding says.
    """

    verdict: str
    record: str
    payer: str
    payer_name: str
    product: str
    currency: str
    total: int
    as_of: int
    state: str
    differences: list[Difference]
    expected: IncomeSplit | None
    payment: EscrowPayment | None = None
    findings: list[Problem] = []
    unknown: list[str] = []


class StatementLine(Struct, frozen=True, kw_only=True):
    """One settlement that names a party: what it was allotted, and what it is owed by lineage and grants.

    `owed` is null where that could not be recomputed. `paid` is empty where no escrow pays it, else as in
    `EscrowPayment`. A line that was taken back, or that settles what was settled before, is in no total.
    """

    record: str
    product: str
    payer: str
    payer_name: str
    agreement: str
    start: str
    until: str
    block: int | None
    block_time: str
    currency: str
    total: int
    allotted: int
    owed: int | None
    escrow: str
    paid: str
    revoked: bool
    findings: list[str]


class StatementTotal(Struct, frozen=True, kw_only=True):
    """Sums of one currency: `owed` and `allotted` by the lines that count, `paid` through escrows by any."""

    currency: str
    owed: int
    allotted: int
    paid: int


class SettlementStatement(
    Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/settlement-statement/v1"
):
    """What a party is owed and was allotted, line by line, oldest first, and by currency.

    `verdict` is `good`, `differs` if any line's settlement is not as it should be, or `unknown`.
    """

    verdict: str
    party: str
    party_name: str
    start: str
    until: str
    lines: list[StatementLine]
    totals: list[StatementTotal]
    to_block: int
    unknown: list[str] = []


class EscrowParty(Struct, frozen=True, kw_only=True):
    """A payee of an escrow: what the split gave it (null: none was paid), what it may take, what it took."""

    party: str
    party_name: str
    given: int | None
    owed: int
    withdrawn: int


class EscrowState(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/escrow/v1"):
    """An escrow as the chain has it, at the end of block `to_block`.

    `state` is `created`, `funded`, `settled` or `refunded`. Amounts are in the smallest unit of `token` (an
    address; empty: the chain's own coin, wei): one for each minor unit of a currency. `record` and
    `split_hash` are those of the split that was paid. `block` is that of what was just done, if anything was.
    """

    escrow: str
    state: str
    agreement: str
    payer: str
    payer_name: str
    payees: list[EscrowParty]
    arbiter: str
    arbiter_name: str
    token: str
    amount: int
    deadline: str
    to_block: int
    payer_owed: int = 0
    record: str = ""
    split_hash: str = ""
    what: str = ""
    block: int | None = None
    block_time: str = ""
    notes: list[str] = []


class EscrowApproval(
    Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/escrow-approval/v1"
):
    """A party's consent to pay exactly what a recorded settlement says, by an escrow: an EIP-712 signature.

    It travels as this JSON, or as the `signature` alone: 65 bytes in hex, r, s and v. `split_hash` is what
    was signed.
    """

    chain_id: int
    escrow: str
    record: str
    split_hash: str
    party: str
    signature: str
