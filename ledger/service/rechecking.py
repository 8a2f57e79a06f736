"""Checking one entry of a log again, from its bytes and the chain, whatever the index says.

Entry, signatures, inclusion in the anchored tree and validity of the key at the anchor's block: each is recomputed.
That no earlier entry claims the same is the index's word, because a Merkle log has no proof of absence.
"""

from __future__ import annotations

from ledger.chain.layout import IdentitiesLayout
from ledger.core import dsse, merkle
from ledger.core.authority import KeyState, Place, check_signers
from ledger.core.chain_facts import Checkpoint
from ledger.core.errors import Corrupt, Unavailable, Unconfirmed
from ledger.core.records import Statement
from ledger.core.statement import parse_statement
from ledger.service.context import Context
from ledger.store.folder import TileFolder
from ledger.store.mirror import Mirror


class Rechecked:
    """An entry that holds: its statement, and the checkpoint that anchors it."""

    def __init__(self, statement: Statement, checkpoint: Checkpoint) -> None:
        self.statement = statement
        self.checkpoint = checkpoint


def open_log(context: Context, log_id: bytes) -> TileFolder:
    """Open a log as it is stored here: the own one, or the verified copy of another's."""
    return context.log if log_id == context.log_id else Mirror.of(context.workspace.mirrors, log_id)


def recheck(context: Context, log_id: bytes, index: int, record: bytes) -> Rechecked:
    """Check entry `index` of a log against the chain and return what it says.

    Raises Invalid for what does not hold, Unconfirmed while it is pending, Unavailable if the log can't be read here.
    """
    folder = open_log(context, log_id)
    if folder.size <= index:
        raise Unavailable(f"entry {index} of log {log_id.hex()[:12]} is not here", hint="dataledger sync")
    entry = next(iter(folder.entries(index, index + 1)))
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
    proof = folder.prove_inclusion(index, checkpoint.size) if folder.size >= checkpoint.size else None
    if proof is None:
        raise Unavailable(
            f"log {log_id.hex()[:12]}: {checkpoint.size} entries are anchored, {folder.size} are here",
            hint="dataledger sync",
        )
    merkle.verify_inclusion(merkle.leaf_hash(entry), index, checkpoint.size, proof, checkpoint.root)
    place = Place(
        context.ledger_id.hex(),
        context.descriptor.chain_id,
        log_id.hex(),
        checkpoint.block,
        checkpoint.time_unix_s,
    )
    check_signers(statement, [signature.keyid for signature in envelope.signatures], place, _OnChain(context))
    return Rechecked(statement, checkpoint)


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
