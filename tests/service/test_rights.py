"""Granting, asking, taking back: two parties on one chain, and what either of them is told."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ledger.core.errors import FormatError, NotFound, Unavailable, Usage
from ledger.core.instants import instant_ns
from ledger.service.offers import Offer, parse_share
from ledger.service.results import Permission, Receipt
from ledger.service.times import end_of, start_of
from tests.service.conftest import Party, Stage

LATER = (datetime.now(UTC) + timedelta(days=900)).date().isoformat()
STRANGER = "0x" + "7" * 40
AFTERWARDS = (datetime.now(UTC) + timedelta(days=901)).date().isoformat()


def give(party: Party, to: str = "jinlong", name: str = "haina/orders", **more: Any) -> Receipt:
    return party.ledger.grant(Offer(**({"names": [name], "rights": ["use"], "to": to} | more)))


def codes(answer: Permission) -> list[str]:
    return [cause.code for cause in answer.because]


@pytest.fixture
def both(story: Stage) -> Stage:
    """Both follow each other."""
    story.jinlong.ledger.follow("haina", source=str(story.haina.public))
    return story


# granting and asking


def test_a_grant_is_told_alike_to_both(both: Stage) -> None:
    assert codes(both.jinlong.ledger.may("jinlong", "use", "haina/orders")) == ["no-grant"]
    done = give(both.haina, purposes=["planning"], share="6%", until=LATER)
    assert [(each.type, each.subject) for each in done.records] == [("grant", "haina/orders")]
    assert done.block is not None
    for party in (both.haina, both.jinlong):
        answer = party.reopen().may("jinlong", "use", "haina/orders@1", purpose="planning")
        assert (answer.verdict, codes(answer)) == ("permitted", ["granted"])
        (used,) = answer.grants
        assert (used.record, used.giver_name, used.taker_name) == (
            done.records[0].record,
            "Haina Appliances",
            "Jinlong",
        )
        assert (used.share_bps, used.until, used.subject) == (
            600,
            f"{AFTERWARDS}T00:00:00Z",
            ["haina/orders"],
        )
    assert codes(both.haina.ledger.may("jinlong", "use", "haina/orders", purpose="resale")) == [
        "other-purpose"
    ]
    assert codes(both.haina.ledger.may("jinlong", "operate", "haina/orders")) == ["other-right"]
    ask = both.haina.ledger.may
    assert ask("jinlong", "use", "haina/orders", purpose="planning", at=LATER).verdict == "permitted"
    assert codes(ask("jinlong", "use", "haina/orders", purpose="planning", at=AFTERWARDS)) == ["ended"]


def test_the_past_is_answered_as_it_was(both: Stage) -> None:
    granted = give(both.haina).block
    assert granted is not None
    ask = both.haina.ledger.may
    verdicts = [
        ask("jinlong", "use", "haina/orders", at=str(block)).verdict for block in (granted - 1, granted)
    ]
    assert verdicts == ["denied", "permitted"]
    with pytest.raises(Unavailable, match="was asked for"):
        ask("jinlong", "use", "haina/orders", at="999999")
    with pytest.raises(NotFound, match="no block as old"):
        ask("jinlong", "use", "haina/orders", at="2001-01-01")


def test_a_version_of_its_own(both: Stage) -> None:
    give(both.haina, name="haina/orders@latest")
    path = both.haina.put("orders.csv", "more\n")
    both.haina.ledger.version("haina/orders", path)
    verdicts = [
        both.haina.ledger.may("jinlong", "use", name).verdict
        for name in ("haina/orders@1", "haina/orders@2", "haina/orders")
    ]
    assert verdicts == ["permitted", "denied", "denied"]


def test_to_everybody_with_conditions_and_caps(both: Stage) -> None:
    give(
        both.haina,
        to="",
        rights=["operate"],
        price_cap="5.00 CNY",
        free_for=["relief"],
        conditions=["notice:prices,by=jinlong,every=365"],
    )
    answer = both.jinlong.ledger.may("jinlong", "operate", "haina/orders", purpose="relief")
    assert (answer.verdict, answer.free) == ("permitted", True)
    assert [(cap.currency, cap.amount) for cap in answer.caps] == [("CNY", 500)]
    (duty,) = answer.grants[0].duties
    assert (duty.kind, duty.topic, duty.by, duty.every_days) == (
        "notice",
        "prices",
        [both.jinlong.party],
        365,
    )
    later = (datetime.now(UTC) + timedelta(days=400)).date().isoformat()
    assert codes(both.jinlong.ledger.may("jinlong", "operate", "haina/orders", at=later)) == [
        "condition-unmet"
    ]


def test_passing_on(both: Stage) -> None:
    with pytest.raises(Usage, match="not-holder"):
        give(both.jinlong, "haina")
    first = give(both.haina, sublicensable=True, rights=["use", "hold"]).records[0].record
    done = give(both.jinlong, to="")
    assert (
        json.loads(both.jinlong.ledger.show(done.records[0].record).statement)["predicate"]["under"] == first
    )
    (used, above) = both.jinlong.ledger.may(STRANGER, "use", "haina/orders").grants
    assert (used.under, above.record) == (first, first)
    with pytest.raises(Usage, match="beyond-grant"):
        give(both.jinlong, to="", rights=["operate"], under=first)
    with pytest.raises(NotFound, match="no record that counts"):
        give(both.jinlong, to="", under="ffff")
    size = both.jinlong.context.log.size
    assert both.jinlong.reopen().status().pending == 0
    assert size == 3  # what was refused left nothing behind


def test_what_is_not_followed_is_unknown(story: Stage) -> None:
    """Haina's log is not here: what it granted can't be told."""
    give(story.haina)
    answer = story.jinlong.ledger.may("jinlong", "use", "haina/orders")
    assert (answer.verdict, set(codes(answer))) == ("unknown", {"facts-missing"})
    with pytest.raises(NotFound, match="nothing is known"):
        story.haina.ledger.may("jinlong", "use", "jinlong/never-heard-of")


def test_through_the_lineage(both: Stage) -> None:
    """Haina's plan is made of its own orders and of Jinlong's parts."""
    plan = both.haina.folder / "plan.csv"
    program = [sys.executable, "-c", f"open({str(plan)!r}, 'w').write('x')"]
    parts = both.jinlong.folder / "parts.csv"
    both.haina.ledger.run(
        program, inputs=["haina/orders", f"jinlong/parts={parts}"], outputs=[f"haina/plan={plan}"]
    )
    answer = both.haina.ledger.may("haina", "operate", "haina/plan")
    assert (answer.verdict, answer.because[0].subject) == ("denied", "jinlong/parts@1")
    give(both.jinlong, "haina", "jinlong/parts", rights=["operate"])
    assert both.haina.reopen().may("haina", "operate", "haina/plan").verdict == "permitted"


# taking back


def test_a_grant_is_taken_back_from_a_date_on(both: Stage) -> None:
    record = give(both.haina).records[0].record
    both.haina.ledger.revoke(record[:12], since=LATER, reason="the contract ends")
    ask = both.jinlong.reopen().may
    before = (datetime.fromisoformat(LATER) - timedelta(days=1)).date().isoformat()
    assert ask("jinlong", "use", "haina/orders", at=before).verdict == "permitted"
    answer = ask("jinlong", "use", "haina/orders", at=LATER)
    assert (codes(answer), answer.because[0].record) == (["revoked"], record)
    with pytest.raises(Usage, match="expected a block number, a date"):
        both.haina.ledger.revoke(record, since="soon")


def test_what_is_said_of_data_is_taken_back_at_once_or_not_at_all(both: Stage) -> None:
    (version,) = both.haina.ledger.log(type="version", asset="haina/orders").records
    with pytest.raises(Usage, match="a version is taken back at once"):
        both.haina.ledger.revoke(version.record, since=LATER)


def test_a_grant_is_taken_back_at_once(both: Stage) -> None:
    record = give(both.haina).records[0].record
    both.haina.ledger.revoke(record)
    assert codes(both.jinlong.reopen().may("jinlong", "use", "haina/orders")) == ["revoked"]


def test_the_next_holder_takes_back_what_the_last_one_gave(both: Stage) -> None:
    record = give(both.haina, to="").records[0].record
    with pytest.raises(Usage, match="not yours to take back"):
        both.jinlong.ledger.revoke(record)
    both.haina.ledger.transfer("haina/orders", "jinlong")
    ask = both.jinlong.reopen().may
    assert ask("haina", "use", "haina/orders").grants[0].record == record  # it binds the asset
    both.jinlong.ledger.revoke(record, reason="under new management")
    assert codes(both.jinlong.reopen().may("haina", "use", "haina/orders")) == ["revoked"]


def test_a_hidden_revocation_is_no_yes(both: Stage) -> None:
    record = give(both.haina).records[0].record
    assert both.jinlong.ledger.may("jinlong", "use", "haina/orders").verdict == "permitted"
    both.haina.ledger.revoke(record)
    both.haina.public.rename(both.haina.home / "elsewhere")
    answer = both.jinlong.reopen().may("jinlong", "use", "haina/orders")
    assert answer.verdict == "unknown"


# borders


def test_a_rule_list_is_named_with_its_version(both: Stage) -> None:
    give(both.haina)
    rules = {
        "format": "dataledger/region-rules/v1",
        "name": "export",
        "version": "2",
        "effective": "2020-01-01T00:00:00Z",
        "rules": [{"from": ["CN"], "verdict": "denied", "why": "it stays"}],
    }
    path = both.haina.put("rules.json", json.dumps(rules))
    answer = both.haina.ledger.may("jinlong", "use", "haina/orders", region="SG", rules=[path])
    assert (answer.verdict, codes(answer)) == ("unknown", ["origin-unknown"])
    assert answer.rules.startswith("export version 2 (sha256:")
    with pytest.raises(Usage, match="no rule list was in force"):
        both.haina.ledger.may("jinlong", "use", "haina/orders", region="SG", rules=[path], at="0")
    with pytest.raises(FormatError, match="region rules"):
        both.haina.ledger.may("jinlong", "use", "haina/orders", rules=[both.haina.put("bad.json", "{}")])
    with pytest.raises(NotFound, match="no such file"):
        both.haina.ledger.may("jinlong", "use", "haina/orders", rules=[Path("none.json")])
    with pytest.raises(Usage, match="ISO 3166"):
        both.haina.ledger.may("jinlong", "use", "haina/orders", region="China")


# what is written


@pytest.mark.parametrize(
    ("offer", "says"),
    [
        ({"to": "haina"}, "expected two parties"),
        ({"to": "nobody"}, "nobody owns the namespace"),
        ({"name": "haina/none"}, "not registered"),
        ({"name": "haina/orders@7"}, "no version"),
        ({"regions": ["China"]}, "ISO 3166"),
        ({"purposes": ["a", "a"]}, "once"),
        ({"start": "2030-01-02", "until": "2030-01-01"}, "`until` after `start`"),
        ({"until": "tomorrow"}, "expected a block number, a date"),
        ({"share": "lots"}, "basis points or percent"),
        ({"share": "101%"}, "at most 10000bps"),
        ({"price_cap": "5.00"}, "an amount and a currency"),
        ({"price_cap": "5.001 CNY"}, "at most 2 decimals"),
        ({"price_cap": "5 XXX"}, "ISO 4217"),
        ({"conditions": ["notice"]}, "KIND:TOPIC"),
        ({"conditions": ["wish:x"]}, "KIND:TOPIC"),
        ({"conditions": ["notice:x,every=0"]}, "every=DAYS"),
        ({"conditions": ["notice:x,every=36601"]}, "every=DAYS"),
        ({"conditions": ["notice:x,when=now"]}, "by=PARTY or every=DAYS"),
        ({"purposes": ["a\x1b[31m"]}, "control characters"),
    ],
)
def test_offers_that_make_no_sense(both: Stage, offer: Any, says: str) -> None:
    size = both.haina.context.log.size
    with pytest.raises((Usage, NotFound), match=says):
        give(both.haina, **offer)
    assert both.haina.context.log.size == size


@pytest.mark.parametrize(
    ("text", "bps"),
    [("600bps", 600), ("6%", 600), ("6.5%", 650), ("0.01%", 1), ("100%", 10_000), ("0bps", 0)],
)
def test_shares(text: str, bps: int) -> None:
    assert parse_share(text) == bps


@pytest.mark.parametrize(
    "text", ["6", "6,5%", "-6%", "6.123%", "10001bps", "%", "bps", "six%", "6 %", "6%bps"]
)
def test_shares_that_are_none(text: str) -> None:
    with pytest.raises(Usage, match="share"):
        parse_share(text)


def test_days_count_whole() -> None:
    assert (start_of("2027-06-30"), end_of("2027-06-30")) == ("2027-06-30T00:00:00Z", "2027-07-01T00:00:00Z")
    assert start_of("2027-06-30T10:00:00Z") == end_of("2027-06-30T10:00:00Z") == "2027-06-30T10:00:00Z"
    assert instant_ns(end_of("2027-12-31")) == instant_ns("2028-01-01T00:00:00Z")


# history


def happened(party: Party, name: str = "haina/orders") -> list[tuple[str, str, str]]:
    return [(each.what, each.party_name, each.to_name) for each in party.ledger.history(name).events]


def test_the_history_of_an_asset(both: Stage) -> None:
    haina, jinlong = both.haina, both.jinlong
    record = give(haina, rights=["use", "hold"], sublicensable=True).records[0].record
    give(jinlong, to="", name="haina/orders@1")
    haina.reopen().revoke(record, since=LATER)
    haina.ledger.transfer("haina/orders", "jinlong")
    both.jinlong.reopen()
    assert happened(jinlong) == [
        ("registered", "Haina Appliances", ""),
        ("version", "Haina Appliances", ""),
        ("granted: use and hold", "Haina Appliances", "Jinlong"),
        ("granted: use", "Jinlong", ""),
        ("taken back", "Haina Appliances", ""),
        ("handed over", "Haina Appliances", "Jinlong"),
    ]
    found = jinlong.ledger.history("haina/orders")
    assert (found.holder_name, found.complete) == ("Jinlong", True)
    blocks = [each.block for each in found.events]
    assert blocks == sorted(block for block in blocks if block is not None)
    taken = found.events[4]
    assert taken.about == record
    assert taken.binds_from is not None
    assert taken.block is not None
    assert taken.binds_from >= taken.block
    assert [each.revoked for each in found.events] == [False, False, True, False, False, False]


def test_a_history_with_a_missing_log_says_so(both: Stage) -> None:
    give(both.haina)
    both.jinlong.ledger.sync()
    both.haina.ledger.register("haina/more")
    both.haina.public.rename(both.haina.home / "elsewhere")
    found = both.jinlong.reopen().history("haina/orders")
    assert not found.complete
    with pytest.raises(NotFound, match="nothing is known"):
        both.jinlong.ledger.history("jinlong/never-heard-of")


def test_what_was_refused_is_no_history(both: Stage) -> None:
    """A grant that was void is told by `may`; it never happened."""
    from ledger.core.records_rights import Terms
    from ledger.service.batch import Batch
    from ledger.service.publishing import publish

    with both.jinlong.context.writing():
        batch = Batch(both.jinlong.context)
        batch.grant([batch.asset_resource("haina/orders")], "", Terms(rights=["use"]), "")
        publish(both.jinlong.context, batch, anchor=True)
    assert [what for what, *_ in happened(both.jinlong)] == ["registered", "version"]
    answer = both.jinlong.ledger.may("0x" + "7" * 40, "use", "haina/orders")
    assert (answer.verdict, codes(answer)) == ("denied", ["rejected"])
    assert "not-holder" in answer.because[0].text
