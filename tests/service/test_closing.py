"""A damaged log is closed and another goes on: nothing that was anchored is lost, and everybody follows."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ledger.core.errors import Corrupt, LedgerError, Unavailable, Usage
from ledger.service import closing
from ledger.service.results import Done
from tests.service.conftest import Party, Stage


def yes(_: str) -> bool:
    return True


def close(party: Party, at: int, successor: str = "new", reason: str = "") -> Done:
    return party.ledger.close_log(at, successor, reason=reason, confirm=yes)


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.fixture
def both(story: Stage) -> Stage:
    """Each follows the other; Haina has two checkpoints."""
    story.haina.ledger.version("haina/orders", story.haina.put("orders.csv", "second\n"))
    story.jinlong.ledger.follow("haina", source=str(story.haina.folder))
    return story


def test_records_go_on_in_the_successor(both: Stage) -> None:
    haina, jinlong = both.haina, both.jinlong
    old = haina.context.log_id
    done = close(haina, 2)
    assert "closed log 0 at checkpoint 2 of 2; records go to log 1" in done.what
    assert haina.context.config.log_number == 1
    new = haina.context.log_id
    assert new == haina.context.log_id_of(haina.context.address, 1) != old
    receipt = haina.ledger.version("haina/orders", haina.put("orders.csv", "third\n"))
    assert (receipt.log, receipt.size, receipt.records[0].entry) == (new.hex(), 1, 0)
    assert receipt.records[0].subject == "haina/orders@3"
    assert haina.ledger.verify(haina.folder / "orders.csv").verdict == "good"
    for number, log in ((2, old), (3, new)):
        record = haina.ledger.log(asset="haina/orders").records[3 - number]
        assert (record.subject, record.log) == (f"haina/orders@{number}", log.hex())
        shown = haina.ledger.show(record.record)
        assert shown.statement  # read from the log that it stands in
    assert (haina.context.log.path, haina.context.log.size) == (haina.public / "logs" / "1", 1)
    # the other party, who never heard of log 1, reads it from where it follows log 0
    found = jinlong.ledger.verify(haina.folder / "orders.csv", asset="haina/orders")
    assert (found.verdict, found.claims[0].version) == ("good", "haina/orders@3")
    first, second = jinlong.ledger.followed().followed
    assert (first.log, first.problem, second.log, second.entries) == (old.hex(), "", new.hex(), 1)
    assert (first.closed_block, second.successor_of) == (done.block, old.hex())
    ours, theirs = haina.ledger.sync(digest=True), jinlong.ledger.sync(digest=True)
    assert ours.state_digest == theirs.state_digest
    assert ours.missing_logs == theirs.missing_logs == []
    assert haina.ledger.audit().good
    assert jinlong.ledger.audit().good


def test_evidence_over_both_logs(both: Stage) -> None:
    """A lineage that goes back into the closed log is proven out of both."""
    from ledger.service.evidence_checking import TrustRoot, check_evidence

    haina = both.haina
    close(haina, 1)
    out = haina.folder / "made.csv"
    haina.ledger.run(["touch", str(out)], inputs=["haina/orders"], outputs=[f"haina/made={out}"])
    file = haina.folder / "made.evidence"
    made = haina.ledger.evidence(["haina/made@1"], file)
    view = check_evidence(file, TrustRoot(block=made.block_hash), everything=True)
    assert (view.verdict.verdict, view.verdict.logs) == ("good", 2)
    # and the other party makes the same of it
    theirs = both.jinlong.folder / "made.evidence"
    made = both.jinlong.ledger.evidence(["haina/made@1"], theirs)
    assert check_evidence(theirs, TrustRoot(block=made.block_hash)).verdict.verdict == "good"


def test_what_the_owner_does_not_stand_by_is_a_finding(both: Stage) -> None:
    close(both.haina, 1)
    for party in (both.haina, both.jinlong):
        (finding,) = [each for each in party.ledger.findings().findings if each.kind == "log-closed"]
        assert "checkpoint 1 " in finding.text
        assert "disowned" in finding.text
        assert party.ledger.show("haina/orders@2").kind == "version"  # nobody repudiates by closing


def test_what_was_pending_is_void(both: Stage) -> None:
    haina = both.haina
    haina.ledger.register("haina/pending", anchor=False)
    asked: list[str] = []
    done = haina.ledger.close_log(2, "new", confirm=lambda text: not asked.append(text))
    assert "1 entries in it were never anchored and are void" in asked[0]
    assert any("void" in note for note in done.notes)
    assert not haina.context.index.registered("haina/pending")
    haina.ledger.register("haina/pending")
    assert both.jinlong.ledger.show("haina/pending").kind == "asset"
    assert haina.ledger.audit().good


def test_the_reason_is_on_the_chain(both: Stage) -> None:
    close(both.haina, 2, reason="a laptop was stolen")
    rows = both.jinlong.ledger.sync() and both.jinlong.context.index.database.rows(
        "SELECT content FROM attribute WHERE name = ?", closing.CLOSED_ATTRIBUTE.ljust(32, b"\0")
    )
    assert rows == [(b"#0 a laptop was stolen",)]
    with pytest.raises(Usage, match="reason"):
        close(both.haina, 2, reason="two\nlines")


def test_a_log_that_lost_its_tail_is_closed(both: Stage) -> None:
    """What is left of the log stays; whoever has the tail still reads it."""
    haina, jinlong = both.haina, both.jinlong
    assert jinlong.ledger.show("haina/orders@2").kind == "version"
    haina.close()
    shutil.rmtree(haina.public)
    (haina.home / "index.db").unlink()
    with pytest.raises(LedgerError):
        haina.ledger.register("haina/more")
    close(haina, 2)
    haina.ledger.register("haina/more")
    assert jinlong.ledger.show("haina/more").kind == "asset"
    assert jinlong.ledger.show("haina/orders@2").kind == "version"
    assert haina.finding_kinds() == ["log-unavailable"]
    assert (
        "tail-missing" in {each.kind for each in haina.ledger.audit().failures}
        or not haina.ledger.audit().good
    )


def test_a_log_with_a_damaged_edge_is_closed(both: Stage) -> None:
    haina = both.haina
    flip(next((haina.public / "tile" / "0").glob("000.p/*")))
    haina.close()
    with pytest.raises(Corrupt):
        haina.ledger.register("haina/more")
    close(haina, 2)
    haina.ledger.register("haina/more")
    assert both.jinlong.ledger.show("haina/more").kind == "asset"


def test_what_makes_no_sense(both: Stage) -> None:
    haina = both.haina
    for at, successor, message in (
        (3, "new", "has checkpoints 0 to 1"),
        (-1, "new", "has checkpoints 0 to 1"),
        (2, "0", "can't go on"),
        (2, "256", "can't go on"),
        (2, "ab" * 32, "no log of yours"),
        (2, "nonsense", "log id"),
        (2, both.jinlong.context.log_id.hex(), "no log of yours"),
    ):
        with pytest.raises(Usage, match=message):
            close(haina, at, successor)
    with pytest.raises(Usage, match="nothing was done") as caught:
        haina.ledger.close_log(2, "new")
    assert "--yes" in caught.value.hint
    assert haina.context.reader.closure(haina.context.log_id) is None
    assert haina.context.config.log_number == 0


def test_a_log_that_was_never_anchored_is_not_closed(haina: Party) -> None:
    haina.ledger.register("haina/orders", anchor=False)
    with pytest.raises(Usage, match="no checkpoint"):
        close(haina, 0)


def test_a_successor_may_be_named(both: Stage) -> None:
    haina = both.haina
    close(haina, 2, haina.context.log_id_of(haina.context.address, 3).hex())
    assert haina.context.config.log_number == 3
    haina.ledger.register("haina/more")
    assert both.jinlong.ledger.show("haina/more").kind == "asset"
    close(haina, 1, "4")
    haina.ledger.register("haina/again")
    assert both.jinlong.ledger.show("haina/again").kind == "asset"
    assert len(both.jinlong.ledger.followed().followed) == 3
    assert [log.good for log in haina.ledger.audit().logs][:3] == [True] * 3
    assert both.jinlong.ledger.sync(digest=True).state_digest == haina.ledger.sync(digest=True).state_digest


@pytest.mark.parametrize("step", ["_begin_successor", "_close", "save"])
def test_interrupted_it_goes_on(both: Stage, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever it stops, nothing is half: either the old log goes on, or the same command finishes."""
    haina = both.haina

    def broken(*_: object) -> None:
        raise KeyboardInterrupt

    if step == "save":
        monkeypatch.setattr(type(haina.context), "save_config", broken)
    else:
        monkeypatch.setattr(closing, step, broken)
    with pytest.raises(KeyboardInterrupt):
        close(haina, 2)
    monkeypatch.undo()
    haina.close()
    if step == "save":
        haina.ledger.sync()
        assert any("log close --at 2 --successor 1" in note for note in haina.ledger.status().notes)
        with pytest.raises(Usage, match="was closed, at checkpoint 2") as caught:
            haina.ledger.register("haina/more")
        assert "log close --at 2 --successor 1" in caught.value.hint
        with pytest.raises(Usage, match="closed already, at checkpoint 2"):
            close(haina, 1)
        with pytest.raises(Usage, match="with the successor 1"):
            close(haina, 2, "2")
    else:
        haina.ledger.register("haina/between")
    closed = close(haina, 3 if step != "save" else 2)
    assert haina.context.config.log_number == 1
    assert closed.block is not None
    haina.ledger.register("haina/more")
    assert both.jinlong.ledger.show("haina/more").kind == "asset"
    assert haina.ledger.audit().good


