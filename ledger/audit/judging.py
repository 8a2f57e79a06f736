"""Judging records one after the other, from their bytes and what the chain's storage says.

The same rules as the index's (`core.authority`), over facts that an auditor has: storage slots, and the
records judged before. Three things no proof can give, because a Merkle log has no proof of absence: that an
asset was not registered before, that a version was not recorded before, and, where the predecessor of a
version is not at hand, that it is the one that counts. These are claimed; everything else is proven, or the
record is refused.

What takes something away counts from its posting on chain (`core.postings`). Whether that happened is settled
in `settle`, when all records are known: a posted id whose record is not at hand leaves a doubt.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from msgspec import Struct

from ledger.audit.chain_view import ChainView
from ledger.audit.holders import SeenTransfer, holding
from ledger.core import dsse
from ledger.core.authority import Accepted, KeyState, Place, authorize
from ledger.core.chain_facts import Checkpoint
from ledger.core.descriptor import LedgerDescriptor
from ledger.core.digests import asset_digest, target_of_asset, target_of_record
from ledger.core.errors import EvidenceInvalid, LedgerError, SignatureInvalid, Unauthorized
from ledger.core.identity import parse_did
from ledger.core.merkle import leaf_hash, verify_inclusion
from ledger.core.postings import is_posted_type
from ledger.core.records import Activity, Registration, Revocation, Statement, Transfer, Version
from ledger.core.statement import parse_statement


class Stands(Struct, frozen=True):
    """Where an entry stands: log id, index, number of its checkpoint, inclusion proof (lowest hash first)."""

    log: bytes
    index: int
    n: int
    proof: Sequence[bytes]


class Judged(Struct, frozen=True):
    """A record that holds, with its anchor."""

    record: bytes
    statement: Statement
    keyids: tuple[str, ...]
    log: bytes
    index: int
    anchor: Checkpoint


class Settled(Struct, frozen=True):
    """What became of records: by id, the revocation that took one back, and why another can't be told."""

    revoked: dict[bytes, bytes]
    unknown: dict[bytes, str]


