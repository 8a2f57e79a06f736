"""What stands for and against a claim: reviews, objections, freezes. Flags, never verdicts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from msgspec import Struct

from ledger.core.instants import NANOSECONDS
from ledger.core.records_rights import Kind
from ledger.core.terms import covers
from ledger.index.attested import AttestedView
from ledger.service.context import Context
from ledger.service.results import Vouched

VOUCHING: tuple[Kind, ...] = ("review", "quality", "certification")


class Standing(Struct, frozen=True):
    """Of an asset or version: what others attested for it, what stands against it, whether it is frozen."""

    reviews: list[Vouched]
    objections: list[Vouched]
    frozen: bool


def standing(context: Context, name: str, claimant: bytes | None = None) -> Standing:
    """Say what stands for and against an asset or version; its claimant's own reviews are not counted."""
    asset = name.partition("@")[0]
    reviews = [
        each
        for kind in VOUCHING
        for each in context.index.attested(kind, asset)
        if each.said.outcome != "failed" and each.entry.party != claimant
    ]
    return Standing(
        _vouched(context, name, reviews),
        _vouched(context, name, standing_objections(context, asset)),
        is_frozen(context, asset),
    )


def standing_objections(context: Context, asset: str) -> list[AttestedView]:
    """Return the objections to an asset or its versions that were not taken back; freezes are no part."""
    return [
        each
        for each in context.index.attested("objection", asset)
        if each.said.outcome is None and not each.entry.revoked
    ]


def is_frozen(context: Context, asset: str) -> bool:
    """Tell whether the arbiter that its registration names has the asset frozen."""
    head = context.index.head
    if head is None:
        return False
    now_ns = max(int(datetime.now(UTC).timestamp()), head.time_unix_s) * NANOSECONDS + NANOSECONDS - 1
    return any(span.has(now_ns) for span in context.index.rights(head.number).frozen(asset))


def _vouched(context: Context, name: str, views: Iterable[AttestedView]) -> list[Vouched]:
    return [
        Vouched(
            record=each.entry.record.hex() if each.entry.record else "",
            kind=" ".join(filter(None, (each.said.kind, each.said.topic))),
            party=context.did(each.entry.party) if each.entry.party else "",
            party_name=context.index.party_name(each.entry.party) if each.entry.party else "",
            text=each.said.description,
        )
        for each in views
        if not each.entry.revoked and (covers(each.names, name) or "@" not in name)
    ]


def flags(context: Context, asset: str) -> str:
    """Say in a line that an asset is frozen or objected to; empty if neither."""
    objections = len(standing_objections(context, asset))
    objected = f"{objections} objection{'s' * (objections > 1)}" if objections else ""
    said = ", ".join(filter(None, ("frozen by its arbiter" if is_frozen(context, asset) else "", objected)))
    return f"{said}: dataledger disputes {asset}" if said else ""
