"""Signing many records: on both cores, because libsodium releases the GIL while it signs."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

from ledger.core.dsse import Signature, encode_envelope, pae
from ledger.core.signing import Signer

SIGNERS = 2
_PART = 250
"""Records that one thread signs at a time: a future for each record would cost as much as its signature."""


def sign_records(payloads: Sequence[bytes], keyid: str, signer: Signer) -> list[bytes]:
    """Return the envelope of each payload, signed by one key, in order."""

    def sign(part: Sequence[bytes]) -> list[bytes]:
        return [encode_envelope(payload, [Signature(keyid, signer.sign(pae(payload)))]) for payload in part]

    if len(payloads) <= _PART:
        return sign(payloads)
    parts = [payloads[start : start + _PART] for start in range(0, len(payloads), _PART)]
    with ThreadPoolExecutor(SIGNERS) as pool:
        return list(chain.from_iterable(pool.map(sign, parts)))
