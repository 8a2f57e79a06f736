"""What the use cases of rights answer; see `results`, which offers these shapes too."""

from __future__ import annotations

from msgspec import Struct


class Duty(Struct, frozen=True, kw_only=True):
    """What a grant demands: an attestation of this kind and topic, by one of `by` (none: the taker), again
    `every_days` if that is said.
    """

    kind: str
    topic: str
    by: list[str] = []
    every_days: int | None = None


class Cap(Struct, frozen=True, kw_only=True):
    """The most that may be asked for a unit, in the currency's minor unit."""

    currency: str
    amount: int


class Cause(Struct, frozen=True, kw_only=True):
    """Why an answer about rights is what it is: a stable code (docs/formats.md section 13 says what counts),
    what it means, the asset or version that it is about, the record of the grant at fault, and particulars.
    """

    code: str
    meaning: str
    subject: str
    record: str = ""
    text: str = ""


class GrantUsed(Struct, frozen=True, kw_only=True):
    """A grant or agreement that an answer relies on, and what it demands.

    `taker` is empty for everybody, `until` is the first moment that does not count, `under` the record that
    it rests on. `share_bps` is the part of the income due to the giver, in basis points.
    """

    record: str
    giver: str
    giver_name: str
    taker: str
    taker_name: str
    subject: list[str]
    until: str = ""
    under: str = ""
    share_bps: int = 0
    duties: list[Duty] = []


class Happened(Struct, frozen=True, kw_only=True):
    """One record in the history of an asset: who said what of what, to whom, in which block.

    `to` is whom it was granted, delivered or handed over, `units` how many were delivered, `about` the record
    that it takes back, follows or rests on; of a delivery its agreement.
    `binds_from` is the block from which a transfer or revocation binds others: its posting's, if that came
    later. `revoked` says that it was taken back.
    """

    record: str
    what: str
    subject: str
    party: str
    party_name: str
    to: str
    to_name: str
    about: str
    state: str
    revoked: bool
    block: int | None
    block_time: str
    binds_from: int | None
    units: int = 0


class History(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/history/v1"):
    """What became of an asset, in the order of the chain. `complete` is false where a log that could say more
    can't be had; `holder` is who holds it now.
    """

    asset: str
    holder: str
    holder_name: str
    events: list[Happened]
    complete: bool
    to_block: int


class Permission(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/may/v1"):
    """Whether a party may do something: `permitted`, `denied` or `unknown`, and why.

    `purpose` and `region` are empty where none was named. `at` is the moment asked for, `to_block` the block
    whose facts answer it. `free`: for this purpose nothing may be asked; `caps` bound the price of a unit.
    `level` is how sensitive the data is, empty where nobody said. `rules` names the rule list for borders
    with version and digest, empty where none was given. `objections` are records that object; they flag, and
    decide nothing.
    """

    verdict: str
    party: str
    party_name: str
    right: str
    subject: str
    purpose: str
    region: str
    at: str
    to_block: int
    to_block_time: str
    because: list[Cause]
    grants: list[GrantUsed]
    free: bool
    caps: list[Cap]
    level: str
    rules: str
    objections: list[str] = []
