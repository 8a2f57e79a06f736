"""Disputes: who objects to what, what the arbiter did, both sides' records and the blocks that prove them.

An objection flags and decides nothing; a freeze by the arbiter that a registration or grant names stops what
it is about, from its posting until it is lifted.
"""

from __future__ import annotations

from collections.abc import Iterator

from ledger.core.digests import target_of_record
from ledger.core.errors import NotFound
from ledger.core.identity import parse_did
from ledger.core.postings import effective_block
from ledger.core.records import Registration
from ledger.core.terms import terms_of
from ledger.index.attested import AttestedView
from ledger.index.views import Where
from ledger.service.context import Context
from ledger.service.results import Dispute, DisputeLine, Disputes
from ledger.service.standing import is_frozen, standing_objections
from ledger.service.syncing import fresh
from ledger.service.times import format_time

_WORDS = {"frozen": "freeze", "lifted": "lift", None: "objection"}
_UNREAD = ("log-unavailable", "log-mismatch")


def disputes(context: Context, what: str = "") -> Disputes:
    """List standing objections and freezes: of an asset, with all that was said, or of all that are known."""
    index = fresh(context)
    if what:
        asset = context.known.asset(what)
        if index.asset(asset) is None:
            raise NotFound(
                f"nothing is known of {asset}", hint="dataledger search finds assets by their texts"
            )
        found = [_dispute(context, asset)]
    else:
        names = {name.partition("@")[0] for each in index.attested("objection") for name in each.names}
        found = [_dispute(context, name) for name in sorted(names) if _is_disputed(context, name)]
    return Disputes(
        disputes=[each for each in found if len(each.lines) > 1],
        missing_logs=[log.log.hex() for log in index.logs() if log.problem in _UNREAD],
        to_block=index.summary().head,
    )


def _is_disputed(context: Context, asset: str) -> bool:
    """Tell whether an objection to an asset stands, or anything about it is frozen."""
    return bool(
        standing_objections(context, asset) or is_frozen(context, asset) or _frozen_records(context, asset)
    )


def _dispute(context: Context, asset: str) -> Dispute:
    view = context.index.asset(asset)
    where = None if view is None else view.registration
    said = None if where is None else context.index.said(where.record)
    predicate = None if said is None else said.statement.predicate
    arbiter = predicate.arbiter if isinstance(predicate, Registration) else ""
    claim = [] if where is None else [_claim(context, where)]
    objections = context.index.attested("objection", asset)
    return Dispute(
        asset=asset,
        claimant=context.did(where.party) if where else "",
        claimant_name=context.index.party_name(where.party) if where else "",
        arbiter=arbiter,
        arbiter_name=_name(context, arbiter),
        frozen=is_frozen(context, asset),
        frozen_records=_frozen_records(context, asset),
        lines=claim + [_line(context, each) for each in objections],
    )


def _claim(context: Context, where: Where) -> DisputeLine:
    return DisputeLine(
        what="registration",
        record=where.record.hex(),
        party=context.did(where.party),
        party_name=context.index.party_name(where.party),
        text="",
        about="",
        claimed_time=where.claimed,
        block=where.block,
        block_time="" if where.time_unix_s is None else format_time(where.time_unix_s),
        stands=not where.revoked,
    )


def _line(context: Context, each: AttestedView) -> DisputeLine:
    entry = each.entry
    binds = _binds_from(context, each) if each.said.outcome == "frozen" else None
    stands = not entry.revoked
    if each.said.outcome == "frozen":
        stands = stands and binds is not None and not _is_lifted(context, each, binds)
    return DisputeLine(
        what=_WORDS.get(each.said.outcome, each.said.kind),
        record=entry.record.hex() if entry.record else "",
        party=context.did(entry.party) if entry.party else "",
        party_name=context.index.party_name(entry.party) if entry.party else "",
        text=each.said.description,
        about=each.said.target,
        claimed_time=entry.claimed,
        block=entry.block,
        block_time="" if entry.time_unix_s is None else format_time(entry.time_unix_s),
        stands=stands,
        binds_from=binds,
    )


def _binds_from(context: Context, freeze: AttestedView) -> int | None:
    """Return the block from which a freeze binds, None while it is not posted."""
    record, target = freeze.entry.record, target_of_record(bytes.fromhex(freeze.said.target))
    if record is None or freeze.entry.block is None:
        return None
    posted = context.index.posted(record, target, freeze.said.authors)
    return effective_block(freeze.entry.block, posted)


def _is_lifted(context: Context, freeze: AttestedView, binds: int) -> bool:
    lifts = context.index.answers(bytes.fromhex(freeze.said.target), "objection")
    return any(
        each.said.outcome == "lifted" and each.entry.block is not None and each.entry.block >= binds
        for each in lifts
    )


def _frozen_records(context: Context, asset: str) -> list[str]:
    """Return the grants and agreements about an asset that are frozen now."""
    return list(dict.fromkeys(_frozen(context, asset)))


def _frozen(context: Context, asset: str) -> Iterator[str]:
    for each in context.index.attested("objection", asset):
        said = context.index.said(bytes.fromhex(each.said.target)) if each.said.target else None
        if each.said.outcome == "frozen" and said and terms_of(said.statement.predicate) is not None:
            binds = _binds_from(context, each)
            if binds is not None and not each.entry.revoked and not _is_lifted(context, each, binds):
                yield each.said.target


def _name(context: Context, did: str) -> str:
    return context.index.party_name(parse_did(did)[1]) if did else ""
