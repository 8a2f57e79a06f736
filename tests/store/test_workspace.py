"""The workspace: found upwards, made at once or not at all, its settings strict."""

import contextlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.errors import Corrupt, FormatError, Invalid, NotFound, Unavailable, Usage
from ledger.store.config import ChainConfig, Config, Followed, format_config, parse_config
from ledger.store.workspace import (
    Workspace,
    create_workspace,
    find_workspace,
    new_workspace_path,
    open_workspace,
)

DID = "did:ethr:0x539:0x" + "ab" * 20


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return create_workspace(tmp_path / ".dataledger", Config(display_name="Haina"))


def test_layout_and_modes(workspace: Workspace) -> None:
    assert workspace.keys.stat().st_mode & 0o777 == 0o700
    assert workspace.private.stat().st_mode & 0o777 == 0o700
    assert workspace.config_path.stat().st_mode & 0o777 == 0o600
    assert workspace.public.is_dir()
    assert workspace.mirrors.is_dir()
    for ignored in ("/keys/", "/private/", "/chain.db*", "/index.db*"):
        assert ignored in (workspace.path / ".gitignore").read_text().splitlines()


def test_git_leaves_the_private_out(workspace: Workspace, tmp_path: Path) -> None:
    import shutil
    import subprocess

    git = shutil.which("git")
    if git is None:
        pytest.skip("git is not installed")
    for name in ("keys/k.json", "private/a", "chain.db", "chain.db-wal", "index.db", "public/tile"):
        (workspace.path / name).write_bytes(b"x")
    subprocess.run([git, "init", "-q", str(tmp_path)], check=True)
    listed = subprocess.run(
        [git, "-C", str(tmp_path), "ls-files", "--others", "--exclude-standard"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert listed == [".dataledger/.gitignore", ".dataledger/public/tile"]


def test_found_upwards(workspace: Workspace, tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    assert find_workspace(deep, {}) == workspace.path
    assert find_workspace(tmp_path, {}) == workspace.path
    assert find_workspace(workspace.keys, {}) == workspace.path
    assert open_workspace(deep, {}).read_config().display_name == "Haina"


def test_the_nearest_counts(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    inner = create_workspace(tmp_path / "a" / ".dataledger", Config())
    assert find_workspace(tmp_path / "a", {}) == inner.path


def test_none_anywhere(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no workspace") as caught:
        find_workspace(tmp_path, {})
    assert "dataledger init" in caught.value.hint
    with pytest.raises(NotFound):
        find_workspace(tmp_path / "missing", {})


def test_home_names_it(
    workspace: Workspace, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    for home in (workspace.path, tmp_path):
        assert find_workspace(elsewhere, {"DATALEDGER_HOME": str(home)}) == workspace.path
    with pytest.raises(NotFound, match="DATALEDGER_HOME"):
        find_workspace(tmp_path, {"DATALEDGER_HOME": str(elsewhere)})
    with pytest.raises(NotFound):
        find_workspace(tmp_path, {"DATALEDGER_HOME": str(elsewhere / ".dataledger")})
    assert find_workspace(tmp_path, {"DATALEDGER_HOME": ""}) == workspace.path


def test_where_a_new_one_goes(tmp_path: Path) -> None:
    assert new_workspace_path(tmp_path, {}) == tmp_path / ".dataledger"
    assert new_workspace_path(tmp_path, {"DATALEDGER_HOME": "/h"}) == Path("/h/.dataledger")
    assert new_workspace_path(tmp_path, {"DATALEDGER_HOME": "/h/.dataledger"}) == Path("/h/.dataledger")


def test_an_existing_one_is_refused(workspace: Workspace) -> None:
    before = workspace.config_path.read_bytes()
    with pytest.raises(Usage, match="there is a workspace already"):
        create_workspace(workspace.path, Config(display_name="other"))
    assert workspace.config_path.read_bytes() == before
    assert [path.name for path in workspace.path.parent.iterdir()] == [".dataledger"]


def test_a_race_has_one_winner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / ".dataledger"
    create_workspace(path, Config(display_name="first"))
    monkeypatch.setattr(os.path, "lexists", lambda _: False)
    with pytest.raises(Usage, match="there is a workspace already"):
        create_workspace(path, Config(display_name="second"))
    assert Workspace(path).read_config().display_name == "first"
    assert [each.name for each in tmp_path.iterdir()] == [".dataledger"]


def test_nowhere_to_put_it(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        create_workspace(tmp_path / "missing" / ".dataledger", Config())


def test_interrupted_creation_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "rename", interrupt)
    with pytest.raises(KeyboardInterrupt):
        create_workspace(tmp_path / ".dataledger", Config())
    assert list(tmp_path.iterdir()) == []


def test_without_settings_it_is_damaged(workspace: Workspace, tmp_path: Path) -> None:
    workspace.config_path.unlink()
    with pytest.raises(Corrupt, match=r"no config\.toml"):
        find_workspace(tmp_path, {})
    with pytest.raises(Corrupt, match=r"no config\.toml"):
        find_workspace(tmp_path, {"DATALEDGER_HOME": str(workspace.path)})
    with pytest.raises(Corrupt):
        workspace.read_config()


def test_another_users_is_not_taken_up(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    with pytest.raises(Unavailable, match="another user") as caught:
        find_workspace(tmp_path, {})
    assert "DATALEDGER_HOME" in caught.value.hint
    assert find_workspace(tmp_path, {"DATALEDGER_HOME": str(tmp_path)}) == workspace.path


def test_locations_are_relative_to_the_workspace(workspace: Workspace) -> None:
    assert workspace.resolve("chain.db") == str(workspace.chain_path)
    assert workspace.resolve("/a/chain.db") == "/a/chain.db"
    assert workspace.resolve("http://127.0.0.1:8545") == "http://127.0.0.1:8545"


def test_settings_are_kept(workspace: Workspace) -> None:
    config = Config(
        party=DID,
        display_name='Haina "Appliances" 海纳',
        namespace="haina",
        log_number=2,
        record_key="ab" * 32,
        anchor="manual",
        trusted=[DID],
        chain=ChainConfig(location="http://127.0.0.1:8545", final_depth=3),
        follow=[Followed(log="cd" * 32, location="https://example.com/log", label="x")],
    )
    workspace.write_config(config)
    assert workspace.read_config() == config
    assert not config.chain.embedded
    assert Config().chain.embedded


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "expected format"),
        ("\x00", "expected TOML"),
        ("format = ", "expected TOML"),
        ("x = " + "[" * 100_000, "expected TOML"),
        ('format = "dataledger/workspace/v2"', "expected format"),
        ("format = 1", "expected format"),
        ('format = "dataledger/workspace/v1"\nsurprise = 1', "surprise"),
        ('format = "dataledger/workspace/v1"\n[chain]\nurl = "x"', "url"),
        ('format = "dataledger/workspace/v1"\nlog_number = -1', "log_number"),
        ('format = "dataledger/workspace/v1"\nlog_number = "1"', "log_number"),
        ('format = "dataledger/workspace/v1"\nparty = "acme"', "party"),
        ('format = "dataledger/workspace/v1"\nrecord_key = "ABCD"', "record_key"),
        ('format = "dataledger/workspace/v1"\nanchor = "sometimes"', "anchor"),
        ('format = "dataledger/workspace/v1"\ntrusted = ["x"]', "trusted"),
        ('format = "dataledger/workspace/v1"\n[[follow]]\nlabel = "x"', "follow"),
    ],
)
def test_wrong_settings_say_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(FormatError, match=says):
        parse_config(text.encode())


def test_settings_that_are_not_text_or_too_long(workspace: Workspace) -> None:
    workspace.config_path.write_bytes(b"\xff\xfe")
    with pytest.raises(FormatError):
        workspace.read_config()
    workspace.config_path.write_bytes(b"#" * (1 << 21))
    with pytest.raises(Corrupt):
        workspace.read_config()


@given(st.binary(max_size=200))
def test_settings_of_any_bytes(data: bytes) -> None:
    with contextlib.suppress(Invalid):
        parse_config(data)


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20)


@given(texts, texts, st.integers(0, 2**53 - 1), st.lists(texts, max_size=3))
def test_settings_come_back(name: str, location: str, number: int, labels: list[str]) -> None:
    config = Config(
        display_name=name,
        log_number=number,
        chain=ChainConfig(location=location),
        follow=[Followed(log="ab" * 32, label=label) for label in labels],
    )
    assert parse_config(format_config(config)) == config
