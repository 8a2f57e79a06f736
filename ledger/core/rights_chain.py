"""One chain of grants, from the holder of an asset down to the party that asks: does every link hold?

Whether a grant was within its giver's rights was judged when it was anchored (`authority_rights`): one that
was not is void, and comes with the reason. What is judged here is what is asked now: every link must allow
it, and still stand. A link that goes on with more than it got, or by another than it was given to, is refused
here too, whoever the facts are from.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from ledger.core.identity import parse_did
from ledger.core.instants import instant_ns
from ledger.core.negotiation import negotiation_state
from ledger.core.records import Agreement, Grant
from ledger.core.records_rights import Condition, Terms
from ledger.core.rights_answer import Link, Reason, Verdict, verdict_on
from ledger.core.rights_facts import Given, Question, RightsFacts
from ledger.core.rights_levels import Levels
from ledger.core.rights_standing import addresses, doubts, frozen_by, fulfilled, is_revoked
from ledger.core.terms import covers, excess, giver_of, rank, regions_cover, taker_of


class Chain(Struct, frozen=True):
    """The links of a chain, from the holder on, and what speaks against it."""

    links: list[Link]
    reasons: list[Reason]

    @property
    def verdict(self) -> Verdict:
        """Permitted if nothing speaks against it."""
        return verdict_on(self.reasons)


def follow(last: Given, question: Question, facts: RightsFacts, levels: Levels) -> Chain:
    """Judge the chain whose last link this is."""
    chain = [last]
    while under := _under(chain[0]):
        parent = facts.given(under)
        if parent is None:
            break
        chain.insert(0, parent)
    if last.void:
        void = Reason(code="void", text=last.void, record=last.record.hex(), link=len(chain))
        return Chain([_link(each, []) for each in chain], [void])
    if under:
        text = f"record {under.hex()}, on which it rests, is not known"
        missing = Reason(code="grant-unknown", text=text, record=chain[0].record.hex())
        return Chain([_link(each, []) for each in chain], [missing])
    links: list[Link] = []
    reasons: list[Reason] = []
    for place, given in enumerate(chain, 1):
        above = chain[place - 2] if place > 1 else None
        met: list[str] = []
        judging = _Judging(given, above, question, facts, levels, met)
        reasons += [replace(each, record=given.record.hex(), link=place) for each in judging.reasons()]
        links.append(_link(given, met))
    return Chain(links, reasons)


class _Judging:
    """One link: what is asked, what stands above it; records that fulfil its conditions go into `met`."""

    def __init__(
        self,
        given: Given,
        above: Given | None,
        question: Question,
        facts: RightsFacts,
        levels: Levels,
        met: list[str],
    ) -> None:
        self._given, self._above, self._question = given, above, question
        self._facts, self._levels, self._met = facts, levels, met
        predicate = given.statement.predicate
        assert isinstance(predicate, Grant | Agreement)
        self._predicate = predicate
        self._terms = _terms(given)

    def reasons(self) -> Iterator[Reason]:
        """Yield what speaks against the link."""
        yield from self._placed()
        yield from self._allowed()
        yield from self._in_time()
        yield from self._standing()
        yield from self._sensitive()
        if self._question.right == "operate":
            yield from self._priced()
        for condition in self._terms.conditions:
            yield from self._met_by(condition)

    def _placed(self) -> Iterator[Reason]:
        """Does it rest on what is above it?"""
        if self._above is None:
            asset = self._question.name.partition("@")[0]
            if self._facts.held_at(asset, self._given.block) != parse_did(giver_of(self._predicate))[1]:
                yield _no("not-holder", f"{giver_of(self._predicate)} did not hold {asset}")
            return
        predicate, limits = self._above.statement.predicate, _terms(self._above)
        assert isinstance(predicate, Grant | Agreement)
        if taker_of(predicate) != giver_of(self._predicate):
            yield _no("broken-chain", f"the link above was not given to {giver_of(self._predicate)}")
        if not limits.sublicensable:
            yield _no("not-passed-on", "the link above may not be passed on")
        beyond = excess(self._given.statement, self._terms, self._above.statement, limits)
        if beyond:
            yield _no("beyond-grant", f"the link above does not reach that far: {beyond}")

    def _allowed(self) -> Iterator[Reason]:
        """Is it about this: subject, right, purpose, region?"""
        terms, asked = self._terms, self._question
        if not covers(self._given.statement.subject, asked.name) or not self._same_content():
            yield _no("subject", f"it is not about {asked.name} as it is recorded")
        if asked.right not in terms.rights:
            yield _no("right", f"it gives the right to {', '.join(terms.rights)} only")
        if terms.purposes and asked.purpose not in terms.purposes:
            yield _no("purpose", f"it is for {', '.join(terms.purposes)} only, {_asked(asked.purpose)}")
        if terms.regions and not (asked.region and regions_cover(terms.regions, asked.region)):
            yield _no("region", f"it is for {', '.join(terms.regions)} only, {_asked(asked.region)}")

    def _same_content(self) -> bool:
        """Tell whether a version that it names has the content that it names."""
        name = self._question.name
        named = [each for each in self._given.statement.subject if each.name == name and "@" in name]
        return not named or self._facts.content(name) in [*named[0].digest.items()]

    def _in_time(self) -> Iterator[Reason]:
        terms, now = self._terms, self._question.at_ns
        if terms.start and now < instant_ns(terms.start):
            yield _no("not-begun", f"it begins {terms.start}")
        if terms.until and now >= instant_ns(terms.until):
            yield _no("expired", f"it ended {terms.until}")

    def _standing(self) -> Iterator[Reason]:
        """Was it finalized, and neither taken back nor frozen?"""
        record, facts = self._given.record, self._facts
        if isinstance(self._predicate, Agreement):
            state = negotiation_state(record, facts)
            if state != "FINALIZED":
                yield _no("not-final", f"the agreement is {state}")
        if is_revoked(record, self._question.at_ns, facts):
            yield _no("revoked", "it was taken back")
        freeze = frozen_by(record, self._question.at_ns, facts)
        if freeze is not None:
            yield _no("frozen", f"its arbiter froze it by record {freeze.hex()}")
        yield from doubts(record, self._who_might_end_it(), facts)

    def _who_might_end_it(self) -> set[bytes]:
        """Give its authors and its arbiter, and of the first link whoever held what it is about."""
        parties = addresses(self._predicate.authors)
        if self._terms.arbiter:
            parties.add(parse_did(self._terms.arbiter)[1])
        if not self._predicate.under:
            for each in self._given.statement.subject:
                parties.update(self._facts.holders(each.name.partition("@")[0]))
        return parties

    def _sensitive(self) -> Iterator[Reason]:
        limit = self._terms.level
        if limit is None:
            return
        found = self._levels.of(self._question.name)
        if rank(found.level) > rank(limit):
            yield _no("level", f"it is for {limit} data at most, this is {found.level}")
        elif found.doubt:
            yield Reason(code="log-missing", text=f"how sensitive it is can't be told: {found.doubt}")

    def _priced(self) -> Iterator[Reason]:
        """May this be asked for it?"""
        price, cap, asked = self._question.price, self._terms.price_cap, self._question.purpose
        if price is None or not price.amount:
            return
        if self._terms.free_for and (not asked or asked in self._terms.free_for):
            yield _no("free-purpose", f"nothing may be asked for {', '.join(self._terms.free_for)}")
        if cap is None:
            return
        if cap.currency != price.currency:
            yield Reason(code="currency", text=f"the cap is in {cap.currency}, the price in {price.currency}")
        elif price.amount > cap.amount:
            yield _no("price", f"at most {cap.amount} minor units of {cap.currency} may be asked for a unit")

    def _met_by(self, condition: Condition) -> Iterator[Reason]:
        """Was what it demands attested?"""
        by = addresses(condition.by) or self._takers()
        found = fulfilled(condition, by, self._given, self._question, self._facts)
        if found is not None:
            if found.record != self._given.record:
                self._met.append(found.record.hex())
            return
        often = f" every {condition.every_days} days" if condition.every_days else ""
        text = f"it demands {condition.kind} {condition.topic!r}{often}, which nobody who could attested"
        missing = self._facts.missing_logs(by)
        if missing:
            text = f"{text}; log {missing[0].hex()} can't be had"
        yield Reason(code="log-missing", text=text) if missing else _no("condition", text)

    def _takers(self) -> set[bytes]:
        taker = taker_of(self._predicate)
        return {parse_did(taker)[1]} if taker else {self._question.party}


def _under(given: Given) -> bytes:
    predicate = given.statement.predicate
    return bytes.fromhex(predicate.under) if isinstance(predicate, Grant | Agreement) else b""


def _terms(given: Given) -> Terms:
    predicate = given.statement.predicate
    terms = predicate.terms if isinstance(predicate, Grant | Agreement) else None
    assert terms is not None
    return terms


def _link(given: Given, met: list[str]) -> Link:
    predicate, terms = given.statement.predicate, _terms(given)
    assert isinstance(predicate, Grant | Agreement)
    return Link(
        kind="grant" if isinstance(predicate, Grant) else "agreement",
        taker=taker_of(predicate),
        giver=giver_of(predicate),
        record=given.record.hex(),
        block=given.block,
        until=terms.until,
        share_bps=terms.share_bps,
        price_cap=terms.price_cap,
        free_for=terms.free_for,
        met=met,
    )


def _no(code: str, text: str) -> Reason:
    return Reason(code=code, text=text)


def _asked(what: str) -> str:
    return f"not for {what}" if what else "and none was named"
