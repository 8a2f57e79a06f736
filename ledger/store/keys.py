"""The party's secret keys: Ed25519 seeds that sign records, and the secp256k1 key that signs transactions.

One key a file, in a folder of mode 0700, the file 0600, created once and never overwritten:

    keys/record-<64 hex digits of the public key>.json      keys/account-<40 hex digits of the address>.json

Encrypted, a file is an Ethereum keystore version 3 (see `keystore`) labelled with `type` and, for a record
key, `public_key`; the account file can be imported elsewhere as it is. In the clear, it is

    {"format": "dataledger/plain-key/v1", "type": "ed25519", "public_key": "…", "secret": "…"}

which is allowed only where the chain is embedded and the keys are worth nothing to anybody. What a secret
yields is compared with what the file claims, so a swapped or damaged file never signs. Deriving a signature
is the business of `core.signing` and of the chain.
"""

from __future__ import annotations

import re
import secrets
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from ledger.core.encoding import decode_json
from ledger.core.errors import Corrupt, FormatError, Invalid, NotFound, Unavailable, Usage
from ledger.core.hashing import keccak256
from ledger.core.signing import public_key as ed25519_public_key
from ledger.store import files
from ledger.store.keystore import SCRYPT_N, Crypto, decrypt_secret, encrypt_secret, new_file_id
from ledger.store.passphrase import HOW_TO_GIVE, Passphrase

KeyType = Literal["ed25519", "secp256k1"]

_PREFIX: dict[KeyType, str] = {"ed25519": "record", "secp256k1": "account"}
_NAME = re.compile(r"(record-[0-9a-f]{64}|account-[0-9a-f]{40})\.json")
_MAX_BYTES = 1 << 16
_SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141

