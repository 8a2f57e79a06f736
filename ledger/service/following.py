"""Which others' logs this workspace reads, and whose claims it trusts."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from ledger.chain.connect import is_url
from ledger.core.checkpoint import parse_checkpoint, parse_origin
from ledger.core.errors import NotFound, Unavailable, Usage
from ledger.core.note import parse_note
from ledger.index import Index
from ledger.service.context import Context
from ledger.service.logs import Follow, follows, number_of
from ledger.service.parties import party_address
from ledger.service.results import Followed, Follows
from ledger.service.syncing import current, refresh, up_to_date
from ledger.store import config as settings
from ledger.store.source import open_source


def followed(context: Context) -> Follows:
    """List the logs that are followed, and how far each was read."""
    index = up_to_date(context)
    return Follows(followed=followed_logs(context, index), to_block=index.summary().head)


def followed_logs(context: Context, index: Index) -> list[Followed]:
    """Return each log that is followed, and whatever succeeded it, as the index knows them."""
    return [_followed(context, index, log_id, each) for log_id, each in follows(context).items()]


def _followed(context: Context, index: Index, log_id: bytes, each: Follow) -> Followed:
    log = index.log_progress(log_id)
    return Followed(
        party=context.did(log.party) if log.party else each.label,
        name=index.party_name(log.party) if log.party else "",
        log=log_id.hex(),
        source=_shown(context, each.location),
        entries=log.size,
        anchored=log.anchored,
        trusted=each.label in context.config.trusted,
        problem=log.problem,
        closed_block=log.closed_block,
        successor_of=each.after.hex() if each.after else "",
    )


def follow(context: Context, party: str, *, source: str | None = None, trust: bool = False) -> Follows:
    """Follow a party's log and read it at once: from `source`, else where it is followed already or
    announced.
    """
    address = party_address(context, party)
    if address == context.address:
        raise Usage("your own log is read anyway")
    served = None if source is None else _served_log(source)
    with context.writing():
        did = context.did(address)
        before = [each for each in context.config.follow if each.label == did]
        if before and source is None:
            wanted = before[-1]
        else:
            log = _log_to_follow(context, address, source, served)
            wanted = settings.Followed(log=log.hex(), location=_kept_location(context, source), label=did)
        _save(context, wanted, [did] if trust else [])
        refresh(context, hurried=False)
    return followed(context)


def _save(context: Context, wanted: settings.Followed, trusted: list[str]) -> None:
    """Follow one more log, and trust these parties too."""
    others = [each for each in context.config.follow if each.log != wanted.log]
    parties = list(dict.fromkeys([*context.config.trusted, *trusted]))
    context.save_config(msgspec.structs.replace(context.config, follow=[*others, wanted], trusted=parties))


def _shown(context: Context, location: str) -> str:
    """Return a location for people: a path from the root on; in the settings it is relative to them."""
    if not location:
        return "as announced on chain"
    return location if is_url(location) else os.path.normpath(context.workspace.resolve(location))


def unfollow(context: Context, party: str) -> Follows:
    """Stop following a party's log, and trusting its claims. What was read of it stays known."""
    did = context.did(party_address(context, party))
    with context.writing():
        kept = [each for each in context.config.follow if each.label != did]
        trusted = [each for each in context.config.trusted if each != did]
        if len(kept) == len(context.config.follow) and len(trusted) == len(context.config.trusted):
            raise NotFound(f"{party} is not followed", hint="dataledger follow lists what is")
        context.save_config(msgspec.structs.replace(context.config, follow=kept, trusted=trusted))
    return followed(context)


def _served_log(source: str) -> bytes:
    """Return the id of the log that a folder or address serves; raises NotFound, Unavailable, FormatError."""
    with open_source(source, named=True) as opened:
        return parse_origin(parse_checkpoint(parse_note(opened.checkpoint()).text).origin)


def _kept_location(context: Context, source: str | None) -> str:
    """Return a location as the settings keep it: a URL, a path relative to the workspace, or nothing."""
    if source is None or is_url(source):
        return source or ""
    return os.path.relpath(Path(source).expanduser().resolve(), context.workspace.path.resolve())


def _log_to_follow(context: Context, address: bytes, source: str | None, served: bytes | None) -> bytes:
    """Return the log that the source serves, which must be one of that party's; without a source the
    announced one.
    """
    index = current(context)
    first = context.log_id_of(address, 0)
    if served is not None:
        if number_of(context, address, served) is None:
            raise Usage(
                f"{source} serves the log {served.hex()}, which is not one of {context.describe(address)}"
            )
        return served
    announced = [log for log in [*reversed(index.logs_of(address)), first] if index.log_location(log)]
    if not announced:
        raise Unavailable(
            f"{context.describe(address)} announces nowhere on chain where its log is served",
            hint="name it: --from FOLDER|URL",
        )
    return announced[0]
