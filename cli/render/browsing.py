"""What is known, as text: status, listings, search, and one thing in full."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from .asking import forks
from .layout import MORE, anchored, count, notes, pairs, short, table, who

if TYPE_CHECKING:
    from ledger.service import results as r


def status(found: r.Status) -> Iterator[str]:
    """`status`."""
    valid = f" valid to {found.key_valid_to}" if found.key_valid_to else ""
    records = f"{count(found.entries, 'record')}, {found.anchored:,} anchored, {found.pending:,} pending"
    known = [
        count(found.assets, "asset"),
        count(found.versions, "version"),
        count(found.activities, "activity", "activities"),
        count(found.findings, "finding"),
    ]
    yield from pairs(
        [
            ("party", who(found.name, found.party)),
            ("namespaces", ", ".join(found.namespaces) or "none"),
            ("workspace", found.workspace),
            ("ledger", found.ledger),
            ("chain", f"{found.chain} (embedded)" if found.embedded else found.chain),
            ("log", f"{short(found.log)}: {records}"),
            ("key", f"{short(found.key)}{valid}"),
            (
                "index",
                f"{anchored(found.index_block, found.index_time)}, final to block {found.final_block:,}",
            ),
            ("known", ", ".join(known)),
        ]
    )
    for line in found.changed_files:
        yield f"changed since its last version: {line}"
    yield from _followed(found.followed)
    for log in found.missing_logs:
        yield f"missing log {log}, which the lineage of your assets needs: see dataledger follow"
    yield from forks(found.forks)
    for notice in found.notices:
        late = ", overdue" if notice.overdue else ""
        due = f", due {notice.due}{late}" if notice.due else ""
        from_ = notice.party_name or notice.party
        yield f"notice {short(notice.record)} of {from_} about {', '.join(notice.subject)}{due}"
        yield f"  it waits for you: dataledger incident acknowledge {short(notice.record)}"
    yield from notes(found.notes)


def _followed(followed: Sequence[r.Followed]) -> Iterator[str]:
    """The logs that are followed."""
    rows = (
        (
            each.name or each.party,
            short(each.log),
            each.anchored,
            each.source,
            "trusted" if each.trusted else "",
            each.problem or ("" if each.closed_block is None else f"closed in block {each.closed_block:,}"),
        )
        for each in followed
    )
    yield from table(("FOLLOWS", "LOG", "RECORDS", "FROM", "CLAIMS", "PROBLEM"), rows)


def follows(found: r.Follows) -> Iterator[str]:
    """`follow`."""
    if found.followed:
        yield from _followed(found.followed)
    else:
        yield "no log is followed: dataledger follow PARTY --from FOLDER|URL"


def log(found: r.LogListing) -> Iterator[str]:
    """`log`."""
    rows = (
        (
            short(line.record),
            line.state if line.verdict == "accepted" else line.verdict,
            line.type,
            line.subject,
            line.party_name or line.party,
            anchored(line.block, line.block_time) if line.block is not None else "",
            line.reason,
        )
        for line in found.records
    )
    yield from table(("RECORD", "STATE", "TYPE", "SUBJECT", "CLAIMED BY", "ANCHORED IN", "REASON"), rows)
    yield from _end(found.records, "no records", truncated=found.truncated)


def search(found: r.SearchResult) -> Iterator[str]:
    """`search`."""
    rows = (
        (
            hit.asset,
            f"@{hit.latest}" if hit.latest else "",
            hit.title,
            hit.party_name or hit.party,
            hit.disputed,
        )
        for hit in found.hits
    )
    yield from table(("ASSET", "LATEST", "TITLE", "CLAIMED BY", "DISPUTED"), rows)
    yield from _end(found.hits, "nothing found", truncated=found.truncated)


def findings(found: r.Findings) -> Iterator[str]:
    """`findings`."""
    rows = ((each.kind, each.severity, each.subject, each.text) for each in found.findings)
    yield from table(("FINDING", "SEVERITY", "ABOUT", "WHAT"), rows)
    yield from _end(found.findings, "no findings", truncated=found.truncated)


def _end(listed: Sequence[object], nothing: str, *, truncated: bool) -> Iterator[str]:
    """Say that a list is empty, or that it was cut."""
    if not listed:
        yield nothing
    if truncated:
        yield MORE


def shown(found: r.Shown) -> Iterator[str]:
    """`show`."""
    yield found.title if found.title.startswith(found.kind) else f"{found.kind} {found.title}"
    yield from pairs(found.facts, indent="  ")
    for section in found.sections:
        if section.rows:
            yield ""
            yield section.title
            yield from table(section.head, section.rows)
    if found.statement:
        yield ""
        yield from _indented(found.statement).split("\n")


def _indented(statement: str) -> str:
    """Return a signed statement set out for reading; `--json` has it byte for byte."""
    import json

    try:
        return json.dumps(json.loads(statement), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return statement
