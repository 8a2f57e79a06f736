"""What the use cases of incidents and parties answer; see `results`, which offers these shapes too."""

from __future__ import annotations

from msgspec import Struct

from ledger.service.results.auditing import Problem
from ledger.service.results.identity import Delegate, Key, Namespace


class AffectedVersion(Struct, frozen=True, kw_only=True, gc=False):
    """A version that is affected, or an asset where nobody said which version of it was used.

    `how` is `named` (in the question), `derived` (made from it) or `same-content` (the same bytes under
    another name). `party` and `record` are those of its version record, empty where nobody registered it.
    """

    name: str
    how: str
    party: str
    record: str
    state: str
    block: int | None


class GivenTo(Struct, frozen=True, kw_only=True):
    """A record by which somebody was given what is affected: a `grant`, `agreement` or `delivery`.

    `state` is `in force`, `ended`, `taken back`, or for a delivery `delivered`. `giver_name` is a claim.
    """

    record: str
    kind: str
    giver: str
    giver_name: str
    subject: list[str]
    state: str
    block: int | None
    until: str = ""


class AffectedParty(Struct, frozen=True, kw_only=True):
    """A party whom it concerns, in which roles (with how many assets, versions or records), and whether it
    was told.

    Roles: `holder` of an affected asset, `author` of a version (or who handed the asset over), `processor`
    (ran something that read it), `claimant` of the same content, `grantee`, `buyer` (consumer of a final
    agreement), `recipient` of a delivery. `notice` is the record that told it, `due` when it is to have
    acknowledged that, `acknowledged` the record by which it did. `state` is `not told`, `told`, `overdue`,
    `acknowledged` or `opened it`, empty where no incident is asked about; `log_missing`: a log of this party
    can't be had, so it may have acknowledged or passed on more than is known.
    """

    party: str
    party_name: str
    roles: dict[str, int]
    given: list[GivenTo]
    log_missing: bool = False
    state: str = ""
    notice: str = ""
    notice_block: int | None = None
    due: str = ""
    acknowledged: str = ""
    acknowledged_block: int | None = None


class MissingLog(Struct, frozen=True, kw_only=True):
    """A log that can't be read to its anchored end, and may say more. `concerned`: it is that of a party whom
    it concerns, as far as is known.
    """

    log: str
    party: str
    party_name: str
    reason: str
    concerned: bool


