"""Versions that events name and nobody hashed: found by their description, made where there is none.

Kept for one import: which version each description is, and which version each of its runs made of what.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from msgspec import Struct

from ledger.core import digests
from ledger.core.digests import DECLARED
from ledger.core.hashing import sha256
from ledger.core.names import format_version
from ledger.core.records import Field, Resource
from ledger.service.attached import JSON, Sealing
from ledger.service.batch import Batch
from ledger.service.context import Context

INLINE_BYTES = 24_000
"""Columns and fields beyond this go into an attachment: an entry has at most 65,535 bytes."""


class Declared(Struct, frozen=True):
    """A declared version: asset, number, and digest of its description (32 bytes)."""

    asset: str
    number: int
    digest: bytes

    @property
    def resource(self) -> Resource:
        """The version as records name it."""
        return Resource(format_version(self.asset, self.number), {DECLARED: self.digest.hex()})


class DeclaredVersions:
    """The declared versions that one import has to do with."""

    def __init__(self, context: Context, batch: Batch, sealing: Sealing) -> None:
        self._context = context
        self._batch = batch
        self._sealing = sealing
        self._numbers: dict[bytes, int] = {}
        self._made: dict[bytes, bytes] = {}

    def find(self, asset: str, description: str) -> Declared | None:
        """Return the version of the asset with this description, if this import or the ledger has one."""
        digest = self._digest(asset, description)
        number = self._numbers.get(digest)
        if number is None:
            found = self._context.index.version_by_digest(asset, DECLARED, digest.hex())
            if found is None:
                return None
            number = self._numbers[digest] = found.number
        return Declared(asset, number, digest)

    def make(self, asset: str, description: str, fields: Sequence[Field]) -> Declared:
        """Return the version of the asset with this description, recorded now if there is none."""
        found = self.find(asset, description)
        if found is not None:
            return found
        digest, attachments, inline = self._digest(asset, description), [], list(fields)
        if len(encoded := msgspec.json.encode(inline)) > INLINE_BYTES:
            attachments, inline = [self._sealing.publish("fields", JSON, encoded)], []
        added = self._batch.version(
            asset, {DECLARED: digest.hex()}, fields=inline, declared=description, attachments=attachments
        )
        self._numbers[digest] = added.number
        return Declared(asset, added.number, digest)

    def note_maker(self, run_id: str, dataset: int, version: Declared) -> None:
        """Note that a run made this version of a dataset (its position in the import)."""
        self._made[_key(run_id, dataset)] = version.digest

    def made_by(self, run_id: str, dataset: int, asset: str) -> Declared | None:
        """Return the version that a run of this import made of a dataset, which is this asset."""
        digest = self._made.get(_key(run_id, dataset)) if run_id else None
        return None if digest is None else Declared(asset, self._numbers[digest], digest)

    @contextmanager
    def all_or_none(self) -> Iterator[None]:
        """Forget what the body noted, if it raises."""
        numbers, made = len(self._numbers), len(self._made)
        try:
            yield
        except BaseException:
            _shorten(self._numbers, numbers)
            _shorten(self._made, made)
            raise

    def _digest(self, asset: str, description: str) -> bytes:
        return bytes.fromhex(digests.declared_digest(self._context.ledger_id, asset, description))


def _key(run_id: str, dataset: int) -> bytes:
    """A short key for "what this run made of this dataset": an import may have a million of them."""
    return sha256(run_id.encode())[:16] + dataset.to_bytes(4, "big")


def _shorten(entries: dict[bytes, Any], size: int) -> None:
    """Remove what was added last, down to `size` entries."""
    while len(entries) > size:
        entries.popitem()
