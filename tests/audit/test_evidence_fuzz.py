"""Whatever is done to a good file, it is refused with a reason, and nothing but EvidenceInvalid comes out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.forging import numbered, write
from ledger.audit.evidence import REASONS, verify_evidence
from ledger.core.errors import EvidenceInvalid
from ledger.core.evidence import End, format_line, parse_line
from ledger.core.trust import trust_block
from tests.audit.conftest import CORPUS, outcome, rows

GOOD = (CORPUS / "good-small.evidence").read_bytes()
TRUST = trust_block(next(block for name, _, block in rows() if name == "good-small.evidence"))
LINES = GOOD.splitlines(keepends=True)
OTHERS = [
    line
    for path in sorted(CORPUS.glob("*.evidence"))
    if path.stat().st_size < 50_000
    for line in path.read_bytes().splitlines(keepends=True)
]
places = st.integers(0, len(GOOD) - 1)
numbers = st.integers(0, len(LINES) - 1)


def refused_or_the_same(data: bytes) -> None:
    """Check that a file is refused, or differs from the good one in the names of parties only: claims."""
    result = outcome(data.splitlines(keepends=True), TRUST)
    if result in REASONS:
        return
    assert result in {"verdict:good", "verdict:unknown"}
    kept = [[line for line in each.splitlines() if b'"party"' not in line] for each in (GOOD, data)]
    assert kept[0] == kept[1]


@given(places, st.integers(0, 7))
@settings(max_examples=150)
def test_a_flipped_bit(place: int, bit: int) -> None:
    data = bytearray(GOOD)
    data[place] ^= 1 << bit
    refused_or_the_same(bytes(data))


@given(places, places, st.binary(max_size=40))
@settings(max_examples=100)
def test_bytes_replaced_by_others(start: int, stop: int, new: bytes) -> None:
    refused_or_the_same(GOOD[:start] + new + GOOD[min(stop, start + 40) :])


@given(places)
@settings(max_examples=40)
def test_a_file_cut_off(place: int) -> None:
    with pytest.raises(EvidenceInvalid) as caught:
        verify_evidence(GOOD[:place].splitlines(keepends=True), TRUST)
    assert caught.value.reason in {"truncated", "not-evidence"}


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=3), st.booleans())
@settings(max_examples=60)
def test_lines_in_another_order(moves: list[tuple[int, int]], count_anew: bool) -> None:
    lines = list(LINES)
    for source, target in moves:
        lines.insert(target, lines.pop(source))
    refused_or_the_same(b"".join(lines))


@given(st.sets(numbers, min_size=1, max_size=3))
@settings(max_examples=60)
def test_lines_left_out_and_counted_anew(gone: set[int]) -> None:
    kept = [parse_line(line) for number, line in enumerate(LINES) if number not in gone]
    result = outcome(write(numbered(kept)).splitlines(keepends=True), TRUST)
    if result in REASONS:
        return
    # names, notes and disclosures can be left out; without a posted payload nothing is known for certain
    spare = {"party", "checkpoint", "disclosure", "end"}
    left = {json.loads(LINES[number])["line"] for number in gone}
    assert left <= spare | {"posted"}
    assert result == ("verdict:unknown" if "posted" in left else "verdict:good")


@given(numbers, st.sampled_from(OTHERS), st.booleans())
@settings(max_examples=150)
def test_a_line_of_another_file(place: int, other: bytes, replace: bool) -> None:
    lines = list(LINES)
    lines[place : place + replace] = [other]
    try:
        parsed = [parse_line(line) for line in lines]
    except EvidenceInvalid:
        refused_or_the_same(b"".join(lines))
        return
    parsed = [line for line in parsed if not isinstance(line, End)]
    data = write(numbered(parsed))
    result = outcome(data.splitlines(keepends=True), TRUST)
    if result in REASONS:
        return
    assert result in {"verdict:good", "verdict:unknown"}
    proven = [{line for line in each.splitlines() if b'"record"' in line[:20]} for each in (GOOD, data)]
    assert proven[0] == proven[1]


def _values(value: Any) -> list[Any]:
    """Return the places of a JSON value that can be replaced: containers with a key each."""
    if isinstance(value, dict):
        return [(value, key) for key in value] + [each for item in value.values() for each in _values(item)]
    if isinstance(value, list):
        return [(value, n) for n in range(len(value))] + [each for item in value for each in _values(item)]
    return []


strange = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=70),
    st.text("0123456789abcdef", min_size=64, max_size=64),
    st.sampled_from(["", "AAAA", "A" * 43 + "=", "zz" * 32, "AB" * 32, " " * 64, [], {}, [[]], 2**53, 2**63]),
)


MAY = (CORPUS / "may-by-a-chain.evidence").read_bytes()
MAY_TRUST = trust_block(next(block for name, _, block in rows() if name == "may-by-a-chain.evidence"))
MAY_LINES = MAY.splitlines(keepends=True)
may_numbers = st.integers(0, len(MAY_LINES) - 1)


def never_more_than_asked(data: bytes) -> None:
    """Check that a file is refused, or answers another question, or differs in names only."""
    result = outcome(data.splitlines(keepends=True), MAY_TRUST)
    if result in REASONS or not result.endswith("/permitted"):
        return
    kept = [[line for line in each.splitlines() if b'"party"' not in line] for each in (MAY, data)]
    asks = [[json.loads(line) for line in each.splitlines()][1] for each in (MAY, data)]
    assert kept[0] == kept[1] or {**asks[1], "at": "", "purpose": "", "region": ""} == {
        **asks[0],
        "at": "",
        "purpose": "",
        "region": "",
    }


@given(st.integers(0, len(MAY) - 1), st.integers(0, 7))
@settings(max_examples=100)
def test_a_flipped_bit_in_an_answer(place: int, bit: int) -> None:
    data = bytearray(MAY)
    data[place] ^= 1 << bit
    never_more_than_asked(bytes(data))


@given(st.sets(may_numbers, min_size=1, max_size=3))
@settings(max_examples=80)
def test_lines_left_out_of_an_answer_and_counted_anew(gone: set[int]) -> None:
    """Nothing that a yes rests on can be left out, but notes and names."""
    kept = [parse_line(line) for number, line in enumerate(MAY_LINES) if number not in gone]
    result = outcome(write(numbered(kept)).splitlines(keepends=True), MAY_TRUST)
    left = {json.loads(MAY_LINES[number])["line"] for number in gone}
    assert result in REASONS or left <= {"party", "checkpoint", "end"}


@given(may_numbers, st.integers(0, 10_000), st.deferred(lambda: strange))
@settings(max_examples=150)
def test_a_member_of_an_answer_with_another_value(number: int, place: int, new: Any) -> None:
    line = json.loads(MAY_LINES[number])
    container, key = (found := _values(line))[place % len(found)]
    if container[key] == new:
        return
    container[key] = new
    lines = list(MAY_LINES)
    lines[number] = (
        json.dumps(line, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace") + b"\n"
    )
    never_more_than_asked(b"".join(lines))


@given(numbers, st.integers(0, 10_000), strange)
@settings(max_examples=250)
def test_a_member_with_another_value(number: int, place: int, new: Any) -> None:
    line = json.loads(LINES[number])
    container, key = (found := _values(line))[place % len(found)]
    if container[key] == new:
        return
    container[key] = new
    lines = list(LINES)
    lines[number] = (
        json.dumps(line, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace") + b"\n"
    )
    refused_or_the_same(b"".join(lines))


@given(st.one_of(st.binary(max_size=200), st.sampled_from(OTHERS)))
def test_a_line_is_read_back_as_it_was_written_or_refused(data: bytes) -> None:
    try:
        line = parse_line(data)
    except EvidenceInvalid:
        return
    assert format_line(line) == data


@given(st.lists(st.binary(max_size=60), max_size=6))
def test_any_bytes_at_all(lines: list[bytes]) -> None:
    with pytest.raises(EvidenceInvalid):
        verify_evidence(lines)
