"""Checking one entry of a log again, from its bytes and the chain, whatever the index says.

Entry, signatures, inclusion in the anchored tree, validity of the key at the anchor's block, and that its
author has not taken it back: each is recomputed. That no earlier entry claims the same is the index's word,
because a Merkle log has no proof of absence.
"""

from __future__ import annotations

from msgspec import Struct

from ledger.core import dsse, merkle
from ledger.core.authority import KeyState, Place, check_signers
from ledger.core.chain_facts import Checkpoint
from ledger.core.digests import target_of_record
from ledger.core.errors import Corrupt, Invalid, Unavailable, Unconfirmed
from ledger.core.identity import parse_did
from ledger.core.layout import IdentitiesLayout, RevocationsLayout
from ledger.core.records import Statement
from ledger.core.statement import parse_statement
from ledger.service.context import Context
from ledger.service.logs import open_log
from ledger.store.folder import TileFolder


class Rechecked(Struct, frozen=True):
    """An entry that holds: its statement, and the checkpoint that anchors it."""

    statement: Statement
    checkpoint: Checkpoint


def recheck(context: Context, log_id: bytes, index: int, record: bytes) -> Rechecked:
    """Check entry `index` of a log against the chain and return what it says.

    Raises Invalid for what does not hold, Unconfirmed while it is pending, Unavailable if the log can't be
    read here.
    """
    folder = open_log(context, log_id)
    entry = _entry(folder, index)
    envelope = dsse.verify_envelope(entry)
    if dsse.record_id(envelope.payload) != record:
        raise Corrupt(
            f"entry {index} of log {log_id.hex()[:12]} is another record than the index says",
            hint="dataledger sync --rebuild",
        )
    statement = parse_statement(envelope.payload)
    checkpoint = context.reader.checkpoint_covering(log_id, index)
    if checkpoint is None:
        raise Unconfirmed("the record is not anchored yet", hint="dataledger anchor")
    _check_inclusion(folder, entry, index, checkpoint)
    place = _place(context, log_id, checkpoint)
    check_signers(statement, [each.keyid for each in envelope.signatures], place, _OnChain(context))
    _check_stands(context, statement, record)
    return Rechecked(statement, checkpoint)


def statement_at(context: Context, log_id: bytes, index: int) -> Statement:
    """Return what an entry of a log that is kept here says."""
    entry = _entry(open_log(context, log_id), index)
    return parse_statement(dsse.decode_envelope(entry).payload)


def _entry(folder: TileFolder, index: int) -> bytes:
    if folder.size <= index:
        raise Unavailable(
            f"log {folder.log_id.hex()[:12]}: entry {index} is not here", hint="dataledger sync fetches it"
        )
    return next(folder.entries(index, index + 1))


def _check_inclusion(folder: TileFolder, entry: bytes, index: int, checkpoint: Checkpoint) -> None:
    if folder.size < checkpoint.size:
        raise Unavailable(
            f"log {folder.log_id.hex()[:12]}: {checkpoint.size} entries are anchored, {folder.size} are here",
            hint="dataledger sync fetches them",
        )
    proof = folder.prove_inclusion(index, checkpoint.size)
    merkle.verify_inclusion(merkle.leaf_hash(entry), index, checkpoint.size, proof, checkpoint.root)


def _place(context: Context, log_id: bytes, checkpoint: Checkpoint) -> Place:
    ledger, chain_id = context.ledger_id.hex(), context.descriptor.chain_id
    return Place(ledger, chain_id, log_id.hex(), checkpoint.block, checkpoint.time_unix_s)


def _check_stands(context: Context, statement: Statement, record: bytes) -> None:
    """Raise unless no author posted anything against the record: that is what takes it back.

    A posting whose record is not known here may be a revocation or nonsense: then it can't be told.
    """
    layout = RevocationsLayout.of(context.descriptor)
    address, target = context.descriptor.address("Revocations"), target_of_record(record)
    for author in statement.predicate.authors:
        party = parse_did(author)[1]
        if not layout.count(party, target, lambda slot: context.reader.storage(address, slot)):
            continue
        if any(row.revoked for row in context.index.find_records(record.hex())):
            raise Invalid("its author took it back")
        raise Unavailable("its author posted something against it that is not known here")


class _OnChain:
    """Keys, delegates and identities as they stand in the contract's storage (core.authority.Identities).

    Read at the head: what was valid at an earlier block is written there for good.
    """

    def __init__(self, context: Context) -> None:
        self._layout = IdentitiesLayout.of(context.descriptor)
        self._address = context.descriptor.address("Identities")
        self._reader = context.reader

    def key(self, identity: bytes, key: bytes) -> KeyState | None:
        """The state of a record key."""
        return self._layout.key(identity, key, self._slot)

    def delegate(self, identity: bytes, kind: str, delegate: bytes) -> KeyState | None:
        """The state of a delegate."""
        return self._layout.delegate(identity, kind, delegate, self._slot)

    def deactivated_block(self, identity: bytes) -> int:
        """The block in which the identity was given up, or 0."""
        return self._layout.deactivated_block(identity, self._slot)

    def _slot(self, slot: bytes) -> bytes:
        return self._reader.storage(self._address, slot)
