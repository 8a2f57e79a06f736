"""Every code of the contracts that some release shipped: what a ledger may be made of.

Whoever checks a ledger, on its chain or in an evidence file, recomputes the contracts' addresses from their
init code and compares the code that runs there; ledgers of earlier releases go on being checked. The codes
stand in `releases.json` beside this module, which `contracts/build.py` writes: a part of the program, like
the module itself.
"""

from __future__ import annotations

import pkgutil
from functools import cache

import msgspec
from msgspec import Struct

from ledger.core.errors import Corrupt, NotFound

FILE = "releases.json"


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


class _KnownFile(Struct, frozen=True):
    """One code as releases.json writes it: bytes in hex."""

    releases: tuple[str, ...]
    init_code: str
    init_code_hash: str
    runtime_code_hash: str
    storage_layout: dict[str, Slot]


@cache
def known_codes(name: str) -> tuple[KnownCode, ...]:
    """Every code of contract `name` that a release shipped, oldest first; `NotFound` for another name."""
    known = _read()
    if name not in known:
        raise NotFound(f"contract: expected one of {', '.join(known)}, got {name!r}")
    return tuple(
        KnownCode(
            name=name,
            releases=raw.releases,
            init_code=_unhex(raw.init_code),
            init_code_hash=_unhex(raw.init_code_hash),
            runtime_code_hash=_unhex(raw.runtime_code_hash),
            storage_layout=raw.storage_layout,
        )
        for raw in known[name]
    )


def find_code(name: str, init_code_hash: bytes) -> KnownCode | None:
    """The code of contract `name` with this init code hash (32 bytes), None if no release shipped it."""
    return next((code for code in known_codes(name) if code.init_code_hash == init_code_hash), None)


@cache
def _read() -> dict[str, list[_KnownFile]]:
    try:
        return msgspec.json.decode(pkgutil.get_data(__name__, FILE) or b"", type=dict[str, list[_KnownFile]])
    except (OSError, msgspec.MsgspecError) as error:
        hint = "reinstall dataledger, or run: python contracts/build.py"
        raise Corrupt(f"shipped contracts {FILE}: {error}", hint=hint) from error


def _unhex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
