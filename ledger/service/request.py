"""What `init` is asked for: kept apart from `setup`, who only asks need not import what does it."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct


class InitRequest(Struct, frozen=True, kw_only=True):
    """A workspace to be made.

    `namespace` is to be claimed, `name` is the party's display name. `chain` is a node's URL or a path;
    without one it is a new embedded chain. `join` is the `ledger.json` of a ledger to be joined. `registrar`,
    for a new ledger only, is the DID of the party that alone gives out top-level namespaces, or `self`.
    `encrypt` asks for encrypted keys where they need not be.
    """

    namespace: str
    name: str = ""
    chain: str | None = None
    join: Path | None = None
    registrar: str | None = None
    encrypt: bool = False
