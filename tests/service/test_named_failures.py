"""Each way to lose or bend what is stored has a name of its own, made here on purpose; and what an audit was
told not to look at, it says.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ledger.chain import contracts
from ledger.core import signing
from ledger.core.checkpoint import open_checkpoint
from ledger.core.errors import Unavailable, Usage, WrongLedger
from ledger.service import auditing
from ledger.service.results import AuditReport
from ledger.store.log import LogFolder
from tests.cli.conftest import Cli
from tests.service.conftest import Party, Stage, kinds


@pytest.fixture
def grown(story: Stage) -> Stage:
    """Haina's log has two checkpoints, at 2 and 3 entries; what it was at the first is kept as `old`."""
    haina = story.haina
    haina.close()
    shutil.copytree(haina.home, haina.folder / "old")
    haina.ledger.version("haina/orders", haina.put("orders.csv", "second\n"))
    haina.close()
    return story


def copy_chain(source: Path, target: Path) -> None:
    """Copy a chain with whatever SQLite keeps beside it."""
    for each in source.parent.glob(f"{source.name}*"):
        if not each.name.endswith(".lock"):
            shutil.copy(each, target.with_name(target.name + each.name.removeprefix(source.name)))


def put_back(party: Party, name: str) -> None:
    """Put a part of the workspace back to what it was."""
    party.close()
    for each in party.home.glob(f"{name}*"):
        shutil.rmtree(each) if each.is_dir() else each.unlink()
    for each in (party.folder / "old").glob(f"{name}*"):
        (shutil.copytree if each.is_dir() else shutil.copy)(each, party.home / each.name)


def audited(party: Party) -> AuditReport:
    return party.reopen().audit()


def the_failure(party: Party) -> str:
    report = audited(party)
    assert report.verdict == "failed"
    (failure,) = report.failures
    assert failure.text
    return failure.kind


def test_a_tail_that_was_cut_off(grown: Stage) -> None:
    """The head is an older one that was signed; files say that there was more."""
    haina = grown.haina
    shutil.copy(haina.folder / "old" / "public" / "checkpoint", haina.public / "checkpoint")
    shutil.copytree(haina.folder / "old" / "public" / "tile", haina.public / "tile", dirs_exist_ok=True)
    assert the_failure(haina) == "tail-missing"


def test_a_tail_that_was_cut_off_with_everything_that_was_kept(grown: Stage) -> None:
    haina = grown.haina
    put_back(haina, "public")
    haina.context.own_log(haina.context.log_id).append([b"{}"], signing.signer(haina.context.record_seed))
    shutil.copy(haina.folder / "old" / "public" / "checkpoint", haina.public / "checkpoint")
    assert the_failure(haina) == "tail-missing"


def test_a_log_that_was_put_back(grown: Stage) -> None:
    put_back(grown.haina, "public")
    assert the_failure(grown.haina) == "log-rolled-back"


def test_a_log_that_is_gone(grown: Stage) -> None:
    shutil.rmtree(grown.haina.public)
    assert the_failure(grown.haina) == "log-missing"


def test_a_chain_that_was_put_back(grown: Stage) -> None:
    put_back(grown.haina, "chain.db")
    report = audited(grown.haina)
    assert kinds(report.failures) == {"chain-rolled-back"}
    assert kinds(report.findings) >= {
        "not-anchored"
    }  # its own log kept a checkpoint for the block that is gone


def test_chain_and_index_that_were_put_back(grown: Stage) -> None:
    """Nothing remembers the block but the log itself: that is said, and may have another reason."""
    put_back(grown.haina, "chain.db")
    put_back(grown.haina, "index.db")
    (finding,) = [each for each in audited(grown.haina).findings if each.kind == "not-anchored"]
    assert "checkpoints/3" in finding.text
    assert "the chain was put back" in finding.text


def test_an_index_that_was_put_back(grown: Stage) -> None:
    """It is brought up to date, so nothing is wrong any more; but somebody did that."""
    put_back(grown.haina, "index.db")
    report = audited(grown.haina)
    assert report.verdict == "good"
    (finding,) = [each for each in report.findings if each.kind == "index-rolled-back"]
    assert "it knew 1 of the 2 checkpoints" in finding.text
    assert "index-rolled-back" not in kinds(audited(grown.haina).findings)


def branch(party: Party, entries: int) -> LogFolder:
    """Write another log under the same id, with the party's own key, in place of the true one."""
    party.close()
    context = party.context
    kept = party.public / "checkpoints"
    saved = {each.name: each.read_bytes() for each in kept.iterdir()}
    shutil.rmtree(party.public)
    log = LogFolder(party.public, context.log_id)
    log.append([b'{"other":%d}' % n for n in range(entries)], signing.signer(context.record_seed))
    kept.mkdir()
    for name, data in saved.items():
        (kept / name).write_bytes(data)
    party.close()
    return log


