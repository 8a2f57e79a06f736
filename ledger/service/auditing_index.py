"""The index, against one that is built anew from chain and logs: both must have the same rows and the same
state. Every signature that an anchor covers is verified on the way, on all cores.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from msgspec import Struct

from ledger.audit.logs import Failure
from ledger.service.browsing import problem
from ledger.service.context import Context
from ledger.service.keeping import attachment_problems
from ledger.service.logs import Logs
from ledger.service.results import Problem
from ledger.service.syncing import refresh

MOST_FINDINGS = 1000


class Compared(Struct):
    """The index as far as it could be read: findings, state digest, blocks."""

    findings: list[Problem] = []
    truncated: bool = False
    digest: str = ""
    digest_block: int | None = None
    to_block: int | None = None


def compare_index(context: Context) -> tuple[Compared, list[Failure]]:
    """Bring the index up to date, build another one, and return what it says and where the two differ."""
    refresh(context)  # a log that can be had by now is in the fresh index too
    index = context.index
    differing = list(_differences(context))
    rows, truncated = index.findings(limit=MOST_FINDINGS)
    state = index.state()
    compared = Compared(
        findings=[*attachment_problems(context, index, MOST_FINDINGS), *(problem(row) for row in rows)],
        truncated=truncated,
        digest=state.digest.hex(),
        digest_block=state.block,
        to_block=index.summary().head,
    )
    return compared, differing


def rolled_back(context: Context, anchored: int) -> Problem | None:
    """Say that the index knows fewer checkpoints of the own log than are anchored: every write syncs it, so
    it is an older copy, or the last sync was interrupted.
    """
    index = context.index
    if index.head is None or (known := index.log_progress(context.log_id).checkpoints) >= anchored:
        return None
    text = (
        f"it knew {known} of the {anchored} checkpoints of your own log: an older copy of index.db was put"
        " back, or a sync was interrupted; it was brought up to date"
    )
    return Problem(kind="index-rolled-back", severity="warning", subject="index", text=text)


def _differences(context: Context) -> Iterator[Failure]:
    path = context.workspace.index_path
    scratch = path.with_name(f"{path.name}.audit-{os.getpid()}")
    with context.syncing():  # nobody changes the index while it is compared
        logs = Logs(context, context.reader, hurried=True)
        differing = context.index.audit(context.reader, logs, scratch, progress=context.progress)
    for each in differing:
        text = (
            f"table {each.table}, row {each.row}: found {each.found}, chain and logs say {each.expected};"
            " dataledger sync --rebuild makes it anew"
        )
        yield Failure("index-mismatch", None, text)
