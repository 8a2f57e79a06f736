"""The file by which something goes through the hands of all who sign it.

It is a DSSE envelope with the signatures so far, as docs/formats.md section 4 has it: once all have signed,
the file is the log entry, byte for byte. Every signature in it is verified before anything else is looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from ledger.core import dsse
from ledger.core.errors import FormatError, NotFound, SignatureInvalid
from ledger.core.identity import parse_keyid
from ledger.core.records import Agreement, Revocation, Statement
from ledger.core.statement import parse_statement
from ledger.store.files import read_small

WHAT = "agreement file"
_AGAIN = "ask the other party for the file again"


class Draft(Struct, frozen=True):
    """What is being signed: the payload and what it says, its record id (32 bytes), the signatures so far."""

    payload: bytes
    statement: Statement
    record: bytes
    signatures: list[dsse.Signature]

    @property
    def keyids(self) -> list[str]:
        """Whose keys have signed."""
        return [each.keyid for each in self.signatures]

    def signed(self, signature: dsse.Signature) -> Draft:
        """Return it with one more signature."""
        return Draft(self.payload, self.statement, self.record, [*self.signatures, signature])

    def encoded(self) -> bytes:
        """Return the bytes of the file: the same, in whatever order the signatures were made."""
        return dsse.encode_envelope(self.payload, _ordered(self.signatures, self.statement))


def read_draft(path: Path) -> Draft:
    """Read an agreement file; raises NotFound, FormatError, SignatureInvalid, Corrupt (too large)."""
    data = read_small(path, dsse.MAX_ENTRY, WHAT)
    if data is None:
        raise NotFound(f"{path}: there is no such file", hint="dataledger agree propose makes one")
    try:
        return parse_draft(data)
    except SignatureInvalid as error:
        raise SignatureInvalid(f"{path}: it was altered after it was signed: {error}", hint=_AGAIN) from None
    except FormatError as error:
        raise FormatError(f"{path}: {error}", hint=_AGAIN) from None


def parse_draft(data: bytes) -> Draft:
    """Read the bytes of an agreement file (at most 65,535) and verify all signatures in them.

    Raises FormatError for anything but an agreement (or the end of one) in an envelope, SignatureInvalid.
    """
    if not data.strip():
        raise FormatError("expected an agreement, found an empty file")
    envelope = dsse.verify_envelope(data)
    statement = parse_statement(envelope.payload)
    if not isinstance(statement.predicate, Agreement | Revocation):
        kind = type(statement.predicate).__name__.lower()
        raise FormatError(f"expected an agreement, found a record of type {kind}")
    return Draft(envelope.payload, statement, dsse.record_id(envelope.payload), envelope.signatures)


def _ordered(signatures: Sequence[dsse.Signature], statement: Statement) -> list[dsse.Signature]:
    """Return signatures in the order of the authors, those of delegates behind, by their key ids."""
    authors = {author: place for place, author in enumerate(statement.predicate.authors)}

    def order(signature: dsse.Signature) -> tuple[int, str]:
        return authors.get(parse_keyid(signature.keyid)[0], len(authors)), signature.keyid

    return sorted(signatures, key=order)
