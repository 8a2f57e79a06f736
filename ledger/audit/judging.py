"""Judging records one after the other, from their bytes and what the chain's storage says.

The same rules as the index's (`core.authority`), over facts that an auditor has: storage slots, and the
records judged before. Three things no proof can give, because a Merkle log has no proof of absence: that an
asset was not registered before, that a version was not recorded before, and, where the predecessor of a
version is not at hand, that it is the one that counts. These are claimed; everything else is proven, or the
record is refused.

What takes something away counts from its posting on chain: `posted` settles that when all records are known.
Records about rights are judged only where a file answers a question about rights.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from ledger.audit.chain_view import ChainView
from ledger.audit.holders import SeenTransfer, ever_held, holding
from ledger.audit.posted import Posted, SeenRevocation
from ledger.core import dsse
from ledger.core.authority import Accepted, KeyState, Place, authorize
from ledger.core.authority_rights import is_kept
from ledger.core.chain_facts import Checkpoint
from ledger.core.descriptor import LedgerDescriptor
from ledger.core.errors import EvidenceInvalid, LedgerError, SignatureInvalid, Unauthorized
from ledger.core.identity import parse_did
from ledger.core.merkle import leaf_hash, verify_inclusion
from ledger.core.negotiation import transition_findings
from ledger.core.postings import is_freeze, is_posted_type
from ledger.core.records import (
    Activity,
    Agreement,
    Delivery,
    Grant,
    Predicate,
    Registration,
    Revocation,
    Settlement,
    Statement,
    Transfer,
    Version,
)
from ledger.core.statement import parse_statement
from ledger.core.terms import terms_of


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


class Said(Struct, frozen=True):
    """A record about rights, or a registration that names an arbiter, and where it stands."""

    record: bytes
    statement: Statement
    order: tuple[int, str, int]


class Judge:
    """Judges records in the order of (block, log id, index); answers `authority.Facts` from them."""

    def __init__(self, descriptor: LedgerDescriptor, chain: ChainView, *, rights: bool = False) -> None:
        self._ledger_id = descriptor.ledger_id
        self._ledger = descriptor.ledger_id.hex()
        self._chain_id = descriptor.chain_id
        self._chain = chain
        self._rights = rights
        self._at: tuple[int, bytes, int] = (-1, b"", -1)
        self._judging = b""
        self._claimed: tuple[str, int, bytes] | None = None
        self._accepted: dict[bytes, Accepted] = {}
        self._assets: dict[str, bytes] = {}
        self._versions: dict[tuple[str, int], bytes] = {}
        self._followers: dict[bytes, bytes] = {}
        self.said_of: dict[bytes, Said] = {}
        """Records about rights by their ids; empty unless there is a question about rights."""
        self.times: dict[int, int] = {}
        """Blocks of anchors -> their times (Unix seconds)."""
        self.posted = Posted(chain, descriptor.ledger_id, self._accepted)

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
        self._require_kind(record, statement)
        keyids = tuple(each.keyid for each in envelope.signatures)
        place = Place(self._ledger, self._chain_id, stands.log.hex(), anchor.block, anchor.time_unix_s)
        self._judging, self._claimed = record, _predecessor(statement)
        try:
            authorize(statement, keyids, place, self)
        except Unauthorized as error:
            raise EvidenceInvalid(error.reason, str(error), hint=error.hint) from None
        self.times[anchor.block] = anchor.time_unix_s
        self._accept(record, statement, anchor.block, stands)
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

    def _accept(self, record: bytes, statement: Statement, block: int, stands: Stands) -> None:
        predicate, name = statement.predicate, statement.subject[0].name
        authors = tuple(parse_did(author)[1] for author in predicate.authors)
        if self._rights and is_kept(predicate):
            self._accept_rights(Said(record, statement, (block, stands.log.hex(), stands.index)))
        self._accepted[record] = Accepted(type(predicate), authors)
        if isinstance(predicate, Registration):
            self._assets[name] = record
        elif isinstance(predicate, Version):
            self._accept_version(name, predicate.number, record)
        elif isinstance(predicate, Transfer):
            giver, receiver = parse_did(predicate.giver)[1], parse_did(predicate.receiver)[1]
            self.posted.transfers[name].append(SeenTransfer(record, giver, receiver, block))
        elif isinstance(predicate, Revocation):
            target = bytes.fromhex(predicate.target)
            seen = SeenRevocation(target, frozenset(authors), block, predicate.effective)
            self.posted.revocations[record] = seen
        if not is_posted_type(predicate) or is_freeze(predicate):
            self.posted.note(record, authors)
        if self._rights and (arbiter := arbiter_of(predicate)):
            self.posted.note_others(record, [parse_did(arbiter)[1]])

    def _accept_rights(self, said: Said) -> None:
        """Keep what is asked for again; a step out of turn is nobody's step before."""
        predicate = said.statement.predicate
        previous = predicate.previous if isinstance(predicate, Agreement | Delivery) else ""
        if previous and not transition_findings(said.statement, said.record, self):
            self._followers.setdefault(bytes.fromhex(previous), said.record)
        self.said_of[said.record] = said

    def _accept_version(self, name: str, number: int, record: bytes) -> None:
        """Note a version; one whose successor stands before it says that the successor does not count."""
        asset = name.partition("@")[0]
        if (asset, number + 1) in self._versions:
            raise EvidenceInvalid("version-gap", f"{name} stands behind version {number + 1}")
        self._versions[asset, number] = record

    def read(self, payload: bytes) -> Statement | None:
        """Return what a payload says here; None if it is no record of this ledger, and never will be."""
        try:
            statement = parse_statement(payload)
        except LedgerError:
            return None
        return statement if statement.predicate.ledger == self._ledger else None

    def _require_kind(self, record: bytes, statement: Statement) -> None:
        """Refuse records that say nothing about what is asked: of what it is made, and who may use it."""
        kind = type(statement.predicate)
        if kind is Settlement or (not self._rights and kind not in _LINEAGE):
            text = f"record {record.hex()} is no part of a lineage: {kind.__name__.lower()}"
            raise EvidenceInvalid("unneeded-record", text)

    def conclude(self, block: int) -> None:
        """Note what holders posted by the end of `block`, now that all records are known."""
        holders: dict[str, list[bytes]] = {}
        for record in self.said_of:
            self._note_holders(record, block, holders)

    def _note_holders(self, record: bytes, block: int, holders: dict[str, list[bytes]]) -> None:
        """Note what everybody posted against a holder's grant who ever held what it is about."""
        said = self.said_of[record].statement
        if isinstance(said.predicate, Grant) and not said.predicate.under:
            for asset in {each.name.partition("@")[0]: None for each in said.subject}:
                if asset not in holders:
                    holders[asset] = self.holders(asset, block)
                self.posted.note_others(record, holders[asset])

    def holders(self, asset: str, block: int) -> list[bytes]:
        """Return everybody who held an asset by the end of a block, as far as is known so far."""
        transfers = self.posted.transfers.get(asset, ())
        return ever_held(self._chain, self._ledger_id, asset, block, transfers)

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
        transfers = self.posted.transfers.get(asset, ())
        found = holding(self._chain, self._ledger_id, asset, block, transfers)
        for party, posted in found.doubts:
            if posted != self._judging:
                self.posted.doubt(self._judging, asset, party, posted)
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

    def said(self, record_id: bytes) -> Statement | None:
        """What a record about rights at hand says."""
        found = self.said_of.get(record_id)
        return None if found is None else found.statement

    def follower(self, record_id: bytes) -> bytes | None:
        """The step that follows another."""
        return self._followers.get(record_id)

    def revoked_block(self, record_id: bytes) -> int | None:
        """The block in which a record was taken back, as far as revocations at hand say.

        One that was anchored earlier, too, and is shown later, leaves a doubt: see `rights_facts`.
        """
        if record_id in self.said_of:
            self._note_holders(record_id, self._at[0], {})
        blocks = [
            max(seen.block, block)
            for party, posted, block in self.posted.against(record_id)
            for seen in (self.posted.takes_back(posted, record_id, party),)
            if seen is not None
        ]
        return min(blocks, default=None)


_LINEAGE = (Registration, Version, Activity, Transfer, Revocation)


def arbiter_of(predicate: Predicate) -> str:
    """Return the party (DID) that may freeze a registration, grant or agreement; empty for nobody."""
    if isinstance(predicate, Registration):
        return predicate.arbiter
    terms = terms_of(predicate)
    return "" if terms is None else terms.arbiter


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
