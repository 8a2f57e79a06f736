from __future__ import annotations

import re

import pytest

from ledger.core import text
from ledger.core.errors import FormatError

HIDDEN = ["\0", "\x1b", "\x7f", "\x85", "\x9b", "\u2028", "\u2029", "\u202e", "\u2066", "\ufeff", "\r"]


@pytest.mark.parametrize(
    "good", ["", "Orders, 2024", "Ünïcode ✓", "\u0645\u06cc\u200c\u062e", "👩\u200d🔬", "\U0010ffff"]
)
def test_human_text(good: str) -> None:
    text.check_line(good, what="title", limit=20)
    assert re.search(text.LINES_PATTERN, good)


@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize("frame", ["{}", "a{}", "{}b", "a{}b"])
def test_hidden_characters(hidden: str, frame: str) -> None:
    bad = frame.format(hidden)
    with pytest.raises(FormatError, match="control characters"):
        text.check_line(bad, what="title", limit=20)
    assert not re.search(text.LINES_PATTERN, bad)
    assert not re.search(text.LINES_PATTERN, bad + "\n")


@pytest.mark.parametrize("bad", ["\n", "a\n", "\na", "a\tb", "a\n\n"])
def test_lines_and_line(bad: str) -> None:
    assert re.search(text.LINES_PATTERN, bad)
    with pytest.raises(FormatError, match="title"):
        text.check_line(bad, what="title", limit=20)


def test_limit_counts_code_points() -> None:
    text.check_line("é" * 10, what="title", limit=10)
    with pytest.raises(FormatError, match="at most 10 characters, got 11"):
        text.check_line("é" * 11, what="title", limit=10)


def test_shown() -> None:
    assert text.shown("a") == "'a'"
    assert text.shown(7) == "7"
    assert text.shown("\x1b\u202e") == r"'\x1b\u202e'"
    assert len(text.shown("x" * 10**6)) < 120
    assert "1000000 characters" in text.shown("x" * 10**6)
    assert len(text.shown("\U0010ffff" * 100)) < 120
