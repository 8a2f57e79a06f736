"""Keys, namespaces and delegates: what this party changes on chain, and how it stands there."""

from __future__ import annotations

import msgspec

from ledger.chain import contracts
from ledger.chain.interface import Call
from ledger.core.chain_facts import BlockRef
from ledger.core.errors import NotFound, Usage
from ledger.core.names import check_namespace, parent_of
from ledger.service.asked import asked
from ledger.service.context import Context
from ledger.service.parties import party_address
from ledger.service.publishing import anchor_pending
from ledger.service.results import Delegate, Delegates, Done, Key, Keys, Namespace, Namespaces
from ledger.service.setup import KEY_VALIDITY_S
from ledger.service.times import format_time

DAY_S = 86400
LOCATION_ATTRIBUTE = b"did/svc/TlogTiles"
LOCATION_VALIDITY_S = 100 * 365 * DAY_S


def keys(context: Context, party: str | None = None) -> Keys:
    """List a party's record keys, its own by default."""
    index = context.fresh()
    address = context.address if party is None else party_address(context, party)
    here = set(context.keys.record_keys()) if address == context.address else set()
    rows = [
        Key(
            key=row.key.hex(),
            from_block=row.from_block,
            valid_to=format_time(row.valid_to_unix_s),
            revoked_block=row.revoked_block or None,
            here=row.key in here,
            current=address == context.address and row.key == context.record_key,
        )
        for row in index.keys(address)
    ]
    return Keys(party=context.did(address), keys=rows)


def rotate_key(context: Context) -> Done:
    """Publish a new record key and sign with it from now on; the old one stays valid for what it signed.

    What is pending is anchored first, because a record counts by the key's validity at its anchor.
    """
    with context.writing():
        anchor_pending(context)
        key = _unpublished_key(context) or context.keys.new_record_key()
        block = send(context, contracts.publish_key(context.descriptor, context.address, key, KEY_VALIDITY_S))
        context.save_config(msgspec.structs.replace(context.config, record_key=key.hex()))
        context.refresh()
    return done(
        f"signing with key {key.hex()} from now on",
        block,
        ["the old key is still valid: dataledger key revoke ends it"],
    )


def _unpublished_key(context: Context) -> bytes | None:
    """Return a key that an interrupted rotation left behind."""
    published = {row.key for row in context.fresh().keys(context.address)}
    return next((key for key in context.keys.record_keys() if key not in published), None)


def revoke_key(context: Context, prefix: str) -> Done:
    """Revoke a record key from the next block on, anchoring first what is pending."""
    with context.writing():
        rows = context.fresh().keys(context.address)
        matching = [row for row in rows if row.key.hex().startswith(prefix.lower())]
        if not prefix or len(matching) != 1:
            raise NotFound(f"{len(matching)} of your keys begin with {prefix!r}", hint="dataledger key list")
        (row,) = matching
        if row.revoked_block:
            raise Usage(f"key {row.key.hex()} was revoked in block {row.revoked_block}")
        anchor_pending(context)
        block = send(context, contracts.revoke_key(context.descriptor, context.address, row.key))
        context.refresh()
    current = row.key == context.record_key
    notes = ["this was the key in use: nothing can be signed until dataledger key rotate"] if current else []
    return done(f"revoked key {row.key.hex()}", block, notes)


def namespaces(context: Context) -> Namespaces:
    """List the namespaces of the ledger."""
    index = context.fresh()
    return Namespaces(
        namespaces=[
            Namespace(
                name=row.name,
                owner=context.did(row.owner),
                owner_name=index.party_name(row.owner),
                from_block=row.from_block,
                ours=row.owner == context.address,
            )
            for row in index.namespaces()
        ]
    )


def claim_namespace(context: Context, name: str) -> Done:
    """Claim a namespace for this party."""
    return _give_namespace(context, name, context.address, f"{name} is yours")


def assign_namespace(context: Context, name: str, party: str) -> Done:
    """Give a new namespace, under one of this party's, to another party."""
    address = party_address(context, party)
    return _give_namespace(context, name, address, f"{name} belongs to {context.describe(address)}")


