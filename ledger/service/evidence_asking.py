"""The question of an evidence file, and what its answer needs to be in the file.

The answer of the index says which grants and attestations to begin with. What is written is what the answer
of the file itself rests on, by the auditor's own rules: they may say less, never more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from ledger.audit.rights import Inquiry
from ledger.audit.rights_facts import EvidenceFacts, Shown
from ledger.core.chain_facts import BlockRef
from ledger.core.encoding import b64encode
from ledger.core.errors import Corrupt
from ledger.core.evidence import Asked, EvidenceLine, OutsideSource, Rules, Unread
from ledger.core.evidence_basis import basis
from ledger.core.names import parse_reference
from ledger.core.region_rules import RegionRules, parse_region_rules
from ledger.core.rights import may
from ledger.core.rights_facts import Verdict
from ledger.index.evidence_rights import rights_entries
from ledger.index.evidence_rows import Place
from ledger.service.context import Context

_MOST_ROUNDS = 8


class Asking(Struct, frozen=True):
    """A question, and the bytes of the rule list that goes with it (none: empty)."""

    asked: Asked
    rules: bytes = b""

    def region_rules(self) -> RegionRules | None:
        """Read the rule list."""
        return parse_region_rules(self.rules) if self.rules else None


class RightsPart:
    """What a question adds to the evidence of `root` (`asset@number`) at a block."""

    def __init__(self, context: Context, block: BlockRef, root: str, asking: Asking) -> None:
        self._context = context
        self._block = block
        self._root = root
        self._asking = asking
        self._inquiry = Inquiry(asking.asked, root, asking.region_rules())
        self._facts = context.index.rights(block.number)
        question, rules = self._inquiry.question, self._inquiry.rules
        self.answer: Verdict = may(question, self._facts, rules).verdict
        """What the index answers."""
        self._records = basis(question, self._facts, rules)
        self._rounds = 0

    @property
    def party(self) -> str:
        """The party (DID) that is asked about."""
        return self._asking.asked.party

    def question(self) -> Iterator[EvidenceLine]:
        """Yield the lines that say what is asked."""
        yield self._asking.asked
        if self._asking.rules:
            yield Rules(b64encode(self._asking.rules))

    def places(self) -> list[Place]:
        """Return where the entries stand that are to be judged, in the order of judgement."""
        database, ledger_id = self._context.index.database, self._context.ledger_id
        root = parse_reference(self._root)
        return rights_entries(database, ledger_id, root, self._records, self._block.number)

    def is_all_needed(self, shown: Shown, outside: Sequence[OutsideSource]) -> bool:
        """Tell whether the answer rests on all that was judged; if not, `places` will be without the rest."""
        facts = EvidenceFacts(shown, outside, self._unread_of(shown, outside))
        needed = frozenset(each.hex() for each in self._inquiry.needed(facts, shown.judge).records)
        at_hand = frozenset(each.hex() for each in shown.judge.said_of)
        self._rounds += 1
        if needed < at_hand and self._rounds > _MOST_ROUNDS:
            raise Corrupt("the index says more of rights each time", hint="dataledger sync --rebuild")
        self._records = needed
        return needed >= at_hand

    def unread(self, shown: Shown, outside: Sequence[OutsideSource]) -> list[Unread]:
        """Return the lines of logs that could not be had; the answer is read once more, as it will be."""
        lines = self._unread_of(shown, outside)
        self._inquiry.answer(EvidenceFacts(shown, outside, lines), shown.block, "")
        return lines

    def _unread_of(self, shown: Shown, outside: Sequence[OutsideSource]) -> list[Unread]:
        """Return the logs that could not be had of whoever matters to the answer."""
        facts = EvidenceFacts(shown, outside)
        self._inquiry.answer(facts, shown.block, "")
        lines = [
            line
            for asset, party in facts.consulted
            for log in self._facts.missing(asset, party)
            for line in self._line(asset, party, log, shown)
        ]
        return sorted(lines, key=lambda each: (each.asset, each.party, each.owner, each.number))

    def _line(self, asset: str, party: str, log: bytes, shown: Shown) -> Iterator[Unread]:
        known = self._context.index.log(log)
        if known is not None and known.party is not None:
            shown.chain.count(log)
            yield Unread(asset=asset, owner=f"0x{known.party.hex()}", number=known.number, party=party)
