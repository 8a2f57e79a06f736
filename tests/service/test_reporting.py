"""`report`: verified first, written only if not refused, the same for the same, and nothing private in it."""

from __future__ import annotations

import hashlib
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from ledger.core.errors import EvidenceInvalid, NotFound, Usage
from ledger.service.evidence_checking import TrustRoot, check_evidence
from ledger.service.reporting import report, verify_command
from tests.formats.report_reading import Reading
from tests.formats.test_report_safety import require_closed
from tests.service.conftest import PYTHON, copied
from tests.service.test_evidence_node import AUDITOR


class Made(NamedTuple):
    """Evidence as somebody else gets it: the file, the product, and the block's hash by another way."""

    evidence: Path
    product: Path
    block: str


@pytest.fixture(scope="module")
def _made(_story: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    story = next(copied(_story, tmp_path_factory.mktemp("report") / "stage"))
    haina = story.haina
    product = haina.folder / "demand.csv"
    write = f"open({str(product)!r}, 'w').write('42')"
    parts = f"jinlong/parts={story.jinlong.folder / 'parts.csv'}"
    haina.ledger.run(
        [PYTHON, "-c", write], inputs=["haina/orders", parts], outputs=[f"haina/demand={product}"]
    )
    haina.ledger.disclose(["haina/demand"], confirmed=True)
    made = haina.ledger.evidence(["haina/demand"], haina.folder / "demand.evidence")
    story.close()
    return Made(haina.folder / "demand.evidence", product, made.block_hash)


@pytest.fixture
def made(_made: Made, tmp_path: Path) -> Made:
    """A copy in a folder without a workspace."""
    return Made(
        Path(shutil.copy(_made.evidence, tmp_path)), Path(shutil.copy(_made.product, tmp_path)), _made.block
    )


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, whatever its exit code."""
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_a_good_report_shows_what_was_verified(made: Made, tmp_path: Path) -> None:
    out = tmp_path / "demand.html"
    answer = report(made.evidence, out, TrustRoot(block=made.block), file=made.product)
    page = out.read_text("utf-8")
    assert (answer.verdict, answer.trust_root) == ("good", f"--block {made.block}")
    assert (answer.bytes, answer.sha256) == (out.stat().st_size, hashlib.sha256(out.read_bytes()).hexdigest())
    require_closed(page)
    text = Reading(page).text
    view = check_evidence(made.evidence, TrustRoot(block=made.block), everything=True)
    expected = [each.record for each in view.records] + [each.name for each in view.verdict.parties]
    expected += [*view.verdict.proven, *view.verdict.claimed, view.verdict.digest, made.block]
    expected += ["haina/orders@1", "jinlong/parts@1", "This file is haina/demand@1.", "Orders"]
    assert len(view.records) >= 7
    assert [each for each in expected if each not in text] == []
    assert page.count('class="shape observed') >= 3


def test_without_a_trust_root_the_report_is_written_and_says_so_first(made: Made, tmp_path: Path) -> None:
    out = tmp_path / "demand.html"
    assert report(made.evidence, out).verdict == "unconfirmed"
    text = Reading(out.read_text("utf-8")).text
    assert text.index("Not confirmed") < text.index("Trust root: none") < text.index("Proven, if")
    assert "dataledger verify demand.evidence --block HASH" in text


def test_another_file_is_shown_as_the_wrong_one(made: Made, tmp_path: Path) -> None:
    made.product.write_text("43")
    out = tmp_path / "demand.html"
    assert report(made.evidence, out, TrustRoot(block=made.block), file=made.product).verdict == "wrong-file"
    assert "This file is none of the versions." in Reading(out.read_text("utf-8")).text


@pytest.mark.parametrize("change", ["flipped", "cut", "other-block"])
def test_what_is_refused_is_never_made_a_page_of(made: Made, tmp_path: Path, change: str) -> None:
    data = bytearray(made.evidence.read_bytes())
    if change == "flipped":
        data[len(data) // 2] ^= 1
    made.evidence.write_bytes(data[:-9] if change == "cut" else data)
    root = TrustRoot(block=made.block if change != "other-block" else "0x" + "11" * 32)
    out = tmp_path / "demand.html"
    out.write_text("an older page")
    with pytest.raises(EvidenceInvalid):
        report(made.evidence, out, root)
    assert out.read_text() == "an older page"
    out.unlink()
    with pytest.raises(EvidenceInvalid):
        report(made.evidence, out, root)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["demand.csv", "demand.evidence"]


def test_the_same_evidence_gives_the_same_page_wherever_it_lies(made: Made, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    other = Path(shutil.copy(made.evidence, tmp_path / "elsewhere"))
    product = Path(shutil.copy(made.product, tmp_path / "elsewhere"))
    trust = TrustRoot(block=made.block)
    one = report(made.evidence, tmp_path / "1.html", trust, file=made.product)
    two = report(other, tmp_path / "2.html", trust, file=product)
    assert one.sha256 == two.sha256
    assert str(tmp_path) not in (tmp_path / "1.html").read_text("utf-8")


def test_what_was_disclosed_is_shown_and_what_was_not_is_named(made: Made, tmp_path: Path) -> None:
    report(made.evidence, tmp_path / "demand.html", TrustRoot(block=made.block))
    text = Reading((tmp_path / "demand.html").read_text("utf-8")).text
    assert "1 disclosed" in text
    assert "demand.csv" in text.split("Attachments")[-1]


@pytest.mark.parametrize("target", ["evidence", "product", "other evidence"])
def test_a_page_never_replaces_what_it_is_about(made: Made, tmp_path: Path, target: str) -> None:
    other = Path(shutil.copy(made.evidence, tmp_path / "other"))
    out = {"evidence": made.evidence, "product": made.product, "other evidence": other}[target]
    before = out.read_bytes()
    with pytest.raises(Usage, match="is no page"):
        report(made.evidence, out, TrustRoot(block=made.block), file=made.product)
    assert out.read_bytes() == before


def test_no_such_evidence(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no such file"):
        report(tmp_path / "none.evidence", tmp_path / "none.html")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("trust", "words"),
    [
        (TrustRoot(), []),
        (TrustRoot(block="0xab"), ["--block", "0xab"]),
        (TrustRoot(file=Path("/home/alice/my trust.json")), ["--trust", "my trust.json"]),
        (TrustRoot(rpc="https://node.example"), ["--rpc", "https://node.example"]),
        (TrustRoot(rpc="https://node.example/v3/secret-token"), ["--rpc", "URL"]),
        (TrustRoot(rpc="https://alice:secret@node.example"), ["--rpc", "URL"]),
        (TrustRoot(rpc="/home/alice/chain.db"), ["--rpc", "URL"]),
    ],
)
def test_the_command_names_files_without_folders_and_nodes_without_secrets(
    trust: TrustRoot, words: list[str]
) -> None:
    command = verify_command(Path("/home/alice/-it's.evidence"), trust, Path("/home/alice/a b.csv"))
    assert shlex.split(command) == ["dataledger", "verify", "./-it's.evidence", *words, "--file", "a b.csv"]


def test_the_command_on_the_page_verifies_the_file_again(made: Made, tmp_path: Path) -> None:
    """As an auditor does: another folder, no workspace, no socket, and neither chain nor index loaded."""
    auditor = [sys.executable, "-c", AUDITOR]
    options = ["--block", made.block, "--file", made.product.name]
    done = run([*auditor, "report", made.evidence.name, *options], tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"wrote demand.html: {(tmp_path / 'demand.html').stat().st_size:,} bytes" in done.stdout
    command = f"dataledger verify demand.evidence --block {made.block} --file demand.csv"
    assert command in Reading((tmp_path / "demand.html").read_text("utf-8")).text
    again = run([*auditor, *shlex.split(command)[1:]], tmp_path)
    assert (again.returncode, again.stdout.partition(":")[0]) == (0, "GOOD")


@pytest.mark.parametrize(("root", "code"), [("right", 0), ("none", 3), ("wrong", 1)])
def test_the_exit_code_is_that_of_verify(made: Made, tmp_path: Path, root: str, code: int) -> None:
    options = {"right": ["--block", made.block], "none": [], "wrong": ["--block", "0x" + "11" * 32]}[root]
    command = [sys.executable, "-m", "ledger_cli", "report", "demand.evidence", *options]
    done = run(command, tmp_path)
    assert done.returncode == code
    assert (tmp_path / "demand.html").exists() == (code != 1)
