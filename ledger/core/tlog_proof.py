"""Inclusion proofs as files that any transparency log tool reads.

Source: C2SP tlog-proof (https://c2sp.org/tlog-proof). Lines, each ended by a newline:

    c2sp.org/tlog-proof@v1
    extra <base64>              only if there is extra data, which nothing authenticates
    index <decimal>
    <hash in base64>            the inclusion proof, lowest hash first; none in a log of one entry
    ...
    <empty line>
    <the checkpoint, verbatim>

The entry itself is not in the file: whoever checks it brings the entry.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from ledger.core.checkpoint import TreeHead, open_checkpoint, parse_checkpoint
from ledger.core.encoding import b64decode, b64encode, parse_decimal
from ledger.core.errors import FormatError, Usage
from ledger.core.hashing import HASH_SIZE
from ledger.core.merkle import MAX_SIZE, leaf_hash, verify_inclusion
from ledger.core.note import MAX_NOTE, parse_note

HEADER = "c2sp.org/tlog-proof@v1"
MAX_HASHES = 63
"""The most hashes of an inclusion proof in a tree of at most 2^63-1 leaves."""

MAX_EXTRA = 1 << 20
_MAX_PROOF = 2 * MAX_EXTRA + MAX_NOTE


class TlogProof(Struct, frozen=True):
    """An inclusion proof taken apart, not verified; `checkpoint` is the whole signed note."""

    index: int
    hashes: list[bytes]
    checkpoint: bytes
    extra: bytes = b""


def format_tlog_proof(index: int, hashes: Sequence[bytes], checkpoint: bytes, extra: bytes = b"") -> bytes:
    """Return the proof file; what no reader would accept raises Usage."""
    lines = [HEADER, *([f"extra {b64encode(extra)}"] if extra else []), f"index {index}"]
    lines += [b64encode(each) for each in hashes]
    data = "\n".join(lines).encode() + b"\n\n" + checkpoint
    try:
        parse_tlog_proof(data)
    except FormatError as error:
        raise Usage(str(error)) from None
    return data


def parse_tlog_proof(data: bytes) -> TlogProof:
    """Take a proof file apart; anything but one raises FormatError. Nothing is verified."""
    if len(data) > _MAX_PROOF:
        raise FormatError(f"tlog-proof: expected at most {_MAX_PROOF} bytes, got {len(data)}")
    head, separator, checkpoint = data.partition(b"\n\n")
    lines = head.split(b"\n")
    if not separator or lines.pop(0) != HEADER.encode():
        raise FormatError(f"tlog-proof: expected {HEADER}, proof, an empty line and a checkpoint")
    extra = _parse_extra(lines.pop(0)) if lines and lines[0].startswith(b"extra ") else b""
    if not lines or not lines[0].startswith(b"index "):
        raise FormatError("tlog-proof: expected a line with the index")
    index = _parse_index(lines.pop(0))
    if len(lines) > MAX_HASHES:
        raise FormatError(f"tlog-proof: expected at most {MAX_HASHES} hashes, got {len(lines)}")
    hashes = [b64decode(line) for line in lines]
    if any(len(each) != HASH_SIZE for each in hashes):
        raise FormatError(f"tlog-proof: expected hashes of {HASH_SIZE} bytes")
    parse_checkpoint(parse_note(checkpoint).text)
    return TlogProof(index, hashes, checkpoint, extra)


def verify_tlog_proof(data: bytes, entry: bytes, log_id: bytes, public_keys: Iterable[bytes]) -> TreeHead:
    """Check that the file proves `entry` to be in the log, by a checkpoint that one of the keys signed.

    Returns what the checkpoint says. Raises FormatError, SignatureInvalid, WrongLedger or ProofInvalid.
    Whether the checkpoint is anchored is for the caller to find out.
    """
    proof = parse_tlog_proof(data)
    head = open_checkpoint(proof.checkpoint, log_id, public_keys)
    verify_inclusion(leaf_hash(entry), proof.index, head.size, proof.hashes, head.root)
    return head


def _parse_extra(line: bytes) -> bytes:
    extra = b64decode(line.removeprefix(b"extra "))
    if not 0 < len(extra) <= MAX_EXTRA:
        raise FormatError(f"tlog-proof: expected extra data of 1 to {MAX_EXTRA} bytes, got {len(extra)}")
    return extra


def _parse_index(line: bytes) -> int:
    text = line.removeprefix(b"index ").decode("ascii", "replace")
    return parse_decimal(text, "tlog-proof: index", maximum=MAX_SIZE - 1)
