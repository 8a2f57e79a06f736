"""What a record is to be about: assets, versions and records as people name them."""

from __future__ import annotations

from ledger.core.errors import NotFound, Usage
from ledger.core.records import Resource
from ledger.index.views import EntryView
from ledger.service.batch import Batch
from ledger.service.context import Context


def resource(context: Context, batch: Batch, name: str) -> Resource:
    """Return a registered asset, or a version of it with its content, as a subject."""
    reference = context.known.reference(name)
    version = context.known.named_version(reference)
    if not batch.is_registered(reference.asset):
        raise NotFound(f"{reference.asset} is not registered", hint="dataledger search finds assets")
    if version is None:
        return batch.asset_resource(reference.asset)
    return Resource(f"{reference.asset}@{version.number}", version.digest)


def recorded(context: Context, prefix: str) -> tuple[EntryView, bytes]:
    """Return the record that counts whose id begins so, and its id; raises NotFound, Usage."""
    rows = [row for row in context.index.find_records(prefix) if row.verdict == "accepted"]
    ids = {row.record for row in rows if row.record is not None}
    if len(ids) > 1:
        raise Usage(f"{len(ids)} records begin with {prefix}", hint="name more digits")
    if not ids:
        raise NotFound(f"no record that counts begins with {prefix}", hint="dataledger log lists records")
    return rows[0], ids.pop()
