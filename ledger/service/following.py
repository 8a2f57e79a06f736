"""Which others' logs this workspace reads, and whose claims it trusts."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from ledger.core.errors import NotFound, Unavailable, Usage
from ledger.core.identity import log_id
from ledger.index.views import LogView
from ledger.service.context import Context
from ledger.service.parties import party_address
from ledger.service.results import Followed, Follows
from ledger.store import config as settings
from ledger.store.source import open_source


def followed(context: Context) -> Follows:
    """List the logs that are followed, and how far each was read."""
    index = context.fresh()
    return Follows(
        followed=[
            _followed(context, each, index.log(bytes.fromhex(each.log))) for each in context.config.follow
        ]
    )


def _followed(context: Context, each: settings.Followed, log: LogView | None) -> Followed:
    party = log.party if log else None
    return Followed(
        party=context.did(party) if party else each.label,
        name=context.index.party_name(party) if party else "",
        log=each.log,
        source=each.location or "as announced on chain",
        entries=log.size if log else 0,
        anchored=log.anchored if log else 0,
        trusted=each.label in context.config.trusted,
        problem=log.problem if log else "",
    )


def follow(context: Context, party: str, *, source: str | None = None, trust: bool = False) -> Follows:
    """Follow a party's log and read it at once: from `source`, else where it is followed already or announced."""
    address = party_address(context, party)
    if address == context.address:
        raise Usage("your own log is read anyway")
    location = _location(context, source)
    with context.writing():
        if source is None:
            before = [each for each in context.config.follow if each.label == context.did(address)]
            location = before[-1].location if before else ""
        wanted = _log_of(context, address, location).hex()
        others = [each for each in context.config.follow if each.log != wanted]
        each = settings.Followed(log=wanted, location=location, label=context.did(address))
        trusted = list(context.config.trusted)
        if trust and context.did(address) not in trusted:
            trusted.append(context.did(address))
        context.save_config(msgspec.structs.replace(context.config, follow=[*others, each], trusted=trusted))
        context.refresh()
    return followed(context)


def unfollow(context: Context, party: str) -> Follows:
    """Stop following a party's log, and trusting its claims."""
    address = party_address(context, party)
    did = context.did(address)
    with context.writing():
        kept = [each for each in context.config.follow if each.label != did]
        trusted = [each for each in context.config.trusted if each != did]
        if len(kept) == len(context.config.follow) and len(trusted) == len(context.config.trusted):
            raise NotFound(f"{party} is not followed", hint="dataledger follow lists what is")
        context.save_config(msgspec.structs.replace(context.config, follow=kept, trusted=trusted))
    return followed(context)


def _location(context: Context, source: str | None) -> str:
    """Return a location as the settings keep it: a URL, or a path relative to the workspace. It must hold a log."""
    if source is None:
        return ""
    if source.startswith(("http://", "https://")):
        open_source(source, named=True).checkpoint()
        return source
    open_source(source, named=True).checkpoint()
    return os.path.relpath(Path(source).expanduser().resolve(), context.workspace.path.resolve())


def _log_of(context: Context, address: bytes, location: str) -> bytes:
    """Return the log that the location serves, which must be one of that party's; else the party's first."""
    from ledger.core.checkpoint import parse_checkpoint, parse_origin
    from ledger.core.note import parse_note

    index = context.fresh()
    first = log_id(context.descriptor.chain_id, context.descriptor.address("Anchors"), address, 0)
    own = {first, *index.logs_of(address)}
    if not location:
        if not index.log_location(first):
            raise Unavailable(
                f"{context.describe(address)} announces nowhere on chain where its log is served",
                hint="name it: --from FOLDER|URL",
            )
        return first
    with open_source(context.workspace.resolve(location), named=True) as source:
        served = parse_origin(parse_checkpoint(parse_note(source.checkpoint()).text).origin)
    if served not in own:
        raise Usage(
            f"{location} serves the log {served.hex()}, which is not one of {context.describe(address)}"
        )
    return served
