"""Transfers and revocations: records that bind others only from the block where their id is posted on chain.

They take effect at the later of posting and anchoring: whichever of the two comes second looks for the other.
Who holds an asset changes at the *end* of that block, so all of its records are judged alike. A posting whose
record is not known stays in the tables, and makes the answer about its target unknown.
"""

from __future__ import annotations

from ledger.core.chain_facts import Posted
from ledger.core.digests import asset_digest, target_of_asset, target_of_record
from ledger.core.identity import parse_did
from ledger.core.postings import Offer, binding_offer, posters, posting_target
from ledger.core.records import Revocation, Statement, Transfer
from ledger.index.facts import Facts
from ledger.index.kinds import ACCEPTED
from ledger.index.memory import Memory
from ledger.index.record_rows import Entry
from ledger.index.schema import PENDING, short
from ledger.index.writer import Writer


class Effects:
    """Writes transfers and revocations, and what they bring about."""

    def __init__(self, writer: Writer, memory: Memory, facts: Facts, ledger_id: bytes) -> None:
        self._writer = writer
        self._memory = memory
        self._facts = facts
        self._ledger_id = ledger_id
        self._offers: dict[str, list[tuple[Offer, int]]] = {}

    def anchored(self, entry: Entry, statement: Statement) -> None:
        """Write an accepted transfer or revocation; it takes effect in this block if it was posted before."""
        predicate, name = statement.predicate, statement.subject[0].name
        if not isinstance(predicate, Transfer | Revocation):
            return
        if isinstance(predicate, Transfer):
            giver, receiver = (parse_did(did)[1] for did in (predicate.giver, predicate.receiver))
            parties = self._memory.parties
            self._writer.add(
                "transfer",
                self._memory.assets.make(name).id,
                parties.id(giver),
                parties.id(receiver),
                entry.row,
                predicate.anchor_before,
            )
        else:
            record = bytes.fromhex(predicate.target)
            self._writer.add("revocation", record, entry.row, predicate.reason, predicate.effective or None)
        if self._writer.block == PENDING:
            return  # what is not anchored takes nothing from anybody
        self._writer.flush()
        target = posting_target(statement)
        posted = [self._first_post(entry.record, target, party) for party in posters(predicate)]
        numbers = [n for n in posted if n is not None]
        if not numbers:
            self._writer.add("finding", "not-posted", entry.row, None, name, "")
        elif isinstance(predicate, Transfer):
            self._offer(name, Offer(entry.record, giver, receiver, numbers[0]), entry.row)
        else:
            self._writer.add("revoked", record, entry.row)
            self._memory.said.note_revoked(record, self._writer.block)

    def posted(self, body: Posted) -> None:
        """Let a record that was anchored before take effect in this block."""
        self._writer.flush()
        database = self._writer.database
        entry = database.scalar(_ENTRY, short(body.record), body.record, ACCEPTED)
        if entry is None or self._first_post(body.record, body.target, body.author) != body.n:
            return  # not anchored, or posted before: the first post counts
        transfer = database.one(_TRANSFER, entry)
        if transfer is not None:
            name, giver, receiver = transfer
            # the giver's posting is what takes the asset from the giver
            if giver == body.author and self._target_of(name) == body.target:
                self._offer(name, Offer(body.record, giver, receiver, body.n), entry)
            return
        target = database.scalar(_REVOCATION, entry, entry, body.author, entry, body.author)
        known = database.one("SELECT 1 FROM revoked WHERE entry = ?", entry)
        if target is not None and target_of_record(target) == body.target and known is None:
            self._writer.add("revoked", target, entry)
            self._memory.said.note_revoked(target, self._writer.block)

    def end_block(self) -> None:
        """Let the assets change hands of which the block brought a binding transfer."""
        for name, offers in self._offers.items():
            holder = self._facts.holder(name, self._writer.block)
            binding = binding_offer([offer for offer, _ in offers], holder)
            for offer, entry in offers:
                if offer is binding:
                    asset = self._memory.assets.make(name)
                    asset.holder = offer.receiver
                    self._writer.add("holder", asset.id, self._memory.parties.id(offer.receiver), entry)
                else:
                    text = "the giver did not hold the asset any more when the transfer was to take effect"
                    self._writer.add("finding", "not-effective", entry, None, name, text)
        self._offers.clear()

    def reset(self) -> None:
        """Forget the block that was begun."""
        self._offers.clear()

    def _offer(self, name: str, offer: Offer, entry: int) -> None:
        self._offers.setdefault(name, []).append((offer, entry))

    def _first_post(self, record: bytes, target: bytes, party: bytes) -> int | None:
        """Return the number of the party's first post of this record against this target."""
        n: int | None = self._writer.database.scalar(_POSTED, record, target, party)
        return n

    def _target_of(self, asset: str) -> bytes:
        return target_of_asset(asset_digest(self._ledger_id, asset))


_ENTRY = "SELECT id FROM entry WHERE short = ? AND record = ? AND verdict = ?"
_POSTED = """
SELECT min(o.n) FROM posting o JOIN party p ON p.id = o.party
WHERE o.record = ? AND o.target = ? AND p.address = ?
"""
_TRANSFER = """
SELECT a.name, g.address, r.address FROM transfer t JOIN asset a ON a.id = t.asset
JOIN party g ON g.id = t.giver JOIN party r ON r.id = t.receiver WHERE t.entry = ?
"""
# the record that an entry revokes, if this party (20 bytes) is one of its authors
_REVOCATION = """
SELECT r.target FROM revocation r WHERE r.entry = ? AND (
  EXISTS (SELECT 1 FROM entry e JOIN party p ON p.id = e.party WHERE e.id = ? AND p.address = ?) OR
  EXISTS (SELECT 1 FROM coauthor c JOIN party p ON p.id = c.party WHERE c.entry = ? AND p.address = ?))
"""
