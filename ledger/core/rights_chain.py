"""Whether one grant gives a right: it, and everything that it rests on, link by link.

A link is void if its giver could not give it under the link above, and blocks if it is over, taken back or
frozen, is for something else, or demands what is not attested. The first fault named is the one nearest to
the party that asks. A denial outweighs what is unknown: a chain with a broken link holds nothing, whatever
else may turn up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from msgspec import Struct

from ledger.core.instants import NANOSECONDS, instant_ns
from ledger.core.records_rights import Condition
from ledger.core.rights_facts import Attested, Given, Question, Reason, RightsFacts, Verdict
from ledger.core.rights_level import Nature
from ledger.core.terms import Gift, covers, link_fault, rank, regions_cover

_DAY_NS = 86_400 * NANOSECONDS

Fault = tuple[str, str, bool]
"""A code, the particulars, and whether it is certain."""


class Chain(Struct, frozen=True):
    """A grant and what it rests on, nearest first; what blocks it and what is unknown of it."""

    links: tuple[Given, ...]
    blocked: tuple[Reason, ...]
    unknown: tuple[Reason, ...]

    @property
    def verdict(self) -> Verdict:
        """What this chain alone would answer."""
        return "denied" if self.blocked else "unknown" if self.unknown else "permitted"


def judge_chain(grant: Given, asked: Question, nature: Nature, facts: RightsFacts) -> Chain:
    """Judge a grant for a question; `nature` is that of the data."""
    links, unknown = _links(grant, asked.name, facts)
    blocked = [*_place_faults(grant, asked), *_link_faults(links, asked.name)]
    for link in links:
        for reason, is_known in _faults(link, asked, nature, facts):
            (blocked if is_known else unknown).append(reason)
    return Chain(tuple(links), tuple(blocked), tuple(unknown))


def _links(grant: Given, name: str, facts: RightsFacts) -> tuple[list[Given], list[Reason]]:
    """Follow a grant to the one that a holder gave."""
    links = [grant]
    seen = {grant.record}
    while links[-1].under:
        above = facts.given(links[-1].under)
        if above is None:
            return links, [Reason("grant-missing", name, links[-1].record, f"it rests on {links[-1].under}")]
        if above.record in seen:
            break  # `_link_faults` says so
        seen.add(above.record)
        links.append(above)
    return links, []


def _place_faults(grant: Given, asked: Question) -> Iterator[Reason]:
    """Say why a grant about this asset is not one for this name."""
    if not covers(grant.names, asked.name):
        yield Reason("other-subject", asked.name, grant.record, f"it is about {', '.join(grant.names[:3])}")


def _link_faults(links: list[Given], name: str) -> Iterator[Reason]:
    for link, above in pairwise(links):
        fault = link_fault(
            link.giver, Gift(link.names, link.terms), above.taker, Gift(above.names, above.terms)
        )
        if fault is not None:
            yield Reason(fault[0], name, link.record, f"it rests on {above.record}: {fault[1]}")
    if links[-1].under in {link.record for link in links}:
        yield Reason("circle", name, links[-1].record, f"it rests on {links[-1].under}")


def _faults(
    link: Given, asked: Question, nature: Nature, facts: RightsFacts
) -> Iterator[tuple[Reason, bool]]:
    """Say what is wrong with one link, and whether that is certain."""
    for code, text, is_known in (
        *_standing_faults(link, asked.at_ns),
        *_scope_faults(link, asked),
        *_level_faults(link, nature),
        *_condition_faults(link, asked, facts),
    ):
        yield Reason(code, asked.name, link.record, text), is_known


def _standing_faults(link: Given, at_ns: int) -> Iterator[Fault]:
    if link.rejected:
        yield "rejected", link.rejected, True
    for code, text in _time_faults(link, at_ns):
        yield code, text, True
    if link.doubt:
        yield "revocation-missing", link.doubt, False


def _scope_faults(link: Given, asked: Question) -> Iterator[Fault]:
    terms = link.terms
    if asked.right not in terms.rights:
        yield "other-right", f"it is to {', '.join(terms.rights)}", True
    if terms.purposes and asked.purpose not in terms.purposes:
        code = "other-purpose" if asked.purpose else "purpose-unsaid"
        yield code, f"it is for {', '.join(terms.purposes)}", bool(asked.purpose)
    if terms.regions and not (asked.region and regions_cover(terms.regions, asked.region)):
        code = "other-region" if asked.region else "region-unsaid"
        yield code, f"it is for {', '.join(terms.regions)}", bool(asked.region)


def _level_faults(link: Given, nature: Nature) -> Iterator[Fault]:
    limit = link.terms.level
    if limit is None:
        return
    if nature.doubts:
        yield "revocation-missing", f"it is for data up to {limit}: {min(nature.doubts)}", False
    elif rank(nature.level) > rank(limit):
        yield "above-level", f"it is for data up to {limit}, this is {nature.level}", True
    elif nature.unclassified:
        text = f"it is for data up to {limit}: {', '.join(sorted(nature.unclassified)[:3])}"
        yield "unclassified", text, False


def _condition_faults(link: Given, asked: Question, facts: RightsFacts) -> Iterator[Fault]:
    for condition in link.terms.conditions:
        if not is_first_time(condition, link, asked):
            by = condition.by or [link.taker or asked.party]
            met = meeting(condition, link, asked, facts)
            yield from demand_faults(f"{condition.kind} {condition.topic}", by, met, asked, facts)


def demand_faults(
    what: str, by: Sequence[str], met: Iterable[Attested], asked: Question, facts: RightsFacts
) -> Iterator[Fault]:
    """Say what is wrong with what one of these has to attest, met by some attestations: there is none, or
    there may be one in a log that can't be had; or all that there are may have been taken back.
    """
    shown = min(met, key=doubted_last, default=None)
    if shown is not None:
        if shown.doubt:
            yield "revocation-missing", f"{what}: {shown.doubt}", False
        return
    asset = asked.name.partition("@")[0]
    missing = sorted({text for party in by for text in facts.hidden(asset, party)})
    if missing:
        yield from (("facts-missing", f"{what}: {text}", False) for text in missing)
    else:
        yield "condition-unmet", what, True


def _time_faults(link: Given, at_ns: int) -> Iterator[tuple[str, str]]:
    start, until = link.terms.start, link.terms.until
    if at_ns < link.since_ns:
        yield "not-yet", f"anchored in block {link.order[0]}, later than asked for"
    elif start and at_ns < instant_ns(start):
        yield "not-yet", f"it begins {start}"
    if until and at_ns >= instant_ns(until):
        yield "ended", f"it ended {until}"
    if link.revoked_ns is not None and at_ns >= link.revoked_ns:
        yield "revoked", "taken back before that"
    if any(span.has(at_ns) for span in link.frozen):
        yield "frozen", "by its arbiter"


def is_first_time(condition: Condition, link: Given, asked: Question) -> bool:
    """Tell whether a duty that recurs is not due for the first time yet."""
    every = condition.every_days
    return every is not None and asked.at_ns - link.since_ns <= every * _DAY_NS


def meeting(condition: Condition, link: Given, asked: Question, facts: RightsFacts) -> Iterator[Attested]:
    """Yield the attestations that meet a condition of a link at the time asked for."""
    by = condition.by or [link.taker or asked.party]
    age_ns = None if condition.every_days is None else condition.every_days * _DAY_NS
    for each in facts.attestations(asked.name.partition("@")[0]):
        is_young = age_ns is None or asked.at_ns - each.anchored_ns <= age_ns
        if is_young and is_in_force(each, condition.kind, condition.topic, by, asked):
            yield each


def doubted_last(each: Attested) -> tuple[bool, tuple[int, str, int]]:
    """Order attestations by which to rely on: what may have been taken back last, else by anchor."""
    return bool(each.doubt), each.order


def is_in_force(each: Attested, kind: str, topic: str, by: list[str], asked: Question) -> bool:
    """Tell whether an attestation says this of what is asked about, at that time, by one of these."""
    return (
        (each.kind, each.topic) == (kind, topic)
        and not each.failed
        and any(author in by for author in each.authors)
        and covers(each.names, asked.name)
        and each.anchored_ns <= asked.at_ns
        and each.span.has(asked.at_ns)
        and (kind != "consent" or _is_consented(each, asked))
    )


def _is_consented(consent: Attested, asked: Question) -> bool:
    """Tell whether a consent is to this purpose, and holds in this region if it names any."""
    where = not consent.regions or bool(asked.region and regions_cover(consent.regions, asked.region))
    return asked.purpose in consent.purposes and where
