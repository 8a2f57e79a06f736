"""What the use cases answer: plain values, which the command line renders and `--json` prints as they are.

Hashes, digests and ids are lower-case hex; DIDs, names and times are text. Times called `claimed` are what a
record says; blocks and their times are what the chain proves. `state` is `pending` (in the log), `anchored`
(in a block) or `final` (deep enough). The shapes are documented in docs/json.md, generated from this file; a
change that breaks them changes `format`.
"""

from __future__ import annotations

from msgspec import Struct

from ledger.core.verdict import Conclusion, Observation
from ledger.service.audit_results import AuditedLog as AuditedLog  # noqa: PLC0414
from ledger.service.audit_results import AuditReport as AuditReport  # noqa: PLC0414
from ledger.service.audit_results import Fork as Fork  # noqa: PLC0414
from ledger.service.audit_results import ForkHead as ForkHead  # noqa: PLC0414
from ledger.service.audit_results import Problem as Problem  # noqa: PLC0414
from ledger.service.private_results import Disclosures as Disclosures  # noqa: PLC0414 - offered here too
from ledger.service.private_results import PrivateAttachment as PrivateAttachment  # noqa: PLC0414


class RecordRef(Struct, frozen=True, kw_only=True):
    """One record: its id, its type, what it speaks of, and its place in the log."""

    record: str
    type: str
    subject: str
    entry: int
    log: str


class Receipt(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/receipt/v1"):
    """What was written: the records, and the block that anchors them (none yet: `block` is null).

    `size` is that of the log. `problem` says what was asked for and could not be done now: the records are
    kept all the same, and the command exits with 3.
    """

    records: list[RecordRef]
    log: str
    size: int
    block: int | None = None
    block_time: str = ""
    notes: list[str] = []
    problem: str = ""


class RunReceipt(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/run/v1"):
    """A wrapped run: the program's exit code, what became of it, and what was written.

    `exit_code` is 1 where the program reports success and an output is missing. A receipt's problem does not
    change it.
    """

    exit_code: int
    outcome: str
    inputs: list[str]
    outputs: list[str]
    receipt: Receipt


class Setup(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/init/v1"):
    """A workspace that is ready: who, on which ledger, with which log."""

    workspace: str
    party: str
    namespace: str
    name: str
    ledger: str
    log: str
    key: str
    chain: str
    embedded: bool
    joined: bool
    namespace_claimed: bool
    notes: list[str] = []


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
    """Where this workspace stands: identity, log, chain, index and what wants attention."""

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
    """An asset that a search found, and in which text."""

    asset: str
    title: str
    party: str
    party_name: str
    latest: int | None
    snippet: str


class SearchResult(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/search/v1"):
    """What a search found, best first. `truncated` says that the limit cut the list."""

    hits: list[Hit]
    truncated: bool
    to_block: int


class Key(Struct, frozen=True, kw_only=True):
    """A record key as published: from which block, until when, whether revoked, and whether it is the one in
    use.
    """

    key: str
    from_block: int
    valid_to: str
    revoked_block: int | None
    here: bool
    current: bool


class Keys(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/keys/v1"):
    """A party's record keys."""

    party: str
    keys: list[Key]
    to_block: int


class Namespace(Struct, frozen=True, kw_only=True):
    """A namespace and its owner since a block."""

    name: str
    owner: str
    owner_name: str
    from_block: int
    ours: bool


class Namespaces(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/namespaces/v1"):
    """Namespaces as the Directory contract has them."""

    namespaces: list[Namespace]
    to_block: int


class Delegate(Struct, frozen=True, kw_only=True):
    """Who may act for this party, in which way, from which block and until when."""

    type: str
    delegate: str
    from_block: int
    valid_to: str
    revoked_block: int | None


class Delegates(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/delegates/v1"):
    """A party's delegates."""

    party: str
    delegates: list[Delegate]
    to_block: int


class Follows(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/follow/v1"):
    """The logs that this workspace reads besides its own."""

    followed: list[Followed]
    to_block: int


class Done(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/done/v1"):
    """Something was done on chain or in the workspace: what, and in which block."""

    what: str
    block: int | None = None
    block_time: str = ""
    notes: list[str] = []


class DigestedLog(Struct, frozen=True, kw_only=True):
    """How much of a log a state digest rests on, and why it stops there (empty: it does not)."""

    log: str
    entries: int
    problem: str


class Synced(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/sync/v1"):
    """The index after a sync: to which block, what was applied, what could not be had.

    `state_digest` is computed where it was asked for, as of `digest_block`, the last final one; `digest_logs`
    are all logs that it rests on, the missing ones included. Two auditors with the same three have the same
    state.
    """

    to_block: int
    to_time: str
    applied: int
    rejected: int
    findings: int
    missing_logs: list[str]
    state_digest: str = ""
    digest_block: int | None = None
    digest_logs: list[DigestedLog] = []


class Refused(Struct, frozen=True, kw_only=True):
    """What was not imported: where it stands (or which run it is), and why."""

    source: str
    position: str
    reason: str


class Imported(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/import/v1"):
    """What an import made of the events: runs recorded and runs known already, datasets, events refused.

    `refused` and `registered` list the first thousand each; `refused_count` and `registered_count` count all.
    `dropped_facets` names what was not carried over, with how often; the sealed originals keep it. `receipt`
    is null where nothing was written.
    """

    events: int
    runs: int
    runs_known: int
    datasets: int
    registered: list[str]
    registered_count: int
    refused: list[Refused]
    refused_count: int
    dropped_facets: list[str]
    dry_run: bool = False
    receipt: Receipt | None = None


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


class EvidenceMade(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/evidence-made/v1"):
    """An evidence file that was written, and verified: what it is about, and the block that it proves from.

    `sha256` is that of the file. `block_hash` (0x) is the trust root that whoever verifies it has to get from
    somewhere else. `unknown` says in words what could not be told, `outside` names sources without a record.
    """

    path: str
    bytes: int
    sha256: str
    versions: list[str]
    records: int
    logs: int
    block: int
    block_hash: str
    block_time: str
    revoked: list[str] = []
    outside: list[str] = []
    unknown: list[str] = []
    findings: list[Observation] = []
    notes: list[str] = []


class ReportMade(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/report-made/v1"):
    """A page that was written, and the verdict on the evidence that it shows, as `verify` has it.

    `sha256` is that of the page: the same evidence, trust root and release give the same page.
    """

    path: str
    bytes: int
    sha256: str
    evidence: str
    verdict: Conclusion
    reason: str = ""
    trust_root: str = ""


class TrustFile(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/trust/v1"):
    """Blocks that are real, as this party's own chain has them: number -> hash (0x). `ledger` is its id."""

    ledger: str
    blocks: dict[str, str]