class Recall(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/recall/v1"):
    """Everything that is affected if assets or versions are bad, and everybody whom that concerns.

    `complete` says that every log of the chain was read to what it had anchored by block `to_block`; else
    `missing_logs` may say more. `public` are grants to everybody: who used those can't be told. Parties are
    always all there; of the `records` that gave somebody something, `records_listed` are written out.
    """

    subject: list[str]
    versions: list[AffectedVersion]
    assets: int
    parties: list[AffectedParty]
    public: list[GivenTo]
    missing_logs: list[MissingLog]
    complete: bool
    records: int
    records_listed: int
    to_block: int
    to_block_time: str
    since: str = ""


class IncidentLine(Struct, frozen=True, kw_only=True):
    """An incident in a listing. `told`, `acknowledged` and `overdue` count the parties that notices named."""

    record: str
    topic: str
    state: str
    subject: list[str]
    party: str
    party_name: str
    block: int | None
    block_time: str
    told: int
    acknowledged: int
    overdue: int


class NoticeLine(Struct, frozen=True, kw_only=True):
    """A notice to this party that it has not acknowledged. `about` is the record it is about; `overdue`: its
    time is past.
    """

    record: str
    topic: str
    subject: list[str]
    party: str
    party_name: str
    about: str
    due: str
    overdue: bool
    text: str
    block: int | None
    block_time: str


class Incidents(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/incidents/v1"):
    """The incidents that are known here, newest first, and the notices that this party has to acknowledge."""

    incidents: list[IncidentLine]
    notices: list[NoticeLine]
    to_block: int


class Incident(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/incident/v1"):
    """An incident in full: what is affected, whom it concerns, who was told, who has acknowledged it.

    `state` is `open`, `closed` or `taken back`; `closed` the record that closed it. `others_told` are parties
    that notices went to and that it does not concern as far as is known. `told_everybody`: a notice went to
    nobody in particular. `complete` is that of `recall`.
    """

    record: str
    topic: str
    text: str
    state: str
    party: str
    party_name: str
    claimed_time: str
    block: int | None
    block_time: str
    recall: Recall
    notices: list[str]
    others_told: list[AffectedParty]
    told_everybody: bool
    not_told: int
    unacknowledged: int
    overdue: int
    complete: bool
    closed: str = ""
    closed_block: int | None = None
    closed_text: str = ""


class Vouched(Struct, frozen=True, kw_only=True):
    """A record that speaks for or against a claim, and whose it is."""

    record: str
    kind: str
    party: str
    party_name: str
    text: str = ""


class Rival(Struct, frozen=True, kw_only=True):
    """One of several claims to the same: by whom, by which record, existing by which block.

    `claimed_time` is what the record says, `block` what is proven. `reviews` are records of attestations by
    others that speak for it (reviews, quality, certifications that did not fail), `objections` those that
    stand against it; `frozen`: by the arbiter that its registration names. `role` is said of who offers it.
    """

    name: str
    party: str
    party_name: str
    record: str
    claimed_time: str
    state: str
    block: int | None
    block_time: str
    reviews: list[Vouched]
    objections: list[Vouched]
    frozen: bool
    role: str = ""


class DuplicateGroup(Struct, frozen=True, kw_only=True):
    """Several parties that claim the same: `content` (a digest), an `alias`, or to offer the same product
    (`venue`, an asset). In the order in which the claims were anchored; that says who came first, not who is
    right.
    """

    kind: str
    what: str
    claims: list[Rival]


class Duplicates(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/duplicates/v1"):
    """What several parties claim, side by side. `missing_logs` may hold further claims."""

    subject: str
    groups: list[DuplicateGroup]
    missing_logs: list[str]
    to_block: int


class DisputeLine(Struct, frozen=True, kw_only=True):
    """What one side said, in the order of the chain: the claim itself, an `objection`, a `freeze`, a `lift`.

    `stands` is false for what was taken back, and for a freeze that was lifted or never posted; `binds_from`
    is the block from which a freeze binds.
    """

    what: str
    record: str
    party: str
    party_name: str
    text: str
    about: str
    claimed_time: str
    block: int | None
    block_time: str
    stands: bool
    binds_from: int | None = None


class Dispute(Struct, frozen=True, kw_only=True):
    """An asset that somebody objects to, or that was frozen; `arbiter` is whom its registration names.

    `frozen` is the asset as a whole, `frozen_records` are grants and agreements that are.
    """

    asset: str
    claimant: str
    claimant_name: str
    arbiter: str
    arbiter_name: str
    frozen: bool
    frozen_records: list[str]
    lines: list[DisputeLine]


class Disputes(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/disputes/v1"):
    """Standing objections and freezes, both sides of each."""

    disputes: list[Dispute]
    missing_logs: list[str]
    to_block: int


class PartyLog(Struct, frozen=True, kw_only=True):
    """A log of a party: how much is anchored and read here, where it is announced, why it stops."""

    log: str
    number: int
    anchored: int
    read: int
    served_at: str
    problem: str
    closed_block: int | None


class HeldAsset(Struct, frozen=True, kw_only=True):
    """An asset that a party holds, by the records known here; `claimed_by` registered it."""

    asset: str
    title: str
    record: str
    claimed_by: str
    block: int | None


class PartyRecord(Struct, frozen=True, kw_only=True):
    """A record that involves a party. `relation` is what it has to do with it: `gives`, `takes` (a grant),
    `provides`, `consumes` (an agreement), `delivers`, `receives`, `pays`, `is due` (a settlement), `attests`,
    `is attested` (about an asset that it holds).

    `what` says more (the state of an agreement, the kind of an attestation), `other` is the other side, empty
    for everybody. `state` is `in force`, `void`, `ended`, `taken back`, or how settled the record is.
    """

    relation: str
    record: str
    what: str
    subject: str
    other: str
    other_name: str
    state: str
    block: int | None


class PartySheet(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/party/v1"):
    """What is known of a party: who it is on chain, what it holds, what it gave, took and said.

    `name` is its own claim. `counts` says how many records there are of each relation. `notices` wait for its
    acknowledgement. `missing_logs` may say more.
    """

    party: str
    name: str
    ours: bool
    trusted: bool
    namespaces: list[Namespace]
    keys: list[Key]
    delegates: list[Delegate]
    logs: list[PartyLog]
    assets: list[HeldAsset]
    counts: dict[str, int]
    records: list[PartyRecord]
    notices: list[NoticeLine]
    findings: list[Problem]
    missing_logs: list[str]
    to_block: int


class RestsOnConsent(Struct, frozen=True, kw_only=True):
    """A grant that demands a consent, itself or by what it rests on, for these purposes.

    `state` is `rests on it` while the consent has no end, `must stop` from its end on, `another consent
    stands` (`others`), or `ended already`. `taker` is empty for everybody.
    """

    record: str
    giver: str
    giver_name: str
    taker: str
    taker_name: str
    subject: list[str]
    purposes: list[str]
    state: str
    others: list[str]


class ConsentProduct(Struct, frozen=True, kw_only=True):
    """What was made of the data. `lawful`: it was on record before the consent ended, and stays as it is;
    whether it may be used or offered further is asked of `may`.
    """

    name: str
    party: str
    party_name: str
    record: str
    block: int | None
    lawful: bool


class ConsentImpact(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/consent/v1"):
    """What a consent carries: who must stop from `ends` on (empty: it has no end yet), what stays lawful.

    `stands` is said of now, `withdrawn` says that it ends by its withdrawal. `recall` has everything made of
    the data and everybody who has it; `complete` is that of `recall`.
    """

    record: str
    party: str
    party_name: str
    topic: str
    subject: list[str]
    purposes: list[str]
    regions: list[str]
    block: int
    block_time: str
    stands: bool
    ends: str
    withdrawn: bool
    grants: list[RestsOnConsent]
    products: list[ConsentProduct]
    recall: Recall
    complete: bool
