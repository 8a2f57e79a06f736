"""An audit recomputes everything from stored bytes: one bit anywhere, and it says where."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from ledger.core.errors import Corrupt, Forked, Unavailable
from ledger.service.results import AuditReport
from tests.service.conftest import Party, Stage, kinds


@pytest.fixture
def busy(story: Stage) -> Stage:
    """With a run, a sealed attachment, several checkpoints, and a public attachment."""
    haina = story.haina
    out = haina.folder / "demand.csv"
    haina.ledger.run(["touch", str(out)], inputs=["haina/orders"], outputs=[f"haina/demand={out}"])
    haina.ledger.register("haina/pending", anchor=False)
    story.close()
    return story


def flip(path: Path, position: int, bit: int = 0) -> None:
    data = bytearray(path.read_bytes())
    data[position] ^= 1 << bit
    path.write_bytes(data)


def one(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    assert found, pattern
    return found[-1]


def failed(party: Party) -> AuditReport:
    report = party.reopen().audit()
    assert not report.good
    return report


def said(report: AuditReport) -> str:
    return "\n".join(f"{each.kind} {each.subject} {each.text}" for each in report.failures)


def test_all_is_well(busy: Stage) -> None:
    report = busy.haina.ledger.audit()
    assert (report.good, report.failures, report.findings) == (True, [], [])
    own, other = report.logs
    assert (own.log, own.entries, own.anchored, own.checkpoints, own.good) == (
        busy.haina.context.log_id.hex(),
        6,
        5,
        2,
        True,
    )
    assert (other.party, other.entries, other.anchored) == (busy.jinlong.party, 2, 2)
    assert report.attachments == 1
    head = busy.haina.context.reader.head().number
    assert (report.chain_blocks, report.to_block, report.digest_block) == (head + 1, head, head)
    assert report.state_digest == busy.haina.ledger.sync(digest=True).state_digest
    assert f"block {head} " in report.trust_root
    assert busy.haina.command("audit")[0] == 0


def test_two_auditors_reach_the_same_state(busy: Stage) -> None:
    busy.jinlong.ledger.follow("haina", source=str(busy.haina.public))
    ours, theirs = busy.haina.ledger.sync(digest=True), busy.jinlong.ledger.sync(digest=True)
    assert (ours.state_digest, ours.digest_block) == (theirs.state_digest, theirs.digest_block)
    assert ours.digest_logs == theirs.digest_logs
    assert {each.entries for each in ours.digest_logs} == {5, 2}
    rebuilt = busy.haina.ledger.sync(rebuild=True, digest=True)
    assert rebuilt.state_digest == ours.state_digest


OWN_LOG = [
    # which file, where in it, what is said of it
    ("tile/entries/000.p/*", 0.5, "root-mismatch|entry-invalid|corrupt"),
    ("tile/0/000.p/*", 0.5, "tile-mismatch|corrupt"),
    ("checkpoint", 0.1, "corrupt"),
    ("checkpoint", 0.99, "checkpoint-invalid|corrupt"),
    ("checkpoints/2", 0.1, "corrupt"),
    ("checkpoints/2", 0.9, "checkpoint-invalid|corrupt"),
    ("checkpoints/5", 0.5, "checkpoint-mismatch|corrupt|forked|checkpoint-invalid"),
]


@pytest.mark.parametrize(("pattern", "where", "kind"), OWN_LOG)
def test_one_bit_in_the_own_log(busy: Stage, pattern: str, where: float, kind: str) -> None:
    haina = busy.haina
    path = one(haina.public, pattern)
    flip(path, int(path.stat().st_size * where), 1)
    report = failed(haina)
    assert kinds(report.failures) & set(kind.split("|")), said(report)
    assert haina.party in said(report) or "log" in said(report)
    assert haina.command("audit")[0] == 1


def test_any_byte_of_the_small_files_counts(busy: Stage) -> None:
    haina = busy.haina
    for pattern in ("checkpoint", "checkpoints/2", "tile/0/000.p/*"):
        path = one(haina.public, pattern)
        good = path.read_bytes()
        for position in range(0, len(good), 11):
            flip(path, position)
            assert not haina.reopen().audit().good, f"{pattern} byte {position}"
            path.write_bytes(good)


@pytest.mark.parametrize("pattern", ["tile/entries/000.p/*", "tile/0/000.p/*", "checkpoints/2"])
def test_a_file_of_the_own_log_that_is_gone(busy: Stage, pattern: str) -> None:
    one(busy.haina.public, pattern).unlink()
    failed(busy.haina)


@pytest.mark.parametrize("pattern", ["*/tile/entries/000.p/*", "*/tile/0/000.p/*", "*/head"])
def test_one_bit_in_a_copy_of_anothers_log(busy: Stage, pattern: str) -> None:
    haina = busy.haina
    path = one(haina.home / "mirrors", pattern)
    flip(path, path.stat().st_size // 2)
    report = failed(haina)
    assert busy.jinlong.party in said(report)
    assert [log.good for log in report.logs] == [True, False]


def test_one_bit_in_an_attachment(busy: Stage) -> None:
    haina = busy.haina
    path = one(haina.home / "private" / "attachments", "*")
    flip(path, 100)
    report = failed(haina)
    assert path.name in said(report)
    flip(path, 100)
    path.rename(path.with_name(path.name[:-1]))  # gone, or renamed: shown, though forgetting is allowed
    report = haina.reopen().audit()
    assert (report.good, kinds(report.findings)) == (True, {"attachment-missing"})


def chain_rows(path: Path) -> list[tuple[str, str, bytes]]:
    with sqlite3.connect(path) as db:
        found = [("blocks", str(n), header) for n, header in db.execute("SELECT number, header FROM blocks")]
        found += [("nodes", key.hex(), data) for key, data in db.execute("SELECT key, content FROM nodes")]
    db.close()
    return found


@pytest.mark.parametrize("table", ["blocks", "nodes"])
def test_one_bit_in_the_chain(busy: Stage, table: str) -> None:
    haina = busy.haina
    path = haina.home / "chain.db"
    good = {each: each.read_bytes() for each in haina.home.glob("chain.db*")}
    rows = [row for row in chain_rows(path) if row[0] == table]
    key, content = ("number", "header") if table == "blocks" else ("key", "content")
    for _, name, data in rows[:: max(1, len(rows) // 8)]:
        changed = data[:1] + bytes([data[1] ^ 1]) + data[2:]
        value = int(name) if table == "blocks" else bytes.fromhex(name)
        with sqlite3.connect(path) as db:
            db.execute(f"UPDATE {table} SET {content} = ? WHERE {key} = ?", (changed, value))
        db.close()
        assert "chain" in said(failed(haina))
        haina.close()
        for each in haina.home.glob("chain.db*"):
            each.unlink()
        for each, kept in good.items():
            each.write_bytes(kept)
    assert haina.ledger.audit().good


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE version SET number = 7 WHERE id = 1",
        "UPDATE entry SET claimed = '2020-01-01T00:00:00Z' WHERE id = 2",
        "UPDATE namespace SET party = 1 + (party = 1) WHERE id = 1",
        "UPDATE key SET valid_to = valid_to + 1 WHERE id = 1",
        "UPDATE block SET time = time + 1 WHERE number = (SELECT min(block) FROM entry)",
        "DELETE FROM edge",
        "UPDATE registration SET title = 'x' WHERE id = 1",
    ],
)
def test_one_row_of_the_index(busy: Stage, statement: str) -> None:
    haina = busy.haina
    with sqlite3.connect(haina.home / "index.db") as db:
        assert db.execute(statement).rowcount
    db.close()
    report = failed(haina)
    assert kinds(report.failures) == {"index-mismatch"}
    assert "dataledger sync --rebuild" in said(report)
    haina.ledger.sync(rebuild=True)
    assert haina.ledger.audit().good
    assert not list(haina.home.glob("index.db.audit*"))


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM document_fts_docsize WHERE id = 1",
        pytest.param("UPDATE document_fts_docsize SET sz = x'00000000' WHERE id = 1", marks=pytest.mark.slow),
        "DELETE FROM document_fts_idx WHERE segid > 0",
        pytest.param("DELETE FROM document_fts_data WHERE id > 10", marks=pytest.mark.slow),
        pytest.param("UPDATE document_fts_data SET block = x'00' WHERE id = 1", marks=pytest.mark.slow),
        "UPDATE document_fts_config SET v = 3 WHERE k = 'version'",
        pytest.param("INSERT INTO document_fts_config VALUES ('rank', 'bm25(0.0)')", marks=pytest.mark.slow),
        # an asset that nobody finds any more, and one that is found by a word it does not have
        """INSERT INTO document_fts(document_fts, rowid, name, title, text, fields)
           SELECT 'delete', id, name, title, text, fields FROM document WHERE id = 1""",
        "INSERT INTO document_fts(rowid, name, title, text, fields) VALUES (1, 'x', 'gold', '', '')",
    ],
)
def test_one_row_of_the_search_index(busy: Stage, statement: str) -> None:
    haina = busy.haina
    haina.close()
    with sqlite3.connect(haina.home / "index.db") as db:
        assert db.execute(statement).rowcount
    db.close()
    report = failed(haina)
    assert kinds(report.failures) <= {"index-mismatch", "corrupt"}  # newer SQLite finds it in the file
    assert "fts" in said(report)
    haina.ledger.sync(rebuild=True)
    assert haina.ledger.audit().good


def test_an_index_that_is_no_database(busy: Stage) -> None:
    haina = busy.haina
    (haina.home / "index.db").write_bytes(b"no database" * 1000)
    report = failed(haina)
    assert "index" in said(report)
    haina.reopen().sync(rebuild=True)
    assert haina.ledger.audit().good


# --- put back to an older state


def older(party: Party) -> Path:
    """Keep the whole workspace as it is now, but for the chain."""
    party.close()
    kept = party.folder / "backup"
    shutil.copytree(party.home, kept, ignore=shutil.ignore_patterns("chain.db*"))
    return kept


def put_back(party: Party, kept: Path) -> None:
    party.close()
    for each in kept.iterdir():
        target = party.home / each.name
        if target.is_dir():
            shutil.rmtree(target)
        shutil.move(each, target)


def test_an_old_backup_is_not_written_to(busy: Stage) -> None:
    """All of the workspace is old, the index too: only the chain knows what is missing."""
    haina = busy.haina
    kept = older(haina)
    haina.ledger.register("haina/lost", haina.put("lost.csv"))
    put_back(haina, kept)
    for write in (
        lambda: haina.ledger.register("haina/new", anchor=False),
        haina.ledger.anchor,
        haina.ledger.rotate_key,
        lambda: haina.ledger.run(["true"]),
    ):
        with pytest.raises(Corrupt, match=r"8 (anchored )?entries") as caught:
            write()
        assert "restore" in caught.value.hint.lower()
    assert haina.context.log.size == 6
    report = failed(haina)
    assert "8 entries are anchored, 6 are stored" in said(report)
    assert any(
        "put back to an older state" in note or "log-unavailable" in note
        for note in haina.ledger.status().notes
    )


def test_a_backup_that_went_on_elsewhere_is_a_fork(busy: Stage) -> None:
    haina = busy.haina
    kept = older(haina)
    haina.ledger.register("haina/one", haina.put("one.csv"))
    put_back(haina, kept)
    other = Stage(busy.path / "other")
    shutil.copytree(busy.haina.home, other.haina.home)
    from ledger.core import signing

    context = haina.context  # as an older release, that did not look, would have gone on
    signer = signing.signer(context.record_seed)
    context.log.append([b"{}", b"{}", b"{}"], signer)
    for write in (lambda: haina.ledger.register("haina/two"), haina.ledger.anchor):
        with pytest.raises((Forked, Corrupt)):
            write()
    report = failed(haina)
    (fork,) = report.forks
    assert fork.kind == "fork" in kinds(report.failures)
    anchored, ours = fork.heads[1], fork.heads[0]
    assert (anchored.size, anchored.block) == (8, haina.context.reader.head().number)
    assert ours.note.encode() == haina.context.own_log(haina.context.log_id, compare_kept=False).checkpoint


def test_the_tail_cut_off(busy: Stage) -> None:
    haina = busy.haina
    kept = haina.folder / "public.old"
    shutil.copytree(haina.public, kept)
    haina.ledger.anchor()
    haina.ledger.register("haina/more")
    haina.close()
    shutil.rmtree(haina.public)
    shutil.move(kept, haina.public)
    with pytest.raises(Corrupt, match="at least 7 entries"):
        haina.ledger.register("haina/again")
    assert "7 entries are anchored, 6 are stored" in said(failed(haina))
    assert haina.ledger.show("haina/more").kind == "asset"  # what was verified before is still known


def test_a_chain_that_is_gone_can_not_be_audited(busy: Stage) -> None:
    (busy.haina.home / "chain.db").rename(busy.haina.home / "elsewhere.db")
    with pytest.raises(Unavailable):
        busy.haina.ledger.audit()
    assert busy.haina.command("audit")[0] == 3
