"""What was posted on chain against records and assets at hand, and what that takes away.

What takes something away counts from its posting (`core.postings`): whoever could have taken back, frozen or
handed over what is here either posted nothing against it, which storage proves, or what was posted has to be
at hand. A posted id whose record is not leaves a doubt; so does a transfer that was posted before the anchor
at hand, since it may have been anchored earlier, too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

from msgspec import Struct

from ledger.audit.chain_view import ChainView
from ledger.audit.holders import SeenTransfer
from ledger.core.digests import asset_digest, target_of_asset, target_of_record
from ledger.core.errors import EvidenceInvalid
from ledger.core.identity import parse_did
from ledger.core.postings import is_freeze
from ledger.core.records import Attestation, Revocation, Statement, Transfer


class SeenRevocation(Struct, frozen=True, gc=False):
    """An accepted revocation: what it takes back, by whom (20 bytes each), and the block of its anchor."""

    target: bytes
    authors: frozenset[bytes]
    block: int
    effective: str


class Post(NamedTuple):
    """What a party (20 bytes) posted against a record, and the block."""

    party: bytes
    record: bytes
    block: int


class Settled(Struct, frozen=True):
    """What became of records: by id, the revocation that took one back, and why another can't be told.

    `open_ends` are doubts about what only rights depend on: what the holders of an asset or an arbiter posted
    against a record. `held` says by asset what leaves open who held it.
    """

    revoked: dict[bytes, bytes]
    unknown: dict[bytes, str]
    open_ends: dict[bytes, str] = {}
    held: dict[str, str] = {}


class Posted:
    """Notes postings while records are judged, and settles them when all are known.

    `accepted` are the ids of the records at hand; `transfers` and `revocations` fill while they are judged.
    """

    def __init__(self, chain: ChainView, ledger_id: bytes, accepted: Collection[bytes]) -> None:
        self._chain = chain
        self._ledger_id = ledger_id
        self._accepted = accepted
        self.transfers: dict[str, list[SeenTransfer]] = defaultdict(list)
        self.revocations: dict[bytes, SeenRevocation] = {}
        self._by_authors: list[tuple[bytes, bytes, bytes]] = []
        self._by_others: list[tuple[bytes, bytes, bytes]] = []
        self._doubts: dict[tuple[bytes, str, bytes, bytes], None] = {}
        self._against_record: dict[bytes, list[Post]] = defaultdict(list)
        self._harmless: set[bytes] = set()

    def note(self, record: bytes, authors: Iterable[bytes]) -> None:
        """Note what the authors posted against their record: nothing, nearly always."""
        self._by_authors += ((record, party, posted) for party, posted in self._read(record, authors))

    def note_others(self, record: bytes, parties: Iterable[bytes]) -> None:
        """Note what others posted against a record who may take it back or freeze it."""
        known = {party for party, _, _ in self._against_record.get(record, ())}
        others = sorted(set(parties) - known)
        self._by_others += ((record, party, posted) for party, posted in self._read(record, others))

    def _read(self, record: bytes, parties: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
        target = target_of_record(record)
        for party in parties:
            for posted, block in self._chain.posts(party, target):
                self._against_record[record].append(Post(party, posted, block))
                yield party, posted

    def doubt(self, record: bytes, asset: str, party: bytes, posted: bytes) -> None:
        """Note that who held an asset, for a record's anchor, depends on what a party posted."""
        self._doubts[record, asset, party, posted] = None

    def against(self, record: bytes) -> Sequence[Post]:
        """Return what was noted against a record."""
        return self._against_record.get(record, ())

    def is_open(self, posted: bytes) -> bool:
        """Tell whether a posted id may take something away that is not at hand."""
        return posted not in self._accepted and posted not in self._harmless

    def open_posts(self) -> set[bytes]:
        """Return the posted ids whose records are not at hand, and might take something away."""
        return self._against.keys() - set(self._accepted)

    @cached_property
    def _against(self) -> dict[bytes, set[tuple[bytes | str, bytes]]]:
        """What each id was posted against, once all records are known: a record or an asset, and by whom."""
        against: dict[bytes, set[tuple[bytes | str, bytes]]] = defaultdict(set)
        for record, author, posted in (*self._by_authors, *self._by_others):
            against[posted].add((record, author))
        for _, asset, party, posted in self._doubts:
            against[posted].add((asset, party))
        return dict(against)

    def is_harmless(self, posted: bytes, said: Statement | None) -> bool:
        """Tell whether what an open post says is something else than what would take something away."""
        return not any(_takes(said, *each) for each in self._against[posted])

    def excuse(self, posted: bytes, said: Statement | None) -> None:
        """Note that an open post takes nothing away, now that all records are known.

        EvidenceInvalid if nobody posted it against anything here, or if it does take something away.
        """
        if posted not in self.open_posts() or not self.is_harmless(posted, said):
            raise EvidenceInvalid(
                "unneeded-record",
                f"expected the payload of an open post that takes nothing away, got {posted.hex()}",
            )
        self._harmless.add(posted)

    def settle(self) -> Settled:
        """Find out what was taken back, now that all records are known, and what can't be told."""
        revoked: dict[bytes, bytes] = {}
        unknown: dict[bytes, str] = {}
        open_ends: dict[bytes, str] = {}
        for ends, posts in ((unknown, self._by_authors), (open_ends, self._by_others)):
            for record, party, posted in posts:
                if self.takes_back(posted, record, party) is not None:
                    revoked.setdefault(record, posted)
                elif self.is_open(posted):
                    ends[record] = f"0x{party.hex()} posted {posted.hex()} against it, which is not at hand"
        held: dict[str, str] = {}
        for record, asset, party, posted in self._doubts:
            text = self.doubt_of(asset, party, posted)
            if text:
                unknown[record] = held[asset] = text
        self._require_needed()
        return Settled(revoked, unknown, open_ends, held)

    def takes_back(self, posted: bytes, record: bytes, party: bytes) -> SeenRevocation | None:
        """Return the revocation that this id is, if it takes the record back once `party` posts it."""
        found = self.revocations.get(posted)
        return found if found and found.target == record and party in found.authors else None

    def doubt_of(self, asset: str, party: bytes, posted: bytes) -> str:
        """Say why what a party posted leaves open who held an asset; empty if it does not."""
        if self.is_open(posted):
            return f"a holder of {asset} posted {posted.hex()}, which is not at hand"
        if any((each.record, each.giver) == (posted, party) for each in self.transfers.get(asset, ())):
            return (
                f"a holder of {asset} posted the transfer {posted.hex()} before its anchor at hand:"
                " it may have been anchored earlier, too"
            )
        return ""

    def _require_needed(self) -> None:
        """Raise if there is a revocation or transfer that nobody posted who could have."""
        used = {
            posted
            for record, party, posted in (*self._by_authors, *self._by_others)
            if self.takes_back(posted, record, party)
        }
        for spare in [*sorted(self.revocations.keys() - used), *self._unposted_transfers()]:
            raise EvidenceInvalid("unneeded-record", f"nobody posted {spare.hex()} who could have")

    def _unposted_transfers(self) -> Iterator[bytes]:
        """Yield the transfers that take nothing from anybody; what givers posted was read to judge them."""
        for asset, transfers in self.transfers.items():
            target = target_of_asset(asset_digest(self._ledger_id, asset))
            for each in transfers:
                if each.record not in [posted for posted, _ in self._chain.posts(each.giver, target)]:
                    yield each.record


def _takes(said: Statement | None, target: bytes | str, party: bytes) -> bool:
    """Tell whether a record hands an asset over, or takes back or freezes a record, if `party` posts it."""
    if said is None:
        return False
    predicate = said.predicate
    if isinstance(predicate, Transfer):
        return said.subject[0].name == target and parse_did(predicate.giver)[1] == party
    if not isinstance(predicate, Revocation | Attestation):
        return False
    is_taking = isinstance(predicate, Revocation) or is_freeze(predicate)
    is_aimed = isinstance(target, bytes) and predicate.target == target.hex()
    return is_taking and is_aimed and party in [parse_did(each)[1] for each in predicate.authors]
