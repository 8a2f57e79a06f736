"""What rests on a consent: the grants that demand it, and what was made before and after it ended.

Consent ends with its withdrawal (never before that was posted) or at the moment that it names itself. What
was made of the data until then was made rightly; whoever uses the data later for these purposes needs another
consent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from ledger.core.instants import instant_ns
from ledger.core.records_rights import Condition
from ledger.core.rights_facts import Attested, Given
from ledger.core.terms import covers
from ledger.index.database import Database
from ledger.index.recall import Recall, recall
from ledger.index.recipients import Given as Record
from ledger.index.recipients import Reached, Recipients
from ledger.index.rights import Rights
from ledger.index.schema import PENDING


class Dependent(Struct, frozen=True):
    """A grant that demands the consent, itself or by what it rests on, for these purposes (none: all).

    `others` are the consents in force that meet the demand too; `ended_ns` is the moment at which the grant
    itself ends or was taken back.
    """

    given: Given
    purposes: tuple[str, ...]
    others: tuple[str, ...]
    ended_ns: int | None


class Consent(Struct, frozen=True):
    """A consent as of a block: since and until when it counts, what rests on it, what was made of the data.

    `late` are the nodes of `affected` that were not on record before it ended.
    """

    said: Attested
    withdrawn_ns: int | None
    dependents: list[Dependent]
    affected: Recall
    late: frozenset[int]


def consent(database: Database, chain_id: int, record: str, names: Sequence[str], now_ns: int) -> Consent:
    """Find what rests on a consent (hex id) about these assets and versions."""
    facts = Rights(database, chain_id, database.top())
    assets = list(dict.fromkeys(name.partition("@")[0] for name in names))
    said = next(each for asset in assets for each in facts.attestations(asset) if each.record == record)
    found = recall(database, names)
    end_ns = said.span.until_ns
    late = frozenset(
        each.node
        for each in found.affected
        if end_ns is not None and (each.block == PENDING or facts.moment(each.block) >= end_ns)
    )
    dependents = [
        each
        for given in _grants(database, names)
        for each in _dependents(facts, said, facts.given(given.record.hex()), now_ns)
    ]
    return Consent(said, facts.revoked_ns(bytes.fromhex(record)), dependents, found, late)


def _grants(database: Database, names: Sequence[str]) -> list[Record]:
    """Return the grants and agreements about what a consent names."""
    reached = Reached({}, set())
    for name in names:
        asset, _, number = name.partition("@")
        row = database.scalar("SELECT id FROM asset WHERE name = ?", asset)
        reached.names[row] = asset
        numbers = [number] if number else [each for (each,) in database.rows(_NUMBERS, row)]
        reached.versions.update(f"{asset}@{each}" for each in numbers)
    recipients = Recipients(database, reached, PENDING)
    return [each for each in recipients.listed(recipients.records) if each.kind != "delivery"]


def _dependents(facts: Rights, said: Attested, given: Given | None, now_ns: int) -> Iterator[Dependent]:
    """Yield the grant if it, or anything that it rests on, demands this consent."""
    link, seen = given, set[str]()
    while given is not None and link is not None and link.record not in seen:
        seen.add(link.record)
        for condition in link.terms.conditions:
            by = condition.by or [link.taker]
            if (condition.kind, condition.topic) == (said.kind, said.topic) and set(by) & set(said.authors):
                purposes = tuple(
                    each for each in said.purposes if not given.terms.purposes or each in given.terms.purposes
                )
                if purposes:
                    others = tuple(_others(facts, said, condition, by, purposes, now_ns))
                    yield Dependent(given, purposes, others, _end(given))
                return
        link = facts.given(link.under) if link.under else None


def _others(
    facts: Rights,
    said: Attested,
    condition: Condition,
    by: Sequence[str],
    purposes: Sequence[str],
    now_ns: int,
) -> Iterator[str]:
    """Yield the other consents in force that meet a condition for all of these purposes."""
    for asset in dict.fromkeys(name.partition("@")[0] for name in said.names):
        for each in facts.attestations(asset):
            if (
                each.record != said.record
                and (each.kind, each.topic) == (condition.kind, condition.topic)
                and set(each.authors) & set(by)
                and each.span.has(now_ns)
                and set(purposes) <= set(each.purposes)
                and all(covers(each.names, name) for name in said.names)
            ):
                yield each.record


def _end(given: Given) -> int | None:
    ends = [given.revoked_ns, instant_ns(given.terms.until) if given.terms.until else None]
    return min((end for end in ends if end is not None), default=None)


_NUMBERS = "SELECT number FROM version WHERE asset = ?"
