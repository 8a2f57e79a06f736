"""The contracts as this release deploys them: ABI, code, hashes and storage layouts.

Read from the JSON files beside this module, which `contracts/build.py` writes; nothing is read before it is
asked for, and neither web3 nor an EVM is imported. What earlier releases deployed is in `core.releases`.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from ledger.core.errors import Corrupt, NotFound
from ledger.core.releases import Slot

T = TypeVar("T")

CONTRACTS = ("Deployer", "Identities", "Directory", "Anchors", "Revocations", "Settlement")
"""The Deployer, the four that make a ledger in the order of their deployment, and the escrow beside it."""


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
