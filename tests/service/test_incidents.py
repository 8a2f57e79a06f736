"""From an incident to everybody whom it concerns: complete or not, told, answered, closed."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ledger.core.errors import NotFound, Usage
from ledger.service.attesting import Assertion
from ledger.service.offers import Offer
from ledger.service.results import AffectedParty, Incident, Recall
from tests.service.conftest import Crowd, Party

TODAY = datetime.now(UTC).date()
YESTERDAY, NEXT_WEEK = ((TODAY + timedelta(days=days)).isoformat() for days in (-1, 7))


def give(party: Party, to: str, name: str, **more: Any) -> str:
    offer = Offer(**({"names": [name], "rights": ["use", "operate"], "to": to} | more))
    return party.reopen().grant(offer).records[0].record


def make(party: Party, source: str, made: str) -> None:
    """Make a product of something, by a real program."""
    out = party.folder / f"{made.replace('/', '-')}.csv"
    data = party.put("read.csv", "machine,count\nA,3\n")
    program = [sys.executable, "-c", f"open({str(out)!r}, 'w').write({made!r})"]
    party.reopen().run(program, inputs=[f"{source}={data}"], outputs=[f"{made}={out}"])


def opened(party: Party, names: Sequence[str] = ("haina/orders",), **said: Any) -> str:
    done = party.reopen().open_incident(names, topic="breach", text="copied by an outsider", **said)
    return done.records[0].record


def known(recall: Recall) -> dict[str, AffectedParty]:
    """The parties concerned, by the first word of their names."""
    return {each.party_name.split()[0]: each for each in recall.parties}


def states(found: Incident) -> dict[str, str]:
    return {name: each.state for name, each in known(found.recall).items()}


@pytest.fixture(scope="module")
def _sold(_crowd: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Haina's orders went into Jinlong's plan, and rights in that to the shop."""
    path = tmp_path_factory.mktemp("sold") / "stage"
    shutil.copytree(_crowd, path)
    crowd = Crowd(path)
    give(crowd.haina, "jinlong", "haina/orders", sublicensable=True)
    make(crowd.jinlong, "haina/orders", "jinlong/plan")
    give(crowd.jinlong, "pear", "jinlong/plan")
    crowd.close()
    return path


@pytest.fixture
def sold(_sold: Path, tmp_path: Path) -> Iterator[Crowd]:
    """The same, a copy of one's own."""
    shutil.copytree(_sold, tmp_path / "stage")
    crowd = Crowd(tmp_path / "stage")
    yield crowd
    crowd.close()


# whom it concerns


def test_everything_made_from_it_and_everybody_who_has_it(sold: Crowd) -> None:
    found = sold.haina.reopen().recall("haina/orders")
    assert [(each.name, each.how) for each in found.versions] == [
        ("haina/orders@1", "named"),
        ("jinlong/plan@1", "derived"),
    ]
    roles = {name: set(each.roles) for name, each in known(found).items()}
    assert roles == {
        "Haina": {"holder", "author"},
        "Jinlong": {"holder", "author", "processor", "grantee"},
        "Pear": {"grantee"},
    }
    assert (found.complete, found.missing_logs, found.to_block) == (
        True,
        [],
        sold.haina.ledger.status().index_block,
    )
    (given,) = known(found)["Pear"].given
    assert (given.kind, given.giver_name, given.subject) == ("grant", "Jinlong", ["jinlong/plan"])


def test_a_log_that_is_dropped_makes_it_incomplete(sold: Crowd) -> None:
    sold.haina.reopen().unfollow("jinlong")
    assert sold.haina.ledger.recall("haina/orders").complete  # what was read of it stays known
    give(sold.jinlong, "judge", "jinlong/plan")
    found = sold.haina.reopen().recall("haina/orders")
    assert not found.complete
    (missing,) = found.missing_logs
    assert (missing.party, missing.concerned) == (sold.jinlong.party, True)
    assert "The" not in known(found)  # only Jinlong's log says so
    record = opened(sold.haina)
    assert not sold.haina.ledger.incident(record).complete
    assert "Jinlong" in sold.haina.ledger.notify_incident(record).problem


