"""Making a workspace: interrupted anywhere it goes on, and what can't be is refused before money is spent."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ledger.chain.connect import open_sender
from ledger.chain.embedded.chain import EmbeddedChain
from ledger.core.errors import Corrupt, NotFound, Unavailable, Unfunded, Usage, WrongLedger
from ledger.service import InitRequest, Ledger
from ledger.service import setup as setting_up
from ledger.service.setup import _SettingUp
from ledger.store.keys import KeyStore
from tests.chain.conftest import fund, running_anvil
from tests.service.conftest import COMMAND, Stage


class Interrupted(BaseException):
    """What a test throws into the middle of a setup."""


def ready(folder: Path, namespace: str = "acme") -> None:
    """The workspace works, and was set up once: one key, one namespace, one set of contracts."""
    with Ledger.open(folder, env={}) as ledger:
        (folder / "x.csv").write_text("x\n")
        ledger.register(f"{namespace}/x", folder / "x.csv")
        assert ledger.verify(folder / "x.csv").verdict == "good"
        assert len(ledger.keys().keys) == 1
        assert [each.name for each in ledger.namespaces().namespaces if each.ours] == [namespace]
        assert ledger.audit().good
    assert not list(folder.glob(".dataledger.*"))


def test_a_workspace_of_ones_own(tmp_path: Path) -> None:
    said: list[str] = []
    done = Ledger.init(tmp_path, InitRequest(namespace="acme", name="Acme"), env={}, notify=said.append)
    assert (done.namespace, done.name, done.embedded, done.joined) == ("acme", "Acme", True, False)
    assert done.namespace_claimed
    assert any("proves nothing to a third party" in note for note in done.notes)
    assert any("first come, first served" in note for note in done.notes)
    assert any("in the clear" in note for note in done.notes)
    assert said
    with Ledger.open(tmp_path, env={}) as ledger:
        status = ledger.status()
    assert (status.party, status.name, status.namespaces) == (done.party, "Acme", ["acme"])
    assert (status.log, status.ledger, status.key) == (done.log, done.ledger, done.key)
    ready(tmp_path)


def test_a_second_init_changes_nothing(haina) -> None:
    before = (haina.home / "config.toml").read_bytes()
    with pytest.raises(Usage, match="there is a workspace already"):
        Ledger.init(haina.folder, InitRequest(namespace="other"), env={})
    assert (haina.home / "config.toml").read_bytes() == before


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (InitRequest(namespace="Not A Name"), "namespace"),
        (InitRequest(namespace="acme", name="x" * 300), "at most 200"),
        (InitRequest(namespace="acme", name="a\nb"), "control characters"),
        (InitRequest(namespace="acme", registrar="nobody"), "did:ethr"),
    ],
)
def test_what_was_asked_for_makes_no_sense(tmp_path: Path, request_: InitRequest, says: str) -> None:
    with pytest.raises(Usage, match=says):
        Ledger.init(tmp_path, request_, env={})


# --- joining


def test_joining_a_ledger(stage: Stage) -> None:
    haina, jinlong = stage.haina.ledger.status(), stage.jinlong.ledger.status()
    assert haina.ledger == jinlong.ledger
    assert haina.party != jinlong.party
    assert [each.name for each in stage.haina.ledger.namespaces().namespaces] == ["haina", "jinlong"]


def joining(stage: Stage, name: str, **more: Any) -> InitRequest:
    return InitRequest(namespace=name, join=stage.haina.home / "ledger.json", **more)


def test_joining_under_a_name_that_is_taken(stage: Stage, tmp_path: Path) -> None:
    with pytest.raises(Usage, match="the namespace haina belongs to did:ethr:") as caught:
        Ledger.init(tmp_path, joining(stage, "haina"), env={})
    assert "another NAMESPACE" in caught.value.hint
    # the next try, with another name, goes on with the same keys
    accounts = KeyStore(tmp_path / ".dataledger" / "keys", embedded=True).accounts()
    done = Ledger.init(tmp_path, joining(stage, "acme"), env={})
    assert done.party.endswith(accounts[0].hex())
    ready(tmp_path)


def test_a_child_needs_its_parents_owner(stage: Stage, tmp_path: Path) -> None:
    done = Ledger.init(tmp_path, joining(stage, "haina.parts"), env={})
    assert not done.namespace_claimed
    assert f"dataledger namespace assign haina.parts {done.party}" in "".join(done.notes)
    with Ledger.open(tmp_path, env={}) as ledger:
        with pytest.raises(Usage, match=r"nobody owns the namespace haina\.parts"):
            ledger.register("haina.parts/x")
        stage.haina.ledger.assign_namespace("haina.parts", done.party)
        ledger.register("haina.parts/x")


def test_where_the_chain_is_has_to_be_known(stage: Stage, tmp_path: Path) -> None:
    elsewhere = tmp_path / "ledger.json"
    shutil.copy(stage.haina.home / "ledger.json", elsewhere)
    folder = tmp_path / "joiner"
    folder.mkdir()
    with pytest.raises(Usage, match="where the chain is"):
        Ledger.init(folder, InitRequest(namespace="acme", join=elsewhere), env={})
    with pytest.raises(NotFound, match="no chain to join"):
        Ledger.init(folder, InitRequest(namespace="acme", join=elsewhere, chain="no.db"), env={})
    with pytest.raises(NotFound, match="no ledger description"):
        Ledger.init(folder, InitRequest(namespace="acme", join=tmp_path / "none.json"), env={})
    assert not (folder / ".dataledger").exists()
    chain = str(stage.haina.home / "chain.db")
    Ledger.init(folder, InitRequest(namespace="acme", join=elsewhere, chain=chain), env={})
    ready(folder)


def test_a_registrar_is_the_founders_choice(stage: Stage, tmp_path: Path) -> None:
    with pytest.raises(Usage, match="registrar is chosen when a ledger is made"):
        Ledger.init(tmp_path, joining(stage, "acme", registrar="self"), env={})


def test_under_a_registrar_top_names_are_assigned(tmp_path: Path) -> None:
    registrar, other = tmp_path / "registrar", tmp_path / "other"
    registrar.mkdir()
    other.mkdir()
    Ledger.init(registrar, InitRequest(namespace="office", registrar="self"), env={})
    join = registrar / ".dataledger" / "ledger.json"
    done = Ledger.init(other, InitRequest(namespace="acme", join=join), env={})
    assert not done.namespace_claimed
    assert "assigned to you by the registrar" in done.notes[0]
    with Ledger.open(other, env={}) as ledger, Ledger.open(registrar, env={}) as office:
        with pytest.raises(Usage, match="can only be given out by the registrar"):
            ledger.claim_namespace("acme")
        office.assign_namespace("acme", done.party)
    ready(other)


def test_the_registrar_is_a_party_of_this_chain(tmp_path: Path) -> None:
    registrar = "did:ethr:0x1:0x" + "ab" * 20
    with pytest.raises(WrongLedger, match="a party of chain 1"):
        Ledger.init(tmp_path, InitRequest(namespace="acme", registrar=registrar), env={})


# --- another chain than that of the ledger


def test_joining_with_another_chain_is_refused_and_can_be_repeated(stage: Stage, tmp_path: Path) -> None:
    founder, joiner = tmp_path / "founder", tmp_path / "joiner"
    founder.mkdir()
    joiner.mkdir()
    Ledger.init(founder, InitRequest(namespace="elsewhere"), env={})
    wrong = str(founder / ".dataledger" / "chain.db")
    with pytest.raises(WrongLedger, match="expected chain id"):
        Ledger.init(joiner, joining(stage, "acme", chain=wrong), env={})
    assert not (joiner / ".dataledger" / "ledger.json").exists()
    Ledger.init(joiner, joining(stage, "acme"), env={})
    ready(joiner)


def test_the_description_of_another_ledger_is_refused(stage: Stage, tmp_path: Path) -> None:
    Ledger.init(tmp_path, InitRequest(namespace="elsewhere"), env={})
    stage.haina.ledger.register("haina/x")
    stage.haina.close()
    shutil.copy(tmp_path / ".dataledger" / "ledger.json", stage.haina.home / "ledger.json")
    with pytest.raises((WrongLedger, Corrupt)):
        stage.haina.ledger.status()
    with pytest.raises((WrongLedger, Corrupt)):
        stage.haina.reopen().register("haina/y")


def test_the_chain_of_another_ledger_is_refused(stage: Stage, tmp_path: Path) -> None:
    Ledger.init(tmp_path, InitRequest(namespace="elsewhere"), env={})
    shutil.copy(tmp_path / ".dataledger" / "chain.db", stage.haina.home / "chain.db")
    with pytest.raises(WrongLedger, match="expected chain id"):
        stage.haina.ledger.register("haina/y")
    code, _, err = stage.haina.command("status")
    assert code == 1, err


# --- interrupted


STEPS: list[tuple[object, str, str]] = [
    # whose method is interrupted, which one, and when
    (KeyStore, "new_account", "before"),
    (KeyStore, "new_account", "after"),
    (KeyStore, "new_record_key", "after"),
    (EmbeddedChain, "fund", "before"),
    (EmbeddedChain, "fund", "after"),
    (setting_up, "deploy", "before"),
    (setting_up, "deploy", "after"),
    (_SettingUp, "_announce", "before"),
    (setting_up, "write_atomic", "before"),
    (setting_up, "write_atomic", "after"),
    (_SettingUp, "_announce", "after"),
]


def interrupting(original: Callable[..., Any], when: str) -> Callable[..., Any]:
    def step(*args: Any, **kwargs: Any) -> Any:
        if when == "after":
            original(*args, **kwargs)
        raise Interrupted

    return step


@pytest.mark.parametrize(("owner", "name", "when"), STEPS, ids=[f"{when} {name}" for _, name, when in STEPS])
def test_interrupted_between_any_two_steps_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: object, name: str, when: str
) -> None:
    request = InitRequest(namespace="acme", name="Acme")
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, interrupting(getattr(owner, name), when))
        with pytest.raises(Interrupted):
            Ledger.init(tmp_path, request, env={})
    with pytest.raises(Usage, match="was interrupted") as caught:
        Ledger.open(tmp_path, env={})
    assert "dataledger init" in caught.value.hint
    Ledger.init(tmp_path, request, env={})
    ready(tmp_path)


@pytest.mark.parametrize("when", ["before", "after"])
def test_joining_goes_on_where_it_was_interrupted(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(_SettingUp, "_announce", interrupting(_SettingUp._announce, when))
        with pytest.raises(Interrupted):
            Ledger.init(tmp_path, joining(stage, "acme"), env={})
    other = Stage(tmp_path / "other")
    other.haina.folder.mkdir(parents=True)
    Ledger.init(other.haina.folder, InitRequest(namespace="elsewhere"), env={})
    with pytest.raises(Usage, match="set up for another ledger"):
        Ledger.init(tmp_path, joining(other, "acme"), env={})
    Ledger.init(tmp_path, joining(stage, "acme"), env={})
    ready(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_killed_at_any_moment_it_goes_on(tmp_path: Path, seed: int) -> None:
    command = [*COMMAND, "init", "acme", "--name", "Acme"]
    chance = random.Random(seed)
    for _ in range(4):
        with subprocess.Popen(
            command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            time.sleep(chance.uniform(0.3, 3.0))
            process.send_signal(signal.SIGKILL)
        if (tmp_path / ".dataledger").exists() and process.returncode == 0:
            break
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0 or "there is a workspace already" in done.stderr
    for leftover in tmp_path.glob(".dataledger.*"):  # an unfinished folder of a killed process is nobody's
        shutil.rmtree(leftover)
    ready(tmp_path)


# --- a real chain


@pytest.mark.anvil
def test_without_money_it_says_how_much_and_goes_on_when_it_came(tmp_path: Path) -> None:
    request = InitRequest(namespace="acme", name="Acme")
    env = {"DATALEDGER_PASSPHRASE": "correct horse"}
    with running_anvil() as url:
        request = InitRequest(namespace="acme", name="Acme", chain=url)
        with pytest.raises(Unfunded) as caught:
            Ledger.init(tmp_path, request, env=env)
        assert caught.value.exit_code == 3
        assert caught.value.address in str(caught.value)
        assert "run the same command again" in caught.value.hint
        pay(url, caught.value.address, caught.value.needed_wei)
        done = Ledger.init(tmp_path, request, env=env)
        assert done.party.endswith(caught.value.address)
        assert not any("in the clear" in note for note in done.notes)
        with Ledger.open(tmp_path, env=env) as ledger:
            (tmp_path / "x.csv").write_text("x\n")
            receipt = ledger.register("acme/x", tmp_path / "x.csv")
            assert receipt.block is not None
            assert ledger.verify(tmp_path / "x.csv").verdict == "good"
            assert ledger.audit().good
            status = ledger.status()
        assert (status.chain, status.embedded) == (url, False)
        assert f"true to block {receipt.block}" in "".join(status.notes)


def pay(url: str, address: str, amount_wei: int) -> None:
    sender = open_sender(url)
    try:
        fund(sender, bytes.fromhex(address[2:]), amount_wei)
    finally:
        sender.close()


@pytest.mark.anvil
def test_writing_while_the_node_is_away(tmp_path: Path) -> None:
    env = {"DATALEDGER_PASSPHRASE": "correct horse"}
    said: list[str] = []
    with running_anvil() as url:
        request = InitRequest(namespace="acme", chain=url)
        with pytest.raises(Unfunded) as caught:
            Ledger.init(tmp_path, request, env=env)
        pay(url, caught.value.address, 10**18)
        Ledger.init(tmp_path, request, env=env)
        with Ledger.open(tmp_path, env=env) as ledger:
            ledger.register("acme/x")
    with Ledger.open(tmp_path, env=env, notify=said.append) as ledger:
        done = ledger.register("acme/y")
        assert done.block is None
        assert "recorded, but not anchored" in done.problem
        assert any("going by what was known at block" in each for each in said)
        # the second record builds on the first one
        (tmp_path / "y.csv").write_text("y")
        ledger.version("acme/y", tmp_path / "y.csv")
        (tmp_path / "y.csv").write_text("yy")
        ledger.version("acme/y")
        assert ledger.status().pending == 3
        assert {line.verdict for line in ledger.log().records} == {"accepted"}
        assert [line.state for line in ledger.log().records] == ["pending"] * 3 + ["anchored"]
        with pytest.raises(Unavailable):
            ledger.sync()
        with pytest.raises(Unavailable):
            ledger.verify(tmp_path / "y.csv")
        with pytest.raises(Unavailable):
            ledger.anchor()


@pytest.mark.anvil
def test_a_url_with_a_token_stays_here(tmp_path: Path) -> None:
    env = {"DATALEDGER_PASSPHRASE": "correct horse"}
    with running_anvil() as url:
        request = InitRequest(namespace="acme", chain=f"{url}/?key=secret-token")
        with pytest.raises(Unfunded) as caught:
            Ledger.init(tmp_path, request, env=env)
        pay(url, caught.value.address, 10**18)
        done = Ledger.init(tmp_path, request, env=env)
        assert done.chain == url
        assert "secret-token" not in (tmp_path / ".dataledger" / "ledger.json").read_text()
        assert any("access token" in note for note in done.notes)
        with Ledger.open(tmp_path, env=env) as ledger:
            assert "secret-token" not in str(ledger.status())
