"""What terms allow, and whether terms give more than the terms that they rest on.

Regions lie in one another by their codes: CN covers CN-44. Nothing here knows parties, chains or time of day.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from ledger.core.instants import instant_ns
from ledger.core.records import Agreement, Grant, Predicate, Statement
from ledger.core.records_rights import LEVELS, Level, Terms

MAX_LINKS: Final = 64
"""Most grants and agreements of a chain: whoever asks, and every index, goes through all of it."""


class Gift(NamedTuple):
    """Terms, and the names of the assets and versions that they are about."""

    names: Collection[str]
    terms: Terms


def gift_of(statement: Statement, terms: Terms) -> Gift:
    """Give what a grant or agreement with these terms gives."""
    return Gift([each.name for each in statement.subject], terms)


def terms_of(predicate: Predicate) -> Terms | None:
    """Give the terms of a grant, or of the step of an agreement that binds both; None for all else."""
    if isinstance(predicate, Grant):
        return predicate.terms
    if isinstance(predicate, Agreement) and predicate.state in ("AGREED", "FINALIZED"):
        return predicate.terms
    return None


def giver_of(predicate: Grant | Agreement) -> str:
    """Give the party (DID) that gives rights."""
    return predicate.grantor if isinstance(predicate, Grant) else predicate.provider


def taker_of(predicate: Grant | Agreement) -> str:
    """Give the party (DID) that is given rights, empty for everybody."""
    return predicate.grantee if isinstance(predicate, Grant) else predicate.consumer


def region_covers(outer: str, inner: str) -> bool:
    """Tell whether a region is another, or contains it."""
    return outer == inner or inner.startswith(f"{outer}-")


def regions_cover(outer: Sequence[str], inner: str) -> bool:
    """Tell whether a region lies in one of these; no regions at all do not limit."""
    return not outer or any(region_covers(each, inner) for each in outer)


def rank(level: Level | None) -> int:
    """Give a level as a number: 0 if there is none, then from the mildest up."""
    return 0 if level is None else 1 + LEVELS.index(level)


def covers(names: Collection[str], name: str) -> bool:
    """Tell whether this asset or version is among the names; an asset covers all of its versions."""
    return name in names or name.partition("@")[0] in names


def link_fault(giver: str, given: Gift, parent_taker: str, parent: Gift) -> tuple[str, str] | None:
    """Say why `giver` could not give this under what `parent_taker` was given: reason and particulars."""
    if parent_taker != giver:
        return "not-grantee", f"it gives {giver} nothing"
    if not parent.terms.sublicensable:
        return "not-sublicensable", "it may not be passed on"
    beyond = excess(given, parent)
    return ("beyond-grant", f"it does not reach that far: {beyond}") if beyond else None


def excess(given: Gift, parent: Gift) -> str:
    """Say in what terms go beyond those of the parent, each for their subject; empty if in nothing.

    Caps, free purposes and conditions need not be said again: they go on binding whoever comes after.
    """
    terms, limits = given.terms, parent.terms
    for name in given.names:
        if not covers(parent.names, name):
            return f"subject {name}"
    for right in terms.rights:
        if right not in limits.rights:
            return f"right {right}"
    if limits.purposes and not (terms.purposes and set(terms.purposes) <= set(limits.purposes)):
        return f"purpose, which is only {', '.join(limits.purposes)}"
    if limits.regions and not (
        terms.regions and all(regions_cover(limits.regions, each) for each in terms.regions)
    ):
        return f"region, which is only {', '.join(limits.regions)}"
    if limits.level is not None and not 0 < rank(terms.level) <= rank(limits.level):
        return f"level, which is only {limits.level}"
    return _excess_of_time(terms, limits)


def _excess_of_time(terms: Terms, limits: Terms) -> str:
    if limits.until and not (terms.until and instant_ns(terms.until) <= instant_ns(limits.until)):
        return f"term, which ends {limits.until}"
    if limits.start and terms.start and instant_ns(terms.start) < instant_ns(limits.start):
        return f"term, which begins {limits.start}"
    return ""
