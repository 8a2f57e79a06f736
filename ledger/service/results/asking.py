"""Answers to questions about data, records and the workspace."""

from __future__ import annotations

from msgspec import Struct

from ledger.service.results.auditing import Fork, Problem
from ledger.service.results.recalling import NoticeLine


class Claim(Struct, frozen=True, kw_only=True):
    """Somebody's claim to a digest: which version of which asset, by whom, and what was rechecked.

    `good` says that entry, signature, key, inclusion and anchor all hold and that nothing was posted against
    it; `verdict` is `good`, `invalid` (checked, and wrong) or `unconfirmed` (could not be checked); `problem`
    says why. `party_name` and `claimed_time` are what the claimant says; `block` and `block_time` are those
    of the anchor, there only where the claim is good. That the claimant held the asset then, and that nobody
    claimed it before, is what the index derived from all logs known here.
    """

    version: str
    party: str
    party_name: str
    record: str
    state: str
    verdict: str
    trusted: bool
    good: bool = False
    problem: str = ""
    block: int | None = None
    block_time: str = ""
    claimed_time: str = ""


class FileVerdict(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/verify/v1"):
    """Which versions a file or folder is, and whether a claimant that counts here stands behind it.

    `verdict` is `good`, `unknown-content`, `untrusted-claimant`, `invalid` or `unconfirmed`. `trust_root` is
    the block (of the workspace's own chain) against which anchors and keys were checked; `to_block` is how
    far the claims listed are known.
    """

    path: str
    digest: str
    verdict: str
    claims: list[Claim]
    trust_root: str
    to_block: int
    reason: str = ""
    notes: list[str] = []


class Followed(Struct, frozen=True, kw_only=True):
    """A log that this workspace reads besides its own.

    `closed_block` is the block in which its owner closed it, null while it is open; the log that goes on is
    followed by itself, and says in `successor_of` after which one.
    """

    party: str
    name: str
    log: str
    source: str
    entries: int
    anchored: int
    trusted: bool = False
    problem: str = ""
    closed_block: int | None = None
    successor_of: str = ""


class Status(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/status/v1"):
    """Where this workspace stands: identity, log, chain, index and what wants attention. `notices` went to
    this party and were not acknowledged by it.
    """

    workspace: str
    party: str
    name: str
    namespaces: list[str]
    ledger: str
    log: str
    entries: int
    anchored: int
    pending: int
    chain: str
    embedded: bool
    index_block: int
    final_block: int
    index_time: str
    assets: int
    versions: int
    activities: int
    findings: int
    key: str
    key_valid_to: str
    changed_files: list[str]
    followed: list[Followed]
    missing_logs: list[str]
    forks: list[Fork] = []
    notices: list[NoticeLine] = []
    notes: list[str] = []


class LogLine(Struct, frozen=True, kw_only=True):
    """One record in a listing."""

    record: str
    type: str
    subject: str
    party: str
    party_name: str
    claimed_time: str
    state: str
    verdict: str
    block: int | None
    block_time: str
    log: str
    entry: int
    reason: str = ""


class LogListing(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/log/v1"):
    """Records, newest first. `truncated` says that the limit cut the list."""

    records: list[LogLine]
    truncated: bool
    to_block: int


class Hit(Struct, frozen=True, kw_only=True):
    """An asset that a search found, and in which text. `disputed` says that it is frozen or objected to."""

    asset: str
    title: str
    party: str
    party_name: str
    latest: int | None
    snippet: str
    disputed: str = ""


class SearchResult(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/search/v1"):
    """What a search found, best first. `truncated` says that the limit cut the list."""

    hits: list[Hit]
    truncated: bool
    to_block: int


class Findings(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/findings/v1"):
    """What is authentic but improper or incomplete. `truncated` says that the limit cut the list."""

    findings: list[Problem]
    truncated: bool
    to_block: int


class Section(Struct, frozen=True, kw_only=True):
    """A table within what `show` shows."""

    title: str
    head: list[str]
    rows: list[list[str]]


class Shown(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/show/v1"):
    """One thing in full: facts as (name, text), tables, and of a record the statement that was signed."""

    kind: str
    title: str
    facts: list[tuple[str, str]]
    to_block: int
    sections: list[Section] = []
    statement: str = ""
