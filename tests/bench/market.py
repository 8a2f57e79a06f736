"""A nation's public data catalogue and the trade in it, made for real: sixteen parties with keys and logs of
their own, signed records, anchors, revocations posted on chain.

At full scale (DATALEDGER_BENCH_ASSETS=340000) a million grants and two million transactions: agreements,
deliveries, acknowledgements. Grants come in chains of up to four, some lapsed, taken back, or bound to
a certificate or a level. One version is what 100,000 others derive from, and one product has a lineage of
10,000 versions in six tiers, each held by three parties that have shares in what is made of it. Whatever
belongs to an asset follows from its number (`market_plan`), so that questions about it can be told as well.

It is kept in the folder that DATALEDGER_BENCH names, or made anew. The first party follows all others.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from market_party import Member
from market_plan import (
    ASSETS,
    FAMILY,
    GROUP,
    MEMBERS,
    TIERS,
    Plan,
    holder_of,
    outsider,
    parents_of,
    plan,
    tier_assets,
    tier_sources,
)

from ledger.core.records import (
    Activity,
    Agreement,
    Attestation,
    Component,
    Delivery,
    Edge,
    Grant,
    Registration,
    Version,
)
from ledger.core.records_rights import Condition, Money, Terms
from ledger.service.logs import Logs
from ledger.service.syncing import sync
from ledger.store.config import Followed

UNTIL, LAPSED = "2036-01-01T00:00:00Z", "2026-01-02T00:00:00Z"
PURPOSES = ["risk-pricing", "research", "navigation"]
PRODUCT = f"{tier_assets(len(TIERS) - 1)[0]}@1"
SOURCE = "m00/a000000@1"
"""What the whole family derives from."""


class Market:
    """Says, round by round, what the parties say; a round rests on what the rounds before it anchored."""

    def __init__(self, members: list[Member]) -> None:
        self.members = members
        self.first: dict[int, str] = {}
        self.given: dict[int, str] = {}
        self.agreed: dict[int, str] = {}
        self.last_step: dict[int, str] = {}

    def make(self) -> int:
        """Do everything and return the number of records."""
        rounds = [self.catalogue, self.tiers, self.derivations, self.root_grants, self.tier_grants]
        rounds += [self.passed_on(depth) for depth in (1, 2, 3)]
        rounds += [self.agreements, self.verified, self.finalized, self.deliveries, self.acknowledgements]
        for each in [*rounds, self.revocations]:
            each()
            for member in self.members:
                member.anchor()
            records = sum(member.size for member in self.members)
            print(f"\rmade {records:,} records", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
        return records

    def holder(self, number: int) -> Member:
        """Give who holds asset `number`."""
        return self.members[holder_of(number)]

    # --- data

    def catalogue(self) -> None:
        """Register every asset with its first version, and attest what some grants demand."""
        auditor = self.members[-1]
        for number in range(ASSETS):
            member, its = self.holder(number), plan(number)
            member.say([member.asset(its.name)], Registration, title=f"Data set {number}", license="by grant")
            member.say([member.version(its.name, 1)], Version, number=1, size=number)
            if its.level:
                member.say([member.asset(its.name)], Attestation, kind="classification", level="general")
            if its.certified:
                auditor.say([auditor.asset(its.name)], Attestation, kind="certification", topic="iso-27001")

    def tiers(self) -> None:
        """Register the assets of the large lineage, with all of their versions."""
        for tier, size in enumerate(TIERS):
            for position, name in enumerate(tier_assets(tier)):
                member = self.by_name(name)
                member.say([member.asset(name)], Registration, title=f"Tier {tier}")
                previous: dict[str, str] = {}
                for number in range(1, len(range(position, size, 3)) + 1):
                    record = member.say([member.version(name, number)], Version, number=number, **previous)
                    previous = {"previous": record}

    def derivations(self) -> None:
        """Say what was made from what: the family of the source, and the large lineage."""
        for first in range(1, FAMILY, GROUP * MEMBERS):
            for held in range(MEMBERS):
                outputs = [
                    n for n in range(first, min(first + GROUP * MEMBERS, FAMILY)) if holder_of(n) == held
                ]
                if outputs:
                    self._derive(f"family-{outputs[0]}", outputs, parents_of(outputs[0]))
        for tier in range(len(TIERS)):
            for name in tier_assets(tier):
                self._tier_runs(tier, name)

    def _derive(self, run: str, outputs: list[int], parents: list[int]) -> None:
        member = self.holder(outputs[0])
        member.say(
            [member.version(plan(n).name, 1) for n in outputs],
            Activity,
            run_id=run,
            component=Component("bench"),
            outcome="completed",
            inputs=[member.version(plan(n).name, 1) for n in parents],
            edges=[Edge(o, i, 2) for o in range(len(outputs)) for i in range(len(parents))],
        )

    def _tier_runs(self, tier: int, name: str) -> None:
        member, made = self.by_name(name), tier_sources(tier, name)
        for first in range(0, len(made), GROUP):
            part = made[first : first + GROUP]
            inputs = {source: None for _, sources in part for source in sources}
            at = {source: position for position, source in enumerate(inputs)}
            member.say(
                [member.version(name, number) for number, _ in part],
                Activity,
                run_id=f"{name}-{first}",
                component=Component("bench"),
                outcome="completed",
                inputs=[member.version(asset, number) for asset, number in inputs],
                edges=[Edge(o, at[s], 2) for o, (_, sources) in enumerate(part) for s in sources],
            )

    # --- rights

    def root_grants(self) -> None:
        """Grant what holders grant: the first link of each chain, and single grants beside it."""
        for number in range(ASSETS):
            member, its = self.holder(number), plan(number)
            subject = [member.asset(its.name)]
            if its.chain:
                self.given[number] = self._link(member, its, 0, "")
                if its.is_revoked:
                    self.first[number] = self.given[number]
            for at, taker in enumerate(its.others):
                terms = Terms(
                    rights=["use"], purposes=PURPOSES[: at + 1], until=LAPSED if its.lapsed else UNTIL
                )
                member.say(subject, Grant, grantor=member.did, terms=terms, grantee=self.did(taker))
        for first in range(1, FAMILY, GROUP * MEMBERS):
            for made in range(first, min(first + MEMBERS, FAMILY)):
                for parent in parents_of(made):
                    self._let_operate(self.holder(parent), plan(parent).name, self.holder(made))

    def passed_on(self, depth: int) -> Callable[[], None]:
        """Return the round in which those who may pass on their rights do so."""

        def say() -> None:
            for number in [n for n in self.given if len(plan(n).chain) > depth]:
                its = plan(number)
                giver = self.members[its.chain[depth - 1]]
                self.given[number] = self._link(giver, its, depth, self.given[number])

        return say

    def _link(self, giver: Member, its: Plan, depth: int, under: str) -> str:
        """Grant link `depth` of an asset's chain: narrower from link to link."""
        last = depth == len(its.chain) - 1
        terms = Terms(
            rights=["use"] if last else ["use", "operate"],
            purposes=PURPOSES[: 1 if last else 3],
            regions=["CN-44" if depth else "CN"],
            until=LAPSED if its.lapsed and last else UNTIL,
            level="important" if its.level else None,
            share_bps=500,
            sublicensable=not last,
            conditions=[Condition("certification", "iso-27001", [self.members[-1].did])] if its.bound else [],
        )
        taker = self.did(its.chain[depth])
        return giver.say(
            [giver.asset(its.name)], Grant, grantor=giver.did, terms=terms, grantee=taker, under=under
        )

    def tier_grants(self) -> None:
        """Let the parties of each tier make what they make of the tier below, for shares."""
        for tier in range(1, len(TIERS)):
            for made in tier_assets(tier):
                for at, used in enumerate(tier_assets(tier - 1)):
                    self._let_operate(self.by_name(used), used, self.by_name(made), share=300 + 100 * at)

    def _let_operate(self, giver: Member, asset: str, taker: Member, *, share: int = 100) -> None:
        if giver is not taker:
            terms = Terms(rights=["use", "operate"], until=UNTIL, share_bps=share)
            giver.say([giver.asset(asset)], Grant, grantor=giver.did, terms=terms, grantee=taker.did)

    def revocations(self) -> None:
        """Take the first link of some chains back, and post that."""
        for number, record in self.first.items():
            holder = self.holder(number)
            holder.take_back([holder.asset(plan(number).name)], record)

    # --- trade

    def agreements(self) -> None:
        """Agree, both sides signing: most at once, some step by step."""
        for number in range(ASSETS):
            its = plan(number)
            if its.buyer is not None:
                state = "AGREED" if its.stepwise else "FINALIZED"
                terms = Terms(rights=["use"], purposes=PURPOSES, until=UNTIL)
                price = {"unit": "row", "unit_price": Money("CNY", 2)}
                self.agreed[number] = self._step(number, state, terms=terms, **price)

    def verified(self) -> None:
        """Take the second step of the stepwise ones."""
        self._steps("VERIFIED")

    def finalized(self) -> None:
        """Take the last step."""
        self._steps("FINALIZED")

    def _steps(self, state: str) -> None:
        for number, record in self.agreed.items():
            if plan(number).stepwise:
                before = self.last_step.get(number, record)
                self.last_step[number] = self._step(number, state, previous=before)

    def _step(self, number: int, state: str, **said: object) -> str:
        its, provider = plan(number), self.holder(number)
        assert its.buyer is not None
        consumer = self.members[its.buyer]
        who = {"VERIFIED": [consumer], "FINALIZED": [provider, consumer] if "terms" in said else [provider]}
        signers = who.get(state, [provider, consumer])
        subject = [provider.asset(its.name)]
        parties = {"negotiation": f"n{number}", "provider": provider.did, "consumer": consumer.did}
        return signers[0].say(subject, Agreement, *signers[1:], **parties, state=state, **said)

    def deliveries(self) -> None:
        """Deliver under every agreement, a thousand rows at a time."""
        for number, agreement in self.agreed.items():
            provider, previous = self.holder(number), ""
            version = [provider.version(plan(number).name, 1)]
            for step in range(8):
                previous = provider.say(
                    version,
                    Delivery,
                    process=f"p{number}",
                    agreement=agreement,
                    state="COMPLETED" if step == 7 else "STARTED",
                    previous=previous,
                    units=1000,
                    purpose=PURPOSES[step % 3],
                    charged=Money("CNY", 2000),
                )
            self.agreed[number] = previous

    def acknowledgements(self) -> None:
        """Acknowledge the last step of each delivery."""
        for number, delivery in self.agreed.items():
            its = plan(number)
            assert its.buyer is not None
            consumer = self.members[its.buyer]
            version = consumer.version(its.name, 1)
            consumer.say([version], Attestation, kind="acknowledgement", target=delivery)

    # --- who

    def by_name(self, asset: str) -> Member:
        """Give who holds an asset."""
        return self.members[int(asset[1:3])]

    def did(self, party: int) -> str:
        """Give the DID of a party by its number: members first; -1 is everybody."""
        if party < 0:
            return ""
        return self.members[party].did if party < MEMBERS else outsider(self.members[0].chain_id, party)


