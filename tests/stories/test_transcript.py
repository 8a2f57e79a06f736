"""Holding output against what was expected of it: what is let pass, and what never is."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledger_cli.stories.transcript import Difference, compare, dated, filled

from ledger.core.errors import FormatError

LINES = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters="{}.~\n\r"), max_size=20), max_size=6
)


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        ([], []),
        (["a"], ["a"]),
        (["..."], []),
        (["...", "b"], ["a", "a", "b"]),
        (["a", "...", "c", "..."], ["a", "b", "c", "c", "d"]),
        (["block ..., size 3"], ["block 12 (now), size 3"]),
        (["a  b   c"], ["a     b  c"]),
        (["  at ..."], ["  at 7"]),
        (["(a) [b] *"], ["(a) [b] *"]),
        (["a", "~b", "~...", "~d", "e"], ["a", "d", "c", "b", "e"]),
        (["...", "~b", "~c"], ["a", "c", "b"]),
    ],
)
def test_what_is_the_same(expected, found):
    assert compare(expected, found, {}) == {}


@pytest.mark.parametrize(
    ("expected", "found", "where"),
    [
        ([], ["a"], ("", "a")),
        (["a"], [], ("a", "")),
        (["a"], ["b"], ("a", "b")),
        (["a", "b"], ["a", "c"], ("b", "c")),
        (["a"], ["a", "b"], ("", "b")),
        (["a b"], ["a  b"], ("a b", "a  b")),
        (["a  b"], ["a b"], ("a  b", "a b")),
        (["  a"], ["    a"], ("  a", "    a")),
        (["a.c"], ["abc"], ("a.c", "abc")),
        (["...", "x"], ["a", "b"], ("x", "")),
        (["~a", "~b"], ["b", "b"], ("~a", "b")),
        (["~a", "~b"], ["b"], ("~a", "b")),
        (["~a", "~b"], ["b", "a", "c"], ("", "c")),
        (["GOOD: ..."], ["FAILED: 3"], ("GOOD: ...", "FAILED: 3")),
    ],
)
def test_what_is_not(expected, found, where):
    assert compare(expected, found, {}) == Difference(*where)


def test_what_varies_is_captured_and_then_held_to():
    names = compare(
        ["grant  a  record {GRANT}", "by {PARTY}."], ["grant  a  record 0ab1", "by did:ethr:0x1."], {}
    )
    assert names == {"GRANT": "0ab1", "PARTY": "did:ethr:0x1"}
    assert compare(["record {GRANT}"], ["record 0ab1"], names) == names
    assert isinstance(compare(["record {GRANT}"], ["record 0ab2"], names), Difference)
    assert compare(["{A} and {A}"], ["x and x"], {}) == {"A": "x"}
    assert isinstance(compare(["{A} and {A}"], ["x and y"], {}), Difference)
    assert isinstance(compare(["...", "{A}", "no"], ["x", "y"], {}), Difference)


def test_what_is_captured_in_any_order():
    assert compare(["~{A} is x", "~{B} is y"], ["1 is y", "2 is x"], {}) == {"A": "2", "B": "1"}
    assert isinstance(compare(["~{A} is x", "~{A} is y"], ["1 is y", "2 is x"], {}), Difference)


def test_commands_say_what_was_captured():
    assert filled("revoke {GRANT} --from 2030-01-01", {"GRANT": "0ab1"}) == "revoke 0ab1 --from 2030-01-01"
    with pytest.raises(FormatError, match=r"\{GRANT\} stands in a command"):
        filled("revoke {GRANT}", {})


def test_dates_are_those_of_the_performance():
    today = date(2027, 12, 31)
    assert dated("{TODAY} {TODAY+1} {TODAY-31}", today) == "2027-12-31 2028-01-01 2027-11-30"
    assert dated("{TODAY+}", today) == "{TODAY+}"


@given(LINES)
def test_every_text_is_itself_and_nothing_less(lines):
    assert compare(lines, lines, {}) == {}
    assert compare(["...", *lines, "..."], lines, {}) == {}
    assert isinstance(compare(lines, [*lines, "more"], {}), Difference)
    assert isinstance(compare([*lines, "more"], lines, {}), Difference)
