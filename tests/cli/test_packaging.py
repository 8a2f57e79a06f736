"""What is installed is what is here: every package of ours, with the data files that it reads."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKED = (("ledger", "ledger"), ("cli", "ledger_cli"), ("fixtures/stories", "ledger_stories"))


def test_every_package_is_named():
    named = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    here = {
        ".".join((top.replace("cli", "ledger_cli"), *path.parent.relative_to(ROOT / top).parts))
        for top in ("ledger", "cli")
        for path in (ROOT / top).rglob("*.py")
    }
    assert set(named) == here | {"ledger_stories"}


@pytest.mark.slow
def test_the_wheel_holds_every_module_and_data_file(tmp_path):
    packed = set(zipfile.ZipFile(_wheel(tmp_path)).namelist())
    for top, package in PACKED:
        for path in (ROOT / top).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert f"{package}/{path.relative_to(ROOT / top)}" in packed


def _wheel(target: Path) -> Path:
    """Build a wheel of what is tracked and return it."""
    build = "from setuptools.build_meta import build_wheel; import sys; print(build_wheel(sys.argv[1]))"
    command = [sys.executable, "-c", build, str(target)]
    subprocess.run(command, cwd=_copy(target / "source"), check=True, capture_output=True)
    (wheel,) = target.glob("*.whl")
    return wheel


def _copy(target: Path) -> Path:
    """Copy what is tracked: building leaves folders behind."""
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in names.stdout.splitlines():
        if name.startswith(tuple(f"{top}/" for top, _ in PACKED)) or "/" not in name:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_bytes((ROOT / name).read_bytes())
    return target


@pytest.mark.slow
def test_an_installed_wheel_plays_stories(tmp_path):
    """Unpacked elsewhere, with nothing of this folder on the path: the stories and the forger are in it."""
    site = tmp_path / "site"
    zipfile.ZipFile(_wheel(tmp_path)).extractall(site)
    assert sorted(path.name for path in site.iterdir() if ".dist-info" not in path.name) == [
        "ledger", "ledger_cli", "ledger_stories",
    ]  # fmt: skip
    play = (
        "import sys; sys.path.insert(0, sys.argv.pop(1)); from ledger_cli.entry import main; sys.exit(main())"
    )
    command = [sys.executable, "-c", play, str(site), "demo", "weather", "--json"]
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(site)}
    played = subprocess.run(command, cwd=tmp_path, env=env, check=True, capture_output=True, text=True)
    assert '"name":"weather"' in played.stdout