@contextmanager
def market() -> Iterator[Path]:
    """Give the folder of the party that reads everything, made now unless DATALEDGER_BENCH keeps one."""
    kept = os.environ.get("DATALEDGER_BENCH")
    base = Path(kept) / f"market-{ASSETS}" if kept else Path(tempfile.mkdtemp(prefix="dataledger-bench-"))
    try:
        if not (base / "made.json").exists():
            shutil.rmtree(base, ignore_errors=True)
            records = _made(base)
            (base / "made.json").write_text(json.dumps({"records": records, "assets": ASSETS}))
        yield base / "m00"
    finally:
        if not kept:
            shutil.rmtree(base)


def _made(base: Path) -> int:
    members: list[Member] = []
    for number in range(MEMBERS):
        members.append(Member(base / f"m{number:02}", number, members[0] if members else None))
    sync(members[0].context)
    records = Market(members).make()
    _follow(members)
    for member in members:
        member.close()
    return records


def _follow(members: list[Member]) -> None:
    """Have the first party follow all others, and copy their logs; hardly anything is indexed yet."""
    context = members[0].context
    followed = [
        Followed(log=each.context.log_id.hex(), location=str(each.context.workspace.public), label=each.did)
        for each in members[1:]
    ]
    context.save_config(msgspec.structs.replace(context.config, follow=followed))
    logs = Logs(context, context.reader)
    logs.update(logs.followed())
    assert not logs.problems, logs.problems


if __name__ == "__main__":
    with market() as made:
        print(made)
