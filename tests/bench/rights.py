"""Rights on a nation's catalogue: may, settlement, recall, sync. See `market`."""

from __future__ import annotations

import json
import os
import random
import resource
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from market import PRODUCT, PURPOSES, SOURCE, market
from market_plan import ASSETS, FAMILY, MEMBERS, outsider, plan
from measure import (
    Row,
    duration,
    median_process,
    median_time,
    median_times,
    memory,
    peak_mb,
    plain,
    processor_time,
    rate,
    stopwatch,
)

from ledger.core.earnings import RightsEarnings
from ledger.core.identity import format_did
from ledger.core.instants import NANOSECONDS
from ledger.core.rights import may
from ledger.core.rights_facts import Question
from ledger.core.settlement import split_income
from ledger.index import Index
from ledger.service import Ledger
from ledger.service.syncing import fresh

ASKED = 500
MAY_S = 0.002
PROCESSOR = "the same by the processor time that it took, as on"
PROCESSOR_OF_ONE = f"{PROCESSOR} an idle core"
TOTAL = 10_000_001


def sync_market() -> list[Row]:
    """Index all of it anew: the logs of all parties, as one of them reads them."""
    with market() as folder:
        records = json.loads((folder.parent / "made.json").read_text())["records"]
        begin = processor_time()
        with Ledger.open(folder, env={}) as ledger, stopwatch() as elapsed:
            assert ledger.sync(rebuild=True).rejected == 0
        used, cores = processor_time() - begin, os.cpu_count() or 1
        workers = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**10
        what = f"sync from nothing of {ASSETS:,} assets with their rights and trade, {records:,} records"
        limits = {"must": 12_000, "limit": 29_000, "limit_note": "indexing alone"}
        return [
            rate(what, records / elapsed[0], **limits),
            rate(f"{PROCESSOR} {cores} idle cores", cores * records / used, **limits),
            memory(f"memory of that sync, {records:,} records", peak_mb() + workers, must_mb=500),
        ]


class Asking:
    """Questions about the market, as of the end of what is known."""

    def __init__(self, index: Index) -> None:
        head = index.head
        assert head is not None
        self.index = index
        self.block = head.number
        self.at_ns = (head.time_unix_s + 1) * NANOSECONDS - 1
        self.members = [index.holder(plan(number).name) for number in range(MEMBERS)]

    def did(self, party: int) -> str:
        """Give the DID of a party by its number."""
        chain_id = self.index.descriptor.chain_id
        return format_did(chain_id, self.members[party]) if party < MEMBERS else outsider(chain_id, party)

    def question(self, party: int, name: str) -> Question:
        """Ask whether a party may use an asset or version for what most grants are for."""
        return Question(self.did(party), "use", name, self.at_ns, PURPOSES[0], "CN-44")

    def answer(self, question: Question) -> str:
        """Answer as `dataledger may` does, with facts of its own."""
        return may(question, self.index.rights(self.block)).verdict


def single(asking: Asking, chance: random.Random) -> Iterator[Question]:
    """Ask about raw data, of parties that have a grant of its holder, and of others."""
    while True:
        number = chance.randrange(FAMILY, ASSETS)
        taker = plan(number).others[1] if chance.random() < 0.7 else MEMBERS + chance.randrange(20_000)
        yield asking.question(taker, plan(number).name)


def chained(asking: Asking, chance: random.Random) -> Iterator[Question]:
    """Ask about raw data, of parties at the end of a chain of two to four grants."""
    while True:
        number = chance.randrange(FAMILY, ASSETS)
        if len(plan(number).chain) > 1:
            yield asking.question(plan(number).chain[-1], plan(number).name)


