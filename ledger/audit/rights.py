"""The answer of an evidence file to its question: may this party do that?

The rules are those of an index (`core.rights`), over what the file shows. A yes rests on records that are
here and on postings that are proven not to be. A no is only as complete as the file: what blocks a grant is
proven, that there is no other grant is not. What no proof excludes is said to be claimed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

from ledger.audit.judging import Judge
from ledger.audit.rights_facts import EvidenceFacts
from ledger.core.chain_facts import BlockRef
from ledger.core.encoding import b64decode
from ledger.core.errors import EvidenceInvalid, LedgerError
from ledger.core.evidence import Asked, Rules
from ledger.core.evidence_basis import basis, leans_on
from ledger.core.identity import parse_did
from ledger.core.instants import NANOSECONDS, instant_ns
from ledger.core.records import Agreement, Registration
from ledger.core.region_rules import RegionRules, parse_region_rules
from ledger.core.rights import may
from ledger.core.rights_facts import CODES, Answer, Question, Reason
from ledger.core.shapes_rights import check_regions
from ledger.core.terms import terms_of
from ledger.core.text import check_line
from ledger.core.verdict import RightsCap, RightsCause, RightsGrant, RightsVerdict

_LAST = 253402300799
PROVEN: Final = {
    "holder", "granted", "revoked", "ended", "not-yet", "other-right", "other-purpose", "other-region",
    "other-subject", "not-grantee", "not-sublicensable", "beyond-grant", "circle",
}  # fmt: skip
"""Reasons that follow from what the file proves; all others hold by the records shown."""


class Needed(Struct, frozen=True):
    """What an answer rests on: records about rights, and the assets and versions that its grants name."""

    records: frozenset[bytes]
    assets: frozenset[str]
    versions: frozenset[str]


class Inquiry:
    """A question, the rule list that goes with it, and its answer."""

    def __init__(self, asked: Asked, name: str, rules: RegionRules | None = None) -> None:
        self._asked = asked
        self.rules = rules
        self.question = Question(
            asked.party, asked.right, name, last_ns(asked.at), asked.purpose, asked.region
        )

    def require_fit(self, block: BlockRef, chain_id: int) -> None:
        """Raise EvidenceInvalid unless the block can answer it: what was known later is not what was then."""
        if parse_did(self._asked.party)[0] != chain_id:
            raise EvidenceInvalid("bad-question", f"expected a party of chain {chain_id:#x}")
        if self.question.at_ns < (block.time_unix_s + 1) * NANOSECONDS - 1:
            text = f"it asks for {self._asked.at}, which is before its block of {block.time_unix_s}"
            raise EvidenceInvalid("bad-question", text)
        if self.rules is not None and self.rules.effective_ns > self.question.at_ns:
            raise EvidenceInvalid("bad-rules", f"{self.rules} is not in force at {self._asked.at}")

    def needed(self, facts: EvidenceFacts, judge: Judge) -> Needed:
        """Return what the answer rests on, of what is at hand."""
        said_of = judge.said_of
        found: dict[bytes, None] = {}
        todo = [each for each, said in said_of.items() if isinstance(said.statement.predicate, Registration)]
        todo += (bytes.fromhex(each) for each in basis(self.question, facts, self.rules))
        while todo:
            record = todo.pop()
            if record in said_of and record not in found:
                found[record] = None
                todo += _dependencies(record, facts, judge)
        gifts = [said_of[each].statement for each in found]
        subject = [
            each.name
            for statement in gifts
            if terms_of(statement.predicate) is not None
            for each in statement.subject
        ]
        return Needed(
            frozenset(found), frozenset(name.partition("@")[0] for name in subject), frozenset(subject)
        )

    def answer(self, facts: EvidenceFacts, block: BlockRef, trust_root: str) -> RightsVerdict:
        """Answer the question, and say what of it is proven."""
        found = may(self.question, facts, self.rules)
        asked = self._asked
        return RightsVerdict(
            verdict=found.verdict if trust_root else "unconfirmed",
            shown=found.verdict,
            party=asked.party,
            right=asked.right,
            subject=self.question.name,
            purpose=asked.purpose,
            region=asked.region,
            at=asked.at,
            known=_utc(block.time_unix_s),
            because=tuple(map(_cause, found.because)),
            grants=tuple(_grants(found, facts)),
            free=found.free,
            caps=tuple(RightsCap(currency=each.currency, amount=each.amount) for each in found.caps),
            level=found.level or "",
            rules=found.rules,
            proven=tuple(_proven(found, block)),
            claimed=tuple(self._claimed(found, facts, block)),
            unknown=tuple(dict.fromkeys(each.text or CODES[each.code] for each in found.because))
            if found.verdict == "unknown"
            else (),
        )

    def _claimed(self, found: Answer, facts: EvidenceFacts, block: BlockRef) -> Iterator[str]:
        if found.verdict == "denied":
            yield "that nobody gave more than is shown: a no is only as complete as this file"
        if any(each.code == "frozen" for each in found.because):
            yield "that its arbiter has not lifted the freeze: lifts are not posted"
        if any(each.code == "condition-unmet" for each in found.because):
            yield "that nobody attested what is missing: attestations are not posted"
        terms = [link.terms for link in map(facts.given, found.grants) if link is not None]
        if self.rules is not None or any(each.level for each in terms):
            yield "that nobody entitled said that any of it is more sensitive, or from elsewhere"
        if any(facts.is_negotiated(each) for each in found.grants):
            yield "that no other step of the negotiation came before those that are shown"
        if any(condition.every_days for each in terms for condition in each.conditions):
            yield "that what is due again every so many days was not anchored before the entries shown"
        if self.rules is not None:
            yield f"that this is the list of border rules that counts: {self.rules}"
        if self.question.at_ns // NANOSECONDS > block.time_unix_s:
            yield f"that nothing of it has changed since block {block.number}, the last one known here"


def read_rules(line: Rules) -> RegionRules:
    """Read a rule list out of its line; EvidenceInvalid if it is none."""
    try:
        return parse_region_rules(b64decode(line.file))
    except LedgerError as error:
        raise EvidenceInvalid("bad-rules", str(error)) from None


def check_question(asked: Asked) -> None:
    """Raise EvidenceInvalid for members that no question has."""
    try:
        parse_did(asked.party)
        instant_ns(asked.at)
        check_regions([asked.region] if asked.region else [])
        if asked.purpose:
            check_line(asked.purpose, what="purpose", limit=len(asked.purpose))
    except LedgerError as error:
        raise EvidenceInvalid("bad-question", str(error)) from None
    if len(asked.at) != len("2026-01-31T12:00:00Z"):
        raise EvidenceInvalid("bad-question", f"expected a moment in whole seconds, got {asked.at}")


def last_ns(at: str) -> int:
    """Return the last nanosecond of the second that a question asks for."""
    return instant_ns(at) + NANOSECONDS - 1


def _dependencies(record: bytes, facts: EvidenceFacts, judge: Judge) -> Iterator[bytes]:
    """Yield the records without which this one would not count, or that say what became of it."""
    predicate = judge.said_of[record].statement.predicate
    yield from leans_on(predicate)
    yield from (each.record for each in facts.effects.freezes_of(record))
    if isinstance(predicate, Agreement):
        yield from (each.record for each in facts.steps(record)[1:])


def _utc(unix_s: int) -> str:
    """Return a block's time as records state times; one later than the year 9999 as its end."""
    return datetime.fromtimestamp(min(unix_s, _LAST), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _cause(reason: Reason) -> RightsCause:
    return RightsCause(
        code=reason.code,
        meaning=CODES[reason.code],
        subject=reason.name,
        record=reason.record,
        text=reason.text,
        proven=reason.code in PROVEN,
    )


def _grants(found: Answer, facts: EvidenceFacts) -> Iterator[RightsGrant]:
    for record in found.grants:
        given = facts.given(record)
        assert given is not None, "only grants that were found are named"
        yield RightsGrant(
            record=record,
            giver=given.giver,
            taker=given.taker,
            subject=given.names,
            until=given.terms.until,
            under=given.under,
            share_bps=given.terms.share_bps,
            block=given.order[0],
        )


def _proven(found: Answer, block: BlockRef) -> Iterator[str]:
    until = f"up to block {block.number} (0x{block.hash.hex()})"
    for each in found.because if found.verdict != "unknown" else ():
        if each.code in PROVEN - {"granted"}:
            record = f" (record {each.record})" if each.record else ""
            yield f"{each.name}: {CODES[each.code]}{record}"
    if found.grants:
        yield (
            "each grant used was signed by who held the asset, or rests on one that may be passed on and"
            " gives as much"
        )
        yield f"none of them, nor what their conditions rest on, had been taken back or frozen {until}"
