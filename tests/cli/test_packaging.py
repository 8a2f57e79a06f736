"""What is installed is what is here: every package of ours, with the data files that it reads."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_every_package_is_named():
    named = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    here = {
        ".".join((top.replace("cli", "ledger_cli"), *path.parent.relative_to(ROOT / top).parts))
        for top in ("ledger", "cli")
        for path in (ROOT / top).rglob("*.py")
    }
    assert set(named) == here


@pytest.mark.slow
def test_the_wheel_holds_every_module_and_data_file(tmp_path):
    build = "from setuptools.build_meta import build_wheel; import sys; print(build_wheel(sys.argv[1]))"
    command = [sys.executable, "-c", build, str(tmp_path)]
    subprocess.run(command, cwd=_copy(tmp_path / "source"), check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    for top, package in (("ledger", "ledger"), ("cli", "ledger_cli")):
        for path in (ROOT / top).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert f"{package}/{path.relative_to(ROOT / top)}" in packed


def _copy(target: Path) -> Path:
    """Copy what is tracked: building leaves folders behind."""
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in names.stdout.splitlines():
        if name.startswith(("ledger/", "cli/")) or "/" not in name:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_bytes((ROOT / name).read_bytes())
    return target
