"""Trust roots: which blocks somebody holds to be the chain's, from outside of any evidence.

Proofs only show that things fit together; a forger can fit a chain of his own to them. So whoever verifies
says which block is real: one hash, or a trust file, JSON like

    {"format": "dataledger/trust/v1", "ledger": "<ledger id, hex>", "blocks": {"1204": "0x<block hash>"}}

got from somewhere other than the evidence: an own node, a newspaper, a court's registry. With `ledger`, only
that ledger's evidence is accepted.
"""

from __future__ import annotations

from typing import Annotated, Protocol

from msgspec import Meta, Struct

from ledger.core.descriptor import LedgerDescriptor
from ledger.core.encoding import decode_json, parse_decimal, unhex, unhex0x
from ledger.core.errors import EvidenceInvalid, FormatError
from ledger.core.header import Header

FORMAT = "dataledger/trust/v1"
MAX_BYTES = 1 << 20


class TrustRoot(Protocol):
    """Whoever knows which blocks are real."""

    def confirm(self, ledger: LedgerDescriptor, header: Header, /) -> str:
        """Say what confirms the header of a ledger's chain, or "" if nothing is said about its block.

        Raises EvidenceInvalid if another block or another ledger is the real one.
        """


class Trust(Struct, frozen=True):
    """Blocks (number -> 32-byte hash) that are real, or a hash without a number; `source` says who says so.

    `ledger` is a ledger id (32 bytes), or empty for any.
    """

    source: str
    blocks: dict[int, bytes]
    block: bytes = b""
    ledger: bytes = b""

    def confirm(self, ledger: LedgerDescriptor, header: Header) -> str:
        """See TrustRoot."""
        if self.ledger and self.ledger != ledger.ledger_id:
            raise EvidenceInvalid(
                "wrong-ledger",
                f"expected ledger {self.ledger.hex()}, got {ledger.ledger_id.hex()} ({self.source})",
            )
        expected = self.block or self.blocks.get(header.number, b"")
        if expected and expected != header.hash:
            raise EvidenceInvalid(
                "wrong-block",
                f"expected block 0x{expected.hex()}, the evidence is of block {header.number}"
                f" (0x{header.hash.hex()}), says {self.source}",
                hint="ask for the hash of that very block, or for evidence of yours",
            )
        return self.source if expected else ""


class _TrustFile(Struct, forbid_unknown_fields=True):
    format: str
    blocks: Annotated[dict[str, str], Meta(max_length=10_000)]
    ledger: str = ""


def trust_block(text: str) -> Trust:
    """Trust the block of this hash: 0x and 64 hex digits; FormatError for anything else."""
    text = text.strip().lower()
    return Trust(f"--block {text}", {}, unhex0x(text, 32, "block hash"))


def parse_trust(data: bytes, name: str) -> Trust:
    """Read a trust file called `name`; FormatError if it is none."""
    raw = decode_json(data, _TrustFile, what="trust file", max_bytes=MAX_BYTES)
    if raw.format != FORMAT:
        raise FormatError(f"trust file: expected format {FORMAT}, got {raw.format[:80]!a}")
    blocks = {
        parse_decimal(number, "trust file: block"): unhex0x(block_hash, 32, "trust file: block hash")
        for number, block_hash in raw.blocks.items()
    }
    ledger = unhex(raw.ledger, 32, "trust file: ledger") if raw.ledger else b""
    return Trust(f"trust file {name}", blocks, b"", ledger)
