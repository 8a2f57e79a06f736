"""On a real node: closing a log, a chain that takes back what was final, and two nodes that disagree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from ledger.chain.connect import open_backend
from ledger.chain.rpc.node import RpcReader
from ledger.core.errors import Unavailable, Usage, WrongLedger
from ledger.service import Ledger
from tests.chain.conftest import running_anvil
from tests.service.test_evidence_node import ENV, begin

pytestmark = [pytest.mark.anvil, pytest.mark.slow]


def ask(url: str, method: str, *params: Any) -> Any:
    node = open_backend(url)
    assert isinstance(node, RpcReader)
    answer = node._transport.call(method, *params)
    node.close()
    return answer


def final_at_once(folder: Path) -> Ledger:
    """Open a workspace for which every block is final: a chain that may not take anything back."""
    with Ledger.open(folder, env=ENV) as ledger:
        context = ledger._context
        with context.writing():
            chain = msgspec.structs.replace(context.config.chain, final_depth=0)
            context.save_config(msgspec.structs.replace(context.config, chain=chain))
    return Ledger.open(folder, env=ENV)


def test_closing_a_log(tmp_path: Path) -> None:
    with running_anvil() as url:
        haina = begin(tmp_path / "haina", url, "haina")
        with pytest.raises(Usage, match="no checkpoint"):
            haina.close_log(0, "new", confirm=lambda _: True)
        haina.register("haina/orders")
        haina.anchor()
        jinlong = begin(tmp_path / "jinlong", url, "jinlong", tmp_path / "haina/.dataledger/ledger.json")
        jinlong.follow("haina", source=str(tmp_path / "haina"))
        done = haina.close_log(1, "new", reason="a test", confirm=lambda _: True)
        assert done.block is not None
        with pytest.raises(Usage, match="no checkpoint"):
            haina.close_log(1, "new", confirm=lambda _: True)  # that is the new one
        haina.register("haina/more")
        haina.anchor()
        jinlong.sync()
        assert jinlong.show("haina/more").kind == "asset"
        ours, theirs = haina.audit(), jinlong.audit()
        assert (ours.verdict, theirs.verdict) == ("good", "good")
        assert ours.state_digest == theirs.state_digest
        haina.close()
        jinlong.close()


def test_a_chain_that_takes_back_what_was_final(tmp_path: Path) -> None:
    with running_anvil() as url:
        begin(tmp_path / "haina", url, "haina").close()
        haina = final_at_once(tmp_path / "haina")
        haina.register("haina/orders")
        haina.anchor()
        before = haina.sync().to_block
        snapshot = ask(url, "evm_snapshot")
        haina.register("haina/more")
        haina.anchor()
        known = haina._context.reader.head()
        assert haina.audit().verdict == "good"
        ask(url, "evm_revert", snapshot)
        haina.close()  # who has a chain open remembers its final blocks
        # a node that has not got so far may lag behind: nothing is forgotten for its sake
        haina = Ledger.open(tmp_path / "haina", env=ENV)
        for look in (haina.sync, haina.audit):
            with pytest.raises(
                Unavailable, match=f"is at block {before}, and block {known.number} was final"
            ):
                look()
        assert (haina.status().index_block, haina.status().forks) == (known.number, [])
        assert haina.show("haina/more").kind == "asset"
        ask(url, "anvil_mine", hex(known.number - before + 1))
        report = haina.audit()
        (fork,) = report.forks
        assert (report.verdict, fork.kind) == ("failed", "chain-fork")
        assert [head.block for head in fork.heads] == [known.number, known.number]
        assert fork.heads[0].block_hash == f"0x{known.hash.hex()}" != fork.heads[1].block_hash
        assert [head.size for head in fork.heads] == [2, 1]
        haina.anchor()  # what was forgotten is anchored again
        assert haina.status().forks == [fork]
        assert haina.audit().verdict == "failed"
        Path(fork.path).unlink()
        assert haina.audit().verdict == "good"
        haina.close()


def test_two_nodes(tmp_path: Path) -> None:
    """The other one has the same first block, and another history."""
    with running_anvil() as url, running_anvil() as other:
        begin(tmp_path / "haina", url, "haina").close()
        haina = final_at_once(tmp_path / "haina")
        haina.register("haina/orders")
        haina.anchor()
        assert haina.audit(against=url).verdict == "good"
        if (
            haina._context.descriptor.genesis.hex()
            != ask(other, "eth_getBlockByNumber", "0x0", False)["hash"][2:]
        ):
            with pytest.raises(WrongLedger):
                haina.audit(against=other)
        else:
            ask(other, "anvil_mine", "0x3")
            (fork,) = haina.audit(against=other).forks
            assert (fork.kind, fork.heads[0].block, fork.heads[1].block) == ("chain-fork", 1, 1)
        haina.close()
