"""`evidence` and `verify FILE.evidence`: what an auditor has, and what goes wrong for them."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from tests.cli.conftest import Cli

CORPUS = Path(__file__).parent.parent.parent / "fixtures" / "evidence"
GOOD = CORPUS / "good.evidence"
BLOCK = json.loads((CORPUS / "trust.json").read_text())["blocks"]["26"]


@pytest.fixture
def auditor(tmp_path: Path) -> Cli:
    """A folder without a workspace, with somebody's evidence."""
    folder = tmp_path / "auditor"
    folder.mkdir()
    shutil.copy(GOOD, folder / "demand.evidence")
    shutil.copy(CORPUS / "trust.json", folder)
    (folder / "demand.csv").write_bytes(b"next_month,9\n")
    return Cli(folder)


def record_of(dl: Cli, version: str) -> str:
    """Return the id of the record of a version."""
    listed = dl("log", "--type", "version", "--json").json
    return next(each["record"] for each in listed["records"] if version in str(each))


# --- who may use it


def test_who_may_use_it_is_answered_elsewhere_too(parties: Cli, tmp_path: Path) -> None:
    parties("follow", "jinlong", "--from", "../jinlong/.dataledger/public")
    granted = parties(
        "grant", "haina/orders", "--to", "jinlong", "--rights", "use", "--purpose", "planning", "--json"
    ).json["records"][0]["record"]
    ask = ("evidence", "haina/orders", "--may", "jinlong", "--right", "use", "--for", "planning")
    made = parties(*ask, "-o", "may.evidence", "--json").json
    assert (made["rights"]["verdict"], made["rights"]["shown"]) == ("unconfirmed", "permitted")
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    shutil.copy(parties.folder / "may.evidence", folder)
    elsewhere = Cli(folder)
    done = elsewhere("verify", "may.evidence", "--block", made["block_hash"])
    assert "PERMITTED: Jinlong Motors (did:ethr:" in click.unstyle(done.out)
    assert "may use haina/orders@1 for planning?" in done.out
    assert granted[:12] in done.out
    unrooted = elsewhere.run("verify", "may.evidence")
    assert unrooted.code == 3
    assert "PERMITTED IF THAT BLOCK IS REAL: " in click.unstyle(unrooted.out)
    parties("revoke", granted)
    made = parties(*ask, "-o", "later.evidence", "--json").json
    shutil.copy(parties.folder / "later.evidence", folder)
    done = elsewhere.run("verify", "later.evidence", "--block", made["block_hash"])
    assert done.code == 1
    assert "DENIED: " in done.out
    assert "the grant had been taken back" in done.out
    page = elsewhere.run("report", "later.evidence", "--block", made["block_hash"], "--json")
    assert (page.code, page.json["rights"]) == (1, "denied")
    assert "Denied" in (folder / "later.html").read_text()


@pytest.mark.parametrize(
    "arguments",
    [
        ("haina/orders", "--may", "haina"),
        ("haina/orders", "--right", "use"),
        ("haina/orders", "--for", "planning"),
        ("haina/orders", "haina/sensors", "--may", "haina", "--right", "use"),
        ("haina/orders", "--may", "haina", "--right", "use", "--region", "cn"),
        ("haina/orders", "--may", "haina", "--right", "use", "--at", "yesterday"),
        ("haina/orders", "--may", "nobody.here", "--right", "use"),
        ("haina/orders", "--may", "haina", "--right", "use", "--rules", "no-such-file"),
    ],
)
def test_a_question_that_is_none(story: Cli, arguments: tuple[str, ...]) -> None:
    done = story.run("evidence", *arguments, "-o", "may.evidence")
    assert done.code == 2
    assert not (story.folder / "may.evidence").exists()


# --- making it


def test_evidence_of_a_run_is_good_elsewhere(story: Cli, tmp_path: Path) -> None:
    made = story("evidence", "haina/demand", "-o", "demand.evidence", "--json").json
    assert made["versions"] == ["haina/demand@1"]
    assert made["records"] == 7
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    shutil.copy(story.folder / "demand.evidence", folder)
    shutil.copy(story.folder / "demand.csv", folder)
    elsewhere = Cli(folder)
    found = elsewhere(
        "verify", "demand.evidence", "--block", made["block_hash"], "--file", "demand.csv", "--json"
    ).json
    assert (found["verdict"], found["file"]["version"]) == ("good", "haina/demand@1")
    assert found["digest"] == made["sha256"]


def test_the_same_evidence_twice_is_the_same_bytes(story: Cli) -> None:
    for name in ("one.evidence", "two.evidence"):
        story("evidence", "haina/demand", "-o", name)
    assert (story.folder / "one.evidence").read_bytes() == (story.folder / "two.evidence").read_bytes()


def test_its_name_is_the_assets(story: Cli) -> None:
    story("evidence", "haina/demand@1")
    assert (story.folder / "demand.evidence").is_file()


def test_several_versions_in_one_file(story: Cli) -> None:
    made = story("evidence", "haina/sensors", "haina/orders", "-o", "both.evidence", "--json").json
    assert made["versions"] == ["haina/orders@1", "haina/sensors@1"]


