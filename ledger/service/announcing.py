"""Becoming a party of a ledger: publishing key and name and claiming a namespace, as far as that is not done
yet.
"""

from __future__ import annotations

from msgspec import Struct

from ledger.chain import contracts
from ledger.chain.interface import Call, Client
from ledger.core.chain_facts import AttributeChanged, NamespaceChanged
from ledger.core.errors import Usage
from ledger.core.identity import format_did
from ledger.core.names import parent_of

KEY_VALIDITY_S = 2 * 365 * 86400
"""How long a new record key is valid: two years."""

NAME_ATTRIBUTE = b"dataledger/name"
NAME_VALIDITY_S = 100 * 365 * 86400


class Announced(Struct):
    """What an earlier try, or others, did on the chain already. Parties are addresses of 20 bytes."""

    keys: set[bytes]
    name: bytes = b""
    owner: bytes | None = None
    parent_owner: bytes | None = None


def read_announced(client: Client, party: bytes, namespace: str) -> Announced:
    """Read from the contracts' events what is there of a party and a namespace."""
    found, parent = Announced(set()), parent_of(namespace)
    for event in client.events(client.ledger.hints.start_block, client.head().number + 1):
        body = event.body
        if isinstance(body, AttributeChanged) and body.identity == party:
            _note_attribute(found, body)
        elif isinstance(body, NamespaceChanged) and body.name == namespace:
            found.owner = body.owner
        elif isinstance(body, NamespaceChanged) and body.name == parent:
            found.parent_owner = body.owner
    return found


def _note_attribute(found: Announced, body: AttributeChanged) -> None:
    name = body.name.rstrip(b"\0")
    if name == contracts.KEY_ATTRIBUTE:
        found.keys.add(body.content)
    elif name == NAME_ATTRIBUTE:
        found.name = body.content


def calls_left(client: Client, found: Announced, party: bytes, key: bytes, name: str) -> list[Call]:
    """Return what is left to be sent of publishing a record key (32 bytes) and a display name."""
    calls = []
    if key not in found.keys:
        calls.append(contracts.publish_key(client.ledger, party, key, KEY_VALIDITY_S))
    if name and name.encode() != found.name:
        text = name.encode()
        calls.append(contracts.set_attribute(client.ledger, party, NAME_ATTRIBUTE, text, NAME_VALIDITY_S))
    return calls


def obstacle(client: Client, found: Announced, party: bytes, namespace: str) -> str:
    """Say who has to assign a namespace that this party can't claim by itself; empty if it can, or owns it.

    Raises Usage where it is somebody else's.
    """
    if found.owner == party:
        return ""
    if found.owner is not None:
        owner = format_did(client.chain_id, found.owner)
        raise Usage(
            f"the namespace {namespace} belongs to {owner}", hint="run init again with another NAMESPACE"
        )
    parent, registrar = parent_of(namespace), client.ledger.registrar
    if parent is not None and found.parent_owner != party:
        giver = f"the owner of {parent}"
    elif parent is None and registrar not in (None, party):
        giver = f"the registrar, {format_did(client.chain_id, registrar or b'')}"
    else:
        return ""
    did = format_did(client.chain_id, party)
    return f"{namespace} has to be assigned to you by {giver}: dataledger namespace assign {namespace} {did}"
