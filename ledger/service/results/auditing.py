"""What an audit answers, and what of that others show too; see `results`, which offers these shapes too."""

from __future__ import annotations

from msgspec import Struct


class Problem(Struct, frozen=True, kw_only=True):
    """A finding or a failure: where, which kind, and what it means."""

    kind: str
    severity: str
    subject: str
    text: str
    block: int | None = None
    log: str = ""
    entry: int | None = None


class ForkHead(Struct, frozen=True, kw_only=True):
    """One of two heads that cannot both be true: who or what says so, and what.

    Of a log: `size` and `root`, with `note`, the signed checkpoint byte for byte, where it was signed, and
    `block` where it was anchored. Of a chain: `block` and `block_hash`, with the own log's anchored head
    there.
    """

    source: str
    size: int | None = None
    root: str = ""
    note: str = ""
    block: int | None = None
    block_hash: str = ""


class Fork(Struct, frozen=True, kw_only=True):
    """Two heads of one log, or two answers of one chain, that contradict each other.

    `kind` is `fork` (neither head extends the other), `fork-same-size` (two roots for one size),
    `chain-fork` (two final blocks of one number) or `chain-rolled-back` (a final block is gone). `log` and
    `party` are empty for a chain. `path` is the file that keeps this as proof; whoever has understood it may
    delete it.
    """

    kind: str
    log: str
    party: str
    text: str
    heads: list[ForkHead]
    path: str = ""


class AuditedLog(Struct, frozen=True, kw_only=True):
    """One log as audited: how many entries were recomputed, and how far its anchors reach.

    `anchored` is what the chain says; of another party's log fewer `entries` may be here, which is a finding.
    Of a closed log `closed_block` says since when; its owner stands by the checkpoints below `closed_at`, and
    `successor` goes on. `signatures` is how many entries had their signatures verified.
    """

    log: str
    party: str
    entries: int
    anchored: int
    checkpoints: int
    good: bool
    signatures: int = 0
    closed_block: int | None = None
    closed_at: int | None = None
    successor: str = ""


class AuditReport(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/audit/v1"):
    """Everything recomputed from stored bytes. Findings alone fail nothing.

    `verdict` is `good`, `failed`, or `partial`: nothing is wrong in what was looked at, and `not_checked`
    says what was not, because it was asked so. `good` is true for the first alone. `forks` are also among the
    `failures`. `to_block` is how far chain and index were compared, `state_digest` belongs to `digest_block`,
    the last final one (empty and null where the index was not compared). `findings_truncated` says that the
    list was cut. `settlements` is how many were recomputed, null where that was not asked for.
    """

    verdict: str
    good: bool
    chain_blocks: int
    logs: list[AuditedLog]
    attachments: int
    failures: list[Problem]
    findings: list[Problem]
    findings_truncated: bool
    state_digest: str
    digest_block: int | None
    to_block: int | None
    trust_root: str
    forks: list[Fork] = []
    not_checked: list[str] = []
    settlements: int | None = None
    notes: list[str] = []
