"""The same thing claimed by several parties: found, and shown side by side. Who is right is not ours to say.

The same content registered by different parties, the same alias declared by several, the same product offered
by several. Each claim comes with the block by which it existed, who vouches for it, and who objects.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ledger.core.names import is_asset
from ledger.index.duplicates import AliasClaim, Offer, same_alias, same_content, several_venues
from ledger.index.queries import find_by_digest
from ledger.index.views import EntryView, VersionView, Where
from ledger.service.assets import observe
from ledger.service.context import Context
from ledger.service.results import DuplicateGroup, Duplicates, Rival
from ledger.service.standing import standing
from ledger.service.syncing import fresh
from ledger.service.times import format_time

CONTENT, ALIAS, VENUE = "content", "alias", "venue"


def duplicates(context: Context, what: str = "") -> Duplicates:
    """List what several parties claim: of an asset, of a file or folder by its content, or all that is known.

    What is written as an asset and is a file as well is taken to be the asset.
    """
    index = fresh(context)
    if not what:
        groups = _groups(context, None)
    elif ":" in what or is_asset(what.partition("@")[0]):
        asset = context.known.asset(what)
        context.known.check_mentioned(asset)
        groups = _groups(context, asset)
    else:
        content = observe(context, Path(what))
        claims = find_by_digest(index.database, content.name, bytes.fromhex(content.digest))
        groups = [_content(context, claims)] if len({each.party for each in claims}) > 1 else []
    return Duplicates(
        subject=what,
        groups=groups,
        missing_logs=[log.log.hex() for log in index.logs() if log.problem in _UNREAD],
        to_block=index.summary().head,
    )


_UNREAD = ("log-unavailable", "log-mismatch")


def _groups(context: Context, asset: str | None) -> list[DuplicateGroup]:
    database = context.index.database
    return [
        *(_content(context, claims) for claims in same_content(database, asset)),
        *(_alias(context, claims) for claims in same_alias(database, asset)),
        *(_venue(context, offers) for offers in several_venues(database, asset)),
    ]


def _content(context: Context, claims: Sequence[VersionView]) -> DuplicateGroup:
    first = claims[0]
    rivals = [_rival(context, f"{each.asset}@{each.number}", each.party, each) for each in claims]
    return DuplicateGroup(kind=CONTENT, what=f"{first.alg}:{first.digest.hex()}", claims=_ordered(rivals))


def _alias(context: Context, claims: Sequence[AliasClaim]) -> DuplicateGroup:
    scheme, namespace, name = claims[0].alias
    rivals = [
        _rival(context, each.asset, each.party, context.index.find_records(each.record.hex())[0])
        for each in claims
    ]
    text = f"{scheme}:{namespace}#{name}" if namespace else f"{scheme}:{name}"
    return DuplicateGroup(kind=ALIAS, what=text, claims=_ordered(rivals))


def _venue(context: Context, offers: Sequence[Offer]) -> DuplicateGroup:
    rivals = []
    for each in offers:
        entry = context.index.find_records(each.record.hex())[0]
        role = f"{each.role} (taken back)" if each.revoked else each.role
        rivals.append(_rival(context, each.asset, each.party, entry, role))
    return DuplicateGroup(kind=VENUE, what=offers[0].asset, claims=_ordered(rivals))


def _rival(context: Context, name: str, party: bytes, where: Where | EntryView, role: str = "") -> Rival:
    stands = standing(context, name, party)
    return Rival(
        name=name,
        party=context.did(party),
        party_name=context.index.party_name(party),
        record=where.record.hex() if where.record else "",
        claimed_time=where.claimed,
        state="taken back" if where.revoked else where.state,
        block=where.block,
        block_time="" if where.time_unix_s is None else format_time(where.time_unix_s),
        reviews=stands.reviews,
        objections=stands.objections,
        frozen=stands.frozen,
        role=role,
    )


def _ordered(rivals: list[Rival]) -> list[Rival]:
    """Put claims in the order of their anchors; what is pending comes last."""
    return sorted(rivals, key=lambda each: (each.block is None, each.block or 0))
