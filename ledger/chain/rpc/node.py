"""Reading a chain through a node: blocks, logs, storage, proofs.

A node is believed in what it says now, and it may say something else a moment later: a network reorganises.
Logs of blocks that are not final are therefore checked against those blocks after reading; who needs more
asks for a proof, which is verified here before it is handed on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, TypeVar

from ledger.chain.interface import JSON_RPC, RawLog
from ledger.chain.options import Options
from ledger.chain.rpc import values
from ledger.chain.rpc.transport import NoAnswer, NodeError, Transport
from ledger.core import rlp
from ledger.core.chain_facts import BlockRef, SlotProof, StorageProof
from ledger.core.errors import Corrupt, FormatError, NotFound, ProofInvalid, Unavailable
from ledger.core.hashing import keccak256
from ledger.core.header import parse_header
from ledger.core.mpt import EMPTY_TRIE, lookup

T = TypeVar("T")

CONFIRMATIONS = 12
"""Blocks on top that make one final where the node knows no `finalized` tag."""

_FIRST_SPAN = 2_000
_WIDEST_SPAN = 100_000
_CACHED_BLOCKS = 10_000
_DEVELOPMENT = ("anvil", "hardhat", "ganache", "ethereumjs", "eth-tester")


class RpcReader:
    """A chain behind a node, to read from."""

    kind = JSON_RPC

    def __init__(self, url: str, options: Options) -> None:
        self._transport = Transport(url, options.timeout_s)
        self._options = options
        self._span = _FIRST_SPAN
        self._final_blocks: dict[int, BlockRef] = {}
        self._has_finalized_tag = options.confirmations is None
        try:
            self._chain_id = self._quantity("eth_chainId")
            self._genesis = self._existing("0x0").hash
        except BaseException:
            self._transport.close()
            raise

    @property
    def location(self) -> str:
        """Scheme, host and port of the node: a path or password may be an access token."""
        return self._transport.location

    @property
    def chain_id(self) -> int:
        """The chain id."""
        return self._chain_id

    @property
    def genesis(self) -> bytes:
        """The hash of block 0."""
        return self._genesis

    @property
    def finality(self) -> str:
        """In words, when a block counts as final here."""
        self.final_number()
        count = self._options.confirmations
        rule = "the node's finalized block" if self._has_finalized_tag else f"{_count(count)} confirmations"
        try:
            client = self._transport.call("web3_clientVersion")
        except NodeError:  # many gateways keep it to themselves
            client = None
        if isinstance(client, str) and client.lower().startswith(_DEVELOPMENT):
            return f"{rule}; this is a development node ({client[:40]}), nothing on it is final to anybody"
        return rule

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def head(self) -> BlockRef:
        """The latest block."""
        return self._existing("latest")

    def final_number(self) -> int:
        """The highest block that counts as final."""
        if self._has_finalized_tag:
            try:
                answer = self._transport.call("eth_getBlockByNumber", "finalized", False)
            except NodeError:
                answer = None
            if answer is not None:
                return self._read(lambda: values.block_ref(answer)).number
            self._has_finalized_tag = False
        return max(self.head().number - _count(self._options.confirmations), 0)

    def block(self, number: int) -> BlockRef | None:
        """That block of the chain as it is now; None beyond the head."""
        return self._final_blocks.get(number) or self._block_at(hex(number))

    def logs(self, start: int, stop: int, addresses: Collection[bytes]) -> Iterator[RawLog]:
        """Every log of these contracts in blocks start..stop-1, in order.

        Asked for in ranges that shrink when the node finds them too wide. Unavailable if the chain
        reorganised in the meantime: what was yielded before stands on blocks that may be gone.
        """
        stop = min(stop, self.head().number + 1)
        final = self.final_number()
        wanted = ["0x" + address.hex() for address in sorted(addresses)]
        while start < stop:
            end = min(start + self._span, stop)
            try:
                found = self._logs(start, end, wanted)
            except (NodeError, NoAnswer) as error:
                if end - start == 1:
                    raise Unavailable(f"{self.location}: no logs of block {start}: {error}") from None
                self._span = (end - start) // 2
                continue
            self._check_blocks(found, final)
            yield from (log for log, _ in found)
            start, self._span = end, min(self._span * 2, _WIDEST_SPAN)

    def storage(self, address: bytes, slot: bytes, block: int | None = None) -> bytes:
        """The 32 bytes in the 32-byte `slot`, at the end of `block` (None: the head)."""
        answer = self._ask("eth_getStorageAt", _hex(address), _hex(slot), _tag(block))
        return self._read(lambda: values.storage_word(answer))

    def code(self, address: bytes, block: int | None = None) -> bytes:
        """The runtime code at the end of `block` (None: the head), empty if there is none."""
        answer = self._ask("eth_getCode", _hex(address), _tag(block))
        return self._read(lambda: values.data(answer, -1, "code"))

    def balance_wei(self, address: bytes) -> int:
        """The balance at the head, in wei."""
        return self._quantity("eth_getBalance", _hex(address), "latest")

    def transaction_count(self, address: bytes) -> int:
        """How many transactions of that account are in blocks."""
        return self._quantity("eth_getTransactionCount", _hex(address), "latest")

    def proof(self, address: bytes, slots: Sequence[bytes], block: int) -> StorageProof:
        """What these 32-byte slots held at the end of `block`, verified; NotFound beyond the head.

        Unavailable where the node keeps no state that old, or its headers have fields that are not known
        here.
        """
        header_json = self._ask("eth_getBlockByNumber", hex(block), False)
        if header_json is None:
            raise NotFound(f"{self.location}: there is no block {block}")
        reference = self._read(lambda: values.block_ref(header_json))
        header = self._header(header_json, reference)
        answer = self._ask("eth_getProof", _hex(address), [_hex(slot) for slot in slots], hex(block))
        return self._read(lambda: _verified(answer, reference, header, address, slots))

    def _header(self, header_json: Any, reference: BlockRef) -> bytes:
        header = self._read(lambda: values.header_rlp(header_json))
        if keccak256(header) == reference.hash:
            return header
        try:
            raw = self._transport.call("debug_getRawHeader", hex(reference.number))
            header = values.data(raw, -1, "header")
        except (NodeError, FormatError):
            header = b""
        if keccak256(header) != reference.hash:
            raise Unavailable(
                f"{self.location}: the header of block {reference.number} can't be rebuilt"
                " from what the node says",
                hint="Use a node that answers debug_getRawHeader.",
            )
        return header

    def _logs(self, start: int, stop: int, addresses: list[str]) -> list[tuple[RawLog, bytes]]:
        question = {"fromBlock": hex(start), "toBlock": hex(stop - 1), "address": addresses}
        answer = self._transport.call("eth_getLogs", question)
        found = self._read(lambda: [values.raw_log(item) for item in values.listed(answer, "logs")])
        if any(
            not start <= log.block < stop or "0x" + log.address.hex() not in addresses for log, _ in found
        ):
            raise Unavailable(f"{self.location}: the node gave logs that were not asked for")
        return sorted(found, key=lambda item: (item[0].block, item[0].log_index))

    def _check_blocks(self, found: list[tuple[RawLog, bytes]], final: int) -> None:
        """Raise Unavailable if logs are not of the blocks that now have their numbers."""
        hashes: dict[int, bytes] = {}
        for log, block_hash in found:
            if hashes.setdefault(log.block, block_hash) != block_hash:
                raise self._reorganised(log.block)
        for number, block_hash in hashes.items():
            block = self._block_at(hex(number))
            if block is None or block.hash != block_hash:
                raise self._reorganised(number)
            if number <= final:
                if len(self._final_blocks) >= _CACHED_BLOCKS:
                    self._final_blocks.clear()
                self._final_blocks[number] = block

    def _reorganised(self, number: int) -> Unavailable:
        return Unavailable(
            f"{self.location}: the chain reorganised at block {number} while it was read", hint="Try again."
        )

    def _block_at(self, tag: str) -> BlockRef | None:
        answer = self._ask("eth_getBlockByNumber", tag, False)
        return None if answer is None else self._read(lambda: values.block_ref(answer))

    def _existing(self, tag: str) -> BlockRef:
        block = self._block_at(tag)
        if block is None:
            raise Unavailable(f"{self.location}: the node has no block {tag}")
        return block

    def _quantity(self, method: str, *params: Any) -> int:
        answer = self._ask(method, *params)
        return self._read(lambda: values.quantity(answer, method))

    def _ask(self, method: str, *params: Any) -> Any:
        try:
            return self._transport.call(method, *params)
        except NodeError as error:
            raise Unavailable(f"{self.location}: the node refuses {method}: {error.message}") from None

    def _read(self, parse: Callable[[], T]) -> T:
        try:
            return parse()
        except FormatError as error:
            raise Unavailable(f"{self.location}: {error}", hint="Is this an Ethereum node?") from None


def _verified(
    answer: Any, block: BlockRef, header: bytes, address: bytes, slots: Sequence[bytes]
) -> StorageProof:
    account_nodes = _nodes(values.member(answer, "accountProof"))
    state_root = parse_header(header, expected_hash=block.hash).state_root
    account, account_nodes = _walk(state_root, keccak256(address), account_nodes)
    fields = [] if account is None else [field for field in rlp.decode(account) if isinstance(field, bytes)]
    storage_root = fields[2] if len(fields) == 4 else EMPTY_TRIE
    entries = values.listed(values.member(answer, "storageProof"), "storageProof")
    if len(entries) != len(slots):
        raise FormatError(f"node's answer: expected {len(slots)} storage proofs, got {len(entries)}")
    proofs = []
    for slot, entry in zip(slots, entries, strict=True):
        content, nodes = _walk(storage_root, keccak256(slot), _nodes(values.member(entry, "proof")))
        number = b"" if content is None else rlp.decode(content)
        if not isinstance(number, bytes) or len(number) > 32:
            raise ProofInvalid(f"slot {slot.hex()}: expected at most 32 bytes")
        proofs.append(SlotProof(slot, number.rjust(32, b"\0"), nodes))
    return StorageProof(block, header, address, account_nodes, proofs)


def _walk(root: bytes, key: bytes, nodes: list[bytes]) -> tuple[bytes | None, list[bytes]]:
    by_hash = {keccak256(node): node for node in nodes}
    try:
        return lookup(root, key, by_hash.__getitem__)
    except KeyError:
        raise Corrupt(
            "the node's proof does not lead from the block's state root to what was asked for"
        ) from None


def _nodes(answer: Any) -> list[bytes]:
    return [values.data(node, -1, "proof") for node in values.listed(answer, "proof")]


def _hex(content: bytes) -> str:
    return "0x" + content.hex()


def _tag(block: int | None) -> str:
    return "latest" if block is None else hex(block)


def _count(confirmations: int | None) -> int:
    return CONFIRMATIONS if confirmations is None else confirmations
