"""Trust files: what this workspace's own chain has as its blocks, for somebody who will verify offline."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.core.errors import Unavailable
from ledger.service.context import Context
from ledger.service.results import TrustFile


def trust(context: Context, blocks: Sequence[int] = ()) -> TrustFile:
    """Ask the chain for the hashes of these blocks, by default the last final one.

    Raises Unavailable for a block that is not final: it might still be another one tomorrow.
    """
    final = context.reader.final_number()
    found = {}
    for number in sorted(set(blocks)) or [final]:
        block = context.reader.block(number) if number <= final else None
        if block is None:
            raise Unavailable(
                f"block {number} is not final yet: the last final one is {final}",
                hint="wait until the chain has gone on",
            )
        found[str(number)] = f"0x{block.hash.hex()}"
    return TrustFile(ledger=context.ledger_id.hex(), blocks=found)
