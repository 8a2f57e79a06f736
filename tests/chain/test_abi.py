"""The ABI codec, against eth-abi and against hostile bytes."""

from __future__ import annotations

import contextlib

import eth_abi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.chain import abi
from ledger.core.errors import FormatError

VALUES = {
    "address": st.binary(min_size=20, max_size=20),
    "bool": st.booleans(),
    "uint64": st.integers(0, 2**64 - 1),
    "uint256": st.integers(0, 2**256 - 1),
    "bytes32": st.binary(min_size=32, max_size=32),
    "bytes": st.binary(max_size=100),
    "string": st.text(max_size=40),
    "bytes32[]": st.lists(st.binary(min_size=32, max_size=32), max_size=5),
}


@st.composite
def tuples(draw):
    types = draw(st.lists(st.sampled_from(sorted(VALUES)), max_size=6))
    return types, [draw(VALUES[kind]) for kind in types]


@given(tuples())
def test_agrees_with_eth_abi(case):
    types, values = case
    encoded = abi.encode(types, values)
    theirs = [
        "0x" + value.hex() if kind == "address" else value for kind, value in zip(types, values, strict=True)
    ]
    assert encoded == eth_abi.encode(types, theirs)
    assert abi.decode(types, encoded) == values
    assert abi.decode(types, encoded, strict=False) == values


@given(st.data())
def test_arrays_are_encoded_as_eth_abi_does(data):
    """To encode only: what an escrow is created with, and what pays it out."""
    kinds = ["address", "uint256", "bytes", "bytes32", "string", "bool"]
    types = data.draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=4))
    values = [data.draw(st.lists(VALUES[kind], max_size=4)) for kind in types]
    theirs = [
        ["0x" + each.hex() for each in value] if kind == "address" else value
        for kind, value in zip(types, values, strict=True)
    ]
    arrays = [f"{kind}[]" for kind in types]
    assert abi.encode(arrays, values) == eth_abi.encode(arrays, theirs)


@given(st.lists(st.sampled_from(sorted(VALUES)), max_size=4), st.binary(max_size=400), st.booleans())
def test_hostile_bytes_raise_format_errors_only(types, data, strict):
    try:
        values = abi.decode(types, data, strict=strict)
    except FormatError:
        return
    if strict:
        assert abi.encode(types, values) == data


@given(tuples(), st.data())
def test_one_encoding_only(case, data):
    types, values = case
    encoded = bytearray(abi.encode(types, values))
    if encoded:
        encoded[data.draw(st.integers(0, len(encoded) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        with contextlib.suppress(FormatError):
            assert abi.decode(types, bytes(encoded)) != values
    with pytest.raises(FormatError):
        abi.decode(types, abi.encode(types, values) + bytes(32))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("address", bytes(19)),
        ("address", "0x" + "00" * 20),
        ("bytes32", bytes(31)),
        ("uint64", 2**64),
        ("uint256", -1),
        ("bytes32[]", [bytes(31)]),
    ],
)
def test_values_that_do_not_fit(kind, value):
    with pytest.raises(ValueError, match=kind.removesuffix("[]")):
        abi.encode([kind], [value])


def test_offsets_and_lengths_beyond_the_data():
    for offset, length in ((32, 2**255), (2**255, 0), (33, 1), (0, 0), (64, 0)):
        with pytest.raises(FormatError):
            abi.decode(("bytes",), offset.to_bytes(32, "big") + length.to_bytes(32, "big"))
    with pytest.raises(FormatError, match="at most"):
        abi.decode(("bytes",), bytes(2 << 20))
    with pytest.raises(ValueError, match="expected 1 values"):
        abi.encode(("bytes",), ())


def test_strings_are_utf8():
    with pytest.raises(FormatError, match="UTF-8"):
        abi.decode(("string",), abi.encode(("bytes",), (b"\xff\xfe",)))


def test_selector():
    assert abi.selector("transfer(address,uint256)").hex() == "a9059cbb"
    assert abi.types_of("none()") == ()
