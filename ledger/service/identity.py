"""Keys, namespaces and delegates: what this party changes on chain, and how it stands there.

What is checked before a transaction is checked again by the contracts; here it gets a message with a next
step.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ledger.chain import contracts
from ledger.chain.interface import Call
from ledger.core.chain_facts import BlockRef
from ledger.core.errors import NotFound, Usage
from ledger.core.names import check_namespace, parent_of
from ledger.index import Index
from ledger.index.views import DelegateView, KeyView
from ledger.service.announcing import KEY_VALIDITY_S
from ledger.service.asking import asked
from ledger.service.context import Context
from ledger.service.parties import party_address
from ledger.service.publishing import anchor_pending, sync_behind
from ledger.service.results import Delegate, Delegates, Done, Key, Keys, Namespace, Namespaces
from ledger.service.syncing import current, fresh
from ledger.service.times import format_time

DAY_S = 86400
MAX_DAYS = 36_500
LOCATION_ATTRIBUTE = b"did/svc/TlogTiles"
LOCATION_VALIDITY_S = 100 * 365 * DAY_S
MAY = {"anchor": "send anchors", "record": "sign records"}
"""Types of delegates, and what each may do."""


def keys(context: Context, party: str | None = None) -> Keys:
    """List a party's record keys, its own by default."""
    index = fresh(context)
    address = context.address if party is None else party_address(context, party)
    own = address == context.address
    here = set(context.keys.record_keys()) if own else set()
    rows = [
        Key(
            key=row.key.hex(),
            from_block=row.from_block,
            valid_to=format_time(row.valid_to_unix_s),
            revoked_block=row.revoked_block or None,
            here=row.key in here,
            current=own and row.key.hex() == context.config.record_key,
        )
        for row in index.keys(address)
    ]
    return Keys(party=context.did(address), keys=rows, to_block=index.summary().head)


def rotate_key(context: Context) -> Done:
    """Publish a new record key and sign with it from now on; the old one stays valid for what it signed.

    What is pending is anchored first, because a record counts by the key's validity at its anchor.
    """
    with context.writing():
        index = current(context)
        anchor_pending(context)
        key = _unpublished_key(context, index) or context.keys.new_record_key()
        call = contracts.publish_key(context.descriptor, context.address, key, KEY_VALIDITY_S)
        block = _send(context, call)
        context.save_config(msgspec.structs.replace(context.config, record_key=key.hex()))
        note = "the old key is still valid: dataledger key revoke ends it"
        return _done(context, f"signing with key {key.hex()} from now on", block, note)


def _unpublished_key(context: Context, index: Index) -> bytes | None:
    """Return a key that an interrupted rotation left behind."""
    published = {row.key for row in index.keys(context.address)}
    return next((key for key in context.keys.record_keys() if key not in published), None)


def revoke_key(context: Context, prefix: str) -> Done:
    """Revoke a record key from the next block on, anchoring first what is pending."""
    with context.writing():
        key = _own_key(context, prefix)
        anchor_pending(context)
        block = _send(context, contracts.revoke_key(context.descriptor, context.address, key))
        in_use = key.hex() == context.config.record_key
        note = "this was the key in use: nothing can be signed until dataledger key rotate"
        return _done(context, f"revoked key {key.hex()}", block, note if in_use else "")


def _own_key(context: Context, prefix: str) -> bytes:
    rows = current(context).keys(context.address)
    matching: list[KeyView] = [row for row in rows if row.key.hex().startswith(prefix.lower())]
    if not prefix or len(matching) != 1:
        count = len(matching) if prefix else 0
        raise NotFound(f"{count} of your keys begin with {prefix!r}", hint="dataledger key list shows them")
    (row,) = matching
    if row.revoked_block:
        raise Usage(f"key {row.key.hex()} was revoked in block {row.revoked_block}")
    return row.key


def namespaces(context: Context) -> Namespaces:
    """List the namespaces of the ledger."""
    index = fresh(context)
    rows = [
        Namespace(
            name=row.name,
            owner=context.did(row.owner),
            owner_name=index.party_name(row.owner),
            from_block=row.from_block,
            ours=row.owner == context.address,
        )
        for row in index.namespaces()
    ]
    return Namespaces(namespaces=rows, to_block=index.summary().head)


def claim_namespace(context: Context, name: str) -> Done:
    """Claim a namespace for this party."""
    return _give_namespace(context, name, context.address)


def assign_namespace(context: Context, name: str, party: str) -> Done:
    """Give a new namespace, under one of this party's or by the registrar, to another party."""
    return _give_namespace(context, name, party_address(context, party))


def _give_namespace(context: Context, name: str, address: bytes) -> Done:
    with asked():
        check_namespace(name)
    with context.writing():
        index = current(context)
        owner = index.namespace_owner(name)
        if owner is not None:
            whose = "you already" if owner == context.address else context.describe(owner)
            raise Usage(f"the namespace {name} belongs to {whose}")
        _check_may_give(context, index, name)
        block = _send(context, contracts.claim_namespace(context.descriptor, name, address))
        whose = "you" if address == context.address else context.describe(address)
        return _done(context, f"the namespace {name} belongs to {whose}", block)


