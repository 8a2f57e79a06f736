"""Where third-party vectors are: ../shared/vectors beside the repository, or $DATALEDGER_VECTORS."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

VECTORS = Path(os.environ.get("DATALEDGER_VECTORS") or Path(__file__).parents[3] / "shared" / "vectors")


@pytest.fixture(scope="session")
def vectors() -> Path:
    if not VECTORS.is_dir():
        pytest.skip("the third-party vectors are not here: set DATALEDGER_VECTORS")
    return VECTORS
