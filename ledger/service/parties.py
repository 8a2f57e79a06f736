"""Who is meant: a party by its DID, its address, or a namespace that it owns."""

from __future__ import annotations

import re

from ledger.core.errors import FormatError, NotFound, Usage, WrongLedger
from ledger.core.identity import parse_did
from ledger.core.names import check_namespace
from ledger.service.asked import asked
from ledger.service.context import Context

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
                f"{text} is a party of chain {chain_id}, this ledger is on chain {context.descriptor.chain_id}"
            )
        return address
    try:
        check_namespace(text)
    except FormatError:
        raise Usage(f"party {text!r}: expected a DID, an address, or a namespace that it owns") from None
    owner = context.fresh().namespace_owner(text)
    if owner is None:
        raise NotFound(
            f"nobody owns the namespace {text}",
            hint="name the party by its DID; dataledger namespace list shows them",
        )
    return owner
