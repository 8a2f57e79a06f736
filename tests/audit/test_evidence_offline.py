"""Evidence is verified with the network off, in a folder with nothing else, by nothing but `ledger.core`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.audit.conftest import CORPUS, rows

BLOCK = rows()[0][2]

NO_NETWORK = """
import sys
def refuse(event, arguments):
    if event.startswith(("socket.", "urllib.", "http.", "subprocess.", "os.system", "os.exec", "sqlite3.")):
        raise RuntimeError(f"{event} while verifying evidence")
sys.addaudithook(refuse)
"""

VERIFY = """
from ledger.audit.evidence import verify_evidence
from ledger.core.trust import trust_block
with open(sys.argv[1], "rb") as file:
    print(verify_evidence(file, trust_block(sys.argv[2])).verdict.verdict)
heavy = ("web3", "eth", "rlp", "trie", "sqlite3", "socket", "ssl", "urllib.request", "http.client")
for name in sorted(sys.modules):
    ours = name.startswith("ledger.") and not name.startswith(("ledger.core", "ledger.audit"))
    if ours or name.startswith(heavy):
        print("imported:", name)
"""

COMMAND = """
from ledger_cli.main import run
code = run(sys.argv[1:])
heavy = ("web3", "eth.", "eth_tester", "sqlite3", "rlp", "ledger.chain", "ledger.index", "socket", "ssl")
for name in sorted(sys.modules):
    if (name + ".").startswith(tuple(each.rstrip(".") + "." for each in heavy)):
        print("imported:", name, file=sys.stderr)
sys.exit(code)
"""


def python(script: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a script in a process of its own, where nothing may open a socket, a database or a process."""
    env = {name: text for name, text in os.environ.items() if not name.startswith("DATALEDGER_")}
    return subprocess.run(
        [sys.executable, "-c", NO_NETWORK + script, *arguments],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture
def alone(tmp_path: Path) -> Path:
    """A folder with the evidence and nothing else."""
    shutil.copy(CORPUS / "good.evidence", tmp_path / "demand.evidence")
    return tmp_path


def test_the_verifier_needs_no_network_no_database_and_no_other_layer(alone: Path) -> None:
    done = python(VERIFY, alone, "demand.evidence", BLOCK)
    assert (done.returncode, done.stdout) == (0, "good\n"), done.stderr


@pytest.mark.parametrize(("slug", "code"), [("by-a-chain", 0), ("withheld-revocation", 3)])
def test_neither_does_an_answer_about_rights(tmp_path: Path, slug: str, code: int) -> None:
    """One import of ours is enough for all of it, and the three answers have exit codes of their own."""
    name = f"may-{slug}.evidence"
    block = next(row[2] for row in rows() if row[0] == name)
    shutil.copy(CORPUS / name, tmp_path)
    done = python(VERIFY, tmp_path, name, block)
    assert (done.returncode, done.stdout) == (0, "good\n"), done.stderr
    done = python(COMMAND, tmp_path, "verify", name, "--json", "--block", block)
    assert (done.returncode, done.stderr) == (code, "")
    answer = json.loads(done.stdout)["rights"]["verdict"]
    assert {"permitted": 0, "denied": 1, "unknown": 3}[answer] == code


def test_that_test_would_notice() -> None:
    done = python("import socket; socket.socket()", Path.cwd())
    assert "socket.__new__ while verifying evidence" in done.stderr


def test_the_command_neither(alone: Path) -> None:
    done = python(COMMAND, alone, "verify", "demand.evidence", "--json", "--block", BLOCK)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["verdict"] == "good"
    assert sorted(path.name for path in alone.iterdir()) == ["demand.evidence"]


def test_the_command_with_a_trust_file_and_a_data_file(alone: Path) -> None:
    shutil.copy(CORPUS / "trust.json", alone)
    (alone / "demand.csv").write_bytes(b"next_month,9\n")
    arguments = ("verify", "demand.evidence", "--trust", "trust.json", "--file", "demand.csv")
    done = python(COMMAND, alone, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert "GOOD" in done.stdout
    assert "demand.csv is haina/demand@1" in done.stdout
