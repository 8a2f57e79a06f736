"""Values in a node's answers: strictly read, so that nothing but bytes and integers goes further.

Source: Ethereum execution-apis: a QUANTITY is `0x` and hex digits, DATA `0x` and two digits a byte. Nodes pad
and case them differently, which is tolerated; anything else raises FormatError. Header fields in the order of
their RLP: Yellow Paper section 4.4.3, EIP-1559, EIP-4895, EIP-4844, EIP-4788, EIP-7685.
"""

from __future__ import annotations

import re
from typing import Any

from ledger.chain.interface import RawLog
from ledger.core import rlp
from ledger.core.chain_facts import BlockRef
from ledger.core.errors import FormatError

_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}")
_DATA = re.compile(r"0x(?:[0-9a-fA-F]{2})*")
_HASH = 32
_HEADER = (
    ("parentHash", _HASH),
    ("sha3Uncles", _HASH),
    ("miner", 20),
    ("stateRoot", _HASH),
    ("transactionsRoot", _HASH),
    ("receiptsRoot", _HASH),
    ("logsBloom", 256),
    ("difficulty", None),
    ("number", None),
    ("gasLimit", None),
    ("gasUsed", None),
    ("timestamp", None),
    ("extraData", -1),
    ("mixHash", _HASH),
    ("nonce", 8),
)
_LATER = (
    ("baseFeePerGas", None),
    ("withdrawalsRoot", _HASH),
    ("blobGasUsed", None),
    ("excessBlobGas", None),
    ("parentBeaconBlockRoot", _HASH),
    ("requestsHash", _HASH),
)
"""Name and length of each field: None for a quantity, -1 for bytes of any length."""


def member(answer: Any, name: str) -> Any:
    """A member of an answer that must be an object."""
    if not isinstance(answer, dict):
        raise FormatError(f"node's answer: expected an object with {name}, got {type(answer).__name__}")
    return answer.get(name)


def listed(answer: Any, what: str) -> list[Any]:
    """An answer that must be a list."""
    if not isinstance(answer, list):
        raise FormatError(f"node's answer: expected a list as {what}, got {type(answer).__name__}")
    return answer


def quantity(text: Any, what: str) -> int:
    """A number below 2^256."""
    if not isinstance(text, str) or not _QUANTITY.fullmatch(text):
        raise FormatError(f"node's answer: expected a number as {what}, got {text!r:.80}")
    return int(text, 16)


def data(text: Any, length: int, what: str) -> bytes:
    """Bytes of exactly `length`, or of any length if that is negative."""
    content = bytes.fromhex(text[2:]) if isinstance(text, str) and _DATA.fullmatch(text) else None
    if content is None or 0 <= length != len(content):
        size = f"{length} bytes" if length >= 0 else "bytes"
        raise FormatError(f"node's answer: expected {size} as {what}, got {text!r:.80}")
    return content


def storage_word(text: Any) -> bytes:
    """A storage slot's content; some nodes leave out leading zeros."""
    return quantity(text if text != "0x" else "0x0", "storage").to_bytes(32, "big")


def block_ref(answer: Any) -> BlockRef:
    """What we keep of a block."""
    return BlockRef(
        quantity(member(answer, "number"), "block number"),
        data(member(answer, "hash"), _HASH, "block hash"),
        data(member(answer, "parentHash"), _HASH, "parent hash"),
        quantity(member(answer, "timestamp"), "block time"),
    )


def raw_log(answer: Any) -> tuple[RawLog, bytes]:
    """A log, and the hash of its block."""
    topics = listed(member(answer, "topics"), "topics")
    log = RawLog(
        quantity(member(answer, "blockNumber"), "block number"),
        quantity(member(answer, "logIndex"), "log index"),
        data(member(answer, "address"), 20, "address"),
        tuple(data(topic, _HASH, "topic") for topic in topics),
        data(member(answer, "data"), -1, "data"),
    )
    return log, data(member(answer, "blockHash"), _HASH, "block hash")


def header_rlp(answer: Any) -> bytes:
    """A header's RLP from its JSON, as far as this release knows its fields: compare its hash."""
    fields = [_field(answer, name, length) for name, length in _HEADER]
    for name, length in _LATER:
        if member(answer, name) is None:
            break
        fields.append(_field(answer, name, length))
    return rlp.encode(fields)


def _field(answer: Any, name: str, length: int | None) -> rlp.Item:
    value = member(answer, name)
    if length is not None:
        return data(value, length, name)
    number = quantity(value, name)
    return rlp.encode_uint(number)
