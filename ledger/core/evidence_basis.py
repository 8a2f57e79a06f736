"""Which records an answer about rights rests on: those that evidence of it shows, and no others.

A yes rests on one chain of grants for each thing asked; a no or an unknown on every chain that was tried. For
a condition it is the first attestation that meets it, or the last that once did; classifications count only
where a level is asked for, by a grant or by a rule list. Over these records alone the rules give the same
answer: whoever makes evidence chooses by this, whoever verifies it refuses what this does not name.
"""

from __future__ import annotations

from collections.abc import Iterator

from ledger.core.records import Agreement, Attestation, Delivery, Grant, Predicate
from ledger.core.records_rights import Condition
from ledger.core.region_rules import RegionRules, find_rule, is_border
from ledger.core.rights import asked_of_inputs, passing, right_to
from ledger.core.rights_chain import Chain, doubted_last, is_first_time, judge_chain, meeting
from ledger.core.rights_facts import Attested, Given, Question, RightsFacts
from ledger.core.rights_level import Nature, natures
from ledger.core.terms import covers, terms_of


def basis(asked: Question, facts: RightsFacts, rules: RegionRules | None = None) -> frozenset[str]:
    """Return the grants, agreements and attestations (record ids in hex) that the answer rests on."""
    nature_of = natures(asked.name, asked.at_ns, facts)
    questions = dict.fromkeys([asked, *asked_of_inputs(asked, nature_of, facts)])
    found: set[str] = set()
    is_level_asked = rules is not None
    for each in questions:
        for chain in _chains(each, facts, nature_of[each.name]):
            found.update(link.record for link in chain.links)
            found.update(_attested(chain, each, facts))
            is_level_asked = is_level_asked or any(link.terms.level for link in chain.links)
    if is_level_asked:
        found.update(word for nature in nature_of.values() for word in nature.words)
    if rules is not None:
        found.update(_crossings(asked, nature_of[asked.name], facts, rules))
    return frozenset(found)


def leans_on(predicate: Predicate) -> list[bytes]:
    """Return the records (ids of 32 bytes) without which this one would not count."""
    if isinstance(predicate, Grant | Agreement):
        under = predicate.under if terms_of(predicate) is not None else ""
        before = predicate.previous if isinstance(predicate, Agreement) else ""
        return [bytes.fromhex(each) for each in (under, before) if each]
    if isinstance(predicate, Delivery):
        return [bytes.fromhex(predicate.agreement)]
    is_answer = isinstance(predicate, Attestation) and (
        predicate.kind == "acknowledgement" or predicate.outcome in ("closed", "frozen", "lifted")
    )
    return [bytes.fromhex(predicate.target)] if isinstance(predicate, Attestation) and is_answer else []


def _chains(asked: Question, facts: RightsFacts, nature: Nature) -> list[Chain]:
    """Return the chain that permits it, else all that might have; none for a holder or what is frozen."""
    part = right_to(asked, facts, nature)
    if part.chain is not None:
        return [part.chain]
    asset = asked.name.partition("@")[0]
    is_held = facts.holder(asset, asked.at_ns) in (None, asked.party)
    if is_held or any(span.has(asked.at_ns) for span in facts.frozen(asset)):
        return []
    grants = [each for each in facts.grants(asset, asked.party) if not each.rejected]
    return [judge_chain(each, asked, nature, facts) for each in grants if each.taker in (asked.party, "")]


def _attested(chain: Chain, asked: Question, facts: RightsFacts) -> Iterator[str]:
    """Yield the attestations that the conditions of a chain rest on."""
    for link in chain.links:
        for condition in link.terms.conditions:
            if is_first_time(condition, link, asked):
                continue
            met = min(meeting(condition, link, asked, facts), key=doubted_last, default=None)
            shown = met or max(_lapsed(condition, link, asked, facts), key=_order, default=None)
            if shown is not None:
                yield shown.record


def _lapsed(condition: Condition, link: Given, asked: Question, facts: RightsFacts) -> Iterator[Attested]:
    """Yield what would meet a condition but for its time."""
    by = condition.by or [link.taker or asked.party]
    for each in facts.attestations(asked.name.partition("@")[0]):
        is_it = (each.kind, each.topic) == (condition.kind, condition.topic) and not each.failed
        is_meant = covers(each.names, asked.name) and each.anchored_ns <= asked.at_ns
        if is_it and is_meant and any(author in by for author in each.authors):
            yield each


def _crossings(asked: Question, nature: Nature, facts: RightsFacts, rules: RegionRules) -> Iterator[str]:
    """Yield the attestations by which data may cross the borders on its way."""
    level = "unclassified" if nature.unclassified or nature.level is None else nature.level
    for origin in nature.regions if asked.region else ():
        rule = find_rule(rules, origin, asked.region, level) if is_border(origin, asked.region) else None
        if rule is None or rule.needs is None:
            continue
        shown = min(passing(rule.needs, asked, facts), key=doubted_last, default=None)
        if shown is not None:
            yield shown.record


def _order(each: Attested) -> tuple[int, str, int]:
    return each.order
