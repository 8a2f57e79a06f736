"""What is asked about rights, what has to be known to answer, and what an answer says.

The facts are those as of the end of one block, out of an index or an evidence file. Moments are nanoseconds
since 1970 (`instants`): a grant begins with the time of its anchor's block, whatever its record claims, and
what takes something away ends it with the time of the block in which it took effect, or from the later moment
that it names. Parties are DIDs, records 64 hex digits, names those of assets and versions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Literal, NamedTuple, Protocol

from msgspec import Struct

from ledger.core.instants import instant_ns
from ledger.core.records_rights import Attestation, Kind, Level, Money, Right, Terms

Verdict = Literal["permitted", "denied", "unknown"]

CODES: Final = {
    "holder": "the party holds the asset",
    "granted": "a chain of grants, each within the one it rests on, leads to the holder",
    "no-grant": "nobody granted it",
    "other-subject": "the grant is about another version",
    "other-right": "the grant is for other rights",
    "other-purpose": "the grant is for other purposes",
    "other-region": "the grant is for other regions",
    "above-level": "the data is more sensitive than the grant allows",
    "rejected": "the grant does not count",
    "not-grantee": "the grant rests on one that gives its grantor nothing",
    "not-sublicensable": "the grant rests on one that may not be passed on",
    "beyond-grant": "the grant gives more than the one it rests on",
    "circle": "the grants rest on one another",
    "not-yet": "the grant was not anchored by then, or begins later",
    "ended": "the grant had ended",
    "revoked": "the grant had been taken back",
    "frozen": "an arbiter has frozen it",
    "condition-unmet": "what has to be attested is not",
    "asset-unknown": "nobody registered the asset",
    "border": "the rule list forbids it to cross this border",
    "grant-missing": "the grant on which it rests is not known",
    "revocation-missing": "a revocation may have been posted whose record is not known",
    "facts-missing": "a log or record that may matter could not be had",
    "purpose-unsaid": "it depends on the purpose, which was not said",
    "region-unsaid": "it depends on the region, which was not said",
    "unclassified": "nobody entitled has said how sensitive the data is",
    "origin-unknown": "nobody entitled has said where the data is from",
    "no-rule": "the rule list does not say",
    "input-unproven": "it is not recorded or nobody hashed it, and who used it does not hold it",
    "lineage-circle": "the lineage says that something went into itself",
}
"""Why an answer is what it is: stable codes and what they say."""


class Question(Struct, frozen=True):
    """May `party` do this with an asset or version, for a purpose, in a region? Empty: it was not said."""

    party: str
    right: Right
    name: str
    at_ns: int
    purpose: str = ""
    region: str = ""


class Span(Struct, frozen=True):
    """From a moment until another one, which is not in it; None: for good."""

    start_ns: int
    until_ns: int | None = None

    def has(self, at_ns: int) -> bool:
        """Tell whether a moment lies in it."""
        return self.start_ns <= at_ns and (self.until_ns is None or at_ns < self.until_ns)


class Given(Struct, frozen=True, kw_only=True):
    """A grant, or an agreement that became FINALIZED: who gives whom what, and what became of it.

    `order` is where it stands: block of the anchor, log id, index. `since_ns` is the time of the anchor's
    block (of the step that made an agreement final), `revoked_ns` the moment from which it is taken back.
    `rejected` is why it does not count, `doubt` why it can't be told whether it was taken back.
    """

    record: str
    giver: str
    taker: str
    names: tuple[str, ...]
    terms: Terms
    order: tuple[int, str, int]
    since_ns: int
    under: str = ""
    rejected: str = ""
    revoked_ns: int | None = None
    frozen: tuple[Span, ...] = ()
    doubt: str = ""


class Attested(Struct, frozen=True, kw_only=True):
    """An attestation that counts. `span` is from the start it names, or its anchor, to its end.

    `doubt` is why it can't be told whether it was taken back.
    """

    record: str
    kind: Kind
    authors: tuple[str, ...]
    names: tuple[str, ...]
    order: tuple[int, str, int]
    anchored_ns: int
    span: Span
    topic: str = ""
    failed: bool = False
    level: Level | None = None
    purposes: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    doubt: str = ""


class Standing(NamedTuple):
    """Where a record stands (block, log id, index), when it was anchored, and from when it is taken back."""

    order: tuple[int, str, int]
    anchored_ns: int
    revoked_ns: int | None


def attested(
    record: bytes, said: Attestation, names: Iterable[str], standing: Standing, doubt: str = ""
) -> Attested:
    """Give what an attestation (32-byte record id) says of these names."""
    ends = [standing.revoked_ns, instant_ns(said.until) if said.until else None]
    return Attested(
        record=record.hex(),
        kind=said.kind,
        authors=tuple(said.authors),
        names=tuple(names),
        order=standing.order,
        anchored_ns=standing.anchored_ns,
        span=Span(
            instant_ns(said.start) if said.start else standing.anchored_ns,
            min((end for end in ends if end is not None), default=None),
        ),
        topic=said.topic,
        failed=said.outcome == "failed",
        level=said.level,
        purposes=tuple(said.purposes),
        regions=tuple(said.regions),
        doubt=doubt,
    )


class RightsFacts(Protocol):
    """What the rules ask. Whatever is given in any order: the rules sort it by `order`."""

    def holder(self, asset: str, at_ns: int, /) -> str | None:
        """Give who held an asset at a moment, None if nobody registered it."""

    def frozen(self, asset: str, /) -> Sequence[Span]:
        """Give when the arbiter that its registration names had the asset frozen."""

    def grants(self, asset: str, party: str, /) -> Iterable[Given]:
        """Give the grants and final agreements about an asset or its versions, the rejected ones too.

        Those to this party or to everybody; others may be among them.
        """

    def given(self, record: str, /) -> Given | None:
        """Give a grant or final agreement by its record id."""

    def attestations(self, asset: str, /) -> Iterable[Attested]:
        """Give what is attested of an asset or its versions."""

    def inputs(self, name: str, /) -> Iterable[str]:
        """Give what went directly into a version; of an asset, into any of its versions."""

    def unproven(self, name: str, maker: str, /) -> str:
        """Say why nothing can be told of what this party used: it is not recorded, or nobody hashed it.

        Empty if something can, and if it is the party's own.
        """

    def doubts(self, asset: str, /) -> Iterable[str]:
        """Say what could not be had that may change any answer: a holder's log, a posted transfer."""

    def hidden(self, asset: str, party: str, /) -> Iterable[str]:
        """Say in which logs that could not be had somebody may have given this party a right."""


class Reason(Struct, frozen=True):
    """One of `CODES`, the asset or version that it is about, the grant at fault, and particulars."""

    code: str
    name: str
    record: str = ""
    text: str = ""


class Answer(Struct, frozen=True, kw_only=True):
    """The verdict and why: for a yes the grants used, for a no what blocks it, else what is not known.

    `grants` are all records relied on, `free` says that nothing may be asked for this purpose, `caps` bound
    the price of a unit. `level` is how sensitive the data is, `rules` names rule list, version and digest.
    """

    verdict: Verdict
    because: tuple[Reason, ...]
    grants: tuple[str, ...] = ()
    free: bool = False
    caps: tuple[Money, ...] = ()
    level: Level | None = None
    rules: str = ""
