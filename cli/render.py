"""Results as text for people. Everything shown here is in the JSON too; nothing is computed here.

Names and titles come from other parties: `clean` takes the control characters out, so that none of them can
steer a terminal. A name is always shown as somebody's claim.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ledger.core.lineage import LineageGraph
    from ledger.service import results as r


def clean(text: str) -> str:
    """Return `text` without characters that could steer a terminal or reorder the line."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return aligned columns; no row, no head."""
    body = [[clean(str(cell)) for cell in row] for row in rows]
    if not body:
        return ""
    lines = [list(head), *body]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def pairs(rows: Iterable[tuple[str, object]]) -> str:
    """Return `name  value` lines, aligned; rows without a value are left out."""
    kept = [(name, clean(str(value))) for name, value in rows if value not in ("", None, [])]
    width = max((len(name) for name, _ in kept), default=0)
    return "\n".join(f"{name.ljust(width)}  {value}" for name, value in kept)


def notes(lines: Iterable[str]) -> list[str]:
    """Return notes as lines."""
    return [f"note: {clean(line)}" for line in lines]


def who(name: str, party: str) -> str:
    """Return a party as its claimed name and its DID."""
    return f"{clean(name)} ({party})" if name else party


def short(hex_text: str, digits: int = 12) -> str:
    """Return the first digits of a hash, enough to name it to `show`."""
    return hex_text[:digits]


def setup(done: r.Setup) -> str:
    """`init`."""
    head = "Joined the ledger" if done.joined else "Started a ledger"
    rows = [
        ("workspace", done.workspace),
        ("party", who(done.name, done.party)),
        ("namespace", done.namespace if done.namespace_claimed else f"{done.namespace} (not yours yet)"),
        ("ledger", done.ledger),
        ("log", done.log),
        ("key", done.key),
        ("chain", done.chain),
    ]
    return "\n".join([head, pairs(rows), *notes(done.notes)])


def receipt(done: r.Receipt) -> str:
    """What was written."""
    lines = [f"{ref.type} {clean(ref.subject)}  record {short(ref.record)}" for ref in done.records]
    if done.block is not None:
        lines.append(f"anchored in block {done.block} ({done.block_time}), log size {done.size}")
    elif done.records:
        lines.append(f"pending, log size {done.size}: `dataledger anchor` anchors it")
    return "\n".join([*lines, *notes(done.notes)])


def run(done: r.RunReceipt) -> str:
    """`run`, on stderr."""
    made = f" -> {', '.join(done.outputs)}" if done.outputs else ""
    return "\n".join(
        [f"{done.outcome}: {', '.join(done.inputs) or 'no inputs'}{made}", receipt(done.receipt)]
    )


def status(found: r.Status) -> str:
    """`status`."""
    rows = [
        ("party", who(found.name, found.party)),
        ("namespaces", ", ".join(found.namespaces) or "none"),
        ("ledger", found.ledger),
        ("log", f"{found.log}: {found.entries} records, {found.anchored} anchored, {found.pending} pending"),
        (
            "key",
            f"{short(found.key)} valid to {found.key_valid_to}" if found.key_valid_to else short(found.key),
        ),
        ("chain", found.chain),
        ("index", f"block {found.index_block} ({found.index_time}), final to block {found.final_block}"),
        (
            "known",
            f"{found.assets} assets, {found.versions} versions, {found.activities} activities, {found.findings} findings",
        ),
    ]
    lines = [pairs(rows)]
    lines += [f"changed since its last version: {clean(line)}" for line in found.changed_files]
    if found.followed:
        lines.append(follows_table(found.followed))
    lines += [
        f"missing log: {log} (lineage of your assets needs it: dataledger follow)"
        for log in found.missing_logs
    ]
    return "\n".join([*lines, *notes(found.notes)])


def follows_table(followed: Sequence[r.Followed]) -> str:
    """The logs that are followed."""
    rows = [(f.name or f.party, short(f.log), f.anchored, f.source, f.problem) for f in followed]
    return table(("FOLLOWS", "LOG", "RECORDS", "FROM", "PROBLEM"), rows)


def follows(found: r.Follows) -> str:
    """`follow`."""
    return follows_table(found.followed) or "no log is followed: dataledger follow PARTY --from FOLDER|URL"


def synced(done: r.Synced) -> str:
    """`sync`."""
    lines = [
        f"index is at block {done.to_block} ({done.to_time}): {done.applied} records applied, {done.rejected} rejected, {done.findings} findings"
    ]
    lines += [f"missing log: {log}" for log in done.missing_logs]
    if done.state_digest:
        lines.append(f"state digest {done.state_digest}")
    return "\n".join(lines)


def done(result: r.Done) -> str:
    """Something done on chain or in the workspace."""
    place = f", block {result.block} ({result.block_time})" if result.block is not None else ""
    return "\n".join([f"{clean(result.what)}{place}", *notes(result.notes)])


def imported(done: r.Imported) -> str:
    """`import`."""
    lines = [
        f"{done.events} events: {done.runs} runs recorded, {done.runs_known} known already, {len(done.refused)} events refused"
    ]
    if done.registered:
        lines.append(
            f"registered {len(done.registered)} datasets: {', '.join(done.registered[:8])}{', ...' if len(done.registered) > 8 else ''}"
        )
    lines += [
        f"refused {clean(each.source)} {clean(each.position)}: {clean(each.reason)}" for each in done.refused
    ]
    if done.dropped_facets:
        lines.append(
            f"not carried over (kept in the private original): {', '.join(clean(name) for name in done.dropped_facets)}"
        )
    if done.receipt is not None and done.receipt.records:
        count = len(done.receipt.records)
        place = (
            f"anchored in block {done.receipt.block} ({done.receipt.block_time})"
            if done.receipt.block is not None
            else "pending"
        )
        lines.append(f"{count} records, {place}, log size {done.receipt.size}")
    return "\n".join(lines)


