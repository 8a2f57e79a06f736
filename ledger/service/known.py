"""What the ledger knows of an asset, in the words of those who write records."""

from __future__ import annotations

from msgspec import Struct

from ledger.core.errors import NotFound, Usage, WrongLedger
from ledger.core.names import GLOBAL_PREFIX, Reference, is_asset, parse_reference
from ledger.core.records import Digests
from ledger.index import Index


class Added(Struct, frozen=True):
    """A version: its number, record id and content digest."""

    number: int
    record: bytes
    digest: Digests


class Known:
    """The index, asked by a party (address of 20 bytes) of a ledger (id of 32)."""

    def __init__(self, index: Index, party: bytes, ledger_id: bytes) -> None:
        self._index = index
        self._party = party
        self._ledger_id = ledger_id

    def reference(self, text: str) -> Reference:
        """Read a reference, or find the asset that an alias means: this party's own, else the only one there is."""
        if not text.startswith(GLOBAL_PREFIX) and not is_asset(text.partition("@")[0]):
            asset = self._aliased(text)
            if asset is not None:
                return Reference(asset)
        reference = parse_reference(text)
        if reference.ledger is not None and bytes.fromhex(reference.ledger) != self._ledger_id:
            raise WrongLedger(f"{text} belongs to another ledger than this workspace, {self._ledger_id.hex()}")
        return reference

    def asset(self, text: str) -> str:
        """Return the asset that a reference or alias names."""
        return self.reference(text).asset

    def _aliased(self, text: str) -> str | None:
        found = self._index.find_alias(text)
        assets = {each.asset for each in found if each.party == self._party} or {each.asset for each in found}
        if len(assets) > 1:
            raise Usage(f"{text} is an alias of {', '.join(sorted(assets))}", hint="name one of these")
        return next(iter(assets), None)

    def holds(self, asset: str) -> bool:
        """Tell whether this party holds the asset."""
        return self._index.holder(asset) == self._party

    def named_version(self, reference: Reference) -> Added | None:
        """Return the version that a reference names by number, digest or @latest; None if it names the asset only."""
        asset = reference.asset
        if reference.number is not None:
            found = self._index.version(asset, reference.number)
        elif reference.digest is not None:
            alg, text = reference.digest
            found = self._index.version_by_digest(asset, alg, bytes.fromhex(text))
        elif reference.latest:
            found = self._index.latest_version(asset)
        else:
            return None
        if found is None:
            raise NotFound(f"no version {reference} is known", hint=f"dataledger show {asset} lists its versions")
        return Added(found.number, found.record, {found.alg: found.digest.hex()})

    def version_with(self, asset: str, digest: Digests) -> Added | None:
        """Return the newest version of the asset that has this content."""
        ((name, text),) = digest.items()
        found = self._index.version_by_digest(asset, name, bytes.fromhex(text))
        return None if found is None else Added(found.number, found.record, {found.alg: found.digest.hex()})
