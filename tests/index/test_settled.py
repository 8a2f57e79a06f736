"""Settlements in a log: written down, and flagged in anchor order where something is improper."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ledger.core.records import Resource
from ledger.core.records_rights import Money, Terms
from ledger.index import Index
from tests.simulator import Party, World
from tests.simulator_rights import agreement, delivery, settlement

YEAR = {"start": "2025-01-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"}
HALF = {"start": "2025-07-01T00:00:00Z", "until": "2026-07-01T00:00:00Z"}
NEXT = {"start": "2026-01-01T00:00:00Z"}


def findings(index: Index) -> list[tuple[str, str]]:
    """Kinds and particulars, in order."""
    return list(index.database.rows("SELECT kind, text FROM finding ORDER BY id"))


def kinds(index: Index) -> list[str]:
    return [kind for kind, _ in findings(index)]


def shop(world: World) -> tuple[Party, Party]:
    """One who has something to sell, and one who buys."""
    acme, bolt = world.party("acme"), world.party("bolt")
    acme.register("acme/a")
    acme.version("acme/a", b"1")
    acme.version("acme/a", b"2")
    acme.register("acme/b")
    acme.anchor()
    return acme, bolt


def test_what_a_settlement_says_is_in_the_tables(world: World, open_index) -> None:
    acme, bolt = shop(world)
    record = settlement(acme, acme.resource("acme/a@2", b"2"), [(acme, 60), (bolt, 40)], as_of=1, **YEAR)
    acme.anchor()
    index = open_index(world)
    columns = "number, agreement, currency, total, as_of, start, until"
    assert list(index.database.rows(f"SELECT {columns} FROM settled")) == [
        (2, b"", "CNY", 100, 1, 1_735_689_600 * 10**9, 1_767_225_600 * 10**9)
    ]
    for party in (acme, bolt):
        assert [each.record for each in index.settlements(party=party.address)] == [record]
    assert [each.record for each in index.settlements(record=record)] == [record]
    assert list(index.settlements(party=world.party("coil").address)) == []
    assert findings(index) == []


def test_one_income_is_settled_once(world: World, open_index) -> None:
    acme, bolt = shop(world)
    one, two = (acme.resource(f"acme/a@{n}", str(n).encode()) for n in (1, 2))
    shares = [(acme, 60), (bolt, 40)]
    first = settlement(acme, one, shares, **YEAR)
    for good in (
        lambda: settlement(acme, two, shares, **YEAR),
        lambda: settlement(acme, one, shares, **NEXT),
        lambda: settlement(acme, "acme/b", shares),
    ):
        good()
    acme.anchor()
    bad = [
        settlement(acme, one, shares, **HALF),
        settlement(acme, "acme/a", shares, **YEAR),
        settlement(acme, "acme/b", [(bolt, 1)]),
    ]
    acme.anchor()
    index = open_index(world)
    assert len(set(bad)) == 3
    assert kinds(index) == ["settlement-replayed"] * 3
    assert findings(index)[0][1] == f"record {first.hex()} settles it"


def test_order_is_that_of_the_anchors_not_of_the_claims(world: World, open_index) -> None:
    acme, bolt = shop(world)
    late = settlement(acme, "acme/a", [(bolt, 1)], time="2025-02-01T00:00:00Z")
    acme.anchor()
    early = settlement(acme, "acme/a", [(bolt, 2)], time="2020-02-01T00:00:00Z")
    acme.anchor()
    index = open_index(world)
    assert findings(index) == [("settlement-replayed", f"record {late.hex()} settles it")]
    (row,) = index.settlements(record=early)
    assert [each.kind for each in index.findings(entry=index.entry(row.row))[0]] == ["settlement-replayed"]


def test_what_was_taken_back_may_be_settled_again(world: World, open_index) -> None:
    acme, bolt = shop(world)
    wrong = settlement(acme, "acme/a", [(bolt, 1)])
    revocation = acme.revoke(wrong, [acme.asset_resource("acme/a")])
    acme.anchor()
    acme.post_record(wrong, revocation)
    settlement(acme, "acme/a", [(bolt, 2)])
    acme.anchor()
    index = open_index(world)
    assert kinds(index) == ["not-posted"]  # the revocation, at first
    assert [each.revoked_block is None for each in index.settlements()] == [False, True]


def test_what_rests_on_its_own_block(world: World, open_index) -> None:
    acme, bolt = shop(world)
    settlement(acme, "acme/a", [(bolt, 1)], as_of=10_000)
    acme.anchor()
    assert kinds(open_index(world)) == ["settlement-basis-later"]


def deal(acme: Party, bolt: Party, *names: str | Resource, **members: object) -> bytes:
    """An agreement that binds at once."""
    said = {"terms": Terms(rights=["use"]), "unit": "row", "unit_price": Money("CNY", 5)}
    return agreement(acme, list(names), acme, bolt, "FINALIZED", acme, bolt, **(said | members))


@pytest.mark.parametrize(
    ("later", "total", "found"), [(0, 50, []), (1, 85, []), (1, 50, ["85"]), (0, 85, ["50"])]
)
def test_an_agreement_is_billed_as_of_the_basis(
    world: World, open_index, later: int, total: int, found: list[str]
) -> None:
    acme, bolt = shop(world)
    one = acme.resource("acme/a@1", b"1")
    bought = deal(acme, bolt, "acme/a")
    acme.anchor()
    delivery(acme, [one], bought, process="p1", units=10, charged=Money("CNY", 50))
    basis = acme.anchor().number
    delivery(acme, [one], bought, process="p2", units=7, charged=Money("CNY", 35))
    acme.anchor()
    settlement(acme, "acme/a", [(acme, total)], agreement=bought.hex(), as_of=basis + later)
    acme.anchor()
    units = {"50": 10, "85": 17}
    assert findings(open_index(world)) == [
        (
            "settlement-not-billed",
            f"it splits 0.{total} CNY, and {units[due]} units were delivered, which come to 0.{due} CNY",
        )
        for due in found
    ]


def test_only_what_was_delivered_in_the_period_is_billed(world: World, open_index) -> None:
    acme, bolt = shop(world)
    one = acme.resource("acme/a@1", b"1")
    bought = deal(acme, bolt, "acme/a")
    acme.anchor()
    blocks = []
    for n, units in enumerate((10, 7)):
        delivery(acme, [one], bought, process=f"p{n}", units=units)
        blocks.append(acme.anchor())
    times = [datetime.fromtimestamp(each.time_unix_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for each in blocks]
    basis = {"agreement": bought.hex(), "as_of": blocks[1].number}
    settlement(acme, "acme/a", [(acme, 50)], start=times[0], until=times[1], **basis)
    settlement(acme, "acme/a", [(acme, 35)], start=times[1], **basis)
    acme.anchor()
    assert findings(open_index(world)) == []


def test_a_settlement_of_an_agreement_about_something_else(world: World, open_index) -> None:
    acme, bolt = shop(world)
    bought = deal(acme, bolt, acme.resource("acme/a@1", b"1"))
    acme.anchor()
    settlement(acme, "acme/b", [(acme, 0)], agreement=bought.hex())
    settlement(acme, "acme/a", [(acme, 0)], agreement=bought.hex())  # of all versions, where one was agreed
    acme.anchor()
    assert kinds(open_index(world)) == ["settlement-other-subject"] * 2


def test_an_agreement_that_is_not_final(world: World, open_index) -> None:
    acme, bolt = shop(world)
    bought = agreement(acme, ["acme/a"], acme, bolt, "AGREED", acme, bolt)
    acme.anchor()
    settlement(acme, "acme/a", [(acme, 9)], agreement=bought.hex())
    acme.anchor()
    assert findings(open_index(world)) == [("settlement-not-final", f"agreement {bought.hex()} is AGREED")]


def test_a_delivery_out_of_turn_is_not_billed(world: World, open_index) -> None:
    acme, bolt = shop(world)
    bought = deal(acme, bolt, "acme/a")
    acme.anchor()
    one = acme.resource("acme/a@1", b"1")
    done = delivery(acme, [one], bought, process="p1", units=10, charged=Money("CNY", 50))
    delivery(acme, [one], bought, "STARTED", previous=done, process="p1", units=1000)  # it was COMPLETED
    basis = acme.anchor().number
    settlement(acme, "acme/a", [(acme, 50)], agreement=bought.hex(), as_of=basis)
    acme.anchor()
    assert kinds(open_index(world)) == ["illegal-transition"]


@pytest.mark.parametrize(
    "period",
    [{"start": "2300-01-01T00:00:00Z"}, {"until": "1600-01-01T00:00:00Z"},
     {"start": "9999-01-01T00:00:00Z", "until": "9999-12-31T23:59:59Z"}],
)  # fmt: skip
def test_a_period_beyond_64_bits_stops_nobodys_index(
    world: World, open_index, period: dict[str, str]
) -> None:
    acme, bolt = shop(world)
    first = settlement(acme, "acme/a", [(bolt, 1)], **period)
    settlement(acme, "acme/a", [(bolt, 2)], **period)
    acme.anchor()
    assert findings(open_index(world)) == [("settlement-replayed", f"record {first.hex()} settles it")]
