"""Transfers and revocations: records that bind others only from the block where their id is posted on chain.

They take effect at the later of posting and anchoring. Whichever of the two comes second looks for the other;
a posting whose record is not known stays in the tables and makes the answer about its target unknown.
"""

from __future__ import annotations

from ledger.core.chain_facts import Posted
from ledger.core.digests import target_of_asset, target_of_record
from ledger.core.identity import parse_did
from ledger.core.records import Predicate, Revocation, Statement, Transfer
from ledger.index.facts import Facts
from ledger.index.kinds import ACCEPTED
from ledger.index.memory import Memory
from ledger.index.record_rows import Entry
from ledger.index.schema import short
from ledger.index.writer import Writer


class Effects:
    """Writes transfers and revocations, and what they bring about."""

    def __init__(self, writer: Writer, memory: Memory, facts: Facts) -> None:
        self._writer = writer
        self._memory = memory
        self._facts = facts

    def anchored(self, entry: Entry, statement: Statement) -> None:
        """Write an accepted transfer or revocation; it takes effect now if it was posted before."""
        predicate = statement.predicate
        if isinstance(predicate, Transfer):
            asset = self._memory.assets.make(statement.subject[0].name)
            giver = self._party(predicate.giver)
            receiver = self._party(predicate.receiver)
            self._writer.add("transfer", asset.id, giver, receiver, entry.row, predicate.anchor_before)
            target = target_of_asset(statement.subject[0].digest["dataledger-asset-v1"])
        elif isinstance(predicate, Revocation):
            record = bytes.fromhex(predicate.target)
            self._writer.add("revocation", record, entry.party, entry.row, predicate.reason)
            target = target_of_record(record)
        else:
            return
        self._writer.flush()
        for author in _authors(predicate):
            if self._writer.database.one(_POSTING, entry.record, target, author) is not None:
                self._take(entry.row, statement.subject[0].name, predicate)
                return
        self._writer.add("finding", "not-posted", entry.row, None, statement.subject[0].name, "")

    def posted(self, body: Posted) -> bool:
        """Let a record that was anchored before take effect now; tell whether it is known."""
        self._writer.flush()
        row = self._writer.database.one(_ENTRY, short(body.record), body.record, ACCEPTED)
        if row is None:
            return False
        return self._transfer(row[0], body) or self._revocation(row[0], body)

    def _transfer(self, entry: int, body: Posted) -> bool:
        row = self._writer.database.one(_TRANSFER, entry)
        if row is None:
            return False
        name, giver, giver_id, receiver = row
        digest = self._asset_digest(name)
        # the giver's posting is what takes the asset from the giver
        if target_of_asset(digest) == body.target and giver == body.author:
            self._hand_over(entry, name, giver, receiver)
        return True