def test_rights_that_were_taken_back_concern_as_well(sold: Crowd) -> None:
    record = give(sold.haina, "judge", "haina/orders@1")
    sold.haina.ledger.revoke(record)
    (given,) = known(sold.haina.reopen().recall("haina/orders"))["The"].given
    assert (given.record, given.state) == (record, "taken back")


def test_only_the_versions_that_are_meant(sold: Crowd) -> None:
    """Of version 2, made later, Jinlong made nothing; its right is in all versions."""
    sold.haina.reopen().version("haina/orders", sold.haina.put("orders.csv", "more\n"))
    record = opened(sold.haina, ["haina/orders@2"])
    for found in (sold.haina.ledger.recall("haina/orders@2"), sold.haina.ledger.incident(record).recall):
        assert [each.name for each in found.versions] == ["haina/orders@2"]
        assert set(known(found)) == {"Haina", "Jinlong"}


def test_since_when(sold: Crowd) -> None:
    tomorrow = (TODAY + timedelta(days=1)).isoformat()
    record = opened(sold.haina, since=tomorrow)
    found = sold.haina.ledger.incident(record).recall
    assert (found.versions, set(known(found))) == ([], {"Haina", "Jinlong"})
    record = opened(sold.haina, since=YESTERDAY)
    since = sold.haina.ledger.incident(record).recall
    assert len(since.versions) == 2


def test_the_same_content_under_another_name(sold: Crowd) -> None:
    copy = sold.judge.put("copy.csv", "machine,count\nA,3\n")
    sold.judge.reopen().register("judge/copy", copy)
    found = sold.haina.reopen().recall("haina/orders")
    assert ("judge/copy@1", "same-content") in [(each.name, each.how) for each in found.versions]
    assert set(known(found)["The"].roles) == {"holder", "claimant"}


def test_a_run_that_only_read_it(sold: Crowd) -> None:
    data = sold.judge.put("orders.csv", "machine,count\nA,3\n")
    sold.judge.reopen().run([sys.executable, "-c", "pass"], inputs=[f"haina/orders={data}"])
    assert set(known(sold.haina.reopen().recall("haina/orders"))["The"].roles) == {"processor"}


def test_a_grant_to_everybody_is_told_apart(sold: Crowd) -> None:
    record = give(sold.haina, "", "haina/orders")
    found = sold.haina.ledger.recall("haina/orders")
    assert [each.record for each in found.public] == [record]


def test_as_of_a_block(sold: Crowd) -> None:
    (plan,) = sold.haina.reopen().log(asset="jinlong/plan", type="version").records
    assert plan.block is not None
    before = sold.haina.ledger.recall("haina/orders", as_of=str(plan.block - 1))
    assert [each.name for each in before.versions] == ["haina/orders@1"]
    assert (before.to_block, "Pear" in known(before)) == (plan.block - 1, False)


# telling them


def test_told_acknowledged_and_closed(sold: Crowd) -> None:
    record = opened(sold.haina)
    assert states(sold.haina.ledger.incident(record)) == {
        "Haina": "opened it",
        "Jinlong": "not told",
        "Pear": "not told",
    }
    done = sold.haina.ledger.notify_incident(record, due=NEXT_WEEK)
    assert (done.problem, len(done.records)) == ("", 1)
    found = sold.haina.ledger.incident(record)
    assert states(found)["Pear"] == states(found)["Jinlong"] == "told"
    assert (found.not_told, found.unacknowledged, found.overdue) == (0, 2, 0)
    (waiting,) = sold.pear.reopen().incidents().notices
    assert (waiting.record, waiting.about) == (done.records[0].record, record)
    assert [each.record for each in sold.pear.ledger.status().notices] == [waiting.record]
    sold.pear.ledger.acknowledge_notice(waiting.record[:12], text="deleted")
    assert sold.pear.ledger.incidents().notices == []
    assert states(sold.haina.reopen().incident(record)) == {
        "Haina": "opened it",
        "Jinlong": "told",
        "Pear": "acknowledged",
    }
    closed = sold.haina.ledger.close_incident(record, text="all copies deleted")
    assert closed.notes == ["outstanding: 1 have not acknowledged it"]
    found = sold.haina.ledger.incident(record)
    assert (found.state, found.closed_text) == ("closed", "all copies deleted")
    for again in (sold.haina.ledger.close_incident, sold.haina.ledger.notify_incident):
        with pytest.raises(Usage, match="closed already"):
            again(record)


