"""Evidence made on a real node, and an auditor who has the file, a block's hash and nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.chain.connect import open_backend, open_sender
from ledger.chain.rpc.node import RpcReader
from ledger.core.errors import EvidenceInvalid, Unavailable, Unconfirmed, Unfunded
from ledger.service import InitRequest, Ledger
from ledger.service.evidence_checking import TrustRoot, check_evidence
from tests.chain.conftest import fund, running_anvil

ENV = {"DATALEDGER_PASSPHRASE": "correct horse"}

# What an auditor runs: no socket can be made, and neither chain nor index is needed.
AUDITOR = """
import socket, sys
def refuse(*_): raise SystemExit("a socket was wanted")
socket.socket.__init__ = socket.create_connection = socket.getaddrinfo = refuse
from ledger_cli.main import run
code = run(sys.argv[1:])
loaded = {"web3", "eth", "eth_tester", "sqlite3", "ledger.index", "ledger.chain"} & set(sys.modules)
assert not loaded, loaded
sys.exit(code)
"""


def begin(folder: Path, url: str, namespace: str, join: Path | None = None) -> Ledger:
    folder.mkdir()
    request = InitRequest(namespace=namespace, name=namespace.title(), chain=url, join=join)
    with pytest.raises(Unfunded) as caught:
        Ledger.init(folder, request, env=ENV)
    sender = open_sender(url)
    fund(sender, bytes.fromhex(caught.value.address[2:]))
    sender.close()
    Ledger.init(folder, request, env=ENV)
    return Ledger.open(folder, env=ENV)


def mine(url: str, blocks: int) -> None:
    node = open_backend(url)
    assert isinstance(node, RpcReader)
    node._transport.call("anvil_mine", hex(blocks))
    node.close()


def block_hash(url: str, number: int) -> str:
    node = open_backend(url)
    found = node.block(number)
    node.close()
    assert found is not None
    return f"0x{found.hash.hex()}"


@pytest.mark.anvil
@pytest.mark.slow
def test_an_auditor_without_anything(tmp_path: Path) -> None:
    with running_anvil() as url, begin(tmp_path / "haina", url, "haina") as haina:
        ledger_json = tmp_path / "haina" / ".dataledger" / "ledger.json"
        with begin(tmp_path / "jinlong", url, "jinlong", ledger_json) as jinlong:
            parts = tmp_path / "jinlong" / "parts.csv"
            parts.write_text("part,count\nmotor,7\n")
            jinlong.register("jinlong/parts", parts)
        haina.follow("jinlong", source=str(tmp_path / "jinlong"))
        orders, demand = tmp_path / "haina" / "orders.csv", tmp_path / "haina" / "demand.csv"
        orders.write_text("model,units\ndrum,40\n")
        haina.register("haina/orders", orders)
        shutil.copy(parts, tmp_path / "haina" / "parts.csv")
        command = [sys.executable, "-c", f"open({str(demand)!r}, 'w').write('units\\n47\\n')"]
        haina.run(
            command,
            inputs=["haina/orders", f"jinlong/parts={tmp_path / 'haina' / 'parts.csv'}"],
            outputs=[f"haina/demand={demand}"],
        )
        file = tmp_path / "demand.evidence"
        with pytest.raises(Unconfirmed, match="final block"):
            haina.evidence(["haina/demand"], file)
        assert not file.exists()
        mine(url, 80)
        made = haina.evidence(["haina/demand"], file)
        assert (made.versions, made.records, made.logs) == (["haina/demand@1"], 7, 2)
        assert made.block_hash == block_hash(url, made.block)
        assert check_evidence(file, TrustRoot(rpc=url)).verdict.verdict == "good"
        assert check_evidence(file).verdict.verdict == "unconfirmed"
    with running_anvil() as stranger, pytest.raises((EvidenceInvalid, Unavailable)):
        check_evidence(file, TrustRoot(rpc=stranger))

    alone = tmp_path / "elsewhere"  # no workspace, no node
    alone.mkdir()
    shutil.copy(file, alone)
    shutil.copy(demand, alone)
    for content, code, word in (("", 0, "GOOD"), ("x", 1, "WRONG-FILE")):
        with (alone / "demand.csv").open("a") as changed:
            changed.write(content)
        command = ["verify", file.name, "--block", made.block_hash, "--file", "demand.csv"]
        done = subprocess.run(
            [sys.executable, "-c", AUDITOR, *command], cwd=alone, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout.partition(":")[0]) == (code, word), done.stderr
