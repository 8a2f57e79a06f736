"""Why a contract refused: the reason inside the bytes it returned.

Source: Solidity ABI specification, "Errors": `Error(string)` is selector 0x08c379a0, `Panic(uint256)`
0x4e487b71. Vyper's `assert condition, "reason"` gives the former. How nodes hand these bytes over is each
node's own; see `rpc.errors`.
"""

from __future__ import annotations

from ledger.chain import abi
from ledger.core.errors import FormatError

_ERROR = bytes.fromhex("08c379a0")
_PANIC = bytes.fromhex("4e487b71")
_MAX_SHOWN = 200


def revert_reason(output: bytes) -> str:
    """The reason in words; for bytes that carry none, words that say so."""
    try:
        if output.startswith(_ERROR):
            (text,) = abi.decode(("string",), output[4:], strict=False)
            return str(text)[:_MAX_SHOWN]
        if output.startswith(_PANIC):
            (code,) = abi.decode(("uint256",), output[4:], strict=False)
            return f"panic {code:#x}"
    except FormatError:
        pass
    return f"it gave no reason in words (0x{output[:68].hex()})" if output else "it gave no reason"