def test_another_root_at_the_same_size(grown: Stage) -> None:
    """Two signed checkpoints of one size, byte for byte."""
    haina = grown.haina
    true = (haina.public / "checkpoints" / "3").read_bytes()
    other = branch(haina, 3).checkpoint
    report = audited(haina)
    assert kinds(report.failures) >= {"fork-same-size", "fork"}  # the one at size 2 contradicts it too
    (fork,) = [each for each in report.forks if each.kind == "fork-same-size"]
    assert [head.note.encode() for head in fork.heads] == [other, true]
    heads = [
        open_checkpoint(each, haina.context.log_id, [haina.context.record_key]) for each in (other, true)
    ]
    assert heads[0].size == heads[1].size == 3
    assert heads[0].root != heads[1].root


def test_another_root_without_the_checkpoints_that_were_kept(grown: Stage) -> None:
    """Then the other side is what was anchored."""
    haina = grown.haina
    branch(haina, 3)
    shutil.rmtree(haina.public / "checkpoints")
    (fork,) = [each for each in audited(haina).forks if each.kind == "fork-same-size"]
    head = haina.context.reader.log_head(haina.context.log_id)
    assert head is not None
    assert (fork.heads[1].root, fork.heads[1].block, fork.heads[1].note) == (head.root.hex(), head.block, "")
    assert fork.heads[0].note


def test_a_longer_log_that_does_not_extend_what_was_anchored(grown: Stage) -> None:
    haina = grown.haina
    branch(haina, 300)
    report = audited(haina)
    assert {fork.kind for fork in report.forks} == {"fork"}
    assert [[head.size for head in fork.heads] for fork in report.forks] == [[300, 2], [300, 3]]


def anchor_as(party: Party, size: int) -> None:
    """Anchor the log's true root under another size: the contract can't tell, nor any consistency proof."""
    context = party.context
    log = context.log
    head = context.reader.log_head(context.log_id)
    old = head.size if head else 0
    call = contracts.anchor(
        context.descriptor,
        context.address,
        0,
        old_size=old,
        size=size,
        root=log.root,
        proof=log.prove_consistency(old, log.size) if old else [],
    )
    log.keep_checkpoint()
    with context.client() as client:
        client.send(call, context.account_key)


@pytest.mark.parametrize("wrong", [5, 7, pytest.param(1000, marks=pytest.mark.slow)])
def test_a_true_root_under_a_wrong_size(stage: Stage, wrong: int) -> None:
    haina, jinlong = stage.haina, stage.jinlong
    for number in range(6):
        haina.ledger.register(f"haina/a{number}", anchor=False)
    anchor_as(haina, wrong)
    report = audited(haina)
    (failure,) = report.failures
    assert (failure.kind, failure.entry) == ("wrong-size", wrong - 1)
    assert f"anchored at size {wrong}" in failure.text
    assert "the true root of the first 6 entries" in failure.text
    assert report.forks == []  # it is one log
    # a follower can't read it, and is told why
    jinlong.ledger.follow("haina", source=str(haina.public))
    theirs = audited(jinlong)
    (finding,) = [each for each in theirs.findings if each.kind == "wrong-size"]
    assert "first 6 entries" in finding.text
    assert theirs.forks == []


def test_a_log_that_was_closed_and_succeeded(grown: Stage) -> None:
    haina, jinlong = grown.haina, grown.jinlong
    jinlong.ledger.follow("haina", source=str(haina.public))
    haina.ledger.register("haina/void", anchor=False)
    haina.ledger.close_log(1, "new", confirm=lambda _: True)
    haina.ledger.register("haina/more")
    for party in (haina, jinlong):
        report = audited(party)
        assert report.verdict == "good"
        old, new = sorted(
            (log for log in report.logs if log.party == haina.party), key=lambda log: log.closed_block is None
        )
        assert (old.closed_at, old.successor, old.checkpoints) == (1, new.log, 2)
        assert (new.closed_block, new.entries, new.signatures) == (None, 1, 1)
        closed = [each.text for each in report.findings if each.kind == "log-closed"]
        assert any(
            "at checkpoint 1 of 2; 1 checkpoints from there on are disowned" in each for each in closed
        )
        assert any(new.log in each for each in closed)
    assert "void-entries" in kinds(audited(haina).findings)
    put_back(haina, "public")  # both of its logs, to before there was the second
    assert kinds(audited(haina).failures) == {"log-rolled-back", "log-missing"}


