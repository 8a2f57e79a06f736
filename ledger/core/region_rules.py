"""Which data may cross which border: lists of rules, which are data and not code.

A list is a JSON file with a version of its own; an answer names the list, its version and the SHA-256 of its
bytes. Rules are tried from the first to the last, and the first one that fits counts. Data that stays in its
country crosses no border. Where no rule fits, the list does not say, which is no yes.

    {"format": "dataledger/region-rules/v1", "name": "export", "version": "2",
     "effective": "2025-01-01T00:00:00Z",
     "rules": [{"from": ["CN"], "levels": ["core"], "verdict": "denied", "why": "core data stays"},
               {"from": ["CN"], "to": ["SG"], "levels": ["important"], "verdict": "needs", "why": "...",
                "needs": {"kind": "certification", "topic": "export", "by": ["did:ethr:..."]}},
               {"verdict": "permitted", "levels": ["general"], "why": "everything else"}]}
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct, field

from ledger.core.encoding import decode_json
from ledger.core.errors import FormatError
from ledger.core.hashing import sha256
from ledger.core.identity import parse_did
from ledger.core.instants import instant_ns
from ledger.core.record_parts import Time
from ledger.core.records_rights import Condition, Level, Region
from ledger.core.terms import region_covers, regions_cover
from ledger.core.text import check_line

MAX_RULES_BYTES: Final = 1 << 20
"""Most bytes of a rule list."""

_Word = Annotated[str, Meta(min_length=1, max_length=128)]


class BorderRule(Struct, frozen=True, forbid_unknown_fields=True):
    """For data from one of these regions, to one of these, of one of these levels; an empty list means all.

    `unclassified` is the level of data in which something is that nobody classified.
    """

    verdict: Literal["permitted", "denied", "needs"]
    why: Annotated[str, Meta(min_length=1, max_length=2048)]
    from_: list[Region] = field(default_factory=list, name="from")
    to: list[Region] = field(default_factory=list)
    levels: list[Level | Literal["unclassified"]] = field(default_factory=list)
    needs: Condition | None = None


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    format: Literal["dataledger/region-rules/v1"]
    name: _Word
    version: _Word
    effective: Time
    rules: Annotated[list[BorderRule], Meta(min_length=1, max_length=10_000)]


class RegionRules(Struct, frozen=True):
    """A rule list; it counts from `effective_ns`. `digest` is the SHA-256 of its bytes in hex."""

    name: str
    version: str
    effective_ns: int
    rules: tuple[BorderRule, ...]
    digest: str

    def __str__(self) -> str:
        """Name the list as answers do."""
        return f"{self.name} version {self.version} (sha256:{self.digest})"


def parse_region_rules(data: bytes) -> RegionRules:
    """Read a rule list of at most 2^20 bytes; anything else raises FormatError."""
    file = decode_json(data, _File, what="region rules", max_bytes=MAX_RULES_BYTES)
    for text in (file.name, file.version, *(rule.why for rule in file.rules)):
        check_line(text, what="region rules", limit=2048)
    for rule in file.rules:
        _check(rule)
    return RegionRules(
        file.name, file.version, instant_ns(file.effective), tuple(file.rules), sha256(data).hex()
    )


def _check(rule: BorderRule) -> None:
    if (rule.verdict == "needs") != (rule.needs is not None):
        raise FormatError("region rules: expected `needs` exactly with the verdict needs")
    if rule.needs is not None:
        if not rule.needs.by:
            raise FormatError("region rules: expected `by`, whose word is enough to cross a border")
        for party in rule.needs.by:
            parse_did(party)


def select_rules(lists: Iterable[RegionRules], at_ns: int) -> RegionRules | None:
    """Choose the list in force at a moment: the last that became effective, of two the greater digest."""
    return max(
        (each for each in lists if each.effective_ns <= at_ns),
        key=lambda each: (each.effective_ns, each.digest),
        default=None,
    )


def is_border(origin: str, target: str) -> bool:
    """Tell whether two regions lie in different countries."""
    return origin[:2] != target[:2]


def find_rule(rules: RegionRules, origin: str, target: str, level: str) -> BorderRule | None:
    """Find the rule for data of a level (`unclassified` too) on its way from one region to another.

    None if none fits, and if a rule before the one that fits is about a part of these regions alone, and may
    be the one that counts. Where both deny, that does not matter.
    """
    is_partly_ruled = is_denied_in_part = False
    for rule in rules.rules:
        if rule.levels and level not in rule.levels:
            continue
        if regions_cover(rule.from_, origin) and regions_cover(rule.to, target):
            is_certain = not is_partly_ruled and (not is_denied_in_part or rule.verdict == "denied")
            return rule if is_certain else None
        if _touches(rule.from_, origin) and _touches(rule.to, target):
            is_denied_in_part |= rule.verdict == "denied"
            is_partly_ruled |= rule.verdict != "denied"
    return None


def _touches(regions: list[Region], region: str) -> bool:
    """Tell whether one of these lies in a region, or contains it."""
    return regions_cover(regions, region) or any(region_covers(region, each) for each in regions)
