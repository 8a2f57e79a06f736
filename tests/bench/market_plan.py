"""What belongs to an asset of the market, by its number: pure, so that whoever asks knows what was said."""

from __future__ import annotations

import os
import random
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

from ledger.core.identity import format_did

ASSETS = int(os.environ.get("DATALEDGER_BENCH_ASSETS", "17000"))
MEMBERS = 16
OUTSIDERS = 20_000
"""Parties that are given rights and say nothing themselves."""
FAMILY = max(ASSETS * 100 // 340, 2) + 1
"""The first assets: their versions derive from that of asset 0."""
GROUP = 50
TIERS = (5600, 2800, 1200, 360, 39, 1)
"""Versions in each tier of the large lineage, raw data first: 10,000 in all."""


class Plan(NamedTuple):
    """What is said of an asset. Parties are numbers: members, then outsiders; -1 is everybody."""

    name: str
    chain: tuple[int, ...]
    others: tuple[int, ...]
    buyer: int | None
    lapsed: bool
    bound: bool
    certified: bool
    level: bool
    is_revoked: bool
    stepwise: bool


@lru_cache(maxsize=ASSETS)
def plan(number: int) -> Plan:
    """Say what belongs to an asset: half of them have a chain of grants, all two or so beside it."""
    chance = random.Random(number)
    held = holder_of(number)
    depth = chance.choices((0, 1, 2, 3, 4), (50, 20, 15, 10, 5))[0]
    links = chance.sample([each for each in range(MEMBERS) if each != held], max(depth - 1, 0))
    chain = (*links, MEMBERS + chance.randrange(OUTSIDERS)) if depth else ()
    others = tuple(MEMBERS + chance.randrange(OUTSIDERS) for _ in range(2))
    bound = depth > 0 and chance.random() < 0.1
    buyer = (held + 1 + number // MEMBERS % (MEMBERS - 1)) % MEMBERS
    return Plan(
        name=name_of(number),
        chain=chain,
        others=(-1, others[0]) if number % 50 == 7 else others,
        buyer=buyer if number % 5 < 3 else None,
        lapsed=number % 10 == 9,
        bound=bound,
        certified=bound and chance.random() < 0.8,
        level=chance.random() < 0.1,
        is_revoked=depth > 0 and number % 150 == 11,
        stepwise=number % 50 == 1,
    )


def holder_of(number: int) -> int:
    """Say which member holds an asset."""
    return number % MEMBERS


def name_of(number: int) -> str:
    """Name an asset."""
    return f"m{holder_of(number):02}/a{number:06}"


def parents_of(number: int) -> list[int]:
    """Give what a version of the family was made from: up to three of far lower numbers."""
    low = (number - 1) // (GROUP * MEMBERS) * 8
    return sorted({low, *(min(low + step, max(low, number - MEMBERS * GROUP)) for step in (1, 2))})


def outsider(chain_id: int, party: int) -> str:
    """Give the DID of a party that has no log."""
    return format_did(chain_id, sha256(b"outsider %d" % party).digest()[:20])


def tier_assets(tier: int) -> list[str]:
    """Name the assets of a tier, each held by another member; the last tier is one product."""
    count = 3 if tier < len(TIERS) - 1 else 1
    return [f"m{(3 * tier + at) % MEMBERS:02}/t{tier}-{at}" for at in range(count)]


def tier_sources(tier: int, name: str) -> list[tuple[int, list[tuple[str, int]]]]:
    """Say what each version of an asset of a tier was made from, if from anything: (number, sources).

    Raw data grows from its own last version, ten times in a row; all else is made from an equal part of the
    tier below, which is spread over its three assets.
    """
    position = int(name.rpartition("-")[2])
    made = []
    for number, index in enumerate(range(position, TIERS[tier], 3), 1):
        if tier == 0:
            sources = [(name, number - 1)] if number % 10 != 1 else []
        else:
            below = TIERS[tier - 1]
            part = range(index * below // TIERS[tier], (index + 1) * below // TIERS[tier] + 1)
            sources = [version_of(tier - 1, each) for each in part if each < below]
        if sources:
            made.append((number, sources))
    return made


def version_of(tier: int, index: int) -> tuple[str, int]:
    """Name version `index` of a tier: asset and number."""
    assets = tier_assets(tier)
    return assets[index % len(assets)], index // len(assets) + 1
