"""May I use it? Permitted, denied or unknown, with the grants used, the blocking link, or what is not known.

Pure rules over `RightsFacts`, which an index and an evidence file answer alike. Deny by default: a party has
the rights of a holder, or those that a chain of grants gives it (`rights_chain`). Of several grants that
allow it, the answer names the one anchored first. A product brings its lineage along: whoever offers what was
made of others' data must have the right to operate each of them, for the same purpose, region and time; who
only uses what it made itself, the right to use them. So the answer about a product is yes only if all of its
inputs allow it.

What could not be had makes an answer unknown, never yes. Where something is missing, only what can't change
any more makes it no: a freeze.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct, structs

from ledger.core.records_rights import Condition, Money
from ledger.core.region_rules import RegionRules, find_rule, is_border
from ledger.core.rights_chain import Chain, demand_faults, is_in_force, judge_chain
from ledger.core.rights_facts import Answer, Attested, Question, Reason, RightsFacts, Verdict
from ledger.core.rights_level import Nature, natures


class Part(Struct, frozen=True):
    """The answer about one asset or version without its lineage, and the chain of grants that was used."""

    verdict: Verdict
    because: tuple[Reason, ...]
    chain: Chain | None = None


def may(asked: Question, facts: RightsFacts, rules: RegionRules | None = None) -> Answer:
    """Answer a question as of the block whose facts these are.

    Without `rules` no border is looked at: the regions of the grants are all that counts.
    """
    nature_of = natures(asked.name, asked.at_ns, facts)
    questions = {asked: None, **dict.fromkeys(asked_of_inputs(asked, nature_of, facts))}
    parts = [right_to(each, facts, nature_of[each.name]) for each in questions]
    parts += _of_unproven(asked, nature_of, facts)
    nature = nature_of[asked.name]
    if nature.is_circular:
        parts.append(Part("unknown", (Reason("lineage-circle", asked.name),)))
    if rules is not None:
        parts += _borders(asked, nature, facts, rules)
    return _answer(asked, parts, nature, rules)


def right_to(asked: Question, facts: RightsFacts, nature: Nature) -> Part:
    """Answer for one asset or version, whatever it was made from."""
    asset = asked.name.partition("@")[0]
    if any(span.has(asked.at_ns) for span in facts.frozen(asset)):
        return Part(
            "denied", (Reason("frozen", asked.name, text="by the arbiter that its registration names"),)
        )
    part = _without_doubts(asked, asset, facts, nature)
    missing = {*facts.doubts(asset)}
    if part.verdict != "permitted":  # what a grant gives, only postings take away: they are on chain
        missing |= {*facts.hidden(asset, asked.party)}
    doubts = tuple(Reason("facts-missing", asked.name, text=text) for text in sorted(missing))
    if not doubts:
        return part
    known = part.because if part.verdict == "unknown" else ()
    return Part("unknown", (*known, *doubts))


def _without_doubts(asked: Question, asset: str, facts: RightsFacts, nature: Nature) -> Part:
    holder = facts.holder(asset, asked.at_ns)
    if holder is None:
        return Part("denied", (Reason("asset-unknown", asked.name),))
    if holder == asked.party:
        return Part("permitted", (Reason("holder", asked.name),))
    chains = _chains(asked, asset, facts, nature)
    for chain in chains:
        if chain.verdict == "permitted":
            grant = chain.links[0]
            text = f"by {grant.giver}" + "".join(f", under {link.record}" for link in chain.links[1:])
            return Part("permitted", (Reason("granted", asked.name, grant.record, text),), chain)
    unknown = [reason for chain in chains if chain.verdict == "unknown" for reason in chain.unknown]
    if unknown:
        return Part("unknown", tuple(unknown))
    blocked = [chain.blocked[0] for chain in chains]
    return Part("denied", tuple(blocked) or (Reason("no-grant", asked.name, text=f"held by {holder}"),))


def _chains(asked: Question, asset: str, facts: RightsFacts, nature: Nature) -> list[Chain]:
    """Judge the grants to the party, or to everybody, in the order of their anchors."""
    grants = sorted(facts.grants(asset, asked.party), key=lambda grant: grant.order)
    return [judge_chain(grant, asked, nature, facts) for grant in grants if grant.taker in (asked.party, "")]


def asked_of_inputs(asked: Question, nature_of: dict[str, Nature], facts: RightsFacts) -> Iterator[Question]:
    """Ask, for everything that went into it, whether its maker might make this of it."""
    for node in nature_of:
        maker = facts.holder(node.partition("@")[0], asked.at_ns)
        for source in sorted(set(facts.inputs(node))):
            holder = facts.holder(source.partition("@")[0], asked.at_ns)
            if maker is None or facts.unproven(source, maker):
                continue
            if maker == holder and not _is_troubled(source, asked, facts):
                continue
            is_own_use = maker == asked.party and asked.right != "operate"
            right = "use" if is_own_use else "operate"
            yield structs.replace(asked, party=maker, right=right, name=source)


def _of_unproven(asked: Question, nature_of: dict[str, Nature], facts: RightsFacts) -> Iterator[Part]:
    """Name every input of which nothing can be told."""
    for node in nature_of:
        maker = facts.holder(node.partition("@")[0], asked.at_ns)
        for source in sorted(set(facts.inputs(node))):
            why = facts.unproven(source, maker or "")
            if why:
                yield Part("unknown", (Reason("input-unproven", source, text=why),))


def _is_troubled(name: str, asked: Question, facts: RightsFacts) -> bool:
    """Tell whether even its holder can't be sure of an input: it is frozen, or something is missing."""
    asset = name.partition("@")[0]
    return any(span.has(asked.at_ns) for span in facts.frozen(asset)) or any(
        True for _ in facts.doubts(asset)
    )


