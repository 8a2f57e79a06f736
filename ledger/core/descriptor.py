"""What a ledger is: a chain and four contracts, described by `ledger.json`.

Source: EIP-1014 (CREATE2) for addresses; docs/formats.md section 2 for the file and the ledger id. The id is
the SHA-256 of fixed-width fields, never of JSON bytes. This module checks that a descriptor agrees with
itself: grammar, and that each contract's constructor arguments name the contracts and nothing else. That the
addresses are those of the shipped init code needs that code (`check_address`), and that the code stands on
the chain needs the chain: both belong to `chain`.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct, field

from ledger.core.encoding import MAX_INTEGER, check_json, unhex0x
from ledger.core.errors import FormatError, WrongLedger
from ledger.core.hashing import keccak256, sha256
from ledger.core.text import check_line, shown

FORMAT = "dataledger/ledger/v1"
CONTRACTS = ("Identities", "Directory", "Anchors", "Revocations")
"""The contracts of a ledger in the order in which the ledger id hashes them."""

MAX_DESCRIPTOR = 16384
"""Most bytes of a `ledger.json`."""

_ID_DOMAIN = b"dataledger/ledger/v1\0"
_MAX_HINT = 2048


class Contract(Struct, frozen=True):
    """One contract: `address` (20 bytes), `init_code_hash` and `salt` (32 each), ABI-encoded `arguments`."""

    address: bytes
    init_code_hash: bytes
    arguments: bytes
    salt: bytes


class Hints(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Help for finding the ledger; not part of its identity, and never trusted.

    `endpoint` is a URL or path of the chain, `start_block` a block before which nothing happened, `name` a
    display name.
    """

    endpoint: str = ""
    start_block: int = 0
    name: str = ""


class LedgerDescriptor(Struct, frozen=True, dict=True):
    """A ledger: `chain_id`, `genesis` (32 bytes), `deployer` (20 bytes) and the contracts by name."""

    chain_id: int
    genesis: bytes
    deployer: bytes
    contracts: dict[str, Contract]
    hints: Hints = Hints()

    @property
    def ledger_id(self) -> bytes:
        """The 32-byte id that every record of this ledger names (docs/formats.md section 2)."""
        cached: bytes | None = self.__dict__.get("_id")
        if cached is None:
            cached = self.__dict__["_id"] = _ledger_id(self)
        return cached

    def address(self, contract: str) -> bytes:
        """Give the 20-byte address of the contract of this name."""
        return self.contracts[contract].address

    @property
    def registrar(self) -> bytes | None:
        """The 20-byte address of the party that gates top labels; None: first come, first served."""
        registrar = self.contracts["Directory"].arguments[44:]
        return registrar if any(registrar) else None


def create2_address(deployer: bytes, salt: bytes, init_code: bytes, arguments: bytes = b"") -> bytes:
    """Give the 20-byte address at which `deployer` creates this code (EIP-1014).

    `deployer` has 20 bytes, `salt` 32; `arguments` are the ABI-encoded constructor arguments.
    """
    if len(deployer) != 20 or len(salt) != 32:
        raise FormatError(f"CREATE2: expected 20 and 32 bytes, got {len(deployer)} and {len(salt)}")
    return keccak256(b"\xff" + deployer + salt + keccak256(init_code + arguments))[12:]


def check_address(descriptor: LedgerDescriptor, contract: str, init_code: bytes) -> None:
    """Refuse (WrongLedger) a contract whose address does not follow from the shipped `init_code`.

    `init_code` comes without constructor arguments; those are the descriptor's.
    """
    entry = descriptor.contracts[contract]
    shipped = keccak256(init_code)
    if entry.init_code_hash != shipped:
        raise WrongLedger(
            f"{contract}: expected init code with hash 0x{shipped.hex()}, got 0x{entry.init_code_hash.hex()}",
            hint="the ledger was made with another release of the contracts",
        )
    address = create2_address(descriptor.deployer, entry.salt, init_code, entry.arguments)
    if address != entry.address:
        raise WrongLedger(
            f"{contract}: its code, arguments and salt lead to 0x{address.hex()}, got 0x{entry.address.hex()}"
        )


class _ContractText(Struct, forbid_unknown_fields=True):
    address: str
    init_code_hash: str
    arguments: str
    salt: str


