"""Forgetting: content and salt are nowhere any more, everything still verifies, and half is never whole."""

from __future__ import annotations

import base64
import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from ledger.core.errors import NotFound, Usage
from ledger.service.attached import Sealing, private_attachments
from ledger.service.disclosing import disclosed, forgotten, sealed
from ledger.service.results import AuditReport
from ledger.store import files
from tests.service.conftest import PYTHON, Party, Stage, copied, kinds
from tests.service.test_disclosing import SECRET, only, state

MARKER = "Ottilie-Wildermuth-4711"


@pytest.fixture(scope="module")
def _told(_story: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Haina ran a program with the marker on its command line, and imported events that hold it twice."""
    story = next(copied(_story, tmp_path_factory.mktemp("told") / "stage"))
    haina = story.haina
    made = haina.folder / "demand.csv"
    command = [PYTHON, "-c", "open('demand.csv', 'w').write('7')", MARKER, SECRET]
    haina.ledger.run([*command[:2], f"open({str(made)!r}, 'w').write('7')", *command[3:]],
                     inputs=["haina/orders"], outputs=[f"haina/demand={made}"])  # fmt: skip
    custom = {"note": {"_producer": "p", "_schemaURL": "u", "text": MARKER}}
    owner = {
        "ownership": {"_producer": "p", "_schemaURL": "u", "owners": [{"name": MARKER, "type": "OWNER"}]}
    }
    event = {
        "eventTime": "2026-01-01T00:00:00Z", "producer": "p", "schemaURL": "u", "eventType": "COMPLETE",
        "run": {"runId": "r1", "facets": custom}, "job": {"namespace": "jobs", "name": "j", "facets": owner},
        "inputs": [], "outputs": [{"namespace": "db", "name": "table"}],
    }  # fmt: skip
    haina.ledger.import_openlineage([haina.put("../events.json", json.dumps(event))])
    story.close()
    return story.path


@pytest.fixture
def told(_told: Path, tmp_path: Path) -> Iterator[Stage]:
    yield from copied(_told, tmp_path / "stage")


def holding(folder: Path, *needles: bytes) -> list[Path]:
    """Every file below a folder whose bytes hold one of these, SQLite's and hidden ones too."""
    found = [path for path in folder.rglob("*") if path.is_file()]
    return [path for path in found if any(needle in path.read_bytes() for needle in needles)]


def spellings(content: bytes) -> list[bytes]:
    """The bytes as they stand, in hex, and in base64 at each of its three alignments."""
    coded = [base64.b64encode(bytes(shift) + content)[4:-4] for shift in range(3)]
    return [content, content.hex().encode(), *coded]


def digests_of(party: Party) -> list[str]:
    return private_attachments(party.context).digests()


def test_nothing_of_it_is_left(told: Stage) -> None:
    haina = told.haina
    store = private_attachments(haina.context)
    digests = digests_of(haina)
    assert len(digests) == 3
    needles = spellings(MARKER.encode()) + spellings(SECRET.encode())
    salts = [data[21:53] for digest in digests if (data := store.get_sealed(digest))]
    assert {path.name for path in holding(haina.home, *needles)} == set(digests)
    haina.ledger.disclose(digests, confirmed=True)
    (store.folder / f".{digests[0]}.7-0.tmp").write_bytes(MARKER.encode())  # left by a crash
    assert haina.ledger.search("Ottilie").hits == []
    done = haina.ledger.forget(["haina/demand", "haina/table", *digests], confirmed=True)
    assert {each.state for each in done.attachments} == {"forgotten"}
    assert {each.preview for each in done.attachments} == {""}
    assert holding(haina.home, *needles, *salts) == []
    haina.reopen().sync(rebuild=True)
    assert haina.ledger.audit().good
    assert holding(haina.home, *needles, *salts) == []
    assert forgotten(haina.context) == set(digests)
    assert disclosed(haina.context) == frozenset()


def test_every_proof_and_answer_stays(told: Stage) -> None:
    haina = told.haina
    file = haina.folder / "demand.csv"

    def answers() -> tuple[object, ...]:
        return (
            haina.ledger.sync(digest=True).state_digest,
            haina.ledger.lineage("haina/demand"),
            haina.ledger.verify(file),
            haina.entries(),
            haina.context.log.checkpoint,
        )

    before = answers()
    haina.ledger.forget(digests_of(haina), confirmed=True)
    haina.reopen()
    assert answers() == before
    haina.ledger.sync(rebuild=True)
    assert answers() == before
    report = haina.ledger.audit()
    assert (report.good, report.attachments) == (True, 0)
    gone = [each for each in report.findings if each.kind.startswith("attachment")]
    assert kinds(gone) == {"attachment-forgotten"}
    assert {each.severity for each in gone} == {"info"}
    assert len(gone) == 3
    assert state(haina, "haina/demand@1") == ["forgotten"]
    haina.ledger.version("haina/orders", haina.put("orders.csv", "machine,count\nA,4\n"))
    assert haina.ledger.audit().good


def test_without_a_yes_nothing_is_deleted(told: Stage) -> None:
    haina = told.haina
    found = haina.ledger.forget(["haina/demand"])
    assert found.action == "to-forget"
    assert MARKER in private_attachments(haina.context).get(only(found)).decode()  # type: ignore[union-attr]
    assert forgotten(haina.context) == frozenset()
    assert state(haina, "haina/demand@1") == ["private"]


def test_only_what_has_the_role(told: Stage) -> None:
    haina = told.haina
    done = haina.ledger.forget(["haina/table"], roles=["ownership"], confirmed=True)
    assert [each.role for each in done.attachments] == ["ownership"]
    assert state(haina, "haina/table@1") == ["private", "forgotten"]


def interrupted(_fd: object) -> None:
    raise KeyboardInterrupt


def test_interrupted_half_way(told: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of three files are gone when the power fails: the third is not said to be forgotten."""
    haina = told.haina
    digests = digests_of(haina)
    unlink, done = Path.unlink, list[Path]()

    def unlink_two(path: Path, *, missing_ok: bool = False) -> None:
        if path.parent.name == "attachments":
            if len(done) == 2:
                raise KeyboardInterrupt
            done.append(path)
        unlink(path, missing_ok=missing_ok)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", unlink_two)
        with pytest.raises(KeyboardInterrupt):
            haina.ledger.forget(digests, confirmed=True)
    haina.reopen()
    (left,) = digests_of(haina)
    assert forgotten(haina.context) == set(digests) - {left}
    assert sealed(haina.context, left) is None  # what was to be forgotten is disclosed to nobody
    with pytest.raises(NotFound, match="half-forgotten"):
        haina.ledger.disclose([left], confirmed=True)
    report = haina.ledger.audit()
    found = {each.kind: each.text for each in report.findings if each.kind.startswith("attachment")}
    assert set(found) == {"attachment-forgotten", "attachment-half-forgotten"}
    assert f"forget {left} --yes" in found["attachment-half-forgotten"]
    haina.ledger.forget([left], confirmed=True)
    assert forgotten(haina.context) == set(digests)


def test_interrupted_before_the_first(told: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    haina = told.haina
    digest = only(haina.ledger.disclose(["haina/demand"], confirmed=True))
    with monkeypatch.context() as patch:
        patch.setattr(files, "sync_folder", interrupted)
        with pytest.raises(KeyboardInterrupt):
            haina.ledger.forget([digest], confirmed=True)
    assert digest in digests_of(haina)
    assert forgotten(haina.context) == frozenset()
    assert state(haina, "haina/demand@1") in (["disclosed"], ["half-forgotten"])


def test_a_backup_brings_it_back(told: Stage) -> None:
    haina = told.haina
    store = private_attachments(haina.context)
    digest = only(haina.ledger.forget(["haina/demand"]))
    backup = shutil.copy(store.path(digest), haina.folder / "backup")
    haina.ledger.forget([digest], confirmed=True)
    shutil.copy(backup, store.path(digest))
    assert state(haina, "haina/demand@1") == ["half-forgotten"]
    assert forgotten(haina.context) == frozenset()
    haina.ledger.forget(["haina/demand"], confirmed=True)
    assert state(haina, "haina/demand@1") == ["forgotten"]


def finding(report: AuditReport) -> list[str]:
    return [each.kind for each in report.findings if each.kind.startswith("attachment")]


def test_lost_is_not_forgotten(told: Stage) -> None:
    haina = told.haina
    store = private_attachments(haina.context)
    digest = only(haina.ledger.disclose(["haina/demand"]))
    store.path(digest).unlink()
    assert state(haina, "haina/demand@1") == ["missing"]
    assert finding(haina.ledger.audit()) == ["attachment-missing"]
    assert forgotten(haina.context) == frozenset()
    done = haina.ledger.forget(["haina/demand"], confirmed=True)
    assert "1 were not here before either" in done.notes
    assert state(haina, "haina/demand@1") == ["forgotten"]


def test_what_is_damaged_can_be_forgotten(told: Stage) -> None:
    haina = told.haina
    digest = only(haina.ledger.disclose(["haina/demand"]))
    private_attachments(haina.context).path(digest).write_text(f"damaged, but still {MARKER}")
    assert [each.state for each in haina.ledger.forget([digest]).attachments] == ["damaged"]
    haina.ledger.forget([digest], confirmed=True)
    assert digest in forgotten(haina.context)
    assert haina.ledger.audit().good


def test_somebody_elses(told: Stage) -> None:
    """Handed over, it can be forgotten here; its author still has it. It is not taken in again."""
    haina, jinlong = told.haina, told.jinlong
    jinlong.ledger.run([PYTHON, "-c", "pass", SECRET], inputs=["jinlong/parts"])
    haina.ledger.sync()
    (line,) = jinlong.ledger.log(type="activity", limit=1).records
    with pytest.raises(NotFound, match="only its author has it"):
        haina.ledger.forget([line.record], confirmed=True)
    jinlong.ledger.disclose([line.record], folder=told.path / "out", confirmed=True)
    (file,) = (told.path / "out").iterdir()
    digest = only(haina.ledger.receive([file]))
    haina.ledger.forget([line.record], confirmed=True)
    assert state(haina, line.record) == ["forgotten"]
    assert sealed(haina.context, digest) is None
    assert sealed(jinlong.context, digest) == file.read_bytes()
    with pytest.raises(Usage, match="forgotten here on purpose"):
        haina.ledger.receive([file])


def test_what_an_interrupted_run_left(told: Stage) -> None:
    """Sealed and kept, then the run could not be recorded: no record names it, and it holds the same."""
    haina = told.haina
    named = only(haina.ledger.forget(["haina/demand"]))
    content = private_attachments(haina.context).get(named)
    assert content is not None
    sealing = Sealing(haina.context)
    stray, other = (
        sealing.seal("command", "application/json", data) for data in (content, b"something else")
    )
    sealing.flush()
    (stray,), (other,) = stray.digest.values(), other.digest.values()
    assert finding(haina.ledger.audit()) == ["attachment-unnamed"] * 2
    haina.ledger.forget(["haina/demand"], confirmed=True)
    assert not {named, stray} & set(digests_of(haina))
    assert other in digests_of(haina)
    done = haina.ledger.forget([other], confirmed=True)
    assert [(each.digest, each.state, each.record) for each in done.attachments] == [(other, "forgotten", "")]
    assert finding(haina.ledger.audit()) == ["attachment-forgotten"]


def test_the_record_tells_neither_content_nor_size(told: Stage) -> None:
    haina = told.haina
    (line,) = haina.ledger.log(type="activity", party="haina", state="final", asset="haina/demand").records
    (attachment,) = json.loads(haina.ledger.show(line.record).statement)["predicate"]["attachments"]
    assert attachment.keys() == {"role", "media_type", "digest"}
    assert attachment["digest"].keys() == {"dataledger-sealed-v1"}


@pytest.mark.slow
def test_killed_at_any_moment(told: Stage) -> None:
    """Whenever the process dies: what counts as forgotten is gone, what is to be is disclosed to nobody."""
    haina = told.haina
    haina.close()
    random = Random(4711)
    for backup in range(12):
        shutil.copytree(haina.home, told.path / f"backup-{backup}")
        digests = digests_of(haina)
        haina.close()
        with haina.start("forget", *digests, "--yes") as process:
            time.sleep(random.uniform(0.1, 0.6))
            process.kill()
        here, gone = set(digests_of(haina)), forgotten(haina.context)
        assert not here & gone
        assert gone | here == set(digests)
        marked = haina.context.workspace.marks_path.exists()
        assert [sealed(haina.context, each) is None for each in here] == [marked] * len(here)
        assert haina.ledger.audit().good
        haina.ledger.forget(digests, confirmed=True)
        assert forgotten(haina.context) == set(digests)
        haina.close()
        shutil.rmtree(haina.home)
        shutil.move(told.path / f"backup-{backup}", haina.home)
