"""Importing what pipelines reported: OpenLineage events become registrations, declared versions and
activities.

`formats.openlineage` says what there is to record, `importer` gives it the names and numbers that are the
workspace's to give. Importing the same events again changes nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from ledger.core.names import check_namespace
from ledger.formats.openlineage import plan_import
from ledger.formats.openlineage_read import Refusal
from ledger.service.asking import asked
from ledger.service.assets import anchors
from ledger.service.context import Context
from ledger.service.importer import LISTED, Importer, Refusals
from ledger.service.publishing import Kept, check_key, settle
from ledger.service.results import Imported, Receipt
from ledger.service.sources import open_events


def import_openlineage(
    context: Context,
    files: Sequence[Path],
    *,
    namespace: str | None = None,
    dry_run: bool = False,
    anchor: bool = True,
) -> Imported:
    """Import events from files (`-`: standard input); refuse bad events one by one and import the rest.

    Datasets that are new are registered in `namespace`, by default that of the workspace. A dry run writes
    nothing.
    """
    into = namespace or context.config.namespace
    with asked():
        check_namespace(into)
    refusals = Refusals()
    with open_events(files, sys.stdin.buffer) as sources:
        plan = plan_import(sources, refuse=lambda event: _refuse(refusals, event))
        with context.writing():
            importer = Importer(context, plan, into, refusals, dry_run=dry_run)
            check_key(context)
            importer.run()
            receipt = _settled(context, importer, anchor=anchors(context, anchor))
    return Imported(
        events=plan.events,
        runs=importer.recorded,
        runs_known=importer.known,
        datasets=len(plan.datasets),
        registered=importer.registered,
        registered_count=importer.registered_count,
        refused=refusals.listed,
        refused_count=refusals.count,
        dropped_facets=[f"{name} ({count})" for name, count in sorted(importer.dropped.items())],
        dry_run=dry_run,
        receipt=receipt,
    )


def _refuse(refusals: Refusals, event: Refusal) -> None:
    position = f"line {event.line}" if event.line else f"byte {event.offset}"
    refusals.add(event.source, position, event.reason)


def _settled(context: Context, importer: Importer, *, anchor: bool) -> Receipt | None:
    """Anchor all that was written, at once; None if nothing was."""
    if not importer.written_count:
        return None
    cut = f"{importer.written_count} records were written; the first {LISTED} are listed"
    kept = Kept(importer.written, context.log.size)
    return settle(context, kept, anchor=anchor, notes=[cut] if importer.written_count > LISTED else [])