def lineage(graph: LineageGraph, format_: str) -> str:
    """`trace` and `impact`."""
    from ledger.formats import lineage_views

    return "\n".join(lineage_views.render(graph, format_))


def file_verdict(found: r.FileVerdict) -> str:
    """`verify`."""
    lines = [
        f"{'GOOD' if found.verdict == 'good' else found.verdict.upper()}: {clean(found.path)}",
        f"  {found.digest}",
    ]
    for claim in found.claims:
        mark = "" if claim.trusted else ", not a party you trust"
        lines.append(f"  is {claim.version}, claimed by {who(claim.party_name, claim.party)}{mark}")
        if claim.block is not None:
            lines.append(
                f"    record {short(claim.record)} existed by {claim.block_time} (block {claim.block}, {claim.state}); it says {claim.claimed_time}"
            )
        else:
            lines.append(f"    record {short(claim.record)} is pending: not anchored yet")
        if claim.problem:
            lines.append(f"    {clean(claim.problem)}")
    if found.reason:
        lines.append(f"  {clean(found.reason)}")
    if found.trust_root:
        lines.append(f"  checked against {clean(found.trust_root)}")
    return "\n".join([*lines, *notes(found.notes)])


def problems(title: str, found: Sequence[r.Problem]) -> list[str]:
    """Findings or failures under a title."""
    if not found:
        return []
    return [title, *(f"  {p.kind} {clean(p.subject)}: {clean(p.text)}" for p in found)]


def audit(report: r.AuditReport) -> str:
    """`audit`."""
    lines = [
        f"{'GOOD' if report.good else 'FAILED'}: {report.chain_blocks} blocks, {len(report.logs)} logs, {report.attachments} attachments"
    ]
    rows = [
        (
            clean(log.party),
            short(log.log),
            log.entries,
            log.anchored,
            log.checkpoints,
            "good" if log.good else "FAILED",
        )
        for log in report.logs
    ]
    lines.append(table(("PARTY", "LOG", "RECORDS", "ANCHORED", "CHECKPOINTS", "VERDICT"), rows))
    lines += problems("failures:", report.failures)
    lines += problems("findings:", report.findings)
    lines.append(f"state digest {report.state_digest} at block {report.to_block}")
    return "\n".join([*(line for line in lines if line), *notes(report.notes)])


def log(found: r.LogListing) -> str:
    """`log`."""
    rows = [
        (
            short(line.record),
            line.state if line.verdict == "accepted" else line.verdict,
            line.type,
            line.subject,
            line.party_name or line.party,
            f"block {line.block} {line.block_time}" if line.block is not None else "",
            line.reason,
        )
        for line in found.records
    ]
    text = (
        table(("RECORD", "STATE", "TYPE", "SUBJECT", "CLAIMED BY", "ANCHORED", "REASON"), rows)
        or "no records"
    )
    return text + ("\n... more: raise --limit" if found.truncated else "")


def search(found: r.SearchResult) -> str:
    """`search`."""
    rows = [
        (hit.asset, f"@{hit.latest}" if hit.latest else "", hit.title, hit.party_name or hit.party)
        for hit in found.hits
    ]
    text = table(("ASSET", "LATEST", "TITLE", "CLAIMED BY"), rows) or "nothing found"
    return text + ("\n... more: raise --limit" if found.truncated else "")


def findings(found: r.Findings) -> str:
    """`findings`."""
    rows = [(p.kind, p.severity, p.subject, p.text) for p in found.findings]
    text = table(("FINDING", "SEVERITY", "ABOUT", "WHAT"), rows) or "no findings"
    return text + ("\n... more: raise --limit" if found.truncated else "")


def keys(found: r.Keys) -> str:
    """`key list`."""
    rows = []
    for key in found.keys:
        marks = [mark for mark, on in (("in use", key.current), ("here", key.here and not key.current)) if on]
        until = (
            f"revoked in block {key.revoked_block}" if key.revoked_block is not None else f"to {key.valid_to}"
        )
        rows.append((key.key, f"from block {key.from_block}", until, ", ".join(marks)))
    return "\n".join([table(("KEY", "VALID", "UNTIL", ""), rows) or "no keys", *notes(found.notes)])


def namespaces(found: r.Namespaces) -> str:
    """`namespace list`."""
    rows = [
        (n.name, n.owner_name, n.owner, f"since block {n.from_block}", "yours" if n.ours else "")
        for n in found.namespaces
    ]
    return table(("NAMESPACE", "NAME", "OWNER", "SINCE", ""), rows) or "no namespaces"


def delegates(found: r.Delegates) -> str:
    """`delegate list`."""
    rows = [
        (
            d.type,
            d.delegate,
            f"from block {d.from_block}",
            f"revoked in block {d.revoked_block}" if d.revoked_block is not None else f"to {d.valid_to}",
        )
        for d in found.delegates
    ]
    return table(("TYPE", "DELEGATE", "VALID", "UNTIL"), rows) or "no delegates"


def shown(found: r.Shown) -> str:
    """`show`."""
    parts = [clean(found.title), pairs((name, text) for name, text in found.facts)]
    parts += [
        table(section.head, section.rows) and f"{clean(section.title)}\n{table(section.head, section.rows)}"
        for section in found.sections
    ]
    if found.statement:
        parts.append(clean_lines(found.statement))
    return "\n".join(part for part in parts if part)


def clean_lines(text: str) -> str:
    """Return text of several lines, each cleaned."""
    return "\n".join(clean(line) for line in text.split("\n"))
