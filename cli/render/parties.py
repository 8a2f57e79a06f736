"""Parties and their claims, as text: counts first, claims side by side, never who is right."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from .layout import anchored, bad, count, notes, pairs, short, table, unsure, who

if TYPE_CHECKING:
    from ledger.service import results as r

NEWEST = 5
"""How many records of each relation are shown without --all."""

_KINDS = {"content": "the same content", "alias": "the same alias", "venue": "offered by several"}


def party(found: r.PartySheet, *, everything: bool = False) -> Iterator[str]:
    """`party`."""
    yield who(found.name, found.party)
    whose = "this workspace" if found.ours else "trusted here" if found.trusted else ""
    delegates = (f"{each.type} {each.delegate}{_ended(each.revoked_block)}" for each in found.delegates)
    yield from pairs(
        [
            ("is", whose),
            ("namespaces", ", ".join(f"{each.name} (block {each.from_block})" for each in found.namespaces)),
            ("delegates", ", ".join(delegates)),
            ("holds", count(len(found.assets), "asset") if found.assets else ""),
            ("records", ", ".join(f"{number:,} {relation}" for relation, number in found.counts.items())),
        ],
        indent="  ",
    )
    yield from _keys(found)
    yield from _logs(found)
    yield from _assets(found.assets if everything else found.assets[:NEWEST])
    yield from _records(found.records, everything=everything)
    for each in found.notices:
        late = " (overdue)" if each.overdue else ""
        yield f"has not acknowledged notice {short(each.record)} about {', '.join(each.subject)}{late}"
    for finding in found.findings if everything else found.findings[:NEWEST]:
        yield f"finding {finding.kind} {finding.subject}: {finding.text}"
    cut = not everything and (len(found.assets) > NEWEST or len(found.findings) > NEWEST)
    if cut or (not everything and any(number > NEWEST for number in found.counts.values())):
        yield "... there is more: --all"
    yield from _missing(found.missing_logs)


def _ended(revoked: int | None) -> str:
    return "" if revoked is None else f" (until block {revoked})"


def _keys(found: r.PartySheet) -> Iterator[str]:
    rows = (
        (
            f"  {short(each.key)}",
            each.from_block,
            each.valid_to,
            f"revoked in block {each.revoked_block}" if each.revoked_block else "",
        )
        for each in found.keys
    )
    yield from table(("  KEY", "FROM BLOCK", "VALID TO", ""), rows)


def _logs(found: r.PartySheet) -> Iterator[str]:
    rows = (
        (
            f"  {short(each.log)}",
            each.number,
            f"{each.read:,} of {each.anchored:,} read",
            each.served_at,
            each.problem or ("" if each.closed_block is None else f"closed in block {each.closed_block}"),
        )
        for each in found.logs
    )
    yield from table(("  LOG", "NUMBER", "ENTRIES", "SERVED AT", ""), rows)


def _assets(assets: Iterable[r.HeldAsset]) -> Iterator[str]:
    rows = (
        (f"  {each.asset}", each.title, "" if each.block is None else f"block {each.block:,}")
        for each in assets
    )
    yield from table(("  HOLDS", "TITLE", "REGISTERED IN"), rows)


def _records(records: Sequence[r.PartyRecord], *, everything: bool) -> Iterator[str]:
    relations = dict.fromkeys(each.relation for each in records)
    chosen = [
        each
        for relation in relations
        for each in _newest([one for one in records if one.relation == relation], everything)
    ]
    rows = (
        (
            f"  {each.relation}",
            each.what,
            each.subject,
            each.other_name or each.other,
            each.state,
            "" if each.block is None else f"block {each.block:,}",
            short(each.record),
        )
        for each in chosen
    )
    yield from table(("  DOES", "WHAT", "ABOUT", "WITH", "STATE", "ANCHORED IN", "RECORD"), rows)


def _newest(records: list[r.PartyRecord], everything: bool) -> list[r.PartyRecord]:
    return records if everything else records[-NEWEST:]


def duplicates(found: r.Duplicates) -> Iterator[str]:
    """`duplicates`."""
    for group in found.groups:
        yield unsure(_KINDS.get(group.kind, group.kind), f": {group.what}")
        rows = (
            (
                f"  {each.name}",
                each.party_name or each.party,
                each.role,
                "" if each.block is None else anchored(each.block, each.block_time),
                each.claimed_time,
                _by(each.reviews, "reviewed"),
                "FROZEN" if each.frozen else _by(each.objections, "objected to"),
                short(each.record),
                each.state,
            )
            for each in group.claims
        )
        head = (
            "  CLAIM",
            "CLAIMED BY",
            "AS",
            "EXISTED BY",
            "CLAIMED TIME",
            "FOR",
            "AGAINST",
            "RECORD",
            "STATE",
        )
        yield from table(head, rows)
    if found.groups:
        yield from notes(["what existed first is not thereby right: a claim is no title"])
    else:
        yield f"nobody else claims {found.subject}" if found.subject else "no two parties claim the same"
    yield from _missing(found.missing_logs)


def _by(vouched: Sequence[r.Vouched], word: str) -> str:
    names = dict.fromkeys(each.party_name or each.party for each in vouched)
    return f"{word} by {', '.join(names)}" if names else ""


def disputes(found: r.Disputes) -> Iterator[str]:
    """`disputes`."""
    for each in found.disputes:
        claimed = f"{each.asset}, claimed by {who(each.claimant_name, each.claimant)}"
        yield bad("FROZEN", f": {claimed}") if each.frozen else unsure("DISPUTED", f": {claimed}")
        arbiter = who(each.arbiter_name, each.arbiter) if each.arbiter else "nobody: it can't be frozen"
        frozen = ", ".join(map(short, each.frozen_records))
        yield from pairs([("arbiter", arbiter), ("frozen", frozen)], indent="  ")
        rows = (
            (
                f"  {line.what}",
                line.party_name or line.party,
                "" if line.block is None else anchored(line.block, line.block_time),
                _effect(line),
                f"record {short(line.about)}" if line.about else "",
                line.text,
                short(line.record),
            )
            for line in each.lines
        )
        yield from table(("  WHAT", "BY", "EXISTED BY", "STANDS", "ABOUT", "SAYS", "RECORD"), rows)
    if not found.disputes:
        yield "no disputes"
    yield from _missing(found.missing_logs)


def _effect(line: r.DisputeLine) -> str:
    if line.what == "freeze":
        since = "not posted" if line.binds_from is None else f"from block {line.binds_from:,}"
        return since if line.stands or line.binds_from is None else f"{since}, lifted"
    return "" if line.stands else "taken back"


def _missing(logs: Sequence[str]) -> Iterator[str]:
    if logs:
        known = ", ".join(short(each) for each in logs[:NEWEST])
        yield unsure("INCOMPLETE", f": {count(len(logs), 'log')} can't be had that may say more: {known}")
