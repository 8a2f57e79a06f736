"""What still stands: revocations, freezes, attestations in force, and conditions that were met.

Pure rules over `RightsFacts`. What takes something away counts from its posting (`postings`), and a
revocation that names a later moment from there on; what was lawful before stays so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ledger.core.identity import parse_did
from ledger.core.instants import NANOSECONDS, instant_ns, is_within
from ledger.core.postings import effective_block, posters
from ledger.core.records import Attestation
from ledger.core.records_rights import Condition
from ledger.core.rights_answer import Reason
from ledger.core.rights_facts import Given, Question, RightsFacts
from ledger.core.terms import regions_cover

DAY_NS = 86_400 * NANOSECONDS


def addresses(dids: Collection[str]) -> set[bytes]:
    """Give the addresses (20 bytes) of parties."""
    return {parse_did(did)[1] for did in dids}


def is_revoked(record: bytes, at_ns: int, facts: RightsFacts) -> bool:
    """Tell whether a record was taken back, for this moment."""
    return any(
        not each.effective or instant_ns(each.effective) <= at_ns for each in facts.revocations(record)
    )


def frozen_by(record: bytes, at_ns: int, facts: RightsFacts) -> bytes | None:
    """Give the freeze (record id) that binds a registration, grant or agreement, None if none does.

    A freeze ends with the block in which a lift of the same target is anchored. Either may be taken back.
    """
    said = [each for each in facts.answers(record) if not is_revoked(each.record, at_ns, facts)]
    lifts = [each.block for each in said if _outcome(each) == "lifted"]
    for freeze in said:
        predicate = freeze.statement.predicate
        if not isinstance(predicate, Attestation) or predicate.outcome != "frozen":
            continue
        posted = facts.posted_block(freeze.record, record, posters(predicate))
        since = effective_block(freeze.block, posted)
        if since is not None and not any(block >= since for block in lifts):
            return freeze.record
    return None


def doubts(record: bytes, parties: Collection[bytes], facts: RightsFacts) -> Iterator[Reason]:
    """Yield a reason for each id that one of the parties posted against a record and that is not known."""
    for posted in facts.unknown_posts(record, parties):
        text = f"{posted.hex()} was posted against it, and that record can't be had"
        yield Reason(code="posted-unknown", text=text, record=record.hex())


def in_force(asset: str, condition: Condition, at_ns: int, facts: RightsFacts) -> Iterator[Given]:
    """Yield the attestations about an asset that a condition may mean, whoever they are by."""
    for each in facts.attestations(condition.kind, asset):
        said = each.statement.predicate
        assert isinstance(said, Attestation)
        meant = said.topic == condition.topic and said.outcome != "failed"
        if meant and is_within(at_ns, said.start, said.until) and not is_revoked(each.record, at_ns, facts):
            yield each


def fulfilled(
    condition: Condition, by: set[bytes], since: Given, question: Question, facts: RightsFacts
) -> Given | None:
    """Give the youngest attestation that fulfils a condition of the link `since`, None if there is none.

    A duty that recurs is fulfilled by the link itself as long as that is young enough.
    """
    asset = question.name.partition("@")[0]
    found = [
        each
        for each in in_force(asset, condition, question.at_ns, facts)
        if by & addresses(each.statement.predicate.authors) and _fits(each, question)
    ]
    if condition.every_days is None:
        return found[-1] if found else None
    oldest = question.at_ns - condition.every_days * DAY_NS
    youngest = max([*found, since], key=lambda each: each.time_unix_s)
    return youngest if youngest.time_unix_s * NANOSECONDS >= oldest else None


def _fits(given: Given, question: Question) -> bool:
    """Tell whether a consent is one to what is asked; other attestations know no purposes or regions."""
    said = given.statement.predicate
    if not isinstance(said, Attestation) or said.kind != "consent":
        return True
    if question.purpose not in said.purposes:
        return False
    return not said.regions or (bool(question.region) and regions_cover(said.regions, question.region))


def _outcome(given: Given) -> str | None:
    said = given.statement.predicate
    return said.outcome if isinstance(said, Attestation) else None
