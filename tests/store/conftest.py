"""The store's tests do not wait for the disk: what fsync is for is tested by tests/faults and by the order
of calls.
"""

import os

import pytest


@pytest.fixture(autouse=True)
def _disk_is_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda fd: None)
