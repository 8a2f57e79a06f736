"""May this party do that with this data? Permitted, denied or unknown, with the grants that say so.

Pure and deterministic over `RightsFacts`, which an index and an evidence file answer alike. The party needs
the right in the thing itself: it holds it, or a chain of grants leads from the holder to it. And a product is
only offered with the rights in what it was made from: whoever holds a product needs, of each input that it
does not hold, `use` to use or keep the product itself, and `operate` to offer it to others; and so on for
what these inputs were made from. Deny by default; what can't be told is unknown, which is never yes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from ledger.core.border_rules import BorderRule, BorderRules
from ledger.core.identity import format_did
from ledger.core.records import Attestation, Registration
from ledger.core.records_rights import Condition, Right
from ledger.core.rights_answer import Border, Ground, Link, Permission, Reason, verdict_on, worst
from ledger.core.rights_chain import Chain, follow
from ledger.core.rights_facts import Question, RightsFacts, Source
from ledger.core.rights_levels import MOST, Levels
from ledger.core.rights_standing import addresses, doubts, frozen_by, in_force, is_revoked

__all__ = ["may"]


def may(
    question: Question,
    facts: RightsFacts,
    chain_id: int,
    rules: BorderRules | None = None,
    *,
    most: int = MOST,
) -> Permission:
    """Answer a question; `chain_id` is that of the parties, `rules` are those for transfers across borders.

    More than `most` grounds are not looked at, and the answer then is unknown at best.
    """
    asking = _Asking(question, facts, chain_id)
    grounds = list(asking.grounds(most))
    border = None if rules is None else asking.border(rules)
    verdicts = [each.verdict for each in grounds] + ([border.verdict] if border else [])
    return Permission(
        verdict=worst(verdicts),
        grounds=grounds,
        border=border,
        inputs=len(grounds) - 1,
        notes=list(asking.notes()),
    )


class _Task(Struct, frozen=True, gc=False):
    """A right that a party needs in something, for a product (empty: it is what was asked)."""

    party: bytes | None
    right: Right
    name: str
    product: str
    source: Source


class _Asking:
    """One question on its way to an answer."""

    def __init__(self, question: Question, facts: RightsFacts, chain_id: int) -> None:
        self._question = question
        self._facts = facts
        self._chain_id = chain_id
        self._levels = Levels(facts, question.at_ns)

    def grounds(self, most: int) -> Iterator[Ground]:
        """Yield the asked ground, and those in all that it was made from, nearest first.

        Where the asked one is denied, nothing else matters.
        """
        asked = self._question
        first = _Task(asked.party, asked.right, asked.name, "", Source(asked.name))
        waiting, seen = deque([first]), {(first.party, first.right, first.name)}
        while waiting:
            task = waiting.popleft()
            ground = self._ground(task)
            yield ground
            if not task.product and ground.verdict == "denied":
                return
            for need in self._needs(task):
                if (need.party, need.right, need.name) not in seen:
                    seen.add((need.party, need.right, need.name))
                    waiting.append(need)
            if len(seen) > most:
                text = f"it was made from more than {most:,} things"
                doubt = [Reason(code="too-large", text=text)]
                yield self._told(task, [], doubt)
                return

    def border(self, rules: BorderRules) -> Border:
        """Judge the transfer by rules."""
        found = self._levels.of(self._question.name)
        reasons = [
            reason
            for rule in rules.matching(found.level, found.origins, self._question.region)
            for reason in self._border_reasons(rule)
        ]
        if not found.origins and rules.needs_origin(found.level):
            text = f"it is {found.level} data, and where it is from was never attested"
            reasons.append(Reason(code="origin-unknown", text=text))
        if found.doubt:
            reasons.append(Reason(code="log-missing", text=f"its level can't be told: {found.doubt}"))
        return Border(
            rules=rules.name,
            version=rules.version,
            verdict=verdict_on(reasons),
            level=found.level or "",
            origins=list(found.origins),
            reasons=reasons,
        )

    def notes(self) -> Iterator[str]:
        """Yield what does not decide, and whoever decides should know."""
        asset = self._question.name.partition("@")[0]
        for each in self._facts.attestations("objection", asset):
            said = each.statement.predicate
            if not isinstance(said, Attestation) or said.outcome is not None:
                continue
            if not is_revoked(each.record, self._question.at_ns, self._facts):
                yield f"{', '.join(said.authors)} objects by record {each.record.hex()}"
        registration = self._facts.registration(asset)
        if registration is not None and is_revoked(registration, self._question.at_ns, self._facts):
            yield f"the registration of {asset} was taken back"

    # --- grounds

    def _ground(self, task: _Task) -> Ground:
        """Judge one right of one party in one thing."""
        asset = task.name.partition("@")[0]
        against = list(self._against_all(asset))
        holder = self._facts.holder(asset)
        if task.party is not None and task.party == holder:
            if not self._facts.is_holder_known(asset):
                against.append(Reason(code="holder-unknown", text=self._untold(asset)))
            return self._told(task, [Link(kind="holder", taker=self._did(holder))], against)
        outside = list(self._outside(task, holder))
        if outside or task.party is None:
            return self._told(task, [], against + outside)
        chain = self._best(task, task.party)
        return self._told(task, chain.links, against + chain.reasons)

    def _against_all(self, asset: str) -> Iterator[Reason]:
        """Yield what binds everybody: a freeze of the asset by its arbiter."""
        registration = self._facts.registration(asset)
        given = None if registration is None else self._facts.given(registration)
        said = None if given is None else given.statement.predicate
        if given is None or not isinstance(said, Registration) or not said.arbiter:
            return
        freeze = frozen_by(given.record, self._question.at_ns, self._facts)
        if freeze is not None:
            text = f"its arbiter froze {asset} by record {freeze.hex()}"
            yield Reason(code="frozen", text=text, record=given.record.hex())
        yield from doubts(given.record, addresses([said.arbiter]), self._facts)

    def _outside(self, task: _Task, holder: bytes | None) -> Iterator[Reason]:
        """Yield why nothing can be told of an input that its maker does not hold."""
        kind = task.source.kind
        if kind == "unknown":
            yield Reason(code="input-unknown", text=f"the log that speaks of {task.name} can't be had")
        elif kind == "unregistered" or holder is None:
            yield Reason(code="input-unregistered", text=f"{task.name} is not recorded in this ledger")
        elif kind == "declared":
            yield Reason(code="input-declared", text=f"{task.name} was named, nobody hashed it")

    def _best(self, task: _Task, party: bytes) -> Chain:
        """Give the first chain that permits it; else one that might; else why none does, or why there might
        be another.
        """
        meant = replace(self._question, party=party, right=task.right, name=task.name)
        chains: list[Chain] = []
        for given in self._facts.given_to(task.name, party):
            chain = follow(given, meant, self._facts, self._levels)
            if chain.verdict == "permitted":
                return chain
            chains.append(chain)
        nearest = sorted(chains, key=lambda chain: len(chain.reasons))
        unsure = [chain for chain in nearest if chain.verdict == "unknown"]
        doubts_ = list(self._doubts(task.name, party))
        if unsure or doubts_:
            return unsure[0] if unsure else Chain(nearest[0].links if nearest else [], doubts_)
        text = f"no grant gives {self._did(party)} anything in {task.name}"
        return nearest[0] if nearest else Chain([], [Reason(code="no-grant", text=text)])

    def _doubts(self, name: str, party: bytes) -> Iterator[Reason]:
        """Yield why the party may have what it seems not to have."""
        asset = name.partition("@")[0]
        for log in self._facts.missing_logs({*self._facts.may_give(name), party})[:1]:
            yield Reason(code="log-missing", text=f"log {log.hex()} may say more, and can't be had")
        if not self._facts.is_holder_known(asset):
            yield Reason(code="holder-unknown", text=self._untold(asset))

    # --- lineage

    def _needs(self, task: _Task) -> Iterator[_Task]:
        """Yield what rights in its inputs somebody needs, so that the party may have this one."""
        asset = task.name.partition("@")[0]
        holder = self._facts.holder(asset)
        own = holder is not None and holder == task.party
        right: Right = "use" if own and task.right != "operate" else "operate"
        for source in self._facts.sources(task.name):
            yield _Task(holder, right, source.name, task.name, source)

    # --- borders

    def _border_reasons(self, rule: BorderRule) -> Iterator[Reason]:
        """Yield what a rule that is meant has against the transfer."""
        text = rule.text or f"data from {rule.origin} outside of it"
        if rule.effect == "deny" or rule.kind is None:
            yield Reason(code="border", text=text)
            return
        if not rule.by:
            what = f"{rule.kind} {rule.topic!r}"
            yield Reason(code="border-nobody", text=f"{text}: whose {what} counts, the rules do not say")
            return
        condition, by = Condition(kind=rule.kind, topic=rule.topic), addresses(rule.by)
        asset = self._question.name.partition("@")[0]
        for each in in_force(asset, condition, self._question.at_ns, self._facts):
            if by & addresses(each.statement.predicate.authors):
                return
        missing = self._facts.missing_logs(by)
        code = "log-missing" if missing else "border"
        yield Reason(code=code, text=f"{text}: no {rule.kind} {rule.topic!r} is in force")

    # --- words

    def _told(self, task: _Task, links: list[Link], reasons: list[Reason]) -> Ground:
        return Ground(
            verdict=verdict_on(reasons),
            party="" if task.party is None else self._did(task.party),
            right=task.right,
            name=task.name,
            product=task.product,
            links=links,
            reasons=reasons,
        )

    def _untold(self, asset: str) -> str:
        return f"who holds {asset} can't be told: something was posted against it that can't be had"

    def _did(self, party: bytes) -> str:
        return format_did(self._chain_id, party)
