"""Who is meant: a party by its DID, its address, or a namespace that it owns."""

from __future__ import annotations

import re

from ledger.core.errors import FormatError, NotFound, Usage, WrongLedger
from ledger.core.identity import parse_did
from ledger.core.names import check_namespace
from ledger.service.asking import asked
from ledger.service.context import Context
from ledger.service.syncing import fresh

_address = re.compile("0x[0-9a-fA-F]{40}").fullmatch


def party_address(context: Context, text: str) -> bytes:
    """Return the address (20 bytes) of the party that `text` names; raises NotFound, Usage or WrongLedger."""
    if _address(text):
        return bytes.fromhex(text[2:])
    if text.startswith("did:"):
        with asked():
            chain_id, address = parse_did(text)
        if chain_id != context.descriptor.chain_id:
            raise WrongLedger(
                f"{text}: expected a party of chain {context.descriptor.chain_id}, got one of {chain_id}"
            )
        return address
    try:
        check_namespace(text)
    except FormatError:
        raise Usage(f"party {text!r}: expected a DID, an address, or a namespace that it owns") from None
    owner = fresh(context).namespace_owner(text)
    if owner is None:
        raise NotFound(
            f"nobody owns the namespace {text}",
            hint="name the party by its DID; dataledger namespace list shows them",
        )
    return owner
