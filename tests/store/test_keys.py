"""Keys: encrypted as geth and eth-keyfile do it, in the clear only where allowed, unreadable for others."""

import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.errors import Corrupt, FormatError, Invalid, LedgerError, NotFound, Unavailable, Usage
from ledger.core.signing import public_key
from ledger.store import keystore
from ledger.store.keys import KeyStore, account_address
from ledger.store.passphrase import passphrase_from

N = 1 << 4  # scrypt's cost in tests
SEED = bytes(range(32))


def fixed(text: str = "open sesame"):
    return passphrase_from({"DATALEDGER_PASSPHRASE": text}, None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "keys"


def plain(folder: Path) -> KeyStore:
    return KeyStore(folder, embedded=True)


def encrypted(folder: Path, text: str = "open sesame") -> KeyStore:
    return KeyStore(folder, embedded=False, passphrase=fixed(text), scrypt_n=N)


@pytest.mark.parametrize("make", [plain, encrypted])
def test_keys_are_kept(folder: Path, make) -> None:
    store = make(folder)
    record, account = store.new_record_key(), store.new_account()
    again = make(folder)
    assert again.record_keys() == [record]
    assert again.accounts() == [account]
    assert public_key(again.record_seed(record)) == record
    assert account_address(again.account_key(account)) == account
    assert again.is_encrypted(record) == again.is_encrypted(account) == (make is encrypted)
    assert folder.stat().st_mode & 0o777 == 0o700
    for file in folder.iterdir():
        assert file.stat().st_mode & 0o777 == 0o600
        seed = again.record_seed(record).hex()
        assert (seed in file.read_text()) == (make is plain and file.name.startswith("record"))


def test_modes_do_not_depend_on_the_umask(folder: Path) -> None:
    before = os.umask(0)
    try:
        plain(folder).new_record_key()
    finally:
        os.umask(before)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert next(folder.iterdir()).stat().st_mode & 0o777 == 0o600


def test_several_record_keys_and_forgetting(folder: Path) -> None:
    store = plain(folder)
    keys = sorted(store.new_record_key() for _ in range(3))
    assert store.record_keys() == keys
    store.forget_record_key(keys[1])
    assert store.record_keys() == [keys[0], keys[2]]
    with pytest.raises(NotFound):
        store.record_seed(keys[1])


def test_adding_again_changes_nothing(folder: Path) -> None:
    assert plain(folder).add_record_key(SEED) == public_key(SEED)
    before = {file: file.read_bytes() for file in folder.iterdir()}
    assert plain(folder).add_record_key(SEED) == public_key(SEED)
    assert {file: file.read_bytes() for file in folder.iterdir()} == before


def test_in_the_clear_only_for_an_embedded_chain(folder: Path) -> None:
    with pytest.raises(Usage, match="only for an embedded chain"):
        KeyStore(folder, embedded=False).new_record_key()
    key = plain(folder).new_record_key()
    with pytest.raises(Invalid, match="only for an embedded chain"):
        KeyStore(folder, embedded=False, passphrase=fixed()).record_seed(key)


def test_wrong_passphrase_is_said_and_asked_again(folder: Path) -> None:
    key = encrypted(folder).new_record_key()
    given = iter(["wrong", "open sesame"])
    store = KeyStore(folder, embedded=False, passphrase=lambda what, new: next(given))
    with pytest.raises(Invalid, match="wrong passphrase"):
        store.record_seed(key)
    assert public_key(store.record_seed(key)) == key


def test_all_keys_get_the_same_passphrase(folder: Path) -> None:
    encrypted(folder).new_record_key()
    with pytest.raises(Invalid, match="wrong passphrase"):
        encrypted(folder, "another").new_account()
    assert encrypted(folder).accounts() == []
    encrypted(folder).new_account()


def test_the_first_passphrase_is_asked_for_as_new(folder: Path) -> None:
    asked = []

    def ask(what: str, new: bool) -> str:
        asked.append(new)
        return "x"

    store = KeyStore(folder, embedded=False, passphrase=passphrase_from({}, ask), scrypt_n=N)
    store.new_record_key()
    store.new_account()
    assert asked == [True]
    KeyStore(folder, embedded=False, passphrase=ask, scrypt_n=N).new_record_key()
    assert asked == [True, False]


def test_passphrase_missing_or_empty(folder: Path) -> None:
    key = encrypted(folder).new_record_key()
    with pytest.raises(Unavailable, match="need a passphrase") as caught:
        KeyStore(folder, embedded=False).record_seed(key)
    assert "DATALEDGER_PASSPHRASE" in caught.value.hint
    with pytest.raises(Unavailable, match="no passphrase"):
        KeyStore(folder, embedded=False, passphrase=passphrase_from({}, None)).record_seed(key)
    with pytest.raises(Usage, match="empty"):
        KeyStore(folder, embedded=False, passphrase=lambda what, new: "").record_seed(key)


def test_passphrase_from_file_or_environment(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes("pässword\r\nsecond line".encode())
    env = {"DATALEDGER_PASSPHRASE_FILE": str(path)}
    assert passphrase_from(env, None)("keys", False) == "pässword"
    assert passphrase_from({**env, "DATALEDGER_PASSPHRASE": "first"}, None)("keys", False) == "first"
    assert passphrase_from({"DATALEDGER_PASSPHRASE": ""}, lambda what, new: "asked")("keys", True) == "asked"
    with pytest.raises(NotFound):
        passphrase_from({"DATALEDGER_PASSPHRASE_FILE": str(tmp_path / "no")}, None)("keys", False)
    for content in (b"\n", b"", b"\xff\n"):
        path.write_bytes(content)
        with pytest.raises(FormatError):
            passphrase_from(env, None)("keys", False)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_file_that_others_may_read_is_refused(folder: Path, mode: int) -> None:
    key = plain(folder).new_record_key()
    (path,) = folder.iterdir()
    path.chmod(mode)
    with pytest.raises(Invalid, match="others may read") as caught:
        plain(folder).record_seed(key)
    assert f"chmod 600 {path}" in caught.value.hint


def test_a_folder_that_others_may_enter_is_refused(folder: Path) -> None:
    key = plain(folder).new_record_key()
    folder.chmod(0o755)
    with pytest.raises(Invalid, match="others may read") as caught:
        plain(folder).record_seed(key)
    assert "chmod 700" in caught.value.hint
    with pytest.raises(Invalid, match="others may read"):
        plain(folder).new_record_key()


def test_missing_keys(folder: Path) -> None:
    store = plain(folder)
    assert store.record_keys() == store.accounts() == []
    with pytest.raises(NotFound, match="record key"):
        store.record_seed(bytes(32))
    with pytest.raises(NotFound, match="account key"):
        store.account_key(bytes(20))


def test_a_swapped_file_never_signs(folder: Path) -> None:
    store = plain(folder)
    first, second = store.new_record_key(), store.new_record_key()
    (folder / f"record-{first.hex()}.json").replace(folder / f"record-{second.hex()}.json")
    with pytest.raises(Corrupt, match="not that of"):
        plain(folder).record_seed(second)


@pytest.mark.parametrize(
    "change",
    [
        lambda key: "not an object",
        lambda key: {**key, "secret": "ab"},
        lambda key: {**key, "secret": "AB" * 32},
        lambda key: {**key, "format": "other"},
        lambda key: {**key, "more": 1},
        lambda key: {**key, "type": "secp256k1"},
        lambda key: {name: value for name, value in key.items() if name != "secret"},
    ],
)
def test_damaged_plain_files(folder: Path, change) -> None:
    key = plain(folder).new_record_key()
    (path,) = folder.iterdir()
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    with pytest.raises(FormatError):
        plain(folder).record_seed(key)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("cipher", "aes-256-gcm"),
        ("kdf", "pbkdf2"),
        ("ciphertext", "ab"),
        ("ciphertext", ""),
        ("mac", "zz" * 32),
        ("kdfparams", {}),
        ("kdfparams", {"dklen": 32, "n": 3, "r": 8, "p": 1, "salt": "ab"}),
        ("kdfparams", {"dklen": 32, "n": 1 << 24, "r": 64, "p": 1, "salt": "ab"}),
        ("kdfparams", {"dklen": 32, "n": 1 << 30, "r": 8, "p": 1, "salt": "ab"}),
        ("kdfparams", {"dklen": 16, "n": 16, "r": 8, "p": 1, "salt": "ab"}),
        ("cipherparams", {"iv": ""}),
    ],
)
def test_damaged_keystores(folder: Path, member: str, value: object) -> None:
    key = encrypted(folder).new_record_key()
    (path,) = folder.iterdir()
    content = json.loads(path.read_text())
    content["crypto"][member] = value
    path.write_text(json.dumps(content))
    with pytest.raises(FormatError):
        encrypted(folder).record_seed(key)


