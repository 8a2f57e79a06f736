"""The two families of errors, their exit codes, and what some carry."""

from __future__ import annotations

import inspect

import pytest

from ledger.core import errors

ALL = [
    each for _, each in inspect.getmembers(errors, inspect.isclass) if issubclass(each, errors.LedgerError)
]


@pytest.mark.parametrize("error", ALL, ids=lambda error: error.__name__)
def test_exit_codes_follow_the_family(error: type[errors.LedgerError]) -> None:
    families = [
        each for each in (errors.Invalid, errors.Usage, errors.Unavailable) if issubclass(error, each)
    ]
    if error is errors.LedgerError:
        assert families == []
    else:
        assert [each.exit_code for each in families] == [error.exit_code]


def test_hints_and_facts() -> None:
    assert errors.FormatError("what").hint == ""
    assert (str(errors.Usage("what", hint="do")), errors.Usage("what", hint="do").hint) == ("what", "do")
    forked = errors.Forked("two heads", ours=b"a", theirs=b"b", hint="do")
    assert (forked.ours, forked.theirs, forked.hint) == (b"a", b"b", "do")
    assert errors.Unauthorized("key-unknown", "what").reason == "key-unknown"
    unfunded = errors.Unfunded("send some", address="0x00", needed_wei=5)
    assert (unfunded.address, unfunded.needed_wei, unfunded.exit_code) == ("0x00", 5, 3)
