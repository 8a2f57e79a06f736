"""Registering assets, recording versions, handing assets over."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterable
from pathlib import Path

from ledger.chain import contracts
from ledger.core import digests
from ledger.core.errors import NotFound, Usage
from ledger.core.names import check_asset, format_version
from ledger.core.records import Alias
from ledger.service.asked import asked
from ledger.service.batch import Batch
from ledger.service.context import Context
from ledger.service.known import Added
from ledger.service.parties import party_address
from ledger.service.paths import Paths
from ledger.service.publishing import publish
from ledger.service.results import Receipt
from ledger.store.content import Content, digest_path


def register(
    context: Context,
    asset: str,
    path: Path | None = None,
    *,
    title: str = "",
    description: str = "",
    kind: str = "dataset",
    license: str = "",  # noqa: A002 - the predicate's word
    aliases: Iterable[str] = (),
    anchor: bool = True,
) -> Receipt:
    """Register an asset, with the content of `path` as its version 1 if a path is given."""
    with asked():
        check_asset(asset)
    parsed = [parse_alias(text) for text in aliases]
    content = None if path is None else observe(context, path)
    with context.writing():
        batch = Batch(context)
        with asked():
            batch.register(
                asset, title=title, description=description, kind=kind, license=license, aliases=parsed
            )
        if content is not None:
            assert path is not None
            add_version(batch, asset, path, content)
        receipt = publish(context, batch, anchor=anchor)
    if path is not None:
        Paths(context.workspace).remember({asset: path})
    return receipt


def version(context: Context, asset: str, path: Path | None = None, *, anchor: bool = True) -> Receipt:
    """Record the content of `path` (default: where the asset was last) as the next version, unless it is the newest already."""
    with asked():
        check_asset(asset)
    paths = Paths(context.workspace)
    path = paths.require(asset, path)
    content = observe(context, path)
    with context.writing():
        batch = Batch(context)
        before = batch.latest(asset)
        batch.check_holder(asset)
        if before is not None and before.digest == {content.name: content.digest}:
            paths.remember({asset: path})
            note = f"{path} is {format_version(asset, before.number)} already: nothing to record"
            return Receipt(records=[], log=context.log_id.hex(), size=context.log.size, notes=[note])
        add_version(batch, asset, path, content)
        receipt = publish(context, batch, anchor=anchor)
    paths.remember({asset: path})
    return receipt


def observe(context: Context, path: Path) -> Content:
    """Digest a file or folder, showing progress."""
    return digest_path(
        path, lambda done, total: context.progress(f"digesting {path.name}", done, total or None)
    )


def add_version(batch: Batch, asset: str, path: Path, content: Content) -> Added:
    """Add the version that `content`, found at `path`, makes."""
    media_type = "" if content.name != "sha256" else mimetypes.guess_type(path.name)[0] or ""
    return batch.version(asset, {content.name: content.digest}, size=content.size, media_type=media_type)


def transfer(context: Context, asset: str, receiver: str) -> Receipt:
    """Hand an asset to another party: recorded and anchored, then posted on chain, from where on it binds."""
    with asked():
        check_asset(asset)
    address = party_address(context, receiver)
    if not context.fresh().registered(asset):
        raise NotFound(f"{asset} is not registered", hint="dataledger search finds assets")
    if address == context.address:
        raise Usage("giver and receiver are one party: that is you", hint="name the party that is to hold it")
    with context.writing():
        batch = Batch(context)
        record = batch.transfer(asset, context.did(address))
        receipt = publish(context, batch)
        if receipt.block is None:
            return receipt
        target = digests.target_of_asset(digests.asset_digest(context.ledger_id, asset))
        with context.client() as client:
            client.send(
                contracts.post(context.descriptor, context.address, target, record), context.account_key
            )
        context.refresh()
    return receipt


def parse_alias(text: str) -> Alias:
    """Read `SCHEME:NAME` or `SCHEME:NAMESPACE#NAME`; raises Usage."""
    scheme, colon, rest = text.partition(":")
    if not colon or not scheme or not rest:
        raise Usage(
            f"alias {text!r}: expected SCHEME:NAME or SCHEME:NAMESPACE#NAME",
            hint="for example doi:10.1000/182, or openlineage:postgres://db:5432#public.orders",
        )
    namespace, mark, name = rest.rpartition("#")
    return Alias(scheme=scheme, namespace=namespace if mark else "", name=name)