class Judge:
    """Judges records in the order of (block, log id, index); answers `authority.Facts` from them."""

    def __init__(self, descriptor: LedgerDescriptor, chain: ChainView) -> None:
        self._ledger_id = descriptor.ledger_id
        self._ledger = descriptor.ledger_id.hex()
        self._chain_id = descriptor.chain_id
        self._chain = chain
        self._at: tuple[int, bytes, int] = (-1, b"", -1)
        self._judging = b""
        self._claimed: tuple[str, int, bytes] | None = None
        self._accepted: dict[bytes, Accepted] = {}
        self._assets: dict[str, bytes] = {}
        self._versions: dict[tuple[str, int], bytes] = {}
        self._transfers: dict[str, list[SeenTransfer]] = defaultdict(list)
        self._revocations: dict[bytes, tuple[bytes, frozenset[bytes]]] = {}
        self._posted: list[tuple[bytes, bytes, bytes]] = []
        self._doubts: list[tuple[bytes, str, bytes, bytes]] = []
        self._harmless: set[bytes] = set()

    def judge(self, entry: bytes, stands: Stands) -> Judged:
        """Check an entry from the bytes up and let it count; EvidenceInvalid if it does not."""
        anchor = self._anchor(stands)
        self._require_order(anchor.block, stands)
        _require_included(entry, stands, anchor)
        envelope = _opened(entry)
        record = dsse.record_id(envelope.payload)
        if record in self._accepted:
            raise EvidenceInvalid("duplicate-record", f"record {record.hex()} is there twice")
        statement = _parsed(envelope.payload)
        _require_lineage(record, statement)
        keyids = tuple(each.keyid for each in envelope.signatures)
        place = Place(self._ledger, self._chain_id, stands.log.hex(), anchor.block, anchor.time_unix_s)
        self._judging, self._claimed = record, _predecessor(statement)
        try:
            authorize(statement, keyids, place, self)
        except Unauthorized as error:
            raise EvidenceInvalid(error.reason, str(error), hint=error.hint) from None
        self._accept(record, statement, anchor.block)
        return Judged(record, statement, keyids, stands.log, stands.index, anchor)

    def _anchor(self, stands: Stands) -> Checkpoint:
        """Return the checkpoint if it is the first that covers the entry."""
        anchor, before = self._chain.anchor(stands.log, stands.n)
        if not before <= stands.index < anchor.size:
            raise EvidenceInvalid(
                "wrong-anchor",
                f"entry {stands.index} of log {stands.log.hex()}: checkpoint {stands.n} covers entries"
                f" {before} to {anchor.size - 1}"
                if anchor.size
                else f"log {stands.log.hex()} has no checkpoint {stands.n}",
            )
        return anchor

    def _require_order(self, block: int, stands: Stands) -> None:
        at = (block, stands.log, stands.index)
        if at <= self._at:
            raise EvidenceInvalid("wrong-order", "expected records by block of the anchor, log id and index")
        self._at = at

    def _accept(self, record: bytes, statement: Statement, block: int) -> None:
        predicate, name = statement.predicate, statement.subject[0].name
        authors = tuple(parse_did(author)[1] for author in predicate.authors)
        self._accepted[record] = Accepted(type(predicate), authors)
        if isinstance(predicate, Registration):
            self._assets[name] = record
        elif isinstance(predicate, Version):
            self._accept_version(name, predicate.number, record)
        elif isinstance(predicate, Transfer):
            giver, receiver = parse_did(predicate.giver)[1], parse_did(predicate.receiver)[1]
            self._transfers[name].append(SeenTransfer(record, giver, receiver, block))
        elif isinstance(predicate, Revocation):
            self._revocations[record] = bytes.fromhex(predicate.target), frozenset(authors)
        if not is_posted_type(predicate):
            self._note_posts(record, authors)

    def _accept_version(self, name: str, number: int, record: bytes) -> None:
        """Note a version; one whose successor stands before it says that the successor does not count."""
        asset = name.partition("@")[0]
        if (asset, number + 1) in self._versions:
            raise EvidenceInvalid("version-gap", f"{name} stands behind version {number + 1}")
        self._versions[asset, number] = record

    def _note_posts(self, record: bytes, authors: Iterable[bytes]) -> None:
        """Note what the authors posted against their record: nothing, nearly always."""
        target = target_of_record(record)
        for author in authors:
            self._posted += ((record, author, posted) for posted, _ in self._chain.posts(author, target))

    def open_posts(self) -> set[bytes]:
        """Return the posted ids whose records are not at hand, and might take something away."""
        return self._against.keys() - self._accepted.keys()

    @cached_property
    def _against(self) -> dict[bytes, set[tuple[bytes | str, bytes]]]:
        """What each id was posted against, once all records are known: a record or an asset, and by whom."""
        against: dict[bytes, set[tuple[bytes | str, bytes]]] = defaultdict(set)
        for record, author, posted in self._posted:
            against[posted].add((record, author))
        for _, asset, party, posted in self._doubts:
            against[posted].add((asset, party))
        return dict(against)

    def is_harmless(self, payload: bytes) -> bool:
        """Tell whether an open post's payload says something else than what would take something away."""
        said = self._read(payload)
        return not any(_takes(said, *each) for each in self._against[dsse.record_id(payload)])

    def excuse(self, payload: bytes) -> None:
        """Note that an open post takes nothing away, now that all records are known.

        EvidenceInvalid if nobody posted it against anything here, or if it does take something away.
        """
        posted = dsse.record_id(payload)
        if posted not in self.open_posts() or not self.is_harmless(payload):
            raise EvidenceInvalid(
                "unneeded-record",
                f"expected the payload of an open post that takes nothing away, got {posted.hex()}",
            )
        self._harmless.add(posted)

    def _read(self, payload: bytes) -> Statement | None:
        """Return what a payload says here; None if it is no record of this ledger, and never will be."""
        try:
            statement = parse_statement(payload)
        except LedgerError:
            return None
        return statement if statement.predicate.ledger == self._ledger else None

    def settle(self) -> Settled:
        """Find out what was taken back, now that all records are known, and what can't be told."""
        revoked: dict[bytes, bytes] = {}
        unknown: dict[bytes, str] = {}
        used = set()
        at_hand = self._accepted.keys() | self._harmless
        for record, author, posted in self._posted:
            target, authors = self._revocations.get(posted, (b"", frozenset()))
            if target == record and author in authors:
                revoked.setdefault(record, posted)
                used.add(posted)
            elif posted not in at_hand:
                unknown[record] = f"0x{author.hex()} posted {posted.hex()} against it, which is not at hand"
        for record, asset, party, posted in self._doubts:
            if posted not in at_hand:
                unknown[record] = f"a holder of {asset} posted {posted.hex()}, which is not at hand"
            elif any((each.record, each.giver) == (posted, party) for each in self._transfers[asset]):
                unknown[record] = (
                    f"a holder of {asset} posted the transfer {posted.hex()} before its anchor at hand:"
                    " it may have been anchored earlier, too"
                )
        for spare in [*sorted(self._revocations.keys() - used), *self._unposted_transfers()]:
            raise EvidenceInvalid("unneeded-record", f"nobody posted {spare.hex()} who could have")
        return Settled(revoked, unknown)

    def _unposted_transfers(self) -> Iterator[bytes]:
        """Yield the transfers that take nothing from anybody; what givers posted was read to judge them."""
        for asset, transfers in self._transfers.items():
            target = target_of_asset(asset_digest(self._ledger_id, asset))
            for each in transfers:
                if each.record not in [posted for posted, _ in self._chain.posts(each.giver, target)]:
                    yield each.record

    # --- authority.Facts

    def key(self, identity: bytes, key: bytes) -> KeyState | None:
        """The state of a record key."""
        return self._chain.key(identity, key)

    def delegate(self, identity: bytes, kind: str, delegate: bytes) -> KeyState | None:
        """The state of a delegate."""
        return self._chain.delegate(identity, kind, delegate)

    def deactivated_block(self, identity: bytes) -> int:
        """The block in which a party gave up its identity, or 0."""
        return self._chain.deactivated_block(identity)

    def namespace_owner(self, name: str, block: int) -> bytes | None:
        """The owner of a namespace at the end of a block."""
        owners = reversed(self._chain.owners(name))
        return next((owner for owner, start in owners if start <= block), None)

    def holder(self, asset: str, block: int) -> bytes | None:
        """The holder of an asset for records anchored in a block; what is doubtful is noted.

        A transfer that was posted before its anchor casts no doubt on itself: it binds either way.
        """
        found = holding(self._chain, self._ledger_id, asset, block, self._transfers.get(asset, ()))
        for party, posted in found.doubts:
            if posted != self._judging:
                self._doubts.append((self._judging, asset, party, posted))
        return found.holder

    def asset(self, asset: str) -> bytes | None:
        """The record that registered an asset, if it is at hand."""
        return self._assets.get(asset)

    def version(self, asset: str, number: int) -> bytes | None:
        """The record of a version, if it is at hand; else what the version being judged claims."""
        known = self._versions.get((asset, number))
        if known is None and self._claimed is not None and self._claimed[:2] == (asset, number):
            return self._claimed[2]
        return known

    def record(self, record_id: bytes) -> Accepted | None:
        """Type and authors of a record at hand."""
        return self._accepted.get(record_id)

    # What only the rules of rights ask: of their records there is none here (`_require_lineage`).

    def said(self, record_id: bytes) -> None:
        """Nothing."""

    def follower(self, record_id: bytes) -> None:
        """Nothing."""

    def revoked_block(self, record_id: bytes) -> None:
        """Nothing."""


