"""The generated pages are what their source says, and leave nothing out."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from ledger_cli.main import cli
from msgspec import Struct

from ledger.service import results

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"


def build(*options: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    script = [sys.executable, str(DOCS / "build.py"), *options]
    env = {"PATH": "/usr/bin:/bin", "COLUMNS": "40", "LC_ALL": "C"}
    return subprocess.run(script, cwd=cwd, env=env, check=False, capture_output=True, text=True)


def test_pages_are_what_their_source_says(tmp_path):
    """Anywhere, whatever the terminal is, and without a workspace."""
    done = build("--check", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_command_is_described():
    page = (DOCS / "cli.md").read_text()
    for name, command in cli.commands.items():
        inner = command.commands if isinstance(command, click.Group) else {}
        for path in [f"dataledger {name}", *(f"dataledger {name} {each}" for each in inner)]:
            assert re.search(rf"^##+ {path}$", page, re.MULTILINE), path


def test_every_shape_is_described():
    page = (DOCS / "json.md").read_text()
    for each in vars(results).values():
        if isinstance(each, type) and issubclass(each, Struct) and each is not Struct:
            title = each.__struct_config__.tag or each.__name__
            assert re.search(rf"^##+ {title}$", page, re.MULTILINE), title


@pytest.mark.parametrize("name", ["cli.md", "json.md"])
def test_links_lead_somewhere(name):
    page = (DOCS / name).read_text()
    for file, anchor in re.findall(r"\]\(([\w.]*)#([\w-]+)\)", page):
        target = (DOCS / file).read_text() if file else page
        titles = re.findall(r"^#+ (.+)$", target, re.MULTILINE)
        anchors = {re.sub(r"[^\w-]", "", title.lower().replace(" ", "-")) for title in titles}
        assert anchor in anchors, anchor
