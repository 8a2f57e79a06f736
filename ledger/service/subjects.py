"""What a record is to be about: assets and versions as people name them."""

from __future__ import annotations

from ledger.core.errors import NotFound
from ledger.core.records import Resource
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