_LINEAGE = (Registration, Version, Activity, Transfer, Revocation)


def _require_lineage(record: bytes, statement: Statement) -> None:
    """Refuse records of rights: they say nothing about what a version is made from."""
    if not isinstance(statement.predicate, _LINEAGE):
        kind = type(statement.predicate).__name__.lower()
        raise EvidenceInvalid("unneeded-record", f"record {record.hex()} is no part of a lineage: {kind}")


def _takes(said: Statement | None, target: bytes | str, party: bytes) -> bool:
    """Tell whether a record transfers an asset, or revokes a record, if `party` posts it."""
    if said is None:
        return False
    predicate = said.predicate
    if isinstance(predicate, Transfer):
        return said.subject[0].name == target and parse_did(predicate.giver)[1] == party
    return (
        isinstance(predicate, Revocation)
        and isinstance(target, bytes)
        and predicate.target == target.hex()
        and party in [parse_did(each)[1] for each in predicate.authors]
    )


def _require_included(entry: bytes, stands: Stands, anchor: Checkpoint) -> None:
    try:
        verify_inclusion(leaf_hash(entry), stands.index, anchor.size, stands.proof, anchor.root)
    except LedgerError as error:
        raise EvidenceInvalid(
            "not-included", f"entry {stands.index} of log {stands.log.hex()}: {error}"
        ) from None


def _opened(entry: bytes) -> dsse.Envelope:
    try:
        return dsse.verify_envelope(entry)
    except SignatureInvalid as error:
        raise EvidenceInvalid("bad-signature", str(error)) from None
    except LedgerError as error:
        raise EvidenceInvalid("bad-envelope", str(error)) from None


def _parsed(payload: bytes) -> Statement:
    try:
        return parse_statement(payload)
    except LedgerError as error:
        raise EvidenceInvalid("bad-record", str(error)) from None


def _predecessor(statement: Statement) -> tuple[str, int, bytes] | None:
    """Return which version a version follows, and the record that it says is its."""
    predicate = statement.predicate
    if not isinstance(predicate, Version) or not predicate.previous:
        return None
    asset = statement.subject[0].name.partition("@")[0]
    return asset, predicate.number - 1, bytes.fromhex(predicate.previous)
