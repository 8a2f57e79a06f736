"""Checkpoints: the signed statement of a log's size and root.

Source: C2SP tlog-checkpoint (https://c2sp.org/tlog-checkpoint). The text of the signed note is

    <origin>
    <size in decimal>
    <root in base64>

and possibly further lines, which are signed and ignored. A log of ours has the origin `dataledger/log/` + its
id in hex, which is also the name of the keys that sign for it (docs/formats.md section 5). Which keys those
are is known from the chain; where checkpoint and chain differ, the chain is right.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ledger.core.encoding import b64decode, b64encode, parse_decimal, unhex
from ledger.core.errors import FormatError, Usage, WrongLedger
from ledger.core.hashing import HASH_SIZE
from ledger.core.merkle import EMPTY_ROOT, MAX_SIZE
from ledger.core.note import Verifier, open_note, sign_note
from ledger.core.signing import Signer

ORIGIN_PREFIX = "dataledger/log/"


class TreeHead(NamedTuple):
    """What a checkpoint says: the log's origin, its number of entries, and their 32-byte root."""

    origin: str
    size: int
    root: bytes


def log_origin(log_id: bytes) -> str:
    """Return the origin of the log with that 32-byte id."""
    if len(log_id) != HASH_SIZE:
        raise Usage(f"log id: expected {HASH_SIZE} bytes, got {len(log_id)}")
    return ORIGIN_PREFIX + log_id.hex()


def parse_origin(origin: str) -> bytes:
    """Return the 32-byte id of the log with that origin; another kind of log raises FormatError."""
    if not origin.startswith(ORIGIN_PREFIX):
        raise FormatError(f"origin: expected {ORIGIN_PREFIX} and a log id, got {origin[:200]!a}")
    return unhex(origin.removeprefix(ORIGIN_PREFIX), HASH_SIZE, "origin: log id")


def format_checkpoint(origin: str, size: int, root: bytes) -> str:
    """Return the text of a checkpoint, ready to be signed; what no reader would accept raises Usage."""
    text = f"{origin}\n{size}\n{b64encode(root)}\n"
    try:
        parse_checkpoint(text)
    except FormatError as error:
        raise Usage(str(error)) from None
    return text


def parse_checkpoint(text: str) -> TreeHead:
    """Read the text of a checkpoint; anything but one raises FormatError. Nothing is verified."""
    lines = text.split("\n")
    if len(lines) < 4 or lines.pop() or not all(lines):
        raise FormatError("checkpoint: expected origin, size and root, each on a line of its own")
    size = parse_decimal(lines[1], "checkpoint: size", maximum=MAX_SIZE)
    root = b64decode(lines[2])
    if len(root) != HASH_SIZE:
        raise FormatError(f"checkpoint: expected a root of {HASH_SIZE} bytes, got {len(root)}")
    if size == 0 and root != EMPTY_ROOT:
        raise FormatError("checkpoint: size 0 with another root than that of the empty tree")
    return TreeHead(lines[0], size, root)


def sign_checkpoint(log_id: bytes, size: int, root: bytes, signer: Signer) -> bytes:
    """Return the signed checkpoint of the log with that id."""
    origin = log_origin(log_id)
    return sign_note(format_checkpoint(origin, size, root), origin, signer)


def open_checkpoint(data: bytes, log_id: bytes, public_keys: Iterable[bytes]) -> TreeHead:
    """Return what a checkpoint of the log says, signed by one of these 32-byte keys.

    Raises FormatError if it is none, SignatureInvalid if none of the keys signed it, WrongLedger if they
    signed it for another log.
    """
    origin = log_origin(log_id)
    head = parse_checkpoint(open_note(data, [Verifier(origin, key) for key in public_keys]))
    if head.origin != origin:
        raise WrongLedger(f"checkpoint: expected one of log {origin!a}, got one of {head.origin[:200]!a}")
    return head
