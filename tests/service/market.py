"""Four parties on one chain whose data is in one product: what tests of settlement and escrow share.

The firm makes a product of the weather of an office and of a survey; the survey rests on the same weather.
The exchange has neither. All of them follow one another.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ledger.core.dsse import Signature, encode_envelope, pae, record_id
from ledger.core.hashing import sha256
from ledger.core.identity import format_keyid
from ledger.core.records import Agreement, Component, Delivery, Predicate, Resource, Settlement
from ledger.core.records_rights import Money, Payout, Terms
from ledger.core.signing import sign
from ledger.core.statement import build_statement
from ledger.service import InitRequest, Ledger
from ledger.service.batch import Batch, header
from ledger.service.giving import subject_of
from ledger.service.offers import Offer
from ledger.service.publishing import anchor_pending, append, publish
from ledger.service.results import IncomeSplit
from ledger.service.settlement_sale import Income
from ledger.service.syncing import catch_up
from tests.service.conftest import Party

OFFICE, SURVEYOR, FIRM, EXCHANGE = NAMES = ("office", "surveyor", "firm", "exchange")
PRODUCT = "firm/forecast"


class Market:
    """The folders of the parties."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.parties = {name: Party(path / name) for name in NAMES}

    def __getitem__(self, name: str) -> Party:
        return self.parties[name]

    def did(self, name: str) -> str:
        return self[name].party

    def close(self) -> None:
        for party in self.parties.values():
            party.close()

    def grant(self, giver: str, taker: str, asset: str, share: str, **more: Any) -> str:
        """Grant the right to offer an asset for a share; its record."""
        offer = Offer(
            **({"names": [asset], "rights": ["operate", "use"], "to": taker, "share": share} | more)
        )
        return self[giver].ledger.grant(offer).records[0].record

    def dues(self, found: IncomeSplit) -> dict[str, int]:
        """Amounts by the names of the parties."""
        return {due.party_name.lower(): due.amount for due in found.dues}

    def say(self, signers: str, subject: list[Resource], predicate: Predicate) -> str:
        """Record what no command would, in the log of the first of its signers: signed by all, anchored."""
        first, *_ = contexts = [self[name].context for name in signers.split()]
        payload = build_statement(subject, predicate)
        signatures = [
            Signature(format_keyid(each.party, each.record_key), sign(each.record_seed, pae(payload)))
            for each in contexts
        ]
        with first.writing():
            append(first, [encode_envelope(payload, signatures)])
            anchor_pending(first)
            catch_up(first)
        return record_id(payload).hex()


def begin(path: Path) -> Market:
    """Four parties on one chain who follow one another; three have data, and a product is made of it."""
    market = Market(path)
    for name in NAMES:
        market[name].folder.mkdir(parents=True)
        join = None if name == OFFICE else market[OFFICE].home / "ledger.json"
        request = InitRequest(namespace=name, name=name.capitalize(), join=join)
        Ledger.init(market[name].folder, request, env={})
    made: list[str] = []
    for name, asset, inputs in (
        (OFFICE, "office/hourly", []),
        (SURVEYOR, "surveyor/list", ["office/hourly"]),
        (FIRM, PRODUCT, ["office/hourly", "surveyor/list"]),
        (EXCHANGE, "exchange/rules", []),
    ):
        for other in made:
            market[name].ledger.follow(other, source=str(market[other].public))
        make(market, name, asset, inputs)
        for other in made:
            market[other].ledger.follow(name, source=str(market[name].public))
        made.append(name)
    return market


def make(market: Market, maker: str, output: str, inputs: list[str]) -> None:
    """Record a new version of an asset, made of the newest versions of the inputs."""
    context = market[maker].context
    with context.writing():
        batch = Batch(context)
        if not batch.is_registered(output):
            batch.register(output)
        before = batch.latest(output)
        number = 1 if before is None else before.number + 1
        batch.version(output, {"sha256": sha256(f"{output} {number}".encode()).hex()})
        if inputs:
            _derive(batch, output, number, inputs)
        publish(context, batch, anchor=True)


def derive(market: Market, maker: str, output: str, number: int, inputs: list[str]) -> None:
    """Record that a version which is there was made of the newest versions of the inputs."""
    context = market[maker].context
    with context.writing():
        batch = Batch(context)
        _derive(batch, output, number, inputs)
        publish(context, batch, anchor=True)


def _derive(batch: Batch, output: str, number: int, inputs: list[str]) -> None:
    used = [(name, batch.latest(name)) for name in inputs]
    activity = {
        "run_id": f"{output} {number}",
        "component": Component("maker"),
        "outcome": "completed",
        "inputs": [Resource(f"{name}@{each.number}", each.digest) for name, each in used if each],
        "edges": [(0, position, 1) for position in range(len(inputs))],
    }
    content = {"sha256": sha256(f"{output} {number}".encode()).hex()}
    batch.activity([Resource(f"{output}@{number}", content)], [], activity)


def license_all(market: Market) -> None:
    """The office gets 30 % of what others make of its weather, the surveyor 10 % of what uses its list."""
    market.grant(OFFICE, SURVEYOR, "office/hourly", "30%")
    market.grant(OFFICE, FIRM, "office/hourly", "30%")
    market.grant(SURVEYOR, FIRM, "surveyor/list", "10%")


def sold(revenue: str = "100000.01", **more: str) -> Income:
    """The firm's income with the product."""
    return Income(**({"product": PRODUCT, "revenue": revenue, "currency": "CNY"} | more))


def settlement(market: Market, amounts: dict[str, int], payer: str = FIRM, **more: Any) -> Settlement:
    """A settlement as somebody might sign it."""
    said = {
        "payer": market.did(payer),
        "total": Money("CNY", sum(amounts.values())),
        "payouts": [Payout(market.did(name), amount) for name, amount in amounts.items()],
        "as_of": market[payer].ledger.sync().to_block,
    }
    return Settlement(**(header(market[payer].context) | said | more))


def product(market: Market, name: str = PRODUCT) -> list[Resource]:
    return subject_of(market[FIRM].context, [name])


def agreed(market: Market, name: str = PRODUCT, **more: Any) -> str:
    """The firm and the exchange agree on 1.20 yuan a row; both sign, so that it binds at once."""
    said = {
        "authors": sorted([market.did(FIRM), market.did(EXCHANGE)]),
        "negotiation": "deal",
        "provider": market.did(FIRM),
        "consumer": market.did(EXCHANGE),
        "state": "FINALIZED",
        "terms": Terms(rights=["use"], price_cap=Money("CNY", 150)),
        "unit": "row",
        "unit_price": Money("CNY", 120),
    }
    predicate = Agreement(**(header(market[FIRM].context) | said | more))
    return market.say(f"{FIRM} {EXCHANGE}", product(market, name), predicate)


def delivered(market: Market, agreement: str, process: str, units: int, charged: int) -> None:
    predicate = Delivery(
        **header(market[FIRM].context),
        process=process,
        agreement=agreement,
        state="COMPLETED",
        units=units,
        charged=Money("CNY", charged),
    )
    market.say(FIRM, subject_of(market[FIRM].context, [f"{PRODUCT}@1"]), predicate)