def derived(asking: Asking, chance: random.Random) -> Iterator[Question]:
    """Ask about versions that were made from others' data, which were made from others' data."""
    while True:
        number = chance.randrange(FAMILY // 2, FAMILY)
        yield asking.question((plan(number).chain or plan(number).others)[-1], f"{plan(number).name}@1")


KINDS = {"a grant of its holder": single, "a chain of grants": chained, "through its lineage": derived}


def may_rows() -> list[Row]:
    """Ask at random, each question with facts of its own; then whole processes."""
    rows = []
    with market() as folder, Ledger.open(folder, env={}) as ledger:
        asking = Asking(fresh(ledger._context))
        for what, kind in KINDS.items():
            asked = _ask(asking, list(islice(kind(asking, random.Random(1)), ASKED)))
            shares = ", ".join(f"{count} {verdict}" for verdict, count in sorted(asked.verdicts.items()))
            name = f"may, {what}, {ASSETS:,} assets, p50 of {ASKED} questions ({shares})"
            rows.append(duration(name, statistics.median(asked.times), must_s=MAY_S))
            rows.append(duration(PROCESSOR_OF_ONE, statistics.median(asked.used), must_s=MAY_S))
            rows.append(plain("the same, p99", statistics.quantiles(asked.times, n=100)[98]))
        product = asking.question(0, PRODUCT)
        times = median_times(lambda: asking.answer(product))
        rows.append(plain("may, a product with a lineage of 10,000 versions", times[0]))
        number = next(n for n in range(FAMILY, ASSETS) if len(plan(n).chain) > 1)
        its = plan(number)
        command = ["may", asking.did(its.chain[-1]), "use", its.name, "--for", PURPOSES[0]]
        command += ["--region", "CN-44"]
        rows.append(plain("may, a chain of grants, whole process", _process(command, folder)))
    return rows


class Asked(NamedTuple):
    """How questions were answered, and how long each took: on the clock and on the processor."""

    verdicts: Counter[str]
    times: list[float]
    used: list[float]


def _ask(asking: Asking, questions: list[Question]) -> Asked:
    asked = Asked(Counter(), [], [])
    for question in questions:
        start, before = time.perf_counter(), time.process_time()
        verdict = asking.answer(question)
        asked.times.append(time.perf_counter() - start)
        asked.used.append(time.process_time() - before)
        asked.verdicts[verdict] += 1
    return asked


def _process(command: list[str], folder: Path) -> float:
    """Return the median time of a command; whether the answer is yes does not matter here."""
    whole = [sys.executable, "-m", "ledger_cli", *command]
    assert subprocess.run(whole, cwd=folder, check=False, capture_output=True).returncode in (0, 1)
    return median_process(["sh", "-c", '"$@" || [ $? = 1 ]', "sh", *whole], folder)


def settlement() -> list[Row]:
    """Split the income from the product with the large lineage."""
    with market() as folder, Ledger.open(folder, env={}) as ledger:
        asking = Asking(fresh(ledger._context))
        seller = asking.members.index(asking.index.holder(PRODUCT.partition("@")[0]))
        sale = Question(asking.did(seller), "operate", PRODUCT, asking.at_ns, PURPOSES[0], "CN-44")

        def settle() -> int:
            facts = asking.index.rights(asking.block)
            split = split_income(TOTAL, PRODUCT, RightsEarnings(sale, facts))
            assert not split.ungranted
            assert sum(split.payouts.values()) == TOTAL
            return len(split.payouts)

        count = settle()
        nodes = len(asking.index.lineage(PRODUCT).nodes)
        elapsed, used = median_times(settle)
        return [
            duration(
                f"settlement over a lineage of {nodes:,} versions, {count} parties", elapsed, must_s=0.5
            ),
            duration(PROCESSOR_OF_ONE, used, must_s=0.5),
        ]


def recall() -> list[Row]:
    """Find everything that derives from one bad version, and everybody who was given any of it."""
    with market() as folder, Ledger.open(folder, env={}) as ledger:
        index = fresh(ledger._context)
        found = index.recall([SOURCE])
        records = sum(len(each.given) for each in found.concerned) + len(found.public)
        what = f"recall, {len(found.affected):,} affected versions, {len(found.concerned):,} parties"
        elapsed, used = median_times(lambda: index.recall([SOURCE]), 3)
        reached = median_time(lambda: index.impact(SOURCE, limit=10**7), 3)
        return [
            duration(f"{what} by {records:,} records", elapsed, must_s=1),
            duration(PROCESSOR_OF_ONE, used, must_s=1),
            plain("the affected versions alone, by asset and holder (impact)", reached),
        ]
