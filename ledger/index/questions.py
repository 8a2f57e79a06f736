"""Single questions to the index: assets, versions, records, and what the chain says.

Thin methods over `queries`, `listing`, `search` and `parties`; `Index` adds syncing and lineage.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.core.descriptor import LedgerDescriptor
from ledger.index import parties, queries
from ledger.index.database import Database, open_database
from ledger.index.questions_of_rights import QuestionsOfRights
from ledger.index.views import (
    ActivityView,
    AliasView,
    AssetView,
    AttachmentView,
    DelegateView,
    EntryView,
    FindingView,
    Hit,
    KeyView,
    LogView,
    NamespaceView,
    SealedView,
    Summary,
    VersionView,
)

if TYPE_CHECKING:
    from ledger.core.authority import KeyState


class Questions(QuestionsOfRights):
    """An index file that is opened when it is first asked something, and what it can be asked.

    Until a first sync made the file, every question raises NotFound.
    """

    def __init__(self, path: Path, descriptor: LedgerDescriptor) -> None:
        self.path = path
        self.descriptor = descriptor
        self._read: Database | None = None

    @property
    def database(self) -> Database:
        """The file, opened for reading."""
        if self._read is None:
            self._read = open_database(self.path, self.descriptor.ledger_id)
        return self._read

    def close(self) -> None:
        """Close the file."""
        if self._read is not None:
            self._read.close()
            self._read = None

    def summary(self) -> Summary:
        """Return how much the index holds."""
        from ledger.index import listing

        return listing.summary(self.database)

    # --- assets and versions

    def alias_of(self, party: bytes, scheme: str, namespace: str, name: str) -> str | None:
        """Return the asset that an alias of this party means."""
        return queries.alias_of(self.database, party, scheme, namespace, name)

    def aliases(self, asset: str) -> list[AliasView]:
        """Return the aliases of an asset."""
        return queries.aliases(self.database, asset)

    def asset(self, name: str) -> AssetView | None:
        """Return what is known of an asset, None if nobody ever mentioned it."""
        return queries.asset(self.database, name)

    def registered(self, asset: str) -> bool:
        """Tell whether anybody registered the asset."""
        return queries.registered(self.database, asset)

    def holder(self, asset: str) -> bytes | None:
        """Return the party that holds an asset, registered or not."""
        return queries.holder(self.database, asset)

    def version(self, asset: str, number: int) -> VersionView | None:
        """Return a version by its number."""
        return queries.version(self.database, asset, number)

    def latest_version(self, asset: str) -> VersionView | None:
        """Return the newest version of an asset."""
        return queries.latest_version(self.database, asset)

    def version_by_digest(self, asset: str, alg: str, digest_hex: str) -> VersionView | None:
        """Return the newest version of an asset that has this content."""
        return queries.version_by_digest(self.database, asset, alg, bytes.fromhex(digest_hex))

    def versions(self, asset: str, *, limit: int = 1000) -> list[VersionView]:
        """Return the versions of an asset, newest first."""
        return queries.versions(self.database, asset, limit=limit)

    def find_by_digest(self, alg: str, digest: bytes) -> list[VersionView]:
        """Return every version that has this content, whoever claims it, first claims first."""
        return queries.find_by_digest(self.database, alg, digest)

    def activity(self, record: bytes) -> ActivityView | None:
        """Return the activity that a record is about, with everything other records say of it."""
        return queries.activity(self.database, record)

    def activity_source(self, party: bytes, run: str, source: str) -> bool:
        """Tell whether a run of this party was recorded from this source."""
        return queries.activity_source(self.database, party, run, source)

    def unposted_transfer(self, asset: str, giver: bytes, receiver: bytes) -> bytes | None:
        """Return the record of a transfer that was begun: accepted, but not posted by its giver."""
        return queries.unposted_transfer(self.database, asset, giver, receiver)

    def unposted_revocation(self, target: bytes, author: bytes) -> bytes | None:
        """Return the record of a revocation of `target` that was begun: accepted, but not posted."""
        return queries.unposted_revocation(self.database, target, author)

    # --- records

    def entries(
        self,
        *,
        party: bytes | None = None,
        asset: str | None = None,
        type: str | None = None,  # noqa: A002 - the record's own word
        state: str | None = None,
        limit: int = 100,
        before: int | None = None,
    ) -> tuple[list[EntryView], bool]:
        """List entries, newest first; see `listing.entries`."""
        from ledger.index import listing

        return listing.entries(
            self.database, party=party, asset=asset, type=type, state=state, limit=limit, before=before
        )

    def find_records(self, prefix: str, *, limit: int = 20) -> list[EntryView]:
        """Return the entries whose record id begins with these hex digits."""
        from ledger.index import listing

        return listing.find_records(self.database, prefix, limit=limit)

    def entry_at(self, log: bytes, idx: int) -> EntryView | None:
        """Return the entry at a position of a log."""
        from ledger.index import listing

        return listing.entry_at(self.database, log, idx)

    def entry(self, row: int) -> EntryView:
        """Return an entry by its row, which must exist."""
        from ledger.index import listing

        return listing.entry_of(self.database, row)

    def attachments(self, entry: EntryView) -> list[AttachmentView]:
        """Return what the record of an entry names by digest."""
        from ledger.index import listing

        return listing.attachments(self.database, entry.row)

    def attachment_names(self, log: bytes) -> Iterator[tuple[str, str, int]]:
        """Yield what the records of a log name by digest: the digest's name, its hex, the entry's index."""
        from ledger.index import listing

        return listing.attachment_names(self.database, log)

    def entries_about(self, asset: str, number: int | None) -> list[int]:
        """Return the rows of the entries whose subject is an asset, or its version; see `sealed`."""
        from ledger.index import sealed

        return sealed.entries_about(self.database, asset, number)

    def sealed_of(self, rows: Collection[int]) -> Iterator[SealedView]:
        """Yield what the records of these entries (by row) name as private."""
        from ledger.index import sealed

        return sealed.sealed_of(self.database, rows)

    def sealed_named(self, digests: Collection[str]) -> Iterator[SealedView]:
        """Yield where accepted records name these private attachments (digests in hex)."""
        from ledger.index import sealed

        return sealed.sealed_named(self.database, digests)

    def sealed_among(self, digests: Collection[str]) -> frozenset[str]:
        """Return those of these digests (hex) that accepted records name as private."""
        from ledger.index import sealed

        return sealed.sealed_among(self.database, digests)

    def sealed_digests(self, prefix: str) -> list[str]:
        """Return the first two digests of private attachments that begin with these hex digits."""
        from ledger.index import sealed

        return sealed.sealed_digests(self.database, prefix)

    def findings(
        self, *, kind: str | None = None, entry: EntryView | None = None, limit: int = 100
    ) -> tuple[list[FindingView], bool]:
        """Return findings, newest first, and whether `limit` cut the list."""
        from ledger.index import listing

        row = None if entry is None else entry.row
        return listing.findings(self.database, kind=kind, entry=row, limit=limit)

    def search(self, text: str, *, limit: int = 20) -> tuple[list[Hit], bool]:
        """Find assets by their texts; the second value says whether `limit` cut the list."""
        from ledger.index import search

        return search.search(self.database, text, limit=limit)

    # --- what the chain says

    def parties(self) -> list[bytes]:
        """Return everyone who owns a namespace, a key or a log."""
        return parties.parties(self.database)

    def party_name(self, address: bytes) -> str:
        """Return the display name that a party gave itself, empty if it has none."""
        return parties.party_name(self.database, address)

    def keys(self, address: bytes) -> list[KeyView]:
        """Return the record keys of a party."""
        return parties.keys(self.database, address)

    def key_state(self, address: bytes, key: bytes) -> KeyState | None:
        """Return a record key's slot, None if the party never published it."""
        return parties.key_state(self.database, address, key)

    def delegates(self, address: bytes) -> list[DelegateView]:
        """Return the delegates of a party."""
        return parties.delegates(self.database, address)

    def namespaces(self, owner: bytes | None = None) -> list[NamespaceView]:
        """Return the namespaces of a party, or all of them."""
        return parties.namespaces(self.database, owner)

    def namespace_owner(self, name: str) -> bytes | None:
        """Return the party that owns a namespace."""
        return queries.namespace_owner(self.database, name)

    def log(self, log_id: bytes) -> LogView | None:
        """Return how far a log was read."""
        return parties.log(self.database, log_id)

    def logs(self) -> list[LogView]:
        """Return every log on the chain."""
        return parties.logs(self.database)

    def logs_of(self, address: bytes) -> list[bytes]:
        """Return the ids of a party's logs in the order of their numbers."""
        return [log.log for log in parties.logs_of(self.database, address)]

    def log_progress(self, log_id: bytes) -> LogView:
        """Return how far a log was read; one that was never anchored has nothing."""
        return self.log(log_id) or LogView(
            log=log_id,
            party=None,
            number=0,
            anchored=0,
            size=0,
            pending=0,
            checkpoints=0,
            problem="",
            closed_block=None,
        )

    def party_of_log(self, log_id: bytes) -> bytes | None:
        """Return the owner of a log that was anchored."""
        found = self.log(log_id)
        return None if found is None else found.party

    def confirmed(self, log_id: bytes) -> tuple[int, bytes] | None:
        """Return size and root of a log as far as its anchors confirm it, None if nothing is."""
        return parties.confirmed(self.database, log_id)

    def log_location(self, log_id: bytes) -> str:
        """Return where a log is served according to its owner, empty if that was never said. It is a hint."""
        return parties.log_location(self.database, log_id)

    def missing_logs(self, party: bytes | None = None) -> list[bytes]:
        """Return the logs that can't be had and that the lineage (of `party`'s assets, if given) needs."""
        return parties.missing_logs(self.database, party)

    def unreadable_entries(self, log_id: bytes) -> int:
        """Return how many entries of a log were refused for what they are: no record, or badly signed."""
        return parties.unreadable_entries(self.database, log_id)

    def misses_log_of(self, namespace: str) -> bool:
        """Tell whether a log of somebody who ever owned this namespace can't be had."""
        return parties.misses_log_of(self.database, namespace)

    def own_log_size(self, log_id: bytes) -> int:
        """Return how many entries of a log were indexed, the pending ones included."""
        return parties.own_log_size(self.database, log_id)
