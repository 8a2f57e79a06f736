"""Encrypted keys: the Ethereum keystore, version 3 (Web3 Secret Storage), with scrypt and AES-128-CTR.

Source: https://ethereum.org/developers/docs/data-structures-and-encoding/web3-secret-storage/. What this
writes, geth and eth-keyfile read, and the other way round. Not eth-keyfile itself, because it takes a
second to import (BLS12-381), refuses or mislabels a secret that is not a secp256k1 key (it stores the
secp256k1 address of an Ed25519 seed beside it), and believes whatever memory cost a file names. Only the
cipher and the KDF are here; what a secret is, and where its file lies, is the business of `keys`.

Cost: N = 2^17, r = 8, p = 1, the smallest that OWASP advises for scrypt: 128 MiB and about 0.3 s a key,
which a command can afford. geth's own default of 2^18 doubles both.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from typing import Annotated, Literal

from msgspec import Meta, Struct

from ledger.core.errors import FormatError, Invalid
from ledger.core.hashing import keccak256

SCRYPT_N = 1 << 17
_SCRYPT_R, _SCRYPT_P = 8, 1
_MAX_MEMORY = 1 << 30  # bytes; a file that asks for more is refused before it is obeyed

_Hex = Annotated[str, Meta(pattern="^([0-9a-fA-F]{2})*$", max_length=256)]
_Hex16 = Annotated[str, Meta(pattern="^[0-9a-fA-F]{32}$")]
_Hex32 = Annotated[str, Meta(pattern="^[0-9a-fA-F]{64}$")]


class ScryptParams(Struct):
    """Cost and salt of the key derivation."""

    dklen: Literal[32]
    n: Annotated[int, Meta(ge=2, le=1 << 24)]
    r: Annotated[int, Meta(ge=1, le=64)]
    p: Annotated[int, Meta(ge=1, le=16)]
    salt: _Hex


class CipherParams(Struct):
    """The initial counter, 16 bytes."""

    iv: _Hex16


class Crypto(Struct):
    """The `crypto` member of a keystore: one secret of 32 bytes under a passphrase."""

    cipher: Literal["aes-128-ctr"]
    cipherparams: CipherParams
    ciphertext: _Hex32
    kdf: Literal["scrypt"]
    kdfparams: ScryptParams
    mac: _Hex32


def encrypt_secret(secret: bytes, passphrase: str, n: int = SCRYPT_N) -> Crypto:
    """Encrypt 32 bytes under `passphrase` (its UTF-8 bytes). `n` is scrypt's cost, a power of two."""
    if len(secret) != 32:
        raise FormatError(f"expected a secret of 32 bytes, found {len(secret)}")
    params = ScryptParams(dklen=32, n=n, r=_SCRYPT_R, p=_SCRYPT_P, salt=secrets.token_hex(32))
    derived = _derive(passphrase, params)
    iv = secrets.token_bytes(16)
    ciphertext = _aes_ctr(derived[:16], iv, secret)
    return Crypto(
        cipher="aes-128-ctr",
        cipherparams=CipherParams(iv=iv.hex()),
        ciphertext=ciphertext.hex(),
        kdf="scrypt",
        kdfparams=params,
        mac=keccak256(derived[16:] + ciphertext).hex(),
    )


def decrypt_secret(crypto: Crypto, passphrase: str) -> bytes:
    """Return the 32 bytes. Raises `Invalid` for a wrong passphrase, `FormatError` for an impossible cost."""
    derived = _derive(passphrase, crypto.kdfparams)
    ciphertext = bytes.fromhex(crypto.ciphertext)
    if not hmac.compare_digest(keccak256(derived[16:] + ciphertext), bytes.fromhex(crypto.mac)):
        raise Invalid("wrong passphrase, or a damaged key file")
    return _aes_ctr(derived[:16], bytes.fromhex(crypto.cipherparams.iv), ciphertext)


def new_file_id() -> str:
    """Return a random `id` for a keystore file."""
    return str(uuid.uuid4())


def _derive(passphrase: str, params: ScryptParams) -> bytes:
    if params.n & (params.n - 1) or 128 * params.n * params.r > _MAX_MEMORY:
        raise FormatError(
            f"key file: expected scrypt with N a power of two and at most {_MAX_MEMORY:,} bytes of memory, "
            f"found N={params.n}, r={params.r}"
        )
    limit = 128 * params.r * (params.n + params.p + 2) + (1 << 20)
    try:
        return hashlib.scrypt(
            passphrase.encode("utf-8", "surrogateescape"),
            salt=bytes.fromhex(params.salt),
            n=params.n,
            r=params.r,
            p=params.p,
            maxmem=limit,
            dklen=32,
        )
    except (ValueError, MemoryError) as error:
        raise FormatError(f"key file: scrypt failed with N={params.n}, r={params.r}: {error}") from None


def _aes_ctr(key: bytes, iv: bytes, data: bytes) -> bytes:
    from Crypto.Cipher import AES

    cipher = AES.new(key, AES.MODE_CTR, nonce=b"", initial_value=iv)
    return bytes(cipher.encrypt(data))
