"""The shape of an answer about rights: permitted, denied or unknown, and all that it rests on.

Stable codes beside the words, so that other programs can tell reasons apart. Parties are DIDs, record ids
hex: the answer is shown as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

from msgspec import Struct

from ledger.core.records_rights import Money, Right

Verdict = Literal["permitted", "denied", "unknown"]

DENIALS: Final = {
    "no-grant": "nobody who could gave this right to the party",
    "void": "the giver had not what it gave",
    "broken-chain": "a link was not given to the party that gives the next one",
    "not-passed-on": "a link may not be passed on",
    "beyond-grant": "a link gives more than the one that it rests on",
    "not-holder": "the first link is by somebody who did not hold the asset",
    "not-final": "the agreement was never finalized",
    "right": "a link does not give this right",
    "subject": "a link is about something else",
    "purpose": "a link is for other purposes only",
    "region": "a link is for other regions only",
    "level": "the data is more sensitive than a link allows",
    "not-begun": "a link is not in force yet",
    "expired": "a link has ended",
    "revoked": "a link was taken back",
    "frozen": "the arbiter froze the asset or a link",
    "condition": "what a link demands was not attested",
    "price": "the price is above the cap of a link",
    "free-purpose": "for this purpose nothing may be asked",
    "border": "a rule for transfers across borders forbids it, or what it demands was not attested",
}
"""Why something is denied."""

DOUBTS: Final = {
    "log-missing": "a log that could say more can't be had",
    "posted-unknown": "something was posted against it of which the record can't be had",
    "holder-unknown": "who holds the asset can't be told",
    "grant-unknown": "the record that a link rests on is not known",
    "input-unregistered": "an input is not in the ledger, and its maker does not hold it",
    "input-declared": "an input was named and never hashed, and its maker does not hold it",
    "input-unknown": "what is said of an input stands in a log that can't be had",
    "currency": "price and cap are in different currencies",
    "border-nobody": "a rule demands an attestation and does not say whose",
    "origin-unknown": "where sensitive data is from was never attested, and a rule depends on it",
    "too-large": "there is more lineage than was to be looked at",
}
"""Why something can't be told. Unknown is never yes."""


class Reason(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why not, or why nobody knows: one of DENIALS or DOUBTS.

    `record` is the blocking record, `link` its place in the chain of grants: 1 is given by the holder.
    """

    code: str
    text: str
    record: str = ""
    link: int = 0


class Link(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One link of a chain: a grant or agreement, its record and the block of its anchor; `met` are the
    records that fulfil its conditions. Or the holder itself, which needs no record.
    """

    kind: Literal["holder", "grant", "agreement"]
    taker: str
    giver: str = ""
    record: str = ""
    block: int | None = None
    until: str = ""
    share_bps: int = 0
    price_cap: Money | None = None
    free_for: list[str] = []
    met: list[str] = []


class Ground(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whether one party has one right in one thing: the one asked for, or one that this takes.

    `product` is what `name` is an input of, empty for what was asked. `links` are those of the chain that
    permits it, or of the one that came nearest, from the holder on.
    """

    verdict: Verdict
    party: str
    right: Right
    name: str
    product: str = ""
    links: list[Link] = []
    reasons: list[Reason] = []


class Border(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the rules for transfers across borders say: their name and version, and what they are about."""

    rules: str
    version: str
    verdict: Verdict
    level: str = ""
    origins: list[str] = []
    reasons: list[Reason] = []


class Permission(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer: its grounds, the asked one first. Permitted if all of them are; denied if one is.

    `inputs` counts what was looked at through the lineage.
    """

    verdict: Verdict
    grounds: list[Ground]
    border: Border | None = None
    inputs: int = 0
    notes: list[str] = []


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Give the verdict on all of these together: one that is denied denies, no doubt is passed over."""
    found = set(verdicts)
    return "denied" if "denied" in found else "unknown" if "unknown" in found else "permitted"


def verdict_on(reasons: Iterable[Reason]) -> Verdict:
    """Give the verdict that reasons make: none, permitted."""
    return worst("denied" if each.code in DENIALS else "unknown" for each in reasons)
