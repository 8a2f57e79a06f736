"""Registering assets, recording versions, handing assets over, taking records back."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterable, Sequence
from pathlib import Path

from ledger.chain import contracts
from ledger.core import digests
from ledger.core.errors import Usage
from ledger.core.names import check_asset, format_version
from ledger.core.records import Alias, Grant
from ledger.index.views import EntryView
from ledger.service.asking import asked
from ledger.service.batch import Batch
from ledger.service.context import Context
from ledger.service.known import Added
from ledger.service.parties import party_address
from ledger.service.paths import Paths, remember
from ledger.service.publishing import publish, receipt
from ledger.service.rechecking import statement_at
from ledger.service.recorded import counting
from ledger.service.results import Receipt
from ledger.service.times import is_past, start_of
from ledger.store.content import Content, digest_path

_ENDING = ("grant", "agreement", "attestation")
"""What may be taken back from a later moment on: rights, and what they depend on."""


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
    arbiter: str = "",
    anchor: bool = True,
) -> Receipt:
    """Register an asset, with the content of `path` as its version 1 if a path is given. `arbiter` names the
    party that alone may freeze it in a dispute.
    """
    with asked():
        check_asset(asset)
    names = [parse_alias(text) for text in aliases]
    content = None if path is None else observe(context, path)
    judge = context.did(party_address(context, arbiter)) if arbiter else ""
    with context.writing():
        batch = Batch(context)
        with asked():
            batch.register(
                asset,
                title=title,
                description=description,
                kind=kind,
                license=license,
                aliases=names,
                arbiter=judge,
            )
        if path is not None and content is not None:
            add_version(batch, asset, path, content)
        done = publish(context, batch, anchor=anchors(context, anchor))
        remember(context.workspace, {asset: path} if path else {}, context.notify)
    return done


def version(context: Context, asset: str, path: Path | None = None, *, anchor: bool = True) -> Receipt:
    """Record the content of `path` as the next version of an asset, unless its newest version has it already.

    Without a path, it is taken from where the asset was last.
    """
    with asked():
        check_asset(asset)
    path = Paths(context.workspace).require(asset, path)
    content = observe(context, path)
    with context.writing():
        batch = Batch(context)
        batch.check_holder(asset)
        newest = batch.latest(asset)
        if newest is None or newest.digest != {content.name: content.digest}:
            add_version(batch, asset, path, content)
        if newest is None or len(batch):
            done = publish(context, batch, anchor=anchors(context, anchor))
        else:
            note = f"{path} is {format_version(asset, newest.number)} already: nothing to record"
            done = receipt(context, [], context.log.size, None, notes=[note])
        remember(context.workspace, {asset: path}, context.notify)
    return done


def anchors(context: Context, wanted: bool) -> bool:
    """Tell whether to anchor what a command records: if it is wanted, and the settings leave it to the
    commands.
    """
    return wanted and context.config.anchor == "auto"


def observe(context: Context, path: Path) -> Content:
    """Digest a file or folder, showing progress."""
    what = f"digesting {path.name}"
    return digest_path(path, lambda done, total: context.progress(what, done, total or None))


def add_version(batch: Batch, asset: str, path: Path, content: Content) -> Added:
    """Add the version that `content`, found at `path`, makes."""
    media_type = (mimetypes.guess_type(path.name)[0] or "") if content.name == digests.FILE else ""
    return batch.version(asset, {content.name: content.digest}, size=content.size, media_type=media_type)


def transfer(context: Context, asset: str, receiver: str) -> Receipt:
    """Hand an asset to another party: recorded, anchored and posted on chain, from where on it binds.

    One that was begun and got no further than the log is finished.
    """
    with asked():
        check_asset(asset)
    address = party_address(context, receiver)
    with context.writing():
        batch = Batch(context)
        if not batch.is_registered(asset):
            raise context.known.unregistered(asset)
        batch.check_holder(asset)
        if address == context.address:
            raise Usage(
                "giver and receiver are one party: that is you", hint="name the party that is to hold it"
            )
        begun = context.index.unposted_transfer(asset, context.address, address)
        record = begun or batch.transfer(asset, context.did(address))
        target = digests.target_of_asset(digests.asset_digest(context.ledger_id, asset))
        return _posted(context, batch, target, record)


def revoke(context: Context, prefix: str, *, reason: str = "", since: str = "") -> Receipt:
    """Take back a record of this party, named by its id or the first digits of it; it stays in the log,
    revoked. What an earlier holder granted, the holder may take back.

    Recorded, anchored and posted on chain, from where on it binds; with `since`, a date or time, from then
    on. One that was begun is finished.
    """
    effective = start_of(since) if since else ""
    with context.writing():
        batch = Batch(context)
        row, record = _own_record(context, prefix)
        if effective and row.type not in _ENDING:
            raise Usage(
                f"a {row.type} is taken back at once, or not at all",
                hint=f"--from is for rights: {', '.join(_ENDING)}",
            )
        if row.revoked:
            raise Usage(f"record {record.hex()[:12]} was taken back already")
        subject = statement_at(context, row.log, row.idx).subject
        begun = context.index.unposted_revocation(record, context.address)
        with asked():
            revocation = begun or batch.revocation(record, subject, reason, effective)
        notes = [f"it binds from its posting on, not from {effective}"] if is_past(effective) else []
        return _posted(context, batch, digests.target_of_record(record), revocation, notes)


def _posted(
    context: Context, batch: Batch, target: bytes, record: bytes, notes: Sequence[str] = ()
) -> Receipt:
    """Publish what binds others only once it is posted, and post it behind its anchor."""
    post = contracts.post(context.descriptor, context.address, target, record)
    done = publish(context, batch, anchor=True, notes=notes, then=[post])
    if done.block is None:
        context.notify("it does not bind yet: run the same command again to post it")
    return done


def _own_record(context: Context, prefix: str) -> tuple[EntryView, bytes]:
    row = counting(context, prefix)
    if row.record is None or (row.party != context.address and not _inherited(context, row)):
        raise Usage(f"record {prefix} is not yours to take back")
    if row.type == "agreement":
        raise Usage(
            "an agreement binds both parties: both have to take it back",
            hint=f"begin that with: dataledger agree end {prefix} -o FILE",
        )
    if row.type in {"transfer", "revocation"}:
        raise Usage(
            f"a {row.type} can't be taken back",
            hint="a transfer is undone by a transfer back, a revocation by recording anew",
        )
    return row, row.record


def _inherited(context: Context, row: EntryView) -> bool:
    """Tell whether this is a grant by an earlier holder of what this party holds now."""
    if row.type != "grant":
        return False
    statement = statement_at(context, row.log, row.idx)
    predicate = statement.predicate
    assets = {each.name.partition("@")[0] for each in statement.subject}
    return isinstance(predicate, Grant) and not predicate.under and all(map(context.known.holds, assets))


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
