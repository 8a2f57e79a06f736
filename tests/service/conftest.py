"""Two parties on one embedded chain, made once by the real `Ledger.init` and copied for each test.

Haina makes a product from its own orders and from the parts list of its supplier Jinlong. All of it is real:
chain, contracts, keys, logs, index.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ledger.service import InitRequest, Ledger
from ledger.service.context import Context
from ledger.service.results import Problem

if TYPE_CHECKING:
    from tests.service.market import Market

PYTHON = sys.executable
COMMAND = [PYTHON, "-m", "ledger_cli"]


class Party:
    """A party's folder, with its workspace opened when first used; `said` is what a person was told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: list[str] = []
        self._ledger: Ledger | None = None

    @property
    def ledger(self) -> Ledger:
        """The opened workspace."""
        if self._ledger is None:
            self._ledger = Ledger.open(self.folder, env={}, notify=self.said.append)
        return self._ledger

    @property
    def context(self) -> Context:
        """What the opened workspace works with."""
        return self.ledger._context

    @property
    def home(self) -> Path:
        """The workspace folder."""
        return self.folder / ".dataledger"

    @property
    def public(self) -> Path:
        """The folder that is served."""
        return self.home / "public"

    @property
    def party(self) -> str:
        """The party's DID."""
        return self.context.party

    def reopen(self) -> Ledger:
        """Close the workspace and open it anew, as the next command would."""
        self.close()
        return self.ledger

    def close(self) -> None:
        """Close the workspace."""
        if self._ledger is not None:
            self._ledger.close()
            self._ledger = None

    def put(self, name: str, text: str = "x\n") -> Path:
        """Write a file in the party's folder and return its path."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def start(self, *arguments: str | Path, **settings: object) -> subprocess.Popen[str]:
        """Start the command in a process of its own."""
        return subprocess.Popen(
            [*COMMAND, *map(str, arguments)],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **settings,  # type: ignore[call-overload]
        )

    def command(self, *arguments: str | Path, **settings: object) -> tuple[int, str, str]:
        """Run the command in a process of its own: exit code, stdout, stderr."""
        with self.start(*arguments, **settings) as process:
            out, err = process.communicate(timeout=120)
        return process.returncode, out, err

    def finding_kinds(self) -> list[str]:
        """The kinds of the findings in the index, sorted."""
        return sorted(each.kind for each in self.ledger.findings().findings)

    def entries(self) -> list[bytes]:
        """The entries of the own log."""
        log = self.context.log
        log.refresh()
        return list(log.entries(0, log.size))


class Stage:
    """A folder with both parties."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.haina = Party(path / "haina")
        self.jinlong = Party(path / "jinlong")

    def close(self) -> None:
        """Close both workspaces."""
        self.haina.close()
        self.jinlong.close()


def kinds(problems: Sequence[Problem]) -> set[str]:
    """The kinds of findings or failures."""
    return {each.kind for each in problems}


@pytest.fixture(scope="session")
def _template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both workspaces as `init` leaves them, with some content beside them."""
    stage = Stage(tmp_path_factory.mktemp("stage"))
    for party in (stage.haina, stage.jinlong):
        party.folder.mkdir()
    stage.haina.put("orders.csv", "machine,count\nA,3\n")
    stage.haina.put("sensors/line-1.csv", "hour,made\n0,18\n")
    stage.jinlong.put("parts.csv", "motor,days\nM1,4\n")
    Ledger.init(stage.haina.folder, InitRequest(namespace="haina", name="Haina Appliances"), env={})
    join = stage.haina.home / "ledger.json"
    Ledger.init(stage.jinlong.folder, InitRequest(namespace="jinlong", name="Jinlong", join=join), env={})
    return stage.path


@pytest.fixture(scope="session")
def _story(_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, with an asset of each, Haina following Jinlong."""
    path = tmp_path_factory.mktemp("story") / "stage"
    shutil.copytree(_template, path)
    stage = Stage(path)
    stage.haina.ledger.register("haina/orders", stage.haina.folder / "orders.csv", title="Orders")
    stage.jinlong.ledger.register("jinlong/parts", stage.jinlong.folder / "parts.csv")
    stage.haina.ledger.follow("jinlong", source=str(stage.jinlong.public))
    stage.close()
    return path