def _check_may_give(context: Context, index: Index, name: str) -> None:
    """Raise Usage unless this party may give out a namespace that is nobody's."""
    parent, registrar = parent_of(name), context.descriptor.registrar
    hint = f"ask them: dataledger namespace assign {name} {context.party}"
    if parent is not None and index.namespace_owner(parent) != context.address:
        raise Usage(f"{name} can only be given out by the owner of {parent}", hint=hint)
    if parent is None and registrar not in (None, context.address):
        raise Usage(f"{name} can only be given out by the registrar, {context.did(registrar)}", hint=hint)


def transfer_namespace(context: Context, name: str, party: str) -> Done:
    """Hand a namespace of this party to another, for good; what is pending in it is anchored first."""
    with asked():
        check_namespace(name)
    address = party_address(context, party)
    with context.writing():
        if current(context).namespace_owner(name) != context.address:
            raise Usage(
                f"the namespace {name} is not yours", hint="dataledger namespace list shows whose it is"
            )
        if address == context.address:
            raise Usage(f"the namespace {name} is yours already")
        anchor_pending(context)
        block = _send(context, contracts.transfer_namespace(context.descriptor, name, address))
        return _done(context, f"the namespace {name} belongs to {context.describe(address)}", block)


def delegates(context: Context) -> Delegates:
    """List who may act for this party."""
    index = fresh(context)
    rows = delegates_of(context, context.address)
    return Delegates(party=context.party, delegates=rows, to_block=index.summary().head)


def delegates_of(context: Context, address: bytes) -> list[Delegate]:
    """List who may act for a party (address of 20 bytes)."""
    return [
        Delegate(
            type=row.type,
            delegate=context.did(row.delegate),
            from_block=row.from_block,
            valid_to=format_time(row.valid_to_unix_s),
            revoked_block=row.revoked_block or None,
        )
        for row in context.index.delegates(address)
    ]


def add_delegate(context: Context, type_: str, party: str, *, days: int) -> Done:
    """Let another party act for this one: `anchor` or `record`. An address is made one once."""
    address = _delegate(context, type_, party)
    if not 0 < days <= MAX_DAYS:
        raise Usage(f"expected 1 to {MAX_DAYS} days, got {days}")
    with context.writing():
        if _delegation(context, type_, address) is not None:
            raise Usage(
                f"{context.describe(address)} was made a delegate of type {type_} before",
                hint="a delegation is made once: let them use another address",
            )
        call = contracts.add_delegate(
            context.descriptor, context.address, type_.encode(), address, days * DAY_S
        )
        block = _send(context, call)
        return _done(context, f"{context.describe(address)} may {MAY[type_]} for you, {days} days", block)


def revoke_delegate(context: Context, type_: str, party: str) -> Done:
    """End a delegation from the next block on, anchoring first what is pending."""
    address = _delegate(context, type_, party)
    with context.writing():
        row = _delegation(context, type_, address)
        if row is None or row.revoked_block:
            raise NotFound(
                f"{context.describe(address)} is no delegate of type {type_} of yours",
                hint="dataledger delegate list shows them",
            )
        anchor_pending(context)
        call = contracts.revoke_delegate(context.descriptor, context.address, type_.encode(), address)
        block = _send(context, call)
        return _done(context, f"{context.describe(address)} may no longer {MAY[type_]} for you", block)


def _delegate(context: Context, type_: str, party: str) -> bytes:
    if type_ not in MAY:
        raise Usage(f"type of delegate {type_!r}: expected one of {', '.join(MAY)}")
    address = party_address(context, party)
    if address == context.address:
        raise Usage("you may act for yourself without a delegation")
    return address


def _delegation(context: Context, type_: str, address: bytes) -> DelegateView | None:
    rows = current(context).delegates(context.address)
    return next((row for row in rows if (row.type, row.delegate) == (type_, address)), None)


def serve_at(context: Context, url: str) -> Done:
    """Publish where the folder `public` is served: the own first log, and below it whatever succeeded it."""
    if not url.startswith("https://") or "#" in url or not url.isascii() or not url.isprintable():
        raise Usage(
            f"expected an https:// address without '#', got {url!r}",
            hint="others' indexers fetch from nothing else",
        )
    with context.writing():
        call = contracts.set_attribute(
            context.descriptor, context.address, LOCATION_ATTRIBUTE, url.encode(), LOCATION_VALIDITY_S
        )
        block = _send(context, call)
        note = f"serve the folder {context.workspace.public} there"
        return _done(context, f"your log is announced at {url}", block, note)


def _send(context: Context, call: Call) -> BlockRef:
    """Send one transaction of this party's account and wait for its block."""
    with context.client() as client:
        return client.send(call, context.account_key)


def _done(context: Context, what: str, block: BlockRef, *notes: str) -> Done:
    """Bring the index up to date with what was done, and say what, and in which block."""
    said: Sequence[str] = [*notes, sync_behind(context)]
    return Done(
        what=what,
        block=block.number,
        block_time=format_time(block.time_unix_s),
        notes=[note for note in said if note],
    )
