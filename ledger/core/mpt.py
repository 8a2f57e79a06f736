"""Merkle Patricia tries: how a state, a contract's storage and a block's receipts hang off one hash.

Source: Ethereum Yellow Paper, appendices C (hex-prefix) and D (trie); EIP-1186 for what a proof is. A node is
the RLP of a branch (17 items), or of an extension or leaf (2 items: hex-prefixed path, child or value); a
node of 32 bytes and more is referred to by its keccak256, a shorter one stands in its parent.

Here: walking from a root to a key over any source of nodes, which also gives the proof, verifying one, and
listing a whole trie.
Where nodes come from is the caller's; every node is checked against the hash it was asked for by. Keys of the
state and of storage are keccak256 of the address or the 32-byte slot: hash before asking.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ledger.core import rlp
from ledger.core.errors import FormatError, ProofInvalid
from ledger.core.hashing import keccak256

EMPTY_TRIE = keccak256(b"\x80")
"""The root of a trie without entries: keccak256 of the RLP of the empty string."""

_HALVES = [bytes((byte >> 4, byte & 15)) for byte in range(256)]
_MAX_DEPTH = 65  # 64 nibbles of a hashed key, and the value's own node

NodeAt = Callable[[bytes], bytes]
"""The bytes of the node with that 32-byte hash; raises what it likes when it has none."""


def lookup(root: bytes, key: bytes, node_at: NodeAt) -> tuple[bytes | None, list[bytes]]:
    """Walk from `root` to `key`; return the value, None if there is no such key, and the nodes on the way.

    The nodes are the proof of either answer, root first, without those that stand inside their parents.
    Raises ProofInvalid when a node does not have the hash it is referred to by or is no node, and what
    `node_at` raises.
    """
    proof: list[bytes] = []

    def load(node_hash: bytes) -> list[rlp.Item]:
        data = _checked(node_hash, node_at(node_hash))
        proof.append(data)
        return decode_node(data)

    return walk(root, key, load), proof


def walk(root: bytes, key: bytes, load: Callable[[bytes], list[rlp.Item]]) -> bytes | None:
    """Walk from `root` to `key` over nodes that `load` gives by their hashes, which it has checked."""
    if root == EMPTY_TRIE:
        return None
    path = nibbles(key)
    reference: rlp.Item = root
    for _ in range(_MAX_DEPTH):
        node = load(_hash(reference)) if isinstance(reference, bytes) else _as_node(reference)
        if len(node) == 17:
            if not path:
                return _value(node[16])
            reference, path = node[path[0]], path[1:]
        else:
            prefix, is_leaf = _decode_path(node[0])
            if is_leaf:
                return _value(node[1]) if prefix == path else None
            if not prefix or path[: len(prefix)] != prefix:
                return None
            reference, path = node[1], path[len(prefix) :]
        if reference == b"":
            return None
    raise ProofInvalid("trie: expected a path of at most 64 nibbles, it does not end")


def entries(root: bytes, node_at: NodeAt) -> Iterator[tuple[bytes, bytes]]:
    """Yield every key (as its nibbles, one a byte) and value under `root`; raises as `lookup` does."""
    todo: list[tuple[rlp.Item, bytes]] = [] if root == EMPTY_TRIE else [(root, b"")]
    while todo:
        reference, path = todo.pop()
        if len(path) > _MAX_DEPTH:
            raise ProofInvalid("trie: expected a path of at most 64 nibbles, it does not end")
        if isinstance(reference, bytes):
            node = decode_node(_checked(_hash(reference), node_at(_hash(reference))))
        else:
            node = _as_node(reference)
        if len(node) == 17:
            todo += [(child, path + bytes([n])) for n, child in enumerate(node[:16]) if child != b""]
            value = _value(node[16])
        else:
            prefix, is_leaf = _decode_path(node[0])
            path += prefix
            value = _value(node[1]) if is_leaf else None
            if not is_leaf:
                todo.append((node[1], path))
        if value is not None:
            yield path, value


def verify_lookup(root: bytes, key: bytes, value: bytes | None, proof: Sequence[bytes]) -> None:
    """Raise ProofInvalid unless `proof` shows that `key` has `value` (None: none) in the trie of `root`."""
    nodes = {keccak256(node): node for node in proof}

    def node_at(node_hash: bytes) -> bytes:
        try:
            return nodes[node_hash]
        except KeyError:
            raise ProofInvalid(
                f"trie proof: expected a node with hash {node_hash.hex()}, it is missing"
            ) from None

    found, _ = lookup(root, key, node_at)
    if found != value:
        raise ProofInvalid(
            f"trie proof: expected {_shown(value)} at {key.hex()}, the trie has {_shown(found)}"
        )


def decode_node(data: bytes) -> list[rlp.Item]:
    """Read a node from its RLP: 2 or 17 items; ProofInvalid if it is none."""
    try:
        return _as_node(rlp.decode(data))
    except FormatError as error:
        raise ProofInvalid(f"trie: expected a node, this is not RLP: {error}") from None


def _as_node(item: rlp.Item) -> list[rlp.Item]:
    if isinstance(item, bytes) or len(item) not in {2, 17}:
        raise ProofInvalid("trie: expected a node of 2 or 17 items")
    return item


def _hash(reference: bytes) -> bytes:
    if len(reference) != 32:
        raise ProofInvalid(f"trie: expected a reference of 32 bytes, got {len(reference)}")
    return reference


def _checked(node_hash: bytes, data: bytes) -> bytes:
    if keccak256(data) != node_hash:
        raise ProofInvalid(f"trie: expected a node with hash {node_hash.hex()}, got {keccak256(data).hex()}")
    return data


def _value(item: rlp.Item) -> bytes | None:
    if not isinstance(item, bytes):
        raise ProofInvalid("trie: expected bytes as a value, got a list")
    return item or None


def nibbles(key: bytes) -> bytes:
    """The halves of each byte, high first, one a byte."""
    return b"".join(map(_HALVES.__getitem__, key))


def _decode_path(item: rlp.Item) -> tuple[bytes, bool]:
    """Undo the hex-prefix encoding: the nibbles, and whether they end the key (a leaf)."""
    if not isinstance(item, bytes) or not item or item[0] > 0x3F:
        raise ProofInvalid("trie: expected a hex-prefixed path")
    path = nibbles(item)
    odd, is_leaf = path[0] & 1, bool(path[0] & 2)
    if not odd and path[1]:
        raise ProofInvalid("trie: expected zero padding in a path of even length")
    return path[1 if odd else 2 :], is_leaf


def _shown(value: bytes | None) -> str:
    return "no value" if value is None else value.hex()
