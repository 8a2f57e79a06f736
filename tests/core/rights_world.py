"""A small world of rights in dictionaries, for the tests of the engine, and an engine written otherwise.

`may_naively` answers the same questions as `ledger.core.rights.may` from the prose of its modules: by plain
recursion, without sharing any of its code, in time exponential in the lineage. It gives the verdict alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ledger.core.records_rights import Terms
from ledger.core.rights_facts import Attested, Given, Question, Span

SECOND = 10**9
DAY = 86_400 * SECOND
LEVELS = {None: 0, "general": 1, "important": 2, "core": 3}


class RightsWorld:
    """Facts, and methods that add to them. Time is counted in seconds from 1970, grants in the order made."""

    def __init__(self) -> None:
        self.holders: dict[str, list[tuple[int, str]]] = {}
        self.freezes: dict[str, list[Span]] = {}
        self.given_by: dict[str, Given] = {}
        self.said: list[Attested] = []
        self.made: dict[str, list[str]] = {}
        self.missing: dict[str, list[str]] = {}
        self.unread: dict[tuple[str, str], list[str]] = {}
        self.unknown: dict[str, str] = {}
        """Inputs of which nothing is known -> whose they would be."""

    # facts

    def holder(self, asset: str, at_ns: int) -> str | None:
        held = [party for since, party in self.holders.get(asset, []) if since <= at_ns]
        return held[-1] if held else None

    def frozen(self, asset: str) -> Sequence[Span]:
        return self.freezes.get(asset, [])

    def grants(self, asset: str, party: str) -> Iterable[Given]:
        return [g for g in self.given_by.values() if any(n.split("@")[0] == asset for n in g.names)]

    def given(self, record: str) -> Given | None:
        return self.given_by.get(record)

    def attestations(self, asset: str) -> Iterable[Attested]:
        return [each for each in self.said if any(n.split("@")[0] == asset for n in each.names)]

    def inputs(self, name: str) -> Iterable[str]:
        if "@" in name:
            return self.made.get(name, [])
        return [s for node, sources in self.made.items() if node.split("@")[0] == name for s in sources]

    def unproven(self, name: str, maker: str) -> str:
        return "" if name not in self.unknown or self.unknown[name] == maker else "nobody recorded it"

    def doubts(self, asset: str) -> Iterable[str]:
        return self.missing.get(asset, [])

    def hidden(self, asset: str, party: str) -> Iterable[str]:
        return self.unread.get((asset, party), [])

    # telling

    def hold(self, asset: str, party: str, since_s: int = 0) -> None:
        self.holders.setdefault(asset, []).append((since_s * SECOND, party))

    def give(
        self, giver: str, taker: str, *names: str, under: str = "", since_s: int = 10, **more: Any
    ) -> str:
        fields = {"rejected", "revoked_ns", "frozen", "doubt", "order"} & more.keys()
        other = {field: more.pop(field) for field in fields}
        record = f"g{len(self.given_by)}"
        order = other.pop("order", (since_s, "log", len(self.given_by)))
        terms = Terms(**({"rights": ["use"]} | more))
        self.given_by[record] = Given(
            record=record, giver=giver, taker=taker, names=names, terms=terms, under=under, order=order,
            since_ns=since_s * SECOND, **other,
        )  # fmt: skip
        return record

    def attest(
        self, kind: Any, *names: str, by: str, since_s: int = 10, until_s: int | None = None, **more: Any
    ) -> None:
        until_ns = None if until_s is None else until_s * SECOND
        self.said.append(
            Attested(
                record=f"a{len(self.said)}", kind=kind, authors=tuple(by.split()), names=names,
                order=(since_s, "log", len(self.said)), anchored_ns=since_s * SECOND,
                span=Span(since_s * SECOND, until_ns), **more,
            )
        )  # fmt: skip


def time_of(text: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp() * SECOND


def may_naively(q: Question, w: RightsWorld) -> str:
    """The verdict, without a rule list."""
    verdicts = [part_naively(q, w)]
    todo = [(q.name, node) for node in w.inputs(q.name)]
    seen_paths = 0
    trail = [[q.name, node] for node in w.inputs(q.name)]
    while trail:
        path = trail.pop()
        seen_paths += 1
        node, source = path[-2], path[-1]
        maker, owner = w.holder(node.split("@")[0], q.at_ns), w.holder(source.split("@")[0], q.at_ns)
        if source in path[:-1]:
            verdicts.append("unknown")
            continue
        if w.unproven(source, maker or ""):
            verdicts.append("unknown")
        elif maker is not None:
            asset = source.split("@")[0]
            if maker != owner or w.missing.get(asset) or is_frozen(w.freezes.get(asset, []), q.at_ns):
                right = "use" if maker == q.party and q.right in ("use", "hold") else "operate"
                verdicts.append(part_naively(Question(maker, right, source, q.at_ns, q.purpose, q.region), w))
        trail += [[*path, below] for below in w.inputs(source)]
    assert seen_paths >= len(todo)
    return "denied" if "denied" in verdicts else "unknown" if "unknown" in verdicts else "permitted"


def is_frozen(spans: Sequence[Span], at_ns: int) -> bool:
    return any(s.start_ns <= at_ns and (s.until_ns is None or s.until_ns > at_ns) for s in spans)


def part_naively(q: Question, w: RightsWorld) -> str:
    verdict = what_is_known_naively(q, w)
    hidden = w.unread.get((q.name.split("@")[0], q.party))
    frozen = is_frozen(w.freezes.get(q.name.split("@")[0], []), q.at_ns)
    return "unknown" if hidden and verdict == "denied" and not frozen else verdict


def what_is_known_naively(q: Question, w: RightsWorld) -> str:
    asset = q.name.split("@")[0]
    if is_frozen(w.freezes.get(asset, []), q.at_ns):
        return "denied"
    if w.missing.get(asset):
        return "unknown"
    holder = w.holder(asset, q.at_ns)
    if holder is None:
        return "denied"
    if holder == q.party:
        return "permitted"
    verdicts = {
        grant_naively(g, q, w)
        for g in w.given_by.values()
        if g.taker in ("", q.party) and (q.name in g.names or asset in g.names)
    }
    return "permitted" if "permitted" in verdicts else "unknown" if "unknown" in verdicts else "denied"


def is_there_naively(region: str, regions: Sequence[str]) -> bool:
    return not regions or (region != "" and any(in_region(region, each) for each in regions))


def grant_naively(g: Given, q: Question, w: RightsWorld, depth: int = 0) -> str:
    """A grant holds if it is good itself, within the one above, and the one above holds."""
    t = g.terms
    no = [
        g.rejected != "",
        q.at_ns < g.since_ns,
        t.start != "" and q.at_ns < time_of(t.start),
        t.until != "" and q.at_ns >= time_of(t.until),
        g.revoked_ns is not None and g.revoked_ns <= q.at_ns,
        is_frozen(g.frozen, q.at_ns),
        q.right not in t.rights,
        t.purposes != [] and q.purpose != "" and q.purpose not in t.purposes,
        t.regions != [] and q.region != "" and not any(in_region(q.region, r) for r in t.regions),
        depth > 20,
    ]
    dunno = [
        g.doubt != "",
        t.purposes != [] and q.purpose == "",
        t.regions != [] and q.region == "",
    ]
    if t.level is not None:
        level, is_sure = level_naively(q.name, q.at_ns, w)
        no.append(level > LEVELS[t.level])
        dunno.append(not is_sure)
    for c in t.conditions:
        by = c.by or [g.taker or q.party]
        ages = [
            q.at_ns - a.anchored_ns
            for a in w.said
            if a.kind == c.kind and a.topic == c.topic and not a.failed and set(a.authors) & set(by)
            if (q.name in a.names or q.name.split("@")[0] in a.names) and a.anchored_ns <= q.at_ns
            if is_frozen([a.span], q.at_ns)
            if a.kind != "consent" or (q.purpose in a.purposes and is_there_naively(q.region, a.regions))
        ]
        if c.every_days is None:
            is_missing = not ages
        else:
            is_missing = min([*ages, q.at_ns - g.since_ns]) > c.every_days * DAY
        may_be_there = any(w.unread.get((q.name.partition("@")[0], each)) for each in by)
        (dunno if may_be_there else no).append(is_missing)
    above = "permitted"
    if g.under:
        parent = w.given_by.get(g.under)
        if parent is None:
            dunno.append(True)
        else:
            no.append(not within(g, parent))
            above = grant_naively(parent, q, w, depth + 1) if depth < 20 else "denied"
    if any(no) or above == "denied":
        return "denied"
    return "unknown" if any(dunno) or above == "unknown" else "permitted"


def in_region(inner: str, outer: str) -> bool:
    return inner == outer or inner[: len(outer) + 1] == outer + "-"


def within(g: Given, p: Given) -> bool:
    mine, its = g.terms, p.terms
    return (
        p.taker == g.giver
        and its.sublicensable
        and all({n, n.partition("@")[0]} & set(p.names) for n in g.names)
        and set(mine.rights) <= set(its.rights)
        and (not its.purposes or (mine.purposes != [] and set(mine.purposes) <= set(its.purposes)))
        and (
            not its.regions
            or (mine.regions != [] and all(any(in_region(r, o) for o in its.regions) for r in mine.regions))
        )
        and (its.level is None or 0 < LEVELS[mine.level] <= LEVELS[its.level])
        and (its.until == "" or (mine.until != "" and time_of(mine.until) <= time_of(its.until)))
        and (its.start == "" or mine.start == "" or time_of(mine.start) >= time_of(its.start))
    )


def level_naively(name: str, at_ns: int, w: RightsWorld) -> tuple[int, bool]:
    """The level, and whether nothing in it is unclassified."""
    level, is_sure, _ = level_and_last_word(name, at_ns, w, ())
    return level, is_sure


def level_and_last_word(
    name: str, at_ns: int, w: RightsWorld, path: tuple[str, ...]
) -> tuple[int, bool, tuple[int, str, int]]:
    """And the order of the last that was said of it or of anything in it."""
    if name in path:
        return 0, True, (-1, "", 0)
    asset = name.split("@", maxsplit=1)[0]
    told = [
        a for a in w.said
        if a.kind == "classification" and a.anchored_ns <= at_ns and is_frozen([a.span], at_ns)
        if name in a.names or asset in a.names
    ]  # fmt: skip
    told.sort(key=lambda a: a.order)
    own = [a for a in told if w.holder(asset, a.anchored_ns) in a.authors]
    on_asset = [LEVELS[a.level] for a in own if asset in a.names]
    on_version = [LEVELS[a.level] for a in own if name in a.names]
    levels = [*on_asset[-1:], *on_version[-1:]]
    sources = set(w.inputs(name)) - {name, *path}
    is_sure = bool(own) or bool(sources)
    last = [(-1, "", 0), *(a.order for a in own)]
    for source in sources:
        level, known, said = level_and_last_word(source, at_ns, w, (*path, name))
        last.append(said)
        signed = [a for a in told if w.holder(source.split("@")[0], a.anchored_ns) in a.authors]
        signed = [a for a in signed if name in a.names and a.order > said]
        if signed:
            level = min(level or 3, LEVELS[signed[-1].level])
        else:
            is_sure = is_sure and known
        levels.append(level)
    return max(levels, default=0), is_sure, max(last)