_Hex32 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class PlainKey(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A key file in the clear."""

    format: Literal["dataledger/plain-key/v1"]
    type: KeyType
    secret: _Hex32
    public_key: str = ""
    address: str = ""


class EncryptedKey(Struct, omit_defaults=True):
    """A key file under a passphrase: a keystore of version 3 with our labels. Unknown members are let be."""

    version: Literal[3]
    crypto: Crypto
    id: str = ""
    type: KeyType = "secp256k1"
    public_key: str = ""
    address: str = ""


def account_address(secret: bytes) -> bytes:
    """Return the address (20 bytes) of a secp256k1 key (32 bytes). Raises `Invalid` for a number out of
    range.
    """
    from coincurve import PublicKey

    if len(secret) != 32 or not 0 < int.from_bytes(secret, "big") < _SECP256K1_ORDER:
        raise Invalid("expected a secp256k1 key: 32 bytes, above zero and below the order of the group")
    point: bytes = PublicKey.from_valid_secret(secret).format(compressed=False)
    return keccak256(point[1:])[-20:]


class KeyStore:
    """The keys in one folder.

    `embedded` says that the chain is embedded, which is what allows keys in the clear. With a `passphrase`,
    new keys are encrypted; it is asked for when first needed and kept in memory for the life of this
    object.
    """

    def __init__(
        self, folder: Path, *, embedded: bool, passphrase: Passphrase | None = None, scrypt_n: int = SCRYPT_N
    ) -> None:
        self._folder = folder
        self._embedded = embedded
        self._passphrase = passphrase
        self._scrypt_n = scrypt_n
        self._unlocked: str | None = None
        self._secrets: dict[str, bytes] = {}

    def record_keys(self) -> list[bytes]:
        """Return the public keys (32 bytes each) of all record keys here, sorted. Asks for no passphrase."""
        return self._names("record")

    def accounts(self) -> list[bytes]:
        """Return the addresses (20 bytes each) of all account keys here, sorted. Asks for no passphrase."""
        return self._names("account")

    def new_record_key(self) -> bytes:
        """Create a record key and return its public key (32 bytes); it is on disk when this returns."""
        return self.add_record_key(secrets.token_bytes(32))

    def new_account(self) -> bytes:
        """Create an account key and return its address (20 bytes); it is on disk when this returns."""
        while True:
            secret = secrets.token_bytes(32)
            if 0 < int.from_bytes(secret, "big") < _SECP256K1_ORDER:
                return self.add_account(secret)

    def add_record_key(self, seed: bytes) -> bytes:
        """Keep an Ed25519 seed (32 bytes) and return its public key. Adding one again changes nothing."""
        return self._add("ed25519", seed)

    def add_account(self, secret: bytes) -> bytes:
        """Keep a secp256k1 key (32 bytes) and return its address. Adding one again changes nothing."""
        return self._add("secp256k1", secret)

    def record_seed(self, public_key: bytes) -> bytes:
        """Return the seed (32 bytes) of a public key. Raises `NotFound`, or `Invalid` for a wrong
        passphrase.
        """
        return self._load("ed25519", public_key)

    def account_key(self, address: bytes) -> bytes:
        """Return the key (32 bytes) of an address. Raises `NotFound`, or `Invalid` for a wrong passphrase."""
        return self._load("secp256k1", address)

    def is_encrypted(self, label: bytes) -> bool:
        """Say whether the file of a key (named by public key or address) is under a passphrase."""
        kind: KeyType = "ed25519" if len(label) == 32 else "secp256k1"
        return isinstance(self._read(kind, label), EncryptedKey)

    def forget_record_key(self, public_key: bytes) -> None:
        """Delete a record key for good. What it signed stays valid; nothing more can be signed with it."""
        path = self._path("ed25519", public_key)
        with files.translating("deleting a key", path):
            path.unlink(missing_ok=True)
            files.sync_folder(self._folder)
        self._secrets.pop(path.name, None)

    def _names(self, prefix: str) -> list[bytes]:
        with files.translating("listing the keys", self._folder):
            try:
                names = [file.name for file in self._folder.iterdir()]
            except FileNotFoundError:
                return []
        found = [name for name in names if name.startswith(prefix + "-") and _NAME.fullmatch(name)]
        return sorted(bytes.fromhex(name[len(prefix) + 1 : -len(".json")]) for name in found)

    def _path(self, kind: KeyType, label: bytes) -> Path:
        return self._folder / f"{_PREFIX[kind]}-{label.hex()}.json"

    def _add(self, kind: KeyType, secret: bytes) -> bytes:
        label = _label(kind, secret)
        path = self._path(kind, label)
        files.make_folder(self._folder, files.PRIVATE_FOLDER)
        self._check_mode(self._folder, self._folder.stat().st_mode)
        if not path.exists():
            content = self._encode(kind, secret, label)
            files.write_once(path, content, "a key file", files.PRIVATE_FILE)
        self._secrets[path.name] = secret
        return label

    def _encode(self, kind: KeyType, secret: bytes, label: bytes) -> bytes:
        named = {"public_key" if kind == "ed25519" else "address": label.hex()}
        key: PlainKey | EncryptedKey
        if self._passphrase is not None:
            crypto = encrypt_secret(secret, self._agreed_passphrase(), self._scrypt_n)
            key = EncryptedKey(version=3, crypto=crypto, id=new_file_id(), type=kind, **named)
        elif self._embedded:
            key = PlainKey(format="dataledger/plain-key/v1", type=kind, secret=secret.hex(), **named)
        else:
            raise Usage(
                "keys in the clear are only for an embedded chain; this one needs a passphrase",
                hint=HOW_TO_GIVE,
            )
        return msgspec.json.format(msgspec.json.encode(key), indent=2) + b"\n"

    def _agreed_passphrase(self) -> str:
        """The passphrase for a new key: the one of the keys that are here already, proven on one of them."""
        if self._unlocked is None:
            for kind, label in [
                *_kinds("ed25519", self.record_keys()),
                *_kinds("secp256k1", self.accounts()),
            ]:
                key = self._read(kind, label)
                if isinstance(key, EncryptedKey):
                    self._decrypt(key, self._path(kind, label))
                    break
        return self._unlock(new=True)

    def _load(self, kind: KeyType, label: bytes) -> bytes:
        path = self._path(kind, label)
        if path.name in self._secrets:
            return self._secrets[path.name]
        key = self._read(kind, label)
        secret = self._secret(key, path)
        if _label(kind, secret) != label:
            raise Corrupt(f"key file: the secret in it is not that of {label.hex()}: {path}")
        self._secrets[path.name] = secret
        return secret

    def _read(self, kind: KeyType, label: bytes) -> PlainKey | EncryptedKey:
        path = self._path(kind, label)
        with files.translating("reading a key file", path):
            try:
                self._check_mode(self._folder, self._folder.stat().st_mode)
                self._check_mode(path, path.stat().st_mode)
            except FileNotFoundError:
                raise NotFound(f"the {_PREFIX[kind]} key {label.hex()} is not in {self._folder}") from None
        data = files.read_small(path, _MAX_BYTES, "a key file")
        if data is None:
            raise NotFound(f"the {_PREFIX[kind]} key {label.hex()} is not in {self._folder}")
        return _decode(data, kind, path)

    def _secret(self, key: PlainKey | EncryptedKey, path: Path) -> bytes:
        if isinstance(key, EncryptedKey):
            return self._decrypt(key, path)
        if not self._embedded:
            hint = "Its secret has lain in the clear: make a new key, and rotate to it."
            raise Invalid(f"a key in the clear is only for an embedded chain: {path}", hint=hint)
        return bytes.fromhex(key.secret)

    def _decrypt(self, key: EncryptedKey, path: Path) -> bytes:
        try:
            return decrypt_secret(key.crypto, self._unlock(new=False))
        except FormatError as error:
            raise FormatError(f"{error}: {path}") from None
        except Invalid:
            self._unlocked = None
            raise Invalid(f"wrong passphrase, or a damaged key file: {path}", hint="Try again.") from None

    def _unlock(self, *, new: bool) -> str:
        if self._unlocked is None:
            if self._passphrase is None:
                raise Unavailable(f"the keys in {self._folder} need a passphrase", hint=HOW_TO_GIVE)
            given = self._passphrase(f"the keys in {self._folder}", new)
            if not given:
                raise Usage("an empty passphrase protects nothing", hint=HOW_TO_GIVE)
            self._unlocked = given
        return self._unlocked

    @staticmethod
    def _check_mode(path: Path, mode: int) -> None:
        if mode & 0o077:
            wanted = "700" if path.is_dir() else "600"
            hint = f"Run: chmod {wanted} {path}. If others may have read it, rotate the key."
            raise Invalid(
                f"others may read a secret: mode {mode & 0o777:03o}, expected {wanted}: {path}", hint=hint
            )


def _kinds(kind: KeyType, labels: list[bytes]) -> list[tuple[KeyType, bytes]]:
    return [(kind, label) for label in labels]


def _label(kind: KeyType, secret: bytes) -> bytes:
    return ed25519_public_key(secret) if kind == "ed25519" else account_address(secret)


def _decode(data: bytes, kind: KeyType, path: Path) -> PlainKey | EncryptedKey:
    key: PlainKey | EncryptedKey
    try:
        if "format" in decode_json(data, dict[str, Any], what="key file"):
            key = decode_json(data, PlainKey, what="key file")
        else:
            key = decode_json(data, EncryptedKey, what="key file")
    except FormatError as error:
        raise FormatError(f"{error}: {path}", hint="Restore it from a backup.") from None
    if key.type != kind:
        raise FormatError(f"key file: expected a key of type {kind}, found {key.type}: {path}")
    named = (key.public_key or key.address).lower().removeprefix("0x")
    if named and path.stem != f"{_PREFIX[kind]}-{named}":
        raise Corrupt(f"key file: what is in it is not that of its name, but of {named[:64]}: {path}")
    return key