def test_evidence_over_two_logs_of_two_parties(parties: Cli) -> None:
    parties("follow", "jinlong", "--from", "../jinlong/.dataledger/public")
    inputs = ("-i", "haina/orders", "-i", "jinlong/parts=../jinlong/parts.csv")
    parties("run", *inputs, "-o", "haina/plan=plan.csv", "--", "cp", "orders.csv", "plan.csv")
    made = parties("evidence", "haina/plan", "-o", "plan.evidence", "--json").json
    assert made["logs"] == 2
    found = parties("verify", "plan.evidence", "--block", made["block_hash"], "--json").json
    assert found["verdict"] == "good"
    assert {each["name"] for each in found["parties"]} == {"Haina Appliances", "Jinlong Motors"}
    # who reads the same logs writes the same file
    other = parties.at("jinlong")
    other("follow", "haina", "--from", "../haina/.dataledger/public")
    other("evidence", "haina/plan", "-o", "plan.evidence")
    theirs = (other.folder / "plan.evidence").read_bytes()
    assert theirs == (parties.folder / "plan.evidence").read_bytes()


def test_a_version_that_was_taken_back(story: Cli) -> None:
    story("revoke", record_of(story, "haina/demand@1"))
    made = story.run("evidence", "haina/demand", "-o", "demand.evidence", "--json").json
    assert made["revoked"] == ["haina/demand@1"]
    found = story.fails(1, "verify", "demand.evidence", "--block", made["block_hash"], "--json").json
    assert found["verdict"] == "revoked"


def test_a_source_that_was_taken_back_is_a_finding(story: Cli) -> None:
    story("revoke", record_of(story, "haina/orders@1"))
    made = story("evidence", "haina/demand", "-o", "demand.evidence", "--json").json
    found = story("verify", "demand.evidence", "--block", made["block_hash"], "--json").json
    assert [each["kind"] for each in found["findings"]] == ["revoked"]


def test_what_is_not_anchored_has_no_evidence(story: Cli) -> None:
    (story.folder / "new.csv").write_text("new\n")
    story("register", "haina/new", "new.csv", "--no-anchor")
    assert "not in a final block" in story.fails(3, "evidence", "haina/new").err
    assert not (story.folder / "new.evidence").exists()


@pytest.mark.parametrize("name", ["haina/nothing", "haina/demand@7", "not a name", "demand.csv"])
def test_evidence_of_what_there_is_none(steady: Cli, name: str) -> None:
    assert steady.fails(2, "evidence", name, "-o", "out.evidence").out == ""
    assert not (steady.folder / "out.evidence").exists()


def test_where_nothing_can_be_written(steady: Cli) -> None:
    steady.fails(2, "evidence", "haina/demand", "-o", "no/such/folder/out.evidence")
    (steady.folder / "folder").mkdir()
    steady.fails(2, "evidence", "haina/demand", "-o", "folder")


