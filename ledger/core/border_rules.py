"""Rules for transfers of data across borders: data, not code.

A file of rules is JSON with a version of its own; the answer names both. A rule is about data from a region
that is used outside it, and of these levels; it forbids that, or demands an attestation about the asset.
Which rules a user takes is the user's choice: `border-rules.json` beside this module is what is taken where
none are given.

    {"format": "dataledger/border-rules/v1", "name": "…", "version": "2024-03-22", "source": "…",
     "rules": [{"from": "CN", "to": [], "levels": ["important"], "effect": "attest",
                "kind": "certification", "topic": "…", "by": ["did:ethr:…"], "text": "…"}]}
"""

from __future__ import annotations

import pkgutil
from collections.abc import Sequence
from functools import cache
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from ledger.core.encoding import decode_json
from ledger.core.errors import FormatError
from ledger.core.identity import parse_did
from ledger.core.record_parts import Label, Line, Text
from ledger.core.records_rights import Kind, Level, Parties, Region
from ledger.core.shapes_rights import check_regions
from ledger.core.terms import region_covers, regions_cover

FILE = "border-rules.json"
MAX_RULES = 1000


class BorderRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Data from `from`, used outside it: in one of `to` (none: anywhere). No levels: any, or none.

    `deny`, or `attest`: an attestation of this kind and topic about the asset, by one of `by`, in force.
    """

    origin: Region = field(name="from")
    to: list[Region] = field(default_factory=list)
    levels: list[Level] = field(default_factory=list)
    effect: Literal["deny", "attest"]
    kind: Kind | None = None
    topic: Label = ""
    by: Parties = field(default_factory=list)
    text: Text = ""


class BorderRules(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rules with the name and version that an answer by them gives."""

    format: Literal["dataledger/border-rules/v1"]
    name: Line
    version: Label
    source: Text = ""
    rules: Annotated[list[BorderRule], Meta(max_length=MAX_RULES)]

    def matching(self, level: Level | None, origins: Sequence[str], region: str) -> list[BorderRule]:
        """Give the rules for data of this level from these regions that is to be used in `region`.

        Where no region is named any may be, and every rule about data from there is meant.
        """
        return [
            rule
            for rule in self.rules
            if _is_of(rule, level) and _is_from(rule, origins) and _leads_out(rule, region)
        ]

    def needs_origin(self, level: Level | None) -> bool:
        """Tell whether a rule asks of classified data where it is from."""
        return level is not None and any(_is_of(rule, level) for rule in self.rules)


def parse_border_rules(data: bytes) -> BorderRules:
    """Read a file of rules; FormatError if it is none."""
    rules = decode_json(data, BorderRules, what="border rules")
    for rule in rules.rules:
        check_regions([rule.origin])
        check_regions(rule.to)
        for party in rule.by:
            parse_did(party)
        if (rule.effect == "attest") != (rule.kind is not None and bool(rule.topic)):
            raise FormatError("border rules: expected `kind` and `topic` exactly with effect attest")
    return rules


@cache
def shipped_border_rules() -> BorderRules:
    """Give the rules that come with this release."""
    data = pkgutil.get_data(__name__, FILE)
    if data is None:
        raise FormatError(f"{FILE} is missing from this installation")
    return parse_border_rules(data)


def _is_of(rule: BorderRule, level: Level | None) -> bool:
    return not rule.levels or level in rule.levels


def _is_from(rule: BorderRule, origins: Sequence[str]) -> bool:
    """Tell whether some of the data may be from where the rule is about."""
    return any(region_covers(rule.origin, each) or region_covers(each, rule.origin) for each in origins)


def _leads_out(rule: BorderRule, region: str) -> bool:
    return not region or (not region_covers(rule.origin, region) and regions_cover(rule.to, region))