def test_a_flipped_bit_in_a_keystore_is_refused(folder: Path) -> None:
    key = encrypted(folder).new_record_key()
    (path,) = folder.iterdir()
    content = json.loads(path.read_text())
    for member in ("ciphertext", "mac"):
        flipped = json.loads(path.read_text())
        digits = flipped["crypto"][member]
        flipped["crypto"][member] = f"{int(digits[0], 16) ^ 1:x}{digits[1:]}"
        path.write_text(json.dumps(flipped))
        with pytest.raises(Invalid):
            encrypted(folder).record_seed(key)
        path.write_text(json.dumps(content))
    iv = bytearray.fromhex(content["crypto"]["cipherparams"]["iv"])
    iv[0] ^= 1
    content["crypto"]["cipherparams"]["iv"] = iv.hex()  # the MAC does not cover it
    path.write_text(json.dumps(content))
    with pytest.raises(Corrupt):
        encrypted(folder).record_seed(key)


@given(st.binary(max_size=300))
def test_key_files_of_any_bytes(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    folder = tmp_path_factory.mktemp("keys", numbered=True)
    folder.chmod(0o700)
    path = folder / f"record-{'ab' * 32}.json"
    path.write_bytes(data)
    path.chmod(0o600)
    with pytest.raises(LedgerError):
        plain(folder).record_seed(bytes.fromhex("ab" * 32))


@given(st.binary(min_size=32, max_size=32), st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_secrets_come_back(secret: bytes, passphrase: str) -> None:
    crypto = keystore.encrypt_secret(secret, passphrase, N)
    assert keystore.decrypt_secret(crypto, passphrase) == secret
    with pytest.raises(Invalid):
        keystore.decrypt_secret(crypto, passphrase + "x")


def test_secrets_have_32_bytes() -> None:
    with pytest.raises(FormatError):
        keystore.encrypt_secret(b"short", "x", N)


@pytest.mark.parametrize("number", [0, 2**256 - 1])
def test_numbers_that_are_no_account_key(number: int) -> None:
    with pytest.raises(Invalid):
        account_address(number.to_bytes(32, "big"))


def test_a_known_account_address() -> None:
    assert account_address((1).to_bytes(32, "big")).hex() == "7e5f4552091a69125d5dfcb7b8c2659029395bdf"


def test_eth_keyfile_reads_ours_and_we_read_its(folder: Path) -> None:
    eth_keyfile = pytest.importorskip("eth_keyfile")
    store = encrypted(folder)
    account = store.new_account()
    record = store.new_record_key()
    for label, secret in (
        (f"account-{account.hex()}", store.account_key(account)),
        (f"record-{record.hex()}", store.record_seed(record)),
    ):
        file = json.loads((folder / f"{label}.json").read_text())
        assert eth_keyfile.decode_keyfile_json(file, b"open sesame") == secret
    secret = (7).to_bytes(32, "big")
    theirs = eth_keyfile.create_keyfile_json(secret, b"open sesame", kdf="scrypt", iterations=N)
    crypto = msgspec.convert(theirs["crypto"], keystore.Crypto)
    assert keystore.decrypt_secret(crypto, "open sesame") == secret


def test_reading_a_plain_record_key_imports_nothing_heavy(folder: Path) -> None:
    key = plain(folder).new_record_key()
    code = (
        "import sys; from pathlib import Path; from ledger.store.keys import KeyStore; "
        "KeyStore(Path(sys.argv[1]), embedded=True).record_seed(bytes.fromhex(sys.argv[2])); "
        "print([m for m in sys.modules if m.split('.')[0] in "
        "('eth_keyfile', 'eth_keys', 'coincurve', 'web3', 'Crypto.Cipher')])"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder), key.hex()],
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