def test_an_interrupted_write_leaves_what_was_there(story: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    target = story.folder / "demand.evidence"
    target.write_text("precious\n")
    before = sorted(path.name for path in story.folder.iterdir())

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ledger.service.evidence.verify_evidence", interrupted)
    assert story.run("evidence", "haina/demand", "-o", "demand.evidence").code != 0
    assert target.read_text() == "precious\n"
    assert sorted(path.name for path in story.folder.iterdir()) == before


# --- checking it


def test_without_a_trust_root_it_is_unconfirmed(auditor: Cli) -> None:
    shown = auditor.fails(3, "verify", "demand.evidence").out
    assert shown.startswith("CONSISTENT, CHAIN UNCONFIRMED: haina/demand@1")
    assert "--block" in shown


def test_what_the_auditor_reads(auditor: Cli) -> None:
    shown = auditor("verify", "demand.evidence", "--block", BLOCK).out
    assert shown.startswith("GOOD: haina/demand@1")
    ledger = json.loads((auditor.folder / "trust.json").read_text())["ledger"]
    assert f"in ledger {ledger}" in shown
    for part in ("proven:", "claimed:", "declared:", "outside this file:", "findings:"):
        assert part in shown


def test_the_trust_file(auditor: Cli) -> None:
    assert "GOOD" in auditor("verify", "demand.evidence", "--trust", "trust.json").out
    trust = json.loads((auditor.folder / "trust.json").read_text())
    (auditor.folder / "other.json").write_text(json.dumps(trust | {"ledger": "00" * 32}))
    assert "ledger" in auditor.fails(1, "verify", "demand.evidence", "--trust", "other.json").err
    (auditor.folder / "bad.json").write_text("{")
    auditor.fails(1, "verify", "demand.evidence", "--trust", "bad.json")
    auditor.fails(2, "verify", "demand.evidence", "--trust", "none.json")


def test_another_block_refuses_it(auditor: Cli) -> None:
    failed = auditor.fails(1, "verify", "demand.evidence", "--block", "0x" + "1" * 64, "--json")
    assert "expected block 0x1111" in failed.error["message"]
    assert (failed.error["error"], failed.error["reason"]) == ("EvidenceInvalid", "wrong-block")


@pytest.mark.parametrize("block", ["12", "0x12", "0x" + "g" * 64, BLOCK[2:], BLOCK + "00"])
def test_a_block_hash_that_is_none(auditor: Cli, block: str) -> None:
    auditor.fails(2, "verify", "demand.evidence", "--block", block)


def test_a_hash_in_capitals_is_the_same_hash(auditor: Cli) -> None:
    auditor("verify", "demand.evidence", "--block", "0x" + BLOCK[2:].upper())


def test_two_trust_roots_are_one_too_many(auditor: Cli) -> None:
    arguments = ("verify", "demand.evidence", "--block", BLOCK, "--trust", "trust.json")
    assert "one trust root" in auditor.fails(2, *arguments).err


def test_the_file_beside_it(auditor: Cli) -> None:
    good = ("verify", "demand.evidence", "--block", BLOCK, "--file")
    assert "demand.csv is haina/demand@1" in auditor(*good, "demand.csv").out
    (auditor.folder / "demand.csv").write_bytes(b"next_month,8\n")
    assert "WRONG-FILE" in auditor.fails(1, *good, "demand.csv").out
    folder = auditor.folder / "folder"
    folder.mkdir()
    (folder / "demand.csv").write_bytes(b"next_month,9\n")
    assert "WRONG-FILE" in auditor.fails(1, *good, "folder").out
    auditor.fails(2, *good, "none.csv")


def test_what_is_no_evidence(auditor: Cli) -> None:
    """With a trust root it has to be evidence; without, it is a data file, and that needs a workspace."""
    (auditor.folder / "empty").write_bytes(b"")
    with (auditor.folder / "huge").open("wb") as file:
        file.truncate(1 << 33)
    (auditor.folder / "folder").mkdir()
    for name in ("demand.csv", "empty", "huge"):
        assert "not-evidence" in auditor.fails(1, "verify", name, "--block", BLOCK).err
        assert "no workspace" in auditor.fails(2, "verify", name).err
    for name in ("folder", "none"):
        auditor.fails(2, "verify", name, "--block", BLOCK)
    auditor.fails(2, "verify", "demand.csv", "--as", "haina/demand", "--block", BLOCK)


def test_a_huge_line_is_refused_before_it_is_read(auditor: Cli) -> None:
    with (auditor.folder / "demand.evidence").open("ab") as file:
        file.truncate(file.tell() + (1 << 33))
    assert "behind the end" in auditor.fails(1, "verify", "demand.evidence", "--block", BLOCK).err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read anything")
def test_a_file_that_may_not_be_read(auditor: Cli) -> None:
    (auditor.folder / "demand.evidence").chmod(0)
    auditor.fails(2, "verify", "demand.evidence", "--block", BLOCK)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("withheld-revocation-slot", "expected proof of slot"),
        ("key-expired", "valid until"),
        ("truncated-before-the-end", "cut off"),
        ("later-version", "a newer release of dataledger may know it"),
        ("dropped-branch", "neither here nor listed as outside"),
    ],
)
def test_a_bad_file_says_what_is_wrong(auditor: Cli, name: str, words: str) -> None:
    rows = dict(row.split("\t")[::2] for row in (CORPUS / "expected.tsv").read_text().splitlines())
    shutil.copy(CORPUS / f"{name}.evidence", auditor.folder / "bad.evidence")
    failed = auditor.fails(1, "verify", "bad.evidence", "--block", rows[f"{name}.evidence"])
    assert words in failed.err


def test_an_unknown_verdict_is_exit_code_3(auditor: Cli) -> None:
    rows = dict(row.split("\t")[::2] for row in (CORPUS / "expected.tsv").read_text().splitlines())
    shutil.copy(CORPUS / "withheld-revocation.evidence", auditor.folder / "bad.evidence")
    shown = auditor.fails(3, "verify", "bad.evidence", "--block", rows["withheld-revocation.evidence"]).out
    assert shown.startswith("UNKNOWN")
    assert "which is not at hand" in shown


def test_rpc_may_name_an_embedded_chain(story: Cli, copies: Callable[[], Cli]) -> None:
    story("evidence", "haina/demand", "-o", "demand.evidence")
    assert "GOOD" in story("verify", "demand.evidence", "--rpc", ".dataledger/chain.db").out
    other = copies()
    shutil.copy(story.folder / "demand.evidence", other.folder)
    assert other.run("verify", "demand.evidence", "--rpc", ".dataledger/chain.db").code in {0, 1}
    for name in ("good", "revoked", "withheld-transfer"):  # of another chain, whatever they say
        failed = story.fails(
            1, "verify", CORPUS / f"{name}.evidence", "--rpc", ".dataledger/chain.db", "--json"
        )
        assert failed.error["reason"] == "wrong-ledger"
    story.fails(3, "verify", "demand.evidence", "--rpc", "http://127.0.0.1:9")
    story.fails(3, "verify", "demand.evidence", "--rpc", "none.db")
