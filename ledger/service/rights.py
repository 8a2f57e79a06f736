"""May a party use it: the rules of rights, asked of the index, and the answer in words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from ledger.core.errors import FormatError, NotFound, Usage
from ledger.core.identity import parse_did
from ledger.core.instants import NANOSECONDS
from ledger.core.names import Reference, format_version
from ledger.core.records_rights import Right
from ledger.core.region_rules import MAX_RULES_BYTES, RegionRules, parse_region_rules, select_rules
from ledger.core.rights import may as answer
from ledger.core.rights_facts import CODES, Question, Reason, RightsFacts
from ledger.core.shapes_rights import check_regions
from ledger.service.asking import asked
from ledger.service.context import Context
from ledger.service.parties import party_address
from ledger.service.results import Cap, Cause, Duty, GrantUsed, Permission
from ledger.service.syncing import fresh
from ledger.service.times import format_time, parse_time
from ledger.store.files import read_small

_block_number = re.compile("[0-9]{1,15}").fullmatch


def may(
    context: Context,
    party: str,
    right: Right,
    reference: str,
    *,
    purpose: str = "",
    region: str = "",
    at: str = "",
    rules: Sequence[Path] = (),
) -> Permission:
    """Say whether a party may do this with an asset (all of its versions) or a version, and why.

    `at` is a block number, a time, or a date, meaning its end; without it, now. The facts are those of the
    last block until then. Of several rule lists the one in force then counts.
    """
    if region:
        with asked():
            check_regions([region])
    index = fresh(context)
    address = party_address(context, party)
    name = _name(context, context.known.reference(reference))
    block, at_ns = moment_of(context, at)
    facts = index.rights(block)
    given = select_rules([_rules(path) for path in rules], at_ns)
    if rules and given is None:
        raise Usage(f"no rule list was in force at {format_time(at_ns // NANOSECONDS)}")
    question = Question(context.did(address), right, name, at_ns, purpose, region)
    found = answer(question, facts, given)
    return Permission(
        verdict=found.verdict,
        party=question.party,
        party_name=index.party_name(address),
        right=right,
        subject=name,
        purpose=purpose,
        region=region,
        at=format_time(at_ns // NANOSECONDS),
        to_block=block,
        to_block_time=format_time(index.block_time(block)),
        because=[_cause(context, reason) for reason in found.because],
        grants=[_used(context, facts, record) for record in found.grants],
        free=found.free,
        caps=[Cap(currency=each.currency, amount=each.amount) for each in found.caps],
        level=found.level or "",
        rules=found.rules,
        objections=_objections(facts, name, at_ns),
    )


def _name(context: Context, reference: Reference) -> str:
    """Return the asset or version that is meant; NotFound if nothing is known of it, and nothing is missing
    that might say more.
    """
    asset = reference.asset
    context.known.check_mentioned(asset)
    version = context.known.named_version(reference)
    return asset if version is None else format_version(asset, version.number)


def moment_of(context: Context, at: str) -> tuple[int, int]:
    """Return the block whose facts count, and the moment asked for; a block is meant to its end."""
    head = context.index.head
    if head is None:
        raise NotFound("the index has no block yet", hint="run `dataledger sync`")
    if _block_number(at):
        return int(at), (context.index.block_time(int(at)) + 1) * NANOSECONDS - 1
    seconds = parse_time(at) if at else max(int(datetime.now(UTC).timestamp()), head.time_unix_s)
    block = head.number if seconds >= head.time_unix_s else context.index.block_at(seconds)
    return block, (seconds + 1) * NANOSECONDS - 1


def _rules(path: Path) -> RegionRules:
    data = read_small(path, MAX_RULES_BYTES, "rule list")
    if data is None:
        raise NotFound(f"{path}: there is no such file")
    try:
        return parse_region_rules(data)
    except FormatError as error:
        raise FormatError(f"{path}: expected a list of border rules: {error}", hint=error.hint) from None


def _cause(context: Context, reason: Reason) -> Cause:
    return Cause(
        code=reason.code,
        meaning=CODES[reason.code],
        subject=reason.name,
        record=reason.record,
        text=context.named(reason.text),
    )


def _used(context: Context, facts: RightsFacts, record: str) -> GrantUsed:
    given = facts.given(record)
    assert given is not None, "only grants that were found are named"
    return GrantUsed(
        record=record,
        giver=given.giver,
        giver_name=_party_name(context, given.giver),
        taker=given.taker,
        taker_name=_party_name(context, given.taker),
        subject=list(given.names),
        until=given.terms.until,
        under=given.under,
        share_bps=given.terms.share_bps,
        duties=[
            Duty(kind=each.kind, topic=each.topic, by=each.by, every_days=each.every_days)
            for each in given.terms.conditions
        ],
    )


def _party_name(context: Context, did: str) -> str:
    return context.index.party_name(parse_did(did)[1]) if did else ""


def _objections(facts: RightsFacts, name: str, at_ns: int) -> list[str]:
    """Return the records that object to the asset and stand."""
    return [
        each.record
        for each in facts.attestations(name.partition("@")[0])
        if each.kind == "objection" and each.anchored_ns <= at_ns and each.span.has(at_ns)
    ]