def _borders(asked: Question, nature: Nature, facts: RightsFacts, rules: RegionRules) -> Iterator[Part]:
    """Judge each border that the data crosses on its way from where it is from."""
    if not asked.region:
        yield Part("unknown", (Reason("region-unsaid", asked.name, text=str(rules)),))
        return
    if nature.doubts:
        yield Part("unknown", (Reason("revocation-missing", asked.name, text=min(nature.doubts)),))
        return
    if nature.unlocated:
        text = f"of {', '.join(sorted(nature.unlocated)[:3])}"
        yield Part("unknown", (Reason("origin-unknown", asked.name, text=text),))
    level = "unclassified" if nature.unclassified or nature.level is None else nature.level
    for origin in sorted(nature.regions):
        if not is_border(origin, asked.region):
            continue
        yield from _border(origin, level, asked, facts, rules)


def _border(
    origin: str, level: str, asked: Question, facts: RightsFacts, rules: RegionRules
) -> Iterator[Part]:
    """Judge the border between where data is from and where it is wanted; nothing where it may pass."""
    way = f"from {origin} to {asked.region}, level {level}"
    rule = find_rule(rules, origin, asked.region, level)
    if rule is None:
        yield Part("unknown", (Reason("no-rule", asked.name, text=f"{way}: {rules}"),))
    elif rule.verdict == "denied":
        yield Part("denied", (Reason("border", asked.name, text=f"{way}: {rule.why}; {rules}"),))
    elif rule.needs is not None:
        what = f"{way}: {rule.needs.kind} {rule.needs.topic}: {rule.why}; {rules}"
        passes = passing(rule.needs, asked, facts)
        for code, text, is_known in demand_faults(what, rule.needs.by, passes, asked, facts):
            yield Part("denied" if is_known else "unknown", (Reason(code, asked.name, text=text),))


def passing(needs: Condition, asked: Question, facts: RightsFacts) -> Iterator[Attested]:
    """Yield the attestations that let data pass a border."""
    for each in facts.attestations(asked.name.partition("@")[0]):
        if is_in_force(each, needs.kind, needs.topic, needs.by, asked):
            yield each


def _answer(asked: Question, parts: list[Part], nature: Nature, rules: RegionRules | None) -> Answer:
    """Put the parts together: one no is a no, else what is unknown is unknown."""
    verdicts = {part.verdict for part in parts}
    verdict: Verdict = (
        "denied" if "denied" in verdicts else "unknown" if "unknown" in verdicts else "permitted"
    )
    because = {reason: None for part in parts if part.verdict == verdict for reason in part.because}
    links = {link.record: link for part in parts if part.chain is not None for link in part.chain.links}
    terms = [link.terms for link in links.values()]
    caps: dict[Money, None] = {each.price_cap: None for each in terms if each.price_cap is not None}
    return Answer(
        verdict=verdict,
        because=tuple(because),
        grants=tuple(links) if verdict == "permitted" else (),
        free=bool(asked.purpose) and any(asked.purpose in each.free_for for each in terms),
        caps=tuple(caps),
        level=nature.level,
        rules="" if rules is None else str(rules),
    )
