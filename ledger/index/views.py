"""What the index answers: plain values. Addresses have 20 bytes, record ids, log ids and digests 32.

`claimed` is the time that a record states; `block` and `time_unix_s` are those of the anchor, absent while
the record is pending. Rendering, and DIDs, are left to the callers.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

State = Literal["pending", "anchored", "final"]


class Where(Struct, frozen=True, kw_only=True):
    """Where an accepted record stands, and who says it when."""

    record: bytes
    party: bytes
    log: bytes
    idx: int
    claimed: str
    state: State
    block: int | None
    time_unix_s: int | None
    revoked: bool = False


class VersionView(Where, frozen=True, kw_only=True):
    """A registered version. `alg` names its digest; `fields` are (name, type)."""

    asset: str
    number: int
    alg: str
    digest: bytes
    size: int | None = None
    media_type: str = ""
    declared: str = ""
    fields: list[tuple[str, str]] = []


class AliasView(Struct, frozen=True, kw_only=True):
    """Another scheme's name for an asset, as declared by `party`."""

    asset: str
    party: bytes
    scheme: str
    namespace: str
    name: str


class AssetView(Struct, frozen=True, kw_only=True):
    """An asset: who registered it if anybody did, who holds it, how many versions it has.

    `holder` is None if its namespace is nobody's. `holder_unknown` says that the holder posted a record
    against the asset that is not to be had: it may have been handed on.
    """

    name: str
    holder: bytes | None
    holder_unknown: bool
    registration: Where | None
    title: str = ""
    description: str = ""
    kind: str = ""
    license: str = ""
    versions: int = 0
    aliases: list[AliasView] = []


class EntryView(Struct, frozen=True, kw_only=True):
    """One entry of a log with its verdict (`accepted`, `rejected`, `duplicate`).

    `row` is the entry's id in this index, for going on with a listing. `party` is None where nobody's
    authorship is proven. Of a rejected entry `reason` is one of `authority.REASONS` and `message` says more.
    """

    row: int
    record: bytes | None
    type: str
    subject: str
    party: bytes | None
    log: bytes
    idx: int
    claimed: str
    state: State
    verdict: str
    block: int | None
    time_unix_s: int | None
    reason: str = ""
    message: str = ""
    revoked: bool = False


class ResourceView(Struct, frozen=True, kw_only=True):
    """A version or asset as an activity names it; `registered` says whether a version record agrees."""

    name: str
    alg: str
    digest: bytes
    registered: bool


class ActivityView(Struct, frozen=True, kw_only=True):
    """What several records with one run id say together: the outcome is that of the last."""

    run: str
    party: bytes
    component: str
    component_namespace: str
    outcome: str
    detail: dict[str, object]
    records: list[bytes]
    inputs: list[ResourceView]
    outputs: list[ResourceView]


class AttachmentView(Struct, frozen=True, kw_only=True):
    """What a record names by digest. `state` is `read`, `missing`, `invalid`, or empty: not looked for."""

    role: str
    media_type: str
    alg: str
    digest: bytes
    size: int | None
    state: str = ""
    text: str = ""


class SealedView(Struct, frozen=True, kw_only=True):
    """A private attachment and the accepted record that names it; `digest` is hex."""

    entry: EntryView
    role: str
    media_type: str
    digest: str


class FindingView(Struct, frozen=True, kw_only=True):
    """Something authentic but improper or incomplete: `kind` is one of `kinds.SEVERITIES`."""

    kind: str
    severity: str
    subject: str
    text: str
    block: int | None
    log: bytes | None
    idx: int | None
    record: bytes | None


class KeyView(Struct, frozen=True, kw_only=True):
    """A record key of a party; `revoked_block` is 0 if it never was."""

    key: bytes
    from_block: int
    revoked_block: int
    valid_to_unix_s: int


class DelegateView(Struct, frozen=True, kw_only=True):
    """A delegate of a party; `revoked_block` is 0 if it never was."""

    type: str
    delegate: bytes
    from_block: int
    revoked_block: int
    valid_to_unix_s: int


class NamespaceView(Struct, frozen=True, kw_only=True):
    """A namespace and its owner from a block on."""

    name: str
    owner: bytes
    from_block: int


class LogView(Struct, frozen=True, kw_only=True):
    """A log: how much is anchored, confirmed (`size`) and pending; `problem` is empty or why it stops.

    `problem` is `log-unavailable`, `log-mismatch` or `log-closed`. While the log is open `closed_block` is
    None; its owner stands by the checkpoints below `closed_at`, and `successor` (None: nobody) goes on.
    """

    log: bytes
    party: bytes | None
    number: int
    anchored: int
    size: int
    pending: int
    checkpoints: int
    problem: str
    closed_block: int | None
    closed_at: int = 0
    successor: bytes | None = None


class Hit(Struct, frozen=True, kw_only=True):
    """An asset that a search found: its title, newest version, and the passage that matched."""

    asset: str
    title: str
    holder: bytes | None
    latest: int | None
    snippet: str


class Summary(Struct, frozen=True, kw_only=True):
    """How much the index holds. Counts include what is pending."""

    head: int
    head_time_unix_s: int
    final: int
    assets: int
    versions: int
    activities: int
    entries: int
    rejected: int
    findings: int
    logs: int
    missing_logs: int