def test_who_was_told_is_not_told_again_and_who_is_new_is(sold: Crowd) -> None:
    record = opened(sold.haina)
    sold.haina.ledger.notify_incident(record)
    assert sold.haina.ledger.notify_incident(record).records == []
    give(sold.jinlong, "judge", "jinlong/plan")
    assert states(sold.haina.reopen().incident(record))["The"] == "not told"
    done = sold.haina.ledger.notify_incident(record, due="2020-01-31")
    assert done.notes == ["2020-01-31 is past: it is overdue at once", "1 told, 2 had been told before"]
    assert set(states(sold.haina.ledger.incident(record)).values()) == {"opened it", "told", "overdue"}


def test_overdue_is_listed(sold: Crowd) -> None:
    record = opened(sold.haina)
    sold.haina.ledger.notify_incident(record, due="2020-01-31")
    found = sold.haina.ledger.incident(record)
    assert (found.overdue, states(found)["Pear"]) == (2, "overdue")
    assert any("2 of those told" in note for note in sold.haina.ledger.status().notes)
    assert [each.overdue for each in sold.pear.reopen().status().notices] == [True]
    sold.pear.ledger.acknowledge_notice(record)
    assert sold.haina.reopen().incident(record).overdue == 1


def test_a_notice_is_acknowledged_by_whom_it_went_to(sold: Crowd) -> None:
    record = opened(sold.haina)
    notice = sold.haina.ledger.notify_incident(record, to=["pear"]).records[0].record
    size = sold.judge.reopen().status().entries
    with pytest.raises(Usage, match="not-addressee"):
        sold.judge.ledger.acknowledge_notice(notice)
    with pytest.raises(NotFound, match="no notice of incident"):
        sold.judge.ledger.acknowledge_notice(record)
    assert sold.judge.reopen().status().entries == size
    assert sold.pear.reopen().acknowledge_notice(notice).records
    assert sold.pear.ledger.acknowledge_notice(notice).records == []  # once is enough


def test_somebody_elses_incident_is_not_mine_to_tell_or_close(sold: Crowd) -> None:
    record = opened(sold.haina)
    for act in (sold.pear.reopen().notify_incident, sold.pear.ledger.close_incident):
        with pytest.raises(Usage, match="not yours"):
            act(record)
    with pytest.raises(NotFound, match="opens no incident"):
        sold.haina.ledger.incident(sold.haina.ledger.log(type="grant").records[0].record)


def test_a_strangers_notice_tells_nobody(sold: Crowd) -> None:
    """Else anybody could make those who must be told look as if they had been."""
    record = opened(sold.haina)
    said = Assertion(
        kind="notice", names=["haina/orders"], topic="breach", about=record, to=["pear", "jinlong"]
    )
    sold.judge.reopen().attest(said)
    assert states(sold.haina.reopen().incident(record))["Pear"] == "not told"


def test_more_parties_than_fit_into_a_notice(crowd: Crowd) -> None:
    many = [f"0x{number:040x}" for number in range(1, 131)]
    record = opened(crowd.haina)
    done = crowd.haina.ledger.notify_incident(record, to=many)
    assert [each.type for each in done.records] == ["attestation"] * 3
    assert len(crowd.haina.ledger.incident(record).others_told) == 130


def test_the_list_of_incidents(sold: Crowd) -> None:
    first, second = opened(sold.haina), opened(sold.jinlong, ["jinlong/plan"])
    sold.haina.reopen().notify_incident(first)
    listed = sold.pear.reopen().incidents().incidents
    assert [(each.record, each.told) for each in listed] == [(second, 0), (first, 2)]
    sold.jinlong.ledger.revoke(second, reason="a false alarm")
    assert sold.pear.reopen().incidents().incidents[0].state == "taken back"
