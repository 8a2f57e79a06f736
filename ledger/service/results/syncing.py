"""Keeping up with the chain and with others."""

from __future__ import annotations

from msgspec import Struct

from ledger.service.results.asking import Followed


class Follows(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/follow/v1"):
    """The logs that this workspace reads besides its own."""

    followed: list[Followed]
    to_block: int


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