def _give_namespace(context: Context, name: str, address: bytes, what: str) -> Done:
    with asked():
        check_namespace(name)
    index = context.fresh()
    owner = index.namespace_owner(name)
    if owner is not None:
        whose = "you already" if owner == context.address else context.describe(owner)
        raise Usage(f"the namespace {name} belongs to {whose}")
    parent = parent_of(name)
    if parent is not None and index.namespace_owner(parent) != context.address:
        raise Usage(
            f"{name} can only be given out by the owner of {parent}",
            hint=f"ask them: dataledger namespace assign {name} {context.party}",
        )
    with context.writing():
        block = send(context, contracts.claim_namespace(context.descriptor, name, address))
        context.refresh()
    return done(what, block)


def transfer_namespace(context: Context, name: str, party: str) -> Done:
    """Hand a namespace of this party to another, for good."""
    address = party_address(context, party)
    with asked():
        check_namespace(name)
    owner = context.fresh().namespace_owner(name)
    if owner != context.address:
        raise Usage(f"the namespace {name} is not yours", hint="dataledger namespace list")
    with context.writing():
        anchor_pending(context)
        block = send(context, contracts.transfer_namespace(context.descriptor, name, address))
        context.refresh()
    return done(f"{name} belongs to {context.describe(address)}", block)


def delegates(context: Context) -> Delegates:
    """List who may act for this party."""
    rows = [
        Delegate(
            type=row.type,
            delegate=context.did(row.delegate),
            from_block=row.from_block,
            valid_to=format_time(row.valid_to_unix_s),
            revoked_block=row.revoked_block or None,
        )
        for row in context.fresh().delegates(context.address)
    ]
    return Delegates(party=context.party, delegates=rows)


def add_delegate(context: Context, type_: str, party: str, *, days: int) -> Done:
    """Let another party act for this one: `anchor` or `record`."""
    address = party_address(context, party)
    if address == context.address:
        raise Usage("you may act for yourself without a delegation")
    with context.writing():
        call = contracts.add_delegate(
            context.descriptor, context.address, type_.encode(), address, days * DAY_S
        )
        block = send(context, call)
        context.refresh()
    return done(f"{context.describe(address)} may {_may(type_)} for you, {days} days", block)


def revoke_delegate(context: Context, type_: str, party: str) -> Done:
    """End a delegation from the next block on."""
    address = party_address(context, party)
    with context.writing():
        anchor_pending(context)
        block = send(
            context, contracts.revoke_delegate(context.descriptor, context.address, type_.encode(), address)
        )
        context.refresh()
    return done(f"{context.describe(address)} may no longer {_may(type_)} for you", block)


def _may(type_: str) -> str:
    return {"anchor": "send anchors", "record": "sign records"}[type_]


def serve_at(context: Context, url: str) -> Done:
    """Publish where the own log is served."""
    if not url.startswith("https://"):
        raise Usage(
            f"expected an https:// address, got {url!r}", hint="others' indexers fetch from nothing else"
        )
    location = url if context.config.log_number == 0 else f"{url}#{context.config.log_number}"
    with context.writing():
        call = contracts.set_attribute(
            context.descriptor, context.address, LOCATION_ATTRIBUTE, location.encode(), LOCATION_VALIDITY_S
        )
        block = send(context, call)
        context.refresh()
    return done(
        f"your log is announced at {location}", block, [f"serve the folder {context.workspace.public} there"]
    )


def send(context: Context, call: Call) -> BlockRef:
    """Send one transaction of this party's account and wait for its block."""
    with context.client() as client:
        return client.send(call, context.account_key)


def done(what: str, block: BlockRef | None, notes: list[str] | None = None) -> Done:
    """Say what was done, and in which block."""
    if block is None:
        return Done(what=what, notes=notes or [])
    return Done(what=what, block=block.number, block_time=format_time(block.time_unix_s), notes=notes or [])
