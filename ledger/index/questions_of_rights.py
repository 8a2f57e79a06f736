"""Questions about what was attested, who is affected by what, and who else claims the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ledger.core.descriptor import LedgerDescriptor

if TYPE_CHECKING:
    from ledger.core.records_rights import Kind
    from ledger.index.attested import AttestedView, SaidView
    from ledger.index.consents import Consent
    from ledger.index.database import Database
    from ledger.index.recall import Recall


class QuestionsOfRights:
    """The part of `Questions` that is about rights and recalls; thin methods over the modules named in it."""

    descriptor: LedgerDescriptor

    if TYPE_CHECKING:  # `Index` has it

        @property
        def database(self) -> Database: ...

    # --- what is attested

    def said(self, record: bytes) -> SaidView | None:
        """Return an accepted record about rights, or a registration that names an arbiter."""
        from ledger.index import attested

        return attested.said(self.database, record)

    def answers(self, record: bytes, *kinds: Kind) -> list[AttestedView]:
        """Return the attestations of these kinds whose target is a record."""
        from ledger.index import attested

        return attested.answers(self.database, record, *kinds)

    def attested(self, kind: Kind, asset: str | None = None) -> list[AttestedView]:
        """Return the attestations of a kind, of one asset if named, in the order of judgement."""
        from ledger.index import attested

        if asset is None:
            return attested.attested(self.database, kind)
        return attested.attested_of(self.database, asset, kind)

    def notices_to(self, did: str) -> list[AttestedView]:
        """Return the notices that name a party among those whom they concern."""
        from ledger.index import attested

        return attested.notices_to(self.database, did)

    def unposted_freeze(self, target: bytes, author: bytes) -> bytes | None:
        """Return the record of a freeze of `target` that was begun: accepted, but not posted."""
        from ledger.index import attested

        return attested.unposted_freeze(self.database, target, author)

    def posted(self, record: bytes, target: bytes, authors: Sequence[str]) -> int | None:
        """Return the block in which one of these parties (DIDs) first posted a record against a target."""
        from ledger.index import attested

        return attested.posted(self.database, record, target, authors)

    # --- whom it concerns

    def recall(
        self, names: Sequence[str], *, since_unix_s: int | None = None, block: int | None = None
    ) -> Recall:
        """Find what is affected if these assets and versions are bad, and whom it concerns; see `recall`."""
        from ledger.index import recall
        from ledger.index.schema import PENDING

        at = PENDING if block is None else block
        return recall.recall(self.database, names, since_unix_s=since_unix_s, block=at)

    def consent(self, record: bytes, names: Sequence[str], now_ns: int) -> Consent:
        """Find what rests on an anchored consent about these assets and versions."""
        from ledger.index import consents

        return consents.consent(self.database, self.descriptor.chain_id, record.hex(), names, now_ns)
