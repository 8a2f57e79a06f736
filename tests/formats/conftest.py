"""Shared by the tests of formats: the fixtures' own builders of events, and imports from memory."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import settings

from ledger.formats.openlineage import Import, plan_import
from ledger.formats.openlineage_drafts import RunDraft
from ledger.formats.openlineage_read import Refusal
from ledger.formats.openlineage_table import BytesSource

settings.register_profile("unhurried", deadline=None)  # a busy machine is no failure
settings.load_profile("unhurried")

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "fixtures" / "openlineage"


@pytest.fixture(scope="session")
def make() -> ModuleType:
    """The script that writes the fixtures: event(), dataset(), facet() and so on."""
    spec = importlib.util.spec_from_file_location("openlineage_fixtures", FIXTURES / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def vectors() -> Path:
    """The folder of third-party OpenLineage events."""
    folder = Path(os.environ.get("DATALEDGER_VECTORS", ROOT.parent / "shared" / "vectors")) / "openlineage"
    if not folder.is_dir():
        pytest.skip("third-party OpenLineage events (vectors/openlineage) are not here")
    return folder


class Imported:
    """An import with its refusals, and short ways to look into it."""

    def __init__(self, *files: bytes) -> None:
        self.refusals: list[Refusal] = []
        sources = [BytesSource(f"file {at}", data) for at, data in enumerate(files)]
        self.plan: Import = plan_import(sources, refuse=self.refusals.append)
        self.runs: list[RunDraft] = list(self.plan.runs())
        self.name = [draft.aliases[0].name for draft in self.plan.datasets]

    def run(self, job: str) -> RunDraft:
        (found,) = [run for run in self.runs if run.component.name == job]
        return found

    def edges(self, job: str) -> dict[tuple[str, str], int]:
        """Output and input by name -> basis."""
        run = self.run(job)
        return {
            (self.name[run.outputs[e.output].dataset], self.name[run.inputs[e.input].dataset]): e.basis
            for e in run.edges
        }

    def columns(self, job: str) -> set[tuple[str, str]]:
        """`output.field`, `input.field`."""
        run = self.run(job)
        return {
            (
                f"{self.name[run.outputs[c.output].dataset]}.{c.output_field}",
                f"{self.name[run.inputs[c.input].dataset]}.{c.input_field}",
            )
            for c in run.columns
        }

    def makers(self, job: str) -> dict[str, str]:
        """Input by name -> job of the run that made the version read."""
        run = self.run(job)
        jobs = {each.run_id: each.component.name for each in self.runs}
        return {self.name[each.dataset]: jobs.get(each.made_by, each.made_by) for each in run.inputs}

    def made(self, job: str) -> list[str]:
        """The outputs of which the run makes a version."""
        return [self.name[each.dataset] for each in self.run(job).outputs if each.makes]


@pytest.fixture(scope="session")
def imported() -> type[Imported]:
    return Imported


@pytest.fixture(scope="session")
def import_events() -> Any:
    """Import events given as JSON values."""

    def run(*events: Any) -> Imported:
        return Imported("\n".join(json.dumps(event) for event in events).encode())

    return run


@pytest.fixture(scope="session")
def import_fixture() -> Any:
    """Import one of the fixture files."""

    def run(name: str) -> Imported:
        return Imported((FIXTURES / name).read_bytes())

    return run
