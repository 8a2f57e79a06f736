"""The command as its users have it: run for real, in this process, on copies of real workspaces."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ledger_cli.main import run

ORDERS = "model,units\ndrum-8kg,40\nquiet-7kg,25\n"
FORECAST = """\
units = sum(int(line.split(",")[1]) for line in open("orders.csv").readlines()[1:])
open("demand.csv", "w").write(f"next_month_units\\n{round(units * 1.08)}\\n")
"""


@dataclass(frozen=True)
class Result:
    """What a command did: its exit code, stdout and stderr."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Stdout as the one JSON document that it is."""
        return json.loads(self.out)

    @property
    def error(self) -> Any:
        """Stderr as the one line of JSON that it is."""
        (line,) = self.err.splitlines()
        return json.loads(line)


@dataclass(frozen=True)
class State:
    """All of a workspace that is not derived: its files by name, and what its chain and logs amount to."""

    files: dict[str, bytes]
    digest: str


KEPT = ("config.toml", "ledger.json", "keys", "private/attachments", "public")


class Cli:
    """Runs commands in a folder. `dl("register", ...)` expects exit code 0, `dl.fails(3, ...)` another."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *arguments: str | Path) -> Result:
        done = self.run(*arguments)
        assert done.code == 0, f"dataledger {arguments}: exit code {done.code}\n{done.out}{done.err}"
        return done

    def run(self, *arguments: str | Path) -> Result:
        """Run a command, whatever comes of it."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.chdir(self.folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run([str(each) for each in arguments])
        return Result(code, out.getvalue(), err.getvalue())

    def fails(self, code: int, *arguments: str | Path) -> Result:
        """Run a command that has to fail with this exit code: a message of ours, no traceback, no answer."""
        done = self.run(*arguments)
        assert done.code == code, f"dataledger {arguments}: exit code {done.code}\n{done.out}{done.err}"
        assert "Traceback" not in done.err
        return done

    @property
    def home(self) -> Path:
        """The workspace folder."""
        return self.folder / ".dataledger"

    def files(self) -> dict[str, bytes]:
        """Return every file of the workspace that is the party's own and can't be made again, by its path."""
        found = {}
        for path in sorted(self.home.rglob("*")):
            name = path.relative_to(self.home).as_posix()
            if path.is_file() and name.startswith(KEPT) and not name.endswith((".lock", ".tmp")):
                found[name] = path.read_bytes()
        return found

    def state(self) -> State:
        """Return the state of the workspace, for before and after a command that must change nothing."""
        return State(self.files(), self("sync", "--digest", "--json").json["state_digest"])

    def at(self, name: str) -> Cli:
        """Return the command in a folder beside this one: another party's."""
        return Cli(self.folder.parent / name)


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of the person who runs the tests gets in."""
    for name in list(os.environ):
        if name.startswith(("DATALEDGER_", "_DATALEDGER")) or name in {"NO_COLOR", "COLUMNS"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    monkeypatch.setenv("TERMINAL_WIDTH", "80")


def data_in(folder: Path) -> None:
    """Put the files of the story into a folder."""
    folder.mkdir(exist_ok=True)
    (folder / "orders.csv").write_text(ORDERS)
    (folder / "forecast.py").write_text(FORECAST)
    (folder / "sensors").mkdir()
    (folder / "sensors" / "line-1.csv").write_text("hour,finished\n00:00,18\n01:00,21\n")


@pytest.fixture(scope="session")
def _fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace as `init` leaves it."""
    stage = tmp_path_factory.mktemp("fresh")
    data_in(stage / "haina")
    Cli(stage / "haina")("init", "haina", "--name", "Haina Appliances")
    return stage


@pytest.fixture(scope="session")
def _story(_fresh: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first session: two registered assets, one run, everything anchored."""
    stage = tmp_path_factory.mktemp("story")
    shutil.copytree(_fresh, stage, dirs_exist_ok=True)
    dl = Cli(stage / "haina")
    dl("register", "haina/orders", "orders.csv", "--title", "Washing-machine orders")
    dl("register", "haina/sensors", "sensors", "--title", "传感器 counters")
    inputs = ("-i", "haina/orders", "-i", "haina/sensors")
    dl("run", *inputs, "-o", "haina/demand=demand.csv", "--", sys.executable, "forecast.py")
    return stage


@pytest.fixture(scope="session")
def _parties(_story: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The story, and a supplier with a workspace, keys and a log of its own on the same chain."""
    stage = tmp_path_factory.mktemp("parties")
    shutil.copytree(_story, stage, dirs_exist_ok=True)
    (stage / "jinlong").mkdir()
    (stage / "jinlong" / "parts.csv").write_text("part,stock\nmotor,120\n")
    dl = Cli(stage / "jinlong")
    dl("init", "jinlong", "--name", "Jinlong Motors", "--join", "../haina/.dataledger/ledger.json")
    dl("register", "jinlong/parts", "parts.csv", "--title", "Motor stock")
    return stage


def _copy(stage: Path, tmp_path: Path) -> Cli:
    shutil.copytree(stage, tmp_path, dirs_exist_ok=True)
    return Cli(tmp_path / "haina")


@pytest.fixture
def empty(tmp_path: Path) -> Cli:
    """A folder with data and without a workspace."""
    data_in(tmp_path / "haina")
    return Cli(tmp_path / "haina")


@pytest.fixture
def fresh(_fresh: Path, tmp_path: Path) -> Cli:
    """A workspace of one's own, as `init` leaves it."""
    return _copy(_fresh, tmp_path)


@pytest.fixture
def story(_story: Path, tmp_path: Path) -> Cli:
    """A workspace of one's own after the first session."""
    return _copy(_story, tmp_path)


@pytest.fixture
def parties(_parties: Path, tmp_path: Path) -> Cli:
    """Two workspaces of one's own on one chain: this one, and `parties.at("jinlong")`."""
    return _copy(_parties, tmp_path)


@pytest.fixture
def steady(story: Cli) -> Iterator[Cli]:
    """The workspace of the first session, for tests that must leave it as it was; checked in the end."""
    before = story.state()
    yield story
    after = story.state()
    names = before.files.keys() | after.files.keys()
    assert [name for name in sorted(names) if before.files.get(name) != after.files.get(name)] == []
    assert after.digest == before.digest


@pytest.fixture
def elsewhere(tmp_path: Path) -> Cli:
    """A folder with data for another ledger."""
    data_in(tmp_path / "elsewhere")
    return Cli(tmp_path / "elsewhere")


@pytest.fixture
def copies(_parties: Path, tmp_path: Path) -> Callable[[], Cli]:
    """Give as many copies of the two parties' workspaces as are asked for."""
    numbers = itertools.count()

    def copy() -> Cli:
        stage = tmp_path / str(next(numbers))
        stage.mkdir()
        return _copy(_parties, stage)

    return copy
