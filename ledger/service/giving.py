"""What is given by a grant or an agreement, on which right it rests, and whether the rules would let it."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.core.authority import Place
from ledger.core.digests import ASSET, asset_digest
from ledger.core.records import Resource
from ledger.core.records_rights import Terms
from ledger.core.terms import Gift, link_fault
from ledger.service.context import Context
from ledger.service.recorded import record_id


def subject_of(context: Context, names: Sequence[str]) -> list[Resource]:
    """Return registered assets, and versions with their content, as a subject; raises NotFound."""
    return [_resource(context, name) for name in names]


def _resource(context: Context, name: str) -> Resource:
    reference = context.known.reference(name)
    version = context.known.named_version(reference)
    if not context.index.registered(reference.asset):
        raise context.known.unregistered(reference.asset)
    if version is None:
        return Resource(reference.asset, {ASSET: asset_digest(context.ledger_id, reference.asset)})
    return Resource(f"{reference.asset}@{version.number}", version.digest)


def under_for(
    context: Context, giver: bytes, subject: Sequence[Resource], terms: Terms, named: str = ""
) -> str:
    """Return the record (hex) on which it rests that `giver` (20 bytes) gives this: the named one.

    Without a name: none for what the giver holds, else the first that was given to it and reaches as far;
    none if there is no such.
    """
    if named:
        return record_id(context, named).hex()
    index = context.index
    if all(index.holder(each.name.partition("@")[0]) == giver for each in subject):
        return ""
    head, did = index.head, context.did(giver)
    facts = None if head is None else index.rights(head.number)
    gift = Gift([each.name for each in subject], terms)
    for given in [] if facts is None else facts.grants(subject[0].name.partition("@")[0], did):
        stands = not given.rejected and given.revoked_ns is None and given.taker == did
        if stands and link_fault(did, gift, given.taker, Gift(given.names, given.terms)) is None:
            return given.record
    return ""


def next_place(context: Context) -> Place:
    """Return where a record of the own log would stand if the next block anchored it."""
    head = context.index.head
    return Place(
        context.ledger_id.hex(),
        context.descriptor.chain_id,
        context.log_id.hex(),
        0 if head is None else head.number + 1,
        0 if head is None else head.time_unix_s,
    )
