"""The contracts as shipped: ABI, code, hashes and storage layouts, of this release and of all earlier ones.

Read from the JSON files beside this module, which `contracts/build.py` writes; nothing is read before it is
asked for, and neither web3 nor an EVM is imported. What the slots hold stands in docs/formats.md.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from ledger.core.errors import Corrupt, NotFound

T = TypeVar("T")

CONTRACTS = ("Deployer", "Identities", "Directory", "Anchors", "Revocations")
"""In the order in which they are deployed; the last four make a ledger."""


class Slot(Struct, frozen=True):
    """Where a storage variable stands: its Vyper type, first slot and number of slots."""

    type: str
    slot: int
    n_slots: int = 1


class KnownCode(Struct, frozen=True):
    """One code of a contract that some release shipped.

    `init_code` is without constructor arguments; the hashes are keccak256 (32 bytes) of it, and of the code
    that stands at the contract's address.
    """

    name: str
    releases: tuple[str, ...]
    init_code: bytes
    init_code_hash: bytes
    runtime_code_hash: bytes
    storage_layout: dict[str, Slot]


class Artifact(Struct, frozen=True):
    """One contract as this release deploys it: `abi` is Ethereum's JSON ABI, hashes are keccak256."""

    name: str
    compiler: str
    settings: dict[str, Any]
    abi: list[dict[str, Any]]
    init_code: bytes
    init_code_hash: bytes
    runtime_code: bytes
    runtime_code_hash: bytes
    storage_layout: dict[str, Slot]


class _KnownFile(Struct, frozen=True):
    """One code as known.json writes it: bytes in hex."""

    releases: tuple[str, ...]
    init_code: str
    init_code_hash: str
    runtime_code_hash: str
    storage_layout: dict[str, Slot]


class _ArtifactFile(Struct, frozen=True):
    """A contract as its file writes it: bytes in hex."""

    name: str
    compiler: str
    settings: dict[str, Any]
    abi: list[dict[str, Any]]
    init_code: str
    init_code_hash: str
    runtime_code: str
    runtime_code_hash: str
    storage_layout: dict[str, Slot]


@cache
def load(name: str) -> Artifact:
    """The contract `name` of this release; `NotFound` if there is none of that name."""
    raw = _read(_checked(name) + ".json", _ArtifactFile)
    return Artifact(
        name=raw.name,
        compiler=raw.compiler,
        settings=raw.settings,
        abi=raw.abi,
        init_code=_unhex(raw.init_code),
        init_code_hash=_unhex(raw.init_code_hash),
        runtime_code=_unhex(raw.runtime_code),
        runtime_code_hash=_unhex(raw.runtime_code_hash),
        storage_layout=raw.storage_layout,
    )


@cache
def known_codes(name: str) -> tuple[KnownCode, ...]:
    """Every code of contract `name` that a release shipped, oldest first; `NotFound` for another name."""
    return tuple(
        KnownCode(
            name=name,
            releases=raw.releases,
            init_code=_unhex(raw.init_code),
            init_code_hash=_unhex(raw.init_code_hash),
            runtime_code_hash=_unhex(raw.runtime_code_hash),
            storage_layout=raw.storage_layout,
        )
        for raw in _read("known.json", dict[str, list[_KnownFile]])[_checked(name)]
    )


def find_code(name: str, init_code_hash: bytes) -> KnownCode | None:
    """The code of contract `name` with this init code hash (32 bytes), None if no release shipped it."""
    return next((code for code in known_codes(name) if code.init_code_hash == init_code_hash), None)


def _checked(name: str) -> str:
    if name not in CONTRACTS:
        raise NotFound(f"contract: expected one of {', '.join(CONTRACTS)}, got {name!r}")
    return name


def _read(file: str, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(resources.files(__package__).joinpath(file).read_bytes(), type=shape)
    except (OSError, msgspec.MsgspecError) as error:
        hint = "reinstall dataledger, or run: python contracts/build.py"
        raise Corrupt(f"shipped contract {file}: {error}", hint=hint) from error


def _unhex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