def copied(source: Path, target: Path) -> Iterator[Stage]:
    """Give a copy of a stage, and close it in the end."""
    shutil.copytree(source, target)
    stage = Stage(target)
    yield stage
    stage.close()


@pytest.fixture
def stage(_template: Path, tmp_path: Path) -> Iterator[Stage]:
    """Both parties right after `init`."""
    yield from copied(_template, tmp_path / "stage")


@pytest.fixture
def story(_story: Path, tmp_path: Path) -> Iterator[Stage]:
    """Both parties with an asset each; Haina follows Jinlong."""
    yield from copied(_story, tmp_path / "stage")


@pytest.fixture(scope="session")
def _market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four parties whose data is in one product."""
    from tests.service.market import begin

    path = tmp_path_factory.mktemp("market") / "market"
    begin(path).close()
    return path


@pytest.fixture(scope="session")
def _licensed(_market: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, with grants for all of it."""
    from tests.service.market import Market, license_all

    path = tmp_path_factory.mktemp("licensed") / "market"
    shutil.copytree(_market, path)
    market = Market(path)
    license_all(market)
    market.close()
    return path


@pytest.fixture
def market(_market: Path, tmp_path: Path) -> Iterator[Market]:
    """Four parties whose data is in one product, and nothing granted."""
    yield from _copied_market(_market, tmp_path / "market")


@pytest.fixture
def licensed(_licensed: Path, tmp_path: Path) -> Iterator[Market]:
    """The same, with grants for all of it."""
    yield from _copied_market(_licensed, tmp_path / "market")


def _copied_market(source: Path, target: Path) -> Iterator[Market]:
    from tests.service.market import Market

    shutil.copytree(source, target)
    market = Market(target)
    yield market
    market.close()


@pytest.fixture
def haina(stage: Stage) -> Party:
    """Haina right after `init`."""
    return stage.haina


CROWD = {"haina": "Haina Appliances", "jinlong": "Jinlong", "pear": "Pear Shop", "judge": "The Judge"}


class Crowd:
    """Four parties on one chain that all read one another's logs."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.haina, self.jinlong, self.pear, self.judge = (Party(path / name) for name in CROWD)
        self.all = (self.haina, self.jinlong, self.pear, self.judge)

    def close(self) -> None:
        """Close all workspaces."""
        for party in self.all:
            party.close()


@pytest.fixture(scope="session")
def _crowd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four workspaces; Haina has registered its orders, which the judge may freeze."""
    crowd = Crowd(tmp_path_factory.mktemp("crowd") / "stage")
    join = None
    for (namespace, name), party in zip(CROWD.items(), crowd.all, strict=True):
        party.folder.mkdir(parents=True)
        Ledger.init(party.folder, InitRequest(namespace=namespace, name=name, join=join), env={})
        join = crowd.haina.home / "ledger.json"
    orders = crowd.haina.put("orders.csv", "machine,count\nA,3\n")
    crowd.haina.ledger.register("haina/orders", orders, title="Orders", arbiter="judge")
    for party in crowd.all[1:]:
        party.ledger.register(f"{party.folder.name}/own", party.put("own.csv", party.folder.name))
    for party in crowd.all:
        for namespace, other in zip(CROWD, crowd.all, strict=True):
            if other is not party:
                party.ledger.follow(namespace, source=str(other.public))
    crowd.close()
    return crowd.path


@pytest.fixture
def crowd(_crowd: Path, tmp_path: Path) -> Iterator[Crowd]:
    """Four parties on one chain, with an asset each, all following one another."""
    shutil.copytree(_crowd, tmp_path / "stage")
    crowd = Crowd(tmp_path / "stage")
    yield crowd
    crowd.close()