def test_a_followed_log_that_is_missing_for_a_while(grown: Stage) -> None:
    haina, jinlong = grown.haina, grown.jinlong
    away = jinlong.public.with_name("away")
    jinlong.ledger.version("jinlong/parts", jinlong.put("parts.csv", "new\n"))
    jinlong.close()
    jinlong.public.rename(away)
    before = audited(haina)
    assert before.verdict == "good"  # what is here is right; what is not here is a finding
    (finding,) = [each for each in before.findings if each.kind == "log-unavailable"]
    assert finding.log == jinlong.context.log_id.hex()
    assert [log.entries for log in before.logs] == [3, 2]
    away.rename(jinlong.public)
    after = audited(haina)
    assert after.findings == []
    assert [log.entries for log in after.logs] == [3, 3]
    assert after.state_digest != before.state_digest


# --- a part of it


def corrupt_signature(party: Party) -> None:
    """Anchor an entry whose signature is nobody's, as an owner can."""
    log, context = party.context.log, party.context
    (entry,) = log.entries(0, 1)
    at = entry.index(b'"sig":"') + 10
    forged = entry[:at] + (b"A" if entry[at : at + 1] != b"A" else b"B") + entry[at + 1 :]
    log.append([forged], signing.signer(context.record_seed))
    party.ledger.anchor()
    party.close()


def test_a_part_is_never_everything(grown: Stage) -> None:
    haina, jinlong = grown.haina, grown.jinlong
    whole = audited(haina)
    assert (whole.verdict, whole.not_checked) == ("good", [])
    report = haina.ledger.audit(logs=["jinlong"])
    assert (report.verdict, report.good, report.failures) == ("partial", False, [])
    assert [log.party for log in report.logs] == [jinlong.party]
    assert report.not_checked == [
        f"the log {haina.context.log_id.hex()}",
        "attachments",
        "the index",
    ]
    assert (report.state_digest, report.digest_block) == ("", None)
    assert report.logs[0].signatures == 2
    own = haina.context.log_id.hex()
    for part in (own, own[:8], "haina", haina.party):
        (log,) = haina.ledger.audit(logs=[part]).logs
        assert log.log == own
    assert len(haina.ledger.audit(logs=["haina", "jinlong"]).logs) == 2
    for part in ("nobody", "did:ethr:0x1:0x" + "12" * 20, "abcdef123", ""):
        with pytest.raises(Usage):
            haina.ledger.audit(logs=[part])
    haina.close()
    out = Cli(haina.folder).fails(3, "audit", "--log", "jinlong").out
    assert out.startswith("PARTIAL")
    assert "GOOD" not in out
    assert "not looked at: the index" in out


def test_what_is_wrong_in_a_part_is_wrong(grown: Stage) -> None:
    haina = grown.haina
    path = next((haina.home / "mirrors").glob("*/tile/entries/000.p/*"))
    path.write_bytes(path.read_bytes()[:-9] + b"\1" + path.read_bytes()[-8:])
    assert haina.ledger.audit(logs=["haina"]).verdict == "partial"
    assert haina.ledger.audit(logs=["jinlong"]).verdict == "failed"
    assert haina.ledger.audit(since="0").verdict == "failed"
    haina.close()
    Cli(haina.folder).fails(1, "audit", "--log", "jinlong")


def test_signatures_before_a_block_are_left_out(grown: Stage) -> None:
    haina = grown.haina
    corrupt_signature(haina)
    points = [haina.context.reader.checkpoint_covering(haina.context.log_id, n) for n in (0, 2, 3)]
    assert all(points)
    first, second, third = (point.block for point in points)

    def note(since: int) -> bool:
        report = haina.reopen().audit(since=str(since))
        assert report.verdict == "partial"
        (own,) = [log for log in report.logs if log.log == haina.context.log_id.hex()]
        skipped = 4 - own.signatures
        assert any(f"the first {skipped} entries of the log {own.log}" in e for e in report.not_checked) == (
            skipped > 0
        )
        return any("1 entries" in each and "rejected" in each for each in report.notes)

    assert [note(block) for block in (0, first, second, third, third + 1)] == [True] * 4 + [False]
    assert haina.ledger.audit(since="2100-01-01").logs[0].signatures == 0
    assert haina.ledger.audit(since="2001-01-01T00:00:00Z").logs[0].signatures == 4
    assert any("1 entries" in each for each in audited(haina).notes)  # and the whole audit says so too
    with pytest.raises(Usage, match="expected a block number"):
        haina.ledger.audit(since="yesterday")


def test_a_tree_is_recomputed_whatever_since_says(grown: Stage) -> None:
    haina = grown.haina
    path = next((haina.public / "tile" / "entries").glob("000.p/*"))
    path.write_bytes(path.read_bytes()[:-9] + b"\1" + path.read_bytes()[-8:])
    assert haina.ledger.audit(since="2100-01-01").verdict == "failed"