class _DescriptorText(Struct, forbid_unknown_fields=True):
    format: str
    chain_id: int
    genesis: str
    deployer: str
    contracts: dict[str, _ContractText]
    hints: Hints = field(default_factory=Hints)


_decoder = msgspec.json.Decoder(_DescriptorText)


def parse_descriptor(data: bytes) -> LedgerDescriptor:
    """Read a `ledger.json` of at most 16 KiB; raises FormatError."""
    check_json(data, max_bytes=MAX_DESCRIPTOR)
    try:
        text = _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise FormatError(f"ledger.json: {error}") from None
    if text.format != FORMAT:
        raise FormatError(f"ledger.json: expected format {FORMAT}, got {shown(text.format)}")
    if tuple(sorted(text.contracts)) != tuple(sorted(CONTRACTS)):
        raise FormatError(f"ledger.json: expected the contracts {', '.join(CONTRACTS)}")
    descriptor = LedgerDescriptor(
        text.chain_id,
        unhex0x(text.genesis, 32, "genesis"),
        unhex0x(text.deployer, 20, "deployer"),
        {name: _parse_contract(name, text.contracts[name]) for name in CONTRACTS},
        text.hints,
    )
    _check(descriptor)
    return descriptor


def format_descriptor(descriptor: LedgerDescriptor) -> bytes:
    """Write a `ledger.json`, indented for people; FormatError for what `parse_descriptor` would refuse."""
    contracts = {
        name: _ContractText(
            f"0x{entry.address.hex()}",
            f"0x{entry.init_code_hash.hex()}",
            f"0x{entry.arguments.hex()}",
            f"0x{entry.salt.hex()}",
        )
        for name in CONTRACTS
        for entry in (descriptor.contracts[name],)
    }
    text = _DescriptorText(
        FORMAT,
        descriptor.chain_id,
        f"0x{descriptor.genesis.hex()}",
        f"0x{descriptor.deployer.hex()}",
        contracts,
        descriptor.hints,
    )
    data = msgspec.json.format(msgspec.json.encode(text), indent=2) + b"\n"
    parse_descriptor(data)
    return data


def _parse_contract(name: str, text: _ContractText) -> Contract:
    length = (len(text.arguments) - 2) // 2
    if length not in (0, 32, 64):
        raise FormatError(f"{name}: expected 0, 1 or 2 constructor arguments, got {shown(text.arguments)}")
    return Contract(
        unhex0x(text.address, 20, f"{name} address"),
        unhex0x(text.init_code_hash, 32, f"{name} init_code_hash"),
        unhex0x(text.arguments, length, f"{name} arguments"),
        unhex0x(text.salt, 32, f"{name} salt"),
    )


def _check(descriptor: LedgerDescriptor) -> None:
    if not 1 <= descriptor.chain_id <= MAX_INTEGER:
        raise FormatError(f"ledger.json: expected a chain id of 1..2^53-1, got {descriptor.chain_id}")
    if not 0 <= descriptor.hints.start_block <= MAX_INTEGER:
        raise FormatError("ledger.json: expected a start block of 0..2^53-1")
    check_line(descriptor.hints.endpoint, what="endpoint", limit=_MAX_HINT)
    check_line(descriptor.hints.name, what="name", limit=_MAX_HINT)
    # Constructors take the address of Identities and, Directory only, that of the registrar: anything else
    # would be hidden state in a contract that everybody believes to be the shipped one.
    identities = bytes(12) + descriptor.contracts["Identities"].address
    for name, entry in descriptor.contracts.items():
        expected = b"" if name == "Identities" else identities
        if name == "Directory":
            expected += bytes(12) + entry.arguments[44:]
        if entry.arguments != expected:
            raise FormatError(f"{name}: expected arguments 0x{expected.hex()}, got 0x{entry.arguments.hex()}")


def _ledger_id(descriptor: LedgerDescriptor) -> bytes:
    parts = [_ID_DOMAIN, descriptor.chain_id.to_bytes(32, "big"), descriptor.genesis]
    for name in CONTRACTS:
        entry = descriptor.contracts[name]
        parts += (entry.address, entry.init_code_hash, keccak256(entry.arguments), entry.salt)
    return sha256(b"".join(parts))