def test_a_successor_follows_its_announcement(both: Stage) -> None:
    """A later log that is announced nowhere is looked for below the first one."""
    from ledger.service.logs import announced_at

    haina, jinlong = both.haina, both.jinlong
    haina.ledger.serve_at("https://haina.example/log")
    close(haina, 2)
    haina.ledger.register("haina/more")
    jinlong.ledger.sync()
    assert announced_at(jinlong.context, haina.context.log_id) == ("https://haina.example/log", "logs/1")
    haina.ledger.serve_at("https://haina.example/moved")  # the whole folder, as ever
    jinlong.ledger.sync()
    assert announced_at(jinlong.context, haina.context.log_id) == ("https://haina.example/moved", "logs/1")
    first = haina.context.log_id_of(haina.context.address, 0)
    assert announced_at(jinlong.context, first) == ("https://haina.example/moved", "")


def test_attachments_of_both_logs(both: Stage) -> None:
    """Public attachments lie beside the log whose records name them."""
    from ledger.service.attached import public_attachments

    haina = both.haina
    first = public_attachments(haina.context).path("ab" * 32)
    close(haina, 2)
    second = public_attachments(haina.context).path("ab" * 32)
    assert first != second
    assert second.is_relative_to(haina.public / "logs" / "1")


def test_without_the_chain_nothing_is_closed(both: Stage) -> None:
    (both.haina.home / "chain.db").rename(both.haina.home / "away.db")
    both.haina.close()
    with pytest.raises(Unavailable):
        close(both.haina, 2)
    assert both.haina.context.config.log_number == 0
