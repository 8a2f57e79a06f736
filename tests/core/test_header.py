"""Block headers: one of Ethereum's own, and broken ones."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.errors import FormatError, ProofInvalid
from ledger.core.header import parse_header
from ledger.core.rlp import encode

# block 1 of Ethereum's main network
PARENT = "d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3"
BLOCK_1 = "88e96d4537bea4d9c05d12549907b32561d3bf31f45aae734cdc119f13406cb6"
EMPTY = bytes.fromhex("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421")
ITEMS = [
    bytes.fromhex(PARENT),
    bytes.fromhex("1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347"),
    bytes.fromhex("05a56e2d52c817161883f50c441c3228cfe54d9f"),
    bytes.fromhex("d67e4d450343046425ae4271474353857ab860dbc0a1dde64b41b5cd3a532bf3"),
    EMPTY,
    EMPTY,
    bytes(256),
    (0x3FF800000).to_bytes(5, "big"),
    b"\x01",
    (5000).to_bytes(2, "big"),
    b"",
    (0x55BA4224).to_bytes(4, "big"),
    bytes.fromhex("476574682f76312e302e302f6c696e75782f676f312e342e32"),
    bytes.fromhex("969b900de27b6ac6a67742365dd65f55a0526c41fd18e1b16f1a1215c2e66f59"),
    bytes.fromhex("539bd4979fef1ec4"),
]


def test_block_1():
    header = parse_header(encode(ITEMS), expected_hash=bytes.fromhex(BLOCK_1))
    assert header.hash.hex() == BLOCK_1
    assert header.parent_hash.hex() == PARENT
    assert (header.number, header.time_unix_s) == (1, 1438269988)
    assert header.receipts_root == header.transactions_root == EMPTY
    assert header.state_root == ITEMS[3]
    assert header.extra_data.startswith(b"Geth/")


def test_later_fields_are_none_of_our_business():
    header = parse_header(encode([*ITEMS, b"\x07", bytes(32), [b"what comes"]]))
    assert header.number == 1
    assert header.hash.hex() != BLOCK_1


def test_another_hash():
    with pytest.raises(ProofInvalid, match=BLOCK_1):
        parse_header(encode([*ITEMS, b""]), expected_hash=bytes.fromhex(BLOCK_1))


BROKEN = [
    (0, bytes(31)),
    (3, b""),
    (3, []),
    (5, bytes(33)),
    (8, b"\0"),
    (8, bytes(9)),
    (8, []),
    (11, b"\x01" * 9),
    (12, []),
]


@pytest.mark.parametrize(("position", "item"), BROKEN)
def test_broken_fields(position, item):
    with pytest.raises(FormatError):
        parse_header(encode([*ITEMS[:position], item, *ITEMS[position + 1 :]]))


@pytest.mark.parametrize(
    "data",
    [b"", encode(ITEMS[:14]), encode(b"bytes"), encode(ITEMS) + b"\0", encode([*ITEMS, bytes(9000)])],
)
def test_what_is_no_header(data):
    with pytest.raises(FormatError):
        parse_header(data)


@given(st.binary(max_size=700))
def test_hostile_bytes(data):
    with contextlib.suppress(FormatError):
        parse_header(data)
