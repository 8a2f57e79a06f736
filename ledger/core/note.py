"""Signed notes: a text and the signatures below it.

Source: C2SP signed-note (https://c2sp.org/signed-note), Ed25519 only (signature type 0x01):

    <text, ending in a newline>
    <empty line>
    — <key name> <base64 of key id (4 bytes) || signature (64 bytes)>
    ...

A key id is the first four bytes of SHA-256(key name || newline || 0x01 || public key): a hint for finding the
key, not a proof of it. Signatures by keys that the reader does not know are ignored, so notes can carry those
of witnesses and of other algorithms. What the text says is left to callers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ledger.core.encoding import b64decode, b64encode
from ledger.core.errors import FormatError, SignatureInvalid, Usage
from ledger.core.hashing import sha256
from ledger.core.signing import PUBLIC_KEY_SIZE, Signer, verify

MAX_NOTE = 1 << 20
"""The most bytes a note may have: room for hundreds of signatures, also of post-quantum ones."""

MAX_SIGNATURES = 100

KEY_ID_SIZE = 4
_ED25519 = b"\x01"
_DASH = "\u2014 "


class Verifier(NamedTuple):
    """A key whose signatures a reader trusts: its name and its 32-byte Ed25519 public key."""

    name: str
    public_key: bytes


class NoteSignature(NamedTuple):
    """A signature line: the key's name, its 4-byte id, and the signature, of whatever algorithm."""

    name: str
    key_id: bytes
    signature: bytes


class Note(NamedTuple):
    """A note taken apart, not verified. `text` ends in a newline."""

    text: str
    signatures: list[NoteSignature]


def key_id(name: str, public_key: bytes) -> bytes:
    """Return the 4-byte id of the 32-byte Ed25519 key `public_key` under that name."""
    return sha256(name.encode("utf-8") + b"\n" + _ED25519 + public_key)[:KEY_ID_SIZE]


def format_vkey(verifier: Verifier) -> str:
    """Return a verifier in the form that note tools read: name+key id in hex+base64 of 0x01 || public key."""
    name, public_key = verifier
    return f"{name}+{key_id(name, public_key).hex()}+{b64encode(_ED25519 + public_key)}"


def parse_vkey(text: str) -> Verifier:
    """Read a verifier from `name+key id+key`; anything but an Ed25519 one raises FormatError."""
    name, _, rest = text.partition("+")
    identifier, _, key = rest.partition("+")
    raw = b64decode(key)
    if not _is_key_name(name) or raw[:1] != _ED25519 or len(raw) != 1 + PUBLIC_KEY_SIZE:
        raise FormatError(f"verifier key: expected name+key id+Ed25519 key, got {text[:200]!a}")
    if identifier != key_id(name, raw[1:]).hex():
        raise FormatError(f"verifier key: {name!a} with this key has another key id than {identifier[:20]!a}")
    return Verifier(name, raw[1:])


def sign_note(text: str, name: str, signer: Signer) -> bytes:
    """Return the note of `text` with one signature by `signer` under the key name `name`.

    The text ends in a newline and has no other control characters, the name no space and no plus; anything
    else raises Usage.
    """
    if not _is_note_text(text) or not _is_key_name(name):
        raise Usage(
            f"note: text or key name {name!a} cannot be signed: a newline at the end, no control characters"
        )
    raw = text.encode("utf-8")
    signature = key_id(name, signer.public_key) + signer.sign(raw)
    return raw + f"\n{_DASH}{name} {b64encode(signature)}\n".encode()


def parse_note(data: bytes) -> Note:
    """Take a note apart without verifying it; anything but a signed note raises FormatError."""
    if len(data) > MAX_NOTE:
        raise FormatError(f"note: expected at most {MAX_NOTE} bytes, got {len(data)}")
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormatError(f"note: {error}") from None
    head, separator, tail = whole.rpartition("\n\n")
    text, lines = head + "\n", tail.split("\n")
    if not separator or lines.pop() or not lines or not _is_note_text(text):
        raise FormatError(
            "note: expected a text, an empty line, and signature lines, each ended by a newline"
        )
    if len(lines) > MAX_SIGNATURES:
        raise FormatError(f"note: expected at most {MAX_SIGNATURES} signatures, got {len(lines)}")
    return Note(text, [_parse_signature(line) for line in lines])


def open_note(data: bytes, verifiers: Iterable[Verifier]) -> str:
    """Return the text of a note that one of `verifiers` signed.

    Raises FormatError if it is no note, SignatureInvalid if none of the verifiers signed it or a signature
    that claims to be by one of them does not verify.
    """
    text, signatures = parse_note(data)
    known: dict[tuple[str, bytes], list[bytes]] = {}
    for name, public_key in verifiers:
        known.setdefault((name, key_id(name, public_key)), []).append(public_key)
    raw = text.encode("utf-8")
    opened = False
    for signature in signatures:
        keys = known.get((signature.name, signature.key_id))
        if keys is not None:
            _verify_by_one(keys, signature, raw)
            opened = True
    if not opened:
        names = sorted({signature.name for signature in signatures})
        raise SignatureInvalid(
            f"note: expected a signature by a known key, got ones by {', '.join(names)[:300]!a}"
        )
    return text


def _verify_by_one(keys: list[bytes], signature: NoteSignature, raw: bytes) -> None:
    # more than one key only if two of them share a 4-byte id
    for key in keys[:-1]:
        try:
            verify(key, signature.signature, raw)
        except SignatureInvalid:
            continue
        return
    verify(keys[-1], signature.signature, raw)


def _parse_signature(line: str) -> NoteSignature:
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space or not _is_key_name(name):
        raise FormatError(f"note: expected a dash, a key name and a signature, got {line[:200]!a}")
    signature = b64decode(encoded)
    if len(signature) <= KEY_ID_SIZE:
        raise FormatError(f"note: expected a key id and a signature, got {len(signature)} bytes")
    return NoteSignature(name, signature[:KEY_ID_SIZE], signature[KEY_ID_SIZE:])


def _is_key_name(name: str) -> bool:
    return bool(name) and "+" not in name and _is_plain(name) and not any(map(str.isspace, name))


def _is_note_text(text: str) -> bool:
    return text.endswith("\n") and _is_plain(text.replace("\n", ""))


def _is_plain(text: str) -> bool:
    if text and min(text) < " ":
        return False
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
