"""What the ledger knows of an asset, in the words of those who write records."""

from __future__ import annotations

from msgspec import Struct

from ledger.core.errors import LedgerError, NotFound, Unavailable
from ledger.core.names import Reference, namespace_of
from ledger.core.records import Digests
from ledger.index import Index
from ledger.index.views import VersionView
from ledger.service.asking import asked


class Added(Struct, frozen=True):
    """A version: its number, record id and content digest."""

    number: int
    record: bytes
    digest: Digests


class Known:
    """The index, asked by a party (address of 20 bytes)."""

    def __init__(self, index: Index, party: bytes) -> None:
        self._index = index
        self._party = party

    def reference(self, text: str) -> Reference:
        """Read a reference, or an alias: this party's own, else the only one there is. Raises Usage,
        NotFound.
        """
        with asked():
            return self._index.resolve(text, self._party)

    def asset(self, text: str) -> str:
        """Return the asset that a reference or alias names."""
        return self.reference(text).asset

    def unregistered(self, asset: str) -> LedgerError:
        """Return what to raise for an asset whose registration is not known here: NotFound, or Unavailable
        where it may stand in a log that can't be had.
        """
        namespace = namespace_of(asset)
        if self._index.misses_log_of(namespace):
            return Unavailable(
                f"whether {asset} is registered can't be told: a log of {namespace} is not read here",
                hint=f"dataledger follow {namespace} reads it; with --from FOLDER|URL if it is not served",
            )
        return NotFound(f"{asset} is not registered", hint="dataledger search finds assets")

    def check_mentioned(self, asset: str) -> None:
        """Raise NotFound for an asset that nobody mentions, unless a log is missing that may say more."""
        if self._index.asset(asset) is None and not self._index.misses_log_of(namespace_of(asset)):
            hint = "dataledger search finds assets by their texts"
            raise NotFound(f"nothing is known of {asset}", hint=hint)

    def holds(self, asset: str) -> bool:
        """Tell whether this party holds the asset."""
        return self._index.holder(asset) == self._party

    def named_version(self, reference: Reference) -> Added | None:
        """Return the version that a reference names by number, digest or @latest; None if it names the asset
        only.
        """
        asset = reference.asset
        if reference.number is not None:
            found = self._index.version(asset, reference.number)
        elif reference.digest is not None:
            found = self._index.version_by_digest(asset, *reference.digest)
        elif reference.latest:
            found = self._index.latest_version(asset)
        else:
            return None
        if found is None:
            raise NotFound(
                f"no version {reference} is known", hint=f"dataledger show {asset} lists its versions"
            )
        return added(found)

    def version_with(self, asset: str, digest: Digests) -> Added | None:
        """Return the newest version of the asset that has this content."""
        ((name, text),) = digest.items()
        found = self._index.version_by_digest(asset, name, text)
        return None if found is None else added(found)


def added(version: VersionView) -> Added:
    """Return a version of the index in these words."""
    return Added(version.number, version.record, {version.alg: version.digest.hex()})