def test_of_very_many_failures_the_first_are_listed(grown: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auditing, "_MOST_FAILURES", 1)
    haina = grown.haina
    for path in (haina.public / "tile" / "0").glob("000.p/*"):
        path.write_bytes(bytes(path.stat().st_size))
    for path in (haina.public / "checkpoints").iterdir():
        path.write_bytes(b"nonsense")
    report = audited(haina)
    assert (report.verdict, len(report.failures)) == ("failed", 1)
    path.write_bytes(b"")
    shutil.rmtree(haina.public / "tile")
    mirror = next((haina.home / "mirrors").glob("*/tile/entries/000.p/*"))
    mirror.write_bytes(mirror.read_bytes()[:-9] + b"\1" + mirror.read_bytes()[-8:])
    report = audited(haina)
    assert len(report.failures) == 1
    assert any("more failures are not listed" in note for note in report.notes)


# --- two answers of a chain


def test_another_node_with_the_same_answers(grown: Stage) -> None:
    haina = grown.haina
    other = haina.folder / "other.db"
    copy_chain(haina.home / "chain.db", other)
    assert haina.ledger.audit(against=str(other)).verdict == "good"
    put_back(haina, "index.db")
    old = haina.folder / "old" / "chain.db"
    assert haina.ledger.audit(against=str(old)).verdict == "good"  # it lags behind, and agrees on all it has
    with pytest.raises(Unavailable):
        haina.ledger.audit(against=str(haina.folder / "none.db"))


def test_another_node_with_other_answers(grown: Stage) -> None:
    haina, jinlong = grown.haina, grown.jinlong
    ours = haina.context.reader.head()
    other = haina.folder / "other.db"
    grown.close()
    copy_chain(haina.home / "chain.db", haina.folder / "true.db")
    put_back(haina, "chain.db")
    for number in range(3):
        jinlong.ledger.register(f"jinlong/other{number}")  # another history, from the same point on
    grown.close()
    copy_chain(haina.home / "chain.db", other)
    for each in haina.home.glob("chain.db*"):
        each.unlink()
    copy_chain(haina.folder / "true.db", haina.home / "chain.db")
    report = haina.reopen().audit(against=str(other))
    assert report.verdict == "failed"
    (fork,) = report.forks
    assert fork.kind == "chain-fork"
    assert fork.heads[0].block == fork.heads[1].block == ours.number  # the first block that differs
    assert fork.heads[0].block_hash == f"0x{ours.hash.hex()}" != fork.heads[1].block_hash
    assert [head.size for head in fork.heads] == [3, 2]  # the anchored heads of the own log
    assert fork.heads[1].source == str(other)
    assert audited(haina).verdict == "good"  # it was somebody else's answer: nothing of it is kept


def test_another_node_of_another_ledger(grown: Stage, tmp_path: Path) -> None:
    from ledger.service import InitRequest, Ledger

    other = tmp_path / "elsewhere"
    other.mkdir()
    Ledger.init(other, InitRequest(namespace="haina"), env={})
    with pytest.raises(WrongLedger):
        grown.haina.ledger.audit(against=str(other / ".dataledger" / "chain.db"))


# --- two auditors


def test_two_auditors_agree_in_the_end(story: Stage) -> None:
    """They synced in different orders, and one could not have a log for a while."""
    haina, jinlong = story.haina, story.jinlong
    parts = jinlong.folder / "parts.csv"
    for number in range(3):
        out = haina.put(f"out{number}.csv", f"{number}\n")
        inputs = ["haina/orders", f"jinlong/parts={parts}"]
        haina.ledger.run(["true"], inputs=inputs, outputs=[f"haina/out{number}={out}"])
        if number == 1:
            audited(haina)  # in the middle, and at the end
        jinlong.ledger.version("jinlong/parts", jinlong.put("parts.csv", f"{number}\n"))
        made = jinlong.put(f"made{number}.csv", f"{number}\n")
        jinlong.ledger.run(
            ["true"], inputs=[f"haina/out{number}={out}"], outputs=[f"jinlong/made{number}={made}"]
        )
    seen = audited(jinlong)
    assert kinds(seen.findings) >= {"log-unavailable", "input-unregistered"}
    ours = audited(haina)
    assert ours.digest_block == seen.digest_block
    assert ours.state_digest != seen.state_digest  # it had to judge without Haina's log
    jinlong.ledger.follow("haina", source=str(haina.public))
    theirs = audited(jinlong)
    assert (theirs.verdict, ours.verdict) == ("good", "good")
    assert (theirs.state_digest, theirs.digest_block) == (ours.state_digest, ours.digest_block)
    haina.ledger.sync(rebuild=True)
    assert audited(haina).state_digest == ours.state_digest
