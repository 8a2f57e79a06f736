"""What a node's error means. Every node says it differently, in code, message and data.

Seen: Geth, Erigon, Reth: code 3, data `0x08c379a0...`, message `execution reverted: reason`. Besu: -32000,
data the bytes. anvil: 3, data the bytes. Nethermind, OpenEthereum: data `Reverted 0x...`. Hardhat: data an
object with `data`, message `... reverted with reason string 'reason'`. Ganache: data an object by transaction
hash, with `return`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ledger.chain.reverts import revert_reason
from ledger.chain.rpc.transport import NodeError

_REVERT_CODE = 3
_HEX = re.compile(r"0x((?:[0-9a-fA-F]{2})*)\Z")
_IN_MESSAGE = (
    re.compile(r"reverted with reason string '(.*)'", re.DOTALL),
    re.compile(r"(?:execution reverted|revert(?:ed)?):? (.+)", re.DOTALL),
)
_MAX_DEPTH = 4
_FAILED = re.compile(
    r"revert|EVM error|invalid ?(?:fe)?opcode|out ?of ?gas|stack ?(?:under|over)flow|(?:bad|invalid) ?jump"
    r"|always failing",
    re.IGNORECASE,
)
_NO_FUNDS = re.compile(
    r"insufficient (?:funds|balance)|upfront cost|doesn't have enough funds", re.IGNORECASE
)
_NONCE_USED = re.compile(r"nonce (?:is )?too low|nonce_too_low|old ?nonce|invalid nonce", re.IGNORECASE)
_NONCE_TAKEN = re.compile(r"underpriced|replacement", re.IGNORECASE)
_KNOWN = re.compile(
    r"already (?:known|imported|exists|in (?:the )?(?:mem)?pool)|known transaction", re.IGNORECASE
)


def refusal(error: NodeError) -> str | None:
    """The contract's reason if a contract refused; None if the error is about something else."""
    outputs = list(_outputs(error.data, _MAX_DEPTH))
    reasons = [revert_reason(output) for output in outputs if output]
    if error.code != _REVERT_CODE and not reasons and not _FAILED.search(error.message):
        return None
    if reasons:
        return reasons[0]
    for pattern in _IN_MESSAGE:
        match = pattern.search(error.message)
        if match:
            return match[1].strip()
    return "it gave no reason" if "revert" in error.message.lower() else error.message


def lacks_funds(error: NodeError) -> bool:
    """The account can't pay."""
    return bool(_NO_FUNDS.search(error.message))


def nonce_used(error: NodeError) -> bool:
    """A transaction with this nonce is in a block."""
    return bool(_NONCE_USED.search(error.message))


def nonce_taken(error: NodeError) -> bool:
    """Another transaction with this nonce is waiting."""
    return bool(_NONCE_TAKEN.search(error.message))


def already_known(error: NodeError) -> bool:
    """The node has this very transaction."""
    return bool(_KNOWN.search(error.message))


def _outputs(data: Any, depth: int) -> Iterator[bytes]:
    """Every run of hex bytes in an error's data, outermost first."""
    if isinstance(data, str):
        match = _HEX.search(data.strip())
        if match and (match.start() == 0 or data.startswith("Reverted ")):
            yield bytes.fromhex(match[1])
    elif isinstance(data, dict) and depth:
        for name in ("data", "result", "output", "return"):
            yield from _outputs(data.get(name), depth - 1)
        for value in data.values():
            if isinstance(value, dict):
                yield from _outputs(value, depth - 1)
