"""Evidence as text: what was written, and what it proves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from .layout import anchored, bad, count, good, money, notes, short, unsure, who

if TYPE_CHECKING:
    from ledger.core.verdict import Conclusion, RightsVerdict, RootVerdict, Verdict
    from ledger.service import results as r

_LISTED = 20
_WORDS = {"unconfirmed": "CONSISTENT, CHAIN UNCONFIRMED"}
_CONFIRM = (
    "give the hash of that block, from a source of your own: --block HASH, or --rpc URL of a node you trust"
)


def verdict(found: Verdict) -> Iterator[str]:
    """`verify` of an evidence file."""
    yield _marked(found.verdict, ", ".join(each.version for each in found.roots))
    if found.reason:
        yield f"  {found.reason}"
    yield f"  as of block {found.block.number:,} ({found.block.hash}) of chain {found.chain_id}"
    yield f"  in ledger {found.ledger}"
    yield f"  confirmed by {found.trust_root}" if found.trust_root else f"  {_CONFIRM}"
    names = {each.did: each.name for each in found.parties}
    if found.rights is not None:
        yield from _rights(found.rights, names)
    for root in found.roots[:_LISTED]:
        yield from _root(root, names)
    if found.file is not None:
        is_it = f"is {found.file.version}" if found.file.version else "is none of these"
        yield f"{found.file.path} {is_it}: {found.file.digest}"
    told = found.rights or _NothingTold()
    for title, lines in (
        ("proven" if found.trust_root else "proven, if that block is real", (*found.proven, *told.proven)),
        ("claimed", (*found.claimed, *told.claimed)),
        ("declared", found.declared),
        ("unknown", (*found.unknown, *told.unknown)),
    ):
        yield from _part(title, lines)
    yield from _part("outside this file", (f"{each.name}: {each.why}" for each in found.outside[:_LISTED]))
    yield from _part(
        "findings", (f"{each.kind} {each.subject}: {each.text}" for each in found.findings[:_LISTED])
    )
    more = max(len(found.findings), len(found.outside), len(found.roots)) - _LISTED
    if more > 0:
        yield "  ... there is more: --json"
    yield from notes(found.notes)


def _rights(found: RightsVerdict, names: dict[str, str]) -> Iterator[str]:
    """The answer about rights."""
    purpose = f" for {found.purpose}" if found.purpose else ""
    region = f" in {found.region}" if found.region else ""
    asked = (
        f"{who(names.get(found.party, ''), found.party)} may {found.right} {found.subject}{purpose}{region}?"
    )
    if found.verdict == "unconfirmed":
        yield unsure(f"{found.shown.upper()} IF THAT BLOCK IS REAL", f": {asked}")
    else:
        mark = {"permitted": good, "denied": bad}.get(found.verdict, unsure)
        yield mark(found.verdict.upper(), f": {asked}")
    yield f"  at {found.at}, by what was known at {found.known}"
    for cause in found.because[:_LISTED]:
        record = f" (record {short(cause.record)})" if cause.record else ""
        claimed = " - by the records shown" if found.shown != "unknown" and not cause.proven else ""
        yield f"  {cause.subject}: {cause.meaning}{record}{claimed}"
        if cause.text:
            yield f"    {cause.text}"
    for grant in found.grants[:_LISTED]:
        giver, taker = (who(names.get(each, ""), each) for each in (grant.giver, grant.taker))
        ends = f", ends {grant.until}" if grant.until else ""
        to = taker if grant.taker else "everybody"
        yield f"  grant {short(grant.record)} in block {grant.block:,}: {giver} to {to}{ends}"
    if found.free:
        yield "  nothing may be asked for this purpose"
    for cap in found.caps:
        yield f"  at most {money(cap.amount, cap.currency)} may be asked for a unit"
    if found.level:
        yield f"  sensitivity: {found.level}"
    if found.rules:
        yield f"  border rules: {found.rules}"


def _marked(verdict: Conclusion, what: str) -> str:
    mark = {"good": good, "unconfirmed": unsure, "unknown": unsure}.get(verdict, bad)
    return mark(_WORDS.get(verdict, verdict.upper()), f": {what}")


def _root(root: RootVerdict, names: dict[str, str]) -> Iterator[str]:
    state = "" if root.state == "stands" else f", {root.state}"
    yield f"{root.version}  {root.digest}{state}"
    by = ", ".join(who(names.get(each, ""), each) for each in root.authors)
    yield f"  record {short(root.record)} by {by}, in block {root.block:,}"


def _part(title: str, lines: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        if number == 0:
            yield f"{title}:"
        yield f"  {line}"


class _NothingTold:
    """What a file says of rights that asks nothing about them."""

    proven: tuple[str, ...] = ()
    claimed: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def evidence_made(made: r.EvidenceMade) -> Iterator[str]:
    """`evidence`."""
    what = f"{count(made.records, 'record')} from {count(made.logs, 'log')}, {made.bytes:,} bytes"
    yield f"wrote {made.path}: {what}"
    yield f"proves {', '.join(made.versions[:_LISTED])} from {anchored(made.block, made.block_time)}"
    if made.rights is not None:
        asked = f"{made.rights.party} may {made.rights.right} {made.rights.subject}?"
        yield f"answers {asked} {made.rights.shown}"
    for version in made.revoked:
        yield bad("revoked", f": {version} was taken back by its author")
    for name in made.outside[:_LISTED]:
        yield unsure("outside", f": of {name} there is no record")
    for text in made.unknown[:_LISTED]:
        yield unsure("unknown", f": {text}")
    yield "check it anywhere, offline, with the block's hash from a source of one's own:"
    yield f"  dataledger verify {made.path} --block {made.block_hash}"
    yield from notes(made.notes)


def report_made(made: r.ReportMade) -> Iterator[str]:
    """`report`."""
    yield _marked(made.verdict, made.evidence)
    if made.rights is not None:
        yield f"  rights: {made.rights}"
    if made.reason:
        yield f"  {made.reason}"
    yield f"  confirmed by {made.trust_root}" if made.trust_root else f"  {_CONFIRM}"
    yield f"wrote {made.path}: {made.bytes:,} bytes"


def trust_file(file: r.TrustFile) -> Iterator[str]:
    """`trust`: the file itself, for people to read as well."""
    import json

    from ledger.core.trust import FORMAT

    whole = {"format": FORMAT, "ledger": file.ledger, "blocks": file.blocks}
    yield from json.dumps(whole, indent=2).splitlines()
