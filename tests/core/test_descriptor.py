from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from ledger.core import descriptor
from ledger.core.descriptor import Contract, Hints, LedgerDescriptor
from ledger.core.errors import FormatError, WrongLedger
from ledger.core.hashing import keccak256, sha256

DEPLOYER = b"\xdd" * 20
REGISTRAR = b"\x77" * 20
CODE = {name: name.encode() * 10 for name in descriptor.CONTRACTS}


def make(*, registrar: bytes = REGISTRAR, **changes: Any) -> LedgerDescriptor:
    contracts: dict[str, Contract] = {}
    for number, name in enumerate(descriptor.CONTRACTS):
        arguments = b"" if name == "Identities" else bytes(12) + contracts["Identities"].address
        if name == "Directory":
            arguments += bytes(12) + registrar
        salt = bytes([number]) * 32
        address = descriptor.create2_address(DEPLOYER, salt, CODE[name], arguments)
        contracts[name] = Contract(address, keccak256(CODE[name]), arguments, salt)
    made = LedgerDescriptor(
        1337, b"\x11" * 32, DEPLOYER, contracts, Hints("http://127.0.0.1:8545", 12, "trial")
    )
    return msgspec.structs.replace(made, **changes)


def edited(path: str, content: Any) -> bytes:
    document = json.loads(descriptor.format_descriptor(make()))
    *heads, last = path.split("/")
    place = document
    for head in heads:
        place = place[head]
    if content is None:
        del place[last]
    else:
        place[last] = content
    return json.dumps(document).encode()


def test_both_ways() -> None:
    made = make()
    data = descriptor.format_descriptor(made)
    again = descriptor.parse_descriptor(data)
    assert again == made
    assert again.ledger_id == made.ledger_id
    assert descriptor.format_descriptor(again) == data
    assert again.registrar == REGISTRAR
    assert again.address("Anchors") == made.contracts["Anchors"].address


def test_without_registrar() -> None:
    assert make(registrar=bytes(20)).registrar is None


def test_ledger_id_is_as_documented() -> None:
    made = make()
    expected = b"dataledger/ledger/v1\0" + (1337).to_bytes(32, "big") + b"\x11" * 32
    for name in ("Identities", "Directory", "Anchors", "Revocations"):
        entry = made.contracts[name]
        expected += entry.address + keccak256(CODE[name]) + keccak256(entry.arguments) + entry.salt
    assert made.ledger_id == sha256(expected)
    assert made.ledger_id is made.ledger_id


def test_ledger_id_does_not_depend_on_hints() -> None:
    assert make(hints=Hints()).ledger_id == make().ledger_id
    assert make(chain_id=1338).ledger_id != make().ledger_id
    assert make(genesis=bytes(32)).ledger_id != make().ledger_id
    assert make(registrar=bytes(20)).ledger_id != make().ledger_id


@pytest.mark.parametrize(  # the examples of EIP-1014
    ("deployer", "salt", "code", "address"),
    [
        ("00" * 20, "00" * 32, "00", "4d1a2e2bb4f88f0250f26ffff098b0b30b26bf38"),
        ("deadbeef" + "00" * 16, "00" * 32, "00", "b928f69bb1d91cd65274e3c79d8986362984fda3"),
        (
            "00000000000000000000000000000000deadbeef",
            "00000000000000000000000000000000000000000000000000000000cafebabe",
            "deadbeef",
            "60f3f640a8508fc6a86d45df051962668e1e8ac7",
        ),
        ("00" * 20, "00" * 32, "", "e33c0c7f7df4809055c3eba6c09cfe4baf1bd9e0"),
    ],
)
def test_create2_vectors(deployer: str, salt: str, code: str, address: str) -> None:
    made = descriptor.create2_address(bytes.fromhex(deployer), bytes.fromhex(salt), bytes.fromhex(code))
    assert made.hex() == address


def test_create2_lengths() -> None:
    with pytest.raises(FormatError, match="CREATE2"):
        descriptor.create2_address(bytes(19), bytes(32), b"")
    with pytest.raises(FormatError, match="CREATE2"):
        descriptor.create2_address(bytes(20), bytes(31), b"")


@pytest.mark.parametrize("name", descriptor.CONTRACTS)
def test_address_follows_from_code(name: str) -> None:
    descriptor.check_address(make(), name, CODE[name])


@pytest.mark.parametrize("name", descriptor.CONTRACTS)
def test_other_code_or_deployer_is_refused(name: str) -> None:
    with pytest.raises(WrongLedger, match="init code with hash"):
        descriptor.check_address(make(), name, CODE[name] + b"\0")
    with pytest.raises(WrongLedger, match="lead to"):
        descriptor.check_address(make(deployer=bytes(20)), name, CODE[name])


OTHER = "0x" + "00" * 12 + "55" * 20


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("format", "dataledger/ledger/v2"),
        ("format", None),
        ("chain_id", 0),
        ("chain_id", "1337"),
        ("chain_id", 1.5),
        ("chain_id", 2**53),
        ("genesis", "11" * 32),
        ("genesis", "0x" + "11" * 31),
        ("genesis", "0x" + "AA" * 32),
        ("deployer", "0x" + "11" * 32),
        ("more", 1),
        ("contracts/Anchors", None),
        ("contracts/Other", {"address": "", "init_code_hash": "", "arguments": "", "salt": ""}),
        ("contracts/Anchors/address", "0x"),
        ("contracts/Anchors/salt", "0x00"),
        ("contracts/Anchors/init_code_hash", ""),
        ("contracts/Anchors/more", ""),
        ("contracts/Identities/arguments", OTHER),
        ("contracts/Anchors/arguments", OTHER),
        ("contracts/Anchors/arguments", "0x"),
        ("contracts/Anchors/arguments", "0x00"),
        ("contracts/Directory/arguments", OTHER),
        ("contracts/Directory/arguments", OTHER + OTHER[2:]),
        ("hints/start_block", -1),
        ("hints/name", "a\x1b[2J"),
        ("hints/endpoint", "h" * 2049),
        ("hints/more", 1),
    ],
)
def test_refused(path: str, content: Any) -> None:
    with pytest.raises(FormatError):
        descriptor.parse_descriptor(edited(path, content))


def test_dirty_address_words_are_refused() -> None:
    good = json.loads(descriptor.format_descriptor(make()))["contracts"]["Directory"]["arguments"]
    bad = good[: 2 + 64] + "01" + good[2 + 66 :]
    with pytest.raises(FormatError, match="Directory"):
        descriptor.parse_descriptor(edited("contracts/Directory/arguments", bad))


def test_format_refuses_what_parse_would() -> None:
    with pytest.raises(FormatError):
        descriptor.format_descriptor(make(genesis=b""))


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b"\xff", b"[" * 10_000, b" " * 20_000, b'{"format":1,"format":1}']
)
def test_not_json_of_a_ledger(data: bytes) -> None:
    with pytest.raises(FormatError):
        descriptor.parse_descriptor(data)


def test_hints_are_optional() -> None:
    assert descriptor.parse_descriptor(edited("hints", None)).hints == Hints()
